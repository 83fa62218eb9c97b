/*
 * Lenience (Leviathan et al. 2023, arXiv 2211.17192, appendix A.5): with a coin u, a draft is kept
 * if u <= p(x) / ((1 - a) q(x)), else max(0, p - q) is drawn from; where tokens are not drawn, if
 * p(x) >= (1 - a) max p. a is option `slack`, or with `mentor` at every place the largest one that
 * leaves what then stands, pi, so many nats from p (mentored decoding, arXiv 2607.08690):
 *
 *     KL(p, pi) <= mentor,   pi = min(q, p / (1 - a)) + the rest of it as max(0, p - q).
 */
#include "decode/policy/draft.h"
#include "decode/policy/risk.h"

#include <math.h>

enum { HALVINGS = 20 };

/* KL(p, pi) at lenience a, in nats; `gap` is the sum of max(0, p - q). */
static double distance(const float *pp, const float *qq, int n, double a, double gap)
{
    double kept = 0, sum = 0;
    for (int i = 0; i < n; i++) kept += fmin((double)qq[i], (double)pp[i] / (1 - a));
    for (int i = 0; i < n; i++) {
        const double p = (double)pp[i], q = (double)qq[i];
        if (p > 0) sum += p * log(p / (fmin(q, p / (1 - a)) + (1 - kept) * fmax(p - q, 0) / gap));
    }
    return sum;
}

/* The largest lenience that the mentor allows. */
static double measure(const struct policy *p, const float *pp, const float *qq, int n, double cut)
{
    double gap = 0, whole = 0, low = 0, high = 1;
    (void)cut;
    for (int i = 0; i < n; i++) {
        gap += fmax((double)pp[i] - (double)qq[i], 0);
        if (pp[i] > 0) whole += (double)pp[i] * log((double)pp[i] / (double)qq[i]);
    }
    if (gap <= 0 || whole <= p->options.mentor) return 1;
    for (int i = 0; i < HALVINGS; i++) {
        const double a = (low + high) / 2;
        if (distance(pp, qq, n, a, gap) <= p->options.mentor)
            low = a;
        else
            high = a;
    }
    return low;
}

static bool keeps(const struct policy *p, const ead_opinion *o)
{
    const double a = p->options.mentor > 0 ? (double)o->measure : p->options.slack;
    if (!p->drawn) return slack_lets(p, a, o);
    return a >= 1 || draft_accepts(o, (double)o->p / (1 - a));
}

static unsigned asks(const struct policy *p)
{
    return p->drawn || p->options.mentor > 0 ? POLICY_BOTH : 0;
}

const struct policy_rule policy_lenient = {
    .info = {.name = "lenient",
             .help = "exact acceptance, made easier by a factor",
             .needs = {true, true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = asks,
    .keeps = keeps,
    .measure = measure,
    .weigh = policy_weigh_rest,
    .apart = true,
};
