/*
 * Attention over a cache of any type, with an online softmax over blocks of positions; vec/vec.h
 * says how this header is used. The loops are written once; what differs by type is attend_load,
 * and where scales come in: with keys when a group is summed, with values through the scores.
 *
 * Queries of several rows go through the blocks of the cache together; what lies behind a query's
 * own position counts for nothing there. Only blocks at the near end of a window every row takes
 * alone. A query's sums are the same either way. What lies before every window is not read.
 */
#ifndef EAD_KERN_ATTEND_ATTEND_H
#define EAD_KERN_ATTEND_ATTEND_H

#include "kern/vec/vec.h"

#if defined(LANES)

#include <math.h>
#include <string.h>

/* Queries multiplied by keys or values while these are in registers: two vectors, with two sums of
 * each query. With a factor, six queries fill the 16 registers of AVX2. */
enum { QUERIES = LANES == 8 ? 6 : 8 };
#define ATTEND_ROWS(fn, rows, ...) CONSTANT_ROWS(QUERIES, fn, rows, __VA_ARGS__)

/* What is kept between blocks, in the caller's scratch. */
struct attention {
    const struct kern_attend *a;
    float *q, *sum_v;          /* [queries][head_dim]: queries; exponentials times values */
    float *score;              /* [queries][KERN_ATTEND_BLOCK]: scores, then their exponentials */
    float *max, *sum, *factor; /* [queries]; factor: of what was summed below a smaller max */
    size_t bytes;              /* of one position of a tile */
};

/* Positions [p0 + skip, p0 + count) for queries [first, end), each as far as it sees, which is at
 * least one; p0 is a multiple of the block. */
struct attend_block {
    int first, end, p0, skip, count;
};

/* Where ends what query h sees of a block. */
static inline int attend_seen(const struct attention *t, const struct attend_block *b, int h)
{
    const int own = t->a->n_pos + h / t->a->group - b->p0;
    return own < b->count ? own : b->count;
}

/* Among `tiles`, by page, the one of position p. */
static inline const uint8_t *attend_tile(const struct attention *t, const uint8_t *tiles, int p)
{
    return tiles + (size_t)t->a->pages[p / KERN_TILE] * KERN_TILE * t->bytes;
}

/* Ask for the share that elements [from, to) have of a tile, if there is one: multiplying leaves
 * loads no room to run ahead by themselves. Many requests at once would wait for each other, and
 * the first cache has no room for what is asked for. */
INLINE void attend_prefetch(enum kern_cache type, const uint8_t *tile, size_t from, size_t to)
{
    enum { READ, SECOND_CACHE = 2 };
    const size_t end = tile ? kern_cache_tile(type, (int)to) : 0;
    for (size_t at = kern_cache_tile(type, (int)from); at < end; at += 64)
        __builtin_prefetch(tile + at, READ, SECOND_CACHE);
}

/* n elements of a tile from element `at` on, or their codes. */
INLINE vec attend_load(enum kern_cache type, const uint8_t *elements, size_t at, int n)
{
    if (type == KERN_CACHE_Q8_0) return vec_load_i8_n(elements + at, n);
    return vec_load_f16_n(elements + 2 * at, n);
}

/* Elements that two vectors of a tile of keys hold. Each vector has sums of its own: of its
 * positions; or, where a vector is as wide as a tile, of even or odd elements, so that no
 * multiplication waits for the last one. */
enum { KEY_ELEMENTS = 2 * LANES / KERN_TILE };

INLINE void attend_zero(int rows, vec sum[QUERIES][2])
{
    UNROLL
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = vec_zero();
}

/* sum[r] += q[r] . keys over elements [from, to) of a tile, for `rows` queries. */
INLINE void attend_keys_part(int rows, enum kern_cache type, const float *q, size_t dim,
                             const uint8_t *keys, size_t from, size_t to, vec sum[QUERIES][2])
{
    size_t i = from;
    for (; i + KEY_ELEMENTS <= to; i += KEY_ELEMENTS) {
        const vec key[2] = {attend_load(type, keys, i * KERN_TILE, LANES),
                            attend_load(type, keys, i * KERN_TILE + LANES, LANES)};
        UNROLL
        for (int r = 0; r < rows; r++) {
            const float *x = q + (size_t)r * dim + i;
            sum[r][0] = vec_fma(key[0], vec_all(x[0]), sum[r][0]);
            sum[r][1] = vec_fma(key[1], vec_all(x[KEY_ELEMENTS - 1]), sum[r][1]);
        }
    }
    if (i == to) return;
    const vec key = attend_load(type, keys, i * KERN_TILE, LANES);
    UNROLL
    for (int r = 0; r < rows; r++)
        sum[r][0] = vec_fma(key, vec_all(q[(size_t)r * dim + i]), sum[r][0]);
}

/* total[r] += sum[r] times the scales of a group of a tile of keys. */
INLINE void attend_keys_scale(int rows, const uint16_t *scales, vec sum[QUERIES][2],
                              vec total[QUERIES][2])
{
    const vec scale[2] = {vec_load_f16(scales), vec_load_f16(scales + LANES % KERN_TILE)};
    UNROLL
    for (int r = 0; r < rows; r++) {
        total[r][0] = vec_fma(sum[r][0], scale[0], total[r][0]);
        total[r][1] = vec_fma(sum[r][1], scale[1], total[r][1]);
    }
}

/* Scores of the positions of a tile, for `rows` queries. */
INLINE void attend_keys(int rows, enum kern_cache type, const float *q, size_t dim,
                        const uint8_t *tile, const uint8_t *next, float *score)
{
    const uint8_t *keys = tile + kern_cache_scales(type, (int)dim);
    const uint16_t *scales = (const uint16_t *)(const void *)tile;
    vec sum[QUERIES][2], total[QUERIES][2];
    attend_zero(rows, total);
    for (size_t from = 0; from < dim; from += KERN_GROUP, scales += KERN_TILE) {
        const size_t to = from + KERN_GROUP < dim ? from + KERN_GROUP : dim;
        attend_prefetch(type, next, from, to);
        if (type == KERN_CACHE_Q8_0) {
            attend_zero(rows, sum);
            attend_keys_part(rows, type, q, dim, keys, from, to, sum);
            attend_keys_scale(rows, scales, sum, total);
        } else {
            attend_keys_part(rows, type, q, dim, keys, from, to, total);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++, score += KERN_ATTEND_BLOCK) {
        vec_store(score, KEY_ELEMENTS == 2 ? vec_add(total[r][0], total[r][1]) : total[r][0]);
        if (KEY_ELEMENTS == 1) vec_store(score + LANES, total[r][1]);
    }
}

static void attend_keys_f16(int rows, const float *q, size_t dim, const uint8_t *tile,
                            const uint8_t *next, float *score)
{
    ATTEND_ROWS(attend_keys, rows, KERN_CACHE_F16, q, dim, tile, next, score)
}

static void attend_keys_q8_0(int rows, const float *q, size_t dim, const uint8_t *tile,
                             const uint8_t *next, float *score)
{
    ATTEND_ROWS(attend_keys, rows, KERN_CACHE_Q8_0, q, dim, tile, next, score)
}

/* The first position of the tile that holds the first position of a block that counts. */
static inline int attend_first_tile(const struct attend_block *b)
{
    return b->skip / KERN_TILE * KERN_TILE;
}

/* score[h][p] = q[h] . k[p0 + p]; the values of the block are on their way meanwhile. */
static void attend_scores(const struct attention *t, const struct attend_block *b)
{
    const struct kern_attend *a = t->a;
    const size_t dim = (size_t)a->head_dim;
    for (int p = attend_first_tile(b); p < b->count; p += KERN_TILE) {
        const uint8_t *tile = attend_tile(t, a->k, b->p0 + p);
        const uint8_t *next = attend_tile(t, a->v, b->p0 + p);
        for (int h = b->first, n; h < b->end; h += n, next = NULL) {
            const float *q = t->q + (size_t)h * dim;
            float *score = t->score + h * KERN_ATTEND_BLOCK + p;
            n = vec_share(b->end - h, QUERIES);
            if (a->cache == KERN_CACHE_Q8_0)
                attend_keys_q8_0(n, q, dim, tile, next, score);
            else
                attend_keys_f16(n, q, dim, tile, next, score);
        }
    }
}

/* Scores of positions [from, to) of a block, scaled and capped. */
__attribute__((noinline)) static void attend_cap(const struct kern_attend *a, float *score,
                                                 int from, int to)
{
    for (int p = from; p < to; p += LANES)
        vec_store(score + p, vec_capped(vec_mul(vec_load(score + p), vec_all(a->scale)), a->cap));
}

/* Turn one query's scores into exp(score - max). Lanes before the first score and behind the last
 * that it sees count for nothing. */
static void attend_softmax(const struct attention *t, const struct attend_block *b, int h)
{
    float *score = t->score + h * KERN_ATTEND_BLOCK, lane[LANES], max = t->max[h];
    const int from = b->skip / LANES * LANES, to = attend_seen(t, b, h);
    const bool capped = t->a->cap > 0;
    const vec scale = vec_all(capped ? 1 : t->a->scale);
    if (capped) attend_cap(t->a, score, from, to);
    for (int p = from; p < b->skip; p++) score[p] = -INFINITY;
    for (int p = to; p % LANES; p++) score[p] = -INFINITY;
    vec most = vec_all(max), sum = vec_zero();
    for (int p = from; p < to; p += LANES) {
        vec scaled = vec_mul(vec_load(score + p), scale);
        vec_store(score + p, scaled);
        most = vec_max(scaled, most);
    }
    vec_store(lane, most);
    for (int i = 0; i < LANES; i++) max = lane[i] > max ? lane[i] : max;
    for (int p = from; p < to; p += LANES) {
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

/* Scores times the scales of a group of a tile of values: one product serves all its codes. */
INLINE void attend_mix_scale(int rows, const uint16_t *scales, const float *score,
                             float scaled[QUERIES][KERN_TILE])
{
    for (int p = 0; p < KERN_TILE; p += LANES) {
        const vec scale = vec_load_f16(scales + p);
        UNROLL
        for (int r = 0; r < rows; r++)
            vec_store(scaled[r] + p, vec_mul(vec_load(score + r * KERN_ATTEND_BLOCK + p), scale));
    }
}

/* acc[r] += sum_p score[r][p] v[p] over positions [from, to) of a tile of values. */
INLINE void attend_mix_tile(int rows, enum kern_cache type, int head_dim, const uint8_t *tile,
                            int from, int to, struct attend_piece piece, const float *score,
                            vec acc[QUERIES][2])
{
    const bool q8_0 = type == KERN_CACHE_Q8_0;
    const uint8_t *values = tile + kern_cache_scales(type, head_dim);
    const uint16_t *scales = (const uint16_t *)(const void *)tile;
    float scaled[QUERIES][KERN_TILE];
    if (q8_0) attend_mix_scale(rows, scales + kern_cache_scale_at(0, piece.at), score, scaled);
    const float *weight = q8_0 ? scaled[0] : score;
    const int stride = q8_0 ? KERN_TILE : KERN_ATTEND_BLOCK;
    for (int p = from; p < to; p++) {
        const size_t at = (size_t)p * (size_t)head_dim + (size_t)piece.at;
        vec value[2];
        UNROLL
        for (int j = 0; j < piece.vectors; j++)
            value[j] = attend_load(type, values, at + (size_t)j * LANES, piece.n);
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int j = 0; j < piece.vectors; j++)
                acc[r][j] = vec_fma(value[j], vec_all(weight[r * stride + p]), acc[r][j]);
        }
    }
}

/* sum_v[h] = sum_v rescaled + sum_p score[h][p] v[p], for a piece of the head of `rows` queries
 * from h on. The first of them ask for the keys of the next block. */
INLINE void attend_mix(int rows, enum kern_cache type, const struct attention *t,
                       const struct attend_block *b, int h, struct attend_piece piece)
{
    const int head_dim = t->a->head_dim, n = piece.n, vectors = piece.vectors;
    const size_t dim = (size_t)head_dim;
    float *out = t->sum_v + (size_t)h * dim + piece.at;
    const float *score = t->score + h * KERN_ATTEND_BLOCK;
    vec acc[QUERIES][2];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            acc[r][j] = vec_mul(vec_load_n(out + (size_t)r * dim + j * LANES, n),
                                vec_all(t->factor[h + r]));
    }
    for (int p = attend_first_tile(b); p < b->count; p += KERN_TILE) {
        const int from = b->skip > p ? b->skip - p : 0;
        const int to = b->count - p < KERN_TILE ? b->count - p : KERN_TILE;
        const uint8_t *tile = attend_tile(t, t->a->v, b->p0 + p);
        const int later = b->p0 + p + KERN_ATTEND_BLOCK;
        const bool asks = h == b->first && later < t->a->n_pos;
        const uint8_t *next = asks ? attend_tile(t, t->a->k, later) : NULL;
        attend_prefetch(type, next, (size_t)piece.at, (size_t)(piece.at + vectors * n));
        attend_mix_tile(rows, type, head_dim, tile, from, to, piece, score + p, acc);
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            vec_store_n(out + (size_t)r * dim + j * LANES, acc[r][j], n);
    }
}

INLINE void attend_mix_share(enum kern_cache type, const struct attention *t,
                             const struct attend_block *b, int h, int queries)
{
    const int dim = t->a->head_dim;
    int at = 0;
    for (; at + 2 * LANES <= dim; at += 2 * LANES) {
        ATTEND_ROWS(attend_mix, queries, type, t, b, h, (struct attend_piece){at, LANES, 2})
    }
    for (; at < dim; at += LANES) {
        const int n = vec_piece(dim - at);
        ATTEND_ROWS(attend_mix, queries, type, t, b, h, (struct attend_piece){at, n, 1})
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

static void attend_mix_any(const struct attention *t, const struct attend_block *b, int h,
                           int queries)
{
    if (t->a->cache == KERN_CACHE_Q8_0)
        attend_mix_q8_0(t, b, h, queries);
    else
        attend_mix_f16(t, b, h, queries);
}

/* sum_v[h] += sum_p score[h][p] v[p0 + p]: what all of some queries see, then what each sees beyond
 * the first of them. A value that a query does not see may be no number. */
static void attend_values(const struct attention *t, const struct attend_block *b)
{
    for (int h = b->first, n; h < b->end; h += n) {
        n = vec_share(b->end - h, QUERIES);
        struct attend_block all = *b, rest = *b;
        all.count = rest.skip = attend_seen(t, b, h);
        rest.first = -1; /* the next keys have been asked for */
        attend_mix_any(t, &all, h, n);
        for (int i = 1; i < n; i++) {
            rest.count = attend_seen(t, b, h + i);
            if (rest.count == all.count) continue;
            t->factor[h + i] = 1;
            attend_mix_any(t, &rest, h + i, 1);
        }
    }
}

/* Positions [from, to) for queries [first, end), block by block. */
static void attend_range(const struct attention *t, int first, int end, int from, int to)
{
    for (int p0 = from / KERN_ATTEND_BLOCK * KERN_ATTEND_BLOCK; p0 < to; p0 += KERN_ATTEND_BLOCK) {
        const int skip = from > p0 ? from - p0 : 0;
        const int count = to - p0 < KERN_ATTEND_BLOCK ? to - p0 : KERN_ATTEND_BLOCK;
        const struct attend_block b = {first, end, p0, skip, count};
        attend_scores(t, &b);
        for (int h = first; h < end; h++) attend_softmax(t, &b, h);
        attend_values(t, &b);
    }
}

/* For the queries of row r. */
static void attend_row(const struct attention *t, int r, int from, int to)
{
    attend_range(t, r * t->a->group, (r + 1) * t->a->group, from, to);
}

/* From block p0 on, of which the first row does not see all: for all rows that see some of it. */
static void attend_end(const struct attention *t, int p0)
{
    const struct kern_attend *a = t->a;
    const int end = a->n_pos + a->rows - 1;
    for (; p0 < end; p0 += KERN_ATTEND_BLOCK) {
        const int first = p0 < a->n_pos ? 0 : p0 - a->n_pos + 1;
        const int to = p0 + KERN_ATTEND_BLOCK < end ? p0 + KERN_ATTEND_BLOCK : end;
        attend_range(t, first * a->group, a->rows * a->group, p0, to);
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
    /* [from, to): blocks of which the last row sees the first, and the first row the last */
    const int ahead = kern_attend_from(a, a->rows - 1) + KERN_ATTEND_BLOCK - 1;
    const int to = a->n_pos / KERN_ATTEND_BLOCK * KERN_ATTEND_BLOCK;
    const int from = ahead < to ? ahead / KERN_ATTEND_BLOCK * KERN_ATTEND_BLOCK : to;
    const bool narrow = kern_attend_from(a, a->rows - 1) > to; /* windows begin behind it, too */
    for (int r = 0; r < a->rows; r++) attend_row(&t, r, kern_attend_from(a, r), from);
    attend_range(&t, 0, a->rows * a->group, from, to);
    if (!narrow) attend_end(&t, to);
    for (int r = 0; narrow && r < a->rows; r++) {
        const int own = kern_attend_from(a, r);
        attend_row(&t, r, own > to ? own : to, a->n_pos + r);
    }
    for (int h = 0; h < a->rows * a->group; h++) attend_finish(&t, h);
}

#endif
#endif
