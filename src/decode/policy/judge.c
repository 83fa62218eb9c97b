/*
 * The small model writes, and what it writes piles up risk: of each token as calibration found it
 * (ead_risk), or without a table its entropy. At a token of risk r with the sum acc of all drafts,
 * the large model judges
 *
 *     if r >= risk, or acc > risk_sum, or `unjudged` drafts there are, or with `tail` at the end;
 *
 * the first draft with p(x) < (1 - slack) max p or, by lead, p(x) < max p - slack is cut, and the
 * large model's own token stands there; behind drafts that are all kept its token is free. (A lead
 * tells doubt about words from doubt about what is right: where many words will do, none has much
 * of p, and none leads by much.) Without slack a draft is kept that the large model itself would
 * have written. Then, and with thresholds of 0, this is the large model alone, bit for bit; with
 * infinite ones nobody judges, and it is the small one. What the large model need not read it does
 * not: the end of a calm text, and of a long calm stretch all but the drafts that can be judged at
 * once, stand as they are.
 */
#include "decode/policy/risk.h"

#include <math.h>

static bool never(const ead_policy_options *o)
{
    return isinf(o->risk) && isinf(o->risk_sum);
}

static bool is_due(const struct policy *p, const ead_signals *s, double r, double sum)
{
    const ead_policy_options *o = &p->options;
    return r >= o->risk || sum > o->risk_sum || risk_left_too_long(o, s);
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    if (!s->drafts || never(&p->options)) return policy_writer(EAD_SMALL);
    const double r = risk_of(&p->options, s), sum = (s->drafts > 1 ? s->memory[0] : 0) + r;
    const bool due = is_due(p, s, r, sum);
    return (ead_decision){.writer = due ? EAD_LARGE : EAD_SMALL,
                          .judge = due ? s->drafts : 0,
                          .open = s->drafts,
                          .memory = {sum}};
}

static int sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    return never(&p->options) ? policy_sure_always(p, s, next) : 1;
}

const struct policy_rule policy_judge_risk = {
    .info = {.name = "judge",
             .help = "drafts pile up risk until the large model judges them",
             .needs = {true, true},
             .judges = true},
    .decide = decide,
    .sure = sure,
    .keeps = slack_keeps,
};
