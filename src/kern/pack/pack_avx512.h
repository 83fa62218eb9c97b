/*
 * Packed weights (pack/pack.h) times quantised activations: the loops, for the vectors of
 * pack/unpack.h and the including file's quantize_group().
 *
 * Every output of every row adds its groups of 32 inputs one after the other, from the first to the
 * last: that is the whole order of its sum, whatever stands beside it.
 *
 * Activations lie in natural order, signed, and t and s hold two numbers for a group: of its first
 * sixteen values, and of all.
 */
#ifndef EAD_KERN_PACK_PACK_AVX512_H
#define EAD_KERN_PACK_PACK_AVX512_H

#include "kern/pack/panel.h"
#include "kern/pack/unpack.h"

#if defined(LANES)

/* ---- activations ----------------------------------------------------------------------------- */

static inline void pack_quantize(const float *x, int cols, struct kern_q8 to)
{
    for (int g = 0; g < cols / QK; g++) {
        struct q8_group group = quantize_group(x + g * QK);
        memcpy(to.q + g * QK, &group.q, QK);
        to.d[g] = group.d;
        to.t[2 * g] = -group.sum[0];
        to.t[2 * g + 1] = -group.sum[0] - group.sum[1];
        to.s[2 * g] = group.d * (float)group.sum[0];
        to.s[2 * g + 1] = group.d * (float)(group.sum[0] + group.sum[1]);
    }
}

/* ---- products -------------------------------------------------------------------------------- */

/* What a sum of products starts from: minus the offset of the codes times the sum of q. */
INLINE ivec pack_start(ivec minus_sum, const struct quant_form form)
{
    if (form.offset == 0 && !form.levels) return ivec_all8(0);
    return ivec_start(minus_sum, form.levels ? 128 : form.offset);
}

/* sum[v] += the products of a group with one row of activations, x standing at the group. */
INLINE void pack_add(vec sum[2], const struct pack_group *w, const struct quant_form form,
                     struct kern_q8 x)
{
    const bool wide = form.bits == 8 || form.levels;
    ivec first[2], last[2];
    const ivec half = ivec_all32(x.t), all = ivec_all32(x.t + 1);
    first[0] = first[1] = pack_start(form.fine ? half : all, form);
    last[0] = last[1] = pack_start(ivec_sub(all, half), form);
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
        ivec q = ivec_all32(x.q + 4 * j);
        ivec *dot = form.fine && j >= 4 ? last : first;
        dot[0] = ivec_dot(dot[0], w->code[0][j], q, wide);
        dot[1] = ivec_dot(dot[1], w->code[1][j], q, wide);
    }
#pragma GCC unroll 2
    for (int v = 0; v < 2; v++)
        sum[v] = pack_scale(sum[v], first[v], last[v], w->d[v], w->m[v], form, x);
}

struct pack_tile {
    const uint8_t *panel;
    size_t lane;   /* first of PAIR outputs of the panel */
    size_t stride; /* bytes from a panel to the next, where there are several */
    int cols;
    struct kern_q8 x;
};

/* sum[panel][r] = the products of PAIR outputs of each panel with each of `rows` rows; panels take
 * turns, group by group. With constant numbers and type the sums stay in registers, and the weights
 * of a group in registers or in the nearest lines. */
INLINE void pack_multiply(int rows, int panels, enum quant_type type, const struct pack_tile *tile,
                          vec (*sum)[2])
{
    const struct pack_layout at = pack_layout(type);
    const size_t stride = KERN_Q8_STRIDE(tile->cols), groups = (size_t)at.inputs / QK;
    const size_t part = at.unit / groups;
    vec local[BLOCK][2];
#pragma GCC unroll 8
    for (int r = 0; r < panels * rows; r++) local[r][0] = local[r][1] = vec_zero();
    const uint8_t *unit = tile->panel;
    struct kern_q8 x = tile->x;
    for (int k = 0; k < tile->cols; k += at.inputs, unit += at.unit)
        for (size_t g = 0; g < groups; g++) {
#pragma GCC unroll 2
            for (int p = 0; p < panels; p++) {
                const uint8_t *from = unit + (size_t)p * tile->stride;
                struct pack_group w;
                panel_prefetch(from + g * part, part);
                pack_load(from, type, (int)g, tile->lane, &w);
#pragma GCC unroll 8
                for (int r = 0; r < rows; r++)
                    pack_add(local[p * rows + r], &w, quant_forms[type],
                             pack_q8_at(x, stride, (size_t)r, 0));
            }
            x = pack_q8_at(x, stride, 0, 1);
        }
#pragma GCC unroll 8
    for (int r = 0; r < panels * rows; r++) {
        sum[r][0] = local[r][0];
        sum[r][1] = local[r][1];
    }
}

typedef void pack_fn(int rows, const struct pack_tile *tile, vec (*sum)[2]);

#define PACK_MULTIPLY(type)                                                                        \
    static void pack_multiply_##type(int rows, const struct pack_tile *tile, vec(*sum)[2])         \
    {                                                                                              \
        VEC_ROWS(pack_multiply, rows, 1, type, tile, sum)                                          \
    }
PACK_TYPES(PACK_MULTIPLY)

#define PACK_ENTRY(type) [type] = pack_multiply_##type,
static pack_fn *const pack_fns[QT_LIMIT] = {PACK_TYPES(PACK_ENTRY)};

/* Outputs [o0, o1) that lie in the PAIR from o on, of n rows. */
static void pack_tiles(const struct kern_weight *w, struct kern_q8 x, int n, int o, int o0, int o1,
                       float *y, size_t ldy)
{
    const struct panel_lanes lanes = panel_lanes(o, o0, o1);
    const int blocks = (n + BLOCK - 1) / BLOCK;
    struct pack_tile tile = {.panel = panel_of(w, o), .lane = (size_t)(o % PANEL), .cols = w->cols};
    for (int b = 0; b < blocks; b++) {
        const int r0 = (int)((long)n * b / blocks), r1 = (int)((long)n * (b + 1) / blocks);
        vec sum[BLOCK][2];
        tile.x = pack_q8_at(x, KERN_Q8_STRIDE(w->cols), (size_t)r0, 0);
        pack_fns[w->type](r1 - r0, &tile, sum);
        for (int r = r0; r < r1; r++)
            panel_store(y + (size_t)r * ldy + (size_t)o, sum[r - r0], lanes);
    }
}

static void pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                        float *y, size_t ldy)
{
    for (int o = o0 / PAIR * PAIR; o < o1; o += PAIR) pack_tiles(w, x, n, o, o0, o1, y, ldy);
}

#endif
#endif
