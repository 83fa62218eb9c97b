#include "eval/cost.h"

#include <math.h>

const struct cost cost_usual = {.small = 0.25, .row = 0.06};

double cost_passes(const struct record *r, ead_writer w)
{
    return r->unanswered ? 0 : r->timed ? r->decode_steps[w] + r->catchup_passes[w] : NAN;
}

double cost_rows(const struct record *r, ead_writer w)
{
    return r->decode_rows[w] + r->catchup_rows[w];
}

double cost_of(const struct cost *cost, const struct record *r)
{
    const double step[EAD_WRITERS] = {[EAD_SMALL] = cost->small, [EAD_LARGE] = 1};
    double sum = 0;
    for (int w = 0; w < EAD_WRITERS; w++) {
        const double passes = cost_passes(r, (ead_writer)w), rows = cost_rows(r, (ead_writer)w);
        sum += step[w] * (passes + cost->row * (rows - passes));
    }
    return sum;
}
