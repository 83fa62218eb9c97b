#include "text/jinja/run.h"

#include "text/jinja/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- faults and limits ------------------------------------------------------------------- */

enum status run_fault(struct jinja_run *run, const char *format, ...)
{
    char message[ERR_MESSAGE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return err_set(run->err, ST_FORMAT, "line %d: %s", run->line, message);
}

enum status run_memory(struct jinja_run *run)
{
    return err_set(run->err, ST_MEMORY,
                   "line %d: the values of the template take more than %zu MiB", run->line,
                   run->pool->max >> 20);
}

enum status run_charge(struct jinja_run *run, uint64_t steps)
{
    if (steps <= (uint64_t)run->steps) {
        run->steps -= (int64_t)steps;
        return ST_OK;
    }
    return err_set(run->err, ST_MEMORY, "line %d: the template takes too many steps", run->line);
}

enum status run_enter(struct jinja_run *run)
{
    if (!run->depth)
        return err_set(run->err, ST_MEMORY, "line %d: the template nests too deep", run->line);
    run->depth--;
    return ST_OK;
}

/* ---- texts ------------------------------------------------------------------------------- */

static enum status too_long(struct jinja_run *run)
{
    return err_set(run->err, ST_MEMORY, "line %d: the text becomes longer than %zu MiB", run->line,
                   run->out->max >> 20);
}

enum status run_write(struct jinja_run *run, const char *s, size_t n)
{
    TRY(run_charge(run, n / 64));
    return buf_add(run->out, s, n) == ST_OK ? ST_OK : too_long(run);
}

enum status run_cut(struct jinja_run *run, size_t mark, struct jv *out)
{
    const size_t n = run->out->len - mark;
    TRY(run_charge(run, n / 64));
    if (!jv_copy_text(run->pool, n ? run->out->data + mark : "", n, out)) return run_memory(run);
    run->out->len = mark;
    return ST_OK;
}

enum status run_show(struct jinja_run *run, struct jv v)
{
    if (v.kind == JV_TEXT) return run_write(run, v.s, v.n);
    TRY(run_charge(run, jv_weight(v)));
    return show_str(run->out, v) == ST_OK ? ST_OK : too_long(run);
}

enum status run_repr(struct jinja_run *run, struct jv v)
{
    TRY(run_charge(run, jv_weight(v)));
    return show_repr(run->out, v) == ST_OK ? ST_OK : too_long(run);
}

enum status run_text(struct jinja_run *run, struct jv v, struct jv *out)
{
    *out = v;
    if (v.kind == JV_TEXT) return ST_OK;
    const size_t mark = run->out->len;
    TRY(run_show(run, v));
    return run_cut(run, mark, out);
}

/* ---- containers -------------------------------------------------------------------------- */

enum status run_list(struct jinja_run *run, enum jv_kind kind, struct jv *out)
{
    return jv_list_init(run->pool, kind, 0, out) ? ST_OK : run_memory(run);
}

/* A container that takes nothing more: it is at a bound, or the pool is. */
static enum status too_much(struct jinja_run *run, const char *what, uint32_t depth,
                            uint32_t weight)
{
    if (depth >= JV_DEPTH_MAX)
        return err_set(run->err, ST_MEMORY, "line %d: a %s nested more than %d deep", run->line,
                       what, JV_DEPTH_MAX);
    if (weight >= JV_WEIGHT_MAX)
        return err_set(run->err, ST_MEMORY, "line %d: a %s with too much in it", run->line, what);
    return run_memory(run);
}

enum status run_append(struct jinja_run *run, struct jv list, struct jv item)
{
    TRY(run_charge(run, 1));
    if (jv_append(run->pool, list.list, item)) return ST_OK;
    return too_much(run, "list", list.list->depth, list.list->weight);
}

enum status run_dict(struct jinja_run *run, struct jv *out)
{
    return jv_dict_init(run->pool, JV_DICT, out) ? ST_OK : run_memory(run);
}

/* Counts what the key's hash costs. */
static enum status check_key(struct jinja_run *run, struct jv key)
{
    TRY(run_charge(run, jv_weight(key)));
    return jv_hashable(key) ? ST_OK : run_fault(run, "a %s cannot be a key", jv_type_name(key));
}

enum status run_set(struct jinja_run *run, struct jv dict, struct jv key, struct jv value)
{
    TRY(check_key(run, key));
    const bool done = dict.kind == JV_NAMESPACE ? jv_dict_put(run->pool, dict.dict, key, value)
                                                : jv_dict_set(run->pool, dict.dict, key, value);
    if (done) return ST_OK;
    return too_much(run, "dict", dict.dict->depth, dict.dict->weight);
}

enum status run_find(struct jinja_run *run, const struct jv_dict *dict, struct jv key,
                     const struct jv **out)
{
    TRY(check_key(run, key));
    *out = jv_dict_find(dict, key);
    return ST_OK;
}

/* ---- variables --------------------------------------------------------------------------- */

enum status run_variable(struct jinja_run *run, const struct name *name, struct jv value)
{
    struct scope *s = run->scope;
    TRY(run_charge(run, (uint64_t)s->n / 16));
    for (int i = 0; i < s->n; i++) {
        if (s->variables[i].name != name) continue;
        s->variables[i].value = value;
        return ST_OK;
    }
    if (s->n == s->cap) {
        const int cap = s->cap ? 2 * s->cap : 4;
        struct variable *more = pool_take(run->pool, (size_t)cap * sizeof *more);
        if (!more) return run_memory(run);
        if (s->n) memcpy(more, s->variables, (size_t)s->n * sizeof *more);
        s->variables = more;
        s->cap = cap;
    }
    s->variables[s->n++] = (struct variable){name, value};
    return ST_OK;
}
