/*
 * The random baseline asks at every eligible token "large?" with probability a, whoever is active.
 * In the long run turns then last d-1 + 1/a (small) and d-1 + 1/(1-a) (large) tokens on average, d
 * the dwell. A text of n tokens is no long run: it has a first writer, who keeps the pen for d
 * tokens, and a last turn that is cut off. random_expected_share is the share of the large model's
 * tokens over n, by carrying the exact probability of every state from token to token.
 *
 * random_rate returns the a that makes the share the one wanted, over `horizon` tokens or in the
 * long run (0); where no a does, the one that comes nearest.
 */
#ifndef EAD_DECODE_POLICY_RANDOM_H
#define EAD_DECODE_POLICY_RANDOM_H

#include "ead.h"

double random_rate(const ead_policy_options *o);
double random_expected_share(double a, int n, int dwell, ead_writer start);

#endif
