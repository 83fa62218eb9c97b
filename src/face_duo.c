/* The public face: two models, one text or many. Contracts are in ead.h. */
#include "face.h"

#include "decode/driver.h"
#include "engine/local.h"

#include <stdlib.h>

/* A text of a batch. */
struct ead_duo {
    ead_batch *owner;
    int text;
};

struct ead_batch {
    struct engine *engines[EAD_WRITERS];
    bool remote[EAD_WRITERS]; /* the engine is one of a model behind an API */
    struct driver *driver;
    ead_duo *duos; /* [n] */
    bool is_duo;   /* opened as one: it closes with its only text */
};

static struct duo *inner(const ead_duo *duo)
{
    return driver_duo(duo->owner->driver, duo->text);
}

ead_duo_options ead_duo_defaults(void)
{
    ead_duo_options o = {.sampler = {.top_p = 1, .repeat_penalty = 1, .repeat_last = 64}};
    policy_defaults(&o.policy);
    return o;
}

enum { CONTEXT_UNTOLD = 8192 }; /* where no model says */

/* Both engines get the context of the model trained on less, unless told otherwise. */
static int common_context(const ead_model *const models[EAD_WRITERS], int wanted)
{
    int n_ctx = wanted;
    for (int w = 0; w < EAD_WRITERS && !wanted; w++) {
        const int trained = models[w] ? ead_model_describe(models[w]).n_ctx_train : 0;
        if (trained && (!n_ctx || trained < n_ctx)) n_ctx = trained;
    }
    if (!n_ctx) n_ctx = CONTEXT_UNTOLD;
    return wanted || n_ctx < LOCAL_CTX_MAX ? n_ctx : LOCAL_CTX_MAX;
}

static enum status open_engine(const ead_model *model, const struct local_options *o,
                               struct engine **out, struct err *err)
{
    const struct remote_engine_options far = {o->n_ctx, o->n_seq, o->max_rows};
    return model->remote ? remote_engine_open(model->remote, &far, out, err)
                         : local_open(model->model, o, out, err);
}

static enum status open_engines(const ead_model *const models[EAD_WRITERS],
                                const ead_duo_options *o, int n_texts, ead_batch *b,
                                struct err *err)
{
    const int max_rows = o->max_rows ? o->max_rows : LOCAL_ROWS_DEFAULT;
    struct local_options options = {.threads = o->threads,
                                    .n_ctx = common_context(models, o->n_ctx),
                                    .n_seq = n_texts,
                                    .max_rows = max_rows,
                                    .cache_tokens = o->cache_tokens,
                                    .max_logits = n_texts};
    if (max_rows < 1 || max_rows > LOCAL_ROWS_MAX)
        return err_set(err, ST_ARG, "rows of a pass: expected 1 to %d, found %d", LOCAL_ROWS_MAX,
                       max_rows);
    if (n_texts < 1 || n_texts > max_rows)
        return err_set(err, ST_ARG, "texts: expected 1 to %d, the rows of a pass, found %d",
                       max_rows, n_texts);
    if (o->max_scores < 0 || o->max_scores > max_rows)
        return err_set(err, ST_ARG, "scores of a pass: expected 0 to %d, its rows, found %d",
                       max_rows, o->max_scores);
    options.max_logits += o->max_scores < max_rows - n_texts ? o->max_scores : max_rows - n_texts;
    if (models[EAD_LARGE] && models[EAD_SMALL]) options.max_logits = max_rows; /* to judge drafts */
    TRY(face_kern(o->cpu, &options.kern, err));
    TRY(face_cache(o->cache_type, &options.cache, err));
    for (int w = 0; w < EAD_WRITERS; w++)
        if (models[w]) TRY(open_engine(models[w], &options, &b->engines[w], err));
    return driver_open(b->engines[EAD_LARGE], b->engines[EAD_SMALL], o, n_texts, &b->driver, err);
}

static enum status open_batch(const ead_model *const models[EAD_WRITERS], const ead_duo_options *o,
                              int n_texts, ead_batch *b, struct err *err)
{
    for (int w = 0; w < EAD_WRITERS; w++) b->remote[w] = models[w] && models[w]->remote;
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
    driver_close(batch->driver);
    for (int w = 0; w < EAD_WRITERS; w++) engine_close(batch->engines[w]);
    free(batch->duos);
    free(batch);
}

ead_duo *ead_batch_duo(ead_batch *batch, int i)
{
    return i >= 0 && i < batch->driver->n ? &batch->duos[i] : NULL;
}

ead_status ead_batch_step(ead_batch *batch, const bool *active, ead_event *events, int *n,
                          ead_error *error)
{
    struct err err = {0};
    return face_report(driver_step(batch->driver, active, events, n, &err), &err, error);
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

ead_status ead_duo_append(ead_duo *duo, const int32_t *ids, size_t n, ead_error *error)
{
    struct err err = {0};
    return face_report(duo_append(inner(duo), ids, n, &err), &err, error);
}

ead_status ead_duo_read(ead_duo *duo, ead_error *error)
{
    struct err err = {0};
    return face_report(driver_read(duo->owner->driver, duo->text, &err), &err, error);
}

void ead_duo_watch(ead_duo *duo, ead_progress progress, void *context)
{
    inner(duo)->progress = progress;
    inner(duo)->progress_context = context;
}

void ead_duo_score(ead_duo *duo, int n_best, ead_score score, void *context)
{
    const bool possible = duo->owner->driver->max_scores > 0;
    score_ask(&inner(duo)->scoring, n_best, possible ? score : NULL, context);
}

void ead_duo_score_from(ead_duo *duo, size_t from)
{
    inner(duo)->scoring.next = from < INT32_MAX ? (int)from : INT32_MAX;
}

ead_status ead_duo_step(ead_duo *duo, ead_token *out, ead_error *error)
{
    struct err err = {0};
    return face_report(driver_write(duo->owner->driver, duo->text, out, &err), &err, error);
}

void ead_duo_truncate(ead_duo *duo, size_t length)
{
    if (length < (size_t)ead_duo_context(duo) + 1) duo_truncate(inner(duo), (int)length);
}

ead_status ead_duo_copy(ead_duo *to, const ead_duo *from, size_t length, ead_error *error)
{
    struct err err = {0};
    enum status st = ST_OK;
    if (to->owner != from->owner)
        st = err_set(&err, ST_ARG, "copy: expected two texts of one batch");
    else if (length > ead_duo_length(from))
        st = err_set(&err, ST_ARG, "copy: expected at most the text's %zu tokens, found %zu",
                     ead_duo_length(from), length);
    else if (to == from)
        ead_duo_truncate(to, length);
    else
        duo_copy(inner(to), inner(from), (int)length);
    return face_report(st, &err, error);
}

ead_status ead_duo_reserve(ead_duo *duo, size_t length, ead_error *error)
{
    struct err err = {0};
    return face_report(duo_reserve(inner(duo), length, &err), &err, error);
}

void ead_duo_rest(ead_duo *duo)
{
    duo_rest(inner(duo));
}

size_t ead_duo_length(const ead_duo *duo)
{
    return (size_t)inner(duo)->kept;
}

const int32_t *ead_duo_ids(const ead_duo *duo)
{
    return inner(duo)->text.ids;
}

size_t ead_duo_known(const ead_duo *duo, ead_writer reader)
{
    const struct duo *d = inner(duo);
    return d->engines[reader] ? (size_t)duo_read(d, reader) : 0;
}

bool ead_duo_token(const ead_duo *duo, size_t at, ead_token *out)
{
    return at < ead_duo_length(duo) && duo_token(inner(duo), (int)at, out);
}

int ead_duo_best(const ead_duo *duo, int n, ead_alternative *out)
{
    const struct duo *d = inner(duo);
    const struct alternatives_place *told = alternatives_at(&d->alternatives, d->told - 1);
    const bool stands = d->kept >= d->told, last = d->kept == d->text.n; /* no draft behind it */
    int held = 0;
    if (d->drawn.n && last && !(told && told->n >= n))
        return face_best(&d->drawn, n, duo->owner->driver->scratch.candidates, out);
    for (; told && stands && held < told->n && held < n; held++)
        out[held] = (ead_alternative){told->best[held].id, told->best[held].logit};
    return held;
}

void ead_duo_want_best(ead_duo *duo, int n)
{
    alternatives_want(&inner(duo)->alternatives, n);
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

/* Of an engine of this process; NULL: there is none. */
static const struct local_options *settings(const ead_duo *duo)
{
    const ead_batch *b = duo->owner;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (b->engines[w] && !b->remote[w]) return local_settings(b->engines[w]);
    return NULL;
}

const char *ead_duo_loss(const ead_duo *duo)
{
    const struct err *loss = &inner(duo)->loss;
    return loss->code != ST_OK ? loss->message : NULL;
}

ead_wire ead_duo_wire(const ead_duo *duo, ead_writer writer)
{
    const ead_batch *b = duo->owner;
    const bool remote = (unsigned)writer < EAD_WRITERS && b->remote[writer];
    return remote ? remote_engine_account(b->engines[writer]) : (ead_wire){0};
}

const char *ead_duo_cpu(const ead_duo *duo)
{
    const struct local_options *o = settings(duo);
    return o ? o->kern->name : "none";
}

int ead_duo_threads(const ead_duo *duo)
{
    const struct local_options *o = settings(duo);
    return o ? o->threads : 0;
}

size_t ead_duo_memory(const ead_duo *duo)
{
    size_t sum = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (duo->owner->engines[w]) sum += engine_memory(duo->owner->engines[w]);
    return sum;
}
