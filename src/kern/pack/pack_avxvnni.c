/* Packed weights in AVX2 with the dot product of AVX-VNNI: the bits of the avx2 table, sooner. */
#include "kern/vec/ivec_avx2.h"
#include "kern/vec/q8_avx2.h"

#include "kern/pack/pack_avx512.h"

void avxvnni_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                         float *y, size_t ldy)
{
    pack_matmul(w, x, n, o0, o1, y, ldy);
}
