/* The public face: sessions and duos. Contracts are in ead.h. */
#include "face.h"

#include "decode/batch.h"
#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>

/* ---- one model --------------------------------------------------------------------------- */

struct ead_session {
    struct engine *engine;
    struct row *rows; /* [max_rows] */
};

ead_session_options ead_session_defaults(void)
{
    return (ead_session_options){.n_seq = 1, .max_rows = ENGINE_ROWS_DEFAULT, .max_logits = 1};
}

static enum status session_open(const ead_model *model, const ead_session_options *o,
                                ead_session *s, struct err *err)
{
    struct engine_options inner = {.threads = o->threads,
                                   .n_ctx = o->n_ctx,
                                   .n_seq = o->n_seq,
                                   .max_rows = o->max_rows,
                                   .max_logits = o->max_logits};
    TRY(face_kern(o->cpu, &inner.kern, err));
    TRY(face_cache(o->cache_type, &inner.cache, err));
    TRY(engine_open(model->model, &inner, &s->engine, err));
    s->rows = calloc((size_t)engine_settings(s->engine)->max_rows, sizeof *s->rows);
    return s->rows ? ST_OK : err_memory(err, "the rows of a pass");
}

ead_status ead_session_open(const ead_model *model, const ead_session_options *options,
                            ead_session **out, ead_error *error)
{
    struct err err = {0};
    const ead_session_options defaults = ead_session_defaults();
    ead_session *s = calloc(1, sizeof *s);
    enum status st = s ? session_open(model, options ? options : &defaults, s, &err)
                       : err_memory(&err, "a session");
    if (st == ST_OK)
        *out = s;
    else
        ead_session_close(s);
    return face_report(st, &err, error);
}

void ead_session_close(ead_session *session)
{
    if (!session) return;
    engine_close(session->engine);
    free(session->rows);
    free(session);
}

ead_status ead_session_eval(ead_session *session, const ead_row *rows, int n, ead_error *error)
{
    struct err err = {0};
    int max = engine_settings(session->engine)->max_rows;
    for (int i = 0; i < n && i < max; i++)
        session->rows[i] =
            (struct row){rows[i].seq, rows[i].pos, rows[i].token, rows[i].wants_logits};
    return face_report(engine_eval(session->engine, session->rows, n, &err), &err, error);
}

const float *ead_session_logits(const ead_session *session, int i)
{
    if (i < 0 || i >= engine_logit_rows(session->engine)) return NULL;
    return engine_logits(session->engine, i);
}

ead_status ead_session_stats(const ead_session *session, int i, ead_stats *out, ead_error *error)
{
    struct err err = {0};
    struct kern_stats s;
    const int rows = engine_logit_rows(session->engine);
    enum status st =
        i < 0 || i >= rows
            ? err_set(&err, ST_ARG, "logits: expected a row from 0 to %d, found %d", rows - 1, i)
            : engine_stats(session->engine, i, &s, &err);
    if (st == ST_OK) {
        float max = expf(s.max - s.log_sum_exp), second = expf(s.second - s.log_sum_exp);
        *out = (ead_stats){
            .entropy = s.entropy, .max_prob = max, .margin = max - second, .argmax = s.argmax};
    }
    return face_report(st, &err, error);
}

int ead_session_length(const ead_session *session, int seq)
{
    const int n_seq = engine_settings(session->engine)->n_seq;
    return seq >= 0 && seq < n_seq ? engine_length(session->engine, seq) : 0;
}

void ead_session_truncate(ead_session *session, int seq, int length)
{
    const int n_seq = engine_settings(session->engine)->n_seq;
    if (seq >= 0 && seq < n_seq) engine_truncate(session->engine, seq, length);
}

const char *ead_session_cpu(const ead_session *session)
{
    return engine_settings(session->engine)->kern->name;
}

int ead_session_threads(const ead_session *session)
{
    return engine_settings(session->engine)->threads;
}

/* ---- two models -------------------------------------------------------------------------- */

/* A text of a batch. */
struct ead_duo {
    ead_batch *owner;
    int text;
};

struct ead_batch {
    struct engine *engines[EAD_WRITERS];
    struct batch *batch;
    ead_duo *duos; /* [n] */
    bool is_duo;   /* opened as one: it closes with its only text */
};

static struct duo *inner(const ead_duo *duo)
{
    return batch_duo(duo->owner->batch, duo->text);
}

ead_duo_options ead_duo_defaults(void)
{
    return (ead_duo_options){
        .policy = {.kind = EAD_POLICY_EAD, .tau = 1.0, .window = 5, .dwell = 10, .share = 0.25f},
        .sampler = {.top_p = 1, .repeat_penalty = 1, .repeat_last = 64},
    };
}

/* Both engines get the context of the model trained on less, unless told otherwise. */
static int common_context(const ead_model *const models[EAD_WRITERS], int wanted)
{
    int n_ctx = wanted;
    for (int w = 0; w < EAD_WRITERS && !wanted; w++)
        if (models[w] && (!n_ctx || models[w]->model->config.n_ctx_train < n_ctx))
            n_ctx = models[w]->model->config.n_ctx_train;
    return n_ctx;
}

static enum status open_engines(const ead_model *const models[EAD_WRITERS],
                                const ead_duo_options *o, int n_texts, ead_batch *b,
                                struct err *err)
{
    const int max_rows = o->max_rows ? o->max_rows : ENGINE_ROWS_DEFAULT;
    struct engine_options options = {.threads = o->threads,
                                     .n_ctx = common_context(models, o->n_ctx),
                                     .n_seq = n_texts,
                                     .max_rows = max_rows,
                                     .max_logits = n_texts};
    if (n_texts < 1 || n_texts > max_rows)
        return err_set(err, ST_ARG, "texts: expected 1 to %d, the rows of a pass, found %d",
                       max_rows, n_texts);
    TRY(face_kern(o->cpu, &options.kern, err));
    TRY(face_cache(o->cache_type, &options.cache, err));
    for (int w = 0; w < EAD_WRITERS; w++)
        if (models[w]) TRY(engine_open(models[w]->model, &options, &b->engines[w], err));
    return batch_open(b->engines[EAD_LARGE], b->engines[EAD_SMALL], o, &b->batch, err);
}

static enum status open_batch(const ead_model *const models[EAD_WRITERS], const ead_duo_options *o,
                              int n_texts, ead_batch *b, struct err *err)
{
    TRY(open_engines(models, o, n_texts, b, err));
    b->duos = calloc((size_t)n_texts, sizeof *b->duos);
    if (!b->duos) return err_memory(err, "the texts of a batch");
    for (int i = 0; i < n_texts; i++) b->duos[i] = (ead_duo){.owner = b, .text = i};
    return ST_OK;
}

ead_status ead_batch_open(const ead_model *large, const ead_model *small,
                          const ead_duo_options *options, int n_texts, ead_batch **out,
                          ead_error *error)
{
    struct err err = {0};
    const ead_model *const models[EAD_WRITERS] = {[EAD_SMALL] = small, [EAD_LARGE] = large};
    const ead_duo_options defaults = ead_duo_defaults();
    ead_batch *b = calloc(1, sizeof *b);
    enum status st = b ? open_batch(models, options ? options : &defaults, n_texts, b, &err)
                       : err_memory(&err, "a batch");
    if (st == ST_OK)
        *out = b;
    else
        ead_batch_close(b);
    return face_report(st, &err, error);
}

void ead_batch_close(ead_batch *batch)
{
    if (!batch) return;
    batch_close(batch->batch);
    for (int w = 0; w < EAD_WRITERS; w++) engine_close(batch->engines[w]);
    free(batch->duos);
    free(batch);
}

ead_duo *ead_batch_duo(ead_batch *batch, int i)
{
    return i >= 0 && i < batch->batch->n ? &batch->duos[i] : NULL;
}

ead_status ead_batch_append(ead_batch *batch, int i, const int32_t *ids, size_t n, ead_error *error)
{
    struct err err = {0};
    enum status st =
        i < 0 || i >= batch->batch->n
            ? err_set(&err, ST_ARG, "text: expected 0 to %d, found %d", batch->batch->n - 1, i)
            : duo_append(batch_duo(batch->batch, i), ids, n, &err);
    return face_report(st, &err, error);
}

ead_status ead_batch_step(ead_batch *batch, const bool *active, ead_token *tokens, ead_error *error)
{
    struct err err = {0};
    return face_report(batch_step(batch->batch, active, tokens, &err), &err, error);
}

/* ---- one text ---------------------------------------------------------------------------- */

ead_status ead_duo_open(const ead_model *large, const ead_model *small,
                        const ead_duo_options *options, ead_duo **out, ead_error *error)
{
    ead_batch *batch;
    ead_status st = ead_batch_open(large, small, options, 1, &batch, error);
    if (st != EAD_OK) return st;
    batch->is_duo = true;
    *out = &batch->duos[0];
    return EAD_OK;
}

void ead_duo_close(ead_duo *duo)
{
    if (duo && duo->owner->is_duo) ead_batch_close(duo->owner);
}

ead_status ead_duo_append(ead_duo *duo, const int32_t *ids, size_t n, ead_progress progress,
                          void *context, ead_error *error)
{
    struct err err = {0};
    enum status st = duo_append(inner(duo), ids, n, &err);
    if (st == ST_OK) st = batch_read(duo->owner->batch, duo->text, progress, context, &err);
    return face_report(st, &err, error);
}

ead_status ead_duo_step(ead_duo *duo, ead_token *out, ead_error *error)
{
    struct err err = {0};
    return face_report(batch_write(duo->owner->batch, duo->text, out, &err), &err, error);
}

void ead_duo_truncate(ead_duo *duo, size_t length)
{
    if (length < ead_duo_length(duo)) duo_truncate(inner(duo), (int)length);
}

size_t ead_duo_length(const ead_duo *duo)
{
    return (size_t)inner(duo)->n_text;
}

int ead_duo_context(const ead_duo *duo)
{
    return inner(duo)->n_ctx;
}

ead_status ead_duo_set_policy(ead_duo *duo, const ead_policy_options *policy, ead_error *error)
{
    struct err err = {0};
    return face_report(duo_set_policy(inner(duo), policy, &err), &err, error);
}

ead_status ead_duo_set_sampler(ead_duo *duo, const ead_sampler_options *sampler, ead_error *error)
{
    struct err err = {0};
    return face_report(duo_set_sampler(inner(duo), sampler, &err), &err, error);
}

void ead_duo_reset(ead_duo *duo)
{
    duo_reset(inner(duo));
}

ead_summary ead_duo_summarise(const ead_duo *duo)
{
    return duo_summarise(inner(duo));
}

static const struct engine_options *settings(const ead_duo *duo)
{
    struct engine *const *engines = duo->owner->engines;
    return engine_settings(engines[engines[EAD_SMALL] ? EAD_SMALL : EAD_LARGE]);
}

const char *ead_duo_cpu(const ead_duo *duo)
{
    return settings(duo)->kern->name;
}

int ead_duo_threads(const ead_duo *duo)
{
    return settings(duo)->threads;
}
