/* When drafts end, and who writes: every rule's decisions, by cases computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/policy/fit.h"
#include "decode/policy/risk.h"
#include "signals.h"

#include <math.h>
#include <string.h>

/* ---- lengths of drafts --------------------------------------------------------------------- */

static void test_fixed_lengths(void **state)
{
    struct policy p = policy_of(EAD_POLICY_SPECULATIVE, false);
    (void)state;
    expect(decide(&p, (ead_signals){.draft_max = 63}), EAD_SMALL, 0, 0);
    expect(decide(&p, draft_signals(7)), EAD_SMALL, 0, 0);
    assert_int_equal(decide(&p, draft_signals(7)).open, 7);
    expect(decide(&p, draft_signals(8)), EAD_LARGE, 0, 8);
    p.options.draft = 3;
    expect(decide(&p, draft_signals(3)), EAD_LARGE, 0, 3);
    ead_signals s = draft_signals(2);
    s.end = true;
    expect(decide(&p, s), EAD_LARGE, 0, 2);
    s.end = false;
    s.draft_max = 2;
    expect(decide(&p, s), EAD_LARGE, 0, 2);
    expect(decide(&p, large_signals(3, 1, 0.5f)), EAD_SMALL, 0, 0);
    p.options.kind = EAD_POLICY_BILD; /* as many as its source takes */
    p.options.draft = 0;
    expect(decide(&p, draft_signals(9)), EAD_SMALL, 0, 0);
    expect(decide(&p, draft_signals(10)), EAD_LARGE, 0, 10);
}

static double length_after(const struct policy *p, double length, int n, int kept)
{
    ead_signals s = large_signals(n, kept, 0.5f);
    s.memory[0] = length;
    return decide(p, s).memory[0];
}

static void test_heuristic_length(void **state)
{
    struct policy p = policy_of(EAD_POLICY_SPECULATIVE, false);
    (void)state;
    p.options.draft = EAD_DRAFT_HEURISTIC;
    assert_true(length_after(&p, 0, 20, 20) == 22); /* it begins with 20 */
    assert_true(length_after(&p, 5, 5, 5) == 7);
    assert_true(length_after(&p, 5, 5, 4) == 4);
    assert_true(length_after(&p, 5, 2, 2) == 7); /* of a text's end, too */
    assert_true(length_after(&p, 1, 1, 0) == 1);
    assert_true(length_after(&p, 5, 0, 0) == 5); /* nothing was judged */
    assert_true(length_after(&p, 62, 62, 62) == 63);
    ead_signals s = draft_signals(3);
    s.memory[0] = 4;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    assert_true(decide(&p, s).memory[0] == 4);
    s.drafts = 4;
    expect(decide(&p, s), EAD_LARGE, 0, 4);
}

/* llama.cpp: before a token that is not probable enough; too short a draft is dropped. */
static void test_least_probability(void **state)
{
    struct policy p = policy_of(EAD_POLICY_SPECULATIVE, false);
    ead_signals s = draft_signals(4);
    (void)state;
    p.options.draft_min_p = 0.5;
    s.stats.max_prob = 0.5f;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.stats.max_prob = 0.49f;
    expect(decide(&p, s), EAD_LARGE, 1, 3);
    p.options.draft_min = 3;
    expect(decide(&p, s), EAD_LARGE, 1, 3);
    p.options.draft_min = 4;
    expect(decide(&p, s), EAD_LARGE, 4, 0);
    p.drawn = true; /* what a draft came to may not decide whether it counts */
    expect(decide(&p, s), EAD_LARGE, 1, 3);
    s.drafts = 1;
    expect(decide(&p, s), EAD_LARGE, 1, 0);
}

static void test_confidence(void **state)
{
    struct policy p = policy_of(EAD_POLICY_SPECULATIVE, false);
    ead_signals s = draft_signals(2);
    (void)state;
    p.options.draft = EAD_DRAFT_CONFIDENCE;
    s.log_prob = logf(0.41f);
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.log_prob = logf(0.39f);
    expect(decide(&p, s), EAD_LARGE, 0, 2); /* behind it */
    s.log_prob = 0;
    s.drafts = 20;
    expect(decide(&p, s), EAD_LARGE, 0, 20);
    /* Kept at .95 each, refused at .6 each: from the first of both on the edge is .9, as it costs
     * nothing; and .8 and .65 cost the same, but are lower. */
    double memory[2] = {0};
    for (int i = 0; i < 6; i++) {
        ead_signals d = draft_signals(1);
        memcpy(d.memory, memory, sizeof memory);
        d.log_prob = logf(0.95f);
        memcpy(memory, decide(&p, d).memory, sizeof memory);
    }
    ead_signals large = large_signals(7, 6, 0.6f);
    memcpy(large.memory, memory, sizeof memory);
    const ead_decision after = decide(&p, large);
    assert_true(after.memory[0] == memory[0] && after.memory[1] > 0);
    large.judged.q = NAN; /* nobody knows */
    assert_true(decide(&p, large).memory[1] == 0);
    assert_true(memory[1] == 0); /* a draft was not refused, nor was one where all were kept */
    large.judged = (ead_judgement){.n = 6, .kept = 6};
    assert_true(decide(&p, large).memory[1] == 0);
    s = draft_signals(1);
    memcpy(s.memory, after.memory, sizeof s.memory);
    s.log_prob = logf(0.85f);
    expect(decide(&p, s), EAD_LARGE, 0, 1);
    s.log_prob = logf(0.91f);
    expect(decide(&p, s), EAD_SMALL, 0, 0);
}

static double count(double counts, double q, int times)
{
    for (int i = 0; i < times; i++) counts = fit_count(counts, q);
    return counts;
}

static void test_fitted_threshold(void **state)
{
    (void)state;
    assert_true(fit_threshold(0, 0, 0.4) == 0.4);
    assert_true(fit_threshold(count(0, 0.95, 9), 0, 0.4) == 0.4);
    assert_true(fit_threshold(count(0, 0.95, 4), count(0, 0.05, 1), 0.4) == 0.4);
    assert_true(fit_threshold(count(0, 0.95, 5), count(0, 0.05, 1), 0.4) == 0.9);
    /* kept: 2 at .3, 8 at .95; refused: 1 at .3, 1 at .95. At .9: 1/2 + 3 * .2 = 1.1; at .2: 1. */
    const double kept = count(count(0, 0.3, 2), 0.95, 8);
    assert_true(fit_threshold(kept, count(count(0, 0.3, 1), 0.95, 1), 0.4) == 0.2);
    /* 1 of the kept at .3 only: .5 + .3 = .8 */
    const double fewer = count(count(0, 0.3, 1), 0.95, 9);
    assert_true(fit_threshold(fewer, count(count(0, 0.3, 1), 0.95, 1), 0.4) == 0.9);
    /* A full bin halves all of its kind. */
    assert_true(count(0, 0.95, FIT_COUNT) == count(0, 0.95, FIT_COUNT / 2));
    assert_true(fit_count(0, 1) == fit_count(0, 0.9) && fit_count(0, 0.89) != fit_count(0, 0.9));
    assert_true(fit_threshold(NAN, -1, 0.4) == 0.4 && fit_threshold(1e300, INFINITY, 0.4) == 0.4);
}

static void test_survival(void **state)
{
    struct policy p = policy_of(EAD_POLICY_SPECULATIVE, false);
    ead_signals s = draft_signals(1);
    (void)state;
    p.options.draft = EAD_DRAFT_SURVIVAL;
    p.options.small_cost = 0.25;
    p.options.row_cost = 0.05;
    s.stats.max_prob = 0.5f;
    s.memory[0] = 0.1; /* of the draft before: not of this one */
    ead_decision d = decide(&p, s);
    expect(d, EAD_SMALL, 0, 0); /* .5 against .3 of one token per unit */
    assert_true(d.memory[0] == 0.5 && d.memory[1] == 1);
    s.drafts = 2;
    memcpy(s.memory, d.memory, sizeof s.memory);
    d = decide(&p, s);
    expect(d, EAD_LARGE, 0, 2); /* .25 */
    assert_true(d.memory[0] == 0.25);
    s.memory[1] = 1.3; /* the slower tokens come, the longer it is worth it: .25 * 1.3 > .3 */
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    /* 4 drafts of which 3 stand are 4 tokens in 1 + 4 * .3; 64 that cost 2 are remembered */
    ead_signals large = large_signals(4, 3, 0.5f);
    large.memory[1] = 2;
    d = decide(&p, large);
    assert_true(fabs(d.memory[1] - (64 * 2 + 2.2) / 68) < 1e-12 && d.memory[0] == 1);
    /* by a table of risk */
    static ead_risk table = {.n_classes = 1, .edges = {1}};
    for (int b = 1; b < EAD_RISK_BINS - 1; b++) table.edges[b] = 1 + (float)b;
    table.risk[0][0] = 0.2f;
    p.options.table = &table;
    s = draft_signals(1);
    assert_true(fabs(decide(&p, s).memory[0] - 0.8) < 1e-6);
}

/* ---- risk ---------------------------------------------------------------------------------- */

static void test_judge_by_entropy(void **state)
{
    struct policy p = policy_of(EAD_POLICY_JUDGE, false); /* .5 and .8 bits */
    ead_signals s = draft_signals(1);
    (void)state;
    s.stats.entropy = 0.49f;
    s.memory[0] = 7; /* of what was judged already */
    ead_decision d = decide(&p, s);
    expect(d, EAD_SMALL, 0, 0);
    assert_true(d.memory[0] == (double)0.49f && d.open == 1);
    s.stats.entropy = 0.5f;
    expect(decide(&p, s), EAD_LARGE, 0, 1);
    s = draft_signals(3);
    s.memory[0] = 0.5;
    s.stats.entropy = 0.25f;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.stats.entropy = 0.375f;
    expect(decide(&p, s), EAD_LARGE, 0, 3);
    s.stats.entropy = 0.3f; /* the sum itself is not above */
    p.options.risk_sum = 0.5 + (double)0.3f;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    expect(decide(&p, draft_signals(63)), EAD_SMALL, 0, 0);
    p.options.unjudged = 5;
    expect(decide(&p, draft_signals(4)), EAD_SMALL, 0, 0);
    expect(decide(&p, draft_signals(5)), EAD_LARGE, 0, 5);
    s = draft_signals(2);
    s.end = true;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    p.options.tail = true;
    expect(decide(&p, s), EAD_LARGE, 0, 2);
    p.options.risk = p.options.risk_sum = INFINITY;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    assert_int_equal(decide(&p, s).open, 0);
}

static void refuse_table(const ead_risk *t, const char *message)
{
    struct err err = {0};
    ead_policy_options o;
    policy_defaults(&o);
    o.table = t;
    for (int i = 0; i < 3; i++) {
        o.kind = (ead_policy_kind[]){EAD_POLICY_JUDGE, EAD_POLICY_SPECULATIVE, EAD_POLICY_EAD}[i];
        assert_int_equal(policy_check(&o, &err), ST_ARG);
        assert_string_equal(err.message, message);
    }
}

/* A table of a program's own, which no reader of a profile has seen. */
static void test_tables_are_checked(void **state)
{
    ead_risk good = {.n_classes = EAD_RISK_CLASSES}, t;
    ead_policy_options o;
    (void)state;
    for (int i = 0; i < EAD_RISK_CLASSES - 1; i++) good.ids[i] = 3 * i;
    for (int b = 0; b < EAD_RISK_BINS - 1; b++) good.edges[b] = (float)b;
    for (int b = 0; b < EAD_RISK_BINS; b++) good.risk[b][b] = 1;
    policy_defaults(&o);
    o.table = &good;
    assert_int_equal(policy_check(&o, NULL), ST_OK);
    t = good;
    t.n_classes = 0;
    refuse_table(&t, "table: n_classes: expected 1 to 64, found 0");
    t.n_classes = 65;
    refuse_table(&t, "table: n_classes: expected 1 to 64, found 65");
    t = good;
    t.ids[62] = t.ids[61];
    refuse_table(&t, "table: ids[62]: expected more than 183, found 183");
    t.n_classes = 1; /* then ids are not looked at */
    o.table = &t;
    assert_int_equal(policy_check(&o, NULL), ST_OK);
    t = good;
    t.edges[10] = 9;
    refuse_table(&t, "table: edges[10]: expected more than 9, found 9");
    t.edges[0] = NAN;
    refuse_table(&t, "table: edges[0]: expected a number, found NaN");
    t = good;
    t.risk[11][63] = 1.5f;
    refuse_table(&t, "table: risk[11][63]: expected 0 to 1, found 1.5");
    t.risk[0][0] = -0.5f;
    refuse_table(&t, "table: risk[0][0]: expected 0 to 1, found -0.5");
    t.risk[0][0] = NAN;
    o.table = &t;
    assert_int_equal(policy_check(&o, NULL), ST_ARG);
}

static void test_table_of_risk(void **state)
{
    ead_risk t = {.n_classes = 3, .ids = {4, 9}};
    (void)state;
    for (int b = 0; b < EAD_RISK_BINS - 1; b++) t.edges[b] = (float)b / 2;
    for (int b = 0; b < EAD_RISK_BINS; b++)
        for (int c = 0; c < 3; c++) t.risk[b][c] = (float)(10 * b + c);
    assert_true(risk_look_up(&t, 0, 4) == 10); /* an edge belongs to the bin above */
    assert_true(risk_look_up(&t, -1, 9) == 1);
    assert_true(risk_look_up(&t, 0.49f, 9) == 11);
    assert_true(risk_look_up(&t, 0.5f, 5) == 22);
    assert_true(risk_look_up(&t, 99, 12) == 112);
    t.n_classes = 1;
    assert_true(risk_look_up(&t, 99, 4) == 110);
    struct policy p = policy_of(EAD_POLICY_JUDGE, false);
    t.n_classes = 3;
    p.options.table = &t;
    p.options.risk = 11;
    p.options.risk_sum = 100;
    ead_signals s = draft_signals(1);
    s.id = 9;
    expect(decide(&p, s), EAD_LARGE, 0, 1);
    s.id = 4;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
}

/* ---- routing ------------------------------------------------------------------------------- */

static ead_signals written(ead_writer w, float entropy)
{
    ead_signals s = draft_signals(0);
    s.writer = w;
    s.stats.entropy = entropy;
    s.rolling = (double)entropy;
    return s;
}

static void test_rstitch(void **state)
{
    struct policy p = policy_of(EAD_POLICY_RSTITCH, false);
    (void)state;
    expect(decide(&p, (ead_signals){0}), EAD_SMALL, 0, 0);
    /* .03 * log2(1024) = .3 bits */
    expect(decide(&p, written(EAD_SMALL, 0.299f)), EAD_SMALL, 0, 0);
    expect(decide(&p, written(EAD_SMALL, 0.301f)), EAD_LARGE, 1, 0);
    expect(decide(&p, written(EAD_LARGE, 0.301f)), EAD_LARGE, 0, 0);
    expect(decide(&p, written(EAD_LARGE, 0.299f)), EAD_SMALL, 0, 0);
}

static void test_r2r(void **state)
{
    struct policy p = policy_of(EAD_POLICY_R2R, false);
    (void)state;
    expect(decide(&p, (ead_signals){0}), EAD_SMALL, 0, 0);
    /* .45 nats are .649 bits */
    expect(decide(&p, written(EAD_SMALL, 0.64f)), EAD_SMALL, 0, 0);
    expect(decide(&p, written(EAD_SMALL, 0.66f)), EAD_LARGE, 1, 0);
    expect(decide(&p, written(EAD_LARGE, 0.66f)), EAD_SMALL, 0, 0);
    ead_signals s = written(EAD_SMALL, 9);
    s.rolling = 0.1; /* the mean counts */
    expect(decide(&p, s), EAD_SMALL, 0, 0);
}

static void test_step(void **state)
{
    struct policy p = policy_of(EAD_POLICY_STEP, false);
    ead_signals s = written(EAD_SMALL, 0);
    (void)state;
    assert_int_equal(policy_asks(&p), POLICY_TOP);
    s.top_entropy = 1.45f;                  /* bits: 1.005 nats */
    expect(decide(&p, s), EAD_SMALL, 0, 0); /* within a step */
    s.memory[0] = 1;
    expect(decide(&p, s), EAD_LARGE, 1, 0);
    s.top_entropy = 1.44f;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.top_entropy = NAN;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.memory[0] = 0;
    s.index = 1; /* a text begins with a step */
    s.top_entropy = 1.45f;
    expect(decide(&p, s), EAD_LARGE, 1, 0);
    s.index = 20;
    s.line = true;
    assert_true(decide(&p, s).memory[0] == 0);
    s.blank = true;
    assert_true(decide(&p, s).memory[0] == 1);
    s.writer = EAD_LARGE;
    s.memory[0] = 1; /* what it writes stays, whatever the entropy */
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.memory[0] = 0;
    s.blank = false;
    expect(decide(&p, s), EAD_LARGE, 0, 0);
    p.options.step_end = EAD_STEP_LINE;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
}

/* ---- ead+ ---------------------------------------------------------------------------------- */

static void test_ead_plus_is_free(void **state)
{
    struct policy p = policy_of(EAD_POLICY_EAD_PLUS, false);
    ead_signals s = draft_signals(5);
    (void)state;
    s.rolling = 1; /* tau */
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    assert_int_equal(decide(&p, s).open, 5);
    s.rolling = 1.01;
    expect(decide(&p, s), EAD_LARGE, 0, 5);
    s.rolling = 0;
    s.end = true;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    p.options.tail = true;
    expect(decide(&p, s), EAD_LARGE, 0, 5);
    expect(decide(&p, draft_signals(63)), EAD_SMALL, 0, 0);
    p.options.unjudged = 63;
    expect(decide(&p, draft_signals(62)), EAD_SMALL, 0, 0);
    expect(decide(&p, draft_signals(63)), EAD_LARGE, 0, 63);
    p.options.slack = 0.5;
    const ead_opinion o = {.p = 0.25f, .max_p = 0.5f, .id = 1};
    assert_true(keeps(&p, o));
    p.options.slack = 0.4;
    assert_false(keeps(&p, o));
}

static double turn_after(const struct policy *p, double turn, int n, int kept, double rolling)
{
    ead_signals s = large_signals(n, kept, 0);
    s.memory[0] = turn;
    s.rolling = rolling;
    const ead_decision d = decide(p, s);
    expect(d, EAD_SMALL, 0, 0);
    return d.memory[0];
}

static void test_ead_plus_in_the_large_ones_turn(void **state)
{
    struct policy p = policy_of(EAD_POLICY_EAD_PLUS, false); /* 8 drafts must agree */
    (void)state;
    p.options.unjudged = 63;
    assert_true(turn_after(&p, 0, 5, 5, 0.1) == 1);  /* a hand-over, however calm it is now */
    assert_true(turn_after(&p, 0, 63, 63, 1) == 0);  /* many drafts are none, */
    assert_true(turn_after(&p, 0, 63, 9, 1.1) == 1); /* unless entropy is high */
    assert_true(turn_after(&p, 0, 0, 0, 9) == 0);
    assert_true(turn_after(&p, 1, 5, 5, 9) == 6);
    assert_true(turn_after(&p, 6, 2, 2, 9) == 8);
    assert_true(turn_after(&p, 6, 3, 3, 9) == 0); /* 5 and 3 in a row: free, whatever entropy is */
    assert_true(turn_after(&p, 6, 5, 4, 0) == 1);
    assert_true(turn_after(&p, 6, 0, 0, 0) == 6);
    ead_signals s = draft_signals(7);
    s.memory[0] = 3;
    s.rolling = 9;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    assert_true(decide(&p, s).memory[0] == 3);
    s.drafts = 8;
    expect(decide(&p, s), EAD_LARGE, 0, 8);
    /* Exactly. */
    const ead_opinion o = {.p = 0.5f, .max_p = 0.5f, .id = 1, .native = false};
    assert_int_equal(policy_judge_by(&p, &s, &o, 1), 0);
    s.memory[0] = 0;
    assert_int_equal(policy_judge_by(&p, &s, &o, 1), 1);
    assert_true(policy_ead_plus.weigh(&p, &o, 0.5, 0.125) == 0.375);
    const ead_opinion native = {.native = true};
    assert_true(policy_ead_plus.weigh(&p, &native, 0.5, 0.125) == 0.5);
}

/* ---- what is asked for and promised -------------------------------------------------------- */

static int sure(const struct policy *p, ead_signals s, ead_writer next)
{
    return policy_rule(p->options.kind)->sure(p, &s, next);
}

static void test_promises(void **state)
{
    struct policy p = policy_of(EAD_POLICY_SPECULATIVE, false);
    (void)state;
    assert_int_equal(sure(&p, draft_signals(0), EAD_SMALL), 8);
    assert_int_equal(sure(&p, draft_signals(6), EAD_SMALL), 2);
    assert_int_equal(sure(&p, draft_signals(8), EAD_LARGE), 1);
    p.options.draft_min_p = 0.1;
    assert_int_equal(sure(&p, draft_signals(0), EAD_SMALL), 1);
    p.options.draft_min_p = 0;
    p.options.draft = EAD_DRAFT_HEURISTIC;
    ead_signals s = large_signals(5, 5, 0);
    s.memory[0] = 5;
    assert_int_equal(sure(&p, s, EAD_SMALL), 7);
    s.draft_max = 3;
    assert_int_equal(sure(&p, s, EAD_SMALL), 3);
    p.options.draft = EAD_DRAFT_CONFIDENCE;
    assert_int_equal(sure(&p, s, EAD_SMALL), 1);
    p.options.draft = EAD_DRAFT_SURVIVAL;
    assert_int_equal(sure(&p, s, EAD_SMALL), 1);
    p = policy_of(EAD_POLICY_EAD_PLUS, false);
    assert_int_equal(sure(&p, draft_signals(2), EAD_SMALL), 1);
    s = draft_signals(2);
    s.memory[0] = 1;
    assert_int_equal(sure(&p, s, EAD_SMALL), 6);
    p = policy_of(EAD_POLICY_JUDGE, false);
    assert_int_equal(sure(&p, s, EAD_SMALL), 1);
    p.options.risk = p.options.risk_sum = INFINITY;
    assert_int_equal(sure(&p, s, EAD_SMALL), INT32_MAX);
    p = policy_of(EAD_POLICY_BILD, false);
    assert_int_equal(sure(&p, s, EAD_SMALL), 1);
}

static void test_what_cannot_be(void **state)
{
    struct err err = {0};
    ead_policy_options o;
    (void)state;
    policy_defaults(&o);
    for (o.kind = EAD_POLICY_SPECULATIVE; o.kind <= EAD_POLICY_STEP; o.kind++)
        assert_int_equal(policy_check(&o, NULL), ST_OK);
    o.kind = EAD_POLICY_EAD_PLUS; /* its memory is needed for its turns */
    o.draft = EAD_DRAFT_SURVIVAL;
    assert_int_equal(policy_check(&o, &err), ST_ARG);
    assert_string_equal(err.message,
                        "draft: policy ead+ expected a number from 0 to 63, found a rule");
}

/* ---- custom -------------------------------------------------------------------------------- */

static ead_decision any(void *context, const ead_signals *s)
{
    (void)context;
    return (ead_decision){.writer = s->writer};
}

static int second(void *context, const ead_opinion *opinions, int n)
{
    (void)opinions, (void)n;
    return *(const int *)context;
}

static double twice(void *context, const ead_opinion *refused, double p, double q)
{
    (void)context, (void)refused;
    return 2 * p + q;
}

static void test_custom_judges(void **state)
{
    struct policy p = policy_of(EAD_POLICY_CUSTOM, false);
    const ead_opinion o[3] = {{.native = true}, {.native = true}, {.native = false}};
    const ead_signals s = draft_signals(3);
    int answer = 1;
    (void)state;
    p.options.decide = any;
    assert_int_equal(policy_judge_by(&p, &s, o, 3), 2);
    assert_true(policy_custom.weigh(&p, &o[0], 0.5, 0.125) == 0.375);
    p.options.judge = second;
    assert_true(policy_custom.weigh(&p, &o[0], 0.5, 0.125) == 0); /* its own draw */
    p.options.weigh = twice;
    p.options.context = &answer;
    assert_int_equal(policy_judge_by(&p, &s, o, 3), 1);
    answer = 9; /* what is no answer is none */
    assert_int_equal(policy_judge_by(&p, &s, o, 3), 3);
    answer = -1;
    assert_int_equal(policy_judge_by(&p, &s, o, 3), 0);
    assert_true(policy_custom.weigh(&p, &o[0], 0.5, 0.25) == 1.25);
    assert_int_equal(policy_asks(&p), POLICY_TOP | POLICY_RANK | POLICY_TOP_LARGE | POLICY_BOTH);
    const float pp[] = {1, 0}, qq[] = {0.5f, 0.5f};
    p.options.divergence = EAD_DIVERGENCE_TV;
    assert_true(policy_custom.measure(&p, pp, qq, 2, 0) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_lengths),
        cmocka_unit_test(test_heuristic_length),
        cmocka_unit_test(test_least_probability),
        cmocka_unit_test(test_confidence),
        cmocka_unit_test(test_fitted_threshold),
        cmocka_unit_test(test_survival),
        cmocka_unit_test(test_judge_by_entropy),
        cmocka_unit_test(test_table_of_risk),
        cmocka_unit_test(test_tables_are_checked),
        cmocka_unit_test(test_rstitch),
        cmocka_unit_test(test_r2r),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_ead_plus_is_free),
        cmocka_unit_test(test_ead_plus_in_the_large_ones_turn),
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_custom_judges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
