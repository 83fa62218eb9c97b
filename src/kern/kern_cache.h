/*
 * How keys and values of past positions lie in memory: for every head in tiles of keys and tiles of
 * values, each of 16 positions.
 *
 *   f16    keys [head_dim][16], values [16][head_dim], in half floats
 *   q8_0   scales [group][16] in half floats, then codes in 8 bits, ordered like the elements
 * above; a group is 32 elements of a head, the last one maybe fewer; an element is scale * code
 *
 * In a tile of keys, scores of 16 positions stand side by side in a vector. A position can be
 * written alone: it has bytes of its own in its tile, and none elsewhere. Tiles begin at even
 * addresses.
 */
#ifndef EAD_KERN_KERN_CACHE_H
#define EAD_KERN_KERN_CACHE_H

#include "format/quant.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kern_cache { KERN_CACHE_F16, KERN_CACHE_Q8_0, KERN_CACHE_COUNT };

enum { KERN_TILE = 16, KERN_GROUP = 32 };

static inline size_t kern_cache_groups(int head_dim)
{
    return ((size_t)head_dim + KERN_GROUP - 1) / KERN_GROUP;
}

/* Bytes of the key (or value) of one position. */
static inline size_t kern_cache_bytes(enum kern_cache type, int head_dim)
{
    const size_t dim = (size_t)head_dim, half = sizeof(uint16_t);
    return type == KERN_CACHE_Q8_0 ? kern_cache_groups(head_dim) * half + dim : dim * half;
}

/* Bytes of a tile. */
static inline size_t kern_cache_tile(enum kern_cache type, int head_dim)
{
    return KERN_TILE * kern_cache_bytes(type, head_dim);
}

/* Bytes of the scales of a tile, behind which its elements begin. */
static inline size_t kern_cache_scales(enum kern_cache type, int head_dim)
{
    const size_t scales = kern_cache_groups(head_dim) * KERN_TILE;
    return type == KERN_CACHE_Q8_0 ? scales * sizeof(uint16_t) : 0;
}

/* Which of the tile's scales, and which of its elements, belongs to element i of position p. */
static inline size_t kern_cache_scale_at(int p, int i)
{
    return (size_t)(i / KERN_GROUP) * KERN_TILE + (size_t)(p % KERN_TILE);
}

static inline size_t kern_cache_at(bool is_value, int head_dim, int p, int i)
{
    const size_t place = (size_t)(p % KERN_TILE), element = (size_t)i;
    return is_value ? place * (size_t)head_dim + element : element * KERN_TILE + place;
}

/* The scale of a group with this largest magnitude, and the factor that turns elements into codes.
 * A group that holds a NaN or an infinity (`most` is NaN), or needs a scale beyond half floats, is
 * not a number as a whole; for it, and where the scale vanishes, the factor is 0: all codes are. */
static inline float kern_cache_scale(float most, uint16_t *scale)
{
    enum { NOT_A_NUMBER = 0x7e00 };
    *scale = quant_f32_to_f16(most / 127);
    const float rounded = quant_f16_to_f32(*scale);
    if (!isfinite(rounded)) *scale = NOT_A_NUMBER;
    return isfinite(rounded) && rounded > 0 ? 1 / rounded : 0;
}

#endif
