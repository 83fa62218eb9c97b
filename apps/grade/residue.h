/*
 * Arithmetic modulo a prime of 60 bits. The prime is drawn from the texts that are compared, so
 * that no number one could write down is zero in it: a collision would have to be searched for,
 * anew for each pair. It is 1 modulo 4, and -1 has a root to stand for i.
 */
#ifndef EAD_GRADE_RESIDUE_H
#define EAD_GRADE_RESIDUE_H

#include <stdint.h>

/* Choose the prime by `seed`, for this thread, until the next call. Residues of another prime mean
 * nothing from then on. */
void residue_begin(uint64_t seed);

uint64_t residue_int(int64_t n);
uint64_t residue_i(void);
/* One that looks random, from any bits. */
uint64_t residue_scatter(uint64_t bits);

uint64_t residue_add(uint64_t a, uint64_t b);
uint64_t residue_neg(uint64_t a);
uint64_t residue_mul(uint64_t a, uint64_t b);
uint64_t residue_pow(uint64_t a, uint64_t n);
uint64_t residue_inverse(uint64_t a); /* of a that is not 0 */

/* Bits that look random, from bits that do not: the finaliser of splitmix64. */
uint64_t residue_bits(uint64_t x);

#endif
