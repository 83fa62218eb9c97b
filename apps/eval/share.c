#include "eval/share.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool share_add(struct share_search *s, const struct share_point *point)
{
    int at = s->n;
    if (s->n == SHARE_POINTS_MAX) return false;
    while (at && s->points[at - 1].tau >= point->tau) at--;
    if (at < s->n && s->points[at].tau == point->tau) return false;
    memmove(&s->points[at + 1], &s->points[at], (size_t)(s->n - at) * sizeof *s->points);
    s->points[at] = *point;
    s->n++;
    return true;
}

/* The index of the choice, the first that is cheap enough; -1. */
static int chosen(const struct share_search *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->points[i].share <= s->wanted) return i;
    return -1;
}

/* Three digits are enough for a threshold, and are what its setting is called. */
static double rounded(double tau)
{
    char text[32];
    snprintf(text, sizeof text, "%.3g", tau);
    return strtod(text, NULL);
}

/* Below all points; in the end zero, where the large model writes whenever it may. */
static double lower(const struct share_search *s)
{
    const double least = s->points[0].tau;
    if (least <= 0) return NAN;
    return least > 1e-3 ? rounded(least / 4) : 0;
}

/* Above all points, until the large model writes nothing. */
static double higher(const struct share_search *s)
{
    const struct share_point *last = &s->points[s->n - 1];
    if (last->share <= 0 || last->tau > 100) return NAN;
    return last->tau > 0 ? rounded(2 * last->tau) : 0.01;
}

static double between(struct share_search *s, const struct share_point *a,
                      const struct share_point *b)
{
    const double middle = rounded(a->tau > 0 ? sqrt(a->tau * b->tau) : b->tau / 4);
    if (s->bisections >= SHARE_BISECTIONS || middle <= a->tau || middle >= b->tau) return NAN;
    if (a->tau > 0 && b->tau / a->tau < 1.02) return NAN;
    s->bisections++;
    return middle;
}

double share_next(struct share_search *s)
{
    const int at = chosen(s);
    if (!s->n) return NAN;
    if (at < 0) return higher(s);
    return at == 0 ? lower(s) : between(s, &s->points[at - 1], &s->points[at]);
}

const struct share_point *share_choice(const struct share_search *s)
{
    const int at = chosen(s);
    return at < 0 ? NULL : &s->points[at];
}
