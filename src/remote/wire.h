/*
 * What the streams of one engine share: the connection, what is known of the server, patience, and
 * the account of what went to and fro.
 */
#ifndef EAD_REMOTE_WIRE_H
#define EAD_REMOTE_WIRE_H

#include "ead.h"
#include "net/transport.h"
#include "remote/address.h"
#include "remote/dialect.h"
#include "remote/pieces.h"

enum {
    WIRE_AHEAD = 32,    /* tokens asked for where the text may turn to the other model after each */
    WIRE_HELD_MAX = 256 /* tokens of one request at most, so that a server that does not notice that
                         * its client has left does not work for long */
};

#define WIRE_PAUSE_MAX 8.0

/* How long to wait, and how often to try again. */
struct patience {
    double first;   /* seconds from a request to its first token */
    double between; /* from token to token; comments are no tokens */
    int retries;    /* in a row, without a token between them */
    double pause; /* before the first of them; doubles from one to the next, up to WIRE_PAUSE_MAX */
};

struct wire {
    struct transport *transport; /* owned */
    /* What had gone over it before it was this wire's. */
    struct transport_account before;
    const struct address *address;
    struct server server;
    const struct pieces *pieces; /* borrowed; NULL where answers carry ids */
    struct patience patience;
    int top;          /* most probable tokens asked for */
    int32_t harmless; /* a token that stands alone: see want.force */
    ead_wire account;
    int32_t *scratch;         /* [n_ctx + WIRE_HELD_MAX] a prefix on its way out */
    uint64_t nonce;           /* of this engine among all clients */
    uint64_t serial;          /* of requests */
    bool bounded;             /* connections are counted */
    bool warming;             /* a connection is being opened for later */
    struct parting *partings; /* requests under way that nobody waits for */
};

enum { WIRE_URL_MAX = ADDRESS_URL_MAX + 128, WIRE_ID_MAX = 48 };

/* A name for the next request, which no other has, here or elsewhere, nor begins with. */
void wire_name(struct wire *w, char id[WIRE_ID_MAX]);

/* The request by a dialect's words, whose body is used up; *body is what is sent (NULL: nothing),
 * and is to be freed when it is over. ST_MEMORY. */
MUST_USE enum status wire_request(struct wire *w, struct post *post, char url[WIRE_URL_MAX],
                                  char **body, struct request *out, struct err *err);
struct wire_manner {
    bool streams;    /* the answer goes to the receiver piece by piece */
    double seconds;  /* that it may take in all; 0: as long as it likes */
    size_t body_max; /* of an answer that is no stream; 0: 1 MiB */
};

/* Post or get, by a dialect's words; *body is what is sent, and is to be freed when it is over.
 * ST_MEMORY. */
MUST_USE enum status wire_start(struct wire *w, struct post *post, const struct wire_manner *how,
                                const struct receiver *r, char **body, struct transfer **out,
                                struct err *err);

/* May a request with this answer succeed later? */
bool wire_may_pass(const struct answer *a);
/* Seconds to wait before the next of `attempts` + 1 tries, or below 0: there is none. after_ms:
 * what the server asks for. */
double wire_pause(const struct wire *w, int attempts, long after_ms);

/* Tell the server that a request is not wanted any longer, where its dialect has a word for it.
 * What comes of it is nobody's business. */
void wire_abort(struct wire *w, const char *request_id);

/* Closing a stream closes its connection: open another, so that the next request need not. Not
 * where connections are counted: it could be in the way. */
void wire_warm(struct wire *w);

/* Close the connection; what is under way is cancelled. */
void wire_deinit(struct wire *w);

/* What went over the wire so far. */
ead_wire wire_account(const struct wire *w);

#endif
