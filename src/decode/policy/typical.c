/*
 * Typical acceptance (Cai et al. 2024, arXiv 2401.10774; FasterDecoding/Medusa): a draft is kept if
 *
 *     p(x) > min(epsilon, delta exp(-H(p))),  H in nats,
 *
 * where p is as the sampler shapes it or, where tokens are not drawn, at the temperature
 * `posterior`; at 0 only the best of p is kept. Instead of a refused draft the large model's own
 * choice stands.
 */
#include "decode/policy/draft.h"

#include <math.h>

static double threshold(const ead_policy_options *o, double nats)
{
    return fmin(o->epsilon, o->delta * exp(-nats));
}

/* Opinions hold p at temperature 1. */
static bool needs_measure(const struct policy *p)
{
    return !p->drawn && p->options.posterior > 0 && p->options.posterior != 1;
}

/* With w = (p / max p)^(1/T) and its sum Z, the distribution at temperature T is w / Z. Returns
 * what p(x) itself must be above for that to be above the threshold. */
static double measure(const struct policy *p, const float *pp, const float *qq, int n, double cut)
{
    const double t = p->options.posterior;
    double most = 0, sum = 0, dot = 0;
    (void)qq, (void)cut;
    for (int i = 0; i < n; i++) most = fmax(most, (double)pp[i]);
    for (int i = 0; i < n; i++) {
        if (!(pp[i] > 0)) continue;
        const double log_w = log((double)pp[i] / most) / t, w = exp(log_w);
        sum += w;
        dot += w * log_w;
    }
    return most * pow(threshold(&p->options, log(sum) - dot / sum) * sum, t);
}

static bool keeps(const struct policy *p, const ead_opinion *o)
{
    const ead_policy_options *options = &p->options;
    if (!p->drawn && options->posterior <= 0) return o->id == o->argmax;
    if (needs_measure(p)) return o->p > o->measure;
    return (double)o->p > threshold(options, (double)o->entropy_p * M_LN2);
}

static unsigned asks(const struct policy *p)
{
    return needs_measure(p) ? POLICY_BOTH : 0;
}

const struct policy_rule policy_typical = {
    .info = {.name = "typical",
             .help = "drafts that the large model finds typical are kept",
             .needs = {true, true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = asks,
    .keeps = keeps,
    .measure = measure,
};
