/* Whole numbers in AVX2 for packed weights: `ivec` in the words of pack/unpack.h and
 * pack/pack_avx2.h. */
#ifndef EAD_KERN_VEC_IVEC_AVX2_H
#define EAD_KERN_VEC_IVEC_AVX2_H

#include "kern/vec/vec_avx2.h"

#if defined(__AVX2__)

#include <string.h>

typedef __m256i ivec;

static inline ivec ivec_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline void ivec_store(void *p, ivec a)
{
    _mm256_storeu_si256((__m256i *)p, a);
}

/* LANES signed bytes, each in a lane. */
static inline ivec ivec_load_bytes(const void *p)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

static inline ivec ivec_all8(int byte)
{
    return _mm256_set1_epi8((char)byte);
}

/* The same four bytes in every lane. */
static inline ivec ivec_all32(const void *p)
{
    int32_t word;
    memcpy(&word, p, sizeof word);
    return _mm256_set1_epi32(word);
}

static inline ivec ivec_and(ivec a, ivec b)
{
    return _mm256_and_si256(a, b);
}

/* By 16 bits. */
static inline ivec ivec_sub16(ivec a, ivec b)
{
    return _mm256_sub_epi16(a, b);
}

static inline ivec ivec_or(ivec a, ivec b)
{
    return _mm256_or_si256(a, b);
}

/* Shifts move bits between bytes; who shifts masks. */
static inline ivec ivec_left(ivec a, int n)
{
    return _mm256_slli_epi16(a, n);
}

static inline ivec ivec_right(ivec a, int n)
{
    return _mm256_srli_epi16(a, n);
}

/* Levels of IQ4 as bytes, 128 above their value: all of them, and that of each code. */
static inline ivec ivec_all_levels(void)
{
    const __m128i table = _mm_loadu_si128((const __m128i *)(const void *)quant_iq4_levels);
    return _mm256_broadcastsi128_si256(_mm_xor_si128(table, _mm_set1_epi8(INT8_MIN)));
}

static inline ivec ivec_levels(ivec code)
{
    return _mm256_shuffle_epi8(ivec_all_levels(), code);
}

static inline vec vec_of_ivec(ivec a)
{
    return _mm256_cvtepi32_ps(a);
}

#endif
#endif
