#include "model/rope.h"

#include <math.h>

double rope_yarn_magnitude(double factor, double log_multiplier)
{
    if (factor <= 1) return 1;
    const double tenth = 0.1 * log(factor);
    return (1 + tenth) / (1 + log_multiplier * tenth);
}

/* The pair, between the whole ones, that makes so many turns in the context. */
static double pair_of_turns(const struct rope *rope, double turns, int n_rot)
{
    const double positions = rope->yarn_ctx / (turns * 2 * acos(-1));
    return n_rot * log(positions) / (2 * log((double)rope->base));
}

/* Where the ramp begins and ends: at whole pairs, and not at the same. */
struct ramp {
    double from, to;
};

static struct ramp ramp_of(const struct rope *rope, int n_rot)
{
    const double from = fmax(0, floor(pair_of_turns(rope, (double)rope->fast, n_rot)));
    const double to = fmin(n_rot - 1, ceil(pair_of_turns(rope, (double)rope->slow, n_rot)));
    return (struct ramp){from, fmax(to, from + 1)};
}

static double scale_of_pair(const struct rope *rope, const struct ramp *ramp, int i)
{
    const double along = (i - ramp->from) / (ramp->to - ramp->from);
    const double kept = (double)rope->ext * (1 - fmin(1, fmax(0, along)));
    return kept + (1 - kept) * (double)rope->scale;
}

void rope_frequencies(const struct rope *rope, const float *factors, int n_rot, double *out)
{
    const struct ramp ramp = ramp_of(rope, n_rot);
    for (int i = 0; i < n_rot / 2; i++) {
        const double scale = rope->yarn_ctx ? scale_of_pair(rope, &ramp, i) : (double)rope->scale;
        out[i] = scale * pow((double)rope->base, -2.0 * i / n_rot);
        if (factors) out[i] /= (double)factors[i];
    }
}

/* In double: at position 100,000 a float product would be off by a thousandth of a full circle. */
void rope_angles(const struct rope *rope, const double *frequencies, int pairs, int pos,
                 float *cosines, float *sines)
{
    const double magnitude = (double)rope->magnitude;
    for (int i = 0; i < pairs; i++) {
        const double angle = pos * frequencies[i];
        cosines[i] = (float)(magnitude * cos(angle));
        sines[i] = (float)(magnitude * sin(angle));
    }
}
