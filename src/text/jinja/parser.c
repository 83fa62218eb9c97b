#include "text/jinja/parser.h"

#include "base/hash.h"
#include "text/jinja/function.h"

#include <string.h>

/* ---- tokens ------------------------------------------------------------------------------ */

enum status parser_go(struct parser *p)
{
    p->token = p->ahead;
    if (p->token.kind == TOKEN_END) return ST_OK;
    return lexer_next(&p->lexer, &p->ahead);
}

bool parser_at_op(const struct parser *p, int op)
{
    return p->token.kind == TOKEN_OPERATOR && p->token.op == op;
}

bool parser_is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_NAME && t->n == strlen(word) && !memcmp(t->s, word, t->n);
}

bool parser_at_word(const struct parser *p, const char *word)
{
    return parser_is_word(&p->token, word);
}

enum status parser_unexpected(const struct parser *p, const char *what)
{
    static const char *const kinds[] = {[TOKEN_END] = "the end of the template",
                                        [TOKEN_TEXT] = "text",
                                        [TOKEN_BLOCK_BEGIN] = "\"{%\"",
                                        [TOKEN_BLOCK_END] = "\"%}\"",
                                        [TOKEN_PRINT_BEGIN] = "\"{{\"",
                                        [TOKEN_PRINT_END] = "\"}}\"",
                                        [TOKEN_STRING] = "a string",
                                        [TOKEN_INT] = "a number",
                                        [TOKEN_FLOAT] = "a number"};
    const struct token *t = &p->token;
    if (t->kind != TOKEN_NAME && t->kind != TOKEN_OPERATOR)
        return lexer_fault(p->err, t->line, "expected %s, found %s", what, kinds[t->kind]);
    return lexer_fault(p->err, t->line, "expected %s, found \"%.*s\"", what,
                       (int)(t->n < 40 ? t->n : 40), t->s);
}

enum status parser_skip_op(struct parser *p, int op, bool *skipped)
{
    *skipped = parser_at_op(p, op);
    return *skipped ? parser_go(p) : ST_OK;
}

enum status parser_skip_word(struct parser *p, const char *word, bool *skipped)
{
    *skipped = parser_at_word(p, word);
    return *skipped ? parser_go(p) : ST_OK;
}

enum status parser_expect_op(struct parser *p, int op)
{
    const char what[] = {'"', (char)op, '"', 0};
    return parser_at_op(p, op) ? parser_go(p) : parser_unexpected(p, what);
}

enum status parser_enter(struct parser *p)
{
    if (p->depth == PARSER_DEPTH_MAX)
        return lexer_fault(p->err, p->token.line, "nested more than %d deep", PARSER_DEPTH_MAX);
    p->depth++;
    return ST_OK;
}

void parser_leave(struct parser *p)
{
    p->depth--;
}

/* ---- nodes ------------------------------------------------------------------------------- */

enum status parser_node(struct parser *p, enum node_kind kind, struct node **out)
{
    struct node *node = pool_take(p->pool, sizeof *node);
    if (!node) return err_memory(p->err, "the syntax tree of a chat template");
    *node = (struct node){.kind = (uint8_t)kind, .line = p->token.line};
    *out = node;
    return ST_OK;
}

static struct name *find_name(struct name *name, const char *s, size_t n)
{
    while (name && (name->n != n || memcmp(name->s, s, n))) name = name->next;
    return name;
}

static size_t bucket_of(const char *s, size_t n)
{
    return hash_bytes(s, n) % TREE_BUCKETS;
}

bool tree_has_name(const struct tree *tree, const char *name)
{
    const size_t n = strlen(name);
    return find_name(tree->names[bucket_of(name, n)], name, n) != NULL;
}

enum status parser_name(struct parser *p, const char *s, size_t n, const struct name **out)
{
    struct name **bucket = &p->names[bucket_of(s, n)], *name = find_name(*bucket, s, n);
    if (!name) {
        if (p->n_names++ == PARSER_NAMES_MAX)
            return lexer_fault(p->err, p->token.line, "more than %d names", PARSER_NAMES_MAX);
        name = pool_take(p->pool, sizeof *name);
        if (!name) return err_memory(p->err, "the syntax tree of a chat template");
        *name = (struct name){.s = s, .n = (uint32_t)n, .next = *bucket};
        *bucket = name;
    }
    *out = name;
    return ST_OK;
}

enum status parser_wrap(struct parser *p, enum node_kind kind, struct node *a, struct node **out)
{
    TRY(parser_node(p, kind, out));
    (*out)->a = a;
    return ST_OK;
}

/* The name at hand, and past it. */
static enum status take_name(struct parser *p, const struct name **out)
{
    if (p->token.kind != TOKEN_NAME) return parser_unexpected(p, "a name");
    TRY(parser_name(p, p->token.s, p->token.n, out));
    return parser_go(p);
}

/* ---- what expressions begin with --------------------------------------------------------- */

/* A macro that mentions these takes them. */
static void note_use(struct parser *p, const struct name *name)
{
    for (struct parser_macro *m = p->macro; m; m = m->outer) {
        const struct jv text = jv_text(name->s, name->n);
        if (jv_text_is(text, "caller")) m->node->uses_caller = true;
        if (jv_text_is(text, "varargs")) m->node->uses_varargs = true;
        if (jv_text_is(text, "kwargs")) m->node->uses_kwargs = true;
    }
}

static enum status name_or_word(struct parser *p, struct node **out)
{
    static const char *const words[] = {"true", "True", "false", "False", "none", "None"};
    TRY(parser_node(p, NODE_NAME, out));
    for (int i = 0; i < 6; i++) {
        if (!parser_at_word(p, words[i])) continue;
        (*out)->kind = NODE_CONST;
        (*out)->value = i < 4 ? jv_bool(i < 2) : jv_none();
        return parser_go(p);
    }
    TRY(take_name(p, &(*out)->name));
    note_use(p, (*out)->name);
    return ST_OK;
}

/* Strings side by side are one. */
static enum status string(struct parser *p, struct node **out)
{
    TRY(parser_node(p, NODE_CONST, out));
    struct jv text = jv_text(p->token.s, p->token.n);
    for (;;) {
        TRY(parser_go(p));
        if (p->token.kind != TOKEN_STRING) break;
        char *joined = pool_take(p->pool, text.n + p->token.n);
        if (!joined) return err_memory(p->err, "the syntax tree of a chat template");
        memcpy(joined, text.s, text.n);
        memcpy(joined + text.n, p->token.s, p->token.n);
        text = jv_text(joined, text.n + p->token.n);
    }
    (*out)->value = text;
    return ST_OK;
}

static enum status number(struct parser *p, struct node **out)
{
    TRY(parser_node(p, NODE_CONST, out));
    (*out)->value = p->token.kind == TOKEN_INT ? jv_int(p->token.i) : jv_float(p->token.f);
    return parser_go(p);
}

/* Expressions, separated by commas, up to a bracket. */
static enum status items(struct parser *p, int close, struct node **first)
{
    for (struct node **at = first; !parser_at_op(p, close); at = &(*at)->next) {
        if (at != first) {
            TRY(parser_expect_op(p, ','));
            if (parser_at_op(p, close)) break;
        }
        TRY(parser_expression(p, at));
    }
    return parser_go(p);
}

static enum status list(struct parser *p, struct node **out)
{
    TRY(parser_node(p, NODE_LIST, out));
    TRY(parser_go(p));
    return items(p, ']', &(*out)->a);
}

static enum status dict(struct parser *p, struct node **out)
{
    TRY(parser_node(p, NODE_DICT, out));
    TRY(parser_go(p));
    for (struct node **at = &(*out)->a; !parser_at_op(p, '}'); at = &(*at)->next->next) {
        if (at != &(*out)->a) {
            TRY(parser_expect_op(p, ','));
            if (parser_at_op(p, '}')) break;
        }
        TRY(parser_expression(p, at));
        TRY(parser_expect_op(p, ':'));
        TRY(parser_expression(p, &(*at)->next));
    }
    return parser_go(p);
}

static enum status parentheses(struct parser *p, struct node **out)
{
    TRY(parser_go(p));
    if (parser_at_op(p, ')')) {
        TRY(parser_node(p, NODE_TUPLE, out));
        return parser_go(p);
    }
    TRY(parser_tuple(p, true, out));
    return parser_expect_op(p, ')');
}

enum status parser_primary(struct parser *p, struct node **out)
{
    switch (p->token.kind) {
    case TOKEN_NAME: return name_or_word(p, out);
    case TOKEN_STRING: return string(p, out);
    case TOKEN_INT:
    case TOKEN_FLOAT: return number(p, out);
    default: break;
    }
    if (parser_at_op(p, '(')) return parentheses(p, out);
    if (parser_at_op(p, '[')) return list(p, out);
    if (parser_at_op(p, '{')) return dict(p, out);
    return parser_unexpected(p, "an expression");
}

/* ---- what may follow --------------------------------------------------------------------- */

static enum status argument(struct parser *p, struct node_args *args, struct node **at)
{
    const bool named =
        p->token.kind == TOKEN_NAME && p->ahead.kind == TOKEN_OPERATOR && p->ahead.op == '=';
    if (args->star_star || (!named && (args->n_named || args->star)))
        return lexer_fault(p->err, p->token.line, "arguments without a name come first");
    if (!named) {
        args->n_positional++;
        return parser_expression(p, at);
    }
    args->n_named++;
    TRY(parser_node(p, NODE_NAMED, at));
    TRY(take_name(p, &(*at)->name));
    TRY(parser_go(p));
    return parser_expression(p, &(*at)->a);
}

static enum status arguments(struct parser *p, struct node_args *args)
{
    struct node **at = &args->first;
    TRY(parser_go(p)); /* past "(" */
    for (bool first = true; !parser_at_op(p, ')'); first = false) {
        bool star, star_star = false;
        if (!first) {
            TRY(parser_expect_op(p, ','));
            if (parser_at_op(p, ')')) break;
        }
        TRY(parser_skip_op(p, '*', &star));
        if (!star) TRY(parser_skip_op(p, OP_POWER, &star_star));
        if ((star && (args->star || args->star_star)) || (star_star && args->star_star))
            return lexer_fault(p->err, p->token.line, "a second \"*\" among the arguments");
        if (star) {
            TRY(parser_expression(p, &args->star));
        } else if (star_star) {
            TRY(parser_expression(p, &args->star_star));
        } else {
            TRY(argument(p, args, at));
            at = &(*at)->next;
        }
    }
    return parser_go(p);
}

static enum status attribute(struct parser *p, struct node *of, struct node **out)
{
    TRY(parser_go(p));
    if (p->token.kind == TOKEN_NAME) {
        TRY(parser_wrap(p, NODE_ATTRIBUTE, of, out));
        return take_name(p, &(*out)->name);
    }
    if (p->token.kind != TOKEN_INT) return parser_unexpected(p, "a name or a number after \".\"");
    TRY(parser_wrap(p, NODE_ITEM, of, out));
    return number(p, &(*out)->b);
}

/* A part of a slice, which may be absent. */
static enum status slice_part(struct parser *p, struct node **out)
{
    if (parser_at_op(p, ':') || parser_at_op(p, ']') || parser_at_op(p, ',')) return ST_OK;
    return parser_expression(p, out);
}

static enum status subscript(struct parser *p, struct node *of, struct node **out)
{
    bool colon;
    TRY(parser_wrap(p, NODE_ITEM, of, out));
    TRY(parser_go(p));
    TRY(slice_part(p, &(*out)->b));
    TRY(parser_skip_op(p, ':', &colon));
    if (colon) {
        (*out)->kind = NODE_SLICE;
        TRY(slice_part(p, &(*out)->c));
        TRY(parser_skip_op(p, ':', &colon));
        if (colon) TRY(slice_part(p, &(*out)->d));
    } else if (!(*out)->b) {
        return parser_unexpected(p, "an index");
    }
    return parser_at_op(p, ']') ? parser_go(p) : parser_unexpected(p, "\"]\"");
}

static enum status call(struct parser *p, struct node *of, struct node **out)
{
    TRY(parser_wrap(p, NODE_CALL, of, out));
    return arguments(p, &(*out)->args);
}

enum status parser_postfix(struct parser *p, struct node **node)
{
    for (;;) {
        if (parser_at_op(p, '.'))
            TRY(attribute(p, *node, node));
        else if (parser_at_op(p, '['))
            TRY(subscript(p, *node, node));
        else if (parser_at_op(p, '('))
            TRY(call(p, *node, node));
        else
            return ST_OK;
    }
}

/* The name of a filter or a test, which must be known unless it stands in a branch. */
static enum status function(struct parser *p, const struct jinja_function *table, const char *what,
                            struct node *node)
{
    const int line = p->token.line;
    bool dotted = false;
    TRY(take_name(p, &node->word));
    while (parser_at_op(p, '.')) { /* a name of several words, of which there is none */
        dotted = true;
        TRY(parser_go(p));
        TRY(take_name(p, &node->word));
    }
    if (!dotted) node->function = function_find(table, node->word->s, node->word->n);
    if (node->function || p->soft) return ST_OK;
    return lexer_fault(p->err, line, "there is no %s \"%.*s\"", what, (int)node->word->n,
                       node->word->s);
}

enum status parser_filter(struct parser *p, struct node *of, struct node **out)
{
    TRY(parser_wrap(p, NODE_FILTER, of, out));
    TRY(function(p, jinja_filters, "filter", *out));
    return parser_at_op(p, '(') ? arguments(p, &(*out)->args) : ST_OK;
}

enum status parser_filters(struct parser *p, struct node *of, struct node **out)
{
    *out = of;
    while (parser_at_op(p, '|')) {
        TRY(parser_go(p));
        TRY(parser_filter(p, *out, out));
    }
    return ST_OK;
}

/* May what is at hand be the one argument of a test without parentheses? */
static bool is_test_argument(const struct parser *p)
{
    if (p->token.kind == TOKEN_NAME)
        return !parser_at_word(p, "else") && !parser_at_word(p, "or") && !parser_at_word(p, "and");
    return p->token.kind == TOKEN_STRING || p->token.kind == TOKEN_INT ||
           p->token.kind == TOKEN_FLOAT || parser_at_op(p, '[') || parser_at_op(p, '{');
}

static enum status test(struct parser *p, struct node *of, struct node **out)
{
    bool negated;
    struct node *node = NULL;
    TRY(parser_wrap(p, NODE_TEST, of, &node));
    TRY(parser_go(p));
    TRY(parser_skip_word(p, "not", &negated));
    TRY(function(p, jinja_tests, "test", node));
    if (parser_at_op(p, '(')) {
        TRY(arguments(p, &node->args));
    } else if (is_test_argument(p)) {
        if (parser_at_word(p, "is")) return parser_unexpected(p, "one test");
        node->args.n_positional = 1;
        TRY(parser_primary(p, &node->args.first));
        TRY(parser_postfix(p, &node->args.first));
    }
    *out = node;
    return negated ? parser_wrap(p, NODE_NOT, node, out) : ST_OK;
}

enum status parser_suffixes(struct parser *p, struct node **node)
{
    for (;;) {
        if (parser_at_op(p, '|'))
            TRY(parser_filters(p, *node, node));
        else if (parser_at_word(p, "is"))
            TRY(test(p, *node, node));
        else if (parser_at_op(p, '('))
            TRY(call(p, *node, node));
        else
            return ST_OK;
    }
}

/* ---- a template -------------------------------------------------------------------------- */

enum status parser_run(struct pool *pool, const char *s, size_t n, struct tree *out,
                       struct err *err)
{
    struct parser *p = pool_take(pool, sizeof *p);
    if (!p) return err_memory(err, "the syntax tree of a chat template");
    *p = (struct parser){.pool = pool, .err = err};
    TRY(lexer_init(&p->lexer, pool, s, n, err));
    TRY(lexer_next(&p->lexer, &p->ahead));
    TRY(parser_go(p));
    *out = (struct tree){.names = p->names};
    TRY(parser_name(p, "loop", 4, &out->loop));
    TRY(parser_name(p, "caller", 6, &out->caller));
    TRY(parser_name(p, "varargs", 7, &out->varargs));
    TRY(parser_name(p, "kwargs", 6, &out->kwargs));
    return parser_blocks(p, NULL, &out->first);
}
