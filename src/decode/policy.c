#include "decode/policy.h"

#include "decode/rng.h"

#include <math.h>

enum status policy_check(const ead_policy_options *o, struct err *err)
{
    if ((unsigned)o->kind > EAD_POLICY_REPLAY)
        return err_set(err, ST_ARG, "policy: expected one of the five kinds, found %d",
                       (int)o->kind);
    if (isnan(o->tau)) return err_set(err, ST_ARG, "tau: expected a number, found NaN");
    if (o->window < 1 || o->window > SIGNAL_WINDOW_MAX)
        return err_set(err, ST_ARG, "window: expected 1 to %d, found %d", SIGNAL_WINDOW_MAX,
                       o->window);
    if (o->dwell < 1) return err_set(err, ST_ARG, "dwell: expected at least 1, found %d", o->dwell);
    if ((unsigned)o->start >= EAD_WRITERS)
        return err_set(err, ST_ARG, "start: expected small or large, found %d", (int)o->start);
    if (o->kind == EAD_POLICY_RANDOM && !(o->share >= 0 && o->share <= 1))
        return err_set(err, ST_ARG, "share: expected 0 to 1, found %g", (double)o->share);
    if (o->kind == EAD_POLICY_REPLAY && (!o->replay || !o->n_replay))
        return err_set(err, ST_ARG, "replay: expected a recording of at least one token");
    return ST_OK;
}

double policy_random_rate(double share, int dwell)
{
    if (share <= 0 || share >= 1) return share <= 0 ? 0 : 1;
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double a = (low + high) / 2;
        double small = dwell - 1 + 1 / a, large = dwell - 1 + 1 / (1 - a);
        if (large / (large + small) < share)
            low = a;
        else
            high = a;
    }
    return (low + high) / 2;
}

static ead_writer replay_at(const ead_policy_options *o, size_t i)
{
    return o->replay[i < o->n_replay ? i : o->n_replay - 1] ? EAD_LARGE : EAD_SMALL;
}

void policy_init(struct policy *p, const ead_policy_options *o)
{
    p->options = *o;
    p->c = 0;
    p->written = 0;
    p->rng = o->seed;
    p->to_large = policy_random_rate((double)o->share, o->dwell);
    signal_init(&p->signal, o->window);
    switch (o->kind) {
    case EAD_POLICY_LARGE: p->writer = EAD_LARGE; break;
    case EAD_POLICY_SMALL: p->writer = EAD_SMALL; break;
    case EAD_POLICY_REPLAY: p->writer = replay_at(o, 0); break;
    default: p->writer = o->start;
    }
}

/* The writer of the next token, given that p->c and p->written count the one just written. */
static ead_writer decide(struct policy *p, double rolling)
{
    const ead_policy_options *o = &p->options;
    switch (o->kind) {
    case EAD_POLICY_LARGE: return EAD_LARGE;
    case EAD_POLICY_SMALL: return EAD_SMALL;
    case EAD_POLICY_REPLAY: return replay_at(o, p->written);
    case EAD_POLICY_RANDOM:
        if (p->c < o->dwell) return p->writer;
        return rng_unit(&p->rng) < p->to_large ? EAD_LARGE : EAD_SMALL;
    case EAD_POLICY_EAD: break;
    }
    if (p->c < o->dwell) return p->writer;
    return rolling > o->tau ? EAD_LARGE : EAD_SMALL;
}

double policy_observe(struct policy *p, float entropy)
{
    double rolling = signal_push(&p->signal, entropy);
    p->written++;
    if (p->c < INT32_MAX) p->c++;
    ead_writer next = decide(p, rolling);
    if (next != p->writer) {
        p->writer = next;
        p->c = 0;
        if (p->options.clear_window) signal_init(&p->signal, p->options.window);
    }
    return rolling;
}
