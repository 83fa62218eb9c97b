/*
 * Who writes the next token. A decision sees signals, never a model, so it can be replayed from a
 * trace and tested by a table. The rule of Simonds 2025, with the open choices of docs/METHOD.md:
 *
 *     next = large  if Hbar >  tau and c >= dwell
 *            small  if Hbar <= tau and c >= dwell
 *            same   otherwise
 *
 * c counts the tokens the active model has written since it became active, from the first token of
 * the text on.
 */
#ifndef EAD_DECODE_POLICY_H
#define EAD_DECODE_POLICY_H

#include "base/status.h"
#include "decode/signal.h"
#include "ead.h"

struct policy {
    ead_policy_options options; /* replay is borrowed */
    ead_writer writer;          /* of the next token */
    int c;
    size_t written; /* tokens since the start */
    struct signal signal;
    double to_large; /* random: probability that an eligible decision is "large" */
    uint64_t rng;
};

/* Check options: the error names the field, its range and what was found. */
MUST_USE enum status policy_check(const ead_policy_options *o, struct err *err);

/* Start a text. The options must have passed policy_check. */
void policy_init(struct policy *p, const ead_policy_options *o);
/* Start another text with the same options. */
void policy_restart(struct policy *p);

/* A token was written by p->writer from a distribution of this entropy: update the state and choose
 * the next writer. Returns Hbar. */
double policy_observe(struct policy *p, float entropy);

/*
 * The random baseline asks at every eligible token "large?" with probability a, whoever is active.
 * In the long run turns then last d-1 + 1/a (small) and d-1 + 1/(1-a) (large) tokens on average, d
 * the dwell. A text of n tokens is no long run: it has a first writer, who keeps the pen for d
 * tokens, and a last turn that is cut off. policy_expected_share is the share of the large model's
 * tokens over n, by carrying the exact probability of every state from token to token.
 *
 * policy_random_rate returns the a that makes the share the one wanted, over `horizon` tokens or in
 * the long run (0); where no a does, the one that comes nearest.
 */
double policy_random_rate(const ead_policy_options *o);
double policy_expected_share(double a, int n, int dwell, ead_writer start);

#endif
