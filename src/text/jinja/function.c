#include "text/jinja/function.h"

#include "text/jinja/run.h"

#include <string.h>

const struct jinja_function *function_find(const struct jinja_function *table, const char *name,
                                           size_t n)
{
    for (; table->name; table++)
        if (strlen(table->name) == n && !memcmp(table->name, name, n)) return table;
    return NULL;
}

/* The parameter at *at of a list of them, n bytes, and past it; false at the end. */
static bool next_param(const char **at, size_t *n, bool *optional)
{
    while (**at == ' ') ++*at;
    if (!**at) return false;
    *n = strcspn(*at, " =");
    *optional = (*at)[*n] == '=';
    return true;
}

static bool has_param(const struct jinja_function *f, struct jv name)
{
    const char *at = f->params;
    size_t n;
    bool optional;
    for (; next_param(&at, &n, &optional); at += n + optional)
        if (name.n == n && !memcmp(name.s, at, n)) return true;
    return false;
}

/* There are more names than parameters of them: one is unknown, or there twice. */
static enum status unknown_name(struct call *c, const struct jinja_function *f)
{
    int k = 0;
    while (k + 1 < c->all.n_named && has_param(f, c->all.named[k].name)) k++;
    const struct jv name = c->all.named[k].name;
    return run_fault(c->run, "%s(): unexpected argument \"%.*s\"", f->name,
                     (int)(name.n < 40 ? name.n : 40), name.s);
}

/* The argument of a parameter, by name or by position. */
static struct jv find_argument(const struct arguments *args, const char *name, size_t n, int i,
                               int *named_used)
{
    for (int k = 0; k < args->n_named; k++)
        if (named_is(&args->named[k], name, n)) {
            ++*named_used;
            return args->named[k].value;
        }
    return i < args->n ? args->item[i] : (struct jv){.kind = JV_ABSENT};
}

static enum status bind(struct call *c, const struct jinja_function *f)
{
    const char *at = f->params;
    size_t n;
    bool optional;
    int i = 0, used = 0;
    for (; next_param(&at, &n, &optional); i++, at += n + optional) {
        c->arg[i] = find_argument(&c->all, at, n, i, &used);
        if (c->arg[i].kind == JV_ABSENT && !optional)
            return run_fault(c->run, "%s() needs \"%.*s\"", f->name, (int)n, at);
    }
    if (c->all.n > i)
        return run_fault(c->run, "%s() takes at most %d argument%s, found %d", f->name, i,
                         i == 1 ? "" : "s", c->all.n);
    return used < c->all.n_named ? unknown_name(c, f) : ST_OK;
}

enum status function_call(struct jinja_run *run, const struct jinja_function *f, struct jv self,
                          const struct arguments *args, struct jv *out)
{
    struct call c = {.run = run, .self = self, .all = *args};
    if (f->params) TRY(bind(&c, f));
    TRY(run_enter(run)); /* map() calls filters, and so itself */
    const enum status st = f->call(&c, out);
    run->depth++;
    return st;
}

enum status call_text(const struct call *c, int i, const char *fallback, struct jv *out)
{
    *out = c->arg[i];
    if (out->kind == JV_ABSENT && fallback) *out = jv_text(fallback, strlen(fallback));
    if (out->kind == JV_TEXT) return ST_OK;
    return run_fault(c->run, "argument %d: expected a str, found %s", i + 1, jv_type_name(*out));
}

enum status call_whole(const struct call *c, int i, int64_t fallback, int64_t *out)
{
    const struct jv v = c->arg[i];
    *out = fallback;
    if (v.kind == JV_ABSENT) return ST_OK;
    if (!jv_is_whole(v))
        return run_fault(c->run, "argument %d: expected an int, found %s", i + 1, jv_type_name(v));
    *out = jv_whole(v);
    return ST_OK;
}

bool call_flag(const struct call *c, int i, bool fallback)
{
    return c->arg[i].kind == JV_ABSENT ? fallback : jv_truth(c->arg[i]);
}
