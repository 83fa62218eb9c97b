/*
 * Looking for good options with a stated number of tries: measured points in, the next place to try
 * out. Nothing here knows policies or models: a place is a number from 0 to 1 for each knob.
 *
 * The first try is where the search begins, at the defaults. Up to half of the tries then cover the
 * whole range evenly, whatever the number of knobs, by the additive recurrence u_k = frac(1/2 + k
 * a), a_j = phi^-j with phi^(d+1) = phi + 1 for d knobs, which has no chance in it. The others are
 * drawn in the same way from a box around the best point so far, whose sides shrink from half of
 * the range to a sixteenth.
 */
#ifndef EAD_EVAL_SEARCH_H
#define EAD_EVAL_SEARCH_H

#include "eval/knob.h"

#include <stdbool.h>

enum search_target {
    SEARCH_KEEP,   /* the least time that keeps this of the large model's accuracy */
    SEARCH_SPEEDUP /* the most accuracy that is so many times as fast as it */
};

enum { SEARCH_TRIES_MAX = 512 };

struct search_point {
    double place[KNOBS_MAX];
    double kept, time; /* relative to the large model alone */
};

struct search {
    enum search_target target;
    double wanted;
    int knobs, tries;
    struct search_point points[SEARCH_TRIES_MAX];
    int n;     /* points; */
    int drawn; /* places that were given out; they may be of settings that are there already */
};

/* The place to try next; the first one is what place[] holds. */
void search_next(struct search *s, double place[KNOBS_MAX]);
void search_add(struct search *s, const struct search_point *point);

bool search_reaches(enum search_target target, double wanted, double kept, double time);
/* Is a better than b? What reaches the target is better than what does not; then less time, or more
 * accuracy, and the other of the two between equals. Of what does not reach it the nearest is best.
 */
bool search_prefers(enum search_target target, double wanted, const struct search_point *a,
                    const struct search_point *b);
/* The best point; -1 without any. */
int search_best(const struct search *s);

#endif
