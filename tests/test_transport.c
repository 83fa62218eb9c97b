/* Requests over HTTP against a server of our own, which does by path whatever a server may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/transport.h"
#include "test_transport_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 40, LONG = 2000000 };
#define KEY   "sk-none-may-see-this"
#define STARS "********************"

static void wait_for(atomic_int *counter, int wanted)
{
    const double begin = clock_seconds();
    while (atomic_load(counter) != wanted && clock_seconds() - begin < 10) usleep(1000);
    assert_int_equal(atomic_load(counter), wanted);
}

/* ---- the client -------------------------------------------------------------------------- */

static struct transport *open_with(const struct transport_options *o)
{
    struct transport *t = NULL;
    struct err err = {0};
    if (transport_open(o, &t, &err)) fail_msg("%s", err.message);
    return t;
}

static struct transport *open_plain(void)
{
    return open_with(&(struct transport_options){0});
}

static const char *url_of(const char *path)
{
    static char url[8][256];
    static int turn;
    char *to = url[turn++ % 8];
    snprintf(to, 256, "http://127.0.0.1:%d%s", server.port, path);
    return to;
}

/* What came of one request. */
struct seen {
    struct transport *transport;
    char text[512], body[512], why[512];
    size_t n;
    int begun, pieces, overs;
    int enough;        /* pieces after which no more are wanted; 0: all are */
    struct seen *next; /* started by the first piece or the end, whichever `from_end` says */
    const char *next_path;
    bool from_end;
    struct transfer *victims[2]; /* cancelled by the first piece */
    struct answer answer;
};

static struct transfer *start(struct seen *s, const char *path, bool streams);

static bool on_begin(void *context, const struct answer *head)
{
    struct seen *s = context;
    s->begun++;
    assert_int_equal(s->pieces, 0);
    s->answer = *head;
    return true;
}

static void start_next(struct seen *s)
{
    if (s->next_path) start(s->next, s->next_path, false);
    s->next_path = NULL;
}

static bool on_piece(void *context, const char *bytes, size_t n)
{
    struct seen *s = context;
    assert_true(s->begun == 1 && s->n + n < sizeof s->text);
    memcpy(s->text + s->n, bytes, n);
    s->n += n;
    for (int i = 0; i < 2; i++) {
        transfer_cancel(s->victims[i]);
        s->victims[i] = NULL;
    }
    if (!s->from_end) start_next(s);
    return ++s->pieces != s->enough;
}

static void on_over(void *context, const struct answer *a)
{
    struct seen *s = context;
    s->overs++;
    s->answer = *a;
    snprintf(s->body, sizeof s->body, "%s", a->body->data ? a->body->data : "");
    snprintf(s->why, sizeof s->why, "%s", a->why ? a->why : "");
    assert_int_equal(!a->code, !a->why);
    if (s->from_end) start_next(s);
}

static struct transfer *start_request(struct seen *s, const struct request *q)
{
    struct transfer *x = NULL;
    struct err err = {0};
    const struct receiver r = {s, on_begin, on_piece, on_over};
    if (transport_start(s->transport, q, &r, &x, &err)) fail_msg("%s", err.message);
    return x;
}

static struct transfer *start(struct seen *s, const char *path, bool streams)
{
    return start_request(s, &(struct request){.url = url_of(path), .streams = streams});
}

/* Until *counter is `wanted`. */
static void turn_until(struct transport *t, const int *counter, int wanted)
{
    const double begin = clock_seconds();
    while (*counter < wanted && clock_seconds() - begin < 10) transport_turn(t, 100);
    assert_int_equal(*counter, wanted);
}

static enum status wait_with(struct transport *t, const struct request *q, struct answer *a,
                             struct err *err)
{
    return transport_wait(t, q, NULL, NULL, NULL, a, err);
}

/* ---- what is whole ----------------------------------------------------------------------- */

/* Both sides count the same. */
static void expect_bytes(struct transport *t)
{
    const struct transport_account account = transport_account(t);
    transport_close(t);
    wait_for(&server.open, 0);
    assert_int_equal(account.bytes_in, server.sent);
    assert_int_equal(account.bytes_out, server.received);
}

static void test_get_and_reuse(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    for (int i = 0; i < 3; i++) {
        struct seen s = {.transport = t};
        start(&s, "/hello", i == 1); /* a plain type is kept even where a stream was hoped for */
        turn_until(t, &s.overs, 1);
        assert_int_equal(s.answer.code, ST_OK);
        assert_int_equal(s.answer.status, 200);
        assert_int_equal(s.answer.length, 5);
        assert_string_equal(s.answer.type, "text/plain");
        assert_string_equal(s.body, "hello");
        assert_true(s.answer.connected && !s.answer.cut && !s.begun && !s.pieces);
        assert_int_equal(transport_turn(t, 0), 0);
    }
    const struct transport_account account = transport_account(t);
    assert_int_equal(server.accepted, 1);
    assert_int_equal(account.connections, 1);
    assert_int_equal(account.requests, 3);
    expect_bytes(t);
}

static void test_post(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct answer a;
    struct err err;
    char *body = malloc(LONG + 1);
    memset(body, 'a', LONG);
    body[LONG] = 0;
    const struct request q = {
        .url = url_of("/echo"), .body = body, .bytes = LONG, .body_max = LONG};
    assert_int_equal(wait_with(t, &q, &a, &err), ST_OK);
    assert_int_equal(a.status, 200); /* and not asked whether a body may come */
    assert_int_equal(a.body->len, LONG);
    assert_string_equal(a.body->data, body);
    free(body);
    const struct request empty = {.url = url_of("/echo"), .body = "", .bytes = 0};
    assert_int_equal(wait_with(t, &empty, &a, &err), ST_OK);
    assert_int_equal(a.body->len, 0);
    assert_int_equal(server.accepted, 1);
    expect_bytes(t);
}

static void test_stream(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct seen s = {.transport = t};
    start(&s, "/bytes", true);
    assert_int_equal(server.accepted, 0); /* nothing is sent before the first turn */
    turn_until(t, &s.overs, 1);
    assert_string_equal(s.text, stream_text);
    assert_string_equal(s.body, "");
    assert_int_equal(s.begun, 1);
    assert_int_equal(s.answer.code, ST_OK);
    assert_int_equal(s.answer.length, -1);
    /* whole: the next one goes over the same connection */
    struct seen again = {.transport = t};
    start(&again, "/hello", false);
    turn_until(t, &again.overs, 1);
    assert_int_equal(server.accepted, 1);
    expect_bytes(t);
}

static void test_ranges(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct seen part = {.transport = t}, whole = part, beyond = part;
    start_request(&part, &(struct request){.url = url_of("/file"), .range = "4-", .streams = true});
    turn_until(t, &part.overs, 1);
    assert_string_equal(part.text, "456789");
    assert_int_equal(part.answer.status, 206);
    assert_int_equal(part.answer.length, 6);
    /* a server that knows no ranges is seen as such before the first piece */
    start_request(&whole,
                  &(struct request){.url = url_of("/hello"), .range = "4-", .streams = true});
    turn_until(t, &whole.overs, 1);
    assert_string_equal(whole.text, "hello");
    assert_int_equal(whole.answer.status, 200);
    start_request(&beyond,
                  &(struct request){.url = url_of("/file"), .range = "10-", .streams = true});
    turn_until(t, &beyond.overs, 1);
    assert_int_equal(beyond.answer.status, 416);
    assert_int_equal(beyond.begun, 0);
    transport_close(t);
}

static void test_many_at_once(void **state)
{
    (void)state;
    for (int bound = 0; bound <= 3; bound += 3) {
        struct transport *t = open_with(&(struct transport_options){.connections = bound});
        struct seen *all = calloc(MANY, sizeof *all);
        atomic_store(&server.most_open, 0);
        for (int i = 0; i < MANY; i++) {
            all[i].transport = t;
            start(&all[i], i % 2 ? "/bytes" : "/hello", i % 2);
        }
        assert_int_equal(transport_turn(t, 0), MANY);
        for (int i = 0; i < MANY; i++) turn_until(t, &all[i].overs, 1);
        for (int i = 0; i < MANY; i++)
            assert_string_equal(i % 2 ? all[i].text : all[i].body, i % 2 ? stream_text : "hello");
        assert_int_equal(transport_account(t).requests, MANY);
        if (bound) assert_in_range(transport_account(t).connections, 1, bound);
        free(all);
        transport_close(t);
        wait_for(&server.open, 0);
        if (bound) assert_in_range(server.most_open, 1, bound);
    }
}

/* To wait for a place is not to connect. */
static void test_a_place_comes_late(void **state)
{
    (void)state;
    struct transport *t =
        open_with(&(struct transport_options){.connections = 1, .connect_ms = 100});
    struct seen late = {.transport = t}, next = late;
    start(&late, "/late", false);
    start(&next, "/hello", false);
    turn_until(t, &next.overs, 1);
    assert_string_equal(late.body, "late");
    assert_string_equal(next.body, "hello");
    transport_close(t);
}

/* ---- what is ended ----------------------------------------------------------------------- */

static void test_cancel(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct seen s = {.transport = t}, silent = s, unsent = s, next = s;
    struct transfer *x = start(&s, "/stall", true);
    turn_until(t, &s.pieces, 1);
    transfer_cancel(x);
    wait_for(&server.gone, 1); /* without a turn */
    x = start(&silent, "/nothing", true);
    const double begin = clock_seconds();
    assert_int_equal(transport_turn(t, 300), 1);
    assert_true(clock_seconds() - begin >= 0.3); /* nothing comes: all of the time was waited */
    transfer_cancel(x);
    wait_for(&server.gone, 2);
    transfer_cancel(start(&unsent, "/hello", false));
    transfer_cancel(NULL);
    assert_int_equal(transport_turn(t, 0), 0);
    start(&next, "/hello", false);
    turn_until(t, &next.overs, 1);
    assert_int_equal(server.asked, 3);
    assert_int_equal(s.overs + silent.overs + unsent.overs, 0);
    transport_close(t);
}

static void test_enough(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct seen s = {.transport = t, .enough = 1};
    start(&s, "/stall", true);
    turn_until(t, &s.overs, 1);
    assert_int_equal(s.answer.code, ST_OK);
    assert_string_equal(s.text, "data: one\n\n");
    wait_for(&server.gone, 1);
    transport_close(t);
}

/* The others are cancelled and another one is started while libcurl is inside of this one. */
static void test_callbacks_cancel_and_start(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct seen next = {.transport = t}, last = next, a = next, b = next,
                s = {.transport = t, .enough = 1, .next = &next, .next_path = "/hello"};
    next.from_end = true;
    next.next = &last;
    next.next_path = "/hello";
    s.victims[0] = start(&a, "/nothing", true);
    transport_turn(t, 50);
    start(&s, "/stall", true);
    s.victims[1] = start(&b, "/stall", true);
    turn_until(t, &s.overs, 1);
    turn_until(t, &last.overs, 1);
    assert_int_equal(transport_turn(t, 0), 0);
    assert_int_equal(a.overs + b.overs, 0);
    assert_string_equal(next.body, "hello");
    assert_string_equal(last.body, "hello");
    wait_for(&server.gone, server.accepted - 1);
    transport_close(t);
}

/* Both have come when libcurl looks; whichever is handed out first cancels the other. */
static void test_cancelled_is_handed_nothing(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct seen a = {.transport = t}, b = a;
    struct transfer *x = start(&a, "/bytes", true), *y = start(&b, "/bytes", true);
    a.victims[0] = y;
    b.victims[0] = x;
    for (int i = 0; i < 50 && !a.pieces && !b.pieces; i++) {
        transport_turn(t, 0);
        usleep(20000);
    }
    turn_until(t, a.pieces ? &a.overs : &b.overs, 1);
    assert_true(!a.pieces != !b.pieces);
    assert_int_equal(a.begun + b.begun, 1);
    assert_int_equal(a.overs + b.overs, 1);
    transport_close(t);
}

static void test_close_cancels(void **state)
{
    (void)state;
    struct transport *t = open_with(&(struct transport_options){.connections = 1});
    struct seen s = {.transport = t}, waits = s;
    start(&s, "/stall", true);
    start(&waits, "/hello", false);
    turn_until(t, &s.pieces, 1);
    transport_close(t);
    wait_for(&server.gone, 1);
    assert_int_equal(s.overs + waits.overs, 0);
    assert_int_equal(server.asked, 1);
}

static bool be_patient(void *context)
{
    return --*(int *)context > 0;
}

static void test_patience(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct answer a;
    struct err err;
    int left = 3;
    const struct request q = {.url = url_of("/nothing?secret=1")};
    const double begin = clock_seconds();
    assert_int_equal(transport_wait(t, &q, NULL, be_patient, &left, &a, &err), ST_CANCELLED);
    assert_null(strstr(err.message, "secret"));
    assert_true(clock_seconds() - begin < 2);
    wait_for(&server.gone, 1);
    transport_close(t);
}

/* ---- what breaks ------------------------------------------------------------------------- */

static void expect_broken(struct transport *t, const char *path, const char *what, bool connected)
{
    struct seen s = {.transport = t};
    start(&s, path, true);
    turn_until(t, &s.overs, 1);
    assert_int_equal(s.answer.code, ST_IO);
    assert_int_equal(s.answer.connected, connected);
    assert_non_null(strstr(s.why, what));
    assert_ptr_equal(strstr(s.why, url_of("")), s.why);
    assert_null(strstr(s.why, KEY));
}

static void test_broken(void **state)
{
    (void)state;
    struct transport *t = open_with(&(struct transport_options){.key = KEY});
    expect_broken(t, "/reset", "the connection broke: ", true);
    expect_broken(t, "/half", "the connection broke: ", true);
    expect_broken(t, "/empty", "the connection broke: ", true);
    expect_broken(t, "/heads", "the head of the answer is longer than", true);
    expect_broken(t, "/garbage", ": ", true);
    transport_close(t);
}

static void test_nobody_is_there(void **state)
{
    (void)state;
    struct transport *t = open_with(&(struct transport_options){.key = KEY});
    const int port = server.port, other = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    assert_int_equal(bind(other, (struct sockaddr *)&address, n), 0); /* and nobody listens */
    assert_int_equal(getsockname(other, (struct sockaddr *)&address, &n), 0);
    server.port = ntohs(address.sin_port);
    expect_broken(t, "/x", "cannot connect: ", false);
    server.port = port;
    close(other);
    transport_close(t);
}

static void test_too_long(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct answer a;
    struct err err;
    struct request q = {.url = url_of("/big"), .body_max = 1000};
    assert_int_equal(wait_with(t, &q, &a, &err), ST_OK);
    assert_true(a.cut);
    assert_int_equal(a.body->len, 1000);
    assert_int_equal(answer_check(&a, "there", NULL, &err), ST_IO);
    assert_string_equal(err.message,
                        "there: the answer is longer than the 1000 bytes that are taken");
    q.body_max = BIG;
    assert_int_equal(wait_with(t, &q, &a, &err), ST_OK);
    assert_true(!a.cut && a.body->len == BIG && strlen(a.body->data) == BIG);
    assert_int_equal(answer_check(&a, "there", NULL, &err), ST_OK);
    q.body_max = (size_t)ANSWER_BODY_MAX + 1;
    assert_int_equal(wait_with(t, &q, &a, &err), ST_ARG);
    transport_close(t);
}

/* ---- what is refused --------------------------------------------------------------------- */

static void expect_retry(struct transport *t, const char *path, long least, long most,
                         const char *said)
{
    struct answer a;
    struct err err;
    assert_int_equal(wait_with(t, &(struct request){.url = url_of(path)}, &a, &err), ST_OK);
    assert_in_range(a.retry_after_ms, least, most);
    assert_int_equal(answer_check(&a, "there", "text/plain", &err), ST_IO);
    assert_string_equal(err.message, said);
}

static void test_retry_after(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct answer a;
    struct err err;
    expect_retry(t, "/seconds", 7000, 7000, "there: status 429; try again in 7 s");
    expect_retry(t, "/milliseconds", 1500, 1500, "there: status 429; try again in 2 s");
    expect_retry(t, "/never", 0, 0, "there: status 429; try again later");
    assert_int_equal(wait_with(t, &(struct request){.url = url_of("/date")}, &a, &err), ST_OK);
    assert_in_range(a.retry_after_ms, 20000, LONG);
    transport_close(t);
}

static void expect_said(struct transport *t, const char *path, const char *wanted, enum status st,
                        const char *said)
{
    struct answer a;
    struct err err = {0};
    assert_int_equal(wait_with(t, &(struct request){.url = url_of(path)}, &a, &err), ST_OK);
    assert_int_equal(answer_check(&a, "there", wanted, &err), st);
    assert_string_equal(err.message, said);
}

static void test_sentences(void **state)
{
    (void)state;
    struct transport *t = open_with(&(struct transport_options){.key = KEY});
    expect_said(t, "/hello", NULL, ST_OK, "");
    expect_said(t, "/hello", "text/", ST_OK, "");
    expect_said(t, "/hello", "application/json", ST_IO,
                "there: expected application/json, found text/plain: hello");
    expect_said(t, "/page", NULL, ST_IO,
                "there: status 502, and a page in place of an answer: Bad?Gateway; a proxy?");
    char moved[256];
    snprintf(moved, sizeof moved, "there: status 302: it has moved to %s, and that is not followed",
             url_of("/there"));
    expect_said(t, "/moved", NULL, ST_IO, moved);
    struct answer a;
    struct err err;
    assert_int_equal(wait_with(t, &(struct request){.url = url_of("/moved_key")}, &a, &err), ST_OK);
    assert_string_equal(a.link, url_of("/" STARS));
    /* the server says the key back */
    expect_said(t, "/key", NULL, ST_IO, "there: status 401: who is " STARS "?");
    transport_close(t);
}

static void test_broken_answers_say_why(void **state)
{
    (void)state;
    struct transport *t = open_plain();
    struct answer a;
    struct err err, again;
    assert_int_equal(wait_with(t, &(struct request){.url = url_of("/half?secret=1")}, &a, &err),
                     ST_IO);
    assert_string_equal(err.message, a.why);
    assert_null(strstr(err.message, "secret"));
    assert_int_equal(answer_check(&a, "there", NULL, &again), ST_IO);
    assert_string_equal(again.message, a.why);
    transport_close(t);
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    struct transport *t = NULL;
    struct err err;
    static const char *const keys[] = {"sk-x\r\nX: y", "sk-x\n",  "sk x",
                                       "sk-\x01",      "sk-\x7f", "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(transport_open(&(struct transport_options){.key = keys[i]}, &t, &err),
                         ST_ARG);
        assert_null(strstr(err.message, "sk"));
    }
    t = open_plain();
    static const struct request wrong[] = {{.url = "file:///etc/passwd"},
                                           {.url = "127.0.0.1:9"},
                                           {.url = "ftp://127.0.0.1/"},
                                           {.url = "http://me:" KEY "@127.0.0.1:9/"},
                                           {.url = ""},
                                           {.url = "me:" KEY "@127.0.0.1/"},
                                           {.url = "http://127.0.0.1:9/", .range = "0-\r\nX: y"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer a;
        assert_int_equal(wait_with(t, &wrong[i], &a, &err), ST_ARG);
        assert_null(strstr(err.message, KEY));
    }
    expect_broken(t, "/a b", "", false);
    transport_close(t);
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start_server, stop_server)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_get_and_reuse),
        WITH_SERVER(test_post),
        WITH_SERVER(test_stream),
        WITH_SERVER(test_ranges),
        WITH_SERVER(test_many_at_once),
        WITH_SERVER(test_a_place_comes_late),
        WITH_SERVER(test_cancel),
        WITH_SERVER(test_enough),
        WITH_SERVER(test_callbacks_cancel_and_start),
        WITH_SERVER(test_cancelled_is_handed_nothing),
        WITH_SERVER(test_close_cancels),
        WITH_SERVER(test_patience),
        WITH_SERVER(test_broken),
        WITH_SERVER(test_nobody_is_there),
        WITH_SERVER(test_too_long),
        WITH_SERVER(test_retry_after),
        WITH_SERVER(test_sentences),
        WITH_SERVER(test_broken_answers_say_why),
        WITH_SERVER(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
