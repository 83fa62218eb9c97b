/*
 * Texts that share passes. Whatever company a text has, it is what it is alone: token for token,
 * entropies bit for bit, and in the rows of its account. With every type of cache.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead.h"
#include "tiny.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_CTX = 96, N_JOBS = 14, TOKENS_MAX = 128, SLOTS_MAX = 8 };

/* ---- jobs ---------------------------------------------------------------------------------- */

/* A text to write: `most` tokens after the prompt, or until it ends. */
struct job {
    ead_policy_options policy;
    ead_sampler_options sampler;
    int32_t prompt[N_CTX];
    int n_prompt, most;
};

struct written {
    ead_token tokens[TOKENS_MAX];
    int n;
    ead_summary summary;
};

static struct {
    ead_model *large, *small;
    struct job jobs[N_JOBS];
    struct written alone[N_JOBS];
} pair;

static const ead_replay recording[] = {{.writer = 0}, {.writer = 0}, {.writer = 1}, {.writer = 1},
                                       {.writer = 1}, {.writer = 0}, {.writer = 1}, {.writer = 0},
                                       {.writer = 0}, {.writer = 0}, {.writer = 0}, {.writer = 1}};

static const char *cache_type;

static ead_duo_options base_options(void)
{
    ead_duo_options o = ead_duo_defaults();
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.cache_type = cache_type;
    o.max_rows = 16;
    return o;
}

/* Every kind of policy, greedy and drawn, prompts from one token to a full context. */
static void make_job(struct job *j, int i, const struct tiny_spec *spec)
{
    static const ead_policy_kind kinds[] = {EAD_POLICY_EAD,    EAD_POLICY_RANDOM, EAD_POLICY_EAD,
                                            EAD_POLICY_REPLAY, EAD_POLICY_SMALL,  EAD_POLICY_LARGE};
    const ead_duo_options o = base_options();
    j->policy = o.policy;
    j->policy.kind = kinds[i % 6];
    j->policy.tau = 2.5 + 0.3 * i;
    j->policy.window = 1 + i % 4;
    j->policy.dwell = 1 + i % 3;
    j->policy.share = 0.5;
    j->policy.seed = (uint64_t)i;
    j->policy.replay = recording;
    j->policy.n_replay = sizeof recording / sizeof *recording;
    j->policy.start = (ead_writer)(i % 5 == 3);
    j->sampler = o.sampler;
    j->sampler.temperature = i % 3 == 2 ? 0.9f : 0;
    j->sampler.repeat_penalty = i % 4 == 1 ? 1.2f : 1;
    j->sampler.seed = (uint64_t)(7 * i);
    j->n_prompt = i == 9 ? N_CTX : 1 + (i * 23) % 71;
    j->most = i == 5 ? TOKENS_MAX : 10 + (i * 17) % 40;
    tiny_text(spec, (uint64_t)i + 1, j->prompt, j->n_prompt);
}

static int open_pair(void **state)
{
    (void)state;
    struct tiny_spec small = tiny_spec("qwen2", QT_F32), large = tiny_spec("llama", QT_Q8_0);
    large.n_layer = 3;
    large.seed = 2;
    large.pad_rows = 3;
    small.gain = large.gain = 3;
    small.n_ctx = large.n_ctx = N_CTX;
    struct tiny *files[] = {tiny_model(&small), tiny_model(&large)};
    for (int i = 0; i < 2; i++) /* a token that is written now and then ends a text */
        tiny_set_u32(files[i], "tokenizer.ggml.eos_token_id", 64);
    pair.small = tiny_open_public(files[0]);
    pair.large = tiny_open_public(files[1]);
    for (int i = 0; i < 2; i++) tiny_free(files[i]);
    for (int i = 0; i < N_JOBS; i++) make_job(&pair.jobs[i], i, &small);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    ead_model_close(pair.large);
    ead_model_close(pair.small);
    return 0;
}

static void check(ead_status st, const ead_error *error)
{
    if (st) fail_msg("%s", error->message);
}

static void set_up(ead_duo *duo, const struct job *j)
{
    ead_error error;
    check(ead_duo_set_policy(duo, &j->policy, &error), &error);
    check(ead_duo_set_sampler(duo, &j->sampler, &error), &error);
}

static void write_alone(const ead_duo_options *o, const struct job *j, struct written *out)
{
    ead_error error;
    ead_duo *duo = NULL;
    *out = (struct written){0};
    check(ead_duo_open(pair.large, pair.small, o, &duo, &error), &error);
    set_up(duo, j);
    check(ead_duo_append(duo, j->prompt, (size_t)j->n_prompt, &error), &error);
    check(ead_duo_read(duo, &error), &error);
    while (out->n < j->most && !(out->n && out->tokens[out->n - 1].end))
        check(ead_duo_step(duo, &out->tokens[out->n++], &error), &error);
    out->summary = ead_duo_summarise(duo);
    ead_duo_close(duo);
}

static void same_tokens(const struct written *a, const struct written *b, int n, int job)
{
    for (int i = 0; i < n; i++) {
        ead_token x = a->tokens[i], y = b->tokens[i];
        assert_true(x.seconds >= 0);
        if (x.id != y.id || x.writer != y.writer || x.index != y.index || x.end != y.end ||
            x.switched != y.switched || memcmp(&x.entropy, &y.entropy, sizeof x.entropy) ||
            memcmp(&x.rolling, &y.rolling, sizeof x.rolling))
            fail_msg("text %d, token %d: id %d with %g bits against %d with %g", job, i, x.id,
                     (double)x.entropy, y.id, (double)y.entropy);
    }
}

static void same_account(const ead_summary *a, const ead_summary *b)
{
    assert_int_equal(a->tokens, b->tokens);
    assert_int_equal(a->switches, b->switches);
    for (int w = 0; w < EAD_WRITERS; w++) {
        const ead_work *x = &a->work[w], *y = &b->work[w];
        assert_int_equal(x->tokens, y->tokens);
        assert_int_equal(x->prompt_rows, y->prompt_rows);
        assert_int_equal(x->decode_rows, y->decode_rows);
        assert_int_equal(x->catchup_rows, y->catchup_rows);
        assert_int_equal(x->catchup_passes, y->catchup_passes);
        assert_int_equal(x->decode_steps, y->decode_steps);
        assert_true((x->decode_seconds > 0) == (y->decode_seconds > 0));
        assert_true((x->catchup_seconds > 0) == (y->catchup_seconds > 0));
    }
}

static void same(const struct written *a, const struct written *b, int job)
{
    assert_int_equal(a->n, b->n);
    same_tokens(a, b, a->n, job);
    same_account(&a->summary, &b->summary);
}

/* ---- a batch ------------------------------------------------------------------------------- */

static ead_batch *open_batch(const ead_duo_options *o, int n)
{
    ead_error error;
    ead_batch *batch = NULL;
    check(ead_batch_open(pair.large, pair.small, o, n, &batch, &error), &error);
    return batch;
}

static void start(ead_batch *batch, int slot, const struct job *j)
{
    ead_error error;
    ead_duo *duo = ead_batch_duo(batch, slot);
    ead_duo_reset(duo);
    set_up(duo, j);
    check(ead_duo_append(duo, j->prompt, (size_t)j->n_prompt, &error), &error);
}

/* All jobs over n slots; a slot whose text is done takes the next job at once. */
static void write_all(const ead_duo_options *o, int n, struct written *out)
{
    ead_error error;
    ead_batch *batch = open_batch(o, n);
    bool active[SLOTS_MAX] = {false};
    int job[SLOTS_MAX], next = 0, running = 0;
    memset(out, 0, N_JOBS * sizeof *out);
    do {
        ead_event events[SLOTS_MAX];
        int n_events;
        for (int s = 0; s < n && next < N_JOBS; s++) {
            if (active[s]) continue;
            job[s] = next;
            start(batch, s, &pair.jobs[next++]);
            active[s] = true;
            running++;
        }
        check(ead_batch_step(batch, active, events, &n_events, &error), &error);
        for (int e = 0; e < n_events; e++) {
            const int s = events[e].text;
            assert_true(active[s] && (e == 0 || s > events[e - 1].text));
            assert_int_equal(events[e].kind, EAD_EVENT_TOKEN);
            struct written *w = &out[job[s]];
            w->tokens[w->n++] = events[e].token;
            if (w->n < pair.jobs[job[s]].most && !events[e].token.end) continue;
            w->summary = ead_duo_summarise(ead_batch_duo(batch, s));
            active[s] = false;
            running--;
        }
    } while (running || next < N_JOBS);
    ead_batch_close(batch);
}

static void check_all(ead_duo_options o, int slots)
{
    static struct written out[N_JOBS];
    write_all(&o, slots, out);
    for (int i = 0; i < N_JOBS; i++) same(&out[i], &pair.alone[i], i);
}

static void test_company_does_not_matter(void **state)
{
    (void)state;
    const ead_duo_options o = base_options();
    int ended = 0, full = 0, cut = 0, switches = 0;
    for (int i = 0; i < N_JOBS; i++) {
        write_alone(&o, &pair.jobs[i], &pair.alone[i]);
        const struct written *w = &pair.alone[i];
        ended += w->tokens[w->n - 1].end == EAD_END_TOKEN;
        full += w->tokens[w->n - 1].end == EAD_END_CONTEXT;
        cut += !w->tokens[w->n - 1].end;
        switches += (int)w->summary.switches;
    }
    assert_true(ended > 1 && full > 1 && cut > 1 && switches > 20); /* of everything something */
    for (int slots = 1; slots <= SLOTS_MAX; slots++) check_all(o, slots);
}

static void test_rows_and_threads_do_not_matter(void **state)
{
    (void)state;
    ead_duo_options o = base_options();
    for (int rows = 5; rows <= 64; rows = 3 * rows - 2) {
        o.max_rows = rows;
        o.threads = 1 + rows % 2;
        check_all(o, 5);
    }
    o.max_rows = 0;
    o.threads = 2;
    check_all(o, 3);
}

/* An eager reader changes what is read when, not what is written. */
static void test_eager_prompts_write_the_same(void **state)
{
    (void)state;
    static struct written out[N_JOBS];
    ead_duo_options o = base_options();
    o.eager_prompt = true;
    for (int slots = 2; slots <= 6; slots += 4) {
        write_all(&o, slots, out);
        for (int i = 0; i < N_JOBS; i++) {
            assert_int_equal(out[i].n, pair.alone[i].n);
            same_tokens(&out[i], &pair.alone[i], out[i].n, i);
        }
    }
    const ead_work *idle = &out[4].summary.work[EAD_LARGE]; /* policy small */
    assert_in_range(idle->prompt_rows, 1, pair.jobs[4].n_prompt - 1);
    assert_int_equal(idle->tokens, 0);
}

enum { NO_TOKEN = -1 };

/* Tokens by text, with NO_TOKEN where a text has none; a fault is one of the test. */
static void step(ead_batch *batch, const bool *active, int n, ead_token *tokens)
{
    ead_error error;
    ead_event events[SLOTS_MAX];
    int n_events;
    check(ead_batch_step(batch, active, events, &n_events, &error), &error);
    for (int i = 0; i < n; i++) tokens[i] = (ead_token){.id = NO_TOKEN};
    for (int i = 0; i < n_events; i++) {
        if (events[i].kind == EAD_EVENT_FAULT) fail_msg("%s", events[i].message);
        tokens[events[i].text] = events[i].token;
    }
}

/* The token of text 1. How far its neighbours get meanwhile is a matter of time: one whose context
 * fills up stops. */
static ead_token step_second(ead_batch *batch)
{
    bool active[] = {true, true, true};
    ead_token tokens[3];
    for (int s = 0; s < 3; s += 2) active[s] = ead_duo_length(ead_batch_duo(batch, s)) < N_CTX - 1;
    step(batch, active, 3, tokens);
    return tokens[1];
}

/* A text of a batch is a duo: it can be stepped, shortened and appended to between steps. */
static void test_a_text_is_a_duo(void **state)
{
    (void)state;
    ead_error error;
    ead_duo_options o = base_options();
    o.ignore_end = true;
    struct job job = pair.jobs[0];
    job.most = 30;
    struct written plain, got = {0}, fresh;
    write_alone(&o, &job, &plain);
    ead_batch *batch = open_batch(&o, 3);
    ead_duo *duo = ead_batch_duo(batch, 1);
    for (int s = 0; s < 3; s++) start(batch, s, s == 1 ? &job : &pair.jobs[s + 1]);
    while (got.n < 20) {
        if (got.n % 5 == 4) {
            check(ead_duo_step(duo, &got.tokens[got.n++], &error), &error);
            continue;
        }
        const ead_token token = step_second(batch);
        if (token.id != NO_TOKEN) got.tokens[got.n++] = token;
    }
    same_tokens(&got, &plain, 20, 0);

    /* Cut off, and another turn: as if the text had been given whole. */
    const int keep = job.n_prompt + 7;
    struct job turn = job;
    for (int i = 0; i < 7; i++) turn.prompt[job.n_prompt + i] = plain.tokens[i].id;
    memcpy(turn.prompt + keep, job.prompt, 1 * sizeof *job.prompt);
    turn.n_prompt = keep + 1;
    write_alone(&o, &turn, &fresh);
    ead_duo_truncate(duo, (size_t)keep);
    check(ead_duo_append(duo, job.prompt, 1, &error), &error);
    assert_int_equal(ead_duo_length(duo), keep + 1);
    for (got.n = 0; got.n < 20;) {
        const ead_token token = step_second(batch);
        if (token.id != NO_TOKEN) got.tokens[got.n++] = token;
    }
    same_tokens(&got, &fresh, 20, 0);
    ead_duo_close(duo); /* the batch's: nothing happens */
    assert_true(ead_duo_length(duo) > 0);
    ead_batch_close(batch);
}

/* A short text writes while a long one beside it still reads. */
static void test_nobody_waits_for_a_long_prompt(void **state)
{
    (void)state;
    ead_duo_options o = base_options();
    o.max_rows = 8;
    struct job large = pair.jobs[9], small = pair.jobs[4]; /* a full context against a small text */
    small.n_prompt = 2;
    large.policy.kind = EAD_POLICY_SMALL;
    ead_batch *batch = open_batch(&o, 2);
    ead_token tokens[2];
    start(batch, 0, &large);
    start(batch, 1, &small);
    int steps = 0;
    for (bool done = false; !done; steps++) {
        step(batch, (const bool[]){true, steps < 10}, 2, tokens);
        if (steps < 10) assert_int_not_equal(tokens[1].id, NO_TOKEN);
        done = tokens[0].id != NO_TOKEN;
    }
    assert_in_range(steps, N_CTX / 8, N_CTX / 8 + 4);
    assert_int_equal(tokens[0].end, EAD_END_CONTEXT);
    ead_batch_close(batch);
}

/* The time of a pass is shared out by rows, and nothing of it is lost or counted twice. */
static void test_time_is_shared_out(void **state)
{
    (void)state;
    ead_duo_options o = base_options();
    ead_batch *batch = open_batch(&o, 3);
    const bool active[] = {true, true, true};
    ead_token tokens[3];
    double waited = 0, booked = 0;
    for (int s = 0; s < 3; s++) start(batch, s, &pair.jobs[4]);
    for (int i = 0; i < 15; i++) {
        step(batch, active, 3, tokens);
        for (int s = 0; s < 3; s++) {
            if (tokens[s].id == NO_TOKEN) continue;
            waited += tokens[s].seconds;
        }
    }
    for (int s = 0; s < 3; s++) {
        const ead_summary summary = ead_duo_summarise(ead_batch_duo(batch, s));
        booked += summary.seconds;
        assert_true(summary.work[EAD_SMALL].step_seconds > 0);
    }
    assert_true(booked > 0 && booked <= waited); /* choosing is waited for and not booked */
    ead_batch_close(batch);
}

/* ---- faults ------------------------------------------------------------------------------- */

/* Text `text` cannot go on, for this reason, and does not change. */
static void expect_fault(ead_batch *batch, const bool *active, int text, ead_status st,
                         const char *message)
{
    ead_error error;
    ead_event events[SLOTS_MAX];
    const size_t before = ead_duo_length(ead_batch_duo(batch, text));
    for (int steps = 0; steps < 100; steps++) {
        int n;
        check(ead_batch_step(batch, active, events, &n, &error), &error);
        for (int i = 0; i < n; i++) {
            if (events[i].kind == EAD_EVENT_TOKEN) continue;
            assert_int_equal(events[i].text, text);
            assert_int_equal(events[i].status, st);
            if (!strstr(events[i].message, message))
                fail_msg("expected \"%s\" in: %s", message, events[i].message);
            assert_int_equal(ead_duo_length(ead_batch_duo(batch, text)), before);
            return;
        }
    }
    fail_msg("expected a fault of text %d", text);
}

static void test_refusals(void **state)
{
    (void)state;
    ead_error error;
    ead_batch *batch = NULL;
    ead_duo_options o = base_options();
    static const int wrong[] = {0, -1, 17};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ead_batch_open(pair.large, pair.small, &o, wrong[i], &batch, &error),
                         EAD_ARGUMENT);
        assert_non_null(strstr(error.message, "texts: expected 1 to 16"));
    }
    o.prompt_budget = -1;
    assert_int_equal(ead_batch_open(pair.large, pair.small, &o, 3, &batch, &error), EAD_ARGUMENT);
    assert_non_null(strstr(error.message, "prompt budget"));
    o.prompt_budget = 0;
    assert_null(batch);
    ead_batch_close(NULL);
    batch = open_batch(&o, 3);
    assert_null(ead_batch_duo(batch, 3));
    assert_null(ead_batch_duo(batch, -1));
    const int32_t bad[] = {5, -1};
    assert_int_equal(ead_duo_append(ead_batch_duo(batch, 1), bad, 2, &error), EAD_ARGUMENT);
    assert_int_equal(ead_duo_length(ead_batch_duo(batch, 1)), 0);
    ead_sampler_options sampler = o.sampler;
    sampler.top_p = 0;
    assert_int_equal(ead_duo_set_sampler(ead_batch_duo(batch, 1), &sampler, &error), EAD_ARGUMENT);
    ead_batch_close(batch);
}

/* A text's fault is its own: the others go on beside it. */
static void test_faults_belong_to_a_text(void **state)
{
    (void)state;
    ead_duo_options o = base_options();
    ead_batch *batch = open_batch(&o, 3);
    ead_token tokens[3] = {0};
    start(batch, 0, &pair.jobs[0]);
    start(batch, 2, &pair.jobs[9]);
    const bool all[] = {true, true, true}, ends[] = {true, false, true};
    expect_fault(batch, all, 1, EAD_ARGUMENT, "the text is empty");
    while (!tokens[2].end) step(batch, ends, 3, tokens);
    expect_fault(batch, ends, 2, EAD_FULL, "the context of 96 tokens is full");
    const size_t before = ead_duo_length(ead_batch_duo(batch, 0));
    for (int i = 0; i < 3; i++) expect_fault(batch, ends, 2, EAD_FULL, "full");
    assert_true(ead_duo_length(ead_batch_duo(batch, 0)) > before);
    ead_batch_close(batch);
}

/* Broken weights end the texts that need them, which stay as they were. */
static void test_a_failed_text_changes_nothing(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen2", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct tiny_tensor *norm = tiny_find(t, "output_norm.weight");
    const float bad = NAN;
    memcpy(norm->data.data, &bad, sizeof bad);
    ead_model *broken = tiny_open_public(t);
    tiny_free(t);
    ead_model *const whole = pair.large;
    pair.large = broken;
    ead_duo_options o = base_options();
    ead_batch *batch = open_batch(&o, 3);
    pair.large = whole;
    start(batch, 0, &pair.jobs[4]); /* the small model writes */
    start(batch, 1, &pair.jobs[5]); /* the large one */
    const bool two[] = {true, true, false};
    struct written got = {0};
    int faults = 0;
    while (got.n < pair.jobs[4].most && !(got.n && got.tokens[got.n - 1].end)) {
        ead_error error;
        ead_event events[3];
        int n;
        check(ead_batch_step(batch, two, events, &n, &error), &error);
        for (int i = 0; i < n; i++) {
            if (events[i].text == 0) {
                got.tokens[got.n++] = events[i].token;
                continue;
            }
            assert_int_equal(events[i].kind, EAD_EVENT_FAULT);
            assert_int_equal(events[i].status, EAD_FORMAT);
            assert_non_null(strstr(events[i].message, "not finite"));
            assert_int_equal(ead_duo_length(ead_batch_duo(batch, 1)), pair.jobs[5].n_prompt);
            faults++;
        }
    }
    assert_true(faults > 0); /* how many depends on what its passes took */
    same_tokens(&got, &pair.alone[4], got.n, 4);
    const bool one[] = {false, true, false};
    expect_fault(batch, one, 1, EAD_FORMAT, "not finite"); /* whenever it is tried */
    ead_batch_close(batch);
    ead_model_close(broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_company_does_not_matter),
        cmocka_unit_test(test_rows_and_threads_do_not_matter),
        cmocka_unit_test(test_eager_prompts_write_the_same),
        cmocka_unit_test(test_a_text_is_a_duo),
        cmocka_unit_test(test_nobody_waits_for_a_long_prompt),
        cmocka_unit_test(test_time_is_shared_out),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_faults_belong_to_a_text),
        cmocka_unit_test(test_a_failed_text_changes_nothing),
    };
    int failed = 0;
    static const char *const types[] = {"f16", "q8_0"};
    for (int i = 0; i < 2; i++) {
        cache_type = types[i];
        failed += cmocka_run_group_tests_name(cache_type, tests, open_pair, close_pair);
    }
    return failed;
}
