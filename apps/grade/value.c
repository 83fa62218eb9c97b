#include "grade/value.h"

#include <math.h>
#include <string.h>

/* 2^61 - 31: prime, and 1 modulo 4, so that -1 has a square root to stand for i. */
#define PRIME  UINT64_C(2305843009213693921)
#define ROOT_I UINT64_C(583529827753931384)

__extension__ typedef unsigned __int128 wide;

/* ---- residues ------------------------------------------------------------------------------ */

static uint64_t mod_add(uint64_t a, uint64_t b)
{
    return (a + b) % PRIME; /* both below 2^61 */
}

static uint64_t mod_neg(uint64_t a)
{
    return a ? PRIME - a : 0;
}

static uint64_t mod_mul(uint64_t a, uint64_t b)
{
    return (uint64_t)((wide)a * b % PRIME);
}

static uint64_t mod_pow(uint64_t a, uint64_t n)
{
    uint64_t power = 1;
    for (; n; n >>= 1, a = mod_mul(a, a))
        if (n & 1) power = mod_mul(power, a);
    return power;
}

static uint64_t mod_inverse(uint64_t a)
{
    return mod_pow(a, PRIME - 2);
}

static uint64_t mod_int(int64_t n)
{
    return n < 0 ? mod_neg((0 - (uint64_t)n) % PRIME) : (uint64_t)n % PRIME;
}

/* ---- making -------------------------------------------------------------------------------- */

struct value value_int(int64_t n)
{
    return (struct value){true, true, mod_int(n), n, 1, (long double)n};
}

struct value value_none(void)
{
    return (struct value){.z = NAN};
}

struct value value_i(void)
{
    return (struct value){.exact = true, .mod = ROOT_I, .z = I};
}

struct value value_real(long double x)
{
    return (struct value){.z = x};
}

/* Bits that look random, from bits that do not: the finaliser of splitmix64. */
static uint64_t scatter(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Of a size between 1/4 and 9/4, at one point up to 18: powers stay in reach, and |x - 3| is x - 3
 * at some points and 3 - x at others. */
struct value value_sample(uint64_t name, unsigned point, bool positive)
{
    const uint64_t bits = scatter(scatter(name) + point);
    const long double size =
        (0.25L + (long double)(bits >> 12) * 0x1p-51L) * (point % 3 == 2 ? 8 : 1);
    return (struct value){
        .exact = true, .mod = scatter(bits) % PRIME, .z = !positive && (bits & 1) ? -size : size};
}

/* Digits of [from, to) without '.', as an integer; *scale is ten to the number behind the '.'. */
static struct value digits_value(const char *digits, size_t n, struct value *scale)
{
    struct value all = value_int(0);
    bool behind = false;
    *scale = value_int(1);
    for (size_t i = 0; i < n; i++) {
        if (digits[i] == '.') {
            behind = true;
            continue;
        }
        all = value_add(value_mul(all, value_int(10)), value_int(digits[i] - '0'));
        if (behind) *scale = value_mul(*scale, value_int(10));
    }
    return all;
}

/* With a the digits before the period of r digits and b all of them, the number times 10^r minus
 * itself is whole: (b - a) / (10^(scale of b) - 10^(scale of a)). */
struct value value_decimal(const char *digits, size_t n, size_t repeat)
{
    struct value scale, before_scale;
    struct value all = digits_value(digits, n, &scale);
    if (repeat >= n) return value_div(all, scale);
    struct value before = digits_value(digits, repeat, &before_scale);
    return value_div(value_add(all, value_neg(before)), value_add(scale, value_neg(before_scale)));
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

/* n / d in lowest terms as the small form of `a`, or none when it does not fit. */
static void set_small(struct value *a, int64_t n, int64_t d, bool overflow)
{
    a->small = !overflow && d && n != INT64_MIN && d != INT64_MIN;
    if (!a->small) return;
    const int64_t common = gcd(n, d), sign = d < 0 ? -1 : 1;
    a->n = n / common * sign;
    a->d = d / common * sign;
}

struct value value_add(struct value a, struct value b)
{
    struct value sum = {.exact = a.exact && b.exact, .z = a.z + b.z};
    if (sum.exact) sum.mod = mod_add(a.mod, b.mod);
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
    a.mod = mod_neg(a.mod);
    a.n = -a.n; /* never INT64_MIN: set_small */
    a.z = -a.z;
    return a;
}

struct value value_mul(struct value a, struct value b)
{
    struct value product = {.exact = a.exact && b.exact, .z = a.z * b.z};
    if (product.exact) product.mod = mod_mul(a.mod, b.mod);
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
    struct value out = {.exact = a.exact && a.mod, .z = 1 / a.z};
    if (out.exact) out.mod = mod_inverse(a.mod);
    if (a.small) set_small(&out, a.d, a.n, false);
    return out;
}

struct value value_div(struct value a, struct value b)
{
    return value_is_zero(b) ? value_none() : value_mul(a, inverse(b));
}

/* ---- powers -------------------------------------------------------------------------------- */

static struct value small_power(struct value a, uint64_t n)
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
    struct value power = small_power(a, (uint64_t)n);
    if (!a.exact && value_is_real(a)) power.z = powl(creall(a.z), (long double)n);
    return power;
}

/* The whole number whose power n is x >= 0; -1 when there is none. */
static int64_t whole_root(int64_t x, int64_t n)
{
    if (n > 62) return x > 1 ? -1 : x;
    const int64_t near = (int64_t)roundl(powl((long double)x, 1 / (long double)n));
    struct value power = small_power(value_int(near), (uint64_t)n);
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

static struct value root_power(struct value a, struct value b)
{
    struct value root;
    if (exact_root(a, b.d, &root)) return whole_power(root, b.n);
    const long double exponent = (long double)b.n / (long double)b.d;
    if (!value_is_real(a)) return (struct value){.z = cpowl(a.z, exponent)};
    const long double x = creall(a.z);
    if (x >= 0) return value_real(powl(x, exponent));
    if (b.d % 2) return value_real((b.n % 2 ? -1 : 1) * powl(-x, exponent));
    return (struct value){.z = powl(-x, exponent) * cexpl(I * acosl(-1) * exponent)};
}

struct value value_pow(struct value a, struct value b)
{
    if (b.small && b.d == 1) return whole_power(a, b.n);
    if (value_is_zero(a)) return value_is_real(b) && creall(b.z) > 0 ? value_int(0) : value_none();
    if (b.small) return root_power(a, b);
    if (value_is_real(a) && creall(a.z) > 0 && value_is_real(b))
        return value_real(powl(creall(a.z), creall(b.z)));
    return (struct value){.z = cpowl(a.z, b.z)};
}

/* ---- comparing ----------------------------------------------------------------------------- */

bool value_is_real(struct value a)
{
    return fabsl(cimagl(a.z)) <= 1e-15L * fabsl(creall(a.z)) || a.z == 0;
}

bool value_is_zero(struct value a)
{
    return a.exact ? !a.mod : cabsl(a.z) < 1e-17L;
}

/* A rational against an irrational must agree to the last bits: 1.414213562 is not a root. */
bool value_equal(struct value a, struct value b)
{
    if (a.exact && b.exact) return a.mod == b.mod;
    const long double size = fmaxl(cabsl(a.z), cabsl(b.z));
    const long double slack = a.exact != b.exact ? 1e-16L : 1e-13L;
    return isfinite(size) && cabsl(a.z - b.z) <= slack * size + 1e-17L;
}
