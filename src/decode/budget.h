/*
 * How many rows of prompts a pass takes while other texts are written. Either a fixed number, or as
 * many as make the pass up to BUDGET_STRETCH times as long as one without: what a row costs beside
 * others is the machine's and the model's, and is found by measuring. What is computed does not
 * depend on it.
 */
#ifndef EAD_DECODE_BUDGET_H
#define EAD_DECODE_BUDGET_H

#include "ead.h"

enum { BUDGET_FIRST = 8, BUDGET_LEAST = 4, BUDGET_MOST = 64, BUDGET_STRETCH = 3 };

struct budget {
    bool fixed;
    double rows[EAD_WRITERS];  /* of a pass of an engine */
    double usual[EAD_WRITERS]; /* seconds of one without prompts, lately; 0: none was seen */
};

/* `fixed`: so many rows; 0: by measuring. */
void budget_init(struct budget *b, int fixed);
int budget_rows(const struct budget *b, ead_writer w);
/* A pass took so long while texts were written; `rows` of it were of prompts. */
void budget_learn(struct budget *b, ead_writer w, int rows, double seconds);

#endif
