/*
 * The entropy baselines of R2R (Fu et al. 2025, arXiv 2505.21600; thu-nics/R2R): a token of the
 * small model is critical, and the large one writes it instead, where the mean entropy of the last
 * `window` tokens, itself included, is `critical` nats or more. Then the small one goes on.
 */
#include "decode/policy.h"

#include <math.h>

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    const bool small = s->index && s->writer == EAD_SMALL;
    if (!small || !(s->rolling * M_LN2 >= p->options.critical)) return policy_writer(EAD_SMALL);
    return (ead_decision){.writer = EAD_LARGE, .take_back = 1, .open = 1};
}

const struct policy_rule policy_r2r = {
    .info = {.name = "r2r",
             .help = "critical tokens, by entropy, are the large model's",
             .needs = {true, true}},
    .decide = decide,
};
