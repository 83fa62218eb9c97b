/*
 * Many texts, two engines: the one loop that writes. A step takes one pass of one engine over the
 * rows that its texts need, side by side, and writes the tokens whose distributions came out. What
 * a row computes does not depend on its company, so every text becomes what it would have become
 * alone; one text is many of which one is active.
 *
 * Each engine goes at its own pace: a step serves the one that is behind in time, weighted by the
 * texts that wait for it, so that a large model's long passes stretch nobody else's steps for ever.
 * Rows of prompts, and of catch-ups as long as such, ride along within a budget while other texts
 * are written.
 *
 * A text has a sequence of the engines; the driver hands them out. Nothing is allocated after
 * driver_open.
 */
#ifndef EAD_DECODE_DRIVER_H
#define EAD_DECODE_DRIVER_H

#include "decode/budget.h"
#include "decode/duo.h"

enum {
    DRIVER_POLL_ROWS = 64
}; /* rows per pass while someone watches: a wish to stop is heard soon */

/* A text's part in the pass at hand. */
struct part {
    struct duo *duo;
    int goal;  /* up to where it reads */
    int from;  /* its first position */
    int least; /* rows that it must have, to have any */
    int n;     /* its rows */
};

struct driver {
    struct engine *engines[EAD_WRITERS]; /* borrowed; one may be NULL */
    struct arena arena;
    int n, n_seq, n_ctx, n_vocab, max_rows, max_scores;
    struct budget budget;
    struct duo *duos;   /* [n] */
    int *owner;         /* [n_seq] the text that has a sequence */
    struct part *queue; /* [n] scratch: the readers of a pass, those with few rows first */
    struct row *rows;   /* [max_rows] scratch */
    struct duo_scratch scratch;
    double spent[EAD_WRITERS]; /* time of passes, weighted (driver.c) */
};

/* n texts. The engines must agree on sequences, context and rows per pass and, by vocab_compare, on
 * their tokens; every text may want logits at once, and options->max_scores rows beside. */
MUST_USE enum status driver_open(struct engine *large, struct engine *small,
                                 const ead_duo_options *options, int n, struct driver **out,
                                 struct err *err);
void driver_close(struct driver *r);
struct duo *driver_duo(struct driver *r, int i);

/* Go on with every text that has active[i]: one pass. events [n], at most one of each text;
 * *n_events of them. A failure concerns all, and no text has changed. */
MUST_USE enum status driver_step(struct driver *r, const bool *active, ead_event *events,
                                 int *n_events, struct err *err);
/* Have text i read what it has been given, but for the last row, which the step needs that follows.
 */
MUST_USE enum status driver_read(struct driver *r, int i, struct err *err);
/* Write the next token of text i alone, however many passes it takes. */
MUST_USE enum status driver_write(struct driver *r, int i, ead_token *out, struct err *err);

#endif
