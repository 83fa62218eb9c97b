/* The value of a formula where its variables have sample values. */
#ifndef EAD_GRADE_EVALUATE_H
#define EAD_GRADE_EVALUATE_H

#include "grade/formula.h"

/* At the first points all variables are positive, as textbooks assume when they write
 * \sqrt{xy} = \sqrt{x}\sqrt{y}; at the others not, and |x| is not x. */
enum { POINTS = 5, POINTS_POSITIVE = 3 };

struct evaluation {
    unsigned point;
    int sign;    /* what plus-minus stands for: 1 or -1 */
    int angles;  /* within so many trigonometric functions a degree is pi / 180, outside it is 1 */
    bool branch; /* out: an even root or a logarithm met a negative number */
};

/* No value (value_none) for what is no number: a list, a set, a matrix. */
struct value evaluate(const struct node *node, struct evaluation *at);

#endif
