/*
 * The tensors of a model, found by the names in its architecture's tables (arch.h), checked against
 * the config, and bound as views into the mapped file. Vectors (norms, biases, rope factors) are
 * small and are copied out as floats.
 *
 * A file with a tensor that its architecture does not have is refused: computing without it would
 * give fluent nonsense.
 */
#ifndef EAD_MODEL_WEIGHTS_H
#define EAD_MODEL_WEIGHTS_H

#include "base/arena.h"
#include "kern/kern.h"
#include "model/config.h"

#include <stdbool.h>

/* A product: outputs [rows] = scale * (w x) + bias. */
struct linear {
    struct kern_weight w;
    const float *scale, *bias; /* [1], [rows]; NULL: none */
};

/* The feed-forwards of a mixture: of each stack the first expert's matrix; weights_in_stack has the
 * others. */
struct experts {
    struct kern_weight gate, up; /* [d_ff][d_model] */
    struct kern_weight down;     /* [d_model][d_ff] */
};

/* Shapes in [outputs][inputs]; vectors that a model lacks are NULL. */
struct layer {
    const float *attn_norm;                /* [d_model] of the input of attention */
    struct linear q, k, v;                 /* [q_dim], [kv_dim], [kv_dim] x [d_model] */
    const float *q_bias, *k_bias, *v_bias; /* theirs, added before heads rotate */
    const float *q_norm, *k_norm;          /* [head_dim], or of all heads */
    struct linear o;                       /* [d_model][q_dim] */
    const float *attn_post_norm;           /* [d_model] of what attention adds to the stream */
    const float *ffn_norm;                 /* [d_model] of the input of the feed-forward */
    struct linear gate, up;                /* [d_ff][d_model] */
    struct linear down;                    /* [d_model][d_ff] */
    struct linear router;                  /* [n_expert][d_model] */
    struct experts experts;                /* in place of gate, up and down */
    const float *ffn_post_norm;            /* [d_model] of what it adds to the stream */
};

/* Where a matrix stands, or the first of a stack of them: matrices of one shape and type that lie
 * one behind the other, in the file as in panels. */
struct weights_place {
    int layer; /* -1: in no layer */
    size_t at; /* of its struct kern_weight in struct layer, or in struct weights */
    int n;     /* of the stack */
};

struct weights {
    int n_vocab;              /* rows of the embedding, which may be padded beyond the vocabulary */
    int n_logits;             /* rows of the output: as many, or fewer */
    struct kern_weight embed; /* [n_vocab][d_model] */
    struct linear output;     /* [n_logits][d_model]; the embedding itself when tied */
    const float *output_norm; /* [d_model] */
    const float *rope_factors;               /* [n_rot/2] divisors of the angle, or NULL */
    const double *frequencies[CONFIG_KINDS]; /* [n_rot/2] of each kind of layer (rope.h) */
    struct layer *layers;                    /* [n_layer] */
    int n_matrices;                          /* that are multiplied: all but the embedding */
    struct weights_place *matrices;          /* in the order in which their panels lie */
    bool packed;                             /* every one of them */
    struct arena arena;                      /* owns layers, matrices and every vector */
    struct arena panels; /* owns what is packed; maybe the mapping of a file (packfile.h) */
    uint64_t n_params;   /* weights in all tensors of the file */
    uint64_t n_active;   /* those that a token passes: of a mixture without the experts that idle */
};

/* Views borrow from `g`, which must outlive them. The error names the tensor and both shapes. */
MUST_USE enum status weights_bind(const struct gguf *g, const struct config *c, struct weights *out,
                                  struct err *err);
void weights_deinit(struct weights *w);

/* One of those that are multiplied; i from 0. */
struct kern_weight *weights_matrix(struct weights *w, int i);

/* Matrix i of the stack that begins with `first`. */
struct kern_weight weights_in_stack(const struct kern_weight *first, int i);

#endif
