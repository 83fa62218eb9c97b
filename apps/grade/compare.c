#include "grade/compare.h"

#include "grade/clock.h"
#include "grade/equation.h"
#include "grade/evaluate.h"
#include "grade/spans.h"

#include <stdlib.h>

enum { ITEMS_MAX = 64 };

/* ---- numbers and expressions --------------------------------------------------------------- */

/* What is compared: gold and `scale` times pred. */
struct expressions {
    struct side gold, pred;
    struct value scale;
    int angles; /* a degree is pi / 180 */
    struct work *work;
};

/* What the point says: whether two sides are equal there, or nothing. Where a variable leads out of
 * the real numbers, "real" points say nothing; there \sqrt{x^3} need not be x\sqrt{x}. */
static enum value_verdict at_point(const struct expressions *e, unsigned point, bool real)
{
    struct evaluation g = {.point = point,
                           .sign = e->gold.sign ? e->gold.sign : 1,
                           .angles = e->angles,
                           .work = e->work};
    struct evaluation p = g;
    p.sign = e->pred.sign ? e->pred.sign : 1;
    const struct value a = evaluate(e->gold.node, &g);
    const struct value b = value_mul(evaluate(e->pred.node, &p), e->scale);
    return real && (g.branch || p.branch) ? VALUE_UNTOLD : value_compare(a, b);
}

/* Equal at POINTS points of those that tell, or at two where few do. */
static bool equal_where_real(const struct expressions *e, bool *any)
{
    int same = 0;
    *any = true;
    for (unsigned point = 0; point < POINTS_MAX && same < POINTS; point++) {
        const enum value_verdict verdict = at_point(e, point, true);
        if (verdict == VALUE_DIFFERENT) return false;
        same += verdict == VALUE_SAME;
    }
    *any = same >= 2;
    return *any;
}

/* Equal as complex numbers, with all variables positive. */
static bool equal_anywhere(const struct expressions *e)
{
    int same = 0;
    for (unsigned point = 0; point < POINTS_POSITIVE; point++) {
        const enum value_verdict verdict = at_point(e, point, false);
        if (verdict == VALUE_DIFFERENT) return false;
        same += verdict == VALUE_SAME;
    }
    return same >= 2;
}

static bool equal_everywhere(const struct expressions *e)
{
    const struct node *g = e->gold.node, *p = e->pred.node;
    bool any;
    if (!node_has_var(g, NULL, NULL) && !node_has_var(p, NULL, NULL) &&
        !node_has_kind(g, NODE_WORD) && !node_has_kind(p, NODE_WORD))
        return at_point(e, 0, false) == VALUE_SAME;
    return equal_where_real(e, &any) || (!any && equal_anywhere(e));
}

/* Degrees outside of functions: what they measure as a letter, F and C for temperatures, D where
 * none is named; 0: there are none. */
static int degrees_of(const struct node *node)
{
    if (node->kind == NODE_DEGREE) return node->code ? node->code : 'D';
    if (node->kind != NODE_NEG && node->kind != NODE_PRODUCT && node->kind != NODE_QUOTIENT &&
        node->kind != NODE_SUM)
        return 0;
    for (const struct node *c = node->child; c; c = c->next) {
        const int degrees = degrees_of(c);
        if (degrees) return degrees;
    }
    return 0;
}

/* 10% is 10 to the MATH graders, and 0.1 to anyone. */
static bool same_number(const struct comparison *c, struct side gold, struct side pred)
{
    const int g = degrees_of(gold.node), p = degrees_of(pred.node);
    if (g && p && g != p && g != 'D' && p != 'D') return false; /* 5 F and 5 C */
    struct expressions e = {gold, pred, value_int(1), 0, c->work};
    if (equal_everywhere(&e)) return true;
    if (c->gold_percent == c->pred_percent) return false;
    e.scale = value_int(100);
    if (c->pred_percent) e.scale = value_div(value_int(1), e.scale);
    return equal_everywhere(&e);
}

/* ---- units --------------------------------------------------------------------------------- */

static struct side without_unit(struct side side)
{
    while (side.node->kind == NODE_UNIT) side.node = side.node->child;
    return side;
}

/* Degrees beside another unit: of an angle they are so many radians. */
static bool same_in_degrees(struct comparison *c, struct side gold, struct side pred)
{
    const bool swap = pred.node->kind == NODE_UNIT;
    const struct side unit = swap ? pred : gold, degrees = swap ? gold : pred;
    if (!unit_is_angle(&unit.node->unit) || degrees_of(degrees.node) != 'D') return false;
    return equal_everywhere(&(struct expressions){without_unit(gold), without_unit(pred),
                                                  value_int(1), .angles = 1, .work = c->work});
}

/* A unit may be left out. Two units must measure the same, and then the numbers may differ as the
 * units do. */
static bool same_with_units(struct comparison *c, struct side gold, struct side pred)
{
    const bool both = gold.node->kind == NODE_UNIT && pred.node->kind == NODE_UNIT;
    const bool known = (gold.node->kind != NODE_UNIT || gold.node->unit.known) &&
                       (pred.node->kind != NODE_UNIT || pred.node->unit.known);
    if (!both && known && (degrees_of(gold.node) || degrees_of(pred.node)))
        return same_in_degrees(c, gold, pred);
    if (!both && known && (gold.node->kind == NODE_UNIT ? c->pred_percent : c->gold_percent))
        return false;
    const struct side g = without_unit(gold), p = without_unit(pred);
    const struct unit *a = &gold.node->unit, *b = &pred.node->unit;
    if (gold.node->kind != NODE_UNIT || pred.node->kind != NODE_UNIT || !a->known || !b->known)
        return a->letter != UNIT_GLUED && b->letter != UNIT_GLUED && compare_sides(c, g, p);
    if (!unit_same_kind(a, b)) return false;
    if (!unit_has_size(a) || !unit_has_size(b)) return compare_sides(c, g, p);
    struct value scale = value_div(value_mul(value_int(b->top), value_int(a->bottom)),
                                   value_mul(value_int(b->bottom), value_int(a->top)));
    if (value_equal(scale, value_int(1))) return compare_sides(c, g, p);
    return equal_everywhere(&(struct expressions){g, p, scale, 0, c->work});
}

/* ---- lists and sets ------------------------------------------------------------------------ */

static bool is_many(struct side side)
{
    if (side.node->kind == NODE_LIST || side.node->kind == NODE_SET) return true;
    return !side.sign && side.node->kind != NODE_TUPLE && node_has_kind(side.node, NODE_SIGN);
}

/* The items of a list or set; an item with plus-minus is two. 0 when there are too many. */
static size_t items_of(struct side side, struct side *out)
{
    const bool list = side.node->kind == NODE_LIST || side.node->kind == NODE_SET;
    size_t n = 0;
    for (const struct node *i = list ? side.node->child : side.node; i; i = list ? i->next : NULL) {
        const bool two = !side.sign && node_has_kind(i, NODE_SIGN);
        if (n + 2 > ITEMS_MAX) return 0;
        out[n++] = (struct side){i, two ? 1 : side.sign};
        if (two) out[n++] = (struct side){i, -1};
    }
    return n;
}

/* Each gold item has a partner of its own. Sameness is transitive, so the first will do. */
static bool same_items(struct comparison *c, const struct side *gold, const struct side *pred,
                       size_t n)
{
    bool used[ITEMS_MAX] = {false};
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n && (used[k] || !compare_sides(c, gold[i], pred[k]))) k++;
        if (k == n) return false;
        used[k] = true;
    }
    return true;
}

/* Is each of `some` among `all`? A solution listed twice is still one. */
static bool covers(struct comparison *c, const struct side *some, size_t n_some,
                   const struct side *all, size_t n_all, bool swap)
{
    for (size_t i = 0; i < n_some; i++) {
        size_t k = 0;
        while (k < n_all &&
               !(swap ? compare_sides(c, all[k], some[i]) : compare_sides(c, some[i], all[k])))
            k++;
        if (k == n_all) return false;
    }
    return true;
}

/* "3/4 or 0.75" for 3/4: alternatives that are all the same. */
static bool same_alternatives(struct comparison *c, struct side gold, struct side pred,
                              const struct side *items, size_t n)
{
    const bool swap = gold.node->kind == NODE_LIST;
    const struct side list = swap ? gold : pred;
    if (list.node->kind != NODE_LIST || list.node->code != TOKEN_OR) return false;
    for (size_t i = 0; i < n; i++)
        if (!(swap ? compare_sides(c, items[i], pred) : compare_sides(c, gold, items[i])))
            return false;
    return true;
}

static bool same_lists(struct comparison *c, struct side gold, struct side pred)
{
    struct side g[ITEMS_MAX], p[ITEMS_MAX];
    const size_t n = items_of(gold, g), n_pred = items_of(pred, p);
    if (!n || !n_pred) return false;
    if (n == n_pred) return same_items(c, g, p, n);
    if (n == 1 && !is_many(gold)) return same_alternatives(c, gold, pred, p, n_pred);
    if (n_pred == 1 && !is_many(pred)) return same_alternatives(c, gold, pred, g, n);
    return covers(c, g, n, p, n_pred, false) && covers(c, p, n_pred, g, n, true);
}

/* One by one, in order: tuples, the entries of matrices, the terms of ratios. */
static bool same_children(struct comparison *c, struct side gold, struct side pred)
{
    const struct node *g = gold.node->child, *p = pred.node->child;
    for (; g && p; g = g->next, p = p->next)
        if (!compare_sides(c, (struct side){g, gold.sign}, (struct side){p, pred.sign}))
            return false;
    return !g && !p;
}

/* ---- tuples, matrices, ratios -------------------------------------------------------------- */

static bool is_vector(const struct node *node)
{
    if (node->kind == NODE_TUPLE) return node->code == ('(' << 8 | ')');
    return node->kind == NODE_MATRIX && (node->code == 1 || node_count(node) == (size_t)node->code);
}

/* A vector may be written as a row, a column, or a tuple. */
static bool same_rows(struct comparison *c, struct side gold, struct side pred)
{
    const struct node *g = gold.node, *p = pred.node;
    if (g->kind == p->kind && g->code == p->code) return same_children(c, gold, pred);
    return g->kind != p->kind && is_vector(g) && is_vector(p) && same_children(c, gold, pred);
}

/* 2 : 3 : 4 and 4 : 6 : 8; but 3:30 and 4:40 are times. */
static bool same_ratio(struct comparison *c, struct side gold, struct side pred)
{
    struct evaluation at = {.sign = 1, .work = c->work};
    const struct node *g = gold.node->child, *p = pred.node->child;
    if (node_count(gold.node) != node_count(pred.node)) return false;
    if (node_count(gold.node) == 2 && clock_may_be(gold.node) && clock_may_be(pred.node))
        return clock_equal(gold.node, pred.node);
    const struct value a = evaluate(g, &at), b = evaluate(p, &at);
    for (; g; g = g->next, p = p->next)
        if (!value_equal(value_mul(evaluate(g, &at), b), value_mul(evaluate(p, &at), a)))
            return false;
    return true;
}

/* A time is no number, but where the half of the day is named the hour is. */
static bool same_time(struct comparison *c, struct side gold, struct side pred)
{
    const bool swap = !clock_is(gold.node);
    const struct node *clock = swap ? pred.node : gold.node, *other = swap ? gold.node : pred.node;
    struct evaluation at = {.sign = 1, .work = c->work};
    if (clock_may_be(other)) return clock_equal(clock, other);
    return other->kind == NODE_VALUE && clock_is_hour(clock, evaluate(other, &at));
}

/* ---- residues ------------------------------------------------------------------------------ */

static const struct node *residue(const struct node *node)
{
    node = node->child;
    if (node->kind != NODE_RELATION) return node;
    for (node = node->child; node->next;) node = node->next;
    return node;
}

/* 3 and 10 modulo 7. */
static bool congruent(struct comparison *c, const struct node *a, const struct node *b,
                      const struct node *modulus)
{
    struct evaluation at = {.sign = 1, .work = c->work};
    if (node_has_var(a, NULL, NULL) || node_has_var(b, NULL, NULL)) return false;
    const struct value left = evaluate(a, &at), right = evaluate(b, &at),
                       m = evaluate(modulus, &at);
    const struct value steps = value_div(value_add(left, value_neg(right)), m);
    return steps.small && steps.d == 1;
}

/* An answer may name the modulus besides; where one is asked for it must. Of "17 \equiv 2" the
 * answer is 2. */
static bool same_residue(struct comparison *c, struct side gold, struct side pred)
{
    const struct node *g = gold.node->child, *p = pred.node->child;
    if (gold.node->kind != NODE_MOD) {
        const bool shown = p->kind == NODE_RELATION && !node_has_var(p->child, NULL, NULL);
        return compare_sides(c, gold, (struct side){shown ? residue(pred.node) : p, pred.sign});
    }
    if (pred.node->kind != NODE_MOD ||
        !compare_sides(c, (struct side){g->next, 0}, (struct side){p->next, 0}))
        return false;
    if (g->kind == NODE_RELATION && p->kind == NODE_RELATION &&
        !compare_sides(c, (struct side){g->child, 0}, (struct side){p->child, 0}))
        return false;
    return congruent(c, residue(gold.node), residue(pred.node), g->next);
}

/* ---- anything ------------------------------------------------------------------------------ */

static bool same_spans(struct comparison *c, struct side gold, struct side pred)
{
    struct spans g, p;
    return spans_read(gold.node, c->work, &g) && spans_read(pred.node, c->work, &p) &&
           spans_equal(&g, &p);
}

static bool either(enum node_kind kind, struct side gold, struct side pred)
{
    return gold.node->kind == kind || pred.node->kind == kind;
}

static bool same_plain(struct comparison *c, struct side gold, struct side pred)
{
    const struct node *g = gold.node, *p = pred.node;
    if (either(NODE_EMPTY, gold, pred)) return g->kind == p->kind;
    if (either(NODE_TUPLE, gold, pred) || either(NODE_MATRIX, gold, pred))
        return same_rows(c, gold, pred);
    if (g->kind == NODE_RATIO && p->kind == NODE_RATIO) return same_ratio(c, gold, pred);
    return same_number(c, gold, pred);
}

bool compare_sides(struct comparison *c, struct side gold, struct side pred)
{
    if (!work_pay(c->work, 5)) return false;
    if (either(NODE_MOD, gold, pred)) return same_residue(c, gold, pred);
    if ((clock_is(gold.node) || clock_is(pred.node)) && !is_many(gold) && !is_many(pred) &&
        !either(NODE_RELATION, gold, pred))
        return same_time(c, gold, pred);
    if (either(NODE_UNIT, gold, pred)) return same_with_units(c, gold, pred);
    if ((spans_is(gold.node) || spans_is(pred.node)) && same_spans(c, gold, pred)) return true;
    if (equation_lists_tuple(c, gold, pred)) return true;
    if (is_many(gold) || is_many(pred)) {
        if (same_lists(c, gold, pred)) return true;
        if (!either(NODE_RELATION, gold, pred)) return false;
    }
    if (either(NODE_RELATION, gold, pred)) return equation_same(c, gold, pred);
    return same_plain(c, gold, pred);
}

bool compare_formulas(const struct formula *gold, const struct formula *pred, struct work *work)
{
    struct comparison c = {
        .gold_percent = gold->percent, .pred_percent = pred->percent, .work = work};
    return compare_sides(&c, (struct side){gold->root, 0}, (struct side){pred->root, 0});
}
