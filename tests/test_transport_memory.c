/* Wherever memory ends while something is asked of a server, all of it is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap.h"
#include "net/transport.h"
#include "test_transport_server.h"

#include <sys/wait.h>

#if HEAP_SEEN

#define KEY "sk-none-may-see-this"
enum { FAILURES_MAX = 100000 };

static pid_t child;
static int line; /* to it; it ends when the line does */

static int serve_apart(void **state, int to_us)
{
    char byte;
    if (start_server(state) || send(to_us, &server.port, sizeof server.port, 0) < 0) return 1;
    while (recv(to_us, &byte, 1, 0) > 0) continue;
    return stop_server(state);
}

/* The server is a process of its own: its memory does not end. */
static int start_apart(void **state)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return -1;
    child = fork();
    if (child < 0) return -1;
    close(ends[child != 0]);
    if (!child) _exit(serve_apart(state, ends[1]));
    line = ends[0];
    return recv(line, &server.port, sizeof server.port, MSG_WAITALL) == sizeof server.port ? 0 : -1;
}

static int stop_apart(void **state)
{
    int status = 0;
    (void)state;
    close(line);
    return waitpid(child, &status, 0) == child && !status ? 0 : -1;
}

static bool take(void *context, const char *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)context += n;
    return true;
}

static bool be_patient(void *context)
{
    return --*(int *)context > 0;
}

static enum status ask(struct transport *t, const char *path, bool streams, struct err *err)
{
    char url[128];
    size_t taken = 0;
    int patience = 50;
    struct answer a;
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    const struct request q = {.url = url, .body = "{}", .bytes = 2, .streams = streams};
    const struct receiver r = {.context = &taken, .take = take};
    const enum status st = transport_wait(t, &q, &r, be_patient, &patience, &a, err);
    if (!st) assert_int_equal(streams ? taken : a.body->len, streams ? strlen(stream_text) : 5);
    return st;
}

/* A connection, a stream over it, and one more answer over the same. */
static enum status converse(struct err *err)
{
    struct transport *t = NULL;
    TRY(transport_open(&(struct transport_options){.key = KEY, .ca_file = "/none"}, &t, err));
    enum status st = ask(t, "/bytes", true, err);
    if (!st) st = ask(t, "/hello", false, err);
    transport_close(t);
    return st;
}

static void test_memory_ends(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(converse(&err), ST_OK); /* what is set up once for the process */
    for (int for_good = 0; for_good < 2; for_good++) {
        bool failed = true;
        for (int n = 1; failed; n++) {
            const int held = heap_held;
            assert_in_range(n, 1, FAILURES_MAX);
            err.message[0] = 0;
            heap_fail_at(n, for_good);
            const enum status st = converse(&err);
            failed = heap_failed();
            assert_true(st == ST_OK || st == ST_MEMORY || st == ST_IO);
            if (!failed) assert_int_equal(st, ST_OK);
            /* libcurl 7.88 may go on where it got nothing, and then forgets a block itself */
            assert_in_range(heap_held, held, held + (failed && !st));
            if (st) assert_null(strstr(err.message, KEY));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory_ends, start_apart, stop_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return heap_skipped();
}

#endif
