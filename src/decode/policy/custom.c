/* The caller decides. */
#include "decode/policy.h"

static enum status check(const ead_policy_options *o, struct err *err)
{
    if (!o->decide) return err_set(err, ST_ARG, "policy custom: expected a function that decides");
    return ST_OK;
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    return p->options.decide(p->options.context, s);
}

const struct policy_rule policy_custom = {
    .info = {.name = "custom",
             .help = "a function of the program's own",
             .needs = {true, true},
             .needs_data = true},
    .check = check,
    .decide = decide,
};
