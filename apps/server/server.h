/*
 * The server: an HTTP thread that never works, a few workers that read requests, one scheduler that
 * writes all texts. It listens from server_open on, and says that it is loading; server_serve hands
 * it the models.
 */
#ifndef EAD_SERVER_SERVER_H
#define EAD_SERVER_SERVER_H

#include "base/status.h"
#include "ead.h"
#include "server/guard.h"

struct server;

enum {
    SERVER_BODY_MAX = 8 << 20,     /* bytes of a request's body; */
    SERVER_BODIES_MAX = 256 << 20, /* of all bodies at once */
    SERVER_HEAD_MAX = 32 << 10,    /* of a request's line and headers */
    SERVER_CHOICES_MAX = 128,      /* texts of one request */
    SERVER_ARRIVE_SECONDS = 2,     /* that an end waits for bodies on their way, */
    SERVER_SEND_MS = 1000          /* and one at once for what can be sent */
};

struct server_options {
    const char *host;               /* a name or an address */
    int port;                       /* 0: any that is free */
    struct guard guard;             /* what it points at is borrowed */
    const char *tls_cert, *tls_key; /* PEM texts; both or none */
    int connections;                /* at once */
    int idle_seconds;               /* without a byte either way before a connection is closed */
    int move_seconds;               /* for a request to arrive whole, or an answer to be taken */
};

/* What is served. Everything is borrowed. */
struct server_models {
    const ead_model *models[EAD_WRITERS]; /* one may be NULL */
    const char *names[EAD_WRITERS];       /* of their files, without folders */
    const ead_template *chat;             /* NULL: there is none */
    const char *variables;                /* of templates: JSON, or NULL */
    const char *now;                      /* NULL: the clock */
    ead_duo_options duo; /* defaults of policy and sampler, and what the batch is opened with */
    int slots;           /* texts that are read or written at once */
    int kept;            /* further texts that are kept for their prefixes */
    int queue;           /* requests that may wait for a slot */
};

MUST_USE enum status server_open(const struct server_options *options, struct server **out,
                                 struct err *err);
/* The port it listens on. */
int server_port(const struct server *s);
/* Open the batch and answer requests from now on. */
MUST_USE enum status server_serve(struct server *s, const struct server_models *models,
                                  struct err *err);
/* Take no more requests for text; /health says so. */
void server_drain(struct server *s);
/* Are all requests answered, and the answers sent? Those whose bodies are still on their way count
 * for SERVER_ARRIVE_SECONDS from server_drain on, since nobody tells whether they will come. */
bool server_is_idle(struct server *s);
/* Stop at once: what is not answered ends with an error. */
void server_close(struct server *s);

#endif
