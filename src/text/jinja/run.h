/*
 * One rendering: where its values lie, what it may still use up, which variables are in sight. All
 * texts are written at the end of one buffer; what is not output in the end (the inside of a macro,
 * a text that is put together) is taken from there again (run_cut).
 */
#ifndef EAD_TEXT_JINJA_RUN_H
#define EAD_TEXT_JINJA_RUN_H

#include "base/buf.h"
#include "text/jinja/function.h"
#include "text/jinja/node.h"

#include <time.h>

struct variable {
    const struct name *name;
    struct jv value;
};

struct scope {
    struct scope *outer;
    struct variable *variables;
    int n, cap;
};

struct jinja_loop {
    const struct jv_list *items;
    uint32_t index;
    struct jv seen; /* by changed() the last time; JV_ABSENT at first */
};

/* A macro together with what it sees. */
struct jinja_closure {
    const struct node_macro *node;
    struct scope *scope;
};

struct jinja_run {
    struct pool *pool;
    struct buf *out;
    struct err *err;
    const struct tree *tree;
    const struct jv_dict *variables; /* that were given */
    struct scope *scope;
    int line;      /* of what is being evaluated */
    int64_t steps; /* left */
    int depth;     /* left, of the nesting of what is being evaluated */
    struct tm now;
    enum { RUN_ON, RUN_BREAK, RUN_CONTINUE } leaving;
};

/* ---- faults and limits ------------------------------------------------------------------- */

/* ST_FORMAT and "line N: ...". */
enum status run_fault(struct jinja_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The pool is at its ceiling, or the heap is. */
enum status run_memory(struct jinja_run *run);
/* Count work against the limit. */
MUST_USE enum status run_charge(struct jinja_run *run, uint64_t steps);
/* One level of nesting further in; `depth` goes up again behind it. */
MUST_USE enum status run_enter(struct jinja_run *run);

/* ---- texts ------------------------------------------------------------------------------- */

MUST_USE enum status run_write(struct jinja_run *run, const char *s, size_t n);
/* What was written from `mark` on becomes a value, and is no output. */
MUST_USE enum status run_cut(struct jinja_run *run, size_t mark, struct jv *out);
/* As str(), repr() and tojson() have it. */
MUST_USE enum status run_show(struct jinja_run *run, struct jv v);
MUST_USE enum status run_repr(struct jinja_run *run, struct jv v);
/* str() of a value; a text is itself. */
MUST_USE enum status run_text(struct jinja_run *run, struct jv v, struct jv *out);

/* ---- containers -------------------------------------------------------------------------- */

MUST_USE enum status run_list(struct jinja_run *run, enum jv_kind kind, struct jv *out);
MUST_USE enum status run_append(struct jinja_run *run, struct jv list, struct jv item);
MUST_USE enum status run_dict(struct jinja_run *run, struct jv *out);
/* A fault for a key that cannot be one. */
MUST_USE enum status run_set(struct jinja_run *run, struct jv dict, struct jv key, struct jv value);
/* The value of a key, or NULL. A fault for a key that cannot be one. */
MUST_USE enum status run_find(struct jinja_run *run, const struct jv_dict *dict, struct jv key,
                              const struct jv **out);
/* What a for loop goes through. An iterator is used up. */
MUST_USE enum status run_items(struct jinja_run *run, struct jv v, const struct jv_list **out);

/* ---- evaluation -------------------------------------------------------------------------- */

MUST_USE enum status run_variable(struct jinja_run *run, const struct name *name, struct jv value);
MUST_USE enum status run_evaluate(struct jinja_run *run, const struct node *node, struct jv *out);
/* The chain of filters of a block, applied to its text. */
MUST_USE enum status run_filter(struct jinja_run *run, const struct node *node, struct jv self,
                                struct jv *out);
/* Call a value; `caller` is what a call block adds, or NULL. */
MUST_USE enum status run_call(struct jinja_run *run, struct jv callee, const struct arguments *args,
                              struct jv *out);
MUST_USE enum status run_method(struct jinja_run *run, const struct jv_method *m,
                                const struct arguments *args, struct jv *out);
MUST_USE enum status run_call_node(struct jinja_run *run, const struct node *node,
                                   const struct jv *caller, struct jv *out);
MUST_USE enum status run_blocks(struct jinja_run *run, const struct node *node);
/* a.name, and a[key]: what is not there is undefined. */
MUST_USE enum status run_attribute(struct jinja_run *run, struct jv of, struct jv name,
                                   struct jv *out);
MUST_USE enum status run_item(struct jinja_run *run, struct jv of, struct jv key, struct jv *out);
/* Bounds as Python has them; JV_NONE: none. */
MUST_USE enum status run_slice(struct jinja_run *run, struct jv of, const struct jv bound[3],
                               struct jv *out);
/* The arithmetic operator of the lexer's number, and one of the comparisons. */
MUST_USE enum status run_arithmetic(struct jinja_run *run, int op, struct jv a, struct jv b,
                                    struct jv *out);
MUST_USE enum status run_negate(struct jinja_run *run, struct jv a, bool minus, struct jv *out);
MUST_USE enum status run_compare(struct jinja_run *run, int op, struct jv a, struct jv b,
                                 bool *out);

#endif
