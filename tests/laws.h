/*
 * What any forward pass is held to: an independent computation (oracle.h), and laws that must hold
 * bit for bit however rows are grouped, threads counted and sequences interleaved. For every weight
 * type, cache type and kernel level of this machine.
 */
#ifndef EAD_TESTS_LAWS_H
#define EAD_TESTS_LAWS_H

#include "engine/local.h"
#include "tiny.h"

enum { LAWS_ROWS = 200, LAWS_SEQS = 3 }; /* of a pass; of an engine */

/* What an engine computes with: everything that its numbers may depend on. */
struct means {
    enum kern_level level;
    enum kern_cache cache;
};
/* A model, a text, and the logits that decoding it token by token gives on one thread. */
struct bench {
    struct tiny_spec spec;
    struct model *model;
    struct means means;
    int n, n_vocab;
    int32_t ids[LAWS_ROWS];
    float *expected; /* [n][n_vocab] */
    float *got;      /* the same size */
    char name[64];
};

struct engine *laws_open(const struct model *m, struct means means, int threads, int n_ctx);
/* Evaluate ids[from, to) of a sequence in one pass, all with logits, and keep these. */
void laws_eval(struct engine *e, int seq, const int32_t *ids, int from, int to, float *logits);

void bench_init(struct bench *b, const struct tiny_spec *spec, const struct tiny *t,
                struct means means, int n);
void bench_deinit(struct bench *b);
size_t bench_bytes(const struct bench *b, int n); /* of the logits of n positions */
/* Compare logits of positions [0, n), bit for bit. */
void bench_same_bits(const struct bench *b, int n, const char *law);

/* The oracle and all laws, for a text of n tokens. */
void laws_check(const struct tiny_spec *spec, int n);

#endif
