/*
 * What is asked of servers, what tells tokens by their bytes, and a peer's own answers: those of
 * `ead serve` as its own code writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote_reading.h"
#include "server/answer.h"
#include "server/choice.h"
#include "server/job.h"
#include "tiny.h"

#include <math.h>

/* ---- requests ------------------------------------------------------------------------------ */

static const int32_t ids[] = {0, 18, 19};

/* Asked with these; the body is to be released. */
static json_t *asked(const struct dialect *d, const struct server *s, struct want w,
                     const ead_sampler_options *sampler)
{
    struct post post;
    struct err err;
    w.ids = w.ids ? w.ids : ids;
    w.n = w.n ? w.n : 3;
    w.sampler = sampler;
    w.request_id = "r1";
    assert_int_equal(d->ask(s, &w, &post, &err), ST_OK);
    assert_non_null(post.body);
    return post.body;
}

static double number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* Does every server get the whole of what bounds and draws the tokens? */
static void test_samplers(void **state)
{
    ead_sampler_options o = ead_duo_defaults().sampler;
    const struct server s = {"m", READING_VOCAB, false};
    const struct want w = {.max_tokens = 9, .top = 3, .force = -1};
    (void)state;
    o.temperature = 0.5f;
    o.top_k = 7;
    o.top_p = 0.25f;
    o.min_p = 0.125f;
    for (size_t i = 0; dialect_at(i); i++) {
        const struct dialect *d = dialect_at(i);
        json_t *body = asked(d, &s, w, &o);
        const json_t *how = json_object_get(body, "sampling_params");
        if (!how) how = body;
        assert_true(number(how, "temperature") == 0.5 && number(how, "top_p") == 0.25);
        if (d != &dialect_openai)
            assert_true(number(how, "top_k") == 7 && number(how, "min_p") == 0.125);
        const char *limit = d == &dialect_sglang     ? "max_new_tokens"
                            : d == &dialect_llamacpp ? "n_predict"
                                                     : "max_tokens";
        assert_true(number(how, limit) == 9);
        assert_true(number(how, d == &dialect_sglang ? "sampling_seed" : "seed") >= 0);
        json_decref(body);
    }
}

static double seed_of(const struct dialect *d, uint64_t seed, int n)
{
    ead_sampler_options o = ead_duo_defaults().sampler;
    const struct server s = {"", READING_VOCAB, false};
    o.temperature = 1;
    o.seed = seed;
    json_t *body = asked(d, &s, (struct want){.n = n, .max_tokens = 1, .force = -1}, &o);
    const double x = number(body, "seed");
    json_decref(body);
    return x;
}

/* Where a server draws anew with each request, the place in the text makes another seed. */
static void test_seeds(void **state)
{
    (void)state;
    assert_true(seed_of(&dialect_vllm, 5, 2) != seed_of(&dialect_vllm, 5, 3));
    assert_true(seed_of(&dialect_vllm, 5, 3) != seed_of(&dialect_vllm, 6, 3));
    assert_true(seed_of(&dialect_vllm, 5, 3) == seed_of(&dialect_vllm, 5, 3));
    assert_true(seed_of(&dialect_ead, 5, 2) == 5 && seed_of(&dialect_ead, 5, 3) == 5);
    assert_true(seed_of(&dialect_ead, UINT64_MAX, 3) != -1); /* that would be no seed at all */
}

static void test_extremes(void **state)
{
    const ead_sampler_options o = ead_duo_defaults().sampler;
    const struct server nameless = {"", READING_VOCAB, false},
                        generate = {"m", READING_VOCAB, true};
    struct want w = {.max_tokens = 1, .top = READING_VOCAB, .force = 200, .stream = false};
    json_t *body = asked(&dialect_vllm, &nameless, w, &o);
    (void)state;
    assert_true(number(body, "logprobs") == -1); /* all */
    assert_null(json_object_get(body, "model"));
    assert_null(json_object_get(body, "stream_options")); /* refused where nothing streams */
    json_decref(body);
    body = asked(&dialect_vllm, &generate, w, &o);
    assert_true(number(json_object_get(body, "sampling_params"), "logprobs") == -1);
    assert_string_equal(json_string_value(json_object_get(body, "request_id")), "r1");
    json_decref(body);
    body = asked(&dialect_llamacpp, &nameless, w, &o);
    assert_true(number(body, "n_probs") == READING_VOCAB);
    const json_t *bias = json_array_get(json_object_get(body, "logit_bias"), 0);
    assert_int_equal(json_integer_value(json_array_get(bias, 0)), 200);
    json_decref(body);
    w.top = 50;
    body = asked(&dialect_ead, &nameless, w, &o);
    assert_true(number(body, "logprobs") == 20); /* its own limit */
    json_decref(body);
    w.top = 0;
    body = asked(&dialect_ead, &nameless, w, &o);
    assert_null(json_object_get(body, "logprobs"));
    json_decref(body);
}

/* ---- pieces -------------------------------------------------------------------------------- */

static void test_pieces(void **state)
{
    struct held h;
    struct pieces *p;
    (void)state;
    reading_vocab(&h, &p);
    for (int32_t id = 0; id < READING_VOCAB; id++) {
        const char *text = reading_text(id);
        const int32_t wanted = id == 1 ? PIECES_NONE : id >= 510 ? PIECES_SEVERAL : id;
        assert_int_equal(pieces_find(p, text, strlen(text)), wanted);
    }
    assert_int_equal(pieces_find(p, "w", 1), PIECES_NONE);
    assert_int_equal(pieces_find(p, "", 0), PIECES_NONE);
    pieces_close(p);
    held_close(&h);
    pieces_close(NULL);
}

/* A byte of SentencePiece is meant only where no piece has it. */
static void test_pieces_of_bytes(void **state)
{
    struct held h = {0};
    struct pieces *p;
    struct err err;
    (void)state;
    build_spm(&h.build);
    assert_true(held_open(&h, &err));
    assert_int_equal(pieces_open(h.vocab, &p, &err), ST_OK);
    assert_int_equal(pieces_find(p, "e", 1), SPM_FIRST + 1);
    assert_int_equal(pieces_find(p, "\xc3", 1), 3 + 0xc3);
    assert_int_equal(pieces_find(p, "<tag>", 5), SPM_TAG);
    assert_int_equal(pieces_find(p, "<|user|>", 8), PIECES_NONE);
    assert_int_equal(pieces_find(p, "<unk>", 5), PIECES_NONE);
    pieces_close(p);
    held_close(&h);
}

/* ---- a peer -------------------------------------------------------------------------------- */

enum { N_RECORDS = 3 };

static struct choice_record records[N_RECORDS];
static struct ask_prompt prompt = {.n = 3};
static struct choice choice;
static struct job job;
static ead_model *model;

/* Three tokens, the last of which ends the text; `tops` of each are told. */
static void set_up(int tops)
{
    static char text[] = "ab";
    job = (struct job){.ask = {.kind = ASK_COMPLETION,
                               .prompts = &prompt,
                               .n_prompts = 1,
                               .n = 1,
                               .logprobs = tops ? tops : -1,
                               .tokens_as_ids = true,
                               .trace = true,
                               .include_usage = true},
                       .id = "x",
                       .choices = &choice,
                       .n_choices = 1};
    choice = (struct choice){.ask = &job.ask,
                             .prompt = &prompt,
                             .model = model,
                             .text = {.data = text, .len = 2},
                             .records = records,
                             .n_records = N_RECORDS,
                             .n_tokens = N_RECORDS,
                             .cached = 2,
                             .finish = "stop"};
    for (int i = 0; i < N_RECORDS; i++) {
        const float entropy = 0.3f * (float)(i + 1);
        const ead_stats stats = {entropy, entropy, entropy, true, 0.75f, 0.5f, 100 + i};
        records[i] = (struct choice_record){.token = {.index = i,
                                                      .id = 100 + i,
                                                      .log_prob = -0.25f,
                                                      .entropy = entropy,
                                                      .stats = stats},
                                            .begin = (size_t)(i < 2 ? i : 2),
                                            .end = (size_t)(i < 2 ? i + 1 : 2),
                                            .n_best = 2,
                                            .best = {{100 + i, -0.25f}, {5, -2}}};
    }
}

static void add_event(struct buf *to, json_t *event)
{
    char *text = json_dumps(event, 0);
    assert_non_null(text);
    assert_int_equal(buf_printf(to, "data: %s\n\n", text), ST_OK);
    free(text);
    json_decref(event);
}

static void expect_peer(const struct reading *r, int tops)
{
    assert_int_equal(r->n, N_RECORDS);
    assert_int_equal(r->reader.finish, FINISH_STOP);
    assert_int_equal(r->reader.prompt_tokens, 3);
    assert_int_equal(r->reader.cached_tokens, 2);
    for (int i = 0; i < N_RECORDS; i++) {
        const struct remote_token *t = &r->tokens[i];
        const ead_stats *s = &t->dist.stats, *wanted = &records[i].token.stats;
        assert_true(t->id == 100 + i && t->log_prob == -0.25f && s->exact);
        assert_true(s->entropy == wanted->entropy && s->entropy_lo == s->entropy_hi);
        assert_true(s->max_prob == 0.75f && s->margin == 0.5f && s->argmax == 100 + i);
        assert_int_equal(t->dist.n_top, tops);
        if (tops) assert_true(t->dist.top[0].id == t->id && t->dist.top[1].id == 5);
    }
}

static void test_peer(void **state)
{
    (void)state;
    for (int tops = 0; tops <= 2; tops += 2) {
        struct reading r;
        struct buf text = {0};
        set_up(tops);
        for (int i = 0; i < N_RECORDS; i++)
            add_event(&text,
                      answer_chunk(&job, &choice, records[i].begin, records[i].end, i, i + 1));
        add_event(&text, answer_ending(&job, &choice));
        add_event(&text, answer_account(&job));
        reading_begin(&r, &dialect_ead, tops);
        assert_int_equal(reading_stream(&r, text.data, text.len, 7), ST_OK);
        expect_peer(&r, tops);
        reading_end(&r);
        buf_deinit(&text);
    }
}

static enum status read_peer(struct reading *r, int tops)
{
    json_t *answer = answer_whole(&job);
    char *text = json_dumps(answer, 0);
    assert_non_null(text);
    reading_begin(r, &dialect_ead, tops);
    const enum status st = reader_whole(&r->reader, text, strlen(text), &r->err);
    free(text);
    json_decref(answer);
    return st;
}

static void test_peer_whole(void **state)
{
    struct reading r;
    (void)state;
    set_up(2);
    assert_int_equal(read_peer(&r, 2), ST_OK);
    expect_peer(&r, 2);
    reading_end(&r);
    set_up(0);
    records[1].token.index = 2; /* one is missing */
    assert_int_equal(read_peer(&r, 0), ST_FORMAT);
    assert_int_equal(r.n, 1);
    reading_end(&r);
    set_up(0);
    records[1].token.taken_back = 1;
    assert_int_equal(read_peer(&r, 0), ST_FORMAT);
    assert_non_null(strstr(r.err.message, "token 1: the peer takes tokens back"));
    reading_end(&r);
    set_up(0);
    records[2].token.stats.max_prob = 2; /* null, in JSON, would be one that is not known */
    assert_int_equal(read_peer(&r, 0), ST_FORMAT);
    assert_int_equal(r.n, 2);
    reading_end(&r);
    set_up(0);
    job.ask.trace = false; /* a server that knows of no traces */
    assert_int_equal(read_peer(&r, 0), ST_FORMAT);
    assert_non_null(strstr(r.err.message, "without a trace"));
    reading_end(&r);
}

/* The peer's own entropies may be intervals. */
static void test_peer_bounds(void **state)
{
    static const char text[] =
        "{\"choices\":[{\"finish_reason\":\"length\",\"ead\":{\"trace\":[{\"i\":0,\"id\":7,"
        "\"log_prob\":null,\"entropy\":1.5,\"entropy_lo\":1,\"entropy_hi\":2,\"max_prob\":0.5,"
        "\"margin\":0.25,\"argmax\":7}]}}]}";
    struct reading r;
    (void)state;
    reading_begin(&r, &dialect_ead, 0);
    assert_int_equal(reader_whole(&r.reader, text, sizeof text - 1, &r.err), ST_OK);
    assert_false(r.tokens[0].dist.stats.exact);
    assert_true(isnan(r.tokens[0].log_prob));
    assert_true(r.tokens[0].dist.stats.entropy_lo == 1 && r.tokens[0].dist.stats.entropy_hi == 2);
    reading_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samplers),        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_extremes),        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_pieces_of_bytes), cmocka_unit_test(test_peer),
        cmocka_unit_test(test_peer_whole),      cmocka_unit_test(test_peer_bounds),
    };
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *file = tiny_model(&spec);
    model = tiny_open_public(file);
    tiny_free(file);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ead_model_close(model);
    return failed;
}
