#include "cli/voice_url.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/chunk.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/pair.h"
#include "cli/screen.h"
#include "net/sse.h"
#include "json/name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char chat_path[] = "/chat/completions", models_path[] = "/models";

enum { ANSWER_MAX = 16 << 20 };

static struct voice_url *of(const struct voice *v)
{
    return (struct voice_url *)(uintptr_t)v;
}

/* ---- the request ------------------------------------------------------------------------- */

/* json_object_set_new returns an error for a value that there was no memory for. */
static int policy_json(const struct voice_url *v, json_t *body)
{
    const ead_policy_option *option;
    json_t *ead = json_pack("{s:b}", "trace", 1);
    int bad = json_object_set_new(body, "ead", ead);
    if (v->sent_policy)
        bad |= json_object_set_new(
            ead, "policy", json_string(ead_policy_describe(pair_options.policy.kind)->name));
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        char name[NAME_MAX_BYTES];
        if (!v->sent[i]) continue;
        name_in_json(option->name, name);
        bad |= json_object_set_new(ead, name, json_option(&pair_options.policy, option));
    }
    return bad;
}

/* Temperature and seed as `ead chat` has them without a server; of the rest what was given. */
static int sampler_json(const struct voice_url *v, json_t *body)
{
    const struct pair_options *o = &pair_options;
    bool (*const given)(const char *) = v->options.given;
    int bad = json_object_set_new(body, "temperature", json_real(o->temp));
    bad |= json_object_set_new(body, "seed", json_integer((json_int_t)o->seed));
    if (given("top-k")) bad |= json_object_set_new(body, "top_k", json_integer(o->top_k));
    if (given("top-p")) bad |= json_object_set_new(body, "top_p", json_real(o->top_p));
    if (given("min-p")) bad |= json_object_set_new(body, "min_p", json_real(o->min_p));
    if (given("repeat-penalty"))
        bad |= json_object_set_new(body, "repetition_penalty", json_real(o->repeat_penalty));
    if (given("repeat-last"))
        bad |= json_object_set_new(body, "repeat_last_n", json_integer(o->repeat_last));
    if (o->n >= 0) bad |= json_object_set_new(body, "max_tokens", json_integer(o->n));
    return bad;
}

static json_t *messages_json(const ead_message *messages, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n && all; i++) {
        const ead_message *m = &messages[i];
        json_t *one = json_pack("{s:s,s:o}", "role", m->role, "content",
                                json_text(m->content, strlen(m->content)));
        if (!json_array_append_new(all, one)) continue;
        json_decref(all);
        return NULL;
    }
    return all;
}

/* The body of a request, to be freed; NULL without memory. */
static char *request_text(const struct voice_url *v, const ead_message *messages, size_t n)
{
    json_t *body = json_pack(
        "{s:o,s:o,s:b,s:{s:b}}", "model", json_text(v->options.model, strlen(v->options.model)),
        "messages", messages_json(messages, n), "stream", 1, "stream_options", "include_usage", 1);
    int bad = !body || sampler_json(v, body);
    if (!bad && v->is_ead) bad = policy_json(v, body);
    if (!bad && json_object_size(v->variables))
        bad = json_object_set(body, "chat_template_kwargs", v->variables);
    char *text = bad ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* ---- the answer -------------------------------------------------------------------------- */

struct spoken {
    struct voice_url *v;
    struct screen screen;
    struct sse events;
    struct buf text;
    struct tally tally;
    json_int_t chunks;          /* pieces of text: tokens, where each comes alone */
    json_int_t by[EAD_WRITERS]; /* by whom, as far as it was told */
    ead_writer last;
    bool finished, limited; /* the server says why it ended; it is a limit */
    bool counted;           /* the account came */
    bool done;              /* [DONE] */
    enum status status;
    struct err err;
};

/* A terminal obeys control characters, and these come from elsewhere: in place, without them. */
static size_t drop_controls(char *text, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n;) {
        const int bytes = utf8_char(text + i, n - i);
        const size_t step = bytes > 0 ? (size_t)bytes : 1;
        const unsigned char c = (unsigned char)text[i],
                            second = step == 2 ? (unsigned char)text[i + 1] : 0;
        const bool control =
            (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || (c == 0xc2 && second < 0xa0);
        if (!control) {
            memmove(text + kept, text + i, step);
            kept += step;
        }
        i += step;
    }
    return kept;
}

/* Show characters, or strike them through; a failure was said. */
static enum status show(struct spoken *a, const struct chunk *c, bool struck, const char *text,
                        size_t n)
{
    struct screen *s = &a->screen;
    const ead_writer writer = c->told ? c->writer : s->writer;
    char *shown = isatty(STDOUT_FILENO) ? malloc(n + 1) : NULL;
    if (isatty(STDOUT_FILENO)) {
        if (!shown) return err_memory(&a->err, "the answer");
        memcpy(shown, text, n);
        n = drop_controls(shown, n);
        text = shown;
    }
    const int bad = struck ? screen_struck(s, text, n) : screen_text(s, writer, text, n);
    free(shown);
    return bad ? ST_IO : ST_OK;
}

static enum status show_lost(struct spoken *a, const struct chunk *c)
{
    const bool color = a->v->options.color;
    enum status st = ST_OK;
    if (!screen_wants_lost((enum screen_lost)pair_options.lost, color)) return ST_OK;
    a->screen.color = color;
    for (size_t i = 0; i < json_array_size(c->lost) && !st; i++) {
        const json_t *text = json_object_get(json_array_get(c->lost, i), "text");
        st = show(a, c, true, json_string_value(text), json_string_length(text));
    }
    return st;
}

static enum status show_text(struct spoken *a, const struct chunk *c)
{
    if (buf_add(&a->text, c->text, c->n))
        return err_set(&a->err, ST_MEMORY, "the answer is longer than the %d bytes that are taken",
                       ANSWER_MAX);
    a->screen.color = a->v->options.color && (c->told || a->screen.colored);
    return show(a, c, false, c->text, c->n);
}

static void count_chunk(struct spoken *a, const struct chunk *c)
{
    a->chunks += c->n > 0 || c->told;
    if (!c->told) return;
    a->tally.by_model = true;
    a->tally.switches += a->by[EAD_SMALL] + a->by[EAD_LARGE] > 0 && a->last != c->writer;
    a->by[c->writer]++;
    a->last = c->writer;
    if (!isfinite(c->entropy)) return;
    a->tally.entropy += c->entropy;
    a->tally.n_entropy++;
}

static enum status take_chunk(struct spoken *a, const struct chunk *c)
{
    if (c->finish) {
        a->finished = true;
        a->limited = !strcmp(c->finish, "length");
    }
    if (c->usage) {
        tally_read(&a->tally, c->usage);
        a->v->used = a->tally.prompt + a->tally.tokens;
        a->counted = true;
    }
    count_chunk(a, c);
    enum status st = c->lost ? show_lost(a, c) : ST_OK;
    if (!st && c->n) st = show_text(a, c);
    return st;
}

static enum status take_event(struct spoken *a, const struct sse_event *event)
{
    struct chunk c;
    remote_progress(a->v->remote);
    if (sse_is_done(event)) {
        a->done = true;
        return ST_OK;
    }
    enum status st = chunk_read(event->data, event->n, &c, &a->err);
    if (!st) st = take_chunk(a, &c);
    chunk_deinit(&c);
    return st;
}

static bool take(void *context, const char *bytes, size_t n)
{
    struct spoken *a = context;
    while (!a->done && !a->status) {
        struct sse_event event;
        a->status = sse_next(&a->events, &bytes, &n, &event, &a->err);
        if (a->status || !event.data) break;
        a->status = take_event(a, &event);
    }
    return !a->done && !a->status;
}

/* ---- its end ----------------------------------------------------------------------------- */

/* What was wrong with an answer of which `st` is the transfer's status; ST_OK for a whole one and
 * for one that somebody stopped. */
static enum status judge(struct spoken *a, enum status st, const struct answer *got)
{
    const bool whole = a->done || a->finished;
    if (a->status) return a->status;
    if (whole || (st == ST_CANCELLED && a->chunks)) return ST_OK;
    if (!st && !a->chunks)
        st = remote_check(a->v->remote, chat_path, got, "text/event-stream", &a->err);
    if (st) return st;
    return err_set(&a->err, ST_IO, "%s: the answer broke off: the stream ended within it",
                   remote_url(a->v->remote));
}

static void show_end(struct spoken *a, double seconds)
{
    const bool color = a->v->options.color && isatty(STDERR_FILENO);
    if (a->limited && pair_options.n < 0)
        fprintf(stderr, a->v->is_ead ? "[the context is full; /reset starts a new conversation]\n"
                                     : "[the server's limit on an answer was reached]\n");
    if (!a->counted) {
        a->tally.tokens = a->chunks;
        a->tally.answers = 1;
        for (int w = 0; w < EAD_WRITERS; w++) a->tally.work[w].tokens = (uint64_t)a->by[w];
    }
    a->tally.seconds = seconds;
    tally_show_line(&a->tally, !a->finished && !a->done, color);
    tally_add(&a->v->total, &a->tally);
}

/* The address stands before what the stream itself does not say. */
static int say_fault(struct spoken *a, enum status st, bool *usable)
{
    const char *url = remote_url(a->v->remote);
    if (a->screen.failed) return EXIT_FAIL; /* which was said */
    *usable = a->v->options.patient || st == ST_ARG || st == ST_CANCELLED;
    if (st == ST_CANCELLED) return fail("interrupted");
    if (strncmp(a->err.message, url, strlen(url)) != 0) (void)err_prefix(&a->err, st, url);
    return fail("%s%s", a->err.message, a->chunks ? " (the question was not kept)" : "");
}

static int answer(struct voice *voice, const ead_message *messages, size_t n, char **text,
                  bool *usable)
{
    struct spoken a = {.v = of(voice), .text.max = ANSWER_MAX};
    struct answer got;
    char *body = request_text(a.v, messages, n);
    if (!body) return fail("no memory for the request");
    const double begin = clock_seconds();
    enum status st = remote_stream(a.v->remote, chat_path, body, take, &a, &got, &a.err);
    st = judge(&a, st, &got);
    if ((a.screen.started || !st) && screen_end(&a.screen)) st = ST_IO;
    int status = EXIT_OK;
    if (st) {
        status = say_fault(&a, st, usable);
    } else {
        show_end(&a, clock_seconds() - begin);
        *text = strdup(a.text.data ? a.text.data : "");
        if (!*text) status = fail("no memory for the answer");
    }
    free(body);
    sse_deinit(&a.events);
    buf_deinit(&a.text);
    return status;
}

/* ---- the rest of a voice ----------------------------------------------------------------- */

static int fail_plain(const struct voice_url *v, const char *what)
{
    return fail("%s: %s is no ead serve, which alone takes it", what, remote_url(v->remote));
}

static int steer(struct voice *voice, const ead_policy_option *option)
{
    struct voice_url *v = of(voice);
    if (!v->is_ead) return fail_plain(v, option ? option->name : "policy");
    if (!option) v->sent_policy = true;
    for (size_t i = 0; option && ead_policy_option_at(i); i++)
        if (ead_policy_option_at(i) == option) v->sent[i] = true;
    return EXIT_OK;
}

static bool has_both(const struct voice *voice)
{
    return of(voice)->both;
}

static void show_context(const struct voice *voice)
{
    const struct voice_url *v = of(voice);
    fprintf(stderr, "; %s at %s", v->options.model, remote_url(v->remote));
    if (v->context)
        fprintf(stderr, ", %lld of %lld tokens of context used", (long long)v->used,
                (long long)v->context);
    fputc('\n', stderr);
}

static void show_account(const struct voice *voice)
{
    tally_show(&of(voice)->total);
}

static void forget(struct voice *voice)
{
    struct voice_url *v = of(voice);
    v->used = 0;
    v->total = (struct tally){0};
}

/* ---- what the server is ------------------------------------------------------------------ */

/* The server's value of an option that was not given: what /show shows, and what holds. */
static void adopt_option(const ead_policy_option *option, const json_t *listed)
{
    const double x = json_number_value(json_object_get(listed, "default"));
    char text[32], fault[ARGS_FAULT_MAX];
    if (!(x >= option->low && x <= option->high)) return;
    if (option->type == EAD_OPTION_FLAG)
        snprintf(text, sizeof text, "%s", x > 0 ? "on" : "off");
    else if (option->type == EAD_OPTION_WORD)
        snprintf(text, sizeof text, "%s", option->words[(int)x]);
    else if (option->words && x < 0)
        snprintf(text, sizeof text, "%s", option->words[-(int)x - 1]);
    else
        snprintf(text, sizeof text, "%.15g", x);
    steer_set(option, &pair_options.policy, text, fault); /* what it cannot be it is not */
}

static const json_t *find_option(const json_t *ead, const char *wanted)
{
    size_t i;
    json_t *listed;
    json_array_foreach(json_object_get(ead, "options"), i, listed)
    {
        const char *name = json_string_value(json_object_get(listed, "name"));
        if (name && !strcmp(name, wanted)) return listed;
    }
    return NULL;
}

static void adopt(struct voice_url *v, const json_t *ead)
{
    const ead_policy_option *option;
    const char *policy = json_string_value(json_object_get(ead, "policy"));
    v->both = json_is_object(json_object_get(ead, "large")) &&
              json_is_object(json_object_get(ead, "small"));
    v->sent_policy = v->options.given("policy");
    if (policy && !v->sent_policy && ead_policy_parse(policy) >= 0)
        pair_options.policy.kind = (ead_policy_kind)ead_policy_parse(policy);
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        const json_t *listed = find_option(ead, option->name);
        v->sent[i] = v->options.given(option->name);
        if (listed && !v->sent[i]) adopt_option(option, listed);
        if (v->sent[i] && !v->sent_policy) steer_follow(option, &pair_options.policy);
    }
}

/* What was given and only `ead serve` takes; NULL: nothing. */
static const char *given_policy(const struct voice_url *v)
{
    if (v->options.given("policy")) return "policy";
    for (size_t i = 0; ead_policy_option_at(i); i++)
        if (v->options.given(ead_policy_option_at(i)->name)) return ead_policy_option_at(i)->name;
    return NULL;
}

/* The entry of our model; NULL, and in `list` some of those that there are. */
static const json_t *find_model(const struct voice_url *v, const json_t *listing, char list[256])
{
    size_t i, n = 0;
    json_t *entry;
    list[0] = 0;
    json_array_foreach(json_object_get(listing, "data"), i, entry)
    {
        const char *id = json_string_value(json_object_get(entry, "id"));
        if (!id) continue;
        if (!strcmp(id, v->options.model)) return entry;
        if (n + strlen(id) + 3 < 256)
            n += (size_t)snprintf(list + n, 256 - n, "%s%s", n ? ", " : "", id);
    }
    return NULL;
}

static int meet(struct voice_url *v, const json_t *listing)
{
    char list[256];
    struct err err;
    const json_t *entry = find_model(v, listing, list);
    if (!entry) {
        (void)err_set(&err, ST_ARG, "%s: there is no model \"%s\"; --model takes %s",
                      remote_url(v->remote), v->options.model, list[0] ? list : "another");
        return fail("%s", err.message);
    }
    const char *owner = json_string_value(json_object_get(entry, "owned_by"));
    const json_t *ead = json_object_get(entry, "ead");
    v->is_ead = owner && !strcmp(owner, "ead") && json_is_object(ead);
    v->context = json_integer_value(json_object_get(entry, "max_model_len"));
    if (v->is_ead) {
        adopt(v, ead);
        return EXIT_OK;
    }
    char option[64];
    if (!given_policy(v)) return EXIT_OK;
    snprintf(option, sizeof option, "--%s", given_policy(v));
    return fail_plain(v, option);
}

static int ask_models(struct voice_url *v)
{
    struct err err;
    struct answer got;
    enum status st = remote_get(v->remote, models_path, &got, &err);
    if (!st) st = remote_check(v->remote, models_path, &got, "application/json", &err);
    json_t *listing = st ? NULL : json_loadb(got.body->data, got.body->len, 0, NULL);
    int status;
    if (st)
        status = fail("%s", err.message);
    else if (!json_is_array(json_object_get(listing, "data")))
        status = fail("%s%s: expected a list of models", remote_url(v->remote), models_path);
    else
        status = meet(v, listing);
    json_decref(listing);
    return status;
}

int voice_url_open(struct voice_url *v, const struct voice_url_options *options)
{
    struct err err;
    *v = (struct voice_url){.voice = {.answer = answer,
                                      .steer = steer,
                                      .has_both = has_both,
                                      .show_context = show_context,
                                      .show_account = show_account,
                                      .forget = forget},
                            .options = *options};
    if (form_variables(&pair_options.form, NULL, &v->variables)) return EXIT_FAIL;
    if (remote_open(&options->remote, &v->remote, &err)) return fail("--url: %s", err.message);
    return ask_models(v);
}

void voice_url_close(struct voice_url *v)
{
    remote_close(v->remote);
    json_decref(v->variables);
    *v = (struct voice_url){0};
}
