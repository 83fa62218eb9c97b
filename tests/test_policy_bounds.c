/*
 * Entropies that are known as intervals: between what the rolling mean lies, and whether that
 * leaves a decision open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decode/policy.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 };

/* A text and its storage. */
struct paper {
    struct text text;
    int32_t ids[ROOM];
    struct mark marks[ROOM];
};

/* A text of two given tokens. */
static void begin(struct paper *p)
{
    static const int32_t given[] = {3, 4};
    p->text = (struct text){.room = ROOM, .ids = p->ids, .marks = p->marks};
    text_give(&p->text, given, 2);
}

static void add(struct paper *p, ead_writer w, float lo, float hi)
{
    const ead_stats stats = {
        .entropy = (lo + hi) / 2, .entropy_lo = lo, .entropy_hi = hi, .exact = lo == hi};
    text_write(&p->text, 7, &(struct mark){.author = (int8_t)w, .stats = stats});
}

/* ---- the mean ------------------------------------------------------------------------------ */

static void expect_bounds(const struct paper *p, int window, bool turn, double lo, double hi)
{
    const struct text_bounds b = text_rolling_bounds(&p->text, p->text.n - 1, window, turn);
    if (b.lo != lo || b.hi != hi)
        fail_msg("window %d: expected %g to %g, found %g to %g", window, lo, hi, b.lo, b.hi);
}

static void test_bounds_by_hand(void **state)
{
    struct paper p;
    const int32_t given = 5;
    (void)state;
    begin(&p);
    add(&p, EAD_SMALL, 1, 2);
    expect_bounds(&p, 3, false, 1, 2);
    add(&p, EAD_SMALL, 2, 5);
    expect_bounds(&p, 1, false, 2, 5);
    expect_bounds(&p, 3, false, 1.5, 3.5);
    add(&p, EAD_LARGE, 4, 4);
    expect_bounds(&p, 3, false, 7 / 3.0, 11 / 3.0);
    expect_bounds(&p, 3, true, 4, 4); /* the turn's alone */
    add(&p, EAD_LARGE, 0, 8);
    expect_bounds(&p, 3, false, 2, 17 / 3.0);
    expect_bounds(&p, 3, true, 2, 6);
    expect_bounds(&p, 1024, false, 1.75, 4.75);
    text_give(&p.text, &given, 1); /* what is written behind it begins anew */
    add(&p, EAD_LARGE, 0.5f, 0.75f);
    expect_bounds(&p, 3, false, 0.5, 0.75);
    expect_bounds(&p, 3, true, 0.5, 0.75);
    /* Of any token, not the last alone. */
    const struct text_bounds b = text_rolling_bounds(&p.text, 4, 2, false);
    assert_true(b.lo == 3 && b.hi == 4.5);
}

/* Multiples of 1/4, so that sums are exact; one of three is a value. */
static void write_random(struct paper *p, uint64_t *rng, int n)
{
    begin(p);
    for (int i = 0; i < n; i++) {
        const float lo = (float)(rng_bits(rng) % 9) / 4;
        const float width = rng_bits(rng) % 3 ? (float)(rng_bits(rng) % 5) / 2 : 0;
        add(p, rng_bits(rng) % 4 ? EAD_SMALL : EAD_LARGE, lo, lo + width);
    }
}

static void test_bounds_enclose_the_mean(void **state)
{
    struct paper p;
    uint64_t rng = 5;
    int values = 0;
    (void)state;
    for (int round = 0; round < 300; round++) {
        write_random(&p, &rng, 40);
        for (int at = 2; at < p.text.n; at++) {
            const int window = 1 + (int)(rng_bits(&rng) % 6);
            const bool turn = rng_bits(&rng) % 2;
            const struct text_bounds b = text_rolling_bounds(&p.text, at, window, turn);
            const double mean = text_rolling(&p.text, at, window, turn);
            assert_true(b.lo <= mean && mean <= b.hi);
            const bool exact = b.lo == b.hi;
            if (window == 1) assert_int_equal(exact, p.marks[at].stats.exact);
            values += exact;
        }
    }
    assert_in_range(values, 100, 10000);
}

/* ---- decisions ----------------------------------------------------------------------------- */

static ead_policy_options rule(ead_policy_kind kind, double tau, int window, int dwell)
{
    return (ead_policy_options){
        .kind = kind, .tau = tau, .window = window, .dwell = dwell, .share = 0.5};
}

static bool open_after(const ead_policy_options *o, const struct paper *p)
{
    struct policy policy;
    policy_init(&policy, o);
    return policy_is_open(&policy, &p->text);
}

static void test_open_by_tables(void **state)
{
    static const struct {
        const char *what;
        double tau;
        int window, dwell;
        float bounds[4][2];
        int n;
        bool open;
    } cases[] = {
        {"tau within", 1, 1, 1, {{0.5f, 1.5f}}, 1, true},
        {"below tau", 1, 1, 1, {{0.25f, 0.75f}}, 1, false},
        {"up to tau, which is not above it", 1, 1, 1, {{0.5f, 1}}, 1, false},
        {"from tau on", 1, 1, 1, {{1, 1.25f}}, 1, true},
        {"above tau", 1, 1, 1, {{1.25f, 2}}, 1, false},
        {"a value", 1, 1, 1, {{1, 1}}, 1, false},
        {"no switch is due", 1, 1, 2, {{0.5f, 1.5f}}, 1, false},
        {"now it is", 1, 1, 2, {{0, 0}, {0.5f, 1.5f}}, 2, true},
        {"the mean of a window, in which values settle it",
         1,
         2,
         1,
         {{0, 0}, {0.5f, 1.5f}},
         2,
         false},
        {"or do not", 1, 2, 1, {{1, 1}, {0.5f, 1.5f}}, 2, true},
        {"an interval that is no longer seen", 1, 1, 1, {{0, 3}, {2, 2}}, 2, false},
        {"one that still is", 1, 2, 1, {{0, 3}, {1, 1}}, 2, true},
        {"nothing is written", 1, 1, 1, {{0, 0}}, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct paper p;
        const ead_policy_options o =
            rule(EAD_POLICY_EAD, cases[i].tau, cases[i].window, cases[i].dwell);
        begin(&p);
        for (int k = 0; k < cases[i].n; k++)
            add(&p, EAD_SMALL, cases[i].bounds[k][0], cases[i].bounds[k][1]);
        if (open_after(&o, &p) != cases[i].open)
            fail_msg("%s: expected the decision to be %s", cases[i].what,
                     cases[i].open ? "open" : "settled");
    }
}

static void test_open_for_the_large_one(void **state)
{
    struct paper p;
    ead_policy_options o = rule(EAD_POLICY_EAD, 1, 3, 1);
    (void)state;
    begin(&p);
    add(&p, EAD_SMALL, 3, 3);
    add(&p, EAD_LARGE, 0, 0.5f);
    assert_false(open_after(&o, &p)); /* 1.5 to 1.75 */
    add(&p, EAD_LARGE, 0, 0.5f);
    assert_true(open_after(&o, &p)); /* 1 to 4/3: back to the small one, or not */
    o.clear_window = true;
    assert_false(open_after(&o, &p)); /* 0 to 1/2 */
}

static ead_decision by_entropy(void *context, const ead_signals *s)
{
    (void)context;
    return (ead_decision){.writer = s->stats.entropy > 1 ? EAD_LARGE : EAD_SMALL};
}

/* Who does not look at entropies leaves nothing open, and a function of the program's own is not
 * called to find out. */
static void test_other_policies(void **state)
{
    static const ead_policy_kind kinds[] = {EAD_POLICY_LARGE, EAD_POLICY_SMALL, EAD_POLICY_RANDOM,
                                            EAD_POLICY_CUSTOM};
    struct paper p;
    (void)state;
    begin(&p);
    add(&p, EAD_SMALL, 0, 9);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ead_policy_options o = rule(kinds[i], 1, 1, 1);
        o.decide = by_entropy;
        assert_false(open_after(&o, &p));
    }
    const ead_policy_options o = rule(EAD_POLICY_EAD, 1, 1, 1);
    assert_true(open_after(&o, &p));
}

/* Does some text whose entropies lie within the intervals get another writer? Ends of intervals are
 * enough, and so are all of them together: the mean is their sum. */
static bool open_by_trial(const ead_policy_options *o, const struct paper *p)
{
    ead_writer writers[2];
    for (int end = 0; end < 2; end++) {
        struct policy policy;
        struct paper q = *p;
        q.text.ids = q.ids;
        q.text.marks = q.marks;
        for (int i = 0; i < q.text.n; i++) {
            ead_stats *s = &q.marks[i].stats;
            s->entropy = end ? s->entropy_hi : s->entropy_lo;
        }
        policy_init(&policy, o);
        writers[end] = policy_decide(&policy, &q.text).writer;
    }
    return writers[0] != writers[1];
}

static void test_open_equals_its_definition(void **state)
{
    struct paper p;
    uint64_t rng = 9;
    int open = 0, n = 0;
    (void)state;
    for (; n < 5000; n++) {
        ead_policy_options o = rule(EAD_POLICY_EAD, (double)(rng_bits(&rng) % 9) / 4,
                                    1 + (int)(rng_bits(&rng) % 4), 1 + (int)(rng_bits(&rng) % 3));
        o.clear_window = rng_bits(&rng) % 2;
        write_random(&p, &rng, 1 + (int)(rng_bits(&rng) % 12));
        const bool found = open_after(&o, &p);
        if (found != open_by_trial(&o, &p)) fail_msg("text %d: found %d", n, (int)found);
        open += found;
    }
    assert_in_range(open, n / 20, n / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_by_hand), cmocka_unit_test(test_bounds_enclose_the_mean),
        cmocka_unit_test(test_open_by_tables), cmocka_unit_test(test_open_for_the_large_one),
        cmocka_unit_test(test_other_policies), cmocka_unit_test(test_open_equals_its_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
