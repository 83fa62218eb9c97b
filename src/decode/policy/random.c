#include "decode/policy/random.h"

#include "decode/policy.h"

static double long_run_share(double a, int dwell)
{
    double small = dwell - 1 + 1 / a, large = dwell - 1 + 1 / (1 - a);
    return large / (large + small);
}

double random_expected_share(double a, int n, int dwell, ead_writer start)
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

double random_rate(const ead_policy_options *o)
{
    const double share = o->share;
    if (share <= 0 || share >= 1) return share <= 0 ? 0 : 1;
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double a = (low + high) / 2;
        const double found = o->horizon ? random_expected_share(a, o->horizon, o->dwell, o->start)
                                        : long_run_share(a, o->dwell);
        if (found < share)
            low = a;
        else
            high = a;
    }
    return (low + high) / 2;
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    if (!policy_is_due(p, s)) return policy_writer(s->writer);
    return policy_writer(s->chance < p->rate ? EAD_LARGE : EAD_SMALL);
}

const struct policy_rule policy_random = {
    .info = {.name = "random",
             .help = "the baseline: same dwell, a wanted share, no entropy",
             .needs = {true, true}},
    .prepare = random_rate,
    .decide = decide,
    .sure = policy_sure_dwell,
};
