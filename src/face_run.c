/* The public face: sessions and duos. Contracts are in ead.h. */
#include "face.h"

#include "decode/duo.h"
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
    TRY(engine_open(model->model, &inner, &s->engine, err));
    s->rows = calloc((size_t)engine_settings(s->engine)->max_rows, sizeof *s->rows);
    return s->rows ? ST_OK : err_set(err, ST_MEMORY, "cannot hold the rows of a pass");
}

ead_status ead_session_open(const ead_model *model, const ead_session_options *options,
                            ead_session **out, ead_error *error)
{
    struct err err = {0};
    const ead_session_options defaults = ead_session_defaults();
    ead_session *s = calloc(1, sizeof *s);
    enum status st = s ? session_open(model, options ? options : &defaults, s, &err)
                       : err_set(&err, ST_MEMORY, "cannot hold the session's description");
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

struct ead_duo {
    struct engine *engines[EAD_WRITERS];
    struct duo *duo;
};

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

static enum status open_all(const ead_model *const models[EAD_WRITERS], const ead_duo_options *o,
                            ead_duo *d, struct err *err)
{
    struct engine_options inner = {
        .threads = o->threads, .n_ctx = common_context(models, o->n_ctx), .max_rows = o->max_rows};
    TRY(face_kern(o->cpu, &inner.kern, err));
    for (int w = 0; w < EAD_WRITERS; w++)
        if (models[w]) TRY(engine_open(models[w]->model, &inner, &d->engines[w], err));
    return duo_open(d->engines[EAD_LARGE], d->engines[EAD_SMALL], o, &d->duo, err);
}

ead_status ead_duo_open(const ead_model *large, const ead_model *small,
                        const ead_duo_options *options, ead_duo **out, ead_error *error)
{
    struct err err = {0};
    const ead_model *const models[EAD_WRITERS] = {[EAD_SMALL] = small, [EAD_LARGE] = large};
    const ead_duo_options defaults = ead_duo_defaults();
    ead_duo *d = calloc(1, sizeof *d);
    enum status st = d ? open_all(models, options ? options : &defaults, d, &err)
                       : err_set(&err, ST_MEMORY, "cannot hold the session's description");
    if (st == ST_OK)
        *out = d;
    else
        ead_duo_close(d);
    return face_report(st, &err, error);
}

void ead_duo_close(ead_duo *duo)
{
    if (!duo) return;
    duo_close(duo->duo);
    for (int w = 0; w < EAD_WRITERS; w++) engine_close(duo->engines[w]);
    free(duo);
}

ead_status ead_duo_append(ead_duo *duo, const int32_t *ids, size_t n, ead_progress progress,
                          void *context, ead_error *error)
{
    struct err err = {0};
    duo->duo->progress = progress;
    duo->duo->progress_context = context;
    return face_report(duo_append(duo->duo, ids, n, &err), &err, error);
}

ead_status ead_duo_step(ead_duo *duo, ead_token *out, ead_error *error)
{
    struct err err = {0};
    return face_report(duo_step(duo->duo, out, &err), &err, error);
}

void ead_duo_truncate(ead_duo *duo, size_t length)
{
    if (length < (size_t)duo->duo->n_text) duo_truncate(duo->duo, (int)length);
}

size_t ead_duo_length(const ead_duo *duo)
{
    return (size_t)duo->duo->n_text;
}

int ead_duo_context(const ead_duo *duo)
{
    return duo->duo->n_ctx;
}

ead_status ead_duo_set_policy(ead_duo *duo, const ead_policy_options *policy, ead_error *error)
{
    struct err err = {0};
    return face_report(duo_set_policy(duo->duo, policy, &err), &err, error);
}

ead_summary ead_duo_summarise(const ead_duo *duo)
{
    return duo_summarise(duo->duo);
}

static const struct engine_options *duo_settings(const ead_duo *duo)
{
    return engine_settings(duo->engines[EAD_SMALL] ? duo->engines[EAD_SMALL]
                                                   : duo->engines[EAD_LARGE]);
}

const char *ead_duo_cpu(const ead_duo *duo)
{
    return duo_settings(duo)->kern->name;
}

int ead_duo_threads(const ead_duo *duo)
{
    return duo_settings(duo)->threads;
}
