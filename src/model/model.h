/*
 * An opened model file: mapping, config, vocabulary and weight views. Read-only after opening, so
 * any number of engines and threads may share it.
 */
#ifndef EAD_MODEL_MODEL_H
#define EAD_MODEL_MODEL_H

#include "model/config.h"
#include "model/weights.h"
#include "text/vocab.h"

struct model {
    struct gguf *gguf;
    struct vocab *vocab;
    bool has_weights; /* false: opened for its vocabulary alone; config and weights are zero */
    struct config config;
    struct weights weights;
};

struct model_options {
    /* Look at neither config nor tensors, so that vocabularies without weights and models of other
     * architectures open too. */
    bool vocab_only;
    /* Multiply weights as they lie in the file; otherwise they are packed, where this machine's
     * kernels want it. */
    bool no_repack;
};

/* The error names the file. */
MUST_USE enum status model_open(const char *path, const struct model_options *options,
                                struct model **out, struct err *err);
void model_close(struct model *m);

#endif
