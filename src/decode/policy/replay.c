/* Writers read from a recording; behind its end the last one goes on. */
#include "decode/policy.h"

static enum status check(const ead_policy_options *o, struct err *err)
{
    if (!o->replay || !o->n_replay)
        return err_set(err, ST_ARG, "replay: expected a recording of at least one token");
    return ST_OK;
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    const ead_policy_options *o = &p->options;
    const size_t i = (size_t)s->index < o->n_replay ? (size_t)s->index : o->n_replay - 1;
    return policy_writer(o->replay[i] ? EAD_LARGE : EAD_SMALL);
}

static int sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    const ead_policy_options *o = &p->options;
    size_t i = (size_t)s->index, n = 0;
    for (; i < o->n_replay && (bool)o->replay[i] == (next == EAD_LARGE); i++) n++;
    if (i >= o->n_replay || n > INT32_MAX) return INT32_MAX;
    return n ? (int)n : 1;
}

const struct policy_rule policy_replay = {
    .info = {.name = "replay",
             .help = "writers read from a recording",
             .needs = {true, true},
             .needs_data = true},
    .check = check,
    .decide = decide,
    .sure = sure,
};
