/* How the commands that compute open a model: the options they share for it, and the opening. */
#ifndef EAD_CLI_OPENING_H
#define EAD_CLI_OPENING_H

#include "cli/args.h"
#include "ead.h"

/* Filled by args_parse; all zero by default. */
struct opening {
    bool no_repack;
};

extern const char opening_no_repack_help[];

/* The rows of an option table that fill `opening`. */
#define OPENING_ARGS(opening)                                                                      \
    {                                                                                              \
        .kind = ARG_FLAG, .name = "no-repack", .out = &(opening).no_repack,                        \
        .help = opening_no_repack_help                                                             \
    }

/* Open a model; EXIT_FAIL after saying why. */
int opening_model(const struct opening *o, const char *path, ead_model **out);

#endif
