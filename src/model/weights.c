#include "model/weights.h"

#include "kern/pack/pack.h"

#include <stdio.h>
#include <string.h>

struct binder {
    const struct gguf *g;
    const struct config *config;
    struct weights *weights;
    struct err *err;
    int layer; /* -1 outside of layers */
};

/* ---- one tensor -------------------------------------------------------------------------- */

static const struct gguf_tensor *binder_find(const struct binder *b, const char *name, char *full)
{
    if (b->layer < 0)
        snprintf(full, GGUF_NAME_MAX, "%s", name);
    else
        snprintf(full, GGUF_NAME_MAX, "blk.%d.%s", b->config->block[b->layer], name);
    return gguf_find_tensor(b->g, full);
}

static int size_of(const struct binder *b, enum arch_dim dim)
{
    const struct config *c = b->config;
    switch (dim) {
    case DIM_ONE: return 1;
    case DIM_VOCAB: return b->weights->n_vocab;   /* 0 until the embedding is bound */
    case DIM_LOGITS: return b->weights->n_logits; /* 0 until the output is bound, if it is free */
    case DIM_MODEL: return c->d_model;
    case DIM_Q: return config_q_dim(c);
    case DIM_KV: return config_kv_dim(c);
    case DIM_FF: return c->d_ff;
    case DIM_HEAD: return c->head_dim;
    case DIM_PAIRS: return c->n_rot / 2;
    case DIM_EXPERTS: return c->n_expert;
    default: return 0;
    }
}

/* Outputs [first, first + n) of the `all` that a tensor of the file has. */
struct range {
    int first, n, all; /* 0: as many as there are */
};

static struct kern_weight view(const struct gguf_tensor *t, int rows, size_t first)
{
    const size_t row_bytes = quant_row_bytes(t->type, t->dims[0]);
    return (struct kern_weight){.type = (enum quant_type)t->type,
                                .rows = rows,
                                .cols = (int)t->dims[0],
                                .row_bytes = row_bytes,
                                .data = t->data + first * row_bytes};
}

/* `n` matrices in one tensor; *out is the first. */
static enum status bind_stack(struct binder *b, const struct gguf_tensor *t, int n, int outputs,
                              int inputs, struct kern_weight *out)
{
    if (t->n_dims > 3 || t->dims[0] != (uint64_t)inputs || t->dims[1] != (uint64_t)outputs ||
        t->dims[2] != (uint64_t)n)
        return err_set(
            b->err, ST_FORMAT,
            "tensor %s: expected [%d, %d, %d], found [%llu, %llu, %llu] in %d dimensions", t->name,
            inputs, outputs, n, (unsigned long long)t->dims[0], (unsigned long long)t->dims[1],
            (unsigned long long)t->dims[2], t->n_dims);
    *out = view(t, outputs, 0);
    return ST_OK;
}

static enum status bind_matrix(struct binder *b, const struct gguf_tensor *t, struct range range,
                               int inputs, struct kern_weight *out)
{
    bool shape = t->n_dims <= 2 && t->dims[0] == (uint64_t)inputs &&
                 (range.all ? t->dims[1] == (uint64_t)range.all : t->dims[1] <= 1 << 28);
    if (!shape)
        return err_set(b->err, ST_FORMAT,
                       "tensor %s: expected [%d, %d], found [%llu, %llu] in %d dimensions", t->name,
                       inputs, range.all, (unsigned long long)t->dims[0],
                       (unsigned long long)t->dims[1], t->n_dims);
    *out = view(t, range.all ? range.n : (int)t->dims[1], (size_t)range.first);
    return ST_OK;
}

/* While the arena measures, *out stays NULL. A range of quantised values may begin within a
 * block of them, so all are decoded. */
static enum status bind_vector(struct binder *b, const struct gguf_tensor *t, struct range range,
                               const float **out)
{
    if (t->n_dims != 1 || t->dims[0] != (uint64_t)range.all)
        return err_set(b->err, ST_FORMAT,
                       "tensor %s: expected [%d], found [%llu, %llu] in %d dimensions", t->name,
                       range.all, (unsigned long long)t->dims[0], (unsigned long long)t->dims[1],
                       t->n_dims);
    float *copy = arena_carve(&b->weights->arena, (size_t)range.all, sizeof *copy);
    if (!copy) return ST_OK;
    quant_decode_row((enum quant_type)t->type, t->data, copy, (size_t)range.all);
    *out = copy + range.first;
    return ST_OK;
}

/* The range of row->whole that is `row`, in its table. */
static struct range range_of(const struct binder *b, const struct arch_tensor *table,
                             const struct arch_tensor *row)
{
    struct range range = {.n = size_of(b, row->rows)};
    for (const struct arch_tensor *t = table; t->name; t++) {
        if (!t->whole || strcmp(t->whole, row->whole)) continue;
        if (t < row) range.first += size_of(b, t->rows);
        range.all += size_of(b, t->rows);
    }
    return row->rows == DIM_ONE ? (struct range){.n = 1, .all = 1} : range;
}

/* What stands in the way of binding t, a tensor named for `row`: what should be beside it and is
 * not, or the other way round. */
static enum status check_company(struct binder *b, const struct arch_tensor *row,
                                 const struct gguf_tensor *t)
{
    char other[GGUF_NAME_MAX];
    if (row->with && !binder_find(b, row->with, other))
        return err_set(b->err, ST_FORMAT, "tensor %s: missing, and there is %s", other, t->name);
    if (row->without && binder_find(b, row->without, other))
        return err_set(b->err, ST_SUPPORT, "tensor %s: not read where there is %s too", t->name,
                       other);
    if (row->whole && binder_find(b, row->whole, other))
        return err_set(b->err, ST_FORMAT, "tensor %s: is held by %s, too", t->name, other);
    return ST_OK;
}

/* Bind a row of a table into the struct it has its place in. What is absent stays zero. */
static enum status bind_tensor(struct binder *b, const struct arch_tensor *table,
                               const struct arch_tensor *row, uint8_t *to)
{
    char full[GGUF_NAME_MAX], whole[GGUF_NAME_MAX];
    const int n = size_of(b, row->rows);
    struct range range = {.n = n, .all = n};
    const bool part = row->whole && !strcmp(row->whole, row->name);
    const struct gguf_tensor *t = binder_find(b, row->name, full);
    if (part) t = NULL;
    if (t) {
        TRY(check_company(b, row, t));
    } else if (row->whole && (t = binder_find(b, row->whole, whole))) {
        range = range_of(b, table, row);
    }
    if (!t && row->required) return err_set(b->err, ST_FORMAT, "tensor %s: missing", full);
    if (!t || row->rows == DIM_NONE) return ST_OK;
    if (!quant_info(t->type))
        return err_set(b->err, ST_SUPPORT, "tensor %s: type: %s is none that ead computes with",
                       t->name, t->type_name);
    if (row->cols == DIM_NONE)
        return bind_vector(b, t, range, (const float **)(void *)(to + row->place));
    struct kern_weight *matrix = (struct kern_weight *)(void *)(to + row->place);
    if (row->stack != DIM_NONE)
        return bind_stack(b, t, size_of(b, row->stack), n, size_of(b, row->cols), matrix);
    return bind_matrix(b, t, range, size_of(b, row->cols), matrix);
}

/* ---- all of them ------------------------------------------------------------------------- */

static enum status bind_table(struct binder *b, const struct arch_tensor *table, void *to)
{
    for (const struct arch_tensor *row = table; row->name; row++)
        TRY(bind_tensor(b, table, row, to));
    return ST_OK;
}

static enum status bind_model(struct binder *b)
{
    struct weights *w = b->weights;
    const struct arch_tensor *table = b->config->arch->model;
    w->n_vocab = 0;
    TRY(bind_tensor(b, table, table, (uint8_t *)w)); /* the embedding */
    w->n_vocab = w->embed.rows;
    w->n_logits = b->config->arch->short_output ? 0 : w->n_vocab;
    TRY(bind_tensor(b, table, table + 1, (uint8_t *)w)); /* the output */
    if (!w->output.w.data) w->output.w = w->embed;
    w->n_logits = w->output.w.rows;
    if (w->n_logits > w->n_vocab)
        return err_set(b->err, ST_FORMAT,
                       "tensor output.weight: expected at most the embedding's %d rows, found %d",
                       w->n_vocab, w->n_logits);
    TRY(bind_table(b, table + 2, w));
    if (w->output.bias && b->config->logit_scale != 1)
        return err_set(b->err, ST_SUPPORT, "tensor output.bias: not read beside logit_scale");
    return ST_OK;
}

/* A kind without layers keeps what is there, and nobody looks. */
static void find_frequencies(struct weights *w, const struct config *c)
{
    for (int kind = 0; kind < CONFIG_KINDS; kind++) {
        double *to = arena_carve(&w->arena, (size_t)c->n_rot / 2, sizeof *to);
        if (to && config_has_kind(c, (enum config_kind)kind))
            rope_frequencies(&c->rope[kind], w->rope_factors, c->n_rot, to);
        w->frequencies[kind] = to;
    }
}

static enum status bind_all(struct binder *b)
{
    struct weights *w = b->weights;
    const struct config *c = b->config;
    b->layer = -1;
    TRY(bind_model(b));
    find_frequencies(w, c);
    w->layers = arena_carve(&w->arena, (size_t)c->n_layer, sizeof *w->layers);
    for (b->layer = 0; b->layer < c->n_layer; b->layer++) {
        struct layer unused = {0}, *l = w->layers ? &w->layers[b->layer] : &unused;
        for (int i = 0; i < ARCH_TABLES && c->arch->layer[i]; i++)
            TRY(bind_table(b, c->arch->layer[i], l));
    }
    return ST_OK;
}

/* What follows "blk.N." for a block that exists, N written as binder_find writes it; otherwise
 * NULL. */
static const char *inside_block(const char *name, int n_block, int *block)
{
    char prefix[32];
    if (sscanf(name, "blk.%4d", block) != 1 || *block < 0 || *block >= n_block) return NULL;
    int n = snprintf(prefix, sizeof prefix, "blk.%d.", *block);
    return strncmp(name, prefix, (size_t)n) ? NULL : name + n;
}

static bool is_layer(const struct config *c, int block)
{
    for (int i = 0; i < c->n_layer; i++)
        if (c->block[i] == block) return true;
    return false;
}

static bool is_known(const struct config *c, const char *name)
{
    int block;
    const char *inside = inside_block(name, c->n_block, &block);
    if (!inside) return arch_has_tensor(c->arch, ARCH_OUTSIDE, name);
    return arch_has_tensor(c->arch, is_layer(c, block) ? ARCH_LAYER : ARCH_IMAGE_BLOCK, inside);
}

static enum status refuse_unknown(const struct gguf *g, const struct config *c, struct err *err)
{
    for (size_t i = 0; i < gguf_tensor_count(g); i++) {
        const char *name = gguf_tensor_at(g, i)->name;
        if (!strncmp(name, "rope_factors_", strlen("rope_factors_")))
            return err_set(err, ST_SUPPORT,
                           "tensor %s: longrope turns a text by other angles once it is long, "
                           "which ead does not compute",
                           name);
        if (!is_known(c, name))
            return err_set(err, ST_SUPPORT,
                           "tensor %s: not a tensor of architecture %s with %d layers", name,
                           c->arch->name, c->n_block);
    }
    return ST_OK;
}

/* ---- those that are multiplied ----------------------------------------------------------- */

/* Note the places of a table's packed rows behind the n that there are; while the list is NULL,
 * only count. The number that there are then. */
static int list_table(struct weights_place *list, int n, const struct arch_tensor *table, int layer,
                      const struct config *c)
{
    for (; table->name; table++) {
        if (!table->packed) continue;
        const int stacked = table->stack == DIM_EXPERTS ? c->n_expert : 1;
        if (list) list[n] = (struct weights_place){layer, table->place, stacked};
        n++;
    }
    return n;
}

static int list_matrices(struct weights_place *list, const struct config *c)
{
    int n = list_table(list, 0, c->arch->model, -1, c);
    for (int layer = 0; layer < c->n_layer; layer++)
        for (int i = 0; i < ARCH_TABLES && c->arch->layer[i]; i++)
            n = list_table(list, n, c->arch->layer[i], layer, c);
    return n;
}

static void carve_matrices(struct weights *w, const struct config *c)
{
    w->n_matrices = list_matrices(NULL, c);
    w->matrices = arena_carve(&w->arena, (size_t)w->n_matrices, sizeof *w->matrices);
    list_matrices(w->matrices, c);
}

struct kern_weight *weights_matrix(struct weights *w, int i)
{
    const struct weights_place *p = &w->matrices[i];
    uint8_t *in = p->layer < 0 ? (uint8_t *)w : (uint8_t *)&w->layers[p->layer];
    return (struct kern_weight *)(void *)(in + p->at);
}

struct kern_weight weights_in_stack(const struct kern_weight *first, int i)
{
    struct kern_weight w = *first;
    w.data += (size_t)i * (size_t)w.rows * w.row_bytes;
    if (w.packed)
        w.packed += (size_t)i * (size_t)pack_panels(w.rows) * pack_panel_bytes(w.type, w.cols);
    return w;
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

/* Weights of the experts that a token does not meet. */
static uint64_t count_idle(struct weights *w, const struct config *c)
{
    uint64_t sum = 0;
    for (int i = 0; i < w->n_matrices; i++) {
        const struct kern_weight *m = weights_matrix(w, i);
        if (w->matrices[i].n > 1)
            sum +=
                (uint64_t)m->rows * (uint64_t)m->cols * (uint64_t)(c->n_expert - c->n_expert_used);
    }
    return sum;
}

enum status weights_bind(const struct gguf *g, const struct config *c, struct weights *out,
                         struct err *err)
{
    struct weights w = {0};
    struct binder b = {.g = g, .config = c, .weights = &w, .err = err};
    TRY(refuse_unknown(g, c, err));
    TRY(bind_all(&b)); /* measures and checks every shape */
    carve_matrices(&w, c);
    TRY(arena_commit(&w.arena, err));
    enum status st = bind_all(&b);
    if (st != ST_OK) {
        arena_deinit(&w.arena);
        return st;
    }
    carve_matrices(&w, c);
    w.n_params = count_params(g);
    w.n_active = w.n_params - count_idle(&w, c);
    *out = w;
    return ST_OK;
}

void weights_deinit(struct weights *w)
{
    arena_deinit(&w->arena);
    arena_deinit(&w->panels);
    *w = (struct weights){0};
}
