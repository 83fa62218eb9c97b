#include "remote/shape.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

/* ---- requests ------------------------------------------------------------------------------ */

enum status shape_post(const char *path, json_t *body, struct post *out, struct err *err)
{
    if (!body) return err_memory(err, "a request");
    *out = (struct post){path, body};
    return ST_OK;
}

json_t *shape_ids(const int32_t *ids, int n)
{
    json_t *all = json_array();
    for (int i = 0; i < n && all; i++) {
        if (!json_array_append_new(all, json_integer(ids[i]))) continue;
        json_decref(all);
        all = NULL;
    }
    return all;
}

json_t *shape_with(json_t *object, json_t *more)
{
    const bool whole = object && more && !json_object_update(object, more);
    json_decref(more);
    if (whole) return object;
    json_decref(object);
    return NULL;
}

/* The name of the model, where one is known, and `more`, which is taken. */
static json_t *named(const struct server *s, json_t *more)
{
    return *s->model ? shape_with(json_pack("{s:s}", "model", s->model), more) : more;
}

json_t *shape_prompt(const struct server *s, const struct want *w, const char *ids)
{
    json_t *body = json_pack("{s:o,s:b}", ids, shape_ids(w->ids, w->n), "stream", w->stream);
    if (w->stream)
        body = shape_with(body, json_pack("{s:{s:b}}", "stream_options", "include_usage", 1));
    return named(s, body);
}

json_int_t shape_seed(const struct want *w)
{
    return (json_int_t)(rng_mix(w->sampler->seed + (uint64_t)w->n * RNG_STEP) >> 33);
}

json_t *shape_sampler(const struct want *w, const char *limit)
{
    const ead_sampler_options *s = w->sampler;
    return json_pack("{s:i,s:f,s:i,s:f,s:f,s:f}", limit, w->max_tokens, "temperature",
                     (double)s->temperature, "top_k", s->top_k > 0 ? s->top_k : -1, "top_p",
                     (double)s->top_p, "min_p", (double)s->min_p, "repetition_penalty", 1.0);
}

int shape_top(const struct server *s, const struct want *w)
{
    return s->n_vocab > 0 && w->top >= s->n_vocab ? -1 : w->top;
}

/* ---- answers ------------------------------------------------------------------------------- */

int32_t shape_count(const json_t *value)
{
    const json_int_t x = json_is_integer(value) ? json_integer_value(value) : -1;
    return x >= 0 && x <= INT32_MAX ? (int32_t)x : -1;
}

bool shape_log_prob(const json_t *value, float *out)
{
    const double lowest = -1e30, x = json_number_value(value);
    *out = (float)fmin(fmax(x, lowest), 1);
    return json_is_number(value);
}

enum status shape_refuse(const struct reader *r, const char *what, struct err *err)
{
    return err_set(err, ST_FORMAT, "token %d: %s", r->n, what);
}

/* One of the most probable, or the token itself. */
static enum status read_entry(const struct reader *r, const json_t *entry, const char *id_name,
                              int32_t *id, float *log_prob, struct err *err)
{
    *id = shape_count(json_object_get(entry, id_name));
    if (*id >= 0 && shape_log_prob(json_object_get(entry, "logprob"), log_prob)) return ST_OK;
    return err_set(err, ST_FORMAT, "token %d: expected a token with \"%s\" and \"logprob\"", r->n,
                   id_name);
}

enum status shape_entry(struct reader *r, const json_t *entry, const char *id_name, struct err *err)
{
    int32_t own, id;
    float log_prob = 0, its = 0;
    size_t i;
    json_t *one;
    const json_t *top = json_object_get(entry, "top_logprobs");
    TRY(read_entry(r, entry, id_name, &own, &log_prob, err));
    json_array_foreach(top, i, one)
    {
        TRY(read_entry(r, one, id_name, &id, &its, err));
        TRY(reader_found(r, id, its, err));
    }
    return reader_token(r, own, log_prob, err);
}

/* OpenAI's account, where there is one. ST_FORMAT where the answer is at its end and has other
 * tokens than it counts: some were lost. */
static enum status read_usage(struct reader *r, const json_t *event, struct err *err)
{
    const json_t *usage = json_object_get(event, "usage");
    const json_t *details = json_object_get(usage, "prompt_tokens_details");
    const int32_t prompt = shape_count(json_object_get(usage, "prompt_tokens"));
    const int32_t cached = shape_count(json_object_get(details, "cached_tokens"));
    const int32_t written = shape_count(json_object_get(usage, "completion_tokens"));
    if (prompt >= 0) r->prompt_tokens = prompt;
    if (cached >= 0) r->cached_tokens = cached;
    if (written < 0 || written == reader_written(r) || !r->finish || r->enough) return ST_OK;
    return err_set(err, ST_FORMAT, "the server counts %d tokens and told of %d", (int)written,
                   reader_written(r));
}

enum status shape_finish(struct reader *r, const json_t *reason, struct err *err)
{
    static const char *const names[] = {
        [FINISH_STOP] = "stop", [FINISH_LENGTH] = "length", [FINISH_ABORT] = "abort"};
    const char *said = json_string_value(reason);
    if (!reason || json_is_null(reason)) return ST_OK;
    for (int f = FINISH_STOP; f <= FINISH_ABORT && said; f++) {
        if (strcmp(said, names[f])) continue;
        r->finish = (enum finish)f;
        return ST_OK;
    }
    return err_set(err, ST_FORMAT,
                   "expected stop, length or abort as a reason to stop, found %.40s",
                   said ? said : "no text");
}

/* The choice of an event of completions; NULL where it holds none. ST_FORMAT where there are
 * several. */
static enum status read_choice(const struct reader *r, const json_t *event, const json_t **out,
                               struct err *err)
{
    const json_t *choices = json_object_get(event, "choices");
    *out = json_array_get(choices, 0);
    if (!json_is_array(choices)) return shape_refuse(r, "expected \"choices\"", err);
    if (!*out) return ST_OK;
    const json_t *index = json_object_get(*out, "index");
    if (json_array_size(choices) > 1 || (index && shape_count(index) != 0))
        return shape_refuse(r, "expected one choice, found several", err);
    return json_is_object(*out) ? ST_OK : shape_refuse(r, "expected a choice", err);
}

/* ---- columns ------------------------------------------------------------------------------- */

enum status shape_columns(const struct reader *r, const json_t *choice, struct shape_columns *out,
                          struct err *err)
{
    const json_t *all = json_object_get(choice, "logprobs");
    *out = (struct shape_columns){0};
    if (!all || json_is_null(all)) return ST_OK;
    *out = (struct shape_columns){json_object_get(all, "tokens"),
                                  json_object_get(all, "token_logprobs"),
                                  json_object_get(all, "top_logprobs"), 0};
    out->n = json_array_size(out->tokens);
    const bool alike = json_is_array(out->tokens) && json_array_size(out->log_probs) == out->n &&
                       (json_array_size(out->tops) == out->n || r->top == 0);
    return alike ? ST_OK
                 : shape_refuse(r, "expected log-probabilities in columns of one length", err);
}

static enum status nameless(const struct reader *r, const struct shape_token *t, struct err *err)
{
    return err_set(err, ST_FORMAT, "token %d: which token \"%.60s\" is cannot be told", r->n,
                   t->name ? t->name : "");
}

enum status shape_column(struct reader *r, const struct shape_columns *c, size_t i,
                         shape_name *name, struct shape_token *out, struct err *err)
{
    const char *key;
    json_t *value;
    const json_t *own = json_array_get(c->tokens, i);
    *out = (struct shape_token){.name = json_string_value(own), .n = json_string_length(own)};
    if (!out->name || !shape_log_prob(json_array_get(c->log_probs, i), &out->log_prob))
        return shape_refuse(r, "expected a token and its log-probability", err);
    if ((out->id = name(r, out, NULL)) < 0) return nameless(r, out, err);
    json_object_foreach((json_t *)(uintptr_t)json_array_get(c->tops, i), key, value)
    {
        struct shape_token t = {.name = key, .n = strlen(key)};
        if (!shape_log_prob(value, &t.log_prob))
            return shape_refuse(r, "expected log-probabilities of the most probable tokens", err);
        if ((t.id = name(r, &t, out)) < 0) return nameless(r, &t, err);
        TRY(reader_found(r, t.id, t.log_prob, err));
    }
    return ST_OK;
}

int32_t shape_name_id(const struct reader *r, const struct shape_token *t,
                      const struct shape_token *own)
{
    static const char mark[] = "token_id:";
    enum { N_MARK = sizeof mark - 1, DIGITS = 9 };
    int32_t id = 0;
    (void)r, (void)own;
    if (t->n <= N_MARK || t->n > N_MARK + DIGITS || memcmp(t->name, mark, N_MARK) != 0) return -1;
    for (size_t i = N_MARK; i < t->n; i++) {
        if (t->name[i] < '0' || t->name[i] > '9') return -1;
        id = 10 * id + (t->name[i] - '0');
    }
    return id;
}

/* ---- who is there -------------------------------------------------------------------------- */

int shape_context(const json_t *models, const char *model)
{
    size_t i;
    json_t *one;
    const json_t *data = json_object_get(models, "data");
    json_array_foreach(data, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        const int32_t length = shape_count(json_object_get(one, "max_model_len"));
        if (!*model || (id && !strcmp(id, model))) return length > 0 ? length : 0;
    }
    return 0;
}

enum status shape_tokenize(const struct server *s, const char *text, struct post *out,
                           struct err *err)
{
    json_t *body = json_pack("{s:s,s:b}", "prompt", text, "add_special_tokens", 0);
    return shape_post("//tokenize", named(s, body), out, err);
}

enum status shape_detokenize(const struct server *s, const int32_t *ids, int n, struct post *out,
                             struct err *err)
{
    json_t *body = json_pack("{s:o,s:b}", "tokens", shape_ids(ids, n), "skip_special_tokens", 0);
    return shape_post("//detokenize", named(s, body), out, err);
}

json_t *shape_read_ids(const json_t *answer)
{
    size_t i;
    json_t *one, *ids = json_array();
    const json_t *tokens = json_object_get(answer, "tokens");
    bool good = ids && json_is_array(tokens);
    json_array_foreach(tokens, i, one)
    {
        const int32_t id = shape_count(json_is_object(one) ? json_object_get(one, "id") : one);
        good = good && id >= 0 && !json_array_append_new(ids, json_integer(id));
    }
    if (good) return ids;
    json_decref(ids);
    return NULL;
}

const char *shape_read_text(const json_t *answer)
{
    static const char *const names[] = {"prompt", "text", "content"};
    const char *text = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !text; i++)
        text = json_string_value(json_object_get(answer, names[i]));
    return text;
}

enum status shape_event(struct reader *r, const json_t *event,
                        enum status (*read)(struct reader *r, const json_t *choice,
                                            struct err *err),
                        struct err *err)
{
    const json_t *choice;
    TRY(read_choice(r, event, &choice, err));
    if (choice) TRY(read(r, choice, err));
    if (!r->enough) TRY(shape_finish(r, json_object_get(choice, "finish_reason"), err));
    return read_usage(r, event, err);
}
