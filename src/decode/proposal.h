/*
 * What the small model proposed: the distribution that each draft was drawn from, kept until the
 * large model has judged it. Of a large vocabulary the most probable tokens are kept, in shares of
 * one, and a draft is drawn from what is kept: whatever proposes, what stands in the end is
 * distributed as it should be.
 *
 * A place belongs to a position of the text. It holds what was proposed there last, until another
 * position takes it; of a text that was cut back far, proposals may be gone, and the small model
 * reads the drafts again.
 */
#ifndef EAD_DECODE_PROPOSAL_H
#define EAD_DECODE_PROPOSAL_H

#include "base/arena.h"
#include "engine/candidate.h"

#include <stdbool.h>

enum { PROPOSAL_TOKENS = 1024, PROPOSAL_PLACES = 64 };

struct proposal {
    int pos; /* of the draft; -1: none */
    int n;
    double cut; /* what tokens that were not kept had of q; exactly 0 when there are none */
    struct candidate *tokens; /* [n], room for PROPOSAL_TOKENS: .logit is the probability */
};

struct proposals {
    struct proposal places[PROPOSAL_PLACES];
};

/* The storage, once measuring and once for real. */
void proposals_carve(struct proposals *p, struct arena *arena);
void proposals_reset(struct proposals *p);
void proposals_copy(struct proposals *p, const struct proposals *from);

/* Keep what is proposed at a position: q [n_vocab], with `scratch` [n_vocab]. */
void proposals_keep(struct proposals *p, int pos, const float *q, int n_vocab,
                    struct candidate *scratch);
bool proposals_know(const struct proposals *p, int pos);
/* q [n_vocab] as it was kept; it must be known. */
void proposals_spread(const struct proposals *p, int pos, float *q, int n_vocab);
/* The probability that q had on tokens that were not kept; it must be known. */
double proposals_cut(const struct proposals *p, int pos);
/* The token of a proposal by a number, uniform in [0, 1). */
int32_t proposals_draw(const struct proposals *p, int pos, double chance);

#endif
