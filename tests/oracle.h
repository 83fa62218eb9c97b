/*
 * Logits of a tiny model, computed independently of the library: in double precision, one token
 * after the other, reading tensors by name from the file's list, and rounding nothing but what the
 * cache rounds: keys and values to halves, or to codes with a scale.
 */
#ifndef EAD_TESTS_ORACLE_H
#define EAD_TESTS_ORACLE_H

#include "tiny.h"

/* Of the text ids [n]: [n][tiny_logits(spec)], to be freed by the caller. */
double *oracle_logits(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache,
                      const int32_t *ids, int n);
/* Of a mixture: by how much, at least, the logits of the experts that a router chose in this text
 * are above those of the others. Rounding that is smaller changes no choice. */
double oracle_margin(const struct tiny_spec *spec, struct tiny *t, const int32_t *ids, int n);

#endif
