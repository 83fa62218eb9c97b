/* splitmix64 (Steele, Lea, Flood 2014): small, seekable, good enough to draw tokens with. */
#ifndef EAD_BASE_RNG_H
#define EAD_BASE_RNG_H

#include <stdint.h>

#define RNG_STEP 0x9e3779b97f4a7c15u

static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Advance the state and return 64 random bits. */
static inline uint64_t rng_bits(uint64_t *state)
{
    return rng_mix(*state += RNG_STEP);
}

/* Bits to a number, uniform in [0, 1). */
static inline double rng_real(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

static inline double rng_unit(uint64_t *state)
{
    return rng_real(rng_bits(state));
}

/* The draw at a position of one of the independent streams of a seed. Streams are numbered from 1.
 */
static inline double rng_at(uint64_t seed, uint64_t stream, uint64_t position)
{
    return rng_real(rng_mix(rng_mix(seed + stream * 0xd1342543de82ef95u) + position * RNG_STEP));
}

#endif
