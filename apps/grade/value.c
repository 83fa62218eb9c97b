#include "grade/value.h"

#include "grade/residue.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A step rounds by at most ULP of its result. Two numbers are the same when they are no further
 * apart than SLACK times what all steps together may have rounded; a number smaller than its error
 * is zero as far as anyone can tell. */
#define ULP   (8 * LDBL_EPSILON)
#define SLACK 32
/* What is smaller than this many errors cannot be seen in a sum. */
#define BLUR 1000
/* An error above this share of the number leaves nothing to compare. */
#define COARSE 1e-9L

/* ---- making -------------------------------------------------------------------------------- */

struct value value_int(int64_t n)
{
    return (struct value){.rank = VALUE_RATIONAL,
                          .small = true,
                          .mod = residue_int(n),
                          .n = n,
                          .d = 1,
                          .z = (long double)n};
}

struct value value_none(void)
{
    return (struct value){.z = NAN};
}

struct value value_i(void)
{
    return (struct value){.rank = VALUE_EXACT, .mod = residue_i(), .z = I};
}

struct value value_constant(uint64_t name, long double x)
{
    return (struct value){
        .rank = VALUE_EXACT, .mod = residue_scatter(name), .z = x, .error = ULP * x};
}

/* Sizes between 1/4 and 9/4, of some points larger and smaller: powers stay in reach, |x - 3| is
 * x - 3 at some points and 3 - x at others, and what is defined between -1 and 1 or above 20 has
 * points as well. */
struct value value_sample(uint64_t name, unsigned point, bool positive)
{
    static const int scale[] = {0, 0, 3, 0, -3, 0, 3, -3, 6, 0, -6, 3};
    const uint64_t bits = residue_bits(residue_bits(name) + point);
    const long double size = ldexpl(0.25L + (long double)(bits >> 12) * 0x1p-51L,
                                    scale[point % (sizeof scale / sizeof *scale)]);
    return (struct value){.rank = VALUE_EXACT,
                          .mod = residue_scatter(bits),
                          .z = !positive && (bits & 1) ? -size : size};
}

/* The name of what `a` becomes by something that is no sum and no product. */
static uint64_t renamed(uint64_t name, struct value a)
{
    return residue_scatter(name ^ residue_bits(a.mod));
}

/* Without the floating form where it is useless: too coarse, or out of range. A sum of about zero
 * is none of these. */
static struct value sharp(struct value a, long double size)
{
    if (!(a.error <= COARSE * size) || !isfinite(cabsl(a.z))) a.z = NAN;
    return a;
}

static bool zeroish(struct value a)
{
    return cabsl(a.z) <= SLACK * a.error;
}

/* ---- small fractions ----------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* n / d in lowest terms as the small form of `a`, or none when it does not fit. The floating form
 * follows it. */
static void set_small(struct value *a, int64_t n, int64_t d, bool overflow)
{
    a->small = !overflow && d && n != INT64_MIN && d != INT64_MIN;
    if (!a->small) return;
    const int64_t common = gcd(n, d), sign = d < 0 ? -1 : 1;
    a->n = n / common * sign;
    a->d = d / common * sign;
    a->z = (long double)a->n / (long double)a->d;
    a->error = a->d == 1 ? 0 : ULP * cabsl(a->z);
}

static enum value_rank lower(struct value a, struct value b)
{
    return a.rank < b.rank ? a.rank : b.rank;
}

/* Does a term of a sum with this error vanish in it, though it is not zero? */
static bool drowns(struct value term, long double error)
{
    return !zeroish(term) && cabsl(term.z) <= BLUR * error;
}

struct value value_add(struct value a, struct value b)
{
    struct value sum = {.rank = lower(a, b), .mod = residue_add(a.mod, b.mod), .z = a.z + b.z};
    sum.irrational =
        (a.irrational && b.rank == VALUE_RATIONAL) || (b.irrational && a.rank == VALUE_RATIONAL);
    sum.error = a.error + b.error + ULP * cabsl(sum.z);
    if (drowns(a, sum.error) || drowns(b, sum.error)) sum.z = NAN;
    if (a.small && b.small) {
        int64_t left, right, n, d;
        bool over = __builtin_mul_overflow(a.n, b.d, &left);
        over |= __builtin_mul_overflow(b.n, a.d, &right);
        over |= __builtin_add_overflow(left, right, &n);
        over |= __builtin_mul_overflow(a.d, b.d, &d);
        set_small(&sum, n, d, over);
    }
    return sum;
}

struct value value_neg(struct value a)
{
    a.mod = residue_neg(a.mod);
    a.n = -a.n; /* never INT64_MIN: set_small */
    a.z = -a.z;
    return a;
}

/* A product of long doubles that left their range. */
static bool underflows(struct value a, struct value b, struct value product)
{
    return cabsl(product.z) < LDBL_MIN && !zeroish(a) && !zeroish(b);
}

struct value value_mul(struct value a, struct value b)
{
    struct value product = {.rank = lower(a, b), .mod = residue_mul(a.mod, b.mod), .z = a.z * b.z};
    product.irrational = (a.irrational && b.rank == VALUE_RATIONAL && b.mod) ||
                         (b.irrational && a.rank == VALUE_RATIONAL && a.mod);
    product.error = cabsl(a.z) * b.error + cabsl(b.z) * a.error + ULP * cabsl(product.z);
    if (underflows(a, b, product) || !isfinite(cabsl(product.z))) product.z = NAN;
    if (a.small && b.small) {
        int64_t n, d;
        bool over = __builtin_mul_overflow(a.n, b.n, &n);
        over |= __builtin_mul_overflow(a.d, b.d, &d);
        set_small(&product, n, d, over);
    }
    return product;
}

static struct value inverse(struct value a)
{
    struct value out = {.rank = a.rank, .irrational = a.irrational, .z = 1 / a.z};
    out.mod = a.mod ? residue_inverse(a.mod) : renamed(1, a);
    out.error = cabsl(out.z) * (a.error / cabsl(a.z) + ULP);
    if (a.small) set_small(&out, a.d, a.n, false);
    return sharp(out, cabsl(out.z));
}

struct value value_div(struct value a, struct value b)
{
    return value_is_zero(b) ? value_none() : value_mul(a, inverse(b));
}

/* ---- decimals ------------------------------------------------------------------------------ */

/* The floating form of a long number is rounded, and keeps its place among others, unless it became
 * a whole number that it is not: 1 + 10^-30 with its thirty zeros. */
static struct value rounded(struct value a, long double z)
{
    const long double near = roundl(z);
    if (a.small) return a;
    a.z = z;
    a.error = ULP * fabsl(z);
    if (fabsl(z - near) <= SLACK * a.error && fabsl(near) < 0x1p62L &&
        residue_int((int64_t)near) != a.mod)
        a.z = NAN;
    return a;
}

/* The digits without '.', as an integer; *scale is ten to the number behind the '.'. */
static struct value digits_value(const char *digits, size_t n, struct value *scale)
{
    const struct value ten = value_int(10);
    struct value all = value_int(0);
    long double z = 0, places = 1;
    bool behind = false;
    *scale = value_int(1);
    for (size_t i = 0; i < n; i++) {
        if (digits[i] == '.') {
            behind = true;
            continue;
        }
        all = value_add(value_mul(all, ten), value_int(digits[i] - '0'));
        z = 10 * z + (digits[i] - '0');
        if (behind) *scale = value_mul(*scale, ten), places *= 10;
    }
    if (!all.small) all.z = z, all.error = ULP * z;
    if (!scale->small) scale->z = places, scale->error = ULP * places;
    return all;
}

/* With a the digits before the period of r digits and b all of them, the number times 10^r minus
 * itself is whole: (b - a) / (10^(scale of b) - 10^(scale of a)). */
struct value value_decimal(const char *digits, size_t n, size_t repeat)
{
    struct value scale, before_scale;
    struct value all = digits_value(digits, n, &scale);
    const struct value plain = value_div(all, scale);
    const struct value about = rounded(plain, creall(all.z) / creall(scale.z));
    if (repeat >= n) return about;
    struct value before = digits_value(digits, repeat, &before_scale);
    all = value_add(all, value_neg(before));
    scale = value_add(scale, value_neg(before_scale));
    return rounded(value_div(all, scale), creall(about.z));
}

/* ---- powers -------------------------------------------------------------------------------- */

static struct value repeated(struct value a, uint64_t n)
{
    struct value power = value_int(1);
    for (; n; n >>= 1) {
        if (n & 1) power = value_mul(power, a);
        if (n > 1) a = value_mul(a, a);
    }
    return power;
}

static struct value whole_power(struct value a, int64_t n)
{
    if (n < 0) return value_div(value_int(1), whole_power(a, -n));
    struct value power = repeated(a, (uint64_t)n);
    if (power.small || !value_is_real(a) || zeroish(a)) return power;
    power.z = powl(creall(a.z), (long double)n);
    power.error = cabsl(power.z) * ((long double)n * a.error / cabsl(a.z) + ULP);
    if (cabsl(power.z) < LDBL_MIN) power.z = NAN;
    return sharp(power, cabsl(power.z));
}

/* The whole number whose power n is x >= 0; -1 when there is none. */
static int64_t whole_root(int64_t x, int64_t n)
{
    if (n > 62) return x > 1 ? -1 : x;
    const int64_t near = (int64_t)roundl(powl((long double)x, 1 / (long double)n));
    struct value power = repeated(value_int(near), (uint64_t)n);
    return power.small && power.n == x ? near : -1;
}

/* Root n > 1 of a fraction that has one; false when it is irrational or not real. */
static bool exact_root(struct value a, int64_t n, struct value *root)
{
    if (!a.small || (a.n < 0 && n % 2 == 0)) return false;
    const int64_t top = whole_root(a.n < 0 ? -a.n : a.n, n), bottom = whole_root(a.d, n);
    if (top < 0 || bottom < 0) return false;
    *root = value_div(value_int(a.n < 0 ? -top : top), value_int(bottom));
    return true;
}

/* The whole root of a number too long for a fraction, proved by its residue. What merely rounds to
 * the power of a whole number loses its floating form. */
static bool long_root(struct value *a, int64_t n, struct value *root)
{
    if (a->rank != VALUE_RATIONAL || a->small || !value_is_real(*a)) return false;
    const long double x = creall(a->z), near = roundl(powl(fabsl(x), 1 / (long double)n));
    if (!(near < 0x1p62L) || (x < 0 && n % 2 == 0)) {
        a->z = NAN;
        return false;
    }
    *root = value_int(x < 0 ? -(int64_t)near : (int64_t)near);
    if (residue_pow(root->mod, (uint64_t)n) == a->mod) return true;
    if (fabsl(powl(near, (long double)n) - fabsl(x)) <= SLACK * a->error) a->z = NAN;
    return false;
}

/* a to the power n / d in floating numbers, with a real root where there is one. */
static long double complex float_root(struct value a, struct value b)
{
    const long double exponent = (long double)b.n / (long double)b.d, x = creall(a.z);
    if (!value_is_real(a)) return cpowl(a.z, exponent);
    if (x >= 0) return powl(x, exponent);
    if (b.d % 2) return (b.n % 2 ? -1 : 1) * powl(-x, exponent);
    return powl(-x, exponent) * cexpl(I * acosl(-1) * exponent);
}

static uint64_t power_name(struct value a, struct value b)
{
    return renamed(residue_bits(b.mod) + 2, a);
}

static struct value root_power(struct value a, struct value b)
{
    struct value root;
    if (exact_root(a, b.d, &root) || long_root(&a, b.d, &root)) return whole_power(root, b.n);
    struct value out = {.rank = VALUE_FLOAT, .mod = power_name(a, b), .z = float_root(a, b)};
    const long double steps = fabsl((long double)b.n / (long double)b.d);
    out.irrational = a.small && (a.n >= 0 || b.d % 2);
    out.error = cabsl(out.z) * (steps * a.error / cabsl(a.z) + ULP);
    if (cabsl(out.z) < LDBL_MIN) out.z = NAN;
    return sharp(out, cabsl(out.z));
}

/* exp(b ln a). Where b ln a is too near zero the power is 1 in floating numbers, and is not. */
static struct value free_power(struct value a, struct value b)
{
    const bool real = value_is_real(a) && creall(a.z) > 0 && value_is_real(b);
    const long double complex log_a = clogl(a.z);
    struct value out = {.rank = VALUE_FLOAT, .mod = power_name(a, b)};
    out.z = real ? (long double complex)powl(creall(a.z), creall(b.z)) : cpowl(a.z, b.z);
    out.error = cabsl(out.z) * (cabsl(log_a) * b.error + cabsl(b.z) * a.error / cabsl(a.z) + ULP);
    if (cabsl(b.z * log_a) <= BLUR * ULP && !zeroish(b) && cabsl(a.z - 1) > SLACK * a.error)
        out.z = NAN;
    if (cabsl(out.z) < LDBL_MIN) out.z = NAN;
    return sharp(out, cabsl(out.z));
}

struct value value_pow(struct value a, struct value b)
{
    if (!a.rank || !b.rank) return value_none();
    if (b.small && b.d == 1) return whole_power(a, b.n);
    if (value_is_zero(a)) return value_is_real(b) && creall(b.z) > 0 ? value_int(0) : value_none();
    if (a.small && a.n == 1 && a.d == 1) return a;
    return b.small ? root_power(a, b) : free_power(a, b);
}

/* ---- functions ----------------------------------------------------------------------------- */

struct value value_log(struct value a)
{
    if (!a.rank || value_is_zero(a)) return value_none();
    struct value out = {.rank = VALUE_FLOAT, .mod = renamed(3, a)};
    const long double x = creall(a.z);
    if (a.small && a.n == a.d) return value_int(0);
    if (value_is_real(a))
        out.z = x > 0 ? (long double complex)logl(x) : logl(-x) + I * acosl(-1);
    else
        out.z = clogl(a.z);
    out.error = a.error / cabsl(a.z) + ULP * cabsl(out.z);
    return sharp(out, 1);
}

/* How much f changes where its argument does by a thousandth tells how much an error there matters,
 * and whether the result depends on the argument at all: the cosine of 10^-20 is 1 in floating
 * numbers, whatever the argument was. */
struct value value_apply(uint64_t name, long double complex (*f)(long double complex),
                         struct value a)
{
    if (!a.rank) return value_none();
    struct value out = {.rank = VALUE_FLOAT, .mod = renamed(name, a), .z = f(a.z)};
    const long double step = zeroish(a) ? 1e-3L : 1e-3L * cabsl(a.z);
    const long double change = cabsl(f(a.z + step) - out.z), size = cabsl(out.z);
    if (!isfinite(size)) return isnan(creall(a.z)) ? out : value_none();
    out.error = 2 * change / step * a.error + ULP * (size > 0 ? size : 1);
    if (a.error > COARSE || (!zeroish(a) && change <= BLUR * ULP * size)) out.z = NAN;
    return sharp(out, size > 1 ? size : 1);
}

/* ---- comparing ----------------------------------------------------------------------------- */

bool value_is_real(struct value a)
{
    return fabsl(cimagl(a.z)) <= 1e-15L * fabsl(creall(a.z)) + SLACK * a.error;
}

bool value_is_zero(struct value a)
{
    return a.rank && (!a.mod || (a.rank == VALUE_FLOAT && zeroish(a)));
}

bool value_is_negative(struct value a)
{
    return value_is_real(a) && creall(a.z) < 0 && !zeroish(a);
}

/* By floating numbers. Two that rounding alone holds together, one of them surely not zero, are
 * nothing to go by. */
static enum value_verdict near(struct value a, struct value b)
{
    const long double size = fmaxl(cabsl(a.z), cabsl(b.z)), slack = SLACK * (a.error + b.error);
    if (isnan(creall(a.z)) || isnan(creall(b.z))) return VALUE_UNTOLD;
    if (!(cabsl(a.z - b.z) <= slack)) return VALUE_DIFFERENT;
    return slack <= COARSE * size || (zeroish(a) && zeroish(b)) ? VALUE_SAME : VALUE_UNTOLD;
}

enum value_verdict value_compare(struct value a, struct value b)
{
    if (!a.rank || !b.rank) return VALUE_DIFFERENT;
    if (a.small && b.small) return a.n == b.n && a.d == b.d ? VALUE_SAME : VALUE_DIFFERENT;
    if (a.mod == b.mod) return VALUE_SAME;
    if (lower(a, b) >= VALUE_EXACT) return VALUE_DIFFERENT;
    if ((a.irrational && b.rank == VALUE_RATIONAL) || (b.irrational && a.rank == VALUE_RATIONAL))
        return VALUE_DIFFERENT;
    return near(a, b);
}

bool value_equal(struct value a, struct value b)
{
    return value_compare(a, b) == VALUE_SAME;
}
