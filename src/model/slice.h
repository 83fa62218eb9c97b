/*
 * A slice of a pass, as every thread sees it: rows that walk all layers together. What the files
 * that compute it share (forward.c, product.c, attention.c, ffn.c).
 */
#ifndef EAD_MODEL_SLICE_H
#define EAD_MODEL_SLICE_H

#include "model/forward.h"

struct slice {
    struct forward *f;
    const struct row *rows;
    int n;
    int n_wanted; /* rows whose logits are asked for */
    int n_runs;
    float *logits;
};

/* Up to whole cache lines of floats. */
static inline size_t slice_round(size_t floats)
{
    return (floats + 15) & ~(size_t)15;
}

/* How far apart rows of scratch stand. */
static inline size_t slice_width(int floats)
{
    return slice_round((size_t)floats);
}

/* A block of a phase whose items are rows, one of them at hand; begin with an empty one. Taking a
 * block costs a small model as much as a row. */
struct slice_block {
    int row, end;
};

static inline bool slice_next(struct team_member *me, int n, struct slice_block *b)
{
    enum { MOST_AT_LAST = 8 }; /* while others wait */
    const int fair = n / (2 * me->threads);
    const int unit = fair < 1 ? 1 : fair < MOST_AT_LAST ? fair : MOST_AT_LAST;
    return ++b->row < b->end || team_take(me, n, unit, n, &b->row, &b->end);
}

#endif
