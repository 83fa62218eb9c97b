/*
 * What servers differ in: paths, the fields of a request, the shape of an answer. A dialect is one
 * file that fills this table, without a connection in sight: JSON out, JSON in.
 */
#ifndef EAD_REMOTE_DIALECT_H
#define EAD_REMOTE_DIALECT_H

#include "base/status.h"
#include "ead.h"
#include "remote/reader.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What is known of a server. */
struct server {
    const char *model; /* the name that requests carry; "": none */
    int n_vocab;       /* ids below may be asked with */
    bool generate;     /* vLLM: has /inference/v1/generate */
};

/* A request for what follows a prefix. */
struct want {
    const int32_t *ids; /* [n] the whole prefix: ids, never text */
    int n;
    int given;      /* what the model thinks of so many tokens at the prefix's end is wanted, too: a
                     * whole answer, told before the tokens that follow. 0: of none */
    int max_tokens; /* with `given` it may be 0 */
    int top;        /* most probable tokens to be told; n_vocab: all */
    const ead_sampler_options *sampler; /* temperature, top_k, top_p, min_p and seed; the rest at
                                         * its defaults. A dialect mixes n into the seed where its
                                         * server would begin anew at each request */
    const char *request_id;             /* unique; for servers that abort by it */
    bool stream;
    int32_t force; /* llama-server: a harmless token that it is to write, so that what is told of
                    * are the true most probable ones; -1: none */
};

struct post {
    const char *path; /* behind `root` of the address where it begins with "//" less one slash, and
                       * behind its url otherwise */
    json_t *body;     /* owned; NULL: a GET */
};

struct dialect {
    const char *name; /* "vllm" */
    const char *help; /* one line for --help */
    bool ids;         /* answers carry ids; otherwise tokens are found by their bytes */
    bool exact;       /* answers carry the exact entropy */
    bool generates;   /* may have another path, with ids alone, where the server was started so */
    const char *mute; /* why it cannot be asked what it thinks of given tokens, a sentence; NULL: it
                       * can */
    bool draws; /* samples as asked, so that what it streams can be used above temperature 0 */
    int top;    /* most probable tokens asked for by default */
    /* What a client asks for; ST_MEMORY. */
    enum status (*ask)(const struct server *s, const struct want *w, struct post *out,
                       struct err *err);
    /* The same to stop a request; NULL: closing the connection does. */
    enum status (*abort)(const char *request_id, struct post *out, struct err *err);
    /* One event, or a whole answer. Hands tokens to reader_token, first the given ones that it was
     * asked about; sets finish, cached_tokens, n_lost and over. */
    enum status (*read)(struct reader *r, const json_t *event, bool whole, struct err *err);
    /* ---- who is there ------------------------------------------------------------------------ */
    const char *models;  /* paths as in post; NULL: there is none */
    const char *context; /* of what tells the context's length, by read_context */
    /* Context of a model ("": the only one) by the answer to `context`; 0: it does not say. */
    int (*read_context)(const json_t *answer, const char *model);
    /* Ask for the ids of a text, without BOS; and for the text of ids. NULL: cannot be asked. */
    enum status (*tokenize)(const struct server *s, const char *text, struct post *out,
                            struct err *err);
    enum status (*detokenize)(const struct server *s, const int32_t *ids, int n, struct post *out,
                              struct err *err);
    /* What came of it: a new reference of an array of ids, a string borrowed from the answer; NULL:
     * it says none. */
    json_t *(*read_ids)(const json_t *answer);
    const char *(*read_text)(const json_t *answer);
};

extern const struct dialect dialect_vllm, dialect_sglang, dialect_llamacpp, dialect_openai,
    dialect_ead;

/* By name, or NULL. */
const struct dialect *dialect_find(const char *name, size_t n);
/* Dialect i; NULL behind the last. */
const struct dialect *dialect_at(size_t i);

/* ---- for the dialects ---------------------------------------------------------------------- */

/* One of the most probable tokens in the place of the token that follows, in any order and with
 * the token itself among them or not. ST_FORMAT where its id is none of the vocabulary or there
 * already, or its probability is none. */
MUST_USE enum status reader_found(struct reader *r, int32_t id, float log_prob, struct err *err);
/* A token, behind all that was found in its place: sorts those, takes as many as were asked for,
 * hands it out. log_prob is NaN where it is not known. */
MUST_USE enum status reader_token(struct reader *r, int32_t id, float log_prob, struct err *err);
/* The same of a token whose statistics a server of our own tells exactly; what was found is all
 * that is known of its place beside them. */
MUST_USE enum status reader_exact(struct reader *r, int32_t id, float log_prob,
                                  const ead_stats *stats, struct err *err);
/* The given token that is next, which it was asked about: its id; below 0: there is none. */
int32_t reader_given(const struct reader *r);
/* Tokens that were handed out and not given. */
int reader_written(const struct reader *r);
/* Of all tokens the one that is handed out next is the rank-th most probable. */
void reader_rank(struct reader *r, int rank);
/* What a server says of an error, wherever it stands in JSON; NULL: nothing. */
const char *dialect_error(const json_t *answer);

#endif
