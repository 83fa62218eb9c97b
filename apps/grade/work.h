/*
 * What a comparison may cost. Everything that could take long pays for its steps, one step being
 * about a quarter of a microsecond; once they are used up nothing more is equal. So the time is
 * bounded without a clock, and a verdict does not depend on the machine.
 */
#ifndef EAD_GRADE_WORK_H
#define EAD_GRADE_WORK_H

#include <stdbool.h>

enum { WORK_MAX = 200000 };

struct work {
    long left;
};

/* False when there is nothing left to pay with. */
static inline bool work_pay(struct work *work, long steps)
{
    if (work->left <= 0) return false;
    work->left -= steps;
    return work->left > 0;
}

#endif
