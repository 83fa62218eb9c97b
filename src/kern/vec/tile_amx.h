/* What kernels with AMX tiles share. */
#ifndef EAD_KERN_VEC_TILE_AMX_H
#define EAD_KERN_VEC_TILE_AMX_H

#include <stdint.h>

enum { TILE = 16 /* rows of a tile, and 32-bit sums of a row */ };

/* What _tile_loadconfig reads. */
struct tile_config {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Call it between storing what a tile, or its configuration, is loaded from, and loading that:
 * gcc 12 does not know that those instructions read memory, and may move stores behind them. */
static inline void tile_stores_end(void)
{
    __asm__ volatile("" ::: "memory");
}

#endif
