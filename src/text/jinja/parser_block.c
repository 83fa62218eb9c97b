#include "text/jinja/parser.h"

#include <string.h>

/* ---- pieces ------------------------------------------------------------------------------ */

static enum status block_end(struct parser *p)
{
    return p->token.kind == TOKEN_BLOCK_END ? parser_go(p) : parser_unexpected(p, "\"%}\"");
}

/* The body of a block: past the end of its tag, up to one of these words. */
static enum status body(struct parser *p, const char *const *ends, struct node **out)
{
    bool colon; /* as Python has it */
    TRY(parser_skip_op(p, ':', &colon));
    TRY(block_end(p));
    return parser_blocks(p, ends, out);
}

/* The same for a block that ends with one word, and past that. */
static enum status body_to(struct parser *p, const char *end, struct node **out)
{
    const char *const ends[] = {end, NULL};
    TRY(body(p, ends, out));
    return parser_go(p);
}

/* A body in which an unknown filter is an error at once, whatever branch it stands in. */
static enum status inner_body(struct parser *p, const char *end, struct node **out)
{
    const bool soft = p->soft;
    p->soft = false;
    TRY(body_to(p, end, out));
    p->soft = soft;
    return ST_OK;
}

static enum status expect_word(struct parser *p, const char *word)
{
    char what[32] = "\"";
    if (parser_at_word(p, word)) return parser_go(p);
    return parser_unexpected(p, strcat(strncat(what, word, 24), "\""));
}

/* A name, or a tuple of such, in tuples again. */
static bool is_target(const struct node *node)
{
    if (node->kind != NODE_TUPLE) return node->kind == NODE_NAME;
    for (const struct node *n = node->a; n; n = n->next)
        if (!is_target(n)) return false;
    return true;
}

static enum status plain_target(struct parser *p, struct node **out)
{
    const int line = p->token.line;
    TRY(parser_primary(p, out));
    return is_target(*out) ? ST_OK : lexer_fault(p->err, line, "expected a name to assign to");
}

/* A name, a tuple of names in parentheses or, where `members`, a member of a namespace. */
static enum status one_target(struct parser *p, bool members, struct node **out)
{
    TRY(plain_target(p, out));
    if (!members || (*out)->kind != NODE_NAME || !parser_at_op(p, '.')) return ST_OK;
    TRY(parser_go(p));
    (*out)->kind = NODE_MEMBER;
    if (p->token.kind != TOKEN_NAME) return parser_unexpected(p, "a name");
    TRY(parser_name(p, p->token.s, p->token.n, &(*out)->member));
    return parser_go(p);
}

/* One target, or several with commas. */
static enum status target(struct parser *p, bool members, struct node **out)
{
    TRY(one_target(p, members, out));
    if (!parser_at_op(p, ',')) return ST_OK;
    struct node *first = *out;
    TRY(parser_node(p, NODE_TUPLE, out));
    (*out)->a = first;
    for (struct node *last = first; parser_at_op(p, ','); last = last->next) {
        TRY(parser_go(p));
        if (p->token.kind != TOKEN_NAME && !parser_at_op(p, '(')) break;
        if (parser_at_word(p, "in")) break;
        TRY(one_target(p, members, &last->next));
    }
    return ST_OK;
}

/* ---- statements -------------------------------------------------------------------------- */

static enum status parse_if(struct parser *p, struct node *node)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    const bool soft = p->soft;
    p->soft = true;
    TRY(parser_tuple(p, false, &node->a));
    TRY(body(p, ends, &node->body));
    while (parser_at_word(p, "elif")) {
        struct node *branch;
        TRY(parser_node(p, NODE_IF, &branch));
        TRY(parser_go(p));
        TRY(parser_tuple(p, false, &branch->a));
        TRY(body(p, ends, &branch->body));
        node->other = branch;
        node = branch;
    }
    if (parser_at_word(p, "else")) {
        TRY(parser_go(p));
        TRY(body_to(p, "endif", &node->other));
    } else {
        TRY(parser_go(p));
    }
    p->soft = soft;
    return ST_OK;
}

static enum status parse_for(struct parser *p, struct node *node)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    const bool soft = p->soft;
    bool more;
    p->soft = false;
    TRY(target(p, false, &node->a));
    TRY(expect_word(p, "in"));
    TRY(parser_tuple(p, false, &node->b));
    TRY(parser_skip_word(p, "if", &more));
    if (more) TRY(parser_expression(p, &node->c));
    if (parser_at_word(p, "recursive"))
        return lexer_fault(p->err, p->token.line, "recursive loops are not supported");
    p->loops++;
    TRY(body(p, ends, &node->body));
    p->loops--;
    if (parser_at_word(p, "else")) {
        TRY(parser_go(p));
        TRY(body_to(p, "endfor", &node->other));
    } else {
        TRY(parser_go(p));
    }
    p->soft = soft;
    return ST_OK;
}

static enum status parse_set(struct parser *p, struct node *node)
{
    bool assigns;
    TRY(target(p, true, &node->a));
    TRY(parser_skip_op(p, '=', &assigns));
    if (assigns) return parser_tuple(p, true, &node->b);
    node->kind = NODE_SET_BLOCK;
    TRY(parser_filters(p, NULL, &node->b));
    return inner_body(p, "endset", &node->body);
}

/* "(a, b=1)" */
static enum status parameters(struct parser *p, struct node_macro *macro)
{
    struct node **at = &macro->params;
    bool defaults = false, skipped;
    TRY(parser_expect_op(p, '('));
    for (; !parser_at_op(p, ')'); at = &(*at)->next, macro->n_params++) {
        if (macro->n_params) TRY(parser_expect_op(p, ','));
        TRY(plain_target(p, at));
        if ((*at)->kind != NODE_NAME) return parser_unexpected(p, "a name of a parameter");
        (*at)->kind = NODE_NAMED;
        TRY(parser_skip_op(p, '=', &skipped));
        if (skipped)
            TRY(parser_expression(p, &(*at)->a));
        else if (defaults)
            return lexer_fault(p->err, (*at)->line,
                               "a parameter without a default behind one with");
        defaults |= skipped;
    }
    return parser_go(p);
}

static enum status macro_body(struct parser *p, struct node_macro *macro, const char *end)
{
    struct parser_macro inside = {.node = macro, .outer = p->macro};
    const int loops = p->loops;
    p->macro = &inside;
    p->loops = 0;
    TRY(inner_body(p, end, &macro->body));
    p->loops = loops;
    p->macro = inside.outer;
    for (const struct node *n = macro->params; n; n = n->next)
        if (jv_text_is(jv_text(n->name->s, n->name->n), "caller")) macro->uses_caller = false;
    return ST_OK;
}

static enum status new_macro(struct parser *p, struct node *node)
{
    node->macro = pool_take(p->pool, sizeof *node->macro);
    if (!node->macro) return err_memory(p->err, "the syntax tree of a chat template");
    *node->macro = (struct node_macro){0};
    return ST_OK;
}

static enum status parse_macro(struct parser *p, struct node *node)
{
    struct node *name;
    TRY(new_macro(p, node));
    TRY(plain_target(p, &name));
    if (name->kind != NODE_NAME) return parser_unexpected(p, "the name of a macro");
    node->macro->name = name->name;
    TRY(parameters(p, node->macro));
    return macro_body(p, node->macro, "endmacro");
}

static enum status parse_call(struct parser *p, struct node *node)
{
    TRY(new_macro(p, node));
    if (parser_at_op(p, '(')) TRY(parameters(p, node->macro));
    TRY(parser_expression(p, &node->a));
    if (node->a->kind != NODE_CALL)
        return lexer_fault(p->err, node->line, "expected a call in the call block");
    return macro_body(p, node->macro, "endcall");
}

/* What transformers marks as written by the assistant; here only a scope, as there. */
static enum status parse_generation(struct parser *p, struct node *node)
{
    const int loops = p->loops;
    p->loops = 0;
    TRY(inner_body(p, "endgeneration", &node->body));
    p->loops = loops;
    return ST_OK;
}

static enum status parse_filter_block(struct parser *p, struct node *node)
{
    TRY(parser_filter(p, NULL, &node->b));
    TRY(parser_filters(p, node->b, &node->b));
    return inner_body(p, "endfilter", &node->body);
}

static enum status parse_with(struct parser *p, struct node *node)
{
    for (struct node **at = &node->a; p->token.kind != TOKEN_BLOCK_END; at = &(*at)->next->next) {
        if (at != &node->a) TRY(parser_expect_op(p, ','));
        TRY(plain_target(p, at));
        TRY(parser_expect_op(p, '='));
        TRY(parser_expression(p, &(*at)->next));
    }
    return inner_body(p, "endwith", &node->body);
}

/* Several are no tuple here, unlike in "{{": each is printed. */
static enum status parse_print(struct parser *p, struct node *node)
{
    bool more;
    for (struct node **at = &node->a;; at = &(*at)->next) {
        TRY(parser_expression(p, at));
        TRY(parser_skip_op(p, ',', &more));
        if (!more) return ST_OK;
    }
}

static enum status parse_leave(struct parser *p, struct node *node)
{
    if (p->loops) return ST_OK;
    return lexer_fault(p->err, node->line, "%s outside of a loop",
                       node->kind == NODE_BREAK ? "break" : "continue");
}

static const struct statement {
    const char *word;
    enum node_kind kind;
    enum status (*parse)(struct parser *, struct node *);
} statements[] = {
    {"if", NODE_IF, parse_if},
    {"for", NODE_FOR, parse_for},
    {"set", NODE_SET, parse_set},
    {"macro", NODE_MACRO, parse_macro},
    {"call", NODE_CALL_BLOCK, parse_call},
    {"generation", NODE_SCOPE, parse_generation},
    {"filter", NODE_FILTER_BLOCK, parse_filter_block},
    {"with", NODE_WITH, parse_with},
    {"print", NODE_PRINT, parse_print},
    {"break", NODE_BREAK, parse_leave},
    {"continue", NODE_CONTINUE, parse_leave},
};
enum { N_STATEMENTS = sizeof statements / sizeof *statements };

/* ---- blocks ------------------------------------------------------------------------------ */

/* The word that ends the block for good, in quotes. */
static enum status missing_end(const struct parser *p, const char *const *ends)
{
    char what[32] = "\"";
    while (ends && ends[1]) ends++;
    if (!ends) return parser_unexpected(p, "text or a tag");
    return parser_unexpected(p, strcat(strncat(what, *ends, 24), "\""));
}

static bool at_one_of(const struct parser *p, const char *const *words)
{
    for (; words && *words; words++)
        if (parser_at_word(p, *words)) return true;
    return false;
}

static enum status statement(struct parser *p, struct node **out)
{
    for (int i = 0; i < N_STATEMENTS; i++) {
        if (!parser_at_word(p, statements[i].word)) continue;
        TRY(parser_node(p, statements[i].kind, out));
        TRY(parser_go(p));
        TRY(statements[i].parse(p, *out));
        return block_end(p);
    }
    return parser_unexpected(p, "a statement of chat templates");
}

static enum status text(struct parser *p, struct node **out)
{
    TRY(parser_node(p, NODE_TEXT, out));
    (*out)->value = jv_text(p->token.s, p->token.n);
    return parser_go(p);
}

static enum status print(struct parser *p, struct node **out)
{
    TRY(parser_node(p, NODE_PRINT, out));
    TRY(parser_go(p));
    TRY(parser_tuple(p, true, &(*out)->a));
    return p->token.kind == TOKEN_PRINT_END ? parser_go(p) : parser_unexpected(p, "\"}}\"");
}

enum status parser_blocks(struct parser *p, const char *const *ends, struct node **out)
{
    TRY(parser_enter(p));
    for (;; out = &(*out)->next) {
        if (p->token.kind == TOKEN_TEXT) {
            TRY(text(p, out));
        } else if (p->token.kind == TOKEN_PRINT_BEGIN) {
            TRY(print(p, out));
        } else if (p->token.kind == TOKEN_BLOCK_BEGIN) {
            TRY(parser_go(p));
            if (at_one_of(p, ends)) break;
            TRY(statement(p, out));
        } else if (p->token.kind == TOKEN_END && !ends) {
            break;
        } else {
            return missing_end(p, ends);
        }
    }
    parser_leave(p);
    return ST_OK;
}
