#include "decode/policy/fit.h"

#include <math.h>
#include <stdint.h>

/* Bin b is from edges[b] on. Finer above, where most of the drafts are. */
static const double edges[FIT_BINS] = {0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9};

/* Counts that are none, as memory of somewhere else may be, are as if there were none. */
static void unpack(double counts, int bins[FIT_BINS])
{
    uint64_t bits = counts >= 0 && counts < 0x1p48 ? (uint64_t)counts : 0;
    for (int b = 0; b < FIT_BINS; b++, bits /= FIT_COUNT) bins[b] = (int)(bits % FIT_COUNT);
}

static double pack(const int bins[FIT_BINS])
{
    uint64_t bits = 0;
    for (int b = FIT_BINS; b-- > 0;) bits = bits * FIT_COUNT + (uint64_t)bins[b];
    return (double)bits;
}

double fit_count(double counts, double q)
{
    int bins[FIT_BINS], at = 0;
    unpack(counts, bins);
    while (at < FIT_BINS - 1 && q >= edges[at + 1]) at++;
    if (bins[at] == FIT_COUNT - 1)
        for (int b = 0; b < FIT_BINS; b++) bins[b] /= 2;
    bins[at]++;
    return pack(bins);
}

double fit_threshold(double kept, double refused, double standard)
{
    int good[FIT_BINS], bad[FIT_BINS], n_good = 0, n_bad = 0;
    unpack(kept, good);
    unpack(refused, bad);
    for (int b = 0; b < FIT_BINS; b++) n_good += good[b], n_bad += bad[b];
    if (!n_good || !n_bad || n_good + n_bad <= 5) return standard;
    double best = INFINITY, found = standard;
    for (int b = FIT_BINS - 1, above = 0, below = n_good; b >= 0; b--) {
        above += bad[b];
        below -= good[b];
        const double cost = (double)above / n_bad + 3.0 * below / n_good;
        if (cost < best) best = cost, found = edges[b];
    }
    return found;
}
