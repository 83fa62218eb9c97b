#include "server/ask.h"

#include "base/rng.h"
#include "server/ask_parts.h"
#include "json/jsonio.h"

#include <stdlib.h>
#include <string.h>

enum { COMPLETION_TOKENS = 16 }; /* of a completion that does not say: OpenAI's default */

const char *const ask_targets[] = {
    [ASK_PAIR] = "ead", [ASK_LARGE] = "large", [ASK_SMALL] = "small", NULL};

const ead_model *ask_speaker(const struct ask_context *c)
{
    return c->models[c->models[EAD_LARGE] ? EAD_LARGE : EAD_SMALL];
}

uint64_t ask_seed(const struct ask *a, int choice)
{
    const uint64_t seed = a->sampler.seed;
    return choice ? rng_mix(seed + (uint64_t)choice * RNG_STEP) : seed;
}

/* ---- what is asked for ------------------------------------------------------------------- */

static bool read_target(const struct ask_context *c, const struct field *f, struct ask *a)
{
    const char *name = ask_targets[ASK_PAIR];
    if (!field_text(f, "model", &name)) return false;
    for (int i = 0; ask_targets[i]; i++) {
        if (strcmp(name, ask_targets[i])) continue;
        if ((i == ASK_LARGE && !c->models[EAD_LARGE]) || (i == ASK_SMALL && !c->models[EAD_SMALL]))
            break;
        a->target = (enum ask_target)i;
        return true;
    }
    return refuse(f->refusal, 404, "model_not_found", "model",
                  "the model \"%.100s\" is not served here; GET /v1/models lists what is", name);
}

static bool read_max_tokens(const struct field *f, struct ask *a)
{
    const bool chat = a->kind == ASK_CHAT;
    const int64_t unsaid = INT64_MIN;
    int64_t tokens = unsaid, newer = unsaid;
    if (!field_int(f, "max_tokens", -1, INT32_MAX, &tokens) ||
        !field_int(f, "max_completion_tokens", -1, INT32_MAX, &newer))
        return false;
    if (tokens != unsaid && newer != unsaid && tokens != newer)
        return refuse(
            f->refusal, 400, "invalid_value", "max_completion_tokens",
            "max_completion_tokens: expected the same as max_tokens (%lld), or one of the "
            "two, found %lld",
            (long long)tokens, (long long)newer);
    const char *name = tokens == unsaid ? "max_completion_tokens" : "max_tokens";
    if (tokens == unsaid) tokens = newer;
    if (tokens == unsaid) tokens = chat ? -1 : COMPLETION_TOKENS;
    if (chat && !tokens) return field_refuse(f, name, "at least 1");
    a->max_tokens = (int)tokens;
    return true;
}

static bool read_stream(const struct field *f, struct ask *a)
{
    const json_t *options = field_get(f, "stream_options");
    if (!field_flag(f, "stream", &a->stream)) return false;
    if (!options) return true;
    if (!json_is_object(options)) return field_refuse(f, "stream_options", "an object");
    if (!a->stream)
        return refuse(f->refusal, 400, "invalid_value", "stream_options",
                      "stream_options: only a request with \"stream\": true can have them");
    const struct field inner = {options, "stream_options.", f->refusal, NULL};
    return field_flag(&inner, "include_usage", &a->include_usage);
}

static bool read_logprobs(const struct field *f, struct ask *a)
{
    int64_t n = -1, top = -1;
    bool wanted = false;
    a->logprobs = -1;
    if (a->kind == ASK_COMPLETION) {
        if (!field_int(f, "logprobs", 0, ASK_LOGPROBS_MAX, &n)) return false;
        a->logprobs = (int)n;
        return true;
    }
    if (!field_flag(f, "logprobs", &wanted) ||
        !field_int(f, "top_logprobs", 0, ASK_LOGPROBS_MAX, &top))
        return false;
    if (top > 0 && !wanted)
        return refuse(f->refusal, 400, "invalid_value", "top_logprobs",
                      "top_logprobs: only a request with \"logprobs\": true can have them");
    if (wanted) a->logprobs = top > 0 ? (int)top : 0;
    return true;
}

/* ---- where it ends ----------------------------------------------------------------------- */

static bool add_stop(const struct field *f, struct ask *a, const json_t *value)
{
    char found[FIELD_FOUND_MAX];
    field_found(value, found);
    if (!json_is_string(value))
        return refuse(f->refusal, 400, "invalid_value", "stop",
                      "stop: expected a string, or an array of strings, found %s", found);
    const size_t n = json_string_length(value);
    if (n > ASK_STOP_BYTES_MAX)
        return refuse(f->refusal, 400, "invalid_value", "stop",
                      "stop: expected at most %d bytes in a string, found %zu", ASK_STOP_BYTES_MAX,
                      n);
    if (!n) return true; /* ends nothing */
    if (a->n_stops == ASK_STOPS_MAX)
        return refuse(f->refusal, 400, "invalid_value", "stop", "stop: expected at most %d strings",
                      ASK_STOPS_MAX);
    char *text = malloc(n);
    if (!text) return refuse_memory(f->refusal);
    memcpy(text, json_string_value(value), n);
    a->stops[a->n_stops++] = (struct ask_stop){text, n};
    return true;
}

static bool read_stops(const struct field *f, struct ask *a)
{
    const json_t *stop = field_get(f, "stop");
    if (!stop) return true;
    if (!json_is_array(stop)) return add_stop(f, a, stop);
    for (size_t i = 0; i < json_array_size(stop); i++)
        if (!add_stop(f, a, json_array_get(stop, i))) return false;
    return true;
}

static bool read_stop_ids(const struct ask_context *c, const struct field *f, struct ask *a)
{
    static const char name[] = "stop_token_ids";
    const json_t *ids = field_get(f, name);
    if (!ids) return true;
    if (!json_is_array(ids) || json_array_size(ids) > ASK_STOP_IDS_MAX)
        return field_refuse(f, name, "an array of at most 64 ids");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        if (!field_id(f, name, i, id, c->n_vocab)) return false;
        a->stop_ids[a->n_stop_ids++] = (int32_t)json_integer_value(id);
    }
    return true;
}

/* ---- all of it --------------------------------------------------------------------------- */

static bool read_choices(const struct ask_context *c, const struct field *f, struct ask *a)
{
    int64_t n = 1;
    if (!field_int(f, "n", 1, c->max_choices, &n)) return false;
    a->n = (int)n;
    return true;
}

/* Behind read_logprobs. */
static bool read_echo(const struct ask_context *c, const struct field *f, struct ask *a)
{
    if (!field_flag(f, "return_tokens_as_token_ids", &a->tokens_as_ids)) return false;
    if (!field_flag(f, "echo", &a->echo)) return false;
    if (a->echo && a->kind == ASK_CHAT)
        return refuse(f->refusal, 400, "unsupported_value", "echo",
                      "echo: only completions have it");
    if (a->echo && a->logprobs >= 0 && c->unscored)
        return refuse(f->refusal, 400, "unsupported_value", "echo",
                      "echo: not with logprobs: the models are behind an API, which tells none of "
                      "given tokens");
    return true;
}

int ask_entries(const struct ask *a)
{
    return (a->logprobs >= 0 ? 1 + a->logprobs : 0) + (a->trace ? 2 : 0);
}

static bool too_much(const struct field *f, const struct ask *a, const char *of, int64_t most,
                     int64_t found)
{
    const char *name = a->logprobs < 0 ? "ead.trace" : "logprobs";
    return refuse(f->refusal, 400, "invalid_value", name,
                  "%s: expected at most %lld log-probabilities in %s, found %lld: one of each "
                  "token (two of a trace), and its alternatives; n, max_tokens and logprobs say of "
                  "how many",
                  name, (long long)most, of, (long long)found);
}

/* What is told of tokens has a bound. Of what a stream has told about as much is kept as one entry
 * of each token. */
static bool check_entries(const struct ask_context *c, const struct field *f, const struct ask *a)
{
    const int64_t each = ask_entries(a);
    int64_t given = 0, written = 0;
    if (!each) return true;
    for (int i = 0; i < a->n_prompts; i++) {
        const int64_t n = (int64_t)a->prompts[i].n, room = c->n_ctx - n + 1;
        written += a->max_tokens < 0 || a->max_tokens > room ? room : a->max_tokens;
        given += a->echo && a->logprobs >= 0 ? n : a->given;
    }
    given *= a->n * each;
    written *= a->n * (a->stream ? 1 : each);
    if (given + written > ASK_ENTRIES_MAX)
        return too_much(f, a, "an answer", ASK_ENTRIES_MAX, given + written);
    if (a->stream && given > ASK_ECHO_ENTRIES_MAX)
        return too_much(f, a, "the echo of a stream", ASK_ECHO_ENTRIES_MAX, given);
    return true;
}

/* Of a text's first token nobody knows anything. */
static bool check_given(const struct field *f, const struct ask *a)
{
    for (int i = 0; i < a->n_prompts; i++)
        if ((size_t)a->given >= a->prompts[i].n)
            return refuse(f->refusal, 400, "invalid_value", "ead.given",
                          "ead.given: expected less than the prompt's %zu tokens, found %d",
                          a->prompts[i].n, a->given);
    return true;
}

static bool read_all(const struct ask_context *c, const struct field *f, struct ask *a)
{
    if (!ask_neutral(f) || !read_target(c, f, a) || !read_max_tokens(f, a) || !read_stream(f, a) ||
        !read_logprobs(f, a) || !read_stops(f, a) || !read_stop_ids(c, f, a) ||
        !read_choices(c, f, a) || !read_echo(c, f, a) || !ask_sampler(c, f, a) ||
        !ask_policy(c, f, a))
        return false;
    if (!(a->kind == ASK_CHAT ? ask_messages(c, f, a) : ask_prompts(c, f, a))) return false;
    if (a->n * a->n_prompts <= c->max_choices) return check_given(f, a) && check_entries(c, f, a);
    return refuse(f->refusal, 400, "invalid_value", "n",
                  "n: expected at most %d answers of one request, found %d prompts times %d",
                  c->max_choices, a->n_prompts, a->n);
}

bool ask_parse(const struct ask_context *c, enum ask_kind kind, const char *body, size_t n,
               struct ask *out, struct refusal *r)
{
    jsonio_begin();
    struct field_weight weight;
    json_t *object = field_read(body, n, &weight, r);
    const struct field f = {object, "", r, &weight};
    *out = (struct ask){.kind = kind};
    bool read = object && read_all(c, &f, out);
    json_decref(object);
    if (jsonio_lacked()) read = refuse_memory(r); /* whatever it was taken for */
    if (!read) ask_free(out);
    return read;
}

void ask_free(struct ask *a)
{
    for (int i = 0; i < a->n_prompts; i++) {
        free(a->prompts[i].ids);
        free(a->prompts[i].text);
    }
    for (int i = 0; i < a->n_stops; i++) free(a->stops[i].text);
    free(a->prompts);
    free(a->bias);
    *a = (struct ask){0};
}
