#include "remote/reader.h"

#include "remote/dialect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As vLLM writes ln 0; what others write is below it. */
static const float impossible = -9999;

/* Log-probabilities are rounded, and so may be a little above that of certainty. */
static const float rounding = 1e-3f;

/* Bytes that one most probable token takes in JSON, at most: its id or text, its bytes, ln p. */
enum { ENTRY_BYTES = 256, EVENT_BYTES_MAX = 256 << 20 };

/* An event may tell all tokens of an answer again (SGLang), each with its most probable ones. */
static size_t event_bytes(const struct reader *r)
{
    const size_t tokens = r->max_tokens > 8 ? (size_t)r->max_tokens : 8;
    const size_t entries = r->top > 0 ? (size_t)r->top + 1 : 1;
    if (entries > EVENT_BYTES_MAX / ENTRY_BYTES / tokens) return EVENT_BYTES_MAX;
    const size_t all = tokens * entries * ENTRY_BYTES;
    return all > SSE_MAX_DEFAULT ? all : SSE_MAX_DEFAULT;
}

void reader_init(struct reader *r)
{
    *r = (struct reader){.dialect = r->dialect,
                         .pieces = r->pieces,
                         .n_vocab = r->n_vocab,
                         .top = r->top,
                         .max_tokens = r->max_tokens,
                         .given = r->given,
                         .n_given = r->n_given,
                         .take = r->take,
                         .context = r->context,
                         .sse = {.max = event_bytes(r)},
                         .cached_tokens = -1,
                         .prompt_tokens = -1};
}

void reader_deinit(struct reader *r)
{
    sse_deinit(&r->sse);
    free(r->found);
    free(r->seen);
    r->found = NULL;
    r->seen = NULL;
    r->n_found = r->n_found_max = 0;
}

bool reader_rests(const struct reader *r)
{
    return r->over || r->enough || r->n_lost || r->failed;
}

/* ---- a token ------------------------------------------------------------------------------- */

static enum status check_id(const struct reader *r, int32_t id, struct err *err)
{
    if (id >= 0 && id < r->n_vocab) return ST_OK;
    return err_set(err, ST_FORMAT, "token %d: expected ids below %d, found %d", r->n, r->n_vocab,
                   (int)id);
}

static enum status check_log_prob(const struct reader *r, float log_prob, struct err *err)
{
    if (log_prob <= rounding) return ST_OK;
    return err_set(err, ST_FORMAT, "token %d: expected log-probabilities of at most 0, found %g",
                   r->n, (double)log_prob);
}

/* NaN stays what it is: not known. */
static float settle(float log_prob)
{
    if (isnan(log_prob)) return NAN;
    return log_prob <= impossible ? -INFINITY : fminf(log_prob, 0);
}

static enum status make_room(struct reader *r, struct err *err)
{
    const size_t words = ((size_t)r->n_vocab + 63) / 64;
    if (!r->seen) r->seen = calloc(words, sizeof *r->seen);
    if (r->seen && r->n_found < r->n_found_max) return ST_OK;
    const int room = r->n_found_max ? 2 * r->n_found_max : 32;
    void *more = r->seen ? realloc(r->found, (size_t)room * sizeof *r->found) : NULL;
    if (!more) return err_memory(err, "the most probable tokens of an answer");
    r->found = more;
    r->n_found_max = room;
    return ST_OK;
}

/* Mark an id; false when it was. */
static bool mark(struct reader *r, int32_t id)
{
    const uint64_t bit = UINT64_C(1) << (id & 63);
    const bool fresh = !(r->seen[id >> 6] & bit);
    r->seen[id >> 6] |= bit;
    return fresh;
}

enum status reader_found(struct reader *r, int32_t id, float log_prob, struct err *err)
{
    if (r->top == r->n_vocab && id >= r->n_vocab) return ST_OK;
    TRY(check_id(r, id, err));
    TRY(check_log_prob(r, log_prob, err));
    TRY(make_room(r, err));
    if (!mark(r, id))
        return err_set(err, ST_FORMAT, "token %d: %d is twice among the most probable", r->n,
                       (int)id);
    r->found[r->n_found++] = (struct candidate){settle(log_prob), id};
    return ST_OK;
}

static void forget_found(struct reader *r)
{
    for (int i = 0; i < r->n_found; i++) r->seen[r->found[i].id >> 6] = 0;
    r->n_found = 0;
}

/* Those found that can be and were asked for, in their order. */
static int sort_found(struct reader *r)
{
    int n = r->n_found < r->top ? r->n_found : r->top;
    candidates_sort(r->found, r->n_found);
    while (n && r->found[n - 1].logit == -INFINITY) n--;
    return n;
}

static void hand_out(struct reader *r, struct remote_token *t)
{
    t->rank = r->rank;
    r->rank = 0;
    r->n++;
    r->enough = !r->take(r->context, t);
    forget_found(r);
}

int32_t reader_given(const struct reader *r)
{
    return r->n < r->n_given ? r->given[r->n] : -1;
}

int reader_written(const struct reader *r)
{
    return r->n > r->n_given ? r->n - r->n_given : 0;
}

void reader_rank(struct reader *r, int rank)
{
    r->rank = rank > 0 ? rank : 0;
}

static enum status check_token(const struct reader *r, int32_t id, float log_prob, struct err *err)
{
    TRY(check_id(r, id, err));
    if (!isnan(log_prob)) TRY(check_log_prob(r, log_prob, err));
    const int32_t given = reader_given(r);
    if (given >= 0 && given != id)
        return err_set(err, ST_FORMAT, "token %d: %d was given, and %d is told of", r->n,
                       (int)given, (int)id);
    if (r->finish) return err_set(err, ST_FORMAT, "token %d: it comes behind the end", r->n);
    if (r->max_tokens && reader_written(r) >= r->max_tokens)
        return err_set(err, ST_FORMAT, "expected at most %d tokens, found more", r->max_tokens);
    return ST_OK;
}

/* The distribution that what was found leaves open. */
static enum status judge_found(struct reader *r, struct distribution *out, struct err *err)
{
    if (r->n_found < r->top)
        return err_set(err, ST_FORMAT,
                       "token %d: expected %d most probable tokens, found %d: two that have one "
                       "text, or a server's own limit",
                       r->n, r->top, r->n_found);
    if (distribution_top(out, r->found, sort_found(r), r->n_vocab)) return ST_OK;
    return err_set(err, ST_FORMAT,
                   "token %d: the probabilities of the %d most probable tokens are "
                   "none of a distribution over %d",
                   r->n, r->top, r->n_vocab);
}

enum status reader_token(struct reader *r, int32_t id, float log_prob, struct err *err)
{
    const ead_stats unknown = {.entropy = NAN,
                               .entropy_lo = NAN,
                               .entropy_hi = NAN,
                               .max_prob = NAN,
                               .margin = NAN,
                               .argmax = -1};
    struct remote_token t = {
        .id = id, .log_prob = settle(log_prob), .dist = {.n = r->n_vocab, .stats = unknown}};
    if (r->enough) return ST_OK;
    TRY(check_token(r, id, log_prob, err));
    if (r->top > 0) TRY(judge_found(r, &t.dist, err));
    hand_out(r, &t);
    return ST_OK;
}

/* NaN: not told, by a peer whose own server does not. */
static bool is_share(float x)
{
    return isnan(x) || (x >= 0 && x <= 1 + rounding);
}

/* False for NaN as well. */
static bool are_stats(const struct reader *r, const ead_stats *s)
{
    const float most = log2f((float)r->n_vocab) + rounding;
    return s->entropy >= 0 && s->entropy <= most && s->entropy_lo <= s->entropy &&
           s->entropy <= s->entropy_hi && s->entropy_hi <= most && is_share(s->max_prob) &&
           is_share(s->margin) && s->argmax >= 0 && s->argmax < r->n_vocab;
}

enum status reader_exact(struct reader *r, int32_t id, float log_prob, const ead_stats *stats,
                         struct err *err)
{
    struct remote_token t = {
        .id = id, .log_prob = settle(log_prob), .dist = {.n = r->n_vocab, .stats = *stats}};
    if (r->enough) return ST_OK;
    TRY(check_token(r, id, log_prob, err));
    if (!are_stats(r, stats))
        return err_set(err, ST_FORMAT,
                       "token %d: its statistics are none of a distribution over %d", r->n,
                       r->n_vocab);
    t.dist.n_top = sort_found(r);
    t.dist.top = r->found;
    hand_out(r, &t);
    return ST_OK;
}

/* ---- an answer ----------------------------------------------------------------------------- */

static enum status fail(struct reader *r, enum status st)
{
    return r->failed = st;
}

static enum status read_value(struct reader *r, const json_t *value, bool whole, struct err *err)
{
    const char *said = dialect_error(value);
    if (said) return err_set(err, ST_IO, "the server says: %.300s", said);
    if (!json_is_object(value)) return err_set(err, ST_FORMAT, "the answer is no object of JSON");
    return r->dialect->read(r, value, whole, err);
}

static enum status read_text(struct reader *r, const char *text, size_t n, bool whole,
                             struct err *err)
{
    json_error_t bad = {0};
    json_t *value = json_loadb(text, n, JSON_ALLOW_NUL, &bad);
    if (!value && json_error_code(&bad) == json_error_out_of_memory)
        return fail(r, err_memory(err, "an answer's JSON"));
    if (!value) return fail(r, err_set(err, ST_FORMAT, "the answer is no JSON: %s", bad.text));
    const enum status st = read_value(r, value, whole, err);
    json_decref(value);
    return fail(r, st);
}

static enum status refuse_more(const struct reader *r, struct err *err)
{
    return err_set(err, r->failed, "the answer could not be read further up to here");
}

enum status reader_feed(struct reader *r, const char *bytes, size_t n, struct err *err)
{
    if (r->failed) return refuse_more(r, err);
    while (!reader_rests(r)) {
        struct sse_event event;
        const enum status st = sse_next(&r->sse, &bytes, &n, &event, err);
        if (st) return fail(r, st);
        if (!event.data) break;
        if (sse_is_done(&event))
            r->over = true;
        else
            TRY(read_text(r, event.data, event.n, false, err));
    }
    return ST_OK;
}

enum status reader_end(struct reader *r, struct err *err)
{
    if (r->failed) return refuse_more(r, err);
    if (r->enough) return ST_OK;
    if (r->n < r->n_given)
        return fail(r, err_set(err, ST_FORMAT, "the server was given %d tokens and told of %d",
                               r->n_given, r->n));
    if (r->n_lost)
        return fail(r,
                    err_set(err, ST_FORMAT, "the server did not tell of %d tokens behind token %d",
                            r->n_lost, r->n));
    if (r->finish) return ST_OK;
    return fail(r, err_set(err, ST_IO, "the answer broke off behind token %d", r->n));
}

enum status reader_whole(struct reader *r, const char *bytes, size_t n, struct err *err)
{
    if (r->failed) return refuse_more(r, err);
    TRY(read_text(r, bytes, n, true, err));
    r->over = true;
    return reader_end(r, err);
}
