/*
 * Laws of policies, on made-up models (dice.h): what is called exact writes what the large model
 * alone writes, token for token when greedy and in distribution when drawn; rules at their ends are
 * one of the two models; a cascade's mixture is what stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "dice.h"

#include <math.h>
#include <string.h>

enum { TEXTS = 50000, TRIPLES = DICE_CONTEXTS * DICE_VOCAB };

static ead_policy_options options_of(ead_policy_kind kind)
{
    ead_policy_options o;
    policy_defaults(&o);
    o.kind = kind;
    return o;
}

/* ---- distributions ------------------------------------------------------------------------- */

/* How far counts are from what is expected: the statistic of chi-square, as standard deviations
 * above its mean. Cells of less than 5 are one. */
static double deviation(const int *counts, const double *expected, int n)
{
    double chi = 0, rest = 0, rest_count = 0;
    int cells = 0;
    for (int i = 0; i < n; i++) {
        if (expected[i] >= 5) {
            chi += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
            cells++;
        } else {
            rest += expected[i];
            rest_count += counts[i];
        }
    }
    if (rest > 0) chi += (rest_count - rest) * (rest_count - rest) / rest, cells++;
    if (rest <= 0 && rest_count > 0) return INFINITY;
    return (chi - (cells - 1)) / sqrt(2.0 * (cells - 1));
}

/* The last three of n tokens that a model alone writes, times TEXTS. */
static void expect_triples(const struct dice_side *side, int context, int n, double *out)
{
    double at[DICE_CONTEXTS] = {0}, next[DICE_CONTEXTS];
    at[context] = 1;
    for (int i = 0; i < n - 3; i++) {
        memset(next, 0, sizeof next);
        for (int c = 0; c < DICE_CONTEXTS; c++)
            for (int x = 0; x < DICE_VOCAB; x++)
                next[c % DICE_VOCAB * DICE_VOCAB + x] += at[c] * (double)side->shaped[c][x];
        memcpy(at, next, sizeof at);
    }
    memset(out, 0, TRIPLES * sizeof *out);
    for (int c = 0; c < DICE_CONTEXTS; c++)
        for (int k = 0; k < TRIPLES; k++) {
            const int a = k / DICE_CONTEXTS, b = k / DICE_VOCAB % DICE_VOCAB, x = k % DICE_VOCAB;
            const int first = c % DICE_VOCAB * DICE_VOCAB + a, second = a * DICE_VOCAB + b;
            out[k] += TEXTS * at[c] * (double)side->shaped[c][a] * (double)side->shaped[first][b] *
                      (double)side->shaped[second][x];
        }
}

/* Texts of n tokens against the large model alone. */
static double distance_from_large(struct dice *d, const ead_policy_options *o, int n)
{
    static double expected[TRIPLES];
    int counts[TRIPLES] = {0};
    dice_set(d, o);
    expect_triples(&d->sides[EAD_LARGE], 9, n, expected);
    for (int i = 0; i < TEXTS; i++) {
        d->seed = (uint64_t)i * 77 + 5;
        dice_write(d, 9, n);
        const int32_t *x = dice_text(d) + n - 3;
        counts[(x[0] * DICE_VOCAB + x[1]) * DICE_VOCAB + x[2]]++;
    }
    return deviation(counts, expected, TRIPLES);
}

/* Five deviations: for hundreds of degrees of freedom, one time in a million or less. */
static void expect_large(struct dice *d, const ead_policy_options *o, int n, const char *what)
{
    const double found = distance_from_large(d, o, n);
    if (!(found < 5)) fail_msg("%s, draft %d, %d tokens: %g deviations", what, o->draft, n, found);
}

static const struct {
    double temperature, top_p;
} shapes[] = {{0.6, 1}, {1, 1}, {1, 0.8}, {1.5, 0.9}};

/* The law can be broken, and this sees it. */
static void test_the_small_model_is_another(void **state)
{
    struct dice d;
    const ead_policy_options o = options_of(EAD_POLICY_SMALL), l = options_of(EAD_POLICY_LARGE);
    (void)state;
    dice_open(&d, 3, 0.4, 1, 1);
    assert_true(distance_from_large(&d, &o, 3) > 20);
    expect_large(&d, &l, 12, "the large model");
}

static void test_speculation_is_the_large_model_in_distribution(void **state)
{
    static const int drafts[] = {1, 2, 8};
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct dice d;
        ead_policy_options o = options_of(EAD_POLICY_SPECULATIVE);
        dice_open(&d, 3 + k, 0.4, shapes[k].temperature, shapes[k].top_p);
        for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
            o.draft = drafts[i];
            expect_large(&d, &o, 3, "speculative");
        }
        assert_in_range(d.refused, TEXTS / 4, 9 * TEXTS);
    }
}

/* Rules that learn, over longer texts. */
static void test_draft_lengths_change_no_distribution(void **state)
{
    static const int drafts[] = {EAD_DRAFT_HEURISTIC, EAD_DRAFT_CONFIDENCE, EAD_DRAFT_SURVIVAL, 4};
    (void)state;
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
        struct dice d;
        ead_policy_options o = options_of(EAD_POLICY_SPECULATIVE);
        dice_open(&d, 11 + i, 0.4, 1, i % 2 ? 0.8 : 1);
        o.draft = drafts[i];
        o.draft_min_p = drafts[i] > 0 ? 0.4 : 0;
        o.draft_min = 2; /* must not count */
        expect_large(&d, &o, 12, "speculative");
        if (drafts[i] > 0) assert_in_range(d.dropped, TEXTS, 12 * TEXTS);
    }
}

static void test_lossy_rules_without_slack_are_exact(void **state)
{
    static const ead_policy_kind kinds[] = {EAD_POLICY_LENIENT, EAD_POLICY_FSD, EAD_POLICY_FLY,
                                            EAD_POLICY_EAD_PLUS};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct dice d;
        ead_policy_options o = options_of(kinds[i]);
        dice_open(&d, 21 + i, 0.4, 1, 0.9);
        o.slack = o.fsd_limit = 0;
        o.fly_entropy = INFINITY;
        o.agree = 3;
        o.tail = true;
        o.unjudged = EAD_DRAFT_MAX;
        expect_large(&d, &o, 12, policy_rule(kinds[i])->info.name);
        o.slack = 0.9;
        o.tau = 3;
        o.fsd_limit = 10;
        o.divergence = EAD_DIVERGENCE_TV;
        o.fly_entropy = 0;
        o.fly_window = 1;
        const double with = distance_from_large(&d, &o, 12);
        if (!(with > 5)) fail_msg("%s: only %g deviations", policy_rule(kinds[i])->info.name, with);
    }
}

/* ---- what stands in a cascade -------------------------------------------------------------- */

/* pi, written down anew: by rule, from p and q. */
static void mixture(int rule, double a, const float *p, const float *q, double *out)
{
    double max_p = 0, max_q = 0, tv = 0, inside = 0;
    bool in[DICE_VOCAB];
    for (int i = 0; i < DICE_VOCAB; i++) {
        max_p = fmax(max_p, (double)p[i]);
        max_q = fmax(max_q, (double)q[i]);
        tv += fmax((double)(p[i] - q[i]), 0);
    }
    const bool stays[] = {max_q >= 1 - a, max_q >= max_p - a, max_q >= max_p - a * tv};
    for (int i = 0; i < DICE_VOCAB; i++) {
        const bool sets[] = {(double)q[i] >= max_p - a, (double)p[i] >= max_p - a,
                             (double)p[i] >= (1 - a) * max_p};
        in[i] = rule >= EAD_CASCADE_V1 ? sets[rule - EAD_CASCADE_V1] : stays[rule];
        inside += in[i] ? (double)q[i] : 0;
    }
    for (int i = 0; i < DICE_VOCAB; i++)
        out[i] = (in[i] ? (double)q[i] : 0) + (1 - inside) * (double)p[i];
}

static double distance_from_mixture(struct dice *d, const ead_policy_options *o, int context)
{
    double pi[DICE_VOCAB];
    int counts[DICE_VOCAB] = {0};
    mixture(o->rule, o->slack, d->sides[EAD_LARGE].shaped[context],
            d->sides[EAD_SMALL].shaped[context], pi);
    for (int i = 0; i < DICE_VOCAB; i++) pi[i] *= TEXTS;
    for (int i = 0; i < TEXTS; i++) {
        d->seed = (uint64_t)i * 31 + 7;
        dice_write(d, context, 1);
        counts[dice_text(d)[0]]++;
    }
    return deviation(counts, pi, DICE_VOCAB);
}

static void test_a_cascade_writes_its_mixture(void **state)
{
    struct dice d;
    (void)state;
    dice_open(&d, 31, 0.5, 1, 1);
    for (int rule = EAD_CASCADE_CHOW; rule <= EAD_CASCADE_V3; rule++)
        for (int context = 0; context < DICE_CONTEXTS; context += 5) {
            ead_policy_options o = options_of(EAD_POLICY_CASCADE);
            o.rule = rule;
            o.slack = rule == EAD_CASCADE_CHOW ? 0.7 : rule == EAD_CASCADE_V3 ? 0.5 : 0.1;
            dice_set(&d, &o);
            const double found = distance_from_mixture(&d, &o, context);
            if (!(found < 8)) /* few degrees of freedom have a long tail */
                fail_msg("rule %d, context %d: %g deviations", rule, context, found);
        }
}

/* ---- token for token ----------------------------------------------------------------------- */

enum { LENGTH = 60, WORLDS = 60 };

/* Does it write in each of many worlds what a model alone writes? Returns the texts that are so. */
static int texts_equal(ead_policy_options o, ead_policy_kind alone, double temperature,
                       int draft_max)
{
    int equal = 0;
    for (uint64_t world = 0; world < WORLDS; world++) {
        struct dice a, b;
        const ead_policy_options of = options_of(alone);
        dice_open(&a, world, 0.3, temperature, 0.9);
        b = a;
        a.seed = b.seed = world;
        dice_set(&a, &of);
        dice_set(&b, &o);
        b.policy.draft_max = draft_max;
        dice_write(&a, 9, LENGTH);
        dice_write(&b, 9, LENGTH);
        equal += !memcmp(dice_text(&a), dice_text(&b), LENGTH * sizeof(int32_t));
    }
    return equal;
}

/* Options at which a policy is exact when greedy. */
static ead_policy_options strict(ead_policy_kind kind)
{
    ead_policy_options o = options_of(kind);
    o.slack = o.fsd_limit = o.posterior = o.rollback = o.relaxed_delta = o.uncertainty = 0;
    o.relaxed_top = 1;
    o.tail = true;
    o.unjudged = EAD_DRAFT_MAX;
    o.fly_entropy = INFINITY;
    o.critical = o.step_entropy = 0;
    o.agree = 5;
    return o;
}

static void test_greedy_and_strict_is_the_large_model(void **state)
{
    static const ead_policy_kind kinds[] = {
        EAD_POLICY_SPECULATIVE, EAD_POLICY_JUDGE,   EAD_POLICY_EAD_PLUS, EAD_POLICY_TYPICAL,
        EAD_POLICY_RELAXED,     EAD_POLICY_CASCADE, EAD_POLICY_LENIENT,  EAD_POLICY_FLY,
        EAD_POLICY_FSD,         EAD_POLICY_BILD};
    static const int drafts[] = {
        0, 1, 5, EAD_DRAFT_HEURISTIC, EAD_DRAFT_CONFIDENCE, EAD_DRAFT_SURVIVAL};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
            ead_policy_options o = strict(kinds[k]);
            if (kinds[k] == EAD_POLICY_EAD_PLUS && drafts[i] < 0) continue;
            o.draft = drafts[i];
            o.draft_min_p = i % 2 ? 0.3 : 0;
            o.draft_min = 2;
            const int found = texts_equal(o, EAD_POLICY_LARGE, 0, i == 2 ? 4 : EAD_DRAFT_MAX);
            if (found != WORLDS)
                fail_msg("%s, draft %d: %d of %d texts", policy_rule(kinds[k])->info.name, o.draft,
                         found, WORLDS);
        }
}

/* As the rules are meant to be used they are another text than either model's. */
static void test_lossy_rules_are_neither(void **state)
{
    static const ead_policy_kind kinds[] = {
        EAD_POLICY_TYPICAL, EAD_POLICY_RELAXED, EAD_POLICY_CASCADE, EAD_POLICY_LENIENT,
        EAD_POLICY_FSD,     EAD_POLICY_FLY,     EAD_POLICY_BILD};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ead_policy_options o = options_of(kinds[k]);
        o.fsd_limit = 0.1;
        o.fly_window = 2;
        o.fallback = 0.2;
        const int large = texts_equal(o, EAD_POLICY_LARGE, 0, EAD_DRAFT_MAX);
        const int small = texts_equal(o, EAD_POLICY_SMALL, 0, EAD_DRAFT_MAX);
        if (large > WORLDS / 2 || small > WORLDS / 2)
            fail_msg("%s: %d and %d texts", policy_rule(kinds[k])->info.name, large, small);
    }
}

static void test_ends_of_judge(void **state)
{
    static const double temperatures[] = {0, 0.7, 1};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof temperatures / sizeof *temperatures; i++) {
        const double t = temperatures[i / 2];
        ead_policy_options o = options_of(EAD_POLICY_JUDGE);
        o.slack = 0; /* with any thresholds */
        o.slack_by = i % 2 ? EAD_SLACK_LEAD : EAD_SLACK_RATIO;
        o.tail = true;
        o.unjudged = EAD_DRAFT_MAX;
        assert_int_equal(texts_equal(o, EAD_POLICY_LARGE, t, EAD_DRAFT_MAX), WORLDS);
        assert_int_equal(texts_equal(o, EAD_POLICY_LARGE, t, 3), WORLDS);
        o.risk = o.risk_sum = 0;
        assert_int_equal(texts_equal(o, EAD_POLICY_LARGE, t, EAD_DRAFT_MAX), WORLDS);
        o.risk = o.risk_sum = INFINITY;
        assert_int_equal(texts_equal(o, EAD_POLICY_SMALL, t, EAD_DRAFT_MAX), WORLDS);
        o.risk_sum = 1;
        o.slack = 0.9;
        assert_in_range(texts_equal(o, EAD_POLICY_LARGE, t, EAD_DRAFT_MAX), 0, WORLDS / 2);
    }
}

/* The rules that only route: nothing is doubtful, or everything is. */
static void test_ends_of_routing(void **state)
{
    static const ead_policy_kind kinds[] = {EAD_POLICY_RSTITCH, EAD_POLICY_R2R, EAD_POLICY_STEP,
                                            EAD_POLICY_BILD};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ead_policy_options o = strict(kinds[k]);
        o.fallback = 1; /* each token of the small model is dropped */
        assert_int_equal(texts_equal(o, EAD_POLICY_LARGE, 0.7, EAD_DRAFT_MAX), WORLDS);
        if (kinds[k] == EAD_POLICY_BILD) continue; /* it has a longest draft */
        o.uncertainty = 1;
        o.critical = o.step_entropy = INFINITY;
        assert_int_equal(texts_equal(o, EAD_POLICY_SMALL, 0.7, EAD_DRAFT_MAX), WORLDS);
    }
}

/* ---- what is certain ----------------------------------------------------------------------- */

/* Tokens that were promised and not written. */
static int broken_promises(struct dice *d, int n)
{
    struct text *t = &d->text, before;
    int broken = 0;
    dice_write(d, 9, n);
    before = *t;
    for (int at = 3; at < before.n; at++) {
        t->n = at;
        const ead_decision decision = policy_decide(&d->policy, t);
        if (decision.judge || decision.take_back) continue;
        const int sure = policy_sure(&d->policy, t, decision.writer);
        for (int i = at; i < at + sure && i < before.n; i++) {
            if (t->marks[i].author != (int8_t)decision.writer) break; /* cut later, and replaced */
            t->n = i;
            const ead_decision next = policy_decide(&d->policy, t);
            broken += next.judge || next.take_back || next.writer != decision.writer;
        }
    }
    *t = before;
    return broken;
}

static void test_promises_are_kept(void **state)
{
    (void)state;
    for (int kind = EAD_POLICY_SPECULATIVE; kind <= EAD_POLICY_STEP; kind++)
        for (int draft = EAD_DRAFT_SURVIVAL; draft <= 6; draft++) {
            struct dice d;
            ead_policy_options o = options_of((ead_policy_kind)kind);
            if (kind == EAD_POLICY_EAD_PLUS && draft < 0) continue;
            dice_open(&d, 5, 0.3, draft % 2 ? 0 : 1, 0.9);
            o.draft = draft;
            o.draft_min_p = draft == 5 ? 0.3 : 0;
            dice_set(&d, &o);
            for (d.seed = 0; d.seed < 20; d.seed++) assert_int_equal(broken_promises(&d, 60), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_small_model_is_another),
        cmocka_unit_test(test_speculation_is_the_large_model_in_distribution),
        cmocka_unit_test(test_draft_lengths_change_no_distribution),
        cmocka_unit_test(test_lossy_rules_without_slack_are_exact),
        cmocka_unit_test(test_a_cascade_writes_its_mixture),
        cmocka_unit_test(test_greedy_and_strict_is_the_large_model),
        cmocka_unit_test(test_lossy_rules_are_neither),
        cmocka_unit_test(test_ends_of_judge),
        cmocka_unit_test(test_ends_of_routing),
        cmocka_unit_test(test_promises_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
