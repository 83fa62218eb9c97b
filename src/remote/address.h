/*
 * The address of a model behind an API, where a file's path could stand:
 *     vllm+http://host:8000/v1#model
 * a dialect, an address of HTTP, and behind # the model's name there (none: the only one).
 */
#ifndef EAD_REMOTE_ADDRESS_H
#define EAD_REMOTE_ADDRESS_H

#include "base/status.h"

#include <stdbool.h>

enum { ADDRESS_URL_MAX = 1024, ADDRESS_MODEL_MAX = 256 };

struct dialect;

struct address {
    const struct dialect *dialect;
    char url[ADDRESS_URL_MAX];     /* as it may be shown: without user, password and fragment; no
                                    * slash at its end */
    char root[ADDRESS_URL_MAX];    /* the same without a /v1 at its end: servers have paths beside
                                    * it */
    char model[ADDRESS_MODEL_MAX]; /* "": none was named */
};

/* Does it look like one, whatever is wrong with it? DIALECT+http://... or +https://... */
bool address_is(const char *text);

/* ST_ARG names what cannot be: an unknown dialect with those there are, a user or password, a
 * query, an address that is none. */
MUST_USE enum status address_parse(const char *text, struct address *out, struct err *err);

#endif
