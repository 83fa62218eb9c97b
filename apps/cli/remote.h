/*
 * One HTTP server, asked by libcurl: for something small, or for a stream. Certificates are
 * verified, redirections are not followed, and Ctrl-C ends an answer by closing its connection.
 */
#ifndef EAD_CLI_REMOTE_H
#define EAD_CLI_REMOTE_H

#include "base/buf.h"

#include <stdbool.h>

struct remote;

struct remote_options {
    const char *url;     /* http://host:port or https://...; without a path /v1 is meant */
    const char *key;     /* sent as a bearer token, and in no message; NULL: none */
    const char *ca_file; /* certificates to trust (PEM); NULL: those of the system */
    int patience;        /* seconds that may pass without progress */
};

/* ST_ARG for an address or a key that cannot be. */
MUST_USE enum status remote_open(const struct remote_options *o, struct remote **out,
                                 struct err *err);
void remote_close(struct remote *r);

/* The address that paths are appended to, as it may be shown. */
const char *remote_url(const struct remote *r);

enum { REMOTE_BODY_MAX = 1 << 20, REMOTE_TYPE_MAX = 128, REMOTE_LINK_MAX = 512 };

struct remote_answer {
    long status;
    long retry_after; /* seconds; 0: the server names none */
    char type[REMOTE_TYPE_MAX];
    char link[REMOTE_LINK_MAX]; /* where a redirection leads */
    struct buf body;            /* what was no stream, at most REMOTE_BODY_MAX bytes of it */
};
void remote_answer_deinit(struct remote_answer *a);

/* Takes a piece of a stream; false ends it. */
typedef bool remote_take(void *context, const char *bytes, size_t n);

/* ST_IO when there is no whole answer, ST_CANCELLED after Ctrl-C; an answer of any status is one.
 * *a is to be released in any case. */
MUST_USE enum status remote_get(struct remote *r, const char *path, struct remote_answer *a,
                                struct err *err);
/* Post a JSON body. What comes with status 200 as text/event-stream goes to `take`. */
MUST_USE enum status remote_stream(struct remote *r, const char *path, const char *body,
                                   remote_take *take, void *context, struct remote_answer *a,
                                   struct err *err);
/* Patience begins anew: whoever takes a stream knows what in it is progress. */
void remote_progress(struct remote *r);

/* ST_OK where the answer is what was wanted: status 200 and, of this type, `wanted`. Otherwise a
 * sentence about it, in which the server's own stands. */
MUST_USE enum status remote_check(const struct remote *r, const char *path,
                                  const struct remote_answer *a, const char *wanted,
                                  struct err *err);

#endif
