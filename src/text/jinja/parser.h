/* From tokens to the tree (node.h). */
#ifndef EAD_TEXT_JINJA_PARSER_H
#define EAD_TEXT_JINJA_PARSER_H

#include "text/jinja/lexer.h"
#include "text/jinja/node.h"

/* Names are found by going through those of a bucket. */
enum { PARSER_DEPTH_MAX = 150, PARSER_NAMES_MAX = 4096 };

struct parser {
    struct lexer lexer;
    struct pool *pool;
    struct err *err;
    struct token token, ahead; /* the one at hand and the one behind it */
    int depth;                 /* of the nesting, below PARSER_DEPTH_MAX */
    bool soft;                 /* in a branch: an unknown filter is an error once it is reached */
    int loops;                 /* around what is at hand, in the same macro */
    struct name *names[TREE_BUCKETS];
    int n_names;
    struct parser_macro *macro; /* the innermost one around what is at hand */
};

/* The whole template. Errors are ST_FORMAT, "line N: ...". */
MUST_USE enum status parser_run(struct pool *pool, const char *s, size_t n, struct tree *out,
                                struct err *err);

/* ---- between the files of the parser ----------------------------------------------------- */

/* A macro whose body is being read. */
struct parser_macro {
    struct node_macro *node;
    struct parser_macro *outer;
};

MUST_USE enum status parser_go(struct parser *p);
MUST_USE enum status parser_node(struct parser *p, enum node_kind kind, struct node **out);
/* The same, and its `a`. */
MUST_USE enum status parser_wrap(struct parser *p, enum node_kind kind, struct node *a,
                                 struct node **out);
MUST_USE enum status parser_name(struct parser *p, const char *s, size_t n,
                                 const struct name **out);
/* "expected WHAT, found TOKEN" */
enum status parser_unexpected(const struct parser *p, const char *what);
bool parser_is_word(const struct token *t, const char *word);
bool parser_at_op(const struct parser *p, int op);
bool parser_at_word(const struct parser *p, const char *word);
/* Go past an operator that must be there. */
MUST_USE enum status parser_expect_op(struct parser *p, int op);
MUST_USE enum status parser_skip_op(struct parser *p, int op, bool *skipped);
MUST_USE enum status parser_skip_word(struct parser *p, const char *word, bool *skipped);
/* One level of nesting further in; every level is left by parser_leave. */
MUST_USE enum status parser_enter(struct parser *p);
void parser_leave(struct parser *p);

MUST_USE enum status parser_expression(struct parser *p, struct node **out);
/* One expression or, with commas, a tuple of several. `choice`: it may be "a if b else c". */
MUST_USE enum status parser_tuple(struct parser *p, bool choice, struct node **out);
MUST_USE enum status parser_primary(struct parser *p, struct node **out);
/* What may follow an expression: ".name", "[item]" and "(call)"; and beside them filters and tests.
 */
MUST_USE enum status parser_postfix(struct parser *p, struct node **node);
MUST_USE enum status parser_suffixes(struct parser *p, struct node **node);
/* "|filter" behind `of`, which may be NULL, as often as it comes. */
MUST_USE enum status parser_filters(struct parser *p, struct node *of, struct node **out);
/* One filter without its bar, for a filter block. */
MUST_USE enum status parser_filter(struct parser *p, struct node *of, struct node **out);
/* Blocks up to one of the end words, which is the token at hand then; NULL: up to the end. */
MUST_USE enum status parser_blocks(struct parser *p, const char *const *ends, struct node **out);

#endif
