/*
 * Attention over a half-float cache, with an online softmax over blocks of positions; kern_vec.h
 * says how this header is used.
 *
 * Queries of several rows go through a block of the cache together as long as all of them see all
 * of it; then every row takes its last blocks alone. A query's sums are the same either way.
 */
#ifndef EAD_KERN_KERN_VEC_ATTEND_H
#define EAD_KERN_KERN_VEC_ATTEND_H

#include "kern/kern_vec.h"

#if defined(LANES)

#include <math.h>
#include <string.h>

/* What is kept between blocks, in the caller's scratch. */
struct attention {
    const struct kern_attend *a;
    float *q, *sum_v;          /* [queries][head_dim]: queries; exponentials times values */
    float *score;              /* [queries][KERN_ATTEND_BLOCK]: scores, then their exponentials */
    float *max, *sum, *factor; /* [queries]; factor: of what was summed below a smaller max */
};

/* Positions [p0, p0 + count) for queries [first, end). */
struct attend_block {
    int first, end, p0, count;
};

/* The next queries of a block, at most BLOCK of them and in even shares. */
static inline int attend_share(const struct attend_block *b, int from)
{
    const int left = b->end - from, shares = (left + BLOCK - 1) / BLOCK;
    return (left + shares - 1) / shares;
}

/* Ask for positions [p, p + count) of keys or values, as far as the first row sees them:
 * multiplying leaves loads no room to run ahead by themselves. */
static inline void attend_prefetch(const struct kern_attend *a, const uint16_t *cache, int p,
                                   int count)
{
    const int end = p + count < a->n_pos ? p + count : a->n_pos;
    const size_t dim = (size_t)a->head_dim;
    for (size_t i = (size_t)p * dim; i < (size_t)end * dim && p < end; i += 32)
        __builtin_prefetch(cache + i);
}

/* Scores of LANES positions for `rows` queries. Even and odd elements are added apart, so that no
 * multiplication waits for the last one. */
INLINE void attend_keys(int rows, const float *q, size_t dim, const uint16_t *keys, float *score)
{
    vec even[BLOCK], odd[BLOCK];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) even[r] = odd[r] = vec_zero();
    size_t i = 0;
    for (; i + 2 <= dim; i += 2, keys += 2 * KERN_KEY_TILE) {
        const vec k0 = vec_load_f16(keys), k1 = vec_load_f16(keys + KERN_KEY_TILE);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            const float *x = q + (size_t)r * dim + i;
            even[r] = vec_fma(k0, vec_all(x[0]), even[r]);
            odd[r] = vec_fma(k1, vec_all(x[1]), odd[r]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        if (i < dim)
            even[r] = vec_fma(vec_load_f16(keys), vec_all(q[(size_t)r * dim + i]), even[r]);
        vec_store(score + r * KERN_ATTEND_BLOCK, vec_add(even[r], odd[r]));
    }
}

/* score[h][p] = q[h] . k[p0 + p]; the values of the block are on their way meanwhile. */
static void attend_scores(const struct attention *t, const struct attend_block *b)
{
    const struct kern_attend *a = t->a;
    const size_t dim = (size_t)a->head_dim;
    for (int p = 0; p < b->count; p += LANES) {
        const uint16_t *keys = a->k + kern_key_at(a->head_dim, b->p0 + p, 0);
        attend_prefetch(a, a->v, b->p0 + p, LANES);
        for (int h = b->first, n; h < b->end; h += n) {
            const float *q = t->q + (size_t)h * dim;
            float *score = t->score + h * KERN_ATTEND_BLOCK + p;
            n = attend_share(b, h);
            VEC_ROWS(attend_keys, n, q, dim, keys, score)
        }
    }
}

/* Turn one query's scores into exp(score - max). Lanes behind the last score count for nothing. */
static void attend_softmax(const struct attention *t, int h, int count)
{
    float *score = t->score + h * KERN_ATTEND_BLOCK, lane[LANES], max = t->max[h];
    for (int p = count; p % LANES; p++) score[p] = -INFINITY;
    vec most = vec_all(max), sum = vec_zero();
    for (int p = 0; p < count; p += LANES) {
        vec scaled = vec_mul(vec_load(score + p), vec_all(t->a->scale));
        vec_store(score + p, scaled);
        most = vec_max(scaled, most);
    }
    vec_store(lane, most);
    for (int i = 0; i < LANES; i++) max = lane[i] > max ? lane[i] : max;
    for (int p = 0; p < count; p += LANES) {
        vec e = vec_exp(vec_sub(vec_load(score + p), vec_all(max)));
        vec_store(score + p, e);
        sum = vec_add(sum, e);
    }
    t->factor[h] = expf(t->max[h] - max);
    t->sum[h] = t->sum[h] * t->factor[h] + vec_sum(sum);
    t->max[h] = max;
}

/* sum_v[h][at..] = sum_v rescaled + sum_p score[h][p] v[p], for `rows` queries from h on and one or
 * two vectors of the head; the last vector may be partial. */
INLINE void attend_mix(int rows, const struct attention *t, const struct attend_block *b, int h,
                       int at, int n, int vectors)
{
    const size_t dim = (size_t)t->a->head_dim;
    float *out = t->sum_v + (size_t)h * dim + at;
    const float *score = t->score + h * KERN_ATTEND_BLOCK;
    const uint16_t *v = t->a->v + (size_t)b->p0 * dim + at;
    vec acc[BLOCK][2];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            acc[r][j] = vec_mul(vec_load_n(out + (size_t)r * dim + j * LANES, n),
                                vec_all(t->factor[h + r]));
    for (int p = 0; p < b->count; p++, v += dim) {
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

static void attend_mix_share(const struct attention *t, const struct attend_block *b, int h,
                             int queries)
{
    const int dim = t->a->head_dim;
    int at = 0;
    for (; at + 2 * LANES <= dim; at += 2 * LANES) {
        VEC_ROWS(attend_mix, queries, t, b, h, at, LANES, 2)
    }
    for (; at < dim; at += LANES) {
        int n = vec_piece(dim - at);
        VEC_ROWS(attend_mix, queries, t, b, h, at, n, 1)
    }
}

/* The keys of the next block are asked for piece by piece. */
static void attend_values(const struct attention *t, const struct attend_block *b)
{
    const int pieces = (b->end - b->first + BLOCK - 1) / BLOCK;
    const int ahead = (KERN_ATTEND_BLOCK + pieces - 1) / pieces;
    int next = b->p0 + KERN_ATTEND_BLOCK;
    for (int h = b->first, n; h < b->end; h += n, next += ahead) {
        n = attend_share(b, h);
        attend_prefetch(t->a, t->a->k, next, ahead);
        attend_mix_share(t, b, h, n);
    }
}

/* Blocks of positions [from, to), from a multiple of the block, for queries [first, end). */
static void attend_range(const struct attention *t, int first, int end, int from, int to)
{
    for (int p0 = from; p0 < to; p0 += KERN_ATTEND_BLOCK) {
        int count = to - p0 < KERN_ATTEND_BLOCK ? to - p0 : KERN_ATTEND_BLOCK;
        const struct attend_block b = {first, end, p0, count};
        attend_scores(t, &b);
        for (int h = first; h < end; h++) attend_softmax(t, h, count);
        attend_values(t, &b);
    }
}

static struct attention attend_begin(const struct kern_attend *a)
{
    const size_t queries = (size_t)a->rows * (size_t)a->group;
    const size_t width = (size_t)a->group * (size_t)a->head_dim, all = (size_t)a->rows * width;
    struct attention t = {.a = a, .q = a->scratch, .sum_v = a->scratch + all};
    t.score = t.sum_v + all;
    t.max = t.score + queries * KERN_ATTEND_BLOCK;
    t.sum = t.max + queries;
    t.factor = t.sum + queries;
    for (size_t r = 0; r < (size_t)a->rows; r++)
        memcpy(t.q + r * width, a->q + r * a->ld, width * sizeof *t.q);
    memset(t.sum_v, 0, all * sizeof *t.sum_v);
    for (size_t h = 0; h < queries; h++) {
        t.max[h] = -INFINITY;
        t.sum[h] = 0;
    }
    return t;
}

static void float_attend(const struct kern_attend *a)
{
    const struct attention t = attend_begin(a);
    const int shared = a->n_pos / KERN_ATTEND_BLOCK * KERN_ATTEND_BLOCK;
    attend_range(&t, 0, a->rows * a->group, 0, shared);
    for (int r = 0; r < a->rows; r++)
        attend_range(&t, r * a->group, (r + 1) * a->group, shared, a->n_pos + r);
    const int width = a->group * a->head_dim;
    for (int r = 0; r < a->rows; r++)
        for (int i = 0; i < width; i++)
            a->out[(size_t)r * a->ld + (size_t)i] =
                t.sum_v[r * width + i] / t.sum[r * a->group + i / a->head_dim];
}

#endif
#endif
