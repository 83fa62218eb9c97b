/* What a run is recognised by: run.json. Runs that agree in it have the same results; neither the
 * machine nor how many problems share a pass is in it. A model behind an API is its address: what
 * answers there is not to be changed within a run. */
#ifndef EAD_EVAL_IDENTITY_H
#define EAD_EVAL_IDENTITY_H

#include "eval/runner.h"

#include <jansson.h>

struct identity {
    const struct runner_options *options;
    size_t n_problems; /* of the sample */
    const char *shape; /* of the prompt, with {problem} in it */
    const char *cpu;   /* the level in force */
    int n_ctx;
};

/* *out is to be released. EAD_IO when a model file cannot be read again. */
ead_status identity_make(const struct identity *identity, json_t **out, ead_error *error);

#endif
