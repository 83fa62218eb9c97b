/* Methods of lists and dicts. Those that would change them are refused, as transformers refuses
 * them. */
#include "text/jinja/filter.h"

#include <string.h>

static enum status refuse(struct call *c, struct jv *out)
{
    (void)out;
    return run_fault(c->run, "a template must not change a %s", jv_type_name(c->self));
}

/* ---- lists ------------------------------------------------------------------------------- */

static enum status list_count(struct call *c, struct jv *out)
{
    int64_t count = 0;
    TRY(run_charge(c->run, c->self.list->weight));
    for (uint32_t i = 0; i < c->self.list->n; i++)
        count += jv_equal(c->self.list->items[i], c->arg[0]);
    *out = jv_int(count);
    return ST_OK;
}

static enum status list_index(struct call *c, struct jv *out)
{
    TRY(run_charge(c->run, c->self.list->weight));
    for (uint32_t i = 0; i < c->self.list->n; i++) {
        if (!jv_equal(c->self.list->items[i], c->arg[0])) continue;
        *out = jv_int(i);
        return ST_OK;
    }
    return run_fault(c->run, "index(): the value is not in the list");
}

static enum status list_copy(struct call *c, struct jv *out)
{
    return filter_list(c, out);
}

const struct jinja_function jinja_list_methods[] = {
    {"append", NULL, refuse},       {"clear", NULL, refuse},  {"copy", "", list_copy},
    {"count", "value", list_count}, {"extend", NULL, refuse}, {"index", "value", list_index},
    {"insert", NULL, refuse},       {"pop", NULL, refuse},    {"remove", NULL, refuse},
    {"reverse", NULL, refuse},      {"sort", NULL, refuse},   {0},
};

/* ---- dicts ------------------------------------------------------------------------------- */

static enum status dict_get(struct call *c, struct jv *out)
{
    const struct jv *found;
    TRY(run_find(c->run, c->self.dict, c->arg[0], &found));
    *out = found ? *found : c->arg[1].kind == JV_ABSENT ? jv_none() : c->arg[1];
    return ST_OK;
}

static enum status view(struct call *c, const char *shown, struct jv *out)
{
    TRY(filter_items(c, out));
    out->kind = JV_VIEW;
    out->list->shown = shown;
    return ST_OK;
}

static enum status dict_items(struct call *c, struct jv *out)
{
    return view(c, "dict_items", out);
}

static enum status dict_keys(struct call *c, struct jv *out)
{
    TRY(run_list(c->run, JV_VIEW, out));
    out->list->shown = "dict_keys";
    for (uint32_t i = 0; i < c->self.dict->n; i++)
        TRY(run_append(c->run, *out, c->self.dict->pairs[i].key));
    return ST_OK;
}

static enum status dict_values(struct call *c, struct jv *out)
{
    TRY(run_list(c->run, JV_VIEW, out));
    out->list->shown = "dict_values";
    for (uint32_t i = 0; i < c->self.dict->n; i++)
        TRY(run_append(c->run, *out, c->self.dict->pairs[i].value));
    return ST_OK;
}

static enum status dict_copy(struct call *c, struct jv *out)
{
    *out = c->self; /* nobody can tell, since none of the two will change */
    return ST_OK;
}

const struct jinja_function jinja_dict_methods[] = {
    {"clear", NULL, refuse},
    {"copy", "", dict_copy},
    {"get", "key default=", dict_get},
    {"items", "", dict_items},
    {"keys", "", dict_keys},
    {"pop", NULL, refuse},
    {"popitem", NULL, refuse},
    {"setdefault", NULL, refuse},
    {"update", NULL, refuse},
    {"values", "", dict_values},
    {0},
};
