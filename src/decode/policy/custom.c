/* The caller decides, and judges. */
#include "decode/policy.h"
#include "decode/policy/divergence.h"

static enum status check(const ead_policy_options *o, struct err *err)
{
    if (!o->decide) return err_set(err, ST_ARG, "policy custom: expected a function that decides");
    return ST_OK;
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    return p->options.decide(p->options.context, s);
}

static int judge(const struct policy *p, const ead_signals *s, const ead_opinion *o, int n)
{
    const ead_policy_options *options = &p->options;
    (void)s;
    return options->judge ? options->judge(options->context, o, n)
                          : policy_first_refused(p, o, n, NULL);
}

/* Who judges as exact speculation does gets its draw; beside a judge nothing has weight, so that
 * the large model's own draw stands. */
static double weigh(const struct policy *p, const ead_opinion *refused, double pp, double qq)
{
    const ead_policy_options *o = &p->options;
    if (o->weigh) return o->weigh(o->context, refused, pp, qq);
    return o->judge ? 0 : policy_weigh_rest(p, refused, pp, qq);
}

static double measure(const struct policy *p, const float *pp, const float *qq, int n, double cut)
{
    return divergence_of(p->options.divergence, pp, qq, n, cut);
}

/* Nobody knows what a function looks at. */
static unsigned asks(const struct policy *p)
{
    const unsigned judging = p->options.judge ? POLICY_RANK | POLICY_TOP_LARGE | POLICY_BOTH : 0;
    return POLICY_TOP | judging | policy_asks_drawn(p);
}

const struct policy_rule policy_custom = {
    .info = {.name = "custom",
             .help = "a function of the program's own",
             .needs = {true, true},
             .needs_data = true},
    .check = check,
    .decide = decide,
    .asks = asks,
    .judge = judge,
    .measure = measure,
    .weigh = weigh,
};
