/*
 * Mixtures of experts, held to what laws.h says: experts with no row, one and many, all weight
 * types, all levels. And the router alone: which experts it chooses, and what it does with what is
 * no number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"
#include "model/mixture.h"
#include "opened.h"
#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tiny_spec spec_of(enum quant_type type, int experts, int used)
{
    struct tiny_spec spec = tiny_spec("qwen3moe", type);
    spec.n_expert = experts;
    spec.n_expert_used = used;
    return spec;
}

/* Weights for which rounding does not change what the router chooses in the text of laws.h: the
 * oracle, which rounds otherwise, chooses the same. */
static void settle(struct tiny_spec *spec, int n)
{
    const double margin = tiny_type_is_float(spec->type) ? 3e-3 : 0.1;
    int32_t ids[LAWS_ROWS];
    tiny_text(spec, 5, ids, n);
    for (spec->seed = 1; spec->seed < 3000; spec->seed++) {
        struct tiny *t = tiny_model(spec);
        const double found = oracle_margin(spec, t, ids, n);
        tiny_free(t);
        if (found > margin) return;
    }
    fail_msg("no seed has a margin of %g", margin);
}

static void check(struct tiny_spec spec, int n)
{
    settle(&spec, n);
    print_message("%d of %d experts, %d rows, seed %d\n", spec.n_expert_used, spec.n_expert, n,
                  (int)spec.seed);
    laws_check(&spec, n);
}

/* ---- whole models -------------------------------------------------------------------------- */

static void test_every_type(void **state)
{
    (void)state;
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++) check(spec_of(tiny_types[i], 6, 2), 7);
}

/* One expert for all rows, each row its own, all experts for all rows, one that is all. */
static void test_numbers_of_experts(void **state)
{
    (void)state;
    static const int numbers[][2] = {{1, 1}, {2, 1}, {8, 1}, {5, 5}, {16, 4}, {33, 3}, {12, 8}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct tiny_spec small = spec_of(QT_Q8_0, numbers[i][0], numbers[i][1]);
        small.n_layer = 1;
        check(spec_of(QT_F32, numbers[i][0], numbers[i][1]), 12);
        check(small, 5);
    }
}

/* Passes of 1 to 40 rows against decoding, row by row. */
static void test_any_number_of_rows(void **state)
{
    (void)state;
    static const enum quant_type types[] = {QT_F32, QT_BF16, QT_Q4_0, QT_Q4_K};
    enum { N = 40 };
    for (int i = 0; i < 4; i++) {
        struct tiny_spec spec = spec_of(types[i], 9, 3);
        struct tiny *t = tiny_model(&spec);
        for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
            const struct means means = {.level = (enum kern_level)level};
            struct bench b;
            if (!kern_table(means.level)) continue;
            bench_init(&b, &spec, t, means, N);
            struct engine *e = laws_open(b.model, means, 1 + level % 3, N);
            for (int n = 1; n <= N; n++) {
                engine_truncate(e, 0, 0);
                laws_eval(e, 0, b.ids, 0, n, b.got);
                bench_same_bits(&b, n, "a pass equals decoding");
            }
            engine_close(e);
            bench_deinit(&b);
        }
        tiny_free(t);
    }
}

/* An expert has more rows than a thread gathers at once. */
static void test_many_rows(void **state)
{
    (void)state;
    check(spec_of(QT_F32, 3, 1), LAWS_ROWS);
    struct tiny_spec small = spec_of(QT_Q4_0, 3, 3);
    check(small, 100);
}

/* A pass of more rows than walk together. */
static void test_more_rows_than_a_slice(void **state)
{
    (void)state;
    enum { N = MIXTURE_ROWS + 30 };
    struct tiny_spec spec = spec_of(QT_Q8_0, 4, 2);
    struct row rows[N] = {0};
    struct err err = {0};
    struct engine *one = NULL, *all = NULL;
    struct local_options options = {.threads = 2, .n_ctx = N, .max_rows = N};
    spec.n_layer = 1;
    struct tiny *t = tiny_model(&spec);
    struct model *m = tiny_open(t);
    if (local_open(m, &options, &all, &err) != ST_OK) fail_msg("%s", err.message);
    options.max_rows = options.threads = 1;
    if (local_open(m, &options, &one, &err) != ST_OK) fail_msg("%s", err.message);
    for (int i = 0; i < N; i++) rows[i] = (struct row){.pos = i, .token = 3 + i * 7 % 200};
    rows[N - 1].wants_logits = true;
    assert_int_equal(engine_submit(all, rows, N, NULL), ST_OK);
    for (int i = 0; i < N; i++) assert_int_equal(engine_submit(one, &rows[i], 1, NULL), ST_OK);
    assert_memory_equal(local_logits(all, 0), local_logits(one, 0),
                        (size_t)tiny_logits(&spec) * sizeof(float));
    engine_close(one);
    engine_close(all);
    model_close(m);
    tiny_free(t);
}

/* Gate, up and down of types of their own; a router in halves or quantised; experts that end within
 * a panel. */
static void test_variants(void **state)
{
    (void)state;
    struct tiny_spec mixed = spec_of(QT_Q4_K, 6, 2), odd = spec_of(QT_F16, 6, 2);
    mixed.other = QT_Q6_K;
    mixed.tied = true;
    check(mixed, 6);
    odd.other = QT_F32;
    odd.d_ff = 37;
    check(odd, 10);
}

static void replace(struct tiny *t, const char *name, enum quant_type type, float rms)
{
    uint64_t rng = 99;
    struct tiny_tensor *x = tiny_find(t, name);
    assert_non_null(x);
    x->type = (uint32_t)type;
    tiny_fill(x, rms, &rng);
}

/* Laws alone: the other types are the oracle's, too, but the margin is not. */
static void test_types_of_one_layer_differ(void **state)
{
    (void)state;
    static const enum quant_type types[][3] = {/* of the router, gate and up */
                                               {QT_F32, QT_F16, QT_Q8_0},
                                               {QT_BF16, QT_Q8_0, QT_F32},
                                               {QT_Q8_0, QT_F32, QT_F32}};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec spec = spec_of(QT_Q8_0, 6, 3);
        struct tiny *t = tiny_model(&spec);
        const float rms = 1 / sqrtf((float)spec.d_model);
        replace(t, "blk.0.ffn_gate_inp.weight", types[i][0], 2 * rms);
        replace(t, "blk.0.ffn_gate_exps.weight", types[i][1], rms);
        replace(t, "blk.0.ffn_up_exps.weight", types[i][2], rms);
        struct bench b;
        bench_init(&b, &spec, t, (struct means){.level = kern_best()->level}, 30);
        struct engine *e = laws_open(b.model, b.means, 2, 30);
        laws_eval(e, 0, b.ids, 0, 30, b.got);
        bench_same_bits(&b, 30, "types of one layer differ");
        engine_close(e);
        bench_deinit(&b);
        tiny_free(t);
    }
}

/* What a token costs is counted by the experts that it meets. */
static void test_idle_experts_cost_nothing(void **state)
{
    (void)state;
    struct tiny_spec spec = spec_of(QT_Q8_0, 8, 1);
    struct tiny *t = tiny_model(&spec);
    struct model *m = tiny_open(t);
    ead_model *public = tiny_open_public(t);
    const ead_model_info info = ead_model_describe(public);
    const uint64_t expert = (uint64_t)spec.n_layer * 3 * (uint64_t)(spec.d_model * spec.d_ff);
    struct engine *e = laws_open(m, (struct means){0}, 1, 4);
    assert_int_equal(info.n_active + 7 * expert, info.n_params);
    assert_int_equal(e->info.n_active, info.n_active);
    assert_int_equal(info.d_ff, spec.d_ff);
    engine_close(e);
    ead_model_close(public);
    model_close(m);
    tiny_free(t);
}

/* ---- what opens ------------------------------------------------------------------------------ */

static void refuse_u32(const char *key, uint32_t value, enum status st, const char *found)
{
    struct tiny *t = opened_model("qwen3moe");
    tiny_set_u32(t, key, value);
    opened_refuse(t, st, key, found);
    tiny_free(t);
}

static void refuse_without(const char *key)
{
    struct tiny *t = opened_model("qwen3moe");
    tiny_drop(t, key);
    opened_refuse(t, ST_FORMAT, key, "missing");
    tiny_free(t);
}

static void test_mixtures_that_are_not_computed(void **state)
{
    (void)state;
    struct tiny *t = opened_model("qwen3moe");
    refuse_without("qwen3moe.expert_count");
    refuse_without("qwen3moe.expert_used_count");
    refuse_without("qwen3moe.expert_feed_forward_length");
    refuse_u32("qwen3moe.expert_count", 0, ST_FORMAT, "expected 1 to 1024, found 0");
    refuse_u32("qwen3moe.expert_count", 1025, ST_FORMAT, "expected 1 to 1024, found 1025");
    refuse_u32("qwen3moe.expert_used_count", 0, ST_FORMAT, "expected 1 to 6, found 0");
    refuse_u32("qwen3moe.expert_used_count", 7, ST_FORMAT, "expected 1 to 6, found 7");
    refuse_u32("qwen3moe.expert_shared_count", 1, ST_SUPPORT, "expected 0 (none that all tokens");
    refuse_u32("qwen3moe.expert_shared_feed_forward_length", 8, ST_SUPPORT, "found 8");
    refuse_u32("qwen3moe.leading_dense_block_count", 2, ST_SUPPORT, "found 2");
    refuse_u32("qwen3moe.expert_group_count", 4, ST_SUPPORT, "expected 1 (one group of experts)");
    refuse_u32("qwen3moe.expert_gating_func", 2, ST_SUPPORT, "expected 1 (softmax), found 2");
    tiny_set_u32(t, "qwen3moe.expert_gating_func", 1);
    tiny_set_u32(t, "qwen3moe.expert_shared_count", 0);
    tiny_set_bool(t, "qwen3moe.expert_weights_norm", true);
    tiny_set_f32(t, "qwen3moe.expert_weights_scale", 1);
    tiny_drop(t, "qwen3moe.feed_forward_length"); /* nothing is as wide */
    opened_accept(t);
    tiny_set_bool(t, "qwen3moe.expert_weights_norm", false);
    opened_refuse(t, ST_SUPPORT, "qwen3moe.expert_weights_norm", "found false");
    tiny_set_bool(t, "qwen3moe.expert_weights_norm", true);
    tiny_set_f32(t, "qwen3moe.expert_weights_scale", 2.5f);
    opened_refuse(t, ST_SUPPORT, "qwen3moe.expert_weights_scale", "expected 1, found 2.5");
    tiny_set_f32(t, "qwen3moe.expert_weights_scale", 1);
    tiny_set_u32(t, "qwen3moe.expert_count", 1024);
    tiny_set_u32(t, "qwen3moe.expert_feed_forward_length", 1 << 20);
    opened_refuse(t, ST_FORMAT, "qwen3moe.expert_count", "1024 experts of 1048576 dimensions");
    tiny_free(t);
}

/* Files of packed weights rely on this order; a stack is one of it. */
static void test_stacks_stand_in_order(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen3moe", QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    struct opened o;
    opened_must(t, &o);
    struct weights *w = &o.weights;
    assert_int_equal(w->n_matrices, 1 + 8 * spec.n_layer);
    for (int i = 0; i < spec.n_layer; i++) {
        struct layer *l = &w->layers[i];
        const struct kern_weight *const order[] = {&l->router.w, &l->experts.gate, &l->experts.up,
                                                   &l->experts.down};
        for (int k = 0; k < 4; k++) {
            assert_ptr_equal(weights_matrix(w, 5 + 8 * i + k), order[k]);
            assert_int_equal(w->matrices[5 + 8 * i + k].n, k ? spec.n_expert : 1);
        }
    }
    const struct kern_weight last = weights_in_stack(&w->layers[1].experts.down, 5);
    assert_int_equal(last.rows, spec.d_model);
    assert_int_equal(last.cols, spec.d_ff);
    assert_ptr_equal(last.data, w->layers[1].experts.down.data + 5 * last.row_bytes * spec.d_model);
    opened_release(&o);
    tiny_free(t);
}

/* What a token passes: all that there is, but of the experts only those that it meets. */
static void test_active_parameters_are_counted(void **state)
{
    (void)state;
    struct tiny_spec dense = tiny_spec("qwen3", QT_F32), moe = tiny_spec("qwen3moe", QT_F32);
    struct tiny *a = tiny_model(&dense), *b = tiny_model(&moe);
    struct opened o;
    opened_must(a, &o);
    assert_int_equal(o.weights.n_active, o.weights.n_params);
    const uint64_t shared = o.weights.n_params - 2 * 3 * (uint64_t)(dense.d_model * dense.d_ff);
    opened_release(&o);
    opened_must(b, &o);
    const uint64_t router = 2 * (uint64_t)(6 * moe.d_model);
    const uint64_t expert = 2 * 3 * (uint64_t)(moe.d_model * moe.d_ff);
    assert_int_equal(o.weights.n_params, shared + router + 6 * expert);
    assert_int_equal(o.weights.n_active, shared + router + 2 * expert);
    opened_release(&o);
    tiny_free(a);
    tiny_free(b);
}

/* ---- the router ---------------------------------------------------------------------------- */

static void chooses(const float *logits, int n, int used, const int *expected, const float *weights)
{
    int expert[8];
    float weight[8];
    mixture_choose(logits, n, used, expert, weight);
    for (int i = 0; i < used; i++) {
        assert_int_equal(expert[i], expected[i]);
        assert_true(fabsf(weight[i] - weights[i]) < 1e-4f); /* of logits that large */
    }
}

static void test_the_router_chooses(void **state)
{
    (void)state;
    const float ln2 = 0.69314718f;
    chooses((float[]){0, ln2, -1, 2 * ln2}, 4, 2, (int[]){3, 1}, (float[]){2 / 3.f, 1 / 3.f});
    chooses((float[]){0, ln2, -1, 2 * ln2}, 4, 1, (int[]){3}, (float[]){1});
    chooses((float[]){ln2, 0}, 2, 2, (int[]){0, 1}, (float[]){2 / 3.f, 1 / 3.f});
    chooses((float[]){-7}, 1, 1, (int[]){0}, (float[]){1});
    /* of equals the lower number */
    chooses((float[]){5, 5, 5, 5}, 4, 2, (int[]){0, 1}, (float[]){.5f, .5f});
    chooses((float[]){1, 5, 1, 5, 5}, 5, 2, (int[]){1, 3}, (float[]){.5f, .5f});
    chooses((float[]){0, -3, 0, -3}, 4, 3, (int[]){0, 2, 1},
            (float[]){0.487856f, 0.487856f, 0.024289f});
    /* far apart, and far from zero */
    chooses((float[]){-3e38f, 3e38f, 0}, 3, 2, (int[]){1, 2}, (float[]){1, 0});
    chooses((float[]){-1000, -1000 - ln2, -2000}, 3, 2, (int[]){0, 1}, (float[]){2 / 3.f, 1 / 3.f});
}

/* Whatever the logits are, the experts are different ones that exist. */
static void test_what_is_no_number_is_passed_on(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0, 1, -1, -0.f, NAN};
    enum { N = 5 };
    for (int code = 0; code < 8 * 8 * 8 * 8 * 8; code++) {
        float logits[N], weight[N], sum = 0;
        bool finite = true;
        for (int e = 0, c = code; e < N; e++, c /= 8) {
            logits[e] = odd[c % 8];
            finite &= isfinite(logits[e]);
        }
        for (int used = 1; used <= N; used++) {
            int expert[N], seen[N] = {0};
            mixture_choose(logits, N, used, expert, weight);
            sum = 0;
            for (int i = 0; i < used; i++) {
                assert_in_range(expert[i], 0, N - 1);
                assert_false(seen[expert[i]]++);
                assert_true(finite ? weight[i] > 0 : isnan(weight[i]));
                sum += weight[i];
            }
            assert_true(!finite || fabsf(sum - 1) < 1e-6f);
        }
    }
}

/* The scale of one block of matrix e of a stack becomes NaN. */
static void poison(struct tiny *t, const char *name, int e)
{
    struct tiny_tensor *x = tiny_find(t, name);
    const uint16_t nan = 0x7e00;
    memcpy(x->data.data + x->data.n / x->dims[2] * (size_t)e, &nan, sizeof nan);
}

/* All experts are as probable: the first ones are taken, and what the others say is not read. */
static void test_experts_that_are_not_chosen_do_not_speak(void **state)
{
    (void)state;
    static const char *const names[] = {"blk.0.ffn_gate_exps.weight", "blk.0.ffn_up_exps.weight",
                                        "blk.0.ffn_down_exps.weight"};
    struct tiny_spec spec = spec_of(QT_Q8_0, 5, 2);
    spec.n_layer = 1;
    struct tiny *t = tiny_model(&spec);
    memset(tiny_find(t, "blk.0.ffn_gate_inp.weight")->data.data, 0,
           tiny_find(t, "blk.0.ffn_gate_inp.weight")->data.n);
    struct bench clean, broken;
    const struct means best = {.level = kern_best()->level};
    bench_init(&clean, &spec, t, best, 12);
    for (int e = 2; e < 5; e++)
        for (int i = 0; i < 3; i++) poison(t, names[i], e);
    bench_init(&broken, &spec, t, best, 12);
    assert_memory_equal(clean.expected, broken.expected, bench_bytes(&clean, 12));
    bench_deinit(&broken);
    for (int e = 0; e < 2; e++) {
        poison(t, names[e], e); /* of those that are */
        bench_init(&broken, &spec, t, best, 12);
        for (int i = 0; i < 12; i++)
            assert_true(isnan(broken.expected[(size_t)i * (size_t)broken.n_vocab]));
        bench_deinit(&broken);
    }
    bench_deinit(&clean);
    tiny_free(t);
}

static void test_a_broken_router_is_reported(void **state)
{
    (void)state;
    struct tiny_spec spec = spec_of(QT_Q8_0, 6, 2);
    struct tiny *t = tiny_model(&spec);
    const float values[] = {NAN, INFINITY, 3e38f};
    for (int i = 0; i < 3; i++) {
        float *w = (float *)(void *)tiny_find(t, "blk.1.ffn_gate_inp.weight")->data.data;
        w[(size_t)(2 * i) * (size_t)spec.d_model + 1] = values[i];
        w[(size_t)(2 * i) * (size_t)spec.d_model + 2] = values[i];
        struct model *m = tiny_open(t);
        for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
            if (!kern_table((enum kern_level)level)) continue;
            struct engine *e = laws_open(m, (struct means){.level = (enum kern_level)level}, 2, 8);
            const int32_t ids[] = {TINY_BOS, 5, 6, 7};
            struct distribution d;
            struct err err = {0};
            laws_eval(e, 0, ids, 0, 4, NULL);
            const enum status st = local_distribution(e, 0, &d, &err);
            if (i < 2) assert_int_equal(st, ST_FORMAT);
            engine_close(e);
        }
        model_close(m);
    }
    tiny_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_router_chooses),
        cmocka_unit_test(test_what_is_no_number_is_passed_on),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_numbers_of_experts),
        cmocka_unit_test(test_any_number_of_rows),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_more_rows_than_a_slice),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_types_of_one_layer_differ),
        cmocka_unit_test(test_idle_experts_cost_nothing),
        cmocka_unit_test(test_mixtures_that_are_not_computed),
        cmocka_unit_test(test_stacks_stand_in_order),
        cmocka_unit_test(test_active_parameters_are_counted),
        cmocka_unit_test(test_experts_that_are_not_chosen_do_not_speak),
        cmocka_unit_test(test_a_broken_router_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
