/*
 * Threads of the caller over one model: each has a session or a duo of its own, reads, writes and
 * turns text into ids at the same time as the others, and gets what it gets alone. Run by `make
 * tsan` too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead.h"
#include "tiny.h"

#include <pthread.h>
#include <string.h>

enum { CALLERS = 2, ROUNDS = 3, TOKENS = 24, LOGITS_MAX = 512 };

static ead_model *large, *small;

/* What a caller does, with its teams of `threads`, and what comes out. */
struct caller {
    int threads;
    ead_status status;
    int32_t written[TOKENS];
    float logits[LOGITS_MAX];
    size_t n_ids;
};

static ead_status write_text(struct caller *c)
{
    static const int32_t prompt[] = {1, 20, 21, 22, 23};
    ead_duo_options o = ead_duo_defaults();
    ead_duo *duo;
    ead_token token;
    o.threads = c->threads;
    o.ignore_end = true;
    o.policy.kind = EAD_POLICY_RANDOM;
    o.policy.share = 0.5;
    o.policy.dwell = 2;
    o.sampler.temperature = 1;
    ead_status st = ead_duo_open(large, small, &o, &duo, NULL);
    if (st) return st;
    st = ead_duo_append(duo, prompt, 5, NULL);
    for (int i = 0; i < TOKENS && !st; i++) {
        st = ead_duo_step(duo, &token, NULL);
        c->written[i] = token.id;
    }
    ead_duo_close(duo);
    return st;
}

static ead_status read_rows(struct caller *c)
{
    ead_session_options o = ead_session_defaults();
    ead_session *session;
    ead_row rows[8] = {{0}};
    const int n_logits = ead_model_describe(large).n_logits;
    o.threads = c->threads;
    for (int i = 0; i < 8; i++)
        rows[i] = (ead_row){.pos = i, .token = 20 + i, .wants_logits = i == 7};
    ead_status st = ead_session_open(large, &o, &session, NULL);
    if (st) return st;
    st = ead_session_eval(session, rows, 8, NULL);
    if (!st && n_logits <= LOGITS_MAX)
        memcpy(c->logits, ead_session_logits(session, 0), (size_t)n_logits * sizeof *c->logits);
    ead_session_close(session);
    return st;
}

static ead_status count_ids(struct caller *c)
{
    static const char text[] = "the stone sank in the lake";
    int32_t *ids;
    ead_status st = ead_tokenize(large, text, sizeof text - 1, 0, &ids, &c->n_ids, NULL);
    if (!st) ead_free(ids);
    return st;
}

static void *call(void *context)
{
    struct caller *c = context;
    for (int i = 0; i < ROUNDS && !c->status; i++) {
        c->status = write_text(c);
        if (!c->status) c->status = read_rows(c);
        if (!c->status) c->status = count_ids(c);
    }
    return NULL;
}

static void check_callers(int threads)
{
    struct caller alone = {.threads = 1}, callers[CALLERS] = {{0}};
    pthread_t handles[CALLERS];
    (void)call(&alone);
    assert_int_equal(alone.status, EAD_OK);
    for (int i = 0; i < CALLERS; i++) {
        callers[i].threads = threads;
        assert_int_equal(pthread_create(&handles[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(handles[i], NULL), 0);
        assert_int_equal(callers[i].status, EAD_OK);
        assert_memory_equal(callers[i].written, alone.written, sizeof alone.written);
        assert_memory_equal(callers[i].logits, alone.logits, sizeof alone.logits);
        assert_true(callers[i].n_ids == alone.n_ids && alone.n_ids > 0);
    }
}

static void test_callers_share_models(void **state)
{
    (void)state;
    check_callers(1);
}

static void test_callers_with_teams(void **state)
{
    (void)state;
    check_callers(2);
}

static int set_up(void **state)
{
    (void)state;
    struct tiny_spec a = tiny_spec("llama", QT_Q8_0), b = tiny_spec("llama", QT_Q4_0);
    b.n_layer = 1;
    struct tiny *t = tiny_model(&a), *u = tiny_model(&b);
    large = tiny_open_public(t);
    small = tiny_open_public(u);
    tiny_free(t);
    tiny_free(u);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ead_model_close(large);
    ead_model_close(small);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_callers_share_models),
        cmocka_unit_test(test_callers_with_teams),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
