/*
 * The forward pass of every architecture, weight type and cache type, held to what laws.h says; and
 * what an engine refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"

#include <stdio.h>
#include <string.h>

static const struct means on_ref = {.level = KERN_REF};

/* ---- the models ---------------------------------------------------------------------------- */

enum { SHORT = 10 };

static void test_every_type(void **state)
{
    (void)state;
    static const char *const archs[] = {"llama", "qwen2", "qwen3"};
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++) {
        struct tiny_spec spec = tiny_spec(archs[i % 3], tiny_types[i]);
        laws_check(&spec, SHORT);
    }
}

static void test_every_architecture(void **state)
{
    (void)state;
    static const char *const archs[] = {"llama", "qwen2", "qwen3"};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec floats = tiny_spec(archs[i], QT_F32), small = tiny_spec(archs[i], QT_Q8_0);
        floats.pad_tokens = 3;
        floats.pad_rows = 2;
        small.tied = true;
        laws_check(&floats, SHORT);
        laws_check(&small, SHORT);
    }
}

/* The shapes that real files have: other types for some tensors, factors of the rope, an output
 * bias, a head that turns only in part, every query head its own keys, heads of less than a group
 * of 8 bits. */
static void test_variants(void **state)
{
    (void)state;
    struct tiny_spec mixed = tiny_spec("llama", QT_Q4_K), freqs = tiny_spec("llama", QT_F16);
    struct tiny_spec part = tiny_spec("qwen2", QT_F32), own = tiny_spec("qwen3", QT_F32);
    struct tiny_spec narrow = tiny_spec("llama", QT_Q8_0);
    mixed.other = QT_Q6_K;
    mixed.rope_freqs = mixed.tied = true;
    laws_check(&mixed, SHORT);
    freqs.rope_freqs = freqs.o_bias = true;
    freqs.other = QT_F32;
    laws_check(&freqs, SHORT);
    part.n_rot = 6;
    part.n_layer = 3;
    laws_check(&part, SHORT);
    own.n_head_kv = own.n_head;
    own.head_dim = own.n_rot = 40; /* in a cache of codes, groups of 32 and 8 */
    own.n_layer = 1;
    laws_check(&own, SHORT);
    narrow.n_head = narrow.n_head_kv = 4;
    narrow.head_dim = narrow.n_rot = 16;
    narrow.d_model = 64;
    laws_check(&narrow, SHORT);
}

/* What some exports have and others have not: biases anywhere or nowhere, a scale for every
 * product, q, k and v in one matrix, of which the parts begin within a panel or at one. */
static void test_optional_tensors(void **state)
{
    (void)state;
    struct tiny_spec bare = tiny_spec("qwen2", QT_F32), biased = tiny_spec("llama", QT_F32);
    struct tiny_spec scaled = tiny_spec("llama", QT_F16), fused = tiny_spec("qwen2", QT_F32);
    struct tiny_spec all = tiny_spec("llama", QT_Q4_0);
    bare.qkv_bias = false;
    laws_check(&bare, SHORT);
    biased.qkv_bias = biased.o_bias = biased.ffn_bias = biased.output_bias = true;
    laws_check(&biased, SHORT);
    biased.type = biased.other = QT_F16;
    biased.tied = true;
    laws_check(&biased, SHORT);
    scaled.scales = true;
    laws_check(&scaled, SHORT);
    scaled = tiny_spec("qwen3", QT_Q4_K);
    scaled.other = QT_Q6_K;
    scaled.scales = true;
    laws_check(&scaled, SHORT);
    fused.fused = true;
    laws_check(&fused, SHORT);
    all.fused = all.scales = all.qkv_bias = all.o_bias = all.output_bias = true;
    laws_check(&all, SHORT);
}

/* A fused matrix is its parts, to the bit. */
static void check_fused(enum quant_type type, struct means means)
{
    static const char *const parts[] = {"attn_q.weight", "attn_k.weight", "attn_v.weight"};
    struct tiny_spec spec = tiny_spec("llama", type);
    struct tiny *apart = tiny_model(&spec), *fused = tiny_model(&spec);
    struct bench a, b;
    char name[TINY_NAME_MAX];
    for (int layer = 0; layer < spec.n_layer; layer++) {
        snprintf(name, sizeof name, "blk.%d.attn_qkv.weight", layer);
        struct tiny_tensor *all = tiny_tensor(fused, name, type, (uint64_t)spec.d_model, 1);
        all->dims[1] = 0;
        for (int i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "blk.%d.%s", layer, parts[i]);
            struct tiny_tensor *part = tiny_find(apart, name);
            all = &fused->tensor[fused->n_tensors - 1]; /* dropping moves it */
            tiny_put(&all->data, part->data.data, part->data.n);
            all->dims[1] += part->dims[1];
            tiny_drop_tensor(fused, name);
        }
    }
    bench_init(&a, &spec, apart, means, SHORT);
    bench_init(&b, &spec, fused, means, SHORT);
    assert_memory_equal(a.expected, b.expected, bench_bytes(&a, SHORT));
    bench_deinit(&a);
    bench_deinit(&b);
    tiny_free(apart);
    tiny_free(fused);
}

static void test_a_fused_matrix_is_its_parts(void **state)
{
    (void)state;
    static const enum quant_type types[] = {QT_F32, QT_BF16, QT_Q8_0, QT_Q4_K};
    for (int i = 0; i < 4; i++) {
        check_fused(types[i], on_ref);
        check_fused(types[i], (struct means){.level = kern_best()->level});
    }
}

/* Over several blocks of attention, and over passes of which not all rows walk together. */
static void test_long_texts(void **state)
{
    (void)state;
    struct tiny_spec floats = tiny_spec("qwen3", QT_F32), small = tiny_spec("llama", QT_Q4_0);
    laws_check(&floats, 3 * KERN_ATTEND_BLOCK + 5);
    laws_check(&small, 3 * KERN_ATTEND_BLOCK + 5);
}

/* ---- linear scaling ------------------------------------------------------------------------ */

/* Positions stretched by 1 are the model itself; stretched by 4 they are another. */
static void test_rope_scaling_reaches_the_angles(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct bench plain, one, four;
    bench_init(&plain, &spec, t, on_ref, SHORT);
    tiny_set_str(t, "llama.rope.scaling.type", "linear");
    tiny_set_f32(t, "llama.rope.scaling.factor", 1);
    bench_init(&one, &spec, t, on_ref, SHORT);
    tiny_set_f32(t, "llama.rope.scaling.factor", 4);
    bench_init(&four, &spec, t, on_ref, SHORT);
    assert_memory_equal(plain.expected, one.expected, bench_bytes(&one, SHORT));
    assert_memory_equal(plain.expected, four.expected, bench_bytes(&one, 1));
    assert_memory_not_equal(plain.expected, four.expected, bench_bytes(&one, 2));
    bench_deinit(&plain);
    bench_deinit(&one);
    bench_deinit(&four);
    tiny_free(t);
}

/* Stretched positions and a magnitude, the latter of the part that turns alone. */
static void test_rope_against_the_oracle(void **state)
{
    (void)state;
    struct tiny_spec whole = tiny_spec("llama", QT_F32), part = tiny_spec("qwen3", QT_F32);
    whole.rope_factor = 2.5f;
    laws_check(&whole, SHORT);
    part.rope_magnitude = 1.19f;
    part.n_rot = 8;
    laws_check(&part, SHORT);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void refuse(struct engine *e, const struct row *rows, int n, enum status st,
                   const char *message)
{
    struct err err = {0};
    assert_int_equal(engine_submit(e, rows, n, &err), st);
    if (!strstr(err.message, message)) fail_msg("expected \"%s\" in: %s", message, err.message);
}

/* After each refusal the state is as it was: the text goes on with the same bits. */
static void test_refusals_change_nothing(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen2", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct bench b;
    bench_init(&b, &spec, t, on_ref, 12);
    struct local_options options = {
        .kern = kern_table(KERN_REF), .threads = 1, .n_ctx = 12, .max_rows = 4, .max_logits = 2};
    struct engine *e = NULL;
    assert_int_equal(local_open(b.model, &options, &e, NULL), ST_OK);
    laws_eval(e, 0, b.ids, 0, 2, b.got);
    laws_eval(e, 0, b.ids, 2, 4, b.got);
    const struct row good = {0, 4, 5, true}, next = {0, 5, 5, true};
    const struct row cases[] = {{0, 5, 5, true},  {0, 3, 5, true},   {1, 0, 5, true},
                                {-1, 4, 5, true}, {0, 4, -1, true},  {0, 4, b.n_vocab, true},
                                {0, -1, 5, true}, {0, 4, 5000, true}};
    static const char *const messages[] = {"row 0: position: expected 4, found 5",
                                           "row 0: position: expected 4, found 3",
                                           "row 0: sequence: expected 0 to 0, found 1",
                                           "row 0: sequence: expected 0 to 0, found -1",
                                           "row 0: token: expected 0 to",
                                           "row 0: token: expected 0 to",
                                           "row 0: position: expected 4, found -1",
                                           "found 5000"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(e, &cases[i], 1, ST_ARG, messages[i]);
    const struct row second[] = {good, {0, 6, 5, false}}, token[] = {good, {0, 5, -2, false}};
    const struct row wants[] = {good, next, {0, 6, 5, true}};
    refuse(e, second, 2, ST_ARG, "row 1: position: expected 5, found 6");
    refuse(e, token, 2, ST_ARG, "row 1: token");
    refuse(e, wants, 3, ST_ARG, "rows that want logits: expected at most 2, found 3");
    refuse(e, &good, 0, ST_ARG, "rows: expected 1 to 4, found 0");
    refuse(e, &good, -1, ST_ARG, "rows: expected 1 to 4, found -1");
    refuse(e, &good, 5, ST_ARG, "rows: expected 1 to 4, found 5");
    assert_int_equal(engine_length(e, 0), 4);
    for (int i = 4; i < 12; i += 2) laws_eval(e, 0, b.ids, i, i + 2, b.got);
    bench_same_bits(&b, 12, "a refusal changes nothing");

    const struct row full = {0, 12, 5, true};
    refuse(e, &full, 1, ST_FULL, "12");
    engine_truncate(e, 0, 11);
    const struct row last[] = {{0, 11, b.ids[11], true}, {0, 12, 5, false}};
    refuse(e, last, 2, ST_FULL, "12");
    assert_int_equal(engine_length(e, 0), 11);
    laws_eval(e, 0, b.ids, 11, 12, b.got);
    bench_same_bits(&b, 12, "the last position of a context");
    engine_truncate(e, 0, 50); /* not shorter: nothing happens */
    assert_int_equal(engine_length(e, 0), 12);
    engine_truncate(e, 0, -3);
    assert_int_equal(engine_length(e, 0), 0);
    engine_close(e);
    bench_deinit(&b);
    tiny_free(t);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct model *m = tiny_open(t);
    const struct {
        struct local_options options;
        const char *message;
    } cases[] = {
        {{.threads = -1}, "threads: expected 1 to 256, found -1"},
        {{.threads = 257}, "found 257"},
        {{.n_ctx = -5}, "context"},
        {{.n_ctx = LOCAL_CTX_MAX + 1}, "context"},
        {{.n_seq = -1}, "sequences"},
        {{.max_rows = LOCAL_ROWS_MAX + 1}, "rows of a pass"},
        {{.max_rows = 4, .max_logits = 5}, "rows with logits: expected 1 to 4, found 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine *e = NULL;
        struct err err = {0};
        assert_int_equal(local_open(m, &cases[i].options, &e, &err), ST_ARG);
        assert_null(e);
        if (!strstr(err.message, cases[i].message))
            fail_msg("expected \"%s\" in: %s", cases[i].message, err.message);
    }
    struct engine *e = NULL;
    assert_int_equal(local_open(m, NULL, &e, NULL), ST_OK);
    assert_int_equal(local_settings(e)->n_ctx, spec.n_ctx);
    assert_int_equal(local_settings(e)->max_rows, LOCAL_ROWS_DEFAULT);
    assert_ptr_equal(local_settings(e)->kern, kern_best());
    assert_ptr_equal(e->info.vocab, m->vocab);
    assert_true(local_bytes(e) > 0);
    engine_close(e);
    engine_close(NULL);
    model_close(m);
    tiny_free(t);
}

/* Padding at the end of the embedding has logits, but takes part in no softmax. */
static void test_padding_is_masked(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.pad_tokens = 4;
    spec.pad_rows = 3;
    struct tiny *t = tiny_model(&spec);
    struct tiny_tensor *output = tiny_find(t, "output.weight");
    const size_t row = output->data.n / output->dims[1], real = (size_t)tiny_real_vocab(&spec);
    float *w = (float *)(void *)output->data.data;
    for (size_t i = real * row / sizeof *w; i < output->data.n / sizeof *w; i++) w[i] *= 1e4f;
    struct bench b;
    bench_init(&b, &spec, t, on_ref, 4);
    struct engine *e = laws_open(b.model, on_ref, 1, 4);
    laws_eval(e, 0, b.ids, 0, 4, b.got);
    assert_int_equal(e->info.n_vocab, real);
    for (int i = 0; i < 4; i++) {
        struct distribution masked, by_hand;
        assert_int_equal(local_distribution(e, i, &masked, NULL), ST_OK);
        const float *logits = b.got + (size_t)i * (size_t)b.n_vocab;
        assert_true(distribution_dense(&by_hand, kern_table(KERN_REF), logits, (int)real));
        assert_memory_equal(&masked.stats, &by_hand.stats, sizeof masked.stats);
        assert_true(masked.stats.argmax < (int)real);
    }
    engine_close(e);
    bench_deinit(&b);
    tiny_free(t);
}

static void check_broken(const struct model *m, enum kern_cache cache)
{
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        if (!kern_table((enum kern_level)level)) continue;
        const struct means means = {(enum kern_level)level, cache};
        struct engine *e = laws_open(m, means, 1, 4);
        const int32_t ids[] = {TINY_BOS};
        struct distribution d;
        struct err err = {0};
        laws_eval(e, 0, ids, 0, 1, NULL);
        assert_int_equal(local_distribution(e, 0, &d, &err), ST_FORMAT);
        assert_non_null(strstr(err.message, "not finite"));
        engine_close(e);
    }
}

/* Weights that are not numbers are reported, not written; on their way through a cache as well. */
static void test_broken_weights_are_reported(void **state)
{
    (void)state;
    static const char *const names[] = {"blk.1.ffn_down.weight", "blk.0.attn_k.weight",
                                        "blk.0.attn_v.weight"};
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    for (int i = 0; i < 3; i++) {
        struct tiny *t = tiny_model(&spec);
        const uint16_t nan = 0x7e00;
        memcpy(tiny_find(t, names[i])->data.data, &nan, sizeof nan);
        struct model *m = tiny_open(t);
        for (int cache = 0; cache < KERN_CACHE_COUNT; cache++)
            check_broken(m, (enum kern_cache)cache);
        model_close(m);
        tiny_free(t);
    }
}

/* A position in 8 bits costs 34 bytes for every 64 of half floats. */
static void test_a_cache_of_codes_is_small(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    struct model *m = tiny_open(t);
    const size_t elements = (size_t)spec.n_layer * 2 * spec.n_head_kv * spec.head_dim;
    size_t bytes[KERN_CACHE_COUNT];
    assert_int_equal(spec.head_dim % 32, 0);
    for (int cache = 0; cache < KERN_CACHE_COUNT; cache++) {
        const struct means means = {KERN_REF, (enum kern_cache)cache};
        struct engine *few = laws_open(m, means, 1, 16), *many = laws_open(m, means, 1, 1616);
        bytes[cache] = local_bytes(many) - local_bytes(few);
        engine_close(few);
        engine_close(many);
    }
    const size_t positions = LAWS_SEQS * 1600, lists = positions / KERN_TILE * 16; /* of pages */
    const size_t f16 = positions * elements * 2, q8_0 = positions * elements * 34 / 32;
    assert_in_range(bytes[KERN_CACHE_F16], f16, f16 + lists);
    assert_in_range(bytes[KERN_CACHE_Q8_0], q8_0, q8_0 + lists);
    model_close(m);
    tiny_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_every_architecture),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_optional_tensors),
        cmocka_unit_test(test_a_fused_matrix_is_its_parts),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_rope_scaling_reaches_the_angles),
        cmocka_unit_test(test_rope_against_the_oracle),
        cmocka_unit_test(test_refusals_change_nothing),
        cmocka_unit_test(test_options_are_checked),
        cmocka_unit_test(test_padding_is_masked),
        cmocka_unit_test(test_broken_weights_are_reported),
        cmocka_unit_test(test_a_cache_of_codes_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
