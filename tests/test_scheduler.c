/* The scheduler without HTTP: requests go in, and what their replies hold comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"
#include "base/clock.h"
#include "heap.h"
#include "server/answer.h"
#include "server/inside.h"
#include "server/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 2, KEPT = 4, BODY_MAX = 2048 };

static struct server server;
static const char *small_name = "small.gguf"; /* of its file, without the folder */

/* With a cache of so many tokens; 0: as many as all texts need. */
static void serve(int cache_tokens)
{
    struct err err;
    const ead_duo_options standard = ead_duo_defaults();
    server = (struct server){.context = asking.context};
    server.models = (struct server_models){.models = {asking.models[0], asking.models[1]},
                                           .names = {small_name, "large.gguf"},
                                           .duo = standard,
                                           .slots = SLOTS,
                                           .kept = KEPT,
                                           .queue = 8};
    server.models.duo.n_ctx = ASKING_CTX;
    server.models.duo.threads = 1;
    server.models.duo.max_scores = ASKING_CTX;
    server.models.duo.cache_tokens = cache_tokens;
    metrics_init(&server.metrics);
    if (scheduler_open(&server, &server.scheduler, &err)) fail_msg("%s", err.message);
}

static int serve_all(void **state)
{
    (void)state;
    asking.context.chat = asking.plain;
    serve(0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    scheduler_close(server.scheduler);
    metrics_deinit(&server.metrics);
    return 0;
}

/* ---- requests ------------------------------------------------------------------------------ */

/* A request that was read; ' stands for ". */
static struct job *request(enum job_kind kind, const char *fields)
{
    char body[BODY_MAX];
    struct refusal r;
    struct job *j = tiny_must(job_open(NULL, kind, BODY_MAX));
    const int n = snprintf(body, sizeof body, "{%s}", fields);
    for (char *c = body; *c; c++) *c = *c == '\'' ? '"' : *c;
    if (!ask_parse(&server.context, kind == JOB_CHAT ? ASK_CHAT : ASK_COMPLETION, body, (size_t)n,
                   &j->ask, &r))
        fail_msg("%s: %s", fields, r.message);
    j->asked = true;
    const int choices = j->ask.n_prompts * j->ask.n;
    j->choices = tiny_must(calloc((size_t)choices, sizeof *j->choices));
    for (; j->n_choices < choices; j->n_choices++)
        assert_true(
            choice_init(&j->choices[j->n_choices], &j->ask, asking.models[1], j->n_choices));
    return j;
}

static void give(struct job *j)
{
    struct refusal r;
    if (!scheduler_take(server.scheduler, j, &r)) fail_msg("%s", r.message);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

/* It is nobody's but the test's. */
static bool is_done(struct job *j)
{
    return atomic_load(&j->holders) == 1;
}

static void wait_for(struct job *j)
{
    const double end = clock_seconds() + 20;
    while (!is_done(j) && clock_seconds() < end) nap();
    assert_true(is_done(j));
}

/* Its text stands still, for so many seconds now and before, or goes on. */
static void hold_up(struct job *j, bool full, double now, double before)
{
    pthread_mutex_lock(&j->reply.lock);
    j->reply.full = full;
    j->reply.full_since = clock_seconds() - now;
    j->reply.stalled = before;
    pthread_mutex_unlock(&j->reply.lock);
}

static struct metrics count(void)
{
    pthread_mutex_lock(&server.metrics.lock);
    const struct metrics now = server.metrics;
    pthread_mutex_unlock(&server.metrics.lock);
    return now;
}

/* So many texts are live, and so many wait. */
static void wait_until(int live, int waiting)
{
    const double end = clock_seconds() + 20;
    while (clock_seconds() < end) {
        const struct metrics m = count();
        if (m.live == live && m.waiting == waiting) return;
        nap();
    }
    const struct metrics m = count();
    fail_msg("%d texts are live and %d wait", m.live, m.waiting);
}

static int occurrences(const char *text, const char *of)
{
    int n = 0;
    while ((text = strstr(text, of))) n++, text++;
    return n;
}

/* ---- without memory ------------------------------------------------------------------------ */

/* A stream that does not end in the middle says all, or why not. */
static bool is_right_stream(const struct job *j)
{
    const struct reply *r = &j->reply;
    if (r->broken) return !strstr(r->out.data ? r->out.data : "", "[DONE]");
    if (!r->finished || r->gone || !r->out.data) return false;
    const char *text = r->out.data;
    if (strstr(text, "\"error\"")) return !strstr(text, "[DONE]");
    return occurrences(text, "[DONE]") == 1 &&
           occurrences(text, "\"finish_reason\":\"length\"") == j->n_choices &&
           occurrences(text, "\"role\":\"assistant\"") ==
               (j->ask.kind == ASK_CHAT ? j->n_choices : 0) &&
           occurrences(text, "\"total_tokens\"") == 1;
}

static bool is_right_whole(const struct job *j)
{
    const struct reply *r = &j->reply;
    if (r->broken) return true;
    return r->finished && !r->gone && (r->status == 200 || r->status == 503);
}

/* Allocation n of those that the scheduler makes fails, for every n. */
static void sweep(enum job_kind kind, const char *fields)
{
    bool failed = true;
    int n = 0;
    while (failed) {
        struct job *j = request(kind, fields);
        heap_fail_at(++n, false);
        give(j);
        wait_for(j);
        failed = heap_failed();
        if (!(j->ask.stream ? is_right_stream(j) : is_right_whole(j)))
            fail_msg("%s: allocation %d: %d, gone %d: %s", fields, n, j->reply.status,
                     j->reply.gone, j->reply.out.data);
        job_drop(j);
        assert_int_equal(count().cancelled, 0);
    }
    assert_true(n > 20);
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!HEAP_SEEN) skip();
    sweep(JOB_CHAT, "'messages':[{'role':'user','content':'a'}],'max_tokens':2,'ignore_eos':true,"
                    "'stream':true,'stream_options':{'include_usage':true}");
    sweep(JOB_COMPLETION, "'prompt':'qxjkqxjkqxjkqxjkqxjkqx','max_tokens':2,'ignore_eos':true,'"
                          "echo':true,'logprobs':1");
    sweep(JOB_COMPLETION, "'prompt':'ab','max_tokens':1,'ignore_eos':true,'echo':true,'logprobs':1,"
                          "'stream':true,'stream_options':{'include_usage':true}");
}

/* ---- faults -------------------------------------------------------------------------------- */

static void forbid_all(struct ask *a)
{
    const int n = server.context.n_vocab;
    free(a->bias);
    a->sampler.bias = a->bias = tiny_must(calloc((size_t)n, sizeof *a->bias));
    a->sampler.n_bias = n;
    for (int i = 0; i < n; i++) a->bias[i] = (ead_bias){i, -100};
}

/* A text that a model gives up on is told of by the file's name, and not by its folder. */
static void test_fault(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    const struct tiny_spec spec = tiny_spec("llama", QT_F32);
    ead_model *before = asking.models[EAD_SMALL];
    tiny_save_model(tiny_model(&spec), path);
    assert_false(ead_model_open(path, NULL, &asking.models[EAD_SMALL], NULL));
    small_name = strrchr(path, '/') + 1;
    serve(0);
    struct job *j = request(JOB_COMPLETION, "'prompt':'ab','model':'small','logit_bias':{'0':-1}");
    forbid_all(&j->ask);
    give(j);
    wait_for(j);
    assert_int_equal(j->reply.status, 400);
    const char *message = strstr(j->reply.out.data, "\"message\":\"");
    assert_non_null(message);
    message += strlen("\"message\":\"");
    assert_memory_equal(message, small_name, strlen(small_name));
    job_drop(j);
    stop(NULL);
    small_name = "small.gguf";
    ead_model_close(asking.models[EAD_SMALL]);
    asking.models[EAD_SMALL] = before;
    unlink(path);
}

/* ---- counts -------------------------------------------------------------------------------- */

static void test_counts(void **state)
{
    (void)state;
    struct job *j = request(JOB_COMPLETION, "'prompt':'ab','n':5,'max_tokens':4,'ignore_eos':true");
    hold_up(j, true, 0, 0);
    give(j);
    wait_until(1, 4); /* though nothing is stepped */
    hold_up(j, false, 0, 0);
    wait_for(j);
    wait_until(0, 0);
    const struct metrics m = count();
    assert_int_equal(m.texts, 5);
    assert_int_equal(m.first_token.count, 1);
    assert_int_equal(m.queued.count, 1);
    assert_int_equal(m.between_tokens.count, 15);
    job_drop(j);
}

/* ---- long answers -------------------------------------------------------------------------- */

/* They are told by another thread, also where the server stops meanwhile, and say the same. */
static void test_long_answers(void **state)
{
    (void)state;
    enum { N = 6 };
    struct job *jobs[N], *one;
    for (int i = 0; i < N; i++) {
        jobs[i] = request(JOB_COMPLETION, "'prompt':'ab','n':4,'max_tokens':50,'logprobs':20,"
                                          "'ignore_eos':true,'temperature':0");
        give(jobs[i]);
    }
    wait_for(jobs[N - 2]);
    const double end = clock_seconds() + 20;
    while (count().texts < 4 * N && clock_seconds() < end) nap();
    scheduler_close(server.scheduler);
    server.scheduler = NULL;
    for (int i = 0; i < N; i++) {
        assert_true(is_done(jobs[i]));
        assert_int_equal(jobs[i]->reply.status, 200);
        assert_int_equal(occurrences(jobs[i]->reply.out.data, "\"finish_reason\":\"length\""), 4);
        assert_int_equal(occurrences(jobs[i]->reply.out.data, "\"top_logprobs\""), 4);
        assert_true(answer_entries(jobs[i]) >= 4 * 50 * 21);
        job_drop(jobs[i]);
    }
    serve(0);
    one = request(JOB_COMPLETION, "'prompt':'ab','max_tokens':50,'ignore_eos':true");
    assert_int_equal(answer_entries(one), 0);
    job_drop(one);
}

/* ---- slow readers -------------------------------------------------------------------------- */

static const char stream[] = "'prompt':'ab','max_tokens':4,'ignore_eos':true,'stream':true";

static void is_given_up(double now, double before)
{
    struct job *j = request(JOB_COMPLETION, stream);
    const uint64_t cancelled = count().cancelled;
    hold_up(j, true, now, before);
    give(j);
    wait_for(j);
    assert_true(j->reply.gone);
    assert_int_equal(count().cancelled, cancelled + 1);
    job_drop(j);
}

static void test_slow_readers(void **state)
{
    (void)state;
    is_given_up(REPLY_STALL_SECONDS + 1, 0);
    is_given_up(REPLY_STALL_SECONDS / 2, REPLY_STALLS_SECONDS - 1);
    struct job *j = request(JOB_COMPLETION, stream);
    hold_up(j, true, REPLY_STALL_SECONDS / 2, REPLY_STALLS_SECONDS / 2);
    give(j);
    wait_until(1, 0);
    hold_up(j, false, 0, 0);
    wait_for(j);
    assert_non_null(strstr(j->reply.out.data, "[DONE]"));
    job_drop(j);
}

/* What a reader leaves lying is counted from time to time together. */
static void test_stalled_in_all(void **state)
{
    (void)state;
    static char some[REPLY_HIGH], taken[REPLY_HIGH];
    struct job *j = tiny_must(job_open(NULL, JOB_COMPLETION, BODY_MAX));
    reply_begin(&j->reply);
    for (int i = 1; i <= 3; i++) {
        assert_true(reply_event(&j->reply, some, sizeof some));
        assert_true(reply_is_full(&j->reply));
        j->reply.full_since -= 10;
        while (j->reply.taken < j->reply.out.len) reply_read(&j->reply, taken, sizeof taken);
        assert_false(reply_is_full(&j->reply));
        assert_true(j->reply.stalled >= 10 * i && j->reply.stalled < 10 * i + 5);
    }
    job_drop(j);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* ids from the first on, as JSON. */
static const char *ids_from(int first, int n)
{
    static char text[512];
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", i ? "," : "", first + i);
    return text;
}

static struct job *with_ids(int first, int n, const char *more)
{
    char fields[BODY_MAX];
    snprintf(fields, sizeof fields, "'prompt':[%s],'ignore_eos':true,%s", ids_from(first, n), more);
    return request(JOB_COMPLETION, fields);
}

/* A text that comes and goes, and is kept. */
static void keep(int first, int n)
{
    struct job *j = with_ids(first, n, "'max_tokens':1");
    give(j);
    wait_for(j);
    job_drop(j);
}

/*
 * Beside a live text of `live` tokens there is no room for one of `wanted`. While it waits, so many
 * of two kept texts are left, and then it finds its beginning.
 */
static void waits(int live, int wanted, int kept)
{
    char more[64];
    serve(5 * 16);
    keep(10, 30);
    keep(100, 10);
    snprintf(more, sizeof more, "'max_tokens':%d", live - 2);
    struct job *first = with_ids(200, 2, more);
    snprintf(more, sizeof more, "'max_tokens':%d", wanted - 35);
    struct job *second = with_ids(10, 35, more);
    hold_up(first, true, 0, 0);
    give(first);
    wait_until(1, 0);
    give(second);
    wait_until(1, 1);
    assert_int_equal(count().kept, kept);
    hold_up(first, false, 0, 0);
    wait_for(first);
    wait_for(second);
    assert_int_equal(second->reply.status, 200);
    assert_in_range(second->choices[0].cached, 29, 30);
    job_drop(first);
    job_drop(second);
    stop(NULL);
}

/* What waits for memory keeps what was read of it, and does not empty the cache in vain. */
static void test_waits_for_memory(void **state)
{
    (void)state;
    waits(20, 64, 2); /* 84 tokens in room for 80 */
    waits(17, 63, 1); /* 80 tokens, but six pages */
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, serve_all, stop)
    const struct CMUnitTest tests[] = {
        ONE(test_no_memory),
        cmocka_unit_test(test_fault),
        ONE(test_counts),
        ONE(test_long_answers),
        ONE(test_slow_readers),
        ONE(test_stalled_in_all),
        cmocka_unit_test(test_waits_for_memory),
    };
    return cmocka_run_group_tests_name("scheduler", tests, asking_set_up, asking_tear_down);
}
