/*
 * Gemma 2 and 3: what their files say and leave open, and the forward pass over texts longer than
 * their windows, held to what laws.h says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"

#include <math.h>
#include <string.h>

/* ---- config -------------------------------------------------------------------------------- */

/* The config of a model's metadata alone. */
static enum status read_config(const struct tiny *t, struct config *c, struct err *err)
{
    struct tiny_image *image = tiny_write(t, 0, 1);
    struct gguf *g = NULL;
    if (gguf_open_memory(image->bytes.data, image->bytes.n, &g, err) != ST_OK)
        fail_msg("%s", err->message);
    const enum status st = config_read(g, c, err);
    gguf_close(g);
    tiny_image_free(image);
    return st;
}

static struct config config_of(const struct tiny *t)
{
    struct config c = {0};
    struct err err = {0};
    if (read_config(t, &c, &err) != ST_OK) fail_msg("%s", err.message);
    return c;
}

static void refuse(const struct tiny *t, enum status st, const char *message)
{
    struct config c = {0};
    struct err err = {0};
    assert_int_equal(read_config(t, &c, &err), st);
    if (!strstr(err.message, message)) fail_msg("expected \"%s\" in: %s", message, err.message);
}

/* "LLG" of layers that are local, local, global. */
static void has_kinds(const struct config *c, const char *kinds)
{
    assert_int_equal(c->n_layer, strlen(kinds));
    for (int i = 0; i < c->n_layer; i++)
        assert_int_equal(c->kind[i], kinds[i] == 'L' ? CONFIG_LOCAL : CONFIG_GLOBAL);
    assert_int_equal(config_has_kind(c, CONFIG_LOCAL), strchr(kinds, 'L') != NULL);
    assert_int_equal(config_has_kind(c, CONFIG_GLOBAL), strchr(kinds, 'G') != NULL);
}

static struct tiny *layers_of(const char *arch, uint32_t n_layer)
{
    struct tiny_spec spec = tiny_spec(arch, QT_F16);
    struct tiny *t = tiny_model(&spec);
    tiny_set_u32(t, !strcmp(arch, "gemma2") ? "gemma2.block_count" : "gemma3.block_count", n_layer);
    return t;
}

static void test_gemma3_facts(void **state)
{
    (void)state;
    struct tiny *t = layers_of("gemma3", 13);
    struct config c = config_of(t);
    has_kinds(&c, "GGGGGGGGGGGGG"); /* no window, no local layers */
    tiny_set_u32(t, "gemma3.attention.sliding_window", 512);
    tiny_set_f32(t, "gemma3.rope.freq_base", 1e6f);
    tiny_set_str(t, "gemma3.rope.scaling.type", "linear");
    tiny_set_f32(t, "gemma3.rope.scaling.factor", 8);
    tiny_set_f32(t, "gemma3.rope.scaling.attn_factor", 2);
    c = config_of(t);
    has_kinds(&c, "LLLLLGLLLLLGL");
    assert_int_equal(c.window, 512);
    const struct rope *global = &c.rope[CONFIG_GLOBAL], *local = &c.rope[CONFIG_LOCAL];
    assert_true(global->base == 1e6f && global->scale == 0.125f && global->magnitude == 2);
    assert_true(local->base == 10000 && local->scale == 1 && local->magnitude == 1);
    assert_true(c.embed_scale == sqrtf((float)c.d_model));
    assert_true(c.attn_cap == 0 && c.logit_cap == 0);
    tiny_set_f32(t, "gemma3.rope.freq_base_swa", 20000);
    tiny_set_f32(t, "gemma3.final_logit_softcapping", 30);
    c = config_of(t);
    assert_true(c.rope[CONFIG_LOCAL].base == 20000 && c.logit_cap == 30);
    tiny_free(t);
}

static void test_gemma2_facts(void **state)
{
    (void)state;
    struct tiny *t = layers_of("gemma2", 5);
    struct config c = config_of(t);
    has_kinds(&c, "LGLGL");
    assert_int_equal(c.window, 4096);
    assert_true(c.attn_cap == 50 && c.logit_cap == 30);
    tiny_set_u32(t, "gemma2.attention.sliding_window", 77);
    tiny_set_f32(t, "gemma2.rope.freq_base", 5000);
    tiny_set_f32(t, "gemma2.rope.scaling.factor", 4);
    tiny_set_f32(t, "gemma2.attn_logit_softcapping", 0);
    tiny_set_f32(t, "gemma2.final_logit_softcapping", 12);
    c = config_of(t);
    assert_int_equal(c.window, 77);
    assert_true(c.rope[CONFIG_LOCAL].base == 5000 && c.rope[CONFIG_LOCAL].scale == 0.25f);
    assert_true(c.attn_cap == 0 && c.logit_cap == 12);
    tiny_free(t);
}

/* The largest models scale scores by the width of the model shared among heads. */
static void check_scale(const char *arch, uint32_t n_layer, bool shared)
{
    struct tiny *t = layers_of(arch, n_layer);
    const struct config c = config_of(t);
    assert_true(c.head_dim != c.d_model / c.n_head);
    const int width = shared ? c.d_model / c.n_head : c.head_dim;
    assert_true(c.attn_scale == 1 / sqrtf((float)width));
    tiny_free(t);
}

static void test_scales_of_scores(void **state)
{
    (void)state;
    check_scale("gemma2", 26, false);
    check_scale("gemma2", 42, false);
    check_scale("gemma2", 46, true);
    check_scale("gemma3", 18, false);
    check_scale("gemma3", 46, false);
    check_scale("gemma3", 62, true);
    check_scale("gemma2", 62, false);
}

static void test_patterns(void **state)
{
    (void)state;
    struct tiny *t = layers_of("gemma3", 5);
    static const uint8_t bools[] = {0, 1, 1, 0, 1};
    static const int32_t ints[] = {1, 0, 0, 1, 0};
    const char *const key = "gemma3.attention.sliding_window_pattern";
    struct config c;
    tiny_set_u32(t, "gemma3.attention.sliding_window", 3);
    for (uint32_t period = 0; period < 4; period++) {
        static const char *const kinds[] = {"LLLLL", "GGGGG", "LGLGL", "LLGLL"};
        tiny_set_u32(t, key, period);
        c = config_of(t);
        has_kinds(&c, kinds[period]);
    }
    tiny_set_array(t, key, GGUF_BOOL, bools, 5, sizeof bools);
    c = config_of(t);
    has_kinds(&c, "GLLGL");
    tiny_set_array(t, key, GGUF_I32, ints, 5, sizeof ints);
    c = config_of(t);
    has_kinds(&c, "LGGLG");
    tiny_set_array(t, key, GGUF_I32, ints, 4, sizeof ints - 4);
    refuse(t, ST_FORMAT, "sliding_window_pattern: expected one for each of 5 layers, found 4");
    tiny_set_str(t, key, "LLG");
    refuse(t, ST_FORMAT, "sliding_window_pattern: expected an integer");
    tiny_free(t);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct tiny *t = layers_of("gemma3", 5);
    tiny_set_u32(t, "gemma3.attention.sliding_window", UINT32_MAX);
    refuse(t, ST_FORMAT, "gemma3.attention.sliding_window: expected 1 to");
    tiny_set_u32(t, "gemma3.attention.sliding_window", 3);
    tiny_set_f32(t, "gemma3.rope.freq_base_swa", 0);
    refuse(t, ST_FORMAT, "gemma3.rope.freq_base_swa: expected a positive number, found 0");
    tiny_drop(t, "gemma3.rope.freq_base_swa");
    tiny_set_f32(t, "gemma3.attn_logit_softcapping", -1);
    refuse(t, ST_FORMAT, "gemma3.attn_logit_softcapping: expected a positive number, or 0");
    tiny_drop(t, "gemma3.attn_logit_softcapping");
    tiny_set_f32(t, "gemma3.final_logit_softcapping", NAN);
    refuse(t, ST_FORMAT, "gemma3.final_logit_softcapping: expected a finite number");
    tiny_free(t);
}

/* Architectures without windows do not see one. */
static void test_others_have_no_window(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen2", QT_F16);
    spec.window = 3;
    struct tiny *t = tiny_model(&spec);
    const struct config c = config_of(t);
    has_kinds(&c, "GG");
    assert_true(c.embed_scale == 1 && c.attn_cap == 0 && c.logit_cap == 0);
    tiny_free(t);
}

/* ---- passes -------------------------------------------------------------------------------- */

enum { SHORT = 20, LONG = 3 * KERN_ATTEND_BLOCK + 5 };

static struct tiny_spec gemma(const char *arch, enum quant_type type, int window)
{
    struct tiny_spec s = tiny_spec(arch, type);
    s.window = window;
    s.rope_base = 80000;
    return s;
}

static void test_gemma3_passes(void **state)
{
    (void)state;
    struct tiny_spec floats = gemma("gemma3", QT_F32, 7), small = gemma("gemma3", QT_Q8_0, 5);
    floats.n_layer = 7; /* five local layers, a global one, a local one */
    floats.rope_factor = 8;
    laws_check(&floats, SHORT);
    small.period = 2;
    small.logit_cap = 2;
    laws_check(&small, SHORT);
    floats.n_layer = floats.period = 2;
    floats.tied = false;
    floats.rope_base_local = 300;
    floats.window = 71; /* more than a block of attention */
    laws_check(&floats, LONG);
    floats.window = KERN_ATTEND_BLOCK;
    floats.head_dim = floats.n_rot = 256;
    floats.n_head = 3;
    floats.n_head_kv = 1;
    laws_check(&floats, KERN_ATTEND_BLOCK + 20);
}

static void test_gemma2_passes(void **state)
{
    (void)state;
    struct tiny_spec floats = gemma("gemma2", QT_F32, 6), small = gemma("gemma2", QT_Q4_K, 9);
    floats.n_layer = 3;
    laws_check(&floats, SHORT); /* caps that the file leaves open */
    floats.attn_cap = 0.8f;
    floats.logit_cap = 1.5f;
    laws_check(&floats, SHORT);
    small.attn_cap = 1;
    small.logit_cap = 3;
    laws_check(&small, SHORT);
    floats.n_layer = 2;
    floats.window = 50;
    floats.rope_factor = 3;
    laws_check(&floats, LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemma3_facts),     cmocka_unit_test(test_gemma2_facts),
        cmocka_unit_test(test_scales_of_scores), cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_what_is_refused),  cmocka_unit_test(test_others_have_no_window),
        cmocka_unit_test(test_gemma3_passes),    cmocka_unit_test(test_gemma2_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
