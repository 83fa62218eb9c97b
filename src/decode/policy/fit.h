/*
 * A threshold of probability that tells drafts that were kept from those that were refused, fitted
 * as a text goes on. Each kind is counted by probability in FIT_BINS bins of FIT_COUNT - 1 at most,
 * which together are one whole number, so that they fit into a policy's memory. When a bin is full
 * all of its kind are halved: what was long ago counts less. The two kinds are halved apart, which
 * is fair, because only shares within a kind are looked at:
 *
 *     cost(c) = share of the refused with q >= c  +  3 * share of the kept with q < c
 *
 * as transformers weighs them; the threshold is the one of least cost, the highest of equals. It
 * looks at all probabilities that it saw as thresholds, here they are the edges of the bins.
 */
#ifndef EAD_DECODE_POLICY_FIT_H
#define EAD_DECODE_POLICY_FIT_H

enum { FIT_BINS = 8, FIT_COUNT = 64 }; /* 2^48, which a double holds exactly */

/* One more of probability q. */
double fit_count(double counts, double q);
/* The threshold; `standard` while there are 5 or less, or none of a kind. */
double fit_threshold(double kept, double refused, double standard);

#endif
