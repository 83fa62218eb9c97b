/* What the two products of packed F16 and BF16 weights of the level amx share: kern_amx_float.c
 * says what they compute. */
#ifndef EAD_KERN_KERN_AMX_HALF_H
#define EAD_KERN_KERN_AMX_HALF_H

#include "kern/kern_avx512.h"
#include "kern/kern_vec_panel.h"

#if defined(LANES)

enum {
    DEPTH = 32,   /* inputs of a tile */
    SPLIT = 4096, /* activations that are split at a time: they stay in the first cache */
    GROUP = 16    /* panels that share them */
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

/* kern_amx_few.c: whether it is to multiply n rows, and the products, bit for bit those of tiles.
 */
int amx_few(enum quant_type type, int n);
void amx_few_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0, int o1,
                    float *y, size_t ldy);

#endif
#endif
