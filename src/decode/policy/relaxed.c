/*
 * Relaxed acceptance (NVIDIA/TensorRT-LLM): a draft is kept that is among the `relaxed_top` best of
 * p and has p(x) >= max p - relaxed_delta. There it holds between tags of thinking, here
 * everywhere.
 */
#include "decode/policy/draft.h"

static bool keeps(const struct policy *p, const ead_opinion *o)
{
    return o->rank < p->options.relaxed_top &&
           (double)o->p >= (double)o->max_p - p->options.relaxed_delta;
}

static unsigned asks(const struct policy *p)
{
    (void)p;
    return POLICY_RANK;
}

const struct policy_rule policy_relaxed = {
    .info = {.name = "relaxed",
             .help = "drafts are kept that are among the large model's best",
             .needs = {true, true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = asks,
    .keeps = keeps,
};
