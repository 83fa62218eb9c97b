/*
 * Engines of the models of tests/remote_site.h, with the texts that they have read. For a program
 * of one file.
 */
#ifndef EAD_TESTS_REMOTE_FAR_H
#define EAD_TESTS_REMOTE_FAR_H

#include "base/clock.h"
#include "remote/remote.h"
#include "remote_site.h"

enum { FAR_CTX = 256, FAR_SEQS = 8, FAR_TOP = 6 };
#define FAR_SECONDS 20.0 /* nothing here takes as long */

struct far_text {
    int32_t ids[FAR_CTX + 1];
    int n;
};

static struct far {
    struct model *names;
    struct site *site;
    struct remote *remote;
    struct engine *engine;
    struct far_text texts[FAR_SEQS];
    bool draws; /* the outlook names a sampler */
    ead_sampler_options sampler;
    int accepted; /* connections before the engine's first */
} far;

/* Patience of tenths of a second, so that what is missing is soon missed. */
static inline struct remote_options far_options(void)
{
    return (struct remote_options){
        .top = FAR_TOP, .patience = {.first = 5, .between = 5, .retries = 3, .pause = 0.01}};
}

static inline void far_close(void)
{
    engine_close(far.engine);
    remote_close(far.remote);
    far.engine = NULL;
    far.remote = NULL;
}

static inline void far_expect(int seq, int sure)
{
    const struct outlook o = {.sure = sure, .sampler = far.draws ? &far.sampler : NULL};
    engine_expect(far.engine, seq, &o);
}

/* Of the site that was begun. */
static inline void far_open(const struct remote_options *o, int n_seq)
{
    char address[128];
    struct err err;
    const struct site *s = far.site = &sites[EAD_LARGE];
    memset(far.texts, 0, sizeof far.texts);
    far.draws = true;
    far.sampler = (ead_sampler_options){.top_p = 1, .repeat_penalty = 1};
    site_address(EAD_LARGE, address);
    if (remote_open(address, s->vocab, s->n_vocab, o, &far.remote, &err))
        fail_msg("%s", err.message);
    const int most = remote_context(far.remote), n_ctx = most < FAR_CTX ? most : FAR_CTX;
    const struct remote_engine_options options = {n_ctx, n_seq, n_ctx};
    if (remote_engine_open(far.remote, &options, &far.engine, &err)) fail_msg("%s", err.message);
    far.accepted = atomic_load(&server.accepted);
    for (int seq = 0; seq < n_seq; seq++) far_expect(seq, 1);
}

static inline void far_begin(const struct dialect *d)
{
    far_close();
    site_begin(EAD_LARGE, d, far.names->vocab, SCRIPT_VOCAB, 11);
}

static inline int far_set_up(void **state)
{
    far.names = script_names();
    return start_server(state);
}

static inline int far_tear_down(void **state)
{
    far_close();
    const int failed = stop_server(state);
    model_close(far.names);
    return failed;
}

/* ---- rows and results ---------------------------------------------------------------------- */

/* Rows behind the text of a sequence, the last of which wants what follows. */
static inline void far_give(int seq, const int32_t *ids, int n)
{
    struct row rows[FAR_CTX];
    struct err err;
    struct far_text *t = &far.texts[seq];
    for (int i = 0; i < n; i++) {
        rows[i] = (struct row){seq, t->n, ids[i], i == n - 1};
        t->ids[t->n++] = ids[i];
    }
    if (engine_submit(far.engine, rows, n, &err)) fail_msg("%s", err.message);
    assert_int_equal(engine_length(far.engine, seq), t->n);
}

/* A prompt of n tokens that depend on `kind`. */
static inline void far_prompt(int seq, int n, int kind)
{
    int32_t ids[FAR_CTX];
    for (int i = 0; i < n; i++) ids[i] = 3 + (i * 7 + kind) % (SCRIPT_VOCAB - 3);
    far_give(seq, ids, n);
}

static inline void far_cut(int seq, int n)
{
    engine_truncate(far.engine, seq, n);
    if (n < far.texts[seq].n) far.texts[seq].n = n;
    assert_int_equal(engine_length(far.engine, seq), far.texts[seq].n);
}

/* The next result, of any sequence. */
static inline struct result far_await(void)
{
    struct result r;
    const double end = clock_seconds() + FAR_SECONDS;
    while (!engine_collect(far.engine, true, &r))
        if (clock_seconds() > end) fail_msg("no result for %g s", FAR_SECONDS);
    return r;
}

/* It goes on receiving until so many tokens have come. */
static inline void far_receive(int64_t n)
{
    struct result r;
    const double end = clock_seconds() + FAR_SECONDS;
    while (remote_engine_account(far.engine).received < n) {
        assert_false(engine_collect(far.engine, true, &r));
        if (clock_seconds() > end) fail_msg("no %d tokens for %g s", (int)n, FAR_SECONDS);
    }
}

/* Answers end until prompts of so many tokens in all are accounted for. */
static inline void far_settle(int64_t prompt_tokens)
{
    struct result r;
    const double end = clock_seconds() + FAR_SECONDS;
    while (remote_engine_account(far.engine).prompt_tokens < prompt_tokens) {
        assert_false(engine_collect(far.engine, true, &r));
        if (clock_seconds() > end) fail_msg("prompts were not told for %g s", FAR_SECONDS);
    }
    assert_int_equal(remote_engine_account(far.engine).prompt_tokens, prompt_tokens);
}

static inline void far_same(float a, float b, const char *what)
{
    if (memcmp(&a, &b, sizeof a)) fail_msg("%s: expected %g, found %g", what, (double)b, (double)a);
}

/* Is this what follows the text, bit for bit? Returns the token that goes on. */
static inline int32_t far_check(const struct result *r)
{
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    struct distribution wanted;
    const struct far_text *t = &far.texts[r->seq];
    const bool exact = far.site->dialect->exact, greedy = far.sampler.temperature == 0;
    if (r->status) fail_msg("%s", r->message);
    assert_int_equal(r->pos, t->n - 1);
    site_follow(far.site, t->ids, t->n, exact ? 0 : FAR_TOP, logits, best, &wanted);
    far_same(r->dist.stats.entropy, wanted.stats.entropy, "entropy");
    far_same(r->dist.stats.entropy_lo, wanted.stats.entropy_lo, "its lower bound");
    far_same(r->dist.stats.entropy_hi, wanted.stats.entropy_hi, "its upper bound");
    assert_int_equal(r->dist.stats.argmax, wanted.stats.argmax);
    assert_int_equal(r->dist.stats.exact, wanted.stats.exact);
    for (int i = 0; i < wanted.n_top && !exact; i++) {
        assert_int_equal(r->dist.top[i].id, wanted.top[i].id);
        far_same(r->dist.top[i].logit, wanted.top[i].logit, "a log-probability");
    }
    const int32_t id = site_next(far.site, t->ids, t->n, greedy || !far.draws);
    assert_int_equal(r->drawn, far.draws ? id : -1);
    return id;
}

static inline int32_t far_next(int seq)
{
    const struct result r = far_await();
    assert_int_equal(r.seq, seq);
    return far_check(&r);
}

/* So many tokens, each given back; what follows the last of them is wanted, and not awaited. */
static inline void far_write(int seq, int n)
{
    for (int i = 0; i < n; i++) {
        const int32_t id = far_next(seq);
        far_give(seq, &id, 1);
    }
}

/* Request i asked with the first n tokens of a text for so many. */
static inline void far_asked(int i, const struct far_text *t, int n, int max_tokens)
{
    const struct site_asked a = site_asked(EAD_LARGE, i);
    if (a.n != n || a.max_tokens != max_tokens)
        fail_msg("request %d: expected %d tokens behind %d, found %d behind %d", i, max_tokens, n,
                 a.max_tokens, a.n);
    assert_memory_equal(a.ids, t->ids, (size_t)n * sizeof *a.ids);
}

/* The text has a fault, which names the server. */
static inline struct result far_fault(enum status st, const char *words)
{
    char name[64];
    const struct result r = far_await();
    snprintf(name, sizeof name, "http://127.0.0.1:%d/large/v1", server.port);
    if (r.status != st || !strstr(r.message, words) || !strstr(r.message, name))
        fail_msg("expected %d and \"%s\", found %d: %s", (int)st, words, (int)r.status,
                 r.status ? r.message : "");
    return r;
}

#endif
