/*
 * What else could have been written: the most probable tokens where each of the last ones stands.
 * The distribution of a token is gone with its engine's next pass, and drafts are told long after
 * they were written; so who wants to know says so beforehand. A place belongs to a position of the
 * text, until another position takes it.
 */
#ifndef EAD_DECODE_ALTERNATIVES_H
#define EAD_DECODE_ALTERNATIVES_H

#include "ead.h"
#include "engine/distribution.h"

/* As many tokens as can be untold at once, and the one behind them. */
enum { ALTERNATIVES_PLACES = EAD_DRAFT_MAX + 1 };

struct alternatives {
    int wanted; /* of each token; 0: nobody asks */
    struct alternatives_place {
        int pos; /* -1: none */
        int n;
        struct candidate best[EAD_BEST_MAX]; /* .logit is ln p */
    } places[ALTERNATIVES_PLACES];
};

/* Nothing is known; what is wanted stays. */
void alternatives_reset(struct alternatives *a);
/* So many from now on, at most EAD_BEST_MAX. */
void alternatives_want(struct alternatives *a, int n);
/* The token at this position was drawn from this. */
void alternatives_keep(struct alternatives *a, int pos, const struct distribution *d);
/* Of the token there; NULL when it is not known. */
const struct alternatives_place *alternatives_at(const struct alternatives *a, int pos);

#endif
