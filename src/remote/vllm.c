/*
 * vLLM: /v1/completions with ids in and out, its log-probabilities under the names of ids; or
 * /inference/v1/generate, which has nothing but ids, where the server was started with it.
 */
#include "remote/shape.h"

/* ---- requests ------------------------------------------------------------------------------ */

static json_t *sampler(const struct server *s, const struct want *w)
{
    json_t *all =
        shape_with(shape_sampler(w, "max_tokens"), json_pack("{s:i}", "logprobs", shape_top(s, w)));
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

static enum status read_event(struct reader *r, const json_t *event, bool whole, struct err *err)
{
    (void)whole;
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
