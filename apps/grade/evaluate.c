#include "grade/evaluate.h"

#include <math.h>

enum { FACTORIAL_MAX = 300 };
static const long double PI = 3.14159265358979323846264338327950288L;

/* ---- functions ----------------------------------------------------------------------------- */

static long double complex trigonometric(int code, long double complex z)
{
    switch (code) {
    case FUNCTION_SIN: return csinl(z);
    case FUNCTION_COS: return ccosl(z);
    case FUNCTION_TAN: return ctanl(z);
    case FUNCTION_COT: return 1 / ctanl(z);
    case FUNCTION_SEC: return 1 / ccosl(z);
    case FUNCTION_CSC: return 1 / csinl(z);
    case FUNCTION_ARCSIN: return casinl(z);
    case FUNCTION_ARCCOS: return cacosl(z);
    case FUNCTION_ARCTAN: return catanl(z);
    case FUNCTION_SINH: return csinhl(z);
    case FUNCTION_COSH: return ccoshl(z);
    case FUNCTION_TANH: return ctanhl(z);
    case FUNCTION_CIS: return cexpl(I * z);
    default: return NAN;
    }
}

static struct value logarithm(struct value a, struct evaluation *at)
{
    if (value_is_zero(a)) return value_none();
    if (!value_is_real(a)) return (struct value){.z = clogl(a.z)};
    if (creall(a.z) > 0) return value_real(logl(creall(a.z)));
    at->branch = true;
    return (struct value){.z = logl(-creall(a.z)) + I * PI};
}

static struct value function_value(const struct node *node, struct evaluation *at)
{
    const bool angle = node->code < FUNCTION_LOG || node->code == FUNCTION_CIS;
    at->angles += angle;
    struct value a = evaluate(node->child, at);
    at->angles -= angle;
    if (node->code == FUNCTION_EXP) return (struct value){.z = cexpl(a.z)};
    if (node->code == FUNCTION_LN) return logarithm(a, at);
    if (node->code != FUNCTION_LOG) return (struct value){.z = trigonometric(node->code, a.z)};
    struct value base = node->child->next ? evaluate(node->child->next, at) : value_int(10);
    return value_div(logarithm(a, at), logarithm(base, at));
}

static struct value power_value(const struct node *node, struct evaluation *at)
{
    struct value base = evaluate(node->child, at), exponent = evaluate(node->child->next, at);
    if (value_is_real(base) && creall(base.z) < 0 && !(exponent.small && exponent.d % 2))
        at->branch = true;
    return value_pow(base, exponent);
}

static struct value abs_value(struct value a)
{
    if (!value_is_real(a)) return value_real(cabsl(a.z));
    return creall(a.z) < 0 ? value_neg(a) : a;
}

static struct value round_value(struct value a, long double (*towards)(long double))
{
    if (!value_is_real(a) || fabsl(creall(a.z)) > 1e15L) return value_none();
    return value_int((int64_t)towards(creall(a.z)));
}

/* a (a - 1) ... (a - n + 1) */
static struct value falling(struct value a, int64_t n)
{
    struct value product = value_int(1);
    for (int64_t i = 0; i < n; i++) product = value_mul(product, value_add(a, value_int(-i)));
    return product;
}

static bool countable(struct value a)
{
    return a.small && a.d == 1 && a.n >= 0 && a.n <= FACTORIAL_MAX;
}

static struct value factorial_value(struct value a)
{
    if (countable(a)) return falling(a, a.n);
    if (!value_is_real(a) || a.small) return value_none();
    return value_real(tgammal(creall(a.z) + 1));
}

static struct value binomial_value(const struct node *node, struct evaluation *at)
{
    struct value n = evaluate(node->child, at), k = evaluate(node->child->next, at);
    if (countable(k)) return value_div(falling(n, k.n), falling(k, k.n));
    return value_div(factorial_value(n),
                     value_mul(factorial_value(k), factorial_value(value_add(n, value_neg(k)))));
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
    return at->angles ? value_mul(a, value_real(PI / 180)) : a;
}

static struct value symbol_value(uint64_t name, const struct evaluation *at)
{
    return value_sample(name, at->point, at->point < POINTS_POSITIVE);
}

/* An arrow or a bar over something makes a symbol of it. */
static struct value marked_value(const struct node *node, const struct evaluation *at)
{
    struct evaluation same = {.sign = 1};
    struct value a = evaluate(node->child, &same);
    return a.exact ? symbol_value(node->name ^ a.mod, at) : value_none();
}

struct value evaluate(const struct node *node, struct evaluation *at)
{
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
    case NODE_FACTORIAL: return factorial_value(evaluate(node->child, at));
    case NODE_BINOMIAL: return binomial_value(node, at);
    case NODE_DEGREE: return degree_value(node, at);
    case NODE_UNIT: return node->unit.letter ? value_none() : evaluate(node->child, at);
    default: return value_none();
    }
}
