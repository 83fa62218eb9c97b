/*
 * Modelled time, which is the same on every machine and in any company: a pass of k rows of the
 * large model takes 1 + row (k - 1), one of the small model so much times `small`. Prompts are left
 * out. What the two numbers are is the machine's and the pair's: `ead bench` measures both.
 */
#ifndef EAD_EVAL_COST_H
#define EAD_EVAL_COST_H

#include "eval/records.h"

struct cost {
    double small; /* a step of the small model, relative to one of the large */
    double row;   /* a further row of a pass, relative to its first */
};

extern const struct cost cost_usual;

/* Passes of a model that wrote or judged; NaN where a line does not tell. */
double cost_passes(const struct record *r, ead_writer w);
/* Rows of them. */
double cost_rows(const struct record *r, ead_writer w);
/* In steps of the large model. */
double cost_of(const struct cost *cost, const struct record *r);

#endif
