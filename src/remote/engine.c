/* The engine of a model behind an API: the text's ids, and a stream for each text. */
#include "base/check.h"
#include "base/clock.h"
#include "remote/inside.h"
#include "remote/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 5 }; /* not longer: another engine may have news meanwhile */

struct sequence {
    int32_t *ids; /* [n_ctx + 1] */
    bool *wants;  /* [n_ctx]: what follows this row is wanted, from `wanted` to `last` */
    int n;
    int32_t end;   /* the text's last token, which is judged and is no row; -1: none */
    int wanted;    /* the first position whose successor is still wanted; -1: none */
    int last;      /* the last one */
    int sure;      /* tokens that are certain to be wanted */
    bool short_of; /* the answer before ended early: the server's context may be full */
    bool tops;     /* statistics alone will not do */
    bool draws;    /* the server draws, by: */
    ead_sampler_options sampler;
    struct stream stream;
    bool streams; /* the stream goes on with this text */
};

struct remote_engine {
    struct engine engine;
    struct arena arena;
    const struct remote *remote; /* borrowed */
    struct wire wire;
    struct sequence *seqs; /* [n_seq] */
    int next;              /* the sequence that is looked at first */
    struct candidate end;  /* what a server that does not tell how it ended is taken to mean */
};

static struct remote_engine *remote_of(struct engine *e)
{
    return (struct remote_engine *)((char *)e - offsetof(struct remote_engine, engine));
}

static const struct remote_engine *remote_in(const struct engine *e)
{
    return (const struct remote_engine *)((const char *)e - offsetof(struct remote_engine, engine));
}

/* ---- opening ----------------------------------------------------------------------------- */

static const struct engine_ops ops;

static void carve(struct remote_engine *e)
{
    const struct engine_info *info = &e->engine.info;
    const size_t n_seq = (size_t)info->n_seq, n_ctx = (size_t)info->n_ctx;
    struct stream measured = {0};
    e->seqs = arena_carve(&e->arena, n_seq, sizeof *e->seqs);
    e->wire.scratch = arena_carve(&e->arena, n_ctx + WIRE_HELD_MAX, sizeof *e->wire.scratch);
    for (size_t i = 0; i < n_seq; i++) {
        int32_t *ids = arena_carve(&e->arena, n_ctx + 1, sizeof *ids);
        bool *wants = arena_carve(&e->arena, n_ctx, sizeof *wants);
        struct stream *s = e->seqs ? &e->seqs[i].stream : &measured;
        if (e->seqs)
            e->seqs[i] =
                (struct sequence){.ids = ids, .wants = wants, .end = -1, .wanted = -1, .sure = 1};
        stream_carve(s, &e->arena, e->wire.top);
        s->wire = &e->wire;
    }
}

static const char *why_mute(const struct remote *r)
{
    if (r->judges) return NULL;
    const char *why = r->address.dialect->mute;
    return why ? why : "the server was asked what it thinks of a given token and does not tell";
}

/* Rows of a pass that may want logits. */
static int logits_max(const struct remote *r, const struct remote_engine_options *o)
{
    return r->judges ? o->max_rows : o->n_seq;
}

/* Of a distribution, tokens that are told; 0: all. */
static int n_told(const struct remote *r)
{
    const bool all = r->options.top >= r->n_vocab && !r->address.dialect->exact;
    return all ? 0 : r->options.top;
}

static void describe(struct remote_engine *e, const struct remote_engine_options *o)
{
    const struct remote *r = e->remote;
    e->engine = (struct engine){.ops = &ops,
                                .info = {.name = r->address.url,
                                         .vocab = r->vocab,
                                         .n_vocab = r->n_vocab,
                                         .n_active = r->options.n_active,
                                         .n_ctx = o->n_ctx,
                                         .n_seq = o->n_seq,
                                         .max_rows = o->max_rows,
                                         .max_logits = logits_max(r, o),
                                         .late = true,
                                         .judges = r->judges,
                                         .mute = why_mute(r),
                                         .n_told = n_told(r)}};
    e->wire = (struct wire){.address = &r->address,
                            .server = r->server,
                            .pieces = r->pieces,
                            .patience = r->options.patience,
                            .top = r->options.top,
                            .bounded = r->transport_options.connections > 0,
                            .harmless = r->harmless};
}

/* The first turn is to find a connection: the probe's, or one that is opened meanwhile. */
static enum status connect_wire(struct wire *w, struct remote *r, struct err *err)
{
    w->transport = atomic_exchange(&r->probed, NULL);
    if (w->transport) {
        w->before = transport_account(w->transport);
        return ST_OK;
    }
    TRY(transport_open(&r->transport_options, &w->transport, err));
    wire_warm(w);
    return ST_OK;
}

enum status remote_engine_open(struct remote *r, const struct remote_engine_options *o,
                               struct engine **out, struct err *err)
{
    if (r->limit && o->n_ctx >= r->limit)
        return err_set(err, ST_ARG, "%s: context: expected at most %d tokens, found %d",
                       r->address.url, r->limit - 1, o->n_ctx);
    struct remote_engine *e = calloc(1, sizeof *e);
    if (!e) return err_memory(err, "an engine");
    e->remote = r;
    describe(e, o);
    carve(e); /* measures */
    enum status st = arena_commit(&e->arena, err);
    if (st == ST_OK) carve(e);
    if (st == ST_OK) st = connect_wire(&e->wire, r, err);
    if (st == ST_OK)
        *out = &e->engine;
    else
        engine_close(&e->engine);
    return st;
}

static void let_go(struct sequence *q)
{
    if (q->streams) stream_stop(&q->stream);
    q->streams = false;
}

static void remote_engine_close(struct engine *engine)
{
    struct remote_engine *e = remote_of(engine);
    for (int i = 0; i < engine->info.n_seq && e->seqs; i++) let_go(&e->seqs[i]);
    wire_deinit(&e->wire);
    arena_deinit(&e->arena);
    free(e);
}

ead_wire remote_engine_account(const struct engine *e)
{
    return wire_account(&remote_in(e)->wire);
}

/* ---- rows -------------------------------------------------------------------------------- */

static enum status check_row(const struct remote_engine *e, const struct row *r, int i,
                             struct err *err)
{
    const struct engine_info *info = &e->engine.info;
    if (r->seq < 0 || r->seq >= info->n_seq)
        return err_set(err, ST_ARG, "row %d: sequence: expected 0 to %d, found %d", i,
                       info->n_seq - 1, r->seq);
    if (r->pos >= info->n_ctx)
        return err_set(err, ST_FULL, "the context of %d tokens is full", info->n_ctx);
    if (r->token < 0 || r->token >= info->n_vocab)
        return err_set(err, ST_ARG, "row %d: token: expected 0 to %d, found %d", i,
                       info->n_vocab - 1, r->token);
    return ST_OK;
}

/* A token was written: is it the one that the stream goes on with? Where the server drew none, any
 * is, but it goes on with none. */
static void follow(struct sequence *q, int pos, int32_t token)
{
    if (!q->streams || pos < q->stream.base) return;
    const int i = pos - q->stream.base;
    const struct held *h = i < q->stream.n_held ? &q->stream.held[i] : NULL;
    if (!h || h->id != token) let_go(q);
}

/* A row behind one that wants what follows it: that one is judged, by more than statistics. */
static void expect_judging(const struct remote_engine *e, struct sequence *q)
{
    if (q->wanted < 0) return;
    CHECK(e->remote->judges);
    if (q->streams && !stream_tells(&q->stream)) let_go(q);
}

static void add_row(struct remote_engine *e, const struct row *r)
{
    struct sequence *q = &e->seqs[r->seq];
    CHECK(r->pos == q->n); /* in order */
    follow(q, r->pos, r->token);
    expect_judging(e, q);
    q->ids[q->n] = r->token;
    q->wants[q->n++] = r->wants_logits;
    if (!r->wants_logits) return;
    if (q->wanted < 0) q->wanted = r->pos;
    q->last = r->pos;
}

static enum status remote_submit(struct engine *engine, const struct row *rows, int n,
                                 struct err *err)
{
    struct remote_engine *e = remote_of(engine);
    if (n < 1 || n > engine->info.max_rows)
        return err_set(err, ST_ARG, "rows: expected 1 to %d, found %d", engine->info.max_rows, n);
    for (int i = 0; i < n; i++) TRY(check_row(e, &rows[i], i, err));
    for (int i = 0; i < n; i++) CHECK(e->seqs[rows[i].seq].wanted < 0); /* one after the other */
    for (int i = 0; i < n; i++) add_row(e, &rows[i]);
    return ST_OK;
}

/* ---- results ----------------------------------------------------------------------------- */

/* How many tokens to ask for: those that are certain, so that the stream ends by itself and its
 * connection stays; or some, where each may be the last. */
static int tokens_to_ask(const struct sequence *q)
{
    return q->sure > 1 ? q->sure : WIRE_AHEAD;
}

/* Tokens behind the first row wanted, which are to be judged, as many as a request takes: rows, and
 * the one that ends the text, where the server has room for one more. */
static int given_behind(const struct remote_engine *e, const struct sequence *q)
{
    const int limit = e->remote->limit;
    const bool ends = q->end >= 0 && q->last == q->n - 1 && (!limit || q->n + 1 < limit);
    const int n = q->n - (q->wanted + 1) + ends;
    return n < WIRE_HELD_MAX ? n : WIRE_HELD_MAX - 1;
}

static void begin_judging(struct sequence *q, int given, const ead_sampler_options *sampler)
{
    const int base = q->wanted + 1;
    const bool writes = base + given == q->n && q->last == q->n - 1;
    if (q->end >= 0) q->ids[q->n] = q->end;
    stream_judge(&q->stream, q->ids, base, given, writes, sampler);
}

/* Does the stream tell too little for what is wanted of it? */
static bool is_meagre(const struct sequence *q)
{
    return q->streams && (q->tops || q->end >= 0) && !stream_tells(&q->stream);
}

static void begin(struct remote_engine *e, struct sequence *q)
{
    const int limit = e->remote->limit, n_ctx = e->engine.info.n_ctx;
    /* A text may be one longer than the context. */
    const int most = limit && limit < n_ctx + 1 ? limit : n_ctx + 1;
    const int room = most - (q->wanted + 1), count = tokens_to_ask(q);
    const ead_sampler_options *sampler = q->draws ? &q->sampler : NULL;
    const int given = given_behind(e, q);
    q->stream.looked_at = q->tops;
    if (given || q->end >= 0)
        begin_judging(q, given, sampler);
    else
        stream_ask(&q->stream, q->ids, q->wanted + 1, count < room ? count : room, sampler);
    q->streams = true;
}

/* The server stopped before the token that is wanted. Its text may have ended without a word: then
 * that is the end's token, with nothing known about its probability. */
static bool ended_silently(const struct remote_engine *e, const struct stream *s)
{
    if (s->finish != FINISH_STOP) return false;
    return s->n_held <= s->given || !vocab_is_eog(e->engine.info.vocab, s->held[s->n_held - 1].id);
}

static void fill_end(struct remote_engine *e, struct result *out)
{
    const int n = e->engine.info.n_vocab;
    const int32_t id = e->remote->end;
    e->end = (struct candidate){0, id};
    out->drawn = id;
    out->dist = (struct distribution){.n = n, .top = &e->end, .n_top = 1};
    out->dist.stats = (ead_stats){.entropy = log2f((float)n) / 2,
                                  .entropy_hi = log2f((float)n),
                                  .max_prob = NAN,
                                  .margin = NAN,
                                  .argmax = id};
}

static void fill(const struct remote_engine *e, struct sequence *q, int i, const struct held *h,
                 struct result *out)
{
    const bool given = i < q->stream.given; /* the server wrote none there */
    out->drawn = q->draws && !given ? h->id : -1;
    out->log_prob = h->log_prob;
    out->dist = (struct distribution){.n = e->engine.info.n_vocab,
                                      .top = stream_top(&q->stream, i),
                                      .n_top = h->n_top,
                                      .also = given ? &h->also : NULL,
                                      .stats = h->stats};
}

/* The next row of which something is wanted, or none. */
static void go_on(struct sequence *q)
{
    do q->wanted++;
    while (q->wanted <= q->last && !q->wants[q->wanted]);
    if (q->wanted > q->last) q->wanted = -1;
}

static bool fail(struct sequence *q, enum status code, const char *message, struct result *out)
{
    out->status = code;
    out->message = message;
    q->wanted = -1;
    return true;
}

static bool tell_full(const struct remote_engine *e, struct sequence *q, struct result *out)
{
    struct stream *s = &q->stream;
    q->streams = false;
    (void)err_set(&s->fault, ST_FULL, "%s: the server's context is full after %d tokens",
                  e->engine.info.name, s->base + s->n_held);
    return fail(q, ST_FULL, s->fault.message, out);
}

static bool tell_end(struct remote_engine *e, struct sequence *q, struct result *out)
{
    if (e->remote->end < 0) {
        (void)err_set(&q->stream.fault, ST_SUPPORT,
                      "%s: the text ended by a token that is not known", e->engine.info.name);
        return fail(q, ST_SUPPORT, q->stream.fault.message, out);
    }
    fill_end(e, out);
    q->wanted = -1;
    return true;
}

/* The stream has said all it will. True: *out is a result. An answer that ends early may have met a
 * server's own bound on answers, or the end of its context: the next one tells. */
static bool at_its_end(struct remote_engine *e, struct sequence *q, struct result *out)
{
    struct stream *s = &q->stream;
    if (s->state == STREAM_FAILED) {
        if (q->short_of && s->fault.code == ST_ARG) return tell_full(e, q, out);
        q->streams = false;
        return fail(q, s->fault.code, s->fault.message, out);
    }
    if (ended_silently(e, s)) return tell_end(e, q, out);
    const bool early = s->finish == FINISH_LENGTH && s->n_held < s->asked;
    if (early && s->waiting) return tell_full(e, q, out);
    q->short_of = early;
    begin(e, q);
    return false;
}

/* Is what follows the wanted row of a sequence there? */
static bool look(struct remote_engine *e, int seq, struct result *out)
{
    struct sequence *q = &e->seqs[seq];
    struct stream *s = &q->stream;
    if (q->wanted < 0) return false;
    if (is_meagre(q)) let_go(q);
    if (!q->streams) begin(e, q);
    *out = (struct result){.seq = seq, .pos = q->wanted, .drawn = -1, .log_prob = NAN};
    const int i = q->wanted + 1 - s->base;
    const struct held *h = stream_token(s, i);
    if (!h) {
        const bool over = s->state == STREAM_IDLE || s->state == STREAM_FAILED;
        return over && at_its_end(e, q, out);
    }
    fill(e, q, i, h, out);
    q->short_of = false;
    go_on(q);
    return true;
}

static bool look_around(struct remote_engine *e, struct result *out)
{
    const int n = e->engine.info.n_seq;
    for (int k = 0; k < n; k++) {
        const int seq = (e->next + k) % n;
        if (!look(e, seq, out)) continue;
        e->next = (seq + 1) % n;
        return true;
    }
    return false;
}

/* All that is wanted waits for the time of another try, of which no connection tells. */
static bool all_pause(const struct remote_engine *e)
{
    for (int i = 0; i < e->engine.info.n_seq; i++)
        if (e->seqs[i].wanted >= 0 && e->seqs[i].stream.state != STREAM_PAUSING) return false;
    return true;
}

static bool remote_collect(struct engine *engine, bool wait, struct result *out)
{
    struct remote_engine *e = remote_of(engine);
    if (look_around(e, out)) return true;
    const int under_way = transport_turn(e->wire.transport, wait ? WAIT_MS : 0);
    const double now = clock_seconds();
    for (int i = 0; i < engine->info.n_seq; i++)
        if (e->seqs[i].streams) stream_tick(&e->seqs[i].stream, now);
    if (look_around(e, out)) return true;
    if (wait && !under_way && all_pause(e))
        nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
    return false;
}

/* ---- sequences --------------------------------------------------------------------------- */

static int remote_length(const struct engine *e, int seq)
{
    CHECK(seq >= 0 && seq < e->info.n_seq);
    return remote_in(e)->seqs[seq].n;
}

static void remote_truncate(struct engine *engine, int seq, int length)
{
    struct sequence *q = &remote_of(engine)->seqs[seq];
    CHECK(seq >= 0 && seq < engine->info.n_seq);
    if (length < 0) length = 0;
    if (length >= q->n) return;
    const bool judging = q->streams && q->stream.judging && q->wanted >= 0;
    q->n = length;
    if (q->wanted >= length) q->wanted = -1;
    while (q->wanted >= 0 && (q->last >= length || !q->wants[q->last])) q->last--;
    if (length < q->stream.base || judging) let_go(q);
}

static void remote_copy(struct engine *engine, int from, int to, int length)
{
    struct remote_engine *e = remote_of(engine);
    CHECK(length >= 0 && length <= remote_length(engine, from));
    if (from == to) {
        remote_truncate(engine, to, length);
        return;
    }
    remote_truncate(engine, to, 0);
    memcpy(e->seqs[to].ids, e->seqs[from].ids, (size_t)length * sizeof *e->seqs[to].ids);
    e->seqs[to].n = length;
}

static enum status remote_reserve(struct engine *engine, int seq, int length, struct err *err)
{
    CHECK(seq >= 0 && seq < engine->info.n_seq);
    if (length >= 0 && length <= engine->info.n_ctx) return ST_OK;
    return err_set(err, ST_ARG, "length: expected 0 to %d, found %d", engine->info.n_ctx, length);
}

static size_t remote_memory(const struct engine *e)
{
    return remote_in(e)->arena.capacity;
}

static bool draws_alike(const ead_sampler_options *a, const ead_sampler_options *b)
{
    return a->temperature == b->temperature && a->top_k == b->top_k && a->top_p == b->top_p &&
           a->min_p == b->min_p && a->seed == b->seed;
}

/* It writes what nobody waits for, and more than is there. */
static bool runs_ahead(const struct sequence *q)
{
    return q->wanted < 0 && q->stream.state != STREAM_IDLE && !stream_is_whole(&q->stream);
}

/* Where the text goes on without this engine, or draws otherwise, what it writes ahead is of no
 * use. */
static void remote_expect(struct engine *engine, int seq, const struct outlook *o)
{
    struct remote_engine *e = remote_of(engine);
    struct sequence *q = &e->seqs[seq];
    const bool draws = o->sampler && (o->sampler->temperature == 0 || e->remote->raw);
    const bool alike = draws == q->draws && (!draws || draws_alike(o->sampler, &q->sampler));
    q->sure = o->sure;
    q->end = o->end ? *o->end : -1;
    q->tops = o->tops;
    q->draws = draws;
    if (draws) q->sampler = *o->sampler;
    if (!alike || (!o->sure && runs_ahead(q))) let_go(q);
}

static const struct engine_ops ops = {.close = remote_engine_close,
                                      .submit = remote_submit,
                                      .collect = remote_collect,
                                      .length = remote_length,
                                      .truncate = remote_truncate,
                                      .copy = remote_copy,
                                      .reserve = remote_reserve,
                                      .memory = remote_memory,
                                      .expect = remote_expect};
