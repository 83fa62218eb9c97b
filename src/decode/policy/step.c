/*
 * GlimpRouter (arXiv 2601.05110; Zengwh02/GlimpRouter): the small model writes the first token of a
 * step. Where the entropy of its 20 most probable tokens, renormalised, is `step_entropy` nats or
 * more there, the token is dropped and the large model writes the step; else the small one does. A
 * step ends with a line, or with an empty one.
 */
#include "decode/policy.h"

#include <math.h>

static bool ends_step(const struct policy *p, const ead_signals *s)
{
    return p->options.step_end == EAD_STEP_LINE ? s->line : s->blank;
}

/* Memory says of a token that a step ended with it. */
static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    if (!s->index) return policy_writer(EAD_SMALL);
    const bool first = s->index == 1 || s->memory[0] > 0, ended = ends_step(p, s);
    const bool small = s->writer == EAD_SMALL;
    if (small && first && (double)s->top_entropy * M_LN2 >= p->options.step_entropy)
        return (ead_decision){.writer = EAD_LARGE, .take_back = 1, .open = 1};
    return (ead_decision){.writer = small || ended ? EAD_SMALL : EAD_LARGE, .memory = {ended}};
}

static unsigned asks(const struct policy *p)
{
    (void)p;
    return POLICY_TOP;
}

const struct policy_rule policy_step = {
    .info = {.name = "step",
             .help = "the entropy of a step's first token says who writes the step",
             .needs = {true, true}},
    .decide = decide,
    .asks = asks,
};
