/*
 * The forward pass: rows in, logits out. A row is a token at a position of a sequence; decoding is
 * one row, a prompt or a catch-up is many, several users are rows of several sequences. This is the
 * only place that knows how a transformer works; attention.c and ffn.c know its two sublayers.
 *
 * A pass is cut into slices: rows that walk all layers together, before the next slice does. Every
 * thread of the team walks the same function, phase by phase, and reads what phases or the caller
 * change only while it holds a block of items: it may be late (base/team.h). Nothing is allocated
 * here: scratch is carved when the owner opens.
 *
 * Sources: Vaswani et al. 2017 (attention); Zhang & Sennrich 2019 (RMSNorm); Su et al. 2021 (rotary
 * embedding); Shazeer 2020 (SwiGLU); Ainslie et al. 2023 (grouped queries).
 */
#ifndef EAD_MODEL_FORWARD_H
#define EAD_MODEL_FORWARD_H

#include "base/pace.h"
#include "base/team.h"
#include "kern/kern.h"
#include "model/config.h"
#include "model/kv.h"
#include "model/row.h"
#include "model/weights.h"

enum { FORWARD_PACES = 16 };

/* Scratch of a mixture (mixture.h): a pair is a row and one of its experts, P = R * n_expert_used
 * of them; T threads multiply up to M rows each. */
struct mixture_scratch {
    float *logits;     /* [R][n_expert] of the router */
    int *expert;       /* [P] of each row, the most probable first */
    float *weight;     /* [P] theirs */
    int *pair;         /* [P] where they stand in the order of experts */
    int *first;        /* [n_expert + 1] where pairs of an expert begin, in the order of experts */
    int *active;       /* [n_expert] experts that have pairs */
    int n_active;      /* of them */
    int *row;          /* [P] of pairs in the order of experts */
    float *y;          /* [P][d_model] what the experts make of them, in that order */
    float *x;          /* [T][M][d_model] rows gathered */
    struct kern_q8 q8; /* [T][M][d_model] the same in 8 bits */
};

/* Scratch of a slice of at most R rows, which are max_rows or fewer (forward.c); widths rounded up
 * to whole cache lines. */
struct forward {
    const struct config *config;
    const struct weights *weights;
    const struct kern *kern;
    struct kv *kv;
    struct team team;
    int max_rows;

    float *x;             /* [R][d_model] the residual stream */
    float *h;             /* [R][d_model] normed input of a matrix product */
    float *y;             /* [R][d_model] what a sublayer adds to the stream */
    float *q, *k, *v;     /* [R][q_dim], [R][kv_dim], [R][kv_dim] */
    float *att;           /* [R][q_dim] heads' outputs side by side */
    float *gate, *up;     /* [R][d_ff]; in a mixture [P][d_ff] */
    struct kern_q8 q8;    /* [R][widest input] activations in 8 bits */
    struct kern_q8 q8_ff; /* [R][d_ff] gated ones; in a mixture q8 has them, too */
    float *cos[CONFIG_KINDS], *sin[CONFIG_KINDS]; /* [R][n_rot/2] for each kind of layer */
    float *scratch;                               /* [threads][attention of a run] */
    int *runs; /* [R + 1] where runs of rows that attend together begin; then the end */
    struct mixture_scratch mixture; /* where the model is one */
    int *wanted;                    /* [R] rows whose logits are asked for, in order */

    struct pace pace[FORWARD_PACES]; /* of slices of 1 row, 2, 4, 8 and so on */
};

/* Multiply-adds of a slice: with fewer than `alone` the caller does it by itself, with `shared` and
 * more the team does, and in between the faster is found by trying. Tests set both to
 * zero, so that tiny models are shared. */
struct forward_sharing {
    double alone, shared;
};
extern struct forward_sharing forward_sharing;

/* Carve the scratch (once measuring, once for real). The other members must be set. */
void forward_carve(struct forward *f, struct arena *arena);

/*
 * Evaluate n rows (1 <= n <= max_rows) and append them to their sequences. Rows of one sequence
 * must stand in order and start at its length; the caller has checked tokens, positions, room, and
 * that at most max_logits rows want logits. logits [wanted][n_logits] are written in the order of
 * rows.
 */
void forward_eval(struct forward *f, const struct row *rows, int n, float *logits);

#endif
