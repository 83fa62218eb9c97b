/*
 * Float weights times float activations, and attention over a half-float cache, whose keys are such
 * weights; kern_vec.h says how this header is used.
 */
#ifndef EAD_KERN_KERN_VEC_FLOAT_H
#define EAD_KERN_KERN_VEC_FLOAT_H

#include "kern/kern_vec.h"

#if defined(LANES)

#include <math.h>

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

/* ---- attention ----------------------------------------------------------------------------- */

/* What an online softmax keeps between blocks, in the caller's scratch: [group] each. */
struct softmax {
    float *score; /* [group][KERN_ATTEND_BLOCK]: scores, then their exponentials */
    float *max, *sum, *rescale;
};

/* score[h][p] = q[h] . k[p0 + p] */
static void attend_scores(const struct kern_attend *a, const struct softmax *sm, int p0, int count)
{
    size_t dim = (size_t)a->head_dim;
    for (int p = 0; p < count; p += LANES) {
        const uint16_t *k = a->k + (size_t)(p0 + p) * a->stride;
        for (int h = 0; h < a->group; h += BLOCK) {
            struct dots d = {(const uint8_t *)k, a->q + (size_t)h * dim, dim, a->head_dim};
            float_tile(dots_f16, d, a->stride * sizeof *k, vec_piece(count - p),
                       a->group - h < BLOCK ? a->group - h : BLOCK,
                       sm->score + h * KERN_ATTEND_BLOCK + p, KERN_ATTEND_BLOCK);
        }
    }
}

/* Turn one head's scores into exp(score - max), and rescale what was summed below a smaller max. */
static void attend_softmax(struct softmax *sm, int h, int count, float scale)
{
    float *score = sm->score + h * KERN_ATTEND_BLOCK, max = sm->max[h];
    for (int p = 0; p < count; p++) {
        score[p] *= scale;
        max = score[p] > max ? score[p] : max;
    }
    vec sum = vec_zero();
    for (int p = 0; p < count; p += LANES) {
        int n = vec_piece(count - p);
        vec_store_n(score + p, vec_exp(vec_sub(vec_load_n(score + p, n), vec_all(max))), n);
        sum = vec_add(sum, vec_load_n(score + p, n));
    }
    sm->rescale[h] = expf(sm->max[h] - max);
    sm->sum[h] = sm->sum[h] * sm->rescale[h] + vec_sum(sum);
    sm->max[h] = max;
}

/* out[h][at..] = out rescaled + sum_p score[h][p] v[p], for `rows` heads and one or two vectors of
 * the head; the last vector may be partial. */
INLINE void attend_mix(int rows, const struct kern_attend *a, const struct softmax *sm, int p0,
                       int count, int h0, int at, int n, int vectors)
{
    size_t dim = (size_t)a->head_dim;
    float *out = a->out + (size_t)h0 * dim + at;
    const float *score = sm->score + h0 * KERN_ATTEND_BLOCK;
    const uint16_t *v = a->v + (size_t)p0 * a->stride + at;
    vec acc[BLOCK][2];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            acc[r][j] = vec_mul(vec_load_n(out + (size_t)r * dim + j * LANES, n),
                                vec_all(sm->rescale[h0 + r]));
    for (int p = 0; p < count; p++, v += a->stride) {
        vec value[2];
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) value[j] = vec_load_f16_n(v + j * LANES, n);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++)
                acc[r][j] = vec_fma(value[j], vec_all(score[r * KERN_ATTEND_BLOCK + p]), acc[r][j]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            vec_store_n(out + (size_t)r * dim + j * LANES, acc[r][j], n);
}

static void attend_mix_heads(const struct kern_attend *a, const struct softmax *sm, int p0,
                             int count, int h0, int heads)
{
    int at = 0;
    for (; at + 2 * LANES <= a->head_dim; at += 2 * LANES) {
        VEC_ROWS(attend_mix, heads, a, sm, p0, count, h0, at, LANES, 2)
    }
    for (; at < a->head_dim; at += LANES) {
        int n = vec_piece(a->head_dim - at);
        VEC_ROWS(attend_mix, heads, a, sm, p0, count, h0, at, n, 1)
    }
}

static void float_attend(const struct kern_attend *a)
{
    size_t group = (size_t)a->group, outputs = group * (size_t)a->head_dim;
    float *state = a->scratch + group * KERN_ATTEND_BLOCK;
    struct softmax sm = {a->scratch, state, state + group, state + 2 * group};
    for (size_t i = 0; i < outputs; i++) a->out[i] = 0;
    for (size_t h = 0; h < group; h++) {
        sm.max[h] = -INFINITY;
        sm.sum[h] = 0;
    }
    for (int p0 = 0; p0 < a->n_pos; p0 += KERN_ATTEND_BLOCK) {
        int count = a->n_pos - p0 < KERN_ATTEND_BLOCK ? a->n_pos - p0 : KERN_ATTEND_BLOCK;
        attend_scores(a, &sm, p0, count);
        for (int h = 0; h < a->group; h++) attend_softmax(&sm, h, count, a->scale);
        for (int h = 0; h < a->group; h += BLOCK)
            attend_mix_heads(a, &sm, p0, count, h, a->group - h < BLOCK ? a->group - h : BLOCK);
    }
    for (size_t i = 0; i < outputs; i++) a->out[i] /= sm.sum[i / (size_t)a->head_dim];
}

#endif
#endif
