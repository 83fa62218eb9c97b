/* Functions and what else every template has. */
#include "text/jinja/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RANGE_MAX = 100000 };

static enum status show_range(struct call *c, int64_t from, int64_t to, int64_t step,
                              struct jv_list *list)
{
    char text[96];
    struct jv shown;
    int n = snprintf(text, sizeof text, "range(%" PRId64 ", %" PRId64, from, to);
    if (step != 1) n += snprintf(text + n, sizeof text - (size_t)n, ", %" PRId64, step);
    n += snprintf(text + n, sizeof text - (size_t)n, ")");
    if (!jv_copy_text(c->run->pool, text, (size_t)n + 1, &shown)) return run_memory(c->run);
    list->shown = shown.s;
    return ST_OK;
}

static enum status global_range(struct call *c, struct jv *out)
{
    int64_t bound[3] = {0, 0, 1};
    if (c->all.n < 1 || c->all.n > 3 || c->all.n_named)
        return run_fault(c->run, "range() takes 1 to 3 arguments");
    for (int i = 0; i < c->all.n; i++) {
        if (!jv_is_whole(c->all.item[i]))
            return run_fault(c->run, "range(): expected whole numbers, found %s",
                             jv_type_name(c->all.item[i]));
        bound[c->all.n == 1 ? 1 : i] = jv_whole(c->all.item[i]);
    }
    const int64_t from = bound[0], to = bound[1], step = bound[2];
    if (!step) return run_fault(c->run, "range() with a step of 0");
    TRY(run_list(c->run, JV_RANGE, out));
    TRY(show_range(c, from, to, step, out->list));
    for (int64_t i = from; step > 0 ? i < to : i > to;) {
        if (out->list->n == RANGE_MAX)
            return run_fault(c->run, "range(): more than %d numbers", RANGE_MAX);
        TRY(run_append(c->run, *out, jv_int(i)));
        if (__builtin_add_overflow(i, step, &i)) break;
    }
    return ST_OK;
}

/* The pairs of a dict, or of a list of pairs, and then those by name. */
static enum status fill(struct call *c, struct jv dict)
{
    if (c->all.n > 1) return run_fault(c->run, "expected one dict, and values by name");
    if (c->all.n && c->all.item[0].kind == JV_DICT) {
        const struct jv_dict *from = c->all.item[0].dict;
        for (uint32_t i = 0; i < from->n; i++)
            TRY(run_set(c->run, dict, from->pairs[i].key, from->pairs[i].value));
    } else if (c->all.n) {
        const struct jv_list *pairs;
        if (c->all.item[0].kind == JV_UNDEFINED)
            return run_fault(c->run, "expected a dict, found what is undefined");
        TRY(run_items(c->run, c->all.item[0], &pairs));
        for (uint32_t i = 0; i < pairs->n; i++) {
            const struct jv_list *pair;
            TRY(run_items(c->run, pairs->items[i], &pair));
            if (pair->n != 2) return run_fault(c->run, "expected pairs of a key and a value");
            TRY(run_set(c->run, dict, pair->items[0], pair->items[1]));
        }
    }
    for (int i = 0; i < c->all.n_named; i++)
        TRY(run_set(c->run, dict, c->all.named[i].name, c->all.named[i].value));
    return ST_OK;
}

static enum status global_dict(struct call *c, struct jv *out)
{
    TRY(run_dict(c->run, out));
    return fill(c, *out);
}

static enum status global_namespace(struct call *c, struct jv *out)
{
    if (!jv_dict_init(c->run->pool, JV_NAMESPACE, out)) return run_memory(c->run);
    return fill(c, *out);
}

/* The template refuses the conversation, in its own words. */
static enum status global_raise(struct call *c, struct jv *out)
{
    struct jv message;
    TRY(run_text(c->run, c->arg[0], &message));
    *out = jv_none();
    return err_set(c->run->err, ST_ARG, "line %d: the template refuses: %.*s", c->run->line,
                   (int)(message.n < 800 ? message.n : 800), message.s);
}

static enum status global_strftime(struct call *c, struct jv *out)
{
    struct jv format;
    char zero[512], text[2048];
    TRY(call_text(c, 0, NULL, &format));
    if (format.n >= sizeof zero || memchr(format.s, 0, format.n))
        return run_fault(c->run, "strftime_now(): a format of %u bytes", format.n);
    TRY(run_charge(c->run, 8 * format.n)); /* the C library takes its time */
    memcpy(zero, format.s, format.n);
    zero[format.n] = 0;
    const size_t n = *zero ? strftime(text, sizeof text, zero, &c->run->now) : 0;
    return jv_copy_text(c->run->pool, text, n, out) ? ST_OK : run_memory(c->run);
}

const struct jinja_function jinja_globals[] = {
    {"dict", NULL, global_dict},
    {"namespace", NULL, global_namespace},
    {"raise_exception", "message", global_raise},
    {"range", NULL, global_range},
    {"strftime_now", "format", global_strftime},
    {0},
};
