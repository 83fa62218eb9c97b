/*
 * Answers of servers as ../shared/http has them, cut as they say, into bytes, and at random: the
 * tokens, bounds, ends and errors that a correct reader has. And the requests that bring them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "remote_exchange.h"
#include "shared.h"

#include <math.h>

enum { RANDOM_CUTS = 1000 };

/* ---- reading ------------------------------------------------------------------------------- */

static enum status read_cut(const struct exchange *e, struct reading *r, uint64_t *rng, size_t most)
{
    enum status st = ST_OK;
    for (size_t at = 0, i = 0; at < e->bytes.len && !st; i++) {
        size_t end = most ? at + 1 + rng_bits(rng) % most : e->ends[i];
        if (end > e->bytes.len) end = e->bytes.len;
        char *copy = malloc(end - at + 1); /* so that a sanitizer sees a read past the end */
        assert_non_null(copy);
        if (end > at) memcpy(copy, e->bytes.data + at, end - at);
        st = reader_feed(&r->reader, copy, end - at, &r->err);
        free(copy);
        at = end;
    }
    if (st || !strcmp(text_of(e->answer, "end"), "stall")) return st;
    return reader_end(&r->reader, &r->err);
}

/* most is 0: the segments as they are. */
static enum status read_answer(const struct exchange *e, struct reading *r, uint64_t *rng,
                               size_t most)
{
    reading_begin(r, e->dialect, e->top);
    r->reader.pieces = pieces;
    if (named(e, "huge_event")) r->reader.sse.max = 1 << 16;
    if (e->whole) return reader_whole(&r->reader, e->bytes.data, e->bytes.len, &r->err);
    return read_cut(e, r, rng, most);
}

/* ---- what is expected ---------------------------------------------------------------------- */

static int lost_in_a_row(const json_t *lost)
{
    size_t n = 0;
    const json_int_t first = json_integer_value(json_array_get(lost, 0));
    while (n < json_array_size(lost) &&
           json_integer_value(json_array_get(lost, n)) == first + (json_int_t)n)
        n++;
    return (int)n;
}

static void expect_finish(const struct exchange *e, const struct reader *r)
{
    static const struct {
        const char *said;
        enum finish finish;
    } words[] = {{"", FINISH_NONE},      {"stop", FINISH_STOP},     {"eos", FINISH_STOP},
                 {"word", FINISH_STOP},  {"length", FINISH_LENGTH}, {"limit", FINISH_LENGTH},
                 {"abort", FINISH_ABORT}};
    const char *said = text_of(e->truth, "finish");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i].said, said) && words[i].finish != r->finish)
            fail_msg("%s: finish: expected \"%s\", found %d", e->name, said, (int)r->finish);
}

static enum status expected_end(const struct exchange *e)
{
    const json_t *error = get(e->truth, "error");
    if (json_is_integer(error)) return ST_IO;
    if (error || get(e->truth, "lost")) return ST_FORMAT;
    if (get(e->truth, "finish") || !strcmp(text_of(e->answer, "end"), "stall")) return ST_OK;
    return ST_IO;
}

static void expect_truth(const struct exchange *e, const struct reading *r, enum status st)
{
    const json_t *tokens = get(e->truth, "tokens"), *ids = get(e->truth, "ids");
    const json_t *cached = get(e->truth, "cached_tokens"), *resume = get(e->truth, "resume_at");
    if (st != expected_end(e)) fail_msg("%s: ended with %d: %s", e->name, (int)st, r->err.message);
    const size_t n = told_tokens(e);
    if (tokens || json_is_string(get(e->truth, "error"))) assert_int_equal(r->n, n);
    for (size_t i = 0; i < n; i++) expect_token(e, json_array_get(tokens, i), &r->tokens[i]);
    for (size_t i = 0; i < json_array_size(ids) && !e->top; i++)
        assert_int_equal(r->tokens[i].id, json_integer_value(json_array_get(ids, i)));
    if (cached) assert_int_equal(r->reader.cached_tokens, json_integer_value(cached));
    if (resume) assert_int_equal(r->n, json_integer_value(resume));
    assert_int_equal(r->reader.n_lost, lost_in_a_row(get(e->truth, "lost")));
    if (!get(e->truth, "lost") || !r->n) expect_finish(e, &r->reader);
}

/* ---- every answer -------------------------------------------------------------------------- */

static int cuts_a_line, answers;

/* What their truth does not tell as tokens. */
static bool read_specially(const struct exchange *e)
{
    struct reading r;
    if (named(e, "stream_text_keys_collide")) {
        assert_int_equal(read_answer(e, &r, NULL, 0), ST_FORMAT);
        assert_int_equal(r.n, 0);
    } else if (named(e, "probe")) {
        assert_int_equal(read_answer(e, &r, NULL, 0), ST_OK);
        expect_token(e, e->truth, &r.tokens[0]);
        assert_int_equal(r.tokens[0].id, 200);
        assert_int_equal(r.tokens[0].dist.stats.argmax, 34);
    } else if (named(e, "nonstream_zero_probability")) {
        assert_int_equal(read_answer(e, &r, NULL, 0), ST_OK);
        assert_int_equal(r.tokens[0].dist.n_top, 1);
        assert_true(r.tokens[0].dist.stats.exact && r.tokens[0].dist.stats.entropy == 0);
    } else if (named(e, "nonstream_post_sampling")) {
        assert_int_equal(read_answer(e, &r, NULL, 0), ST_FORMAT);
    } else {
        return false;
    }
    reading_end(&r);
    return true;
}

static void expect_refusal(const struct exchange *e)
{
    json_t *said = json_loadb(e->bytes.data, e->bytes.len, 0, NULL);
    if (e->whole) assert_non_null(dialect_error(said));
    json_decref(said);
}

static void read_every_way(struct exchange *e)
{
    struct reading r;
    uint64_t rng = 7;
    const char *path = text_of(e->request, "path");
    const bool asked = strstr(path, "/completion") || strstr(path, "/generate");
    if (json_integer_value(get(e->answer, "status")) != 200) expect_refusal(e);
    /* Shapes that no request of ours brings. */
    if (json_integer_value(get(e->answer, "status")) != 200 || !asked || strstr(path, "/chat/") ||
        named(e, "v1_stream") || read_specially(e))
        return;
    for (int i = 0; i < cuts_a_line; i++) {
        const size_t most = i == 0 ? 0 : i == 1 ? 1 : 1 + rng_bits(&rng) % 200;
        const enum status st = read_answer(e, &r, &rng, most);
        expect_truth(e, &r, st);
        reading_end(&r);
        if (e->whole) break;
    }
    answers++;
}

static void test_answers(void **state)
{
    static const struct {
        const char *name;
        int answers;
    } files[] = {{"vllm_completions", 11}, {"vllm_generate", 1}, {"sglang_generate", 8},
                 {"llamacpp", 10},         {"openai", 1},        {"faults", 25}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        answers = 0;
        cuts_a_line = 2 + RANDOM_CUTS / files[i].answers;
        each_line(files[i].name, read_every_way);
        if (answers != files[i].answers)
            fail_msg("%s: expected %d answers, found %d", files[i].name, files[i].answers, answers);
    }
}

/* ---- every request ------------------------------------------------------------------------- */

static int compared;

static bool is_aside(const char *name)
{
    static const char *const names[] = {"post_sampling_probs", "stop_token_ids", "seed",
                                        "with_pieces"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

static void expect_fields(const struct exchange *e, const json_t *wanted, const json_t *found)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)wanted, name, value)
    {
        const json_t *ours = get(found, name);
        if (is_aside(name) || (!strcmp(name, "prompt") && !e->dialect->ids)) continue;
        if (json_is_object(value))
            expect_fields(e, value, ours);
        else if (json_is_number(value)
                     ? json_number_value(value) != json_number_value(ours) || !json_is_number(ours)
                     : !json_equal((json_t *)(uintptr_t)value, (json_t *)(uintptr_t)ours))
            fail_msg("%s: %s: expected another value", e->name, name);
    }
}

static void expect_path(const struct exchange *e, const char *path)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", path[1] == '/' ? "" : "/v1",
             path[1] == '/' ? path + 1 : path);
    if (strcmp(whole, text_of(e->request, "path")))
        fail_msg("%s: expected %s, found %s", e->name, text_of(e->request, "path"), whole);
}

/* What the request of an exchange wants. */
static void ask_alike(const struct exchange *e, struct post *post)
{
    int32_t ids[16] = {0};
    struct err err;
    ead_sampler_options sampler = ead_duo_defaults().sampler;
    const json_t *prompt = prefix_of(e), *force = json_array_get(get(e->body, "logit_bias"), 0);
    const char *request_id = text_of(e->body, e->generate ? "request_id" : "rid");
    const struct server s = {text_of(e->body, "model"), READING_VOCAB, e->generate};
    const json_t *most = anywhere(e->body, "max_tokens", "n_predict");
    if (!most) most = anywhere(e->body, "max_new_tokens", "");
    for (size_t i = 0; i < json_array_size(prompt); i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(prompt, i));
    sampler.temperature = (float)json_number_value(anywhere(e->body, "temperature", ""));
    const struct want w = {.ids = ids,
                           .n = (int)json_array_size(prompt),
                           .max_tokens = (int)json_integer_value(most),
                           .top = asked_top(e),
                           .sampler = &sampler,
                           .request_id = request_id,
                           .stream = json_is_true(get(e->body, "stream")),
                           .force =
                               force ? (int32_t)json_integer_value(json_array_get(force, 0)) : -1};
    assert_int_equal(e->dialect->ask(&s, &w, post, &err), ST_OK);
}

/* Of the questions around: false when it is none of these. */
static bool ask_around(const struct exchange *e, struct post *post)
{
    int32_t ids[4];
    struct err err;
    const char *path = text_of(e->request, "path");
    const struct server s = {text_of(e->body, "model"), READING_VOCAB, false};
    const char *text = text_of(e->body, get(e->body, "prompt") ? "prompt" : "content");
    const json_t *tokens = get(e->body, "tokens");
    for (size_t i = 0; i < json_array_size(tokens); i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(tokens, i));
    if (!strcmp(path, "/abort_request"))
        assert_int_equal(e->dialect->abort(text_of(e->body, "rid"), post, &err), ST_OK);
    else if (!strcmp(path, "/tokenize"))
        assert_int_equal(e->dialect->tokenize(&s, text, post, &err), ST_OK);
    else if (!strcmp(path, "/detokenize"))
        assert_int_equal(e->dialect->detokenize(&s, ids, (int)json_array_size(tokens), post, &err),
                         ST_OK);
    else
        return false;
    return true;
}

static void read_around(const struct exchange *e)
{
    json_t *said = json_loadb(e->bytes.data, e->bytes.len, 0, NULL);
    json_t *ids = e->dialect->read_ids ? e->dialect->read_ids(said) : NULL;
    const char *text = e->dialect->read_text ? e->dialect->read_text(said) : NULL;
    const json_t *length = get(e->truth, "max_model_len"), *n_ctx = get(e->truth, "n_ctx");
    if (get(e->truth, "ids"))
        assert_true(json_equal(ids, (json_t *)(uintptr_t)get(e->truth, "ids")));
    if (get(e->truth, "text")) assert_string_equal(text, text_of(e->truth, "text"));
    if (!length) length = n_ctx;
    if (length) {
        expect_path(e, e->dialect->context);
        assert_int_equal(e->dialect->read_context(said, ""), json_integer_value(length));
    }
    json_decref(ids);
    json_decref(said);
}

static void compare_request(struct exchange *e)
{
    struct post post = {0};
    const char *path = text_of(e->request, "path");
    const bool get_it = !strcmp(text_of(e->request, "method"), "GET");
    /* Requests that are wrong on purpose, and those that ead does not send. */
    if (named(e, "v1_stream") || strstr(path, "/chat/") || named(e, "contract_error") ||
        named(e, "stream_text_keys_collide") || (e->generate && !named(e, "stream")))
        return;
    if (e->dialect == &dialect_openai && strncmp(e->name, "error", 5) == 0) return;
    if (get_it || ask_around(e, &post)) read_around(e);
    if (get_it) return;
    if (!post.body) ask_alike(e, &post);
    expect_path(e, post.path);
    expect_fields(e, e->body, post.body);
    json_decref(post.body);
    compared++;
}

static void test_requests(void **state)
{
    static const char *const files[] = {"vllm_completions", "vllm_generate", "sglang_generate",
                                        "llamacpp",         "openai",        "faults"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) each_line(files[i], compare_request);
    assert_int_equal(compared, 18 + 1 + 10 + 17 + 1 + 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_requests),
    };
    if (shared_lacks(SHARED_DIR "/http")) return SKIPPED;
    reading_vocab(&vocabulary, &pieces);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pieces_close(pieces);
    held_close(&vocabulary);
    return failed;
}
