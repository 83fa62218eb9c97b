/* Which draft is refused: every rule's formula, by cases computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/policy/divergence.h"
#include "signals.h"

#include <math.h>
#include <string.h>

/* ---- acceptance ---------------------------------------------------------------------------- */

static void test_typical(void **state)
{
    struct policy p = policy_of(EAD_POLICY_TYPICAL, true);
    (void)state;
    /* .09 < .3 exp(-H) up to H = 1.204 nats = 1.737 bits */
    assert_true(keeps(&p, (ead_opinion){.p = 0.091f, .entropy_p = 1.7f}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.089f, .entropy_p = 1.7f}));
    /* .3 exp(-2 ln 2) = .075 */
    assert_true(keeps(&p, (ead_opinion){.p = 0.0751f, .entropy_p = 2}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.0749f, .entropy_p = 2}));
    p.drawn = false;
    assert_true(keeps(&p, (ead_opinion){.p = 0.091f, .id = 1, .argmax = 2}));
    p.options.posterior = 0;
    assert_false(keeps(&p, (ead_opinion){.p = 0.091f, .id = 1, .argmax = 2}));
    assert_true(keeps(&p, (ead_opinion){.p = 0.01f, .id = 2, .argmax = 2}));
    assert_int_equal(policy_asks(&p), 0);
}

/* At temperature 1/2, (.6, .3, .1) is (.36, .09, .01) / .46. */
static void test_typical_at_a_temperature(void **state)
{
    struct policy p = policy_of(EAD_POLICY_TYPICAL, false);
    const float pp[] = {0.6f, 0.3f, 0.1f, 0}, qq[4] = {0};
    const double at[] = {0.36 / 0.46, 0.09 / 0.46, 0.01 / 0.46};
    double entropy = 0;
    (void)state;
    for (int i = 0; i < 3; i++) entropy -= at[i] * log(at[i]);
    p.options.posterior = 0.5;
    p.options.epsilon = 1;
    p.options.delta = 0.4;
    const double threshold = 0.4 * exp(-entropy); /* .215, between .196 and .783 */
    const double found = policy_typical.measure(&p, pp, qq, 4, 0);
    assert_true(fabs(found - sqrt(threshold * 0.46)) < 1e-6);
    assert_true(keeps(&p, (ead_opinion){.p = 0.6f, .measure = (float)found}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.3f, .measure = (float)found}));
    assert_int_equal(policy_asks(&p), POLICY_BOTH);
    p.options.posterior = 1; /* what an opinion holds anyway: H of p is .898 nats */
    assert_true(fabs(policy_typical.measure(&p, pp, qq, 4, 0) - 0.4 * exp(-0.8979)) < 1e-4);
    p.options.posterior = 1e-3; /* and where powers are next to nothing: p must be the best */
    assert_true(policy_typical.measure(&p, pp, qq, 4, 0) > 0.59);
}

static void test_relaxed(void **state)
{
    struct policy p = policy_of(EAD_POLICY_RELAXED, false);
    (void)state;
    p.options.relaxed_top = 3;
    p.options.relaxed_delta = 0.5;
    assert_true(keeps(&p, (ead_opinion){.p = 0.25f, .max_p = 0.75f, .rank = 2}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.25f, .max_p = 0.75f, .rank = 3}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.2f, .max_p = 0.75f, .rank = 1}));
    assert_int_equal(policy_asks(&p), POLICY_RANK);
}

static bool cascade_keeps(int rule, double slack, ead_opinion o)
{
    struct policy p = policy_of(EAD_POLICY_CASCADE, false);
    p.options.rule = rule;
    p.options.slack = slack;
    o.id = 1; /* not the best of p */
    return keeps(&p, o);
}

static void test_cascade_greedy(void **state)
{
    const ead_opinion o = {.p = 0.25f, .max_p = 0.5f, .q = 0.375f, .max_q = 0.375f};
    (void)state;
    assert_true(cascade_keeps(EAD_CASCADE_CHOW, 0.625, o));
    assert_false(cascade_keeps(EAD_CASCADE_CHOW, 0.62, o));
    assert_true(cascade_keeps(EAD_CASCADE_DIFF, 0.125, o));
    assert_false(cascade_keeps(EAD_CASCADE_DIFF, 0.12, o));
    assert_true(cascade_keeps(EAD_CASCADE_OPT, 0.125, o));
    assert_false(cascade_keeps(EAD_CASCADE_OPT, 0.12, o));
    assert_true(cascade_keeps(EAD_CASCADE_V1, 0.125, o));
    assert_false(cascade_keeps(EAD_CASCADE_V1, 0.12, o));
    assert_true(cascade_keeps(EAD_CASCADE_V2, 0.25, o));
    assert_false(cascade_keeps(EAD_CASCADE_V2, 0.24, o));
    assert_true(cascade_keeps(EAD_CASCADE_V3, 0.5, o));
    assert_false(cascade_keeps(EAD_CASCADE_V3, 0.49, o));
    struct policy p = policy_of(EAD_POLICY_CASCADE, false);
    p.options.slack = 0; /* the best of p in any case */
    for (p.options.rule = 0; p.options.rule <= EAD_CASCADE_V3; p.options.rule++)
        assert_true(keeps(&p, (ead_opinion){.p = 0.5f, .max_p = 0.5f}));
}

static void test_cascade_drawn(void **state)
{
    struct policy p = policy_of(EAD_POLICY_CASCADE, true);
    const float pp[] = {0.5f, 0.25f, 0.25f}, qq[] = {0.125f, 0.5f, 0.375f};
    (void)state;
    p.options.rule = EAD_CASCADE_OPT; /* TV is .375 */
    assert_true(fabs(policy_cascade.measure(&p, pp, qq, 3, 0) - 0.375) < 1e-9);
    p.options.slack = 0.25; /* .4 < .5 - .25 * .375: pi is p */
    ead_opinion o = {.p = 0.25f, .max_p = 0.5f, .q = 0.5f, .max_q = 0.4f, .measure = 0.375f};
    o.chance = 0.5f;
    assert_true(keeps(&p, o));
    o.chance = 0.51f;
    assert_false(keeps(&p, o));
    assert_true(policy_cascade.weigh(&p, &o, 0.5, 0.125) == 0.375);
    assert_true(policy_cascade.weigh(&p, &o, 0.25, 0.5) == 0);
    p.options.slack = 0.3; /* .4 >= .3875: pi is q */
    assert_true(keeps(&p, o));

    p.options.rule = EAD_CASCADE_V3;
    p.options.slack = 0.25; /* A is the first, q(A) = .125, pi = (.5625, .21875, .21875) */
    assert_true(policy_cascade.measure(&p, pp, qq, 3, 0) == 0.125);
    o.measure = 0.125f;
    o.chance = 0.4374f; /* .21875 / .5 = .4375 */
    assert_true(keeps(&p, o));
    o.chance = 0.4376f;
    assert_false(keeps(&p, o));
    assert_true(policy_cascade.weigh(&p, &o, 0.5, 0.125) == 0.5625 - 0.125);
    assert_true(policy_cascade.weigh(&p, &o, 0.25, 0.375) == 0);
    p.options.rule = EAD_CASCADE_V1; /* q >= .5 - .125: the other two */
    p.options.slack = 0.125;
    assert_true(policy_cascade.measure(&p, pp, qq, 3, 0) == 0.875);
    p.options.rule = EAD_CASCADE_V2; /* p >= .25: all */
    p.options.slack = 0.25;
    assert_true(policy_cascade.measure(&p, pp, qq, 3, 0) == 1);
}

static void test_lenient(void **state)
{
    struct policy p = policy_of(EAD_POLICY_LENIENT, true);
    ead_opinion o = {.p = 0.1f, .q = 0.5f, .chance = 0.39f};
    (void)state;
    p.options.slack = 0.5;
    assert_true(keeps(&p, o)); /* .1 / (.5 * .5) */
    o.chance = 0.41f;
    assert_false(keeps(&p, o));
    assert_true(policy_lenient.weigh(&p, &o, 0.5, 0.2) == 0.3);
    assert_false(keeps(&p, (ead_opinion){.q = 0.5f})); /* what p excludes, whatever the coin */
    p.options.slack = 1;
    assert_true(keeps(&p, (ead_opinion){.q = 0.5f, .chance = 0.9f}));
    p.drawn = false;
    p.options.slack = 0.25;
    assert_true(keeps(&p, (ead_opinion){.p = 0.375f, .max_p = 0.5f, .id = 1}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.37f, .max_p = 0.5f, .id = 1}));
    p.options.slack = 0;
    assert_false(keeps(&p, (ead_opinion){.p = 0.5f, .max_p = 0.5f, .id = 1}));
}

/* Two tokens, p = (.5, .5), q = (.9, .1): pi = (min(.9, .5 / (1-a)), the rest). */
static void test_mentored(void **state)
{
    struct policy p = policy_of(EAD_POLICY_LENIENT, true);
    const float pp[] = {0.5f, 0.5f}, qq[] = {0.9f, 0.1f};
    (void)state;
    p.options.mentor = 0.1;
    const double a = policy_lenient.measure(&p, pp, qq, 2, 0), first = 0.5 / (1 - a);
    const double kl = 0.5 * log(0.5 / first) + 0.5 * log(0.5 / (1 - first));
    assert_true(fabs(kl - 0.1) < 1e-4);
    p.options.mentor = 0.6; /* KL(p, q) is .51 */
    assert_true(policy_lenient.measure(&p, pp, qq, 2, 0) == 1);
    assert_true(policy_lenient.measure(&p, pp, pp, 2, 0) == 1);
    assert_true(keeps(&p, (ead_opinion){.p = 0.1f, .q = 0.9f, .chance = 0.99f, .measure = 1}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.1f, .q = 0.8f, .chance = 0.26f, .measure = 0.5f}));
    assert_true(keeps(&p, (ead_opinion){.p = 0.1f, .q = 0.8f, .chance = 0.24f, .measure = 0.5f}));
    p.drawn = false;
    assert_int_equal(policy_asks(&p), POLICY_BOTH);
    assert_true(keeps(&p, (ead_opinion){.p = 0.25f, .max_p = 0.5f, .id = 1, .measure = 0.5f}));
}

/* Letters: n native, u refused in doubt, c refused and certain, z refused with p(x) = 0. */
static int fly_keeps(int draft, int window, const char *drafts)
{
    struct policy p = policy_of(EAD_POLICY_FLY, false);
    ead_opinion o[EAD_DRAFT_MAX] = {0};
    const int n = (int)strlen(drafts);
    const ead_signals s = draft_signals(n);
    p.options.draft = draft;
    p.options.fly_window = window;
    for (int i = n; i < EAD_DRAFT_MAX; i++) o[i].native = true; /* not to be looked at */
    for (int i = 0; i < n; i++)
        o[i] = (ead_opinion){.native = drafts[i] == 'n',
                             .p = drafts[i] == 'z' ? 0 : 0.2f,
                             .top_entropy = drafts[i] == 'c' ? 0.29f : 0.31f};
    return policy_rule(EAD_POLICY_FLY)->judge(&p, &s, o, n);
}

static void test_fly(void **state)
{
    (void)state;
    assert_int_equal(fly_keeps(8, 3, "nnnnnnnn"), 8);
    assert_int_equal(fly_keeps(8, 3, "nunnnnnn"), 8);
    assert_int_equal(fly_keeps(8, 3, "ncnnnnnn"), 1);
    assert_int_equal(fly_keeps(8, 3, "nznnnnnn"), 1);
    assert_int_equal(fly_keeps(8, 3, "nunnunnn"), 1); /* the window holds a refusal */
    assert_int_equal(fly_keeps(8, 3, "unnnunnn"), 8); /* behind it there may be one */
    assert_int_equal(fly_keeps(8, 3, "nnnnnunn"), 5); /* the draft ends before the window */
    assert_int_equal(fly_keeps(8, 9, "unnnnnnn"), 8); /* W is at most n - 1 */
    assert_int_equal(fly_keeps(8, 7, "unnnnnn"), 0);
    assert_int_equal(fly_keeps(8, 3, "unn"), 0);
    assert_int_equal(fly_keeps(0, 6, "nunnnnnn"), 8);
    assert_int_equal(fly_keeps(1, 6, "u"), 0); /* no lookahead, no overruling */
    struct policy p = policy_of(EAD_POLICY_FLY, true);
    assert_int_equal(policy_asks(&p), POLICY_TOP_LARGE | POLICY_BOTH);
}

static void test_divergences(void **state)
{
    const float p[] = {0.5f, 0.5f, 0}, q[] = {0.25f, 0.75f, 0}, r[] = {0, 0.5f, 0.5f};
    (void)state;
    assert_true(fabs(divergence_of(EAD_DIVERGENCE_KL, p, q, 3, 0) - 0.5 * log(4 / 3.0)) < 1e-9);
    assert_true(fabs(divergence_of(EAD_DIVERGENCE_TV, p, q, 3, 0) - 0.25) < 1e-9);
    /* m = (.375, .625) */
    const double to_p = 0.375 * log(0.75) + 0.625 * log(1.25);
    const double to_q = 0.375 * log(1.5) + 0.625 * log(0.625 / 0.75);
    const double js = divergence_of(EAD_DIVERGENCE_JS, p, q, 3, 0);
    assert_true(fabs(js - (to_p + to_q) / 2) < 1e-9);
    assert_true(isinf(divergence_of(EAD_DIVERGENCE_KL, p, r, 3, 0)));
    assert_true(isinf(divergence_of(EAD_DIVERGENCE_JS, p, r, 3, 0)));
    assert_true(divergence_of(EAD_DIVERGENCE_TV, p, r, 3, 0) == 0.5);
    assert_true(divergence_of(EAD_DIVERGENCE_JS, p, p, 3, 0) == 0);
}

/* A q that was cut: (.5, .25) of it are known as (2/3, 1/3), and the third and fourth token had .25
 * together. Against p = (.5, .25, .125, .125) nothing is apart, and no token of p alone makes it
 * infinite. */
static void test_divergences_of_a_cut_q(void **state)
{
    const float q[] = {2 / 3.0f, 1 / 3.0f, 0, 0};
    const float alike[] = {0.5f, 0.25f, 0.125f, 0.125f}, apart[] = {0.25f, 0.25f, 0.5f, 0};
    (void)state;
    for (int kind = EAD_DIVERGENCE_KL; kind <= EAD_DIVERGENCE_TV; kind++)
        assert_true(divergence_of(kind, alike, q, 4, 0.25) < 1e-7);
    assert_true(isinf(divergence_of(EAD_DIVERGENCE_KL, alike, q, 4, 0)));
    /* as (.25, .25, .5) and (.5, .25, .25) */
    assert_true(fabs(divergence_of(EAD_DIVERGENCE_KL, apart, q, 4, 0.25) - 0.25 * log(2)) < 1e-7);
    assert_true(fabs(divergence_of(EAD_DIVERGENCE_TV, apart, q, 4, 0.25) - 0.25) < 1e-7);
    const double js = (0.375 * log(1.5) + 0.375 * log(0.75)) / 2 * 2;
    assert_true(fabs(divergence_of(EAD_DIVERGENCE_JS, apart, q, 4, 0.25) - js) < 1e-7);
}

static void test_fsd(void **state)
{
    struct policy p = policy_of(EAD_POLICY_FSD, true);
    (void)state;
    assert_true(keeps(&p, (ead_opinion){.measure = 0.39f}));
    assert_false(keeps(&p, (ead_opinion){.measure = 0.41f}));
    assert_false(keeps(&p, (ead_opinion){.measure = INFINITY}));
    p.drawn = false;
    assert_true(keeps(&p, (ead_opinion){.measure = 0.41f}));
    assert_false(keeps(&p, (ead_opinion){.measure = 0.41f, .id = 1}));
    assert_null(policy_fsd.weigh); /* p itself is drawn from */
}

static void test_bild(void **state)
{
    struct policy p = policy_of(EAD_POLICY_BILD, false);
    ead_signals s = draft_signals(4);
    (void)state;
    s.stats.max_prob = 0.61f;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    s.stats.max_prob = 0.59f;
    expect(decide(&p, s), EAD_LARGE, 1, 3);
    s.drafts = 1;
    expect(decide(&p, s), EAD_LARGE, 1, 0);
    s = large_signals(3, 1, 0.5f); /* its own doubt is nobody's business */
    s.stats.max_prob = 0.1f;
    expect(decide(&p, s), EAD_SMALL, 0, 0);
    assert_true(keeps(&p, (ead_opinion){.p = 0.0499f, .id = 1})); /* exp(-3) = .0498 */
    assert_false(keeps(&p, (ead_opinion){.p = 0.0497f, .id = 1}));
    assert_true(keeps(&p, (ead_opinion){.p = 0.01f}));
    assert_false(keeps(&p, (ead_opinion){.p = 0, .id = 1}));
}

static void test_slack(void **state)
{
    struct policy p = policy_of(EAD_POLICY_JUDGE, false);
    (void)state;
    p.options.slack = 0.75;
    assert_true(keeps(&p, (ead_opinion){.p = 0.125f, .max_p = 0.5f, .id = 1}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.12f, .max_p = 0.5f, .id = 1}));
    p.options.slack_by = EAD_SLACK_LEAD;
    p.options.slack = 0.25;
    assert_true(keeps(&p, (ead_opinion){.p = 0.5f, .max_p = 0.75f, .id = 1}));
    assert_true(keeps(&p, (ead_opinion){.p = 0, .max_p = 0.25f, .id = 1}));
    assert_false(keeps(&p, (ead_opinion){.p = 0.49f, .max_p = 0.75f, .id = 1}));
    p.options.slack = 0;
    const ead_opinion o = {.p = 0.5f, .max_p = 0.5f, .id = 1, .own = 1, .argmax = 2};
    for (int by = EAD_SLACK_RATIO; by <= EAD_SLACK_LEAD; by++) {
        p.options.slack_by = by;
        p.drawn = false;
        assert_false(keeps(&p, o));
        p.drawn = true; /* then what it draws itself */
        assert_true(keeps(&p, o));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typical),       cmocka_unit_test(test_typical_at_a_temperature),
        cmocka_unit_test(test_relaxed),       cmocka_unit_test(test_cascade_greedy),
        cmocka_unit_test(test_cascade_drawn), cmocka_unit_test(test_lenient),
        cmocka_unit_test(test_mentored),      cmocka_unit_test(test_fly),
        cmocka_unit_test(test_divergences),   cmocka_unit_test(test_divergences_of_a_cut_q),
        cmocka_unit_test(test_fsd),           cmocka_unit_test(test_bild),
        cmocka_unit_test(test_slack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
