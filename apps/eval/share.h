/*
 * Looking for a threshold of ead: measured points in, the next one worth measuring out. No model is
 * in sight. The share of the large model falls as tau rises, on the whole; a few points that are
 * out of line by chance do no harm. The choice is the smallest tau with at most the wanted share.
 */
#ifndef EAD_EVAL_SHARE_H
#define EAD_EVAL_SHARE_H

#include <stdbool.h>
#include <stddef.h>

struct share_point {
    double tau, share;
};

enum { SHARE_POINTS_MAX = 64, SHARE_BISECTIONS = 7 };

struct share_search {
    double wanted;
    struct share_point points[SHARE_POINTS_MAX]; /* by tau, ascending */
    int n, bisections;
};

/* False when there is no room, or a point of that tau is there. */
bool share_add(struct share_search *s, const struct share_point *point);
/* The next tau to measure; NaN when no other would teach anything. */
double share_next(struct share_search *s);
/* The point that reaches the target; NULL when none does. */
const struct share_point *share_choice(const struct share_search *s);

#endif
