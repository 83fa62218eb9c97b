/*
 * Two timelines, one text. The text is the truth; each engine's cache covers a prefix of it. To ask
 * an engine for the next distribution is to evaluate the rows between its prefix and the end of the
 * text, so a switch needs nothing but another engine: the rows it has not seen are its catch-up,
 * and the same pass yields its next distribution.
 *
 * With one engine the other's writer is never chosen. Nothing is allocated after duo_open.
 */
#ifndef EAD_DECODE_DUO_H
#define EAD_DECODE_DUO_H

#include "base/arena.h"
#include "decode/policy.h"
#include "decode/sampler.h"
#include "ead.h"
#include "engine/engine.h"

enum {
    DUO_GIVEN = -1,    /* the author of a prompt's token */
    DUO_POLL_ROWS = 64 /* rows per pass while someone watches: a wish to stop is heard soon */
};

struct duo {
    struct engine *engines[EAD_WRITERS]; /* borrowed; one may be NULL */
    struct arena arena;
    struct policy policy;
    struct sampler sampler;
    bool ignore_end, eager_prompt;
    int n_ctx, n_vocab; /* n_vocab: tokens that both models know */
    int n_text;
    int32_t *text;    /* [n_ctx + 1]: the last token a full context yields is never evaluated */
    int8_t *author;   /* [n_ctx + 1] the ead_writer of each token, or DUO_GIVEN */
    struct row *rows; /* [max_rows] */
    int max_rows;
    int64_t index;       /* of the next token since the last append */
    ead_writer previous; /* writer of the last token */
    int64_t tokens, switches;
    int64_t to_read;            /* rows that one model alone would have read as prompts */
    ead_work work[EAD_WRITERS]; /* step_seconds is filled in by duo_summarise */
    ead_progress progress;
    void *progress_context;
};

/* The engines must agree on context, rows per pass and, by vocab_compare, on their tokens. */
MUST_USE enum status duo_open(struct engine *large, struct engine *small,
                              const ead_duo_options *options, struct duo **out, struct err *err);
void duo_close(struct duo *d);

MUST_USE enum status duo_append(struct duo *d, const int32_t *ids, size_t n, struct err *err);
MUST_USE enum status duo_step(struct duo *d, ead_token *out, struct err *err);
void duo_truncate(struct duo *d, int length);
MUST_USE enum status duo_set_policy(struct duo *d, const ead_policy_options *o, struct err *err);
ead_summary duo_summarise(const struct duo *d);

#endif
