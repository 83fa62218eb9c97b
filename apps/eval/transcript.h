/* A text while it is written: what came out, who wrote which part, and if wanted every token. */
#ifndef EAD_EVAL_TRANSCRIPT_H
#define EAD_EVAL_TRANSCRIPT_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Lost tokens that a trace keeps; of more, none. */
enum { TRANSCRIPT_LOST_MAX = 4096 };

struct transcript {
    int n;          /* tokens */
    ead_end end;    /* of the last one */
    double seconds; /* of all steps */
    json_t *runs;   /* lengths of turns by writer in turn, the small model's first */
    char *output;   /* after transcript_end: the text, without control tokens */
    size_t bytes;

    const ead_model *model; /* borrowed */
    ead_detok *detok;
    FILE *to; /* what becomes `output` */
    ead_writer writer;
    int turn;                 /* tokens of the turn at hand */
    json_t *pieces, *entropy; /* of every token; NULL when they are not wanted */
    json_t *ids;              /* likewise */
    json_t *lost;             /* what was taken back before it was told, likewise, in order:
                               * {at: tokens before it, text, entropy, and if it was judged p, max_p} */
    char *writers;            /* "SSL...", [room] */
    size_t room;
    bool bad; /* no memory */
};

/* What is kept of every token beside its text. */
struct transcript_wish {
    bool trace, ids;
};

/* `flags` are those of ead_detok_open. transcript_close in any case. */
ead_status transcript_open(struct transcript *t, const ead_model *model, unsigned flags,
                           struct transcript_wish wish, ead_error *error);
void transcript_close(struct transcript *t);

ead_status transcript_add(struct transcript *t, const ead_token *token, ead_error *error);
/* Complete runs and output; nothing can be added afterwards. */
ead_status transcript_end(struct transcript *t, ead_error *error);

#endif
