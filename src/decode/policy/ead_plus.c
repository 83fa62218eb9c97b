/*
 * The rule of ead, with what it lacks. While the small model is free it writes, and the large one
 * takes over when the rolling entropy is above tau; it then judges all drafts as policy judge does,
 * with `slack` and `slack_by`. Its turn is exact speculation, with the small model as drafter of
 * `draft` tokens, and ends when `agree` drafts in a row were kept: it is over when they agree, and
 * not when the large model is calm. A free text is also judged at `unjudged` drafts and with `tail`
 * at its end, which is no hand-over unless the rolling entropy says so.
 */
#include "decode/policy/draft.h"
#include "decode/policy/risk.h"

#include <math.h>

/* memory[0]: 0 while the small model is free; in the large one's turn 1 and the drafts in a row
 * that were kept. */

static bool is_free(const ead_signals *s)
{
    return s->memory[0] < 1;
}

/* What holds behind the last token. A draft changes nothing; the large model's token stands behind
 * a judgement. */
static double turn_after(const struct policy *p, const ead_signals *s)
{
    const ead_policy_options *o = &p->options;
    const ead_judgement *j = &s->judged;
    if (s->drafts || !j->n) return s->memory[0];
    if (is_free(s)) return !risk_too_many(o, s, j->n) || s->rolling > o->tau ? 1 : 0;
    const double agreed = j->kept == j->n ? s->memory[0] - 1 + j->n : 0;
    return agreed >= o->agree ? 0 : 1 + agreed;
}

static ead_decision decide_free(const struct policy *p, const ead_signals *s)
{
    const int n = s->drafts;
    const ead_policy_options *o = &p->options;
    const bool due = n && (s->rolling > o->tau || risk_left_too_long(o, s));
    return (ead_decision){.writer = due ? EAD_LARGE : EAD_SMALL, .judge = due ? n : 0, .open = n};
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    const double turn = turn_after(p, s);
    ead_decision d = turn < 1 ? decide_free(p, s) : draft_decide(p, s, DRAFT_USUAL);
    d.memory[0] = turn;
    d.memory[1] = 0;
    return d;
}

static int judge(const struct policy *p, const ead_signals *s, const ead_opinion *o, int n)
{
    const bool exact = !is_free(s) || p->options.slack <= 0;
    return policy_first_refused(p, o, n, exact ? NULL : slack_keeps);
}

/* What exact speculation refused is drawn as it does; what only slack refused, as p. */
static double weigh(const struct policy *p, const ead_opinion *refused, double pp, double qq)
{
    return refused->native ? pp : policy_weigh_rest(p, refused, pp, qq);
}

static int sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    return turn_after(p, s) < 1 ? 1 : draft_sure(p, s, next);
}

static enum status check(const ead_policy_options *o, struct err *err)
{
    if (o->draft >= 0) return ST_OK;
    return err_set(err, ST_ARG, "draft: policy ead+ expected a number from 0 to %d, found a rule",
                   EAD_DRAFT_MAX);
}

const struct policy_rule policy_ead_plus = {
    .info = {.name = "ead+",
             .help = "ead, judged at the hand-over, with drafts in the large model's turn",
             .needs = {true, true},
             .judges = true},
    .check = check,
    .decide = decide,
    .sure = sure,
    .asks = policy_asks_drawn,
    .judge = judge,
    .weigh = weigh,
    .apart = true,
};
