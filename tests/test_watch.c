/* Connections that are late are shut, by what they are about; others are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/watch.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES = 4 };

static struct watch watch;
static int ends[LINES][2]; /* the server's, the client's */
static struct watched *lines[LINES];

static int open_lines(void **state)
{
    struct err err;
    (void)state;
    if (watch_open(&watch, 1, 1, &err) != ST_OK) return 1;
    for (int i = 0; i < LINES; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i])) return 1;
        lines[i] = watch_add(&watch, ends[i][0]);
        if (!lines[i]) return 1;
    }
    return 0;
}

static int close_lines(void **state)
{
    (void)state;
    for (int i = 0; i < LINES; i++) {
        if (lines[i]) watch_drop(lines[i]);
        close(ends[i][0]);
        close(ends[i][1]);
    }
    watch_close(&watch);
    return 0;
}

/* Is it shut within so many milliseconds? */
static bool is_shut(int i, int ms)
{
    struct pollfd fd = {.fd = ends[i][1], .events = POLLIN};
    return poll(&fd, 1, ms) == 1;
}

static void test_late(void **state)
{
    (void)state;
    assert_int_equal(watch_count(&watch), LINES);
    watch_move(lines[0], 0);
    watch_move(lines[1], 3 * WATCH_RATE);
    watch_rest(lines[2]);
    watch_idle(lines[3]);
    assert_false(is_shut(0, 500));
    assert_true(is_shut(0, 1500)); /* after one, */
    assert_false(is_shut(3, 0));
    assert_true(is_shut(3, 2000)); /* two, */
    assert_false(is_shut(1, 500));
    assert_true(is_shut(1, 3000)); /* and four seconds */
    assert_false(is_shut(2, 0));
    watch_drop(lines[0]);
    watch_drop(lines[2]);
    lines[0] = lines[2] = NULL;
    assert_int_equal(watch_count(&watch), LINES - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_late, open_lines, close_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
