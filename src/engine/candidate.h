/*
 * Tokens that could follow, and the order among them: the most probable first, equal ones by id, so
 * that results never depend on how they were sorted. In place: qsort of the C library allocates,
 * and a token must not.
 */
#ifndef EAD_ENGINE_CANDIDATE_H
#define EAD_ENGINE_CANDIDATE_H

#include <stdint.h>

/* A token with its logit or, as in ead.h, its natural log-probability. */
struct candidate {
    float logit;
    int32_t id;
};

/* Does x stand before y (below 0), or behind (above 0)? */
int candidate_compare(const struct candidate *x, const struct candidate *y);

void candidates_sort(struct candidate *c, int n);

/* A heap of the best: the last in order is its root. */
void candidates_heapify(struct candidate *heap, int n);
/* Put c in the place of the root where it stands before it. */
void candidates_offer(struct candidate *heap, int n, struct candidate c);

#endif
