/*
 * What a caller is told of judged texts: in order, what stands and who asks what fell; and whatever
 * is done between two tokens, what was told stands. Rules that go too far are faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/proposal.h"
#include "judged_text.h"

#include <math.h>
#include <stdlib.h>

enum { TOKENS_MAX = 400 };

static ead_duo_options options_of(int policy, float temperature)
{
    ead_duo_options o = ead_duo_defaults();
    judging_set(policy, &o.policy);
    o.policy.seed = 3;
    o.sampler.temperature = temperature;
    o.sampler.seed = (uint64_t)policy + 11;
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.max_rows = 64;
    o.ignore_end = true;
    o.tell_lost = true;
    return o;
}

static ead_batch *open_texts(const ead_duo_options *o, int n)
{
    ead_error error;
    ead_batch *batch = NULL;
    check(ead_batch_open(pair.large, pair.small, o, n, &batch, &error), &error);
    check(ead_duo_append(ead_batch_duo(batch, 0), prompt, PROMPT, &error), &error);
    return batch;
}

/* The next token that stands; those that fell are counted. */
static ead_token next_token(ead_duo *duo, int *lost)
{
    ead_error error;
    for (;;) {
        ead_token token;
        check(ead_duo_step(duo, &token, &error), &error);
        assert_int_equal(token.taken_back, 0);
        if (!token.lost) return token;
        assert_false(token.end);
        ++*lost;
    }
}

static void write_ids(ead_duo *duo, int n, int32_t *ids)
{
    for (int i = 0, lost = 0; i < n; i++) ids[i] = next_token(duo, &lost).id;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* Of each judgement: what was kept, what fell, and the large model's token, which knows of how many
 * there were; the account counts the same. */
static void test_judgements_are_told_in_order(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++) {
        ead_error error;
        const ead_duo_options o = options_of(k / 2, (float)(k % 2));
        if (o.policy.kind == EAD_POLICY_CUSTOM || !ead_policy_describe(o.policy.kind)->judges)
            continue; /* those judge a part */
        ead_batch *batch = open_texts(&o, 1);
        ead_duo *duo = ead_batch_duo(batch, 0);
        int kept = 0, fell = 0, dropped = 0, written = 0;
        int64_t judgements = 0, judged = 0, refused = 0, tokens = 0;
        float q = 0; /* of the first that fell, greedy or drawn as the small model gave it */
        while (written < 100) {
            ead_token t;
            check(ead_duo_step(duo, &t, &error), &error);
            tokens++;
            assert_int_equal(t.opinion.id, t.judged ? t.id : 0);
            if (t.lost) {
                assert_int_equal(t.writer, EAD_SMALL);
                if (t.judged && !fell) q = expf(t.log_prob);
                fell += t.judged;
                dropped += !t.judged; /* by the policy itself, behind what is judged */
                assert_true(!dropped || !t.judged);
                assert_int_equal(ead_duo_length(duo), PROMPT + written);
                continue;
            }
            written++;
            assert_int_equal(ead_duo_length(duo), PROMPT + written);
            if (t.writer == EAD_SMALL) {
                assert_true(t.judged && !fell && !dropped); /* nothing is told before it stands */
                kept++;
                continue;
            }
            assert_int_equal(t.judgement.n, kept + fell);
            assert_int_equal(t.judgement.kept, kept);
            assert_true(t.judgement.q == (fell ? q : 0));
            judgements += t.judgement.n > 0;
            judged += t.judgement.n;
            refused += fell > 0;
            kept = fell = dropped = 0;
        }
        const ead_summary s = ead_duo_summarise(duo);
        if (!kept) { /* and no judgement is told in part */
            assert_int_equal(s.judgements, judgements);
            assert_int_equal(s.judged, judged);
            assert_int_equal(s.refused, refused);
            assert_int_equal(s.tokens, tokens);
            assert_int_equal(s.taken_back, tokens - written);
            assert_int_equal(s.work[EAD_SMALL].tokens + s.work[EAD_LARGE].tokens, tokens);
        }
        assert_true(judged > 20);
        ead_batch_close(batch);
    }
}

/* Nobody hears of what fell who did not ask; and the text is the same. */
static void test_lost_tokens_are_for_who_asks(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++) {
        ead_duo_options o = options_of(k / 2, (float)(k % 2));
        int32_t ids[60];
        ead_batch *asked = open_texts(&o, 1);
        write_ids(ead_batch_duo(asked, 0), 60, ids);
        o.tell_lost = false;
        ead_batch *plain = open_texts(&o, 1);
        for (int i = 0, lost = 0; i < 60; i++) {
            assert_int_equal(next_token(ead_batch_duo(plain, 0), &lost).id, ids[i]);
            assert_int_equal(lost, 0);
        }
        ead_batch_close(asked);
        ead_batch_close(plain);
    }
}

/* A text's end is told when it stands, with the judgement that let it. */
static void test_ends(void **state)
{
    (void)state;
    int by_small = 0, by_large = 0;
    for (int seed = 0; seed < 60; seed++) {
        ead_duo_options o = options_of(0, 1);
        o.sampler.seed = (uint64_t)seed;
        o.ignore_end = false;
        o.n_ctx = 60 + seed % 9;
        const ead_bias bias = {JUDGING_EOS, seed % 2 ? 3 : 0};
        o.sampler.bias = &bias;
        o.sampler.n_bias = 1;
        ead_batch *batch = open_texts(&o, 1);
        int lost = 0;
        ead_token t;
        do {
            t = next_token(ead_batch_duo(batch, 0), &lost);
            assert_int_equal(ead_token_is_end(pair.large, t.id), t.end == EAD_END_TOKEN);
        } while (!t.end);
        if (t.writer == EAD_SMALL)
            assert_true(t.judgement.n > 0 && t.judgement.kept == t.judgement.n);
        by_small += t.writer == EAD_SMALL && t.end == EAD_END_TOKEN;
        by_large += t.writer == EAD_LARGE;
        ead_error error;
        if (t.end == EAD_END_CONTEXT) {
            ead_token none;
            assert_int_equal(ead_duo_step(ead_batch_duo(batch, 0), &none, &error), EAD_FULL);
        } else { /* who wants more gets it */
            (void)next_token(ead_batch_duo(batch, 0), &lost);
        }
        ead_batch_close(batch);
    }
    assert_true(by_small > 3 && by_large > 3);
}

/* Those of three that are kept are no more than three, and what the text becomes in another way has
 * none. */
static void check_forgotten(ead_duo *duo)
{
    ead_error error;
    ead_alternative best[EAD_BEST_MAX + 1];
    assert_in_range(ead_duo_best(duo, EAD_BEST_MAX, best), 3, EAD_BEST_MAX);
    ead_duo_truncate(duo, (int)ead_duo_length(duo) - 1);
    assert_int_equal(ead_duo_best(duo, 3, best), 0);
    next_token(duo, &(int){0});
    check(ead_duo_append(duo, prompt, 2, &error), &error);
    assert_int_equal(ead_duo_best(duo, 3, best), 0);
    ead_duo_want_best(duo, 1000);
    next_token(duo, &(int){0});
    assert_int_equal(ead_duo_best(duo, EAD_BEST_MAX, best), EAD_BEST_MAX);
    assert_in_range(ead_duo_best(duo, EAD_BEST_MAX + 1, best), EAD_BEST_MAX, EAD_BEST_MAX + 1);
    ead_duo_reset(duo);
    assert_int_equal(ead_duo_best(duo, 3, best), 0);
}

/* Alternatives are those of the last token that was told; of one that was written before, a draft
 * that stands, for who asked beforehand. */
static void test_alternatives(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++) {
        const ead_duo_options o = options_of(k / 2, 0);
        ead_batch *batch = open_texts(&o, 1);
        ead_duo *duo = ead_batch_duo(batch, 0);
        int some = 0;
        ead_duo_want_best(duo, k % 2 ? 3 : 0);
        for (int i = 0, lost = 0; i < 100; i++) {
            ead_alternative best[3];
            const ead_token t = next_token(duo, &lost);
            const int n = ead_duo_best(duo, 3, best);
            assert_true(n == 0 || n == 3);
            some += n > 0;
            if (!n) continue;
            assert_true(fabsf(expf(best[0].log_prob) - t.stats.max_prob) < 1e-5f);
            assert_int_equal(best[0].id, t.stats.argmax);
            assert_true(best[1].log_prob <= best[0].log_prob);
        }
        if (k % 2) assert_int_equal(some, 100);
        assert_true(some > 5);
        if (k % 2) check_forgotten(duo);
        ead_batch_close(batch);
    }
}

/* A rule that takes back what was told last leaves no alternatives of it. */
static void test_no_alternatives_of_what_is_gone(void **state)
{
    (void)state;
    ead_error error;
    ead_alternative best[3];
    ead_policy_options drops;
    ead_token instead;
    const ead_duo_options o = options_of(0, 0);
    const ead_policy_options base = ead_duo_defaults().policy;
    ead_batch *batch = open_texts(&o, 1);
    ead_duo *duo = ead_batch_duo(batch, 0);
    ead_duo_want_best(duo, 3);
    while (next_token(duo, &(int){0}).writer == EAD_LARGE) continue;
    assert_int_equal(ead_duo_best(duo, 3, best), 3);
    check(setting_read("r2r critical=0", &base, "policy", &drops, &error), &error);
    check(ead_duo_set_policy(duo, &drops, &error), &error);
    assert_int_equal(ead_duo_best(duo, 3, best), 0);
    check(ead_duo_step(duo, &instead, &error), &error);
    assert_int_equal(instead.taken_back, 1);
    ead_batch_close(batch);
}

/* ---- between two tokens -----------------------------------------------------------------------
 */

/* Given tokens stand behind what was told, and what follows is what follows such a text. */
static void test_append_forgets_what_was_not_told(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++)
        for (int told = 1; told < 24; told += 3) {
            const ead_duo_options o = options_of(k / 2, (float)(k % 2));
            ead_error error;
            int32_t ids[24], more[20], expected[20];
            ead_batch *batch = open_texts(&o, 2);
            ead_duo *duo = ead_batch_duo(batch, 0), *fresh = ead_batch_duo(batch, 1);
            write_ids(duo, told, ids);
            check(ead_duo_append(duo, prompt + 50, 3, &error), &error);
            assert_int_equal(ead_duo_length(duo), PROMPT + told + 3);
            assert_memory_equal(ead_duo_ids(duo) + PROMPT, ids, (size_t)told * sizeof *ids);
            check(ead_duo_append(fresh, ead_duo_ids(duo), (size_t)(PROMPT + told + 3), &error),
                  &error);
            write_ids(duo, 20, more);
            write_ids(fresh, 20, expected);
            assert_memory_equal(more, expected, sizeof more);
            ead_batch_close(batch);
        }
}

/* Another sampler or policy, at any moment: what was told stands, and what follows is what follows
 * a copy of it that is written in the new way from the start. */
static void test_what_was_told_stands(void **state)
{
    (void)state;
    for (int k = 0; k < 4 * JUDGING_POLICIES; k++)
        for (int told = 1; told < 24; told += 4) {
            ead_duo_options o = options_of(k / 4, (float)(k % 2));
            ead_error error;
            int32_t ids[24], more[20], expected[20];
            ead_batch *batch = open_texts(&o, 2);
            ead_duo *duo = ead_batch_duo(batch, 0), *other = ead_batch_duo(batch, 1);
            write_ids(duo, told, ids);
            if (told % 8 == 1 && told > 2) ead_duo_truncate(duo, ead_duo_length(duo) - 2);
            const size_t length = ead_duo_length(duo);
            o.sampler.seed += 5;
            o.sampler.temperature = k % 3 ? 1 : 0;
            if (k & 2) judging_set((k / 4 + told) % JUDGING_POLICIES, &o.policy);
            if (o.policy.kind == EAD_POLICY_RSTITCH || o.policy.kind == EAD_POLICY_R2R)
                judging_set(0, &o.policy); /* those may begin by taking back */
            for (int i = 0; i < 2; i++) {
                ead_duo *each = i ? duo : other;
                if (k & 2) check(ead_duo_set_policy(each, &o.policy, &error), &error);
                check(ead_duo_set_sampler(each, &o.sampler, &error), &error);
                if (!i) check(ead_duo_copy(other, duo, length, &error), &error);
            }
            assert_int_equal(ead_duo_length(duo), length);
            write_ids(duo, 20, more); /* nothing is taken back */
            write_ids(other, 20, expected);
            assert_memory_equal(ead_duo_ids(duo) + PROMPT, ids, (length - PROMPT) * sizeof *ids);
            assert_memory_equal(more, expected, sizeof more);
            ead_batch_close(batch);
        }
}

/* Where nothing may follow nothing happens, and it goes on when something may. */
static void test_nothing_may_follow(void **state)
{
    (void)state;
    static ead_bias all[4096];
    const int n_vocab = ead_model_describe(pair.large).n_vocab;
    assert_in_range(n_vocab, 1, 4096);
    for (int i = 0; i < n_vocab; i++) all[i] = (ead_bias){i, -100};
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++)
        for (int told = 0; told < 12; told++) {
            ead_duo_options o = options_of(k / 2, (float)(k % 2));
            ead_error error;
            ead_token token;
            int32_t ids[40];
            ead_batch *batch = open_texts(&o, 1);
            ead_duo *duo = ead_batch_duo(batch, 0);
            write_ids(duo, told, ids);
            ead_sampler_options none = o.sampler;
            none.bias = all;
            none.n_bias = n_vocab;
            if (told % 2) ead_duo_truncate(duo, ead_duo_length(duo) - 1);
            check(ead_duo_set_sampler(duo, &none, &error), &error);
            for (int i = 0; i < 2; i++) {
                assert_int_equal(ead_duo_step(duo, &token, &error), EAD_ARGUMENT);
                assert_non_null(strstr(error.message, "are forbidden"));
            }
            assert_int_equal(ead_duo_length(duo), PROMPT + told - told % 2);
            check(ead_duo_set_sampler(duo, &o.sampler, &error), &error);
            write_ids(duo, 20, ids);
            ead_batch_close(batch);
        }
}

/* ---- scores ---------------------------------------------------------------------------------- */

struct heard {
    size_t next;
    int n;
    float log_probs[N_CTX];
};

static void hear(void *context, const ead_scored *token)
{
    struct heard *h = context;
    assert_true(token->at >= h->next);
    assert_true(token->n_best == 2 && token->best[0].log_prob >= token->log_prob && token->id >= 0);
    h->log_probs[h->n++] = token->log_prob;
    h->next = token->at + 1;
}

static void test_scores_beside_judgements(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * JUDGING_POLICIES; k++) {
        ead_duo_options o = options_of(k / 2, (float)(k % 2));
        ead_error error;
        int32_t plain[2][15], ids[15];
        struct heard heard = {0};
        for (int scored = 0; scored < 2; scored++) {
            o.max_scores = scored ? 10 : 0;
            ead_batch *batch = open_texts(&o, 1);
            ead_duo *duo = ead_batch_duo(batch, 0);
            if (scored) ead_duo_score(duo, 2, hear, &heard);
            for (int part = 0; part < 2; part++) {
                write_ids(duo, 15, scored ? ids : plain[part]);
                if (scored) assert_memory_equal(ids, plain[part], sizeof ids);
                check(ead_duo_append(duo, prompt + 30, 40, &error), &error);
            }
            write_ids(duo, 1, ids);
            ead_batch_close(batch);
        }
        assert_in_range(heard.n, PROMPT - 1 + 40, PROMPT - 1 + 2 * 40);
    }
}

/* ---- rules that go too far ------------------------------------------------------------------- */

/* Ever new tokens, of which none is told and most are taken back. */
static ead_decision restless(void *context, const ead_signals *s)
{
    (void)context;
    ead_decision d = {.writer = s->index ? s->writer : EAD_SMALL, .open = EAD_DRAFT_MAX};
    if (s->index < 60 || s->turn < 20) return d;
    d.writer = 1 - s->writer;
    d.take_back = (int)s->turn - 1;
    return d;
}

/* A judgement of all, again and again, of which nothing is told. */
static ead_decision secretive(void *context, const ead_signals *s)
{
    (void)context;
    ead_decision d = {.writer = EAD_SMALL, .open = EAD_DRAFT_MAX};
    if (s->drafts < 50) return d;
    d.writer = EAD_LARGE;
    d.judge = s->drafts;
    return d;
}

static int all_bad(void *context, const ead_opinion *o, int n)
{
    (void)context, (void)o;
    return n > 1 ? 1 : 0;
}

static int any_number(void *context, const ead_opinion *o, int n)
{
    (void)context;
    return o[0].id % 3 - 1 ? -5 : n + 7; /* neither is a draft */
}

static void test_rules_that_go_too_far(void **state)
{
    (void)state;
    static const ead_decide decides[] = {restless, secretive, judging_whim};
    static const ead_judge judges[] = {NULL, all_bad, any_number};
    for (int k = 0; k < 18; k++) {
        ead_duo_options o = options_of(0, (float)(k % 2));
        ead_error error;
        o.policy.kind = EAD_POLICY_CUSTOM;
        o.policy.decide = decides[k / 2 % 3];
        o.policy.judge = judges[k / 6];
        ead_batch *batch = open_texts(&o, 1);
        ead_status st = EAD_OK;
        int stand = 0, told = 0;
        for (int i = 0; i < TOKENS_MAX && !st; i++) {
            ead_token t;
            st = ead_duo_step(ead_batch_duo(batch, 0), &t, &error);
            if (st) break;
            told++;
            stand += t.lost ? 0 : 1 - t.taken_back;
            assert_int_equal(ead_duo_length(ead_batch_duo(batch, 0)), PROMPT + stand);
        }
        assert_true(told > 0 || st); /* it neither hangs nor crashes */
        if (st && st != EAD_FULL) {
            assert_int_equal(st, EAD_ARGUMENT);
            assert_non_null(strstr(error.message, "policy custom"));
        }
        ead_batch_close(batch);
    }
}

/* A program judges and weighs nothing: what stands is what the large model would
 * have drawn there. */
static void test_own_draw_stands_beside_a_judge(void **state)
{
    ead_error error;
    int refused = 0;
    (void)state;
    ead_duo_options o = options_of(0, 1);
    o.policy.kind = EAD_POLICY_CUSTOM;
    o.policy.decide = judging_whim;
    o.policy.judge = judging_whim_judge;
    ead_batch *batch = open_texts(&o, 1);
    int32_t own = -1;
    for (int written = 0; written < 100;) {
        ead_token t;
        check(ead_duo_step(ead_batch_duo(batch, 0), &t, &error), &error);
        if (t.lost) {
            if (t.judged && own < 0) own = t.opinion.own;
            continue;
        }
        written++;
        if (own >= 0) {
            assert_int_equal(t.writer, EAD_LARGE);
            assert_int_equal(t.id, own);
            refused++;
        }
        own = -1;
    }
    assert_true(refused > 5);
    ead_batch_close(batch);
}

struct keeper {
    double mine;
    int strange, found;
};

/* Leaves a number of its own beside each token, and counts what it finds there. */
static ead_decision keep(void *context, const ead_signals *s)
{
    struct keeper *k = context;
    k->strange += s->memory[0] != 0 && s->memory[0] != k->mine;
    k->found += s->memory[0] == k->mine;
    return (ead_decision){.writer = (ead_writer)(s->index % 2), .memory = {k->mine}};
}

/* A policy finds what it left, set again as well, and never what another one of its kind left. */
static void test_memory_is_of_one_policy(void **state)
{
    ead_error error;
    (void)state;
    struct keeper a = {.mine = 1}, b = {.mine = 2};
    ead_duo_options o = options_of(0, 0);
    o.policy.kind = EAD_POLICY_CUSTOM;
    o.policy.decide = keep;
    o.policy.context = &a;
    ead_batch *batch = open_texts(&o, 2);
    ead_duo *duo = ead_batch_duo(batch, 0), *other = ead_batch_duo(batch, 1);
    int32_t ids[10];
    write_ids(duo, 10, ids);
    assert_int_equal(a.found, 9);
    check(ead_duo_set_policy(duo, &o.policy, &error), &error);
    assert_int_equal(a.found, 10);
    o.policy.context = &b;
    check(ead_duo_set_policy(duo, &o.policy, &error), &error);
    write_ids(duo, 10, ids);
    assert_int_equal(b.found, 10);
    check(ead_duo_copy(other, duo, PROMPT + 18, &error), &error); /* to one of the first policy */
    ead_duo_truncate(duo, PROMPT + 5); /* behind tokens of the first one */
    write_ids(duo, 3, ids);
    assert_int_equal(a.strange + b.strange, 0);
    ead_batch_close(batch);
}

/* ---- proposals ------------------------------------------------------------------------------- */

/* Of a large vocabulary the most probable tokens, as shares of one; drawn as they are kept. */
static void test_proposals_of_many_tokens(void **state)
{
    (void)state;
    enum { V = 5000, DRAWS = 20000 };
    static float q[V], got[V];
    static struct candidate storage[2][PROPOSAL_TOKENS], scratch[V];
    static int drawn[V];
    struct proposals p, other;
    uint64_t rng = 9;
    double kept = 0, sum = 0;
    for (int i = 0; i < PROPOSAL_PLACES; i++) {
        p.places[i].tokens = storage[0];
        other.places[i].tokens = storage[1];
    }
    proposals_reset(&p);
    proposals_reset(&other);
    assert_false(proposals_know(&p, 100));
    float floor = 0;
    for (int i = 0; i < V; i++) {
        q[i] = (float)(i % 5 ? 1e-5 * rng_unit(&rng) : 1e-3 * (1 + rng_unit(&rng)));
        sum += (double)q[i];
        if (i % 5 == 0) kept += (double)q[i];
    }
    assert_true(kept < sum);
    proposals_keep(&p, 100, q, V, scratch);
    assert_true(proposals_know(&p, 100) && !proposals_know(&p, 100 + PROPOSAL_PLACES));
    proposals_copy(&other, &p);
    proposals_spread(&other, 100, got, V);
    const double whole = sum;
    sum = kept = 0;
    int n = 0;
    for (int i = 0; i < V; i++) {
        sum += (double)got[i];
        kept += got[i] > 0 ? (double)q[i] : 0;
        n += got[i] > 0;
        if (i % 5 == 0) assert_true(got[i] > floor); /* the probable ones are all there */
    }
    assert_int_equal(n, PROPOSAL_TOKENS);
    assert_true(fabs(sum - 1) < 1e-5);
    assert_true(fabs(proposals_cut(&other, 100) - (whole - kept) / whole) < 1e-9);
    for (int k = 0; k < DRAWS; k++) {
        const int32_t id = proposals_draw(&p, 100, (k + 0.5) / DRAWS);
        assert_true(id >= 0 && id < V && got[id] > 0);
        drawn[id]++;
    }
    for (int i = 0; i < V; i++) assert_true(fabs((double)drawn[i] - (double)got[i] * DRAWS) <= 1);
    /* A q of one token and no end of hairs is cut as well, far below the rounding of one. */
    for (int i = 0; i < V; i++) q[i] = i ? 1e-25f : 1;
    proposals_keep(&p, 100, q, V, scratch);
    assert_true(fabs(proposals_cut(&p, 100) / (1e-25 * (V - PROPOSAL_TOKENS)) - 1) < 1e-5);
    proposals_keep(&p, 100, q, PROPOSAL_TOKENS, scratch);
    assert_true(proposals_cut(&p, 100) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judgements_are_told_in_order),
        cmocka_unit_test(test_lost_tokens_are_for_who_asks),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_no_alternatives_of_what_is_gone),
        cmocka_unit_test(test_append_forgets_what_was_not_told),
        cmocka_unit_test(test_what_was_told_stands),
        cmocka_unit_test(test_nothing_may_follow),
        cmocka_unit_test(test_scores_beside_judgements),
        cmocka_unit_test(test_rules_that_go_too_far),
        cmocka_unit_test(test_own_draw_stands_beside_a_judge),
        cmocka_unit_test(test_memory_is_of_one_policy),
        cmocka_unit_test(test_proposals_of_many_tokens),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
