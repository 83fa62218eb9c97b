#include "tiny.h"

#include "model/forward.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- vocabulary ---------------------------------------------------------------------------- */

static const char *const marks_of_text[] = {"<unk>", "<s>", "</s>"};
#define SPACE "\xe2\x96\x81"
static const char *const pieces[] = {
    SPACE "the", SPACE "a", SPACE "s", "he", "in", "er", "an", "on", SPACE, "e", "t", "a",
    "o",         "i",       "n",       "s",  "h",  "r",  "d",  "l",  "u",   "c", "m", "f",
    "w",         "g",       "y",       "p",  "b",  "v",  "k",  "x",  "q",   "j", "z"};
enum { N_MARKS = 3, N_BYTES = 256, N_PIECES = sizeof pieces / sizeof *pieces };

int tiny_real_vocab(const struct tiny_spec *s)
{
    return N_MARKS + (s->no_bytes ? 0 : N_BYTES) + N_PIECES + s->extra;
}

int tiny_logits(const struct tiny_spec *s)
{
    return tiny_real_vocab(s) + s->pad_tokens + s->pad_rows - s->mute;
}

struct vocab_lists {
    char text[512][16];
    const char *texts[512];
    float scores[512];
    int32_t kinds[512];
    int n;
};

static void add_token(struct vocab_lists *l, int32_t kind, const char *text)
{
    tiny_must_hold(l->n < 512, "too many tokens");
    snprintf(l->text[l->n], sizeof l->text[0], "%s", text);
    l->texts[l->n] = l->text[l->n];
    l->kinds[l->n] = kind;
    l->scores[l->n] = kind == 1 ? -(float)l->n : 0;
    l->n++;
}

static void add_vocab(struct tiny *t, const struct tiny_spec *s)
{
    struct vocab_lists *l = tiny_must(calloc(1, sizeof *l));
    char text[16];
    for (int i = 0; i < N_MARKS; i++) add_token(l, i ? 3 : 2, marks_of_text[i]);
    for (int i = 0; i < N_BYTES && !s->no_bytes; i++) {
        snprintf(text, sizeof text, "<0x%02X>", (unsigned)i);
        add_token(l, 6, text);
    }
    for (int i = 0; i < N_PIECES; i++) add_token(l, 1, pieces[i]);
    for (int i = 0; i < s->extra; i++) {
        snprintf(text, sizeof text, "<x%d>", i);
        add_token(l, 1, text);
    }
    for (int i = 0; i < s->pad_tokens; i++) {
        snprintf(text, sizeof text, "[PAD%d]", i);
        add_token(l, 1, text);
    }
    const size_t n = (size_t)l->n;
    tiny_set_str(t, "tokenizer.ggml.model", "llama");
    tiny_set_strs(t, "tokenizer.ggml.tokens", l->texts, n);
    tiny_set_array(t, "tokenizer.ggml.scores", GGUF_F32, l->scores, n, n * sizeof(float));
    tiny_set_array(t, "tokenizer.ggml.token_type", GGUF_I32, l->kinds, n, n * sizeof(int32_t));
    tiny_set_u32(t, "tokenizer.ggml.bos_token_id", TINY_BOS);
    tiny_set_u32(t, "tokenizer.ggml.eos_token_id", TINY_EOS);
    free(l);
}

/* ---- families ------------------------------------------------------------------------------ */

static const struct tiny_family families[] = {
    {.arch = "llama", .pairs = true},
    {.arch = "mllama", .pairs = true},
    {.arch = "mistral3", .pairs = true},
    {.arch = "qwen2", .qkv_bias = true},
    {.arch = "qwen3", .qk_norm = QK_HEADS},
    {.arch = "qwen3moe", .qk_norm = QK_HEADS, .experts = 6},
    {.arch = "gemma2", .gemma = true, .norms = NORMS_BOTH, .period = 2},
    {.arch = "gemma3",
     .gemma = true,
     .norms = NORMS_BOTH,
     .qk_norm = QK_HEADS,
     .period = 6,
     .plain_windows = true,
     .window_base = 10000},
    {.arch = "granite", .pairs = true, .scaled = true},
    {.arch = "olmo2", .qk_norm = QK_WIDE, .norms = NORMS_AFTER, .period = 4, .plain_windows = true},
    {.arch = "exaone"},
    {.arch = "exaone4", .qk_norm = QK_HEADS, .norms = NORMS_AFTER, .period = 4, .still = true},
    {.arch = "hunyuan-dense", .qk_norm = QK_LATE},
    {.arch = "phi3", .fused = true, .period = 1 << 20},
    {.arch = "ernie4_5", .pairs = true},
    {.arch = "smollm3", .pairs = true, .period = 4, .still = true, .open = true},
};

const struct tiny_family *tiny_family(const char *arch)
{
    size_t i = 0;
    while (i < sizeof families / sizeof *families && strcmp(families[i].arch, arch)) i++;
    tiny_must_hold(i < sizeof families / sizeof *families, arch);
    return &families[i];
}

/* ---- models -------------------------------------------------------------------------------- */

struct tiny_spec tiny_spec(const char *arch, enum quant_type type)
{
    struct tiny_spec s = {.arch = arch,
                          .type = type,
                          .other = type,
                          .n_layer = 2,
                          .n_ctx = 64,
                          .rope_base = 10000,
                          .gain = 2,
                          .seed = 1};
    const int block = quant_info(type)->block;
    s.n_head = block == 1 ? 4 : block == QK ? 3 : 4;
    s.n_head_kv = block == QK ? 1 : 2;
    s.head_dim = block == 1 ? 10 : block == QK ? 32 : 64;
    s.d_model = s.n_head * s.head_dim;
    s.d_ff = block == 1 ? 56 : block == QK ? 160 : 256;
    const struct tiny_family *family = tiny_family(arch);
    if (family->qk_norm == QK_HEADS || family->gemma) s.head_dim = block == 1 ? 14 : 2 * s.head_dim;
    s.n_rot = s.head_dim;
    s.qkv_bias = family->qkv_bias;
    s.fused = family->fused;
    s.tied = family->gemma;
    s.scale_logit = family->scaled;
    s.n_expert = family->experts;
    s.n_expert_used = family->experts / 3;
    return s;
}

static void set_floats(struct tiny *t, const struct tiny_spec *s)
{
    const struct {
        const char *name;
        float value;
    } floats[] = {{"rope.freq_base", s->rope_base},
                  {"rope.freq_base_swa", s->rope_base_local},
                  {"rope.scaling.factor", s->yarn.factor ? s->yarn.factor : s->rope_factor},
                  {"rope.scaling.attn_factor", s->rope_magnitude},
                  {"rope.scaling.alpha", s->alpha},
                  {"rope.scaling.yarn_ext_factor", s->yarn.ext},
                  {"rope.scaling.yarn_attn_factor", s->yarn.attn},
                  {"rope.scaling.yarn_beta_fast", s->yarn.fast},
                  {"rope.scaling.yarn_beta_slow", s->yarn.slow},
                  {"rope.scaling.yarn_log_multiplier", s->yarn.log},
                  {"attn_logit_softcapping", s->attn_cap},
                  {"final_logit_softcapping", s->logit_cap},
                  {"attention.temperature_scale", s->temperature},
                  {"embedding_scale", s->scale_embed},
                  {"residual_scale", s->scale_residual},
                  {"attention.scale", s->scale_attn},
                  {"logit_scale", s->scale_logit}};
    char key[TINY_NAME_MAX];
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        snprintf(key, sizeof key, "%s.%s", s->arch, floats[i].name);
        if (floats[i].value != 0) tiny_set_f32(t, key, floats[i].value);
    }
}

static void set_ints(struct tiny *t, const struct tiny_spec *s)
{
    const struct {
        const char *name;
        int value;
    } ints[] = {{"attention.sliding_window", s->window},
                {"attention.sliding_window_pattern", s->period},
                {"expert_count", s->n_expert},
                {"expert_used_count", s->n_expert_used},
                {"expert_feed_forward_length", s->n_expert ? s->d_ff : 0},
                {"rope.scaling.original_context_length", s->yarn.ctx}};
    char key[TINY_NAME_MAX];
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        snprintf(key, sizeof key, "%s.%s", s->arch, ints[i].name);
        if (ints[i].value) tiny_set_u32(t, key, (uint32_t)ints[i].value);
    }
}

/* Pairs that a file may lack. */
static void add_options(struct tiny *t, const struct tiny_spec *s)
{
    const int32_t cross[] = {s->cross};
    const size_t crossed = s->cross != 0;
    char key[TINY_NAME_MAX];
    set_floats(t, s);
    set_ints(t, s);
    snprintf(key, sizeof key, "%s.rope.scaling.type", s->arch);
    if (s->yarn.factor) tiny_set_str(t, key, "yarn");
    if (!strcmp(s->arch, "mllama"))
        tiny_set_array(t, "mllama.attention.cross_attention_layers", GGUF_I32, cross, crossed,
                       crossed * sizeof *cross);
}

static void add_config(struct tiny *t, const struct tiny_spec *s)
{
    const struct {
        const char *name;
        int value;
    } ints[] = {{"block_count", s->n_layer},           {"embedding_length", s->d_model},
                {"feed_forward_length", s->d_ff},      {"context_length", s->n_ctx},
                {"attention.head_count", s->n_head},   {"attention.head_count_kv", s->n_head_kv},
                {"attention.key_length", s->head_dim}, {"attention.value_length", s->head_dim},
                {"rope.dimension_count", s->n_rot}};
    char key[TINY_NAME_MAX];
    tiny_set_str(t, "general.architecture", s->arch);
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        snprintf(key, sizeof key, "%s.%s", s->arch, ints[i].name);
        tiny_set_u32(t, key, (uint32_t)ints[i].value);
    }
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", s->arch);
    tiny_set_f32(t, key, 1e-5f);
    add_options(t, s);
}

/* A matrix whose outputs have about the size of its inputs, times `gain`. */
static void add_matrix(struct tiny *t, const char *name, enum quant_type type, int outputs,
                       int inputs, float gain, uint64_t *rng)
{
    struct tiny_tensor *x = tiny_tensor(t, name, type, (uint64_t)inputs, (uint64_t)outputs);
    tiny_fill(x, gain / sqrtf((float)inputs), rng);
}

static void add_vector(struct tiny *t, const char *name, int n, float middle, float spread,
                       uint64_t *rng)
{
    tiny_fill_around(tiny_tensor(t, name, QT_F32, (uint64_t)n, 0), middle, spread, rng);
}

static const char *layer_name(char *out, int layer, const char *name)
{
    snprintf(out, TINY_NAME_MAX, "blk.%d.%s", layer, name);
    return out;
}

/* A product's scale, when the model has them: none that would magnify what quantisation rounds. */
static void add_scale(struct tiny *t, const struct tiny_spec *s, const char *name, uint64_t *rng)
{
    if (s->scales) add_vector(t, name, 1, 0.7f, 0.3f, rng);
}

static void add_qkv(struct tiny *t, const struct tiny_spec *s, int i, uint64_t *rng)
{
    const int q = s->n_head * s->head_dim, kv = s->n_head_kv * s->head_dim, d = s->d_model;
    char name[TINY_NAME_MAX];
    if (s->fused) {
        add_matrix(t, layer_name(name, i, "attn_qkv.weight"), s->type, q + 2 * kv, d, 1, rng);
        add_scale(t, s, layer_name(name, i, "attn_qkv.scale"), rng);
        return;
    }
    add_matrix(t, layer_name(name, i, "attn_q.weight"), s->type, q, d, 1, rng);
    add_matrix(t, layer_name(name, i, "attn_k.weight"), s->type, kv, d, 1, rng);
    add_matrix(t, layer_name(name, i, "attn_v.weight"), s->other, kv, d, 1, rng);
    add_scale(t, s, layer_name(name, i, "attn_q.scale"), rng);
    add_scale(t, s, layer_name(name, i, "attn_k.scale"), rng);
    add_scale(t, s, layer_name(name, i, "attn_v.scale"), rng);
}

static void add_qkv_bias(struct tiny *t, const struct tiny_spec *s, int i, uint64_t *rng)
{
    const int q = s->n_head * s->head_dim, kv = s->n_head_kv * s->head_dim;
    char name[TINY_NAME_MAX];
    if (s->fused) {
        add_vector(t, layer_name(name, i, "attn_qkv.bias"), q + 2 * kv, 0, 0.5f, rng);
        return;
    }
    add_vector(t, layer_name(name, i, "attn_q.bias"), q, 0, 0.5f, rng);
    add_vector(t, layer_name(name, i, "attn_k.bias"), kv, 0, 0.5f, rng);
    add_vector(t, layer_name(name, i, "attn_v.bias"), kv, 0, 0.5f, rng);
}

/* A sublayer's norms, by their names before and after it. */
static void add_norms(struct tiny *t, const struct tiny_spec *s, int i, const char *before,
                      const char *after, uint64_t *rng)
{
    const struct tiny_family *family = tiny_family(s->arch);
    char name[TINY_NAME_MAX];
    if (family->norms != NORMS_AFTER)
        add_vector(t, layer_name(name, i, before), s->d_model, 1, 0.3f, rng);
    if (family->norms != NORMS_BEFORE)
        add_vector(t, layer_name(name, i, after), s->d_model, 1, 0.3f, rng);
}

/* What nothing of may be read: some of its shapes are odd, and its weights huge. */
static void add_cross_attention(struct tiny *t, const struct tiny_spec *s, int i, uint64_t *rng)
{
    char name[TINY_NAME_MAX];
    add_vector(t, layer_name(name, i, "attn_norm.weight"), s->d_model, 1e6f, 1, rng);
    add_matrix(t, layer_name(name, i, "cross_attn_q_proj.weight"), QT_F16, 3, 5, 1e3f, rng);
    add_vector(t, layer_name(name, i, "cross_attn_q_norm.weight"), 7, 1e6f, 1, rng);
    add_vector(t, layer_name(name, i, "cross_attn_attn_gate"), 1, 1e6f, 1, rng);
}

static void add_attention(struct tiny *t, const struct tiny_spec *s, int i, uint64_t *rng)
{
    const int q = s->n_head * s->head_dim, kv = s->n_head_kv * s->head_dim, d = s->d_model;
    char name[TINY_NAME_MAX];
    add_norms(t, s, i, "attn_norm.weight", "post_attention_norm.weight", rng);
    add_qkv(t, s, i, rng);
    add_matrix(t, layer_name(name, i, "attn_output.weight"), s->type, d, q, 1, rng);
    add_scale(t, s, layer_name(name, i, "attn_output.scale"), rng);
    if (s->qkv_bias) add_qkv_bias(t, s, i, rng);
    if (s->o_bias) add_vector(t, layer_name(name, i, "attn_output.bias"), d, 0, 0.5f, rng);
    const struct tiny_family *family = tiny_family(s->arch);
    if (family->qk_norm == QK_PLAIN) return;
    const bool wide = family->qk_norm == QK_WIDE;
    const int q_norm = wide ? q : s->head_dim, k_norm = wide ? kv : s->head_dim;
    add_vector(t, layer_name(name, i, "attn_q_norm.weight"), q_norm, 1, 0.3f, rng);
    add_vector(t, layer_name(name, i, "attn_k_norm.weight"), k_norm, 1, 0.3f, rng);
}

static void add_experts(struct tiny *t, const char *name, enum quant_type type, int n, int outputs,
                        int inputs, uint64_t *rng)
{
    struct tiny_tensor *x =
        tiny_stack(t, name, type, (uint64_t)inputs, (uint64_t)outputs, (uint64_t)n);
    tiny_fill(x, 1 / sqrtf((float)inputs), rng);
}

static void add_mixture(struct tiny *t, const struct tiny_spec *s, int i, uint64_t *rng)
{
    const int n = s->n_expert, d = s->d_model;
    char name[TINY_NAME_MAX];
    add_norms(t, s, i, "ffn_norm.weight", "post_ffw_norm.weight", rng);
    add_matrix(t, layer_name(name, i, "ffn_gate_inp.weight"), QT_F32, n, d, 2, rng);
    add_experts(t, layer_name(name, i, "ffn_gate_exps.weight"), s->type, n, s->d_ff, d, rng);
    add_experts(t, layer_name(name, i, "ffn_up_exps.weight"), s->type, n, s->d_ff, d, rng);
    add_experts(t, layer_name(name, i, "ffn_down_exps.weight"), s->other, n, d, s->d_ff, rng);
}

static void add_ffn(struct tiny *t, const struct tiny_spec *s, int i, uint64_t *rng)
{
    char name[TINY_NAME_MAX];
    add_norms(t, s, i, "ffn_norm.weight", "post_ffw_norm.weight", rng);
    const bool fused = tiny_family(s->arch)->fused;
    const int up = fused ? 2 * s->d_ff : s->d_ff;
    layer_name(name, i, "ffn_gate.weight");
    if (!fused) add_matrix(t, name, s->type, s->d_ff, s->d_model, 1, rng);
    add_matrix(t, layer_name(name, i, "ffn_up.weight"), s->type, up, s->d_model, 1, rng);
    add_matrix(t, layer_name(name, i, "ffn_down.weight"), s->other, s->d_model, s->d_ff, 1, rng);
    add_scale(t, s, layer_name(name, i, "ffn_gate.scale"), rng);
    add_scale(t, s, layer_name(name, i, "ffn_up.scale"), rng);
    add_scale(t, s, layer_name(name, i, "ffn_down.scale"), rng);
    if (!s->ffn_bias) return;
    add_vector(t, layer_name(name, i, "ffn_gate.bias"), s->d_ff, 0, 0.5f, rng);
    add_vector(t, layer_name(name, i, "ffn_up.bias"), s->d_ff, 0, 0.5f, rng);
    add_vector(t, layer_name(name, i, "ffn_down.bias"), s->d_model, 0, 0.5f, rng);
}

struct tiny *tiny_model(const struct tiny_spec *s)
{
    struct tiny *t = tiny_new();
    uint64_t rng = s->seed;
    const int rows = tiny_logits(s);
    forward_sharing = (struct forward_sharing){0};
    add_config(t, s);
    add_vocab(t, s);
    add_matrix(t, "token_embd.weight", s->type, rows + s->mute, s->d_model, s->gain, &rng);
    add_vector(t, "output_norm.weight", s->d_model, 1, 0.3f, &rng);
    if (!s->tied) add_matrix(t, "output.weight", s->other, rows, s->d_model, s->gain, &rng);
    if (!s->tied) add_scale(t, s, "output.scale", &rng);
    if (s->output_bias) add_vector(t, "output.bias", rows, 0, 0.5f, &rng);
    if (s->rope_freqs) add_vector(t, "rope_freqs.weight", s->n_rot / 2, 4, 3, &rng);
    if (s->cross) add_vector(t, "v.patch_embd.weight", 9, 0, 1, &rng);
    if (s->cross) add_vector(t, "mm.0.bias", 3, 0, 1, &rng);
    for (int i = 0; i < s->n_layer; i++) {
        if (s->cross && i == s->cross)
            add_cross_attention(t, s, i, &rng);
        else
            add_attention(t, s, i, &rng);
        if (s->n_expert)
            add_mixture(t, s, i, &rng);
        else
            add_ffn(t, s, i, &rng);
    }
    return t;
}

static void save_model(const struct tiny *t, char path[TINY_PATH_MAX])
{
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, path);
    tiny_image_free(image);
}

struct model *tiny_open(const struct tiny *t)
{
    char path[TINY_PATH_MAX];
    struct model *m = NULL;
    struct err err = {0};
    save_model(t, path);
    enum status st = model_open(path, &(struct model_options){0}, &m, &err);
    unlink(path);
    tiny_must_hold(st == ST_OK, err.message);
    return m;
}

ead_model *tiny_open_public(const struct tiny *t)
{
    char path[TINY_PATH_MAX];
    ead_model *m = NULL;
    ead_error error = {0};
    save_model(t, path);
    ead_status st = ead_model_open(path, NULL, &m, &error);
    unlink(path);
    tiny_must_hold(st == EAD_OK, error.message);
    return m;
}

void tiny_text(const struct tiny_spec *s, uint64_t seed, int32_t *ids, int n)
{
    uint64_t rng = seed * 77 + 1;
    const uint64_t some = (uint64_t)(tiny_real_vocab(s) - N_MARKS);
    for (int i = 0; i < n; i++) ids[i] = N_MARKS + (int32_t)(rng_bits(&rng) % some);
    if (n) ids[0] = TINY_BOS;
}
