/*
 * What goes into a pass of the driver, whose turn it is, and what it says when something is wrong:
 * over scripted engines, which keep the rows that they were given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/driver.h"
#include "engine/local.h"
#include "script_engine.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { N_CTX = 4000, TEXTS_MAX = 8, ROWS = 64, BUDGET = 8, LONG = 70 };

static struct model *named; /* whose vocabulary the engines have */

static int open_vocab(void **state)
{
    (void)state;
    named = script_names();
    return 0;
}

static int close_vocab(void **state)
{
    (void)state;
    model_close(named);
    return 0;
}

/* ---- two engines, a driver ----------------------------------------------------------------- */

struct pair {
    struct engine *engines[EAD_WRITERS];
    struct driver *driver;
    int n;
};

static struct script_options plain(int n, int max_rows)
{
    return (struct script_options){.vocab = named->vocab,
                                   .n_vocab = SCRIPT_VOCAB,
                                   .n_ctx = N_CTX,
                                   .n_seq = n,
                                   .max_rows = max_rows,
                                   .max_logits = n};
}

static ead_policy_options policy(ead_policy_kind kind)
{
    return (ead_policy_options){.kind = kind, .window = 3, .dwell = 2};
}

static ead_duo_options greedy(ead_policy_kind kind, int budget)
{
    ead_duo_options o = {.ignore_end = true, .eager_prompt = true, .prompt_budget = budget};
    o.sampler = (ead_sampler_options){.top_p = 1, .repeat_penalty = 1};
    o.policy = policy(kind);
    return o;
}

static void open_driver(struct pair *p, const ead_duo_options *o)
{
    struct err err;
    if (driver_open(p->engines[EAD_LARGE], p->engines[EAD_SMALL], o, p->n, &p->driver, &err))
        fail_msg("%s", err.message);
}

static struct pair open_pair(const struct script_options *small, const struct script_options *large,
                             const ead_duo_options *o)
{
    struct pair p = {.n = small->n_seq};
    p.engines[EAD_SMALL] = script_open(small);
    p.engines[EAD_LARGE] = script_open(large);
    open_driver(&p, o);
    return p;
}

static void close_pair(struct pair *p)
{
    driver_close(p->driver);
    for (int w = 0; w < EAD_WRITERS; w++) engine_close(p->engines[w]);
}

static struct duo *text_at(const struct pair *p, int i)
{
    return driver_duo(p->driver, i);
}

static void give(struct pair *p, int i, int n)
{
    struct err err;
    for (int k = 0; k < n; k++) {
        const int32_t id = 3 + (7 * k + i) % (SCRIPT_VOCAB - 3);
        assert_int_equal(duo_append(text_at(p, i), &id, 1, &err), ST_OK);
    }
}

static void appoint(struct pair *p, int i, const ead_policy_options *o)
{
    struct err err;
    assert_int_equal(duo_set_policy(text_at(p, i), o, &err), ST_OK);
}

static void step(struct pair *p, const bool *active)
{
    struct err err;
    ead_event events[TEXTS_MAX];
    int n;
    assert_int_equal(driver_step(p->driver, active, events, &n, &err), ST_OK);
    for (int i = 0; i < n; i++) assert_int_equal(events[i].kind, EAD_EVENT_TOKEN);
}

static int rows_of(const struct script_log *log, int seq)
{
    int n = 0;
    for (int i = 0; i < log->n; i++) n += log->rows[i].seq == seq;
    return n;
}

static int written(const struct pair *p, int i)
{
    return (int)text_at(p, i)->account.tokens;
}

/* ---- prompts and queues -------------------------------------------------------------------- */

/* One text is written, another reads: beside the first, no pass has more rows than the budget,
 * whether results come at once or late. */
static void test_prompts_keep_their_budget(void **state)
{
    (void)state;
    for (int delay = 0; delay < 4; delay += 3) {
        struct script_options engine = plain(2, ROWS);
        engine.delay = delay;
        const ead_duo_options o = greedy(EAD_POLICY_LARGE, BUDGET);
        struct pair p = open_pair(&engine, &engine, &o);
        const struct script_log *log = script_log(p.engines[EAD_LARGE]);
        const bool first[] = {true, false}, both[] = {true, true};
        give(&p, 0, 3);
        while (written(&p, 0) < 2) step(&p, first);
        give(&p, 1, LONG);
        int passes = 0, full = 0;
        for (int seen = log->submits; !written(&p, 1); seen = log->submits) {
            step(&p, both);
            if (log->submits == seen) continue;
            assert_in_range(rows_of(log, 1), 0, BUDGET);
            passes += rows_of(log, 1) > 0;
            full += rows_of(log, 1) == BUDGET;
        }
        assert_int_equal(passes, (LONG + BUDGET - 1) / BUDGET);
        assert_int_equal(full, LONG / BUDGET);
        if (!delay) assert_true(written(&p, 0) >= passes);
        close_pair(&p);
    }
}

static void test_nobody_writes_and_prompts_fill_the_pass(void **state)
{
    (void)state;
    const struct script_options engine = plain(2, ROWS);
    const ead_duo_options o = greedy(EAD_POLICY_LARGE, BUDGET);
    struct pair p = open_pair(&engine, &engine, &o);
    for (int i = 0; i < 2; i++) give(&p, i, LONG);
    const struct script_log *log = script_log(p.engines[EAD_LARGE]);
    const bool both[] = {true, true};
    while (!log->submits) step(&p, both);
    assert_int_equal(log->n, ROWS);
    close_pair(&p);
}

/* Two long prompts and a catch-up of a few rows: it is read at once, and its token comes out. */
static void test_a_short_catch_up_goes_first(void **state)
{
    (void)state;
    enum { SHORT = 6, FEW = 16 };
    const struct script_options engine = plain(3, FEW);
    const ead_duo_options o = greedy(EAD_POLICY_SMALL, ROWS);
    const ead_policy_options large = policy(EAD_POLICY_LARGE);
    struct pair p = open_pair(&engine, &engine, &o);
    const bool last[] = {false, false, true}, all[] = {true, true, true};
    struct err err;
    give(&p, 2, 3);
    while (written(&p, 2) < SHORT) step(&p, last);
    assert_int_equal(driver_read(p.driver, 2, &err), ST_OK);
    for (int i = 0; i < 3; i++) appoint(&p, i, &large);
    give(&p, 0, LONG);
    give(&p, 1, LONG - 10);
    const struct script_log *log = script_log(p.engines[EAD_LARGE]);
    for (const int seen = log->submits; log->submits == seen;) step(&p, all);
    assert_int_equal(rows_of(log, 2), SHORT + 1); /* the prompt's last row is behind, too */
    assert_int_equal(rows_of(log, 0), 1);
    assert_int_equal(log->n, FEW);
    assert_int_equal(written(&p, 2), SHORT + 1);
    close_pair(&p);
}

/* ---- turns --------------------------------------------------------------------------------- */

static double seconds_of(struct pair *p, ead_writer w)
{
    double sum = 0;
    for (int i = 0; i < p->n; i++) {
        const ead_work work = duo_summarise(text_at(p, i)).work[w];
        sum += work.prompt_seconds + work.decode_seconds + work.catchup_seconds;
    }
    return sum;
}

/* The small model's share of the time, as the driver measured it, with so many of the texts. */
static double share_of_small(int on_small)
{
    struct script_options small = plain(TEXTS_MAX, ROWS), large = small;
    small.busy = 2e-4;
    large.busy = 2e-3;
    const ead_duo_options o = greedy(EAD_POLICY_SMALL, 0);
    const ead_policy_options other = policy(EAD_POLICY_LARGE);
    struct pair p = open_pair(&small, &large, &o);
    bool active[TEXTS_MAX];
    for (int i = 0; i < p.n; i++) {
        active[i] = true;
        if (i >= on_small) appoint(&p, i, &other);
        give(&p, i, 1);
    }
    /* until no pass, however long the system made it, decides the outcome */
    double sum = 0, longest = 0;
    int fewest = 0;
    for (int steps = 0; sum < 0.1 || sum < 20 * longest || fewest < 5; steps++) {
        assert_in_range(steps, 0, 10000); /* nobody starves */
        step(&p, active);
        const double now = seconds_of(&p, EAD_SMALL) + seconds_of(&p, EAD_LARGE);
        longest = fmax(longest, now - sum);
        sum = now;
        fewest = written(&p, 0);
        for (int i = 1; i < p.n; i++) fewest = written(&p, i) < fewest ? written(&p, i) : fewest;
    }
    const double share = seconds_of(&p, EAD_SMALL) / sum;
    close_pair(&p);
    return share;
}

static void test_engines_take_turns_by_time(void **state)
{
    (void)state;
    const double many = share_of_small(7), half = share_of_small(4), one = share_of_small(1);
    if (!(many > 0.65 && many < 0.83)) fail_msg("7 of 8 texts: %g of the time", many);
    if (!(half > 0.35 && half < 0.65)) fail_msg("4 of 8 texts: %g of the time", half);
    if (!(one > 0.17 && one < 0.35)) fail_msg("1 of 8 texts: %g of the time", one);
}

/* An engine that had nothing to do has no claim to the time that the other took meanwhile. */
static void test_idling_saves_nothing_up(void **state)
{
    (void)state;
    enum { IDLE = 50, STEPS = 30 };
    struct script_options small = plain(2, ROWS), large = small;
    small.busy = large.busy = 1e-3;
    const ead_duo_options o = greedy(EAD_POLICY_SMALL, 0);
    const ead_policy_options other = policy(EAD_POLICY_LARGE);
    struct pair p = open_pair(&small, &large, &o);
    const bool first[] = {true, false}, both[] = {true, true};
    appoint(&p, 1, &other);
    for (int i = 0; i < 2; i++) give(&p, i, 1);
    while (written(&p, 0) < IDLE) step(&p, first);
    for (int k = 0; k < STEPS; k++) step(&p, both);
    assert_true(written(&p, 0) > IDLE && written(&p, 1) > 0);
    close_pair(&p);
}

/* ---- faults -------------------------------------------------------------------------------- */

static ead_decision nobody(void *context, const ead_signals *s)
{
    (void)context;
    return (ead_decision){.writer = s->index == 2 ? (ead_writer)7 : EAD_SMALL};
}

static ead_decision never(void *context, const ead_signals *s)
{
    (void)context, (void)s;
    return (ead_decision){.writer = (ead_writer)7};
}

static ead_decision greedily(void *context, const ead_signals *s)
{
    return (ead_decision){.writer = EAD_LARGE, .take_back = s->index ? *(const int *)context : 0};
}

static ead_duo_options custom(ead_decide decide, void *context)
{
    ead_duo_options o = greedy(EAD_POLICY_CUSTOM, 0);
    o.policy.decide = decide;
    o.policy.context = context;
    return o;
}

static void expect_fault(struct pair *p, int i, const char *part)
{
    struct err err;
    ead_token token;
    ead_event event;
    const bool active[TEXTS_MAX] = {[0] = i == 0, [1] = i == 1};
    int n;
    assert_int_equal(driver_step(p->driver, active, &event, &n, &err), ST_OK);
    assert_int_equal(n, 1);
    assert_int_equal(event.kind, EAD_EVENT_FAULT);
    assert_int_equal(event.text, i);
    assert_non_null(strstr(event.message, part));
    assert_int_not_equal(driver_write(p->driver, i, &token, &err), ST_OK);
    assert_non_null(strstr(err.message, part));
}

/* A text whose policy went astray, reset while it is empty, used to be written for ever. */
static void test_a_policys_fault_outlives_a_reset(void **state)
{
    (void)state;
    const struct script_options engine = plain(1, ROWS);
    const ead_duo_options o = custom(never, NULL);
    struct pair p = open_pair(&engine, &engine, &o);
    expect_fault(&p, 0, "the next writer is no model");
    duo_reset(text_at(&p, 0));
    expect_fault(&p, 0, "the next writer is no model");
    const ead_policy_options sane = policy(EAD_POLICY_SMALL);
    appoint(&p, 0, &sane);
    expect_fault(&p, 0, "the text is empty");
    give(&p, 0, 2);
    const bool active[] = {true};
    while (!written(&p, 0)) step(&p, active);
    close_pair(&p);
}

/* The token after which the policy went astray is told before that. */
static void test_a_token_is_told_before_the_fault_after_it(void **state)
{
    (void)state;
    const struct script_options engine = plain(1, ROWS);
    const ead_duo_options o = custom(nobody, NULL);
    struct pair p = open_pair(&engine, &engine, &o);
    struct err err;
    ead_token token;
    give(&p, 0, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(driver_write(p.driver, 0, &token, &err), ST_OK);
        assert_int_equal(token.index, i);
    }
    expect_fault(&p, 0, "the next writer is no model");
    assert_int_equal(text_at(&p, 0)->told, 4);
    close_pair(&p);
}

static void test_what_cannot_be_taken_back(void **state)
{
    (void)state;
    static const int counts[] = {INT_MIN, -1, 2, INT_MAX};
    for (int k = 0; k < 4; k++) {
        int count = counts[k];
        const struct script_options engine = plain(1, ROWS);
        const ead_duo_options o = custom(greedily, &count);
        struct pair p = open_pair(&engine, &engine, &o);
        const bool active[] = {true};
        give(&p, 0, 2);
        while (!written(&p, 0)) step(&p, active);
        expect_fault(&p, 0, "more was taken back than was written");
        close_pair(&p);
    }
}

/* ---- engines ------------------------------------------------------------------------------- */

/* Engines whose sequences hold what somebody else has left there. */
static void test_engines_that_were_used_before(void **state)
{
    (void)state;
    enum { TOKENS = 10 };
    const struct script_options engine = plain(1, ROWS);
    const ead_duo_options o = greedy(EAD_POLICY_EAD, 0);
    const struct row left[] = {{.pos = 0, .token = 9},
                               {.pos = 1, .token = 9, .wants_logits = true}};
    const bool active[] = {true};
    int32_t ids[2][TOKENS];
    for (int used = 0; used < 2; used++) {
        struct pair p = {.n = 1};
        for (int w = 0; w < EAD_WRITERS; w++) {
            struct err err;
            p.engines[w] = script_open(&engine);
            if (used) assert_int_equal(engine_submit(p.engines[w], left, 2, &err), ST_OK);
        }
        open_driver(&p, &o);
        give(&p, 0, 3);
        while (written(&p, 0) < TOKENS) step(&p, active);
        memcpy(ids[used], text_at(&p, 0)->text.ids + 3, sizeof ids[used]);
        close_pair(&p);
    }
    assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
}

/* A text that waits for an engine does not hold up one that is asked for and can be told of. */
static void test_nobody_waits_for_who_is_not_asked_for(void **state)
{
    (void)state;
    struct script_options slow = plain(2, ROWS), fast = slow;
    slow.hidden = 1;
    fast.delay = 3;
    const ead_duo_options o = greedy(EAD_POLICY_SMALL, 0);
    const ead_policy_options large = policy(EAD_POLICY_LARGE);
    struct pair p = open_pair(&slow, &fast, &o);
    const bool first[] = {true, false}, second[] = {false, true}, both[] = {true, true};
    appoint(&p, 1, &large);
    give(&p, 0, 1);
    give(&p, 1, 1);
    while (!text_at(&p, 0)->waiting[EAD_SMALL]) step(&p, first);
    while (written(&p, 1) < 5) step(&p, second);
    assert_int_equal(written(&p, 0), 0);
    while (!written(&p, 0)) step(&p, both);
    close_pair(&p);
}

/* A result that comes when the policy has gone astray is not written. */
static void test_a_result_for_a_text_astray(void **state)
{
    (void)state;
    struct script_options engine = plain(1, ROWS);
    engine.hidden = 1;
    const ead_duo_options o = greedy(EAD_POLICY_SMALL, 0), astray = custom(never, NULL);
    const ead_policy_options sane = policy(EAD_POLICY_SMALL);
    struct pair p = open_pair(&engine, &engine, &o);
    const bool active[] = {true};
    give(&p, 0, 3);
    while (!text_at(&p, 0)->waiting[EAD_SMALL]) step(&p, active);
    appoint(&p, 0, &astray.policy);
    expect_fault(&p, 0, "the next writer is no model");
    assert_int_equal(written(&p, 0), 0);
    appoint(&p, 0, &sane);
    while (!written(&p, 0)) step(&p, active);
    close_pair(&p);
}

/* An engine that computes at once forgets what is to come for positions that it is to forget. */
static void test_results_of_forgotten_positions(void **state)
{
    (void)state;
    const struct local_options options = {.threads = 1, .n_ctx = 8, .n_seq = 4, .max_logits = 4};
    const struct row rows[] = {{0, 0, 3, true}, {1, 0, 3, true}, {2, 0, 3, true}, {3, 0, 3, true}};
    struct engine *e;
    struct result result;
    assert_int_equal(local_open(named, &options, &e, NULL), ST_OK);
    assert_int_equal(engine_submit(e, rows, 4, NULL), ST_OK);
    engine_truncate(e, 0, 1); /* nothing of it */
    engine_truncate(e, 1, 0);
    engine_copy(e, 0, 2, 1);
    engine_copy(e, 3, 3, 0);
    assert_true(engine_collect(e, true, &result));
    assert_int_equal(result.seq, 0);
    assert_int_equal(result.status, ST_OK);
    assert_false(engine_collect(e, true, &result));
    engine_close(e);
}

/* ---- what came out ------------------------------------------------------------------------- */

/* The most probable tokens may all be ones that the other model does not have. */
static void test_tokens_that_only_one_model_has(void **state)
{
    (void)state;
    struct script_options small = plain(1, ROWS), large = small;
    large.n_vocab = SCRIPT_VOCAB - 30;
    small.top = 1;
    const ead_duo_options o = greedy(EAD_POLICY_SMALL, 0);
    struct pair p = open_pair(&small, &large, &o);
    struct err err;
    ead_token token;
    ead_event event;
    int faults = 0, n;
    const bool active[] = {true};
    const int32_t id = 3;
    assert_int_equal(duo_append(text_at(&p, 0), &id, 1, &err), ST_OK);
    for (int i = 0; i < 20 && !faults; i++) {
        assert_int_equal(driver_step(p.driver, active, &event, &n, &err), ST_OK);
        assert_int_equal(n, 1);
        if (event.kind == EAD_EVENT_TOKEN) {
            assert_in_range(event.token.id, 0, large.n_vocab - 1);
            continue;
        }
        assert_non_null(strstr(event.message, "none of the 1 known tokens"));
        assert_int_equal(driver_write(p.driver, 0, &token, &err), ST_SUPPORT);
        faults++;
    }
    assert_int_equal(faults, 1);
    close_pair(&p);
}

/* ---- what engines are told ----------------------------------------------------------------- */

/* The engine that writes next is told how many tokens are certain, the other that none are; and how
 * they are drawn, unless only the text knows. */
static void test_engines_know_what_is_wanted(void **state)
{
    static const ead_replay writers[] = {{.writer = 0}, {.writer = 0}, {.writer = 1}, {.writer = 1},
                                         {.writer = 1}, {.writer = 0}, {.writer = 1}, {.writer = 0},
                                         {.writer = 0}, {.writer = 0}, {.writer = 0}, {.writer = 1},
                                         {.writer = 1}};
    struct model *names = script_names();
    struct script_options engine = {.seed = 3,
                                    .vocab = names->vocab,
                                    .n_vocab = SCRIPT_VOCAB,
                                    .n_ctx = 64,
                                    .n_seq = 1,
                                    .max_rows = 8,
                                    .max_logits = 1};
    ead_duo_options o = greedy(EAD_POLICY_REPLAY, 4);
    (void)state;
    o.eager_prompt = false;
    o.policy.replay = writers;
    o.policy.n_replay = sizeof writers / sizeof *writers;
    for (int bent = 0; bent < 2; bent++) {
        if (bent) o.sampler.presence_penalty = 0.5f;
        struct pair p = open_pair(&engine, &engine, &o);
        give(&p, 0, 3);
        for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
            int run = 1;
            step(&p, (const bool[]){true});
            while (i + 1 + (size_t)run < sizeof writers / sizeof *writers &&
                   writers[i + 1 + (size_t)run].writer == writers[i + 1].writer)
                run++;
            const ead_writer next = text_at(&p, 0)->next;
            const struct outlook told = script_log(p.engines[next])->outlook;
            if (i + 1 + (size_t)run < sizeof writers / sizeof *writers)
                assert_int_equal(told.sure, run);
            assert_true(told.sure >= 1);
            assert_int_equal(told.sampler != NULL, !bent);
            assert_int_equal(script_log(p.engines[1 - (int)next])->outlook.sure, 0);
        }
        duo_rest(text_at(&p, 0));
        for (int w = 0; w < EAD_WRITERS; w++)
            assert_int_equal(script_log(p.engines[w])->outlook.sure, 0);
        close_pair(&p);
    }
    model_close(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engines_know_what_is_wanted),
        cmocka_unit_test(test_prompts_keep_their_budget),
        cmocka_unit_test(test_nobody_writes_and_prompts_fill_the_pass),
        cmocka_unit_test(test_a_short_catch_up_goes_first),
        cmocka_unit_test(test_engines_take_turns_by_time),
        cmocka_unit_test(test_idling_saves_nothing_up),
        cmocka_unit_test(test_a_policys_fault_outlives_a_reset),
        cmocka_unit_test(test_a_token_is_told_before_the_fault_after_it),
        cmocka_unit_test(test_what_cannot_be_taken_back),
        cmocka_unit_test(test_engines_that_were_used_before),
        cmocka_unit_test(test_nobody_waits_for_who_is_not_asked_for),
        cmocka_unit_test(test_a_result_for_a_text_astray),
        cmocka_unit_test(test_results_of_forgotten_positions),
        cmocka_unit_test(test_tokens_that_only_one_model_has),
    };
    return cmocka_run_group_tests(tests, open_vocab, close_vocab);
}
