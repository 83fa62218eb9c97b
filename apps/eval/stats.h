/*
 * Intervals. Those of a share are Wilson's; those of a comparison of two settings come from
 * resampling problems, with the results of both settings on a problem kept together, since a
 * problem that is hard for one is hard for the other. All at 95 %. The same input gives the same
 * interval: the seed is fixed.
 */
#ifndef EAD_EVAL_STATS_H
#define EAD_EVAL_STATS_H

#include <stddef.h>

enum { STATS_RESAMPLES = 10000 };

struct interval {
    double low, high; /* NaN: not defined */
};

/* Of hits / n. */
struct interval stats_wilson(size_t hits, size_t n);

/* Of sum(a) / sum(b), where a[i] and b[i] belong to one problem and none is negative. Resamples in
 * which b sums to 0 do not count. */
struct interval stats_ratio(const double *a, const double *b, size_t n);

/* Of mean(a - b). */
struct interval stats_difference(const double *a, const double *b, size_t n);

#endif
