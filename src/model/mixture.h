/*
 * A mixture of experts in place of a layer's feed-forward: a router gives each row its most
 * probable experts, and what these compute is added with their probabilities, which are made to sum
 * to 1. Shazeer et al. 2017; Fedus et al. 2022.
 *
 * Rows are gathered by expert: a slice reads the weights of each expert that it needs once, and
 * they multiply all of that expert's rows. A pair is a row and one of its experts. Pairs are
 * computed in the order of their experts, but a row's sum runs over its experts in the order of
 * their probabilities, whatever stands beside the row.
 */
#ifndef EAD_MODEL_MIXTURE_H
#define EAD_MODEL_MIXTURE_H

#include "base/arena.h"
#include "model/slice.h"

/* Rows of a slice, at most. The more there are, the more of them an expert has when it is read; but
 * each of them needs room for all of its experts. */
enum { MIXTURE_ROWS = 512 };

/* Carve f->mixture for slices of so many rows. */
void mixture_carve(struct forward *f, size_t rows, struct arena *arena);

/* Does it read h in 8 bits? */
bool mixture_needs_q8(const struct slice *s, int layer);
void mixture_walk(const struct slice *s, struct team_member *me, int layer);

/* The `used` most probable of n experts by their logits, the most probable first and of equals the
 * lower number, and their weights. Where a logit is not finite all weights are NaN; the experts are
 * `used` different ones all the same. */
void mixture_choose(const float *logits, int n, int used, int *expert, float *weight);

#endif
