/*
 * Requests over HTTP, many at a time, by libcurl's multi interface: connections are kept and used
 * again, certificates are verified, redirections are not followed. Nothing here waits but
 * transport_turn; what comes is handed to the request's receiver during it.
 *
 * A transport is used by one thread at a time. From inside its receivers requests may be started
 * and cancelled, and nothing else. The key goes into a header only, and into no message: where a
 * server that refuses a request says it back, stars stand in its place.
 */
#ifndef EAD_NET_TRANSPORT_H
#define EAD_NET_TRANSPORT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct transport;
struct transfer;

enum { ANSWER_BODY_MAX = 64 << 20, ANSWER_TYPE_MAX = 128, ANSWER_LINK_MAX = 4096 };

struct transport_options {
    const char *key;     /* sent as a bearer token; NULL: none. Copied */
    const char *ca_file; /* certificates to trust (PEM); NULL: those of the system */
    int connect_ms;      /* to connect, TLS included; 0: TRANSPORT_CONNECT_MS */
    int connections;     /* kept and open at most; a request beyond waits; 0: no bound */
};
enum { TRANSPORT_CONNECT_MS = 10000 };

struct request {
    const char *url;  /* whole, http:// or https://, without user and password. Messages show it up
                       * to a query */
    const char *body; /* JSON to post, of `bytes` bytes, borrowed until it is over; NULL: GET */
    size_t bytes;
    size_t body_max;   /* of the answer's body that is kept; 0: 1 MiB */
    double seconds;    /* that it may take in all; 0: as long as it likes */
    const char *range; /* bytes asked for, as "1024-"; NULL: all */
    bool streams;      /* an answer with status 200 (or 206) goes to the receiver piece by piece,
                        * whatever its type is where `range` is set, and otherwise as
                        * text/event-stream */
};

/* How a request ended. */
struct answer {
    enum status code; /* ST_OK: the answer is whole, whatever its status; ST_IO: there is none, or
                       * it broke off; ST_MEMORY */
    bool connected;   /* the server had been reached: it may have seen the request */
    bool untrusted;   /* of ST_IO: its certificate is none that is trusted */
    const char *why;  /* of ST_IO and ST_MEMORY, a sentence that begins with the address */
    long status;      /* HTTP's; 0: none came */
    long retry_after_ms; /* 0: none named. Retry-After in seconds or as a date, Retry-After-Ms; a
                          * day at most */
    char type[ANSWER_TYPE_MAX]; /* of the content */
    char link[ANSWER_LINK_MAX]; /* where a redirection leads; "": nowhere, or too far to say */
    int64_t length;             /* of the content as the server told it; -1: not told */
    const struct buf *body;     /* what did not go to `take`, ended by a NUL that is not counted;
                                 * its data is NULL where nothing came */
    bool cut;                   /* there was more of it than body_max: the rest was not read */
};

struct receiver {
    void *context;
    /* NULL, or told of a streamed answer before its first piece: status, type and length are known
     * (whether a range is one). False ends the request as in `take`. */
    bool (*begin)(void *context, const struct answer *head);
    /* A piece of a streamed answer; false ends the request: `over` is called with ST_OK. */
    bool (*take)(void *context, const char *bytes, size_t n);
    /* Once, unless it is cancelled; it may start others, and may not cancel this one. The answer
     * lasts as long as the call, and so does the transfer. */
    void (*over)(void *context, const struct answer *answer);
};

/* What has gone over the wire. */
struct transport_account {
    int64_t requests;            /* sent, or on their way */
    int64_t connections;         /* opened, by requests that are over */
    int64_t bytes_out, bytes_in; /* with heads, without TLS */
};

/* ST_ARG for a key that no header can hold. */
MUST_USE enum status transport_open(const struct transport_options *o, struct transport **out,
                                    struct err *err);
/* Cancels what is under way. */
void transport_close(struct transport *t);

/* Begin a request. It is not sent before the next turn. ST_ARG for an address or a range that
 * cannot be. */
MUST_USE enum status transport_start(struct transport *t, const struct request *q,
                                     const struct receiver *r, struct transfer **out,
                                     struct err *err);
/* End it without a word. Its connection closes, unless the answer had been whole. */
void transfer_cancel(struct transfer *x);

/* Has libcurl got it? It waits otherwise for one of the connections that there may be. */
bool transfer_is_sent(const struct transfer *x);

/* Go on with what is there, after waiting up to wait_ms for it: as soon as anything was handed to a
 * receiver it returns. Returns requests under way. */
int transport_turn(struct transport *t, int wait_ms);

struct transport_account transport_account(const struct transport *t);

/* ---- one request, waited for --------------------------------------------------------------- */

/* Asked every 100 ms or less while one waits; false gives up (ST_CANCELLED). */
typedef bool transport_patience(void *context);

/* Until it is over; others go on meanwhile. The answer's `why` and body are the transport's until
 * its next wait. `r` may be NULL, and its `over` is not called. ST_OK for an answer of any status.
 */
MUST_USE enum status transport_wait(struct transport *t, const struct request *q,
                                    const struct receiver *r, transport_patience *patience,
                                    void *context, struct answer *out, struct err *err);

/* ---- what to say of an answer that is not the one that was wanted --------------------------- */

/* ST_OK where the answer is whole, its status is 200 (or 206) and the type begins with `wanted`
 * (NULL: any). Otherwise a sentence that begins with `where` and in which the server's own words
 * stand: ST_ARG where it says that the request cannot be (400, 413), `why` where there is no
 * answer. */
MUST_USE enum status answer_check(const struct answer *a, const char *where, const char *wanted,
                                  struct err *err);

#endif
