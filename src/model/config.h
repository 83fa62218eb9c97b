/*
 * The shape of a decoder-only transformer, read from GGUF metadata and checked for consistency
 * before anything is computed from it. Key names: docs/gguf.md of the ggml project.
 */
#ifndef EAD_MODEL_CONFIG_H
#define EAD_MODEL_CONFIG_H

#include "base/status.h"
#include "format/gguf.h"
#include "model/arch.h"
#include "model/rope.h"

#include <stdbool.h>

/* Ceilings on a config: far above any real model, low enough that products of two fit an int. */
enum {
    CONFIG_LAYERS_MAX = 1024,
    CONFIG_DIM_MAX = 1 << 20,
    CONFIG_HEAD_DIM_MAX = 1024,
    CONFIG_CTX_MAX = 1 << 26,
    CONFIG_EXPERTS_MAX = 1024,
    CONFIG_EXPERTS_WIDE_MAX = 1 << 24 /* side by side */
};

/* Layers of one model differ in two kinds at most: they see all positions, or those of a window. */
enum config_kind { CONFIG_GLOBAL, CONFIG_LOCAL, CONFIG_KINDS };

struct config {
    const struct arch *arch;
    int n_layer, d_model;
    int n_block;                 /* of the file; some of them may be no layers of ours */
    int d_ff;                    /* of a mixture one expert's */
    int n_expert, n_expert_used; /* 0: the feed-forward is no mixture */
    int n_head, n_head_kv;       /* n_head is a multiple of n_head_kv */
    int head_dim; /* of q, k and v; d_model / n_head unless the file says otherwise */
    int n_rot;    /* leading dimensions of a head that rotate; even */
    int n_ctx_train;
    float rms_eps;
    float embed_scale;         /* of embeddings; 1 as a rule, like the next two */
    float residual_scale;      /* of what a sublayer adds */
    float logit_scale;         /* of what the output reads */
    float attn_scale;          /* of scores; 1/sqrt(head_dim) as a rule */
    float attn_cap, logit_cap; /* of scores and of logits (kern.h); 0: none */
    /* q at position p is multiplied by 1 + temperature * ln(1 + p / temperature_ctx), the quotient
     * a whole number; 0 as a rule. */
    float temperature;
    int temperature_ctx;
    int window;                      /* positions that a local layer sees, the row's own the last */
    struct rope rope[CONFIG_KINDS];  /* of each kind of layer */
    uint8_t kind[CONFIG_LAYERS_MAX]; /* of each layer */
    uint16_t block[CONFIG_LAYERS_MAX]; /* of the file that each layer is, in ascending order */
};

MUST_USE enum status config_read(const struct gguf *g, struct config *out, struct err *err);

bool config_has_kind(const struct config *c, enum config_kind kind);

/* Width of all query heads together, and of all key (or value) heads. */
static inline int config_q_dim(const struct config *c)
{
    return c->n_head * c->head_dim;
}

static inline int config_kv_dim(const struct config *c)
{
    return c->n_head_kv * c->head_dim;
}

#endif
