/*
 * A vector of 16 floats in AVX-512, in the words over which the headers of pack, float, attend and
 * row say kernels once. Loads take any alignment. The vec_*_part forms touch only the first n <
 * LANES elements; loads put zero in the others.
 *
 * The header is empty for compilations without these instructions.
 */
#ifndef EAD_KERN_VEC_VEC_AVX512_H
#define EAD_KERN_VEC_VEC_AVX512_H

#include "kern/kern.h"

#if defined(__AVX512VNNI__)

#include <immintrin.h>

#define LANES 16

/* Rows of activations multiplied by a weight while it is in a register: as many sums, and what a
 * weight needs, fit the 32 registers. */
enum { ROWS = 8 };
typedef __m512 vec;

static inline __mmask16 vec_first(int n)
{
    return (__mmask16)((1u << n) - 1);
}

static inline vec vec_zero(void)
{
    return _mm512_setzero_ps();
}

static inline vec vec_all(float f)
{
    return _mm512_set1_ps(f);
}

static inline vec vec_load(const void *p)
{
    return _mm512_loadu_ps(p);
}

static inline vec vec_load_part(const void *p, int n)
{
    return _mm512_maskz_loadu_ps(vec_first(n), p);
}

static inline vec vec_load_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

static inline vec vec_load_f16_part(const void *p, int n)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(vec_first(n), p));
}

static inline vec vec_of_bf16(__m256i h)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

static inline vec vec_load_bf16(const void *p)
{
    return vec_of_bf16(_mm256_loadu_si256((const __m256i *)p));
}

static inline vec vec_load_i8(const void *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p)));
}

static inline vec vec_load_i8_part(const void *p, int n)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(vec_first(n), p)));
}

static inline void vec_store(float *p, vec a)
{
    _mm512_storeu_ps(p, a);
}

static inline void vec_store_part(float *p, vec a, int n)
{
    _mm512_mask_storeu_ps(p, vec_first(n), a);
}

static inline void vec_store_f16(uint16_t *p, vec a)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

static inline void vec_store_f16_part(uint16_t *p, vec a, int n)
{
    _mm256_mask_storeu_epi16(p, vec_first(n), _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

/* To nearest, ties to even, for elements within 127. */
static inline void vec_store_i8_part(int8_t *p, vec a, int n)
{
    _mm512_mask_cvtsepi32_storeu_epi8(p, vec_first(n), _mm512_cvtps_epi32(a));
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

/* a * b + c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* The larger, or the smaller; b where either is a NaN. */
static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

static inline int vec_has_nan(vec a)
{
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
}

static inline vec vec_round(vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* a times 2^n for integral n. */
static inline vec vec_scale(vec a, vec n)
{
    return _mm512_scalef_ps(a, n);
}

/* The sum of all lanes, by a fixed tree: lane k joins lane k + 8, then k + 4, k + 2, k + 1. */
static inline float vec_sum(vec a)
{
    __m256 y = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

void avx512_pack_quantize(const float *x, int cols, struct kern_q8 to);
void avx512_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                        float *y, size_t ldy);
/* The same, but few rows read two panels in turn. */
void avx512_pack_turns(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                       float *y, size_t ldy);
/* pack/pack_amx.c: the bits of avx512_pack_matmul, faster where there are several rows. */
void amx_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                     size_t ldy);
/* float/float_amx.c: packed F16 and BF16 weights; bits of its own. */
void amx_half_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0, int o1,
                     float *y, size_t ldy);

#endif
#endif
