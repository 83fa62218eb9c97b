/* Which problems a run takes, and the seed of each. */
#ifndef EAD_EVAL_SAMPLE_H
#define EAD_EVAL_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* `limit` of n problems (all when it is 0 or too large), ascending, into out[n]; returns how many.
 * A larger sample of the same seed holds every smaller one. */
size_t sample_draw(size_t n, size_t limit, uint64_t seed, int *out);

/* The seed of one problem's random choices: the same whatever stands beside it. */
uint64_t sample_seed(uint64_t seed, int problem);

#endif
