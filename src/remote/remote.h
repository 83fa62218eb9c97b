/*
 * Models behind an API. What is known of one is found out once (remote_open): who answers, its
 * context, and whether its tokens are those of a vocabulary at hand. An engine of it has the text's
 * ids and asks for what follows; the server's own cache of prefixes is what a KV cache is here.
 */
#ifndef EAD_REMOTE_REMOTE_H
#define EAD_REMOTE_REMOTE_H

#include "engine/engine.h"
#include "remote/wire.h"

struct remote_options {
    const char *key;          /* a bearer token; NULL: none */
    const char *ca_file;      /* NULL: the system's */
    int top;                  /* 0: the dialect's own choice */
    int connections;          /* at most; 0: no bound */
    int connect_ms;           /* 0: TRANSPORT_CONNECT_MS */
    struct patience patience; /* zeros: REMOTE_* */
    uint64_t n_active;        /* parameters that a token passes; 0: not known */
};

#define REMOTE_FIRST   300.0
#define REMOTE_BETWEEN 60.0
#define REMOTE_PAUSE   0.25
enum { REMOTE_RETRIES = 5, REMOTE_TOP_MAX = 256 };

struct remote;

/* `vocab`, of which ids below n_vocab can be written, is borrowed. ST_ARG for an address that is
 * none, or a server that means other tokens by its ids; ST_IO when it does not answer. */
MUST_USE enum status remote_open(const char *address, const struct vocab *vocab, int n_vocab,
                                 const struct remote_options *options, struct remote **out,
                                 struct err *err);
void remote_close(struct remote *r);

int remote_context(const struct remote *r); /* positions; 0: the server does not say */
const struct vocab *remote_vocab(const struct remote *r);
int remote_n_vocab(const struct remote *r);
uint64_t remote_n_active(const struct remote *r);
/* Sentence i about what the server does that its user should know; NULL after the last. */
const char *remote_note(const struct remote *r, size_t i);

struct remote_engine_options {
    int n_ctx, n_seq, max_rows;
};

/* `r` is borrowed; several threads may open engines of it. */
MUST_USE enum status remote_engine_open(struct remote *r, const struct remote_engine_options *o,
                                        struct engine **out, struct err *err);
/* What went to and fro; the engine is one of remote_engine_open. */
ead_wire remote_engine_account(const struct engine *e);

#endif
