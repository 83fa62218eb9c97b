/*
 * Fuzzy speculative decoding (Holsman et al. 2025, arXiv 2502.20704; maxholsman/fsd): a draft is
 * kept where the two distributions are close, divergence(p, q) <= fsd_limit; else the large model's
 * own choice stands. Where tokens are not drawn that is its best one, so that a draft which is it
 * is kept in any case.
 */
#include "decode/policy/divergence.h"
#include "decode/policy/draft.h"

static double measure(const struct policy *p, const float *pp, const float *qq, int n, double cut)
{
    return divergence_of(p->options.divergence, pp, qq, n, cut);
}

static bool keeps(const struct policy *p, const ead_opinion *o)
{
    return (!p->drawn && o->id == o->argmax) || (double)o->measure <= p->options.fsd_limit;
}

static unsigned asks(const struct policy *p)
{
    (void)p;
    return POLICY_BOTH;
}

const struct policy_rule policy_fsd = {
    .info = {.name = "fsd",
             .help = "drafts are kept where the two distributions are close",
             .needs = {true, true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = asks,
    .keeps = keeps,
    .measure = measure,
    .apart = true,
};
