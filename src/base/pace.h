/*
 * Is a kind of work faster alone or shared by the team? Nothing tells beforehand: a line of memory
 * goes from core to core in 60 ns or in 340, whichever cores the host has given, and neighbours
 * come and go. So both ways are timed while the work is done, in spells of some passes; the better
 * is taken, and the other tried again now and then, the more seldom the more it loses.
 */
#ifndef EAD_BASE_PACE_H
#define EAD_BASE_PACE_H

#include <stdbool.h>

struct pace_way {
    double seconds, work; /* of late: old spells fade */
};

/* All zero: nothing tried yet. */
struct pace {
    struct pace_way alone, shared, spell; /* spell: the one under way */
    int passes;                           /* of the spell */
    bool shared_is_chosen, trial;         /* a trial: the spell is done the other way */
    int left;                             /* spells until the next trial */
};

/* How the next pass is to be done. */
bool pace_shared(const struct pace *p);

/* It was done so, this much work in so many seconds. */
void pace_note(struct pace *p, double work, double seconds);

#endif
