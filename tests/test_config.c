/* From metadata to a config and from tensors to weights: what is read, and what is refused by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- helpers ------------------------------------------------------------------------------- */

/* The same through a file. */
static void open_saved(const struct tiny *t, bool vocab_only, enum status expected,
                       const char *found)
{
    char path[TINY_PATH_MAX];
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, path);
    tiny_image_free(image);
    struct model *m = NULL;
    struct err err = {0};
    const struct model_options options = {.vocab_only = vocab_only};
    enum status st = model_open(path, &options, &m, &err);
    assert_int_equal(st, expected);
    if (st != ST_OK && (!strstr(err.message, path) || !strstr(err.message, found)))
        fail_msg("expected \"%s\" and \"%s\" in: %s", path, found, err.message);
    if (st == ST_OK) assert_int_equal(m->has_weights, !vocab_only);
    model_close(m);
    unlink(path);
}

static const char *const archs[] = {"llama",         "mllama",  "mistral3", "qwen2",  "qwen3",
                                    "qwen3moe",      "granite", "olmo2",    "exaone", "exaone4",
                                    "hunyuan-dense", "smollm3", "ernie4_5"};
enum { N_ARCHS = sizeof archs / sizeof *archs };

/* ---- config -------------------------------------------------------------------------------- */

static void test_config_is_what_the_file_says(void **state)
{
    (void)state;
    for (int i = 0; i < N_ARCHS; i++) {
        struct tiny_spec spec = tiny_spec(archs[i], QT_Q8_0);
        struct tiny *t = tiny_model(&spec);
        struct opened o;
        opened_must(t, &o);
        const struct config *c = &o.config;
        assert_string_equal(c->arch->name, archs[i]);
        assert_int_equal(c->n_layer, spec.n_layer);
        assert_int_equal(c->d_model, spec.d_model);
        assert_int_equal(c->d_ff, spec.d_ff);
        assert_int_equal(c->n_head, spec.n_head);
        assert_int_equal(c->n_head_kv, spec.n_head_kv);
        assert_int_equal(c->head_dim, spec.head_dim);
        assert_int_equal(c->n_rot, spec.n_rot);
        assert_int_equal(c->n_ctx_train, spec.n_ctx);
        const struct rope *rope = &c->rope[c->kind[0]];
        assert_true(c->rms_eps == 1e-5f && rope->base == 10000 && rope->scale == 1);
        assert_int_equal(c->arch->rope_interleaved, tiny_family(archs[i])->pairs);
        assert_int_equal(o.weights.n_vocab, tiny_logits(&spec));
        opened_release(&o);
        tiny_free(t);
    }
}

/* Keys a file may leave out, and what then holds. */
static void test_defaults(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.n_head_kv = spec.n_head;
    struct tiny *t = tiny_model(&spec);
    tiny_drop(t, "llama.attention.head_count_kv");
    tiny_drop(t, "llama.attention.key_length");
    tiny_drop(t, "llama.attention.value_length");
    tiny_drop(t, "llama.rope.dimension_count");
    tiny_drop(t, "llama.rope.freq_base");
    struct opened o;
    opened_must(t, &o);
    assert_int_equal(o.config.n_head_kv, spec.n_head);
    assert_int_equal(o.config.head_dim, spec.d_model / spec.n_head);
    assert_int_equal(o.config.n_rot, o.config.head_dim);
    assert_true(o.config.rope[0].base == 10000);
    opened_release(&o);
    tiny_free(t);
}

static void test_linear_rope_scaling(void **state)
{
    (void)state;
    struct tiny *t = opened_model("qwen2");
    struct opened o;
    tiny_set_str(t, "qwen2.rope.scaling.type", "none");
    opened_accept(t);
    tiny_set_str(t, "qwen2.rope.scaling.type", "linear");
    opened_refuse(t, ST_FORMAT, "qwen2.rope.scaling.factor", "missing");
    tiny_set_f32(t, "qwen2.rope.scaling.factor", 0);
    opened_refuse(t, ST_FORMAT, "qwen2.rope.scaling.factor", "found 0");
    tiny_set_f32(t, "qwen2.rope.scaling.factor", 4);
    opened_must(t, &o);
    assert_true(o.config.rope[0].scale == 0.25f);
    opened_release(&o);
    tiny_set_str(t, "qwen2.rope.scaling.type", "longrope");
    opened_refuse(t, ST_SUPPORT, "qwen2.rope.scaling.type: longrope", "does not compute");
    static const char *const others[] = {"su", "dynamic", ""};
    for (int i = 0; i < 3; i++) {
        char found[32];
        snprintf(found, sizeof found, "found \"%s\"", others[i]);
        tiny_set_str(t, "qwen2.rope.scaling.type", others[i]);
        opened_refuse(t, ST_SUPPORT, "qwen2.rope.scaling.type: expected none, linear or yarn",
                      found);
    }
    tiny_free(t);
}

static void check_scale(const struct tiny *t, float scale, float magnitude)
{
    struct opened o;
    opened_must(t, &o);
    assert_true(o.config.rope[0].scale == scale);
    assert_true(o.config.rope[0].magnitude == magnitude);
    opened_release(&o);
}

/* The keys of before and beside the type. */
static void test_rope_keys(void **state)
{
    (void)state;
    struct tiny *t = opened_model("llama");
    check_scale(t, 1, 1);
    tiny_set_f32(t, "llama.rope.scale_linear", 8);
    check_scale(t, 0.125f, 1);
    tiny_set_str(t, "llama.rope.scaling.type", "linear");
    check_scale(t, 0.125f, 1);
    tiny_set_f32(t, "llama.rope.scaling.factor", 2); /* the new key holds */
    check_scale(t, 0.5f, 1);
    tiny_drop(t, "llama.rope.scaling.type");
    check_scale(t, 0.5f, 1);
    tiny_set_f32(t, "llama.rope.scaling.attn_factor", 1.5f);
    check_scale(t, 0.5f, 1.5f);
    tiny_set_str(t, "llama.rope.scaling.type", "none");
    check_scale(t, 1, 1.5f);
    tiny_set_f32(t, "llama.rope.scaling.attn_factor", 0);
    opened_refuse(t, ST_FORMAT, "llama.rope.scaling.attn_factor", "found 0");
    tiny_drop(t, "llama.rope.scaling.attn_factor");
    tiny_drop(t, "llama.rope.scaling.type");
    tiny_drop(t, "llama.rope.scaling.factor");
    tiny_set_f32(t, "llama.rope.scale_linear", -1);
    opened_refuse(t, ST_FORMAT, "llama.rope.scale_linear", "found -1");
    tiny_free(t);
}

static void test_acausal_attention_is_refused(void **state)
{
    (void)state;
    struct tiny *t = opened_model("qwen2");
    tiny_set_bool(t, "qwen2.attention.causal", true);
    opened_accept(t);
    tiny_set_bool(t, "qwen2.attention.causal", false);
    opened_refuse(t, ST_SUPPORT, "qwen2.attention.causal", "found false");
    tiny_set_u32(t, "qwen2.attention.causal", 1);
    opened_refuse(t, ST_FORMAT, "qwen2.attention.causal", "u32");
    tiny_free(t);
}

/* One number for each of two layers. */
static void check_layers(const char *arch, const char *name)
{
    struct tiny *t = opened_model(arch);
    char key[TINY_NAME_MAX];
    uint32_t value = 0;
    for (int i = 0; i < t->n_kv; i++)
        if (!strcmp(t->kv[i].key, opened_key(key, arch, name)))
            memcpy(&value, t->kv[i].value.data, sizeof value);
    const int32_t two[] = {(int32_t)value, (int32_t)value}, other[] = {two[0], two[0] + 1};
    const uint64_t wide[] = {value, value}, beyond[] = {UINT64_MAX, UINT64_MAX};
    const float floats[] = {(float)value, (float)value};
    tiny_set_array(t, key, GGUF_I32, two, 2, sizeof two);
    opened_accept(t);
    tiny_set_array(t, key, GGUF_U64, wide, 2, sizeof wide);
    opened_accept(t);
    tiny_set_array(t, key, GGUF_I32, other, 2, sizeof other);
    opened_refuse(t, ST_SUPPORT, key, "the same number for all layers, found");
    tiny_set_array(t, key, GGUF_I32, two, 1, sizeof *two);
    opened_refuse(t, ST_FORMAT, key, "one for each of 2 layers, found 1");
    tiny_set_array(t, key, GGUF_I32, two, 0, 0);
    opened_refuse(t, ST_FORMAT, key, "one for each of 2 layers, found 0");
    tiny_set_array(t, key, GGUF_U64, beyond, 2, sizeof beyond);
    opened_refuse(t, ST_FORMAT, key, "found 9223372036854775807");
    tiny_set_array(t, key, GGUF_F32, floats, 2, sizeof floats);
    opened_refuse(t, ST_FORMAT, key, "array");
    tiny_free(t);
}

static void test_a_number_for_each_layer(void **state)
{
    (void)state;
    static const char *const names[] = {"feed_forward_length",     "attention.head_count",
                                        "attention.head_count_kv", "attention.key_length",
                                        "attention.value_length",  "rope.dimension_count"};
    for (int a = 0; a < N_ARCHS; a++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_layers(archs[a], names[i]);
}

static void test_architectures_are_named(void **state)
{
    (void)state;
    struct tiny *t = opened_model("llama");
    tiny_set_str(t, "general.architecture", "gemma");
    opened_refuse(t, ST_SUPPORT, "expected llama, mllama, mistral3, qwen2, ", "found \"gemma\"");
    tiny_set_str(t, "general.architecture", "llam");
    opened_refuse(t, ST_SUPPORT, "general.architecture", "\"llam\"");
    tiny_set_u32(t, "general.architecture", 1);
    opened_refuse(t, ST_FORMAT, "general.architecture", "u32");
    tiny_drop(t, "general.architecture");
    opened_refuse(t, ST_FORMAT, "general.architecture", "missing");
    tiny_free(t);
}

/* What is known and left for later says why; no name is both. */
static void test_architectures_that_are_left(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"qwen35", "recurrent state"},     {"qwen3next", "recurrent state"},
        {"lfm2", "recurrent state"},       {"mamba", "recurrent state"},
        {"rwkv7", "recurrent state"},      {"granitehybrid", "recurrent state"},
        {"nemotron_h", "recurrent state"}, {"gpt-oss", "sinks"},
        {"gemma3n", "every layer"},        {"gemma4", "every layer"}};
    struct tiny *t = opened_model("llama");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char named[TINY_NAME_MAX];
        snprintf(named, sizeof named, "general.architecture: \"%s\" ", cases[i][0]);
        tiny_set_str(t, "general.architecture", cases[i][0]);
        opened_refuse(t, ST_SUPPORT, named, cases[i][1]);
    }
    tiny_free(t);
    for (int i = 0; i < N_ARCHS; i++) assert_null(arch_why_not(archs[i], strlen(archs[i])));
}

static const struct int_key {
    const char *name;
    bool required;
    uint32_t above; /* the smallest value that is too large */
} int_keys[] = {
    {"block_count", true, 1025},
    {"embedding_length", true, (1 << 20) + 1},
    {"feed_forward_length", true, (1 << 20) + 1},
    {"context_length", true, (1 << 26) + 1},
    {"attention.head_count", true, (1 << 14) + 1},
    {"attention.head_count_kv", false, 5}, /* there are 4 heads */
    {"attention.key_length", false, 1025},
    {"attention.value_length", false, 1025},
    {"rope.dimension_count", false, 15}, /* a head has 10 or 14 */
};
enum { N_INT_KEYS = sizeof int_keys / sizeof *int_keys };

static void check_int_key(const char *arch, const struct int_key *k)
{
    char key[TINY_NAME_MAX], found[32];
    struct tiny *t = opened_model(arch);
    opened_key(key, arch, k->name);
    snprintf(found, sizeof found, "found %u", k->above);
    tiny_set_u32(t, key, k->above);
    opened_refuse(t, ST_FORMAT, key, found);
    tiny_set_u32(t, key, 0);
    opened_refuse(t, ST_FORMAT, key, "found 0");
    tiny_set_u32(t, key, UINT32_MAX);
    opened_refuse(t, ST_FORMAT, key, "4294967295");
    int32_t negative = -1;
    tiny_set(t, key, GGUF_I32, &negative, sizeof negative);
    opened_refuse(t, ST_FORMAT, key, "-1");
    tiny_set_f32(t, key, 2);
    opened_refuse(t, ST_FORMAT, key, "f32");
    tiny_set_strs(t, key, NULL, 0);
    opened_refuse(t, ST_FORMAT, key, "array");
    tiny_drop(t, key);
    if (k->required) opened_refuse(t, ST_FORMAT, key, "missing");
    tiny_free(t);
}

static void test_integer_keys(void **state)
{
    (void)state;
    for (int a = 0; a < N_ARCHS; a++)
        for (int i = 0; i < N_INT_KEYS; i++) check_int_key(archs[a], &int_keys[i]);
}

static void check_float_key(const char *arch, const char *name, bool required)
{
    char key[TINY_NAME_MAX];
    struct tiny *t = opened_model(arch);
    opened_key(key, arch, name);
    const float bad[] = {0, -1, __builtin_nanf(""), __builtin_inff()};
    for (int i = 0; i < 4; i++) {
        tiny_set_f32(t, key, bad[i]);
        opened_refuse(t, ST_FORMAT, key, "found");
    }
    tiny_set_str(t, key, "1");
    opened_refuse(t, ST_FORMAT, key, "string");
    double wide = 1e-5;
    tiny_set(t, key, GGUF_F64, &wide, sizeof wide);
    opened_accept(t);
    tiny_drop(t, key);
    if (required)
        opened_refuse(t, ST_FORMAT, key, "missing");
    else
        opened_accept(t);
    tiny_free(t);
}

static void test_float_keys(void **state)
{
    (void)state;
    for (int a = 0; a < N_ARCHS; a++) {
        check_float_key(archs[a], "attention.layer_norm_rms_epsilon", true);
        check_float_key(archs[a], "rope.freq_base", false);
    }
}

static void test_contradictions(void **state)
{
    (void)state;
    struct tiny *t = opened_model("llama"); /* 4 heads, 2 of keys, 10 dimensions, 40 in all */
    tiny_set_u32(t, "llama.attention.head_count_kv", 3);
    opened_refuse(t, ST_FORMAT, "llama.attention.head_count", "head_count_kv = 3, found 4");
    tiny_set_u32(t, "llama.attention.head_count_kv", 2);
    tiny_set_u32(t, "llama.attention.value_length", 12);
    opened_refuse(t, ST_SUPPORT, "llama.attention.value_length", "key_length = 10, found 12");
    tiny_set_u32(t, "llama.attention.value_length", 10);
    tiny_set_u32(t, "llama.rope.dimension_count", 7);
    opened_refuse(t, ST_FORMAT, "llama.rope.dimension_count", "found 7");
    tiny_set_u32(t, "llama.rope.dimension_count", 10);
    opened_accept(t);
    tiny_drop(t, "llama.attention.key_length");
    tiny_drop(t, "llama.attention.value_length");
    opened_accept(t);
    tiny_set_u32(t, "llama.embedding_length", 42);
    opened_refuse(t, ST_FORMAT, "llama.embedding_length", "found 42");
    tiny_set_u32(t, "llama.attention.head_count", 1 << 14);
    tiny_set_u32(t, "llama.attention.key_length", 1024);
    opened_refuse(t, ST_FORMAT, "llama", "16384 heads of 1024");
    tiny_free(t);
}

static void test_experts_are_refused(void **state)
{
    (void)state;
    struct tiny *t = opened_model("qwen3");
    tiny_set_u32(t, "qwen3.expert_count", 0);
    opened_accept(t);
    tiny_set_u32(t, "qwen3.expert_count", 8);
    opened_refuse(t, ST_SUPPORT, "qwen3.expert_count", "found 8");
    tiny_free(t);
}

/* ---- weights ------------------------------------------------------------------------------- */

/* Every tensor of a model, given one more column, row or dimension, is refused with its name and
 * both shapes; so is every one that is absent, but for those that a model may lack. */
static void check_shapes(const struct tiny_spec *spec)
{
    struct tiny *t = tiny_model(spec);
    char label[TINY_NAME_MAX + 16], shape[64];
    uint64_t rng = 3;
    for (int i = 0; i < t->n_tensors; i++) {
        struct tiny_tensor *x = &t->tensor[i];
        const struct tiny_tensor whole = *x;
        snprintf(label, sizeof label, "tensor %s", x->name);
        for (int d = 0; d < (int)x->n_dims; d++) {
            /* the embedding's rows are free, and decide the output's */
            if (d == 1 && !strcmp(x->name, "token_embd.weight")) continue;
            /* which may have fewer in some architectures */
            if (d == 1 && !strcmp(spec->arch, "mllama") && !strcmp(x->name, "output.weight"))
                continue;
            x->data = (struct tiny_bytes){0};
            x->dims[d]++;
            tiny_fill(x, 1, &rng);
            snprintf(shape, sizeof shape, x->n_dims > 2 ? "found [%d, %d, %d]" : "found [%d, %d]",
                     (int)x->dims[0], (int)x->dims[1], (int)x->dims[2]);
            opened_refuse(t, ST_FORMAT, label, shape);
            snprintf(shape, sizeof shape, "in %d dimensions", (int)x->n_dims);
            opened_refuse(t, ST_FORMAT, label, shape);
            snprintf(shape, sizeof shape, "expected [%d", (int)whole.dims[0]);
            opened_refuse(t, ST_FORMAT, label, shape);
            free(x->data.data);
            *x = whole;
        }
        x->n_dims = x->n_dims > 2 ? 4 : 3;
        opened_refuse(t, ST_FORMAT, label, x->n_dims > 3 ? "in 4 dimensions" : "in 3 dimensions");
        *x = whole;
        snprintf(x->name, sizeof x->name, "renamed");
        opened_refuse(t, ST_SUPPORT, "tensor renamed", spec->arch);
        *x = whole;
    }
    opened_accept(t);
    tiny_free(t);
}

static void test_wrong_shapes_are_named(void **state)
{
    (void)state;
    for (int i = 0; i < N_ARCHS; i++) {
        struct tiny_spec spec = tiny_spec(archs[i], QT_F32);
        spec.n_layer = 1;
        spec.no_bytes = true;
        spec.qkv_bias = spec.o_bias = spec.ffn_bias = spec.output_bias = spec.rope_freqs = true;
        check_shapes(&spec);
        spec.ffn_bias = false;
        spec.fused = spec.scales = true;
        check_shapes(&spec);
    }
}

static void test_missing_tensors_are_named(void **state)
{
    (void)state;
    static const char *const optional[] = {
        "output.weight",       "rope_freqs.weight", "blk.0.attn_output.bias", "output.bias",
        "blk.0.ffn_gate.bias", "blk.0.ffn_up.bias", "blk.0.ffn_down.bias"};
    for (int a = 0; a < N_ARCHS; a++) {
        struct tiny_spec spec = tiny_spec(archs[a], QT_Q4_0);
        spec.no_bytes = spec.o_bias = spec.rope_freqs = true;
        spec.ffn_bias = spec.output_bias = true;
        spec.n_layer = 1;
        struct tiny *whole = tiny_model(&spec);
        for (int i = 0; i < whole->n_tensors; i++) {
            struct tiny *t = tiny_model(&spec);
            const char *name = whole->tensor[i].name;
            bool may = false;
            for (size_t k = 0; k < sizeof optional / sizeof *optional; k++)
                may |= !strcmp(name, optional[k]);
            tiny_drop_tensor(t, name);
            if (may)
                opened_accept(t);
            else
                opened_refuse(t, ST_FORMAT, name, "missing");
            tiny_free(t);
        }
        tiny_free(whole);
    }
}

/* Biases of q, k and v stand together or not at all: a file that lost one is not what it was. */
static void test_attention_biases_stand_together(void **state)
{
    (void)state;
    static const char *const names[] = {"blk.1.attn_q.bias", "blk.1.attn_k.bias",
                                        "blk.1.attn_v.bias"};
    for (int some = 0; some < 8; some++) {
        struct tiny *t = opened_model("qwen2");
        for (int i = 0; i < 3; i++)
            if (!(some >> i & 1)) tiny_drop_tensor(t, names[i]);
        if (some == 0 || some == 7)
            opened_accept(t);
        else
            opened_refuse(t, ST_FORMAT, "blk.1.attn_", ".bias: missing, and there is blk.1.attn_");
        tiny_free(t);
    }
}

/* What a file may not say twice, or not beside another thing. */
static void test_tensors_that_exclude_each_other(void **state)
{
    (void)state;
    struct tiny *t =
        opened_model("llama"); /* 40 wide, 4 heads and 2 of keys, 10 dimensions, 56 inside */
    opened_add(t, "blk.1.attn_qkv.weight", 40, 80);
    opened_refuse(t, ST_FORMAT, "tensor blk.1.attn_q.weight",
                  "is held by blk.1.attn_qkv.weight, too");
    tiny_drop_tensor(t, "blk.1.attn_q.weight");
    opened_refuse(t, ST_FORMAT, "tensor blk.1.attn_k.weight",
                  "is held by blk.1.attn_qkv.weight, too");
    tiny_drop_tensor(t, "blk.1.attn_k.weight");
    tiny_drop_tensor(t, "blk.1.attn_v.weight");
    opened_accept(t);
    opened_add(t, "blk.1.attn_qkv.bias", 80, 0);
    opened_add(t, "blk.1.attn_qkv.scale", 1, 0);
    opened_accept(t);
    opened_add(t, "blk.1.attn_v.scale", 1, 0);
    opened_refuse(t, ST_FORMAT, "tensor blk.1.attn_v.scale",
                  "is held by blk.1.attn_qkv.scale, too");
    tiny_drop_tensor(t, "blk.1.attn_v.scale");
    opened_add(t, "blk.0.ffn_up.bias", 56, 0);
    opened_accept(t);
    opened_add(t, "blk.0.ffn_down.scale", 1, 0);
    opened_accept(t);
    opened_add(t, "blk.0.ffn_up.scale", 1, 0);
    opened_refuse(t, ST_SUPPORT, "tensor blk.0.ffn_up.bias", "there is blk.0.ffn_up.scale too");
    tiny_drop_tensor(t, "blk.0.ffn_up.scale");
    opened_add(t, "output.scale", 1, 0);
    opened_accept(t);
    tiny_drop_tensor(t, "output.weight");
    opened_refuse(t, ST_FORMAT, "tensor output.weight", "missing, and there is output.scale");
    tiny_free(t);
}

/* Panels lie in this order, which files of packed weights (model/packfile.h) rely on. */
static void test_matrices_stand_in_order(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen3", QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    struct opened o;
    opened_must(t, &o);
    struct weights *w = &o.weights;
    assert_int_equal(w->n_matrices, 1 + 7 * spec.n_layer);
    assert_ptr_equal(weights_matrix(w, 0), &w->output.w);
    for (int i = 0; i < spec.n_layer; i++) {
        struct layer *l = &w->layers[i];
        const struct kern_weight *const order[] = {&l->q.w,    &l->k.w,  &l->v.w,   &l->o.w,
                                                   &l->gate.w, &l->up.w, &l->down.w};
        for (int k = 0; k < 7; k++) assert_ptr_equal(weights_matrix(w, 1 + 7 * i + k), order[k]);
    }
    opened_release(&o);
    tiny_free(t);
}

static void test_unknown_tensors_are_named(void **state)
{
    (void)state;
    static const char *const strange[] = {
        "blk.0.ffn_gate_inp.weight",     "blk.2.attn_q.weight",
        "blk.-1.attn_q.weight",          "blk.0.attn_q_norm.weight",
        "blk.0.attn_q.input_scale",      "token_types.weight",
        "blk.x.attn_q.weight",           "blk.0.",
        "blk.99999999999.attn_q.weight", "blk.0attn_q.weight",
        "blk.00.attn_q.weight",          "blk.4294967296.attn_q.weight",
        "blk. 0.attn_q.weight",          "blk.+1.attn_q.weight"};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        struct tiny *t = opened_model("llama");
        uint64_t rng = 1;
        tiny_fill(tiny_tensor(t, strange[i], QT_F32, 10, 0), 1, &rng);
        opened_refuse(t, ST_SUPPORT, strange[i], "llama");
        tiny_free(t);
    }
}

/* Tensors that carry nothing a reader needs. */
static void test_known_extras_are_accepted(void **state)
{
    (void)state;
    struct tiny *t = opened_model("llama");
    uint64_t rng = 1;
    tiny_fill(tiny_tensor(t, "blk.0.attn_rot_embd", QT_F32, 5, 0), 1, &rng);
    opened_accept(t);
    tiny_free(t);
}

static void test_vectors_may_have_any_type(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen3", QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    uint64_t rng = 1;
    struct tiny_tensor *norm = tiny_find(t, "output_norm.weight");
    norm->type = QT_BF16;
    tiny_fill_around(norm, 1, 0.5f, &rng);
    struct tiny_tensor *q_norm = tiny_find(t, "blk.1.attn_q_norm.weight");
    q_norm->type = QT_Q8_0;
    tiny_fill(q_norm, 1, &rng);
    struct opened o;
    float expected[512];
    opened_must(t, &o);
    tiny_row(norm, 0, expected);
    assert_memory_equal(o.weights.output_norm, expected, norm->dims[0] * sizeof(float));
    tiny_row(q_norm, 0, expected);
    assert_memory_equal(o.weights.layers[1].q_norm, expected, q_norm->dims[0] * sizeof(float));
    opened_release(&o);
    tiny_free(t);
}

/* Only the weights need a type that is decoded; the vocabulary opens without. */
static void test_types_that_are_not_decoded(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        const char *found;
    } types[] = {{16, "IQ2_XXS"}, {9, "Q8_1"}, {77, "type 77"}};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec spec = tiny_spec("llama", QT_Q4_K);
        struct tiny *t = tiny_model(&spec);
        tiny_find(t, "blk.1.ffn_up.weight")->type = types[i].type;
        opened_refuse(t, ST_SUPPORT, "tensor blk.1.ffn_up.weight", types[i].found);
        open_saved(t, false, ST_SUPPORT, types[i].found);
        open_saved(t, true, ST_OK, "");
        tiny_find(t, "blk.1.ffn_up.weight")->type = QT_Q4_K;
        tiny_find(t, "blk.0.attn_norm.weight")->type = types[i].type;
        opened_refuse(t, ST_SUPPORT, "tensor blk.0.attn_norm.weight", types[i].found);
        tiny_free(t);
    }
}

static void test_parameters_are_counted(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen2", QT_Q4_K);
    struct tiny *t = tiny_model(&spec);
    struct opened o;
    uint64_t expected = 0;
    for (int i = 0; i < t->n_tensors; i++) expected += t->tensor[i].dims[0] * t->tensor[i].dims[1];
    opened_must(t, &o);
    assert_int_equal(o.weights.n_params, expected);
    opened_release(&o);
    tiny_free(t);
}

/* ---- whole models -------------------------------------------------------------------------- */

static void test_the_embedding_covers_the_vocabulary(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F16);
    struct tiny *t = tiny_model(&spec);
    open_saved(t, false, ST_OK, "");
    tiny_find(t, "token_embd.weight")->dims[1]--;
    tiny_find(t, "output.weight")->dims[1]--;
    open_saved(t, false, ST_FORMAT, "token_embd.weight");
    open_saved(t, true, ST_OK, "");
    tiny_free(t);
    spec.pad_rows = 5;
    t = tiny_model(&spec);
    open_saved(t, false, ST_OK, "");
    tiny_free(t);
    model_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_is_what_the_file_says),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_linear_rope_scaling),
        cmocka_unit_test(test_rope_keys),
        cmocka_unit_test(test_acausal_attention_is_refused),
        cmocka_unit_test(test_a_number_for_each_layer),
        cmocka_unit_test(test_architectures_are_named),
        cmocka_unit_test(test_architectures_that_are_left),
        cmocka_unit_test(test_integer_keys),
        cmocka_unit_test(test_float_keys),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_experts_are_refused),
        cmocka_unit_test(test_wrong_shapes_are_named),
        cmocka_unit_test(test_missing_tensors_are_named),
        cmocka_unit_test(test_attention_biases_stand_together),
        cmocka_unit_test(test_tensors_that_exclude_each_other),
        cmocka_unit_test(test_matrices_stand_in_order),
        cmocka_unit_test(test_unknown_tensors_are_named),
        cmocka_unit_test(test_known_extras_are_accepted),
        cmocka_unit_test(test_vectors_may_have_any_type),
        cmocka_unit_test(test_types_that_are_not_decoded),
        cmocka_unit_test(test_parameters_are_counted),
        cmocka_unit_test(test_the_embedding_covers_the_vocabulary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
