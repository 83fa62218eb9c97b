/* Who writes the next token: the rule by tables, and by its definition over random traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decode/policy.h"
#include "decode/policy/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that a policy writes, and who is to write next. */
struct story {
    struct policy policy;
    struct text text;
    ead_writer writer;
};

static void decide(struct story *s)
{
    const ead_decision decision = policy_decide(&s->policy, &s->text);
    assert_int_equal(decision.take_back, 0);
    s->writer = decision.writer;
}

/* Behind one given token, so that the text is not empty. */
static void begin(struct story *s)
{
    const int32_t given = 3;
    s->text.n = 0;
    text_give(&s->text, &given, 1);
    decide(s);
}

static struct story story_open(const ead_policy_options *o, int room)
{
    struct story s = {.text.room = room + 1};
    s.text.ids = calloc((size_t)room + 1, sizeof *s.text.ids);
    s.text.marks = calloc((size_t)room + 1, sizeof *s.text.marks);
    s.policy.draft_max = EAD_DRAFT_MAX;
    policy_init(&s.policy, o);
    begin(&s);
    return s;
}

static void story_close(struct story *s)
{
    free(s->text.ids);
    free(s->text.marks);
}

/* The writer's token was drawn from a distribution of this entropy. Returns Hbar. */
static double observe(struct story *s, float entropy)
{
    text_write(&s->text, 7,
               &(struct mark){.author = (int8_t)s->writer, .stats = {.entropy = entropy}});
    decide(s);
    const ead_policy_options *o = &s->policy.options;
    return text_rolling(&s->text, s->text.n - 1, o->window, o->clear_window);
}

static ead_policy_options ead_rule(double tau, int window, int dwell)
{
    return (ead_policy_options){
        .kind = EAD_POLICY_EAD, .tau = tau, .window = window, .dwell = dwell, .share = 0.5};
}

/* ---- tables -------------------------------------------------------------------------------- */

enum { STEPS_MAX = 16 };

/* Writers as letters: token i is written by writers[i] with entropy entropies[i]. */
struct table {
    const char *what;
    ead_policy_options options;
    float entropies[STEPS_MAX];
    const char *writers;
};

static const struct table tables[] = {
    {"strictly above tau",
     {.tau = 1, .window = 1, .dwell = 1},
     {1.0f, 1.0f, 1.0001f, 1.0f, 0.9f, 2.0f, 0},
     "SSSLSSL"},
    {"equality hands back to the small one",
     {.tau = 2, .window = 1, .dwell = 1, .start = EAD_LARGE},
     {2.5f, 2.5f, 2.0f, 2.0f},
     "LLLS"},
    {"no switch before dwell tokens, from the first on",
     {.tau = 1, .window = 1, .dwell = 3},
     {9, 9, 9, 0, 0, 0, 9, 9, 9, 9},
     "SSSLLLSSSL"},
    {"a decision that was not yet allowed is not remembered",
     {.tau = 1, .window = 1, .dwell = 3},
     {9, 9, 0, 0, 9, 0},
     "SSSSSL"},
    {"fewer values than the window: the mean of what there is",
     {.tau = 1, .window = 4, .dwell = 1},
     {0.5f, 1.75f, 0.6f, 0.0f, 0.0f},
     "SSLSS"},
    {"the window is kept across a switch",
     {.tau = 1, .window = 3, .dwell = 1},
     {4, 0, 0, 0, 0},
     "SLLLS"},
    {"or cleared",
     {.tau = 1, .window = 3, .dwell = 1, .clear_window = true},
     {4, 0, 0, 0, 4, 1.5f, 0, 0.1f},
     "SLSSSLLS"},
    {"the large one may start",
     {.tau = 1, .window = 1, .dwell = 2, .start = EAD_LARGE},
     {0, 0, 0, 9, 9},
     "LLSSL"},
    {"the large model alone",
     {.kind = EAD_POLICY_LARGE, .tau = 1, .window = 1, .dwell = 1},
     {0, 0, 9, 0},
     "LLLL"},
    {"the small model alone, wherever it is to start",
     {.kind = EAD_POLICY_SMALL, .tau = 1, .window = 1, .dwell = 1, .start = EAD_LARGE},
     {9, 9, 0, 9},
     "SSSS"},
    {"infinite tau never asks the large one",
     {.tau = INFINITY, .window = 1, .dwell = 1},
     {100, 100, 100},
     "SSS"},
};

static void test_rule_by_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct table *t = &tables[i];
        char got[STEPS_MAX + 1] = "";
        struct err err = {0};
        if (policy_check(&t->options, &err) != ST_OK) fail_msg("%s: %s", t->what, err.message);
        struct story s = story_open(&t->options, STEPS_MAX);
        for (size_t k = 0; k < strlen(t->writers); k++) {
            got[k] = s.writer == EAD_LARGE ? 'L' : 'S';
            (void)observe(&s, t->entropies[k]);
        }
        story_close(&s);
        if (strcmp(got, t->writers) != 0)
            fail_msg("%s: expected %s, found %s", t->what, t->writers, got);
    }
}

static void test_rolling_mean(void **state)
{
    (void)state;
    const ead_policy_options o = ead_rule(1e9, 3, 1);
    static const float in[] = {1, 2, 6, 4, 5};
    static const double out[] = {1, 1.5, 3, 4, 5};
    struct story s = story_open(&o, 16);
    for (int i = 0; i < 5; i++) assert_true(observe(&s, in[i]) == out[i]);
    const int32_t given = 3;
    text_give(&s.text, &given, 1); /* what is written after another prompt begins anew */
    decide(&s);
    assert_true(observe(&s, 7) == 7);
    story_close(&s);
}

/* ---- the definition ------------------------------------------------------------------------ */

/* The writers of a trace by the rule as METHOD states it: at each token, look back over the whole
 * trace instead of keeping a state. */
static ead_writer defined_writer(const ead_policy_options *o, const float *h,
                                 const ead_writer *writers, int t)
{
    if (t == 0) return o->start;
    const ead_writer active = writers[t - 1];
    int c = 0, since = 0;
    while (c < t && writers[t - 1 - c] == active) c++;
    if (c < o->dwell) return active;
    if (o->clear_window) since = t - c;
    double sum = 0;
    int first = t - o->window > since ? t - o->window : since;
    for (int i = first; i < t; i++) sum += (double)h[i];
    return sum / (t - first) > o->tau ? EAD_LARGE : EAD_SMALL;
}

static void check_against_definition(const ead_policy_options *o, uint64_t seed)
{
    enum { N = 400 };
    float h[N];
    ead_writer writers[N];
    struct story s = story_open(o, N);
    for (int t = 0; t < N; t++) {
        writers[t] = s.writer;
        if (writers[t] != defined_writer(o, h, writers, t))
            fail_msg("tau %g, window %d, dwell %d: token %d", o->tau, o->window, o->dwell, t);
        /* multiples of 1/4, so that sums are exact and equality with tau happens */
        h[t] = (float)(rng_bits(&seed) % 9) / 4;
        (void)observe(&s, h[t]);
    }
    story_close(&s);
}

static void test_rule_equals_its_definition(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int i = 0; i < 400; i++) {
        ead_policy_options o = ead_rule((double)(rng_bits(&seed) % 9) / 4, 1 << rng_bits(&seed) % 5,
                                        1 + (int)(rng_bits(&seed) % 12));
        o.start = (ead_writer)(i % 2);
        o.clear_window = i % 3 == 0;
        check_against_definition(&o, seed);
    }
}

/* ---- random -------------------------------------------------------------------------------- */

struct turns {
    double share;
    int shortest; /* of all turns but the last */
};

static struct turns simulate(double share, int dwell, int n)
{
    ead_policy_options o = {.kind = EAD_POLICY_RANDOM, .share = share, .window = 1};
    o.dwell = dwell;
    o.seed = 12345;
    struct turns out = {.shortest = n};
    struct story s = story_open(&o, n);
    ead_writer last = s.writer;
    int64_t large = 0;
    for (int i = 0, run = 0; i < n; i++) {
        if (s.writer != last) {
            out.shortest = run < out.shortest ? run : out.shortest;
            run = 0;
        }
        last = s.writer;
        run++;
        large += s.writer == EAD_LARGE;
        (void)observe(&s, 1);
    }
    story_close(&s);
    out.share = (double)large / n;
    return out;
}

static void test_random_has_the_wanted_share_and_dwell(void **state)
{
    (void)state;
    static const double shares[] = {0.1, 0.25, 0.43, 0.5, 0.75, 0.9};
    static const int dwells[] = {1, 2, 10, 30};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        for (size_t k = 0; k < sizeof dwells / sizeof *dwells; k++) {
            struct turns t = simulate(shares[i], dwells[k], 1000000);
            if (fabs(t.share - shares[i]) > 0.02 || t.shortest < dwells[k])
                fail_msg("share %g, dwell %d: found %g and turns of %d", shares[i], dwells[k],
                         t.share, t.shortest);
        }
    assert_true(simulate(0, 5, 1000).share == 0);
    assert_true(simulate(1, 5, 1000).share ==
                1 - 5 / 1000.0); /* the small one has its first turn */
}

static void test_random_rate_solves_its_equation(void **state)
{
    (void)state;
    for (int dwell = 1; dwell <= 50; dwell += 7)
        for (double share = 0.05; share < 1; share += 0.05) {
            const ead_policy_options o = {.share = share, .dwell = dwell};
            double a = random_rate(&o);
            double small = dwell - 1 + 1 / a, large = dwell - 1 + 1 / (1 - a);
            assert_true(a > 0 && a < 1);
            assert_true(fabs(large / (large + small) - o.share) < 1e-9);
        }
    assert_true(random_rate(&(ead_policy_options){.share = 0, .dwell = 3}) == 0);
    assert_true(random_rate(&(ead_policy_options){.share = 1, .dwell = 3}) == 1);
}

/* Large tokens of many texts of n tokens each, as a share. */
static double simulate_texts(const ead_policy_options *options, int n, int texts)
{
    struct story s = story_open(options, n);
    int64_t large = 0;
    for (int i = 0; i < texts; i++) {
        s.policy.options.seed = (uint64_t)i; /* nothing is solved anew */
        begin(&s);
        for (int t = 0; t < n; t++) {
            large += s.writer == EAD_LARGE;
            (void)observe(&s, 1);
        }
    }
    story_close(&s);
    return (double)large / n / texts;
}

static void test_random_over_a_horizon(void **state)
{
    (void)state;
    static const double shares[] = {0.05, 0.2, 0.43, 0.7};
    static const int lengths[] = {40, 90, 400}, dwells[] = {1, 5, 10};
    for (size_t i = 0; i < 4 * 3 * 3; i++) {
        ead_policy_options o = {.kind = EAD_POLICY_RANDOM, .window = 1};
        const double share = shares[i / 9];
        const int n = lengths[i / 3 % 3];
        o.share = share;
        o.dwell = dwells[i % 3];
        o.horizon = n;
        const double found = simulate_texts(&o, n, 4000);
        if (fabs(found - share) > 0.006)
            fail_msg("share %g, dwell %d, %d tokens: found %g", share, o.dwell, n, found);
        o.start = EAD_LARGE; /* it has its first turn whatever is wanted */
        const double least = (double)o.dwell / n, started = simulate_texts(&o, n, 4000);
        if (fabs(started - (share > least ? share : least)) > 0.008)
            fail_msg("share %g, dwell %d, %d tokens, large first: found %g", share, o.dwell, n,
                     started);
    }
}

static void test_expected_share(void **state)
{
    (void)state;
    assert_true(random_expected_share(0.5, 5, 5, EAD_SMALL) == 0);
    assert_true(random_expected_share(0.5, 5, 5, EAD_LARGE) == 1);
    assert_true(random_expected_share(1, 20, 5, EAD_SMALL) == 0.75);
    assert_true(random_expected_share(0, 20, 5, EAD_LARGE) == 0.25);
    assert_true(fabs(random_expected_share(0.3, 2, 1, EAD_SMALL) - 0.15) < 1e-12);
    /* by hand: SSS SSL SLS SLL with dwell 1 */
    const double a = 0.3, by_hand = ((1 - a) * a + a * (1 - a) + 2 * a * a) / 3;
    assert_true(fabs(random_expected_share(a, 3, 1, EAD_SMALL) - by_hand) < 1e-12);
    /* the long run is the limit */
    const ead_policy_options o = {.share = 0.3, .dwell = 10};
    const double rate = random_rate(&o);
    assert_true(fabs(random_expected_share(rate, EAD_HORIZON_MAX, 10, EAD_SMALL) - 0.3) < 0.003);
}

static void test_random_is_its_seed(void **state)
{
    (void)state;
    ead_policy_options o = {.kind = EAD_POLICY_RANDOM, .share = 0.5, .window = 1, .dwell = 2};
    struct story a = story_open(&o, 1000), b = story_open(&o, 1000);
    o.seed = 1;
    struct story c = story_open(&o, 1000);
    int differ = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(a.writer, b.writer);
        differ += a.writer != c.writer;
        (void)observe(&a, 1);
        (void)observe(&b, 9); /* entropy must not matter */
        (void)observe(&c, 1);
    }
    story_close(&a);
    story_close(&b);
    story_close(&c);
    assert_in_range(differ, 300, 700);
}

/* ---- cutting back -------------------------------------------------------------------------- */

enum { CUT_TOKENS = 120 };

static void check_cuts(const ead_policy_options *o)
{
    struct story s = story_open(o, CUT_TOKENS);
    ead_writer writers[CUT_TOKENS];
    double rolling[CUT_TOKENS];
    float h[CUT_TOKENS];
    uint64_t seed = 11;
    for (int t = 0; t < CUT_TOKENS; t++) {
        h[t] = (float)(rng_bits(&seed) % 9) / 4;
        writers[t] = s.writer;
        rolling[t] = observe(&s, h[t]);
    }
    for (int keep = CUT_TOKENS; keep >= 0; keep--) {
        text_cut(&s.text, 1 + keep);
        decide(&s);
        for (int t = keep; t < CUT_TOKENS && t < keep + 20; t++) {
            assert_int_equal(s.writer, writers[t]);
            assert_true(observe(&s, h[t]) == rolling[t]);
        }
    }
    story_close(&s);
}

/* A text that was cut back is decided about as if it had never been longer. */
static void test_decisions_are_a_function_of_the_text(void **state)
{
    (void)state;
    static const ead_replay recording[] = {
        {.writer = 0}, {.writer = 0}, {.writer = 1}, {.writer = 0}, {.writer = 1},
        {.writer = 1}, {.writer = 1}, {.writer = 0}, {.writer = 0}, {.writer = 1}};
    for (int kind = 0; kind < EAD_POLICY_CUSTOM; kind++)
        for (int clear = 0; clear < 2; clear++) {
            ead_policy_options o = ead_rule(1, 4, 3);
            o.kind = (ead_policy_kind)kind;
            o.clear_window = clear;
            o.replay = recording;
            o.n_replay = sizeof recording / sizeof *recording;
            check_cuts(&o);
        }
}

/* ---- replay -------------------------------------------------------------------------------- */

static void test_replay_follows_the_recording(void **state)
{
    (void)state;
    static const ead_replay writers[] = {{.writer = 1}, {.writer = 0}, {.writer = 0},
                                         {.writer = 1}, {.writer = 1}, {.writer = 0},
                                         {.writer = 1}, {.writer = 0}};
    const size_t n = sizeof writers / sizeof *writers;
    const ead_policy_options o = {
        .kind = EAD_POLICY_REPLAY, .window = 5, .dwell = 10, .replay = writers, .n_replay = n};
    assert_int_equal(policy_check(&o, NULL), ST_OK);
    struct story s = story_open(&o, 2 * (int)n);
    for (size_t i = 0; i < 2 * n; i++) {
        assert_int_equal(s.writer, writers[i < n ? i : n - 1].writer ? EAD_LARGE : EAD_SMALL);
        (void)observe(&s, (float)i);
    }
    story_close(&s);
}

/* ---- options ------------------------------------------------------------------------------- */

static void refuse(ead_policy_options o, const char *message)
{
    struct err err = {0};
    assert_int_equal(policy_check(&o, &err), ST_ARG);
    if (!strstr(err.message, message)) fail_msg("expected \"%s\" in: %s", message, err.message);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    const ead_replay one = {.writer = 1};
    ead_policy_options o = ead_rule(1, 5, 10);
    assert_int_equal(policy_check(&o, NULL), ST_OK);
    o.window = POLICY_WINDOW_MAX;
    o.tau = -INFINITY;
    assert_int_equal(policy_check(&o, NULL), ST_OK);
    o.tau = NAN;
    refuse(o, "tau: expected a number, found NaN");
    refuse(ead_rule(1, 0, 10), "window: expected 1 to 1024, found 0");
    refuse(ead_rule(1, 1025, 10), "window: expected 1 to 1024, found 1025");
    refuse(ead_rule(1, 5, 0), "dwell: expected at least 1, found 0");
    refuse(ead_rule(1, 5, -7), "dwell: expected at least 1, found -7");
    o = ead_rule(1, 5, 10);
    o.start = (ead_writer)2;
    refuse(o, "start: expected a word from 0 to 1, found 2");
    o = ead_rule(1, 5, 10);
    o.kind = (ead_policy_kind)100;
    refuse(o, "policy: expected one of the kinds from 0 to ");
    o.kind = EAD_POLICY_CUSTOM;
    refuse(o, "policy custom: expected a function");
    o.kind = EAD_POLICY_RANDOM;
    o.share = 1.5f;
    refuse(o, "share: expected 0 to 1, found 1.5");
    o.share = NAN;
    refuse(o, "share");
    o.share = 1;
    o.horizon = -1;
    refuse(o, "horizon: expected 0 to 4096, found -1");
    o.horizon = 4097;
    refuse(o, "horizon");
    o.horizon = 4096;
    assert_int_equal(policy_check(&o, NULL), ST_OK);
    o.kind = EAD_POLICY_REPLAY;
    refuse(o, "replay");
    o.replay = &one;
    refuse(o, "replay");
    o.n_replay = 1;
    assert_int_equal(policy_check(&o, NULL), ST_OK);
}

/* ---- what is certain ------------------------------------------------------------------------ */

/* Who writes next writes as many tokens as policy_sure says, whatever their entropies. Returns the
 * tokens that were promised and came. */
static int keep_promises(const ead_policy_options *o, uint64_t *rng)
{
    enum { LENGTH = 200 };
    struct story s = story_open(o, LENGTH);
    int until = 0, promised = 0;
    ead_writer who = s.writer;
    for (int i = 0; i < LENGTH; i++) {
        const int sure = policy_sure(&s.policy, &s.text, s.writer);
        assert_true(sure >= 1);
        if (i < until) assert_int_equal(s.writer, who);
        promised += i < until;
        who = s.writer;
        until = sure < LENGTH ? i + sure : LENGTH;
        (void)observe(&s, (float)(rng_bits(rng) % 300) / 100);
    }
    story_close(&s);
    return promised;
}

static void test_what_is_certain_comes(void **state)
{
    (void)state;
    uint64_t rng = 5;
    ead_replay replay[60];
    for (int i = 0; i < 60; i++) replay[i] = (ead_replay){.writer = i / 7 % 3 == 1};
    for (int round = 0; round < 200; round++) {
        ead_policy_options o = ead_rule(1.4, 1 + round % 7, 1 + round % 12);
        o.start = round % 2 ? EAD_LARGE : EAD_SMALL;
        o.clear_window = round % 3;
        const int promised = keep_promises(&o, &rng);
        assert_true(o.dwell == 1 || promised > 0);
        o.kind = EAD_POLICY_RANDOM;
        o.seed = (uint64_t)round;
        keep_promises(&o, &rng);
        o.kind = round % 2 ? EAD_POLICY_LARGE : EAD_POLICY_SMALL;
        assert_int_equal(keep_promises(&o, &rng), 199);
        o.kind = EAD_POLICY_REPLAY;
        o.replay = replay;
        o.n_replay = 60 - (size_t)round % 40;
        assert_true(keep_promises(&o, &rng) > 150);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_certain_comes),
        cmocka_unit_test(test_rule_by_tables),
        cmocka_unit_test(test_rolling_mean),
        cmocka_unit_test(test_rule_equals_its_definition),
        cmocka_unit_test(test_random_has_the_wanted_share_and_dwell),
        cmocka_unit_test(test_random_rate_solves_its_equation),
        cmocka_unit_test(test_random_over_a_horizon),
        cmocka_unit_test(test_expected_share),
        cmocka_unit_test(test_random_is_its_seed),
        cmocka_unit_test(test_decisions_are_a_function_of_the_text),
        cmocka_unit_test(test_replay_follows_the_recording),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
