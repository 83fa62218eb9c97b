/*
 * Two tiny models, one text. What adaptive decoding writes is held against each model alone,
 * against fresh starts over the same text, and against an account kept by hand. All of it with
 * every type of cache.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/driver.h"
#include "ead.h"
#include "engine/local.h"
#include "tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT = 9, STEPS = 60, TEXT_MAX = 256, N_CTX = 128 };

/* ---- the pair ------------------------------------------------------------------------------ */

static const char *cache_type;

/* Different architectures, sizes, weight types and paddings; one vocabulary. */
static struct pair {
    struct tiny_spec large_spec, small_spec;
    struct tiny *large_file, *small_file;
    ead_model *large, *small;
    int32_t prompt[TEXT_MAX];
    double tau; /* exceeded by about half of what the small model writes */
} pair;

static ead_duo_options options_of(ead_policy_kind kind)
{
    ead_duo_options o = ead_duo_defaults();
    o.policy.kind = kind;
    o.policy.tau = pair.tau;
    o.policy.window = 3;
    o.policy.dwell = 2;
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.cache_type = cache_type;
    o.max_rows = 32;
    o.ignore_end = true;
    return o;
}

static ead_duo *open_duo(const ead_model *large, const ead_model *small, const ead_duo_options *o)
{
    ead_duo *duo = NULL;
    ead_error error = {0};
    if (ead_duo_open(large, small, o, &duo, &error)) fail_msg("%s", error.message);
    return duo;
}

static void append(ead_duo *duo, const int32_t *ids, size_t n)
{
    ead_error error = {0};
    if (ead_duo_append(duo, ids, n, &error)) fail_msg("%s", error.message);
    if (ead_duo_read(duo, &error)) fail_msg("%s", error.message);
}

static ead_token step(ead_duo *duo)
{
    ead_token token = {0};
    ead_error error = {0};
    if (ead_duo_step(duo, &token, &error)) fail_msg("%s", error.message);
    return token;
}

/* What a duo wrote, with its text. */
struct run {
    ead_token tokens[TEXT_MAX];
    uint8_t writers[TEXT_MAX];
    int32_t text[TEXT_MAX];
    int n_prompt, n;
    ead_summary summary;
};

static void go_on(ead_duo *duo, struct run *r, int steps)
{
    for (int i = 0; i < steps; i++, r->n++) {
        r->tokens[r->n] = step(duo);
        r->writers[r->n] = (uint8_t)r->tokens[r->n].writer;
        r->text[r->n_prompt + r->n] = r->tokens[r->n].id;
    }
    r->summary = ead_duo_summarise(duo);
}

static void run(const ead_model *large, const ead_model *small, const ead_duo_options *o,
                const int32_t *prompt, int n_prompt, int steps, struct run *r)
{
    ead_duo *duo = open_duo(large, small, o);
    *r = (struct run){.n_prompt = n_prompt};
    memcpy(r->text, prompt, (size_t)n_prompt * sizeof *prompt);
    append(duo, prompt, (size_t)n_prompt);
    go_on(duo, r, steps);
    assert_int_equal(ead_duo_length(duo), n_prompt + steps);
    ead_duo_close(duo);
}

static void run_pair(const ead_duo_options *o, struct run *r)
{
    run(pair.large, pair.small, o, pair.prompt, PROMPT, STEPS, r);
}

static void same_text(const struct run *a, int a_from, const struct run *b, int b_from, int n)
{
    for (int i = 0; i < n; i++) {
        const ead_token *x = &a->tokens[a_from + i], *y = &b->tokens[b_from + i];
        if (x->id != y->id || memcmp(&x->entropy, &y->entropy, sizeof x->entropy))
            fail_msg("token %d: id %d with %g bits against %d with %g", i, x->id,
                     (double)x->entropy, y->id, (double)y->entropy);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int open_pair(void **state)
{
    (void)state;
    pair.small_spec = tiny_spec("qwen2", QT_F32);
    pair.large_spec = tiny_spec("llama", QT_Q8_0);
    pair.small_spec.pad_tokens = 2;
    pair.large_spec.pad_tokens = 7;
    pair.large_spec.pad_rows = 3;
    pair.large_spec.n_layer = 3;
    pair.small_spec.gain = pair.large_spec.gain = 3;
    pair.large_spec.seed = 2;
    pair.small_spec.n_ctx = N_CTX;
    pair.large_spec.n_ctx = 2 * N_CTX;
    pair.small_file = tiny_model(&pair.small_spec);
    pair.large_file = tiny_model(&pair.large_spec);
    pair.small = tiny_open_public(pair.small_file);
    pair.large = tiny_open_public(pair.large_file);
    tiny_text(&pair.small_spec, 3, pair.prompt, TEXT_MAX);
    ead_duo_options o = options_of(EAD_POLICY_SMALL);
    struct run r;
    double rolling[STEPS];
    run_pair(&o, &r);
    for (int i = 0; i < STEPS; i++) rolling[i] = r.tokens[i].rolling;
    qsort(rolling, STEPS, sizeof *rolling, by_value);
    pair.tau = rolling[STEPS / 2];
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    ead_model_close(pair.large);
    ead_model_close(pair.small);
    tiny_free(pair.large_file);
    tiny_free(pair.small_file);
    return 0;
}

/* ---- against one model --------------------------------------------------------------------- */

static void test_a_high_tau_is_the_small_model(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run high, policy, alone;
    o.policy.tau = 1e9;
    run_pair(&o, &high);
    o = options_of(EAD_POLICY_SMALL);
    run_pair(&o, &policy);
    run(NULL, pair.small, &o, pair.prompt, PROMPT, STEPS, &alone);
    same_text(&high, 0, &policy, 0, STEPS);
    same_text(&high, 0, &alone, 0, STEPS);
    assert_int_equal(high.summary.work[EAD_SMALL].tokens, STEPS);
    assert_int_equal(high.summary.switches, 0);
    assert_int_equal(high.summary.work[EAD_LARGE].prompt_rows, 0); /* lazily means never */
}

static void test_a_low_tau_is_the_large_model_after_the_dwell(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run low, alone;
    o.policy.tau = -1;
    o.policy.dwell = 10;
    run_pair(&o, &low);
    for (int i = 0; i < STEPS; i++)
        assert_int_equal(low.writers[i], i < 10 ? EAD_SMALL : EAD_LARGE);
    run(pair.large, NULL, &o, low.text, PROMPT + 10, STEPS - 10, &alone);
    same_text(&low, 10, &alone, 0, STEPS - 10);
    o = options_of(EAD_POLICY_LARGE);
    run_pair(&o, &low);
    run(pair.large, NULL, &o, pair.prompt, PROMPT, STEPS, &alone);
    same_text(&low, 0, &alone, 0, STEPS);
}

static void test_one_model_writes_everything(void **state)
{
    (void)state;
    static const ead_policy_kind kinds[] = {EAD_POLICY_EAD, EAD_POLICY_LARGE, EAD_POLICY_SMALL,
                                            EAD_POLICY_RANDOM};
    struct run r;
    for (int i = 0; i < 4; i++) {
        ead_duo_options o = options_of(kinds[i]);
        o.policy.start = (ead_writer)(i % 2);
        run(pair.large, NULL, &o, pair.prompt, PROMPT, 10, &r);
        assert_int_equal(r.summary.work[EAD_LARGE].tokens, 10);
        assert_true(r.summary.parameter_cost == 1);
        run(NULL, pair.small, &o, pair.prompt, PROMPT, 10, &r);
        assert_int_equal(r.summary.work[EAD_SMALL].tokens, 10);
    }
    ead_duo *duo = NULL;
    ead_error error;
    assert_int_equal(ead_duo_open(NULL, NULL, NULL, &duo, &error), EAD_ARGUMENT);
    assert_non_null(strstr(error.message, "found none"));
    ead_duo_close(NULL);
}

/* Every token is the argmax, and its entropy the entropy, of the writer's own distribution after
 * the whole text before it. */
static void test_every_token_is_its_writers(void **state)
{
    (void)state;
    const ead_model *models[] = {[EAD_SMALL] = pair.small, [EAD_LARGE] = pair.large};
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run r;
    run_pair(&o, &r);
    assert_true(r.summary.switches >= 6);
    for (int w = 0; w < EAD_WRITERS; w++) {
        ead_session_options so = ead_session_defaults();
        ead_session *session = NULL;
        ead_row rows[PROMPT + STEPS];
        so.max_logits = so.max_rows = PROMPT + STEPS;
        so.cache_type = cache_type;
        assert_int_equal(ead_session_open(models[w], &so, &session, NULL), EAD_OK);
        for (int i = 0; i < PROMPT + STEPS; i++) rows[i] = (ead_row){0, i, r.text[i], true};
        assert_int_equal(ead_session_eval(session, rows, PROMPT + STEPS, NULL), EAD_OK);
        for (int i = 0; i < STEPS; i++) {
            ead_stats stats;
            if (r.writers[i] != w) continue;
            assert_int_equal(ead_session_stats(session, PROMPT + i - 1, &stats, NULL), EAD_OK);
            assert_int_equal(stats.argmax, r.tokens[i].id);
            assert_memory_equal(&stats.entropy, &r.tokens[i].entropy, sizeof stats.entropy);
        }
        ead_session_close(session);
    }
}

/* The fields of a token that follow from the others. */
static void test_token_fields(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run r;
    run_pair(&o, &r);
    int switches = 0;
    for (int i = 0; i < STEPS; i++) {
        double sum = 0;
        int n = i + 1 < o.policy.window ? i + 1 : o.policy.window;
        for (int k = i + 1 - n; k <= i; k++) sum += (double)r.tokens[k].entropy;
        assert_true(fabs(sum / n - r.tokens[i].rolling) < 1e-9);
        assert_int_equal(r.tokens[i].index, i);
        assert_int_equal(r.tokens[i].end, EAD_END_NOT);
        assert_int_equal(r.tokens[i].switched, i > 0 && r.writers[i] != r.writers[i - 1]);
        assert_true(r.tokens[i].seconds >= 0);
        switches += r.tokens[i].switched;
    }
    assert_int_equal(r.summary.switches, switches);
}

/* ---- switching ----------------------------------------------------------------------------- */

static void test_replay_reproduces_a_run(void **state)
{
    (void)state;
    static const ead_policy_kind kinds[] = {EAD_POLICY_EAD, EAD_POLICY_RANDOM};
    for (int i = 0; i < 4; i++) {
        ead_duo_options o = options_of(kinds[i % 2]);
        struct run first, again;
        ead_replay places[STEPS];
        o.sampler.temperature = i < 2 ? 0 : 0.8f;
        o.sampler.seed = 5;
        run_pair(&o, &first);
        assert_true(first.summary.switches >= 4);
        o.policy.kind = EAD_POLICY_REPLAY;
        for (int k = 0; k < STEPS; k++) places[k] = (ead_replay){.writer = first.writers[k]};
        o.policy.replay = places;
        o.policy.n_replay = STEPS;
        run_pair(&o, &again);
        same_text(&first, 0, &again, 0, STEPS);
        assert_memory_equal(first.writers, again.writers, STEPS);
    }
}

/* Away and back is the identity: after any number of switches, what an engine says about the text
 * is what a fresh engine says. */
static void check_engine(struct engine *e, const struct duo *d, const struct model *m)
{
    const struct local_options options = *local_settings(e);
    struct engine *fresh = NULL;
    struct row rows[TEXT_MAX];
    const int from = engine_length(e, 0);
    assert_true(from < d->text.n);
    assert_int_equal(local_open(m, &options, &fresh, NULL), ST_OK);
    for (int i = 0; i < d->text.n; i++)
        rows[i] =
            (struct row){.pos = i, .token = d->text.ids[i], .wants_logits = i == d->text.n - 1};
    assert_int_equal(engine_submit(e, rows + from, d->text.n - from, NULL), ST_OK);
    assert_int_equal(engine_submit(fresh, rows, d->text.n, NULL), ST_OK);
    assert_memory_equal(local_logits(e, 0), local_logits(fresh, 0),
                        (size_t)m->weights.n_vocab * sizeof(float));
    engine_close(fresh);
}

static void test_away_and_back_is_the_identity(void **state)
{
    (void)state;
    struct model *models[] = {tiny_open(pair.small_file), tiny_open(pair.large_file)};
    const struct local_options eo = {.threads = 2, .n_ctx = N_CTX, .max_rows = N_CTX};
    for (int steps = 1; steps < 30; steps += 4) {
        struct engine *engines[2];
        struct driver *b = NULL;
        ead_token token;
        ead_duo_options o = options_of(EAD_POLICY_RANDOM);
        o.policy.share = 0.5;
        o.policy.dwell = 1;
        o.policy.seed = (uint64_t)steps;
        for (int w = 0; w < 2; w++)
            assert_int_equal(local_open(models[w], &eo, &engines[w], NULL), ST_OK);
        assert_int_equal(driver_open(engines[EAD_LARGE], engines[EAD_SMALL], &o, 1, &b, NULL),
                         ST_OK);
        assert_int_equal(duo_append(driver_duo(b, 0), pair.prompt, PROMPT, NULL), ST_OK);
        for (int i = 0; i < steps; i++) assert_int_equal(driver_write(b, 0, &token, NULL), ST_OK);
        for (int w = 0; w < 2; w++) check_engine(engines[w], driver_duo(b, 0), models[w]);
        driver_close(b);
        for (int w = 0; w < 2; w++) engine_close(engines[w]);
    }
    for (int w = 0; w < 2; w++) model_close(models[w]);
}

static int differing(const struct run *a, const struct run *b)
{
    int n = 0;
    for (int i = 0; i < STEPS; i++) n += a->tokens[i].id != b->tokens[i].id;
    return n;
}

static void test_sampling_is_its_options(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run greedy, hot, again, other, penalised;
    run_pair(&o, &greedy);
    o.sampler.temperature = 1;
    run_pair(&o, &hot);
    run_pair(&o, &again);
    o.sampler.seed = 1;
    run_pair(&o, &other);
    assert_int_equal(differing(&hot, &again), 0);
    assert_true(differing(&hot, &greedy) > STEPS / 2);
    assert_true(differing(&hot, &other) > STEPS / 2);
    o = options_of(EAD_POLICY_EAD);
    o.sampler.repeat_penalty = 100;
    run_pair(&o, &penalised);
    for (int i = 0; i < STEPS; i++) /* so high a price that no token of the last 64 comes back */
        for (int k = 0; k < PROMPT + i; k++)
            if (PROMPT + i - k <= 64)
                assert_int_not_equal(penalised.text[k], penalised.tokens[i].id);
}

/* Penalties and biases choose otherwise; what is told is the distribution as it was. */
static void test_changed_logits_are_not_told(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run plain, biased, penalised;
    run_pair(&o, &plain);
    const ead_bias wanted[] = {{7, 1e6f}};
    o.sampler.bias = wanted;
    o.sampler.n_bias = 1;
    run_pair(&o, &biased);
    for (int i = 0; i < STEPS; i++) assert_int_equal(biased.tokens[i].id, 7);
    assert_memory_equal(&biased.tokens[0].stats, &plain.tokens[0].stats, sizeof(ead_stats));
    assert_int_not_equal(plain.tokens[0].id, 7);
    assert_true(biased.tokens[0].log_prob < plain.tokens[0].log_prob);
    o.sampler.n_bias = 0;
    o.sampler.presence_penalty = 1000;
    run_pair(&o, &penalised);
    for (int i = 0; i < STEPS; i++) /* what was given may come; what was written does not again */
        for (int k = 0; k < i; k++)
            assert_int_not_equal(penalised.tokens[k].id, penalised.tokens[i].id);
    assert_memory_equal(&penalised.tokens[0], &plain.tokens[0], offsetof(ead_token, seconds));
}

static void test_a_text_of_forbidden_tokens_has_a_fault(void **state)
{
    (void)state;
    enum { VOCAB_MAX = 512 };
    ead_duo_options o = options_of(EAD_POLICY_SMALL);
    ead_bias all[VOCAB_MAX];
    ead_duo *duo;
    ead_error error;
    ead_token token;
    const int32_t ids[] = {3, 4};
    for (int i = 0; i < VOCAB_MAX; i++) all[i] = (ead_bias){i, -100};
    o.sampler.bias = all;
    o.sampler.n_bias = VOCAB_MAX;
    assert_int_equal(ead_duo_open(NULL, pair.small, &o, &duo, &error), EAD_OK);
    assert_int_equal(ead_duo_append(duo, ids, 2, &error), EAD_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ead_duo_step(duo, &token, &error), EAD_ARGUMENT);
        assert_non_null(strstr(error.message, "are forbidden"));
    }
    o.sampler.bias = all + 5;
    o.sampler.n_bias = VOCAB_MAX - 5;
    assert_int_equal(ead_duo_set_sampler(duo, &o.sampler, &error), EAD_OK);
    assert_int_equal(ead_duo_step(duo, &token, &error), EAD_OK);
    assert_in_range(token.id, 0, 4);
    ead_duo_close(duo);
}

static void test_eager_and_lazy_prompts_write_the_same(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run lazy, eager;
    run_pair(&o, &lazy);
    o.eager_prompt = true;
    run_pair(&o, &eager);
    same_text(&lazy, 0, &eager, 0, STEPS);
    assert_memory_equal(lazy.writers, eager.writers, STEPS);
    o.policy.kind = EAD_POLICY_SMALL;
    run_pair(&o, &eager);
    assert_int_equal(eager.summary.work[EAD_LARGE].prompt_rows, PROMPT - 1);
}

static void test_threads_and_rows_do_not_matter(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run one, other;
    run_pair(&o, &one);
    o.threads = 2;
    o.max_rows = 3;
    run_pair(&o, &other);
    same_text(&one, 0, &other, 0, STEPS);
}

/* ---- the account --------------------------------------------------------------------------- */

/* Rows by a hand-kept length per model: each step the writer reads up to the end of the text. */
static void account(const struct run *r, ead_work expected[EAD_WRITERS])
{
    int length[EAD_WRITERS] = {0};
    memset(expected, 0, EAD_WRITERS * sizeof *expected);
    for (int i = 0; i < r->n; i++) {
        const int w = r->writers[i], end = r->n_prompt + i;
        ead_work *work = &expected[w];
        int catchup = 0, decode = 0, prompt = 0;
        for (int pos = length[w]; pos < end; pos++) {
            if (pos < r->n_prompt)
                prompt++;
            else if (pos == end - 1)
                decode++;
            else
                catchup++;
        }
        length[w] = end;
        work->tokens++;
        work->prompt_rows += prompt;
        work->decode_rows += decode;
        work->catchup_rows += catchup;
        work->catchup_passes += catchup > 0;
        work->decode_steps += decode && !catchup && !prompt;
    }
}

static void check_account(const struct run *r)
{
    ead_work expected[EAD_WRITERS];
    account(r, expected);
    for (int w = 0; w < EAD_WRITERS; w++) {
        const ead_work *got = &r->summary.work[w], *want = &expected[w];
        assert_int_equal(got->tokens, want->tokens);
        assert_int_equal(got->prompt_rows, want->prompt_rows);
        assert_int_equal(got->decode_rows, want->decode_rows);
        assert_int_equal(got->catchup_rows, want->catchup_rows);
        assert_int_equal(got->catchup_passes, want->catchup_passes);
        assert_int_equal(got->decode_steps, want->decode_steps);
        assert_true((got->catchup_seconds > 0) == (got->catchup_passes > 0));
        assert_true((got->step_seconds > 0) == (got->decode_steps > 0));
    }
    assert_int_equal(r->summary.tokens, r->n);
}

static void test_rows_add_up(void **state)
{
    (void)state;
    struct run r;
    for (int i = 0; i < 12; i++) {
        ead_duo_options o = options_of(i % 2 ? EAD_POLICY_RANDOM : EAD_POLICY_EAD);
        o.policy.seed = (uint64_t)i;
        o.policy.dwell = 1 + i % 5;
        o.policy.share = 0.4;
        o.policy.start = (ead_writer)(i % 3 == 0);
        run_pair(&o, &r);
        check_account(&r);
    }
    const double n_l = (double)ead_model_describe(pair.large).n_active;
    const double n_s = (double)ead_model_describe(pair.small).n_active;
    const double p = (double)r.summary.work[EAD_LARGE].tokens / STEPS;
    assert_true(p > 0 && p < 1 && n_l > n_s);
    assert_true(fabs(r.summary.parameter_cost - (p * n_l + (1 - p) * n_s) / n_l) < 1e-12);
    assert_true(r.summary.ideal_seconds > 0 && r.summary.large_seconds > 0);
}

/* ---- ends ---------------------------------------------------------------------------------- */

/* The pair with another token that ends a text. */
static void open_with_end(int32_t end, ead_model **large, ead_model **small)
{
    tiny_set_u32(pair.small_file, "tokenizer.ggml.eos_token_id", (uint32_t)end);
    tiny_set_u32(pair.large_file, "tokenizer.ggml.eos_token_id", (uint32_t)end);
    *large = tiny_open_public(pair.large_file);
    *small = tiny_open_public(pair.small_file);
    tiny_set_u32(pair.small_file, "tokenizer.ggml.eos_token_id", TINY_EOS);
    tiny_set_u32(pair.large_file, "tokenizer.ggml.eos_token_id", TINY_EOS);
}

static void test_the_end_of_a_text(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run whole, r = {0};
    run_pair(&o, &whole);
    const int32_t end = whole.tokens[20].id;
    int first = 0;
    while (whole.tokens[first].id != end) first++;
    ead_model *large, *small;
    open_with_end(end, &large, &small);
    assert_true(ead_token_is_end(large, end));
    run(large, small, &o, pair.prompt, PROMPT, STEPS, &r); /* ignore_end */
    same_text(&whole, 0, &r, 0, STEPS);
    for (int i = 0; i < STEPS; i++) assert_int_equal(r.tokens[i].end, EAD_END_NOT);

    o.ignore_end = false;
    ead_duo *duo = open_duo(large, small, &o);
    append(duo, pair.prompt, PROMPT);
    for (int i = 0; i <= first; i++) {
        ead_token token = step(duo);
        assert_int_equal(token.id, whole.tokens[i].id);
        assert_int_equal(token.end, i == first ? EAD_END_TOKEN : EAD_END_NOT);
    }

    /* A user's next turn: the policy starts anew over the whole text so far. */
    struct run next = {0}, fresh;
    int32_t text[TEXT_MAX];
    const int n = PROMPT + first + 1;
    memcpy(text, whole.text, (size_t)n * sizeof *text);
    memcpy(text + n, pair.prompt + 50, 7 * sizeof *text);
    append(duo, pair.prompt + 50, 7);
    go_on(duo, &next, 10);
    o.ignore_end = true;
    run(large, small, &o, text, n + 7, 10, &fresh);
    same_text(&next, 0, &fresh, 0, 10);
    assert_memory_equal(next.writers, fresh.writers, 10);
    assert_int_equal(next.tokens[0].index, 0);
    assert_false(next.tokens[0].switched);
    ead_duo_close(duo);
    ead_model_close(large);
    ead_model_close(small);
}

/* What ends a text in either file ends it, whoever writes. */
static void test_either_file_ends_a_text(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_SMALL);
    struct run whole;
    run_pair(&o, &whole);
    const int32_t end = whole.tokens[10].id;
    int first = 0;
    while (whole.tokens[first].id != end) first++;
    tiny_set_u32(pair.large_file, "tokenizer.ggml.eos_token_id", (uint32_t)end);
    ead_model *large = tiny_open_public(pair.large_file);
    tiny_set_u32(pair.large_file, "tokenizer.ggml.eos_token_id", TINY_EOS);
    assert_false(ead_token_is_end(pair.small, end));
    o.ignore_end = false;
    ead_duo *duo = open_duo(large, pair.small, &o);
    append(duo, pair.prompt, PROMPT);
    for (int i = 0; i <= first; i++)
        assert_int_equal(step(duo).end, i == first ? EAD_END_TOKEN : EAD_END_NOT);
    ead_duo_close(duo);
    ead_model_close(large);
}

static void expect_full(ead_duo *duo, size_t length)
{
    ead_error error;
    ead_token token;
    assert_int_equal(ead_duo_append(duo, pair.prompt, 1, &error), EAD_FULL);
    assert_non_null(strstr(error.message, "does not fit"));
    if (length > (size_t)ead_duo_context(duo)) {
        assert_int_equal(ead_duo_step(duo, &token, &error), EAD_FULL);
        assert_non_null(strstr(error.message, "full"));
    }
    assert_int_equal(ead_duo_length(duo), length);
}

/* A full context still yields one token, which no model will read. */
static void test_the_end_of_the_context(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run whole;
    run_pair(&o, &whole);
    o.n_ctx = 30;
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    assert_int_equal(ead_duo_context(duo), 30);
    append(duo, pair.prompt, PROMPT);
    for (int i = PROMPT; i <= 30; i++) {
        ead_token token = step(duo);
        assert_int_equal(token.id, whole.text[i]);
        assert_int_equal(token.end, i == 30 ? EAD_END_CONTEXT : EAD_END_NOT);
    }
    expect_full(duo, 31);
    ead_duo_truncate(duo, 30);
    expect_full(duo, 30);
    assert_int_equal(step(duo).end, EAD_END_CONTEXT);
    ead_duo_truncate(duo, 25);
    append(duo, pair.prompt, 5);
    assert_int_equal(step(duo).end, EAD_END_CONTEXT);
    ead_duo_close(duo);

    duo = open_duo(pair.large, pair.small, &o);
    ead_error error;
    append(duo, pair.prompt, 4);
    assert_int_equal(ead_duo_append(duo, pair.prompt, 27, &error), EAD_FULL);
    assert_int_equal(ead_duo_length(duo), 4);
    append(duo, pair.prompt + 4, 26);
    assert_int_equal(step(duo).end, EAD_END_CONTEXT);
    ead_duo_close(duo);
}

static void test_the_smaller_training_context_is_the_default(void **state)
{
    (void)state;
    ead_duo *duo = open_duo(pair.large, pair.small, NULL);
    assert_int_equal(ead_duo_context(duo), N_CTX);
    ead_duo_close(duo);
    duo = open_duo(pair.large, NULL, NULL);
    assert_int_equal(ead_duo_context(duo), 2 * N_CTX);
    ead_duo_close(duo);
}

/* ---- forgetting ---------------------------------------------------------------------------- */

/* Shorten to `keep`, append, and write: equal to a fresh start over the same text. */
static void check_truncation(int keep)
{
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    struct run first = {.n_prompt = PROMPT}, next = {0}, fresh;
    memcpy(first.text, pair.prompt, PROMPT * sizeof *first.text);
    append(duo, pair.prompt, PROMPT);
    go_on(duo, &first, 30);
    ead_duo_truncate(duo, 1000); /* nothing to forget */
    assert_int_equal(ead_duo_length(duo), PROMPT + 30);
    ead_duo_truncate(duo, (size_t)keep);
    assert_int_equal(ead_duo_length(duo), keep);
    append(duo, pair.prompt + 100, 3);
    go_on(duo, &next, 25);
    ead_duo_close(duo);
    memcpy(first.text + keep, pair.prompt + 100, 3 * sizeof *first.text);
    run(pair.large, pair.small, &o, first.text, keep + 3, 25, &fresh);
    same_text(&next, 0, &fresh, 0, 25);
    assert_memory_equal(next.writers, fresh.writers, 25);
}

static void test_truncating_equals_a_fresh_start(void **state)
{
    (void)state;
    for (int keep = 0; keep <= PROMPT + 30; keep += keep < PROMPT + 2 ? 1 : 4)
        check_truncation(keep);
}

/* A text that is only shortened goes on where it was cut. */
static void test_truncating_and_stepping(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_SMALL);
    struct run whole;
    run_pair(&o, &whole);
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    append(duo, pair.prompt, PROMPT);
    for (int i = 0; i < 20; i++) (void)step(duo);
    for (int keep = PROMPT + 15; keep >= PROMPT; keep -= 5) {
        ead_duo_truncate(duo, (size_t)keep);
        for (int i = keep; i < keep + 8; i++) assert_int_equal(step(duo).id, whole.text[i]);
    }
    ead_duo_close(duo);
}

/* What is written where a prompt stood is no prompt. */
static void test_writing_over_a_prompt(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_SMALL);
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    append(duo, pair.prompt, PROMPT);
    ead_duo_truncate(duo, 5);
    for (int i = 0; i < 3; i++) (void)step(duo);
    ead_summary s = ead_duo_summarise(duo);
    assert_int_equal(s.work[EAD_SMALL].prompt_rows, PROMPT - 1 + 1); /* the fifth again */
    assert_int_equal(s.work[EAD_SMALL].decode_rows, 2);
    assert_int_equal(s.work[EAD_SMALL].catchup_rows, 0);
    ead_duo_close(duo);
}

/* ---- vocabularies -------------------------------------------------------------------------- */

static void test_other_vocabularies_are_refused(void **state)
{
    (void)state;
    struct tiny *t = tiny_model(&pair.small_spec);
    for (int i = 0; i < t->n_kv; i++) {
        struct tiny_bytes *value = &t->kv[i].value;
        uint8_t *at = memmem(value->data, value->n, "<0x41>", 6);
        if (at) memcpy(at, "<0x4f>", 6);
    }
    ead_model *other = tiny_open_public(t);
    ead_error error;
    ead_duo *duo = NULL;
    assert_int_equal(ead_duo_open(pair.large, other, NULL, &duo, &error), EAD_ARGUMENT);
    assert_null(duo);
    if (!strstr(error.message, "from id 68 on") || !strstr(error.message, "<0x4f>"))
        fail_msg("%s", error.message);
    assert_int_equal(ead_model_compare(pair.large, other, &error), EAD_ARGUMENT);
    assert_int_equal(ead_model_compare(pair.large, pair.small, &error), EAD_OK);
    ead_model_close(other);
    tiny_free(t);
}

/* The paddings differ (7 tokens and 3 rows against 2); nothing of them is ever written, even where
 * it has the largest logits. */
static void test_padding_is_never_written(void **state)
{
    (void)state;
    struct tiny *t = tiny_model(&pair.small_spec);
    struct tiny_tensor *output = tiny_find(t, "output.weight");
    const size_t d = output->dims[0], real = (size_t)tiny_real_vocab(&pair.small_spec);
    float *w = (float *)(void *)output->data.data;
    for (size_t i = real * d; i < output->dims[1] * d; i++) w[i] *= 1e3f;
    ead_model *loud = tiny_open_public(t);
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run r, expected;
    for (int i = 0; i < 2; i++) {
        o.sampler.temperature = (float)i;
        run(pair.large, loud, &o, pair.prompt, PROMPT, STEPS, &r);
        run_pair(&o, &expected);
        same_text(&r, 0, &expected, 0, STEPS);
        for (int k = 0; k < STEPS; k++) assert_in_range(r.tokens[k].id, 0, real - 1);
    }
    ead_model_close(loud);
    tiny_free(t);
}

/* One model has more tokens: they are neither written nor offered. */
static void test_tokens_of_one_model_alone(void **state)
{
    (void)state;
    struct tiny_spec spec = pair.large_spec;
    spec.pad_tokens = 0;
    spec.extra = 40;
    struct tiny *t = tiny_model(&spec);
    ead_model *more = tiny_open_public(t);
    ead_duo_options o = options_of(EAD_POLICY_LARGE);
    const int shared = ead_model_describe(pair.small).n_vocab;
    assert_int_equal(ead_model_describe(more).n_vocab, shared + spec.extra);
    o.sampler.temperature = 3;
    ead_duo *duo = open_duo(more, pair.small, &o);
    append(duo, pair.prompt, PROMPT);
    for (int i = 0; i < 30; i++) {
        ead_alternative best[1000];
        assert_in_range(step(duo).id, 0, shared - 1);
        const int n = ead_duo_best(duo, 1000, best);
        assert_int_equal(n, shared);
        for (int k = 0; k < n; k++) assert_in_range(best[k].id, 0, shared - 1);
    }
    ead_duo_close(duo);
    ead_model_close(more);
    tiny_free(t);
}

/* ---- progress ------------------------------------------------------------------------------ */

struct watch {
    int calls, stop_at, last, total;
    ead_writer reader;
};

static bool on_progress(void *context, ead_writer reader, int done, int total)
{
    struct watch *w = context;
    assert_true(done > w->last && done <= total);
    w->last = done;
    w->total = total;
    w->reader = reader;
    return ++w->calls != w->stop_at;
}

static void test_progress_can_cancel_and_resume(void **state)
{
    (void)state;
    enum { LONG = 70 };
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run expected;
    run(pair.large, pair.small, &o, pair.prompt, LONG, 20, &expected);
    o.max_rows = 8;
    for (int stop_at = 0; stop_at <= 9; stop_at++) {
        ead_duo *duo = open_duo(pair.large, pair.small, &o);
        struct watch w = {.stop_at = stop_at};
        ead_error error;
        ead_duo_watch(duo, on_progress, &w);
        assert_int_equal(ead_duo_append(duo, pair.prompt, LONG, &error), EAD_OK);
        assert_int_equal(ead_duo_read(duo, &error), stop_at ? EAD_CANCELLED : EAD_OK);
        assert_int_equal(w.calls, stop_at ? stop_at : 9); /* 69 rows, 8 at a time */
        assert_int_equal(w.last, stop_at && stop_at < 9 ? 8 * stop_at : LONG - 1);
        assert_int_equal(w.total, LONG - 1);
        assert_int_equal(w.reader, EAD_SMALL);
        assert_int_equal(ead_duo_length(duo), LONG);
        struct run r = {.n_prompt = LONG};
        w = (struct watch){0};
        for (int i = 0; i < 20; i++) {
            w.last = 0; /* the two models read one after the other */
            go_on(duo, &r, 1);
        }
        same_text(&r, 0, &expected, 0, 20);
        ead_duo_close(duo);
    }
}

/* The second model reads the prompt in the step of its first turn; that can be stopped too. */
static void test_progress_of_the_second_reader(void **state)
{
    (void)state;
    enum { LONG = 70 };
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    struct run expected;
    o.policy.tau = -1;
    run(pair.large, pair.small, &o, pair.prompt, LONG, 10, &expected);
    o.max_rows = 8;
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    struct watch w = {0};
    ead_token token;
    ead_error error;
    ead_duo_watch(duo, on_progress, &w);
    append(duo, pair.prompt, LONG);
    for (int i = 0; i < o.policy.dwell; i++) assert_int_equal(step(duo).id, expected.tokens[i].id);
    w = (struct watch){.stop_at = 2};
    assert_int_equal(ead_duo_step(duo, &token, &error), EAD_CANCELLED);
    assert_non_null(strstr(error.message, "prompt"));
    assert_int_equal(w.reader, EAD_LARGE);
    assert_int_equal(w.last, 16);
    assert_int_equal(ead_duo_length(duo), LONG + o.policy.dwell);
    w = (struct watch){0};
    for (int i = o.policy.dwell; i < 10; i++) {
        assert_int_equal(step(duo).id, expected.tokens[i].id);
        assert_int_equal(expected.writers[i], EAD_LARGE);
    }
    assert_int_equal(w.total, LONG + o.policy.dwell - 16); /* what was read stays read */
    ead_summary s = ead_duo_summarise(duo);
    assert_int_equal(s.work[EAD_LARGE].prompt_rows, LONG);
    ead_duo_close(duo);
}

/* ---- arguments ----------------------------------------------------------------------------- */

static void refuse_open(const ead_duo_options *o, ead_status st, const char *message)
{
    ead_duo *duo = NULL;
    ead_error error;
    assert_int_equal(ead_duo_open(pair.large, pair.small, o, &duo, &error), st);
    assert_null(duo);
    if (!strstr(error.message, message)) fail_msg("expected \"%s\" in: %s", message, error.message);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    o.policy.tau = NAN;
    refuse_open(&o, EAD_ARGUMENT, "tau");
    o = options_of(EAD_POLICY_EAD);
    o.sampler.top_p = 0;
    refuse_open(&o, EAD_ARGUMENT, "top-p");
    o = options_of(EAD_POLICY_EAD);
    o.cpu = "mmx";
    refuse_open(&o, EAD_ARGUMENT, "expected ref, avx2, avxvnni, avx512 or amx, found \"mmx\"");
    o = options_of(EAD_POLICY_EAD);
    o.cache_type = "q4_0";
    refuse_open(&o, EAD_ARGUMENT, "cache type: expected f16 or q8_0, found \"q4_0\"");
    o = options_of(EAD_POLICY_EAD);
    o.threads = -2;
    refuse_open(&o, EAD_ARGUMENT, "threads");
    o = options_of(EAD_POLICY_EAD);
    o.n_ctx = -1;
    refuse_open(&o, EAD_ARGUMENT, "context");
}

static void test_bad_texts_are_refused(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_EAD);
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    ead_error error;
    ead_token token;
    assert_int_equal(ead_duo_step(duo, &token, &error), EAD_ARGUMENT);
    append(duo, NULL, 0);
    assert_int_equal(ead_duo_step(duo, &token, &error), EAD_ARGUMENT);
    append(duo, pair.prompt, PROMPT);
    const int32_t bad[] = {5, -1}, padding[] = {tiny_real_vocab(&pair.small_spec)};
    assert_int_equal(ead_duo_append(duo, bad, 2, &error), EAD_ARGUMENT);
    assert_non_null(strstr(error.message, "token 1: expected an id from 0 to"));
    assert_int_equal(ead_duo_append(duo, padding, 1, &error), EAD_ARGUMENT);
    assert_int_equal(ead_duo_length(duo), PROMPT);
    struct run r = {0}, expected;
    run_pair(&o, &expected);
    go_on(duo, &r, 10);
    same_text(&r, 0, &expected, 0, 10);
    ead_duo_close(duo);
}

static void test_the_policy_can_be_changed(void **state)
{
    (void)state;
    ead_duo_options o = options_of(EAD_POLICY_SMALL);
    struct run whole, large, r = {.n_prompt = PROMPT};
    run_pair(&o, &whole);
    ead_duo *duo = open_duo(pair.large, pair.small, &o);
    append(duo, pair.prompt, PROMPT);
    go_on(duo, &r, 10);
    ead_policy_options p = o.policy;
    p.window = 0;
    assert_int_equal(ead_duo_set_policy(duo, &p, NULL), EAD_ARGUMENT);
    p.window = 3;
    p.kind = EAD_POLICY_LARGE;
    assert_int_equal(ead_duo_set_policy(duo, &p, NULL), EAD_OK);
    go_on(duo, &r, 10);
    p.kind = EAD_POLICY_SMALL;
    assert_int_equal(ead_duo_set_policy(duo, &p, NULL), EAD_OK);
    append(duo, pair.prompt, 2);
    assert_false(step(duo).switched); /* the first of a turn follows nobody */
    ead_duo_close(duo);
    same_text(&r, 0, &whole, 0, 10);
    run(pair.large, NULL, &o, whole.text, PROMPT + 10, 10, &large);
    same_text(&r, 10, &large, 0, 10);
    assert_true(r.tokens[10].switched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_high_tau_is_the_small_model),
        cmocka_unit_test(test_a_low_tau_is_the_large_model_after_the_dwell),
        cmocka_unit_test(test_one_model_writes_everything),
        cmocka_unit_test(test_every_token_is_its_writers),
        cmocka_unit_test(test_token_fields),
        cmocka_unit_test(test_replay_reproduces_a_run),
        cmocka_unit_test(test_away_and_back_is_the_identity),
        cmocka_unit_test(test_sampling_is_its_options),
        cmocka_unit_test(test_changed_logits_are_not_told),
        cmocka_unit_test(test_a_text_of_forbidden_tokens_has_a_fault),
        cmocka_unit_test(test_eager_and_lazy_prompts_write_the_same),
        cmocka_unit_test(test_threads_and_rows_do_not_matter),
        cmocka_unit_test(test_rows_add_up),
        cmocka_unit_test(test_the_end_of_a_text),
        cmocka_unit_test(test_either_file_ends_a_text),
        cmocka_unit_test(test_the_end_of_the_context),
        cmocka_unit_test(test_the_smaller_training_context_is_the_default),
        cmocka_unit_test(test_truncating_equals_a_fresh_start),
        cmocka_unit_test(test_truncating_and_stepping),
        cmocka_unit_test(test_writing_over_a_prompt),
        cmocka_unit_test(test_other_vocabularies_are_refused),
        cmocka_unit_test(test_padding_is_never_written),
        cmocka_unit_test(test_tokens_of_one_model_alone),
        cmocka_unit_test(test_progress_can_cancel_and_resume),
        cmocka_unit_test(test_progress_of_the_second_reader),
        cmocka_unit_test(test_options_are_checked),
        cmocka_unit_test(test_bad_texts_are_refused),
        cmocka_unit_test(test_the_policy_can_be_changed),
    };
    int failed = 0;
    static const char *const types[] = {"f16", "q8_0"};
    for (int i = 0; i < 2; i++) {
        cache_type = types[i];
        failed += cmocka_run_group_tests_name(cache_type, tests, open_pair, close_pair);
    }
    return failed;
}
