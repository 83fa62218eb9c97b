#include "model/model.h"

#include "base/team.h"
#include "model/repack.h"

#include <stdlib.h>

static enum status repack(struct model *m, struct err *err)
{
    if (!kern_best()->packed.matmul) return ST_OK;
    TRY(repack_weights(&m->weights, m->config.n_layer, team_default_threads(), err));
    gguf_release(m->gguf);
    return ST_OK;
}

static enum status open_parts(struct model *m, const struct model_options *o, struct err *err)
{
    if (!o->vocab_only) {
        TRY(config_read(m->gguf, &m->config, err));
        TRY(weights_bind(m->gguf, &m->config, &m->weights, err));
        gguf_read_ahead(m->gguf);
        m->has_weights = true;
    }
    TRY(vocab_open(m->gguf, &m->vocab, err));
    if (!m->has_weights) return ST_OK;
    if (m->weights.n_vocab < vocab_size(m->vocab))
        return err_set(
            err, ST_FORMAT,
            "tensor token_embd.weight: expected at least %d rows, one per token, found %d",
            vocab_size(m->vocab), m->weights.n_vocab);
    return o->no_repack ? ST_OK : repack(m, err);
}

enum status model_open(const char *path, const struct model_options *options, struct model **out,
                       struct err *err)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m) return err_set(err, ST_MEMORY, "%s: cannot hold the model's description", path);
    enum status st = gguf_open(path, &m->gguf, err);
    if (st == ST_OK) {
        st = open_parts(m, options, err);
        if (st != ST_OK) err_prefix(err, st, path);
    }
    if (st != ST_OK) {
        model_close(m);
        return st;
    }
    *out = m;
    return ST_OK;
}

void model_close(struct model *m)
{
    if (!m) return;
    weights_deinit(&m->weights);
    vocab_close(m->vocab);
    gguf_close(m->gguf);
    free(m);
}
