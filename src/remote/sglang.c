/*
 * SGLang: /generate, ids in and out. Each event tells the whole answer so far, or, where the server
 * was started with --incremental-streaming-output, what is new in it; events may be left out where
 * they tell the whole. Its log-probabilities are those after temperature unless the server is told
 * otherwise; which it is the probe finds out.
 */
#include "remote/shape.h"

#include <string.h>

static enum status ask(const struct server *s, const struct want *w, struct post *out,
                       struct err *err)
{
    json_t *how = shape_with(shape_sampler(w, "max_new_tokens"),
                             json_pack("{s:b}", "skip_special_tokens", 0));
    if (w->sampler->temperature > 0)
        how = shape_with(how, json_pack("{s:I}", "sampling_seed", shape_seed(w)));
    const int start = w->given ? w->n - w->given - 1 : -1; /* of the first nothing is told */
    (void)s;
    return shape_post("//generate",
                      json_pack("{s:s,s:o,s:o,s:b,s:i,s:i,s:b}", "rid", w->request_id, "input_ids",
                                shape_ids(w->ids, w->n), "sampling_params", how, "return_logprob",
                                1, "logprob_start_len", start, "top_logprobs_num", w->top, "stream",
                                w->stream),
                      out, err);
}

static enum status stop(const char *request_id, struct post *out, struct err *err)
{
    return shape_post("//abort_request", json_pack("{s:s}", "rid", request_id), out, err);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* [ln p, id, text] */
static enum status read_entry(const struct reader *r, const json_t *entry, int32_t *id,
                              float *log_prob, struct err *err)
{
    *id = shape_count(json_array_get(entry, 1));
    if (*id >= 0 && shape_log_prob(json_array_get(entry, 0), log_prob)) return ST_OK;
    return shape_refuse(r, "expected a log-probability and an id in a list", err);
}

static enum status read_token(struct reader *r, const json_t *token, const json_t *top,
                              struct err *err)
{
    size_t i;
    json_t *entry;
    int32_t own, id;
    float log_prob = 0, its = 0;
    TRY(read_entry(r, token, &own, &log_prob, err));
    json_array_foreach(top, i, entry)
    {
        TRY(read_entry(r, entry, &id, &its, err));
        TRY(reader_found(r, id, its, err));
    }
    return reader_token(r, own, log_prob, err);
}

/* The last of the prompt's. */
static enum status read_given(struct reader *r, const json_t *meta, struct err *err)
{
    const json_t *tokens = json_object_get(meta, "input_token_logprobs");
    const json_t *tops = json_object_get(meta, "input_top_logprobs");
    const size_t n = json_array_size(tokens), n_tops = json_array_size(tops);
    const size_t wanted = (size_t)r->n_given;
    if (n < wanted || (r->top > 0 && n_tops < wanted))
        return shape_refuse(r, "expected log-probabilities of the prompt's last tokens", err);
    for (size_t i = 0; i < wanted && !r->enough; i++)
        TRY(read_token(r, json_array_get(tokens, n - wanted + i),
                       json_array_get(tops, n_tops - wanted + i), err));
    return ST_OK;
}

/* The list holds the last `size` of `total` tokens, of which some are known. */
static enum status read_tokens(struct reader *r, const json_t *meta, struct err *err)
{
    const json_t *tokens = json_object_get(meta, "output_token_logprobs");
    const json_t *tops = json_object_get(meta, "output_top_logprobs");
    const json_t *length = json_object_get(meta, "output_token_logprobs_length");
    const size_t size = json_array_size(tokens), known = (size_t)reader_written(r);
    const int32_t told = length ? shape_count(length) : (int32_t)size;
    const size_t total = told < 0 ? 0 : (size_t)told;
    if ((r->top > 0 && json_array_size(tops) != size) || total < size || total < known)
        return shape_refuse(r, "expected lists of log-probabilities of one length", err);
    if (known < total - size)
        return shape_refuse(r, "it was left out, and an event goes on behind it", err);
    for (size_t i = known - (total - size); i < size && !r->enough; i++)
        TRY(read_token(r, json_array_get(tokens, i), json_array_get(tops, i), err));
    return ST_OK;
}

/* An object with a type; an abort that has a status is an error. */
static enum status read_finish(struct reader *r, const json_t *reason, struct err *err)
{
    const json_t *type = json_object_get(reason, "type");
    const json_t *status = json_object_get(reason, "status_code");
    const char *said = json_string_value(json_object_get(reason, "message"));
    if (status && !json_is_null(status))
        return err_set(err, ST_IO, "the server says: %.300s", said ? said : "aborted");
    return shape_finish(r, type ? type : reason, err);
}

static enum status read_event(struct reader *r, const json_t *event, bool whole, struct err *err)
{
    const json_t *meta = json_object_get(event, "meta_info");
    const int32_t prompt = shape_count(json_object_get(meta, "prompt_tokens"));
    const int32_t cached = shape_count(json_object_get(meta, "cached_tokens"));
    (void)whole;
    if (!json_is_object(meta)) return shape_refuse(r, "expected \"meta_info\"", err);
    if (r->n < r->n_given) TRY(read_given(r, meta, err));
    TRY(read_tokens(r, meta, err));
    if (prompt >= 0) r->prompt_tokens = prompt;
    if (cached >= 0) r->cached_tokens = cached;
    return r->enough ? ST_OK : read_finish(r, json_object_get(meta, "finish_reason"), err);
}

const struct dialect dialect_sglang = {
    .name = "sglang",
    .help = "SGLang, by its own /generate",
    .ids = true,
    .draws = true,
    .top = 20,
    .ask = ask,
    .abort = stop,
    .read = read_event,
    .models = "//v1/models",
    .context = "//v1/models",
    .read_context = shape_context,
    .tokenize = shape_tokenize,
    .detokenize = shape_detokenize,
    .read_ids = shape_read_ids,
    .read_text = shape_read_text,
};
