/* Sets of real numbers as intervals: "(1, 2) \cup [3, \infty)", "x < 1 or x > 3", "x \ne 2". */
#ifndef EAD_GRADE_SPANS_H
#define EAD_GRADE_SPANS_H

#include "grade/formula.h"
#include "grade/work.h"

enum { SPANS_MAX = 16 };

struct end {
    int infinite;    /* -1, 0, 1 */
    bool closed;     /* an infinity itself is no real number, but may be written as if it were */
    struct value at; /* real, when finite */
};

struct span {
    struct end low, high;
};

/* In order, apart from each other. */
struct spans {
    struct span span[SPANS_MAX];
    size_t n;
    uint64_t name; /* the variable that conditions were on; 0: none was named */
};

/* Is it written as a set of numbers beyond doubt? (1, 2) alone may be a point. */
bool spans_is(const struct node *node);
/* Read it as one; false when it cannot be. */
bool spans_read(const struct node *node, struct work *work, struct spans *out);
bool spans_equal(const struct spans *a, const struct spans *b);

#endif
