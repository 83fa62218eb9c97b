#include "kern/pack/pack_avx2.h"

#include "kern/vec/q8_avx2.h"

#include "kern/pack/quantize.h"

void avx2_pack_quantize(const float *x, int cols, struct kern_q8 to)
{
    quantize_row(x, cols, to);
}

void avx2_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                      float *y, size_t ldy)
{
    product_matmul(w, x, n, o0, o1, y, ldy);
}
