/*
 * Looking for a threshold: measured points in, the next one worth measuring out. No model is in
 * sight. The share of the large model, and with it time, falls as tau rises, and so does accuracy
 * on the whole; a few points that are out of line by chance do no harm.
 */
#ifndef EAD_EVAL_SEARCH_H
#define EAD_EVAL_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

enum search_target {
    SEARCH_SHARE,  /* the smallest tau with at most this share of large-model tokens */
    SEARCH_KEEP,   /* the largest tau that keeps this of the large model's accuracy */
    SEARCH_SPEEDUP /* the smallest tau that is so many times as fast as the large model alone */
};

struct search_point {
    double tau, share, kept, time; /* time relative to the large model alone */
};

enum { SEARCH_POINTS_MAX = 64, SEARCH_BISECTIONS = 7 };

struct search {
    enum search_target target;
    double wanted;
    struct search_point points[SEARCH_POINTS_MAX]; /* by tau, ascending */
    int n, bisections;
};

/* False when there is no room, or a point of that tau is there. */
bool search_add(struct search *s, const struct search_point *point);
/* The next tau to measure; NaN when no other would teach anything. */
double search_next(struct search *s);
/* The point that reaches the target; NULL when none does. */
const struct search_point *search_choice(const struct search *s);
/* The point nearest to the target when none reaches it; NULL without points. */
const struct search_point *search_best(const struct search *s);
/* What the target is about, of a point: its share, what it kept, or how many times as fast it is.
 */
double search_value(const struct search *s, const struct search_point *point);

#endif
