/* What stands between operators: numbers, variables, words, brackets, commands with arguments. */
#include "eval/parse.h"

#include <string.h>

enum { POSTFIXES_MAX = 6 };

static struct node *value_node(struct parser *p, struct value value)
{
    struct node *node = parse_node(p, NODE_VALUE, NULL);
    node->value = value;
    return node;
}

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

/* ---- numbers ------------------------------------------------------------------------------- */

static bool whole(const struct token *t)
{
    return t->kind == TOKEN_NUMBER && !memchr(t->s, '.', t->n) && t->n < 18;
}

static struct value token_value(const struct token *t)
{
    return value_decimal(t->s, t->n, (size_t)t->code);
}

static bool proper(const struct token *top, const struct token *bottom, struct value *part)
{
    if (!whole(top) || !whole(bottom)) return false;
    const struct value a = token_value(top), b = token_value(bottom);
    if (a.n >= b.n) return false;
    *part = value_div(a, b);
    return true;
}

/* Behind a whole number: " 3/4", "\frac{3}{4}", "\frac34". Skips it. */
static bool fraction_part(struct parser *p, struct value *part)
{
    const struct token *t[5];
    for (size_t i = 0; i < 5; i++) t[i] = parse_ahead(p, i);
    if (t[0]->kind == TOKEN_NUMBER && t[0]->space && t[1]->kind == '/' &&
        proper(t[0], t[2], part)) {
        p->at += 3;
        return true;
    }
    if (t[0]->kind != TOKEN_FRAC) return false;
    if (whole(t[1]) && t[1]->n == 2 && t[1]->s[0] < t[1]->s[1]) {
        *part = value_div(value_int(t[1]->s[0] - '0'), value_int(t[1]->s[1] - '0'));
        p->at += 2;
        return true;
    }
    if (t[1]->kind != '{' || t[3]->kind != '}' || t[4]->kind != '{' ||
        parse_ahead(p, 6)->kind != '}' || !proper(t[2], parse_ahead(p, 5), part))
        return false;
    p->at += 7;
    return true;
}

static int base_word(const struct token *t)
{
    static const char *const words[] = {"two",   "three", "four", "five", "six",
                                        "seven", "eight", "nine", "ten"};
    for (int i = 0; i < 9; i++)
        if (strlen(words[i]) == t->n && !strncmp(words[i], t->s, t->n)) return i + 2;
    return 0;
}

/* "_2", "_{16}", "_{\text{two}}": the base of the digits before it. Skips it; 0: there is none. */
static int base_of(struct parser *p)
{
    if (parse_peek(p)->kind != '_') return 0;
    const bool braces = parse_ahead(p, 1)->kind == '{';
    const struct token *t = parse_ahead(p, braces ? 2 : 1);
    int base = base_word(t);
    if (whole(t) && t->n <= 2) base = (int)token_value(t).n;
    if (base < 2 || (braces && parse_ahead(p, 3)->kind != '}')) return 0;
    p->at += braces ? 4 : 2;
    return base;
}

static struct node *based(struct parser *p, const struct token *digits, int base)
{
    if (base == 10) return value_node(p, token_value(digits));
    struct node *node = parse_node(p, NODE_BASED, NULL);
    size_t zeros = 0;
    while (zeros + 1 < digits->n && digits->s[zeros] == '0') zeros++;
    node->code = base;
    node->name = name_hash(NAME_START, digits->s + zeros, digits->n - zeros);
    return node;
}

static struct node *number(struct parser *p)
{
    const struct token t = *parse_peek(p);
    struct value part, all = token_value(&t);
    parse_skip(p);
    const int base = base_of(p);
    if (base) return based(p, &t, base);
    if (whole(&t) && fraction_part(p, &part)) all = value_add(all, part);
    return value_node(p, all);
}

/* ---- letters and words --------------------------------------------------------------------- */

static bool is(const struct token *t, const char *word)
{
    return strlen(word) == t->n && !strncmp(word, t->s, t->n);
}

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

/* Constants that no rational equation binds: a residue of their own keeps them apart. */
static struct node *constant(struct parser *p, const struct token *t, long double value)
{
    struct value v = value_sample(name_hash_exact(NAME_START, t->s, t->n), 0, true);
    v.z = value;
    return value_node(p, v);
}

static struct node *letter(struct parser *p)
{
    const struct token *t = parse_peek(p);
    uint64_t name = name_hash_exact(NAME_START, t->s, t->n);
    parse_skip(p);
    const bool plain = parse_peek(p)->kind != '_' && parse_peek(p)->kind != '\'';
    if (plain && is(t, "\\pi")) return constant(p, t, 3.14159265358979323846264338327950288L);
    if (plain && is(t, "e")) return constant(p, t, 2.71828182845904523536028747135266250L);
    if (plain && is(t, "i")) return value_node(p, value_i());
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
    static const char *const numbers[] = {"zero", "one",    "two",   "three", "four",
                                          "five", "six",    "seven", "eight", "nine",
                                          "ten",  "eleven", "twelve"};
    static const char *const nothing[] = {
        "nosolution",       "nosolutions",      "norealsolution",    "norealsolutions", "none",
        "nosuchnumber",     "nosuchvalue",      "emptyset",          "norealroots",     "noroots",
        "nosolutionexists", "nosolutionsexist", "nointegersolutions"};
    static const char *const reals[] = {"allrealnumbers", "allreals", "realnumbers",
                                        "allrealvalues"};
    int i;
    if (in_words(name, reals, 4, &i)) return parse_node(p, NODE_REALS, NULL);
    if (in_words(name, numbers, 13, &i)) return value_node(p, value_int(i));
    if (in_words(name, nothing, 13, &i)) return parse_node(p, NODE_EMPTY, NULL);
    struct node *node = parse_node(p, NODE_WORD, NULL);
    node->name = name;
    return node;
}

static bool article(const struct token *t)
{
    return is(t, "the") || is(t, "The") || is(t, "an") || is(t, "An") || is(t, "a") || is(t, "A");
}

static struct node *words(struct parser *p)
{
    if (article(parse_peek(p)) && parse_ahead(p, 1)->kind == TOKEN_WORD) parse_skip(p);
    if (parse_peek(p)->n == 1 && parse_ahead(p, 1)->kind != TOKEN_WORD) return letter(p);
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
    if (inside->kind == NODE_LIST && inside->code == ',') {
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

/* "\{1, 2\}"; of "\{x : x > 2\}" the condition. */
static struct node *set(struct parser *p)
{
    parse_skip(p);
    if (parse_accept(p, TOKEN_SET_CLOSE)) return parse_node(p, NODE_EMPTY, NULL);
    const int builder = parse_ahead(p, 1)->kind;
    if (parse_peek(p)->kind == TOKEN_VAR && (builder == '|' || builder == ':')) {
        p->at += 2;
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
    struct node *node = value_node(p, value_int(t->s[0] - '0'));
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
    if (!index) index = value_node(p, value_int(2));
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
    switch (parse_peek(p)->kind) {
    case TOKEN_NUMBER: return number(p);
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
    case '(':
    case '[':
    case '{': return true;
    case '|': return !p->bars;
    default: return false;
    }
}

/* "^\circ", "^{\circ}" or the word; and the scale of a temperature. */
static bool accept_degree(struct parser *p)
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
    const struct token *scale = parse_peek(p);
    if (scale->n == 1 && (scale->s[0] == 'F' || scale->s[0] == 'C')) parse_skip(p);
    return true;
}

struct node *parse_factor(struct parser *p)
{
    struct node *node = atom(p);
    for (int i = 0; !p->failed && i < POSTFIXES_MAX; i++) {
        if (accept_degree(p))
            node = parse_node(p, NODE_DEGREE, node);
        else if (parse_accept(p, '^'))
            node = parse_pair(p, NODE_POWER, node, exponent(p));
        else if (parse_accept(p, '!'))
            node = parse_node(p, NODE_FACTORIAL, node);
        else if (!parse_accept(p, '%'))
            break;
    }
    return node;
}
