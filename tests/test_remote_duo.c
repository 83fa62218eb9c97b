/*
 * Pairs of which one model or both are behind an API, over random schedules of what may break: the
 * texts, writers and entropies are those of the same pair at hand, token for token, or there is a
 * fault that names the server, behind which the text can go on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decode/driver.h"
#include "remote/remote.h"
#include "remote_site.h"

enum { TEXTS_MAX = 3, PROMPT_MAX = 9, N_WRITTEN = 40, CTX = 96, TOP = 6, FAULTS_MAX = 12 };

static struct model *names;

/* A text as the pair at hand writes it. */
struct story {
    int32_t ids[CTX];
    int n_prompt;
    ead_token tokens[N_WRITTEN];
};

/* What is drawn for one schedule. */
struct schedule {
    uint64_t rng;
    ead_duo_options options;
    struct script_options scripts[EAD_WRITERS];
    const struct dialect *dialects[EAD_WRITERS]; /* NULL: at hand */
    struct remote *remotes[EAD_WRITERS];
    struct engine *engines[EAD_WRITERS];
    struct driver *driver;
    int n; /* texts */
    struct story stories[TEXTS_MAX];
    bool judges; /* the large model does, in some of them */
    int done[TEXTS_MAX], faults[TEXTS_MAX];
    bool alone[TEXTS_MAX];
};

static int below(struct schedule *s, int n)
{
    return (int)(rng_bits(&s->rng) % (uint64_t)n);
}

/* ---- what breaks --------------------------------------------------------------------------- */

static uint64_t chances; /* under the sites' lock */
static int share, slow;  /* of 100 requests so many break, and of those so many by silence */

static struct act choose(int i)
{
    static const enum deed quick[] = {DEED_LEAVE, DEED_RESET,   DEED_END,
                                      DEED_HALF,  DEED_GARBAGE, DEED_STATUS};
    struct act act = {.status = "500 Oh", .after = (int)(rng_bits(&chances) % 7)};
    (void)i;
    if ((int)(rng_bits(&chances) % 100) >= share) return act;
    if (act.after > 3) act.after = 0;
    act.deed = quick[rng_bits(&chances) % 6];
    if ((int)(rng_bits(&chances) % 100) < slow)
        act.deed = rng_bits(&chances) % 2 ? DEED_STALL : DEED_PING;
    return act;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void draw_options(struct schedule *s)
{
    ead_duo_options *o = &s->options;
    *o = ead_duo_defaults();
    o->ignore_end = true;
    o->policy.kind = EAD_POLICY_EAD;
    o->policy.tau = 1 + 0.5 * below(s, 6);
    o->policy.window = 1 + below(s, 4);
    o->policy.dwell = 1 + below(s, 6);
    o->policy.start = below(s, 2) ? EAD_LARGE : EAD_SMALL;
    o->sampler.temperature = 0;
    o->eager_prompt = below(s, 3) == 0;
}

/* Servers that tell exact statistics, in place of the most probable tokens, draw by themselves. */
static void draw_dialects(struct schedule *s)
{
    static const struct dialect *const known[] = {&dialect_vllm, &dialect_sglang, &dialect_llamacpp,
                                                  &dialect_ead};
    const int far = 1 + below(s, 3); /* one of them, or both */
    bool exact = false;
    for (int w = 0; w < EAD_WRITERS; w++) {
        s->dialects[w] = far & 1 << w ? known[below(s, 4)] : NULL;
        exact |= s->dialects[w] == &dialect_ead;
    }
    if (!exact && below(s, 3) == 0) s->options.sampler.repeat_penalty = 1.5f;
    const struct dialect *large = s->dialects[EAD_LARGE];
    s->judges = s->judges && (!large || !large->mute) && below(s, 2);
    if (s->judges) s->options.policy.kind = below(s, 2) ? EAD_POLICY_SPECULATIVE : EAD_POLICY_JUDGE;
    s->options.policy.draft = 1 + below(s, 9);
    s->options.policy.slack = 0; /* a scripted engine knows no p beyond its most probable ones */
    s->options.policy.risk = 1 + 0.5 * below(s, 4);
}

static void draw_scripts(struct schedule *s)
{
    s->n = 1 + below(s, TEXTS_MAX);
    for (int w = 0; w < EAD_WRITERS; w++)
        s->scripts[w] = (struct script_options){.seed = rng_bits(&s->rng),
                                                .vocab = names->vocab,
                                                .n_vocab = SCRIPT_VOCAB,
                                                .n_ctx = CTX,
                                                .n_seq = s->n,
                                                .max_rows = CTX,
                                                .max_logits = CTX,
                                                .top = s->dialects[w] == &dialect_ead ? 0 : TOP};
    for (int i = 0; i < s->n; i++) {
        s->stories[i].n_prompt = 1 + below(s, PROMPT_MAX);
        for (int k = 0; k < s->stories[i].n_prompt; k++)
            s->stories[i].ids[k] = below(s, SCRIPT_VOCAB);
    }
}

static void open_driver(struct schedule *s)
{
    struct err err;
    if (driver_open(s->engines[EAD_LARGE], s->engines[EAD_SMALL], &s->options, s->n, &s->driver,
                    &err))
        fail_msg("%s", err.message);
    for (int i = 0; i < s->n; i++)
        assert_int_equal(duo_append(driver_duo(s->driver, i), s->stories[i].ids,
                                    (size_t)s->stories[i].n_prompt, &err),
                         ST_OK);
}

static void close_driver(struct schedule *s)
{
    driver_close(s->driver);
    for (int w = 0; w < EAD_WRITERS; w++) {
        engine_close(s->engines[w]);
        remote_close(s->remotes[w]);
        s->remotes[w] = NULL;
    }
}

/* The texts as they are without a wire. */
static void write_stories(struct schedule *s)
{
    for (int w = 0; w < EAD_WRITERS; w++) s->engines[w] = script_open(&s->scripts[w]);
    open_driver(s);
    for (int i = 0; i < s->n; i++)
        for (int k = 0; k < N_WRITTEN; k++) {
            struct err err;
            struct story *t = &s->stories[i];
            assert_int_equal(driver_write(s->driver, i, &t->tokens[k], &err), ST_OK);
            t->ids[t->n_prompt + k] = t->tokens[k].id;
        }
    close_driver(s);
}

static void open_far(struct schedule *s, int w)
{
    char address[128];
    struct err err;
    const double patience = slow ? 0.2 : 10;
    const struct remote_options o = {
        .top = s->dialects[w]->exact ? 0 : TOP,
        .connections = below(s, 3),
        .patience = {.first = patience, .between = patience, .retries = 3, .pause = 0.001}};
    const struct remote_engine_options engine = {CTX, s->n, CTX};
    site_address((ead_writer)w, address);
    if (remote_open(address, names->vocab, SCRIPT_VOCAB, &o, &s->remotes[w], &err) ||
        remote_engine_open(s->remotes[w], &engine, &s->engines[w], &err))
        fail_msg("%s", err.message);
    sites[w].choose = choose;
}

static void open_pair(struct schedule *s)
{
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!s->dialects[w]) continue;
        struct site *site = site_begin((ead_writer)w, s->dialects[w], names->vocab, SCRIPT_VOCAB,
                                       s->scripts[w].seed);
        site->low = 0;
        site->cumulative = below(s, 2);
        if (s->dialects[w] == &dialect_llamacpp) site->lossy = below(s, 6);
        if (below(s, 4) == 0) site->gap_us = below(s, 200);
        if (below(s, 4) == 0) site->end_us = below(s, 2000);
    }
    for (int w = 0; w < EAD_WRITERS; w++) {
        s->engines[w] = NULL;
        if (s->dialects[w])
            open_far(s, w);
        else
            s->engines[w] = script_open(&s->scripts[w]);
    }
    open_driver(s);
}

/* ---- the same texts ------------------------------------------------------------------------ */

static bool same(float a, float b)
{
    return !memcmp(&a, &b, sizeof a);
}

static void expect_token(const struct schedule *s, int i, const ead_token *t)
{
    const ead_token *wanted = &s->stories[i].tokens[s->done[i]];
    if (t->id != wanted->id || t->writer != wanted->writer || t->switched != wanted->switched ||
        !same(t->entropy, wanted->entropy) ||
        !same(t->stats.entropy_lo, wanted->stats.entropy_lo) || t->log_prob != wanted->log_prob ||
        !same(t->stats.entropy_hi, wanted->stats.entropy_hi) || t->rolling != wanted->rolling)
        fail_msg("text %d, token %d: expected %d of %d with %g bits, found %d of %d with %g", i,
                 s->done[i], wanted->id, (int)wanted->writer, (double)wanted->entropy, t->id,
                 (int)t->writer, (double)t->entropy);
}

/* Behind the large one's loss the small one goes on by itself. */
static void expect_alone(struct schedule *s, int i, const ead_token *t)
{
    float logits[SCRIPT_VOCAB];
    struct candidate top[SCRIPT_VOCAB];
    struct distribution dist;
    struct story *story = &s->stories[i];
    const int n = story->n_prompt + s->done[i];
    script_distribution(&s->scripts[EAD_SMALL], story->ids, n, logits, top, &dist);
    if (t->writer != EAD_SMALL || !same(t->entropy, dist.stats.entropy))
        fail_msg("text %d, token %d: it is not the small one's", i, s->done[i]);
    if (s->options.sampler.repeat_penalty == 1) assert_int_equal(t->id, dist.stats.argmax);
    story->ids[n] = t->id;
}

static void take(struct schedule *s, const ead_event *e)
{
    const int i = e->text;
    if (e->kind == EAD_EVENT_FAULT) {
        const char *name = strstr(e->message, "http://127.0.0.1:");
        if (!name || (!strstr(name, "/large/") && !strstr(name, "/small/")))
            fail_msg("a fault without the server's name: %s", e->message);
        if (s->options.small_alone) assert_non_null(strstr(name, "/small/"));
        s->faults[i]++;
        return;
    }
    if (e->token.alone) {
        assert_true(s->options.small_alone && !s->alone[i]);
        assert_non_null(strstr(driver_duo(s->driver, i)->loss.message, "/large/"));
        s->alone[i] = true;
    }
    if (s->alone[i])
        expect_alone(s, i, &e->token);
    else
        expect_token(s, i, &e->token);
    s->done[i]++;
}

/* A text that is cut back is the shorter text. */
static void cut(struct schedule *s)
{
    const int i = below(s, s->n);
    if (s->alone[i] || s->done[i] < 2) return;
    s->done[i] -= 1 + below(s, s->done[i] - 1);
    duo_truncate(driver_duo(s->driver, i), s->stories[i].n_prompt + s->done[i]);
}

static void write_texts(struct schedule *s, int cuts)
{
    bool active[TEXTS_MAX];
    ead_event events[TEXTS_MAX];
    const double end = clock_seconds() + 60;
    for (int left = s->n; left;) {
        struct err err;
        int n = 0;
        left = 0;
        for (int i = 0; i < s->n; i++)
            left += active[i] = s->done[i] < N_WRITTEN && s->faults[i] < FAULTS_MAX;
        if (!left) break;
        if (driver_step(s->driver, active, events, &n, &err)) fail_msg("%s", err.message);
        for (int k = 0; k < n; k++) take(s, &events[k]);
        if (n && cuts && below(s, 20) == 0) cut(s), cuts--;
        if (clock_seconds() > end) fail_msg("no end for 60 s");
    }
}

/* ---- schedules ----------------------------------------------------------------------------- */

static int64_t breaks, faults, losses, switches, judgements;

static void live(uint64_t seed, int most, bool small_alone)
{
    struct schedule s = {.rng = seed, .judges = !small_alone};
    draw_options(&s);
    draw_dialects(&s);
    draw_scripts(&s);
    write_stories(&s);
    s.options.small_alone = small_alone;
    chances = seed;
    share = most ? below(&s, most) : 0;
    slow = share && below(&s, 4) == 0 ? 3 : 0;
    open_pair(&s);
    write_texts(&s, s.judges ? 0 : 6); /* a shorter text has other drafts */
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!s.remotes[w]) continue;
        const ead_wire a = remote_engine_account(s.engines[w]);
        breaks += a.retries;
        if (!share) assert_int_equal(a.retries, 0);
    }
    for (int i = 0; i < s.n; i++) {
        if (!share) assert_int_equal(s.faults[i], 0);
        faults += s.faults[i];
        losses += s.alone[i];
        const ead_summary sum = duo_summarise(driver_duo(s.driver, i));
        switches += sum.switches;
        judgements += sum.judgements;
    }
    close_driver(&s);
}

static void run(int n, uint64_t seed, int most, bool small_alone)
{
    breaks = faults = losses = switches = judgements = 0;
    for (int i = 0; i < n; i++) live(seed + (uint64_t)i * 1000, most, small_alone);
    print_message("%d schedules: %d breaks, %d faults, %d losses, %d switches, %d judgements\n", n,
                  (int)breaks, (int)faults, (int)losses, (int)switches, (int)judgements);
    assert_true(switches > n);
    assert_true(small_alone || judgements > n);
}

static void test_without_faults(void **state)
{
    (void)state;
    run(60, 1, 0, false);
}

static void test_with_faults(void **state)
{
    (void)state;
    run(200, 2, 60, false);
    assert_true(breaks > 200);
}

static void test_many_faults(void **state)
{
    (void)state;
    run(60, 3, 100, false);
    assert_true(faults > 0);
}

static void test_small_alone(void **state)
{
    (void)state;
    run(60, 4, 100, true);
    assert_true(losses > 0);
}

static int open_names(void **state)
{
    names = script_names();
    return start_server(state);
}

static int close_names(void **state)
{
    const int failed = stop_server(state);
    model_close(names);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_faults),
        cmocka_unit_test(test_with_faults),
        cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_small_alone),
    };
    return cmocka_run_group_tests(tests, open_names, close_names);
}
