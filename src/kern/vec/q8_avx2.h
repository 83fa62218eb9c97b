/* Activations to 8 bits, a group of 32 at a time, in AVX2 (kern.h: struct kern_q8). */
#ifndef EAD_KERN_VEC_Q8_AVX2_H
#define EAD_KERN_VEC_Q8_AVX2_H

#include "kern/vec/vec_avx2.h"

#if defined(__AVX2__)

#include <math.h>
#include <string.h>

struct q8_group {
    __m256i q; /* 32 signed bytes */
    float d;
    int sum[2];       /* of the first 16, and of all */
    int32_t minus[2]; /* minus those sums, by pairs: of values 4i and 4i + 1 in the low 16 bits, of
                         4i + 2 and 4i + 3 in the high */
};

static inline void add_up(struct q8_group *g)
{
    const __m256i minus = _mm256_sign_epi8(g->q, _mm256_set1_epi8(-1));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), minus);
    __m128i part[2] = {_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)};
    part[1] = _mm_add_epi16(part[0], part[1]);
    for (int i = 0; i < 2; i++) {
        __m128i x = _mm_add_epi16(part[i], _mm_shuffle_epi32(part[i], 0x4e));
        x = _mm_add_epi16(x, _mm_shuffle_epi32(x, 0xb1));
        g->minus[i] = _mm_cvtsi128_si32(x);
        g->sum[i] = -_mm_cvtsi128_si32(_mm_madd_epi16(x, _mm_set1_epi16(1)));
    }
}

/* Largest magnitude of 32 floats; as the bits of a float, NaN and infinity stand above all others.
 */
static inline float magnitude(const __m256 x[4])
{
    __m256i max = _mm256_setzero_si256(), positive = _mm256_set1_epi32(INT32_MAX);
    for (int i = 0; i < 4; i++)
        max = _mm256_max_epi32(max, _mm256_and_si256(_mm256_castps_si256(x[i]), positive));
    int32_t lane[8], largest = 0;
    _mm256_storeu_si256((__m256i *)(void *)lane, max);
    for (int i = 0; i < 8; i++) largest = lane[i] > largest ? lane[i] : largest;
    float amax;
    memcpy(&amax, &largest, sizeof amax);
    return amax;
}

static inline struct q8_group quantize_group(const float *x)
{
    struct q8_group out;
    __m256 f[4];
    for (int i = 0; i < 4; i++) f[i] = _mm256_loadu_ps(x + 8 * i);
    float amax = magnitude(f), inverse = 127.0f / amax;
    __m256i keep = _mm256_set1_epi32(isfinite(amax) && isfinite(inverse) ? -1 : 0), y[4];
    for (int i = 0; i < 4; i++) {
        y[i] = _mm256_cvtps_epi32(_mm256_mul_ps(f[i], _mm256_set1_ps(inverse)));
        y[i] = _mm256_and_si256(y[i], keep);
    }
    out.d = isfinite(amax) ? amax / 127.0f : NAN;
    __m256i low = _mm256_packs_epi32(y[0], y[1]), high = _mm256_packs_epi32(y[2], y[3]);
    __m256i bytes = _mm256_packs_epi16(low, high); /* four by four, out of order */
    out.q = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    add_up(&out);
    return out;
}

#endif
#endif
