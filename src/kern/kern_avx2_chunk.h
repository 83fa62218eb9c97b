/*
 * Chunks of 256 weights in AVX2 vectors (kern_chunk.h says what a chunk is), unpacked from any
 * quantised type. Sixteen registers do not hold a chunk; it passes through the stack.
 *
 * The header is empty for compilations without these instructions.
 */
#ifndef EAD_KERN_KERN_AVX2_CHUNK_H
#define EAD_KERN_KERN_AVX2_CHUNK_H

#include "kern/kern_avx2.h"
#include "kern/kern_chunk.h"
#include "kern/kern_scales.h"

#if defined(__AVX2__)

/* Vector q[v][h] has quadword v of groups 4h to 4h + 3, group 4h + j in the 32-bit lanes 2j and
 * 2j + 1. */
struct chunk {
    __m256i q[4][2];    /* signed weights */
    __m256i bias[2][2]; /* -128 sum(w) of each lane of q[..][h], in bias[0][h]; or, if fine, of
                           q[0..1][h] in bias[0][h] and of q[2..3][h] in bias[1][h] */
    __m256 d[2][2];     /* scales: of the 8 groups, in d[0][0]; or, if fine, lane by lane, of the
                           first and of the second sixteen of the groups of half h, in d[..][h] */
    __m256 m[2];        /* minimum of each 16 weights, in natural order */
};

/* ---- parts of a chunk ------------------------------------------------------------------------ */

static inline __m256i load_pair(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load128(low)), load128(high), 1);
}

/* The first four of 8 values twice each, and the last four. */
static inline __m256 twice_low(__m256 f)
{
    return _mm256_permutevar8x32_ps(f, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

static inline __m256 twice_high(__m256 f)
{
    return _mm256_permutevar8x32_ps(f, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7));
}

static inline __m256i low_nibbles(__m256i y)
{
    return _mm256_and_si256(y, _mm256_set1_epi8(15));
}

static inline __m256i high_nibbles(__m256i y)
{
    return low_nibbles(_mm256_srli_epi16(y, 4));
}

/* Nibbles of 8 blocks of 16 bytes, `stride` bytes apart, whose low halves are a group's first 16
 * weights and whose high halves are its last. */
static inline void block_nibbles(struct chunk *c, const uint8_t *qs, size_t stride)
{
    for (int h = 0; h < 2; h++, qs += 4 * stride) {
        __m256i even = load_pair(qs, qs + 2 * stride);
        __m256i odd = load_pair(qs + stride, qs + 3 * stride);
        __m256i first = _mm256_unpacklo_epi64(even, odd), second = _mm256_unpackhi_epi64(even, odd);
        c->q[0][h] = low_nibbles(first);
        c->q[1][h] = low_nibbles(second);
        c->q[2][h] = high_nibbles(first);
        c->q[3][h] = high_nibbles(second);
    }
}

/* Quadword v of the four groups of a 2-bit plane's run of 32 bytes, the lowest bits first. */
static inline __m256i two_bits(const uint8_t *run, int v)
{
    __m256i y = _mm256_set1_epi64x((long long)load64(run + 8 * v));
    y = _mm256_srlv_epi64(y, _mm256_setr_epi64x(0, 2, 4, 6));
    return _mm256_and_si256(y, _mm256_set1_epi8(3));
}

/* All bits in the bytes of quadword v of groups 4h to 4h + 3 whose bit is set in a 1-bit plane: bit
 * g of byte j is weight j of group g. */
static inline __m256i one_bit(const uint8_t *plane, int v, int h)
{
    const __m256i group = _mm256_setr_epi64x(0x0101010101010101, 0x0202020202020202,
                                             0x0404040404040404, 0x0808080808080808);
    __m256i bit = _mm256_slli_epi16(group, 4 * h);
    __m256i y = _mm256_set1_epi64x((long long)load64(plane + 8 * v));
    return _mm256_cmpeq_epi8(_mm256_and_si256(y, bit), bit);
}

/* The same from the fifth bits of four blocks' words, one in each 32 bits of `words`: bit b of byte
 * v is weight 8v + b. */
static inline __m256i fifth_bit(__m128i words, int v)
{
    const __m256i word =
        _mm256_setr_epi64x(0, 0x0404040404040404, 0x0808080808080808, 0x0c0c0c0c0c0c0c0c);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i at = _mm256_add_epi8(word, _mm256_set1_epi8((char)v));
    __m256i y = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(words), at);
    return _mm256_cmpeq_epi8(_mm256_and_si256(y, bit), bit);
}

static inline void subtract(struct chunk *c, int8_t offset)
{
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++)
            c->q[v][h] = _mm256_sub_epi8(c->q[v][h], _mm256_set1_epi8(offset));
}

/* Add `unit` where the bytes of `mask` are set. */
static inline __m256i add_where(__m256i q, __m256i mask, int8_t unit)
{
    return _mm256_add_epi8(q, _mm256_and_si256(mask, _mm256_set1_epi8(unit)));
}

/* The fifth bits of 8 blocks, `stride` bytes apart. */
static inline void add_fifth_bits(struct chunk *c, const uint8_t *qh, size_t stride)
{
    __m256i words = load_words(qh, stride);
    __m128i half[2] = {_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)};
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++) c->q[v][h] = add_where(c->q[v][h], fifth_bit(half[h], v), 16);
}

static inline void levels_of_nibbles(struct chunk *c)
{
    __m256i table = _mm256_broadcastsi128_si256(load128(quant_iq4_levels));
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++) c->q[v][h] = _mm256_shuffle_epi8(table, c->q[v][h]);
}

/* -128 times the sum of the weights of each lane in vectors a and b; |w| <= 32. */
static inline __m256i bias_of(__m256i start, __m256i a, __m256i b)
{
    __m256i minus = _mm256_set1_epi8(INT8_MIN); /* 128 when read unsigned */
    __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(minus, a), _mm256_maddubs_epi16(minus, b));
    return _mm256_sub_epi32(start, _mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
}

static inline void finish_coarse(struct chunk *c)
{
    for (int h = 0; h < 2; h++) {
        __m256i half = bias_of(_mm256_setzero_si256(), c->q[0][h], c->q[1][h]);
        c->bias[0][h] = bias_of(half, c->q[2][h], c->q[3][h]);
    }
}

static inline void finish_fine(struct chunk *c)
{
    for (int h = 0; h < 2; h++) {
        c->bias[0][h] = bias_of(_mm256_setzero_si256(), c->q[0][h], c->q[1][h]);
        c->bias[1][h] = bias_of(_mm256_setzero_si256(), c->q[2][h], c->q[3][h]);
    }
}

static inline void set_minima(struct chunk *c, __m256 m)
{
    c->m[0] = twice_low(m);
    c->m[1] = twice_high(m);
}

/* d times each of 16 signed scales; scale 2g + i goes to the lanes of group g in d[i]. */
static inline void set_fine_scales(struct chunk *c, float d, __m128i scale)
{
    const __m128i even = _mm_setr_epi8(0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
    for (int i = 0; i < 2; i++) {
        __m128i bytes = _mm_shuffle_epi8(scale, _mm_add_epi8(even, _mm_set1_epi8((char)i)));
        __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
        __m256 high = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)));
        c->d[i][0] = _mm256_mul_ps(_mm256_set1_ps(d), low);
        c->d[i][1] = _mm256_mul_ps(_mm256_set1_ps(d), high);
    }
}

static inline void set_k4_scales(struct chunk *c, float d, float dmin, const uint8_t *packed)
{
    __m256 scale, min;
    k4_scales(packed, &scale, &min);
    c->d[0][0] = _mm256_mul_ps(_mm256_set1_ps(d), scale);
    set_minima(c, _mm256_mul_ps(_mm256_set1_ps(-dmin), min));
}

static inline void set_scales_and_minima(struct chunk *c, const uint8_t *b, size_t stride)
{
    __m256 min;
    load_half_pairs(b, stride, &c->d[0][0], &min);
    set_minima(c, min);
}

/* ---- one chunk of each type ------------------------------------------------------------------ */

static inline void chunk_q4_0(const uint8_t *b, struct chunk *c)
{
    block_nibbles(c, b + AT(q4_0, qs), sizeof(struct q4_0));
    subtract(c, 8);
    c->d[0][0] = load_halves(b, sizeof(struct q4_0));
    finish_coarse(c);
}

static inline void chunk_q4_1(const uint8_t *b, struct chunk *c)
{
    block_nibbles(c, b + AT(q4_1, qs), sizeof(struct q4_1));
    set_scales_and_minima(c, b, sizeof(struct q4_1));
    finish_coarse(c);
}

static inline void chunk_q5_0(const uint8_t *b, struct chunk *c)
{
    block_nibbles(c, b + AT(q5_0, qs), sizeof(struct q5_0));
    add_fifth_bits(c, b + AT(q5_0, qh), sizeof(struct q5_0));
    subtract(c, 16);
    c->d[0][0] = load_halves(b, sizeof(struct q5_0));
    finish_coarse(c);
}

static inline void chunk_q5_1(const uint8_t *b, struct chunk *c)
{
    block_nibbles(c, b + AT(q5_1, qs), sizeof(struct q5_1));
    add_fifth_bits(c, b + AT(q5_1, qh), sizeof(struct q5_1));
    set_scales_and_minima(c, b, sizeof(struct q5_1));
    finish_coarse(c);
}

static inline void chunk_iq4_nl(const uint8_t *b, struct chunk *c)
{
    block_nibbles(c, b + AT(iq4_nl, qs), sizeof(struct iq4_nl));
    levels_of_nibbles(c);
    c->d[0][0] = load_halves(b, sizeof(struct iq4_nl));
}

static inline void chunk_q8_0(const uint8_t *b, struct chunk *c)
{
    const uint8_t *qs = b + AT(q8_0, qs);
    const size_t stride = sizeof(struct q8_0);
    for (int h = 0; h < 2; h++, qs += 4 * stride)
        for (size_t half = 0; half < 2; half++) {
            const uint8_t *at = qs + 16 * half;
            __m256i even = load_pair(at, at + 2 * stride);
            __m256i odd = load_pair(at + stride, at + 3 * stride);
            c->q[2 * half][h] = _mm256_unpacklo_epi64(even, odd);
            c->q[2 * half + 1][h] = _mm256_unpackhi_epi64(even, odd);
        }
    c->d[0][0] = load_halves(b, sizeof(struct q8_0));
}

static inline void chunk_q2_k(const uint8_t *b, struct chunk *c)
{
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++) c->q[v][h] = two_bits(b + AT(q2_k, qs) + 32 * h, v);
    __m128i both = load128(b + AT(q2_k, scales)), low = _mm_set1_epi8(15);
    set_fine_scales(c, load_half(b + AT(q2_k, d)), _mm_and_si128(both, low));
    __m128i min = _mm_and_si128(_mm_srli_epi16(both, 4), low);
    __m256 dmin = _mm256_set1_ps(-load_half(b + AT(q2_k, dmin)));
    c->m[0] = _mm256_mul_ps(dmin, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(min)));
    min = _mm_srli_si128(min, 8);
    c->m[1] = _mm256_mul_ps(dmin, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(min)));
    finish_fine(c);
}

static inline void chunk_q3_k(const uint8_t *b, struct chunk *c)
{
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++) {
            __m256i low = two_bits(b + AT(q3_k, qs) + 32 * h, v);
            c->q[v][h] = add_where(low, one_bit(b + AT(q3_k, hmask), v, h), 4);
        }
    subtract(c, 4);
    set_fine_scales(c, load_half(b + AT(q3_k, d)), k3_scales(b + AT(q3_k, scales)));
    finish_fine(c);
}

/* Runs of 32 bytes: low halves are one group, high halves the next. */
static inline void k4_nibbles(struct chunk *c, const uint8_t *qs)
{
    const __m256i shift = _mm256_setr_epi64x(0, 4, 0, 4);
    for (int h = 0; h < 2; h++, qs += 64)
        for (int i = 0; i < 2; i++) {
            __m256i y = load_pair(qs + 16 * i, qs + 32 + 16 * i);
            __m256i low = _mm256_unpacklo_epi64(y, y), high = _mm256_unpackhi_epi64(y, y);
            c->q[2 * i][h] = low_nibbles(_mm256_srlv_epi64(low, shift));
            c->q[2 * i + 1][h] = low_nibbles(_mm256_srlv_epi64(high, shift));
        }
}

static inline void chunk_q4_k(const uint8_t *b, struct chunk *c)
{
    k4_nibbles(c, b + AT(q4_k, qs));
    set_k4_scales(c, load_half(b + AT(q4_k, d)), load_half(b + AT(q4_k, dmin)),
                  b + AT(q4_k, scales));
    finish_coarse(c);
}

static inline void chunk_q5_k(const uint8_t *b, struct chunk *c)
{
    k4_nibbles(c, b + AT(q5_k, qs));
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++)
            c->q[v][h] = add_where(c->q[v][h], one_bit(b + AT(q5_k, qh), v, h), 16);
    set_k4_scales(c, load_half(b + AT(q5_k, d)), load_half(b + AT(q5_k, dmin)),
                  b + AT(q5_k, scales));
    finish_coarse(c);
}

/* Runs of 64 bytes: low halves are two groups, high halves the next two. */
static inline void q6_nibbles(struct chunk *c, const uint8_t *ql)
{
    const __m256i shift = _mm256_setr_epi64x(0, 0, 4, 4);
    for (int h = 0; h < 2; h++, ql += 64)
        for (int i = 0; i < 2; i++) {
            __m256i y0 = _mm256_broadcastsi128_si256(load128(ql + 16 * i));
            __m256i y1 = _mm256_broadcastsi128_si256(load128(ql + 32 + 16 * i));
            __m256i low = _mm256_unpacklo_epi64(y0, y1), high = _mm256_unpackhi_epi64(y0, y1);
            c->q[2 * i][h] = low_nibbles(_mm256_srlv_epi64(low, shift));
            c->q[2 * i + 1][h] = low_nibbles(_mm256_srlv_epi64(high, shift));
        }
}

static inline void chunk_q6_k(const uint8_t *b, struct chunk *c)
{
    q6_nibbles(c, b + AT(q6_k, ql));
    for (int v = 0; v < 4; v++)
        for (int h = 0; h < 2; h++) {
            __m256i high = two_bits(b + AT(q6_k, qh) + 32 * h, v);
            c->q[v][h] = _mm256_or_si256(c->q[v][h], _mm256_slli_epi16(high, 4));
        }
    subtract(c, 32);
    set_fine_scales(c, load_half(b + AT(q6_k, d)), load128(b + AT(q6_k, scales)));
    finish_fine(c);
}

static inline void chunk_iq4_xs(const uint8_t *b, struct chunk *c)
{
    block_nibbles(c, b + AT(iq4_xs, qs), 16);
    levels_of_nibbles(c);
    __m256 scale = iq4_scales(load16(b + AT(iq4_xs, scales_h)), load32(b + AT(iq4_xs, scales_l)));
    c->d[0][0] = _mm256_mul_ps(_mm256_set1_ps(load_half(b + AT(iq4_xs, d))), scale);
}

#endif
#endif
