/*
 * Packed float weights (pack/pack.h) times float activations; vec/vec.h says how this header is
 * used. Every output of every row adds its inputs in order, in stretches whose sums are then added
 * in order: that keeps rounding as small as many partial sums do.
 */
#ifndef EAD_KERN_FLOAT_FLOAT_PANEL_H
#define EAD_KERN_FLOAT_FLOAT_PANEL_H

#include "kern/pack/panel.h"

#if defined(LANES)

enum { STRETCH = 64 /* inputs */ };

struct float_tile {
    const uint8_t *weights; /* of PAIR outputs, PANEL elements from one input to the next */
    const float *x;         /* rows of activations, ldx apart */
    size_t ldx;
    int cols;
};

typedef vec load_panel_fn(const void *p);

/* sum[r] = the products of PAIR outputs with each of `rows` rows. */
INLINE void panel_multiply(int rows, const struct float_tile *t, vec (*sum)[2], load_panel_fn *load,
                           size_t size)
{
    const uint8_t *w = t->weights;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = vec_zero();
    for (int k0 = 0; k0 < t->cols; k0 += STRETCH) {
        const int k1 = t->cols - k0 < STRETCH ? t->cols : k0 + STRETCH;
        vec local[BLOCK][2];
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) local[r][0] = local[r][1] = vec_zero();
        for (int k = k0; k < k1; k++, w += PANEL * size) {
            panel_prefetch(w, PAIR * size);
            const vec w0 = load(w), w1 = load(w + LANES * size);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                const vec x = vec_all(t->x[(size_t)r * t->ldx + (size_t)k]);
                local[r][0] = vec_fma(w0, x, local[r][0]);
                local[r][1] = vec_fma(w1, x, local[r][1]);
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < 2; v++) sum[r][v] = vec_add(sum[r][v], local[r][v]);
    }
}

typedef void panel_fn(int rows, const struct float_tile *t, vec (*sum)[2]);

static void panel_f32(int rows, const struct float_tile *t, vec (*sum)[2])
{
    VEC_ROWS(panel_multiply, rows, t, sum, vec_load, 4)
}

static void panel_f16(int rows, const struct float_tile *t, vec (*sum)[2])
{
    VEC_ROWS(panel_multiply, rows, t, sum, vec_load_f16, 2)
}

static void panel_bf16(int rows, const struct float_tile *t, vec (*sum)[2])
{
    VEC_ROWS(panel_multiply, rows, t, sum, vec_load_bf16, 2)
}

static void panel_float_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n,
                               int o0, int o1, float *y, size_t ldy)
{
    panel_fn *fn = w->type == QT_F32 ? panel_f32 : w->type == QT_F16 ? panel_f16 : panel_bf16;
    const size_t size = quant_info(w->type)->bytes;
    const int blocks = (n + BLOCK - 1) / BLOCK;
    for (int o = o0 / PAIR * PAIR; o < o1; o += PAIR) {
        const struct panel_lanes lanes = panel_lanes(o, o0, o1);
        const uint8_t *weights = panel_of(w, o) + (size_t)(o % PANEL) * size;
        for (int b = 0; b < blocks; b++) {
            const int r0 = (int)((long)n * b / blocks), r1 = (int)((long)n * (b + 1) / blocks);
            const struct float_tile t = {weights, x + (size_t)r0 * ldx, ldx, w->cols};
            vec sum[BLOCK][2];
            fn(r1 - r0, &t, sum);
            for (int r = r0; r < r1; r++)
                panel_store(y + (size_t)r * ldy + (size_t)o, sum[r - r0], lanes);
        }
    }
}

#endif
#endif
