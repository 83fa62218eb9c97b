/*
 * What is said of a distribution of which only the most probable tokens are known: bounds that hold
 * and cannot be narrowed, the same order everywhere, and a refusal of what is no distribution.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40, ROUNDS = 300 };

static int by_probability(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* A random distribution in falling order, some of its tokens alike: ln p of n tokens. Returns its
 * entropy in bits. */
static double random_tokens(uint64_t *rng, int n, struct candidate *out)
{
    const double gain = 15 * rng_unit(rng);
    double logits[N], sum = 0, entropy = 0;
    for (int i = 0; i < n; i++) {
        logits[i] = gain * rng_unit(rng);
        if (i && rng_unit(rng) < 0.2) logits[i] = logits[i - 1];
        sum += exp(logits[i]);
    }
    for (int i = 0; i < n; i++) {
        const double p = exp(logits[i]) / sum;
        entropy -= p * log2(p);
        out[i] = (struct candidate){(float)log(p), i};
    }
    qsort(out, (size_t)n, sizeof *out, by_probability);
    return entropy;
}

static double plogp(double p)
{
    return p > 0 ? -p * log2(p) : 0;
}

/* ---- bounds -------------------------------------------------------------------------------- */

static void test_bounds_hold_the_entropy(void **state)
{
    (void)state;
    uint64_t rng = 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct candidate top[N];
        const int n = 1 + (int)(rng_bits(&rng) % N);
        const double entropy = random_tokens(&rng, n, top);
        double width = INFINITY;
        for (int k = 1; k <= n; k++) {
            struct distribution d;
            assert_true(distribution_top(&d, top, k, n));
            const double lo = (double)d.stats.entropy_lo, hi = (double)d.stats.entropy_hi;
            assert_true(lo <= entropy + 1e-4 && entropy <= hi + 1e-4 && lo <= hi);
            assert_true(fabs((double)d.stats.entropy - (lo + hi) / 2) < 1e-5);
            assert_true(hi - lo <= width + 1e-4); /* who knows more doubts less */
            width = hi - lo;
            assert_int_equal(d.stats.argmax, top[0].id);
            assert_true(fabs((double)d.stats.max_prob - exp((double)top[0].logit)) < 1e-6);
            const double second = n > 1 ? exp((double)top[1].logit) : 0;
            const double margin = exp((double)top[0].logit) - second;
            if (k > 1) assert_true(fabs((double)d.stats.margin - margin) < 1e-5);
            assert_true((double)d.stats.margin <= margin + 1e-5);
            if (k < n) continue;
            assert_true(d.stats.exact && hi - lo < 1e-6 && fabs(hi - entropy) < 1e-4);
        }
    }
}

/* Parts of a thousand, as many as the others may get: the least and the greatest entropy of all
 * ways to deal `rest` parts to `others` tokens, none of them getting more than `most`. */
struct extremes {
    double lo, hi;
};

static void deal(int rest, int others, int most, double so_far, struct extremes *e)
{
    if (!others) {
        if (rest) return;
        if (so_far < e->lo) e->lo = so_far;
        if (so_far > e->hi) e->hi = so_far;
        return;
    }
    for (int part = 0; part <= most && part <= rest; part++) {
        if (rest - part > (others - 1) * part) continue; /* the others get no more than this one */
        deal(rest - part, others - 1, part, so_far + plogp(part / 1000.0), e);
    }
}

static void test_bounds_are_reached(void **state)
{
    (void)state;
    static const struct {
        int known[3], n_top, n;
    } cases[] = {
        {{700, 150}, 2, 6},      /* one of the others takes all */
        {{500, 200, 60}, 3, 9},  /* four full ones: no remainder */
        {{400, 100}, 2, 8},      /* five full ones */
        {{610, 130, 70}, 3, 6},  /* two full ones, and one with less */
        {{880}, 1, 4},           /* only the first is known */
        {{300, 300, 100}, 3, 6}, /* no room but to spread: three times 100 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct candidate top[3];
        struct distribution d;
        struct extremes e = {INFINITY, -INFINITY};
        int rest = 1000;
        double known = 0;
        for (int k = 0; k < cases[i].n_top; k++) {
            const int parts = cases[i].known[k];
            top[k] = (struct candidate){(float)log(parts / 1000.0), k};
            known += plogp(parts / 1000.0);
            rest -= parts;
        }
        deal(rest, cases[i].n - cases[i].n_top, cases[i].known[cases[i].n_top - 1], known, &e);
        assert_true(distribution_top(&d, top, cases[i].n_top, cases[i].n));
        assert_false(d.stats.exact);
        if (fabs((double)d.stats.entropy_lo - e.lo) > 1e-4)
            fail_msg("case %zu: lo %g, expected %g", i, (double)d.stats.entropy_lo, e.lo);
        /* spread evenly, which parts of a thousand reach but nearly */
        if (e.hi > (double)d.stats.entropy_hi + 1e-5 || e.hi < (double)d.stats.entropy_hi - 1e-3)
            fail_msg("case %zu: hi %g, expected %g", i, (double)d.stats.entropy_hi, e.hi);
    }
}

/* ---- order --------------------------------------------------------------------------------- */

static void test_best_is_a_sort(void **state)
{
    (void)state;
    uint64_t rng = 2;
    for (int round = 0; round < ROUNDS; round++) {
        float logits[N];
        struct candidate sorted[N], best[N + 5], shuffled[N];
        struct distribution dense, top;
        const int n = 1 + (int)(rng_bits(&rng) % N);
        for (int i = 0; i < n; i++) logits[i] = (float)(int)(10 * rng_unit(&rng)); /* many alike */
        assert_true(distribution_dense(&dense, kern_table(KERN_REF), logits, n));
        for (int i = 0; i < n; i++)
            sorted[i] = (struct candidate){distribution_log_prob(&dense, i), i};
        qsort(sorted, (size_t)n, sizeof *sorted, by_probability);
        /* equal ones the other way round, as an answer may hold them */
        memcpy(shuffled, sorted, sizeof sorted);
        for (int i = 0; i + 1 < n; i++)
            if (shuffled[i].logit == shuffled[i + 1].logit) {
                const struct candidate was = shuffled[i];
                shuffled[i] = shuffled[i + 1];
                shuffled[i + 1] = was;
            }
        assert_true(distribution_top(&top, shuffled, n, n));
        assert_int_equal(top.stats.argmax, dense.stats.argmax);
        const struct distribution *const both[] = {&dense, &top};
        for (int k = 0; k < 2; k++)
            for (int most = 0; most <= n + 5; most++) {
                const int there = most < n ? most : n;
                assert_int_equal(distribution_best(both[k], most, best), there);
                for (int i = 0; i < there; i++) {
                    assert_int_equal(best[i].id, sorted[i].id);
                    assert_true(best[i].logit == sorted[i].logit);
                }
            }
    }
}

static void test_log_prob(void **state)
{
    (void)state;
    const float logits[] = {1, 3, -INFINITY, 2};
    struct distribution d;
    assert_true(distribution_dense(&d, kern_table(KERN_REF), logits, 4));
    const double sum = exp(1) + exp(3) + exp(2);
    assert_true(fabs((double)distribution_log_prob(&d, 1) - (3 - log(sum))) < 1e-6);
    assert_true(isinf(distribution_log_prob(&d, 2)));
    assert_true(isnan(distribution_log_prob(&d, -1)) && isnan(distribution_log_prob(&d, 4)));
    const struct candidate top[] = {{-0.5f, 7}, {-1.5f, 2}};
    assert_true(distribution_top(&d, top, 2, 9));
    assert_true(distribution_log_prob(&d, 7) == -0.5f && distribution_log_prob(&d, 2) == -1.5f);
    assert_true(isnan(distribution_log_prob(&d, 3)) && isnan(distribution_log_prob(&d, -1)));
}

/* ---- what is no distribution --------------------------------------------------------------- */

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct candidate top[3];
        int n_top, n;
    } cases[] = {
        {"none", {{0, 0}}, 0, 4},
        {"more than there are", {{-1, 0}, {-1, 1}, {-1.2f, 2}}, 3, 2},
        {"rising", {{-2, 0}, {-1, 1}}, 2, 9},
        {"rising at the end", {{-1, 0}, {-2, 1}, {-1.5f, 2}}, 3, 9},
        {"not a number", {{NAN, 0}}, 1, 9},
        {"not a number behind one", {{-1, 0}, {NAN, 1}}, 2, 9},
        {"above 1", {{0.1f, 0}}, 1, 9},
        {"infinite", {{INFINITY, 0}}, 1, 9},
        {"nothing is probable", {{-INFINITY, 0}}, 1, 9},
        {"a token below 0", {{-1, -1}, {-1.5f, 1}}, 2, 9},
        {"a token beyond the last", {{-1, 0}, {-1.5f, 9}}, 2, 9},
        {"more than 1 together", {{-0.1f, 0}, {-0.1f, 1}}, 2, 9},
        {"less than 1, and no others", {{-1, 0}, {-1.5f, 1}}, 2, 2},
        {"more left than others can hold", {{-1, 0}, {-3, 1}}, 2, 4},
    };
    struct distribution d;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (distribution_top(&d, cases[i].top, cases[i].n_top, cases[i].n))
            fail_msg("%s: taken", cases[i].why);
    /* what rounding does is taken, and said to be what it is */
    const struct candidate sure[] = {{5e-4f, 3}}, even[] = {{-1.386f, 0}, {-1.387f, 1}};
    assert_true(distribution_top(&d, sure, 1, 9));
    assert_true(d.stats.max_prob == 1 && d.stats.entropy == 0 && d.stats.margin == 1);
    assert_true(distribution_top(&d, even, 2, 4));
    assert_true(d.stats.entropy_lo <= d.stats.entropy_hi && fabsf(d.stats.entropy - 2) < 1e-2f);
    const float broken[] = {1, NAN, 2}, endless[] = {1, INFINITY, 2};
    assert_false(distribution_dense(&d, kern_table(KERN_REF), broken, 3));
    assert_false(distribution_dense(&d, kern_table(KERN_REF), endless, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_hold_the_entropy),
        cmocka_unit_test(test_bounds_are_reached),
        cmocka_unit_test(test_best_is_a_sort),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
