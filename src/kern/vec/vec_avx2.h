/*
 * A vector of 8 floats in AVX2, in the words over which the headers of pack, float, attend and row
 * say kernels once. Loads take any alignment. The vec_*_part forms touch only the first n < LANES
 * elements; loads put zero in the others.
 *
 * The header is empty for compilations without these instructions.
 */
#ifndef EAD_KERN_VEC_VEC_AVX2_H
#define EAD_KERN_VEC_VEC_AVX2_H

#include "kern/kern.h"

#if defined(__AVX2__)

#include <immintrin.h>
#include <string.h>

#define LANES 8

/* Rows of activations multiplied by a weight while it is in a register; fewer than with AVX-512,
 * there being 16 registers. */
enum { ROWS = 4 };
typedef __m256 vec;

/* All bits in the first n lanes. */
static inline __m256i vec_first(int n)
{
    static const int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(mask + 8 - n));
}

static inline vec vec_zero(void)
{
    return _mm256_setzero_ps();
}

static inline vec vec_all(float f)
{
    return _mm256_set1_ps(f);
}

static inline vec vec_load(const void *p)
{
    return _mm256_loadu_ps(p);
}

static inline vec vec_load_part(const void *p, int n)
{
    return _mm256_maskload_ps(p, vec_first(n));
}

/* The first n 16-bit words at p. */
static inline __m128i vec_words_part(const void *p, int n)
{
    uint16_t word[8] = {0};
    memcpy(word, p, (size_t)n * sizeof *word);
    return _mm_loadu_si128((const __m128i *)(const void *)word);
}

static inline vec vec_load_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(p));
}

static inline vec vec_load_f16_part(const void *p, int n)
{
    return _mm256_cvtph_ps(vec_words_part(p, n));
}

static inline vec vec_of_bf16(__m128i h)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

static inline vec vec_load_bf16(const void *p)
{
    return vec_of_bf16(_mm_loadu_si128(p));
}

static inline vec vec_load_i8(const void *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p)));
}

static inline vec vec_load_i8_part(const void *p, int n)
{
    int8_t byte[8] = {0};
    memcpy(byte, p, (size_t)n);
    return vec_load_i8(byte);
}

static inline void vec_store(float *p, vec a)
{
    _mm256_storeu_ps(p, a);
}

static inline void vec_store_part(float *p, vec a, int n)
{
    _mm256_maskstore_ps(p, vec_first(n), a);
}

static inline void vec_store_f16(uint16_t *p, vec a)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

static inline void vec_store_f16_part(uint16_t *p, vec a, int n)
{
    uint16_t word[8];
    vec_store_f16(word, a);
    memcpy(p, word, (size_t)n * sizeof *word);
}

/* To nearest, ties to even, for elements within 127. */
static inline void vec_store_i8_part(int8_t *p, vec a, int n)
{
    int8_t byte[8];
    __m256i whole = _mm256_cvtps_epi32(a);
    __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)(void *)byte, _mm_packs_epi16(words, words));
    memcpy(p, byte, (size_t)n);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}

/* a * b + c, rounded once. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* The larger, or the smaller; b where either is a NaN. */
static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

static inline int vec_has_nan(vec a)
{
    return _mm256_movemask_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}

static inline vec vec_round(vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* 2^n for n in [-126, 127]. */
static inline vec vec_power(__m256i n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

/* a times 2^n for integral n of magnitude up to 252, in two steps so that neither power overflows;
 * where the result is subnormal, only the second step rounds. */
static inline vec vec_scale(vec a, vec n)
{
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    a = _mm256_mul_ps(a, vec_power(half));
    return _mm256_mul_ps(a, vec_power(_mm256_sub_epi32(whole, half)));
}

/* The sum of all lanes, by a fixed tree: lane k joins lane k + 4, then k + 2, k + 1. */
static inline float vec_sum(vec a)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

void avx2_pack_quantize(const float *x, int cols, struct kern_q8 to);
void avx2_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                      float *y, size_t ldy);
/* pack/pack_avxvnni.c: the same bits, faster. */
void avxvnni_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                         float *y, size_t ldy);

#endif
#endif
