#include "eval/stats.h"

#include "base/rng.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static const struct interval undefined = {NAN, NAN};

struct interval stats_wilson(size_t hits, size_t n)
{
    const double z = 1.959963984540054; /* the normal distribution holds 95 % within */
    if (!n) return undefined;
    const double p = (double)hits / (double)n, zz = z * z / (double)n;
    const double middle = (p + zz / 2) / (1 + zz);
    const double half = z / (1 + zz) * sqrt(p * (1 - p) / (double)n + zz / (4 * (double)n));
    /* At the ends the formula gives 0 and 1 but for rounding. */
    return (struct interval){hits ? middle - half : 0, hits < n ? middle + half : 1};
}

struct sums {
    double a, b;
};

/* An index below n from 32 random bits: the upper half of their product. */
static size_t below(size_t n, uint64_t bits)
{
    return (size_t)(((bits & UINT32_MAX) * n) >> 32);
}

/* Sums over n problems drawn with replacement. A random number draws two of them, and each of the
 * two has sums of its own, which the processor adds side by side. */
static struct sums resample(const double *a, const double *b, size_t n, uint64_t *state)
{
    struct sums s = {0, 0}, t = {0, 0};
    for (size_t i = 1; i < n; i += 2) {
        const uint64_t bits = rng_bits(state);
        const size_t one = below(n, bits), two = below(n, bits >> 32);
        s.a += a[one];
        s.b += b[one];
        t.a += a[two];
        t.b += b[two];
    }
    if (n % 2) {
        const size_t last = below(n, rng_bits(state));
        s.a += a[last];
        s.b += b[last];
    }
    return (struct sums){s.a + t.a, s.b + t.b};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle 95 % of n values. */
static struct interval middle(double *values, size_t n)
{
    if (!n) return undefined;
    qsort(values, n, sizeof *values, by_value);
    const size_t cut = (size_t)(0.025 * (double)n);
    return (struct interval){values[cut], values[n - 1 - cut]};
}

struct interval stats_ratio(const double *a, const double *b, size_t n)
{
    double values[STATS_RESAMPLES];
    uint64_t state = 1;
    size_t found = 0;
    for (int i = 0; n && i < STATS_RESAMPLES; i++) {
        struct sums s = resample(a, b, n, &state);
        if (s.b > 0) values[found++] = s.a / s.b;
    }
    return middle(values, found);
}

struct interval stats_difference(const double *a, const double *b, size_t n)
{
    double values[STATS_RESAMPLES];
    uint64_t state = 1;
    for (int i = 0; n && i < STATS_RESAMPLES; i++) {
        struct sums s = resample(a, b, n, &state);
        values[i] = (s.a - s.b) / (double)n;
    }
    return middle(values, n ? STATS_RESAMPLES : 0);
}
