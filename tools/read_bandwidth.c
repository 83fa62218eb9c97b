/*
 * The memory floor of decoding: how fast threads read one large buffer, each a contiguous part.
 *
 *     cc -O3 -march=native -fopenmp tools/read_bandwidth.c -o read_bandwidth && ./read_bandwidth 2
 */
#define _GNU_SOURCE
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 17, RUNS = 9 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    const size_t bytes = (size_t)1 << 30;
    const int threads = argc > 1 ? atoi(argv[1]) : omp_get_max_threads();
    uint64_t *data = aligned_alloc(1 << 21, bytes);
    double rate[RUNS];
    uint64_t sum = 0;
    if (!data || threads < 1) return 1;
    memset(data, 1, bytes);
    for (int run = 0; run < RUNS; run++) {
        double start = omp_get_wtime();
#pragma omp parallel for schedule(dynamic) num_threads(threads) reduction(+ : sum)
        for (size_t at = 0; at < bytes / PIECE; at++) {
            const uint64_t *piece = data + at * (PIECE / sizeof *data);
            for (size_t i = 0; i < PIECE / sizeof *data; i++) sum += piece[i];
        }
        rate[run] = (double)bytes / (omp_get_wtime() - start) / 1e9;
    }
    qsort(rate, RUNS, sizeof *rate, by_value);
    printf("%d threads: %.1f GB/s (%.1f to %.1f) [%u]\n", threads, rate[RUNS / 2], rate[0],
           rate[RUNS - 1], (unsigned)(sum & 1));
    return 0;
}
