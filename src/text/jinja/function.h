/*
 * The library of the language: filters, tests, functions and methods, each a row in a table with
 * its parameters, so that all take their arguments in one way.
 */
#ifndef EAD_TEXT_JINJA_FUNCTION_H
#define EAD_TEXT_JINJA_FUNCTION_H

#include "text/jinja/value.h"

struct jinja_run;

struct named_value {
    struct jv name, value; /* the name is a text */
};

static inline bool named_is(const struct named_value *a, const char *name, size_t n)
{
    return jv_equal(a->name, jv_text(name, n));
}

/* What stands between the parentheses of a call. */
struct arguments {
    const struct jv *item;
    int n;
    const struct named_value *named;
    int n_named;
};

enum { FUNCTION_PARAMS_MAX = 6 };

struct call {
    struct jinja_run *run;
    struct jv self;                     /* what a filter, test or method is applied to */
    struct jv arg[FUNCTION_PARAMS_MAX]; /* by parameter; JV_ABSENT where none was given */
    struct arguments all;               /* as they came; for functions that take any */
};

struct jinja_function {
    const char *name;   /* NULL ends a table */
    const char *params; /* names in their order, "=" behind one that may be absent; NULL: it looks
                           at call.all itself */
    enum status (*call)(struct call *, struct jv *out);
};

extern const struct jinja_function jinja_filters[], jinja_tests[], jinja_globals[],
    jinja_text_methods[], jinja_list_methods[], jinja_dict_methods[];

/* The row of a table, or NULL. */
const struct jinja_function *function_find(const struct jinja_function *table, const char *name,
                                           size_t n);

/* Put the arguments to the parameters and call. */
MUST_USE enum status function_call(struct jinja_run *run, const struct jinja_function *f,
                                   struct jv self, const struct arguments *args, struct jv *out);

/* An argument that must be of one kind. */
MUST_USE enum status call_text(const struct call *c, int i, const char *fallback, struct jv *out);
MUST_USE enum status call_whole(const struct call *c, int i, int64_t fallback, int64_t *out);
bool call_flag(const struct call *c, int i, bool fallback);

#endif
