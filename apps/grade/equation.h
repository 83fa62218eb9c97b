/* Equations and inequalities, and the names that answers are given under. */
#ifndef EAD_GRADE_EQUATION_H
#define EAD_GRADE_EQUATION_H

#include "grade/compare.h"

/* Is `node` a mere name for what follows "=": x, a_3, f(x), |AB|, \angle ABC, (x, y)? */
bool equation_is_name(const struct node *node);

/* Where one or both sides are relations. */
bool equation_same(struct comparison *c, struct side gold, struct side pred);

/* "x = 3, y = 4" for (3, 4). */
bool equation_lists_tuple(struct comparison *c, struct side gold, struct side pred);

#endif
