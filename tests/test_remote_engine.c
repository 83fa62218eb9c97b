/* The engine of a model behind an API, against servers of every dialect that are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote_far.h"

enum { PROMPT = 5 };

static ead_wire account(void)
{
    return remote_engine_account(far.engine);
}

static void begin(const struct dialect *d, int n_seq)
{
    const struct remote_options o = far_options();
    far_begin(d);
    far_open(&o, n_seq);
}

/* ---- tokens -------------------------------------------------------------------------------- */

/* Every dialect's tokens come in order, with their distributions, so many with each request. */
static void test_order(void **state)
{
    enum { N = WIRE_AHEAD + 20 };
    (void)state;
    for (size_t i = 0; dialect_at(i); i++) {
        begin(dialect_at(i), 1);
        far.site->cumulative = i % 2;
        far_prompt(0, PROMPT, 0);
        far_write(0, N);
        far_asked(0, &far.texts[0], PROMPT, WIRE_AHEAD);
        far_asked(1, &far.texts[0], PROMPT + WIRE_AHEAD, WIRE_AHEAD);
        assert_int_equal(site_requests(EAD_LARGE), 2);
        far_next(0);
        far_cut(0, 0);
        assert_int_equal(account().discarded, account().received - N - 1);
        assert_int_equal(account().retries, 0);
    }
}

static void test_sglang_cumulative(void **state)
{
    (void)state;
    begin(&dialect_sglang, 1);
    far.site->cumulative = true;
    far_prompt(0, PROMPT, 0);
    far_write(0, WIRE_AHEAD + 3);
}

/* What is certain is asked for exactly, so that the answer ends by itself and its connection stays.
 */
static void test_exact(void **state)
{
    static const int sure[] = {7, 2, 40, 3};
    (void)state;
    for (size_t d = 0; dialect_at(d); d++) {
        int n = PROMPT;
        begin(dialect_at(d), 1);
        far_prompt(0, PROMPT, 1);
        for (int i = 0; i < 4; i++) {
            for (int left = sure[i]; left; left--) {
                far_expect(0, left);
                far_write(0, 1);
            }
            far_asked(i, &far.texts[0], n, sure[i]);
            assert_int_equal(site_asked(EAD_LARGE, i).port, site_asked(EAD_LARGE, 0).port);
            n += sure[i];
        }
        assert_int_equal(account().discarded, 0);
        assert_int_equal(account().connections, 0); /* the one of the probe goes on */
        assert_int_equal(server.accepted, far.accepted);
    }
}

/* What went to and fro is counted. */
static void test_account(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i); i++) {
        begin(dialect_at(i), 1);
        far.site->end_us = 1000;
        far_expect(0, 4);
        far_prompt(0, PROMPT, 1);
        far_write(0, 4);
        far_expect(0, 2);
        far_write(0, 1);
        far_next(0);
        const struct far_text *t = &far.texts[0];
        const int32_t id = site_next(far.site, t->ids, t->n, true);
        far_give(0, &id, 1);
        far_next(0);
        far_settle(PROMPT + (PROMPT + 4) + (PROMPT + 6));
        const ead_wire a = account();
        assert_int_equal(a.requests, 3);
        assert_int_equal(a.connections, 0); /* it has the probe's */
        assert_int_equal(a.cached_tokens, PROMPT - 1 + (PROMPT + 3) + (PROMPT + 5));
        assert_true(a.bytes_out > 3 * 100 && a.bytes_in > 7 * 100);
        assert_true(a.waiting_seconds > 0 && a.writing_seconds > 0);
    }
}

/* However much is certain, a request has an end: by what is held, and by the context. */
static void test_bounds(void **state)
{
    (void)state;
    begin(&dialect_vllm, 2);
    far_expect(0, INT32_MAX);
    far_expect(1, INT32_MAX);
    far_prompt(0, PROMPT, 2);
    far_next(0);
    far_asked(0, &far.texts[0], PROMPT, FAR_CTX + 1 - PROMPT);
    far_prompt(1, FAR_CTX - 4, 2);
    far_next(1);
    far_asked(1, &far.texts[1], FAR_CTX - 4, 5);
}

/* ---- what was written ahead ---------------------------------------------------------------- */

/* The text turns to another token than the one that came. */
static void test_another_token(void **state)
{
    (void)state;
    begin(&dialect_vllm, 1);
    far_prompt(0, PROMPT, 0);
    far_write(0, 3);
    far_next(0);
    far_receive(WIRE_AHEAD);
    const int32_t other =
        (site_next(far.site, far.texts[0].ids, far.texts[0].n, true) - 2) % 35 + 3;
    far_give(0, &other, 1);
    assert_int_equal(account().discarded, WIRE_AHEAD - 4);
    far_write(0, 2);
    far_asked(1, &far.texts[0], PROMPT + 4, WIRE_AHEAD);
    assert_int_equal(site_requests(EAD_LARGE), 2);
}

/* The same while the stream is open: it is closed, and another connection is opened for what
 * follows. SGLang is told, too. */
static void test_closes(void **state)
{
    (void)state;
    for (int sglang = 0; sglang < 2; sglang++) {
        begin(sglang ? &dialect_sglang : &dialect_vllm, 1);
        far.site->gap_us = 5000;
        far_prompt(0, PROMPT, 0);
        far_write(0, 2);
        far_next(0);
        const int64_t received = account().received;
        const int32_t other =
            (site_next(far.site, far.texts[0].ids, far.texts[0].n, true) - 2) % 35 + 3;
        far_give(0, &other, 1);
        assert_int_equal(account().discarded, received - 3);
        far_next(0);
        far_asked(1, &far.texts[0], PROMPT + 3, WIRE_AHEAD);
        assert_true(site_asked(EAD_LARGE, 0).port != site_asked(EAD_LARGE, 1).port);
        far_expect(0, 0);
        const double end = clock_seconds() + FAR_SECONDS;
        struct result r;
        while (clock_seconds() < end && far.site->n_aborts < 2 * sglang)
            assert_false(engine_collect(far.engine, true, &r));
        assert_int_equal(far.site->n_aborts, 2 * sglang);
    }
}

/* Nobody wants more of it for now. */
static void test_outlook_of_nothing(void **state)
{
    struct result r;
    (void)state;
    begin(&dialect_vllm, 1);
    far.site->gap_us = 3000;
    far_prompt(0, PROMPT, 0);
    far_next(0);
    far_receive(4);
    far_expect(0, 0);
    assert_int_equal(account().discarded, account().received - 1);
    for (int i = 0; i < 20; i++) assert_false(engine_collect(far.engine, true, &r));
    assert_int_equal(account().received, account().discarded + 1);
    assert_int_equal(site_requests(EAD_LARGE), 1);
}

/* ... but what is wanted still comes. */
static void test_outlook_while_it_waits(void **state)
{
    (void)state;
    begin(&dialect_vllm, 1);
    far_prompt(0, PROMPT, 0);
    far_expect(0, 0);
    far_next(0);
    assert_int_equal(site_requests(EAD_LARGE), 1);
}

/* ---- cutting back -------------------------------------------------------------------------- */

static void test_cut_above(void **state)
{
    int32_t first[12];
    (void)state;
    begin(&dialect_llamacpp, 1);
    far_prompt(0, PROMPT, 3);
    far_write(0, 12);
    memcpy(first, far.texts[0].ids + PROMPT, sizeof first);
    for (int keep = 11; keep >= 1; keep -= 3) {
        far_cut(0, PROMPT + keep - 1);
        far_give(0, &first[keep - 1], 1);
        far_write(0, 12 - keep);
        assert_memory_equal(far.texts[0].ids + PROMPT, first, sizeof first);
    }
    far_next(0);
    far_receive(WIRE_AHEAD);
    far_cut(0, PROMPT - 1 + 2);
    far_give(0, &first[1], 1);
    far_next(0);
    assert_int_equal(site_requests(EAD_LARGE), 1);
    far_cut(0, 0); /* what was looked at before it was cut back was of use */
    assert_int_equal(account().discarded, WIRE_AHEAD - 13);
}

static void test_cut_below(void **state)
{
    (void)state;
    begin(&dialect_llamacpp, 1);
    far_prompt(0, PROMPT, 3);
    far_write(0, 4);
    far_cut(0, PROMPT - 2);
    const int32_t other = 17;
    far_give(0, &other, 1);
    far_write(0, 3);
    far_asked(1, &far.texts[0], PROMPT - 1, WIRE_AHEAD);
    far_cut(0, 0);
    far_prompt(0, 3, 8);
    far_write(0, 3);
    far_asked(2, &far.texts[0], 3, WIRE_AHEAD);
    assert_int_equal(site_requests(EAD_LARGE), 3);
}

/* A result that is still to come is forgotten with its row. */
static void test_cut_while_it_waits(void **state)
{
    struct result r;
    (void)state;
    begin(&dialect_vllm, 1);
    far.site->gap_us = 30000;
    far_prompt(0, PROMPT, 0);
    assert_false(engine_collect(far.engine, false, &r));
    far_cut(0, PROMPT - 1);
    for (int i = 0; i < 5; i++) assert_false(engine_collect(far.engine, true, &r));
    const int32_t other = 9;
    far_give(0, &other, 1);
    far_write(0, 2);
}

/* ---- samplers ------------------------------------------------------------------------------ */

static void test_sampler_changes(void **state)
{
    (void)state;
    begin(&dialect_vllm, 1);
    far_prompt(0, PROMPT, 0);
    far_write(0, 3);
    far.sampler.temperature = 0.5f;
    far.sampler.seed = 9;
    far_expect(0, 1);
    far_write(0, 3);
    far_asked(1, &far.texts[0], PROMPT + 3, WIRE_AHEAD);
    assert_true(site_asked(EAD_LARGE, 1).temperature == 0.5);
    far_expect(0, 1); /* the same: nothing happens */
    far_write(0, 3);
    assert_int_equal(site_requests(EAD_LARGE), 2);
    far.sampler.seed = 10;
    far_expect(0, 1);
    far_write(0, 1);
    assert_int_equal(site_requests(EAD_LARGE), 3);
}

/* Somebody else draws: the server is asked greedily, and goes on where its token was taken. */
static void test_no_sampler(void **state)
{
    (void)state;
    begin(&dialect_vllm, 1);
    far.draws = false;
    far_expect(0, 1);
    far_prompt(0, PROMPT, 0);
    far_write(0, 9);
    assert_int_equal(site_requests(EAD_LARGE), 1);
    assert_true(site_asked(EAD_LARGE, 0).temperature == 0);
}

/* Where log-probabilities are those after temperature, tokens above 0 are drawn here. */
static void test_cooked(void **state)
{
    const struct remote_options o = far_options();
    (void)state;
    far_begin(&dialect_sglang);
    sites[EAD_LARGE].cooked = true;
    far_open(&o, 1);
    assert_non_null(strstr(remote_note(far.remote, 0), "after temperature"));
    far.sampler.temperature = 0.5f;
    far_expect(0, 1);
    far.draws = false; /* so it does as without a sampler */
    far_prompt(0, PROMPT, 0);
    far_write(0, 3);
    assert_true(site_asked(EAD_LARGE, 0).temperature == 0);
}

/* ---- tokens that are given ----------------------------------------------------------------- */

enum { DRAFTS = 7 };

static const struct dialect *const judging[] = {&dialect_vllm, &dialect_sglang, &dialect_ead};

/* A prompt and drafts behind it, of which each is judged; `more`: and what follows them is wanted.
 */
static void give_drafts(int seq, bool more)
{
    struct row rows[PROMPT + DRAFTS];
    struct err err;
    struct far_text *t = &far.texts[seq];
    for (int i = 0; i < PROMPT + DRAFTS; i++) {
        const bool last = i == PROMPT + DRAFTS - 1;
        rows[i] = (struct row){seq, i, 3 + (i * 11 + seq) % 35, i >= PROMPT - 1 && (!last || more)};
        t->ids[i] = rows[i].token;
    }
    t->n = PROMPT + DRAFTS;
    if (engine_submit(far.engine, rows, t->n, &err)) fail_msg("%s", err.message);
}

/* What is told of the token behind the first n: bit for bit, though it be improbable. */
static void check_given(const struct result *r, int n)
{
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    struct distribution all;
    const struct far_text *t = &far.texts[r->seq];
    const int32_t id = t->ids[n];
    if (r->status) fail_msg("%s", r->message);
    assert_int_equal(r->pos, n - 1);
    assert_int_equal(r->drawn, -1);
    assert_int_equal(r->dist.n_top, FAR_TOP);
    site_follow(far.site, t->ids, n, 0, logits, best, &all);
    far_same(distribution_log_prob(&r->dist, id), distribution_log_prob(&all, id), "a draft");
    const int rank = distribution_rank(&all, SCRIPT_VOCAB, id);
    const bool told = far.site->dialect != &dialect_sglang || rank < FAR_TOP;
    assert_int_equal(distribution_rank(&r->dist, SCRIPT_VOCAB, id), told ? rank : FAR_TOP);
    if (far.site->dialect->exact)
        far_same(r->dist.stats.entropy, all.stats.entropy, "entropy");
    else
        assert_true(r->dist.stats.entropy_lo <= all.stats.entropy + 1e-4f &&
                    all.stats.entropy <= r->dist.stats.entropy_hi + 1e-4f);
    assert_int_equal(r->dist.stats.argmax, all.stats.argmax);
}

static void check_drafts(int seq)
{
    for (int i = 0; i < DRAFTS; i++) {
        const struct result r = far_await();
        assert_int_equal(r.seq, seq);
        check_given(&r, PROMPT + i);
    }
}

/* In one request, in order, and what follows behind them. */
static void test_judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judging / sizeof *judging; i++) {
        begin(judging[i], 1);
        assert_true(far.engine->info.judges && !far.engine->info.mute);
        give_drafts(0, true);
        check_drafts(0);
        const struct result r = far_await();
        assert_int_equal(r.status, ST_OK);
        assert_int_equal(r.pos, PROMPT + DRAFTS - 1);
        assert_int_equal(r.drawn, site_next(far.site, far.texts[0].ids, PROMPT + DRAFTS, true));
        far_asked(0, &far.texts[0], PROMPT + DRAFTS, 1);
        assert_int_equal(site_requests(EAD_LARGE), 1);
        assert_int_equal(account().judged, DRAFTS);
        assert_int_equal(account().received, 1);
        far_cut(0, PROMPT + 2); /* a draft is refused: another token stands there */
        const int32_t other = 8;
        far_give(0, &other, 1);
        far_write(0, 3);
        assert_int_equal(account().discarded, 0);
    }
}

/* Nothing is wanted behind the drafts; or the last of them ends the text and is no row. */
static void test_judges_an_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof judging / sizeof *judging); i++) {
        const int32_t end = 30;
        const bool ends = i % 2;
        struct result r;
        begin(judging[i / 2], 1);
        const struct outlook o = {.sure = 1, .sampler = &far.sampler, .end = ends ? &end : NULL};
        engine_expect(far.engine, 0, &o);
        give_drafts(0, ends);
        check_drafts(0);
        far.texts[0].ids[PROMPT + DRAFTS] = end;
        if (ends) r = far_await();
        if (ends) check_given(&r, PROMPT + DRAFTS);
        assert_int_equal(account().judged, DRAFTS + ends);
        assert_int_equal(account().received, 0);
        assert_int_equal(site_requests(EAD_LARGE), 1);
        for (int k = 0; k < 3; k++) assert_false(engine_collect(far.engine, false, &r));
    }
}

/* What breaks is asked again, whole: nothing is lost, and nothing comes twice. */
static void test_judges_again(void **state)
{
    static const struct act acts[] = {
        {DEED_STATUS, 0, "503 Busy", NULL}, {DEED_LEAVE, 0, NULL, NULL},
        {DEED_RESET, 0, NULL, NULL},        {DEED_END, 0, NULL, NULL},
        {DEED_HALF, 0, NULL, NULL},         {DEED_GARBAGE, 0, NULL, NULL},
        {DEED_STALL, 0, NULL, NULL}};
    struct remote_options o = far_options();
    (void)state;
    o.patience.first = 0.5;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct result r;
        far_begin(judging[i % 3]);
        far_open(&o, 1);
        far.site->acts[0] = acts[i];
        far.site->n_acts = 1;
        give_drafts(0, true);
        check_drafts(0);
        assert_int_equal(far_await().status, ST_OK);
        const bool unanswered = acts[i].deed == DEED_LEAVE || acts[i].deed == DEED_RESET;
        assert_true(account().retries == 1 || unanswered); /* libcurl's own, of a kept connection */
        assert_int_equal(account().judged, DRAFTS);
        assert_int_equal(account().received, 1);
        assert_int_equal(site_requests(EAD_LARGE), 2);
        for (int k = 0; k < 3; k++) assert_false(engine_collect(far.engine, false, &r));
    }
}

static void test_judges_no_more(void **state)
{
    struct act acts[8];
    (void)state;
    begin(&dialect_vllm, 1);
    for (int i = 0; i < 8; i++) acts[i] = (struct act){DEED_HALF, 0, NULL, NULL};
    memcpy(far.site->acts, acts, sizeof acts);
    far.site->n_acts = 8;
    give_drafts(0, true);
    far_fault(ST_IO, "");
    assert_int_equal(account().retries, 3);
    assert_int_equal(account().judged, 0);
}

/* Texts are judged side by side, and what is told of one stays while others go on. */
static void test_judges_many(void **state)
{
    enum { N = 4 };
    struct result results[N][DRAFTS + 1];
    int n[N] = {0};
    (void)state;
    begin(&dialect_vllm, N);
    far.site->gap_us = 2000;
    for (int seq = 0; seq < N; seq++) give_drafts(seq, true);
    for (int i = 0; i < N * (DRAFTS + 1); i++) {
        const struct result r = far_await();
        assert_true(n[r.seq] <= DRAFTS);
        results[r.seq][n[r.seq]++] = r;
    }
    for (int seq = 0; seq < N; seq++)
        for (int i = 0; i < DRAFTS; i++) check_given(&results[seq][i], PROMPT + i);
    assert_int_equal(site_requests(EAD_LARGE), N);
}

/* The drafts fall while they are judged: nothing of that is told any more. */
static void test_cut_while_it_judges(void **state)
{
    struct result r;
    (void)state;
    begin(&dialect_sglang, 1);
    far.site->acts[0] = (struct act){DEED_STALL, 0, NULL, NULL};
    far.site->n_acts = 1;
    give_drafts(0, true);
    for (int i = 0; i < 5; i++) assert_false(engine_collect(far.engine, true, &r));
    far_cut(0, PROMPT + 1);
    const struct result first = far_await(), second = far_await();
    check_given(&first, PROMPT);
    assert_int_equal(second.pos, PROMPT);
    assert_int_equal(second.status, ST_OK);
    far_asked(1, &far.texts[0], PROMPT + 1, 1);
}

/* Servers that cannot say why. */
static void test_mute(void **state)
{
    static const struct dialect *const mute[] = {&dialect_llamacpp, &dialect_openai};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(mute[i], 1);
        assert_false(far.engine->info.judges);
        assert_non_null(
            strstr(far.engine->info.mute, "tells no log-probabilities of given tokens"));
    }
}

/* ---- many texts ---------------------------------------------------------------------------- */

/* Many texts at once share the connections that there may be. Where no answer is given up, the
 * server never sees more. */
static void test_many(void **state)
{
    enum { N = 40 };
    int done[FAR_SEQS] = {0};
    (void)state;
    for (int bound = 0; bound <= 3; bound++) {
        struct remote_options o = far_options();
        o.connections = bound;
        far_begin(&dialect_vllm);
        atomic_store(&server.most_open, 0);
        far_open(&o, FAR_SEQS);
        for (int seq = 0; seq < FAR_SEQS; seq++) {
            done[seq] = 0;
            far_expect(seq, bound || seq % 2 ? 5 : 1);
            far_prompt(seq, PROMPT + seq, seq);
        }
        for (int left = FAR_SEQS; left;) {
            const struct result r = far_await();
            const int32_t id = far_check(&r);
            if (++done[r.seq] < N)
                far_give(r.seq, &id, 1);
            else
                far_expect(r.seq, 0), left--;
        }
        if (bound) assert_in_range(server.most_open, 1, bound);
    }
}

/* A copy asks by itself, and its original goes on. */
static void test_copy(void **state)
{
    (void)state;
    begin(&dialect_vllm, 2);
    far_prompt(0, PROMPT, 0);
    far_write(0, 6);
    far_next(0);
    far_prompt(1, 3, 5); /* which is forgotten */
    engine_copy(far.engine, 0, 1, PROMPT + 4);
    assert_int_equal(engine_length(far.engine, 1), PROMPT + 4);
    far.texts[1] = far.texts[0];
    far.texts[1].n = PROMPT + 4;
    const int32_t other = 8;
    far_give(1, &other, 1);
    far_write(1, 3);
    far_next(1);
    const int n = site_requests(EAD_LARGE);
    far_asked(n - 1, &far.texts[1], PROMPT + 5, WIRE_AHEAD);
    const int32_t id = site_next(far.site, far.texts[0].ids, far.texts[0].n, true);
    far_give(0, &id, 1);
    far_write(0, 3);
    assert_int_equal(site_requests(EAD_LARGE), n);
}

/* ---- what cannot be ------------------------------------------------------------------------ */

static void test_rows_that_cannot_be(void **state)
{
    static const struct {
        struct row row;
        enum status st;
        const char *says;
    } rows[] = {{{-1, 0, 5, true}, ST_ARG, "sequence: expected 0 to 0, found -1"},
                {{1, 0, 5, true}, ST_ARG, "sequence: expected 0 to 0, found 1"},
                {{0, 0, -1, true}, ST_ARG, "token: expected 0 to 37, found -1"},
                {{0, 0, SCRIPT_VOCAB, true}, ST_ARG, "token: expected 0 to 37, found 38"},
                {{0, FAR_CTX, 5, true}, ST_FULL, "the context of 256 tokens is full"}};
    struct err err;
    (void)state;
    begin(&dialect_vllm, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(engine_submit(far.engine, &rows[i].row, 1, &err), rows[i].st);
        assert_non_null(strstr(err.message, rows[i].says));
    }
    assert_int_equal(engine_submit(far.engine, &rows[0].row, 0, &err), ST_ARG);
    assert_int_equal(engine_reserve(far.engine, 0, FAR_CTX, &err), ST_OK);
    assert_int_equal(engine_reserve(far.engine, 0, FAR_CTX + 1, &err), ST_ARG);
    assert_int_equal(engine_length(far.engine, 0), 0);
}

static void test_openings(void **state)
{
    char address[128];
    struct err err;
    struct engine *e = NULL;
    struct remote *r = NULL;
    struct remote_options o = far_options();
    (void)state;
    begin(&dialect_vllm, 1);
    assert_int_equal(remote_context(far.remote), far.site->context - 1);
    const struct remote_engine_options longer = {far.site->context, 1, 1};
    assert_int_equal(remote_engine_open(far.remote, &longer, &e, &err), ST_ARG);
    assert_non_null(strstr(err.message, "context: expected at most"));
    site_address(EAD_LARGE, address);
    strcat(address, "other");
    assert_int_equal(remote_open(address, far.names->vocab, SCRIPT_VOCAB, &o, &r, &err), ST_ARG);
    assert_non_null(strstr(err.message, "no model mother there; it has m"));
    o.top = REMOTE_TOP_MAX + 1;
    site_address(EAD_LARGE, address);
    assert_int_equal(remote_open(address, far.names->vocab, SCRIPT_VOCAB, &o, &r, &err), ST_ARG);
    assert_null(r);
}

/* ---- addresses ----------------------------------------------------------------------------- */

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *url, *root, *model;
    } good[] = {
        {"vllm+http://h:8000/v1#m", "http://h:8000/v1", "http://h:8000", "m"},
        {"vllm+https://h/v1///", "https://h/v1", "https://h", ""},
        {"llamacpp+http://h", "http://h", "http://h", ""},
        {"ead+http://[::1]:80/a/v1#", "http://[::1]:80/a/v1", "http://[::1]:80/a", ""},
        {"openai+http://h/v1#a/b#c?d@e", "http://h/v1", "http://h", "a/b#c?d@e"},
        {"sglang+http://h/xv1", "http://h/xv1", "http://h/xv1", ""},
    };
    static const char *const bad[] = {
        "vllm+http://",   "vllm+http://:80/v1",     "vllm+http:///v1",     "vllm+http://u:p@h/v1",
        "vllm+http://#m", "vllm+http://h/v1?a=b#m", "vllm+http://h /v1",   "nobody+http://h/v1",
        "vllm+http://?",  "vllm+http://h/\x01",     "vllm+http://u@h#m@x", "vllm+http:////"};
    struct address a;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (address_parse(good[i].text, &a, &err)) fail_msg("%s", err.message);
        assert_string_equal(a.url, good[i].url);
        assert_string_equal(a.root, good[i].root);
        assert_string_equal(a.model, good[i].model);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(address_is(bad[i]));
        if (address_parse(bad[i], &a, &err) != ST_ARG) fail_msg("%s was taken", bad[i]);
        assert_null(strstr(err.message, "u:p"));
    }
    assert_false(address_is("http://h/v1") || address_is("+http://h") ||
                 address_is("vllm+ftp://h") || address_is("models/small.gguf") || address_is(""));
}

static void test_long_addresses(void **state)
{
    char text[2 * ADDRESS_URL_MAX];
    struct address a;
    struct err err;
    (void)state;
    for (int n = ADDRESS_MODEL_MAX - 1; n <= ADDRESS_MODEL_MAX; n++) {
        snprintf(text, sizeof text, "vllm+http://h#%0*d", n, 0);
        assert_int_equal(address_parse(text, &a, &err), n < ADDRESS_MODEL_MAX ? ST_OK : ST_ARG);
        snprintf(text, sizeof text, "vllm+http://%0*d",
                 n - 8 + ADDRESS_URL_MAX - ADDRESS_MODEL_MAX + 1, 0);
        assert_int_equal(address_parse(text, &a, &err), n < ADDRESS_MODEL_MAX ? ST_OK : ST_ARG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_sglang_cumulative),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_another_token),
        cmocka_unit_test(test_closes),
        cmocka_unit_test(test_outlook_of_nothing),
        cmocka_unit_test(test_outlook_while_it_waits),
        cmocka_unit_test(test_cut_above),
        cmocka_unit_test(test_cut_below),
        cmocka_unit_test(test_cut_while_it_waits),
        cmocka_unit_test(test_sampler_changes),
        cmocka_unit_test(test_no_sampler),
        cmocka_unit_test(test_cooked),
        cmocka_unit_test(test_judges),
        cmocka_unit_test(test_judges_an_end),
        cmocka_unit_test(test_judges_again),
        cmocka_unit_test(test_judges_no_more),
        cmocka_unit_test(test_judges_many),
        cmocka_unit_test(test_cut_while_it_judges),
        cmocka_unit_test(test_mute),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_rows_that_cannot_be),
        cmocka_unit_test(test_openings),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_long_addresses),
    };
    return cmocka_run_group_tests(tests, far_set_up, far_tear_down);
}
