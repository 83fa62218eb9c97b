/*
 * The parts of a block of quantised weights, in one shape for all types: codes, scales, minima.
 * With the facts of the type (struct quant_form) a weight is
 *
 *   w[k] = d * scale[j] * value(code[k]) + m * min[j]      j = k/16 if fine, k/32 otherwise
 *
 * where value(c) is c - offset, or one of 16 levels. Types without a super-block have one scale,
 * and scale[0] and min[0] are 1; minima of super-blocks are stored to be subtracted, and are here
 * negative.
 */
#ifndef EAD_FORMAT_QUANT_PARTS_H
#define EAD_FORMAT_QUANT_PARTS_H

#include "format/quant.h"

/* Facts of a type, the same for all its blocks. */
struct quant_form {
    uint8_t bits;   /* of a code; 0: not a quantised type */
    uint8_t offset; /* see above */
    uint8_t levels; /* codes choose from quant_iq4_levels */
    uint8_t fine;   /* 16 weights share a scale, not 32 */
    uint8_t minima; /* there are minima */
    uint8_t super;  /* 256 weights to a block; their scales are whole numbers times d */
};

/* In the header, so that kernels made for one type fold its facts. */
static const struct quant_form quant_forms[QT_LIMIT] = {
    [QT_Q4_0] = {.bits = 4, .offset = 8},
    [QT_Q4_1] = {.bits = 4, .minima = 1},
    [QT_Q5_0] = {.bits = 5, .offset = 16},
    [QT_Q5_1] = {.bits = 5, .minima = 1},
    [QT_Q8_0] = {.bits = 8, .offset = 128},
    [QT_Q2_K] = {.bits = 2, .fine = 1, .minima = 1, .super = 1},
    [QT_Q3_K] = {.bits = 3, .offset = 4, .fine = 1, .super = 1},
    [QT_Q4_K] = {.bits = 4, .minima = 1, .super = 1},
    [QT_Q5_K] = {.bits = 5, .minima = 1, .super = 1},
    [QT_Q6_K] = {.bits = 6, .offset = 32, .fine = 1, .super = 1},
    [QT_IQ4_NL] = {.bits = 4, .levels = 1},
    [QT_IQ4_XS] = {.bits = 4, .levels = 1, .super = 1},
};

struct quant_parts {
    uint8_t code[QK_K];
    uint16_t d, m;    /* half floats, as in the file */
    int8_t scale[16]; /* super-blocks */
    int8_t min[16];   /* super-blocks with minima: 0 to -63 */
};

/* Take apart the block at `src` (any alignment) of a quantised type. What the type lacks stays as
 * it is in `out`. */
void quant_parts_read(enum quant_type type, const void *src, struct quant_parts *out);

#endif
