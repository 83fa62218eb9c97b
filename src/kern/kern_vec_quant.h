/*
 * Quantised weights times quantised activations: the loops, for the vector of the including file
 * (kern_vec.h) and its way of keeping a chunk (kern_chunk.h): struct chunk, chunk_<type>() for
 * every type, add_chunk(); and its quantize_group().
 *
 * When cols is no multiple of 256, the last chunk of a row is its last 256 weights, which overlap
 * the chunk before; activations are repeated there under scale zero. So no kernel needs a tail, and
 * none reads outside a row. Only rows shorter than a chunk are copied, and completed with zeros.
 *
 * What is computed for one (row, output) pair is always the same sequence: one vector of partial
 * sums that takes the chunks in order, and one tree of additions at the end.
 */
#ifndef EAD_KERN_KERN_VEC_QUANT_H
#define EAD_KERN_KERN_VEC_QUANT_H

#include "kern/kern_chunk.h"
#include "kern/kern_vec.h"

#if defined(LANES)

#include <string.h>

enum {
    CACHE = 32 << 10, /* bytes of activations that are to stay in the first-level cache */
    AHEAD = 4096      /* bytes between a weight and the prefetch of a later one */
};

/* ---- activations ----------------------------------------------------------------------------- */

/* Group i of a row: four quadwords, 64 bytes apart, unsigned. */
static void store_group(struct kern_q8 to, int i, const struct q8_group *group)
{
    uint64_t quad[4];
    memcpy(quad, &group->q, sizeof quad);
    int8_t *q = to.q + i / 8 * CHUNK + i % 8 * 8;
    for (int v = 0; v < 4; v++) {
        quad[v] ^= 0x8080808080808080;
        memcpy(q + 64 * v, &quad[v], sizeof quad[v]);
    }
    to.d[i] = group->d;
    for (int h = 0; h < 2; h++) to.s[2 * i + h] = group->d * (float)group->sum[h];
}

static void quant_row(const float *x, int cols, struct kern_q8 to)
{
    static const float zero[QK];
    int groups = cols / QK, slots = (int)KERN_Q8_COLS(cols) / QK;
    int repeat = groups < 8 ? 0 : slots - groups; /* groups that the last chunk holds again */
    for (int i = 0; i < slots; i++) {
        int g = i < slots - 8 ? i : i - repeat;
        const struct q8_group group = quantize_group(g < groups ? x + g * QK : zero);
        store_group(to, i, &group);
        if (g < slots - 8 && i >= slots - 8) to.d[i] = to.s[2 * i] = to.s[2 * i + 1] = 0;
    }
}

/* ---- products -------------------------------------------------------------------------------- */

typedef void unpack_fn(const uint8_t *src, struct chunk *c);

/* A piece of one weight row: `count` chunks, one after the other from `src` but for the last. */
struct panel {
    const uint8_t *src, *last;
    int count, first; /* first: sums start from zero */
    struct q8_view x; /* the activations under it */
};

/* sum[r][0] += the products of a panel with row r of `rows`, lane by lane. With constant arguments
 * everything but the loop over chunks unrolls, and the sums stay in registers. */
INLINE void add_chunks(int rows, vec (*sum)[LANES], const struct panel *p, unpack_fn *unpack,
                       int bytes, int kind)
{
    vec local[BLOCK];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) local[r] = p->first ? vec_zero() : sum[r][0];
    struct q8_view x = p->x;
    const uint8_t *last = p->last, *src = p->count > 1 ? p->src : last;
    for (int left = p->count; left > 0; left--) {
        struct chunk c;
        for (int j = 0; j < bytes; j += 64) __builtin_prefetch(src + AHEAD + j);
        unpack(src, &c);
        src = left == 2 ? last : src + bytes;
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
            local[r] = add_chunk(local[r], &c, q8_view_at(x, (size_t)r, 0), kind);
        x = q8_view_at(x, 0, CHUNK);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) sum[r][0] = local[r];
}

typedef void add_fn(vec (*sum)[LANES], const struct panel *p, int rows);

#define ADD(type, kind)                                                                            \
    static void add_##type(vec(*sum)[LANES], const struct panel *p, int rows)                      \
    {                                                                                              \
        VEC_ROWS(add_chunks, rows, sum, p, chunk_##type, CHUNK_BYTES(type), kind)                  \
    }

ADD(q4_0, COARSE)
ADD(q4_1, MINIMA)
ADD(q5_0, COARSE)
ADD(q5_1, MINIMA)
ADD(q8_0, WIDE)
ADD(iq4_nl, WIDE)
ADD(q2_k, FINE | MINIMA)
ADD(q3_k, FINE)
ADD(q4_k, MINIMA)
ADD(q5_k, MINIMA)
ADD(q6_k, FINE)
ADD(iq4_xs, WIDE)

struct method {
    add_fn *add;
    size_t bytes; /* of a chunk in the file */
};

#define METHOD(type)                                                                               \
    {                                                                                              \
        add_##type, CHUNK_BYTES(type)                                                              \
    }

static const struct method methods[QT_LIMIT] = {
    [QT_Q4_0] = METHOD(q4_0), [QT_Q4_1] = METHOD(q4_1), [QT_Q5_0] = METHOD(q5_0),
    [QT_Q5_1] = METHOD(q5_1), [QT_Q8_0] = METHOD(q8_0), [QT_IQ4_NL] = METHOD(iq4_nl),
    [QT_Q2_K] = METHOD(q2_k), [QT_Q3_K] = METHOD(q3_k), [QT_Q4_K] = METHOD(q4_k),
    [QT_Q5_K] = METHOD(q5_k), [QT_Q6_K] = METHOD(q6_k), [QT_IQ4_XS] = METHOD(iq4_xs),
};

/* ---- the loops around them ----------------------------------------------------------------- */

/* Where chunk c1 - 1 of a row is read; `copy` takes a row shorter than a chunk. */
static const uint8_t *last_chunk(const struct kern_weight *w, const uint8_t *row, int c1,
                                 size_t bytes, uint8_t *copy)
{
    if (c1 * CHUNK <= w->cols) return row + (size_t)(c1 - 1) * bytes;
    if (w->cols > CHUNK) return row + w->row_bytes - bytes;
    return memcpy(copy, row, w->row_bytes);
}

/* y[r][0..outputs) for `outputs` weight rows from o and `rows` rows of activations. */
static void multiply_tile(const struct kern_weight *w, struct q8_view x, int rows, int o,
                          int outputs, float *y, size_t ldy)
{
    const struct method *method = &methods[w->type];
    int chunks = (int)(KERN_Q8_COLS(w->cols) / CHUNK);
    int most = CACHE / (rows * (CHUNK + CHUNK / 8 + CHUNK / 4)); /* chunks in a panel */
    uint8_t copy[8 * sizeof(struct q8_0)] = {0};
    vec sum[BLOCK][LANES];
    for (int c0 = 0; c0 < chunks; c0 += most) {
        int c1 = chunks - c0 < most ? chunks : c0 + most;
        struct panel p = {
            .count = c1 - c0, .first = c0 == 0, .x = q8_view_at(x, 0, (size_t)c0 * CHUNK)};
        for (int i = 0; i < outputs; i++) {
            const uint8_t *row = w->data + (size_t)(o + i) * w->row_bytes;
            p.src = row + (size_t)c0 * method->bytes;
            p.last = last_chunk(w, row, c1, method->bytes, copy);
            method->add((vec(*)[LANES]) & sum[0][i], &p, rows);
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int i = outputs; i < LANES; i++) sum[r][i] = vec_zero();
        vec_store_n(y + (size_t)r * ldy, vec_sums(sum[r]), outputs);
    }
}

static void quant_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                         float *y, size_t ldy)
{
    struct q8_view all = {x.q, x.d, x.s, KERN_Q8_STRIDE(w->cols)};
    int blocks = (n + BLOCK - 1) / BLOCK;
    for (int o = o0; o < o1; o += LANES) {
        int outputs = vec_piece(o1 - o);
        for (int b = 0; b < blocks; b++) {
            int r0 = (int)((long)n * b / blocks), r1 = (int)((long)n * (b + 1) / blocks);
            multiply_tile(w, q8_view_at(all, (size_t)r0, 0), r1 - r0, o, outputs,
                          y + (size_t)r0 * ldy + (size_t)o, ldy);
        }
    }
}

#endif
#endif
