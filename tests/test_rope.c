/* Scaled angles: what YaRN does to frequencies and to the size of what turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"
#include "opened.h"

#include <stdio.h>

enum { SHORT = 10 };

/* YaRN: every number given; none but the factor; a ramp that is a step; with what files have beside
 * it. */
static void test_yarn_against_the_oracle(void **state)
{
    (void)state;
    struct tiny_spec given = tiny_spec("qwen2", QT_F32), bare = tiny_spec("qwen3", QT_Q8_0);
    struct tiny_spec step = tiny_spec("llama", QT_F32), beside = tiny_spec("llama", QT_F16);
    given.n_ctx = 160;
    given.yarn = (struct tiny_yarn){.factor = 4, .ctx = 40, .fast = 3, .slow = 0.02f, .ext = 0.75f};
    laws_check(&given, SHORT);
    given.yarn.log = 0.6f;
    laws_check(&given, SHORT);
    bare.n_ctx = 20000; /* 32 and 1 turns of these are far apart */
    bare.yarn.factor = 2.5f;
    laws_check(&bare, SHORT);
    step.yarn = (struct tiny_yarn){.factor = 8, .ctx = 64, .fast = 1.5f, .slow = 1.5f, .log = 1};
    laws_check(&step, SHORT);
    step.yarn = (struct tiny_yarn){.factor = 8, .ctx = 6, .attn = 1}; /* before the first pair */
    laws_check(&step, SHORT);
    beside.yarn = (struct tiny_yarn){.factor = 4, .ctx = 40, .fast = 2, .slow = 0.05f};
    beside.rope_freqs = true;
    beside.rope_magnitude = 1.19f;
    laws_check(&beside, SHORT);
}

static void check_yarn(const struct tiny *t, const struct rope *expected)
{
    struct opened o;
    opened_must(t, &o);
    const struct rope *rope = &o.config.rope[0];
    assert_true(rope->scale == expected->scale && rope->yarn_ctx == expected->yarn_ctx);
    assert_true(rope->fast == expected->fast && rope->slow == expected->slow);
    assert_true(rope->ext == expected->ext);
    assert_float_equal(rope->magnitude, expected->magnitude, 1e-6);
    opened_release(&o);
}

/* What holds where a file says no more than the factor, and what each key changes. */
static void test_yarn_keys(void **state)
{
    (void)state;
    struct tiny *t = opened_model("qwen3");
    struct rope r = {.scale = 0.25f, .yarn_ctx = 64, .fast = 32, .slow = 1, .ext = 1};
    r.magnitude = 1.1386294f; /* 1 + ln(4) / 10 */
    tiny_set_str(t, "qwen3.rope.scaling.type", "yarn");
    opened_refuse(t, ST_FORMAT, "qwen3.rope.scaling.factor", "missing");
    tiny_set_f32(t, "qwen3.rope.scaling.factor", 4);
    check_yarn(t, &r);
    tiny_set_u32(t, "qwen3.rope.scaling.original_context_length", r.yarn_ctx = 16);
    tiny_set_f32(t, "qwen3.rope.scaling.yarn_beta_fast", r.fast = 8);
    tiny_set_f32(t, "qwen3.rope.scaling.yarn_beta_slow", r.slow = 2);
    tiny_set_f32(t, "qwen3.rope.scaling.yarn_ext_factor", r.ext = 0.5f);
    check_yarn(t, &r);
    tiny_set_f32(t, "qwen3.rope.scaling.yarn_log_multiplier", 0);
    check_yarn(t, &r);
    tiny_set_f32(t, "qwen3.rope.scaling.yarn_log_multiplier", 1);
    r.magnitude = 1;
    check_yarn(t, &r);
    tiny_set_f32(t, "qwen3.rope.scaling.attn_factor", r.magnitude = 1.5f);
    check_yarn(t, &r);
    tiny_set_f32(t, "qwen3.rope.scaling.yarn_log_multiplier", 0);
    r.magnitude = 1.7079442f;
    check_yarn(t, &r);
    tiny_set_f32(t, "qwen3.rope.scaling.factor", 0.5f); /* shorter texts are no larger */
    r.scale = 2;
    r.magnitude = 1.5f;
    check_yarn(t, &r);
    tiny_free(t);
}

static void test_yarn_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        float value;
        const char *found;
    } cases[] = {{"factor", 0, "positive"},
                 {"yarn_ext_factor", 0, "positive"},
                 {"yarn_beta_fast", -1, "positive"},
                 {"yarn_beta_fast", 0.5f, "at least yarn_beta_slow = 1, found 0.5"},
                 {"yarn_beta_slow", 33, "at least yarn_beta_slow = 33, found 32"},
                 {"yarn_beta_slow", 0, "positive"},
                 {"yarn_log_multiplier", -1, "expected 0 or more, found -1"}};
    char key[TINY_NAME_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tiny_spec spec = tiny_spec("llama", QT_F32);
        spec.yarn.factor = 4;
        struct tiny *t = tiny_model(&spec);
        snprintf(key, sizeof key, "llama.rope.scaling.%s", cases[i].name);
        tiny_set_f32(t, key, cases[i].value);
        opened_refuse(t, ST_FORMAT, "llama.rope.scaling.", cases[i].found);
        tiny_free(t);
    }
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.yarn.factor = 4;
    struct tiny *t = tiny_model(&spec);
    tiny_set_u32(t, "llama.rope.scaling.original_context_length", 0);
    opened_refuse(t, ST_FORMAT, "original_context_length", "found 0");
    tiny_drop(t, "llama.rope.scaling.original_context_length");
    tiny_set_f32(t, "llama.rope.scaling.yarn_attn_factor", 1);
    opened_accept(t);
    tiny_set_f32(t, "llama.rope.scaling.yarn_attn_factor", 1.13863f); /* what the factor gives */
    opened_accept(t);
    tiny_set_f32(t, "llama.rope.scaling.yarn_attn_factor", 1.2f);
    opened_refuse(t, ST_SUPPORT, "yarn_attn_factor: expected 1 or 1.1386", "found 1.2");
    tiny_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yarn_against_the_oracle),
        cmocka_unit_test(test_yarn_keys),
        cmocka_unit_test(test_yarn_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
