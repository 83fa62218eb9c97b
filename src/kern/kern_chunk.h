/*
 * What the quantised kernels of every level agree on.
 *
 * A chunk is 256 weights of one row: 8 groups of 32, each four quadwords of 8 bytes. It is held
 * transposed: the first quadword of every group, then the second of every group, and so on; the
 * activations are stored in the same order. So a group keeps to its lanes, chained multiplications
 * leave whole sums of groups there, and a conversion, a scaling and an addition serve a vector of
 * sums. Activations are stored as unsigned bytes, q + 128: the instructions multiply unsigned by
 * signed, and weights are the signed ones.
 */
#ifndef EAD_KERN_KERN_CHUNK_H
#define EAD_KERN_KERN_CHUNK_H

#include "kern/kern.h"

enum { CHUNK = 256 };

/* Bytes of a chunk in the file: 8 blocks of 32 weights, or one super-block. */
#define CHUNK_BYTES(type) (sizeof(struct type) < 64 ? 8 * sizeof(struct type) : sizeof(struct type))

/* What is particular in the arithmetic of a type; a set of bits. */
enum chunk_kind {
    COARSE = 0,
    FINE = 1,   /* sixteen weights share a scale, not 32 */
    MINIMA = 2, /* there are minima to add */
    WIDE = 4    /* weights of more than 6 bits */
};

/* Where rows of activations lie, `stride` inputs apart. */
struct q8_view {
    const int8_t *q;
    const float *d, *s;
    size_t stride;
};

/* The same from another row and input on. */
static inline struct q8_view q8_view_at(struct q8_view x, size_t row, size_t col)
{
    size_t at = row * x.stride + col;
    return (struct q8_view){x.q + at, x.d + at / 32, x.s + at / 16, x.stride};
}

#endif
