/*
 * The one server of a conversation, over net/transport.h: what is asked of it one thing at a time,
 * with patience, until Ctrl-C, which ends an answer by closing its connection.
 */
#ifndef EAD_CLI_REMOTE_H
#define EAD_CLI_REMOTE_H

#include "net/transport.h"

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

/* ST_IO when there is no whole answer or patience is over, ST_CANCELLED after Ctrl-C; an answer of
 * any status is one. *a lasts until the next request. */
MUST_USE enum status remote_get(struct remote *r, const char *path, struct answer *a,
                                struct err *err);
/* Takes a piece of a stream; false ends it. */
typedef bool remote_take(void *context, const char *bytes, size_t n);
/* Post a JSON body. What comes with status 200 as text/event-stream goes to `take`. */
MUST_USE enum status remote_stream(struct remote *r, const char *path, const char *body,
                                   remote_take *take, void *context, struct answer *a,
                                   struct err *err);
/* Patience begins anew: whoever takes a stream knows what in it is progress. */
void remote_progress(struct remote *r);

/* answer_check of what was asked of `path`, with the option that may help. */
MUST_USE enum status remote_check(const struct remote *r, const char *path, const struct answer *a,
                                  const char *wanted, struct err *err);

#endif
