/*
 * Judging is exact where it says so: with speculation a greedy text is the large model's, whatever
 * the drafts, the passes, the penalties and the ends; and policy judge is at its end points one of
 * the two models, bit for bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead.h"
#include "judged_text.h"
#include "shared.h"

#include <math.h>
#include <stdlib.h>

enum { TOKENS_MAX = 400 };

struct written {
    ead_token tokens[TOKENS_MAX];
    int n, lost;
    ead_summary summary;
};

/* A text to its end, or to so many tokens; what is told agrees with what the duo says. */
static void write_text(const ead_model *large, const ead_model *small, const ead_duo_options *o,
                       const int32_t *given, size_t n_given, int most, struct written *w)
{
    ead_error error;
    ead_duo *duo = NULL;
    *w = (struct written){0};
    check(ead_duo_open(large, small, o, &duo, &error), &error);
    check(ead_duo_append(duo, given, n_given, &error), &error);
    while (w->n < most && !(w->n && w->tokens[w->n - 1].end)) {
        ead_token token;
        check(ead_duo_step(duo, &token, &error), &error);
        assert_int_equal(token.taken_back, 0);
        if (token.lost) {
            assert_true(o->tell_lost);
            assert_int_equal(ead_duo_length(duo), n_given + (size_t)w->n);
            w->lost++;
            continue;
        }
        w->tokens[w->n++] = token;
        assert_int_equal(ead_duo_length(duo), n_given + (size_t)w->n);
        assert_int_equal(ead_duo_ids(duo)[n_given + (size_t)w->n - 1], token.id);
    }
    w->summary = ead_duo_summarise(duo);
    ead_duo_close(duo);
}

static void same_ids(const struct written *a, const struct written *b, const char *what, int k)
{
    for (int i = 0; i < a->n && i < b->n; i++)
        if (a->tokens[i].id != b->tokens[i].id || a->tokens[i].end != b->tokens[i].end)
            fail_msg("%s, draft %d, token %d: id %d (end %d), the large model's %d (%d)", what, k,
                     i, a->tokens[i].id, (int)a->tokens[i].end, b->tokens[i].id,
                     (int)b->tokens[i].end);
    assert_int_equal(a->n, b->n);
}

/* ---- exact speculation ----------------------------------------------------------------------- */

static const ead_bias biases[] = {{70, 2}, {71, -100}, {72, -3}, {JUDGING_EOS, 1.5f}};

/* What is done to logits, and how texts end. */
static const struct {
    const char *name;
    float repeat, presence, frequency;
    int n_bias;
    bool ignore_end, eager;
} settings[] = {
    {"plain", 1, 0, 0, 0, true, false},
    {"ends", 1, 0, 0, 0, false, false},
    {"penalties", 1.3f, 0, 0, 0, true, true},
    {"counted", 1, 0.7f, 0.3f, 0, false, false},
    {"biases", 1, 0, 0, 4, true, false},
    {"biased to the end", 1, 0, 0, 4, false, true},
    {"all of it", 1.2f, 0.4f, 0.2f, 4, false, false},
};
enum { N_SETTINGS = sizeof settings / sizeof *settings };

static ead_duo_options options_of(int setting, int max_rows, int n_ctx)
{
    ead_duo_options o = ead_duo_defaults();
    o.threads = 1;
    o.n_ctx = n_ctx;
    o.max_rows = max_rows;
    o.sampler.repeat_penalty = settings[setting].repeat;
    o.sampler.presence_penalty = settings[setting].presence;
    o.sampler.frequency_penalty = settings[setting].frequency;
    o.sampler.bias = biases;
    o.sampler.n_bias = settings[setting].n_bias;
    o.ignore_end = settings[setting].ignore_end;
    o.eager_prompt = settings[setting].eager;
    o.tell_lost = setting % 2;
    return o;
}

static const int drafts[] = {
    1, 4, 8, 63, EAD_DRAFT_HEURISTIC, EAD_DRAFT_CONFIDENCE, EAD_DRAFT_SURVIVAL};
enum { N_DRAFTS = sizeof drafts / sizeof *drafts };

static void test_speculation_is_the_large_model(void **state)
{
    (void)state;
    static const int rows[] = {2, 3, 64, 256}, contexts[] = {N_CTX, 41};
    int64_t judged = 0, refused = 0, tokens = 0;
    int ends = 0;
    for (int s = 0; s < N_SETTINGS; s++)
        for (int c = 0; c < 2; c++) {
            struct written alone, w;
            ead_duo_options o = options_of(s, 64, contexts[c]);
            o.policy.kind = EAD_POLICY_LARGE;
            write_text(pair.large, pair.small, &o, prompt, PROMPT, TOKENS_MAX, &alone);
            assert_true(alone.tokens[alone.n - 1].end);
            ends += alone.tokens[alone.n - 1].end == EAD_END_TOKEN;
            for (int r = 0; r < 4; r++)
                for (int d = 0; d < N_DRAFTS; d++) {
                    o = options_of(s, rows[r], contexts[c]);
                    o.policy.kind = EAD_POLICY_SPECULATIVE;
                    o.policy.draft = drafts[d];
                    o.policy.draft_min_p = d == 3 ? 0.2 : 0;
                    o.policy.draft_min = d == 3 ? 2 : 0;
                    o.threads = 1 + (d == 2 && r == 2);
                    write_text(pair.large, pair.small, &o, prompt, PROMPT, TOKENS_MAX, &w);
                    same_ids(&w, &alone, settings[s].name, drafts[d]);
                    judged += w.summary.judged;
                    refused += w.summary.refused;
                    tokens += w.n;
                    if (!o.tell_lost) assert_int_equal(w.lost, 0);
                    /* what fell was paid for, and told to who asked */
                    assert_int_equal(w.summary.tokens, w.n + w.summary.taken_back);
                    if (o.tell_lost) assert_int_equal(w.lost, w.summary.taken_back);
                }
        }
    /* drafts are kept, and drafts are refused */
    if (!(refused * 10 > tokens && (judged - refused) * 4 > tokens && ends > 2))
        fail_msg("%d of %d judged drafts refused in %d tokens, %d ends", (int)refused, (int)judged,
                 (int)tokens, ends);
}

static const char *const files[] = {SHARED_DIR "/models/stories260K.gguf",
                                    SHARED_DIR "/models/llama2xs.gguf"};

static void test_stories(void **state)
{
    (void)state;
    ead_model *models[2];
    ead_error error;
    for (int i = 0; i < 2; i++) check(ead_model_open(files[i], NULL, &models[i], &error), &error);
    int32_t *ids;
    size_t n;
    check(ead_tokenize(models[1], "Once upon a time", 16, EAD_ADD_BOS, &ids, &n, &error), &error);
    for (int penalised = 0; penalised < 2; penalised++) {
        struct written alone, w;
        ead_duo_options o = ead_duo_defaults();
        o.sampler.repeat_penalty = penalised ? 1.2f : 1;
        o.policy.kind = EAD_POLICY_LARGE;
        write_text(models[1], models[0], &o, ids, n, 150, &alone);
        o.policy.kind = EAD_POLICY_SPECULATIVE;
        for (int d = 0; d < N_DRAFTS; d++) {
            o.policy.draft = drafts[d];
            write_text(models[1], models[0], &o, ids, n, 150, &w);
            same_ids(&w, &alone, "stories", drafts[d]);
            assert_true(w.summary.judged > 50);
        }
    }
    ead_free(ids);
    for (int i = 0; i < 2; i++) ead_model_close(models[i]);
}

/* ---- policy judge ---------------------------------------------------------------------------- */

static void same_bits(const ead_token *a, const ead_token *b, int at)
{
    if (a->id != b->id || memcmp(&a->stats, &b->stats, sizeof a->stats) ||
        memcmp(&a->log_prob, &b->log_prob, sizeof a->log_prob) ||
        memcmp(&a->entropy, &b->entropy, sizeof a->entropy) || a->end != b->end)
        fail_msg("token %d: %d (%g bits) against %d (%g)", at, a->id, (double)a->entropy, b->id,
                 (double)b->entropy);
}

/* Without any risk that is taken every draft is judged at once, and what stands is the large
 * model's; where it wrote, its numbers are its own, bit for bit. */
static void test_judge_without_risk_is_the_large_model(void **state)
{
    (void)state;
    for (int s = 0; s < N_SETTINGS; s++) {
        struct written alone, w;
        ead_duo_options o = options_of(s, 64, N_CTX);
        int by_large = 0;
        o.policy.kind = EAD_POLICY_LARGE;
        write_text(pair.large, pair.small, &o, prompt, PROMPT, TOKENS_MAX, &alone);
        o.policy.kind = EAD_POLICY_JUDGE;
        o.policy.risk = o.policy.risk_sum = o.policy.slack = 0;
        write_text(pair.large, pair.small, &o, prompt, PROMPT, TOKENS_MAX, &w);
        same_ids(&w, &alone, settings[s].name, 0);
        for (int i = 0; i < w.n; i++) {
            by_large += w.tokens[i].writer == EAD_LARGE;
            if (w.tokens[i].writer == EAD_LARGE) same_bits(&w.tokens[i], &alone.tokens[i], i);
            if (w.tokens[i].writer == EAD_SMALL) {
                const ead_opinion *opinion = &w.tokens[i].opinion;
                assert_true(w.tokens[i].judged && opinion->native);
                assert_int_equal(opinion->id, alone.tokens[i].id);
                /* what it is told with is what the large model told of it */
                assert_true(opinion->p == expf(alone.tokens[i].log_prob));
                assert_true(opinion->entropy_p == alone.tokens[i].entropy);
                assert_true(opinion->max_p == alone.tokens[i].stats.max_prob);
            }
        }
        assert_true(by_large > w.n / 3);
    }
}

static void test_judge_of_endless_risk_is_the_small_model(void **state)
{
    (void)state;
    for (int s = 0; s < 2 * N_SETTINGS; s++) {
        struct written alone, w;
        ead_duo_options o = options_of(s / 2, 64, N_CTX);
        o.sampler.temperature = s % 2 ? 0.8f : 0;
        o.sampler.seed = 6;
        o.policy.kind = EAD_POLICY_SMALL;
        write_text(pair.large, pair.small, &o, prompt, PROMPT, TOKENS_MAX, &alone);
        o.policy.kind = EAD_POLICY_JUDGE;
        o.policy.risk = o.policy.risk_sum = INFINITY;
        write_text(pair.large, pair.small, &o, prompt, PROMPT, TOKENS_MAX, &w);
        assert_int_equal(w.n, alone.n);
        for (int i = 0; i < w.n; i++) same_bits(&w.tokens[i], &alone.tokens[i], i);
        assert_int_equal(w.summary.judgements, 0);
        assert_int_equal(w.summary.work[EAD_LARGE].decode_rows, 0);
    }
}

/* Any argument: the real models of ../shared, a test of its own for CTest. */
int main(int argc, char **argv)
{
    const struct CMUnitTest real[] = {cmocka_unit_test(test_stories)};
    (void)argv;
    if (argc > 1 && (shared_lacks(files[0]) || shared_lacks(files[1]))) return SKIPPED;
    if (argc > 1) return cmocka_run_group_tests(real, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speculation_is_the_large_model),
        cmocka_unit_test(test_judge_without_risk_is_the_large_model),
        cmocka_unit_test(test_judge_of_endless_risk_is_the_small_model),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
