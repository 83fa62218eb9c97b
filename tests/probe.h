/*
 * Take bytes through everything that opening a model does, and if all of it agrees, evaluate two
 * rows: what mutation tests and the fuzzer do with hostile files.
 */
#ifndef EAD_TESTS_PROBE_H
#define EAD_TESTS_PROBE_H

#include "engine/local.h"
#include "format/gguf.h"
#include "model/model.h"
#include "model/repack.h"
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

enum probe_stage { PROBE_GGUF, PROBE_CONFIG, PROBE_WEIGHTS, PROBE_VOCAB, PROBE_EVAL, PROBE_DONE };

/* Read every element of a value, as a program that lists them does. */
static inline double probe_value(const struct gguf_kv *kv)
{
    double sum = 0;
    const uint8_t *at = kv->value;
    for (uint64_t k = 0; k < kv->count; k++) {
        if (kv->elem == GGUF_STRING) {
            sum += (double)gguf_next_str(&at).n;
        } else if (kv->elem == GGUF_ARRAY) {
            const struct gguf_kv inner = gguf_next_array(&at);
            sum += probe_value(&inner);
        } else {
            sum += (double)(gguf_i64_at(kv, k) & 1) + (gguf_f64_at(kv, k) > 0);
        }
    }
    return sum;
}

static inline double probe_values(const struct gguf *g)
{
    double sum = 0;
    for (size_t i = 0; i < gguf_kv_count(g); i++) sum += probe_value(gguf_kv_at(g, i));
    return sum;
}

static inline enum status probe_text(const struct vocab *v, struct err *err)
{
    static const char text[] = "the stone <s> sank\n\xe2\x96\x81 in \xff";
    struct ids ids = {0};
    enum status st = vocab_encode(v, text, sizeof text - 1, VOCAB_BOS | VOCAB_SPECIAL, &ids, err);
    size_t bytes = 0, n;
    for (size_t i = 0; st == ST_OK && i < ids.n; i++) {
        (void)vocab_piece(v, ids.id[i], &n);
        bytes += n;
    }
    ids_deinit(&ids);
    return bytes < (size_t)1 << 40 ? st : ST_FORMAT;
}

static inline enum status probe_eval(const struct model *m, const struct kern *kern,
                                     struct err *err)
{
    const struct local_options options = {
        .kern = kern, .threads = 1, .n_ctx = 2, .max_rows = 2, .max_logits = 2};
    const struct row rows[] = {{0, 0, 0, true}, {0, 1, m->weights.n_vocab - 1, true}};
    struct engine *e = NULL;
    struct distribution d;
    TRY(local_open(m, &options, &e, err));
    enum status st = engine_submit(e, rows, 2, err);
    for (int i = 0; i < 2 && st == ST_OK; i++) st = local_distribution(e, i, &d, err);
    engine_close(e);
    return st;
}

static inline enum status probe_model(struct model *m, const struct kern *kern,
                                      enum probe_stage *stage, struct err *err)
{
    (void)probe_values(m->gguf);
    *stage = PROBE_CONFIG;
    TRY(config_read(m->gguf, &m->config, err));
    *stage = PROBE_WEIGHTS;
    TRY(weights_bind(m->gguf, &m->config, &m->weights, err));
    TRY(repack_weights(&m->weights, 1, err));
    m->has_weights = true;
    *stage = PROBE_VOCAB;
    TRY(vocab_open(m->gguf, &m->vocab, err));
    TRY(probe_text(m->vocab, err));
    if (m->weights.n_vocab < vocab_size(m->vocab))
        return err_set(err, ST_FORMAT, "token_embd.weight: too few rows");
    *stage = PROBE_EVAL;
    TRY(probe_eval(m, kern, err));
    *stage = PROBE_DONE;
    return ST_OK;
}

/* Without weights, as a tokenizer opens a file. */
static inline void probe_vocab(const struct gguf *g)
{
    struct vocab *v = NULL;
    if (vocab_open(g, &v, NULL) != ST_OK) return;
    (void)probe_text(v, NULL);
    vocab_close(v);
}

/* *stage is where it ended; the bytes should be an exact allocation, so that sanitizers see their
 * end. */
static inline enum status probe(const void *data, size_t n, const struct kern *kern,
                                enum probe_stage *stage, struct err *err)
{
    struct model m = {0};
    *stage = PROBE_GGUF;
    TRY(gguf_open_memory(data, n, &m.gguf, err));
    enum status st = probe_model(&m, kern, stage, err);
    if (*stage < PROBE_VOCAB) probe_vocab(m.gguf);
    weights_deinit(&m.weights);
    vocab_close(m.vocab);
    gguf_close(m.gguf);
    return st;
}

#endif
