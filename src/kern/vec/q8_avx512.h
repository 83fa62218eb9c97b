/* Activations to 8 bits, a group of 32 at a time, in AVX-512 (kern.h: struct kern_q8). */
#ifndef EAD_KERN_VEC_Q8_AVX512_H
#define EAD_KERN_VEC_Q8_AVX512_H

#include "kern/vec/vec_avx512.h"

#if defined(__AVX512VNNI__)

#include <math.h>
#include <string.h>

struct q8_group {
    __m256i q; /* 32 signed bytes */
    float d;
    int sum[2];       /* of the first 16, and of all */
    int32_t minus[2]; /* minus those */
};

/* Largest magnitude of 32 floats as the bits of a float: NaN and infinity stand above all others.
 */
static inline uint32_t magnitude_bits(__m512 a, __m512 b)
{
    __m512i sign = _mm512_set1_epi32(INT32_MIN);
    __m512i ia = _mm512_andnot_si512(sign, _mm512_castps_si512(a));
    __m512i ib = _mm512_andnot_si512(sign, _mm512_castps_si512(b));
    return (uint32_t)_mm512_reduce_max_epi32(_mm512_max_epi32(ia, ib));
}

/* The sums of the first 16 signed bytes and of all, added as unsigned ones that are larger by 128.
 */
static inline void sums_of_16(__m256i q, int sum[2])
{
    __m256i above = _mm256_xor_si256(q, _mm256_set1_epi8(INT8_MIN));
    __m256i eights = _mm256_sad_epu8(above, _mm256_setzero_si256());
    __m256i both = _mm256_add_epi32(eights, _mm256_shuffle_epi32(eights, 0x4e));
    sum[0] = _mm256_cvtsi256_si32(both) - 16 * 128;
    sum[1] = sum[0] + _mm_cvtsi128_si32(_mm256_extracti128_si256(both, 1)) - 16 * 128;
}

static inline struct q8_group quantize_group(const float *x)
{
    struct q8_group out;
    __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
    uint32_t bits = magnitude_bits(a, b);
    float amax, inverse;
    memcpy(&amax, &bits, sizeof amax);
    inverse = 127.0f / amax;
    out.d = isfinite(amax) ? amax / 127.0f : NAN;
    __mmask16 keep = isfinite(amax) && isfinite(inverse) ? 0xffff : 0;
    __m512 by = _mm512_set1_ps(inverse);
    __m512i qa = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(a, by));
    __m512i qb = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(b, by));
    out.q = _mm256_set_m128i(_mm512_cvtepi32_epi8(qb), _mm512_cvtepi32_epi8(qa));
    sums_of_16(out.q, out.sum);
    for (int h = 0; h < 2; h++) out.minus[h] = -out.sum[h];
    return out;
}

#endif
#endif
