/* What is served: the answer to GET /v1/models. */
#ifndef EAD_SERVER_LISTING_H
#define EAD_SERVER_LISTING_H

#include "server/server.h"

#include <jansson.h>

/* "ead" is always there; "large" and "small" are where there are two models or the one is. NULL
 * without memory. */
json_t *listing_build(const struct server_models *m, int n_ctx, int64_t since);

#endif
