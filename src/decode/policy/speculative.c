/*
 * Exact speculative decoding (Leviathan et al. 2023, arXiv 2211.17192): the small model drafts, the
 * large one judges all drafts in one pass. Greedy, a draft is kept that is the best of p. Where
 * tokens are drawn, with a coin u uniform in [0, 1),
 *
 *     keep x if u <= p(x) / q(x), else draw from norm(max(0, p - q)),
 *
 * so that what stands is distributed as the large model alone would have written it. Behind drafts
 * that are all kept its own token is free.
 */
#include "decode/policy/draft.h"

const struct policy_rule policy_speculative = {
    .info = {.name = "speculative",
             .help = "exact: the small model drafts, the large one's text stands",
             .needs = {[EAD_LARGE] = true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = policy_asks_drawn,
    .weigh = policy_weigh_rest,
    .apart = true,
};
