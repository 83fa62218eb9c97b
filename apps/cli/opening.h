/* How the commands that compute open a model: the options they share for it, and the opening. */
#ifndef EAD_CLI_OPENING_H
#define EAD_CLI_OPENING_H

#include "cli/args.h"
#include "ead.h"

/* Filled by args_parse; all zero by default. What follows pack_cache is for models behind an API.
 */
struct opening {
    const char *pack_cache;
    const char *vocab, *large_key, *small_key, *ca_file; /* keys: names of variables */
    double connect, first, between, pause;               /* seconds */
    double large_params, small_params;
    int retries, top, connections;
    bool retries_given;
};

extern const char opening_pack_cache_help[], opening_address_help[], opening_vocab_help[],
    opening_top_help[];

/* The rows of an option table that fill `opening`. */
/* clang-format off */
#define OPENING_ARGS(opening)                                                                      \
    {.kind = ARG_TEXT,                                                                             \
     .name = "pack-cache",                                                                         \
     .value = "DIR",                                                                               \
     .out = &(opening).pack_cache,                                                                 \
     .help = opening_pack_cache_help}
/* The rows for models behind an API. */
#define OPENING_REMOTE_ARGS(opening)                                                               \
    {.kind = ARG_HEADING, .help = opening_address_help},                                           \
    {.kind = ARG_TEXT, .name = "vocab", .value = "FILE", .out = &(opening).vocab,                  \
     .help = opening_vocab_help},                                                                  \
    {.kind = ARG_TEXT, .name = "large-key-env", .value = "NAME", .out = &(opening).large_key,      \
     .help = "the variable of the environment that holds the large model's key"},                  \
    {.kind = ARG_TEXT, .name = "small-key-env", .value = "NAME", .out = &(opening).small_key,      \
     .help = "the same for the small model's"},                                                    \
    {.kind = ARG_TEXT, .name = "ca-cert", .value = "FILE", .out = &(opening).ca_file,              \
     .help = "trust these certificates (PEM) in place of the system's"},                           \
    {.kind = ARG_REAL, .name = "connect-timeout", .value = "S", .out = &(opening).connect,         \
     .low = 0.01, .high = 3600, .help = "seconds to connect in (default: 10)"},                    \
    {.kind = ARG_REAL, .name = "first-token-timeout", .value = "S", .out = &(opening).first,       \
     .low = 0.01, .high = 86400, .help = "seconds from a request to its first token (default: 300)"}, \
    {.kind = ARG_REAL, .name = "token-timeout", .value = "S", .out = &(opening).between,           \
     .low = 0.01, .high = 86400, .help = "seconds from token to token (default: 60)"},             \
    {.kind = ARG_INT, .name = "retries", .value = "N", .out = &(opening).retries, .min = 0,        \
     .max = 100, .given = &(opening).retries_given,                                                \
     .help = "how often in a row to try again what may pass (default: 5)"},                        \
    {.kind = ARG_REAL, .name = "retry-delay", .value = "S", .out = &(opening).pause, .low = 0.001,  \
     .high = 60, .help = "seconds before the first of them, then twice as long (default: 0.25)"},    \
    {.kind = ARG_INT, .name = "top-logprobs", .value = "N", .out = &(opening).top, .min = 1,       \
     .max = 256, .help = opening_top_help},                                                        \
    {.kind = ARG_INT, .name = "api-connections", .value = "N", .out = &(opening).connections,         \
     .min = 1, .max = 4096,                                                                        \
     .help = "connections to a server at a time at most (default: one for each text)"},            \
    {.kind = ARG_REAL, .name = "large-params", .value = "N", .out = &(opening).large_params,       \
     .low = 1, .high = 1e15,                                                                       \
     .help = "parameters of the large model, as 70e9: for the account of costs"},                  \
    {.kind = ARG_REAL, .name = "small-params", .value = "N", .out = &(opening).small_params,       \
     .low = 1, .high = 1e15, .help = "the same of the small model"}
/* clang-format on */

/* Open both models of a pair, either of which may be NULL or behind an API, and see whether they go
 * together. *vocab is to be closed after them. EXIT_FAIL after saying why. */
int opening_pair(const struct opening *o, const char *const paths[EAD_WRITERS],
                 ead_model *models[EAD_WRITERS], ead_model **vocab);

/* Open a model; EXIT_FAIL after saying why. A cache that cannot be written is only said, and so is
 * what the file says wrongly. */
int opening_model(const struct opening *o, const char *path, ead_model **out);
/* The same for its vocabulary alone. */
int opening_vocab(const char *path, ead_model **out);

#endif
