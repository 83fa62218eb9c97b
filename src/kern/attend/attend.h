/*
 * Attention over a cache of any type, with an online softmax over blocks of positions; vec/vec.h
 * says how this header is used. The loops are written once; what differs by type is attend_load,
 * and where scales come from. A scale times a code is exact, so to the sums a cache of codes is one
 * of floats.
 *
 * Queries of several rows go through a block of the cache together as long as all of them see all
 * of it; then every row takes its last blocks alone. A query's sums are the same either way.
 */
#ifndef EAD_KERN_ATTEND_ATTEND_H
#define EAD_KERN_ATTEND_ATTEND_H

#include "kern/vec/vec.h"

#if defined(LANES)

#include <math.h>
#include <string.h>

/* What is kept between blocks, in the caller's scratch. */
struct attention {
    const struct kern_attend *a;
    float *q, *sum_v;          /* [queries][head_dim]: queries; exponentials times values */
    float *score;              /* [queries][KERN_ATTEND_BLOCK]: scores, then their exponentials */
    float *max, *sum, *factor; /* [queries]; factor: of what was summed below a smaller max */
    size_t bytes;              /* of one position of a tile */
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

/* Among `tiles`, by page, the one of position p. */
static inline const uint8_t *attend_tile(const struct attention *t, const uint8_t *tiles, int p)
{
    return tiles + (size_t)t->a->pages[p / KERN_TILE] * KERN_TILE * t->bytes;
}

/* Ask for the shares of positions [p, p + count) in their tile, as far as the first row sees them:
 * multiplying leaves loads no room to run ahead by themselves. */
static inline void attend_prefetch(const struct attention *t, const uint8_t *tiles, int p,
                                   int count)
{
    const int left = t->a->n_pos - p, n = count < left ? count : left;
    if (n <= 0) return;
    const uint8_t *at = attend_tile(t, tiles, p) + (size_t)(p % KERN_TILE) * t->bytes;
    for (const uint8_t *end = at + (size_t)n * t->bytes; at < end; at += 64) __builtin_prefetch(at);
}

/* n elements of a tile from element `at` on. scale: of their codes, where there are codes. */
INLINE vec attend_load(enum kern_cache type, const uint8_t *elements, size_t at, vec scale, int n)
{
    if (type == KERN_CACHE_Q8_0) return vec_mul(vec_load_i8_n(elements + at, n), scale);
    return vec_load_f16_n(elements + 2 * at, n);
}

/* Scores of the LANES positions from `lane` of a tile on, for `rows` queries. Even and odd elements
 * are added apart, so that no multiplication waits for the last one. */
INLINE void attend_keys(int rows, enum kern_cache type, const float *q, size_t dim,
                        const uint8_t *tile, size_t lane, float *score)
{
    const uint8_t *keys = tile + kern_cache_scales(type, (int)dim);
    const size_t group = type == KERN_CACHE_Q8_0 ? KERN_GROUP : dim;
    vec even[BLOCK], odd[BLOCK], scale = vec_zero();
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) even[r] = odd[r] = vec_zero();
    for (size_t from = 0, i = 0; from < dim; from += group) {
        const size_t to = from + group < dim ? from + group : dim;
        if (type == KERN_CACHE_Q8_0)
            scale = vec_load_f16((const uint16_t *)(const void *)tile +
                                 from / KERN_GROUP * KERN_TILE + lane);
        for (; i + 2 <= to; i += 2) {
            const size_t at = i * KERN_TILE + lane;
            const vec k0 = attend_load(type, keys, at, scale, LANES);
            const vec k1 = attend_load(type, keys, at + KERN_TILE, scale, LANES);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                const float *x = q + (size_t)r * dim + i;
                even[r] = vec_fma(k0, vec_all(x[0]), even[r]);
                odd[r] = vec_fma(k1, vec_all(x[1]), odd[r]);
            }
        }
    }
    const size_t last = dim - 1;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        if (dim % 2)
            even[r] = vec_fma(attend_load(type, keys, last * KERN_TILE + lane, scale, LANES),
                              vec_all(q[(size_t)r * dim + last]), even[r]);
        vec_store(score + r * KERN_ATTEND_BLOCK, vec_add(even[r], odd[r]));
    }
}

static void attend_keys_f16(int rows, const float *q, size_t dim, const uint8_t *tile, size_t lane,
                            float *score)
{
    VEC_ROWS(attend_keys, rows, KERN_CACHE_F16, q, dim, tile, lane, score)
}

static void attend_keys_q8_0(int rows, const float *q, size_t dim, const uint8_t *tile, size_t lane,
                             float *score)
{
    VEC_ROWS(attend_keys, rows, KERN_CACHE_Q8_0, q, dim, tile, lane, score)
}

/* score[h][p] = q[h] . k[p0 + p]; the values of the block are on their way meanwhile. */
static void attend_scores(const struct attention *t, const struct attend_block *b)
{
    const struct kern_attend *a = t->a;
    const size_t dim = (size_t)a->head_dim;
    for (int p = 0; p < b->count; p += LANES) {
        const uint8_t *tile = attend_tile(t, a->k, b->p0 + p);
        const size_t lane = (size_t)(p % KERN_TILE);
        attend_prefetch(t, a->v, b->p0 + p, LANES);
        for (int h = b->first, n; h < b->end; h += n) {
            const float *q = t->q + (size_t)h * dim;
            float *score = t->score + h * KERN_ATTEND_BLOCK + p;
            n = attend_share(b, h);
            if (a->cache == KERN_CACHE_Q8_0)
                attend_keys_q8_0(n, q, dim, tile, lane, score);
            else
                attend_keys_f16(n, q, dim, tile, lane, score);
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

/* One or two vectors of a head, of which the last may be partial; both lie in one group. */
struct attend_piece {
    int at, n, vectors;
};

/* acc[r] += sum_p score[r][p] v[p] over the first `count` positions of a tile of values. */
INLINE void attend_mix_tile(int rows, enum kern_cache type, int head_dim, const uint8_t *tile,
                            int count, struct attend_piece piece, const float *score,
                            vec acc[BLOCK][2])
{
    const uint8_t *values = tile + kern_cache_scales(type, head_dim);
    const uint16_t *halves =
        (const uint16_t *)(const void *)tile + kern_cache_scale_at(0, piece.at);
    float scale[KERN_TILE];
    for (int p = 0; type == KERN_CACHE_Q8_0 && p < KERN_TILE; p += LANES)
        vec_store(scale + p, vec_load_f16(halves + p));
    for (int p = 0; p < count; p++) {
        const size_t at = (size_t)p * (size_t)head_dim + (size_t)piece.at;
        const vec one = type == KERN_CACHE_Q8_0 ? vec_all(scale[p]) : vec_zero();
        vec value[2];
#pragma GCC unroll 2
        for (int j = 0; j < piece.vectors; j++)
            value[j] = attend_load(type, values, at + (size_t)j * LANES, one, piece.n);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int j = 0; j < piece.vectors; j++)
                acc[r][j] = vec_fma(value[j], vec_all(score[r * KERN_ATTEND_BLOCK + p]), acc[r][j]);
    }
}

/* sum_v[h] = sum_v rescaled + sum_p score[h][p] v[p], for a piece of the head of `rows` queries
 * from h on. */
INLINE void attend_mix(int rows, enum kern_cache type, const struct attention *t,
                       const struct attend_block *b, int h, struct attend_piece piece)
{
    const int head_dim = t->a->head_dim, n = piece.n, vectors = piece.vectors;
    const size_t dim = (size_t)head_dim;
    float *out = t->sum_v + (size_t)h * dim + piece.at;
    const float *score = t->score + h * KERN_ATTEND_BLOCK;
    vec acc[BLOCK][2];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            acc[r][j] = vec_mul(vec_load_n(out + (size_t)r * dim + j * LANES, n),
                                vec_all(t->factor[h + r]));
    for (int p = 0; p < b->count; p += KERN_TILE) {
        const int count = b->count - p < KERN_TILE ? b->count - p : KERN_TILE;
        const uint8_t *tile = attend_tile(t, t->a->v, b->p0 + p);
        attend_mix_tile(rows, type, head_dim, tile, count, piece, score + p, acc);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            vec_store_n(out + (size_t)r * dim + j * LANES, acc[r][j], n);
}

INLINE void attend_mix_share(enum kern_cache type, const struct attention *t,
                             const struct attend_block *b, int h, int queries)
{
    const int dim = t->a->head_dim;
    int at = 0;
    for (; at + 2 * LANES <= dim; at += 2 * LANES) {
        VEC_ROWS(attend_mix, queries, type, t, b, h, (struct attend_piece){at, LANES, 2})
    }
    for (; at < dim; at += LANES) {
        const int n = vec_piece(dim - at);
        VEC_ROWS(attend_mix, queries, type, t, b, h, (struct attend_piece){at, n, 1})
    }
}

static void attend_mix_f16(const struct attention *t, const struct attend_block *b, int h,
                           int queries)
{
    attend_mix_share(KERN_CACHE_F16, t, b, h, queries);
}

static void attend_mix_q8_0(const struct attention *t, const struct attend_block *b, int h,
                            int queries)
{
    attend_mix_share(KERN_CACHE_Q8_0, t, b, h, queries);
}

/* The keys of the next block are asked for piece by piece, in whole tiles. */
static void attend_values(const struct attention *t, const struct attend_block *b)
{
    const int pieces = (b->end - b->first + BLOCK - 1) / BLOCK;
    const int ahead = (KERN_ATTEND_BLOCK / KERN_TILE + pieces - 1) / pieces * KERN_TILE;
    int next = b->p0 + KERN_ATTEND_BLOCK;
    const int behind = next + KERN_ATTEND_BLOCK;
    for (int h = b->first, n; h < b->end; h += n) {
        n = attend_share(b, h);
        for (int stop = next + ahead; next < stop && next < behind; next += KERN_TILE)
            attend_prefetch(t, t->a->k, next, KERN_TILE);
        if (t->a->cache == KERN_CACHE_Q8_0)
            attend_mix_q8_0(t, b, h, n);
        else
            attend_mix_f16(t, b, h, n);
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
    t.bytes = kern_cache_bytes(a->cache, a->head_dim);
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

/* The mean of values of query h goes to its row. */
static void attend_finish(const struct attention *t, int h)
{
    const struct kern_attend *a = t->a;
    const int dim = a->head_dim;
    const float *mixed = t->sum_v + (size_t)h * (size_t)dim;
    float *out = a->out + (size_t)(h / a->group) * a->ld + (size_t)(h % a->group * dim);
    for (int i = 0; i < dim; i += LANES) {
        const int n = vec_piece(dim - i);
        vec_store_n(out + i, vec_div(vec_load_n(mixed + i, n), vec_all(t->sum[h])), n);
    }
}

static void float_attend(const struct kern_attend *a)
{
    const struct attention t = attend_begin(a);
    const int shared = a->n_pos / KERN_ATTEND_BLOCK * KERN_ATTEND_BLOCK;
    attend_range(&t, 0, a->rows * a->group, 0, shared);
    for (int r = 0; r < a->rows; r++)
        attend_range(&t, r * a->group, (r + 1) * a->group, shared, a->n_pos + r);
    for (int h = 0; h < a->rows * a->group; h++) attend_finish(&t, h);
}

#endif
#endif
