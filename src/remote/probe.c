#include "remote/probe.h"

#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server that is asked, one thing after the other. */
struct probe {
    struct remote *r;
    struct wire wire;
    struct answer answer;
};

static void note(struct remote *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct remote *r, const char *format, ...)
{
    va_list args;
    if (r->n_notes == REMOTE_NOTES_MAX) return;
    va_start(args, format);
    vsnprintf(r->notes[r->n_notes++], REMOTE_NOTE_MAX, format, args);
    va_end(args);
}

/* ---- one question ------------------------------------------------------------------------ */

static bool in_time(void *context)
{
    const double *deadline = context;
    return clock_seconds() < *deadline;
}

/* One try. ST_IO after the time that a first token may take. */
static enum status try_once(struct probe *p, const struct request *q, struct err *err)
{
    const double patience = p->wire.patience.first;
    double deadline = clock_seconds() + patience;
    const enum status st =
        transport_wait(p->wire.transport, q, NULL, in_time, &deadline, &p->answer, err);
    if (st != ST_CANCELLED) return st;
    p->answer = (struct answer){.code = ST_IO};
    return err_set(err, ST_IO, "%s: no answer for %g s", p->r->address.url, patience);
}

static void pause_for(double seconds)
{
    const struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))};
    nanosleep(&t, NULL);
}

/* An answer that says that all is well, and is no JSON: it broke. */
static bool is_garbage(const struct answer *a)
{
    if (a->code != ST_OK || a->status != 200) return false;
    json_t *json =
        a->body->data ? json_loadb(a->body->data, a->body->len, JSON_DECODE_ANY, NULL) : NULL;
    json_decref(json);
    return !json;
}

/* ST_OK for an answer of any status; what may pass is tried again. */
static enum status fetch(struct probe *p, struct post *post, struct err *err)
{
    char url[WIRE_URL_MAX];
    char *body;
    struct request q;
    TRY(wire_request(&p->wire, post, url, &body, &q, err));
    q.body_max = 16 << 20;
    enum status st = try_once(p, &q, err);
    for (int tried = 0; wire_may_pass(&p->answer) || is_garbage(&p->answer); tried++) {
        const double pause = wire_pause(&p->wire, tried, p->answer.retry_after_ms);
        if (pause < 0) break;
        pause_for(pause);
        st = try_once(p, &q, err);
    }
    free(body);
    return st;
}

/* The JSON of an answer of status 200. */
static enum status fetch_json(struct probe *p, struct post *post, json_t **out, struct err *err)
{
    TRY(fetch(p, post, err));
    TRY(answer_check(&p->answer, p->r->address.url, "application/json", err));
    *out = json_loadb(p->answer.body->data, p->answer.body->len, JSON_DECODE_ANY, NULL);
    return *out ? ST_OK : err_set(err, ST_FORMAT, "%s: the answer is no JSON", p->r->address.url);
}

/* ---- models ------------------------------------------------------------------------------ */

static void list_names(const json_t *data, char *out, size_t room)
{
    out[0] = 0;
    for (size_t i = 0; i < json_array_size(data) && i < 8; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(data, i), "id"));
        const size_t n = strlen(out);
        snprintf(out + n, room - n, "%s%.60s", i ? ", " : "", id ? id : "?");
    }
}

static enum status choose_model(struct remote *r, const json_t *answer, struct err *err)
{
    const json_t *data = json_object_get(answer, "data");
    const size_t n = json_array_size(data);
    char names[600];
    list_names(data, names, sizeof names);
    snprintf(r->model, sizeof r->model, "%s", r->address.model);
    for (size_t i = 0; i < n; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(data, i), "id"));
        if (!id || (r->address.model[0] && strcmp(id, r->address.model))) continue;
        if (!r->address.model[0] && n > 1)
            return err_set(err, ST_ARG, "%s: put the model's name behind #; it has %s",
                           r->address.url, names);
        snprintf(r->model, sizeof r->model, "%s", id);
        return ST_OK;
    }
    if (!n) return ST_OK; /* it does not say; whoever asks for the wrong one will hear of it */
    return err_set(err, ST_ARG, "%s: no model %s there; it has %s", r->address.url,
                   r->address.model, names);
}

static enum status find_model(struct probe *p, struct err *err)
{
    struct remote *r = p->r;
    struct post post = {.path = r->address.dialect->models};
    json_t *answer;
    snprintf(r->model, sizeof r->model, "%s", r->address.model);
    r->server = (struct server){.model = r->model, .n_vocab = r->n_vocab};
    if (!post.path) return ST_OK;
    TRY(fetch_json(p, &post, &answer, err));
    const enum status st = choose_model(r, answer, err);
    json_decref(answer);
    return st;
}

static enum status find_context(struct probe *p, struct err *err)
{
    const struct dialect *d = p->r->address.dialect;
    struct post post = {.path = d->context};
    json_t *answer;
    if (!post.path) return ST_OK;
    TRY(fetch_json(p, &post, &answer, err));
    const int told = d->read_context(answer, p->r->model);
    /* Ours tell what follows a full context; with others the last token is the last. */
    p->r->limit = told > 0 ? told + d->exact : 0;
    json_decref(answer);
    return ST_OK;
}

/* ---- vocabulary -------------------------------------------------------------------------- */

static const char *const samples[] = {
    "The quick brown fox jumps over the lazy dog.",
    " 12 + 345 = 6,789.01; f(x) = x^2 - 3x\n\n\tindented",
    "na\xc3\xafve caf\xc3\xa9 \xe2\x82\xac 100 \xe4\xb8\xad\xe6\x96\x87 \xd0\xbf\xd1\x80\xd0\xb8",
    "def main(argv):\n    return {\"a\": [1, 2], 'b': None}  # don't",
};

static bool same_ids(const json_t *found, const struct ids *own)
{
    if (json_array_size(found) != own->n) return false;
    for (size_t i = 0; i < own->n; i++) {
        const json_t *id = json_array_get(found, i);
        if (!json_is_integer(id) || json_integer_value(id) != own->id[i]) return false;
    }
    return true;
}

static enum status compare_ids(struct probe *p, const char *text, struct err *err)
{
    const struct dialect *d = p->r->address.dialect;
    struct ids own = {0};
    struct post post = {0};
    json_t *answer = NULL;
    enum status st = vocab_encode(p->r->vocab, text, strlen(text), 0, &own, err);
    if (st == ST_OK) st = d->tokenize(&p->r->server, text, &post, err);
    if (st == ST_OK) st = fetch_json(p, &post, &answer, err);
    if (st == ST_OK) {
        json_t *found = d->read_ids(answer);
        if (!same_ids(found, &own))
            st = err_set(err, ST_ARG,
                         "%s: its vocabulary is another: it cuts \"%.40s\" into %zu tokens, and "
                         "the file at hand into %zu, or into others",
                         p->r->address.url, text, json_array_size(found), own.n);
        json_decref(found);
    }
    json_decref(answer);
    ids_deinit(&own);
    return st;
}

/* A token whose text is whole characters that stand anywhere. */
static bool is_plain(const struct vocab *v, int32_t id)
{
    size_t n;
    const char *text = vocab_piece(v, id, &n);
    if (vocab_kind(v, id) != VOCAB_NORMAL || !n) return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x21 || text[i] > 0x7e) return false;
    return true;
}

enum { SAMPLE_IDS = 48 };

/* Ids from all over the vocabulary. */
static int choose_ids(const struct remote *r, int32_t *ids)
{
    int n = 0;
    for (int i = 0; i < SAMPLE_IDS * 8 && n < SAMPLE_IDS; i++) {
        const int32_t id = (int32_t)((int64_t)i * 7919 * 31 % r->n_vocab);
        if (is_plain(r->vocab, id)) ids[n++] = id;
    }
    return n;
}

static enum status compare_text(struct probe *p, struct err *err)
{
    const struct dialect *d = p->r->address.dialect;
    int32_t ids[SAMPLE_IDS];
    const int n = choose_ids(p->r, ids);
    struct buf own = {0};
    struct post post = {0};
    json_t *answer = NULL;
    if (!n) return ST_OK;
    enum status st = ST_OK;
    for (int i = 0; i < n && st == ST_OK; i++) {
        size_t length;
        const char *text = vocab_piece(p->r->vocab, ids[i], &length);
        st = buf_add(&own, text, length) ? err_memory(err, "a text") : ST_OK;
    }
    if (st == ST_OK) st = d->detokenize(&p->r->server, ids, n, &post, err);
    if (st == ST_OK) st = fetch_json(p, &post, &answer, err);
    if (st == ST_OK) {
        const char *found = d->read_text(answer);
        while (found && *found == ' ') found++; /* a tokenizer's own */
        if (!found || strcmp(found, own.data))
            st =
                err_set(err, ST_ARG,
                        "%s: its vocabulary is another: tokens %d, %d, ... mean \"%.40s\" there, "
                        "and \"%.40s\" in the file at hand",
                        p->r->address.url, ids[0], ids[n > 1], found ? found : "nothing", own.data);
    }
    json_decref(answer);
    buf_deinit(&own);
    return st;
}

/* A server without a tokenizer to ask is believed, with a note. */
static enum status compare_vocabulary(struct probe *p, struct err *err)
{
    const struct dialect *d = p->r->address.dialect;
    if (!d->tokenize || !d->detokenize) {
        note(p->r,
             "%s cannot be asked what its tokens mean; they are taken to be those of the "
             "file at hand",
             p->r->address.url);
        return ST_OK;
    }
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        TRY(compare_ids(p, samples[i], err));
    return compare_text(p, err);
}

/* ---- log-probabilities ------------------------------------------------------------------- */

struct first {
    bool there;
    ead_stats stats;
};

static bool take_first(void *context, const struct remote_token *t)
{
    struct first *f = context;
    *f = (struct first){true, t->dist.stats};
    return false;
}

/* What is asked of a short prefix: its first token, with `top` alternatives. */
struct question {
    int top, given; /* given: what it thinks of so many tokens before it, 1 at most */
    float temperature;
};

static enum status first_token(struct probe *p, const struct question *q, struct first *out,
                               struct err *err)
{
    struct remote *r = p->r;
    char id[WIRE_ID_MAX];
    int32_t ids[2] = {r->harmless, r->harmless};
    const int top = q->top;
    const ead_sampler_options sampler = {
        .temperature = q->temperature, .top_p = 1, .repeat_penalty = 1, .seed = 1};
    const struct want want = {.ids = ids,
                              .n = 2,
                              .given = q->given,
                              .max_tokens = 1,
                              .top = top,
                              .sampler = &sampler,
                              .request_id = id,
                              .force = -1};
    struct post post = {0};
    struct reader reader = {.dialect = r->address.dialect,
                            .pieces = r->pieces,
                            .n_vocab = r->n_vocab,
                            .top = top,
                            .given = ids + 1,
                            .n_given = q->given,
                            .take = take_first,
                            .context = out};
    *out = (struct first){0};
    wire_name(&p->wire, id);
    TRY(r->address.dialect->ask(&r->server, &want, &post, err));
    TRY(fetch(p, &post, err));
    TRY(answer_check(&p->answer, r->address.url, "application/json", err));
    reader_init(&reader);
    struct err why = {0};
    const enum status st = reader_whole(&reader, p->answer.body->data, p->answer.body->len, &why);
    reader_deinit(&reader);
    return st ? err_set(err, st, "%s: %.900s", r->address.url, why.message) : ST_OK;
}

enum { USUAL_TOP = 20 };

/* As many log-probabilities as are wanted or, where the server refuses, fewer. */
static enum status find_top(struct probe *p, struct first *f, struct err *err)
{
    struct remote *r = p->r;
    const struct dialect *d = r->address.dialect;
    const bool all = !d->exact && r->n_vocab <= REMOTE_TOP_MAX; /* of a small vocabulary */
    const int tries[] = {r->options.top, all ? r->n_vocab : 0, d->top ? d->top : USUAL_TOP, 5};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        if (tries[i] <= 0) continue;
        const enum status st = first_token(p, &(struct question){.top = tries[i]}, f, err);
        const bool refused = p->answer.status == 400 || p->answer.status == 422;
        if (st != ST_OK && (!refused || i + 1 == sizeof tries / sizeof *tries)) return st;
        if (st != ST_OK) continue;
        if (r->options.top && i > 0)
            note(r, "%s tells at most %d log-probabilities of a token, not %d", r->address.url,
                 tries[i], r->options.top);
        r->options.top = tries[i];
        return ST_OK;
    }
    return ST_OK;
}

/* Are the log-probabilities the model's own, whatever the temperature? */
static enum status find_raw(struct probe *p, const struct first *greedy, struct err *err)
{
    struct remote *r = p->r;
    struct first warm;
    const struct question q = {.top = r->options.top, .temperature = 0.5f};
    if (!r->address.dialect->draws) {
        note(r, "%s: above temperature 0 tokens are drawn here, among the %d most probable",
             r->address.url, r->options.top);
        return ST_OK;
    }
    TRY(first_token(p, &q, &warm, err));
    r->raw = !greedy->there || !warm.there ||
             fabsf(greedy->stats.max_prob - warm.stats.max_prob) < 0.01f;
    if (!r->raw)
        note(r,
             "%s: its log-probabilities are those after temperature; above 0 tokens are drawn "
             "here, among the %d most probable",
             r->address.url, r->options.top);
    return ST_OK;
}

/* ---- all of it --------------------------------------------------------------------------- */

static void find_tokens(struct remote *r)
{
    r->harmless = -1;
    r->end = vocab_specials(r->vocab)->eos;
    if (r->end >= r->n_vocab) r->end = -1;
    for (int32_t id = 0; id < r->n_vocab && r->harmless < 0; id++) {
        size_t n;
        const char *text = vocab_piece(r->vocab, id, &n);
        if (n == 1 && *text >= 'a' && *text <= 'z' && is_plain(r->vocab, id)) r->harmless = id;
    }
    for (int32_t id = 0; id < r->n_vocab && r->harmless < 0; id++)
        if (is_plain(r->vocab, id)) r->harmless = id;
}

/* Does the server have the path with ids alone? Most do not. */
static enum status find_generate(struct probe *p, struct err *err)
{
    struct server *s = &p->r->server;
    struct first first;
    if (!p->r->address.dialect->generates) return ST_OK;
    s->generate = true;
    const enum status st = first_token(p, &(struct question){.top = 1}, &first, err);
    s->generate = st == ST_OK && first.there;
    return s->generate || p->answer.status ? ST_OK : st; /* any answer but that will do */
}

/* Does it tell what it thinks of given tokens? A peer may not, whose own models are elsewhere. */
static enum status find_judging(struct probe *p, struct err *err)
{
    struct remote *r = p->r;
    struct first first;
    const struct question q = {.top = r->options.top, .given = 1};
    if (r->address.dialect->mute) return ST_OK;
    const enum status st = first_token(p, &q, &first, err);
    r->judges = st == ST_OK && first.there;
    return r->judges || p->answer.status ? ST_OK : st; /* any answer but that will do */
}

static enum status ask_all(struct probe *p, struct err *err)
{
    struct first greedy;
    TRY(find_model(p, err));
    TRY(find_context(p, err));
    TRY(compare_vocabulary(p, err));
    TRY(find_generate(p, err));
    TRY(find_top(p, &greedy, err));
    TRY(find_judging(p, err));
    return find_raw(p, &greedy, err);
}

enum status probe_server(struct remote *r, struct err *err)
{
    struct probe p = {.r = r, .wire = {.address = &r->address, .patience = r->options.patience}};
    find_tokens(r);
    if (r->harmless < 0)
        return err_set(err, ST_SUPPORT, "%s: the vocabulary has no token of plain text",
                       r->address.url);
    TRY(transport_open(&r->transport_options, &p.wire.transport, err));
    const enum status st = ask_all(&p, err);
    r->probed = p.wire.transport; /* its connection serves the first text */
    return st;
}
