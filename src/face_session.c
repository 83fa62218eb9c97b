/* The public face: one model. Contracts are in ead.h. */
#include "face.h"

#include "engine/local.h"

#include <math.h>
#include <stdlib.h>

int face_best(const struct distribution *d, int n, struct candidate *scratch, ead_alternative *out)
{
    const int held = distribution_best(d, n < d->n ? n : d->n, scratch);
    for (int i = 0; i < held; i++) out[i] = (ead_alternative){scratch[i].id, scratch[i].logit};
    return held;
}

struct ead_session {
    struct engine *engine;
    struct row *rows;       /* [max_rows] */
    struct candidate *best; /* [n_vocab] */
};

ead_session_options ead_session_defaults(void)
{
    return (ead_session_options){.n_seq = 1, .max_rows = LOCAL_ROWS_DEFAULT, .max_logits = 1};
}

static enum status session_open(const ead_model *model, const ead_session_options *o,
                                ead_session *s, struct err *err)
{
    struct local_options inner = {.threads = o->threads,
                                  .n_ctx = o->n_ctx,
                                  .n_seq = o->n_seq,
                                  .max_rows = o->max_rows,
                                  .max_logits = o->max_logits};
    if (model->remote) return err_set(err, ST_SUPPORT, "a model behind an API has no session here");
    TRY(face_kern(o->cpu, &inner.kern, err));
    TRY(face_cache(o->cache_type, &inner.cache, err));
    TRY(local_open(model->model, &inner, &s->engine, err));
    s->rows = calloc((size_t)s->engine->info.max_rows, sizeof *s->rows);
    s->best = calloc((size_t)s->engine->info.n_vocab, sizeof *s->best);
    return s->rows && s->best ? ST_OK : err_memory(err, "the rows of a pass");
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
    free(session->best);
    free(session);
}

ead_status ead_session_eval(ead_session *session, const ead_row *rows, int n, ead_error *error)
{
    struct err err = {0};
    const int max = session->engine->info.max_rows;
    for (int i = 0; i < n && i < max; i++)
        session->rows[i] =
            (struct row){rows[i].seq, rows[i].pos, rows[i].token, rows[i].wants_logits};
    return face_report(engine_submit(session->engine, session->rows, n, &err), &err, error);
}

const float *ead_session_logits(const ead_session *session, int i)
{
    if (i < 0 || i >= local_logit_rows(session->engine)) return NULL;
    return local_logits(session->engine, i);
}

static enum status distribution(const ead_session *session, int i, struct distribution *out,
                                struct err *err)
{
    const int rows = local_logit_rows(session->engine);
    if (i < 0 || i >= rows)
        return err_set(err, ST_ARG, "logits: expected a row from 0 to %d, found %d", rows - 1, i);
    return local_distribution(session->engine, i, out, err);
}

ead_status ead_session_stats(const ead_session *session, int i, ead_stats *out, ead_error *error)
{
    struct err err = {0};
    struct distribution d;
    enum status st = distribution(session, i, &d, &err);
    if (st == ST_OK) *out = d.stats;
    return face_report(st, &err, error);
}

float ead_session_log_prob(const ead_session *session, int i, int32_t id)
{
    struct distribution d;
    return distribution(session, i, &d, NULL) == ST_OK ? distribution_log_prob(&d, id) : NAN;
}

int ead_session_best(const ead_session *session, int i, int n, ead_alternative *out)
{
    struct distribution d;
    if (distribution(session, i, &d, NULL) != ST_OK) return 0;
    return face_best(&d, n, session->best, out);
}

static bool has(const ead_session *session, int seq)
{
    return seq >= 0 && seq < session->engine->info.n_seq;
}

int ead_session_length(const ead_session *session, int seq)
{
    return has(session, seq) ? engine_length(session->engine, seq) : 0;
}

void ead_session_truncate(ead_session *session, int seq, int length)
{
    if (has(session, seq)) engine_truncate(session->engine, seq, length);
}

ead_status ead_session_copy(ead_session *session, int from, int to, int length, ead_error *error)
{
    struct err err = {0};
    enum status st = ST_OK;
    if (!has(session, from) || !has(session, to))
        st = err_set(&err, ST_ARG, "sequence: expected 0 to %d, found %d",
                     session->engine->info.n_seq - 1, has(session, from) ? to : from);
    else if (length < 0 || length > engine_length(session->engine, from))
        st = err_set(&err, ST_ARG, "length: expected 0 to %d, found %d",
                     engine_length(session->engine, from), length);
    else
        engine_copy(session->engine, from, to, length);
    return face_report(st, &err, error);
}

size_t ead_session_memory(const ead_session *session)
{
    return engine_memory(session->engine);
}

const char *ead_session_cpu(const ead_session *session)
{
    return local_settings(session->engine)->kern->name;
}

int ead_session_threads(const ead_session *session)
{
    return local_settings(session->engine)->threads;
}
