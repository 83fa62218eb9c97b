/*
 * The block layouts of GGML tensor types, and a scalar codec for each: the exact meaning of every
 * stored bit. Kernels are tested against these functions.
 *
 * A row of `cols` weights is cols/QUANT_BLOCK(type) consecutive blocks, without padding; all fields
 * are little-endian. Source: the ggml project's ggml-common.h (layouts) and the gguf Python
 * package's constants (type numbers, block sizes).
 */
#ifndef EAD_FORMAT_QUANT_H
#define EAD_FORMAT_QUANT_H

#include <stddef.h>
#include <stdint.h>

/* Values are GGUF's tensor type numbers; numbers between them are types we do not decode. */
enum quant_type {
    QT_F32 = 0,
    QT_F16 = 1,
    QT_Q4_0 = 2,
    QT_Q4_1 = 3,
    QT_Q5_0 = 6,
    QT_Q5_1 = 7,
    QT_Q8_0 = 8,
    QT_Q2_K = 10,
    QT_Q3_K = 11,
    QT_Q4_K = 12,
    QT_Q5_K = 13,
    QT_Q6_K = 14,
    QT_IQ4_NL = 20,
    QT_IQ4_XS = 23,
    QT_BF16 = 30,
    QT_LIMIT = 31 /* one past the largest number */
};

enum { QK = 32, QK_K = 256 }; /* weights in a small block and in a super-block */

/* clang-format off */
struct q4_0 { uint16_t d; uint8_t qs[16]; };                    /* w = d * (q - 8) */
struct q4_1 { uint16_t d, m; uint8_t qs[16]; };                 /* w = d * q + m */
struct q5_0 { uint16_t d; uint8_t qh[4]; uint8_t qs[16]; };     /* w = d * (q - 16) */
struct q5_1 { uint16_t d, m; uint8_t qh[4]; uint8_t qs[16]; };  /* w = d * q + m */
struct q8_0 { uint16_t d; int8_t qs[32]; };                     /* w = d * q */
/* K types: 256 weights, sub-blocks of 16 or 32 with their own integer scale (and minimum). */
struct q2_k { uint8_t scales[16]; uint8_t qs[64]; uint16_t d, dmin; };
struct q3_k { uint8_t hmask[32]; uint8_t qs[64]; uint8_t scales[12]; uint16_t d; };
struct q4_k { uint16_t d, dmin; uint8_t scales[12]; uint8_t qs[128]; };
struct q5_k { uint16_t d, dmin; uint8_t scales[12]; uint8_t qh[32]; uint8_t qs[128]; };
struct q6_k { uint8_t ql[128]; uint8_t qh[64]; int8_t scales[16]; uint16_t d; };
struct iq4_nl { uint16_t d; uint8_t qs[16]; };                  /* w = d * table[q] */
struct iq4_xs { uint16_t d, scales_h; uint8_t scales_l[4]; uint8_t qs[128]; };
/* clang-format on */

/* The 16 levels of IQ4_NL and IQ4_XS. */
extern const int8_t quant_iq4_levels[16];

struct quant_info {
    const char *name; /* "Q4_0" */
    uint16_t block;   /* weights in a block; 0 where sources differ, or the type was never in use */
    uint16_t bytes;   /* bytes of a block */
};

/* Facts of a type number as it stands in a file; NULL when we do not decode it. */
const struct quant_info *quant_info(uint32_t type);

/* The same of every number that ggml gave to a type; NULL for others. */
const struct quant_info *quant_known(uint32_t type);

/* Bytes of a row of `cols` weights; 0 when the type's size is unknown or cols is no multiple of its
 * block. */
size_t quant_row_bytes(uint32_t type, uint64_t cols);

/* dst[0..cols) = the weights of one row at `src` (any alignment); cols a multiple of the block. */
void quant_decode_row(enum quant_type type, const void *src, float *dst, size_t cols);

/* IEEE half and bfloat16, to nearest even on the way down. */
float quant_f16_to_f32(uint16_t h);
uint16_t quant_f32_to_f16(float f);
float quant_bf16_to_f32(uint16_t h);
uint16_t quant_f32_to_bf16(float f);

/* Unpack the eight 6-bit (scale, minimum) pairs of a Q4_K or Q5_K super-block. */
void quant_k4_scales(const uint8_t packed[12], uint8_t scale[8], uint8_t min[8]);

/* Unpack the sixteen 6-bit scales of a Q3_K super-block, already less 32. */
void quant_k3_scales(const uint8_t packed[12], int8_t scale[16]);

#endif
