/*
 * What the requests and answers of several dialects have in common: how a sampler is named, ids,
 * log-probabilities, usage, reasons to stop, and OpenAI's completions.
 */
#ifndef EAD_REMOTE_SHAPE_H
#define EAD_REMOTE_SHAPE_H

#include "remote/dialect.h"

/* ---- requests ------------------------------------------------------------------------------ */

/* The body becomes the request's. NULL, where jansson found no memory for it, is ST_MEMORY. */
MUST_USE enum status shape_post(const char *path, json_t *body, struct post *out, struct err *err);
/* New; NULL without memory. */
json_t *shape_ids(const int32_t *ids, int n);
/* Put the fields of `more` into an object, both taken. NULL where one is NULL, or without memory.
 */
json_t *shape_with(json_t *object, json_t *more);
/* The sampler, everything in its place so that no default of a server comes in; `limit` names what
 * bounds the tokens. */
json_t *shape_sampler(const struct want *w, const char *limit);
/* The prefix under its name, the model's name, and whether to stream, with an account at the end.
 */
json_t *shape_prompt(const struct server *s, const struct want *w, const char *ids);
/* For a server that draws anew with each request: 31 bits of the seed and where the text stands. */
json_int_t shape_seed(const struct want *w);
/* Most probable tokens as vLLM counts them: -1 means all. */
int shape_top(const struct server *s, const struct want *w);

/* ---- answers ------------------------------------------------------------------------------- */

/* -1 where it is no whole number from 0 to what an id can be. */
int32_t shape_count(const json_t *value);
/* ln p; false where it is no number. */
bool shape_log_prob(const json_t *value, float *out);
/* ST_FORMAT: `what` is not as expected, of the token that would be next. */
enum status shape_refuse(const struct reader *r, const char *what, struct err *err);
/* A token told as an object, with its most probable ones in a list of such: {ID, "logprob",
 * "top_logprobs"}. */
MUST_USE enum status shape_entry(struct reader *r, const json_t *entry, const char *id_name,
                                 struct err *err);
/* OpenAI's words; null and none say nothing. */
MUST_USE enum status shape_finish(struct reader *r, const json_t *reason, struct err *err);

/* Columns of log-probabilities in a choice: "tokens", "token_logprobs", "top_logprobs". */
struct shape_columns {
    const json_t *tokens, *log_probs, *tops;
    size_t n; /* 0: there are none */
};
/* ST_FORMAT where they differ in length. */
MUST_USE enum status shape_columns(const struct reader *r, const json_t *choice,
                                   struct shape_columns *out, struct err *err);

/* A token under its name there. */
struct shape_token {
    const char *name;
    size_t n;
    int32_t id;
    float log_prob;
};
/* The id that t's name means, where `own` is the token in whose place it could stand, or NULL where
 * it is that one; below 0 where that cannot be told. */
typedef int32_t shape_name(const struct reader *r, const struct shape_token *t,
                           const struct shape_token *own);
/* Token i, and what was found in its place. */
MUST_USE enum status shape_column(struct reader *r, const struct shape_columns *c, size_t i,
                                  shape_name *name, struct shape_token *out, struct err *err);
/* "token_id:N", as vLLM names them on request. */
int32_t shape_name_id(const struct reader *r, const struct shape_token *t,
                      const struct shape_token *own);

/* ---- who is there -------------------------------------------------------------------------- */

/* max_model_len in /v1/models. */
int shape_context(const json_t *models, const char *model);
/* vLLM's request, without BOS. */
enum status shape_tokenize(const struct server *s, const char *text, struct post *out,
                           struct err *err);
enum status shape_detokenize(const struct server *s, const int32_t *ids, int n, struct post *out,
                             struct err *err);
/* "tokens": ids, or objects that have one. */
json_t *shape_read_ids(const json_t *answer);
/* "prompt", "text" or "content". */
const char *shape_read_text(const json_t *answer);

/* A completion: tokens by `read` out of its choice, the reason to stop, the account. */
MUST_USE enum status shape_event(struct reader *r, const json_t *event,
                                 enum status (*read)(struct reader *r, const json_t *choice,
                                                     struct err *err),
                                 struct err *err);

#endif
