#include "remote/stream.h"

#include "base/check.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stream_carve(struct stream *s, struct arena *arena, int top)
{
    s->held = arena_carve(arena, WIRE_HELD_MAX, sizeof *s->held);
    s->tops = arena_carve(arena, WIRE_HELD_MAX * (size_t)top, sizeof *s->tops);
}

static const char *name_of(const struct stream *s)
{
    return s->wire->address->url;
}

/* ---- what comes -------------------------------------------------------------------------- */

/* A whole answer counts when it has been read to its end; until then a stream's tokens do. */
static bool is_one_answer(const struct stream *s)
{
    return s->probing || s->judging;
}

/* What is known of a token that a probe brought: the server was made to write another. */
static int32_t most_probable(const struct stream *s, const struct remote_token *t)
{
    const bool greedy = !s->sampler || s->sampler->temperature == 0;
    return greedy ? t->dist.stats.argmax : -1;
}

static void note_time(struct stream *s)
{
    const double now = clock_seconds();
    double *seconds =
        s->waiting ? &s->wire->account.waiting_seconds : &s->wire->account.writing_seconds;
    *seconds += now - s->begun;
    s->begun = now;
    s->waiting = false;
    s->deadline = now + s->wire->patience.between;
}

static bool take_token(void *context, const struct remote_token *t)
{
    struct stream *s = context;
    struct wire *w = s->wire;
    if (s->n_held == s->asked) return false;
    struct held *h = &s->held[s->n_held];
    *h = (struct held){.id = t->id,
                       .log_prob = t->log_prob,
                       .stats = t->dist.stats,
                       .n_top = t->dist.n_top < w->top ? t->dist.n_top : w->top,
                       .also = {t->id, t->log_prob, t->rank}};
    if (s->probing) {
        h->id = most_probable(s, t);
        h->log_prob = h->n_top ? t->dist.top[0].logit : NAN;
    }
    if (h->n_top)
        memcpy(s->tops + (size_t)s->n_held * (size_t)w->top, t->dist.top,
               (size_t)h->n_top * sizeof *s->tops);
    note_time(s);
    s->n_held++;
    if (s->judging) return true; /* it counts when all of it has come */
    s->attempts = 0;
    w->account.received++;
    if (h->id < 0) s->asked = s->n_held; /* nothing can follow before somebody draws */
    return true;
}

static bool take_bytes(void *context, const char *bytes, size_t n)
{
    struct stream *s = context;
    /* Of what is behind a lost token nothing is of use; what is behind the last event keeps the
     * connection. */
    return reader_feed(&s->reader, bytes, n, &s->fault) == ST_OK && !s->reader.enough &&
           !s->reader.n_lost;
}

/* ---- asking ------------------------------------------------------------------------------ */

static void stop_reading(struct stream *s)
{
    struct reader *r = &s->reader;
    if (!s->reading) return;
    if (r->prompt_tokens > 0) s->wire->account.prompt_tokens += r->prompt_tokens;
    if (r->cached_tokens > 0) s->wire->account.cached_tokens += r->cached_tokens;
    reader_deinit(r);
    s->reading = false;
}

/* Where a server draws by the text's own sampler and tells exact statistics, nobody needs more of
 * what it writes. */
static int top_of(const struct stream *s)
{
    const bool enough = s->sampler && s->wire->address->dialect->exact && !s->judging && !s->looked_at;
    return enough ? 0 : s->wire->top;
}

/* Tokens that are to be written behind those that are known. */
static int to_write(const struct stream *s)
{
    return s->probing ? 1 : s->asked - (s->judging ? s->given : s->n_held);
}

static void start_reading(struct stream *s)
{
    struct wire *w = s->wire;
    s->top = top_of(s);
    s->reader = (struct reader){.dialect = w->address->dialect,
                                .pieces = w->pieces,
                                .n_vocab = w->server.n_vocab,
                                .top = s->top,
                                .max_tokens = to_write(s) ? to_write(s) : 1,
                                .given = s->ids + s->base,
                                .n_given = s->given,
                                .take = take_token,
                                .context = s};
    reader_init(&s->reader);
    s->reading = true;
}

/* It broke: try again after a pause, unless that is no use or was tried often enough. Where all
 * that was asked for has come, nothing is missing. */
static void broke(struct stream *s, bool mendable, long after_ms)
{
    if (stream_is_whole(s)) {
        s->state = STREAM_IDLE;
        return;
    }
    const double pause = wire_pause(s->wire, s->attempts++, after_ms);
    s->state = mendable && pause >= 0 ? STREAM_PAUSING : STREAM_FAILED;
    if (s->state == STREAM_FAILED) return;
    s->wire->account.retries++;
    s->deadline = clock_seconds() + pause;
}

static void ask(struct stream *s);
static void is_over(void *context, const struct answer *a);

/* Ask for the distribution behind what is held alone. */
static void probe(struct stream *s)
{
    s->probing = true;
    ask(s);
}

/* The text as far as it is known. Returns how long it is. */
static int lay_out(const struct stream *s, int32_t *out)
{
    const size_t n = (size_t)s->base + (size_t)s->given;
    memcpy(out, s->ids, n * sizeof *out);
    for (int i = s->given; i < s->n_held; i++) out[s->base + i] = s->held[i].id;
    return s->base + (s->n_held > s->given ? s->n_held : s->given);
}

/* Bytes of an answer that tells of a whole prompt, as some do: each place's most probable tokens,
 * with their texts. */
static size_t body_max(const struct stream *s)
{
    enum { ENTRY = 256, LEAST = 1 << 20 };
    const size_t all = LEAST + (size_t)(s->base + s->asked) * (size_t)(s->top + 2) * ENTRY;
    return all < ANSWER_BODY_MAX ? all : ANSWER_BODY_MAX;
}

static enum status send(struct stream *s)
{
    struct wire *w = s->wire;
    const int n = lay_out(s, w->scratch);
    wire_name(w, s->id);
    static const ead_sampler_options greedy = {.top_p = 1, .repeat_penalty = 1};
    const struct want want = {.ids = w->scratch,
                              .n = n,
                              .given = s->given,
                              .max_tokens = to_write(s),
                              .top = s->top,
                              .sampler = s->sampler ? s->sampler : &greedy,
                              .request_id = s->id,
                              .stream = !is_one_answer(s),
                              .force = s->probing ? w->harmless : -1};
    struct post post = {0};
    const struct receiver r = {.context = s, .take = take_bytes, .over = is_over};
    TRY(w->address->dialect->ask(&w->server, &want, &post, &s->fault));
    const struct wire_manner how = {.streams = want.stream,
                                    .body_max = is_one_answer(s) ? body_max(s) : 0};
    return wire_start(w, &post, &how, &r, &s->body, &s->transfer, &s->fault);
}

static void ask(struct stream *s)
{
    if (s->judging) s->n_held = 0; /* anew: half of an answer is none */
    start_reading(s);
    s->finish = FINISH_NONE;
    s->begun = clock_seconds();
    s->waiting = true;
    s->deadline = s->begun + s->wire->patience.first;
    s->state = STREAM_OPEN;
    const enum status st = send(s);
    if (st == ST_OK) return;
    s->fault.code = st;
    stop_reading(s);
    s->state = STREAM_FAILED;
}

/* ---- how a request ends ------------------------------------------------------------------ */

/* An answer in the form that was wanted came to its end. */
static enum status finish_reading(struct stream *s, const struct answer *a)
{
    struct reader *r = &s->reader;
    if (r->failed != ST_OK) return r->failed; /* s->fault says why */
    if (is_one_answer(s))
        TRY(reader_whole(r, a->body->data ? a->body->data : "", a->body->len, &s->fault));
    else
        TRY(reader_end(r, &s->fault));
    if (r->finish != FINISH_ABORT) return ST_OK;
    return err_set(&s->fault, ST_IO, "the server gave the request up");
}

/* What the reader says does not name the server. */
static void name_fault(struct stream *s)
{
    char said[sizeof s->fault.message];
    snprintf(said, sizeof said, "%s", s->fault.message);
    (void)err_set(&s->fault, s->fault.code, "%s: %.900s", name_of(s), said);
}

/* What came of a request. A connection that breaks behind the server's word that it is done has
 * broken nothing. *mendable, where it is not ST_OK: may another try bring more? */
static enum status judge(struct stream *s, const struct answer *a, bool *mendable)
{
    const struct reader *r = &s->reader;
    const bool done = r->failed == ST_OK && r->finish != FINISH_NONE;
    enum status st = ST_OK;
    *mendable = true;
    if (a->code != ST_OK && !done) {
        *mendable = wire_may_pass(a);
        return err_set(&s->fault, a->code, "%s", a->why);
    }
    if (a->code == ST_OK && r->failed == ST_OK)
        st = answer_check(a, name_of(s),
                          is_one_answer(s) ? "application/json" : "text/event-stream", &s->fault);
    if (st != ST_OK) {
        *mendable = wire_may_pass(a) || a->status == 200;
        return st;
    }
    if (a->cut && is_one_answer(s)) {
        *mendable = false;
        return err_set(&s->fault, ST_IO,
                       "%s: an answer of more than %zu bytes; ask for fewer log-probabilities "
                       "(--top-logprobs)",
                       name_of(s), body_max(s));
    }
    if ((st = finish_reading(s, a)) != ST_OK) name_fault(s);
    return st;
}

/* What came of given tokens counts from now on; or does not. */
static void settle(struct stream *s, enum status st)
{
    if (st != ST_OK) s->n_held = 0;
    if (st != ST_OK) return;
    s->wire->account.judged += s->given;
    s->wire->account.received += s->n_held - s->given;
}

static void is_over(void *context, const struct answer *a)
{
    struct stream *s = context;
    bool mendable;
    s->transfer = NULL;
    free(s->body);
    s->body = NULL;
    const enum status st = judge(s, a, &mendable);
    const bool lost = s->reader.n_lost > 0 && !s->probing, probed = s->probing;
    if (st != ST_OK) s->fault.code = st;
    if (s->judging) settle(s, st);
    s->finish = s->reader.finish;
    stop_reading(s);
    s->probing = false;
    if (lost && s->n_held < s->asked)
        probe(s);
    else if (st != ST_OK)
        broke(s, mendable, a->retry_after_ms);
    else if (probed && s->n_held < s->asked)
        ask(s);
    else
        s->state = STREAM_IDLE;
}

/* ---- from outside ------------------------------------------------------------------------ */

static void hang_up(struct stream *s)
{
    if (!s->transfer) return;
    transfer_cancel(s->transfer);
    s->transfer = NULL;
    free(s->body);
    s->body = NULL;
    stop_reading(s);
    wire_abort(s->wire, s->id);
}

bool stream_is_whole(const struct stream *s)
{
    return s->n_held == s->asked;
}

/* All tokens have come, and what ends the answer may be here, too: read to its end, it leaves its
 * connection for the next request, and its account. */
static void take_end(struct stream *s)
{
    enum { TURNS = 4 };
    for (int i = 0; i < TURNS && s->transfer && stream_is_whole(s); i++)
        (void)transport_turn(s->wire->transport, 0);
}

void stream_stop(struct stream *s)
{
    take_end(s);
    const bool open = s->transfer != NULL;
    hang_up(s);
    if (open) wire_warm(s->wire);
    const int used = s->n_used > s->given ? s->n_used : s->given; /* given tokens are not written */
    if (s->n_held > used) s->wire->account.discarded += s->n_held - used;
    s->base = s->n_held = s->n_used = s->given = s->asked = 0;
    s->judging = false;
    s->state = STREAM_IDLE;
    s->finish = FINISH_NONE;
    s->probing = false;
}

static void begin(struct stream *s, const int32_t *ids, int n, int count,
                  const ead_sampler_options *sampler)
{
    CHECK(n > 0 && count > 0);
    s->ids = ids;
    s->base = n;
    s->asked = count < WIRE_HELD_MAX ? count : WIRE_HELD_MAX;
    s->sampler = sampler;
    s->attempts = 0;
    ask(s);
}

void stream_ask(struct stream *s, const int32_t *ids, int n, int count,
                const ead_sampler_options *sampler)
{
    stream_stop(s);
    begin(s, ids, n, count, sampler);
}

void stream_judge(struct stream *s, const int32_t *ids, int n, int given, int count,
                  const ead_sampler_options *sampler)
{
    CHECK(given >= 0 && count >= 0 && given + count <= WIRE_HELD_MAX);
    stream_stop(s);
    s->judging = true;
    s->given = given;
    begin(s, ids, n, given + count, sampler);
}

bool stream_tells(const struct stream *s)
{
    return s->top > 0;
}

void stream_tick(struct stream *s, double now)
{
    if (s->state == STREAM_OPEN && s->waiting && !transfer_is_sent(s->transfer)) {
        s->begun = now; /* its turn has not come: nothing is waited for yet */
        s->deadline = now + s->wire->patience.first;
    }
    if (now < s->deadline) return;
    if (s->state == STREAM_PAUSING) {
        ask(s);
    } else if (s->state == STREAM_OPEN && stream_is_whole(s)) {
        hang_up(s); /* nobody misses what is still to come */
        s->state = STREAM_IDLE;
    } else if (s->state == STREAM_OPEN) {
        const struct patience *p = &s->wire->patience;
        const bool first = s->waiting;
        hang_up(s);
        s->fault.code = err_set(&s->fault, ST_IO, "%s: no %s for %g s", name_of(s),
                                first ? "token" : "further token", first ? p->first : p->between);
        broke(s, true, 0);
    }
}

const struct held *stream_token(struct stream *s, int i)
{
    if (i >= s->n_held || (s->judging && s->state != STREAM_IDLE)) return NULL;
    if (s->n_used <= i) s->n_used = i + 1;
    return &s->held[i];
}

const struct candidate *stream_top(const struct stream *s, int i)
{
    return s->tops + (size_t)i * (size_t)s->wire->top;
}
