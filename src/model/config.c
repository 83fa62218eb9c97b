#include "model/config.h"

#include <stdio.h>
#include <string.h>

/* Metadata keys carry the architecture's name in front: "llama.block_count". */
struct reader {
    const struct gguf *g;
    const char *arch;
    struct err *err;
};

static enum status read_int(const struct reader *r, const char *name, bool required, int max,
                            int *out)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", r->arch, name);
    uint32_t value = (uint32_t)*out;
    TRY(gguf_read_u32(r->g, key, required, &value, r->err));
    if (value < 1 || value > (uint32_t)max)
        return err_set(r->err, ST_FORMAT, "%s: expected 1 to %d, found %u", key, max, value);
    *out = (int)value;
    return ST_OK;
}

static enum status read_positive(const struct reader *r, const char *name, bool required,
                                 float *out)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", r->arch, name);
    TRY(gguf_read_f32(r->g, key, required, out, r->err));
    if (!(*out > 0))
        return err_set(r->err, ST_FORMAT, "%s: expected a positive number, found %g", key,
                       (double)*out);
    return ST_OK;
}

static enum status read_arch(const struct gguf *g, struct config *c, struct err *err)
{
    struct gguf_str name = {0};
    char known[256];
    TRY(gguf_read_str(g, "general.architecture", true, &name, err));
    c->arch = arch_find(name.s, name.n);
    if (c->arch) return ST_OK;
    arch_names(known, sizeof known);
    return err_set(err, ST_SUPPORT, "general.architecture: expected %s, found \"%.*s\"", known,
                   (int)(name.n < 64 ? name.n : 64), name.s);
}

static enum status read_heads(const struct reader *r, struct config *c)
{
    TRY(read_int(r, "attention.head_count", true, 1 << 14, &c->n_head));
    c->n_head_kv = c->n_head;
    TRY(read_int(r, "attention.head_count_kv", false, c->n_head, &c->n_head_kv));
    if (c->n_head % c->n_head_kv)
        return err_set(
            r->err, ST_FORMAT,
            "%s.attention.head_count: expected a multiple of head_count_kv = %d, found %d", r->arch,
            c->n_head_kv, c->n_head);
    c->head_dim = c->d_model / c->n_head;
    char key[96];
    snprintf(key, sizeof key, "%s.attention.key_length", r->arch);
    if (!gguf_find(r->g, key) && c->d_model % c->n_head)
        return err_set(r->err, ST_FORMAT,
                       "%s.embedding_length: expected a multiple of head_count = %d, found %d",
                       r->arch, c->n_head, c->d_model);
    TRY(read_int(r, "attention.key_length", false, CONFIG_HEAD_DIM_MAX, &c->head_dim));
    int v_dim = c->head_dim;
    TRY(read_int(r, "attention.value_length", false, CONFIG_HEAD_DIM_MAX, &v_dim));
    if (v_dim != c->head_dim)
        return err_set(r->err, ST_SUPPORT,
                       "%s.attention.value_length: expected key_length = %d, found %d", r->arch,
                       c->head_dim, v_dim);
    if (c->head_dim > CONFIG_HEAD_DIM_MAX || config_q_dim(c) > CONFIG_DIM_MAX)
        return err_set(r->err, ST_FORMAT, "%s: %d heads of %d dimensions are too wide", r->arch,
                       c->n_head, c->head_dim);
    return ST_OK;
}

/* Linear scaling stretches positions; the other kinds change the frequencies in ways that the
 * three architectures' files express through the rope_freqs tensor instead. */
static enum status read_rope_scaling(const struct reader *r, struct config *c)
{
    char key[96];
    struct gguf_str type = {.s = "none", .n = 4};
    snprintf(key, sizeof key, "%s.rope.scaling.type", r->arch);
    TRY(gguf_read_str(r->g, key, false, &type, r->err));
    bool none = type.n == 4 && !memcmp(type.s, "none", 4);
    bool linear = type.n == 6 && !memcmp(type.s, "linear", 6);
    if (!none && !linear)
        return err_set(r->err, ST_SUPPORT, "%s: expected none or linear, found \"%.*s\"", key,
                       (int)(type.n < 32 ? type.n : 32), type.s);
    float factor = 1;
    if (linear) TRY(read_positive(r, "rope.scaling.factor", true, &factor));
    c->rope_scale = 1 / factor;
    return ST_OK;
}

static enum status read_rope(const struct reader *r, struct config *c)
{
    c->rope_interleaved = c->arch->rope_interleaved;
    c->rope_base = 10000;
    TRY(read_positive(r, "rope.freq_base", false, &c->rope_base));
    c->n_rot = c->head_dim;
    TRY(read_int(r, "rope.dimension_count", false, c->head_dim, &c->n_rot));
    if (c->n_rot % 2)
        return err_set(r->err, ST_FORMAT,
                       "%s.rope.dimension_count: expected an even number, found %d", r->arch,
                       c->n_rot);
    return read_rope_scaling(r, c);
}

static enum status refuse_experts(const struct reader *r)
{
    char key[96];
    snprintf(key, sizeof key, "%s.expert_count", r->arch);
    uint32_t n = 0;
    TRY(gguf_read_u32(r->g, key, false, &n, r->err));
    if (n)
        return err_set(r->err, ST_SUPPORT, "%s: mixtures of experts are not read, found %u", key,
                       n);
    return ST_OK;
}

enum status config_read(const struct gguf *g, struct config *out, struct err *err)
{
    struct config c = {0};
    TRY(read_arch(g, &c, err));
    const struct reader r = {.g = g, .arch = c.arch->name, .err = err};
    TRY(refuse_experts(&r));
    TRY(read_int(&r, "block_count", true, CONFIG_LAYERS_MAX, &c.n_layer));
    TRY(read_int(&r, "embedding_length", true, CONFIG_DIM_MAX, &c.d_model));
    TRY(read_int(&r, "feed_forward_length", true, CONFIG_DIM_MAX, &c.d_ff));
    TRY(read_int(&r, "context_length", true, 1 << 26, &c.n_ctx_train));
    TRY(read_heads(&r, &c));
    TRY(read_positive(&r, "attention.layer_norm_rms_epsilon", true, &c.rms_eps));
    TRY(read_rope(&r, &c));
    *out = c;
    return ST_OK;
}
