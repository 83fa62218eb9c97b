/* The small model alone. */
#include "decode/policy.h"

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    (void)p, (void)s;
    return policy_writer(EAD_SMALL);
}

const struct policy_rule policy_small = {
    .info = {.name = "small", .help = "the small model alone", .needs = {[EAD_SMALL] = true}},
    .decide = decide,
    .sure = policy_sure_always,
};
