#include "engine/distribution.h"

#include <math.h>

bool distribution_dense(struct distribution *out, const struct kern *kern, const float *logits,
                        int n)
{
    struct kern_stats s;
    kern->stats(logits, n, &s);
    if (isnan(s.entropy) || s.argmax < 0) return false;
    const float max = expf(s.max - s.log_sum_exp), second = expf(s.second - s.log_sum_exp);
    *out = (struct distribution){.n = n, .logits = logits, .log_sum_exp = s.log_sum_exp};
    out->stats = (ead_stats){.entropy = s.entropy,
                             .entropy_lo = s.entropy,
                             .entropy_hi = s.entropy,
                             .exact = true,
                             .max_prob = max,
                             .margin = max - second,
                             .argmax = s.argmax};
    return true;
}

/* -p log2 p, which vanishes with p. */
static double bits(double p)
{
    return p > 0 ? -p * log2(p) : 0;
}

/* What is left over, packed into as few tokens as can hold it. */
static double packed_bits(double rest, double most)
{
    if (most <= 0) return 0;
    const double whole = floor(rest / most);
    return whole * bits(most) + bits(rest - whole * most);
}

static bool falling(const struct candidate *top, int n_top)
{
    for (int i = 0; i < n_top; i++)
        if (isnan(top[i].logit) || top[i].logit > 1e-3f || (i && top[i].logit > top[i - 1].logit))
            return false;
    return n_top > 0;
}

bool distribution_top(struct distribution *out, const struct candidate *top, int n_top, int n)
{
    double known = 0, sum = 0;
    if (n_top > n || !falling(top, n_top)) return false;
    for (int i = 0; i < n_top; i++) {
        const double p = exp((double)top[i].logit);
        known += bits(p);
        sum += p;
    }
    const double rest = n_top < n && sum < 1 ? 1 - sum : 0;
    const double first = exp((double)top[0].logit);
    const double second = n_top > 1 ? exp((double)top[1].logit) : fmin(rest, first);
    const double lo = known + packed_bits(rest, exp((double)top[n_top - 1].logit));
    const double hi = rest > 0 ? known - rest * log2(rest / (n - n_top)) : known;
    *out = (struct distribution){.n = n, .top = top, .n_top = n_top};
    out->stats = (ead_stats){.entropy = (float)((lo + hi) / 2),
                             .entropy_lo = (float)lo,
                             .entropy_hi = (float)hi,
                             .exact = n_top == n || rest == 0,
                             .max_prob = (float)first,
                             .margin = (float)(first - second),
                             .argmax = top[0].id};
    return true;
}

float distribution_log_prob(const struct distribution *d, int32_t id)
{
    if (d->logits) return id >= 0 && id < d->n ? d->logits[id] - d->log_sum_exp : NAN;
    for (int i = 0; i < d->n_top; i++)
        if (d->top[i].id == id) return d->top[i].logit;
    return NAN;
}

int distribution_best(const struct distribution *d, int most, struct candidate *out)
{
    int held = 0;
    if (!d->logits) {
        for (; held < most && held < d->n_top; held++) out[held] = d->top[held];
        return held;
    }
    for (int id = 0; id < d->n && most > 0; id++) {
        const float logit = d->logits[id] - d->log_sum_exp;
        if (held == most && logit <= out[held - 1].logit) continue;
        int at = held < most ? held++ : held - 1;
        for (; at > 0 && out[at - 1].logit < logit; at--) out[at] = out[at - 1];
        out[at] = (struct candidate){logit, id};
    }
    return held;
}
