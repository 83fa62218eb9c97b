/* Do two formulas say the same? */
#ifndef EAD_GRADE_COMPARE_H
#define EAD_GRADE_COMPARE_H

#include "grade/formula.h"
#include "grade/work.h"

/* Not quite symmetric: an answer "x = 5" is right where 5 is asked for, and "x + y = 5" too; where
 * an equation is asked for, only its name may be left out. */
bool compare_formulas(const struct formula *gold, const struct formula *pred, struct work *work);

/* The same for two numbers or expressions; exposed for equation.c. */
struct side {
    const struct node *node;
    int sign; /* what plus-minus stands for in it; 0: both */
};

struct comparison {
    bool gold_percent, pred_percent;
    struct work *work;
};

bool compare_sides(struct comparison *c, struct side gold, struct side pred);

#endif
