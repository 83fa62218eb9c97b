/*
 * Small loads from a file, at any alignment, and the scales of the types that pack them: what the
 * unpackers of both x86 levels share. The header is empty for compilations without AVX2.
 */
#ifndef EAD_KERN_KERN_SCALES_H
#define EAD_KERN_KERN_SCALES_H

#include "format/quant.h"

#if defined(__AVX2__)

#include <immintrin.h>
#include <string.h>

/* Where a field of a block lies. */
#define AT(type, field) offsetof(struct type, field)

static inline uint16_t load16(const void *p)
{
    uint16_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint32_t load32(const void *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t load64(const void *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline __m128i load128(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

static inline __m256i load256(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline float load_half(const void *p)
{
    return _cvtsh_ss(load16(p));
}

/* Eight 32-bit words, `stride` bytes apart. */
static inline __m256i load_words(const uint8_t *p, size_t stride)
{
    __m128i half[2];
    for (int i = 0; i < 2; i++, p += 4 * stride) {
        half[i] = _mm_cvtsi32_si128((int)load32(p));
        half[i] = _mm_insert_epi32(half[i], (int)load32(p + stride), 1);
        half[i] = _mm_insert_epi32(half[i], (int)load32(p + 2 * stride), 2);
        half[i] = _mm_insert_epi32(half[i], (int)load32(p + 3 * stride), 3);
    }
    return _mm256_set_m128i(half[1], half[0]);
}

/* Eight half floats, `stride` bytes apart. */
static inline __m256 load_halves(const uint8_t *p, size_t stride)
{
    __m128i h = _mm_cvtsi32_si128(load16(p));
    h = _mm_insert_epi16(h, load16(p + stride), 1);
    h = _mm_insert_epi16(h, load16(p + 2 * stride), 2);
    h = _mm_insert_epi16(h, load16(p + 3 * stride), 3);
    h = _mm_insert_epi16(h, load16(p + 4 * stride), 4);
    h = _mm_insert_epi16(h, load16(p + 5 * stride), 5);
    h = _mm_insert_epi16(h, load16(p + 6 * stride), 6);
    h = _mm_insert_epi16(h, load16(p + 7 * stride), 7);
    return _mm256_cvtph_ps(h);
}

/* Eight pairs of half floats, `stride` bytes apart. */
static inline void load_half_pairs(const uint8_t *p, size_t stride, __m256 *first, __m256 *second)
{
    const __m256i apart = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0,
                                           1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    __m256i h = _mm256_shuffle_epi8(load_words(p, stride), apart);
    h = _mm256_permute4x64_epi64(h, 0xd8); /* the first of all pairs, then the second of all */
    *first = _mm256_cvtph_ps(_mm256_castsi256_si128(h));
    *second = _mm256_cvtph_ps(_mm256_extracti128_si256(h, 1));
}

/* The 6-bit scales and minima of Q4_K and Q5_K; see quant_k4_scales. */
static inline void k4_scales(const uint8_t *packed, __m256 *scale, __m256 *min)
{
    uint32_t a = load32(packed), b = load32(packed + 4), top = load32(packed + 8);
    uint32_t s0 = a & 0x3f3f3f3f, s1 = (top & 0x0f0f0f0f) | (a >> 2 & 0x30303030);
    uint32_t m0 = b & 0x3f3f3f3f, m1 = (top >> 4 & 0x0f0f0f0f) | (b >> 2 & 0x30303030);
    __m128i s = _mm_cvtsi64_si128((long long)((uint64_t)s1 << 32 | s0));
    __m128i m = _mm_cvtsi64_si128((long long)((uint64_t)m1 << 32 | m0));
    *scale = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(s));
    *min = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(m));
}

/* The sixteen 6-bit scales of Q3_K, less 32; see quant_k3_scales. */
static inline __m128i k3_scales(const uint8_t *packed)
{
    uint32_t a = load32(packed), b = load32(packed + 4), top = load32(packed + 8);
    const uint32_t low = 0x0f0f0f0f, high = 0x30303030;
    __m128i scale = _mm_setr_epi32(
        (int)((a & low) | (top << 4 & high)), (int)((b & low) | (top << 2 & high)),
        (int)((a >> 4 & low) | (top & high)), (int)((b >> 4 & low) | (top >> 2 & high)));
    return _mm_sub_epi8(scale, _mm_set1_epi8(32));
}

/* The eight 6-bit scales of IQ4_XS, less 32: four low bits each in `low`, two high bits in `high`.
 */
static inline __m256 iq4_scales(uint16_t high, uint32_t low)
{
    const __m256i nibble = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const __m256i pair = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    __m256i l = _mm256_srlv_epi32(_mm256_set1_epi32((int)low), nibble);
    __m256i h = _mm256_srlv_epi32(_mm256_set1_epi32(high), pair);
    l = _mm256_and_si256(l, _mm256_set1_epi32(15));
    h = _mm256_slli_epi32(_mm256_and_si256(h, _mm256_set1_epi32(3)), 4);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_or_si256(l, h), _mm256_set1_epi32(32)));
}

#endif
#endif
