#include "kern/kern_avx2_chunk.h"

#include <math.h>

/* ---- activations ----------------------------------------------------------------------------- */

static int lane_sum(__m256i y)
{
    __m128i x = _mm_add_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

/* Largest magnitude of 32 floats; as the bits of a float, NaN and infinity stand above all others.
 */
static float magnitude(const __m256 x[4])
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

/* One group of a chunk at q: four quadwords, 64 bytes apart. */
static void quantize_group(const float *x, uint8_t *q, float *d, float *s)
{
    __m256 f[4];
    for (int i = 0; i < 4; i++) f[i] = _mm256_loadu_ps(x + 8 * i);
    float amax = magnitude(f), inverse = 127.0f / amax;
    __m256i keep = _mm256_set1_epi32(isfinite(amax) && isfinite(inverse) ? -1 : 0), y[4];
    for (int i = 0; i < 4; i++) {
        y[i] = _mm256_cvtps_epi32(_mm256_mul_ps(f[i], _mm256_set1_ps(inverse)));
        y[i] = _mm256_and_si256(y[i], keep);
    }
    *d = isfinite(amax) ? amax / 127.0f : NAN;
    s[0] = *d * (float)lane_sum(_mm256_add_epi32(y[0], y[1]));
    s[1] = *d * (float)lane_sum(_mm256_add_epi32(y[2], y[3]));
    __m256i low = _mm256_packs_epi32(y[0], y[1]), high = _mm256_packs_epi32(y[2], y[3]);
    __m256i bytes = _mm256_packs_epi16(low, high); /* four by four, out of order */
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    bytes = _mm256_xor_si256(bytes, _mm256_set1_epi8(INT8_MIN));
    uint64_t quad[4];
    memcpy(quad, &bytes, sizeof quad);
    for (int v = 0; v < 4; v++) memcpy(q + 64 * v, &quad[v], sizeof quad[v]);
}

/* ---- products -------------------------------------------------------------------------------- */

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

void avx2_quantize(const float *x, int cols, int8_t *q, float *d, float *s)
{
    quant_row(x, cols, q, d, s);
}

void avx2_matmul_q8(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                    size_t ldy)
{
    quant_matmul(w, x, n, o0, o1, y, ldy);
}
