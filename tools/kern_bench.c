/*
 * Integer throughput of the kernels alone: one thread, packed weights that stay in the caches,
 * every level of this machine.
 *
 *     cc -O2 -march=native -D_GNU_SOURCE -Isrc tools/kern_bench.c build/libead_inside.a \
 *         build/libead_base.a -pthread -lm -o kern_bench
 *     ./kern_bench Q4_0 [OUTPUTS INPUTS]     operations per nanosecond (10^9 per second), by rows
 *
 * The peak is that of dot products with no loads, where the compiler knows AVX-512 VNNI. An
 * operation is a multiplication or an addition; the best of several tries counts.
 */
#include "base/clock.h"
#include "kern/kern_pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { TRIES = 15, ROWS_MAX = 64 };
static const double TRY_SECONDS = 0.01;

static double now(void)
{
    return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

static void *room(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) exit(1);
    return p;
}

#if defined(__AVX512VNNI__)
#include <immintrin.h>

static double peak(void)
{
    enum { CHAINS = 16, AT_ONCE = 16, STEPS = 1 << 22 };
    volatile int sink = 0;
    double best = 0;
    for (int t = 0; t < TRIES; t++) {
        __m512i sum[CHAINS], code = _mm512_set1_epi8(3), q = _mm512_set1_epi8(2);
        for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_set1_epi32(c);
        const double start = now();
        /* Many at a time: the compiler may move all sums once around. */
        for (int i = 0; i < STEPS; i += AT_ONCE) {
#pragma GCC unroll 16
            for (int j = 0; j < AT_ONCE; j++)
#pragma GCC unroll 16
                for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_dpbusd_epi32(sum[c], code, q);
        }
        const double rate = 128.0 * CHAINS * STEPS / (now() - start);
        for (int c = 0; c < CHAINS; c++) sink += _mm512_reduce_add_epi32(sum[c]);
        best = rate > best ? rate : best;
    }
    return best;
}
#else
static double peak(void)
{
    return 0;
}
#endif

static double rate(const struct kern *k, const struct kern_weight *w, struct kern_q8 q, int n,
                   float *y)
{
    double best = 0;
    for (int t = 0; t < TRIES; t++) {
        const double start = now();
        int times = 0;
        do {
            k->matmul(w, q, n, 0, w->rows, y, (size_t)w->rows);
            times++;
        } while (now() - start < TRY_SECONDS);
        const double one = 2.0 * n * w->rows * w->cols * times / (now() - start);
        best = one > best ? one : best;
    }
    return best;
}

static void bench_level(const struct kern *k, const struct kern_weight *w, const float *x)
{
    static const int rows[] = {1, 2, 4, 8, 16, 32, ROWS_MAX};
    const size_t all = KERN_Q8_STRIDE(w->cols) * ROWS_MAX;
    struct kern_q8 q = {room(all), room(all / 8), room(all / 4), room(all / 4)};
    float *y = room((size_t)w->rows * ROWS_MAX * sizeof *y);
    for (int r = 0; r < ROWS_MAX; r++) k->quantize(x, w->cols, kern_q8_row(q, w->cols, r));
    printf("%-7s", k->name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf(" %3d: %5.0f", rows[i], 1e-9 * rate(k, w, q, rows[i], y));
    printf("\n");
}

int main(int argc, char **argv)
{
    struct kern_weight w = {.rows = argc > 3 ? atoi(argv[2]) : 1536,
                            .cols = argc > 3 ? atoi(argv[3]) : 1536};
    int type = argc > 1 ? 0 : QT_LIMIT;
    while (type < QT_LIMIT &&
           !(quant_forms[type].bits && !strcasecmp(quant_info((uint32_t)type)->name, argv[1])))
        type++;
    if (type == QT_LIMIT || w.rows < 1 || w.cols < 256 || w.cols % 256) {
        fprintf(stderr, "usage: kern_bench TYPE [OUTPUTS INPUTS], INPUTS a multiple of 256\n");
        return 2;
    }
    w.type = (enum quant_type)type;
    w.row_bytes = quant_row_bytes(w.type, (uint64_t)w.cols);
    uint8_t *data = calloc((size_t)w.rows, w.row_bytes);
    uint8_t *panels = room((size_t)pack_panels(w.rows) * pack_panel_bytes(w.type, w.cols));
    float *x = room((size_t)w.cols * sizeof *x);
    if (!data) return 1;
    w.data = data;
    for (int i = 0; i < w.cols; i++) x[i] = (float)(i * 37 % 101 - 50) / 50;
    pack_panels_write(&w, 0, pack_panels(w.rows), panels);
    w.packed = panels;
    printf("peak %.0f\n", 1e-9 * peak());
    for (int level = KERN_REF; level < KERN_LEVEL_COUNT; level++) {
        const struct kern *k = kern_table((enum kern_level)level);
        if (k && k->panels) bench_level(k, &w, x);
    }
    return 0;
}
