/*
 * Chunks of 256 weights in AVX-512 registers (kern_chunk.h says what a chunk is), unpacked from any
 * quantised type.
 *
 * The header is empty for compilations without these instructions.
 */
#ifndef EAD_KERN_KERN_AVX512_CHUNK_H
#define EAD_KERN_KERN_AVX512_CHUNK_H

#include "kern/kern_avx512.h"
#include "kern/kern_chunk.h"
#include "kern/kern_scales.h"

#if defined(__AVX512VNNI__)

/* Vector v has quadword v of every group, group g in the 32-bit lanes 2g and 2g + 1. */
struct chunk {
    __m512i q[4];    /* signed weights, transposed */
    __m512i bias[2]; /* -128 sum(w) of each lane: over q[0..3]; or, if fine, q[0..1] and q[2..3] */
    __m512 d[2]; /* scales: of the 8 groups, in the first half of d[0]; or, if fine, lane by lane
                    of the first and of the second sixteen of every group */
    __m512 m;    /* minimum of each 16 weights, in natural order; only types that have one */
};

static inline __m512i load512(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* ---- parts of a chunk ------------------------------------------------------------------------ */

/* Four runs of 16 bytes, `stride` bytes apart. */
static inline __m512i load_quads(const uint8_t *p, size_t stride)
{
    __m512i z = _mm512_castsi128_si512(load128(p));
    z = _mm512_inserti32x4(z, load128(p + stride), 1);
    z = _mm512_inserti32x4(z, load128(p + 2 * stride), 2);
    return _mm512_inserti32x4(z, load128(p + 3 * stride), 3);
}

/* Each of 8 values twice. */
static inline __m512 twice(__m256 f)
{
    const __m512i pairs = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(pairs, _mm512_castps256_ps512(f));
}

static inline __m512i low_nibbles(__m512i z)
{
    return _mm512_and_si512(z, _mm512_set1_epi8(15));
}

static inline __m512i high_nibbles(__m512i z)
{
    return low_nibbles(_mm512_srli_epi16(z, 4));
}

/* Nibbles of 8 blocks of 16 bytes whose low halves are a group's first 16 weights and whose high
 * halves are its last; `even` holds blocks 0, 2, 4, 6, `odd` the others. */
static inline void block_nibbles(struct chunk *c, __m512i even, __m512i odd)
{
    __m512i first = _mm512_unpacklo_epi64(even, odd), second = _mm512_unpackhi_epi64(even, odd);
    c->q[0] = low_nibbles(first);
    c->q[1] = low_nibbles(second);
    c->q[2] = high_nibbles(first);
    c->q[3] = high_nibbles(second);
}

/* The same for blocks in a file, `stride` bytes apart. */
static inline void strided_nibbles(struct chunk *c, const uint8_t *qs, size_t stride)
{
    block_nibbles(c, load_quads(qs, 2 * stride), load_quads(qs + stride, 2 * stride));
}

/* Nibbles of a super-block's 128 bytes: group g is quadwords quad[g] to quad[g] + 3, shifted right
 * by shift[g]. */
static inline void super_nibbles(struct chunk *c, const uint8_t *qs, __m512i quad, __m512i shift)
{
    __m512i z0 = load512(qs), z1 = load512(qs + 64);
    for (int v = 0; v < 4; v++) {
        __m512i at = _mm512_add_epi64(quad, _mm512_set1_epi64(v));
        c->q[v] = low_nibbles(_mm512_srlv_epi64(_mm512_permutex2var_epi64(z0, at, z1), shift));
    }
}

/* Quadword v of every group of a super-block's 2-bit plane: each run of 32 bytes holds four groups,
 * the lowest bits first. */
static inline __m512i two_bits(__m512i plane, int v)
{
    const __m512i quad = _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4);
    const __m512i shift = _mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6);
    __m512i at = _mm512_add_epi64(quad, _mm512_set1_epi64(v));
    __m512i z = _mm512_srlv_epi64(_mm512_permutexvar_epi64(at, plane), shift);
    return _mm512_and_si512(z, _mm512_set1_epi8(3));
}

/* Quadword v of every group of a super-block's 1-bit plane: bit g of byte j is weight j of group g.
 */
static inline __mmask64 one_bit(const uint8_t *plane, int v)
{
    const __m512i bit = _mm512_mullo_epi64(_mm512_set1_epi64(0x0101010101010101),
                                           _mm512_setr_epi64(1, 2, 4, 8, 16, 32, 64, 128));
    return _mm512_test_epi8_mask(_mm512_set1_epi64((long long)load64(plane + 8 * v)), bit);
}

/* The fifth bits of 8 blocks, `stride` bytes apart: bit b of byte v of a block's word is weight
 * 8 v + b, so byte v of the eight words makes the mask of vector v. */
static inline void fifth_bits(__mmask64 mask[4], const uint8_t *qh, size_t stride)
{
    const __m256i bytes = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0,
                                           4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m256i z = _mm256_shuffle_epi8(load_words(qh, stride), bytes);
    z = _mm256_permutevar8x32_epi32(z, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    uint64_t quad[4];
    memcpy(quad, &z, sizeof quad);
    for (int v = 0; v < 4; v++) mask[v] = quad[v];
}

static inline void subtract(struct chunk *c, int8_t offset)
{
    for (int v = 0; v < 4; v++) c->q[v] = _mm512_sub_epi8(c->q[v], _mm512_set1_epi8(offset));
}

/* Add 16 where the bit is set, or take 16 away where it is not. */
static inline void add_sixteen(struct chunk *c, const __mmask64 mask[4])
{
    for (int v = 0; v < 4; v++)
        c->q[v] = _mm512_mask_add_epi8(c->q[v], mask[v], c->q[v], _mm512_set1_epi8(16));
}

static inline void levels_of_nibbles(struct chunk *c)
{
    __m512i table = _mm512_broadcast_i32x4(load128(quant_iq4_levels));
    for (int v = 0; v < 4; v++) c->q[v] = _mm512_shuffle_epi8(table, c->q[v]);
}

/* -128 times the sum of the weights of each lane in vectors a and b. */
static inline __m512i bias_of(__m512i start, __m512i a, __m512i b)
{
    __m512i minus = _mm512_set1_epi8(INT8_MIN); /* 128 when read unsigned */
    __m512i sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), minus, a);
    return _mm512_sub_epi32(start, _mm512_dpbusd_epi32(sum, minus, b));
}

static inline void finish_coarse(struct chunk *c)
{
    __m512i half = bias_of(_mm512_setzero_si512(), c->q[0], c->q[1]);
    c->bias[0] = bias_of(half, c->q[2], c->q[3]);
}

static inline void finish_fine(struct chunk *c)
{
    c->bias[0] = bias_of(_mm512_setzero_si512(), c->q[0], c->q[1]);
    c->bias[1] = bias_of(_mm512_setzero_si512(), c->q[2], c->q[3]);
}

static inline void set_scales(struct chunk *c, __m256 d)
{
    c->d[0] = _mm512_castps256_ps512(d);
}

/* d times each of 16 signed scales; scale 2g + h goes to lanes 2g and 2g+1 of d[h]. */
static inline void set_fine_scales(struct chunk *c, float d, __m128i scale)
{
    const __m128i even = _mm_setr_epi8(0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
    for (int h = 0; h < 2; h++) {
        __m128i at = _mm_add_epi8(even, _mm_set1_epi8((char)h));
        __m512i wide = _mm512_cvtepi8_epi32(_mm_shuffle_epi8(scale, at));
        c->d[h] = _mm512_mul_ps(_mm512_set1_ps(d), _mm512_cvtepi32_ps(wide));
    }
}

/* The 6-bit scales and minima of Q4_K and Q5_K; see quant_k4_scales. */
static inline void set_k4_scales(struct chunk *c, float d, float dmin, const uint8_t *packed)
{
    __m256 fs, fm;
    k4_scales(packed, &fs, &fm);
    set_scales(c, _mm256_mul_ps(_mm256_set1_ps(d), fs));
    c->m = twice(_mm256_mul_ps(_mm256_set1_ps(-dmin), fm));
}

/* ---- one chunk of each type ------------------------------------------------------------------ */

static inline void chunk_q4_0(const uint8_t *b, struct chunk *c)
{
    strided_nibbles(c, b + AT(q4_0, qs), sizeof(struct q4_0));
    subtract(c, 8);
    set_scales(c, load_halves(b, sizeof(struct q4_0)));
    finish_coarse(c);
}

static inline void set_scales_and_minima(struct chunk *c, const uint8_t *b, size_t stride)
{
    __m256 d, m;
    load_half_pairs(b, stride, &d, &m);
    set_scales(c, d);
    c->m = twice(m);
}

static inline void chunk_q4_1(const uint8_t *b, struct chunk *c)
{
    strided_nibbles(c, b + AT(q4_1, qs), sizeof(struct q4_1));
    set_scales_and_minima(c, b, sizeof(struct q4_1));
    finish_coarse(c);
}

static inline void chunk_q5_0(const uint8_t *b, struct chunk *c)
{
    __mmask64 fifth[4];
    fifth_bits(fifth, b + AT(q5_0, qh), sizeof(struct q5_0));
    strided_nibbles(c, b + AT(q5_0, qs), sizeof(struct q5_0));
    subtract(c, 16);
    add_sixteen(c, fifth);
    set_scales(c, load_halves(b, sizeof(struct q5_0)));
    finish_coarse(c);
}

static inline void chunk_q5_1(const uint8_t *b, struct chunk *c)
{
    __mmask64 fifth[4];
    fifth_bits(fifth, b + AT(q5_1, qh), sizeof(struct q5_1));
    strided_nibbles(c, b + AT(q5_1, qs), sizeof(struct q5_1));
    add_sixteen(c, fifth);
    set_scales_and_minima(c, b, sizeof(struct q5_1));
    finish_coarse(c);
}

static inline void chunk_iq4_nl(const uint8_t *b, struct chunk *c)
{
    strided_nibbles(c, b + AT(iq4_nl, qs), sizeof(struct iq4_nl));
    levels_of_nibbles(c);
    set_scales(c, load_halves(b, sizeof(struct iq4_nl)));
    finish_coarse(c);
}

/* Blocks i and j side by side. */
static inline __m512i load_two_blocks(const uint8_t *qs, size_t i, size_t j)
{
    __m512i z = _mm512_castsi256_si512(load256(qs + i * sizeof(struct q8_0)));
    return _mm512_inserti64x4(z, load256(qs + j * sizeof(struct q8_0)), 1);
}

static inline void chunk_q8_0(const uint8_t *b, struct chunk *c)
{
    const uint8_t *qs = b + AT(q8_0, qs);
    __m512i z02 = load_two_blocks(qs, 0, 2), z46 = load_two_blocks(qs, 4, 6);
    __m512i z13 = load_two_blocks(qs, 1, 3), z57 = load_two_blocks(qs, 5, 7);
    /* 0x88 takes the first sixteen bytes of each of four blocks, 0xdd the second. */
    __m512i even = _mm512_shuffle_i64x2(z02, z46, 0x88), odd = _mm512_shuffle_i64x2(z13, z57, 0x88);
    c->q[0] = _mm512_unpacklo_epi64(even, odd);
    c->q[1] = _mm512_unpackhi_epi64(even, odd);
    even = _mm512_shuffle_i64x2(z02, z46, 0xdd);
    odd = _mm512_shuffle_i64x2(z13, z57, 0xdd);
    c->q[2] = _mm512_unpacklo_epi64(even, odd);
    c->q[3] = _mm512_unpackhi_epi64(even, odd);
    set_scales(c, load_halves(b, sizeof(struct q8_0)));
    finish_coarse(c);
}

static inline void chunk_q2_k(const uint8_t *b, struct chunk *c)
{
    __m512i plane = load512(b + AT(q2_k, qs));
    for (int v = 0; v < 4; v++) c->q[v] = two_bits(plane, v);
    __m128i both = load128(b + AT(q2_k, scales)), low = _mm_set1_epi8(15);
    set_fine_scales(c, load_half(b + AT(q2_k, d)), _mm_and_si128(both, low));
    __m512i min = _mm512_cvtepi8_epi32(_mm_and_si128(_mm_srli_epi16(both, 4), low));
    __m512 dmin = _mm512_set1_ps(-load_half(b + AT(q2_k, dmin)));
    c->m = _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(min));
    finish_fine(c);
}

static inline void chunk_q3_k(const uint8_t *b, struct chunk *c)
{
    __m512i plane = load512(b + AT(q3_k, qs)), four = _mm512_set1_epi8(4);
    for (int v = 0; v < 4; v++) {
        __mmask64 third = one_bit(b + AT(q3_k, hmask), v);
        __m512i q = _mm512_sub_epi8(two_bits(plane, v), four);
        c->q[v] = _mm512_mask_add_epi8(q, third, q, four);
    }
    set_fine_scales(c, load_half(b + AT(q3_k, d)), k3_scales(b + AT(q3_k, scales)));
    finish_fine(c);
}

/* Runs of 32 bytes: low halves are one group, high halves the next. */
static inline void k4_nibbles(struct chunk *c, const uint8_t *qs)
{
    super_nibbles(c, qs, _mm512_setr_epi64(0, 0, 4, 4, 8, 8, 12, 12),
                  _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4));
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
    __mmask64 fifth[4];
    for (int v = 0; v < 4; v++) fifth[v] = one_bit(b + AT(q5_k, qh), v);
    k4_nibbles(c, b + AT(q5_k, qs));
    add_sixteen(c, fifth);
    set_k4_scales(c, load_half(b + AT(q5_k, d)), load_half(b + AT(q5_k, dmin)),
                  b + AT(q5_k, scales));
    finish_coarse(c);
}

static inline void chunk_q6_k(const uint8_t *b, struct chunk *c)
{
    /* Runs of 64 bytes: low halves are two groups, high halves the next two. */
    super_nibbles(c, b + AT(q6_k, ql), _mm512_setr_epi64(0, 4, 0, 4, 8, 12, 8, 12),
                  _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4));
    __m512i plane = load512(b + AT(q6_k, qh));
    for (int v = 0; v < 4; v++)
        c->q[v] = _mm512_or_si512(c->q[v], _mm512_slli_epi16(two_bits(plane, v), 4));
    subtract(c, 32);
    set_fine_scales(c, load_half(b + AT(q6_k, d)), load128(b + AT(q6_k, scales)));
    finish_fine(c);
}

static inline void chunk_iq4_xs(const uint8_t *b, struct chunk *c)
{
    const uint8_t *qs = b + AT(iq4_xs, qs);
    block_nibbles(c, load_quads(qs, 32), load_quads(qs + 16, 32));
    levels_of_nibbles(c);
    __m256 scale = iq4_scales(load16(b + AT(iq4_xs, scales_h)), load32(b + AT(iq4_xs, scales_l)));
    __m256 d = _mm256_set1_ps(load_half(b + AT(iq4_xs, d)));
    set_scales(c, _mm256_mul_ps(d, scale));
    finish_coarse(c);
}

#endif
#endif
