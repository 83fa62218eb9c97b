/* The inside of the formula parser, between parse.c (lists, relations, sums), atom.c (what stands
 * between operators) and numeral.c (numbers). A recursive descent; the first failure sets `failed`,
 * and nothing reads on. */
#ifndef EAD_GRADE_PARSE_H
#define EAD_GRADE_PARSE_H

#include "grade/formula.h"

struct parser {
    const struct token *tokens;
    size_t at, end;
    struct node *nodes;
    size_t n_nodes, room;
    struct node none; /* what failed parses return */
    int depth;        /* open brackets */
    int bars;         /* open | */
    bool failed;
    struct token half; /* the rest of a number that \frac12 split */
};

const struct token *parse_peek(const struct parser *p);
const struct token *parse_ahead(const struct parser *p, size_t by);
void parse_skip(struct parser *p);
bool parse_says(const struct token *t, const char *word); /* a word or a letter */
bool parse_accept(struct parser *p, int kind);
void parse_expect(struct parser *p, int kind);
struct node *parse_fail(struct parser *p);

struct node *parse_node(struct parser *p, enum node_kind kind, struct node *child);
struct node *parse_value(struct parser *p, struct value value);
struct node *parse_pair(struct parser *p, enum node_kind kind, struct node *a, struct node *b);

/* Everything between brackets. */
struct node *parse_list(struct parser *p);
struct node *parse_sum(struct parser *p);

/* numeral.c: what a number begins; and "(234)_5", "twenty-one", NULL where none stands. */
struct node *parse_numeral(struct parser *p);
struct node *parse_bracketed_numeral(struct parser *p);
struct node *parse_spelled_numeral(struct parser *p);
int64_t parse_multiple(const struct token *t); /* of "million" and the like; 0: another word */

/* atom.c: a factor with its powers and other postfixes. */
struct node *parse_factor(struct parser *p);
bool parse_starts_factor(const struct parser *p);

#endif
