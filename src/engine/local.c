#include "engine/local.h"

#include "base/check.h"
#include "model/forward.h"

#include <stdlib.h>

struct local {
    struct engine engine; /* first: an engine is one of these */
    const struct model *model;
    struct local_options options;
    struct arena arena; /* owns the cache, the scratch and all that follows */
    struct kv kv;
    struct forward forward;
    float *logits;      /* [max_logits][rows of the output] */
    struct row *wanted; /* [max_logits]: rows of the last pass that wanted them */
    int *expected;      /* [n_seq] scratch: the position that a sequence's next row must have */
    struct kv_growth *growth; /* [max_rows] scratch */
    int n_logits;             /* of the last pass */
    int most_logits;          /* of any pass: as many were ever written */
    int n_collected;          /* of those */
    struct err not_finite;    /* what is said of broken weights */
};

static struct local *local_of(struct engine *e)
{
    return (struct local *)e;
}

static const struct local *local_in(const struct engine *e)
{
    return (const struct local *)e;
}

/* ---- opening ----------------------------------------------------------------------------- */

static enum status check_range(const char *name, int value, int max, struct err *err)
{
    if (value < 1 || value > max)
        return err_set(err, ST_ARG, "%s: expected 1 to %d, found %d", name, max, value);
    return ST_OK;
}

static enum status settle_options(const struct model *m, struct local_options *o, struct err *err)
{
    if (!o->kern) o->kern = kern_best();
    if (!o->threads) o->threads = team_default_threads();
    if (!o->n_ctx)
        o->n_ctx = m->config.n_ctx_train < LOCAL_CTX_MAX ? m->config.n_ctx_train : LOCAL_CTX_MAX;
    if (!o->n_seq) o->n_seq = 1;
    if (!o->max_rows) o->max_rows = LOCAL_ROWS_DEFAULT;
    if (!o->max_logits) o->max_logits = 1;
    TRY(check_range("threads", o->threads, TEAM_THREADS_MAX, err));
    TRY(check_range("context", o->n_ctx, LOCAL_CTX_MAX, err));
    if (o->cache_tokens < 0)
        return err_set(err, ST_ARG, "cache: expected 0 or more tokens, found %d", o->cache_tokens);
    TRY(check_range("sequences", o->n_seq, 1 << 16, err));
    TRY(check_range("rows of a pass", o->max_rows, LOCAL_ROWS_MAX, err));
    return check_range("rows with logits", o->max_logits, o->max_rows, err);
}

static void carve(struct local *e)
{
    const struct local_options *o = &e->options;
    kv_carve(&e->kv, &e->arena, &e->model->config, o->cache, o->n_seq, o->n_ctx, o->cache_tokens);
    forward_carve(&e->forward, &e->arena);
    e->logits = arena_carve(&e->arena, (size_t)o->max_logits * (size_t)e->model->weights.n_logits,
                            sizeof *e->logits);
    e->wanted = arena_carve(&e->arena, (size_t)o->max_logits, sizeof *e->wanted);
    e->expected = arena_carve(&e->arena, (size_t)o->n_seq, sizeof *e->expected);
    e->growth = arena_carve(&e->arena, (size_t)o->max_rows, sizeof *e->growth);
}

static const struct engine_ops ops;

static void describe(struct local *e)
{
    const struct model *m = e->model;
    e->engine = (struct engine){.ops = &ops,
                                .info = {.name = gguf_path(m->gguf),
                                         .vocab = m->vocab,
                                         .n_vocab = model_n_vocab(m),
                                         .n_active = m->weights.n_active,
                                         .n_ctx = e->options.n_ctx,
                                         .n_seq = e->options.n_seq,
                                         .max_rows = e->options.max_rows,
                                         .max_logits = e->options.max_logits,
                                         .judges = e->options.max_logits == e->options.max_rows}};
    e->forward = (struct forward){.config = &m->config,
                                  .weights = &m->weights,
                                  .kern = e->options.kern,
                                  .kv = &e->kv,
                                  .max_rows = e->options.max_rows};
    (void)err_set(&e->not_finite, ST_FORMAT,
                  "%s: the logits are not finite; the weights are damaged", e->engine.info.name);
}

enum status local_open(const struct model *model, const struct local_options *options,
                       struct engine **out, struct err *err)
{
    if (!model->has_weights) return err_set(err, ST_ARG, "the model was opened without weights");
    struct local_options o = options ? *options : (struct local_options){0};
    TRY(settle_options(model, &o, err));
    struct local *e = calloc(1, sizeof *e);
    if (!e) return err_memory(err, "an engine");
    e->model = model;
    e->options = o;
    describe(e);
    team_init(&e->forward.team, o.threads);
    carve(e); /* measures */
    enum status st = arena_commit(&e->arena, err);
    if (st != ST_OK) {
        engine_close(&e->engine);
        return st;
    }
    carve(e);
    CHECK(!e->arena.overflow && e->arena.used == e->arena.capacity);
    *out = &e->engine;
    return ST_OK;
}

static void local_close(struct engine *engine)
{
    struct local *e = local_of(engine);
    team_deinit(&e->forward.team);
    arena_deinit(&e->arena);
    free(e);
}

/* ---- a pass ------------------------------------------------------------------------------ */

/* Rows of a sequence stand at its length, one behind the other. */
static enum status check_rows(const struct local *e, const struct row *rows, int n, struct err *err)
{
    int wanted = 0;
    TRY(check_range("rows", n, e->options.max_rows, err));
    for (int i = 0; i < n; i++)
        if (rows[i].seq >= 0 && rows[i].seq < e->options.n_seq)
            e->expected[rows[i].seq] = e->kv.length[rows[i].seq];
    for (int i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        if (r->seq < 0 || r->seq >= e->options.n_seq)
            return err_set(err, ST_ARG, "row %d: sequence: expected 0 to %d, found %d", i,
                           e->options.n_seq - 1, r->seq);
        const int pos = e->expected[r->seq]++;
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

/* Is there room in the cache for rows that have been checked? */
static enum status check_cache(const struct local *e, const struct row *rows, int n,
                               struct err *err)
{
    int grow = 0;
    for (int i = 0; i < n; i++)
        if (rows[i].pos + 1 == e->expected[rows[i].seq]) /* the last of its sequence */
            e->growth[grow++] = (struct kv_growth){rows[i].seq, rows[i].pos + 1};
    const int missing = kv_missing(&e->kv, e->growth, grow);
    if (!missing) return ST_OK;
    return err_set(err, ST_MEMORY,
                   "%s: the cache of %d tokens has no room for %d rows: %d pages of %d tokens are "
                   "free and promised to no text, and %d more are needed",
                   e->engine.info.name, e->kv.n_pages * KERN_TILE, n, kv_spare(&e->kv), KERN_TILE,
                   missing);
}

static enum status local_submit(struct engine *engine, const struct row *rows, int n,
                                struct err *err)
{
    struct local *e = local_of(engine);
    TRY(check_rows(e, rows, n, err));
    TRY(check_cache(e, rows, n, err));
    e->n_logits = e->n_collected = 0;
    for (int i = 0; i < n; i++)
        if (rows[i].wants_logits) e->wanted[e->n_logits++] = rows[i];
    if (e->most_logits < e->n_logits) e->most_logits = e->n_logits;
    forward_eval(&e->forward, rows, n, e->logits);
    return ST_OK;
}

int local_logit_rows(const struct engine *e)
{
    return local_in(e)->n_logits;
}

const float *local_logits(const struct engine *e, int i)
{
    const struct local *l = local_in(e);
    CHECK(i >= 0 && i < l->options.max_logits);
    return l->logits + (size_t)i * (size_t)l->model->weights.n_logits;
}

enum status local_distribution(const struct engine *e, int i, struct distribution *out,
                               struct err *err)
{
    const struct local *l = local_in(e);
    if (distribution_dense(out, l->options.kern, local_logits(e, i), e->info.n_vocab)) return ST_OK;
    return err_set(err, ST_FORMAT, "%s", l->not_finite.message);
}

static bool local_collect(struct engine *engine, bool wait, struct result *out)
{
    (void)wait; /* a pass is over when it has been submitted */
    struct local *e = local_of(engine);
    while (e->n_collected < e->n_logits && e->wanted[e->n_collected].seq < 0) e->n_collected++;
    if (e->n_collected == e->n_logits) return false;
    const int i = e->n_collected++;
    *out = (struct result){
        .seq = e->wanted[i].seq, .pos = e->wanted[i].pos, .drawn = -1, .log_prob = NAN};
    out->status = local_distribution(engine, i, &out->dist, NULL);
    out->message = e->not_finite.message;
    return true;
}

/* No result is to come for positions of a sequence from `length` on. */
static void forget(struct local *e, int seq, int length)
{
    for (int i = e->n_collected; i < e->n_logits; i++)
        if (e->wanted[i].seq == seq && e->wanted[i].pos >= length) e->wanted[i].seq = -1;
}

/* ---- sequences --------------------------------------------------------------------------- */

static int local_length(const struct engine *e, int seq)
{
    CHECK(seq >= 0 && seq < e->info.n_seq);
    return local_in(e)->kv.length[seq];
}

static void local_truncate(struct engine *e, int seq, int length)
{
    CHECK(seq >= 0 && seq < e->info.n_seq);
    kv_truncate(&local_of(e)->kv, seq, length < 0 ? 0 : length);
    forget(local_of(e), seq, length);
}

static void local_copy(struct engine *e, int from, int to, int length)
{
    CHECK(length >= 0 && length <= local_length(e, from));
    kv_copy(&local_of(e)->kv, from, to, length);
    forget(local_of(e), to, from == to ? length : 0);
}

static enum status local_reserve(struct engine *engine, int seq, int length, struct err *err)
{
    struct local *e = local_of(engine);
    CHECK(seq >= 0 && seq < engine->info.n_seq);
    if (length < 0 || length > e->options.n_ctx)
        return err_set(err, ST_ARG, "length: expected 0 to %d, found %d", e->options.n_ctx, length);
    if (kv_reserve(&e->kv, seq, length)) return ST_OK;
    return err_set(err, ST_MEMORY,
                   "%s: the cache of %d tokens cannot promise room for %d: it holds %d pages of %d "
                   "tokens, and %d are free and promised to no text",
                   engine->info.name, e->kv.n_pages * KERN_TILE, length, kv_pages_held(&e->kv),
                   KERN_TILE, kv_spare(&e->kv));
}

/* ---- what it is -------------------------------------------------------------------------- */

const struct local_options *local_settings(const struct engine *e)
{
    return &local_in(e)->options;
}

size_t local_bytes(const struct engine *e)
{
    return local_in(e)->arena.capacity;
}

/* Pages that were never taken and logits that were never wanted are mapped, and cost nothing. */
static size_t local_memory(const struct engine *engine)
{
    const struct local *e = local_in(engine);
    const size_t untouched = (size_t)(e->kv.n_pages - e->kv.n_touched);
    const size_t unwanted = (size_t)(e->options.max_logits - e->most_logits);
    return e->arena.capacity - untouched * kv_page_bytes(&e->kv) -
           unwanted * (size_t)e->model->weights.n_logits * sizeof *e->logits;
}

static const struct engine_ops ops = {.close = local_close,
                                      .submit = local_submit,
                                      .collect = local_collect,
                                      .length = local_length,
                                      .truncate = local_truncate,
                                      .copy = local_copy,
                                      .reserve = local_reserve,
                                      .memory = local_memory};
