/*
 * vLLM: /v1/completions with ids in and out, its log-probabilities under the names of ids; or
 * /inference/v1/generate, which has nothing but ids, where the server was started with it.
 */
#include "remote/shape.h"

#include <math.h>

/* ---- requests ------------------------------------------------------------------------------ */

static json_t *sampler(const struct server *s, const struct want *w)
{
    struct want least = *w;
    if (!least.max_tokens) least.max_tokens = 1;
    json_t *all = shape_with(shape_sampler(&least, "max_tokens"),
                             json_pack("{s:i}", "logprobs", shape_top(s, w)));
    if (w->given) all = shape_with(all, json_pack("{s:i}", "prompt_logprobs", shape_top(s, w)));
    if (w->sampler->temperature > 0)
        all = shape_with(all, json_pack("{s:I}", "seed", shape_seed(w)));
    return all;
}

static enum status ask_generate(const struct server *s, const struct want *w, struct post *out,
                                struct err *err)
{
    json_t *how = shape_with(sampler(s, w), json_pack("{s:b}", "detokenize", 0));
    json_t *body = json_pack("{s:s,s:o}", "request_id", w->request_id, "sampling_params", how);
    return shape_post("//inference/v1/generate", shape_with(body, shape_prompt(s, w, "token_ids")),
                      out, err);
}

static enum status ask(const struct server *s, const struct want *w, struct post *out,
                       struct err *err)
{
    if (s->generate) return ask_generate(s, w, out, err);
    json_t *names = json_pack("{s:b,s:b}", "return_token_ids", 1, "return_tokens_as_token_ids", 1);
    json_t *body = shape_with(shape_prompt(s, w, "prompt"), sampler(s, w));
    return shape_post("//v1/completions", shape_with(body, names), out, err);
}

/* ---- answers ------------------------------------------------------------------------------- */

static enum status read_columns(struct reader *r, const struct shape_columns *c, const json_t *ids,
                                struct err *err)
{
    for (size_t i = 0; i < c->n && !r->enough; i++) {
        struct shape_token t;
        TRY(shape_column(r, c, i, shape_name_id, &t, err));
        if (json_is_array(ids) && shape_count(json_array_get(ids, i)) != t.id)
            return shape_refuse(r, "\"token_ids\" and \"logprobs\" name different tokens", err);
        TRY(reader_token(r, t.id, t.log_prob, err));
    }
    return ST_OK;
}

static enum status read_list(struct reader *r, const json_t *list, struct err *err)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        if (!r->enough) TRY(shape_entry(r, entry, "token_id", err));
    }
    return ST_OK;
}

/* Log-probabilities in columns or, of /generate, in a list: as many as there are ids. */
static enum status read_tokens(struct reader *r, const json_t *choice, struct err *err)
{
    struct shape_columns c = {0};
    const json_t *ids = json_object_get(choice, "token_ids");
    const json_t *list = json_object_get(json_object_get(choice, "logprobs"), "content");
    if (!list) TRY(shape_columns(r, choice, &c, err));
    const size_t n = list ? json_array_size(list) : c.n;
    if ((ids && !json_is_null(ids) && !json_is_array(ids)) ||
        (json_is_array(ids) && json_array_size(ids) != n))
        return shape_refuse(r, "expected as many log-probabilities as ids", err);
    if (!n && json_string_length(json_object_get(choice, "text")))
        return shape_refuse(r, "a text came without log-probabilities", err);
    return list ? read_list(r, list, err) : read_columns(r, &c, ids, err);
}

/* An id as the name of a field; below 0 where it is none. */
static int32_t read_key(const char *key)
{
    enum { DIGITS = 9 };
    int32_t id = 0;
    size_t n = 0;
    for (; key[n] >= '0' && key[n] <= '9' && n < DIGITS; n++) id = 10 * id + (key[n] - '0');
    return n && !key[n] ? id : -1;
}

/* {"ID": {"logprob", "rank"}}: the most probable tokens, and the given one. */
static enum status read_place(struct reader *r, const json_t *place, struct err *err)
{
    const char *key;
    json_t *value;
    const int32_t own = reader_given(r);
    float log_prob = NAN;
    json_object_foreach((json_t *)(uintptr_t)place, key, value)
    {
        float its;
        const int32_t id = read_key(key);
        if (id < 0 || !shape_log_prob(json_object_get(value, "logprob"), &its))
            return shape_refuse(r, "expected ids with \"logprob\" in \"prompt_logprobs\"", err);
        if (id == own) {
            log_prob = its;
            reader_rank(r, shape_count(json_object_get(value, "rank")));
        }
        TRY(reader_found(r, id, its, err));
    }
    if (isnan(log_prob)) return shape_refuse(r, "\"prompt_logprobs\" have another token", err);
    return reader_token(r, own, log_prob, err);
}

/* A list for the whole prompt, of which the last ones are wanted; in a choice or, of /generate,
 * beside it. */
static enum status read_given(struct reader *r, const json_t *event, struct err *err)
{
    const json_t *choice = json_array_get(json_object_get(event, "choices"), 0);
    const json_t *list = json_object_get(choice, "prompt_logprobs");
    if (!json_is_array(list)) list = json_object_get(event, "prompt_logprobs");
    const size_t n = json_array_size(list), wanted = (size_t)r->n_given;
    if (n < wanted) return shape_refuse(r, "expected \"prompt_logprobs\" of the whole prompt", err);
    for (size_t i = n - wanted; i < n && !r->enough; i++)
        TRY(read_place(r, json_array_get(list, i), err));
    return ST_OK;
}

static enum status read_event(struct reader *r, const json_t *event, bool whole, struct err *err)
{
    (void)whole;
    if (r->n < r->n_given) TRY(read_given(r, event, err));
    return shape_event(r, event, read_tokens, err);
}

const struct dialect dialect_vllm = {
    .name = "vllm",
    .help = "vLLM, which answers with ids",
    .ids = true,
    .generates = true,
    .draws = true,
    .top = 20,
    .ask = ask,
    .read = read_event,
    .models = "//v1/models",
    .context = "//v1/models",
    .read_context = shape_context,
    .tokenize = shape_tokenize,
    .detokenize = shape_detokenize,
    .read_ids = shape_read_ids,
    .read_text = shape_read_text,
};
