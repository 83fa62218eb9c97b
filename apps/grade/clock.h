/* Times of day: "3:30", "20:34:00", "4 p.m.". */
#ifndef EAD_GRADE_CLOCK_H
#define EAD_GRADE_CLOCK_H

#include "grade/formula.h"

/* Is it one beyond doubt? "3:30" may be a ratio; "1:03" and "4 p.m." are none. */
bool clock_is(const struct node *node);
/* Could it be one? */
bool clock_may_be(const struct node *node);
/* Both may be one. Which half of the day may be left out. */
bool clock_equal(const struct node *a, const struct node *b);
/* Is it the full hour that the number says? */
bool clock_is_hour(const struct node *clock, struct value number);

#endif
