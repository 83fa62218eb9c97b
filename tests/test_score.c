/* What a model thought of given tokens: it is what a session of that model says, whatever the
 * company and the pieces, and asking changes no text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tiny.h"

#include <math.h>
#include <string.h>

enum { N_CTX = 96, TEXTS = 5, PROMPT = 61, BEST = 7, MORE = 12 };

static struct {
    ead_model *models[EAD_WRITERS];
    int32_t ids[TEXTS][N_CTX]; /* what text i is given */
} pair;

static int open_pair(void **state)
{
    (void)state;
    struct tiny_spec specs[] = {
        [EAD_SMALL] = tiny_spec("qwen2", QT_F32), [EAD_LARGE] = tiny_spec("llama", QT_Q8_0)};
    specs[EAD_LARGE].n_layer = 3;
    specs[EAD_LARGE].seed = 2;
    specs[EAD_LARGE].pad_rows = 3;
    for (int w = 0; w < EAD_WRITERS; w++) {
        specs[w].n_ctx = N_CTX;
        specs[w].gain = 3;
        struct tiny *file = tiny_model(&specs[w]);
        pair.models[w] = tiny_open_public(file);
        tiny_free(file);
    }
    for (int i = 0; i < TEXTS; i++) tiny_text(&specs[0], (uint64_t)i + 1, pair.ids[i], N_CTX);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    for (int w = 0; w < EAD_WRITERS; w++) ead_model_close(pair.models[w]);
    return 0;
}

static void check(ead_status st, const ead_error *error)
{
    if (st) fail_msg("%s", error->message);
}

/* ---- what is told -------------------------------------------------------------------------- */

struct score {
    int32_t id;
    float log_prob;
    int rank;
    ead_stats stats;
    ead_alternative best[EAD_SCORE_BEST_MAX];
    int n_best, times;
};

struct told {
    struct score at[N_CTX];
    int last, n;
};

static void hear(void *context, const ead_scored *token)
{
    struct told *t = context;
    const int n_best = token->n_best;
    assert_in_range(token->at, 1, N_CTX - 1);
    assert_true((int)token->at > t->last);
    assert_in_range(n_best, 0, EAD_SCORE_BEST_MAX);
    struct score *s = &t->at[token->at];
    *s = (struct score){.id = token->id,
                        .log_prob = token->log_prob,
                        .rank = token->rank,
                        .stats = token->stats,
                        .n_best = n_best,
                        .times = s->times + 1};
    memcpy(s->best, token->best, (size_t)n_best * sizeof *token->best);
    t->last = (int)token->at;
    t->n++;
}

/* Tokens that a session finds more probable: of what is none it says NaN. */
static int rank_of(const ead_session *session, int row, int32_t id)
{
    int rank = 0;
    float its;
    const float own = ead_session_log_prob(session, row, id);
    for (int32_t i = 0; !isnan(its = ead_session_log_prob(session, row, i)); i++) rank += its > own;
    return rank;
}

/* Positions [from, to) were told of, with what a session of the model says. */
static void expect(const struct told *t, ead_writer w, const int32_t *ids, int from, int to)
{
    ead_session_options o = ead_session_defaults();
    ead_session *session;
    ead_error error;
    ead_row rows[N_CTX];
    o.threads = 1;
    o.max_rows = o.max_logits = N_CTX;
    check(ead_session_open(pair.models[w], &o, &session, &error), &error);
    for (int i = 0; i < to; i++) rows[i] = (ead_row){0, i, ids[i], true};
    check(ead_session_eval(session, rows, to, &error), &error);
    for (int at = from; at < to; at++) {
        ead_alternative best[BEST];
        ead_stats stats;
        const struct score *s = &t->at[at];
        const float log_prob = ead_session_log_prob(session, at - 1, ids[at]);
        assert_int_equal(s->times, 1);
        assert_int_equal(s->id, ids[at]);
        assert_memory_equal(&s->log_prob, &log_prob, sizeof log_prob);
        assert_int_equal(s->rank, rank_of(session, at - 1, ids[at]));
        check(ead_session_stats(session, at - 1, &stats, &error), &error);
        assert_memory_equal(&s->stats, &stats, sizeof stats);
        assert_int_equal(s->n_best, ead_session_best(session, at - 1, BEST, best));
        assert_memory_equal(s->best, best, sizeof best);
    }
    ead_session_close(session);
}

/* ---- texts --------------------------------------------------------------------------------- */

static ead_duo_options options(ead_policy_kind kind, int max_scores)
{
    ead_duo_options o = ead_duo_defaults();
    o.policy.kind = kind;
    o.policy.tau = 3;
    o.policy.window = 2;
    o.policy.dwell = 2;
    o.sampler.temperature = 0.8f;
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.max_rows = 16;
    o.max_scores = max_scores;
    o.ignore_end = true;
    return o;
}

static ead_duo *open_duo(const ead_duo_options *o)
{
    ead_duo *duo;
    ead_error error;
    check(ead_duo_open(pair.models[EAD_LARGE], pair.models[EAD_SMALL], o, &duo, &error), &error);
    return duo;
}

static void append(ead_duo *duo, const int32_t *ids, size_t n)
{
    ead_error error;
    check(ead_duo_append(duo, ids, n, &error), &error);
}

static void write_some(ead_duo *duo, int n)
{
    ead_error error;
    ead_token token;
    for (int i = 0; i < n; i++) check(ead_duo_step(duo, &token, &error), &error);
}

static void test_scores_are_those_of_a_session(void **state)
{
    (void)state;
    static const int most[] = {1, 3, 15, 16};
    static const ead_policy_kind kinds[] = {EAD_POLICY_SMALL, EAD_POLICY_LARGE, EAD_POLICY_EAD};
    for (size_t k = 0; k < 3; k++)
        for (size_t m = 0; m < 8; m++) {
            const ead_duo_options o = options(kinds[k], most[m / 2]);
            const ead_writer w = kinds[k] == EAD_POLICY_LARGE ? EAD_LARGE : EAD_SMALL;
            struct told told = {0};
            ead_error error;
            ead_duo *duo = open_duo(&o);
            ead_duo_score(duo, BEST, hear, &told);
            append(duo, pair.ids[0], PROMPT);
            if (m % 2) check(ead_duo_read(duo, &error), &error);
            if (m % 2) expect(&told, w, pair.ids[0], 1, PROMPT);
            write_some(duo, MORE);
            expect(&told, w, pair.ids[0], 1, PROMPT);
            assert_int_equal(told.n, PROMPT - 1);
            ead_duo_close(duo);
        }
}

/* Another message is told of as well; who reads later what has been told tells nothing again. */
static void test_each_append_is_told_once(void **state)
{
    (void)state;
    ead_duo_options o = options(EAD_POLICY_SMALL, 4);
    struct told told = {0};
    ead_error error;
    ead_duo *duo = open_duo(&o);
    ead_duo_score(duo, BEST, hear, &told);
    append(duo, pair.ids[0], 20);
    write_some(duo, 5);
    assert_int_equal(told.n, 19);
    o.policy.kind = EAD_POLICY_LARGE;
    check(ead_duo_set_policy(duo, &o.policy, &error), &error);
    write_some(duo, 5); /* the large model reads all of it */
    assert_int_equal(told.n, 19);
    append(duo, pair.ids[1], 20);
    write_some(duo, 1);
    assert_int_equal(told.n, 19 + 20);
    expect(&told, EAD_LARGE, ead_duo_ids(duo), 30, 50);
    told = (struct told){0};
    ead_duo_truncate(duo, 40); /* position 39 has been read: nothing is told of what follows it */
    append(duo, pair.ids[2], 3);
    write_some(duo, 1);
    assert_int_equal(told.n, 2);
    expect(&told, EAD_LARGE, ead_duo_ids(duo), 41, 43);
    ead_duo_score(duo, BEST, NULL, NULL);
    append(duo, pair.ids[3], 3);
    write_some(duo, 1);
    assert_int_equal(told.n, 2);
    told = (struct told){0};
    ead_duo_score(duo, BEST, hear, &told);
    ead_duo_reset(duo);
    append(duo, pair.ids[4], 9);
    write_some(duo, 1);
    expect(&told, EAD_LARGE, pair.ids[4], 1, 9);
    ead_duo_close(duo);
}

static void test_of_what_was_read_nothing_is_told(void **state)
{
    (void)state;
    const ead_duo_options o = options(EAD_POLICY_LARGE, 8);
    struct told told = {0};
    ead_batch *batch;
    ead_error error;
    check(ead_batch_open(pair.models[EAD_LARGE], pair.models[EAD_SMALL], &o, 2, &batch, &error),
          &error);
    ead_duo *first = ead_batch_duo(batch, 0), *second = ead_batch_duo(batch, 1);
    ead_duo_score(second, BEST, hear, &told);
    append(first, pair.ids[0], 40);
    check(ead_duo_read(first, &error), &error); /* all but the last */
    check(ead_duo_copy(second, first, 40, &error), &error);
    append(second, pair.ids[0] + 40, 10);
    write_some(second, 2);
    expect(&told, EAD_LARGE, pair.ids[0], 40, 50);
    assert_int_equal(told.n, 10);
    ead_batch_close(batch);
}

/* ---- company ------------------------------------------------------------------------------- */

struct company {
    struct told told[TEXTS];
    ead_token tokens[TEXTS][MORE];
    int n[TEXTS], steps;
    ead_summary summary[TEXTS];
};

/* Texts that read and write together; those of `scored` are told of. */
static void live(int max_scores, unsigned scored, struct company *c)
{
    ead_duo_options o = options(EAD_POLICY_EAD, max_scores);
    ead_event events[TEXTS];
    ead_batch *batch;
    ead_error error;
    bool active[TEXTS];
    int left = TEXTS;
    *c = (struct company){0};
    check(ead_batch_open(pair.models[EAD_LARGE], pair.models[EAD_SMALL], &o, TEXTS, &batch, &error),
          &error);
    for (int i = 0; i < TEXTS; i++) {
        ead_duo *duo = ead_batch_duo(batch, i);
        if (scored >> i & 1) ead_duo_score(duo, BEST, hear, &c->told[i]);
        o.policy.kind = i % 2 ? EAD_POLICY_EAD : EAD_POLICY_LARGE;
        check(ead_duo_set_policy(duo, &o.policy, &error), &error);
        append(duo, pair.ids[i], (size_t)(PROMPT - 7 * i));
        active[i] = true;
    }
    for (int n; left; c->steps++) {
        check(ead_batch_step(batch, active, events, &n, &error), &error);
        for (int e = 0; e < n; e++) {
            const int i = events[e].text;
            assert_int_equal(events[e].kind, EAD_EVENT_TOKEN);
            c->tokens[i][c->n[i]++] = events[e].token;
            if (c->n[i] < MORE) continue;
            active[i] = false;
            left--;
        }
    }
    for (int i = 0; i < TEXTS; i++) c->summary[i] = ead_duo_summarise(ead_batch_duo(batch, i));
    ead_batch_close(batch);
}

static void same_texts(const struct company *a, const struct company *b)
{
    for (int i = 0; i < TEXTS; i++) {
        for (int k = 0; k < MORE; k++)
            assert_memory_equal(&a->tokens[i][k], &b->tokens[i][k], offsetof(ead_token, seconds));
        for (int w = 0; w < EAD_WRITERS; w++)
            assert_int_equal(a->summary[i].work[w].prompt_rows, b->summary[i].work[w].prompt_rows);
    }
}

static void test_company_does_not_matter(void **state)
{
    (void)state;
    static const int most[] = {1, 2, 6, 11, 16};
    static struct company plain, scored;
    live(0, 0, &plain);
    for (size_t m = 0; m < sizeof most / sizeof *most; m++)
        for (unsigned who = 1; who < 1u << TEXTS; who += 6) {
            live(most[m], who, &scored);
            same_texts(&plain, &scored);
            for (int i = 0; i < TEXTS; i++) {
                const int n = PROMPT - 7 * i;
                assert_int_equal(scored.told[i].n, who >> i & 1 ? n - 1 : 0);
                if (who >> i & 1)
                    expect(&scored.told[i], i % 2 ? EAD_SMALL : EAD_LARGE, pair.ids[i], 1, n);
            }
        }
}

/* While a text is scored row by row, its neighbour writes as if it were alone. */
static void test_a_scored_prompt_holds_nobody_up(void **state)
{
    (void)state;
    const ead_duo_options o = options(EAD_POLICY_SMALL, 1);
    struct told told = {0};
    ead_batch *batch;
    ead_event events[2];
    ead_error error;
    const bool writer[] = {true, false}, both[] = {true, true};
    int n;
    check(ead_batch_open(NULL, pair.models[EAD_SMALL], &o, 2, &batch, &error), &error);
    append(ead_batch_duo(batch, 0), pair.ids[0], 3);
    check(ead_batch_step(batch, writer, events, &n, &error), &error);
    ead_duo_score(ead_batch_duo(batch, 1), BEST, hear, &told);
    append(ead_batch_duo(batch, 1), pair.ids[1], PROMPT);
    for (int i = 0; i < (PROMPT - 1) / 2; i++) { /* two rows a pass */
        check(ead_batch_step(batch, both, events, &n, &error), &error);
        assert_int_equal(n, 1);
        assert_int_equal(events[0].text, 0);
        assert_int_equal(told.n, 2 * (i + 1));
    }
    check(ead_batch_step(batch, both, events, &n, &error), &error);
    assert_int_equal(n, 2);
    ead_batch_close(batch);
}

static void test_options(void **state)
{
    (void)state;
    ead_duo_options o = options(EAD_POLICY_SMALL, 0);
    struct told told = {0};
    ead_error error;
    ead_duo *duo = open_duo(&o);
    ead_duo_score(duo, BEST, hear, &told); /* there is no room for any */
    append(duo, pair.ids[0], 9);
    write_some(duo, 1);
    assert_int_equal(told.n, 0);
    ead_duo_close(duo);
    o.max_scores = 2;
    duo = open_duo(&o);
    ead_duo_score(duo, 1000, hear, &told);
    append(duo, pair.ids[0], 9);
    ead_duo_score(duo, -5, hear, &told); /* the later one counts */
    write_some(duo, 1);
    assert_int_equal(told.n, 8);
    assert_int_equal(told.at[3].n_best, 0);
    told = (struct told){0};
    ead_duo_score(duo, 1000, hear, &told);
    append(duo, pair.ids[0], 9);
    write_some(duo, 1);
    assert_int_equal(told.at[12].n_best, EAD_SCORE_BEST_MAX);
    ead_duo_close(duo);
    for (o.max_scores = -1; o.max_scores < 18; o.max_scores += 18) {
        assert_int_equal(ead_duo_open(NULL, pair.models[0], &o, &duo, &error), EAD_ARGUMENT);
        assert_non_null(strstr(error.message, "scores of a pass: expected 0 to 1"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_are_those_of_a_session),
        cmocka_unit_test(test_each_append_is_told_once),
        cmocka_unit_test(test_of_what_was_read_nothing_is_told),
        cmocka_unit_test(test_company_does_not_matter),
        cmocka_unit_test(test_a_scored_prompt_holds_nobody_up),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
