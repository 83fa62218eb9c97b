/*
 * A next-token distribution, before temperature and truncation: dense logits where the model runs
 * here, or the most probable tokens and what is left over, where an answer holds no more. Its
 * statistics are values or, where something is left over, an interval; they say which.
 */
#ifndef EAD_ENGINE_DISTRIBUTION_H
#define EAD_ENGINE_DISTRIBUTION_H

#include "ead.h"
#include "engine/candidate.h"
#include "kern/kern.h"

/* A token of which something is told though it is not among the most probable. */
struct also {
    int32_t id;
    float log_prob; /* ln p; NaN: not known */
    int rank;       /* from 1 on; 0: not known */
};

struct distribution {
    int n;                       /* tokens that can follow: the vocabulary without padding */
    const float *logits;         /* [n], borrowed; NULL when only the most probable are known */
    float log_sum_exp;           /* of the logits: ln p(id) = logits[id] - log_sum_exp */
    const struct candidate *top; /* [n_top], borrowed: falling ln p; NULL when logits are there */
    int n_top;
    const struct also *also; /* borrowed; NULL: there is none */
    ead_stats stats;
};

/* All of n logits. False when they are not numbers. */
bool distribution_dense(struct distribution *out, const struct kern *kern, const float *logits,
                        int n);

/*
 * The n_top most probable of n tokens, as ln p, in falling order. With R the probability left over,
 * p_k the smallest that is known and H_top = -sum p log2 p, the entropy lies between
 *     H_top - R log2(R / (n - n_top))        R spread evenly over the others, and
 *     H_top + R packed into as few tokens as possible, none above p_k.
 * The estimate is the midpoint. False when they are not log-probabilities of tokens in falling
 * order, or add up to what no distribution over n tokens can.
 */
bool distribution_top(struct distribution *out, const struct candidate *top, int n_top, int n);

/* ln p of a token; NaN when it is not among those that are known. */
float distribution_log_prob(const struct distribution *d, int32_t id);

/* Tokens below n_vocab that are more probable than this one; where only the best are known and
 * nothing is told of it, those. */
int distribution_rank(const struct distribution *d, int n_vocab, int32_t id);

/* The `most` most probable tokens as ln p, in falling order, equal ones by id. Returns how many
 * there are. */
int distribution_best(const struct distribution *d, int most, struct candidate *out);

#endif
