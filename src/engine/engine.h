/*
 * The seam between decoding and computing: "evaluate these rows, give me logits". An engine is one
 * model with caches for a fixed number of sequences. Everything above speaks in rows and lengths;
 * everything below knows transformers.
 *
 * Memory: one arena, sized at opening. An evaluation allocates nothing. An engine is used by one
 * thread at a time; the model behind it may be shared.
 */
#ifndef EAD_ENGINE_ENGINE_H
#define EAD_ENGINE_ENGINE_H

#include "base/status.h"
#include "kern/kern.h"
#include "model/forward.h"
#include "model/model.h"

struct engine_options {
    const struct kern *kern; /* NULL: the best of this machine */
    int threads;             /* 0: as many as this process may use */
    int n_ctx;               /* positions per sequence; 0: as many as the model was trained on */
    int n_seq;               /* 0: 1 */
    enum kern_cache cache;   /* type of the cache of keys and values; 0: f16 */
    int max_rows;            /* rows of one pass; 0: ENGINE_ROWS_DEFAULT */
    int max_logits;          /* rows of one pass that may want logits; 0: 1 */
};

enum { ENGINE_ROWS_DEFAULT = 256, ENGINE_ROWS_MAX = 4096, ENGINE_CTX_MAX = 1 << 24 };

struct engine;

/* `model` is borrowed and must have weights. */
MUST_USE enum status engine_open(const struct model *model, const struct engine_options *options,
                                 struct engine **out, struct err *err);
void engine_close(struct engine *e);

/*
 * One pass over n rows, 1 <= n <= max_rows. Rows of a sequence stand in order of position and start
 * where the sequence ends. ST_ARG names the row at fault, ST_FULL says that the context has no
 * room; in both cases nothing was evaluated.
 */
MUST_USE enum status engine_eval(struct engine *e, const struct row *rows, int n, struct err *err);

/* Logits [n_vocab] of the i-th row of the last pass that wanted them, valid until the next pass. */
const float *engine_logits(const struct engine *e, int i);

/* Rows of the last pass that wanted logits; 0 before the first. */
int engine_logit_rows(const struct engine *e);

/* Leading logits that belong to tokens; those behind pad the embedding and take part in no softmax.
 */
int engine_vocab(const struct engine *e);

/* Entropy and extremes of those logits, over the tokens. ST_FORMAT when they are not numbers: the
 * weights are broken. */
MUST_USE enum status engine_stats(const struct engine *e, int i, struct kern_stats *out,
                                  struct err *err);

/* Positions a sequence holds, and forgetting all from `length` on. */
int engine_length(const struct engine *e, int seq);
void engine_truncate(struct engine *e, int seq, int length);

const struct model *engine_model(const struct engine *e);
/* The options in force, defaults filled in. */
const struct engine_options *engine_settings(const struct engine *e);
/* Bytes mapped for caches and scratch; pages count towards memory once they are touched. */
size_t engine_bytes(const struct engine *e);

#endif
