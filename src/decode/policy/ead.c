/*
 * The rule of Simonds 2025, with the open choices of docs/METHOD.md:
 *
 *     next = large  if Hbar >  tau and c >= dwell
 *            small  if Hbar <= tau and c >= dwell
 *            same   otherwise
 *
 * c counts the tokens the active model has written since it became active, from the first token of
 * the text on.
 */
#include "decode/policy.h"

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    if (!policy_is_due(p, s)) return policy_writer(s->writer);
    return policy_writer(s->rolling > p->options.tau ? EAD_LARGE : EAD_SMALL);
}

const struct policy_rule policy_ead = {
    .info = {.name = "ead", .help = "rolling entropy against tau"},
    .decide = decide,
    .sure = policy_sure_dwell,
};
