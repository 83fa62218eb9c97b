/*
 * An opened model file: mapping, config, vocabulary and weight views. Read-only after opening, so
 * any number of engines and threads may share it.
 */
#ifndef EAD_MODEL_MODEL_H
#define EAD_MODEL_MODEL_H

#include "model/config.h"
#include "model/weights.h"
#include "text/vocab.h"

/* What became of the wish to keep packed weights in a file (packfile.h). */
enum model_pack {
    MODEL_PACK_NONE, /* there was none, or nothing to pack */
    MODEL_PACK_MAPPED,
    MODEL_PACK_WRITTEN,
    MODEL_PACK_UNWRITTEN /* the weights are packed in memory alone, for the reason in pack_fault */
};

struct model {
    struct gguf *gguf;
    struct vocab *vocab;
    bool has_weights; /* false: opened for its vocabulary alone; config and weights are zero */
    struct config config;
    struct weights weights;
    enum model_pack pack;
    struct err pack_fault;
};

struct model_options {
    /* Look at neither config nor tensors, so that vocabularies without weights and models of other
     * architectures open too. */
    bool vocab_only;
    /* The folder of files of packed weights; NULL: they are packed at every opening, where this
     * machine's best kernels read panels (kern.h). No fault of it keeps a model from opening. */
    const char *pack_cache;
    int threads; /* that pack; 0: as many as this process may use */
};

/* The error names the file. */
MUST_USE enum status model_open(const char *path, const struct model_options *options,
                                struct model **out, struct err *err);
/* Tokens that can follow: without padding, and with logits. */
int model_n_vocab(const struct model *m);

void model_close(struct model *m);

#endif
