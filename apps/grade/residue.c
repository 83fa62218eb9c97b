#include "grade/residue.h"

#include <stdbool.h>
#include <stddef.h>

__extension__ typedef unsigned __int128 wide;

/* The prime in use, and a root of -1 in it. At first 2^61 - 31. */
static _Thread_local struct {
    uint64_t prime, root;
} field = {UINT64_C(2305843009213693921), UINT64_C(583529827753931384)};

uint64_t residue_bits(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

static uint64_t mul_mod(uint64_t a, uint64_t b, uint64_t m)
{
    return (uint64_t)((wide)a * b % m);
}

static uint64_t pow_mod(uint64_t a, uint64_t n, uint64_t m)
{
    uint64_t power = 1;
    for (; n; n >>= 1, a = mul_mod(a, a, m))
        if (n & 1) power = mul_mod(power, a, m);
    return power;
}

uint64_t residue_int(int64_t n)
{
    return n < 0 ? residue_neg((0 - (uint64_t)n) % field.prime) : (uint64_t)n % field.prime;
}

uint64_t residue_i(void)
{
    return field.root;
}

uint64_t residue_scatter(uint64_t bits)
{
    return residue_bits(bits) % field.prime;
}

uint64_t residue_add(uint64_t a, uint64_t b)
{
    return (a + b) % field.prime; /* both below 2^61 */
}

uint64_t residue_neg(uint64_t a)
{
    return a ? field.prime - a : 0;
}

uint64_t residue_mul(uint64_t a, uint64_t b)
{
    return mul_mod(a, b, field.prime);
}

uint64_t residue_pow(uint64_t a, uint64_t n)
{
    return pow_mod(a, n, field.prime);
}

/* Euclid's algorithm, keeping of each remainder the factor that makes it of `a`. */
uint64_t residue_inverse(uint64_t a)
{
    int64_t before = (int64_t)field.prime, rest = (int64_t)a, factor_before = 0, factor = 1;
    while (rest > 1) {
        const int64_t times = before / rest, next = before % rest;
        const int64_t next_factor = factor_before - times * factor;
        before = rest, rest = next;
        factor_before = factor, factor = next_factor;
    }
    return factor < 0 ? field.prime - (uint64_t)-factor : (uint64_t)factor;
}

/* ---- choosing the prime -------------------------------------------------------------------- */

/* Miller's and Rabin's test of n = 2^k q + 1 with q odd, for one base. */
static bool may_be_prime(uint64_t n, uint64_t base)
{
    uint64_t q = n - 1;
    int k = 0;
    for (; q % 2 == 0; q /= 2) k++;
    uint64_t x = pow_mod(base, q, n);
    if (x == 1 || x == n - 1) return true;
    while (--k > 0) {
        x = mul_mod(x, x, n);
        if (x == n - 1) return true;
    }
    return false;
}

/* Composites that pass for all of these bases are far rarer than collisions of residues. */
static bool is_prime(uint64_t n)
{
    static const uint64_t small[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (n % small[i] == 0) return false;
    return may_be_prime(n, 2) && may_be_prime(n, 3) && may_be_prime(n, 5) && may_be_prime(n, 7);
}

/* A number without a square root, to the power (p - 1) / 4, is a root of -1. */
static uint64_t root_of_minus_one(uint64_t prime)
{
    for (uint64_t a = 2;; a++) {
        const uint64_t root = pow_mod(a, (prime - 1) / 4, prime);
        if (mul_mod(root, root, prime) == prime - 1) return root;
    }
}

void residue_begin(uint64_t seed)
{
    uint64_t n;
    do {
        seed = residue_bits(seed);
        n = (UINT64_C(1) << 60) | (seed >> 4 & ~UINT64_C(3)) | 1;
    } while (!is_prime(n));
    field.prime = n;
    field.root = root_of_minus_one(n);
}
