/* What the two products of packed F16 and BF16 weights of the level amx share: float/float_amx.c
 * says what they compute. */
#ifndef EAD_KERN_FLOAT_FLOAT_AMX_H
#define EAD_KERN_FLOAT_FLOAT_AMX_H

#include "kern/vec/vec_avx512.h"

#include "kern/pack/panel.h"

#if defined(LANES)

enum {
    DEPTH = 32,   /* inputs of a tile */
    SPLIT = 4096, /* activations that are split at a time: they stay in the first cache */
    BATCH = 16    /* panels that share them */
};

/* Parts of a number, the largest first. */
enum { HIGH, MIDDLE, LOW, PARTS };

/* The first part of a number. */
static inline vec part(vec a)
{
    return _mm512_and_ps(a, _mm512_castsi512_ps(_mm512_set1_epi32((int)0xffff0000)));
}

/* A number without it. */
static inline vec rest(vec a)
{
    return vec_sub(a, part(a));
}

/* Ask for weights `near` bytes behind those of two inputs. Into the first cache, and nearer than
 * panel_prefetch: a load that waits keeps the work behind it from being queued. */
static inline void halves_prefetch(const uint16_t *w, size_t near)
{
    enum { READ = 0, FIRST_CACHE = 3 };
    __builtin_prefetch((const uint8_t *)w + near, READ, FIRST_CACHE);
    __builtin_prefetch((const uint8_t *)(w + PANEL) + near, READ, FIRST_CACHE);
}

/* The weights of DEPTH inputs at w, of which the matrix has `left`: if they are fewer, a copy in
 * `last` that zeros complete. */
static inline const uint16_t *halves_complete(const uint16_t *w, int left, uint16_t (*last)[PANEL])
{
    if (left >= DEPTH) return w;
    memset(last, 0, DEPTH * sizeof *last);
    memcpy(last, w, (size_t)left * sizeof *last);
    return last[0];
}

/* float/float_amx_few.c: whether it is to multiply n rows, and the products, bit for bit those of
 * tiles.
 */
int amx_few(enum quant_type type, int n);
void amx_few_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0, int o1,
                    float *y, size_t ldy);

#endif
#endif
