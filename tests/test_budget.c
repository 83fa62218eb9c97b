/* The rows of prompts beside writers: what a machine that takes a + b * rows leads it to. */
#include "decode/budget.h"

#include "abort.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct machine {
    double step, row; /* seconds */
};

static double pass(const struct machine *m, int rows)
{
    return m->step + m->row * rows;
}

static void read_prompt(struct budget *b, const struct machine *m, int rows)
{
    for (int n; rows > 0; rows -= n) {
        n = budget_rows(b, EAD_LARGE);
        budget_learn(b, EAD_LARGE, n, pass(m, n));
    }
}

static void test_settles_below_the_stretch(void **state)
{
    (void)state;
    const struct machine machines[] = {{0.02, 0.004}, {0.03, 0.005}, {0.04, 0.002}, {0.01, 0.001}};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        const struct machine *m = &machines[i];
        struct budget b;
        budget_init(&b, 0);
        budget_learn(&b, EAD_LARGE, 0, m->step);
        read_prompt(&b, m, 1200);
        const double wanted = BUDGET_STRETCH * m->step;
        assert_true(pass(m, budget_rows(&b, EAD_LARGE)) <= wanted * 1.05);
        assert_true(pass(m, budget_rows(&b, EAD_LARGE) + 2) > wanted * 0.8);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct budget b;
    budget_init(&b, 0);
    budget_learn(&b, EAD_LARGE, 0, 0.01);
    read_prompt(&b, &(struct machine){0.01, 1}, 400);
    assert_int_equal(budget_rows(&b, EAD_LARGE), BUDGET_LEAST);
    read_prompt(&b, &(struct machine){0.01, 1e-6}, 20000);
    assert_int_equal(budget_rows(&b, EAD_LARGE), BUDGET_MOST);
    assert_int_equal(budget_rows(&b, EAD_SMALL), BUDGET_FIRST); /* an engine of its own */
}

static void test_what_nobody_notices_grows(void **state)
{
    (void)state;
    struct budget b;
    budget_init(&b, 0);
    budget_learn(&b, EAD_LARGE, 0, 1e-6);
    read_prompt(&b, &(struct machine){1e-6, 1e-5}, 20000);
    assert_int_equal(budget_rows(&b, EAD_LARGE), BUDGET_MOST);
}

static void test_unmeasured_and_fixed_stay(void **state)
{
    (void)state;
    struct budget b;
    budget_init(&b, 0);
    read_prompt(&b, &(struct machine){0.01, 0.001}, 400);
    assert_int_equal(budget_rows(&b, EAD_LARGE), BUDGET_FIRST);
    budget_init(&b, 17);
    budget_learn(&b, EAD_LARGE, 0, 0.01);
    read_prompt(&b, &(struct machine){0.01, 1}, 400);
    assert_int_equal(budget_rows(&b, EAD_LARGE), 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settles_below_the_stretch),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_what_nobody_notices_grows),
        cmocka_unit_test(test_unmeasured_and_fixed_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
