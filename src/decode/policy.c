#include "decode/policy.h"

#include "base/rng.h"

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
    if (o->horizon < 0 || o->horizon > EAD_HORIZON_MAX)
        return err_set(err, ST_ARG, "horizon: expected 0 to %d, found %d", EAD_HORIZON_MAX,
                       o->horizon);
    if (o->kind == EAD_POLICY_REPLAY && (!o->replay || !o->n_replay))
        return err_set(err, ST_ARG, "replay: expected a recording of at least one token");
    return ST_OK;
}

/* ---- the random baseline's rate ----------------------------------------------------------- */

static double long_run_share(double a, int dwell)
{
    double small = dwell - 1 + 1 / a, large = dwell - 1 + 1 / (1 - a);
    return large / (large + small);
}

double policy_expected_share(double a, int n, int dwell, ead_writer start)
{
    if (n <= dwell) return start == EAD_LARGE; /* no decision is due before the end */
    /* Probability of a turn of each kind that began `dwell` tokens ago or less, by the token it
     * began with; and of one that may end after any token. */
    double began[EAD_WRITERS][EAD_HORIZON_MAX] = {{0}};
    double free[EAD_WRITERS] = {0};
    double large = start == EAD_LARGE, sum = 0;
    began[start][0] = 1;
    for (int t = 0; t < n; t++) {
        sum += large; /* the probability that the large model writes token t */
        for (int w = 0; w < EAD_WRITERS && t + 1 >= dwell; w++) free[w] += began[w][t + 1 - dwell];
        const double up = a * free[EAD_SMALL], down = (1 - a) * free[EAD_LARGE];
        free[EAD_SMALL] -= up;
        free[EAD_LARGE] -= down;
        large += up - down;
        if (t + 1 == n) break;
        began[EAD_LARGE][t + 1] = up;
        began[EAD_SMALL][t + 1] = down;
    }
    return sum / n;
}

double policy_random_rate(const ead_policy_options *o)
{
    const double share = (double)o->share;
    if (share <= 0 || share >= 1) return share <= 0 ? 0 : 1;
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double a = (low + high) / 2;
        const double found = o->horizon ? policy_expected_share(a, o->horizon, o->dwell, o->start)
                                        : long_run_share(a, o->dwell);
        if (found < share)
            low = a;
        else
            high = a;
    }
    return (low + high) / 2;
}

/* ---- writing ----------------------------------------------------------------------------- */

static ead_writer replay_at(const ead_policy_options *o, size_t i)
{
    return o->replay[i < o->n_replay ? i : o->n_replay - 1] ? EAD_LARGE : EAD_SMALL;
}

void policy_restart(struct policy *p)
{
    const ead_policy_options *o = &p->options;
    p->c = 0;
    p->written = 0;
    p->rng = o->seed;
    signal_init(&p->signal, o->window);
    switch (o->kind) {
    case EAD_POLICY_LARGE: p->writer = EAD_LARGE; break;
    case EAD_POLICY_SMALL: p->writer = EAD_SMALL; break;
    case EAD_POLICY_REPLAY: p->writer = replay_at(o, 0); break;
    default: p->writer = o->start;
    }
}

void policy_init(struct policy *p, const ead_policy_options *o)
{
    p->options = *o;
    p->to_large = o->kind == EAD_POLICY_RANDOM ? policy_random_rate(o) : 0;
    policy_restart(p);
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
