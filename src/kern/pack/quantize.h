/* Activations in 8 bits for packed weights: what the levels share, over quantize_group() of
 * vec/q8_avx2.h or vec/q8_avx512.h. Values lie in natural order, signed. */
#ifndef EAD_KERN_PACK_QUANTIZE_H
#define EAD_KERN_PACK_QUANTIZE_H

#include "kern/vec/vec.h"

#if defined(LANES)

#include <string.h>

static inline void quantize_row(const float *x, int cols, struct kern_q8 to)
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

#endif
#endif
