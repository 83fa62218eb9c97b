/* Choosing tokens: greedy, and which tokens may be drawn, how often, against brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decode/sampler.h"
#include "decode/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { V_MAX = 300 };

static ead_sampler_options defaults(void)
{
    return (ead_sampler_options){
        .temperature = 1, .top_p = 1, .repeat_penalty = 1, .repeat_last = 64};
}

static void open_sampler(struct sampler *s, struct candidate *scratch, const ead_sampler_options *o,
                         int n_vocab)
{
    struct err err = {0};
    if (sampler_check(o, &err) != ST_OK) fail_msg("%s", err.message);
    assert_in_range(n_vocab, 1, V_MAX);
    sampler_init(s, o, scratch, n_vocab);
}

static int32_t choose(const struct sampler *s, const float *logits, const int32_t *text,
                      size_t n_text)
{
    struct distribution d;
    assert_true(distribution_dense(&d, kern_table(KERN_REF), logits, s->n_vocab));
    return sampler_choose(s, &d, text, n_text, 0);
}

/* Draw at n positions from the same logits and count. */
static void count_draws(const ead_sampler_options *o, const float *logits, int n_vocab, int n,
                        int *counts)
{
    struct candidate scratch[V_MAX];
    struct sampler s;
    open_sampler(&s, scratch, o, n_vocab);
    memset(counts, 0, (size_t)n_vocab * sizeof *counts);
    for (int i = 0; i < n; i++) {
        int32_t id = choose(&s, logits, NULL, (size_t)i);
        assert_in_range(id, 0, n_vocab - 1);
        counts[id]++;
    }
}

static void random_logits(float *logits, int n, float spread, uint64_t *rng)
{
    for (int i = 0; i < n; i++) logits[i] = spread * (float)(2 * rng_unit(rng) - 1);
}

/* ---- greedy -------------------------------------------------------------------------------- */

static int32_t choose_once(const ead_sampler_options *o, const float *logits, int n_vocab,
                           const int32_t *text, size_t n_text)
{
    struct candidate scratch[V_MAX];
    struct sampler s;
    open_sampler(&s, scratch, o, n_vocab);
    return choose(&s, logits, text, n_text);
}

static void test_greedy_takes_the_lowest_of_equals(void **state)
{
    (void)state;
    ead_sampler_options o = defaults();
    o.temperature = 0;
    o.top_k = 2; /* without meaning when greedy */
    const float ties[] = {0, 3, 1, 3, 3}, none[] = {-INFINITY, -5, -INFINITY, -5};
    assert_int_equal(choose_once(&o, ties, 5, NULL, 0), 1);
    assert_int_equal(choose_once(&o, none, 4, NULL, 0), 1);
    assert_int_equal(choose_once(&o, ties, 1, NULL, 0), 0);
}

static void test_penalty(void **state)
{
    (void)state;
    ead_sampler_options o = defaults();
    const float logits[] = {4, 3.9f, -1, -0.6f};
    const int32_t once[] = {0}, often[] = {0, 0, 0}, old[] = {0, 2, 2}, alien[] = {9, 0};
    o.temperature = 0;
    o.repeat_penalty = 2;
    assert_int_equal(choose_once(&o, logits, 4, NULL, 0), 0);
    assert_int_equal(choose_once(&o, logits, 4, once, 1), 1);
    assert_int_equal(choose_once(&o, logits, 4, alien, 2),
                     1); /* beyond the vocabulary: no matter */
    o.repeat_last = 2;
    assert_int_equal(choose_once(&o, logits, 4, old, 3), 0);
    o.repeat_last = 0;
    assert_int_equal(choose_once(&o, logits, 4, once, 1), 0);

    /* once, however often it stands there: 4 / 1.5 = 2.67 stays above 2 */
    const float close[] = {4, 2};
    o.repeat_last = 64;
    o.repeat_penalty = 1.5f;
    assert_int_equal(choose_once(&o, close, 2, often, 3), 0);

    /* negative logits are multiplied, so that they lose as well */
    const float negative[] = {-1, -1.5f};
    o.repeat_penalty = 2;
    assert_int_equal(choose_once(&o, negative, 2, once, 1), 1);

    /* below 1 it rewards */
    o.repeat_penalty = 0.5f;
    const int32_t third[] = {1};
    assert_int_equal(choose_once(&o, logits, 4, third, 1), 1);
}

/* ---- sets ---------------------------------------------------------------------------------- */

/* Is candidate a before b: more probable, or as probable and lower in number? */
static bool before(const float *logits, int a, int b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* By definition: a token survives top-k if fewer than k are before it; top-p if the survivors
 * before it hold less than p of the survivors' probability; min-p if it has at least that part of
 * the most probable one's. */
static void survivors(const ead_sampler_options *o, const float *logits, int n, bool *in)
{
    double total = 0, top = -INFINITY;
    bool k_in[V_MAX];
    for (int i = 0; i < n; i++) {
        int rank = 0;
        for (int j = 0; j < n; j++) rank += before(logits, j, i);
        k_in[i] = !o->top_k || rank < o->top_k;
        top = fmax(top, (double)logits[i]);
    }
    for (int i = 0; i < n; i++) total += k_in[i] ? exp((double)logits[i] - top) : 0;
    for (int i = 0; i < n; i++) {
        double ahead = 0;
        for (int j = 0; j < n; j++)
            if (k_in[j] && before(logits, j, i)) ahead += exp((double)logits[j] - top);
        in[i] = k_in[i] && (o->top_p >= 1 || ahead < (double)o->top_p * total);
        in[i] &= exp((double)logits[i] - top) >= (double)o->min_p;
    }
}

/* Draw at a temperature so high that all survivors are as good as equal: each must appear. */
static void check_set(ead_sampler_options o, const float *logits, int n)
{
    bool in[V_MAX];
    int counts[V_MAX], alive = 0;
    survivors(&o, logits, n, in);
    for (int i = 0; i < n; i++) alive += in[i];
    o.temperature = 1e5f;
    count_draws(&o, logits, n, alive * 30, counts);
    for (int i = 0; i < n; i++)
        if ((counts[i] > 0) != in[i])
            fail_msg("top-k %d, top-p %g, min-p %g: token %d of %d was drawn %d times, %s expected",
                     o.top_k, (double)o.top_p, (double)o.min_p, i, n, counts[i],
                     in[i] ? "some" : "none");
}

static void test_sets_are_those_of_brute_force(void **state)
{
    (void)state;
    static const int top_k[] = {0, 1, 2, 7, 40, 1000};
    static const float top_p[] = {1, 0.99f, 0.9f, 0.5f, 0.1f, 1e-6f};
    static const float min_p[] = {0, 0.01f, 0.1f, 0.7f, 1};
    uint64_t rng = 21;
    for (int i = 0; i < 150; i++) {
        float logits[V_MAX];
        int n = 1 + (int)(rng_bits(&rng) % 60);
        random_logits(logits, n, i % 2 ? 2 : 12, &rng);
        /* ties, so that the order by id matters */
        for (int k = 0; k < n && i % 3 == 0; k++) logits[k] = rintf(logits[k]);
        ead_sampler_options o = defaults();
        o.seed = (uint64_t)i;
        o.top_k = top_k[rng_bits(&rng) % 6];
        o.top_p = top_p[rng_bits(&rng) % 6];
        o.min_p = min_p[rng_bits(&rng) % 5];
        check_set(o, logits, n);
    }
}

static void test_impossible_tokens_are_not_drawn(void **state)
{
    (void)state;
    const float logits[] = {-INFINITY, 1, -INFINITY, 0, -INFINITY};
    int counts[5];
    ead_sampler_options o = defaults();
    count_draws(&o, logits, 5, 2000, counts);
    assert_int_equal(counts[0] + counts[2] + counts[4], 0);
    assert_true(counts[3] > 0);
}

/* ---- frequencies --------------------------------------------------------------------------- */

static void check_frequencies(float temperature, uint64_t seed)
{
    enum { N = 12, DRAWS = 40000 };
    float logits[N];
    int counts[N];
    double p[N], total = 0, chi = 0;
    uint64_t rng = seed;
    ead_sampler_options o = defaults();
    o.temperature = temperature;
    o.seed = seed;
    random_logits(logits, N, 1.5f, &rng);
    count_draws(&o, logits, N, DRAWS, counts);
    for (int i = 0; i < N; i++) total += p[i] = exp((double)logits[i] / (double)temperature);
    for (int i = 0; i < N; i++) {
        double expected = DRAWS * p[i] / total;
        chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    /* 11 degrees of freedom: above 40 once in 30,000 seeds, and these are fixed */
    if (chi > 40)
        fail_msg("temperature %g, seed %d: chi-square %g", (double)temperature, (int)seed, chi);
}

static void test_frequencies_follow_the_temperature(void **state)
{
    (void)state;
    static const float temperatures[] = {0.7f, 1, 2.5f};
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (int i = 0; i < 3; i++) check_frequencies(temperatures[i], seed);
}

static void test_cold_and_hot(void **state)
{
    (void)state;
    const float logits[] = {1, 1.01f, 0.5f};
    int counts[3];
    ead_sampler_options o = defaults();
    o.temperature = 1e-4f;
    count_draws(&o, logits, 3, 1000, counts);
    assert_int_equal(counts[1], 1000);
    o.temperature = 1e-42f; /* its inverse is no float */
    count_draws(&o, logits, 3, 1000, counts);
    assert_int_equal(counts[1], 1000);
    o.temperature = 9e5f;
    count_draws(&o, logits, 3, 3000, counts);
    for (int i = 0; i < 3; i++) assert_in_range(counts[i], 900, 1100);
}

static void test_seeds(void **state)
{
    (void)state;
    enum { N = 200 };
    float logits[50];
    uint64_t rng = 3;
    random_logits(logits, 50, 1, &rng);
    struct candidate scratch[V_MAX]; /* one for all */
    struct sampler s[3];
    int differ = 0;
    for (int i = 0; i < 3; i++) {
        ead_sampler_options o = defaults();
        o.seed = i < 2 ? 77 : 78;
        open_sampler(&s[i], scratch, &o, 50);
    }
    for (int i = 0; i < N; i++) {
        int32_t a = choose(&s[0], logits, NULL, (size_t)i);
        assert_int_equal(choose(&s[1], logits, NULL, (size_t)i), a);
        differ += choose(&s[2], logits, NULL, (size_t)i) != a;
    }
    assert_true(differ > N / 2);
}

/* A distribution of which only the most probable tokens are known: among them the same is chosen.
 */
static void test_the_most_probable_are_enough(void **state)
{
    (void)state;
    enum { N = 40, KNOWN = 8 };
    uint64_t rng = 5;
    for (int round = 0; round < 200; round++) {
        float logits[N];
        struct candidate scratch[V_MAX], best[KNOWN];
        struct sampler s;
        struct distribution dense, top;
        const int32_t text[] = {3, 9, 9, 20};
        ead_sampler_options o = defaults();
        random_logits(logits, N, 4, &rng);
        o.seed = (uint64_t)round;
        o.temperature = round % 3 ? 0.8f : 0;
        o.top_k = 1 + round % KNOWN;
        o.top_p = 0.9999f; /* sorts, so that a number drawn means the same token */
        assert_true(distribution_dense(&dense, kern_table(KERN_REF), logits, N));
        assert_int_equal(distribution_best(&dense, KNOWN, best), KNOWN);
        assert_true(distribution_top(&top, best, KNOWN, N));
        open_sampler(&s, scratch, &o, N);
        assert_int_equal(sampler_choose(&s, &dense, text, 4, 0),
                         sampler_choose(&s, &top, text, 4, 0));
    }
}

/* ---- changed logits ------------------------------------------------------------------------ */

/* The logits that a sampler without these options would have to be given, by definition. */
static void changed(const ead_sampler_options *o, const float *logits, int n, const int32_t *text,
                    size_t n_text, size_t n_written, float *out)
{
    for (int i = 0; i < n; i++) {
        int times = 0;
        bool recent = false;
        out[i] = logits[i];
        for (int b = 0; b < o->n_bias; b++)
            if (o->bias[b].id == i)
                out[i] = o->bias[b].bias <= -100 ? -INFINITY : out[i] + o->bias[b].bias;
        for (size_t k = 0; k < n_text; k++) {
            recent |= text[k] == i;
            times += text[k] == i && k >= n_text - n_written;
        }
        if (recent && out[i] > 0)
            out[i] /= o->repeat_penalty;
        else if (recent)
            out[i] *= o->repeat_penalty;
        if (times)
            out[i] = (float)((double)out[i] -
                             ((double)o->presence_penalty + times * (double)o->frequency_penalty));
    }
}

/* What is chosen is what a plain sampler chooses from changed logits: greedily and at random, of
 * all logits and of a few; with all of them known, what is told is the unchanged distribution's. */
static void test_logits_are_changed_as_defined(void **state)
{
    (void)state;
    enum { N = 30, TEXT = 40 };
    uint64_t rng = 11;
    int moved = 0;
    for (int round = 0; round < 3000; round++) {
        float logits[N], expected[N];
        int32_t text[TEXT];
        struct candidate scratch[V_MAX], best[N];
        struct sampler s, plain;
        struct distribution dense, top, after;
        const size_t n_text = rng_bits(&rng) % (TEXT + 1),
                     n_written = rng_bits(&rng) % (n_text + 1);
        const ead_bias bias[] = {{(int32_t)(rng_bits(&rng) % N), 3},
                                 {(int32_t)(rng_bits(&rng) % N), -100},
                                 {(int32_t)(rng_bits(&rng) % N), -2.5f},
                                 {N, 50},
                                 {-1, 50},
                                 {INT32_MAX, 50}};
        ead_sampler_options o = defaults();
        random_logits(logits, N, 3, &rng);
        for (size_t i = 0; i < n_text; i++) text[i] = (int32_t)(rng_bits(&rng) % N);
        o.seed = (uint64_t)round;
        o.temperature = round % 3 ? 0.9f : 0;
        o.top_p = 0.99f; /* sorts, so that a number drawn means the same token */
        o.top_k = round % 4 ? 0 : 5;
        open_sampler(&plain, scratch, &o, N);
        o.presence_penalty = round % 2 ? 0.7f : 0;
        o.frequency_penalty = 0.5f * (float)(round % 4 - 2);
        o.repeat_penalty = round % 7 ? 1 : 1.3f;
        const int skip = round / 4 % 2; /* half of them have none that raises, if they are few */
        o.bias = bias + skip;
        o.n_bias = (int)(rng_bits(&rng) % (uint64_t)(7 - skip));
        open_sampler(&s, scratch, &o, N);
        changed(&o, logits, N, text, n_text, n_written, expected);
        assert_true(distribution_dense(&dense, kern_table(KERN_REF), logits, N));
        assert_true(distribution_dense(&after, kern_table(KERN_REF), expected, N));
        const int32_t wanted = sampler_choose(&plain, &after, text, n_text, 0);
        assert_int_equal(sampler_choose(&s, &dense, text, n_text, n_written), wanted);
        moved += wanted != sampler_choose(&plain, &dense, text, n_text, 0);
        /* With ids out of order; a repeat penalty takes the sign of log-probabilities, though. */
        assert_int_equal(distribution_best(&dense, N, best), N);
        assert_true(distribution_top(&top, best, N, N));
        if (o.repeat_penalty == 1)
            assert_int_equal(sampler_choose(&s, &top, text, n_text, n_written), wanted);
    }
    assert_true(moved > 500);
}

static void test_forbidden_tokens_are_never_chosen(void **state)
{
    (void)state;
    const float logits[] = {5, 1, -INFINITY, 2};
    const ead_bias bias[] = {{0, -100}, {3, -1e30f}, {1, -INFINITY}, {0, 1e6f}};
    struct candidate scratch[V_MAX];
    struct distribution d, top;
    struct sampler s;
    ead_sampler_options o = defaults();
    assert_true(distribution_dense(&d, kern_table(KERN_REF), logits, 4));
    const struct candidate known[] = {{-0.1f, 0}, {-3, 3}};
    assert_true(distribution_top(&top, known, 2, 4));
    o.bias = bias;
    for (o.temperature = 0; o.temperature < 3; o.temperature += 1.5f)
        for (size_t i = 0; i < 100; i++) {
            o.n_bias = 2;
            open_sampler(&s, scratch, &o, 4);
            assert_int_equal(sampler_choose(&s, &d, NULL, i, 0), 1);
            assert_int_equal(sampler_choose(&s, &top, NULL, i, 0), SAMPLER_FORBIDDEN);
            o.n_bias = 4; /* what is left was impossible before */
            open_sampler(&s, scratch, &o, 4);
            assert_int_equal(sampler_choose(&s, &d, NULL, i, 0), SAMPLER_FORBIDDEN);
        }
}

/* Only what was written counts, each time; what was given does not. */
static void test_only_written_tokens_are_penalised(void **state)
{
    (void)state;
    const float logits[] = {4, 3, 0};
    const int32_t text[] = {0, 0, 0, 1, 0, 0};
    struct candidate scratch[V_MAX];
    struct distribution d;
    struct sampler s;
    ead_sampler_options o = defaults();
    assert_true(distribution_dense(&d, kern_table(KERN_REF), logits, 3));
    o.temperature = 0;
    o.frequency_penalty = 0.6f;
    open_sampler(&s, scratch, &o, 3);
    assert_int_equal(sampler_choose(&s, &d, text, 3, 0), 0);
    assert_int_equal(sampler_choose(&s, &d, text, 5, 2), 0); /* 3.4 against 2.4 */
    assert_int_equal(sampler_choose(&s, &d, text, 3, 2), 1); /* 2.8 against 3 */
    o.frequency_penalty = 0;
    o.presence_penalty = 0.9f;
    open_sampler(&s, scratch, &o, 3);
    assert_int_equal(sampler_choose(&s, &d, text, 3, 3), 0); /* 3.1 against 3: once */
}

/* Who draws what tells nobody anything of the policy's draws, even with one seed. */
static void test_streams_are_independent(void **state)
{
    (void)state;
    enum { N = 100000 };
    double xy = 0, x = 0, y = 0;
    for (int i = 0; i < N; i++) {
        const double a = rng_at(9, STREAM_TOKEN, (uint64_t)i),
                     b = rng_at(9, STREAM_POLICY, (uint64_t)i);
        x += a;
        y += b;
        xy += (a - 0.5) * (b - 0.5);
    }
    assert_true(fabs(x / N - 0.5) < 0.005 && fabs(y / N - 0.5) < 0.005);
    assert_true(fabs(12 * xy / N) < 0.015); /* four standard deviations of a correlation of 0 */
}

/* ---- options ------------------------------------------------------------------------------- */

static void refuse(ead_sampler_options o, const char *message)
{
    struct err err = {0};
    assert_int_equal(sampler_check(&o, &err), ST_ARG);
    if (!strstr(err.message, message)) fail_msg("expected \"%s\" in: %s", message, err.message);
}

#define REFUSE(field, value, message)                                                              \
    do {                                                                                           \
        ead_sampler_options o_ = defaults();                                                       \
        o_.field = value;                                                                          \
        refuse(o_, message);                                                                       \
    } while (0)

static void test_options_are_checked(void **state)
{
    (void)state;
    REFUSE(temperature, -0.1f, "temperature: expected 0 or more, found -0.1");
    REFUSE(temperature, NAN, "temperature");
    REFUSE(temperature, INFINITY, "temperature");
    REFUSE(top_k, -1, "top-k: expected 0 or more, found -1");
    REFUSE(top_p, 0, "top-p: expected above 0 and at most 1, found 0");
    REFUSE(top_p, 1.5f, "top-p");
    REFUSE(top_p, NAN, "top-p");
    REFUSE(min_p, -1, "min-p: expected 0 to 1, found -1");
    REFUSE(min_p, 1.01f, "min-p");
    REFUSE(repeat_penalty, 0, "repeat-penalty: expected above 0, found 0");
    REFUSE(repeat_penalty, NAN, "repeat-penalty");
    REFUSE(repeat_last, -1, "repeat-last: expected 0 to 2048, found -1");
    REFUSE(repeat_last, 2049, "repeat-last");
    REFUSE(presence_penalty, NAN, "presence-penalty: expected -1e6 to 1e6, found");
    REFUSE(presence_penalty, INFINITY, "presence-penalty");
    REFUSE(frequency_penalty, -2e6f, "frequency-penalty: expected -1e6 to 1e6, found -2e+06");
    REFUSE(n_bias, -1, "bias: expected 0 or more");
    REFUSE(n_bias, 2, "found 2 and no place");
    const ead_bias good[] = {{0, -INFINITY}, {-5, 1e6f}}, bad[] = {{0, 1}, {7, NAN}, {8, INFINITY}};
    ead_sampler_options o = defaults();
    o.bias = good;
    o.n_bias = 2;
    assert_int_equal(sampler_check(&o, NULL), ST_OK);
    o.bias = bad;
    refuse(o, "bias of token 7: expected at most 1e6, found");
    o.bias = bad + 2;
    o.n_bias = 1;
    refuse(o, "bias of token 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greedy_takes_the_lowest_of_equals),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_sets_are_those_of_brute_force),
        cmocka_unit_test(test_impossible_tokens_are_not_drawn),
        cmocka_unit_test(test_frequencies_follow_the_temperature),
        cmocka_unit_test(test_cold_and_hot),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_the_most_probable_are_enough),
        cmocka_unit_test(test_logits_are_changed_as_defined),
        cmocka_unit_test(test_forbidden_tokens_are_never_chosen),
        cmocka_unit_test(test_only_written_tokens_are_penalised),
        cmocka_unit_test(test_streams_are_independent),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
