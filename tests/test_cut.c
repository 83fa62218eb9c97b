/*
 * A text is all there is: cut back anywhere it goes on as it did, copied it goes on like its
 * original, whoever decides, whoever draws, and whatever company it has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead.h"
#include "rewrite.h"
#include "tiny.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_CTX = 96, PROMPT = 11, TOKENS = 40, TEXTS = 3 };

static struct {
    ead_model *large, *small;
    int32_t prompt[N_CTX];
    double tau;
} pair;

static const ead_replay recording[] = {{.writer = 0}, {.writer = 0}, {.writer = 1}, {.writer = 1},
                                       {.writer = 1}, {.writer = 0}, {.writer = 1}, {.writer = 0},
                                       {.writer = 0}, {.writer = 0}, {.writer = 0}, {.writer = 1},
                                       {.writer = 0}, {.writer = 1}, {.writer = 1}};

/* ---- policies of the program's own --------------------------------------------------------- */

/* R-Stitch (2507.17307): what the small model writes in doubt is dropped, and the large one writes
 * there; the large one goes on while it is in doubt itself. */
static ead_decision stitch(void *context, const ead_signals *s)
{
    const double tau = *(const double *)context;
    if (!s->index) return (ead_decision){.writer = EAD_SMALL};
    const bool doubt = (double)s->stats.entropy > tau;
    if (s->writer == EAD_LARGE) return (ead_decision){.writer = doubt ? EAD_LARGE : EAD_SMALL};
    return doubt ? (ead_decision){.writer = EAD_LARGE, .take_back = 1}
                 : (ead_decision){.writer = EAD_SMALL};
}

/* ---- texts --------------------------------------------------------------------------------- */

/* A way to write: who decides, who draws, who reads when. */
struct way {
    const char *name;
    ead_policy_kind kind;
    ead_decide decide;
    float temperature, penalty, top_p;
    int top_k;
    bool eager, clear;
};

static const struct way ways[] = {
    {"ead", EAD_POLICY_EAD, NULL, 0, 1, 1, 0, false, false},
    {"ead, drawn", EAD_POLICY_EAD, NULL, 1, 1, 1, 0, false, false},
    {"ead, penalised", EAD_POLICY_EAD, NULL, 0, 1.3f, 1, 0, false, false},
    {"ead, eager", EAD_POLICY_EAD, NULL, 0, 1, 1, 0, true, false},
    {"ead, window cleared", EAD_POLICY_EAD, NULL, 0.7f, 1, 1, 20, false, true},
    {"large", EAD_POLICY_LARGE, NULL, 0.9f, 1.1f, 0.9f, 0, false, false},
    {"small", EAD_POLICY_SMALL, NULL, 2, 1, 1, 7, true, false},
    {"random", EAD_POLICY_RANDOM, NULL, 0, 1, 1, 0, false, false},
    {"random, drawn, eager", EAD_POLICY_RANDOM, NULL, 1, 1, 0.95f, 0, true, false},
    {"replay", EAD_POLICY_REPLAY, NULL, 0.8f, 1, 1, 0, false, false},
    {"large, eager", EAD_POLICY_LARGE, NULL, 0, 1, 1, 0, true, false},
    {"stitch", EAD_POLICY_CUSTOM, stitch, 0, 1, 1, 0, false, false},
    {"stitch, drawn, eager", EAD_POLICY_CUSTOM, stitch, 1, 1, 1, 0, true, false},
    {"rewrite", EAD_POLICY_CUSTOM, rewrite, 0, 1, 1, 0, false, false},
};
enum { N_WAYS = sizeof ways / sizeof *ways, SMALL = 6, STITCH = 11, REWRITE = 13 };

static ead_duo_options options_of(const struct way *way)
{
    ead_duo_options o = ead_duo_defaults();
    o.policy.kind = way->kind;
    o.policy.tau = pair.tau;
    o.policy.window = 3;
    o.policy.dwell = 2;
    o.policy.share = 0.5;
    o.policy.clear_window = way->clear;
    o.policy.replay = recording;
    o.policy.n_replay = sizeof recording / sizeof *recording;
    o.policy.decide = way->decide;
    o.policy.context = &pair.tau;
    o.sampler.temperature = way->temperature;
    o.sampler.repeat_penalty = way->penalty;
    o.sampler.presence_penalty = way->penalty - 1;
    o.sampler.frequency_penalty = (way->penalty - 1) / 2;
    o.sampler.top_p = way->top_p;
    o.sampler.top_k = way->top_k;
    o.sampler.seed = 4;
    o.eager_prompt = way->eager;
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.max_rows = 32;
    o.ignore_end = true;
    return o;
}

static void check(ead_status st, const ead_error *error)
{
    if (st) fail_msg("%s", error->message);
}

/* What was written, as the caller was told; the text may be shorter than what was told. */
struct written {
    ead_token tokens[N_CTX];
    int n;
};

static void take(struct written *w, const ead_token *token)
{
    assert_in_range(token->taken_back, 0, w->n);
    w->n -= token->taken_back;
    w->tokens[w->n++] = *token;
}

static void step(ead_duo *duo, struct written *w)
{
    ead_error error;
    ead_token token;
    check(ead_duo_step(duo, &token, &error), &error);
    take(w, &token);
}

static void append(ead_duo *duo, const int32_t *ids, size_t n)
{
    ead_error error;
    check(ead_duo_append(duo, ids, n, &error), &error);
}

static void same_token(const ead_token *a, const ead_token *b, const char *what, int cut, int i)
{
    if (a->id != b->id || a->writer != b->writer || a->index != b->index ||
        a->switched != b->switched || a->rolling != b->rolling ||
        memcmp(&a->stats, &b->stats, sizeof a->stats) ||
        memcmp(&a->log_prob, &b->log_prob, sizeof a->log_prob))
        fail_msg("%s, cut to %d, token %d: id %d of model %d (Hbar %g) against %d of %d (%g)", what,
                 cut, i, a->id, a->writer, a->rolling, b->id, b->writer, b->rolling);
}

/* The text as the duo has it is the text as it was told. */
static void same_text(const ead_duo *duo, const struct written *w, const char *what)
{
    assert_int_equal(ead_duo_length(duo), PROMPT + w->n);
    for (int i = 0; i < w->n; i++) {
        ead_token token;
        assert_int_equal(ead_duo_ids(duo)[PROMPT + i], w->tokens[i].id);
        assert_true(ead_duo_token(duo, (size_t)(PROMPT + i), &token));
        same_token(&token, &w->tokens[i], what, PROMPT + w->n, i);
    }
    ead_token none;
    assert_false(ead_duo_token(duo, PROMPT - 1, &none));
    assert_false(ead_duo_token(duo, ead_duo_length(duo), &none));
}

static int open_pair(void **state)
{
    (void)state;
    struct tiny_spec small = tiny_spec("qwen2", QT_F32), large = tiny_spec("llama", QT_Q8_0);
    large.n_layer = 3;
    large.seed = 2;
    small.gain = large.gain = 3;
    small.n_ctx = large.n_ctx = N_CTX;
    struct tiny *files[] = {tiny_model(&small), tiny_model(&large)};
    pair.small = tiny_open_public(files[0]);
    pair.large = tiny_open_public(files[1]);
    for (int i = 0; i < 2; i++) tiny_free(files[i]);
    tiny_text(&small, 3, pair.prompt, N_CTX);
    /* exceeded by about half of what is written: the mean of the small model's entropies */
    ead_duo *duo = NULL;
    ead_error error;
    struct written w = {0};
    const ead_duo_options o = options_of(&ways[SMALL]);
    check(ead_duo_open(pair.large, pair.small, &o, &duo, &error), &error);
    append(duo, pair.prompt, PROMPT);
    for (int i = 0; i < TOKENS; i++) {
        step(duo, &w);
        pair.tau += (double)w.tokens[i].entropy / TOKENS;
    }
    ead_duo_close(duo);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    ead_model_close(pair.large);
    ead_model_close(pair.small);
    return 0;
}

/* ---- laws ---------------------------------------------------------------------------------- */

static ead_duo *open_written(const struct way *way, struct written *w)
{
    ead_error error;
    ead_duo *duo = NULL;
    const ead_duo_options o = options_of(way);
    check(ead_duo_open(pair.large, pair.small, &o, &duo, &error), &error);
    append(duo, pair.prompt, PROMPT);
    *w = (struct written){0};
    while (w->n < TOKENS) step(duo, w);
    same_text(duo, w, way->name);
    return duo;
}

/* Cut back to every position, of the prompt as well, and written on to the end. */
static void test_a_cut_text_goes_on(void **state)
{
    (void)state;
    int switches = 0, replaced = 0;
    for (int i = 0; i < N_WAYS; i++) {
        struct written whole;
        ead_duo *duo = open_written(&ways[i], &whole);
        switches += (int)ead_duo_summarise(duo).switches;
        replaced += (int)ead_duo_summarise(duo).taken_back;
        for (int cut = PROMPT + TOKENS; cut >= 1; cut--) {
            ead_duo_truncate(duo, (size_t)cut);
            assert_int_equal(ead_duo_length(duo), cut);
            if (cut < PROMPT) append(duo, pair.prompt + cut, (size_t)(PROMPT - cut));
            struct written again = whole;
            again.n = cut > PROMPT ? cut - PROMPT : 0;
            while (again.n < TOKENS) step(duo, &again);
            for (int k = 0; k < TOKENS; k++)
                same_token(&again.tokens[k], &whole.tokens[k], ways[i].name, cut, k);
            same_text(duo, &again, ways[i].name);
        }
        ead_duo_close(duo);
    }
    assert_true(switches > 60 && replaced > 20);
}

static const int32_t *prompt_of(int text)
{
    return pair.prompt + 20 * text;
}

/* The same beside other texts, by steps of a batch: what one text does is no other's business. With
 * eager_prompt and a cut to the prompt's last token, a text used to be drawn from another's logits.
 */
static void test_cut_in_company(void **state)
{
    (void)state;
    ead_error error;
    for (int i = 0; i < N_WAYS; i++) {
        struct written whole;
        ead_duo_close(open_written(&ways[i], &whole));
        ead_batch *batch = NULL;
        const ead_duo_options o = options_of(&ways[i]);
        check(ead_batch_open(pair.large, pair.small, &o, TEXTS, &batch, &error), &error);
        for (int cut = PROMPT + TOKENS; cut > PROMPT - 3; cut -= 1 + (cut > PROMPT + 2) * 7) {
            ead_duo *duo = ead_batch_duo(batch, 1);
            const bool active[TEXTS] = {true, true, true};
            for (int text = 0; text < TEXTS; text++) {
                if (text == 1 && cut < PROMPT + TOKENS) continue;
                ead_duo_reset(ead_batch_duo(batch, text));
                append(ead_batch_duo(batch, text), prompt_of(text == 1 ? 0 : text + 1), PROMPT);
            }
            ead_duo_truncate(duo, (size_t)cut);
            if (cut < PROMPT) append(duo, pair.prompt + cut, (size_t)(PROMPT - cut));
            struct written again = whole;
            again.n = cut > PROMPT && cut < PROMPT + TOKENS ? cut - PROMPT : 0;
            while (again.n < TOKENS) {
                ead_event events[TEXTS];
                int n;
                check(ead_batch_step(batch, active, events, &n, &error), &error);
                for (int e = 0; e < n; e++) {
                    if (events[e].kind == EAD_EVENT_FAULT && events[e].status == EAD_FULL) continue;
                    assert_int_equal(events[e].kind, EAD_EVENT_TOKEN);
                    if (events[e].text == 1) take(&again, &events[e].token);
                }
            }
            for (int k = 0; k < TOKENS; k++)
                same_token(&again.tokens[k], &whole.tokens[k], ways[i].name, cut, k);
        }
        ead_batch_close(batch);
    }
}

/* A prompt that is cut before anyone has read it is the shorter prompt, also beside other texts.
 * Its last row is read by both models with eager_prompt, and only one of them is to write. */
static void test_cut_before_it_is_read(void **state)
{
    (void)state;
    enum { STEPS = 6 };
    ead_error error;
    for (int i = 0; i < N_WAYS; i++)
        for (int cut = 1; cut < PROMPT; cut++) {
            const ead_duo_options o = options_of(&ways[i]);
            ead_duo *alone = NULL;
            ead_batch *batch = NULL;
            struct written whole = {0}, w = {0};
            check(ead_duo_open(pair.large, pair.small, &o, &alone, &error), &error);
            append(alone, pair.prompt, (size_t)cut);
            while (whole.n < STEPS) step(alone, &whole);
            ead_duo_close(alone);
            check(ead_batch_open(pair.large, pair.small, &o, TEXTS, &batch, &error), &error);
            for (int text = 0; text < TEXTS; text++)
                append(ead_batch_duo(batch, text), prompt_of(text == 1 ? 0 : text + 1), PROMPT);
            ead_duo_truncate(ead_batch_duo(batch, 1), (size_t)cut);
            while (w.n < STEPS) {
                const bool active[TEXTS] = {true, true, true};
                ead_event events[TEXTS];
                int n;
                check(ead_batch_step(batch, active, events, &n, &error), &error);
                for (int e = 0; e < n; e++) {
                    assert_int_equal(events[e].kind, EAD_EVENT_TOKEN);
                    if (events[e].text == 1) take(&w, &events[e].token);
                }
            }
            for (int k = 0; k < STEPS; k++)
                same_token(&w.tokens[k], &whole.tokens[k], ways[i].name, cut, k);
            ead_batch_close(batch);
        }
}

/* A copy of any length goes on as its original did, which does not notice. */
static void test_a_copy_goes_on(void **state)
{
    (void)state;
    ead_error error;
    for (int i = 0; i < N_WAYS; i++) {
        struct written whole, copied, first = {0};
        ead_duo_close(open_written(&ways[i], &whole));
        ead_batch *batch = NULL;
        const ead_duo_options o = options_of(&ways[i]);
        check(ead_batch_open(pair.large, pair.small, &o, 2, &batch, &error), &error);
        ead_duo *from = ead_batch_duo(batch, 0), *to = ead_batch_duo(batch, 1);
        append(from, pair.prompt, PROMPT);
        for (int length = PROMPT; length < PROMPT + TOKENS; length += 3) {
            while (PROMPT + first.n < length) step(from, &first);
            const size_t before = ead_duo_memory(from);
            const size_t keep =
                ead_duo_length(from) < (size_t)length ? ead_duo_length(from) : (size_t)length;
            check(ead_duo_copy(to, from, keep, &error), &error);
            assert_int_equal(ead_duo_memory(from), before); /* what both hold is shared */
            assert_int_equal(ead_duo_summarise(to).tokens, 0);
            copied = first;
            copied.n = (int)keep - PROMPT;
            while (copied.n < TOKENS) step(to, &copied);
            for (int k = 0; k < TOKENS; k++)
                same_token(&copied.tokens[k], &whole.tokens[k], ways[i].name, (int)keep, k);
            /* One that is given other tokens writes where its original has others: not into it. */
            check(ead_duo_copy(to, from, PROMPT - 2, &error), &error);
            append(to, pair.prompt + 60, 3);
            check(ead_duo_read(to, &error), &error);
        }
        assert_int_equal(ead_duo_copy(to, from, N_CTX, &error), EAD_ARGUMENT);
        assert_non_null(strstr(error.message, "copy: expected at most"));
        check(ead_duo_copy(from, from, PROMPT, &error), &error);
        assert_int_equal(ead_duo_length(from), PROMPT);
        ead_batch_close(batch);
    }
}

/* ---- policies that take back --------------------------------------------------------------- */

/* The definition of `stitch`, by sessions: every token is the large model's where the small one
 * doubts, or where the large one wrote last and doubted. */
static void test_stitch_is_its_definition(void **state)
{
    (void)state;
    const ead_model *const models[] = {[EAD_SMALL] = pair.small, [EAD_LARGE] = pair.large};
    struct written w;
    ead_duo *duo = open_written(&ways[STITCH], &w);
    ead_stats stats[EAD_WRITERS][N_CTX];
    const int n = PROMPT + TOKENS;
    for (int m = 0; m < EAD_WRITERS; m++) {
        ead_session_options so = ead_session_defaults();
        ead_session *session = NULL;
        ead_row rows[N_CTX];
        so.max_rows = so.max_logits = n;
        assert_int_equal(ead_session_open(models[m], &so, &session, NULL), EAD_OK);
        for (int i = 0; i < n; i++) rows[i] = (ead_row){0, i, ead_duo_ids(duo)[i], true};
        assert_int_equal(ead_session_eval(session, rows, n, NULL), EAD_OK);
        for (int i = 0; i < n; i++)
            assert_int_equal(ead_session_stats(session, i, &stats[m][i], NULL), EAD_OK);
        ead_session_close(session);
    }
    int large = 0;
    for (int i = 0; i < TOKENS; i++) {
        const ead_stats *before = &stats[EAD_SMALL][PROMPT + i - 1];
        const ead_token *last = i ? &w.tokens[i - 1] : NULL;
        const bool held = last && last->writer == EAD_LARGE && (double)last->entropy > pair.tau;
        const ead_writer writer =
            held || (double)before->entropy > pair.tau ? EAD_LARGE : EAD_SMALL;
        assert_int_equal(w.tokens[i].writer, writer);
        assert_int_equal(w.tokens[i].id, stats[writer][PROMPT + i - 1].argmax);
        large += writer == EAD_LARGE;
    }
    const ead_summary s = ead_duo_summarise(duo);
    assert_true(large > 5 && large < TOKENS - 5);
    assert_int_equal(s.tokens, TOKENS + s.taken_back);
    ead_duo_close(duo);
}

/* What had been told is taken back aloud. */
static void test_taking_back_is_told(void **state)
{
    (void)state;
    ead_error error;
    ead_duo *duo = NULL;
    const ead_duo_options o = options_of(&ways[REWRITE]);
    struct written w = {0};
    int taken = 0;
    check(ead_duo_open(pair.large, pair.small, &o, &duo, &error), &error);
    append(duo, pair.prompt, PROMPT);
    for (int i = 0; i < 40; i++) {
        ead_token token;
        check(ead_duo_step(duo, &token, &error), &error);
        taken += token.taken_back;
        if (token.taken_back) assert_int_equal(token.writer, EAD_LARGE);
        take(&w, &token);
    }
    assert_true(taken >= 15);
    /* the fifth in a row had not been told: of three that are taken back, two were */
    assert_int_equal(ead_duo_summarise(duo).taken_back * 2, taken * 3);
    same_text(duo, &w, "rewrite");
    ead_duo_close(duo);
}

/* Each token of the small model is dropped, and the large one writes there. */
static ead_decision never_small(void *context, const ead_signals *s)
{
    (void)context;
    if (!s->index || s->writer == EAD_LARGE) return (ead_decision){.writer = EAD_SMALL};
    return (ead_decision){.writer = EAD_LARGE, .take_back = 1};
}

/* What was dropped is paid for: a text that is the large model's alone costs more than 1. */
static void test_what_is_taken_back_is_paid_for(void **state)
{
    (void)state;
    ead_error error;
    ead_duo *duo = NULL;
    ead_duo_options o = options_of(&ways[STITCH]);
    struct written w = {0};
    o.policy.decide = never_small;
    check(ead_duo_open(pair.large, pair.small, &o, &duo, &error), &error);
    append(duo, pair.prompt, PROMPT);
    while (w.n < TOKENS) {
        step(duo, &w);
        assert_int_equal(w.tokens[w.n - 1].writer, EAD_LARGE);
    }
    const ead_summary s = ead_duo_summarise(duo);
    const double ratio = (double)ead_model_describe(pair.small).n_active /
                         (double)ead_model_describe(pair.large).n_active;
    assert_int_equal(s.taken_back, TOKENS);
    assert_int_equal(s.work[EAD_SMALL].tokens, TOKENS);
    assert_true(fabs(s.parameter_cost - (1 + ratio)) < 1e-12);
    ead_duo_close(duo);
}

/* ---- policies that do what they may not ---------------------------------------------------- */

static ead_decision decision;

static ead_decision constant(void *context, const ead_signals *s)
{
    const int *from = context;
    return s->index < *from ? (ead_decision){.writer = EAD_SMALL} : decision;
}

static ead_decision forever(void *context, const ead_signals *s)
{
    (void)context;
    if (!s->index) return (ead_decision){.writer = EAD_SMALL};
    return (ead_decision){.writer = 1 - s->writer, .take_back = 1};
}

static void refuse(ead_decide decide, int from, ead_decision what, const char *message)
{
    ead_error error;
    ead_duo *duo = NULL;
    ead_duo_options o = options_of(&ways[STITCH]);
    o.policy.decide = decide;
    o.policy.context = &from;
    decision = what;
    check(ead_duo_open(pair.large, pair.small, &o, &duo, &error), &error);
    append(duo, pair.prompt, PROMPT);
    ead_token token;
    ead_status st = EAD_OK;
    for (int i = 0; i < 10 && !st; i++) st = ead_duo_step(duo, &token, &error);
    assert_int_equal(st, EAD_ARGUMENT);
    if (!strstr(error.message, message)) fail_msg("expected \"%s\" in: %s", message, error.message);
    assert_non_null(strstr(error.message, "policy custom"));
    o.policy.kind = EAD_POLICY_LARGE; /* with another one it goes on */
    check(ead_duo_set_policy(duo, &o.policy, &error), &error);
    check(ead_duo_step(duo, &token, &error), &error);
    ead_duo_close(duo);
}

static void test_bad_decisions_are_faults(void **state)
{
    (void)state;
    refuse(constant, 3, (ead_decision){.writer = (ead_writer)2}, "the next writer is no model");
    refuse(constant, 3, (ead_decision){.writer = EAD_LARGE, .take_back = 4},
           "more was taken back than was written");
    refuse(constant, 3, (ead_decision){.writer = EAD_LARGE, .take_back = -1},
           "more was taken back than was written");
    refuse(constant, 3, (ead_decision){.writer = EAD_SMALL, .take_back = 1},
           "who wrote what was taken back cannot");
    refuse(forever, 0, (ead_decision){0}, "what had been replaced was taken back");
}

/* ---- alternatives -------------------------------------------------------------------------- */

/* What else could have been written, until something else is done. */
static void test_alternatives(void **state)
{
    (void)state;
    ead_error error;
    ead_duo *duo = NULL;
    ead_alternative best[500];
    struct written w = {0};
    const ead_duo_options o = options_of(&ways[0]);
    check(ead_duo_open(pair.large, pair.small, &o, &duo, &error), &error);
    assert_int_equal(ead_duo_best(duo, 5, best), 0);
    append(duo, pair.prompt, PROMPT);
    assert_int_equal(ead_duo_best(duo, 5, best), 0);
    for (int i = 0; i < 20; i++) {
        double sum = 0;
        step(duo, &w);
        const int all = ead_duo_best(duo, 500, best);
        assert_in_range(all, 10, 499);
        for (int k = 0; k < all; k++) {
            sum += exp((double)best[k].log_prob);
            assert_true(k == 0 || best[k].log_prob <= best[k - 1].log_prob);
        }
        assert_true(fabs(sum - 1) < 1e-4);
        assert_int_equal(ead_duo_best(duo, 3, best), 3);
        assert_int_equal(best[0].id, w.tokens[i].id);
        assert_true(best[0].log_prob == w.tokens[i].log_prob);
        assert_true(fabsf(expf(best[0].log_prob) - w.tokens[i].stats.max_prob) < 1e-5f);
    }
    ead_duo_truncate(duo, PROMPT + 5);
    assert_int_equal(ead_duo_best(duo, 3, best), 0);
    ead_duo_close(duo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cut_text_goes_on),
        cmocka_unit_test(test_cut_in_company),
        cmocka_unit_test(test_cut_before_it_is_read),
        cmocka_unit_test(test_a_copy_goes_on),
        cmocka_unit_test(test_stitch_is_its_definition),
        cmocka_unit_test(test_taking_back_is_told),
        cmocka_unit_test(test_what_is_taken_back_is_paid_for),
        cmocka_unit_test(test_bad_decisions_are_faults),
        cmocka_unit_test(test_alternatives),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
