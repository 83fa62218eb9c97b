#include "eval/search.h"

#include <math.h>
#include <string.h>

bool search_reaches(enum search_target target, double wanted, double kept, double time)
{
    return target == SEARCH_KEEP ? kept >= wanted : time * wanted <= 1;
}

bool search_prefers(enum search_target target, double wanted, const struct search_point *a,
                    const struct search_point *b)
{
    const bool good = search_reaches(target, wanted, a->kept, a->time);
    const bool other = search_reaches(target, wanted, b->kept, b->time);
    if (good != other) return good;
    /* Less time is what is left to win where enough is kept, and what is lacking where it is not
     * fast enough. */
    const bool by_time = (target == SEARCH_KEEP) == good;
    if (by_time && a->time != b->time) return a->time < b->time;
    return a->kept != b->kept ? a->kept > b->kept : a->time < b->time;
}

int search_best(const struct search *s)
{
    int best = s->n ? 0 : -1;
    for (int i = 1; i < s->n; i++)
        if (search_prefers(s->target, s->wanted, &s->points[i], &s->points[best])) best = i;
    return best;
}

void search_add(struct search *s, const struct search_point *point)
{
    if (s->n < SEARCH_TRIES_MAX) s->points[s->n++] = *point;
}

/* The k-th of numbers from 0 to 1 that are spread evenly over d dimensions: of dimension j. */
static double spread(int k, int d, int j)
{
    double phi = 2;
    for (int i = 0; i < 50; i++) phi = pow(1 + phi, 1.0 / (d + 1));
    const double u = 0.5 + k * pow(phi, -(j + 1));
    return u - floor(u);
}

/* Back into the range, as from a mirror at its end. */
static double mirrored(double x)
{
    return x < 0 ? -x : x > 1 ? 2 - x : x;
}

void search_next(struct search *s, double place[KNOBS_MAX])
{
    const int k = s->drawn++, half = (s->tries + 1) / 2;
    if (!k) return;
    const int best = s->n >= half ? search_best(s) : -1;
    const double gone = s->tries > half ? (double)(s->n - half) / (s->tries - half) : 0;
    const double side = 0.5 * pow(2, -3 * gone);
    for (int j = 0; j < s->knobs; j++) {
        const double u = spread(k, s->knobs, j);
        place[j] = best < 0 ? u : mirrored(s->points[best].place[j] + side * (u - 0.5));
    }
}
