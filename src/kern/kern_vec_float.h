/* Float weights times float activations; kern_vec.h says how this header is used. */
#ifndef EAD_KERN_KERN_VEC_FLOAT_H
#define EAD_KERN_KERN_VEC_FLOAT_H

#include "kern/kern_vec_panel_float.h"

#if defined(LANES)

/* ---- dot products ---------------------------------------------------------------------------- */

struct dots {
    const uint8_t *w; /* one row of weights */
    const float *x;   /* rows of activations, ldx apart */
    size_t ldx;
    int cols;
};

typedef vec load_fn(const void *p, int n);

/* sum[r][0] = the products of a weight row with row r, lane by lane. Even and odd vectors are added
 * apart, so that no multiplication waits for the last one. */
INLINE void float_dots(int rows, vec (*sum)[LANES], const struct dots *d, load_fn *load,
                       size_t size)
{
    vec even[BLOCK], odd[BLOCK];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) even[r] = odd[r] = vec_zero();
    int k = 0;
    for (; k + 2 * LANES <= d->cols; k += 2 * LANES) {
        vec w0 = load(d->w + (size_t)k * size, LANES);
        vec w1 = load(d->w + (size_t)(k + LANES) * size, LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            const float *x = d->x + (size_t)r * d->ldx + k;
            even[r] = vec_fma(w0, vec_load(x), even[r]);
            odd[r] = vec_fma(w1, vec_load(x + LANES), odd[r]);
        }
    }
    for (; k < d->cols; k += LANES) {
        int n = vec_piece(d->cols - k);
        vec w = load(d->w + (size_t)k * size, n);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
            even[r] = vec_fma(w, vec_load_n(d->x + (size_t)r * d->ldx + k, n), even[r]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) sum[r][0] = vec_add(even[r], odd[r]);
}

typedef void dots_fn(vec (*sum)[LANES], const struct dots *d, int rows);

static void dots_f32(vec (*sum)[LANES], const struct dots *d, int rows)
{
    VEC_ROWS(float_dots, rows, sum, d, vec_load_n, 4)
}

static void dots_f16(vec (*sum)[LANES], const struct dots *d, int rows)
{
    VEC_ROWS(float_dots, rows, sum, d, vec_load_f16_n, 2)
}

static void dots_bf16(vec (*sum)[LANES], const struct dots *d, int rows)
{
    VEC_ROWS(float_dots, rows, sum, d, vec_load_bf16_n, 2)
}

/* y[r][0..outputs) for `outputs` <= LANES weight rows that lie w_bytes apart, and `rows` <= BLOCK
 * rows of activations. */
static void float_tile(dots_fn *dots, struct dots d, size_t w_bytes, int outputs, int rows,
                       float *y, size_t ldy)
{
    vec sum[BLOCK][LANES];
    for (int r = 0; r < rows; r++)
        for (int i = outputs; i < LANES; i++) sum[r][i] = vec_zero();
    for (int i = 0; i < outputs; i++, d.w += w_bytes) dots((vec(*)[LANES]) & sum[0][i], &d, rows);
    for (int r = 0; r < rows; r++) vec_store_n(y + (size_t)r * ldy, vec_sums(sum[r]), outputs);
}

static void float_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                         int o1, float *y, size_t ldy)
{
    if (w->packed) {
        panel_float_matmul(w, x, ldx, n, o0, o1, y, ldy);
        return;
    }
    dots_fn *dots = w->type == QT_F32 ? dots_f32 : w->type == QT_F16 ? dots_f16 : dots_bf16;
    for (int o = o0; o < o1; o += LANES) {
        const uint8_t *row = w->data + (size_t)o * w->row_bytes;
        for (int r = 0; r < n; r += BLOCK) {
            struct dots d = {row, x + (size_t)r * ldx, ldx, w->cols};
            float_tile(dots, d, w->row_bytes, vec_piece(o1 - o), n - r < BLOCK ? n - r : BLOCK,
                       y + (size_t)r * ldy + o, ldy);
        }
    }
}

#endif
#endif
