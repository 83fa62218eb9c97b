#include "kern/kern_avx512_chunk.h"

#include <math.h>

/* Largest magnitude of 32 floats as the bits of a float: NaN and infinity stand above all others.
 */
static uint32_t magnitude_bits(__m512 a, __m512 b)
{
    __m512i sign = _mm512_set1_epi32(INT32_MIN);
    __m512i ia = _mm512_andnot_si512(sign, _mm512_castps_si512(a));
    __m512i ib = _mm512_andnot_si512(sign, _mm512_castps_si512(b));
    return (uint32_t)_mm512_reduce_max_epi32(_mm512_max_epi32(ia, ib));
}

/* Group g of a 256-group at q: four quadwords, 64 bytes apart. */
static void quantize_group(const float *x, uint8_t *q, float *d, float *s)
{
    __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
    uint32_t bits = magnitude_bits(a, b);
    float amax, inverse;
    memcpy(&amax, &bits, sizeof amax);
    inverse = 127.0f / amax;
    *d = isfinite(amax) ? amax / 127.0f : NAN;
    __mmask16 keep = isfinite(amax) && isfinite(inverse) ? 0xffff : 0;
    __m512 by = _mm512_set1_ps(inverse);
    __m512i qa = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(a, by));
    __m512i qb = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(b, by));
    s[0] = *d * (float)_mm512_reduce_add_epi32(qa);
    s[1] = *d * (float)_mm512_reduce_add_epi32(qb);
    __m256i bytes = _mm256_set_m128i(_mm512_cvtepi32_epi8(qb), _mm512_cvtepi32_epi8(qa));
    bytes = _mm256_xor_si256(bytes, _mm256_set1_epi8(INT8_MIN));
    uint64_t quad[4];
    memcpy(quad, &bytes, sizeof quad);
    for (int v = 0; v < 4; v++) memcpy(q + 64 * v, &quad[v], sizeof quad[v]);
}

/* sum += the products of one chunk with one row. An instruction's 16-bit products hold 255 * -128,
 * and a lane adds 16 of them to 32 bits: nothing saturates. */
static inline __attribute__((always_inline)) __m512 add_chunk(__m512 sum, const struct chunk *c,
                                                              struct q8_view x, int kind)
{
    __m256 dx = _mm256_loadu_ps(x.d);
    __m512i dot = _mm512_dpbusd_epi32(c->bias[0], load512(x.q), c->q[0]);
    dot = _mm512_dpbusd_epi32(dot, load512(x.q + 64), c->q[1]);
    if (kind & FINE) {
        __m512i last = _mm512_dpbusd_epi32(c->bias[1], load512(x.q + 128), c->q[2]);
        last = _mm512_dpbusd_epi32(last, load512(x.q + 192), c->q[3]);
        __m512 both = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), c->d[0]);
        both = _mm512_fmadd_ps(_mm512_cvtepi32_ps(last), c->d[1], both);
        sum = _mm512_fmadd_ps(both, twice(dx), sum);
    } else {
        dot = _mm512_dpbusd_epi32(dot, load512(x.q + 128), c->q[2]);
        dot = _mm512_dpbusd_epi32(dot, load512(x.q + 192), c->q[3]);
        __m512 scale = twice(_mm256_mul_ps(_mm512_castps512_ps256(c->d[0]), dx));
        sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, sum);
    }
    if (kind & MINIMA) sum = _mm512_fmadd_ps(c->m, _mm512_loadu_ps(x.s), sum);
    return sum;
}

#include "kern/kern_vec_quant.h"

void avx512_quantize(const float *x, int cols, int8_t *q, float *d, float *s)
{
    quant_row(x, cols, q, d, s);
}

void avx512_matmul_q8(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                      float *y, size_t ldy)
{
    quant_matmul(w, x, n, o0, o1, y, ldy);
}
