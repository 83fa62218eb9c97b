/* Whole numbers in AVX-512 for packed weights: `ivec` in the words of pack/unpack.h and
 * pack/pack_avx512.c. */
#ifndef EAD_KERN_VEC_IVEC_AVX512_H
#define EAD_KERN_VEC_IVEC_AVX512_H

#include "kern/vec/vec_avx512.h"

#if defined(__AVX512VNNI__)

#include <string.h>

typedef __m512i ivec;

static inline ivec ivec_load(const void *p)
{
    return _mm512_loadu_si512(p);
}

static inline void ivec_store(void *p, ivec a)
{
    _mm512_storeu_si512(p, a);
}

/* LANES signed bytes, each in a lane. */
static inline ivec ivec_load_bytes(const void *p)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p));
}

static inline ivec ivec_all8(int byte)
{
    return _mm512_set1_epi8((char)byte);
}

/* The same four bytes in every lane. */
static inline ivec ivec_all32(const void *p)
{
    int32_t word;
    memcpy(&word, p, sizeof word);
    return _mm512_set1_epi32(word);
}

static inline ivec ivec_and(ivec a, ivec b)
{
    return _mm512_and_si512(a, b);
}

static inline ivec ivec_sub(ivec a, ivec b)
{
    return _mm512_sub_epi32(a, b);
}

/* Byte by byte. */
static inline ivec ivec_sub8(ivec a, ivec b)
{
    return _mm512_sub_epi8(a, b);
}

static inline ivec ivec_or(ivec a, ivec b)
{
    return _mm512_or_si512(a, b);
}

/* Shifts move bits between bytes; who shifts masks. */
static inline ivec ivec_left(ivec a, int n)
{
    return _mm512_slli_epi16(a, (unsigned)n);
}

static inline ivec ivec_right(ivec a, int n)
{
    return _mm512_srli_epi16(a, (unsigned)n);
}

/* Levels of IQ4 as bytes, 128 above their value. */
static inline ivec ivec_levels(ivec code)
{
    __m128i table = _mm_loadu_si128((const __m128i *)(const void *)quant_iq4_levels);
    table = _mm_xor_si128(table, _mm_set1_epi8(INT8_MIN));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), code);
}

/* minus_sum times the offset of a type, a power of two. */
static inline ivec ivec_start(ivec minus_sum, int offset)
{
    return _mm512_slli_epi32(minus_sum, (unsigned)__builtin_ctz((unsigned)offset));
}

/* sum + the products of four unsigned codes with four signed bytes; every code serves. */
static inline ivec ivec_dot(ivec sum, ivec code, ivec q)
{
    return _mm512_dpbusd_epi32(sum, code, q);
}

static inline vec vec_of_ivec(ivec a)
{
    return _mm512_cvtepi32_ps(a);
}

#endif
#endif
