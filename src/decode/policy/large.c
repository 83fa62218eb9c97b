/* The large model alone. */
#include "decode/policy.h"

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    (void)p, (void)s;
    return policy_writer(EAD_LARGE);
}

const struct policy_rule policy_large = {
    .info = {.name = "large", .help = "the large model alone", .needs = {[EAD_LARGE] = true}},
    .decide = decide,
    .sure = policy_sure_always,
};
