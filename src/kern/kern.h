/*
 * The arithmetic of a forward pass, as one complete table of functions per instruction-set level.
 * An engine picks a table once and keeps the pointer, so two levels can be compared in one process.
 * The scalar table (KERN_REF) is the specification: integer parts of every other table are exactly
 * equal to it, floating parts differ by rounding only.
 *
 * A promise the rest of the house builds on: what a kernel computes for one row of activations does
 * not depend, bit for bit, on how many other rows stand beside it, nor on how the outputs are split
 * into ranges. A prompt evaluated in one pass, in pieces, or token by token, by one thread or by
 * many, gives the same numbers.
 *
 * Shapes are written [slowest]...[fastest]. Activation pointers and panels are 64-byte aligned;
 * rows of weights have any alignment. No kernel reads a byte outside the panels or rows it is
 * given.
 */
#ifndef EAD_KERN_KERN_H
#define EAD_KERN_KERN_H

#include "format/quant.h"
#include "kern/kern_cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kern_level { KERN_REF, KERN_AVX2, KERN_AVXVNNI, KERN_AVX512, KERN_AMX, KERN_LEVEL_COUNT };

/* A weight matrix in its two forms: rows of cols weights, row after row, as they lie in the file,
 * and panels, which are the same weights rearranged. A table reads one of them (kern.panels). */
struct kern_weight {
    enum quant_type type;
    int rows, cols; /* outputs, inputs; cols a multiple of the type's block */
    size_t row_bytes;
    const uint8_t *data;   /* [rows][row_bytes] */
    const uint8_t *packed; /* panels (pack/pack.h), 64-byte aligned; NULL before they are packed */
};

/*
 * Activation rows in 8 bits, in groups of 32: x[k] ~ d[k/32] * q[k], d = max|x| / 127 over the
 * group, q rounded to nearest (ties to even). Quantised weight types multiply these; F32, F16 and
 * BF16 weights multiply the floats. A table arranges and encodes a group within q, d, s and t as it
 * likes, and only its own product reads them; KERN_REF has them in natural order.
 * A group that holds a NaN or an infinity gets d = s = NaN, so that the poison reaches every output
 * it touches; a group too small for 127/max|x| to be a float gets q = 0.
 */
struct kern_q8 {
    int8_t *q;  /* [rows][KERN_Q8_STRIDE(cols)], of which cols serve */
    float *d;   /* [rows][KERN_Q8_STRIDE(cols)/32] */
    float *s;   /* [rows][KERN_Q8_STRIDE(cols)/16]: d times the sum of each 16 values of q */
    int32_t *t; /* the same shape, where a table wants sums without d */
};
/* An odd number of 256s: rows a power of two apart would share the few places a cache has for
 * them. */
#define KERN_Q8_STRIDE(cols) ((((size_t)(cols) + 255) / 256 | 1) * 256)

/* The same activations from row r and group g on, where rows are `stride` inputs apart. */
static inline struct kern_q8 kern_q8_at(struct kern_q8 x, size_t stride, size_t r, size_t g)
{
    const size_t k = stride * r + g * 32;
    return (struct kern_q8){x.q + k, x.d + k / 32, x.s + k / 16, x.t + k / 16};
}

static inline struct kern_q8 kern_q8_row(struct kern_q8 x, int cols, int r)
{
    return kern_q8_at(x, KERN_Q8_STRIDE(cols), (size_t)r, 0);
}

/* What the decoder needs to know of a next-token distribution, before temperature or truncation. */
struct kern_stats {
    float max;         /* largest logit */
    float second;      /* second largest (equal to max when tied; -INFINITY when n == 1) */
    int32_t argmax;    /* its id; the lowest when several tie; -1 when no logit is a number */
    float log_sum_exp; /* ln sum exp(l), natural */
    float entropy;     /* bits: METHOD, -sum p log2 p; NaN if any logit is NaN or +infinity */
};

/* Consecutive rows of one sequence, of which row r sees the first n_pos + r positions, or the last
 * `window` of these: their queries of one key-value head against the cache of one layer. */
struct kern_attend {
    const float *q; /* [rows][ld]: the [group][head_dim] query heads that share the head */
    /* Tiles of keys and of values; position p lies in the tiles numbered pages[p / KERN_TILE], and
     * there are n_pos + rows - 1 positions. What the last tiles hold behind those counts for
     * nothing. */
    const uint8_t *k, *v;
    const int *pages;
    enum kern_cache cache; /* the type of both (kern_cache.h) */
    float *out;            /* [rows][ld], of which [group][head_dim] is written */
    size_t ld;             /* elements from one row to the next */
    int rows, group, head_dim, n_pos;
    int window;     /* 0: all positions */
    float scale;    /* of scores; 1/sqrt(head_dim) as a rule */
    float cap;      /* what no score exceeds: they become cap * tanh(score / cap); 0: none */
    float *scratch; /* KERN_ATTEND_SCRATCH(rows * group, head_dim) floats, 64-byte aligned */
};
/* Attention runs with an online softmax over blocks of this many positions. */
enum { KERN_ATTEND_BLOCK = 64 };

/* The first position that row r sees. */
static inline int kern_attend_from(const struct kern_attend *a, int r)
{
    return a->window && a->window < a->n_pos + r ? a->n_pos + r - a->window : 0;
}

#define KERN_ATTEND_SCRATCH(queries, head_dim)                                                     \
    ((size_t)(queries) * (KERN_ATTEND_BLOCK + 3 + 2 * (size_t)(head_dim)))

struct kern {
    enum kern_level level;
    const char *name; /* "ref", "avx2", "avxvnni", "avx512", "amx" */

    /* Which form of a weight both products read: the panels, which must be there, or the rows as
     * they lie in the file. Rows are for KERN_REF alone, which so measures the packing, too. */
    bool panels;

    /* Quantise a row of activations, or any groups of one, into what begins at `to`: cols is a
     * multiple of 32, a group does not depend on those beside it, and nothing else is written. */
    void (*quantize)(const float *x, int cols, struct kern_q8 to);

    /* Quantised weights: y[r*ldy + o] = sum_k W[o][k] x[r][k] for r in [0, n), o in [o0, o1); other
     * elements of y are left alone. Products of a group of weights are summed as integers, then
     * scaled:
     *   sum_g dw[g] dx[g] (sum_k qw[k] qx[k]) + sum_g m[g] sx[g]
     * where a group is the 16 or 32 weights that share one scale (and minimum m). */
    void (*matmul)(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                   size_t ldy);

    /* The same product for F32, F16 and BF16 weights over float activations x [n][ldx]. */
    void (*matmul_f32)(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                       int o1, float *y, size_t ldy);

    /* y[i] = w[i] * x[i] / sqrt(mean x^2 + eps); y may be x. */
    void (*rms_norm)(float *y, const float *x, const float *w, int n, float eps);
    void (*add)(float *y, const float *x, int n);                     /* y += x */
    void (*add_scaled)(float *y, const float *x, float scale, int n); /* y += scale * x */
    /* gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i] */
    void (*silu_mul)(float *gate, const float *up, int n);
    /* The same with -2u for -gate[i], u = sqrt(2/pi) (gate[i] + 0.044715 gate[i]^3), which is
     * gate[i] (1 + tanh u) / 2 (Hendrycks & Gimpel 2016). */
    void (*gelu_mul)(float *gate, const float *up, int n);
    void (*softcap)(float *y, int n, float cap); /* y = cap * tanh(y / cap) */

    /* Rotate one head x [head_dim] in place by angles given as cos and sin [n_rot/2]: pairs
     * (x[2i], x[2i+1]) when interleaved, (x[i], x[i + n_rot/2]) otherwise. x beyond n_rot stays. */
    void (*rope)(float *x, const float *cos, const float *sin, int n_rot, int interleaved);

    void (*to_f16)(uint16_t *y, const float *x, int n); /* nearest even; overflow to infinity */

    /* A head's key or value x [n] for the cache, in groups of 32 of which the last may be shorter:
     * x[i] ~ scale[i/32] * code[i], scale = max|x| / 127 over the group rounded to a half float
     * (kern_cache_scale), code = x / scale to nearest (ties to even), within 127. */
    void (*to_q8_0)(int8_t *code, uint16_t *scale, const float *x, int n);

    void (*attend)(const struct kern_attend *a);

    /* One pass over logits [n], rescaling as the maximum grows; -INFINITY counts as probability 0.
     */
    void (*stats)(const float *logits, int n, struct kern_stats *out);
};

/* The table of a level, or NULL when this machine or build lacks it. */
const struct kern *kern_table(enum kern_level level);

/* The best table of this machine. The environment is not consulted. */
const struct kern *kern_best(void);

/* "ref", "avx2", "avxvnni", "avx512", "amx" to a level; -1 for anything else. */
int kern_level_parse(const char *name);

/* The other way, whether or not this machine has the level. */
const char *kern_level_name(enum kern_level level);

/* "f16", "q8_0" to a type of cache; -1 for anything else. */
int kern_cache_parse(const char *name);

#endif
