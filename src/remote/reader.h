/*
 * Reads what a server answers, whatever its dialect: bytes in, tokens out, each with its id and the
 * most probable tokens in its place. It trusts nothing: ids are of the vocabulary, probabilities
 * are some, and what is not is an error after the last token that was good. Half an event counts
 * for nothing.
 */
#ifndef EAD_REMOTE_READER_H
#define EAD_REMOTE_READER_H

#include "base/status.h"
#include "engine/distribution.h"
#include "net/sse.h"

#include <stdbool.h>
#include <stdint.h>

struct dialect;
struct pieces;

/* A token that a server wrote. */
struct remote_token {
    int32_t id;
    float log_prob;           /* ln p; NaN when not known */
    int rank;                 /* among all tokens, from 1 on; 0: not told */
    struct distribution dist; /* it was drawn from: its n is the vocabulary's, `top` lies in the
                               * reader until the next token. Where none were asked for and the
                               * server tells no statistics, they are NaN */
};

/* Why a server stopped. */
enum finish {
    FINISH_NONE,   /* it has not */
    FINISH_STOP,   /* the model ended its text, by the last token told of or one that was not */
    FINISH_LENGTH, /* as many tokens as asked for, or no more room in its context */
    FINISH_ABORT   /* it was told to */
};

struct reader {
    const struct dialect *dialect;
    const struct pieces *pieces; /* of the vocabulary; for dialects without ids, otherwise NULL */
    int n_vocab;
    int top; /* most probable tokens that were asked for; fewer are an error. n_vocab: all, and
              * ids behind it are padding. 0: none */
    int max_tokens;       /* that were asked for; more are an error. 0: not known */
    const int32_t *given; /* [n_given] tokens it was asked about: they are told first, and others in
                           * their place are an error */
    int n_given;
    /* Takes a token; false: it wants no more, and nothing more is read. */
    bool (*take)(void *context, const struct remote_token *token);
    void *context;

    struct sse sse;
    struct candidate *found; /* [n_found] of n_found_max: what is told of the token under way */
    uint64_t *seen;          /* [n_vocab] bits: which ids are among them */
    int n_found, n_found_max;
    int rank;   /* as in remote_token, of the token under way */
    int n;      /* tokens handed out */
    int n_lost; /* tokens behind those that the server wrote and did not tell of: only
                 * their number is known, and reading ends at them */
    enum finish finish;
    int cached_tokens, prompt_tokens; /* -1: not told */
    bool over;                        /* the last event has come: what follows is passed over */
    bool enough;                      /* `take` wanted no more */
    enum status failed;               /* not ST_OK: nothing more is read */
};

/* Everything before `sse` stays; the rest begins at zero or unknown. */
void reader_init(struct reader *r);
void reader_deinit(struct reader *r);

/* A piece of a stream, cut anywhere. ST_FORMAT: garbage, or too long; ST_IO: the server says that
 * it failed, in its words; ST_MEMORY. Tokens before it have been handed out, and every later call
 * fails too. Nothing is read once it rests. */
MUST_USE enum status reader_feed(struct reader *r, const char *bytes, size_t n, struct err *err);
/* Nothing more will be read, whatever comes: it is over, enough, failed or has lost tokens. */
bool reader_rests(const struct reader *r);
/* The stream is at its end. ST_IO where it broke off: no reason to stop had come, and `take` wanted
 * more. ST_FORMAT where it lost tokens (n_lost), or did not tell of all that were given.
 */
MUST_USE enum status reader_end(struct reader *r, struct err *err);
/* An answer that is no stream, from its beginning to its end: fails like both of those. */
MUST_USE enum status reader_whole(struct reader *r, const char *bytes, size_t n, struct err *err);

#endif
