#include "kern/kern_avx2_chunk.h"
#include "kern/kern_avx2_q8.h"

static inline __m256i load_q(struct q8_view x, int v, int h)
{
    return load256(x.q + 64 * v + 32 * h);
}

/* Products of q[v][h] and q[v + 1][h], by pairs of bytes, then all four of a lane. Sums of 16 bits
 * hold them: with |w| <= 32 a sum of four is at most 4 * 255 * 32 = 32640. */
static inline __m256i dot_narrow(const struct chunk *c, struct q8_view x, int v, int h)
{
    __m256i a = _mm256_maddubs_epi16(load_q(x, v, h), c->q[v][h]);
    __m256i b = _mm256_maddubs_epi16(load_q(x, v + 1, h), c->q[v + 1][h]);
    return _mm256_madd_epi16(_mm256_add_epi16(a, b), _mm256_set1_epi16(1));
}

/* The same for weights of 8 bits: |w| <= 128 unsigned, times x under the sign of w. A sum of two is
 * at most 2 * 128 * 127 = 32512; x is never -128, so its negative is a byte. */
static inline __m256i dot_wide(const struct chunk *c, struct q8_view x, int v, int h)
{
    __m256i sum = _mm256_setzero_si256();
    for (int i = v; i < v + 2; i++) {
        __m256i w = c->q[i][h];
        __m256i q = _mm256_xor_si256(load_q(x, i, h), _mm256_set1_epi8(INT8_MIN));
        __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(q, w));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    return sum;
}

/* The integer sums of half h of a chunk whose groups have one scale. */
static inline __attribute__((always_inline)) __m256 dot_coarse(const struct chunk *c,
                                                               struct q8_view x, int h, int kind)
{
    __m256i dot;
    if (kind & WIDE) {
        dot = _mm256_add_epi32(dot_wide(c, x, 0, h), dot_wide(c, x, 2, h));
    } else {
        dot = _mm256_add_epi32(dot_narrow(c, x, 0, h), dot_narrow(c, x, 2, h));
        dot = _mm256_add_epi32(dot, c->bias[0][h]);
    }
    return _mm256_cvtepi32_ps(dot);
}

/* The scaled sums of half h of a chunk whose groups have two scales. */
static inline __m256 dot_fine(const struct chunk *c, struct q8_view x, int h)
{
    __m256i first = _mm256_add_epi32(dot_narrow(c, x, 0, h), c->bias[0][h]);
    __m256i second = _mm256_add_epi32(dot_narrow(c, x, 2, h), c->bias[1][h]);
    __m256 sum = _mm256_mul_ps(_mm256_cvtepi32_ps(first), c->d[0][h]);
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(second), c->d[1][h], sum);
}

/* sum += the products of one chunk with one row. */
static inline __attribute__((always_inline)) __m256 add_chunk(__m256 sum, const struct chunk *c,
                                                              struct q8_view x, int kind)
{
    __m256 scale = _mm256_loadu_ps(x.d);
    if (kind & FINE) {
        sum = _mm256_fmadd_ps(dot_fine(c, x, 0), twice_low(scale), sum);
        sum = _mm256_fmadd_ps(dot_fine(c, x, 1), twice_high(scale), sum);
    } else {
        scale = _mm256_mul_ps(scale, c->d[0][0]);
        sum = _mm256_fmadd_ps(dot_coarse(c, x, 0, kind), twice_low(scale), sum);
        sum = _mm256_fmadd_ps(dot_coarse(c, x, 1, kind), twice_high(scale), sum);
    }
    if (kind & MINIMA) {
        sum = _mm256_fmadd_ps(c->m[0], _mm256_loadu_ps(x.s), sum);
        sum = _mm256_fmadd_ps(c->m[1], _mm256_loadu_ps(x.s + 8), sum);
    }
    return sum;
}

#include "kern/kern_vec_quant.h"

void avx2_quantize(const float *x, int cols, struct kern_q8 to)
{
    quant_row(x, cols, to);
}

void avx2_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                 size_t ldy)
{
    quant_matmul(w, x, n, o0, o1, y, ldy);
}
