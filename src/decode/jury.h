/*
 * Drafts before the large model: what it thinks of one, and what stands where one was refused.
 * Where tokens are drawn, the coin and the draw at a position are those of the draft that began
 * where it did, so that no two drafts of one place share a number.
 */
#ifndef EAD_DECODE_JURY_H
#define EAD_DECODE_JURY_H

#include "decode/policy.h"
#include "decode/proposal.h"
#include "decode/sampler.h"
#include "decode/text.h"

/* All borrowed. */
struct jury {
    const struct policy *policy;
    const struct sampler *sampler;
    const struct text *text;
    const struct proposals *proposals; /* what policies that ask for POLICY_BOTH need */
    float *p, *q;                      /* [n_vocab] scratch */
};

/* Of the draft at a position, by the distribution that the large model has there. */
ead_opinion jury_opinion(const struct jury *j, int pos, const struct distribution *large);
/* The token that stands in place of one of which the large model thinks this; below 0 as of
 * sampler_choose. */
int32_t jury_instead(const struct jury *j, int pos, const ead_opinion *refused,
                     const struct distribution *large);
/* The number by which a draft is drawn at the end of the text where drafts are drawn apart. */
double jury_draft_chance(const struct text *t, const struct sampler *s);

#endif
