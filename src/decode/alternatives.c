#include "decode/alternatives.h"

void alternatives_reset(struct alternatives *a)
{
    for (int i = 0; i < ALTERNATIVES_PLACES; i++) a->places[i].pos = -1;
}

void alternatives_want(struct alternatives *a, int n)
{
    a->wanted = n < 0 ? 0 : n < EAD_BEST_MAX ? n : EAD_BEST_MAX;
}

void alternatives_keep(struct alternatives *a, int pos, const struct distribution *d)
{
    struct alternatives_place *place = &a->places[pos % ALTERNATIVES_PLACES];
    place->pos = a->wanted ? pos : -1;
    if (a->wanted) place->n = distribution_best(d, a->wanted, place->best);
}

const struct alternatives_place *alternatives_at(const struct alternatives *a, int pos)
{
    const struct alternatives_place *place = pos < 0 ? NULL : &a->places[pos % ALTERNATIVES_PLACES];
    return place && place->pos == pos ? place : NULL;
}
