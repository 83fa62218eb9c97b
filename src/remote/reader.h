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
#include "text/vocab.h"

#include <jansson.h>

struct dialect;

/* A token that a server wrote. */
struct remote_token {
    int32_t id;
    float log_prob;           /* ln p; NaN when not known */
    struct distribution dist; /* it was drawn from: its n is the vocabulary's, `top` lies in the
                               * reader until the next token */
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
    const struct vocab *vocab; /* NULL: ids below n_vocab are all that is known */
    int n_vocab;
    int top; /* most probable tokens that were asked for; fewer are an error where more are needed
              */
    /* Takes a token; false: it wants no more, and nothing more is read. */
    bool (*take)(void *context, const struct remote_token *token);
    void *context;

    struct sse sse;
    struct candidate *found; /* [n_found_max] scratch */
    int n_found_max;
    int n;      /* tokens handed out */
    int n_lost; /* tokens behind those that the server wrote and did not tell of: only
                 * their number is known, and reading ends at them */
    enum finish finish;
    int cached_tokens, prompt_tokens; /* -1: not told */
    bool over;                        /* the last event has come: what follows is passed over */
    bool enough;                      /* `take` wanted no more */
    enum status failed;               /* not ST_OK: nothing more is read */
};

/* Everything but dialect, vocab, n_vocab, top, take and context begins at zero or unknown. */
void reader_init(struct reader *r);
void reader_deinit(struct reader *r);

/* A piece of a stream, cut anywhere. ST_FORMAT: garbage, or too long; ST_IO: the server says that
 * it failed, in its words; ST_MEMORY. Tokens before it have been handed out. */
MUST_USE enum status reader_feed(struct reader *r, const char *bytes, size_t n, struct err *err);
/* The stream is at its end. ST_IO where it broke off: neither a reason to stop had come nor the
 * last event. ST_FORMAT where it lost tokens (n_lost). */
MUST_USE enum status reader_end(struct reader *r, struct err *err);
/* An answer that is no stream. */
MUST_USE enum status reader_whole(struct reader *r, const char *bytes, size_t n, struct err *err);

#endif
