#include "grade/parse.h"

#include <stdlib.h>
#include <string.h>

/* ---- tokens and nodes ---------------------------------------------------------------------- */

const struct token *parse_ahead(const struct parser *p, size_t by)
{
    static const struct token end = {.kind = TOKEN_END, .s = ""};
    if (p->failed || p->at + by >= p->end) return &end;
    if (!by && p->half.kind) return &p->half;
    return &p->tokens[p->at + by];
}

const struct token *parse_peek(const struct parser *p)
{
    return parse_ahead(p, 0);
}

void parse_skip(struct parser *p)
{
    p->at++;
    p->half.kind = 0;
}

bool parse_accept(struct parser *p, int kind)
{
    if (parse_peek(p)->kind != kind) return false;
    parse_skip(p);
    return true;
}

bool parse_says(const struct token *t, const char *word)
{
    return (t->kind == TOKEN_WORD || t->kind == TOKEN_VAR) && strlen(word) == t->n &&
           !strncmp(t->s, word, t->n);
}

struct node *parse_fail(struct parser *p)
{
    p->failed = true;
    return &p->none;
}

void parse_expect(struct parser *p, int kind)
{
    if (!parse_accept(p, kind)) parse_fail(p);
}

struct node *parse_node(struct parser *p, enum node_kind kind, struct node *child)
{
    if (p->failed || p->n_nodes == p->room) return parse_fail(p);
    struct node *node = &p->nodes[p->n_nodes++];
    *node = (struct node){.kind = kind, .child = child};
    return node;
}

struct node *parse_value(struct parser *p, struct value value)
{
    struct node *node = parse_node(p, NODE_VALUE, NULL);
    node->value = value;
    return node;
}

struct node *parse_pair(struct parser *p, enum node_kind kind, struct node *a, struct node *b)
{
    struct node *node = parse_node(p, kind, a);
    if (p->failed) return node;
    a->next = b;
    return node;
}

/* Children as they come. */
struct chain {
    struct node *first, *last;
    size_t n;
};

static void chain_add(const struct parser *p, struct chain *chain, struct node *node)
{
    if (p->failed) return;
    if (chain->last)
        chain->last->next = node;
    else
        chain->first = node;
    chain->last = node;
    chain->n++;
}

/* The only link itself, else a node of them all. */
static struct node *chain_node(struct parser *p, enum node_kind kind, const struct chain *chain)
{
    if (p->failed || !chain->n) return parse_fail(p);
    return chain->n == 1 ? chain->first : parse_node(p, kind, chain->first);
}

/* ---- units --------------------------------------------------------------------------------- */

/* The power behind a unit, "^2" or in words. */
static int unit_power(struct parser *p)
{
    if (parse_says(parse_peek(p), "squared") || parse_says(parse_peek(p), "cubed")) {
        const int power = parse_says(parse_peek(p), "cubed") ? 3 : 2;
        parse_skip(p);
        return power;
    }
    if (!parse_accept(p, '^')) return 1;
    const bool braces = parse_accept(p, '{'), negative = parse_accept(p, '-');
    const struct token *t = parse_peek(p);
    int power = t->kind == TOKEN_NUMBER && t->n == 1 ? t->s[0] - '0' : 0;
    if (!power) return 0;
    parse_skip(p);
    if (braces) parse_expect(p, '}');
    return negative ? -power : power;
}

/* Units as they are read. A word that is none makes the whole unknown, which is never held against
 * an answer. */
struct unit_reading {
    struct unit unit;
    int sign, power;
    bool all, any;
};

static void unit_word(struct parser *p, struct unit_reading *r)
{
    const bool braces = parse_accept(p, '{');
    const struct token *t = parse_peek(p);
    parse_skip(p);
    if (braces) parse_expect(p, '}');
    const int prefix = unit_prefix(t->s, t->n);
    if (prefix) {
        r->power = prefix;
        return;
    }
    const int raised = unit_power(p);
    unit_add(&r->unit, t->s, t->n, r->sign * (raised == 1 ? r->power : raised));
    r->all &= r->unit.known;
    r->any = true;
    r->power = 1;
}

/* "{kg}": braces around a word. */
static bool braced_word(const struct parser *p, size_t at)
{
    return parse_ahead(p, at)->kind == '{' && parse_ahead(p, at + 1)->kind == TOKEN_WORD &&
           parse_ahead(p, at + 2)->kind == '}';
}

/* "\frac{\text{m}}{\text{s}}" */
static bool unit_quotient(const struct parser *p)
{
    return parse_peek(p)->kind == TOKEN_FRAC && braced_word(p, 1) && braced_word(p, 4);
}

/* Reads on; false where what stands next is no part of a unit. */
static bool unit_part(struct parser *p, struct unit_reading *r)
{
    const struct token *t = parse_peek(p);
    const bool word_follows = parse_ahead(p, 1)->kind == TOKEN_WORD || braced_word(p, 1);
    if (unit_quotient(p)) {
        parse_skip(p);
        unit_word(p, r);
        r->sign = -1;
        unit_word(p, r);
    } else if (t->kind == '/' || parse_says(t, "per")) {
        if (t->kind == '/' && !word_follows) return false;
        parse_skip(p);
        r->sign = -1;
    } else if (t->kind == TOKEN_WORD || braced_word(p, 0)) {
        unit_word(p, r);
    } else if (t->kind == '.' || (t->kind == '*' && word_follows)) {
        parse_skip(p);
    } else {
        return false;
    }
    return true;
}

/* "square feet", "feet^2", "m/s", "miles per hour", "square units", "apples". */
static struct unit unit_words(struct parser *p)
{
    struct unit_reading r = {unit_none(), 1, 1, true, false};
    const struct token *first = parse_peek(p);
    while (!p->failed && unit_part(p, &r)) continue;
    r.unit.known = r.all && r.any;
    if (first->n == 1 && first->kind == TOKEN_WORD && !first->text)
        r.unit.letter = first->space ? UNIT_LETTER : UNIT_GLUED;
    return r.unit;
}

/* A single letter is a factor, as in "2\mathrm{i}", unless it is that of a unit. */
static bool starts_unit(const struct parser *p)
{
    const struct token *t = parse_ahead(p, braced_word(p, 0));
    if (unit_quotient(p)) return true;
    return t->kind == TOKEN_WORD && (t->n > 1 || unit_is_word(t->s, 1, true));
}

static struct node *with_unit(struct parser *p, struct node *number)
{
    struct unit unit = unit_words(p);
    struct node *node = parse_node(p, NODE_UNIT, number);
    node->unit = unit;
    return node;
}

/* ---- products and sums --------------------------------------------------------------------- */

/* A quotient of words, as in "5 \frac{\text{m}}{\text{s}}". */
static bool is_wordy(const struct node *node)
{
    if (node->kind != NODE_QUOTIENT && node->kind != NODE_PRODUCT) return node->kind == NODE_WORD;
    for (const struct node *c = node->child; c; c = c->next)
        if (!is_wordy(c) && c->kind != NODE_VAR) return false;
    return node_has_kind(node, NODE_WORD);
}

/* A scalar times a matrix, entry by entry. The scalar is shared: trees are only read. */
static struct node *scale_matrix(struct parser *p, struct node *scalar, struct node *matrix)
{
    struct chain entries = {0};
    for (struct node *c = matrix->child, *next; c; c = next) {
        next = c->next;
        struct node *copy = parse_node(p, scalar->kind, NULL);
        if (p->failed) return &p->none;
        *copy = *scalar;
        copy->next = NULL;
        c->next = NULL;
        chain_add(p, &entries, parse_pair(p, NODE_PRODUCT, copy, c));
    }
    struct node *node = parse_node(p, NODE_MATRIX, entries.first);
    node->code = matrix->code;
    return node;
}

static struct node *product_node(struct parser *p, struct chain *factors)
{
    if (!p->failed && factors->n == 2 && factors->last->kind == NODE_MATRIX &&
        factors->first->kind != NODE_MATRIX)
        return scale_matrix(p, factors->first, factors->last);
    return chain_node(p, NODE_PRODUCT, factors);
}

static struct node *multiple_node(struct parser *p)
{
    struct node *node = parse_node(p, NODE_VALUE, NULL);
    node->value = value_int(parse_multiple(parse_peek(p)));
    parse_skip(p);
    return node;
}

static struct node *parse_product(struct parser *p)
{
    struct chain factors = {0};
    chain_add(p, &factors, parse_factor(p));
    while (!p->failed) {
        if (parse_accept(p, '*')) {
            chain_add(p, &factors, parse_factor(p));
        } else if (parse_accept(p, '/')) {
            chain_add(p, &factors, parse_node(p, NODE_INVERSE, parse_factor(p)));
        } else if (parse_multiple(parse_peek(p))) {
            chain_add(p, &factors, multiple_node(p));
        } else if (starts_unit(p) && factors.last->kind != NODE_WORD) {
            return with_unit(p, product_node(p, &factors));
        } else if (parse_peek(p)->kind != TOKEN_NUMBER || factors.last->kind != NODE_VALUE) {
            if (!parse_starts_factor(p)) break;
            struct node *factor = parse_factor(p);
            if (!is_wordy(factor)) chain_add(p, &factors, factor);
        } else {
            return parse_fail(p); /* "3 4" */
        }
    }
    return product_node(p, &factors);
}

/* Signs in a row nest as brackets do. */
static struct node *signed_product(struct parser *p)
{
    if (++p->depth > FORMULA_DEPTH_MAX) return parse_fail(p);
    struct node *node;
    const int kind = parse_peek(p)->kind;
    if (parse_accept(p, '+')) {
        node = signed_product(p);
    } else if (parse_accept(p, '-')) {
        node = parse_node(p, NODE_NEG, signed_product(p));
    } else if (parse_accept(p, TOKEN_PM) || parse_accept(p, TOKEN_MP)) {
        node = parse_node(p, NODE_SIGN, signed_product(p));
        node->code = kind == TOKEN_PM ? 1 : -1;
    } else {
        node = parse_product(p);
    }
    p->depth--;
    return node;
}

static bool starts_sign(int kind)
{
    return kind == '+' || kind == '-' || kind == TOKEN_PM || kind == TOKEN_MP;
}

static struct node *plain_sum(struct parser *p)
{
    struct chain terms = {0};
    do chain_add(p, &terms, signed_product(p));
    while (starts_sign(parse_peek(p)->kind));
    return chain_node(p, NODE_SUM, &terms);
}

/* "3 \over 7" parts all that stands in the same braces. */
struct node *parse_sum(struct parser *p)
{
    struct node *sum = plain_sum(p);
    const int parted = parse_peek(p)->code;
    if (!parse_accept(p, TOKEN_INFIX)) return sum;
    return parse_pair(p, parted == TOKEN_FRAC ? NODE_QUOTIENT : NODE_BINOMIAL, sum, plain_sum(p));
}

/* ---- sets, relations, lists ---------------------------------------------------------------- */

/* The unit behind the last part is the whole's: "3:30 p.m."; but "5 to 10 minutes" is no ratio. */
static struct node *parse_ratio(struct parser *p)
{
    struct chain parts = {0};
    struct node *unit = NULL;
    bool spelled = false;
    do {
        spelled |= parts.n && p->tokens[p->at - 1].code == TOKEN_WORD;
        struct node *part = parse_sum(p);
        const bool last = parse_peek(p)->kind != ':';
        if (!p->failed && parts.n && last && part->kind == NODE_UNIT) {
            unit = part;
            part = part->child;
        }
        chain_add(p, &parts, part);
    } while (parse_accept(p, ':'));
    struct node *ratio = chain_node(p, NODE_RATIO, &parts);
    if (p->failed || !unit) return ratio;
    if (spelled) return parse_fail(p);
    unit->child = ratio;
    return unit;
}

/* Intersections bind before unions. */
static struct node *parse_intersection(struct parser *p)
{
    struct chain parts = {0};
    do chain_add(p, &parts, parse_ratio(p));
    while (parse_accept(p, TOKEN_CAP));
    return chain_node(p, NODE_INTERSECTION, &parts);
}

static struct node *parse_union(struct parser *p)
{
    struct chain parts = {0};
    do chain_add(p, &parts, parse_intersection(p));
    while (parse_accept(p, TOKEN_CUP));
    struct node *all = chain_node(p, NODE_UNION, &parts);
    while (parse_accept(p, TOKEN_EXCEPT))
        all = parse_pair(p, NODE_DIFFERENCE, all, parse_intersection(p));
    return all;
}

static bool is_relation(int kind)
{
    return kind == '=' || kind == '<' || kind == '>' || kind == TOKEN_LE || kind == TOKEN_GE ||
           kind == TOKEN_NE || kind == TOKEN_IN || kind == TOKEN_APPROX;
}

/* "\pmod 7", "(mod 7)" */
static struct node *with_modulus(struct parser *p, struct node *residue)
{
    const bool brackets = parse_peek(p)->kind == '(' && parse_ahead(p, 1)->kind == TOKEN_MOD;
    if (brackets) parse_skip(p);
    if (!parse_accept(p, TOKEN_MOD)) return residue;
    struct node *node = parse_pair(p, NODE_MOD, residue, parse_factor(p));
    if (brackets) parse_expect(p, ')');
    return node;
}

/* What stands behind an approximation sign is dropped, for the exact form came before it; but in
 * "x \approx 2.3" none did. */
static struct node *parse_relation(struct parser *p)
{
    struct chain sides = {0};
    chain_add(p, &sides, parse_union(p));
    bool keep = true;
    for (int kind; !p->failed && is_relation(kind = parse_peek(p)->kind);) {
        parse_skip(p);
        struct node *side = parse_union(p);
        if (kind == TOKEN_APPROX && sides.n == 1 && node_has_var(sides.first, NULL, NULL))
            kind = '=';
        keep &= kind != TOKEN_APPROX;
        side->relation = kind;
        if (keep) chain_add(p, &sides, side);
    }
    return with_modulus(p, chain_node(p, NODE_RELATION, &sides));
}

/* "," ", and" "and" "or"; *kind is the last of them. */
static bool accept_separators(struct parser *p, int *kind)
{
    bool any = false;
    for (;; any = true) {
        const int next = parse_peek(p)->kind;
        if (next != ',' && next != TOKEN_AND && next != TOKEN_OR) break;
        if (any && next == ',') break;
        *kind = next;
        parse_skip(p);
    }
    return any;
}

static struct node *parse_items(struct parser *p)
{
    struct chain items = {0};
    int separator = ',';
    do chain_add(p, &items, parse_relation(p));
    while (!p->failed && accept_separators(p, &separator));
    struct node *list = chain_node(p, NODE_LIST, &items);
    if (items.n > 1) list->code = separator;
    return list;
}

/* Parts set off by ';' are lists of their own. */
struct node *parse_list(struct parser *p)
{
    struct chain parts = {0};
    if (++p->depth > FORMULA_DEPTH_MAX) return parse_fail(p);
    do chain_add(p, &parts, parse_items(p));
    while (!p->failed && parse_accept(p, ';'));
    p->depth--;
    struct node *list = chain_node(p, NODE_LIST, &parts);
    if (parts.n > 1) list->code = ';';
    return list;
}

bool formula_open(const struct latex *latex, size_t from, size_t to, struct formula *out)
{
    struct parser p = {.tokens = latex->tokens, .at = from, .end = to};
    /* a token makes one node or two, the entries of a scaled matrix two more */
    p.room = 4 * (to - from) + 8;
    *out =
        (struct formula){.percent = latex->percent, .nodes = malloc(p.room * sizeof *out->nodes)};
    p.nodes = out->nodes;
    if (!p.nodes || from >= to) parse_fail(&p);
    out->root = parse_list(&p);
    if (!p.failed && p.at == p.end) return true;
    formula_close(out);
    return false;
}

void formula_close(struct formula *formula)
{
    free(formula->nodes);
}
