#include "model/model.h"

#include "base/team.h"
#include "model/packfile.h"
#include "model/repack.h"

#include <stdlib.h>

static enum status open_weights(struct model *m, struct err *err)
{
    TRY(config_read(m->gguf, &m->config, err));
    TRY(weights_bind(m->gguf, &m->config, &m->weights, err));
    m->has_weights = true;
    return ST_OK;
}

static enum status open_vocab(struct model *m, struct err *err)
{
    TRY(vocab_open(m->gguf, &m->vocab, err));
    if (m->has_weights && m->weights.n_vocab < vocab_size(m->vocab))
        return err_set(
            err, ST_FORMAT,
            "tensor token_embd.weight: expected at least %d rows, one per token, found %d",
            vocab_size(m->vocab), m->weights.n_vocab);
    return ST_OK;
}

/* Take the weights from the file in the cache if they are there; *out is NULL where there can be no
 * such file. */
static void look_up(struct model *m, const char *cache, struct packfile **out)
{
    *out = NULL;
    if (packfile_open(cache, m->gguf, &m->weights, out, &m->pack_fault) != ST_OK)
        m->pack = MODEL_PACK_UNWRITTEN;
    else if (packfile_map(*out, &m->weights))
        m->pack = MODEL_PACK_MAPPED;
}

/* Where memory has no room for the panels, the file still may: it is written, and mapped. */
static enum status repack_in_file(struct model *m, const struct packfile *file, struct err *err)
{
    if (packfile_write(file, &m->weights, &m->pack_fault) != ST_OK)
        return err_set(err, ST_MEMORY, "no memory for the packed weights, and no file: %.900s",
                       m->pack_fault.message);
    if (!packfile_map(file, &m->weights))
        return err_memory(err, "the file of packed weights to be mapped");
    gguf_release(m->gguf);
    m->pack = MODEL_PACK_MAPPED;
    return ST_OK;
}

static enum status repack(struct model *m, const struct packfile *file, int threads,
                          struct err *err)
{
    enum status st = repack_weights(&m->weights, threads, err);
    if (st == ST_MEMORY && file) return repack_in_file(m, file, err);
    TRY(st);
    gguf_release(m->gguf);
    if (!file) return ST_OK;
    st = packfile_write(file, &m->weights, &m->pack_fault);
    m->pack = st == ST_OK ? MODEL_PACK_WRITTEN : MODEL_PACK_UNWRITTEN;
    return ST_OK;
}

static enum status open_parts(struct model *m, const struct model_options *o, struct err *err)
{
    struct packfile *file = NULL;
    if (o->vocab_only) return open_vocab(m, err);
    TRY(open_weights(m, err));
    const bool packs = kern_best()->panels;
    if (packs && o->pack_cache) look_up(m, o->pack_cache, &file);
    if (!m->weights.packed) gguf_read_ahead(m->gguf);
    enum status st = open_vocab(m, err);
    if (st == ST_OK && packs && !m->weights.packed)
        st = repack(m, file, o->threads ? o->threads : team_default_threads(), err);
    packfile_close(file);
    return st;
}

enum status model_open(const char *path, const struct model_options *options, struct model **out,
                       struct err *err)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m) return err_memory(err, "the description of %s", path);
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

int model_n_vocab(const struct model *m)
{
    const int real = vocab_real_size(m->vocab);
    return m->has_weights && m->weights.n_logits < real ? m->weights.n_logits : real;
}

void model_close(struct model *m)
{
    if (!m) return;
    weights_deinit(&m->weights);
    vocab_close(m->vocab);
    gguf_close(m->gguf);
    free(m);
}
