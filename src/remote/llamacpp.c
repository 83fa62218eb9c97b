/*
 * llama-server: /completion, ids in and out. A token that leaves a character unfinished is counted
 * and not told: reading ends in front of it. A request for one token tells its id, without
 * probabilities, and those come with a token that is forced in its place. There is no [DONE].
 */
#include "remote/shape.h"

#include <math.h>
#include <string.h>

/* In the order in which ead cuts; whatever else the server was started with is left out. */
static json_t *samplers(void)
{
    return json_pack("[s,s,s,s]", "top_k", "top_p", "min_p", "temperature");
}

static enum status ask(const struct server *s, const struct want *w, struct post *out,
                       struct err *err)
{
    const int top = s->n_vocab > 0 && w->top > s->n_vocab ? s->n_vocab : w->top;
    json_t *body = json_pack("{s:o,s:i,s:b,s:b,s:i,s:b,s:o,s:I}", "prompt", shape_ids(w->ids, w->n),
                             "n_probs", top, "return_tokens", 1, "cache_prompt", 1, "id_slot", -1,
                             "stream", w->stream, "samplers", samplers(), "seed", shape_seed(w));
    body = shape_with(body, shape_sampler(w, "n_predict"));
    if (w->force >= 0)
        body = shape_with(body, json_pack("{s:[[i,f]]}", "logit_bias", (int)w->force, 1000.0));
    return shape_post("//completion", body, out, err);
}

static enum status ask_ids(const struct server *s, const char *text, struct post *out,
                           struct err *err)
{
    (void)s;
    return shape_post(
        "//tokenize",
        json_pack("{s:s,s:b,s:b}", "content", text, "add_special", 0, "parse_special", 0), out,
        err);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* The server wrote `total` tokens before the next one that it tells of. */
static enum status count_lost(struct reader *r, int total, struct err *err)
{
    if (total < r->n) return shape_refuse(r, "\"tokens_predicted\" counts fewer tokens", err);
    r->n_lost = r->enough ? 0 : total - r->n;
    return ST_OK;
}

/* Tokens with probabilities, as far as none is left out between them. */
static enum status read_tokens(struct reader *r, const json_t *ids, const json_t *told,
                               struct err *err)
{
    size_t i;
    json_t *one;
    json_array_foreach(ids, i, one)
    {
        const json_t *entry = json_array_get(told, i);
        const int32_t id = shape_count(one);
        if (id < 0) return shape_refuse(r, "expected ids in \"tokens\"", err);
        if (r->enough) return ST_OK;
        if (r->top == 0)
            TRY(reader_token(r, id, NAN, err));
        else if (!entry || shape_count(json_object_get(entry, "id")) != id)
            return ST_OK;
        else
            TRY(shape_entry(r, entry, "id", err));
    }
    return ST_OK;
}

static enum status read_stop(struct reader *r, const json_t *event, struct err *err)
{
    const char *why = json_string_value(json_object_get(event, "stop_type"));
    const json_t *timings = json_object_get(event, "timings");
    const bool length = why && !strcmp(why, "limit");
    if (!length && !(why && (!strcmp(why, "eos") || !strcmp(why, "word"))))
        return err_set(err, ST_FORMAT,
                       "expected limit, eos or word as a reason to stop, found %.40s",
                       why ? why : "no text");
    r->finish = length ? FINISH_LENGTH : FINISH_STOP;
    r->prompt_tokens = shape_count(json_object_get(event, "tokens_evaluated"));
    r->cached_tokens = shape_count(json_object_get(timings, "cache_n"));
    r->over = true;
    return ST_OK;
}

/* In a stream each event tells of the last tokens that were written, the final one of none. */
static enum status read_event(struct reader *r, const json_t *event, bool whole, struct err *err)
{
    const json_t *ids = json_object_get(event, "tokens");
    const int32_t written = shape_count(json_object_get(event, "tokens_predicted"));
    const int n = (int)json_array_size(ids);
    const bool stop = json_is_true(json_object_get(event, "stop"));
    if (!json_is_array(ids) || written < n)
        return shape_refuse(r, "expected \"tokens\" and \"tokens_predicted\"", err);
    if (!whole) TRY(count_lost(r, written - n, err));
    if (r->n_lost && !stop) return ST_OK;
    if (!r->n_lost)
        TRY(read_tokens(r, ids, json_object_get(event, "completion_probabilities"), err));
    TRY(count_lost(r, written, err));
    return stop && !r->enough ? read_stop(r, event, err) : ST_OK;
}

/* Of a slot. */
static int read_context(const json_t *answer, const char *model)
{
    const json_t *settings = json_object_get(answer, "default_generation_settings");
    const int32_t n = shape_count(json_object_get(settings, "n_ctx"));
    (void)model;
    return n > 0 ? n : 0;
}

const struct dialect dialect_llamacpp = {
    .name = "llamacpp",
    .help = "llama.cpp's llama-server, by its own /completion",
    .ids = true,
    .mute =
        "llama-server tells no log-probabilities of given tokens; vLLM, SGLang and ead serve do",
    .draws = true,
    .top = 20,
    .ask = ask,
    .read = read_event,
    .models = "//v1/models",
    .context = "//props",
    .read_context = read_context,
    .tokenize = ask_ids,
    .detokenize = shape_detokenize,
    .read_ids = shape_read_ids,
    .read_text = shape_read_text,
};
