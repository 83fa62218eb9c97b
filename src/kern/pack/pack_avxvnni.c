/* Packed weights in AVX2 with the dot product of AVX-VNNI: the bits of the avx2 table, sooner. */
#include "kern/pack/pack_avx2.h"

void avxvnni_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                         float *y, size_t ldy)
{
    product_matmul(w, x, n, o0, o1, y, ldy);
}
