#include "kern/kern_avx512_chunk.h"
#include "kern/kern_avx512_q8.h"

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

void avx512_quantize(const float *x, int cols, struct kern_q8 to)
{
    quant_row(x, cols, to);
}

void avx512_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                   size_t ldy)
{
    quant_matmul(w, x, n, o0, o1, y, ldy);
}
