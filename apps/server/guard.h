/*
 * Who may ask. A web page of somebody else's must not reach a server on the user's own machine
 * through the user's browser: neither under a name that it had resolved to this address (DNS
 * rebinding; the Host header tells) nor from its own origin (the Origin header tells). Where keys
 * are set, each request for the API carries one.
 */
#ifndef EAD_SERVER_GUARD_H
#define EAD_SERVER_GUARD_H

#include "server/refusal.h"

#include <stddef.h>

struct guard {
    /* Names, beside addresses and "localhost", that a Host may be. */
    const char *const *names;
    size_t n_names;
    /* An origin that may read answers, beside the server's own; "*": any; "localhost": pages of
     * this machine, at any port; or NULL. */
    const char *cors;
    const char *const *keys; /* n_keys of them; none: no key is asked for */
    size_t n_keys;
};

/* A Host header; NULL where there was none. */
bool guard_host(const struct guard *g, const char *host, struct refusal *r);
/* An Origin header of a request to `host`; NULL where there was none, which is no browser's. */
bool guard_origin(const struct guard *g, const char *origin, const char *host, struct refusal *r);
/* May pages of this origin read the answer? */
bool guard_shares(const struct guard *g, const char *origin);
/* An Authorization header, or the key by itself as X-API-Key has it; each may be NULL. The time
 * that this takes tells nothing of the keys but their number and lengths. */
bool guard_key(const struct guard *g, const char *authorization, const char *bare,
               struct refusal *r);
/* A Content-Type header. */
bool guard_type(const char *type, struct refusal *r);

#endif
