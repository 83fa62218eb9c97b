/*
 * Tiny models, written here, so that a clone without any model file tests everything: a GGUF file
 * as a list of metadata pairs and tensors that a test may edit, a writer for it, and a maker of
 * complete models with random but sane weights.
 *
 * Everything is deterministic in the seed. Failures of this helper itself abort: they are no test's
 * outcome. What makes models is in tiny_model.c.
 */
#ifndef EAD_TESTS_TINY_H
#define EAD_TESTS_TINY_H

#include "base/rng.h"
#include "ead.h"
#include "format/gguf.h"
#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TINY_KV_MAX = 64,
    TINY_TENSORS_MAX = 128,
    TINY_NAME_MAX = 160, /* more than a reader accepts */
    TINY_MARKS_MAX = 1024
};

/* What fails in a helper aborts: memory that is NULL, and what does not hold. */
void *tiny_must(void *p);
void tiny_must_hold(bool holds, const char *what);

/* ---- a file as a list ---------------------------------------------------------------------- */

struct tiny_bytes {
    uint8_t *data;
    size_t n, cap;
};

struct tiny_kv {
    char key[TINY_NAME_MAX];
    uint32_t type;
    struct tiny_bytes value; /* as in the file, after the type */
};

struct tiny_tensor {
    char name[TINY_NAME_MAX];
    uint32_t type, n_dims;
    uint64_t dims[GGUF_DIMS_MAX];
    struct tiny_bytes data;
};

struct tiny {
    uint32_t version, align;
    int n_kv, n_tensors;
    struct tiny_kv kv[TINY_KV_MAX];
    struct tiny_tensor tensor[TINY_TENSORS_MAX];
};

struct tiny *tiny_new(void); /* version 3, alignment 32, nothing in it */
void tiny_free(struct tiny *t);

void tiny_put(struct tiny_bytes *b, const void *bytes, size_t n);
void tiny_put_u32(struct tiny_bytes *b, uint32_t x);
void tiny_put_u64(struct tiny_bytes *b, uint64_t x);
void tiny_put_str(struct tiny_bytes *b, const char *s);

/* Add a pair, or replace the value of a key that is there. */
void tiny_set(struct tiny *t, const char *key, enum gguf_type type, const void *value, size_t n);
void tiny_set_u32(struct tiny *t, const char *key, uint32_t value);
void tiny_set_f32(struct tiny *t, const char *key, float value);
void tiny_set_bool(struct tiny *t, const char *key, bool value);
void tiny_set_str(struct tiny *t, const char *key, const char *value);
void tiny_set_strs(struct tiny *t, const char *key, const char *const *values, size_t n);
/* An array of numbers: `bytes` holds n elements of the type. */
void tiny_set_array(struct tiny *t, const char *key, enum gguf_type elem, const void *values,
                    size_t n, size_t bytes);
/* Arrays of i32 in `depth` arrays of two elements each, all alike: [[1, 2], [1, 2]] of depth 2. */
void tiny_set_nested(struct tiny *t, const char *key, int depth);
void tiny_drop(struct tiny *t, const char *key);

/* Add a tensor of one (rows == 0) or two dimensions without data, or find it; NULL when absent. */
struct tiny_tensor *tiny_tensor(struct tiny *t, const char *name, enum quant_type type,
                                uint64_t cols, uint64_t rows);
struct tiny_tensor *tiny_find(struct tiny *t, const char *name);
void tiny_drop_tensor(struct tiny *t, const char *name);
/* The same of n matrices in one tensor. */
struct tiny_tensor *tiny_stack(struct tiny *t, const char *name, enum quant_type type,
                               uint64_t cols, uint64_t rows, uint64_t n);
/* Random weights of about this root mean square; the mean is near 0. */
void tiny_fill(struct tiny_tensor *t, float rms, uint64_t *rng);
/* Random floats in middle +- spread. */
void tiny_fill_around(struct tiny_tensor *t, float middle, float spread, uint64_t *rng);
/* Row `row` of a tensor as floats. */
void tiny_row(const struct tiny_tensor *t, uint64_t row, float *out);

/* ---- a file as bytes ----------------------------------------------------------------------- */

/* Where a structural number stands: "version", "key length", "tensor offset", ... */
struct tiny_mark {
    const char *what;
    int index; /* of the pair or the tensor */
    size_t at;
    int bytes; /* 4 or 8 */
};

struct tiny_image {
    struct tiny_bytes bytes;
    struct tiny_mark marks[TINY_MARKS_MAX];
    int n_marks;
};

/* Part `part` of `parts`: the pairs are in part 0, tensors are dealt out in turn; split.* pairs are
 * added when there are several parts. The last tensor ends the file. */
struct tiny_image *tiny_write(const struct tiny *t, int part, int parts);
void tiny_image_free(struct tiny_image *image);
/* Overwrite the number at a mark; aborts when there is none. */
void tiny_patch(struct tiny_image *image, const char *what, int index, uint64_t value);

enum { TINY_PATH_MAX = 512 };
/* Write bytes to a new file whose path ends in ".gguf". The caller unlinks it. */
void tiny_save(const void *data, size_t n, char path[TINY_PATH_MAX]);
/* The same of a model as one file, which is freed. */
void tiny_save_model(struct tiny *t, char path[TINY_PATH_MAX]);
/* A new folder, to be removed by the caller. */
void tiny_folder(char path[TINY_PATH_MAX]);

/* ---- models -------------------------------------------------------------------------------- */

/* YaRN: in the file, with its type, where there is a factor; what is 0 is left out. */
struct tiny_yarn {
    float factor, ext, attn, fast, slow, log;
    int ctx;
};

/* What tells architectures apart, as their papers and published configurations have it. */
struct tiny_family {
    const char *arch;
    bool pairs;    /* rotate neighbours, not halves */
    bool qkv_bias; /* as a rule */
    bool gemma;    /* GELU, embeddings times the root of their width, tied as a rule */
    enum { QK_PLAIN, QK_HEADS, QK_LATE, QK_WIDE } qk_norm;
    enum { NORMS_BEFORE, NORMS_AFTER, NORMS_BOTH } norms; /* of sublayers */
    bool fused;  /* q, k and v as a rule, and always gate and up, by the name of the latter */
    bool scaled; /* numbers that tiny_spec.scale_* give */
    int period;  /* of windows, in files that do not say it */
    bool plain_windows; /* in which nothing is stretched */
    float window_base;  /* of their angles; 0: the others' */
    bool still;         /* layers without a window do not rotate where others have one */
    bool open;          /* and windows have no end */
    int experts;        /* as a rule; a third of them is used */
};
const struct tiny_family *tiny_family(const char *arch);

struct tiny_spec {
    const char *arch;
    enum quant_type type;  /* of most matrices */
    enum quant_type other; /* of attn_v, ffn_down and the output */
    int n_layer, d_model, d_ff, n_head, n_head_kv, head_dim, n_rot, n_ctx;
    int n_expert, n_expert_used; /* of a mixture; d_ff is one expert's */
    bool tied, rope_freqs;
    bool qkv_bias, o_bias, ffn_bias, output_bias; /* qwen2 has the first, unless a test clears it */
    bool fused;                                   /* q, k and v in one matrix, and one bias */
    bool scales;                                  /* of every product */
    bool no_bytes;  /* leave the 256 byte tokens out: a vocabulary of 38 */
    int extra;      /* "<xi>" behind the others: tokens that a pair may lack */
    int pad_tokens; /* "[PADi]" at the end of the vocabulary */
    int pad_rows;   /* rows of the embedding beyond the vocabulary */
    int mute;       /* rows that the output has fewer than the embedding */
    int cross;      /* a block that only images reach; 0: none */
    /* In the file where they are not 0, and beside the architecture's own otherwise: */
    float rope_factor, rope_magnitude, rope_base_local, attn_cap, logit_cap, temperature, alpha;
    float scale_embed, scale_residual, scale_attn, scale_logit;
    struct tiny_yarn yarn;
    int window, period; /* of `period` layers in turn all but the last see a window */
    float rope_base;    /* always in the file */
    float gain;         /* root mean square of the logits, roughly */
    uint64_t seed;
};

/* The smallest sane model of an architecture whose matrices have this type. From then on teams of
 * this process share passes of any size. */
struct tiny_spec tiny_spec(const char *arch, enum quant_type type);
struct tiny *tiny_model(const struct tiny_spec *spec);
/* Tokens without padding, and rows of the output. */
int tiny_real_vocab(const struct tiny_spec *spec);
int tiny_logits(const struct tiny_spec *spec);

enum { TINY_UNK = 0, TINY_BOS = 1, TINY_EOS = 2 };

/* Write, map, and unlink again: the mapping keeps the bytes. */
struct model *tiny_open(const struct tiny *t);
ead_model *tiny_open_public(const struct tiny *t);

/* Types that a matrix may have, ended by QT_LIMIT. */
extern const enum quant_type tiny_types[];
bool tiny_type_is_float(enum quant_type type);

/* n ids that look like text: from 3 on, never the end. */
void tiny_text(const struct tiny_spec *spec, uint64_t seed, int32_t *ids, int n);

#endif
