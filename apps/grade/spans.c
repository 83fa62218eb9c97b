#include "grade/spans.h"

#include "grade/evaluate.h"

#include <math.h>
#include <stdlib.h>

/* ---- ends ---------------------------------------------------------------------------------- */

static bool is_infinity(const struct node *node)
{
    return node->kind == NODE_VAR && node->name == name_hash_exact(NAME_START, "\\infty", 6);
}

static bool end_read(const struct node *node, bool closed, struct work *work, struct end *out)
{
    *out = (struct end){.closed = closed};
    if (is_infinity(node)) out->infinite = 1;
    if (node->kind == NODE_NEG && is_infinity(node->child)) out->infinite = -1;
    if (out->infinite) return true;
    struct evaluation at = {.sign = 1, .work = work};
    if (node_has_var(node, NULL, NULL)) return false;
    out->at = evaluate(node, &at);
    return value_is_real(out->at) && isfinite(creall(out->at.z));
}

static int end_order(const struct end *a, const struct end *b)
{
    if (a->infinite || b->infinite)
        return (a->infinite > b->infinite) - (a->infinite < b->infinite);
    if (value_equal(a->at, b->at)) return 0;
    return creall(a->at.z) < creall(b->at.z) ? -1 : 1;
}

static bool end_equal(const struct end *a, const struct end *b)
{
    return !end_order(a, b) && a->closed == b->closed;
}

/* Where a lower end begins: a closed one before an open one. */
static int low_order(const struct end *a, const struct end *b)
{
    const int order = end_order(a, b);
    return order ? order : b->closed - a->closed;
}

static int high_order(const struct end *a, const struct end *b)
{
    const int order = end_order(a, b);
    return order ? order : a->closed - b->closed;
}

/* ---- sets ---------------------------------------------------------------------------------- */

static bool span_empty(const struct span *s)
{
    const int order = end_order(&s->low, &s->high);
    return order > 0 || (!order && !(s->low.closed && s->high.closed));
}

static bool add(struct spans *all, struct span s)
{
    if (span_empty(&s)) return true;
    if (all->n == SPANS_MAX) return false;
    all->span[all->n++] = s;
    return true;
}

static int by_low(const void *a, const void *b)
{
    return low_order(&((const struct span *)a)->low, &((const struct span *)b)->low);
}

/* Does b, which begins no earlier, go on where a ends? */
static bool touches(const struct span *a, const struct span *b)
{
    const int order = end_order(&b->low, &a->high);
    return order < 0 || (!order && (a->high.closed || b->low.closed));
}

static void tidy(struct spans *all)
{
    size_t n = 0;
    if (all->n) qsort(all->span, all->n, sizeof *all->span, by_low);
    for (size_t i = 0; i < all->n; i++) {
        struct span *last = n ? &all->span[n - 1] : NULL;
        if (!last || !touches(last, &all->span[i]))
            all->span[n++] = all->span[i];
        else if (high_order(&all->span[i].high, &last->high) > 0)
            last->high = all->span[i].high;
    }
    all->n = n;
}

static bool unite(struct spans *all, const struct spans *more)
{
    for (size_t i = 0; i < more->n; i++)
        if (!add(all, more->span[i])) return false;
    tidy(all);
    return true;
}

static bool intersect(struct spans *all, const struct spans *with)
{
    struct spans common = {.name = all->name};
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < with->n; k++) {
            struct span s = all->span[i];
            if (low_order(&with->span[k].low, &s.low) > 0) s.low = with->span[k].low;
            if (high_order(&with->span[k].high, &s.high) < 0) s.high = with->span[k].high;
            if (!add(&common, s)) return false;
        }
    *all = common;
    return true;
}

static const struct end least = {.infinite = -1}, most = {.infinite = 1};

static bool complement(struct spans *all)
{
    struct spans rest = {.name = all->name};
    struct end low = least;
    for (size_t i = 0; i < all->n; i++) {
        struct end high = all->span[i].low;
        high.closed = !high.closed && !high.infinite;
        if (!add(&rest, (struct span){low, high})) return false;
        low = all->span[i].high;
        low.closed = !low.closed && !low.infinite;
    }
    if (!add(&rest, (struct span){low, most})) return false;
    *all = rest;
    return true;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_interval(const struct node *node, struct work *work, struct spans *out)
{
    if (node_count(node) != 2) return false;
    struct span s;
    return end_read(node->child, node->code >> 8 == '[', work, &s.low) &&
           end_read(node->child->next, (node->code & 0xff) == ']', work, &s.high) && add(out, s);
}

static bool read_points(const struct node *node, struct work *work, struct spans *out)
{
    for (const struct node *c = node->child; c; c = c->next) {
        struct span s;
        if (!end_read(c, true, work, &s.low) || s.low.infinite) return false;
        s.high = s.low;
        if (!add(out, s)) return false;
    }
    tidy(out);
    return true;
}

/* What a condition may be on: x, and for a range f(x). */
static bool is_free(const struct node *node)
{
    return (node->kind == NODE_VAR && !is_infinity(node)) || node_is_application(node);
}

static uint64_t free_name(const struct node *node)
{
    return node->kind == NODE_VAR ? node->name : name_hash_exact(node->child->name, "(", 1);
}

static bool closes(int relation)
{
    return relation == TOKEN_LE || relation == TOKEN_GE || relation == '=';
}

/* What `relation` leaves of the line when the variable stands left of it and `bound` right. */
static bool half_line(int relation, const struct node *bound, struct work *work, struct spans *out)
{
    struct end end;
    if (!end_read(bound, closes(relation), work, &end)) return false;
    struct span s = {least, most};
    if (relation == '<' || relation == TOKEN_LE || relation == '=') s.high = end;
    if (relation == '>' || relation == TOKEN_GE || relation == '=') s.low = end;
    if (relation != TOKEN_NE) return add(out, s);
    return add(out, (struct span){least, end}) && add(out, (struct span){end, most});
}

static int mirrored(int relation)
{
    switch (relation) {
    case '<': return '>';
    case '>': return '<';
    case TOKEN_LE: return TOKEN_GE;
    case TOKEN_GE: return TOKEN_LE;
    default: return relation;
    }
}

/* "x < 2", "2 > x", "1 < x \le 2", "x \in [1, 2]" */
static bool read_condition(const struct node *node, struct work *work, struct spans *out)
{
    const struct node *a = node->child, *b = a->next, *c = b->next;
    if (c && c->next) return false;
    const struct node *var = is_free(a) && !c ? a : b;
    if (!is_free(var)) return false;
    out->name = free_name(var);
    if (b->relation == TOKEN_IN) return var == a && spans_read(b, work, out);
    if (var == a) return half_line(b->relation, b, work, out);
    struct spans right = {0};
    if (!half_line(mirrored(b->relation), a, work, out)) return false;
    return !c || (half_line(c->relation, c, work, &right) && intersect(out, &right));
}

/* Fold the children: `first` begins, each next is united, intersected or taken away. */
static bool read_all(const struct node *node, struct work *work, struct spans *out)
{
    if (!spans_read(node->child, work, out)) return false;
    for (const struct node *c = node->child->next; c; c = c->next) {
        struct spans next;
        if (!spans_read(c, work, &next)) return false;
        if (node->kind == NODE_DIFFERENCE && !complement(&next)) return false;
        if (!(node->kind == NODE_UNION ? unite(out, &next) : intersect(out, &next))) return false;
    }
    return true;
}

/* Conditions in a row: "or" unites them. "and" and a comma mean both hold, or where that cannot be,
 * as in "x < 1, x > 3", either. */
static bool read_list(const struct node *node, struct work *work, struct spans *out)
{
    struct spans all = {0}, any = {0}, next;
    all.span[all.n++] = (struct span){least, most};
    for (const struct node *c = node->child; c; c = c->next) {
        if (c->kind != NODE_RELATION && node->code != TOKEN_OR) return false;
        if (!spans_read(c, work, &next) || !intersect(&all, &next) || !unite(&any, &next))
            return false;
        if (any.name && next.name && any.name != next.name) return false;
        any.name = all.name = next.name ? next.name : any.name;
    }
    *out = node->code == TOKEN_OR || !all.n ? any : all;
    return true;
}

bool spans_read(const struct node *node, struct work *work, struct spans *out)
{
    *out = (struct spans){0};
    switch (node->kind) {
    case NODE_TUPLE: return read_interval(node, work, out);
    case NODE_SET: return read_points(node, work, out);
    case NODE_UNION:
    case NODE_INTERSECTION:
    case NODE_DIFFERENCE: return read_all(node, work, out);
    case NODE_RELATION: return read_condition(node, work, out);
    case NODE_LIST: return read_list(node, work, out);
    case NODE_REALS: return add(out, (struct span){least, most});
    case NODE_EMPTY: return true;
    default: return false;
    }
}

static bool is_condition(const struct node *node)
{
    if (node->kind != NODE_RELATION) return false;
    for (const struct node *c = node->child->next; c; c = c->next)
        if (c->relation != '=' && c->relation != TOKEN_IN) return true;
    return false;
}

bool spans_is(const struct node *node)
{
    if (node->kind == NODE_UNION || node->kind == NODE_INTERSECTION ||
        node->kind == NODE_DIFFERENCE || node->kind == NODE_REALS || is_condition(node))
        return true;
    if (node->kind != NODE_LIST) return false;
    for (const struct node *c = node->child; c; c = c->next)
        if (is_condition(c)) return true;
    return false;
}

bool spans_equal(const struct spans *a, const struct spans *b)
{
    if (a->n != b->n || (a->name && b->name && a->name != b->name)) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!end_equal(&a->span[i].low, &b->span[i].low) ||
            !end_equal(&a->span[i].high, &b->span[i].high))
            return false;
    return true;
}
