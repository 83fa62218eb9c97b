/* How the commands that compute open a model: the options they share for it, and the opening. */
#ifndef EAD_CLI_OPENING_H
#define EAD_CLI_OPENING_H

#include "cli/args.h"
#include "ead.h"

/* Filled by args_parse; all zero by default. */
struct opening {
    const char *pack_cache;
};

extern const char opening_pack_cache_help[];

/* The rows of an option table that fill `opening`. */
/* clang-format off */
#define OPENING_ARGS(opening)                                                                      \
    {.kind = ARG_TEXT,                                                                             \
     .name = "pack-cache",                                                                         \
     .value = "DIR",                                                                               \
     .out = &(opening).pack_cache,                                                                 \
     .help = opening_pack_cache_help}
/* clang-format on */

/* Open a model; EXIT_FAIL after saying why. A cache that cannot be written is only said, and so is
 * what the file says wrongly. */
int opening_model(const struct opening *o, const char *path, ead_model **out);
/* The same for its vocabulary alone. */
int opening_vocab(const char *path, ead_model **out);

#endif
