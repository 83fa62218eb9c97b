/*
 * Texts that share passes. A batch owns a fixed number of duos, one per sequence of its engines. A
 * step gathers the rows that every text needs from its active writer and evaluates them in one pass
 * per model; a text whose last row was among them writes a token. What a row computes does not
 * depend on its company, so every text becomes what it would have become alone.
 *
 * Nothing is allocated after batch_open.
 */
#ifndef EAD_DECODE_BATCH_H
#define EAD_DECODE_BATCH_H

#include "decode/duo.h"

enum {
    BATCH_NO_TOKEN = -1, /* the id of a text that has not written in this step */
    BATCH_POLL_ROWS = 64 /* rows per pass while someone watches: a wish to stop is heard soon */
};

/* A text and what it does in the pass at hand. */
struct batch_slot {
    struct duo duo;
    int goal;   /* up to where the pass's model should read */
    int from;   /* the first position of this pass */
    int n;      /* rows of it in this pass */
    int logits; /* of the pass: where its next distribution stands; -1 when it does not yet */
    struct kern_stats stats;
    ead_progress progress; /* of reading alone; may be NULL */
    void *progress_context;
};

struct batch {
    struct engine *engines[EAD_WRITERS]; /* borrowed; one may be NULL */
    struct arena arena;
    int n, n_ctx, n_vocab, max_rows;
    struct batch_slot *slots;  /* [n] */
    struct batch_slot **queue; /* [n] scratch: the readers of a pass, those with few rows first */
    struct row *rows;          /* [max_rows] */
    struct candidate *scratch; /* [n_vocab] */
};

/* One text per sequence. The engines must agree on sequences, context, rows per pass and, by
 * vocab_compare, on their tokens; every sequence may want logits at once. */
MUST_USE enum status batch_open(struct engine *large, struct engine *small,
                                const ead_duo_options *options, struct batch **out,
                                struct err *err);
void batch_close(struct batch *b);
struct duo *batch_duo(struct batch *b, int i);

/* Write the next token of every text with active[i]; tokens[i].id is BATCH_NO_TOKEN for those that
 * are not active and for those that still read. On failure no text has changed. */
MUST_USE enum status batch_step(struct batch *b, const bool *active, ead_token *tokens,
                                struct err *err);
/* Read what text i has been given, but for the last row, which the step needs that follows.
 * `progress` (may be NULL) is told, now and in calls of batch_write. */
MUST_USE enum status batch_read(struct batch *b, int i, ead_progress progress, void *context,
                                struct err *err);
/* Write the next token of text i alone, however many passes it takes. */
MUST_USE enum status batch_write(struct batch *b, int i, ead_token *out, struct err *err);

#endif
