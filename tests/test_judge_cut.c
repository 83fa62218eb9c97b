/*
 * Texts under policies that judge and take back: cut anywhere they go on as they did, told and lost
 * tokens alike; so do copies; and in any company, with small passes, they are what they are alone,
 * with the same account. What is told is in order, and stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judged_text.h"

#include <math.h>
#include <stdlib.h>

enum { EVENTS_MAX = 12000, TEXTS_MAX = 8 };

/* ---- what was told --------------------------------------------------------------------------- */

/* Tokens as they were told, lost ones among them; `at[i]`: standing ones before the i-th. */
struct told {
    ead_token events[EVENTS_MAX];
    int at[EVENTS_MAX];
    int n, stand;
};

static void hear(struct told *t, const ead_token *token)
{
    assert_in_range(t->n, 0, EVENTS_MAX - 1);
    assert_int_equal(token->taken_back, 0); /* what was told stands */
    t->at[t->n] = t->stand;
    t->events[t->n++] = *token;
    t->stand += !token->lost;
}

/* What was told before so many tokens stood. */
static void begin_of(const struct told *t, int stand, struct told *out)
{
    out->n = t->n;
    while (out->n && t->at[out->n - 1] >= stand) out->n--;
    memcpy(out->events, t->events, (size_t)out->n * sizeof *t->events);
    memcpy(out->at, t->at, (size_t)out->n * sizeof *t->at);
    out->stand = stand;
}

static bool same_floats(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static bool same_opinion(const ead_opinion *a, const ead_opinion *b)
{
    return a->id == b->id && a->argmax == b->argmax && a->rank == b->rank &&
           a->native == b->native && same_floats(a->p, b->p) && same_floats(a->q, b->q) &&
           same_floats(a->chance, b->chance) && same_floats(a->entropy_p, b->entropy_p) &&
           same_floats(a->top_entropy, b->top_entropy) && same_floats(a->measure, b->measure);
}

static bool same_token(const ead_token *a, const ead_token *b)
{
    return a->id == b->id && a->writer == b->writer && a->index == b->index && a->lost == b->lost &&
           a->switched == b->switched && a->judged == b->judged && a->end == b->end &&
           a->rolling == b->rolling && same_floats(a->entropy, b->entropy) &&
           same_floats(a->log_prob, b->log_prob) && a->judgement.n == b->judgement.n &&
           a->judgement.kept == b->judgement.kept &&
           (!a->judged || same_opinion(&a->opinion, &b->opinion));
}

static void same_told(const struct told *a, const struct told *b, const char *what, int how)
{
    for (int i = 0; i < a->n && i < b->n; i++)
        if (a->at[i] != b->at[i] || !same_token(&a->events[i], &b->events[i]))
            fail_msg(
                "%s, %d: event %d at %d: id %d of %d%s, judged %d; expected at %d %d of %d%s, %d",
                what, how, i, a->at[i], a->events[i].id, (int)a->events[i].writer,
                a->events[i].lost ? ", lost" : "", a->events[i].judged, b->at[i], b->events[i].id,
                (int)b->events[i].writer, b->events[i].lost ? ", lost" : "", b->events[i].judged);
    assert_int_equal(a->n, b->n);
}

/* The text as the duo has it is the text as it was told. */
static void same_text(const ead_duo *duo, const struct told *t, const char *what)
{
    assert_int_equal(ead_duo_length(duo), PROMPT + t->stand);
    for (int i = 0; i < t->n; i++) {
        ead_token token;
        const size_t at = (size_t)(PROMPT + t->at[i]);
        if (t->events[i].lost) continue;
        assert_int_equal(ead_duo_ids(duo)[at], t->events[i].id);
        assert_true(ead_duo_token(duo, at, &token));
        ead_token expected = t->events[i];
        expected.judged &= token.judged; /* of a text cut behind it, it will be */
        if (!same_token(&token, &expected)) fail_msg("%s: token at %d", what, (int)at);
    }
    ead_token none;
    assert_false(ead_duo_token(duo, ead_duo_length(duo), &none));
}

/* ---- texts ----------------------------------------------------------------------------------- */

static ead_duo_options options_of(int policy, float temperature, int max_rows)
{
    ead_duo_options o = ead_duo_defaults();
    judging_set(policy, &o.policy);
    o.policy.seed = 3;
    o.sampler.temperature = temperature;
    o.sampler.repeat_penalty = policy % 3 == 2 ? 1.1f : 1;
    o.sampler.seed = (uint64_t)policy + 11;
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.max_rows = max_rows;
    o.ignore_end = true;
    o.tell_lost = true;
    return o;
}

static void go_on(ead_duo *duo, struct told *t, int stand)
{
    ead_error error;
    while (t->stand < stand) {
        ead_token token;
        check(ead_duo_step(duo, &token, &error), &error);
        hear(t, &token);
    }
}

static ead_duo *open_text(const ead_duo_options *o, const int32_t *ids, int n)
{
    ead_error error;
    ead_duo *duo = NULL;
    check(ead_duo_open(pair.large, pair.small, o, &duo, &error), &error);
    check(ead_duo_append(duo, ids, (size_t)n, &error), &error);
    return duo;
}

/* ---- laws ------------------------------------------------------------------------------------ */

/* Cut to every position, of the prompt as well, and written on to the end; in between, as many
 * tokens were told as it happens, so that drafts are untold, told in part, or there are none. */
static void test_a_cut_text_goes_on(void **state)
{
    (void)state;
    enum { STAND = 45 };
    static struct told whole, again;
    int64_t judged = 0, refused = 0;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++) {
        const char *name = judging_policies[k / 2];
        const ead_duo_options o = options_of(k / 2, (float)(k % 2), 64);
        ead_duo *duo = open_text(&o, prompt, PROMPT);
        whole = (struct told){0};
        go_on(duo, &whole, STAND);
        same_text(duo, &whole, name);
        judged += ead_duo_summarise(duo).judged;
        refused += ead_duo_summarise(duo).refused;
        for (int cut = PROMPT + STAND; cut >= 1; cut--) {
            ead_error error;
            ead_duo_truncate(duo, (size_t)cut);
            assert_int_equal(ead_duo_length(duo), cut);
            if (cut < PROMPT)
                check(ead_duo_append(duo, prompt + cut, (size_t)(PROMPT - cut), &error), &error);
            begin_of(&whole, cut > PROMPT ? cut - PROMPT : 0, &again);
            const int some = again.stand + cut % 5;
            if (cut % 3 == 0) go_on(duo, &again, some < STAND ? some : STAND);
            if (cut % 6 == 0) ead_duo_truncate(duo, ead_duo_length(duo)); /* what is not told */
            go_on(duo, &again, STAND);
            same_told(&again, &whole, name, cut);
            same_text(duo, &again, name);
        }
        ead_duo_close(duo);
    }
    assert_true(judged > 500 && refused > 150);
}

/* Farther back than what is kept of proposals, and by copies, which know what their original knew.
 */
static void test_a_cut_far_back(void **state)
{
    (void)state;
    enum { STAND = 140 };
    static struct told whole, again;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++) {
        const char *name = judging_policies[k / 2];
        ead_error error;
        ead_batch *batch = NULL;
        const ead_duo_options o = options_of(k / 2, (float)(k % 2), 64);
        check(ead_batch_open(pair.large, pair.small, &o, 2, &batch, &error), &error);
        ead_duo *duo = ead_batch_duo(batch, 0), *other = ead_batch_duo(batch, 1);
        check(ead_duo_append(duo, prompt, PROMPT, &error), &error);
        whole = (struct told){0};
        go_on(duo, &whole, STAND);
        for (int cut = PROMPT + STAND; cut > PROMPT; cut -= 9) {
            check(ead_duo_copy(other, duo, (size_t)cut, &error), &error);
            begin_of(&whole, cut - PROMPT, &again);
            go_on(other, &again, STAND);
            same_told(&again, &whole, name, cut);
            ead_duo_truncate(duo, (size_t)cut);
            begin_of(&whole, cut - PROMPT, &again);
            go_on(duo, &again, STAND);
            same_told(&again, &whole, name, cut);
        }
        ead_batch_close(batch);
    }
}

static void same_account(const ead_summary *a, const ead_summary *b, const char *what)
{
    bool same = a->tokens == b->tokens && a->switches == b->switches &&
                a->taken_back == b->taken_back && a->judgements == b->judgements &&
                a->judged == b->judged && a->refused == b->refused;
    for (int w = 0; w < EAD_WRITERS; w++) {
        const ead_work *x = &a->work[w], *y = &b->work[w];
        same &= x->tokens == y->tokens && x->prompt_rows == y->prompt_rows &&
                x->decode_rows == y->decode_rows && x->catchup_rows == y->catchup_rows &&
                x->decode_steps == y->decode_steps && x->catchup_passes == y->catchup_passes;
    }
    if (!same)
        fail_msg("%s: large rows %d + %d, small %d + %d, %d judged; alone %d + %d, %d + %d, %d",
                 what, (int)a->work[1].decode_rows, (int)a->work[1].catchup_rows,
                 (int)a->work[0].decode_rows, (int)a->work[0].catchup_rows, (int)a->judged,
                 (int)b->work[1].decode_rows, (int)b->work[1].catchup_rows,
                 (int)b->work[0].decode_rows, (int)b->work[0].catchup_rows, (int)b->judged);
}

/* Up to 8 texts of mixed policies, of which some at random take part in a step; each becomes what
 * it is alone, in passes of any size that holds its judgements. */
static void write_company(int n, int max_rows, int threads, uint64_t seed)
{
    enum { STAND = 40 };
    static struct told alone, company[TEXTS_MAX];
    ead_summary summaries[TEXTS_MAX];
    ead_duo_options options[TEXTS_MAX], base = options_of(0, 0, max_rows);
    ead_error error;
    ead_batch *batch = NULL;
    int left = n;
    base.threads = threads;
    base.prompt_budget = (int)(seed % 4) * 3;
    check(ead_batch_open(pair.large, pair.small, &base, n, &batch, &error), &error);
    for (int i = 0; i < n; i++) {
        const int k = (int)((seed * 5 + (uint64_t)i * 7) % (2 * JUDGING_POLICIES));
        ead_duo *duo = ead_batch_duo(batch, i);
        options[i] = options_of(k / 2, (float)(k % 2), max_rows);
        company[i] = (struct told){0};
        check(ead_duo_set_policy(duo, &options[i].policy, &error), &error);
        check(ead_duo_set_sampler(duo, &options[i].sampler, &error), &error);
        check(ead_duo_append(duo, prompt + i * 9, PROMPT, &error), &error);
    }
    for (int steps = 0; left; steps++) {
        bool active[TEXTS_MAX];
        ead_event events[TEXTS_MAX];
        int n_events;
        for (int i = 0; i < n; i++)
            active[i] = company[i].stand < STAND && (left == 1 || rng_bits(&seed) % 4);
        check(ead_batch_step(batch, active, events, &n_events, &error), &error);
        for (int e = 0; e < n_events; e++) {
            struct told *t = &company[events[e].text];
            assert_int_equal(events[e].kind, EAD_EVENT_TOKEN);
            hear(t, &events[e].token);
            if (t->stand < STAND) continue;
            summaries[events[e].text] = ead_duo_summarise(ead_batch_duo(batch, events[e].text));
            left--;
        }
        assert_in_range(steps, 0, 5000); /* nobody starves */
    }
    ead_batch_close(batch);
    for (int i = 0; i < n; i++) {
        ead_duo *duo = open_text(&options[i], prompt + i * 9, PROMPT);
        alone = (struct told){0};
        go_on(duo, &alone, STAND);
        const ead_summary s = ead_duo_summarise(duo);
        same_told(&company[i], &alone, "company", i);
        same_account(&summaries[i], &s, "company");
        ead_duo_close(duo);
    }
}

static void test_company(void **state)
{
    (void)state;
    static const int companies[] = {2, 5, TEXTS_MAX}, rows[] = {5, 8, 9, 13, 24, 40};
    for (int k = 0; k < 54; k++) {
        const int n = companies[k % 3], max_rows = rows[k / 3 % 6];
        if (n <= max_rows) write_company(n, max_rows, 1 + k % 2, (uint64_t)k + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cut_text_goes_on),
        cmocka_unit_test(test_a_cut_far_back),
        cmocka_unit_test(test_company),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
