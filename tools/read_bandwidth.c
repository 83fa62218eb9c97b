/*
 * The memory floor of decoding: how fast threads read one large buffer in huge pages, each a
 * contiguous stretch, with and without prefetch into the L2 cache. The fastest is the floor.
 *
 *     cc -O3 -march=native -fopenmp tools/read_bandwidth.c -o read_bandwidth && ./read_bandwidth 2
 */
#define _GNU_SOURCE
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECE = 1 << 17, RUNS = 9 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sum of a piece, asking for what lies `ahead` bytes further on. */
static uint64_t read_piece(const uint64_t *piece, size_t ahead)
{
    enum { LINE = 64 / sizeof *piece };
    uint64_t sum = 0;
    for (size_t i = 0; i < PIECE / sizeof *piece; i += LINE) {
        if (ahead) __builtin_prefetch(piece + i + ahead / sizeof *piece, 0, 2);
        for (size_t j = 0; j < LINE; j++) sum += piece[i + j];
    }
    return sum;
}

static void bench(const uint64_t *data, size_t bytes, int threads, size_t ahead)
{
    double rate[RUNS];
    uint64_t sum = 0;
    for (int run = 0; run < RUNS; run++) {
        double start = omp_get_wtime();
#pragma omp parallel for schedule(dynamic) num_threads(threads) reduction(+ : sum)
        for (size_t at = 0; at < bytes / PIECE; at++)
            sum += read_piece(data + at * (PIECE / sizeof *data), ahead);
        rate[run] = (double)bytes / (omp_get_wtime() - start) / 1e9;
    }
    qsort(rate, RUNS, sizeof *rate, by_value);
    printf("%d threads, %4zu bytes ahead: %.1f GB/s (%.1f to %.1f) [%u]\n", threads, ahead,
           rate[RUNS / 2], rate[0], rate[RUNS - 1], (unsigned)(sum & 1));
}

int main(int argc, char **argv)
{
    static const size_t ahead[] = {0, 2048, 8192};
    const size_t bytes = (size_t)1 << 30;
    const int threads = argc > 1 ? atoi(argv[1]) : omp_get_max_threads();
    uint64_t *data = aligned_alloc(1 << 21, bytes);
    if (!data || threads < 1) return 1;
    madvise(data, bytes, MADV_HUGEPAGE);
    memset(data, 1, bytes);
    for (size_t i = 0; i < sizeof ahead / sizeof *ahead; i++) bench(data, bytes, threads, ahead[i]);
    return 0;
}
