/*
 * Models behind an API, made up: the server of tests/http_server.h, whose answers have the shape of
 * a dialect and whose tokens are those of a script (script_distribution), so that a test can
 * compute every text by a loop of its own. It breaks as it is told to, and keeps every request. For
 * a program of one file.
 */
#ifndef EAD_TESTS_REMOTE_SITE_H
#define EAD_TESTS_REMOTE_SITE_H

#include "http_server.h"
#include "remote/dialect.h"
#include "remote/wire.h"
#include "script_engine.h"
#include "tiny.h"

enum { SITE_VOCAB_MAX = 512, SITE_CTX = 640, SITE_ASKED_MAX = 512, SITE_ACTS_MAX = 32 };

/* What a server does with a request for tokens, behind the first `after` of them. */
enum deed {
    DEED_GIVE,    /* gives them all */
    DEED_STATUS,  /* refuses: `status`, with `head` */
    DEED_LEAVE,   /* closes the connection */
    DEED_RESET,   /* the same with RST */
    DEED_END,     /* ends the answer, which is not at its end */
    DEED_HALF,    /* breaks off inside the next token's event */
    DEED_GARBAGE, /* says what is no JSON */
    DEED_STALL,   /* says no more */
    DEED_PING,    /* says comments from then on */
    DEED_STOP,    /* ends its text, without a token for it */
    DEED_CUT,     /* the same, and closes the connection before the end of the answer */
    DEED_COUNT
};

struct act {
    enum deed deed;
    int after;
    const char *status, *head;
};

/* A request for tokens. */
struct site_asked {
    int32_t ids[SITE_CTX];
    int n, max_tokens, top;
    int given; /* tokens at its end that the answer tells of; vLLM's of all but the first */
    int32_t force;
    double temperature;
    bool stream;
    in_port_t port; /* of the client: which connection it came by */
    char id[64];
};

struct site {
    const struct dialect *dialect;
    const struct vocab *vocab;
    uint64_t seed;
    int n_vocab, context;
    int32_t low, high;              /* ids from low on and below high can follow */
    bool cooked;                    /* tells log-probabilities after temperature */
    bool cumulative;                /* SGLang: each event tells all */
    int lossy;                      /* llama-server: ids that it divides are not told of; 0: none */
    int gap_us;                     /* before each token */
    int end_us;                     /* before the end of an answer, behind its last token */
    int room;                       /* of its context in truth; 0: as told */
    int top_max;                    /* most probable tokens that may be asked for; 0: any */
    int refusals;                   /* so many requests of any kind are refused first */
    int shift;                      /* its ids of texts are others by this */
    struct act acts[SITE_ACTS_MAX]; /* for one streamed request each; then it gives all */
    int n_acts;
    struct act (*choose)(int i); /* in their place, of streamed request i */
    bool (*reply)(int fd, const struct site_asked *a,
                  bool *stays); /* in place of all; false: not */
    struct site_asked
        asked[SITE_ASKED_MAX]; /* [n_asked] the first that streamed, judged or had a `force` */
    int n_asked, n_streamed, n_aborts;
};

static struct site sites[EAD_WRITERS];
static pthread_mutex_t site_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *const site_names[] = {[EAD_SMALL] = "small", [EAD_LARGE] = "large"};

/* ---- the text ------------------------------------------------------------------------------ */

/* What follows a prefix, with the `top` most probable tokens; 0: dense. Storage of n_vocab each. */
static inline void site_follow(const struct site *s, const int32_t *ids, int n, int top,
                               float *logits, struct candidate *best, struct distribution *out)
{
    const struct script_options o = {.seed = s->seed, .n_vocab = s->n_vocab};
    script_distribution(&o, ids, n, logits, best, out);
    for (int i = 0; i < s->n_vocab; i++)
        if (i < s->low || i >= s->high) logits[i] = -1000;
    tiny_must_hold(distribution_dense(out, kern_table(KERN_REF), logits, s->n_vocab), "logits");
    if (!top) return;
    const int n_best = distribution_best(out, top, best);
    tiny_must_hold(distribution_top(out, best, n_best, s->n_vocab), "the most probable ones");
}

/* The token that it draws: at temperature 0 the most probable one, above it the next. */
static inline int32_t site_next(const struct site *s, const int32_t *ids, int n, bool greedy)
{
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    struct distribution dist;
    site_follow(s, ids, n, 2, logits, best, &dist);
    return best[!greedy].id;
}

/* ---- events -------------------------------------------------------------------------------- */

/* What an event tells. */
struct telling {
    const struct site *site;
    const struct site_asked *asked;
    int k;      /* tokens before it */
    int32_t id; /* -1: none */
    float log_prob;
    const struct candidate *best; /* [n_best] */
    int n_best;
    ead_stats stats;
    const char *finish;  /* NULL: it goes on */
    json_t *told, *tops; /* SGLang: of the tokens so far */
};

static void site_name(const struct telling *t, int32_t id, char out[32])
{
    size_t n;
    const char *text = vocab_piece(t->site->vocab, id, &n);
    if (t->site->dialect == &dialect_openai)
        snprintf(out, 32, "%.*s", (int)n, text);
    else
        snprintf(out, 32, "token_id:%d", (int)id);
}

static json_t *site_columns(const struct telling *t)
{
    char name[32];
    json_t *tops = json_object();
    if (t->id < 0 || !t->asked->top) {
        json_decref(tops);
        return json_null();
    }
    for (int i = 0; i < t->n_best; i++) {
        site_name(t, t->best[i].id, name);
        json_object_set_new(tops, name, json_real((double)t->best[i].logit));
    }
    site_name(t, t->id, name);
    return json_pack("{s:[s],s:[f],s:[o]}", "tokens", name, "token_logprobs", (double)t->log_prob,
                     "top_logprobs", tops);
}

/* Completions: of vLLM, a peer, and a plain server. */
static json_t *site_choice(const struct telling *t)
{
    json_t *choice = json_pack("{s:i,s:s,s:o,s:s?}", "index", 0, "text", t->id < 0 ? "" : "x",
                               "logprobs", site_columns(t), "finish_reason", t->finish);
    if (t->site->dialect == &dialect_vllm && t->id >= 0)
        json_object_set_new(choice, "token_ids", json_pack("[i]", (int)t->id));
    if (t->site->dialect == &dialect_ead && t->id >= 0)
        json_object_set_new(choice, "ead",
                            json_pack("{s:i,s:i,s:f,s:f,s:f,s:f,s:i}", "i", t->k, "id", (int)t->id,
                                      "log_prob", (double)t->log_prob, "entropy",
                                      (double)t->stats.entropy, "max_prob",
                                      (double)t->stats.max_prob, "margin", (double)t->stats.margin,
                                      "argmax", (int)t->stats.argmax));
    return json_pack("{s:[o]}", "choices", choice);
}

static json_t *site_meta(const struct telling *t)
{
    json_t *reason = t->finish ? json_pack("{s:s}", "type", t->finish) : json_null();
    if (!t->site->cumulative) {
        json_array_clear(t->told);
        json_array_clear(t->tops);
    }
    if (t->id >= 0) {
        json_t *top = json_array();
        for (int i = 0; i < t->n_best; i++)
            json_array_append_new(
                top, json_pack("[f,i,n]", (double)t->best[i].logit, (int)t->best[i].id));
        json_array_append_new(t->told, json_pack("[f,i,n]", (double)t->log_prob, (int)t->id));
        json_array_append_new(t->tops, top);
    }
    return json_pack("{s:{s:o,s:i,s:i,s:O,s:O,s:i}}", "meta_info", "finish_reason", reason,
                     "prompt_tokens", t->asked->n, "cached_tokens", t->asked->n - 1,
                     "output_token_logprobs", t->told, "output_top_logprobs", t->tops,
                     "output_token_logprobs_length", t->k + (t->id >= 0));
}

static json_t *site_piece(const struct telling *t)
{
    json_t *top = json_array(), *told;
    for (int i = 0; i < t->n_best; i++)
        json_array_append_new(top, json_pack("{s:i,s:f}", "id", (int)t->best[i].id, "logprob",
                                             (double)t->best[i].logit));
    told = json_pack("{s:i,s:f,s:o}", "id", (int)t->id, "logprob", (double)t->log_prob,
                     "top_logprobs", top);
    return json_pack("{s:[i],s:b,s:i,s:[o]}", "tokens", (int)t->id, "stop", 0, "tokens_predicted",
                     t->k + 1, "completion_probabilities", told);
}

static json_t *site_end(const struct telling *t, json_t *event)
{
    const char *why = strcmp(t->finish, "stop") ? "limit" : "eos";
    json_object_update_new(event,
                           json_pack("{s:b,s:s,s:i,s:i,s:{s:i}}", "stop", 1, "stop_type", why,
                                     "tokens_predicted", t->k + (t->id >= 0), "tokens_evaluated",
                                     t->asked->n, "timings", "cache_n", t->asked->n - 1));
    return event;
}

/* llama-server's last event tells no token; its whole answers are one. */
static json_t *site_completion(const struct telling *t)
{
    if (t->id < 0) return site_end(t, json_pack("{s:[]}", "tokens"));
    return t->asked->stream ? site_piece(t) : site_end(t, site_piece(t));
}

static json_t *site_event(const struct telling *t)
{
    const struct dialect *d = t->site->dialect;
    return d == &dialect_sglang     ? site_meta(t)
           : d == &dialect_llamacpp ? site_completion(t)
                                    : site_choice(t);
}

/* ---- an answer ----------------------------------------------------------------------------- */

/* In a chunk by itself. */
static bool site_say(int fd, const char *text, size_t n)
{
    char head[24];
    snprintf(head, sizeof head, "%zx\r\n", n);
    return say(fd, head) && say_bytes(fd, text, n) && say(fd, "\r\n");
}

/* share: of its bytes, where it breaks off. Uses the event up. */
static bool site_say_event(int fd, json_t *event, double share)
{
    char *json = json_dumps(event, JSON_COMPACT), *text = NULL;
    tiny_must_hold(json && asprintf(&text, "data: %s\n\n", json) > 0, "an event");
    const bool said = site_say(fd, text, (size_t)(share * (double)strlen(text)));
    json_decref(event);
    free(json);
    free(text);
    return said;
}

/* The token behind k others, with the distribution that it is drawn from. */
static void site_draw(struct telling *t, int32_t *ids, float *logits, struct candidate *best)
{
    struct distribution dist;
    const struct site_asked *a = t->asked;
    const bool greedy = a->temperature == 0;
    site_follow(t->site, ids, a->n + t->k, 0, logits, best, &dist);
    t->stats = dist.stats;
    t->id = a->force >= 0 ? a->force : site_next(t->site, ids, a->n + t->k, greedy);
    if (t->site->cooked && !greedy) {
        for (int i = 0; i < t->site->n_vocab; i++) logits[i] /= (float)a->temperature;
        tiny_must_hold(distribution_dense(&dist, kern_table(KERN_REF), logits, t->site->n_vocab),
                       "logits");
    }
    t->log_prob = distribution_log_prob(&dist, t->id);
    t->n_best = distribution_best(&dist, a->top, best);
    t->best = best;
    ids[a->n + t->k] = t->id;
}

static bool site_is_last(const struct telling *t)
{
    const struct site_asked *a = t->asked;
    const int n = t->k + 1;
    const int told = t->site->context + t->site->dialect->exact;
    const int room = t->site->room ? t->site->room : told;
    return vocab_is_eog(t->site->vocab, t->id) || n == a->max_tokens || a->n + n >= room;
}

/* What breaks; true where the connection stays. */
static bool site_break(int fd, struct telling *t, const struct act *act, json_t *event)
{
    bool stays = false;
    switch (act->deed) {
    case DEED_RESET: reset(fd); break;
    case DEED_HALF: (void)site_say_event(fd, json_incref(event), 0.5); break;
    case DEED_STALL: stall(fd); break;
    case DEED_END: stays = say(fd, "0\r\n\r\n"); break;
    case DEED_GARBAGE: stays = site_say(fd, "data: {]\n\n", 10) && say(fd, "0\r\n\r\n"); break;
    case DEED_PING:
        while (site_say(fd, ": ping\n\n", 8)) usleep(10000);
        atomic_fetch_add(&server.gone, 1);
        break;
    case DEED_STOP:
    case DEED_CUT:
        t->id = -1;
        t->finish = "stop";
        stays =
            site_say_event(fd, site_event(t), 1) && act->deed == DEED_STOP && say(fd, "0\r\n\r\n");
        break;
    case DEED_GIVE:
    case DEED_STATUS:
    case DEED_LEAVE:
    case DEED_COUNT: break;
    }
    json_decref(event);
    return stays;
}

/* How many tokens it wrote, and that it is over. */
static bool site_close(int fd, struct telling *t)
{
    const struct dialect *d = t->site->dialect;
    t->id = -1;
    if (t->site->end_us) usleep((useconds_t)t->site->end_us);
    if (d == &dialect_llamacpp) return site_say_event(fd, site_event(t), 1) && say(fd, "0\r\n\r\n");
    if (d != &dialect_sglang &&
        !site_say_event(fd,
                        json_pack("{s:[],s:{s:i,s:i,s:{s:i}}}", "choices", "usage", "prompt_tokens",
                                  t->asked->n, "completion_tokens", t->k, "prompt_tokens_details",
                                  "cached_tokens", t->asked->n - 1),
                        1))
        return false;
    return site_say(fd, "data: [DONE]\n\n", 14) && say(fd, "0\r\n\r\n");
}

static bool site_stream(int fd, struct telling *t, const struct act *act)
{
    int32_t ids[SITE_CTX + WIRE_HELD_MAX];
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    const int lossy = t->site->lossy;
    memcpy(ids, t->asked->ids, sizeof t->asked->ids);
    if (!say(fd, STREAM_HEAD "Transfer-Encoding: chunked\r\n\r\n")) return false;
    for (; !t->finish; t->k++) {
        if (t->site->gap_us) usleep((useconds_t)t->site->gap_us);
        site_draw(t, ids, logits, best);
        if (site_is_last(t)) t->finish = vocab_is_eog(t->site->vocab, t->id) ? "stop" : "length";
        json_t *event = site_event(t);
        if (act->deed && t->k == act->after) return site_break(fd, t, act, event);
        if (lossy && t->id % lossy == 0)
            json_decref(event);
        else if (!site_say_event(fd, event, 1))
            return false;
    }
    if (act->deed && act->after == t->k) return site_break(fd, t, act, json_object());
    return site_close(fd, t);
}

/* What is told of a given token, whose place is the text's end. */
static json_t *site_place(const struct telling *t, int32_t id, const struct distribution *d)
{
    char name[32];
    json_t *place = json_object();
    const double log_prob = (double)distribution_log_prob(d, id);
    const int rank = distribution_rank(d, t->site->n_vocab, id);
    if (t->site->dialect == &dialect_ead) {
        json_decref(place);
        return json_pack("{s:i,s:f,s:i,s:f,s:f,s:f,s:i}", "id", (int)id, "log_prob", log_prob,
                         "rank", rank, "entropy", (double)d->stats.entropy, "max_prob",
                         (double)d->stats.max_prob, "margin", (double)d->stats.margin, "argmax",
                         (int)d->stats.argmax);
    }
    for (int i = 0; i < t->n_best; i++) {
        snprintf(name, sizeof name, "%d", (int)t->best[i].id);
        json_object_set_new(place, name,
                            json_pack("{s:f,s:i,s:s}", "logprob", (double)t->best[i].logit, "rank",
                                      i + 1, "decoded_token", "x"));
    }
    snprintf(name, sizeof name, "%d", (int)id);
    json_object_set_new(
        place, name,
        json_pack("{s:f,s:i,s:s}", "logprob", log_prob, "rank", rank + 1, "decoded_token", "x"));
    return place;
}

/* The token's columns or lists, in front of those of tokens written. */
static void site_insert(const struct telling *t, json_t *event, int i, int32_t id, float log_prob)
{
    struct telling own = *t;
    own.id = id;
    own.log_prob = log_prob;
    if (t->site->dialect == &dialect_sglang) {
        json_t *meta = json_object_get(event, "meta_info"), *top = json_array();
        for (int k = 0; k < t->n_best; k++)
            json_array_append_new(
                top, json_pack("[f,i,n]", (double)t->best[k].logit, (int)t->best[k].id));
        json_array_append_new(json_object_get(meta, "input_token_logprobs"),
                              json_pack("[f,i,n]", (double)log_prob, (int)id));
        json_array_append_new(json_object_get(meta, "input_top_logprobs"), top);
        return;
    }
    json_t *choice = json_array_get(json_object_get(event, "choices"), 0);
    json_t *columns = json_object_get(choice, "logprobs"), *one = site_columns(&own);
    static const char *const names[] = {"tokens", "token_logprobs", "top_logprobs"};
    if (!json_is_object(columns)) {
        json_object_set_new(choice, "logprobs",
                            json_pack("{s:[],s:[],s:[]}", names[0], names[1], names[2]));
        columns = json_object_get(choice, "logprobs");
    }
    for (size_t k = 0; k < 3; k++)
        json_array_insert(json_object_get(columns, names[k]), (size_t)i,
                          json_array_get(json_object_get(one, names[k]), 0));
    json_decref(one);
}

/* What it thinks of the prompt's last tokens. */
static void site_tell_given(struct telling *t, json_t *event)
{
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    struct distribution dist;
    const struct site_asked *a = t->asked;
    const struct dialect *d = t->site->dialect;
    json_t *places = json_array(), *choice = json_array_get(json_object_get(event, "choices"), 0);
    if (d == &dialect_vllm) json_array_append_new(places, json_null());
    if (d == &dialect_sglang)
        json_object_update_new(json_object_get(event, "meta_info"),
                               json_pack("{s:[[n,i,n]],s:[n]}", "input_token_logprobs",
                                         (int)a->ids[a->n - a->given - 1], "input_top_logprobs"));
    for (int i = 0; i < a->given; i++) {
        const int pos = a->n - a->given + i;
        site_follow(t->site, a->ids, pos, 0, logits, best, &dist);
        t->best = best;
        t->n_best = distribution_best(&dist, a->top, best);
        json_array_append_new(places, site_place(t, a->ids[pos], &dist));
        if (d != &dialect_vllm)
            site_insert(t, event, i, a->ids[pos], distribution_log_prob(&dist, a->ids[pos]));
    }
    if (d == &dialect_vllm) json_object_set(choice, "prompt_logprobs", places);
    if (d == &dialect_ead) {
        json_t *story = json_incref(json_object_get(choice, "ead"));
        json_object_set_new(choice, "ead", json_pack("{s:O,s:[]}", "given", places, "trace"));
        if (story)
            json_array_append_new(json_object_get(json_object_get(choice, "ead"), "trace"), story);
    }
    json_decref(places);
}

/* What breaks of an answer that is no stream; true where the connection stays. */
static bool site_break_whole(int fd, const struct act *act, const char *text)
{
    char head[160];
    switch (act->deed) {
    case DEED_RESET: reset(fd); return false;
    case DEED_STALL:
    case DEED_PING: stall(fd); return false;
    case DEED_GARBAGE:
        answer(fd, "200 OK", "Content-Type: application/json\r\n", "{]");
        return true;
    case DEED_END:
        answer(fd, "200 OK", "Content-Type: application/json\r\n", "{\"choices\":[]}");
        return true;
    case DEED_HALF:
        snprintf(head, sizeof head,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 strlen(text));
        (void)(say(fd, head) && say_bytes(fd, text, strlen(text) / 2));
        return false;
    case DEED_GIVE:
    case DEED_STATUS:
    case DEED_LEAVE:
    case DEED_STOP:
    case DEED_CUT:
    case DEED_COUNT: break;
    }
    return false;
}

static bool site_whole(int fd, struct telling *t, const struct act *act)
{
    int32_t ids[SITE_CTX + 1];
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    const struct site_asked *a = t->asked;
    memcpy(ids, a->ids, sizeof a->ids);
    site_draw(t, ids, logits, best);
    t->finish = vocab_is_eog(t->site->vocab, t->id) ? "stop" : "length";
    if (!a->max_tokens) t->id = -1;
    json_t *event = site_event(t);
    if (a->given) site_tell_given(t, event);
    char *text = json_dumps(event, JSON_COMPACT);
    bool stays = true;
    if (act->deed)
        stays = site_break_whole(fd, act, text);
    else
        answer(fd, "200 OK", "Content-Type: application/json\r\n", text);
    json_decref(event);
    free(text);
    return stays;
}

/* ---- requests ------------------------------------------------------------------------------ */

static const json_t *site_field(const json_t *body, const char *a, const char *b, const char *c)
{
    const json_t *found = json_object_get(body, a), *how = json_object_get(body, "sampling_params");
    if (!found) found = json_object_get(body, b);
    if (!found) found = json_object_get(body, c);
    return found || !how ? found : site_field(how, a, b, c);
}

static int site_given(const json_t *body, const struct site_asked *a)
{
    const json_t *ours = json_object_get(json_object_get(body, "ead"), "given");
    const json_t *start = json_object_get(body, "logprob_start_len");
    if (json_object_get(body, "prompt_logprobs")) return a->n - 1;
    if (start && json_integer_value(start) >= 0) return a->n - 1 - (int)json_integer_value(start);
    return (int)json_integer_value(ours);
}

static void site_read(const struct site *s, const json_t *body, struct site_asked *a)
{
    const json_t *ids = site_field(body, "prompt", "input_ids", "token_ids");
    const json_t *force = json_array_get(json_object_get(body, "logit_bias"), 0);
    const json_t *top = site_field(body, "logprobs", "n_probs", "top_logprobs_num");
    const char *id = json_string_value(json_object_get(body, "rid"));
    a->n = (int)json_array_size(ids);
    tiny_must_hold(a->n > 0 && a->n < SITE_CTX, "a prefix");
    for (int i = 0; i < a->n; i++)
        a->ids[i] = (int32_t)json_integer_value(json_array_get(ids, (size_t)i));
    a->max_tokens =
        (int)json_integer_value(site_field(body, "max_tokens", "n_predict", "max_new_tokens"));
    a->top = (int)json_integer_value(top);
    if (a->top < 0 || a->top > s->n_vocab) a->top = s->n_vocab;
    a->force = force ? (int32_t)json_integer_value(json_array_get(force, 0)) : -1;
    a->temperature = json_number_value(site_field(body, "temperature", "", ""));
    a->stream = json_is_true(json_object_get(body, "stream"));
    snprintf(a->id, sizeof a->id, "%s", id ? id : "");
    a->given = site_given(body, a);
}

/* Keeps it, and says what to do. What is asked at opening, of two tokens, goes well. */
static struct act site_keep(struct site *s, const struct site_asked *a)
{
    struct act act = {0};
    const bool counts = a->stream || (a->given && a->n > 2);
    pthread_mutex_lock(&site_lock);
    if ((counts || a->force >= 0) && s->n_asked < SITE_ASKED_MAX) s->asked[s->n_asked++] = *a;
    if (counts && s->choose)
        act = s->choose(s->n_streamed);
    else if (counts && s->n_streamed < s->n_acts)
        act = s->acts[s->n_streamed];
    s->n_streamed += counts;
    pthread_mutex_unlock(&site_lock);
    return act;
}

/* What servers refuse: among it, in some versions, more tokens than the context holds. A peer's
 * yields one more. */
static bool site_cannot(const struct site *s, const struct site_asked *a)
{
    const int told = s->context + s->dialect->exact, room = s->room ? s->room : told;
    return a->max_tokens < !a->given || a->n + a->max_tokens > told || a->n >= room ||
           (s->top_max && a->top > s->top_max);
}

static bool site_complete(int fd, struct site *s, const json_t *body)
{
    struct sockaddr_in peer = {0};
    socklen_t n = sizeof peer;
    struct site_asked a = {0};
    bool stays = true;
    (void)getpeername(fd, (struct sockaddr *)&peer, &n);
    a.port = peer.sin_port;
    site_read(s, body, &a);
    const struct act act = site_keep(s, &a);
    struct telling t = {.site = s, .asked = &a, .told = json_array(), .tops = json_array()};
    if (act.deed == DEED_STATUS)
        answer(fd, act.status, act.head ? act.head : "", "{\"error\":{\"message\":\"so it is\"}}");
    else if (site_cannot(s, &a))
        answer(fd, "400 No", "", "{\"error\":{\"message\":\"so it cannot be\"}}");
    else if (!s->reply || !s->reply(fd, &a, &stays))
        stays = a.stream ? site_stream(fd, &t, &act) : site_whole(fd, &t, &act);
    json_decref(t.told);
    json_decref(t.tops);
    return stays;
}

static void site_answer(int fd, json_t *body)
{
    char *text = json_dumps(body, 0);
    answer(fd, "200 OK", "Content-Type: application/json\r\n", text);
    free(text);
    json_decref(body);
}

static void site_tokenize(int fd, const struct site *s, const json_t *body)
{
    struct ids ids = {0};
    struct err err;
    json_t *all = json_array();
    const char *text = json_string_value(site_field(body, "prompt", "content", ""));
    tiny_must_hold(text && !vocab_encode(s->vocab, text, strlen(text), 0, &ids, &err), "ids");
    for (size_t i = 0; i < ids.n; i++)
        json_array_append_new(all, json_integer(ids.id[i] + s->shift));
    ids_deinit(&ids);
    site_answer(fd, json_pack("{s:o}", "tokens", all));
}

static void site_detokenize(int fd, const struct site *s, const json_t *body)
{
    struct buf text = {0};
    const json_t *ids = json_object_get(body, "tokens");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        size_t n;
        const int32_t id = (int32_t)json_integer_value(json_array_get(ids, i));
        const char *piece = vocab_piece(s->vocab, id, &n);
        tiny_must_hold(!buf_add(&text, piece, n), "a text");
    }
    site_answer(fd, json_pack("{s:s}", "prompt", text.data ? text.data : ""));
    buf_deinit(&text);
}

static bool site_refuses(struct site *s)
{
    pthread_mutex_lock(&site_lock);
    const bool refuses = s->refusals > 0;
    s->refusals -= refuses;
    pthread_mutex_unlock(&site_lock);
    return refuses;
}

static bool site_serve(int fd, struct site *s, const char *path, const json_t *body)
{
    if (site_refuses(s)) {
        answer(fd, "503 Busy", "", "{\"error\":{\"message\":\"not yet\"}}");
        return true;
    }
    if (!strncmp(path, "/v1/models ", 11)) {
        site_answer(fd,
                    json_pack("{s:[{s:s,s:i}]}", "data", "id", "m", "max_model_len", s->context));
    } else if (!strncmp(path, "/inference/", 11)) { /* as most have it */
        answer(fd, "404 Not Found", "", "{\"detail\":\"Not Found\"}");
    } else if (!strncmp(path, "/props ", 7)) {
        site_answer(fd, json_pack("{s:{s:i}}", "default_generation_settings", "n_ctx", s->context));
    } else if (!strncmp(path, "/tokenize ", 10)) {
        site_tokenize(fd, s, body);
    } else if (!strncmp(path, "/detokenize ", 12)) {
        site_detokenize(fd, s, body);
    } else if (!strncmp(path, "/abort_request ", 15)) {
        pthread_mutex_lock(&site_lock);
        s->n_aborts++;
        pthread_mutex_unlock(&site_lock);
        answer(fd, "200 OK", "", "");
    } else {
        return site_complete(fd, s, body);
    }
    return true;
}

static bool serve_request(int fd, const char *asked, const char *body)
{
    const char *path = strchr(asked, ' ') + 1;
    json_t *said = *body ? json_loads(body, 0, NULL) : NULL;
    bool stays = false;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (!strncmp(path + 1, site_names[w], 5)) stays = site_serve(fd, &sites[w], path + 6, said);
    json_decref(said);
    return stays;
}

/* ---- for the tests ------------------------------------------------------------------------- */

/* Until the clients have left: what an answer is made of may change. */
static inline void site_wait(void)
{
    for (int i = 0; atomic_load(&server.open); i++) {
        tiny_must_hold(i < 10000, "clients leave"); /* they stay where a test failed */
        usleep(1000);
    }
}

/* A fresh site of a dialect, without faults, once the clients of before have left. */
static inline struct site *site_begin(ead_writer w, const struct dialect *d,
                                      const struct vocab *vocab, int n_vocab, uint64_t seed)
{
    site_wait();
    sites[w] = (struct site){.dialect = d,
                             .vocab = vocab,
                             .n_vocab = n_vocab,
                             .seed = seed,
                             .low = TINY_EOS + 1,
                             .high = n_vocab,
                             .context = SITE_CTX - WIRE_HELD_MAX};
    return &sites[w];
}

static inline void site_address(ead_writer w, char out[128])
{
    snprintf(out, 128, "%s+http://127.0.0.1:%d/%s/v1#m", sites[w].dialect->name, server.port,
             site_names[w]);
}

/* Request i for tokens that came: the server's thread may have more to come. */
static inline struct site_asked site_asked(ead_writer w, int i)
{
    pthread_mutex_lock(&site_lock);
    tiny_must_hold(i < sites[w].n_asked, "as many requests");
    const struct site_asked a = sites[w].asked[i];
    pthread_mutex_unlock(&site_lock);
    return a;
}

static inline int site_requests(ead_writer w)
{
    pthread_mutex_lock(&site_lock);
    const int n = sites[w].n_asked;
    pthread_mutex_unlock(&site_lock);
    return n;
}

#endif
