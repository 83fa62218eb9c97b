/* `ead bench`: one model by itself (bench.c), or a pair under a given schedule (bench_pair.c). */
#ifndef EAD_CLI_BENCH_H
#define EAD_CLI_BENCH_H

#include "cli/opening.h"

#include <stdbool.h>

struct bench_options {
    const char *model, *sizes;
    const char *large, *small, *replay;
    double share;
    double baseline; /* tokens per second of the large model elsewhere; 0: not given */
    int turn, prompt, depth;
    int decode; /* -1: not given */
    int threads, repeats, cpu, cache;
    struct opening opening;
    bool json;
};

/* The median of s[n], which it sorts. */
double bench_median(double *s, int n);

/* Time the pair; returns the exit status. */
int bench_pair(const struct bench_options *o);

#endif
