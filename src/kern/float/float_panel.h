/*
 * Packed float weights (pack/pack.h) times float activations; vec/vec.h says how this header is
 * used. Every output of every row adds its inputs in order, in stretches whose sums are then added
 * in order: that keeps rounding as small as many partial sums do.
 */
#ifndef EAD_KERN_FLOAT_FLOAT_PANEL_H
#define EAD_KERN_FLOAT_FLOAT_PANEL_H

#include "kern/pack/panel.h"

#if defined(LANES)

#include <stdalign.h>

enum { STRETCH = 64 /* inputs */ };

struct float_rows {
    const uint8_t *panel;
    const float *x; /* rows of activations, ldx apart */
    size_t ldx;
    int cols;
};

typedef vec load_panel_fn(const void *p);

/* sum[r] += inputs [k0, k1) of `width` vectors of outputs, from v0 on, times row r. */
INLINE void stretch_multiply(int rows, int width, int v0, const struct float_rows *t, int k0,
                             int k1, float (*sum)[PANEL], load_panel_fn *load, size_t size)
{
    const uint8_t *w = t->panel + ((size_t)k0 * PANEL + (size_t)(v0 * LANES)) * size;
    vec local[ROWS][VECTORS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < width; v++) local[r][v] = vec_zero();
    }
    for (int k = k0; k < k1; k++, w += PANEL * size) {
        vec weight[VECTORS];
        if (panel_asks(rows, true) && v0 == 0) panel_prefetch(w, PANEL * size);
        UNROLL
        for (int v = 0; v < width; v++) weight[v] = load(w + (size_t)(v * LANES) * size);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const vec x = vec_all(t->x[(size_t)r * t->ldx + (size_t)k]);
            UNROLL
            for (int v = 0; v < width; v++) local[r][v] = vec_fma(weight[v], x, local[r][v]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < width; v++) {
            float *to = sum[r] + (v0 + v) * LANES;
            vec_store(to, vec_add(vec_load(to), local[r][v]));
        }
    }
}

/* sum[r] = the products of a panel with row r. As many vectors of outputs at a time as have their
 * sums in registers; all of them go through a stretch before the next is read. */
INLINE void float_multiply(int rows, const struct float_rows *t, float (*sum)[PANEL],
                           load_panel_fn *load, size_t size)
{
    const int width = rows * VECTORS <= 2 * ROWS ? VECTORS : 2;
    memset(sum, 0, (size_t)rows * sizeof *sum);
    for (int k0 = 0; k0 < t->cols; k0 += STRETCH) {
        const int k1 = t->cols - k0 < STRETCH ? t->cols : k0 + STRETCH;
        UNROLL
        for (int v0 = 0; v0 < VECTORS; v0 += width)
            stretch_multiply(rows, width, v0, t, k0, k1, sum, load, size);
    }
}

typedef void float_fn(int rows, const struct float_rows *t, float (*sum)[PANEL]);

static void float_f32(int rows, const struct float_rows *t, float (*sum)[PANEL])
{
    VEC_ROWS(float_multiply, rows, t, sum, vec_load, 4)
}

static void float_f16(int rows, const struct float_rows *t, float (*sum)[PANEL])
{
    VEC_ROWS(float_multiply, rows, t, sum, vec_load_f16, 2)
}

static void float_bf16(int rows, const struct float_rows *t, float (*sum)[PANEL])
{
    VEC_ROWS(float_multiply, rows, t, sum, vec_load_bf16, 2)
}

static void float_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                         int o1, float *y, size_t ldy)
{
    float_fn *fn = w->type == QT_F32 ? float_f32 : w->type == QT_F16 ? float_f16 : float_bf16;
    for (int o = o0 / PANEL * PANEL; o < o1; o += PANEL) {
        const struct panel_lanes lanes = panel_lanes(o, o0, o1);
        for (int r0 = 0, rows; r0 < n; r0 += rows) {
            const struct float_rows t = {panel_of(w, o), x + (size_t)r0 * ldx, ldx, w->cols};
            alignas(64) float sum[ROWS][PANEL];
            rows = vec_share(n - r0, ROWS);
            fn(rows, &t, sum);
            for (int r = 0; r < rows; r++)
                panel_store(y + (size_t)(r0 + r) * ldy + (size_t)o, sum[r], lanes);
        }
    }
}

#endif
#endif
