/*
 * What tells architectures apart: a few facts, and the tables of the tensors that a file of one may
 * hold. Whatever goes by tensors goes by these tables: binding, refusing what is not in them,
 * packing (repack.h) and the file of packed weights (packfile.h).
 *
 * Names are those of the ggml project's gguf package.
 */
#ifndef EAD_MODEL_ARCH_H
#define EAD_MODEL_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A size that the config knows. */
enum arch_dim {
    DIM_NONE,
    DIM_ONE,
    DIM_VOCAB,  /* rows of the embedding, whatever they are */
    DIM_LOGITS, /* rows of the output: as many, unless the architecture has a short one */
    DIM_MODEL,
    DIM_Q,  /* all query heads */
    DIM_KV, /* all key heads, or all value heads */
    DIM_FF, /* of a mixture one expert's */
    DIM_HEAD,
    DIM_EXPERTS,
    DIM_PAIRS /* dimensions of a head that rotate, two and two */
};

/* One row of a table. */
struct arch_tensor {
    const char *name;         /* a layer's has "blk.N." in front */
    enum arch_dim rows, cols; /* outputs and inputs of a matrix; a vector has no cols; a tensor
                                 without either may be there, and is not read */
    size_t place;             /* of its struct kern_weight or const float * in struct weights or, a
                                 layer's, in struct layer */
    bool required;
    bool packed;         /* multiplied, so panels are made of it */
    enum arch_dim stack; /* a tensor of so many matrices [rows][cols], one behind the other */
    /* A tensor that may hold this one instead: behind those of the rows before it that name the
     * same one, and before those after it. A vector of one is the same for all. A row that has this
     * name itself is always a part. */
    const char *whole;
    const char *with;    /* a tensor that must be there when this one is */
    const char *without; /* one beside which this one has no settled meaning */
};

enum { ARCH_TABLES = 5 };

/* Where q and k are normed, in architectures that do it. */
enum arch_norm {
    NORM_HEADS, /* each head, before it turns */
    NORM_LATE,  /* each head, when it has turned */
    NORM_WIDE   /* all heads of a row as one, before they turn */
};

/* What the gate of a feed-forward passes through. */
enum arch_act { ACT_SILU, ACT_GELU };

enum { WINDOWS_ALL = 1 << 16 }; /* more layers than there are */

/* Of so many layers in turn all but the last see a window; files may say otherwise. */
struct arch_windows {
    int period; /* 0: there are no windows; WINDOWS_ALL: all layers see one */
    int size;   /* positions that they see; 0: all, unless the file says how many */
    float base; /* of their angles; 0: that of the others */
    bool plain; /* their angles are not scaled when those of the others are */
    bool still; /* the others turn nothing */
    bool open;  /* windows see all positions, whatever a file says */
};

struct arch {
    const char *name;
    bool rope_interleaved; /* q and k are stored for pairs side by side, not for halves of a head */
    bool embed_root;       /* embeddings are multiplied by the root of their width */
    bool mixture;          /* the feed-forward is one of experts, of which a router chooses some */
    enum arch_act act;
    enum arch_norm qk_norm;
    struct arch_windows windows;
    int shared_width_layers; /* a model of so many layers scales scores by d_model / n_head, as if
                                heads shared it, and others by head_dim */
    /* Of scores and of logits, unless the file says otherwise; 0: none. */
    float attn_cap, logit_cap;
    bool scaled; /* a file has scales of the embedding, of scores, of what sublayers add and of
                    logits */
    bool alpha;  /* the rope's base may be stretched by rope.scaling.alpha */
    bool short_output; /* the last tokens of the embedding are read only, and have no logits */
    /* How names of tensors begin that a text does without: in blocks that only an image reaches,
     * and outside of blocks. Both end with NULL; NULL: none. */
    const char *const *image_block, *const *image_parts;
    /* Tables end without a name. Outside of layers, the embedding and the output first; inside of
     * one, one table after the other, and then NULL. */
    const struct arch_tensor *model;
    const struct arch_tensor *layer[ARCH_TABLES];
};

/* The architecture of this name, n bytes long; NULL when there is none. */
const struct arch *arch_find(const char *name, size_t n);

/* What stands in the way of an architecture that is known and not computed, as the rest of a
 * sentence that begins with its name; NULL for any other name. */
const char *arch_why_not(const char *name, size_t n);

/* "llama, qwen2, ... or gemma3", for messages. */
void arch_names(char *out, size_t max);

/* Where in a file a tensor stands. */
enum arch_place { ARCH_OUTSIDE, ARCH_LAYER, ARCH_IMAGE_BLOCK };

/* May there be a tensor of this name, which in a layer has no "blk.N."? */
bool arch_has_tensor(const struct arch *a, enum arch_place place, const char *name);

#endif
