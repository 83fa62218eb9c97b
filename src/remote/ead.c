/*
 * `ead serve` as a peer: completions with ids in, and the trace, which tells each token's id and
 * the statistics of the distribution that it was drawn from. What it draws at a place depends on
 * the seed and the place alone, so that the seed goes as it is.
 */
#include "remote/shape.h"

#include <math.h>

/* -1 would ask for a seed of the server's own. */
static json_int_t seed(const struct want *w)
{
    const uint64_t s = w->sampler->seed;
    return s == UINT64_MAX ? INT64_MAX : (json_int_t)s;
}

static enum status ask(const struct server *s, const struct want *w, struct post *out,
                       struct err *err)
{
    enum { TOP_MAX = 20 };
    json_t *body = shape_with(shape_prompt(s, w, "prompt"), shape_sampler(w, "max_tokens"));
    body = shape_with(body, json_pack("{s:{s:b,s:i},s:I}", "ead", "trace", 1, "given", w->given,
                                      "seed", seed(w)));
    if (w->top > 0)
        body =
            shape_with(body, json_pack("{s:i,s:b}", "logprobs", w->top < TOP_MAX ? w->top : TOP_MAX,
                                       "return_tokens_as_token_ids", 1));
    return shape_post("//v1/completions", body, out, err);
}

/* ---- answers ------------------------------------------------------------------------------- */

static float number(const json_t *object, const char *name, float otherwise)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? (float)json_number_value(value) : otherwise;
}

/* The entropy is exact, unless the peer has it from another engine and says between what it lies.
 */
static ead_stats read_stats(const json_t *story)
{
    const float entropy = number(story, "entropy", NAN);
    const float lo = number(story, "entropy_lo", entropy),
                hi = number(story, "entropy_hi", entropy);
    return (ead_stats){.entropy = entropy,
                       .entropy_lo = lo,
                       .entropy_hi = hi,
                       .exact = lo == hi,
                       .max_prob = number(story, "max_prob", NAN),
                       .margin = number(story, "margin", NAN),
                       .argmax = shape_count(json_object_get(story, "argmax"))};
}

/* Of a given token, whose column is the i-th. */
static enum status read_given(struct reader *r, const json_t *story, const struct shape_columns *c,
                              size_t i, struct err *err)
{
    float log_prob = NAN;
    struct shape_token t;
    const ead_stats stats = read_stats(story);
    const int32_t id = shape_count(json_object_get(story, "id"));
    const int32_t before = shape_count(json_object_get(story, "rank"));
    if (!shape_log_prob(json_object_get(story, "log_prob"), &log_prob)) log_prob = NAN;
    if (i < c->n) TRY(shape_column(r, c, i, shape_name_id, &t, err));
    if (before >= 0) reader_rank(r, before + 1);
    return reader_exact(r, id, log_prob, &stats, err);
}

static enum status read_story(struct reader *r, const json_t *story, const struct shape_columns *c,
                              size_t i, struct err *err)
{
    float log_prob = NAN;
    struct shape_token t;
    const ead_stats stats = read_stats(story);
    const int32_t id = shape_count(json_object_get(story, "id"));
    if (shape_count(json_object_get(story, "i")) != reader_written(r) || id < 0)
        return shape_refuse(r, "its trace is not the next one", err);
    if (json_object_get(story, "taken_back"))
        return shape_refuse(r, "the peer takes tokens back, which cannot be followed", err);
    if (!shape_log_prob(json_object_get(story, "log_prob"), &log_prob)) log_prob = NAN;
    if (i < c->n) TRY(shape_column(r, c, i, shape_name_id, &t, err));
    if (i < c->n && t.id != id)
        return shape_refuse(r, "its trace and \"logprobs\" name different tokens", err);
    return reader_exact(r, id, log_prob, &stats, err);
}

/* A choice has a list of stories; in a stream each token has a chunk and a story of its own. */
static enum status read_stories(struct reader *r, const json_t *choice, struct err *err)
{
    struct shape_columns c;
    const json_t *story = json_object_get(choice, "ead");
    const json_t *list = json_object_get(story, "trace"), *given = json_object_get(story, "given");
    const size_t n = list ? json_array_size(list) : story ? 1 : 0, n_given = json_array_size(given);
    TRY(shape_columns(r, choice, &c, err));
    if ((c.n && c.n != n_given + n) || n_given != (size_t)r->n_given)
        return shape_refuse(r, "expected a trace of each token", err);
    if (!n && json_string_length(json_object_get(choice, "text")))
        return shape_refuse(r, "a text came without a trace", err);
    for (size_t i = 0; i < n_given && !r->enough; i++)
        TRY(read_given(r, json_array_get(given, i), &c, i, err));
    for (size_t i = 0; i < n && !r->enough; i++)
        TRY(read_story(r, list ? json_array_get(list, i) : story, &c, n_given + i, err));
    return ST_OK;
}

static enum status read_event(struct reader *r, const json_t *event, bool whole, struct err *err)
{
    (void)whole;
    return shape_event(r, event, read_stories, err);
}

const struct dialect dialect_ead = {
    .name = "ead",
    .help = "another `ead serve`, which tells exact entropies",
    .ids = true,
    .exact = true,
    .draws = true,
    .top = 0,
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
