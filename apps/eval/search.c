#include "eval/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double search_value(const struct search *s, const struct search_point *point)
{
    if (s->target == SEARCH_SHARE) return point->share;
    return s->target == SEARCH_KEEP ? point->kept : 1 / point->time;
}

static bool reaches(const struct search *s, const struct search_point *point)
{
    const double value = search_value(s, point);
    return s->target == SEARCH_SHARE ? value <= s->wanted : value >= s->wanted;
}

bool search_add(struct search *s, const struct search_point *point)
{
    int at = s->n;
    if (s->n == SEARCH_POINTS_MAX) return false;
    while (at && s->points[at - 1].tau >= point->tau) at--;
    if (at < s->n && s->points[at].tau == point->tau) return false;
    memmove(&s->points[at + 1], &s->points[at], (size_t)(s->n - at) * sizeof *s->points);
    s->points[at] = *point;
    s->n++;
    return true;
}

/* The index of the choice: the last that keeps enough, the first that is cheap enough; -1. */
static int chosen(const struct search *s)
{
    int found = -1;
    for (int i = 0; i < s->n; i++) {
        if (!reaches(s, &s->points[i])) continue;
        found = i;
        if (s->target != SEARCH_KEEP) break;
    }
    return found;
}

/* Three digits are enough for a threshold, and are what its setting is called. */
static double rounded(double tau)
{
    char text[32];
    snprintf(text, sizeof text, "%.3g", tau);
    return strtod(text, NULL);
}

/* Below all points; in the end zero, where the large model writes whenever it may. */
static double lower(const struct search *s)
{
    const double least = s->points[0].tau;
    if (least <= 0) return NAN;
    return least > 1e-3 ? rounded(least / 4) : 0;
}

/* Above all points, until the large model writes nothing. */
static double higher(const struct search *s)
{
    const struct search_point *last = &s->points[s->n - 1];
    if (last->share <= 0 || last->tau > 100) return NAN;
    return last->tau > 0 ? rounded(2 * last->tau) : 0.01;
}

static double between(struct search *s, const struct search_point *a, const struct search_point *b)
{
    const double middle = rounded(a->tau > 0 ? sqrt(a->tau * b->tau) : b->tau / 4);
    if (s->bisections >= SEARCH_BISECTIONS || middle <= a->tau || middle >= b->tau) return NAN;
    if (a->tau > 0 && b->tau / a->tau < 1.02) return NAN;
    s->bisections++;
    return middle;
}

double search_next(struct search *s)
{
    const int at = chosen(s);
    const bool keep = s->target == SEARCH_KEEP;
    if (!s->n) return NAN;
    if (at < 0) return keep ? lower(s) : higher(s);
    if (keep) return at == s->n - 1 ? higher(s) : between(s, &s->points[at], &s->points[at + 1]);
    return at == 0 ? lower(s) : between(s, &s->points[at - 1], &s->points[at]);
}

const struct search_point *search_choice(const struct search *s)
{
    const int at = chosen(s);
    return at < 0 ? NULL : &s->points[at];
}

const struct search_point *search_best(const struct search *s)
{
    const struct search_point *best = NULL;
    for (int i = 0; i < s->n; i++) {
        const double value = search_value(s, &s->points[i]);
        if (isnan(value)) continue;
        const double now = best ? search_value(s, best) : value;
        if (!best || (s->target == SEARCH_SHARE ? value < now : value > now)) best = &s->points[i];
    }
    return best;
}
