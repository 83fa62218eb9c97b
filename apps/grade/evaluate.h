/* The value of a formula where its variables have sample values. */
#ifndef EAD_GRADE_EVALUATE_H
#define EAD_GRADE_EVALUATE_H

#include "grade/formula.h"
#include "grade/work.h"

/* At the first points all variables are positive, as textbooks assume when they write
 * \sqrt{xy} = \sqrt{x}\sqrt{y}; at the others not, and |x| is not x. So many points are enough to
 * judge by; where some tell nothing, more are looked at. */
enum { POINTS = 5, POINTS_POSITIVE = 3, POINTS_MAX = 20 };

struct evaluation {
    unsigned point;
    int sign;    /* what plus-minus stands for: 1 or -1 */
    int angles;  /* within so many trigonometric functions a degree is pi / 180, outside it is 1 */
    bool branch; /* out: a variable made the argument of an even root, a logarithm or an arc one
                  * that has no real value */
    struct work *work; /* the time is bounded: nothing has a value once it is used up */
};

/* No value (value_none) for what is no number: a list, a set, a matrix. */
struct value evaluate(const struct node *node, struct evaluation *at);
/* \pi and e, as tokens spell them. */
struct value evaluate_constant(const char *name, size_t n);

#endif
