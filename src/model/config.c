#include "model/config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- values ------------------------------------------------------------------------------ */

/* Metadata keys carry the architecture's name in front: "llama.block_count". */
struct reader {
    const struct gguf *g;
    const char *arch;
    struct err *err;
};

static bool has_key(const struct reader *r, const char *name)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", r->arch, name);
    return gguf_find(r->g, key) != NULL;
}

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

/* A number that layers might differ in, but here do not: it may stand once, or once for each. */
static enum status read_layers(const struct reader *r, const char *name, bool required, int max,
                               int n_layer, int *out)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", r->arch, name);
    const struct gguf_kv *kv = gguf_find(r->g, key);
    if (!kv || kv->type != GGUF_ARRAY || !gguf_type_is_integer(kv->elem))
        return read_int(r, name, required, max, out);
    if (kv->count != (uint64_t)n_layer)
        return err_set(r->err, ST_FORMAT,
                       "%s: expected a number, or one for each of %d layers, found %llu", key,
                       n_layer, (unsigned long long)kv->count);
    const int64_t value = gguf_i64_at(kv, 0);
    for (int i = 1; i < n_layer; i++)
        if (gguf_i64_at(kv, (uint64_t)i) != value)
            return err_set(r->err, ST_SUPPORT,
                           "%s: expected the same number for all layers, found %lld and %lld", key,
                           (long long)value, (long long)gguf_i64_at(kv, (uint64_t)i));
    if (value < 1 || value > max)
        return err_set(r->err, ST_FORMAT, "%s: expected 1 to %d, found %lld", key, max,
                       (long long)value);
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

static enum status read_nonnegative(const struct reader *r, const char *name, float *out)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", r->arch, name);
    TRY(gguf_read_f32(r->g, key, false, out, r->err));
    if (!(*out >= 0))
        return err_set(r->err, ST_FORMAT, "%s: expected 0 or more, found %g", key, (double)*out);
    return ST_OK;
}

/* ---- the shape --------------------------------------------------------------------------- */

static enum status read_arch(const struct gguf *g, struct config *c, struct err *err)
{
    struct gguf_str name = {0};
    char known[256];
    TRY(gguf_read_str(g, "general.architecture", true, &name, err));
    c->arch = arch_find(name.s, name.n);
    if (c->arch) return ST_OK;
    const char *why_not = arch_why_not(name.s, name.n);
    if (why_not)
        return err_set(err, ST_SUPPORT, "general.architecture: \"%.*s\" %s", (int)name.n, name.s,
                       why_not);
    arch_names(known, sizeof known);
    return err_set(err, ST_SUPPORT, "general.architecture: expected %s, found \"%.*s\"", known,
                   (int)(name.n < 64 ? name.n : 64), name.s);
}

static enum status read_heads(const struct reader *r, struct config *c)
{
    TRY(read_layers(r, "attention.head_count", true, 1 << 14, c->n_layer, &c->n_head));
    c->n_head_kv = c->n_head;
    TRY(read_layers(r, "attention.head_count_kv", false, c->n_head, c->n_layer, &c->n_head_kv));
    if (c->n_head % c->n_head_kv)
        return err_set(
            r->err, ST_FORMAT,
            "%s.attention.head_count: expected a multiple of head_count_kv = %d, found %d", r->arch,
            c->n_head_kv, c->n_head);
    c->head_dim = c->d_model / c->n_head;
    if (!has_key(r, "attention.key_length") && c->d_model % c->n_head)
        return err_set(r->err, ST_FORMAT,
                       "%s.embedding_length: expected a multiple of head_count = %d, found %d",
                       r->arch, c->n_head, c->d_model);
    TRY(read_layers(r, "attention.key_length", false, CONFIG_HEAD_DIM_MAX, c->n_layer,
                    &c->head_dim));
    int v_dim = c->head_dim;
    TRY(read_layers(r, "attention.value_length", false, CONFIG_HEAD_DIM_MAX, c->n_layer, &v_dim));
    if (v_dim != c->head_dim)
        return err_set(r->err, ST_SUPPORT,
                       "%s.attention.value_length: expected key_length = %d, found %d", r->arch,
                       c->head_dim, v_dim);
    if (c->head_dim > CONFIG_HEAD_DIM_MAX || config_q_dim(c) > CONFIG_DIM_MAX)
        return err_set(r->err, ST_FORMAT, "%s: %d heads of %d dimensions are too wide", r->arch,
                       c->n_head, c->head_dim);
    return ST_OK;
}

/* ---- angles ------------------------------------------------------------------------------ */

/* How far linear scaling stretches positions; a factor without a type means it. The key that files
 * had before there were types holds where the new one is absent. */
static enum status read_linear(const struct reader *r, bool required, struct rope *rope)
{
    float factor = 1;
    const bool old = !has_key(r, "rope.scaling.factor") && has_key(r, "rope.scale_linear");
    TRY(read_positive(r, old ? "rope.scale_linear" : "rope.scaling.factor", required, &factor));
    rope->scale = 1 / factor;
    return ST_OK;
}

/* Converters write two things by this name, which agree in what real files hold: what the magnitude
 * is to be multiplied by, and what it is to be. */
static enum status check_yarn_magnitude(const struct reader *r, double magnitude)
{
    char key[96];
    float given = 1;
    snprintf(key, sizeof key, "%s.rope.scaling.yarn_attn_factor", r->arch);
    TRY(read_positive(r, "rope.scaling.yarn_attn_factor", false, &given));
    if (given == 1 || fabs((double)given - magnitude) < 1e-4 * magnitude) return ST_OK;
    return err_set(r->err, ST_SUPPORT,
                   "%s: expected 1 or %.4f, which is what the factor gives, found %g: readers "
                   "differ on what others mean",
                   key, magnitude, (double)given);
}

static enum status read_yarn(const struct reader *r, const struct config *c, struct rope *rope)
{
    float factor = 1, log_multiplier = 0;
    TRY(read_positive(r, "rope.scaling.factor", true, &factor));
    rope->scale = 1 / factor;
    rope->yarn_ctx = c->n_ctx_train;
    TRY(read_int(r, "rope.scaling.original_context_length", false, CONFIG_CTX_MAX,
                 &rope->yarn_ctx));
    rope->ext = rope->slow = 1;
    rope->fast = 32;
    TRY(read_positive(r, "rope.scaling.yarn_ext_factor", false, &rope->ext));
    TRY(read_positive(r, "rope.scaling.yarn_beta_fast", false, &rope->fast));
    TRY(read_positive(r, "rope.scaling.yarn_beta_slow", false, &rope->slow));
    if (rope->fast < rope->slow)
        return err_set(r->err, ST_FORMAT,
                       "%s.rope.scaling.yarn_beta_fast: expected at least yarn_beta_slow = %g, "
                       "found %g",
                       r->arch, (double)rope->slow, (double)rope->fast);
    TRY(read_nonnegative(r, "rope.scaling.yarn_log_multiplier", &log_multiplier));
    const double magnitude = rope_yarn_magnitude((double)factor, (double)log_multiplier);
    TRY(check_yarn_magnitude(r, magnitude));
    rope->magnitude = (float)((double)rope->magnitude * magnitude);
    return ST_OK;
}

static bool str_is(struct gguf_str s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.s, text, s.n);
}

/* Other kinds change the frequencies. Llama 3's are in its file as a tensor, rope_freqs. */
static enum status read_rope_scaling(const struct reader *r, const struct config *c,
                                     struct rope *rope)
{
    char key[96];
    struct gguf_str type = {0};
    snprintf(key, sizeof key, "%s.rope.scaling.type", r->arch);
    TRY(gguf_read_str(r->g, key, false, &type, r->err));
    rope->scale = rope->magnitude = 1;
    TRY(read_positive(r, "rope.scaling.attn_factor", false, &rope->magnitude));
    if (str_is(type, "none")) return ST_OK;
    if (str_is(type, "linear") || !type.s) return read_linear(r, type.s != NULL, rope);
    if (str_is(type, "yarn")) return read_yarn(r, c, rope);
    if (str_is(type, "longrope"))
        return err_set(r->err, ST_SUPPORT,
                       "%s: longrope turns a text by other angles once it is long, which ead does "
                       "not compute",
                       key);
    return err_set(r->err, ST_SUPPORT,
                   "%s: expected none, linear or yarn, the kinds that ead computes, found \"%.*s\"",
                   key, (int)(type.n < 32 ? type.n : 32), type.s);
}

/* NTK-aware scaling: the slowest pair is stretched by alpha, the fastest is not. */
static enum status stretch_base(const struct reader *r, const struct config *c, struct rope *rope)
{
    float alpha = 0;
    TRY(read_nonnegative(r, "rope.scaling.alpha", &alpha));
    if (alpha > 0 && c->head_dim > 2)
        rope->base *= powf(alpha, (float)c->head_dim / (float)(c->head_dim - 2));
    return ST_OK;
}

static enum status read_rope(const struct reader *r, struct config *c)
{
    struct rope *rope = &c->rope[CONFIG_GLOBAL];
    rope->base = 10000;
    TRY(read_positive(r, "rope.freq_base", false, &rope->base));
    if (c->arch->alpha) TRY(stretch_base(r, c, rope));
    c->n_rot = c->head_dim;
    TRY(read_layers(r, "rope.dimension_count", false, c->head_dim, c->n_layer, &c->n_rot));
    if (c->n_rot % 2)
        return err_set(r->err, ST_FORMAT,
                       "%s.rope.dimension_count: expected an even number, found %d", r->arch,
                       c->n_rot);
    return read_rope_scaling(r, c, rope);
}

/* ---- kinds of layers --------------------------------------------------------------------- */

/* Which layers see a window, by a number or layer by layer. */
static enum status read_pattern(const struct reader *r, struct config *c)
{
    char key[96];
    snprintf(key, sizeof key, "%s.attention.sliding_window_pattern", r->arch);
    const struct gguf_kv *kv = gguf_find(r->g, key);
    uint32_t period = (uint32_t)c->arch->windows.period;
    if (kv && kv->type == GGUF_ARRAY && (kv->elem == GGUF_BOOL || gguf_type_is_integer(kv->elem))) {
        if (kv->count != (uint64_t)c->n_layer)
            return err_set(r->err, ST_FORMAT, "%s: expected one for each of %d layers, found %llu",
                           key, c->n_layer, (unsigned long long)kv->count);
        for (int i = 0; i < c->n_layer; i++)
            c->kind[i] = gguf_i64_at(kv, (uint64_t)i) ? CONFIG_LOCAL : CONFIG_GLOBAL;
        return ST_OK;
    }
    TRY(gguf_read_u32(r->g, key, false, &period, r->err));
    for (uint32_t i = 0; i < (uint32_t)c->n_layer; i++)
        c->kind[i] = !period || i % period < period - 1 ? CONFIG_LOCAL : CONFIG_GLOBAL;
    return ST_OK;
}

/* How far it reaches; a file may say that there is none. */
static enum status read_window(const struct reader *r, int *window)
{
    char key[96];
    uint32_t size = (uint32_t)*window;
    snprintf(key, sizeof key, "%s.attention.sliding_window", r->arch);
    TRY(gguf_read_u32(r->g, key, false, &size, r->err));
    *window = (int)size;
    return size ? read_int(r, "attention.sliding_window", false, CONFIG_CTX_MAX, window) : ST_OK;
}

static enum status read_windows(const struct reader *r, struct config *c)
{
    const struct arch_windows *windows = &c->arch->windows;
    if (!windows->period) return ST_OK;
    c->window = windows->size;
    if (!windows->open) TRY(read_window(r, &c->window));
    if (!c->window && !windows->open) return ST_OK;
    struct rope *global = &c->rope[CONFIG_GLOBAL], *local = &c->rope[CONFIG_LOCAL];
    *local = *global;
    if (windows->plain) *local = (struct rope){.base = global->base, .scale = 1, .magnitude = 1};
    if (windows->base > 0) local->base = windows->base;
    if (windows->still) *global = (struct rope){.base = global->base, .magnitude = 1};
    TRY(read_positive(r, "rope.freq_base_swa", false, &local->base));
    return read_pattern(r, c);
}

/* ---- scales and caps --------------------------------------------------------------------- */

static enum status read_cap(const struct reader *r, const char *name, float usual, float *out)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", r->arch, name);
    *out = usual;
    TRY(gguf_read_f32(r->g, key, false, out, r->err));
    if (*out < 0)
        return err_set(r->err, ST_FORMAT, "%s: expected a positive number, or 0 for none, found %g",
                       key, (double)*out);
    return ST_OK;
}

static enum status read_own_scales(const struct reader *r, struct config *c)
{
    char key[96];
    bool turns = true;
    float divisor = 1;
    snprintf(key, sizeof key, "%s.rope.scaling.finetuned", r->arch);
    TRY(gguf_read_bool(r->g, key, false, &turns, r->err));
    if (!turns)
        return err_set(r->err, ST_SUPPORT,
                       "%s: expected true, found false: heads that nothing turns are not computed",
                       key);
    TRY(read_positive(r, "embedding_scale", false, &c->embed_scale));
    TRY(read_positive(r, "residual_scale", false, &c->residual_scale));
    TRY(read_positive(r, "attention.scale", false, &c->attn_scale));
    TRY(read_positive(r, "logit_scale", true, &divisor));
    c->logit_scale = 1 / divisor;
    return ST_OK;
}

static enum status read_scales(const struct reader *r, struct config *c)
{
    const struct arch *a = c->arch;
    const bool shared = c->n_layer == a->shared_width_layers;
    const int width = shared ? c->d_model / c->n_head : c->head_dim;
    c->embed_scale = a->embed_root ? sqrtf((float)c->d_model) : 1;
    c->attn_scale = 1 / sqrtf((float)width);
    c->residual_scale = c->logit_scale = 1;
    if (a->scaled) TRY(read_own_scales(r, c));
    TRY(read_cap(r, "attn_logit_softcapping", a->attn_cap, &c->attn_cap));
    return read_cap(r, "final_logit_softcapping", a->logit_cap, &c->logit_cap);
}

static enum status read_temperature(const struct reader *r, struct config *c)
{
    c->temperature_ctx = c->n_ctx_train;
    TRY(read_nonnegative(r, "attention.temperature_scale", &c->temperature));
    return read_int(r, "rope.scaling.original_context_length", false, CONFIG_CTX_MAX,
                    &c->temperature_ctx);
}

/* ---- refusals ---------------------------------------------------------------------------- */

/* A model that was trained to see what comes after a token writes nothing sensible. */
static enum status refuse_acausal(const struct reader *r)
{
    char key[96];
    bool causal = true;
    snprintf(key, sizeof key, "%s.attention.causal", r->arch);
    TRY(gguf_read_bool(r->g, key, false, &causal, r->err));
    if (!causal)
        return err_set(r->err, ST_SUPPORT,
                       "%s: expected true, found false: the model does not write text", key);
    return ST_OK;
}

/* What a mixture may say of itself beyond its sizes: the one kind that is computed. */
static enum status check_mixture(const struct reader *r)
{
    static const struct {
        const char *name;
        uint32_t value;
        const char *expected;
    } keys[] = {{"expert_shared_count", 0, "none that all tokens pass"},
                {"expert_shared_feed_forward_length", 0, "none that all tokens pass"},
                {"leading_dense_block_count", 0, "a mixture in every layer"},
                {"expert_group_count", 1, "one group of experts"},
                {"expert_gating_func", 1, "softmax"}};
    char key[96];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint32_t found = keys[i].value;
        snprintf(key, sizeof key, "%s.%s", r->arch, keys[i].name);
        TRY(gguf_read_u32(r->g, key, false, &found, r->err));
        if (found != keys[i].value)
            return err_set(r->err, ST_SUPPORT, "%s: expected %u (%s), found %u", key, keys[i].value,
                           keys[i].expected, found);
    }
    bool norm = true;
    float scale = 1;
    snprintf(key, sizeof key, "%s.expert_weights_norm", r->arch);
    TRY(gguf_read_bool(r->g, key, false, &norm, r->err));
    if (!norm)
        return err_set(r->err, ST_SUPPORT, "%s: expected true (weights that sum to 1), found false",
                       key);
    snprintf(key, sizeof key, "%s.expert_weights_scale", r->arch);
    TRY(gguf_read_f32(r->g, key, false, &scale, r->err));
    if (scale != 1)
        return err_set(r->err, ST_SUPPORT, "%s: expected 1, found %g", key, (double)scale);
    return ST_OK;
}

static enum status read_mixture(const struct reader *r, struct config *c)
{
    TRY(read_int(r, "expert_count", true, CONFIG_EXPERTS_MAX, &c->n_expert));
    TRY(read_int(r, "expert_used_count", true, c->n_expert, &c->n_expert_used));
    TRY(read_layers(r, "expert_feed_forward_length", true, CONFIG_DIM_MAX, c->n_layer, &c->d_ff));
    if (c->d_ff > CONFIG_EXPERTS_WIDE_MAX / c->n_expert)
        return err_set(r->err, ST_FORMAT,
                       "%s.expert_count: %d experts of %d dimensions are too wide", r->arch,
                       c->n_expert, c->d_ff);
    return check_mixture(r);
}

static enum status refuse_experts(const struct reader *r)
{
    char key[96];
    snprintf(key, sizeof key, "%s.expert_count", r->arch);
    uint32_t n = 0;
    TRY(gguf_read_u32(r->g, key, false, &n, r->err));
    if (n)
        return err_set(r->err, ST_SUPPORT, "%s: expected none in this architecture, found %u", key,
                       n);
    return ST_OK;
}

static enum status read_feed_forward(const struct reader *r, struct config *c)
{
    if (c->arch->mixture) return read_mixture(r, c);
    TRY(refuse_experts(r));
    return read_layers(r, "feed_forward_length", true, CONFIG_DIM_MAX, c->n_layer, &c->d_ff);
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* Is block i in the ascending list of those that only an image reaches? */
static enum status mark_image_blocks(const struct reader *r, struct config *c, bool *marks)
{
    char key[96];
    snprintf(key, sizeof key, "%s.attention.cross_attention_layers", r->arch);
    const struct gguf_kv *kv = gguf_find(r->g, key);
    if (!kv) return err_set(r->err, ST_FORMAT, "%s: missing", key);
    if (kv->type != GGUF_ARRAY || !gguf_type_is_integer(kv->elem))
        return err_set(r->err, ST_FORMAT, "%s: expected an array of integers", key);
    for (uint64_t i = 0; i < kv->count; i++) {
        const int64_t block = gguf_i64_at(kv, i);
        if (block < 0 || block >= c->n_block || marks[block])
            return err_set(r->err, ST_FORMAT,
                           "%s: expected each of 0 to %d at most once, found %lld", key,
                           c->n_block - 1, (long long)block);
        marks[block] = true;
    }
    return ST_OK;
}

/* Layers are the blocks that a text reaches. */
static enum status read_blocks(const struct reader *r, struct config *c)
{
    bool skipped[CONFIG_LAYERS_MAX] = {false};
    c->n_block = c->n_layer;
    if (c->arch->image_block) TRY(mark_image_blocks(r, c, skipped));
    c->n_layer = 0;
    for (int i = 0; i < c->n_block; i++)
        if (!skipped[i]) c->block[c->n_layer++] = (uint16_t)i;
    if (!c->n_layer)
        return err_set(r->err, ST_FORMAT, "%s.attention.cross_attention_layers: no layer is left",
                       r->arch);
    return ST_OK;
}

/* ---- all of it --------------------------------------------------------------------------- */

enum status config_read(const struct gguf *g, struct config *out, struct err *err)
{
    struct config c = {0};
    TRY(read_arch(g, &c, err));
    const struct reader r = {.g = g, .arch = c.arch->name, .err = err};
    TRY(refuse_acausal(&r));
    TRY(read_int(&r, "block_count", true, CONFIG_LAYERS_MAX, &c.n_layer));
    TRY(read_int(&r, "embedding_length", true, CONFIG_DIM_MAX, &c.d_model));
    TRY(read_feed_forward(&r, &c));
    TRY(read_int(&r, "context_length", true, CONFIG_CTX_MAX, &c.n_ctx_train));
    TRY(read_heads(&r, &c));
    TRY(read_positive(&r, "attention.layer_norm_rms_epsilon", true, &c.rms_eps));
    TRY(read_rope(&r, &c));
    TRY(read_windows(&r, &c));
    TRY(read_scales(&r, &c));
    TRY(read_temperature(&r, &c));
    TRY(read_blocks(&r, &c));
    *out = c;
    return ST_OK;
}

bool config_has_kind(const struct config *c, enum config_kind kind)
{
    return memchr(c->kind, (int)kind, (size_t)c->n_layer) != NULL;
}
