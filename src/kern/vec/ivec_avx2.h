/* Whole numbers in AVX2 for packed weights: `ivec` in the words of pack/unpack.h and
 * pack/pack_avx512.h. With AVX-VNNI a product of four bytes is one instruction. */
#ifndef EAD_KERN_VEC_IVEC_AVX2_H
#define EAD_KERN_VEC_IVEC_AVX2_H

#include "kern/vec/vec_avx2.h"

#if defined(__AVX2__)

#include <stdbool.h>
#include <string.h>

typedef __m256i ivec;

static inline ivec ivec_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
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

static inline ivec ivec_sub(ivec a, ivec b)
{
    return _mm256_sub_epi32(a, b);
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

/* Levels of IQ4 as bytes, 128 above their value. */
static inline ivec ivec_levels(ivec code)
{
    __m128i table = _mm_loadu_si128((const __m128i *)(const void *)quant_iq4_levels);
    table = _mm_xor_si128(table, _mm_set1_epi8(INT8_MIN));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), code);
}

/* minus_sum times the offset of a type, a power of two. */
static inline ivec ivec_offset(ivec minus_sum, int offset)
{
    return _mm256_slli_epi32(minus_sum, __builtin_ctz((unsigned)offset));
}

#if defined(__AVXVNNI__)
static inline ivec ivec_start(ivec minus_sum, int offset)
{
    return ivec_offset(minus_sum, offset);
}

/* sum + the products of four unsigned codes with four signed bytes; every code serves. */
static inline ivec ivec_dot(ivec sum, ivec code, ivec q, bool wide)
{
    (void)wide;
    return _mm256_dpbusd_avx_epi32(sum, code, q);
}
#else
/* ivec_dot itself takes 128 off. */
static inline ivec ivec_start(ivec minus_sum, int offset)
{
    return offset == 128 ? _mm256_setzero_si256() : ivec_offset(minus_sum, offset);
}

/* sum + the products of four codes with four signed bytes. Up to 6 bits a sum of two products is
 * at most 2 * 63 * 127 and fits 16 bits. Wide codes become signed weights, |w| <= 128: their
 * magnitude is multiplied with q under their sign, at most 2 * 128 * 127 = 32512; q is never -128,
 * so its negative is a byte. */
static inline ivec ivec_dot(ivec sum, ivec code, ivec q, bool wide)
{
    __m256i pairs;
    if (wide) {
        __m256i w = _mm256_xor_si256(code, _mm256_set1_epi8(INT8_MIN));
        pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(q, w));
    } else {
        pairs = _mm256_maddubs_epi16(code, q);
    }
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#endif

static inline vec vec_of_ivec(ivec a)
{
    return _mm256_cvtepi32_ps(a);
}

#endif
#endif
