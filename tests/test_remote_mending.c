/*
 * What breaks between an engine and its server, in every dialect: it is mended, and neither loses
 * nor doubles a token, or it is a fault that names the server; in any case there is an end soon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote_far.h"

#include <math.h>

enum { PROMPT = 5, SURE = 5 };

static ead_wire account(void)
{
    return remote_engine_account(far.engine);
}

/* An engine of a server that does this with the first requests, at a patience of so many seconds.
 */
static void begin(const struct dialect *d, const struct act *acts, int n, double patience)
{
    struct remote_options o = far_options();
    far_begin(d);
    if (patience > 0) o.patience.first = o.patience.between = patience;
    far_open(&o, 1);
    for (int i = 0; i < n; i++) far.site->acts[i] = acts[i];
    far.site->n_acts = n;
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void test_passing_refusals(void **state)
{
    static const struct act acts[] = {{DEED_STATUS, 0, "500 Internal", NULL},
                                      {DEED_STATUS, 0, "503 Busy", NULL},
                                      {DEED_STATUS, 0, "408 Late", NULL},
                                      {DEED_STATUS, 0, "502 Bad", "Content-Type: text/html\r\n"},
                                      {DEED_STATUS, 0, "429 Slow", "Retry-After-Ms: 20\r\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        begin(&dialect_vllm, &acts[i], 1, 0);
        far_prompt(0, PROMPT, 0);
        far_write(0, 3);
        far_asked(0, &far.texts[0], PROMPT, WIRE_AHEAD);
        far_asked(1, &far.texts[0], PROMPT, WIRE_AHEAD);
        assert_int_equal(account().retries, 1);
    }
}

/* As long as the server asks for, though the own pause were shorter. */
static void test_retry_after(void **state)
{
    static const struct act act = {DEED_STATUS, 0, "429 Slow", "Retry-After-Ms: 300\r\n"};
    (void)state;
    begin(&dialect_vllm, &act, 1, 0);
    far_prompt(0, PROMPT, 0);
    const double begun = clock_seconds();
    far_next(0);
    assert_true(clock_seconds() - begun >= 0.3);
}

/* Nobody waits for as long. */
static void test_retry_too_late(void **state)
{
    static const struct act act = {DEED_STATUS, 0, "429 Slow", "Retry-After: 60\r\n"};
    (void)state;
    begin(&dialect_vllm, &act, 1, 0);
    far_prompt(0, PROMPT, 0);
    far_fault(ST_IO, "status 429: so it is; try again in 60 s");
    assert_int_equal(site_requests(EAD_LARGE), 1);
}

static void test_lasting_refusals(void **state)
{
    static const struct {
        struct act act;
        enum status st;
    } refusals[] = {{{DEED_STATUS, 0, "400 No", NULL}, ST_ARG},
                    {{DEED_STATUS, 0, "401 No", NULL}, ST_IO},
                    {{DEED_STATUS, 0, "404 No", NULL}, ST_IO},
                    {{DEED_STATUS, 0, "302 There", "Location: /there\r\n"}, ST_IO}};
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char status[16];
        begin(&dialect_vllm, &refusals[i].act, 1, 0);
        far_prompt(0, PROMPT, 0);
        snprintf(status, sizeof status, "%.3s", refusals[i].act.status);
        far_fault(refusals[i].st, i < 3 ? status : "");
        assert_int_equal(site_requests(EAD_LARGE), 1);
        far_cut(0, PROMPT - 1); /* and the text can go on behind it */
        far_prompt(0, 1, 0);
        far_write(0, 2);
    }
}

/* Retries are counted from one token to the next. */
static void test_how_often(void **state)
{
    struct act acts[20];
    (void)state;
    for (int i = 0; i < 20; i++) acts[i] = (struct act){DEED_RESET, 1, NULL, NULL};
    begin(&dialect_vllm, acts, 20, 0);
    far_prompt(0, PROMPT, 0);
    far_write(0, 22);
    assert_int_equal(account().retries, 20);
    for (int i = 0; i < 20; i++) acts[i].after = 0;
    begin(&dialect_vllm, acts, 20, 0);
    far_prompt(0, PROMPT, 0);
    far_fault(ST_IO, "the connection broke");
    assert_int_equal(site_requests(EAD_LARGE), 4);
    assert_int_equal(account().retries, 3);
}

/* ---- breaks -------------------------------------------------------------------------------- */

static const char *const deeds[] = {"gives",  "refuses", "leaves", "resets", "ends",
                                    "halves", "garbles", "stalls", "pings",  "stops"};

/* An answer of SURE tokens breaks behind `after`; what is missing is asked for, and nothing else.
 */
static void check_break(const struct dialect *d, enum deed deed, int after, double patience)
{
    const struct act act = {deed, after, NULL, NULL};
    struct result r;
    print_message("%s: %s behind %d\n", d->name, deeds[deed], after);
    begin(d, &act, 1, patience);
    far_expect(0, SURE);
    far_prompt(0, PROMPT, 0);
    far_write(0, 2 * SURE + 1);
    far_asked(1, &far.texts[0], PROMPT + after, after == SURE ? SURE : SURE - after);
    assert_int_equal(account().retries, after < SURE);
    assert_int_equal(account().discarded, 0);
    far_next(0);
    for (int i = 0; i < 3; i++) assert_false(engine_collect(far.engine, false, &r));
}

static void test_breaks(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i); i++)
        for (enum deed deed = DEED_LEAVE; deed <= DEED_GARBAGE; deed++)
            for (int after = 0; after <= SURE; after += after ? 2 : 1)
                check_break(dialect_at(i), deed, after, 0);
}

/* Comments are no tokens. */
static void test_time_outs(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i); i++) {
        check_break(dialect_at(i), i % 2 ? DEED_PING : DEED_STALL, i % 3 ? 2 : 0, 0.4);
        check_break(dialect_at(i), i % 2 ? DEED_STALL : DEED_PING, SURE, 0.4);
    }
}

static void test_time_out_says_so(void **state)
{
    struct act acts[4];
    (void)state;
    for (int after = 0; after <= 2; after += 2) {
        for (int i = 0; i < 4; i++) acts[i] = (struct act){DEED_PING, i ? 0 : after, NULL, NULL};
        begin(&dialect_vllm, acts, 4, 0.1);
        far_prompt(0, PROMPT, 0);
        far_write(0, after);
        far_fault(ST_IO, "no token for 0.1 s");
    }
}

/* Time-outs of the two kinds are two numbers. */
static void test_two_patiences(void **state)
{
    struct remote_options o = far_options();
    (void)state;
    o.patience.between = 0.2;
    far_begin(&dialect_vllm);
    far_open(&o, 1);
    far.site->acts[0] = (struct act){DEED_PING, 2, NULL, NULL};
    far.site->n_acts = 1;
    far_prompt(0, PROMPT, 0);
    const double begun = clock_seconds();
    far_write(0, 4);
    assert_true(clock_seconds() - begun >= 0.2 && clock_seconds() - begun < 4);
}

/* What fails is the one text's, and others go on. */
static void test_one_of_two(void **state)
{
    const struct remote_options o = far_options();
    (void)state;
    far_begin(&dialect_vllm);
    far_open(&o, 2);
    far.site->acts[0] = (struct act){DEED_STATUS, 0, "404 No", NULL};
    far.site->n_acts = 1;
    far_prompt(0, PROMPT, 0);
    const struct result r = far_fault(ST_IO, "404");
    assert_int_equal(r.seq, 0);
    far_prompt(1, PROMPT, 1);
    far_write(1, 3);
}

/* ---- ends ---------------------------------------------------------------------------------- */

/* A text that ends without a word ends with the vocabulary's own token. */
static void test_silent_end(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i); i++)
        for (int k = 0; k < 4; k++) {
            const int after = k < 2 ? 0 : 3;
            const struct act act = {k % 2 ? DEED_CUT : DEED_STOP, after, NULL, NULL};
            begin(dialect_at(i), &act, 1, 0);
            far_prompt(0, PROMPT, 0);
            far_write(0, after);
            const struct result r = far_await();
            assert_int_equal(r.status, ST_OK);
            assert_int_equal(r.drawn, TINY_EOS);
            assert_true(r.dist.n_top == 1 && r.dist.top[0].id == TINY_EOS);
            assert_true(r.dist.stats.entropy_lo == 0 && !r.dist.stats.exact);
            far_same(r.dist.stats.entropy_hi, log2f(SCRIPT_VOCAB), "its upper bound");
            const int32_t end = TINY_EOS;
            far_give(0, &end, 1); /* whoever ignores ends goes on behind it */
            far_write(0, 2);
            far_asked(1, &far.texts[0], PROMPT + after + 1, WIRE_AHEAD);
            assert_int_equal(account().retries, 0);
        }
}

static void test_full(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i); i++) {
        begin(dialect_at(i), NULL, 0, 0);
        far.site->room = PROMPT + 4;
        far_prompt(0, PROMPT, 0);
        far_write(0, 4);
        far_fault(ST_FULL, "the server's context is full after 9 tokens");
    }
}

/* A text may fill the server's context, and nothing is asked for that it does not hold, which
 * servers would refuse. */
static void test_to_the_end(void **state)
{
    enum { CTX = 24 };
    (void)state;
    for (size_t i = 0; dialect_at(i); i++)
        for (int sure = 1; sure <= 1000; sure += 999) {
            const struct remote_options o = far_options();
            far_begin(dialect_at(i));
            sites[EAD_LARGE].context = CTX;
            far_open(&o, 1);
            const int n_ctx = far.engine->info.n_ctx;
            assert_int_equal(n_ctx, CTX - !dialect_at(i)->exact);
            far_expect(0, sure);
            far_prompt(0, PROMPT, 0);
            far_write(0, n_ctx - PROMPT);
            (void)far_next(0); /* the text's last, which no context needs to hold */
            far_asked(0, &far.texts[0], PROMPT, n_ctx + 1 - PROMPT);
            assert_int_equal(site_requests(EAD_LARGE), 1);
        }
}

/* The end of an answer whose tokens have all come is not waited for, and costs no connection. */
static void test_late_end(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i); i++) {
        begin(dialect_at(i), NULL, 0, 0);
        far.site->end_us = 20000;
        far_expect(0, SURE);
        far_prompt(0, PROMPT, 0);
        far_write(0, SURE - 1);
        far_next(0);
        far_expect(0, 0); /* the other model writes for a while */
        usleep(60000);
        const int32_t other = 9;
        far_give(0, &other, 1);
        far_expect(0, SURE);
        far_next(0);
        far_asked(1, &far.texts[0], PROMPT + SURE, SURE);
        assert_int_equal(site_asked(EAD_LARGE, 1).port, site_asked(EAD_LARGE, 0).port);
        assert_int_equal(account().discarded, 0);
    }
}

/* ---- lost tokens --------------------------------------------------------------------------- */

/* Tokens that llama-server does not tell of are probed: the text has them, with what is known. */
static void test_lost(void **state)
{
    int probes = 0;
    (void)state;
    for (int lossy = 1; lossy <= 4; lossy++) {
        begin(&dialect_llamacpp, NULL, 0, 0);
        far.site->lossy = lossy;
        far_expect(0, lossy % 2 ? SURE : 1);
        far_prompt(0, PROMPT, 0);
        far_write(0, 40);
        for (int i = 0; i < site_requests(EAD_LARGE); i++) {
            const struct site_asked a = site_asked(EAD_LARGE, i);
            if (a.force < 0) continue;
            assert_true(!a.stream && a.max_tokens == 1);
            assert_memory_equal(a.ids, far.texts[0].ids, (size_t)a.n * sizeof *a.ids);
            const int32_t id = site_next(far.site, a.ids, a.n, true);
            assert_true(id % lossy == 0);
            probes++;
        }
        assert_int_equal(account().retries, 0);
    }
    assert_true(probes > 40);
}

/* Above temperature 0 nobody knows what the server drew: its distribution is told, and whoever
 * draws is followed. */
static void test_lost_draw(void **state)
{
    (void)state;
    begin(&dialect_llamacpp, NULL, 0, 0);
    far.site->lossy = 1;
    far.sampler.temperature = 1;
    far_expect(0, 1);
    far_prompt(0, PROMPT, 0);
    for (int i = 0; i < 5; i++) {
        const struct result r = far_await();
        if (r.status) fail_msg("%s", r.message);
        assert_int_equal(r.drawn, -1);
        assert_int_equal(r.dist.n_top, FAR_TOP);
        const int32_t id = r.dist.top[3].id;
        far_give(0, &id, 1);
    }
}

/* ---- who is there -------------------------------------------------------------------------- */

static enum status open_at(struct remote **r, const struct remote_options *o, struct err *err)
{
    char address[128];
    site_address(EAD_LARGE, address);
    *r = NULL;
    return remote_open(address, far.names->vocab, SCRIPT_VOCAB, o, r, err);
}

static void test_questions_are_repeated(void **state)
{
    struct remote_options o = far_options();
    struct remote *r;
    struct err err;
    (void)state;
    far_begin(&dialect_vllm);
    sites[EAD_LARGE].refusals = 3;
    assert_int_equal(open_at(&r, &o, &err), ST_OK);
    remote_close(r);
    sites[EAD_LARGE].refusals = 100;
    assert_int_equal(open_at(&r, &o, &err), ST_IO);
    assert_non_null(strstr(err.message, "/large/v1: status 503: not yet"));
    assert_int_equal(sites[EAD_LARGE].refusals, 96);
    sites[EAD_LARGE].refusals = 0;
}

static void test_another_vocabulary(void **state)
{
    const struct remote_options o = far_options();
    struct remote *r;
    struct err err;
    (void)state;
    for (size_t i = 0; dialect_at(i); i++) {
        far_begin(dialect_at(i));
        sites[EAD_LARGE].shift = 1;
        const enum status st = open_at(&r, &o, &err);
        assert_int_equal(st, dialect_at(i)->tokenize ? ST_ARG : ST_OK);
        if (st) assert_non_null(strstr(err.message, "/large/v1: its vocabulary is another"));
        remote_close(r);
    }
}

static void test_fewer_than_wanted(void **state)
{
    const struct remote_options o = far_options();
    (void)state;
    far_begin(&dialect_vllm);
    sites[EAD_LARGE].top_max = 5;
    far_open(&o, 1);
    assert_non_null(strstr(remote_note(far.remote, 0), "tells at most 5 log-probabilities"));
    far_prompt(0, PROMPT, 0);
    assert_int_equal(far_await().dist.n_top, 5);
}

/* The server is gone: it says so, at once and when it was there before. */
static void test_nobody(void **state)
{
    struct remote_options o = far_options();
    struct remote *r;
    struct err err;
    begin(&dialect_vllm, NULL, 0, 0);
    far_prompt(0, PROMPT, 0);
    far_write(0, WIRE_AHEAD - 1);
    far_next(0);
    stop_server(state);
    far_give(0, &(int32_t){5}, 1);
    far_fault(ST_IO, "cannot connect");
    assert_int_equal(open_at(&r, &o, &err), ST_IO);
    assert_non_null(strstr(err.message, "cannot connect"));
    far_close();
    assert_int_equal(start_server(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passing_refusals),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_too_late),
        cmocka_unit_test(test_lasting_refusals),
        cmocka_unit_test(test_how_often),
        cmocka_unit_test(test_breaks),
        cmocka_unit_test(test_time_outs),
        cmocka_unit_test(test_time_out_says_so),
        cmocka_unit_test(test_two_patiences),
        cmocka_unit_test(test_one_of_two),
        cmocka_unit_test(test_silent_end),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_to_the_end),
        cmocka_unit_test(test_late_end),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_lost_draw),
        cmocka_unit_test(test_questions_are_repeated),
        cmocka_unit_test(test_another_vocabulary),
        cmocka_unit_test(test_fewer_than_wanted),
        cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, far_set_up, far_tear_down);
}
