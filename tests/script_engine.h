/*
 * An engine without a model: what follows a text is a hash of its last tokens and its length, so
 * that a test can compute every text by a loop of its own. It answers at once or late, in any
 * order, in full or with the most probable tokens, fails when it is told to, and aborts when its
 * user breaks a promise of engine/engine.h.
 */
#ifndef EAD_TESTS_SCRIPT_ENGINE_H
#define EAD_TESTS_SCRIPT_ENGINE_H

#include "engine/engine.h"
#include "model/model.h"

/* A model whose vocabulary such engines can have; to be closed by the caller. */
enum { SCRIPT_VOCAB = 38 };
struct model *script_names(void);

struct script_options {
    uint64_t seed;
    const struct vocab *vocab; /* borrowed */
    int n_vocab, n_ctx, n_seq, max_rows, max_logits;
    uint64_t kin;     /* a seed that is shared with another engine, whose logits these are like */
    float likeness;   /* by so much of 1; 0: not at all */
    const char *mute; /* why it tells nothing of given tokens; NULL: it does */
    bool tells_given; /* with `top`: beside the most probable also the token behind a row */
    bool late;        /* says that it is late, as one behind a wire does */
    int top;          /* tokens of an answer; 0: all, as logits */
    int delay;        /* calls of collect until a result is there, at most; 0: at once */
    int hidden;       /* one of so many results comes only to who waits; 0: none */
    int fault_every;  /* one of so many results is a fault; the next of its sequence is none */
    int fail_at;      /* the submit, counted from 1, that fails as a whole; 0: none */
    double busy;      /* seconds that a submit takes */
};

/* What it was given last. */
struct script_log {
    int submits; /* those that took their rows */
    int faults;
    int n;
    const struct row *rows; /* [n] */
    struct outlook outlook; /* that it was told last, of any sequence */
};

struct engine *script_open(const struct script_options *options);
const struct script_log *script_log(const struct engine *e);

/* What follows ids [n], n >= 1, into storage of n_vocab each. */
void script_distribution(const struct script_options *options, const int32_t *ids, int n,
                         float *logits, struct candidate *top, struct distribution *out);

#endif
