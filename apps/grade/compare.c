#include "grade/compare.h"

#include "grade/equation.h"
#include "grade/evaluate.h"
#include "grade/spans.h"

#include <stdlib.h>

enum { ITEMS_MAX = 64, WORK_MAX = 5000 };

/* ---- numbers and expressions --------------------------------------------------------------- */

/* Equal at every point, after `scale` on the right. */
static bool equal_everywhere(struct side gold, struct side pred, struct value scale)
{
    const bool vars = node_has_var(gold.node, NULL, NULL) || node_has_var(pred.node, NULL, NULL) ||
                      node_has_kind(gold.node, NODE_WORD) || node_has_kind(pred.node, NODE_WORD);
    for (unsigned point = 0; point < (vars ? POINTS : 1); point++) {
        struct evaluation g = {.point = point, .sign = gold.sign ? gold.sign : 1};
        struct evaluation p = {.point = point, .sign = pred.sign ? pred.sign : 1};
        const struct value a = evaluate(gold.node, &g);
        const struct value b = value_mul(evaluate(pred.node, &p), scale);
        if (point >= POINTS_POSITIVE && (g.branch || p.branch)) continue;
        if (!value_equal(a, b)) return false;
    }
    return true;
}

/* 10% is 10 to the MATH graders, and 0.1 to anyone. */
static bool same_number(const struct comparison *c, struct side gold, struct side pred)
{
    if (equal_everywhere(gold, pred, value_int(1))) return true;
    if (c->gold_percent == c->pred_percent) return false;
    const struct value hundred = value_int(100);
    return equal_everywhere(gold, pred,
                            c->gold_percent ? hundred : value_div(value_int(1), hundred));
}

/* ---- units --------------------------------------------------------------------------------- */

static struct side without_unit(struct side side)
{
    while (side.node->kind == NODE_UNIT) side.node = side.node->child;
    return side;
}

/* A unit may be left out. Two units must measure the same, and then the numbers may differ as the
 * units do. */
static bool same_with_units(struct comparison *c, struct side gold, struct side pred)
{
    const struct side g = without_unit(gold), p = without_unit(pred);
    const struct unit *a = &gold.node->unit, *b = &pred.node->unit;
    if (gold.node->kind != NODE_UNIT || pred.node->kind != NODE_UNIT || !a->known || !b->known)
        return a->letter != UNIT_GLUED && b->letter != UNIT_GLUED && compare_sides(c, g, p);
    if (!unit_same_kind(a, b)) return false;
    struct value scale = value_div(value_mul(value_int(b->top), value_int(a->bottom)),
                                   value_mul(value_int(b->bottom), value_int(a->top)));
    if (value_equal(scale, value_int(1))) return compare_sides(c, g, p);
    return equal_everywhere(g, p, scale);
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

static bool is_clock(const struct node *ratio)
{
    const struct node *a = ratio->child, *b = a->next;
    return !b->next && a->kind == NODE_VALUE && b->kind == NODE_VALUE && a->value.small &&
           b->value.small && a->value.n <= 24 && b->value.n < 60 && a->value.n > 0 &&
           (b->value.n >= 10 || !b->value.n);
}

/* 2 : 3 : 4 and 4 : 6 : 8; but 3:30 and 4:40 are times. */
static bool same_ratio(struct comparison *c, struct side gold, struct side pred)
{
    struct evaluation at = {.sign = 1};
    const struct node *g = gold.node->child, *p = pred.node->child;
    if (node_count(gold.node) != node_count(pred.node)) return false;
    if (is_clock(gold.node) && is_clock(pred.node)) return same_children(c, gold, pred);
    const struct value a = evaluate(g, &at), b = evaluate(p, &at);
    for (; g; g = g->next, p = p->next)
        if (!value_equal(value_mul(evaluate(g, &at), b), value_mul(evaluate(p, &at), a)))
            return false;
    return true;
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
static bool congruent(const struct node *a, const struct node *b, const struct node *modulus)
{
    struct evaluation at = {.sign = 1};
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
    return congruent(residue(gold.node), residue(pred.node), g->next);
}

/* ---- anything ------------------------------------------------------------------------------ */

static bool same_spans(struct side gold, struct side pred)
{
    struct spans g, p;
    return spans_read(gold.node, &g) && spans_read(pred.node, &p) && spans_equal(&g, &p);
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
    if (++c->work > WORK_MAX) return false;
    if (either(NODE_MOD, gold, pred)) return same_residue(c, gold, pred);
    if (either(NODE_UNIT, gold, pred)) return same_with_units(c, gold, pred);
    if ((spans_is(gold.node) || spans_is(pred.node)) && same_spans(gold, pred)) return true;
    if (equation_lists_tuple(c, gold, pred)) return true;
    if (is_many(gold) || is_many(pred)) {
        if (same_lists(c, gold, pred)) return true;
        if (!either(NODE_RELATION, gold, pred)) return false;
    }
    if (either(NODE_RELATION, gold, pred)) return equation_same(c, gold, pred);
    return same_plain(c, gold, pred);
}

bool compare_formulas(const struct formula *gold, const struct formula *pred)
{
    struct comparison c = {.gold_percent = gold->percent, .pred_percent = pred->percent};
    return compare_sides(&c, (struct side){gold->root, 0}, (struct side){pred->root, 0});
}
