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

static bool falling(const struct candidate *top, int n_top, int n)
{
    for (int i = 0; i < n_top; i++)
        if (isnan(top[i].logit) || top[i].logit > 1e-3f || top[i].id < 0 || top[i].id >= n ||
            (i && top[i].logit > top[i - 1].logit))
            return false;
    return n_top > 0;
}

/* More than rounding: what is left over can be neither negative nor more than the other tokens can
 * hold, none of which is more probable than `least`. */
static bool fits(double rest, double least, int others)
{
    const double slack = 0.01;
    return rest >= -slack && rest <= others * least + slack;
}

/* The lowest id among the most probable. */
static int32_t first_id(const struct candidate *top, int n_top)
{
    int32_t id = top[0].id;
    for (int i = 1; i < n_top && top[i].logit == top[0].logit; i++)
        if (top[i].id < id) id = top[i].id;
    return id;
}

static double probability(const struct candidate *c)
{
    return fmin(exp((double)c->logit), 1);
}

bool distribution_top(struct distribution *out, const struct candidate *top, int n_top, int n)
{
    double known = 0, sum = 0;
    if (n_top > n || !falling(top, n_top, n)) return false;
    for (int i = 0; i < n_top; i++) {
        const double p = probability(&top[i]);
        known += bits(p);
        sum += p;
    }
    const double first = probability(&top[0]), least = probability(&top[n_top - 1]);
    if (!fits(1 - sum, least, n - n_top)) return false;
    const double rest = n_top < n && sum < 1 ? 1 - sum : 0;
    const double second = n_top > 1 ? probability(&top[1]) : fmin(rest, first);
    const double hi = rest > 0 ? known - rest * log2(rest / (n - n_top)) : known;
    const double lo = fmin(known + packed_bits(rest, least), hi);
    *out = (struct distribution){.n = n, .top = top, .n_top = n_top};
    out->stats = (ead_stats){.entropy = (float)((lo + hi) / 2),
                             .entropy_lo = (float)lo,
                             .entropy_hi = (float)hi,
                             .exact = n_top == n || rest == 0,
                             .max_prob = (float)first,
                             .margin = (float)(first - second),
                             .argmax = first_id(top, n_top)};
    return true;
}

float distribution_log_prob(const struct distribution *d, int32_t id)
{
    if (d->logits) return id >= 0 && id < d->n ? d->logits[id] - d->log_sum_exp : NAN;
    for (int i = 0; i < d->n_top; i++)
        if (d->top[i].id == id) return d->top[i].logit;
    return d->also && d->also->id == id ? d->also->log_prob : NAN;
}

int distribution_rank(const struct distribution *d, int n_vocab, int32_t id)
{
    int rank = 0;
    if (!d->logits) {
        while (rank < d->n_top && d->top[rank].id != id) rank++;
        const bool told = rank == d->n_top && d->also && d->also->id == id && d->also->rank > rank;
        return told ? d->also->rank - 1 : rank;
    }
    for (int i = 0; i < n_vocab; i++) rank += d->logits[i] > d->logits[id];
    return rank;
}

/* The i-th token that is known. */
static struct candidate known_token(const struct distribution *d, int i)
{
    return d->logits ? (struct candidate){d->logits[i] - d->log_sum_exp, i} : d->top[i];
}

int distribution_best(const struct distribution *d, int most, struct candidate *out)
{
    const int n = d->logits ? d->n : d->n_top, held = most < n ? most : n;
    if (held <= 0) return 0;
    for (int i = 0; i < held; i++) out[i] = known_token(d, i);
    candidates_heapify(out, held);
    for (int i = held; i < n; i++) candidates_offer(out, held, known_token(d, i));
    candidates_sort(out, held);
    return held;
}
