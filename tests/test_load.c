/* Whether processor time is told apart from waiting for it. */
#include "eval/load.h"
#include "neighbour.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void spin(double wanted)
{
    const double end = seconds(CLOCK_MONOTONIC) + wanted;
    while (seconds(CLOCK_MONOTONIC) < end) continue;
}

static void test_share(void **state)
{
    (void)state;
    assert_true(load_share((struct load){1, 0}) == 1);
    assert_true(load_share((struct load){1, 3}) == 0.25);
    assert_true(isnan(load_share((struct load){0, 0})));
    assert_true(isnan(load_share((struct load){NAN, NAN})));
}

/* What this process ran is what its own clock says, and sleep is neither run nor wait. */
static void test_ran(void **state)
{
    (void)state;
    struct load before = load_now();
    if (isnan(before.ran)) skip();
    const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    spin(0.3);
    const double ran = load_since(before).ran, mine = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    assert_true(fabs(ran - mine) < 0.03);
    before = load_now();
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    assert_true(load_since(before).ran < 0.05);
}

/* One processor, and a neighbour on it who never sleeps. */
static void test_neighbour(void **state)
{
    (void)state;
    struct neighbour neighbour;
    if (isnan(load_now().ran)) skip();
    assert_true(neighbour_start(&neighbour));
    const struct load before = load_now();
    spin(0.5);
    const struct load load = load_since(before);
    neighbour_stop(&neighbour);
    assert_true(load.waited > 0.1);
    assert_true(load_share(load) < 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_ran),
        cmocka_unit_test(test_neighbour),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
