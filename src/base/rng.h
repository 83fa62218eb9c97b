/* splitmix64 (Steele, Lea, Flood 2014): small, seekable by seed, good enough to draw tokens with.
 */
#ifndef EAD_BASE_RNG_H
#define EAD_BASE_RNG_H

#include <stdint.h>

/* Advance the state and return 64 random bits. */
static inline uint64_t rng_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Uniform in [0, 1). */
static inline double rng_unit(uint64_t *state)
{
    return (double)(rng_bits(state) >> 11) * 0x1p-53;
}

#endif
