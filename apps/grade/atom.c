/* What stands between operators: numbers, variables, words, brackets, commands with arguments. */
#include "grade/evaluate.h"
#include "grade/parse.h"

#include <string.h>

enum { POSTFIXES_MAX = 6 };

/* Parse a list that ends in `close`. Bars outside the brackets do not close within. */
static struct node *enclosed(struct parser *p, int close)
{
    const int bars = p->bars;
    p->bars = 0;
    struct node *inside = parse_list(p);
    p->bars = bars;
    parse_expect(p, close);
    return inside;
}

/* ---- letters and words --------------------------------------------------------------------- */

/* What stands in a subscript becomes part of the name. */
static uint64_t subscript(struct parser *p, uint64_t name)
{
    int braces = 0;
    name = name_hash_exact(name, "_", 1);
    do {
        const struct token *t = parse_peek(p);
        if (t->kind == TOKEN_END) {
            parse_fail(p);
            break;
        }
        braces += (t->kind == '{') - (t->kind == '}');
        if (t->kind != '{' && t->kind != '}') name = name_hash_exact(name, t->s, t->n);
        parse_skip(p);
    } while (braces > 0);
    return name;
}

static struct node *letter(struct parser *p)
{
    const struct token *t = parse_peek(p);
    uint64_t name = name_hash_exact(NAME_START, t->s, t->n);
    parse_skip(p);
    const bool plain = parse_peek(p)->kind != '_' && parse_peek(p)->kind != '\'';
    if (plain && (parse_says(t, "\\pi") || parse_says(t, "e")))
        return parse_value(p, evaluate_constant(t->s, t->n));
    if (plain && parse_says(t, "i")) return parse_value(p, value_i());
    while (parse_accept(p, '\'')) name = name_hash_exact(name, "'", 1);
    if (parse_accept(p, '_')) name = subscript(p, name);
    struct node *node = parse_node(p, NODE_VAR, NULL);
    node->name = name;
    node->code = t->s[0];
    return node;
}

static bool in_words(uint64_t name, const char *const *words, int n, int *index)
{
    for (*index = 0; *index < n; (*index)++)
        if (name == name_hash(NAME_START, words[*index], strlen(words[*index]))) return true;
    return false;
}

static struct node *words_node(struct parser *p, uint64_t name)
{
    static const char *const nothing[] = {
        "nosolution",       "nosolutions",      "norealsolution",    "norealsolutions", "none",
        "nosuchnumber",     "nosuchvalue",      "emptyset",          "norealroots",     "noroots",
        "nosolutionexists", "nosolutionsexist", "nointegersolutions"};
    static const char *const verdicts[] = {"yes", "no"}, *const truths[] = {"true", "false"};
    static const char *const reals[] = {"allrealnumbers", "allreals", "realnumbers",
                                        "allrealvalues"};
    int i;
    if (in_words(name, reals, 4, &i)) return parse_node(p, NODE_REALS, NULL);
    if (in_words(name, nothing, 13, &i)) return parse_node(p, NODE_EMPTY, NULL);
    if (in_words(name, verdicts, 2, &i)) name = name_hash(NAME_START, truths[i], strlen(truths[i]));
    struct node *node = parse_node(p, NODE_WORD, NULL);
    node->name = name;
    return node;
}

static bool article(const struct token *t)
{
    return parse_says(t, "the") || parse_says(t, "The") || parse_says(t, "an") ||
           parse_says(t, "An") || parse_says(t, "a") || parse_says(t, "A");
}

/* "on Monday" */
static bool is_preposition(const struct token *t)
{
    return parse_says(t, "on") || parse_says(t, "in") || parse_says(t, "at");
}

static struct node *words(struct parser *p)
{
    if (article(parse_peek(p)) && parse_ahead(p, 1)->kind == TOKEN_WORD) parse_skip(p);
    if (is_preposition(parse_peek(p)) && parse_ahead(p, 1)->kind == TOKEN_WORD) parse_skip(p);
    if (parse_peek(p)->n == 1 && parse_ahead(p, 1)->kind != TOKEN_WORD) return letter(p);
    struct node *number = parse_spelled_numeral(p);
    if (number) return number;
    uint64_t name = NAME_START;
    while (parse_peek(p)->kind == TOKEN_WORD) {
        const struct token *t = parse_peek(p);
        name = name_hash(name, t->s, t->n);
        parse_skip(p);
    }
    return words_node(p, name);
}

/* ---- brackets ------------------------------------------------------------------------------ */

static int closing_of(int open)
{
    return open == '(' ? ')' : open == '[' ? ']' : TOKEN_ANGLE_CLOSE;
}

/* "1, 2" and, where "," is a decimal sign, "1; 2". */
static bool is_row(const struct node *list)
{
    if (list->kind != NODE_LIST || (list->code != ',' && list->code != ';')) return false;
    for (const struct node *c = list->child; c; c = c->next)
        if (c->kind == NODE_LIST) return false;
    return true;
}

/* A pair of brackets around one thing groups it, around several it makes a tuple or an interval. */
static struct node *bracket(struct parser *p)
{
    const int open = parse_peek(p)->kind, bars = p->bars;
    parse_skip(p);
    p->bars = 0;
    struct node *inside = parse_list(p);
    p->bars = bars;
    const int close = parse_peek(p)->kind;
    if (close != ')' && close != ']' && close != TOKEN_ANGLE_CLOSE) return parse_fail(p);
    parse_skip(p);
    if (is_row(inside)) {
        inside->kind = NODE_TUPLE;
        inside->code = (open == TOKEN_ANGLE_OPEN ? '(' : open) << 8 |
                       (close == TOKEN_ANGLE_CLOSE ? ')' : close);
        return inside;
    }
    if (close != closing_of(open)) return parse_fail(p);
    inside->grouped = true;
    if (parse_peek(p)->kind != '_' || inside->kind != NODE_VALUE) return inside;
    return parse_fail(p);
}

/* Tokens of the "x :" or "x \in \mathbb{R} |" that a condition follows; 0: none stands here. */
static size_t builder_length(const struct parser *p)
{
    const bool real = parse_ahead(p, 1)->kind == TOKEN_IN && parse_ahead(p, 2)->kind == TOKEN_REALS;
    const int bar = parse_ahead(p, real ? 3 : 1)->kind;
    if (parse_peek(p)->kind != TOKEN_VAR || (bar != '|' && bar != ':')) return 0;
    return real ? 4 : 2;
}

/* "\{1, 2\}"; of "\{x : x > 2\}" the condition. */
static struct node *set(struct parser *p)
{
    parse_skip(p);
    if (parse_accept(p, TOKEN_SET_CLOSE)) return parse_node(p, NODE_EMPTY, NULL);
    const size_t builder = builder_length(p);
    if (builder) {
        p->at += builder;
        return enclosed(p, TOKEN_SET_CLOSE);
    }
    struct node *inside = enclosed(p, TOKEN_SET_CLOSE);
    if (inside->kind != NODE_LIST) return parse_node(p, NODE_SET, inside);
    inside->kind = NODE_SET;
    return inside;
}

static struct node *between(struct parser *p, enum node_kind kind, int close)
{
    parse_skip(p);
    return parse_node(p, kind, enclosed(p, close));
}

static struct node *bars(struct parser *p)
{
    parse_skip(p);
    p->bars++;
    struct node *inside = parse_list(p);
    p->bars--;
    parse_expect(p, '|');
    return parse_node(p, NODE_ABS, inside);
}

/* ---- commands with arguments --------------------------------------------------------------- */

static struct node *atom(struct parser *p);

static struct node *braced(struct parser *p)
{
    parse_expect(p, '{');
    return enclosed(p, '}');
}

/* One argument: braces, or a single digit or letter: \frac12 is a half. */
static struct node *argument(struct parser *p)
{
    const struct token *t = parse_peek(p);
    if (t->kind == '{') return braced(p);
    if (t->kind != TOKEN_NUMBER) return atom(p);
    struct node *node = parse_value(p, value_int(t->s[0] - '0'));
    struct token rest = *t;
    if (t->s[0] == '.' || memchr(t->s, '.', t->n)) return parse_fail(p);
    rest.s++;
    rest.n--;
    rest.code--;
    rest.space = false;
    if (!rest.n)
        parse_skip(p);
    else
        p->half = rest;
    return node;
}

static struct node *two_arguments(struct parser *p, enum node_kind kind)
{
    parse_skip(p);
    struct node *first = argument(p);
    return parse_pair(p, kind, first, argument(p));
}

/* The digits behind a root sign belong together: nobody means \sqrt12 as \sqrt{1}2. */
static struct node *root(struct parser *p)
{
    struct node *index = NULL;
    parse_skip(p);
    if (parse_accept(p, '[')) index = enclosed(p, ']');
    struct node *inside = parse_peek(p)->kind == '{' ? braced(p) : atom(p);
    if (!index) index = parse_value(p, value_int(2));
    return parse_pair(p, NODE_POWER, inside, parse_node(p, NODE_INVERSE, index));
}

static struct node *marked(struct parser *p)
{
    const uint64_t name = name_hash_exact(NAME_START, parse_peek(p)->s, parse_peek(p)->n);
    parse_skip(p);
    struct node *node = parse_node(p, NODE_OVER, argument(p));
    node->name = name;
    return node;
}

static struct node *exponent(struct parser *p)
{
    if (parse_peek(p)->kind == '{') return braced(p);
    if (++p->depth > FORMULA_DEPTH_MAX) return parse_fail(p);
    const bool negative = parse_accept(p, '-');
    struct node *node = parse_factor(p);
    p->depth--;
    return negative ? parse_node(p, NODE_NEG, node) : node;
}

/* What a function without brackets applies to: "2x" in "\sin 2x \cos x". */
static struct node *function_argument(struct parser *p)
{
    if (parse_peek(p)->kind == '(' || parse_peek(p)->kind == '{') return atom(p);
    struct node *first = parse_factor(p), *last = first;
    bool many = false;
    while (!p->failed && parse_starts_factor(p) && parse_peek(p)->kind != TOKEN_FUNCTION &&
           parse_peek(p)->kind != '(' && parse_peek(p)->kind != '[') {
        last = last->next = parse_factor(p);
        many = true;
    }
    return many ? parse_node(p, NODE_PRODUCT, first) : first;
}

static bool is_minus_one(const struct node *node)
{
    return node->kind == NODE_NEG && node->child->kind == NODE_VALUE &&
           value_equal(node->child->value, value_int(1));
}

static struct node *function(struct parser *p)
{
    struct node *base = NULL, *power = NULL;
    int code = parse_peek(p)->code;
    parse_skip(p);
    if (parse_accept(p, '_')) base = argument(p);
    if (parse_accept(p, '^')) power = exponent(p);
    if (p->failed) return &p->none;
    if (power && code <= FUNCTION_TAN && is_minus_one(power)) {
        code += FUNCTION_ARCSIN - FUNCTION_SIN;
        power = NULL;
    }
    struct node *inside = function_argument(p);
    struct node *node =
        base ? parse_pair(p, NODE_FUNCTION, inside, base) : parse_node(p, NODE_FUNCTION, inside);
    node->code = code;
    return power ? parse_pair(p, NODE_POWER, node, power) : node;
}

/* ---- matrices ------------------------------------------------------------------------------ */

static struct node *matrix(struct parser *p)
{
    struct node first = {0}, *last = &first;
    int columns = 0, column = 0;
    if (parse_peek(p)->s[0] == 'v' || parse_peek(p)->s[0] == 'V') return parse_fail(p);
    parse_skip(p);
    while (!p->failed) {
        last = last->next = parse_sum(p);
        column++;
        if (parse_accept(p, '&')) continue;
        if (columns && column != columns) return parse_fail(p);
        columns = column;
        column = 0;
        if (parse_accept(p, TOKEN_ROW) && parse_peek(p)->kind != TOKEN_FINISH) continue;
        parse_expect(p, TOKEN_FINISH);
        break;
    }
    struct node *node = parse_node(p, NODE_MATRIX, first.next);
    node->code = columns;
    return node;
}

static struct node *nested_matrix(struct parser *p)
{
    const int bars = p->bars;
    if (++p->depth > FORMULA_DEPTH_MAX) return parse_fail(p);
    p->bars = 0;
    struct node *node = matrix(p);
    p->bars = bars;
    p->depth--;
    return node;
}

/* ---- atoms and postfixes ------------------------------------------------------------------- */

static struct node *money(struct parser *p)
{
    parse_skip(p);
    if (parse_peek(p)->kind == TOKEN_MONEY) return parse_fail(p);
    struct node *node = parse_node(p, NODE_UNIT, atom(p));
    node->unit = unit_none();
    unit_add(&node->unit, "dollar", 6, 1);
    return node;
}

static struct node *sign_atom(struct parser *p, enum node_kind kind)
{
    parse_skip(p);
    return parse_node(p, kind, NULL);
}

static struct node *command_atom(struct parser *p)
{
    switch (parse_peek(p)->kind) {
    case TOKEN_FRAC: return two_arguments(p, NODE_QUOTIENT);
    case TOKEN_BINOM: return two_arguments(p, NODE_BINOMIAL);
    case TOKEN_SQRT: return root(p);
    case TOKEN_OVER: return marked(p);
    case TOKEN_FUNCTION: return function(p);
    case TOKEN_BEGIN: return nested_matrix(p);
    case TOKEN_FLOOR_OPEN: return between(p, NODE_FLOOR, TOKEN_FLOOR_CLOSE);
    case TOKEN_CEIL_OPEN: return between(p, NODE_CEIL, TOKEN_CEIL_CLOSE);
    case TOKEN_MONEY: return money(p);
    case TOKEN_REALS: return sign_atom(p, NODE_REALS);
    case TOKEN_EMPTY: return sign_atom(p, NODE_EMPTY);
    default: return parse_fail(p);
    }
}

static struct node *plain_atom(struct parser *p)
{
    const int kind = parse_peek(p)->kind;
    struct node *node = kind == '(' || kind == '{' ? parse_bracketed_numeral(p) : NULL;
    if (node) return node;
    switch (kind) {
    case TOKEN_NUMBER: return parse_numeral(p);
    case TOKEN_VAR: return letter(p);
    case TOKEN_WORD: return words(p);
    case '(':
    case '[':
    case TOKEN_ANGLE_OPEN: return bracket(p);
    case '{': return braced(p);
    case TOKEN_SET_OPEN: return set(p);
    case '|': return p->bars ? parse_fail(p) : bars(p);
    default: return command_atom(p);
    }
}

/* Arguments without braces nest without brackets: \sqrt\sqrt\sqrt2. */
static struct node *atom(struct parser *p)
{
    if (++p->depth > FORMULA_DEPTH_MAX) return parse_fail(p);
    struct node *node = plain_atom(p);
    p->depth--;
    return node;
}

/* "(mod 7)" and "(base 5)" belong to more than the factor before them. */
static bool starts_remark(const struct parser *p)
{
    return parse_ahead(p, 1)->kind == TOKEN_MOD || parse_says(parse_ahead(p, 1), "base");
}

bool parse_starts_factor(const struct parser *p)
{
    switch (parse_peek(p)->kind) {
    case TOKEN_NUMBER:
    case TOKEN_VAR:
    case TOKEN_WORD:
    case TOKEN_FRAC:
    case TOKEN_SQRT:
    case TOKEN_BINOM:
    case TOKEN_OVER:
    case TOKEN_FUNCTION:
    case TOKEN_FLOOR_OPEN:
    case TOKEN_CEIL_OPEN:
    case TOKEN_BEGIN:
    case '[':
    case '{': return true;
    case '(': return !starts_remark(p);
    case '|': return !p->bars;
    default: return false;
    }
}

/* "^\circ", "^{\circ}" or the word; and the scale of a temperature. */
static bool accept_degree(struct parser *p, int *scale)
{
    const struct token *t[4];
    for (size_t i = 0; i < 4; i++) t[i] = parse_ahead(p, i);
    if (t[0]->kind == TOKEN_DEGREE)
        p->at += 1;
    else if (t[0]->kind == '^' && t[1]->kind == TOKEN_DEGREE)
        p->at += 2;
    else if (t[0]->kind == '^' && t[1]->kind == '{' && t[2]->kind == TOKEN_DEGREE &&
             t[3]->kind == '}')
        p->at += 4;
    else
        return false;
    p->half.kind = 0;
    const struct token *letter = parse_peek(p);
    *scale = letter->n == 1 && (letter->s[0] == 'F' || letter->s[0] == 'C') ? letter->s[0] : 0;
    if (*scale) parse_skip(p);
    return true;
}

struct node *parse_factor(struct parser *p)
{
    struct node *node = atom(p);
    for (int i = 0; !p->failed && i < POSTFIXES_MAX; i++) {
        int scale;
        if (accept_degree(p, &scale)) {
            node = parse_node(p, NODE_DEGREE, node);
            node->code = scale;
        } else if (parse_accept(p, '^'))
            node = parse_pair(p, NODE_POWER, node, exponent(p));
        else if (parse_accept(p, '!'))
            node = parse_node(p, NODE_FACTORIAL, node);
        else if (!parse_accept(p, '%'))
            break;
    }
    return node;
}
