#include "text/jinja/parser.h"

/* ---- operators, from those that bind most ------------------------------------------------ */

static enum status unary_inside(struct parser *p, bool with_filters, struct node **out)
{
    const bool minus = parser_at_op(p, '-');
    if (minus || parser_at_op(p, '+')) {
        TRY(parser_node(p, minus ? NODE_NEGATE : NODE_PLUS, out));
        TRY(parser_go(p));
        TRY(parser_enter(p));
        TRY(unary_inside(p, false, &(*out)->a));
        parser_leave(p);
    } else {
        TRY(parser_primary(p, out));
    }
    TRY(parser_postfix(p, out));
    return with_filters ? parser_suffixes(p, out) : ST_OK;
}

static enum status unary(struct parser *p, struct node **out)
{
    return unary_inside(p, true, out);
}

/* Left-associative operators of one level. */
static enum status chain(struct parser *p, const int *ops,
                         enum status (*below)(struct parser *, struct node **), struct node **out)
{
    TRY(below(p, out));
    for (;;) {
        int i = 0;
        while (ops[i] && !parser_at_op(p, ops[i])) i++;
        if (!ops[i]) return ST_OK;
        struct node *node;
        TRY(parser_wrap(p, NODE_ARITHMETIC, *out, &node));
        node->op = ops[i];
        TRY(parser_go(p));
        TRY(below(p, &node->b));
        *out = node;
    }
}

static enum status power(struct parser *p, struct node **out)
{
    static const int ops[] = {OP_POWER, 0};
    return chain(p, ops, unary, out);
}

static enum status product(struct parser *p, struct node **out)
{
    static const int ops[] = {'*', '/', OP_FLOORDIV, '%', 0};
    return chain(p, ops, power, out);
}

static enum status concat(struct parser *p, struct node **out)
{
    TRY(product(p, out));
    if (!parser_at_op(p, '~')) return ST_OK;
    TRY(parser_wrap(p, NODE_CONCAT, *out, out));
    for (struct node *last = (*out)->a; parser_at_op(p, '~'); last = last->next) {
        TRY(parser_go(p));
        TRY(product(p, &last->next));
    }
    return ST_OK;
}

static enum status sum(struct parser *p, struct node **out)
{
    static const int ops[] = {'+', '-', 0};
    return chain(p, ops, concat, out);
}

static int compare_op(const struct parser *p)
{
    static const int ops[] = {OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT};
    for (int i = 0; i < 6; i++)
        if (parser_at_op(p, ops[i])) return ops[i];
    if (parser_at_word(p, "in")) return OP_IN;
    return parser_at_word(p, "not") && parser_is_word(&p->ahead, "in") ? OP_NOT_IN : 0;
}

static enum status comparison(struct parser *p, struct node **out)
{
    TRY(sum(p, out));
    if (!compare_op(p)) return ST_OK;
    TRY(parser_wrap(p, NODE_COMPARE, *out, out));
    int op;
    for (struct node **at = &(*out)->b; (op = compare_op(p)); at = &(*at)->next) {
        TRY(parser_node(p, NODE_COMPARE, at));
        (*at)->op = op;
        TRY(parser_go(p));
        if (op == OP_NOT_IN) TRY(parser_go(p));
        TRY(sum(p, &(*at)->a));
    }
    return ST_OK;
}

static enum status negation(struct parser *p, struct node **out)
{
    bool is_not;
    TRY(parser_node(p, NODE_NOT, out));
    TRY(parser_skip_word(p, "not", &is_not));
    if (!is_not) return comparison(p, out);
    TRY(parser_enter(p));
    TRY(negation(p, &(*out)->a));
    parser_leave(p);
    return ST_OK;
}

static enum status logic(struct parser *p, const char *word, enum node_kind kind,
                         enum status (*below)(struct parser *, struct node **), struct node **out)
{
    TRY(below(p, out));
    for (;;) {
        bool more;
        struct node *node;
        TRY(parser_skip_word(p, word, &more));
        if (!more) return ST_OK;
        TRY(parser_wrap(p, kind, *out, &node));
        TRY(below(p, &node->b));
        *out = node;
    }
}

static enum status conjunction(struct parser *p, struct node **out)
{
    return logic(p, "and", NODE_AND, negation, out);
}

static enum status disjunction(struct parser *p, struct node **out)
{
    return logic(p, "or", NODE_OR, conjunction, out);
}

static enum status choice(struct parser *p, struct node **out)
{
    const bool soft = p->soft;
    TRY(disjunction(p, out));
    for (;;) {
        bool more;
        struct node *node;
        TRY(parser_skip_word(p, "if", &more));
        if (!more) break;
        TRY(parser_node(p, NODE_CHOICE, &node));
        p->soft = true;
        node->b = *out;
        TRY(disjunction(p, &node->a));
        TRY(parser_skip_word(p, "else", &more));
        if (more) {
            TRY(parser_enter(p));
            TRY(choice(p, &node->c));
            parser_leave(p);
        }
        *out = node;
    }
    p->soft = soft;
    return ST_OK;
}

enum status parser_expression(struct parser *p, struct node **out)
{
    TRY(parser_enter(p));
    TRY(choice(p, out));
    parser_leave(p);
    return ST_OK;
}

/* Does a tuple without parentheses end here? */
static bool at_tuple_end(const struct parser *p)
{
    return p->token.kind == TOKEN_BLOCK_END || p->token.kind == TOKEN_PRINT_END ||
           parser_at_op(p, ')') || parser_at_word(p, "recursive");
}

enum status parser_tuple(struct parser *p, bool may_choose, struct node **out)
{
    enum status (*part)(struct parser *, struct node **) =
        may_choose ? parser_expression : disjunction;
    TRY(part(p, out));
    if (!parser_at_op(p, ',')) return ST_OK;
    TRY(parser_wrap(p, NODE_TUPLE, *out, out));
    for (struct node *last = (*out)->a; parser_at_op(p, ','); last = last->next) {
        TRY(parser_go(p));
        if (at_tuple_end(p)) break;
        TRY(part(p, &last->next));
    }
    return ST_OK;
}
