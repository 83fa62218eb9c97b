#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>

struct engine {
    const struct model *model;
    struct engine_options options;
    struct arena arena; /* owns the cache, the scratch and the logits */
    struct kv kv;
    struct forward forward;
    float *logits; /* [max_logits][n_vocab] */
    int n_logits;  /* rows of them that the last pass wrote */
};

static enum status check_range(const char *name, int value, int max, struct err *err)
{
    if (value < 1 || value > max)
        return err_set(err, ST_ARG, "%s: expected 1 to %d, found %d", name, max, value);
    return ST_OK;
}

static enum status settle_options(const struct model *m, struct engine_options *o, struct err *err)
{
    if (!o->kern) o->kern = kern_best();
    if (!o->threads) o->threads = team_default_threads();
    if (!o->n_ctx)
        o->n_ctx = m->config.n_ctx_train < ENGINE_CTX_MAX ? m->config.n_ctx_train : ENGINE_CTX_MAX;
    if (!o->n_seq) o->n_seq = 1;
    if (!o->max_rows) o->max_rows = ENGINE_ROWS_DEFAULT;
    if (!o->max_logits) o->max_logits = 1;
    TRY(check_range("threads", o->threads, TEAM_THREADS_MAX, err));
    TRY(check_range("context", o->n_ctx, ENGINE_CTX_MAX, err));
    TRY(check_range("sequences", o->n_seq, 1 << 16, err));
    TRY(check_range("rows of a pass", o->max_rows, ENGINE_ROWS_MAX, err));
    return check_range("rows with logits", o->max_logits, o->max_rows, err);
}

static void carve(struct engine *e)
{
    const struct engine_options *o = &e->options;
    kv_carve(&e->kv, &e->arena, &e->model->config, o->cache, o->n_seq, o->n_ctx);
    forward_carve(&e->forward, &e->arena);
    e->logits = arena_carve(&e->arena, (size_t)o->max_logits * (size_t)e->model->weights.n_vocab,
                            sizeof *e->logits);
}

enum status engine_open(const struct model *model, const struct engine_options *options,
                        struct engine **out, struct err *err)
{
    if (!model->has_weights) return err_set(err, ST_ARG, "the model was opened without weights");
    struct engine_options o = options ? *options : (struct engine_options){0};
    TRY(settle_options(model, &o, err));
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return err_memory(err, "an engine");
    e->model = model;
    e->options = o;
    e->forward = (struct forward){.config = &model->config,
                                  .weights = &model->weights,
                                  .kern = o.kern,
                                  .kv = &e->kv,
                                  .max_rows = o.max_rows};
    team_init(&e->forward.team, o.threads);
    carve(e); /* measures */
    enum status st = arena_commit(&e->arena, err);
    if (st != ST_OK) {
        engine_close(e);
        return st;
    }
    carve(e);
    *out = e;
    return ST_OK;
}

void engine_close(struct engine *e)
{
    if (!e) return;
    team_deinit(&e->forward.team);
    arena_deinit(&e->arena);
    free(e);
}

/* The position that row i must have: one past the row before it of the same sequence in this pass,
 * or the sequence's length. Rows of a sequence usually stand together, so the look back is short.
 */
static int expected_position(const struct engine *e, const struct row *rows, int i)
{
    for (int j = i - 1; j >= 0; j--)
        if (rows[j].seq == rows[i].seq) return rows[j].pos + 1;
    return e->kv.length[rows[i].seq];
}

static enum status check_rows(const struct engine *e, const struct row *rows, int n,
                              struct err *err)
{
    int wanted = 0;
    TRY(check_range("rows", n, e->options.max_rows, err));
    for (int i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        if (r->seq < 0 || r->seq >= e->options.n_seq)
            return err_set(err, ST_ARG, "row %d: sequence: expected 0 to %d, found %d", i,
                           e->options.n_seq - 1, r->seq);
        int pos = expected_position(e, rows, i);
        if (r->pos != pos)
            return err_set(err, ST_ARG, "row %d: position: expected %d, found %d", i, pos, r->pos);
        if (pos >= e->options.n_ctx)
            return err_set(err, ST_FULL, "the context of %d tokens is full", e->options.n_ctx);
        if (r->token < 0 || r->token >= e->model->weights.n_vocab)
            return err_set(err, ST_ARG, "row %d: token: expected 0 to %d, found %d", i,
                           e->model->weights.n_vocab - 1, r->token);
        wanted += r->wants_logits;
    }
    if (wanted > e->options.max_logits)
        return err_set(err, ST_ARG, "rows that want logits: expected at most %d, found %d",
                       e->options.max_logits, wanted);
    return ST_OK;
}

enum status engine_eval(struct engine *e, const struct row *rows, int n, struct err *err)
{
    TRY(check_rows(e, rows, n, err));
    e->n_logits = 0;
    for (int i = 0; i < n; i++) e->n_logits += rows[i].wants_logits;
    forward_eval(&e->forward, rows, n, e->logits);
    return ST_OK;
}

const float *engine_logits(const struct engine *e, int i)
{
    return e->logits + (size_t)i * e->model->weights.n_vocab;
}

int engine_logit_rows(const struct engine *e)
{
    return e->n_logits;
}

int engine_vocab(const struct engine *e)
{
    return vocab_real_size(e->model->vocab);
}

enum status engine_stats(const struct engine *e, int i, struct kern_stats *out, struct err *err)
{
    e->options.kern->stats(engine_logits(e, i), engine_vocab(e), out);
    if (isnan(out->entropy) || out->argmax < 0)
        return err_set(err, ST_FORMAT, "%s: the logits are not finite; the weights are damaged",
                       gguf_path(e->model->gguf));
    return ST_OK;
}

int engine_length(const struct engine *e, int seq)
{
    return e->kv.length[seq];
}

void engine_truncate(struct engine *e, int seq, int length)
{
    if (length < e->kv.length[seq]) e->kv.length[seq] = length < 0 ? 0 : length;
}

const struct model *engine_model(const struct engine *e)
{
    return e->model;
}

const struct engine_options *engine_settings(const struct engine *e)
{
    return &e->options;
}

size_t engine_bytes(const struct engine *e)
{
    return e->arena.capacity;
}
