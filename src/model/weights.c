#include "model/weights.h"

#include <stdio.h>
#include <string.h>

/* A name may end in "%d" for the layer. */
struct binder {
    const struct gguf *g;
    struct arena *arena;
    struct err *err;
    int layer;
};

static const struct gguf_tensor *binder_find(struct binder *b, const char *name, char *full)
{
    if (b->layer < 0)
        snprintf(full, GGUF_NAME_MAX, "%s", name);
    else
        snprintf(full, GGUF_NAME_MAX, "blk.%d.%s", b->layer, name);
    return gguf_find_tensor(b->g, full);
}

static enum status missing(struct binder *b, const char *name)
{
    return err_set(b->err, ST_FORMAT, "tensor %s: missing", name);
}

/* outputs == 0 accepts any number of rows. */
static enum status bind_matrix(struct binder *b, const char *name, int outputs, int inputs,
                               struct kern_weight *out)
{
    char full[GGUF_NAME_MAX];
    const struct gguf_tensor *t = binder_find(b, name, full);
    if (!t) return missing(b, full);
    bool shape = t->n_dims <= 2 && t->dims[0] == (uint64_t)inputs &&
                 (outputs ? t->dims[1] == (uint64_t)outputs : t->dims[1] <= 1 << 28);
    if (!shape)
        return err_set(b->err, ST_FORMAT,
                       "tensor %s: expected [%d, %d], found [%llu, %llu] in %d dimensions", full,
                       inputs, outputs, (unsigned long long)t->dims[0],
                       (unsigned long long)t->dims[1], t->n_dims);
    *out = (struct kern_weight){.type = t->type,
                                .rows = (int)t->dims[1],
                                .cols = (int)t->dims[0],
                                .row_bytes = quant_row_bytes(t->type, t->dims[0]),
                                .data = t->data};
    return ST_OK;
}

/* *out stays NULL when an optional vector is absent. While the arena measures, only sizes count. */
static enum status bind_vector(struct binder *b, const char *name, int n, bool required,
                               const float **out)
{
    char full[GGUF_NAME_MAX];
    const struct gguf_tensor *t = binder_find(b, name, full);
    if (!t) return required ? missing(b, full) : ST_OK;
    if (t->n_dims != 1 || t->dims[0] != (uint64_t)n)
        return err_set(b->err, ST_FORMAT,
                       "tensor %s: expected [%d], found [%llu, %llu] in %d dimensions", full, n,
                       (unsigned long long)t->dims[0], (unsigned long long)t->dims[1], t->n_dims);
    float *copy = arena_carve(b->arena, (size_t)n, sizeof *copy);
    if (copy) quant_decode_row(t->type, t->data, copy, (size_t)n);
    *out = copy;
    return ST_OK;
}

static enum status bind_attention(struct binder *b, const struct config *c, struct layer *l)
{
    const int q = config_q_dim(c), kv = config_kv_dim(c), d = c->d_model;
    const bool biased = c->arch == ARCH_QWEN2, normed = c->arch == ARCH_QWEN3;
    TRY(bind_vector(b, "attn_norm.weight", d, true, &l->attn_norm));
    TRY(bind_matrix(b, "attn_q.weight", q, d, &l->q));
    TRY(bind_matrix(b, "attn_k.weight", kv, d, &l->k));
    TRY(bind_matrix(b, "attn_v.weight", kv, d, &l->v));
    TRY(bind_matrix(b, "attn_output.weight", d, q, &l->o));
    TRY(bind_vector(b, "attn_q.bias", q, biased, &l->q_bias));
    TRY(bind_vector(b, "attn_k.bias", kv, biased, &l->k_bias));
    TRY(bind_vector(b, "attn_v.bias", kv, biased, &l->v_bias));
    TRY(bind_vector(b, "attn_output.bias", d, false, &l->o_bias));
    if (normed) {
        TRY(bind_vector(b, "attn_q_norm.weight", c->head_dim, true, &l->q_norm));
        TRY(bind_vector(b, "attn_k_norm.weight", c->head_dim, true, &l->k_norm));
    }
    return ST_OK;
}

static enum status bind_ffn(struct binder *b, const struct config *c, struct layer *l)
{
    TRY(bind_vector(b, "ffn_norm.weight", c->d_model, true, &l->ffn_norm));
    TRY(bind_matrix(b, "ffn_gate.weight", c->d_ff, c->d_model, &l->gate));
    TRY(bind_matrix(b, "ffn_up.weight", c->d_ff, c->d_model, &l->up));
    TRY(bind_matrix(b, "ffn_down.weight", c->d_model, c->d_ff, &l->down));
    return ST_OK;
}

static enum status bind_all(struct binder *b, const struct config *c, struct weights *w)
{
    b->layer = -1;
    TRY(bind_matrix(b, "token_embd.weight", 0, c->d_model, &w->embed));
    w->n_vocab = w->embed.rows;
    w->output = w->embed;
    if (gguf_find_tensor(b->g, "output.weight"))
        TRY(bind_matrix(b, "output.weight", w->n_vocab, c->d_model, &w->output));
    TRY(bind_vector(b, "output_norm.weight", c->d_model, true, &w->output_norm));
    TRY(bind_vector(b, "rope_freqs.weight", c->n_rot / 2, false, &w->rope_factors));
    w->layers = arena_carve(b->arena, (size_t)c->n_layer, sizeof *w->layers);
    for (int i = 0; i < c->n_layer; i++) {
        struct layer unused = {0}, *l = w->layers ? &w->layers[i] : &unused;
        b->layer = i;
        TRY(bind_attention(b, c, l));
        TRY(bind_ffn(b, c, l));
    }
    return ST_OK;
}

/* What follows "blk.N." for a layer that exists, N written as bind_all writes it; otherwise NULL.
 */
static const char *inside_layer(const char *name, int n_layer)
{
    char prefix[32];
    int layer;
    if (sscanf(name, "blk.%4d", &layer) != 1 || layer < 0 || layer >= n_layer) return NULL;
    int n = snprintf(prefix, sizeof prefix, "blk.%d.", layer);
    return strncmp(name, prefix, (size_t)n) ? NULL : name + n;
}

/* Is `name` one of the tensors that bind_all asks for, optional ones included? */
static bool name_is_known(const char *name, const struct config *c)
{
    static const char *const outside[] = {"token_embd.weight", "output.weight",
                                          "output_norm.weight", "rope_freqs.weight"};
    static const char *const inside[] = {
        "attn_norm.weight", "attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight",
        "attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias", "ffn_norm.weight",
        "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight",
        /* frequencies some old converters stored; every reader computes them */
        "attn_rot_embd", "attn_rot_embd.weight"};
    static const char *const norms[] = {"attn_q_norm.weight", "attn_k_norm.weight"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        if (!strcmp(name, outside[i])) return true;
    const char *part = inside_layer(name, c->n_layer);
    for (size_t i = 0; part && i < sizeof inside / sizeof *inside; i++)
        if (!strcmp(part, inside[i])) return true;
    for (size_t i = 0; part && c->arch == ARCH_QWEN3 && i < sizeof norms / sizeof *norms; i++)
        if (!strcmp(part, norms[i])) return true;
    return false;
}

static enum status refuse_unknown(const struct gguf *g, const struct config *c, struct err *err)
{
    for (size_t i = 0; i < gguf_tensor_count(g); i++)
        if (!name_is_known(gguf_tensor_at(g, i)->name, c))
            return err_set(err, ST_SUPPORT,
                           "tensor %s: not a part of architecture %s with %d layers",
                           gguf_tensor_at(g, i)->name, c->arch_name, c->n_layer);
    return ST_OK;
}

static uint64_t count_params(const struct gguf *g)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < gguf_tensor_count(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        sum += t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
    }
    return sum;
}

enum status weights_bind(const struct gguf *g, const struct config *c, struct weights *out,
                         struct err *err)
{
    struct weights w = {0};
    struct binder b = {.g = g, .arena = &w.arena, .err = err};
    TRY(refuse_unknown(g, c, err));
    TRY(bind_all(&b, c, &w)); /* measures and checks every shape */
    TRY(arena_commit(&w.arena, err));
    enum status st = bind_all(&b, c, &w);
    if (st != ST_OK) {
        arena_deinit(&w.arena);
        return st;
    }
    w.n_params = count_params(g);
    *out = w;
    return ST_OK;
}

void weights_deinit(struct weights *w)
{
    arena_deinit(&w->arena);
    arena_deinit(&w->panels);
    *w = (struct weights){0};
}
