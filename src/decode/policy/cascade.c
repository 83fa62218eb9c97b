/*
 * Speculative cascades (Narasimhan et al. 2024, arXiv 2405.19261): speculation against a mixture pi
 * of q and p. By rule the small model's distribution stands where
 *
 *     chow  max q >= 1 - a,    diff  max q >= max p - a,    opt  max q >= max p - a TV(p, q),
 *
 * else p; or only tokens of a set A are the small model's, with what q has outside spread as p:
 *
 *     pi = q 1[A] + (1 - q(A)) p
 *     A:   v1  q >= max p - a,   v2  p >= max p - a,   v3  p >= (1 - a) max p
 *
 * a is option `slack`. A draft is kept with the chance pi(x) / q(x), else max(0, pi - q) is drawn
 * from. Where tokens are not drawn q and p are their best tokens: a draft is kept if the rule says
 * so, if it is in A, or if it is the best of p; and opt is diff, as TV is 1 where they differ.
 */
#include "decode/policy/draft.h"

#include <math.h>

/* Do the rules without a set leave the place to the small model? */
static bool stays(const struct policy *p, const ead_opinion *o)
{
    const double a = p->options.slack, distance = p->drawn ? (double)o->measure : 1;
    switch (p->options.rule) {
    case EAD_CASCADE_CHOW: return (double)o->max_q >= 1 - a;
    case EAD_CASCADE_DIFF: return (double)o->max_q >= (double)o->max_p - a;
    default: return (double)o->max_q >= (double)o->max_p - a * distance;
    }
}

static bool has_set(const struct policy *p)
{
    return p->options.rule >= EAD_CASCADE_V1;
}

/* Is a token of these probabilities in A? */
static bool in_set(const struct policy *p, double max_p, double pp, double qq)
{
    const double a = p->options.slack;
    switch (p->options.rule) {
    case EAD_CASCADE_V1: return qq >= max_p - a;
    case EAD_CASCADE_V2: return pp >= max_p - a;
    default: return pp >= (1 - a) * max_p;
    }
}

/* q(A); of opt, TV. */
static double measure(const struct policy *p, const float *pp, const float *qq, int n, double cut)
{
    double max_p = 0, sum = 0;
    (void)cut;
    if (!has_set(p)) {
        for (int i = 0; i < n; i++) sum += fabs((double)pp[i] - (double)qq[i]);
        return sum / 2;
    }
    for (int i = 0; i < n; i++) max_p = fmax(max_p, (double)pp[i]);
    for (int i = 0; i < n; i++)
        if (in_set(p, max_p, (double)pp[i], (double)qq[i])) sum += (double)qq[i];
    return fmin(sum, 1);
}

/* pi of a token. */
static double target(const struct policy *p, const ead_opinion *o, double pp, double qq)
{
    if (!has_set(p)) return stays(p, o) ? qq : pp;
    const double own = in_set(p, (double)o->max_p, pp, qq) ? qq : 0;
    return own + (1 - (double)o->measure) * pp;
}

static bool keeps(const struct policy *p, const ead_opinion *o)
{
    const double pp = (double)o->p, qq = (double)o->q;
    if (p->drawn) return draft_accepts(o, target(p, o, pp, qq));
    return o->id == o->argmax || (has_set(p) ? in_set(p, (double)o->max_p, pp, qq) : stays(p, o));
}

static double weigh(const struct policy *p, const ead_opinion *refused, double pp, double qq)
{
    return fmax(target(p, refused, pp, qq) - qq, 0);
}

const struct policy_rule policy_cascade = {
    .info = {.name = "cascade",
             .help = "speculative cascades: deferral rules, and sets of tokens",
             .needs = {true, true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = policy_asks_drawn,
    .keeps = keeps,
    .measure = measure,
    .weigh = weigh,
    .apart = true,
};
