#include "kern/pack/pack_avx2.h"

#include "kern/vec/q8_avx2.h"

void avx2_pack_quantize(const float *x, int cols, struct kern_q8 to)
{
    for (int g = 0; g < cols / QK; g++) {
        const struct q8_group group = quantize_group(x + g * QK);
        memcpy(to.q + g * QK, &group.q, QK);
        to.d[g] = group.d;
        for (int h = 0; h < 2; h++) {
            to.s[2 * g + h] = group.d * (float)group.sum[h];
            to.t[2 * g + h] = group.minus[h];
        }
    }
}

void avx2_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                      float *y, size_t ldy)
{
    product_matmul(w, x, n, o0, o1, y, ldy);
}
