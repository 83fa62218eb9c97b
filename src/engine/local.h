/*
 * The engine of this process: a model file and its forward pass. A submit evaluates at once.
 *
 * Memory: one arena, sized at opening. The model behind it may be shared.
 */
#ifndef EAD_ENGINE_LOCAL_H
#define EAD_ENGINE_LOCAL_H

#include "engine/engine.h"
#include "model/model.h"

struct local_options {
    const struct kern *kern; /* NULL: the best of this machine */
    int threads;             /* 0: as many as this process may use */
    int n_ctx;               /* positions per sequence; 0: as many as the model was trained on */
    int n_seq;               /* 0: 1 */
    enum kern_cache cache;   /* type of the cache of keys and values; 0: f16 */
    int max_rows;            /* rows of one pass; 0: LOCAL_ROWS_DEFAULT */
    int cache_tokens;        /* positions that fit, all sequences together; 0: n_seq * n_ctx */
    int max_logits;          /* rows of one pass that may want logits; 0: 1 */
};

enum { LOCAL_ROWS_DEFAULT = 256, LOCAL_ROWS_MAX = 4096, LOCAL_CTX_MAX = 1 << 24 };

/* `model` is borrowed and must have weights. */
MUST_USE enum status local_open(const struct model *model, const struct local_options *options,
                                struct engine **out, struct err *err);

/* What follows takes engines of local_open only. */

/* The options in force, defaults filled in. */
const struct local_options *local_settings(const struct engine *e);

/* Rows of the last pass that wanted logits, and the logits [rows of token_embd] of the i-th of
 * them; those from info.n_vocab on pad the embedding and take part in no softmax. */
int local_logit_rows(const struct engine *e);
const float *local_logits(const struct engine *e, int i);

/* Their distribution. ST_FORMAT when they are not numbers: the weights are broken. */
MUST_USE enum status local_distribution(const struct engine *e, int i, struct distribution *out,
                                        struct err *err);

/* Bytes mapped for caches and scratch; pages count towards memory once they are touched. */
size_t local_bytes(const struct engine *e);

#endif
