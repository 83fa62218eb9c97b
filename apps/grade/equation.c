#include "grade/equation.h"

#include "grade/evaluate.h"

/* ---- names --------------------------------------------------------------------------------- */

static bool all_names(const struct node *node)
{
    for (const struct node *c = node->child; c; c = c->next)
        if (!equation_is_name(c)) return false;
    return true;
}

/* AB and \angle ABC; xy = 1 is an equation. */
static bool is_figure(const struct node *node)
{
    for (const struct node *c = node->child; c; c = c->next)
        if (c->kind == NODE_VAR && c->code != '\\' && !(c->code >= 'A' && c->code <= 'Z'))
            return false;
    return all_names(node);
}

bool equation_is_name(const struct node *node)
{
    switch (node->kind) {
    case NODE_VAR:
    case NODE_WORD:
    case NODE_OVER: return true;
    case NODE_PRODUCT: return node_is_application(node) || is_figure(node);
    case NODE_ABS:
    case NODE_QUOTIENT:
    case NODE_INVERSE:
    case NODE_UNIT:
    case NODE_TUPLE: return all_names(node);
    case NODE_FUNCTION: return node->code < FUNCTION_LOG && node_has_var(node, NULL, NULL);
    default: return false;
    }
}

static bool is_value_of_function(const struct node *node)
{
    return node_is_application(node) && !node_has_var(node->child->next, NULL, NULL);
}

/* f(1) + f(2) - f(3): not the equation of one unknown. */
static bool is_sum_of_values(const struct node *node)
{
    if (node->kind != NODE_SUM) return false;
    for (const struct node *c = node->child; c; c = c->next)
        if (!is_value_of_function(c->kind == NODE_NEG ? c->child : c)) return false;
    return true;
}

/* What may stand left of "=" when only the value behind it is asked for: a name, a constant, or an
 * expression in several letters such as x + y or f(1) + f(2). An expression in one letter, such as
 * 2x or x^2, is not the letter. */
static bool may_lead(const struct node *node)
{
    uint64_t name = 0;
    bool single = true;
    if (equation_is_name(node) || is_sum_of_values(node)) return true;
    return !node_has_var(node, &name, &single) || !single;
}

static const struct node *last_side(const struct node *relation)
{
    const struct node *last = relation->child;
    while (last->next) last = last->next;
    return last;
}

/* Only "=" and "\in" all along. */
static bool is_equation(const struct node *node)
{
    if (node->kind != NODE_RELATION) return false;
    for (const struct node *c = node->child->next; c; c = c->next)
        if (c->relation != '=' && c->relation != TOKEN_IN) return false;
    return true;
}

/* ---- both are relations -------------------------------------------------------------------- */

/* left - right; *real: no variable led out of the real numbers. */
static struct value difference(const struct node *relation, unsigned point, struct work *work,
                               bool *real)
{
    struct evaluation at = {.point = point, .sign = 1, .work = work};
    struct value left = evaluate(relation->child, &at);
    struct value right = evaluate(relation->child->next, &at);
    *real = !at.branch;
    return value_add(left, value_neg(right));
}

/* Is one difference the other times a constant? *factor becomes it, of the first point where both
 * have a value; the others that tell must agree. */
static bool proportional(struct comparison *c, const struct node *a, const struct node *b,
                         struct value *factor)
{
    if (!node_has_var(a, NULL, NULL) || node_has_kind(a, NODE_SIGN) || node_has_kind(b, NODE_SIGN))
        return false;
    struct value a0 = value_none(), b0 = value_none();
    int same = 0;
    for (unsigned point = 0; point < POINTS_MAX && same < POINTS; point++) {
        bool real_a, real_b;
        const struct value x = difference(a, point, c->work, &real_a);
        const struct value y = difference(b, point, c->work, &real_b);
        if (!real_a || !real_b) continue;
        if (!a0.rank) {
            if (value_is_zero(x) || value_is_zero(y)) return false;
            a0 = x, b0 = y;
        }
        const enum value_verdict verdict = value_compare(value_mul(x, b0), value_mul(y, a0));
        if (verdict == VALUE_DIFFERENT) return false;
        same += verdict == VALUE_SAME;
    }
    *factor = value_div(a0, b0);
    return same > 2;
}

static bool two_sided(const struct node *node)
{
    return node_count(node) == 2;
}

/* y = 2x + 3 and f(x) = 2x + 3. Not x = 5 and y = 5, which are two lines. */
static bool same_function(struct comparison *c, struct side gold, struct side pred)
{
    const struct node *g = gold.node->child, *p = pred.node->child;
    if (!equation_is_name(g) || !equation_is_name(p)) return false;
    if (!node_is_application(g) && !node_is_application(p)) return false;
    return compare_sides(c, (struct side){last_side(gold.node), gold.sign},
                         (struct side){last_side(pred.node), pred.sign});
}

static bool same_equations(struct comparison *c, struct side gold, struct side pred)
{
    struct value factor;
    const struct node *g = gold.node, *p = pred.node;
    if (two_sided(g) && two_sided(p) && proportional(c, g, p, &factor)) return true;
    if (same_function(c, gold, pred)) return true;
    /* x = 5 + 6 = 11 is x = 11 */
    return compare_sides(c, (struct side){g->child, gold.sign},
                         (struct side){p->child, pred.sign}) &&
           compare_sides(c, (struct side){last_side(g), gold.sign},
                         (struct side){last_side(p), pred.sign});
}

static int direction(int relation)
{
    return relation == '<' || relation == TOKEN_LE ? -1 : relation == TOKEN_NE ? 0 : 1;
}

static bool strict(int relation)
{
    return relation != TOKEN_LE && relation != TOKEN_GE;
}

/* x + y < 5 and 10 > 2x + 2y */
static bool same_inequality(struct comparison *c, const struct node *g, const struct node *p)
{
    const int a = g->child->next->relation, b = p->child->next->relation;
    struct value factor;
    if (strict(a) != strict(b) || !direction(a) != !direction(b)) return false;
    if (!proportional(c, g, p, &factor) || !value_is_real(factor)) return false;
    return !direction(a) || (creall(factor.z) > 0) == (direction(a) == direction(b));
}

/* a < b < c, side by side. */
static bool same_chain(struct comparison *c, struct side gold, struct side pred)
{
    const struct node *g = gold.node->child, *p = pred.node->child;
    for (; g && p; g = g->next, p = p->next) {
        if (g != gold.node->child && g->relation != p->relation) return false;
        if (!compare_sides(c, (struct side){g, gold.sign}, (struct side){p, pred.sign}))
            return false;
    }
    return !g && !p;
}

static bool both(struct comparison *c, struct side gold, struct side pred)
{
    const bool equation = is_equation(gold.node);
    if (equation != is_equation(pred.node)) return false;
    if (equation) return same_equations(c, gold, pred);
    if (two_sided(gold.node) && two_sided(pred.node) && same_inequality(c, gold.node, pred.node))
        return true;
    return same_chain(c, gold, pred);
}

bool equation_same(struct comparison *c, struct side gold, struct side pred)
{
    const bool g = gold.node->kind == NODE_RELATION, p = pred.node->kind == NODE_RELATION;
    if (g && p) return both(c, gold, pred);
    const struct node *relation = g ? gold.node : pred.node;
    if (!is_equation(relation)) return false;
    if (!(g ? equation_is_name(relation->child) : may_lead(relation->child))) return false;
    const struct node *value = last_side(relation), *first = relation->child;
    /* "1/3 = 0.33" says 1/3 */
    if (!g && !node_has_var(first, NULL, NULL) &&
        compare_sides(c, gold, (struct side){first, pred.sign}))
        return true;
    return g ? compare_sides(c, (struct side){value, gold.sign}, pred)
             : compare_sides(c, gold, (struct side){value, pred.sign});
}

/* ---- assignments --------------------------------------------------------------------------- */

bool equation_lists_tuple(struct comparison *c, struct side gold, struct side pred)
{
    const bool swap = gold.node->kind != NODE_TUPLE;
    const struct node *tuple = swap ? pred.node : gold.node, *list = swap ? gold.node : pred.node;
    if (tuple->kind != NODE_TUPLE || list->kind != NODE_LIST) return false;
    if (tuple->code != ('(' << 8 | ')')) return false;
    const struct node *t = tuple->child, *l = list->child;
    for (; t && l; t = t->next, l = l->next) {
        if (!is_equation(l) || !equation_is_name(l->child)) return false;
        const struct node *value = last_side(l);
        if (!compare_sides(c, (struct side){swap ? value : t, gold.sign},
                           (struct side){swap ? t : value, pred.sign}))
            return false;
    }
    return !t && !l;
}
