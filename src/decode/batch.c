#include "decode/batch.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- opening ----------------------------------------------------------------------------- */

static enum status check_room(const struct engine *e, struct err *err)
{
    const struct engine_options *o = engine_settings(e);
    if (o->n_seq > o->max_logits)
        return err_set(err, ST_ARG, "texts: expected at most the %d rows with logits, found %d",
                       o->max_logits, o->n_seq);
    return ST_OK;
}

static enum status check_engines(const struct engine *large, const struct engine *small,
                                 struct err *err)
{
    if (!large && !small)
        return err_set(err, ST_ARG, "expected a large or a small model, found none");
    if (large) TRY(check_room(large, err));
    if (small) TRY(check_room(small, err));
    if (!large || !small) return ST_OK;
    const struct engine_options *a = engine_settings(large), *b = engine_settings(small);
    if (a->n_ctx != b->n_ctx || a->max_rows != b->max_rows || a->n_seq != b->n_seq)
        return err_set(err, ST_ARG,
                       "both engines need the same context, rows per pass and sequences");
    int32_t same;
    return vocab_compare(engine_model(large)->vocab, engine_model(small)->vocab, &same, err);
}

static int shared_vocab(const struct engine *large, const struct engine *small)
{
    int a = large ? engine_vocab(large) : engine_vocab(small);
    int b = small ? engine_vocab(small) : a;
    return a < b ? a : b;
}

static void carve(struct batch *b)
{
    const size_t n = (size_t)b->n;
    struct batch_slot measured = {.duo.n_ctx = b->n_ctx};
    b->slots = arena_carve(&b->arena, n, sizeof *b->slots);
    b->queue = arena_carve(&b->arena, n, sizeof *b->queue);
    b->rows = arena_carve(&b->arena, (size_t)b->max_rows, sizeof *b->rows);
    b->scratch = arena_carve(&b->arena, (size_t)b->n_vocab, sizeof *b->scratch);
    for (size_t i = 0; i < n; i++) {
        struct duo *d = b->slots ? &b->slots[i].duo : &measured.duo;
        *d = (struct duo){.engines = {b->engines[0], b->engines[1]},
                          .seq = (int)i,
                          .n_ctx = b->n_ctx,
                          .n_vocab = b->n_vocab};
        duo_carve(d, &b->arena);
    }
}

static enum status fill(struct batch *b, const ead_duo_options *o, struct err *err)
{
    const struct engine *any = b->engines[b->engines[EAD_SMALL] ? EAD_SMALL : EAD_LARGE];
    const struct engine_options *settings = engine_settings(any);
    b->n = settings->n_seq;
    b->n_ctx = settings->n_ctx;
    b->max_rows = settings->max_rows;
    b->n_vocab = shared_vocab(b->engines[EAD_LARGE], b->engines[EAD_SMALL]);
    carve(b); /* measures */
    TRY(arena_commit(&b->arena, err));
    carve(b);
    for (int i = 0; i < b->n; i++) TRY(duo_init(batch_duo(b, i), o, b->scratch, err));
    return ST_OK;
}

enum status batch_open(struct engine *large, struct engine *small, const ead_duo_options *options,
                       struct batch **out, struct err *err)
{
    TRY(check_engines(large, small, err));
    struct batch *b = calloc(1, sizeof *b);
    if (!b) return err_set(err, ST_MEMORY, "cannot hold the description of a batch");
    b->engines[EAD_LARGE] = large;
    b->engines[EAD_SMALL] = small;
    enum status st = fill(b, options, err);
    if (st != ST_OK) {
        batch_close(b);
        return st;
    }
    *out = b;
    return ST_OK;
}

void batch_close(struct batch *b)
{
    if (!b) return;
    arena_deinit(&b->arena);
    free(b);
}

struct duo *batch_duo(struct batch *b, int i)
{
    return &b->slots[i].duo;
}

/* ---- a pass ------------------------------------------------------------------------------ */

static int rows_to_go(const struct batch_slot *s, ead_writer w)
{
    return s->goal - duo_read(&s->duo, w);
}

/* Queue a text that has rows to read, before those that have more: a short catch-up does not wait
 * behind a long prompt. */
static void enqueue(struct batch *b, int *n, struct batch_slot *s, ead_writer w, int goal)
{
    s->goal = goal;
    const int rows = rows_to_go(s, w);
    if (rows <= 0) return;
    int at = (*n)++;
    for (; at > 0 && rows_to_go(b->queue[at - 1], w) > rows; at--) b->queue[at] = b->queue[at - 1];
    b->queue[at] = s;
}

/* Lay the rows of n queued texts side by side: one for each, so that none is kept waiting, and what
 * room is left goes to the first in the queue. Returns how many. */
static int gather(struct batch *b, ead_writer w, int n, int most)
{
    int spare = most - n, rows = 0, logits = 0;
    for (int i = 0; i < n; i++) {
        struct batch_slot *s = b->queue[i];
        s->from = duo_read(&s->duo, w);
        s->n = duo_rows(&s->duo, w, s->goal, 1 + spare, b->rows + rows);
        spare -= s->n - 1;
        rows += s->n;
        if (b->rows[rows - 1].wants_logits) s->logits = logits++;
    }
    return rows;
}

/* The statistics of a text's next distribution, if this pass gave it one. */
static enum status look(struct batch *b, struct batch_slot *s, ead_writer w, struct err *err)
{
    const double start = clock_seconds();
    if (s->logits < 0 || s->duo.policy.writer != w) return ST_OK;
    TRY(engine_stats(b->engines[w], s->logits, &s->stats, err));
    s->duo.seconds += clock_seconds() - start;
    return ST_OK;
}

/* One pass of a model over the rows of n queued texts, its time shared by rows. */
static enum status pass(struct batch *b, ead_writer w, int n, int most, struct err *err)
{
    if (!n) return ST_OK;
    const int rows = gather(b, w, n, most);
    const double start = clock_seconds();
    TRY(engine_eval(b->engines[w], b->rows, rows, err));
    const double seconds = (clock_seconds() - start) / rows;
    for (int i = 0; i < n; i++) {
        struct batch_slot *s = b->queue[i];
        duo_account(&s->duo, w, s->from, s->n, s->goal, seconds * s->n);
    }
    for (int i = 0; i < n; i++) TRY(look(b, b->queue[i], w, err));
    return ST_OK;
}

static void write_token(struct batch *b, struct batch_slot *s, ead_token *out)
{
    const double start = clock_seconds();
    const struct engine *e = b->engines[s->duo.policy.writer];
    duo_write(&s->duo, engine_logits(e, s->logits), &s->stats, out);
    out->seconds = s->duo.seconds + (clock_seconds() - start);
    s->duo.seconds = 0;
}

/* ---- all texts --------------------------------------------------------------------------- */

static enum status prepare(struct batch *b, const bool *active, struct err *err)
{
    for (int i = 0; i < b->n; i++) {
        b->slots[i].logits = -1;
        if (!active[i]) continue;
        char name[32];
        snprintf(name, sizeof name, "text %d", i);
        enum status st = duo_prepare(batch_duo(b, i), err);
        if (st != ST_OK) return err_prefix(err, st, name);
    }
    return ST_OK;
}

enum status batch_step(struct batch *b, const bool *active, ead_token *tokens, struct err *err)
{
    TRY(prepare(b, active, err));
    for (int w = 0; w < EAD_WRITERS; w++) {
        int n = 0;
        for (int i = 0; i < b->n && b->engines[w]; i++)
            if (active[i])
                enqueue(b, &n, &b->slots[i], (ead_writer)w,
                        duo_goal(batch_duo(b, i), (ead_writer)w));
        TRY(pass(b, (ead_writer)w, n, b->max_rows, err));
    }
    for (int i = 0; i < b->n; i++) {
        tokens[i] = (ead_token){.id = BATCH_NO_TOKEN};
        if (active[i] && b->slots[i].logits >= 0) write_token(b, &b->slots[i], &tokens[i]);
    }
    return ST_OK;
}

/* ---- one text ---------------------------------------------------------------------------- */

/* Read on to `goal`, in as many passes as it takes. Passes that were done when a later one is
 * cancelled stay done. */
static enum status read_alone(struct batch *b, struct batch_slot *s, ead_writer w, int goal,
                              struct err *err)
{
    const bool watched = s->progress && b->max_rows > BATCH_POLL_ROWS;
    const int most = watched ? BATCH_POLL_ROWS : b->max_rows;
    const int begin = duo_read(&s->duo, w), total = goal - begin;
    for (int at = begin; at < goal; at = duo_read(&s->duo, w)) {
        int n = 0;
        enqueue(b, &n, s, w, goal);
        TRY(pass(b, w, n, most, err));
        if (s->progress && total > most &&
            !s->progress(s->progress_context, w, duo_read(&s->duo, w) - begin, total))
            return err_set(err, ST_CANCELLED, "stopped while reading the prompt");
    }
    return ST_OK;
}

enum status batch_read(struct batch *b, int i, ead_progress progress, void *context,
                       struct err *err)
{
    struct batch_slot *s = &b->slots[i];
    const ead_writer first = s->duo.policy.writer;
    const ead_writer second = first == EAD_LARGE ? EAD_SMALL : EAD_LARGE;
    s->progress = progress;
    s->progress_context = context;
    s->logits = -1;
    TRY(read_alone(b, s, first, s->duo.n_text - 1, err));
    if (b->engines[second]) TRY(read_alone(b, s, second, s->duo.eager_end, err));
    s->duo.seconds = 0; /* a token's time begins when its prompt has been read */
    return ST_OK;
}

enum status batch_write(struct batch *b, int i, ead_token *out, struct err *err)
{
    struct batch_slot *s = &b->slots[i];
    s->logits = -1;
    TRY(duo_prepare(&s->duo, err));
    TRY(read_alone(b, s, s->duo.policy.writer, s->duo.n_text, err));
    write_token(b, s, out);
    return ST_OK;
}
