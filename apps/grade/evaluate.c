#include "grade/evaluate.h"

#include <math.h>

enum { FACTORIAL_MAX = 300 };
static const long double PI = 3.14159265358979323846264338327950288L;
static const long double E = 2.71828182845904523536028747135266250L;

struct value evaluate_constant(const char *name, size_t n)
{
    return value_constant(name_hash_exact(NAME_START, name, n), *name == 'e' ? E : PI);
}

/* ---- functions ----------------------------------------------------------------------------- */

static long double complex cotangent(long double complex z)
{
    return 1 / ctanl(z);
}

static long double complex secant(long double complex z)
{
    return 1 / ccosl(z);
}

static long double complex cosecant(long double complex z)
{
    return 1 / csinl(z);
}

static long double complex magnitude(long double complex z)
{
    return cabsl(z);
}

static long double complex gamma_of_next(long double complex z)
{
    return tgammal(creall(z) + 1);
}

/* e to the power a */
static struct value exponential(struct value a)
{
    return value_pow(evaluate_constant("e", 1), a);
}

/* From exponentials, which know what they lose: of large arguments the sine and cosine are the same
 * but for what no long double shows. */
static struct value hyperbolic(int code, struct value a)
{
    const struct value up = exponential(a), down = exponential(value_neg(a));
    const struct value sine = value_div(value_add(up, value_neg(down)), value_int(2));
    const struct value cosine = value_div(value_add(up, down), value_int(2));
    if (code == FUNCTION_TANH) return value_div(sine, cosine);
    return code == FUNCTION_SINH ? sine : cosine;
}

/* Around 1 and -1 the arc's slope has no bound; what rounding alone keeps from them is one of them.
 * Outside there is no real arc. */
static struct value arc_end(struct value a, bool *outside)
{
    for (int end = -1; end <= 1; end += 2)
        if (value_equal(a, value_int(end))) return value_int(end);
    *outside = value_is_real(a) && fabsl(creall(a.z)) > 1;
    return a;
}

static struct value trigonometric(int code, struct value a)
{
    static long double complex (*const functions[])(long double complex) = {
        [FUNCTION_SIN] = csinl,     [FUNCTION_COS] = ccosl,     [FUNCTION_TAN] = ctanl,
        [FUNCTION_COT] = cotangent, [FUNCTION_SEC] = secant,    [FUNCTION_CSC] = cosecant,
        [FUNCTION_ARCSIN] = casinl, [FUNCTION_ARCCOS] = cacosl, [FUNCTION_ARCTAN] = catanl,
    };
    return value_apply((uint64_t)code + 100, functions[code], a);
}

static struct value logarithm(struct value a, bool *outside)
{
    *outside |= value_is_negative(a);
    return value_log(a);
}

/* *outside: it has no real value here. */
static struct value apply(const struct node *node, struct value a, struct value base, bool *outside)
{
    switch (node->code) {
    case FUNCTION_LN: return logarithm(a, outside);
    case FUNCTION_LOG: return value_div(logarithm(a, outside), logarithm(base, outside));
    case FUNCTION_EXP: return exponential(a);
    case FUNCTION_CIS: return exponential(value_mul(value_i(), a));
    case FUNCTION_SINH:
    case FUNCTION_COSH:
    case FUNCTION_TANH: return hyperbolic(node->code, a);
    case FUNCTION_ARCSIN:
    case FUNCTION_ARCCOS: a = arc_end(a, outside); break;
    default: break;
    }
    return trigonometric(node->code, a);
}

/* Only where a variable led out of the domain does another point lead back. */
static void note_branch(const struct node *node, struct evaluation *at, bool outside)
{
    if (outside && node_has_var(node, NULL, NULL)) at->branch = true;
}

static struct value function_value(const struct node *node, struct evaluation *at)
{
    const bool angle = node->code < FUNCTION_LOG || node->code == FUNCTION_CIS;
    bool outside = false;
    at->angles += angle;
    const struct value a = evaluate(node->child, at);
    at->angles -= angle;
    (void)work_pay(at->work, 20);
    const struct node *base = node->child->next;
    const struct value value = apply(node, a, base ? evaluate(base, at) : value_int(10), &outside);
    note_branch(node, at, outside);
    return value;
}

static struct value power_of(const struct node *node, struct value base, struct value exponent,
                             struct evaluation *at)
{
    const bool long_power = exponent.small && (exponent.n > 64 || exponent.n < -64);
    (void)work_pay(at->work, long_power ? 64 : 10);
    note_branch(node, at, value_is_negative(base) && !(exponent.small && exponent.d % 2));
    return value_pow(base, exponent);
}

/* (a^m)^n is a^(mn) where a > 0; the root of 10^40 needs no root of a number of 40 digits. */
static struct value power_value(const struct node *node, struct evaluation *at)
{
    const struct node *base = node->child;
    const struct value exponent = evaluate(base->next, at);
    if (base->kind != NODE_POWER) return power_of(node, evaluate(base, at), exponent, at);
    const struct value a = evaluate(base->child, at), m = evaluate(base->child->next, at);
    if (a.small && a.n > 0 && m.small && exponent.small)
        return power_of(node, a, value_mul(m, exponent), at);
    return power_of(node, power_of(base, a, m, at), exponent, at);
}

static struct value abs_value(struct value a)
{
    if (!value_is_real(a)) return value_apply(1, magnitude, a);
    return creall(a.z) < 0 ? value_neg(a) : a;
}

/* What rounding alone keeps from a whole number is one. */
static struct value round_value(struct value a, long double (*towards)(long double))
{
    if (!value_is_real(a) || fabsl(creall(a.z)) > 1e15L) return value_none();
    const struct value near = value_int((int64_t)roundl(creall(a.z)));
    if (value_equal(a, near)) return near;
    return value_int((int64_t)towards(creall(a.z)));
}

/* a (a - 1) ... (a - n + 1) */
static struct value falling(struct value a, int64_t n, struct work *work)
{
    if (!work_pay(work, n)) return value_none();
    struct value product = value_int(1);
    for (int64_t i = 0; i < n; i++) product = value_mul(product, value_add(a, value_int(-i)));
    return product;
}

static bool countable(struct value a)
{
    return a.small && a.d == 1 && a.n >= 0 && a.n <= FACTORIAL_MAX;
}

static struct value factorial_value(struct value a, struct work *work)
{
    if (countable(a)) return falling(a, a.n, work);
    if (!value_is_real(a) || a.small) return value_none();
    return value_apply(2, gamma_of_next, a);
}

static struct value binomial_value(const struct node *node, struct evaluation *at)
{
    struct value n = evaluate(node->child, at), k = evaluate(node->child->next, at);
    if (countable(k)) return value_div(falling(n, k.n, at->work), falling(k, k.n, at->work));
    const struct value rest = value_add(n, value_neg(k));
    return value_div(factorial_value(n, at->work),
                     value_mul(factorial_value(k, at->work), factorial_value(rest, at->work)));
}

/* ---- the walk ------------------------------------------------------------------------------ */

static struct value sum_value(const struct node *node, struct evaluation *at)
{
    struct value sum = value_int(0);
    for (const struct node *c = node->child; c; c = c->next) sum = value_add(sum, evaluate(c, at));
    return sum;
}

static struct value product_value(const struct node *node, struct evaluation *at)
{
    struct value product = value_int(1);
    for (const struct node *c = node->child; c; c = c->next)
        product = value_mul(product, evaluate(c, at));
    return product;
}

/* a : b is the quotient; more terms have no single value. */
static struct value ratio_value(const struct node *node, struct evaluation *at)
{
    if (node_count(node) != 2) return value_none();
    return value_div(evaluate(node->child, at), evaluate(node->child->next, at));
}

static struct value degree_value(const struct node *node, struct evaluation *at)
{
    struct value a = evaluate(node->child, at);
    if (!at->angles) return a;
    return value_mul(a, value_div(evaluate_constant("\\pi", 3), value_int(180)));
}

static struct value symbol_value(uint64_t name, const struct evaluation *at)
{
    return value_sample(name, at->point, at->point < POINTS_POSITIVE);
}

/* An arrow or a bar over something makes a symbol of it. */
static struct value marked_value(const struct node *node, const struct evaluation *at)
{
    struct evaluation same = {.sign = 1, .work = at->work};
    struct value a = evaluate(node->child, &same);
    return a.rank >= VALUE_EXACT ? symbol_value(node->name ^ a.mod, at) : value_none();
}

struct value evaluate(const struct node *node, struct evaluation *at)
{
    if (!work_pay(at->work, 1)) return value_none();
    switch (node->kind) {
    case NODE_VALUE: return node->value;
    case NODE_VAR:
    case NODE_WORD: return symbol_value(node->name, at);
    case NODE_BASED: return symbol_value(node->name + (uint64_t)node->code, at);
    case NODE_OVER: return marked_value(node, at);
    case NODE_SUM: return sum_value(node, at);
    case NODE_PRODUCT: return product_value(node, at);
    case NODE_QUOTIENT: return ratio_value(node, at);
    case NODE_RATIO: return ratio_value(node, at);
    case NODE_INVERSE: return value_div(value_int(1), evaluate(node->child, at));
    case NODE_NEG: return value_neg(evaluate(node->child, at));
    case NODE_SIGN: return value_mul(value_int(node->code * at->sign), evaluate(node->child, at));
    case NODE_POWER: return power_value(node, at);
    case NODE_FUNCTION: return function_value(node, at);
    case NODE_ABS: return abs_value(evaluate(node->child, at));
    case NODE_FLOOR: return round_value(evaluate(node->child, at), floorl);
    case NODE_CEIL: return round_value(evaluate(node->child, at), ceill);
    case NODE_FACTORIAL: return factorial_value(evaluate(node->child, at), at->work);
    case NODE_BINOMIAL: return binomial_value(node, at);
    case NODE_DEGREE: return degree_value(node, at);
    case NODE_UNIT: return node->unit.letter ? value_none() : evaluate(node->child, at);
    default: return value_none();
    }
}
