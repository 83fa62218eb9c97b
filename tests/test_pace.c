/* Alone or shared: against a made-up machine, whose speeds the test knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pace.h"

/* Seconds of a pass, alone and shared. */
struct machine {
    double alone, shared;
};

/* Do passes of one unit for so long; the share of the time of the better way that was reached. */
static double reached(struct pace *p, struct machine m, double seconds)
{
    const double best = m.alone < m.shared ? m.alone : m.shared;
    double spent = 0, passes = 0;
    for (; spent < seconds; passes++) {
        const double pass = pace_shared(p) ? m.shared : m.alone;
        spent += pass;
        pace_note(p, 1, pass);
    }
    return passes * best / spent;
}

static void test_the_first_pass_is_alone(void **state)
{
    (void)state;
    const struct pace p = {0};
    assert_false(pace_shared(&p));
}

static void test_the_better_way_is_found(void **state)
{
    (void)state;
    static const struct machine machines[] = {
        {100e-6, 60e-6}, {100e-6, 180e-6}, {1e-3, 0.6e-3}, {1e-3, 3e-3}, {10e-6, 40e-6}};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        struct pace p = {0};
        reached(&p, machines[i], 0.3);
        /* From then on trials cost little. */
        const double share = reached(&p, machines[i], 1);
        if (share < 0.97) fail_msg("machine %zu: %.3f of the best", i, share);
        assert_int_equal(p.shared_is_chosen, machines[i].shared < machines[i].alone);
    }
}

/* A gain too small to be worth a core is none. */
static void test_alike_is_alone(void **state)
{
    (void)state;
    struct pace p = {0};
    reached(&p, (struct machine){100e-6, 98e-6}, 0.3);
    assert_false(p.shared_is_chosen);
}

/* Neighbours come, and go again. */
static void test_a_change_is_noticed(void **state)
{
    (void)state;
    static const struct machine quiet = {100e-6, 60e-6}, busy = {150e-6, 400e-6};
    struct pace p = {0};
    for (int i = 0; i < 5; i++) {
        reached(&p, quiet, 2);
        assert_true(p.shared_is_chosen);
        assert_true(reached(&p, quiet, 1) > 0.97);
        reached(&p, busy, 1);
        assert_false(p.shared_is_chosen);
        assert_true(reached(&p, busy, 1) > 0.95);
    }
}

/* Interruptions ten times as long as a pass strike both ways alike: in the mean the better one is
 * kept. */
static void test_interruptions_are_averaged(void **state)
{
    (void)state;
    struct pace p = {0};
    uint32_t dice = 1;
    double spent = 0, passes = 0;
    for (; spent < 20; passes++) {
        dice = dice * 1664525 + 1013904223;
        const bool struck = dice >> 24 < 8;
        const double pass = (pace_shared(&p) ? 130e-6 : 100e-6) + struck * 3e-3;
        spent += pass;
        pace_note(&p, 1, pass);
    }
    const double best = 100e-6 + 3e-3 * 8 / 256;
    assert_true(passes * best / spent > 0.93); /* always shared: 0.87 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_pass_is_alone),
        cmocka_unit_test(test_the_better_way_is_found),
        cmocka_unit_test(test_alike_is_alone),
        cmocka_unit_test(test_a_change_is_noticed),
        cmocka_unit_test(test_interruptions_are_averaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
