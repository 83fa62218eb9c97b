/*
 * Every family against the oracle and under the laws, with what its files may have: the facts in
 * which it differs from the others, each of them large enough to be seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"
#include "opened.h"

#include <math.h>
#include <string.h>

enum { SHORT = 10 };

static const char *const families[] = {"granite",       "olmo2",    "exaone",  "exaone4",
                                       "hunyuan-dense", "ernie4_5", "smollm3", "mistral3",
                                       "mllama",        "phi3"};
enum { N_FAMILIES = sizeof families / sizeof *families };

/* Together they see every type, and each sees some. */
static void test_every_type(void **state)
{
    (void)state;
    int n_types = 0;
    while (tiny_types[n_types] != QT_LIMIT) n_types++;
    for (int i = 0; i < 2 * N_FAMILIES; i++) {
        struct tiny_spec spec = tiny_spec(families[i % N_FAMILIES], tiny_types[i % n_types]);
        spec.tied = i % 2;
        laws_check(&spec, SHORT);
    }
}

static void test_floats(void **state)
{
    (void)state;
    for (int i = 0; i < N_FAMILIES; i++) {
        struct tiny_spec spec = tiny_spec(families[i], QT_F32);
        spec.n_layer = 3;
        laws_check(&spec, SHORT);
    }
}

/* Each scale alone, and all. */
static void test_granite_scales(void **state)
{
    (void)state;
    const struct tiny_spec plain = tiny_spec("granite", QT_F32);
    struct tiny_spec all = plain, one = plain;
    all.scale_embed = one.scale_embed = 3;
    laws_check(&one, SHORT);
    one = plain;
    all.scale_residual = one.scale_residual = 0.4f;
    laws_check(&one, SHORT);
    one = plain;
    all.scale_attn = one.scale_attn = 0.7f;
    laws_check(&one, SHORT);
    one = plain;
    all.scale_logit = one.scale_logit = 2.5f;
    laws_check(&one, SHORT);
    laws_check(&all, SHORT);
    all.type = all.other = QT_F16;
    all.tied = true;
    laws_check(&all, SHORT);
}

/* One layer in four does not turn. */
static void test_smollm3_stands_still(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("smollm3", QT_F32);
    spec.n_layer = 5;
    spec.rope_factor = 1.5f;
    laws_check(&spec, SHORT);
    spec = tiny_spec("smollm3", QT_Q8_0);
    spec.n_layer = 4;
    laws_check(&spec, SHORT);
}

/* OLMo 3: windows in three of four layers, in which nothing is stretched. */
static void test_olmo3_stretches_what_sees_all(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("olmo2", QT_F32);
    spec.n_layer = 5;
    spec.window = 4;
    spec.yarn = (struct tiny_yarn){.factor = 8, .ctx = 5, .fast = 0.7f, .slow = 0.02f};
    spec.rope_magnitude = 1.3f;
    laws_check(&spec, 3 * SHORT);
    spec = tiny_spec("olmo2", QT_Q4_0);
    spec.window = 3;
    spec.period = 2;
    spec.rope_base_local = 500;
    laws_check(&spec, SHORT);
}

/* Layers without a window, where there are windows, take tokens for a bag of words. */
static void test_exaone4_stands_still(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("exaone4", QT_F32);
    spec.n_layer = 5;
    spec.window = 4;
    spec.rope_freqs = true;
    laws_check(&spec, 3 * SHORT);
    spec = tiny_spec("exaone4", QT_Q4_K);
    spec.n_layer = 4;
    spec.window = 40;
    laws_check(&spec, SHORT);
}

/* Every layer of Phi 3 sees a window, and none of Phi 4; a part of a head turns. */
static void test_phi_sees_a_window(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("phi3", QT_F32);
    spec.window = 4;
    spec.n_rot = 6;
    spec.n_layer = 3;
    laws_check(&spec, 2 * SHORT);
    spec = tiny_spec("phi3", QT_Q8_0);
    spec.fused = false;
    spec.tied = true;
    laws_check(&spec, SHORT);
}

static void test_hunyuan_stretches_the_base(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("hunyuan-dense", QT_F32);
    spec.alpha = 50;
    laws_check(&spec, SHORT);
}

/* Ministral 3: YaRN whose magnitude cancels, and queries that grow. */
static void test_ministral_grows_warm(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("mistral3", QT_F32);
    spec.temperature = 0.8f;
    spec.yarn = (struct tiny_yarn){.factor = 16, .ctx = 3, .fast = 0.5f, .slow = 0.01f, .log = 1};
    laws_check(&spec, SHORT);
    spec = tiny_spec("mistral3", QT_Q8_0);
    spec.temperature = 0.8f;
    spec.n_ctx = 4; /* of which the file says no other */
    laws_check(&spec, SHORT);
}

/* No token follows that has no logits. */
static void check_what_follows(const struct tiny_spec *spec)
{
    struct tiny *t = tiny_model(spec);
    struct model *m = tiny_open(t);
    struct engine *e = laws_open(m, (struct means){.level = KERN_REF}, 1, SHORT);
    assert_int_equal(m->weights.n_logits, tiny_logits(spec));
    assert_int_equal(e->info.n_vocab, tiny_logits(spec));
    assert_true(e->info.n_vocab < tiny_real_vocab(spec));
    engine_close(e);
    model_close(m);
    tiny_free(t);
}

/* Blocks for images hold whatever they hold; the embedding has more rows than the output. */
static void test_mllama_reads_text(void **state)
{
    (void)state;
    static const enum quant_type types[] = {QT_F32, QT_Q4_K, QT_Q8_0};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec spec = tiny_spec("mllama", types[i]);
        spec.n_layer = 3 + i;
        spec.cross = 1 + i;
        spec.extra = 1; /* which an image stands for, and no text */
        spec.pad_rows = 7;
        spec.mute = 8;
        spec.rope_freqs = i == 0;
        laws_check(&spec, SHORT);
        check_what_follows(&spec);
    }
}

/* A pair of which the large model has such a token more: what it cannot write, the pair does not.
 */
static void test_mllama_pairs_with_llama(void **state)
{
    (void)state;
    struct tiny_spec large = tiny_spec("mllama", QT_Q8_0), small = tiny_spec("llama", QT_Q8_0);
    large.n_layer = 3;
    large.cross = 1;
    large.extra = 1;
    large.pad_rows = 7;
    large.mute = 8;
    struct tiny *files[] = {tiny_model(&large), tiny_model(&small)};
    ead_model *models[] = {tiny_open_public(files[0]), tiny_open_public(files[1])};
    const ead_model_info info = ead_model_describe(models[0]);
    assert_int_equal(info.n_logits, tiny_logits(&small));
    assert_int_equal(info.n_vocab, tiny_logits(&small));
    assert_int_equal(info.n_layer, 2);
    ead_duo_options options = ead_duo_defaults();
    ead_error error = {0};
    ead_token token;
    ead_duo *duo = NULL;
    options.policy.kind = EAD_POLICY_RANDOM;
    if (ead_duo_open(models[0], models[1], &options, &duo, &error)) fail_msg("%s", error.message);
    const int32_t text[] = {TINY_BOS, 5, 300 % info.n_vocab, info.n_vocab - 1};
    const int32_t image[] = {info.n_vocab};
    if (ead_duo_append(duo, text, 4, &error)) fail_msg("%s", error.message);
    assert_int_equal(ead_duo_append(duo, image, 1, &error), EAD_ARGUMENT);
    int writers = 0;
    for (int i = 0; i < 40; i++) {
        if (ead_duo_step(duo, &token, &error)) fail_msg("%s", error.message);
        assert_in_range(token.id, 0, info.n_vocab - 1);
        writers |= 1 << token.writer;
        if (token.end) break;
    }
    assert_int_equal(writers, 1 << EAD_LARGE | 1 << EAD_SMALL);
    ead_duo_close(duo);
    for (int i = 0; i < 2; i++) {
        ead_model_close(models[i]);
        tiny_free(files[i]);
    }
}

/* ---- what files say ------------------------------------------------------------------------ */

static void test_granite_scales_are_read(void **state)
{
    (void)state;
    static const char *const names[] = {"embedding_scale", "residual_scale", "attention.scale",
                                        "logit_scale"};
    struct tiny *t = opened_model("granite");
    struct opened o;
    char key[TINY_NAME_MAX];
    opened_must(t, &o);
    const struct config *c = &o.config;
    assert_true(c->embed_scale == 1 && c->residual_scale == 1 && c->logit_scale == 1);
    opened_release(&o);
    for (int i = 0; i < 4; i++) {
        tiny_set_f32(t, opened_key(key, "granite", names[i]), 0);
        opened_refuse(t, ST_FORMAT, key, "positive");
        tiny_set_f32(t, key, 4);
        opened_accept(t);
    }
    opened_must(t, &o);
    assert_true(c->embed_scale == 4 && c->residual_scale == 4 && c->attn_scale == 4);
    assert_true(c->logit_scale == 0.25f);
    opened_release(&o);
    uint64_t rng = 1;
    const uint64_t rows = tiny_find(t, "output.weight")->dims[1];
    tiny_fill(tiny_tensor(t, "output.bias", QT_F32, rows, 0), 1, &rng);
    opened_refuse(t, ST_SUPPORT, "tensor output.bias", "logit_scale");
    tiny_drop(t, "granite.logit_scale");
    opened_refuse(t, ST_FORMAT, "granite.logit_scale", "missing");
    tiny_free(t);
    t = opened_model("llama"); /* of others, these are no scales */
    tiny_set_f32(t, "llama.logit_scale", 4);
    opened_try(t, &o);
    assert_true(o.st == ST_OK && o.config.logit_scale == 1);
    opened_release(&o);
    tiny_free(t);
}

/* Windows in three of four layers, by default; what turns in the others and in these. */
static void test_windows_of_olmo3_and_exaone4(void **state)
{
    (void)state;
    static const char *const both[] = {"olmo2", "exaone4"};
    char key[TINY_NAME_MAX];
    for (int i = 0; i < 2; i++) {
        struct tiny_spec spec = tiny_spec(both[i], QT_F16);
        spec.n_layer = 8;
        spec.rope_factor = 4;
        struct tiny *t = tiny_model(&spec);
        struct opened o;
        opened_must(t, &o);
        assert_false(config_has_kind(&o.config, CONFIG_LOCAL));
        assert_true(o.config.rope[CONFIG_GLOBAL].scale == 0.25f);
        opened_release(&o);
        tiny_set_u32(t, opened_key(key, both[i], "attention.sliding_window"), 4096);
        opened_must(t, &o);
        for (int k = 0; k < 8; k++)
            assert_int_equal(o.config.kind[k], k % 4 == 3 ? CONFIG_GLOBAL : CONFIG_LOCAL);
        assert_int_equal(o.config.window, 4096);
        assert_true(o.config.rope[CONFIG_GLOBAL].scale == (i ? 0 : 0.25f));
        assert_true(o.config.rope[CONFIG_LOCAL].scale == (i ? 0.25f : 1));
        opened_release(&o);
        tiny_free(t);
    }
}

/* Every fourth layer of SmolLM3 stands still, and no window is one's. */
static void test_smollm3_sees_all(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("smollm3", QT_F16);
    spec.n_layer = 8;
    spec.window = 16;
    struct tiny *t = tiny_model(&spec);
    struct opened o;
    opened_must(t, &o);
    assert_int_equal(o.config.window, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(o.config.kind[i], i % 4 == 3 ? CONFIG_GLOBAL : CONFIG_LOCAL);
    assert_true(o.config.rope[CONFIG_GLOBAL].scale == 0);
    assert_true(o.config.rope[CONFIG_LOCAL].scale == 1);
    opened_release(&o);
    tiny_free(t);
}

static void test_granite_without_angles_is_refused(void **state)
{
    (void)state;
    struct tiny *t = opened_model("granite");
    tiny_set_bool(t, "granite.rope.scaling.finetuned", true);
    opened_accept(t);
    tiny_set_bool(t, "granite.rope.scaling.finetuned", false);
    opened_refuse(t, ST_SUPPORT, "granite.rope.scaling.finetuned", "found false");
    tiny_free(t);
}

static void test_keys_of_one_family(void **state)
{
    (void)state;
    struct tiny *t = opened_model("hunyuan-dense");
    struct opened o;
    tiny_set_f32(t, "hunyuan-dense.rope.scaling.alpha", 1000);
    opened_must(t, &o);
    const double expected = 10000 * 1000 * exp(log(1000) * 2 / (o.config.head_dim - 2));
    assert_float_equal(o.config.rope[0].base / expected, 1, 1e-5);
    opened_release(&o);
    tiny_set_f32(t, "hunyuan-dense.rope.scaling.alpha", -1);
    opened_refuse(t, ST_FORMAT, "hunyuan-dense.rope.scaling.alpha", "found -1");
    tiny_free(t);
    t = opened_model("mistral3");
    tiny_set_f32(t, "mistral3.attention.temperature_scale", -1);
    opened_refuse(t, ST_FORMAT, "mistral3.attention.temperature_scale", "found -1");
    tiny_free(t);
}

/* Blocks 0 to 3, of which 2 is for images. */
static struct tiny *mllama_model(void)
{
    struct tiny_spec spec = tiny_spec("mllama", QT_F16);
    spec.n_layer = 4;
    spec.cross = 2;
    spec.mute = 8;
    spec.pad_rows = 8;
    return tiny_model(&spec);
}

static void set_cross(struct tiny *t, const int32_t *blocks, size_t n)
{
    tiny_set_array(t, "mllama.attention.cross_attention_layers", GGUF_I32, blocks, n,
                   n * sizeof *blocks);
}

static void test_blocks_for_images(void **state)
{
    (void)state;
    static const char key[] = "mllama.attention.cross_attention_layers";
    struct tiny *t = mllama_model();
    struct opened o;
    opened_must(t, &o);
    assert_int_equal(o.config.n_layer, 3);
    assert_int_equal(o.config.n_block, 4);
    assert_int_equal(o.config.block[1], 1);
    assert_int_equal(o.config.block[2], 3);
    assert_int_equal(o.weights.n_logits, o.weights.n_vocab - 8);
    opened_release(&o);
    static const int32_t below[] = {-1}, above[] = {4}, twice[] = {2, 2}, all[] = {0, 1, 2, 3};
    set_cross(t, below, 1);
    opened_refuse(t, ST_FORMAT, key, "expected each of 0 to 3 at most once, found -1");
    set_cross(t, above, 1);
    opened_refuse(t, ST_FORMAT, key, "found 4");
    set_cross(t, twice, 2);
    opened_refuse(t, ST_FORMAT, key, "found 2");
    set_cross(t, all, 4);
    opened_refuse(t, ST_FORMAT, key, "no layer is left");
    set_cross(t, all, 0); /* then block 2 is a layer like others */
    opened_refuse(t, ST_SUPPORT, "tensor blk.2.cross_attn_q_proj.weight", "not a tensor");
    set_cross(t, all, 3); /* and here block 0 is none, which has what a layer has */
    opened_refuse(t, ST_SUPPORT, "tensor blk.0.attn_q.weight", "not a tensor");
    tiny_set_u32(t, key, 2);
    opened_refuse(t, ST_FORMAT, key, "expected an array of integers");
    tiny_drop(t, key);
    opened_refuse(t, ST_FORMAT, key, "missing");
    tiny_free(t);
}

/* Of both, the embedding may have more rows in mllama alone, and the output nowhere. */
static void test_rows_of_the_output(void **state)
{
    (void)state;
    struct tiny *t = mllama_model();
    struct tiny_tensor *embed = tiny_find(t, "token_embd.weight");
    embed->dims[1] -= 9;
    opened_refuse(t, ST_FORMAT, "tensor output.weight: expected at most", "found");
    tiny_free(t);
    for (int i = 0; i < N_FAMILIES; i++) {
        if (!strcmp(families[i], "mllama")) continue;
        struct tiny_spec spec = tiny_spec(families[i], QT_F16);
        spec.mute = 1;
        t = tiny_model(&spec);
        opened_refuse(t, ST_FORMAT, "tensor output.weight", "found");
        tiny_free(t);
    }
}

/* No window is a window of 0; gate and up are one matrix. */
static void test_phi3(void **state)
{
    (void)state;
    struct tiny *t = opened_model("phi3");
    struct opened o;
    tiny_set_u32(t, "phi3.attention.sliding_window", 0);
    opened_must(t, &o);
    assert_false(config_has_kind(&o.config, CONFIG_LOCAL));
    opened_release(&o);
    tiny_set_u32(t, "phi3.attention.sliding_window", 2047);
    opened_must(t, &o);
    assert_int_equal(o.config.window, 2047);
    assert_false(config_has_kind(&o.config, CONFIG_GLOBAL));
    opened_release(&o);
    tiny_set_u32(t, "phi3.attention.sliding_window", UINT32_MAX);
    opened_refuse(t, ST_FORMAT, "phi3.attention.sliding_window", "found 4294967295");
    tiny_drop(t, "phi3.attention.sliding_window");
    struct tiny_tensor *up = tiny_find(t, "blk.0.ffn_up.weight");
    const uint64_t rows = up->dims[1];
    up->dims[1] /= 2;
    opened_refuse(t, ST_FORMAT, "tensor blk.0.ffn_up.weight", "found");
    up->dims[1] = rows;
    opened_add(t, "blk.0.ffn_gate.weight", up->dims[0], rows / 2);
    opened_refuse(t, ST_FORMAT, "tensor blk.0.ffn_gate.weight", "is held by blk.0.ffn_up.weight");
    tiny_drop_tensor(t, "blk.0.ffn_gate.weight");
    opened_accept(t);
    opened_add(t, "rope_factors_long.weight", 5, 0);
    opened_refuse(t, ST_SUPPORT, "tensor rope_factors_long.weight: longrope", "does not compute");
    tiny_drop_tensor(t, "rope_factors_long.weight");
    tiny_drop_tensor(t, "blk.1.ffn_up.weight");
    opened_refuse(t, ST_FORMAT, "ffn_gate.weight", "missing");
    tiny_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_granite_scales),
        cmocka_unit_test(test_smollm3_stands_still),
        cmocka_unit_test(test_olmo3_stretches_what_sees_all),
        cmocka_unit_test(test_exaone4_stands_still),
        cmocka_unit_test(test_phi_sees_a_window),
        cmocka_unit_test(test_hunyuan_stretches_the_base),
        cmocka_unit_test(test_ministral_grows_warm),
        cmocka_unit_test(test_mllama_reads_text),
        cmocka_unit_test(test_mllama_pairs_with_llama),
        cmocka_unit_test(test_granite_scales_are_read),
        cmocka_unit_test(test_windows_of_olmo3_and_exaone4),
        cmocka_unit_test(test_smollm3_sees_all),
        cmocka_unit_test(test_granite_without_angles_is_refused),
        cmocka_unit_test(test_keys_of_one_family),
        cmocka_unit_test(test_blocks_for_images),
        cmocka_unit_test(test_rows_of_the_output),
        cmocka_unit_test(test_phi3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
