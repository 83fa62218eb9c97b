/* Filters that apply a filter or a test to each item. */
#include "text/jinja/filter.h"

#include <string.h>

/* The arguments from the `skip`th on. */
static struct arguments rest(const struct call *c, int skip)
{
    struct arguments args = c->all;
    args.item += skip;
    args.n -= skip;
    return args;
}

static enum status find(struct call *c, const struct jinja_function *table, const char *what,
                        struct jv name, const struct jinja_function **out)
{
    *out = name.kind == JV_TEXT ? function_find(table, name.s, name.n) : NULL;
    if (*out) return ST_OK;
    return run_fault(c->run, "there is no %s \"%.*s\"", what,
                     name.kind == JV_TEXT ? (int)(name.n < 40 ? name.n : 40) : 1,
                     name.kind == JV_TEXT ? name.s : "?");
}

static enum status map_attribute(struct call *c, const struct jv_list *list, struct jv *out)
{
    struct jv path = jv_none(), fallback = {.kind = JV_ABSENT};
    for (int i = 0; i < c->all.n_named; i++) {
        const struct named_value *a = &c->all.named[i];
        if (jv_text_is(a->name, "attribute"))
            path = a->value;
        else if (jv_text_is(a->name, "default"))
            fallback = a->value;
        else
            return run_fault(c->run, "map() takes attribute and default by name");
    }
    for (uint32_t i = 0; i < list->n; i++) {
        struct jv item;
        TRY(filter_path(c->run, list->items[i], path, &item));
        if (item.kind == JV_UNDEFINED && fallback.kind != JV_ABSENT) item = fallback;
        TRY(run_append(c->run, *out, item));
    }
    return ST_OK;
}

/* What is false has no items, whatever it is. */
static enum status items_of(struct call *c, const struct jv_list **list, struct jv *out)
{
    TRY(run_list(c->run, JV_ITERATOR, out));
    return run_items(c->run, jv_truth(c->self) ? c->self : *out, list);
}

static bool names_attribute(const struct call *c)
{
    for (int i = 0; i < c->all.n_named; i++)
        if (jv_text_is(c->all.named[i].name, "attribute")) return c->all.n == 0;
    return false;
}

enum status filter_map(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    const struct jinja_function *f;
    TRY(items_of(c, &list, out));
    if (!list->n) return ST_OK;
    if (names_attribute(c)) return map_attribute(c, list, out);
    if (!c->all.n) return run_fault(c->run, "map() needs a filter or an attribute");
    TRY(find(c, jinja_filters, "filter", c->all.item[0], &f));
    const struct arguments args = rest(c, 1);
    for (uint32_t i = 0; i < list->n; i++) {
        struct jv item;
        TRY(run_charge(c->run, 1));
        TRY(function_call(c->run, f, list->items[i], &args, &item));
        TRY(run_append(c->run, *out, item));
    }
    return ST_OK;
}

/* Keep the items of which (or of whose attribute) the test says `wanted`; without a test, their
 * truth says it. */
static enum status choose(struct call *c, bool by_attribute, bool wanted, struct jv *out)
{
    const struct jv_list *list;
    const struct jinja_function *f = NULL;
    const int skip = by_attribute;
    TRY(items_of(c, &list, out));
    if (!list->n) return ST_OK;
    if (c->all.n < skip) return run_fault(c->run, "expected the name of an attribute");
    if (c->all.n > skip) TRY(find(c, jinja_tests, "test", c->all.item[skip], &f));
    const struct arguments args = f ? rest(c, skip + 1) : (struct arguments){0};
    for (uint32_t i = 0; i < list->n; i++) {
        struct jv v = list->items[i];
        TRY(run_charge(c->run, 1));
        if (by_attribute) TRY(filter_path(c->run, v, c->all.item[0], &v));
        if (f) TRY(function_call(c->run, f, v, &args, &v));
        if (jv_truth(v) == wanted) TRY(run_append(c->run, *out, list->items[i]));
    }
    return ST_OK;
}

enum status filter_select(struct call *c, struct jv *out)
{
    return choose(c, false, true, out);
}

enum status filter_reject(struct call *c, struct jv *out)
{
    return choose(c, false, false, out);
}

enum status filter_selectattr(struct call *c, struct jv *out)
{
    return choose(c, true, true, out);
}

enum status filter_rejectattr(struct call *c, struct jv *out)
{
    return choose(c, true, false, out);
}
