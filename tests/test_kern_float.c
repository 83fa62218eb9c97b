/* Every float kernel of every level against the reference, but products (test_kern_product.c)
 * and attention (test_kern_attend.c). */
#include "kern_test.h"

/* Ceilings on errors, in units of the natural scale of each result. */
static const double ROW_CEILING = 4e-7;   /* of the element itself: norms, silu, caps, rotations */
static const double GELU_CEILING = 8e-6;  /* the same; far below 0 rounding the exponent tells */
static const double STATS_CEILING = 1e-6; /* of log_sum_exp, or of 1 if that is smaller */
static const double BITS_CEILING = 3e-6;  /* bits of entropy */

/* ---- rows ----------------------------------------------------------------------------------- */

static void assert_close(const float *got, const float *want, size_t n, double ceiling)
{
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)got[i] - (double)want[i]);
        assert_true(error <= ceiling * fabs((double)want[i]) + 1e-37);
    }
}

/* Guarded rows that end at a forbidden page. */
static float *guarded_row(struct guard *g, int n, float spread, uint64_t *seed)
{
    *g = guard_alloc((size_t)n * sizeof(float), GUARD_AFTER);
    float *row = g->data;
    for (int i = 0; i < n; i++) row[i] = random_normal(seed) * spread;
    return row;
}

static void check_rows(const struct kern *k)
{
    uint64_t seed = 4;
    for (int n = 1; n < 70; n++) {
        struct guard ga, gb, gc;
        float *a = guarded_row(&ga, n, 3, &seed), *b = guarded_row(&gb, n, 1, &seed);
        float *got = guarded_row(&gc, n, 1, &seed), *want = aligned((size_t)n, sizeof *want);
        size_t bytes = (size_t)n * sizeof *got;

        k->rms_norm(got, a, b, n, 1e-5f);
        reference()->rms_norm(want, a, b, n, 1e-5f);
        assert_close(got, want, (size_t)n, ROW_CEILING);
        memcpy(got, a, bytes); /* in place */
        k->rms_norm(got, got, b, n, 1e-5f);
        assert_close(got, want, (size_t)n, ROW_CEILING);

        memcpy(got, a, bytes);
        memcpy(want, a, bytes);
        k->add(got, b, n);
        reference()->add(want, b, n);
        assert_memory_equal(got, want, bytes);

        memcpy(got, a, bytes);
        memcpy(want, a, bytes);
        k->add_scaled(got, b, -0.7f, n);
        reference()->add_scaled(want, b, -0.7f, n);
        for (int i = 0; i < n; i++)
            assert_true(fabsf(got[i] - want[i]) <= ROW_CEILING * (fabsf(a[i]) + fabsf(b[i])));

        memcpy(got, a, bytes);
        memcpy(want, a, bytes);
        k->silu_mul(got, b, n);
        reference()->silu_mul(want, b, n);
        assert_close(got, want, (size_t)n, ROW_CEILING);

        memcpy(got, a, bytes);
        memcpy(want, a, bytes);
        k->gelu_mul(got, b, n);
        reference()->gelu_mul(want, b, n);
        assert_close(got, want, (size_t)n, GELU_CEILING);

        memcpy(got, a, bytes);
        memcpy(want, a, bytes);
        k->softcap(got, n, 2.5f);
        reference()->softcap(want, n, 2.5f);
        assert_close(got, want, (size_t)n, ROW_CEILING);
        free(want);
        guard_free(ga);
        guard_free(gb);
        guard_free(gc);
    }
}

static void rows_match_reference(void **state)
{
    (void)state;
    for_each_level(check_rows);
}

static void check_silu_extremes(const struct kern *k)
{
    static const float gates[] = {0, -0.f, 1e-30f, 87, 88.9f, 104, 1e30f, -87, -88.5f, -103};
    enum { N = sizeof gates / sizeof *gates };
    float got[N], want[N], up[N];
    memcpy(got, gates, sizeof got);
    memcpy(want, gates, sizeof want);
    for (int i = 0; i < N; i++) up[i] = 1.5f;
    k->silu_mul(got, up, N);
    reference()->silu_mul(want, up, N);
    /* The quotient of a subnormal result has few bits left. */
    for (int i = 0; i < N; i++)
        assert_true(fabsf(got[i] - want[i]) <= 4e-7f * fabsf(want[i]) + 1e-36f);
    float poison[3] = {NAN, -1e30f, INFINITY};
    k->silu_mul(poison, up, 3);
    assert_true(isnan(poison[0]) && poison[1] == 0 && poison[2] == INFINITY);
}

static void silu_holds_at_extremes(void **state)
{
    (void)state;
    for_each_level(check_silu_extremes);
}

/* Known values, of gates so far out that nothing is left of them, and of what is no number. */
static void check_gelu_extremes(const struct kern *k)
{
    float got[] = {0, 1, -1, 3, -30, -1e30f, 1e30f, NAN, INFINITY};
    static const double want[] = {0, 0.8411919906, -0.1588080094, 2.9963626079, 0, 0, 1e30f};
    float up[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    k->gelu_mul(got, up, 9);
    for (int i = 0; i < 7; i++)
        assert_true(fabs((double)got[i] - want[i]) <= 4e-7 * fmax(1, fabs(want[i])));
    assert_true(isnan(got[7]) && got[8] == INFINITY);
}

static void gelu_holds_at_extremes(void **state)
{
    (void)state;
    check_gelu_extremes(reference());
    for_each_level(check_gelu_extremes);
}

/* Small values come through with all their bits, large ones end at the cap. */
static void check_softcap_extremes(const struct kern *k)
{
    float got[] = {0, 1e-20f, -1e-3f, 30, -1e30f, 1e30f, INFINITY, -INFINITY, NAN};
    static const double want[] = {0, 1e-20f, -1e-3f, 22.847824678, -30, 30, 30, -30};
    k->softcap(got, 9, 30);
    for (int i = 0; i < 8; i++)
        assert_true(fabs((double)got[i] - want[i]) <= ROW_CEILING * fabs(want[i]));
    assert_true(isnan(got[8]));
}

static void softcap_holds_at_extremes(void **state)
{
    (void)state;
    check_softcap_extremes(reference());
    for_each_level(check_softcap_extremes);
}

static void check_rope(const struct kern *k)
{
    uint64_t seed = 5;
    for (int half = 1; half < 40; half++)
        for (int interleaved = 0; interleaved < 2; interleaved++) {
            struct guard gx, gc, gs;
            int n = 2 * half + half % 3; /* some heads are longer than their rotation */
            float *x = guarded_row(&gx, n, 2, &seed), *want = aligned((size_t)n, sizeof *want);
            float *c = guarded_row(&gc, half, 1, &seed), *s = guarded_row(&gs, half, 1, &seed);
            for (int i = 0; i < half; i++) {
                float angle = c[i] * 3;
                c[i] = cosf(angle);
                s[i] = sinf(angle);
            }
            memcpy(want, x, (size_t)n * sizeof *x);
            reference()->rope(want, c, s, 2 * half, interleaved);
            k->rope(x, c, s, 2 * half, interleaved);
            for (int i = 0; i < n; i++)
                assert_true(fabs((double)x[i] - (double)want[i]) <= 10 * ROW_CEILING);
            for (int i = 2 * half; i < n; i++) assert_true(x[i] == want[i]);
            free(want);
            guard_free(gx);
            guard_free(gc);
            guard_free(gs);
        }
}

static void rope_matches_reference(void **state)
{
    (void)state;
    for_each_level(check_rope);
}

static void rope_turns_the_right_pairs(void **state)
{
    (void)state;
    float cos[2] = {0, 1}, sin[2] = {1, 0}; /* a quarter turn of the first pair */
    float a[5] = {1, 2, 3, 4, 5}, b[5] = {1, 2, 3, 4, 5};
    reference()->rope(a, cos, sin, 4, 1);
    reference()->rope(b, cos, sin, 4, 0);
    const float want_a[5] = {-2, 1, 3, 4, 5}, want_b[5] = {-3, 2, 1, 4, 5};
    assert_memory_equal(a, want_a, sizeof a);
    assert_memory_equal(b, want_b, sizeof b);
}

static void check_to_f16(const struct kern *k)
{
    static const float special[] = {
        0,        -0.f,        1,          65504,        65519.996f, 65520,    -1e30f,
        INFINITY, -INFINITY,   0x1p-14f,   0x1p-24f,     0x1p-25f,   0x3p-25f, 0x1.8p-25f,
        0x1p-26f, 1.00048828f, 1.0014648f, 0x1.ffep-15f, 6.1e-5f};
    enum { N = sizeof special / sizeof *special };
    uint64_t seed = 6;
    for (int n = 1; n < 50; n++) {
        struct guard g = guard_alloc((size_t)n * sizeof(uint16_t), GUARD_AFTER), gx;
        float *x = guarded_row(&gx, n, 1000, &seed);
        for (int i = 0; i < n; i++)
            if (i % 2) x[i] = special[(i + n) % N];
        uint16_t want[50];
        k->to_f16(g.data, x, n);
        reference()->to_f16(want, x, n);
        assert_memory_equal(g.data, want, (size_t)n * sizeof *want);
        guard_free(g);
        guard_free(gx);
    }
}

static void to_f16_is_exact(void **state)
{
    (void)state;
    for_each_level(check_to_f16);
}

/* Codes and scales of n elements, both between forbidden pages, equal the reference's. */
static void same_codes(const struct kern *k, const float *x, int n)
{
    const size_t scales = kern_cache_groups(n);
    int8_t want[100];
    uint16_t want_scale[4];
    struct guard code = guard_alloc((size_t)n, GUARD_AFTER);
    struct guard scale = guard_alloc(scales * sizeof(uint16_t), GUARD_AFTER);
    k->to_q8_0(code.data, scale.data, x, n);
    reference()->to_q8_0(want, want_scale, x, n);
    assert_memory_equal(code.data, want, (size_t)n);
    assert_memory_equal(scale.data, want_scale, scales * sizeof *want_scale);
    guard_free(code);
    guard_free(scale);
}

/* From magnitudes whose scales vanish or are subnormal halves to such as need one beyond them. */
static void check_to_q8_0(const struct kern *k)
{
    static const float special[] = {NAN, INFINITY, -INFINITY, -0.f, 8.3e6f, 8.4e6f, 1e-30f};
    enum { N = sizeof special / sizeof *special };
    uint64_t seed = 61;
    for (int n = 1; n <= 100; n++)
        for (float spread = 1e-8f; spread < 1e8f; spread *= 7) {
            struct guard g;
            float *x = guarded_row(&g, n, spread, &seed);
            same_codes(k, x, n);
            for (int i = 0; i < n; i++) x[i] = spread * (float)(i % 9 - 4) / 8; /* ties */
            same_codes(k, x, n);
            x[n / 2] = special[n % N];
            same_codes(k, x, n);
            guard_free(g);
        }
}

static void to_q8_0_is_exact(void **state)
{
    (void)state;
    for_each_level(check_to_q8_0);
}

/* The definition: an element is off by half a scale at most, the largest has code 127, and a group
 * that cannot be said in numbers is none, alone. */
static void to_q8_0_is_near(void **state)
{
    (void)state;
    enum { N = 75 };
    float x[N];
    int8_t code[N];
    uint16_t scale[3];
    uint64_t seed = 62;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < N; i++) x[i] = random_normal(&seed);
        reference()->to_q8_0(code, scale, x, N);
        for (int i = 0; i < N; i++) {
            const double d = (double)quant_f16_to_f32(scale[i / 32]);
            assert_true(fabs(d * code[i] - (double)x[i]) <= 0.5001 * d);
        }
        for (int from = 0; from < N; from += 32) {
            int most = 0;
            for (int i = from; i < N && i < from + 32; i++)
                most = abs(code[i]) > most ? abs(code[i]) : most;
            assert_int_equal(most, 127);
        }
    }
    x[40] = INFINITY;
    reference()->to_q8_0(code, scale, x, N);
    for (int i = 32; i < 64; i++) assert_int_equal(code[i], 0);
    assert_false(isnan(quant_f16_to_f32(scale[0])) || isnan(quant_f16_to_f32(scale[2])));
    assert_true(isnan(quant_f16_to_f32(scale[1])));
}

/* ---- statistics ------------------------------------------------------------------------------ */

/* By the definitions, in two passes and doubles. */
static struct kern_stats stats_plain(const float *l, int n)
{
    struct kern_stats st = {-INFINITY, -INFINITY, -1, 0, 0};
    double z = 0, h = 0;
    for (int i = 0; i < n; i++)
        if (st.argmax < 0 || l[i] > st.max) {
            st.max = l[i];
            st.argmax = i;
        }
    for (int i = 0; i < n; i++)
        if (i != st.argmax) st.second = fmaxf(st.second, l[i]);
    for (int i = 0; i < n; i++) z += exp((double)l[i] - (double)st.max);
    for (int i = 0; i < n; i++) {
        double p = exp((double)l[i] - (double)st.max) / z;
        if (p > 0) h -= p * log2(p);
    }
    st.log_sum_exp = (float)((double)st.max + log(z));
    st.entropy = (float)h;
    return st;
}

static void assert_stats(const struct kern *k, const float *l, int n)
{
    struct kern_stats got, want = stats_plain(l, n);
    k->stats(l, n, &got);
    assert_true(got.max == want.max && got.second == want.second);
    assert_int_equal(got.argmax, want.argmax);
    double scale = fmax(1, fabs((double)want.log_sum_exp));
    assert_true(fabs((double)got.log_sum_exp - (double)want.log_sum_exp) <= STATS_CEILING * scale);
    assert_true(fabs((double)got.entropy - (double)want.entropy) <= BITS_CEILING);
}

static void check_stats(const struct kern *k)
{
    uint64_t seed = 10;
    for (int n = 1; n < 3000; n += n < 70 ? 1 : 311) {
        struct guard g;
        float *l = guarded_row(&g, n, 5, &seed);
        assert_stats(k, l, n);
        guard_free(g);
    }
    for (float spread = 0.01f; spread < 20; spread *= 5) {
        struct guard g;
        float *l = guarded_row(&g, 151936, spread, &seed);
        assert_stats(k, l, 151936);
        for (int i = 0; i < 151936; i++)
            l[i] = (float)i * 1e-3f - 70; /* every block a new maximum */
        assert_stats(k, l, 151936);
        for (int i = 0; i < 151936; i++) l[i] = -2.5f; /* uniform: 17.2 bits */
        assert_stats(k, l, 151936);
        guard_free(g);
    }
}

static void stats_match_definition(void **state)
{
    (void)state;
    check_stats(reference());
    for_each_level(check_stats);
}

static void check_stats_edges(const struct kern *k)
{
    enum { N = 1100 };
    float l[N];
    struct kern_stats st;
    for (int i = 0; i < N; i++) l[i] = -INFINITY;
    l[700] = l[3] = l[1099] = 2; /* ties in different blocks: the lowest index, second == max */
    k->stats(l, N, &st);
    assert_true(st.max == 2 && st.second == 2 && st.argmax == 3);
    assert_true(fabs((double)st.entropy - log2(3)) < BITS_CEILING);
    l[1] = nextafterf(2, 0); /* all but the maximum */
    k->stats(l, N, &st);
    assert_true(st.argmax == 3);
    l[1] = l[3] = l[1099] = -INFINITY; /* one possible token */
    k->stats(l, N, &st);
    assert_true(st.argmax == 700 && st.second == -INFINITY && st.entropy == 0);
    assert_true(st.log_sum_exp == 2);
    k->stats(l + 700, 1, &st);
    assert_true(st.max == 2 && st.argmax == 0 && st.second == -INFINITY && st.entropy == 0);

    l[5] = NAN;
    k->stats(l, N, &st);
    assert_true(st.argmax == 700 && st.max == 2 && isnan(st.entropy) && isnan(st.log_sum_exp));
    l[5] = INFINITY;
    k->stats(l, N, &st);
    assert_true(st.argmax == 5 && st.max == INFINITY && st.second == 2 && isnan(st.entropy));
    for (int i = 0; i < N; i++) l[i] = NAN;
    k->stats(l, N, &st);
    assert_true(st.argmax == -1 && isnan(st.entropy) && isnan(st.log_sum_exp));
    l[1] = -INFINITY; /* a number, though an impossible token */
    k->stats(l, N, &st);
    assert_true(st.argmax == 1 && st.max == -INFINITY && isnan(st.entropy));
    l[0] = -1e38f; /* far apart: no overflow, no NaN */
    l[1] = 1e38f;
    k->stats(l, 2, &st);
    assert_true(st.argmax == 1 && st.second == -1e38f && st.entropy == 0);
}

static void stats_hold_at_edges(void **state)
{
    (void)state;
    check_stats_edges(reference());
    for_each_level(check_stats_edges);
}

/* ---- choosing -------------------------------------------------------------------------------- */

static void levels_have_names(void **state)
{
    (void)state;
    assert_int_equal(kern_level_parse("ref"), KERN_REF);
    assert_int_equal(kern_level_parse("avx2"), KERN_AVX2);
    assert_int_equal(kern_level_parse("avxvnni"), KERN_AVXVNNI);
    assert_int_equal(kern_level_parse("avx512"), KERN_AVX512);
    assert_int_equal(kern_level_parse("amx"), KERN_AMX);
    assert_int_equal(kern_level_parse("AVX2"), -1);
    assert_int_equal(kern_level_parse(""), -1);
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        const struct kern *k = kern_table((enum kern_level)level);
        if (!k) continue;
        assert_int_equal(k->level, level);
        assert_int_equal(kern_level_parse(k->name), level);
        assert_string_equal(kern_level_name((enum kern_level)level), k->name);
        assert_true(kern_best()->level >= k->level);
    }
    assert_non_null(reference());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_match_reference),   cmocka_unit_test(silu_holds_at_extremes),
        cmocka_unit_test(gelu_holds_at_extremes), cmocka_unit_test(softcap_holds_at_extremes),
        cmocka_unit_test(rope_matches_reference), cmocka_unit_test(rope_turns_the_right_pairs),
        cmocka_unit_test(to_f16_is_exact),        cmocka_unit_test(to_q8_0_is_exact),
        cmocka_unit_test(to_q8_0_is_near),        cmocka_unit_test(stats_match_definition),
        cmocka_unit_test(stats_hold_at_edges),    cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
