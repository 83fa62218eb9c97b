/*
 * Two timelines, one text. The text is the truth; each engine's cache covers a prefix of it. To ask
 * an engine for the next distribution is to evaluate the rows between its prefix and the end of the
 * text, so a switch needs nothing but another engine: the rows it has not seen are its catch-up,
 * and the same pass yields its next distribution.
 *
 * A duo is one text on one sequence of engines that other duos may share. It says which rows it
 * needs, is told what they cost, and takes the token their logits give; decode/batch.h evaluates.
 * With one engine the other's writer is never chosen. Nothing is allocated here.
 */
#ifndef EAD_DECODE_DUO_H
#define EAD_DECODE_DUO_H

#include "base/arena.h"
#include "decode/policy.h"
#include "decode/sampler.h"
#include "ead.h"
#include "engine/engine.h"

enum { DUO_GIVEN = -1 }; /* the author of a prompt's token */

/* What the rows of one evaluation were for, and its time; see ead_work. An evaluation takes as many
 * passes as it takes and is booked when it has reached its goal, so that the account does not
 * depend on the company its rows had. */
struct duo_tally {
    int prompt, catchup, decode;
    double seconds;
};

struct duo {
    struct engine *engines[EAD_WRITERS]; /* borrowed; one may be NULL */
    int seq;                             /* of both engines */
    struct policy policy;
    struct sampler sampler;
    bool ignore_end, eager_prompt;
    int n_ctx, n_vocab; /* n_vocab: tokens that both models know */
    int n_text;
    int32_t *text;       /* [n_ctx + 1]: the last token a full context yields is never evaluated */
    int8_t *author;      /* [n_ctx + 1] the ead_writer of each token, or DUO_GIVEN */
    int eager_end;       /* up to here the model that is not writing reads as well */
    int64_t index;       /* of the next token since the last append */
    ead_writer previous; /* writer of the last token */
    int64_t tokens, switches;
    int64_t to_read;                    /* rows that one model alone would have read as prompts */
    struct duo_tally open[EAD_WRITERS]; /* evaluations under way */
    ead_work work[EAD_WRITERS];         /* step_seconds is filled in by duo_summarise */
    double seconds;                     /* of passes and choices since the last token */
};

/* The text's storage, once measuring and once for real; n_ctx must be set. */
void duo_carve(struct duo *d, struct arena *arena);
/* Begin with an empty text. engines, seq, n_ctx, n_vocab and the storage must be set; `scratch`
 * [n_vocab] may be shared by duos that choose one after the other. */
MUST_USE enum status duo_init(struct duo *d, const ead_duo_options *options,
                              struct candidate *scratch, struct err *err);

/* Add given tokens; nothing is evaluated. The policy starts anew. */
MUST_USE enum status duo_append(struct duo *d, const int32_t *ids, size_t n, struct err *err);
void duo_truncate(struct duo *d, int length);
/* Forget the text and its account; random choices begin again at their seeds. */
void duo_reset(struct duo *d);
MUST_USE enum status duo_set_policy(struct duo *d, const ead_policy_options *o, struct err *err);
MUST_USE enum status duo_set_sampler(struct duo *d, const ead_sampler_options *o, struct err *err);

/* Can a token be written? If so, its writer has at least one row to evaluate afterwards. */
MUST_USE enum status duo_prepare(struct duo *d, struct err *err);
/* Up to where a step wants this model to have read. */
int duo_goal(const struct duo *d, ead_writer w);
/* Positions of the text that a model has read. */
int duo_read(const struct duo *d, ead_writer w);
/* The next rows of a model on its way to `goal`, at most `most`; the last one wants logits when it
 * ends the text. Returns how many. */
int duo_rows(const struct duo *d, ead_writer w, int goal, int most, struct row *rows);
/* n rows from position `from` on were evaluated on the way to `goal`. */
void duo_account(struct duo *d, ead_writer w, int from, int n, int goal, double seconds);
/* Write the token that follows from these logits of the active writer. out->seconds is left out. */
void duo_write(struct duo *d, const float *logits, const struct kern_stats *stats, ead_token *out);

ead_summary duo_summarise(const struct duo *d);

#endif
