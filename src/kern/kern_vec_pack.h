/*
 * Packed weights (kern_pack.h) times quantised activations: the loops, for the vector of the
 * including file (kern_vec.h), its whole-number twin `ivec` of LANES 32-bit lanes, and its
 * quantize_group().
 *
 * Every output of every row adds its groups of 32 inputs one after the other, from the first to the
 * last: that is the whole order of its sum, whatever stands beside it.
 *
 * Activations lie in natural order, signed, and t and s hold two numbers for a group: of its first
 * sixteen values, and of all.
 */
#ifndef EAD_KERN_KERN_VEC_PACK_H
#define EAD_KERN_KERN_VEC_PACK_H

#include "kern/kern_pack.h"
#include "kern/kern_vec_panel.h"

#if defined(LANES)

/* ---- activations ----------------------------------------------------------------------------- */

static void pack_quantize(const float *x, int cols, struct kern_q8 to)
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

/* ---- a unit of weights in registers ---------------------------------------------------------- */

/* 32 inputs of two vectors of outputs. Fine types have a scale and a minimum for each half. */
struct pack_group {
    ivec code[2][8];
    vec d[2][2], m[2][2]; /* [vector][half]; m of a first half is less that of the second */
};

/* Step j of one vector; codes point at its lanes of a group. */
INLINE ivec pack_code(const uint8_t *codes, const struct quant_form form, int j)
{
    if (form.bits == 8) return ivec_load(codes + j * STEP);
    ivec code = ivec_all8(0);
    if (form.bits >= 4) {
        ivec both = ivec_load(codes + j % 4 * STEP);
        code = ivec_and(j < 4 ? both : ivec_right(both, 4), ivec_all8(15));
        codes += 4 * STEP;
    }
    if (form.levels) return ivec_levels(code);
    if (form.bits < 4 || form.bits == 6) {
        int from = 2 * (j % 4), to = form.bits == 6 ? 4 : 0;
        ivec two = ivec_load(codes + j / 4 * STEP);
        two = from < to ? ivec_left(two, to - from) : ivec_right(two, from - to);
        code = ivec_or(code, ivec_and(two, ivec_all8(3 << to)));
        codes += 2 * STEP;
    }
    if (form.bits == 3 || form.bits == 5) {
        int to = form.bits - 1;
        ivec one = ivec_load(codes);
        one = j < to ? ivec_left(one, to - j) : ivec_right(one, j - to);
        code = ivec_or(code, ivec_and(one, ivec_all8(1 << to)));
    }
    return code;
}

/* The scales, or the minima, of one vector: halves at `half`, and for a super-block whole numbers
 * at `whole`, of the group's halves or of the group. */
INLINE void pack_factors(const uint8_t *half, const int8_t *whole, const struct quant_form form,
                         vec out[2])
{
    vec unit = vec_load_f16(half);
    out[0] = out[1] = unit;
    if (!form.super) return;
    out[0] = vec_mul(unit, vec_of_ivec(ivec_load_bytes(whole)));
    out[1] = form.fine ? vec_mul(unit, vec_of_ivec(ivec_load_bytes(whole + PANEL))) : out[0];
}

/* Group g of a unit, for the vectors of outputs from `lane` on. */
INLINE void pack_load(const uint8_t *unit, enum quant_type type, int g, size_t lane,
                      struct pack_group *out)
{
    const struct quant_form form = quant_forms[type];
    const struct pack_layout at = pack_layout(type);
    const size_t scale = (size_t)g * (form.fine ? 2 : 1) * PANEL + lane;
    const uint8_t *codes = unit + at.codes + (size_t)g * at.group + 4 * lane;
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; v++) {
        const size_t o = lane + v * LANES;
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) out->code[v][j] = pack_code(codes + v * 4 * LANES, form, j);
        const int8_t *whole = (const int8_t *)unit + scale + v * LANES;
        pack_factors(unit + 2 * o, whole + at.scale, form, out->d[v]);
        if (!form.minima) continue;
        pack_factors(unit + at.m + 2 * o, whole + at.min, form, out->m[v]);
        if (form.fine) out->m[v][0] = vec_sub(out->m[v][0], out->m[v][1]);
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
    const vec d = vec_all(x.d[0]);
#pragma GCC unroll 2
    for (int v = 0; v < 2; v++) {
        if (form.fine) {
            vec both = vec_mul(vec_of_ivec(last[v]), w->d[v][1]);
            both = vec_fma(vec_of_ivec(first[v]), w->d[v][0], both);
            sum[v] = vec_fma(both, d, sum[v]);
        } else {
            sum[v] = vec_fma(vec_of_ivec(first[v]), vec_mul(w->d[v][0], d), sum[v]);
        }
        if (form.minima && form.fine) sum[v] = vec_fma(w->m[v][0], vec_all(x.s[0]), sum[v]);
        if (form.minima) sum[v] = vec_fma(w->m[v][1], vec_all(x.s[1]), sum[v]);
    }
}

/* Group g of row r; rows are `stride` inputs apart. */
static inline struct kern_q8 pack_q8_at(struct kern_q8 x, size_t stride, size_t r, size_t g)
{
    const size_t k = r * stride + g * QK;
    return (struct kern_q8){x.q + k, x.d + k / 32, x.s + k / 16, x.t + k / 16};
}

struct pack_tile {
    const uint8_t *panel;
    size_t lane; /* first of PAIR outputs of the panel */
    int cols;
    struct kern_q8 x;
};

/* sum[r] = the products of PAIR outputs with each of `rows` rows. With constant rows and type the
 * sums stay in registers, and the weights of a group in registers or in the nearest lines. */
INLINE void pack_multiply(int rows, enum quant_type type, const struct pack_tile *tile,
                          vec (*sum)[2])
{
    const struct pack_layout at = pack_layout(type);
    const size_t stride = KERN_Q8_COLS(tile->cols), groups = (size_t)at.inputs / QK;
    const size_t part = at.unit / groups;
    vec local[BLOCK][2];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) local[r][0] = local[r][1] = vec_zero();
    const uint8_t *unit = tile->panel;
    struct kern_q8 x = tile->x;
    for (int k = 0; k < tile->cols; k += at.inputs, unit += at.unit)
        for (size_t g = 0; g < groups; g++) {
            struct pack_group w;
            panel_prefetch(unit + g * part, part);
            pack_load(unit, type, (int)g, tile->lane, &w);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++)
                pack_add(local[r], &w, quant_forms[type], pack_q8_at(x, stride, (size_t)r, 0));
            x = pack_q8_at(x, stride, 0, 1);
        }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        sum[r][0] = local[r][0];
        sum[r][1] = local[r][1];
    }
}

typedef void pack_fn(int rows, const struct pack_tile *tile, vec (*sum)[2]);

#define PACK_TYPES(X)                                                                              \
    X(QT_Q4_0)                                                                                     \
    X(QT_Q4_1)                                                                                     \
    X(QT_Q5_0)                                                                                     \
    X(QT_Q5_1) X(QT_Q8_0) X(QT_IQ4_NL) X(QT_Q2_K) X(QT_Q3_K) X(QT_Q4_K) X(QT_Q5_K) X(QT_Q6_K)      \
        X(QT_IQ4_XS)

#define PACK_MULTIPLY(type)                                                                        \
    static void pack_multiply_##type(int rows, const struct pack_tile *tile, vec(*sum)[2])         \
    {                                                                                              \
        VEC_ROWS(pack_multiply, rows, type, tile, sum)                                             \
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
        tile.x = pack_q8_at(x, KERN_Q8_COLS(w->cols), (size_t)r0, 0);
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
