/*
 * Answers that servers could write, and what is made of them: tokens in their order, and an error
 * behind the last good one. No server and no file is needed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote_reading.h"

#include <math.h>

static struct held vocabulary;
static struct pieces *pieces;

/* Events, each a line of JSON, as a stream that is cut everywhere. Returns how it ended. */
static enum status stream_of(struct reading *r, const char *const *events, size_t n)
{
    enum status st = ST_OK;
    struct buf text = {0};
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_printf(&text, "data: %s\n\n", events[i]), ST_OK);
    st = reading_stream(r, text.data, text.len, 3);
    buf_deinit(&text);
    return st;
}

static enum status read_stream(struct reading *r, const struct dialect *d, int top,
                               const char *const *events, size_t n)
{
    reading_begin(r, d, top);
    r->reader.pieces = pieces;
    return stream_of(r, events, n);
}

#define STREAM(r, d, top, ...)                                                                     \
    read_stream(r, d, top, (const char *const[]){__VA_ARGS__},                                     \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static enum status read_whole(struct reading *r, const struct dialect *d, int top, const char *text)
{
    reading_begin(r, d, top);
    r->reader.pieces = pieces;
    return reader_whole(&r->reader, text, strlen(text), &r->err);
}

/* It ended so, after n tokens, with these words in the error. */
static void expect(struct reading *r, enum status st, enum status wanted, int n, const char *words)
{
    if (st != wanted) fail_msg("expected %d, found %d: %s", (int)wanted, (int)st, r->err.message);
    assert_int_equal(r->n, n);
    assert_int_equal(r->reader.n, n);
    if (words && !strstr(r->err.message, words))
        fail_msg("expected \"%s\" in \"%s\"", words, r->err.message);
    reading_end(r);
}

/* ---- the reader ---------------------------------------------------------------------------- */

static void begin_plain(struct reading *r, int top)
{
    reading_begin(r, &dialect_vllm, top);
}

static enum status found(struct reading *r, int32_t id, float log_prob)
{
    return reader_found(&r->reader, id, log_prob, &r->err);
}

static enum status token(struct reading *r, int32_t id, float log_prob)
{
    return reader_token(&r->reader, id, log_prob, &r->err);
}

static void test_found(void **state)
{
    struct reading r;
    (void)state;
    begin_plain(&r, 2);
    assert_int_equal(found(&r, 5, -2), ST_OK);
    assert_int_equal(found(&r, 9, -0.5f), ST_OK);
    assert_int_equal(found(&r, 7, -3), ST_OK); /* beyond the two that were asked for */
    assert_int_equal(token(&r, 7, -3), ST_OK);
    assert_int_equal(r.tokens[0].dist.n_top, 2);
    assert_int_equal(r.tokens[0].dist.top[0].id, 9);
    assert_int_equal(r.tokens[0].dist.top[1].id, 5);
    assert_true(r.tokens[0].dist.stats.entropy_lo < r.tokens[0].dist.stats.entropy_hi);
    assert_int_equal(found(&r, 5, -1), ST_OK); /* nothing is left of the token before */
    assert_int_equal(found(&r, 5, -1), ST_FORMAT);
    assert_non_null(strstr(r.err.message, "token 1: 5 is twice"));
    assert_int_equal(found(&r, -1, -1), ST_FORMAT);
    assert_int_equal(found(&r, READING_VOCAB, -1), ST_FORMAT);
    assert_int_equal(found(&r, 8, 0.25f), ST_FORMAT);
    assert_int_equal(found(&r, 8, NAN), ST_FORMAT);
    assert_int_equal(token(&r, 5, -1), ST_FORMAT); /* one, where two were asked for */
    assert_non_null(strstr(r.err.message, "expected 2 most probable tokens, found 1"));
    reading_end(&r);
}

static void test_impossible(void **state)
{
    struct reading r;
    (void)state;
    begin_plain(&r, 3);
    assert_int_equal(found(&r, 1, 0), ST_OK);
    assert_int_equal(found(&r, 2, -9999), ST_OK);
    assert_int_equal(found(&r, 3, -3.4e38f), ST_OK);
    assert_int_equal(token(&r, 1, 0), ST_OK);
    assert_int_equal(r.tokens[0].dist.n_top, 1);
    assert_true(r.tokens[0].dist.stats.exact && r.tokens[0].dist.stats.entropy == 0);
    for (int32_t id = 0; id < 3; id++) assert_int_equal(found(&r, id, -9999), ST_OK);
    assert_int_equal(token(&r, 1, -9999), ST_FORMAT); /* nothing could have been written */
    reading_end(&r);
}

static void test_whole_vocabulary(void **state)
{
    struct reading r;
    const float even = -logf(READING_VOCAB);
    (void)state;
    begin_plain(&r, READING_VOCAB);
    for (int32_t id = 0; id < READING_VOCAB + 8; id++) /* with padding */
        assert_int_equal(found(&r, id, even), ST_OK);
    assert_int_equal(token(&r, 3, even), ST_OK);
    assert_int_equal(r.tokens[0].dist.n_top, READING_VOCAB);
    assert_true(r.tokens[0].dist.stats.exact);
    assert_float_equal(r.tokens[0].dist.stats.entropy, 9, 1e-3);
    assert_int_equal(token(&r, READING_VOCAB, even), ST_FORMAT); /* a token is never padding */
    reading_end(&r);
}

static void test_token_alone(void **state)
{
    struct reading r;
    (void)state;
    begin_plain(&r, 0);
    r.reader.max_tokens = 2;
    assert_int_equal(token(&r, 3, NAN), ST_OK);
    assert_true(isnan(r.tokens[0].log_prob) && isnan(r.tokens[0].dist.stats.entropy));
    assert_int_equal(r.tokens[0].dist.stats.argmax, -1);
    assert_int_equal(token(&r, 4, -1), ST_OK);
    assert_int_equal(token(&r, 5, -1), ST_FORMAT); /* more than were asked for */
    r.reader.max_tokens = 0;
    r.reader.finish = FINISH_STOP;
    assert_int_equal(token(&r, 5, -1), ST_FORMAT);
    assert_non_null(strstr(r.err.message, "behind the end"));
    assert_int_equal(r.n, 2);
    reading_end(&r);
}

static void test_exact(void **state)
{
    struct reading r;
    ead_stats stats = {1, 1, 1, true, 0.5f, 0.25f, 3};
    (void)state;
    reading_begin(&r, &dialect_ead, 1);
    assert_int_equal(found(&r, 3, -0.7f), ST_OK);
    assert_int_equal(found(&r, 4, -1.4f), ST_OK);
    assert_int_equal(reader_exact(&r.reader, 3, -0.7f, &stats, &r.err), ST_OK);
    assert_int_equal(r.tokens[0].dist.n_top, 1);
    assert_true(r.tokens[0].dist.stats.exact && r.tokens[0].dist.stats.margin == 0.25f);
    for (int i = 0; i < 5; i++) {
        ead_stats bad = stats;
        if (i == 0) bad.entropy = NAN;
        if (i == 1) bad.entropy = bad.entropy_hi = 9.1f; /* 9 bits are all that 512 tokens have */
        if (i == 2) bad.max_prob = 1.5f;
        if (i == 3) bad.argmax = READING_VOCAB;
        if (i == 4) bad.entropy_lo = 2;
        assert_int_equal(reader_exact(&r.reader, 3, -0.7f, &bad, &r.err), ST_FORMAT);
    }
    assert_int_equal(r.n, 1);
    reading_end(&r);
}

/* ---- completions --------------------------------------------------------------------------- */

/* A chunk of vLLM's with these entries of its choice. */
#define CHUNK(more) "{\"choices\":[{\"index\":0," more "}]}"
#define VLLM(id, rest)                                                                             \
    CHUNK("\"token_ids\":[" #id "],\"logprobs\":{\"tokens\":[\"token_id:" #id                      \
          "\"],\"token_logprobs\":[-0.5],\"top_logprobs\":[{\"token_id:" #id                       \
          "\":-0.5,\"token_id:400\":-2}]}" rest)
#define STOP   CHUNK("\"finish_reason\":\"stop\"")
#define LENGTH CHUNK("\"finish_reason\":\"length\"")

static void test_ends(void **state)
{
    struct reading r;
    (void)state;
    expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(5, ""), STOP, "[DONE]"), ST_OK, 1, NULL);
    expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(5, ",\"finish_reason\":\"length\"")), ST_OK, 1,
           NULL);
    expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(5, "")), ST_IO, 1, "broke off behind token 1");
    expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(5, ""), "[DONE]"), ST_IO, 1, "broke off");
    expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(5, ""), "[DONE]", "garbage"), ST_IO, 1, NULL);
    expect(&r, STREAM(&r, &dialect_vllm, 2, STOP, VLLM(5, "")), ST_FORMAT, 0, "behind the end");
    expect(&r, STREAM(&r, &dialect_vllm, 2, CHUNK("\"finish_reason\":\"repetition\"")), ST_FORMAT,
           0, "found repetition");
    expect(&r, STREAM(&r, &dialect_vllm, 2, CHUNK("\"finish_reason\":7")), ST_FORMAT, 0, "no text");
    expect(&r,
           STREAM(&r, &dialect_vllm, 2, VLLM(5, ""), "{\"error\":{\"message\":\"no room\"}}", STOP,
                  "[DONE]"),
           ST_IO, 1, "the server says: no room");
    expect(&r, read_stream(&r, &dialect_vllm, 2, NULL, 0), ST_IO, 0, "broke off behind token 0");
}

/* What the account counts must have been told. */
static void test_counts(void **state)
{
#define COUNTS(n)                                                                                  \
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":" #n                     \
    ",\"prompt_tokens_details\":null}}"
    struct reading r;
    (void)state;
    expect(&r, STREAM(&r, &dialect_vllm, 2, COUNTS(0), VLLM(5, ""), STOP, COUNTS(1)), ST_OK, 1,
           NULL);
    expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(5, ""), STOP, COUNTS(2), "[DONE]"), ST_FORMAT, 1,
           "counts 2 tokens and told of 1");
}

static void test_failed_for_good(void **state)
{
    struct reading r;
    static const char bad[] = "data: x\n\n", good[] = "data: " STOP "\n\n";
    (void)state;
    begin_plain(&r, 2);
    assert_int_equal(reader_feed(&r.reader, bad, sizeof bad - 1, &r.err), ST_FORMAT);
    assert_non_null(strstr(r.err.message, "no JSON"));
    assert_int_equal(reader_feed(&r.reader, good, sizeof good - 1, &r.err), ST_FORMAT);
    assert_int_equal(reader_end(&r.reader, &r.err), ST_FORMAT);
    assert_int_equal(reader_whole(&r.reader, good, 1, &r.err), ST_FORMAT);
    assert_true(reader_rests(&r.reader));
    reading_end(&r);
}

static void test_enough(void **state)
{
    struct reading r;
    static const char text[] = "data: " VLLM(5, "") "\n\ndata: " VLLM(6, "") "\n\ndata: x\n\n";
    (void)state;
    begin_plain(&r, 2);
    r.most = 1;
    assert_int_equal(reading_stream(&r, text, sizeof text - 1, sizeof text), ST_OK);
    assert_int_equal(r.n, 1);
    assert_true(r.reader.enough && reader_rests(&r.reader) && !r.reader.finish);
    reading_end(&r);
}

static void test_several_choices(void **state)
{
    struct reading r;
    (void)state;
    expect(&r, STREAM(&r, &dialect_vllm, 2, "{\"choices\":[{\"index\":1}]}"), ST_FORMAT, 0,
           "one choice");
    expect(&r, STREAM(&r, &dialect_vllm, 2, "{\"choices\":[{},{}]}"), ST_FORMAT, 0, "one choice");
    expect(&r, STREAM(&r, &dialect_vllm, 2, "{\"choices\":[5]}"), ST_FORMAT, 0, "a choice");
    expect(&r, STREAM(&r, &dialect_vllm, 2, "{\"choices\":{}}"), ST_FORMAT, 0, "\"choices\"");
    expect(&r, STREAM(&r, &dialect_vllm, 2, "{}"), ST_FORMAT, 0, "\"choices\"");
    expect(&r, STREAM(&r, &dialect_vllm, 2, "[]"), ST_FORMAT, 0, "no object");
    expect(&r, STREAM(&r, &dialect_vllm, 2, "{\"choices\":[]}", STOP), ST_OK, 0, NULL);
}

static void test_vllm_faults(void **state)
{
    static const char *const bad[] = {
        CHUNK("\"text\":\"x\""),
        CHUNK("\"token_ids\":[5]"),
        CHUNK("\"token_ids\":\"5\""),
        CHUNK("\"token_ids\":[5],\"logprobs\":null"),
        CHUNK("\"token_ids\":[5],\"logprobs\":7"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[],\"top_logprobs\":[{}"
              "]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[null],"
              "\"top_logprobs\":[{}]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"5\"],\"token_logprobs\":[-1],\"top_logprobs\":[{}]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:\"],\"token_logprobs\":[-1],\"top_logprobs\":[{"
              "}]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\\u00001\"],\"token_logprobs\":[-1],"
              "\"top_logprobs\":[{}]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[-1],\"top_logprobs\":["
              "null]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[-1],"
              "\"top_logprobs\":[{\"token_id:5\":-0.5,\"token_id:05\":-2}]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[-1],"
              "\"top_logprobs\":[{\"token_id:5\":-0.5,\"token_id:99999999999\":-2}]}"),
        CHUNK("\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[-1],"
              "\"top_logprobs\":[{\"token_id:5\":-0.5,\"token_id:6\":\"-2\"}]}"),
        CHUNK("\"token_ids\":[6],\"logprobs\":{\"tokens\":[\"token_id:5\"],\"token_logprobs\":[-1],"
              "\"top_logprobs\":[{\"token_id:5\":-0.5,\"token_id:6\":-2}]}"),
        CHUNK("\"token_ids\":[5],\"logprobs\":{\"content\":[{\"token_id\":5}]}"),
        CHUNK("\"token_ids\":[5],\"logprobs\":{\"content\":[]}"),
        CHUNK("\"logprobs\":{\"content\":[{\"token_id\":5.0,\"logprob\":-1}]}"),
    };
    struct reading r;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(&r, STREAM(&r, &dialect_vllm, 2, VLLM(7, ""), bad[i], STOP), ST_FORMAT, 1,
               "token 1: ");
}

/* ---- tokens that are given ----------------------------------------------------------------- */

static const int32_t drafts[] = {5, 6};

/* A whole answer to who was asked about the two drafts, with two alternatives. */
static enum status read_given(struct reading *r, const struct dialect *d, const char *text)
{
    reading_begin(r, d, 2);
    r->reader.given = drafts;
    r->reader.n_given = 2;
    const enum status st = reader_whole(&r->reader, text, strlen(text), &r->err);
    reading_end(r);
    return st;
}

#define PLACE(a, b)                                                                                \
    "{\"" #a "\":{\"logprob\":-0.5,\"rank\":1},\"" #b "\":{\"logprob\":-2,\"rank\":2}}"
#define FAR_PLACE                                                                                  \
    "{\"9\":{\"logprob\":-0.5,\"rank\":1},\"8\":{\"logprob\":-2,\"rank\":2},"                      \
    "\"6\":{\"logprob\":-7,\"rank\":31}}"
#define WRITTEN                                                                                    \
    "\"logprobs\":{\"tokens\":[\"token_id:7\"],\"token_logprobs\":[-0.5],\"top_logprobs\":[{"      \
    "\"token_id:7\":-0.5,\"token_id:8\":-2}]},\"finish_reason\":\"length\""
#define GIVEN(list) "{\"choices\":[{\"prompt_logprobs\":" list "," WRITTEN "}]}"

/* The last places of the whole prompt's, the tokens' own numbers, however improbable; and what was
 * written behind them. */
static void test_vllm_given(void **state)
{
    struct reading r;
    (void)state;
    assert_int_equal(read_given(&r, &dialect_vllm,
                                GIVEN("[null," PLACE(1, 2) "," PLACE(4, 5) "," FAR_PLACE "]")),
                     ST_OK);
    assert_int_equal(r.n, 3);
    assert_true(r.tokens[0].id == 5 && r.tokens[0].rank == 2 && r.tokens[0].log_prob == -2);
    assert_true(r.tokens[1].id == 6 && r.tokens[1].rank == 31 && r.tokens[1].log_prob == -7);
    assert_true(r.tokens[1].dist.n_top == 2 && r.tops[1][0].id == 9);
    assert_true(r.tokens[2].id == 7 && r.tokens[2].rank == 0);
    /* Beside the choices, as /generate has it. */
    assert_int_equal(read_given(&r, &dialect_vllm,
                                "{\"prompt_logprobs\":[null," PLACE(5, 2) "," PLACE(
                                    6, 5) "],"
                                          "\"choices\":[{" WRITTEN "}]}"),
                     ST_OK);
    assert_int_equal(r.n, 3);
}

static void test_vllm_given_faults(void **state)
{
    static const char *const bad[] = {
        GIVEN("null"),
        GIVEN("[]"),
        GIVEN("[" PLACE(6, 5) "]"),
        GIVEN("[null," PLACE(6, 2) "]"),
        GIVEN("[" PLACE(5, 2) "," PLACE(9, 8) "]"),
        GIVEN("[" PLACE(5, 2) ",{\"6\":{\"logprob\":-0.5}}]"),
        GIVEN("[" PLACE(5, 2) ",{\"6\":{\"logprob\":-0.5},\"x\":{\"logprob\":-2}}]"),
        GIVEN("[" PLACE(5, 2) ",{\"6\":{\"logprob\":-0.5},\"99999999999\":{\"logprob\":-2}}]"),
        GIVEN("[" PLACE(5, 2) ",{\"6\":{\"logprob\":-0.5},\"7\":{\"logprob\":\"-2\"}}]"),
        GIVEN("[" PLACE(5, 2) ",{\"6\":{\"logprob\":0.5},\"7\":{\"logprob\":-2}}]"),
        GIVEN("[" PLACE(5, 2) ",{\"6\":{\"logprob\":-0.1},\"7\":{\"logprob\":-0.1}}]"),
        "{\"choices\":[{" WRITTEN "}]}",
    };
    struct reading r;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_given(&r, &dialect_vllm, bad[i]) != ST_FORMAT) fail_msg("%s", bad[i]);
}

#define SGLANG_GIVEN(tokens, tops)                                                                 \
    "{\"meta_info\":{\"finish_reason\":{\"type\":\"length\"},\"input_token_logprobs\":[" tokens    \
    "],\"input_top_logprobs\":[" tops "],\"output_token_logprobs\":[[-0.5,7,null]],"               \
    "\"output_top_logprobs\":[[[-0.5,7,null],[-2,8,null]]]}}"

static void test_sglang_given(void **state)
{
    struct reading r;
    (void)state;
#define TWO "[[-0.5,9,null],[-2,8,null]]"
    assert_int_equal(
        read_given(&r, &dialect_sglang,
                   SGLANG_GIVEN("[null,4,null],[-4,5,null],[-7,6,null]", "null," TWO "," TWO)),
        ST_OK);
    assert_int_equal(r.n, 3);
    assert_true(r.tokens[1].id == 6 && r.tokens[1].log_prob == -7 && r.tops[1][0].id == 9);
    static const char *const bad[] = {
        SGLANG_GIVEN("", ""),
        SGLANG_GIVEN("[-7,6,null]", TWO),
        SGLANG_GIVEN("[-4,5,null],[-7,6,null]", TWO),
        SGLANG_GIVEN("[-4,6,null],[-7,5,null]", TWO "," TWO),
        SGLANG_GIVEN("[null,5,null],[-7,6,null]", TWO "," TWO),
        SGLANG_GIVEN("[-4,5,null],[-7,6,null]", TWO ",null"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_given(&r, &dialect_sglang, bad[i]) != ST_FORMAT) fail_msg("%s", bad[i]);
}

static void test_openai_names(void **state)
{
#define NAMED(own, p, rest)                                                                        \
    CHUNK("\"text\":\"x\",\"logprobs\":{\"tokens\":[\"" own "\"],\"token_logprobs\":[" p           \
          "],\"top_logprobs\":[{" rest "}]}")
    static const char *const bad[] = {
        NAMED("twice", "-0.5", "\" cat\":-0.5"),        /* one of two tokens */
        NAMED("</s>", "-0.5", "\" cat\":-0.5"),         /* a control token is no text */
        NAMED("nobody", "-0.5", "\" cat\":-0.5"),       /* no token */
        NAMED("", "-0.5", "\" cat\":-0.5"),             /* nor this */
        NAMED(" cat", "-0.5", "\"\xef\xbf\xbd\":-0.5"), /* what is broken is not the token */
        NAMED("bytes:\\\\xc3", "-0.5", "\"\xef\xbf\xbd\":-0.6"), /* nor of its probability */
        NAMED("bytes:\\\\xg3", "-0.5", "\" cat\":-0.5"),
        NAMED("bytes:\\\\xc", "-0.5", "\" cat\":-0.5"),
        NAMED("bytes:\\\\xc3a9", "-0.5", "\" cat\":-0.5"),
        CHUNK("\"text\":\"x\""),
    };
    struct reading r;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(&r, STREAM(&r, &dialect_openai, 1, bad[i], STOP), ST_FORMAT, 0, "token 0: ");
    assert_int_equal(STREAM(&r, &dialect_openai, 1, NAMED(" cat", "-0.5", "\" cat\":-0.5"),
                            NAMED("bytes:\\\\xC3", "-0.5", "\"\xef\xbf\xbd\":-0.5"), LENGTH),
                     ST_OK);
    assert_int_equal(r.tokens[0].id, 11);
    assert_int_equal(r.tokens[1].id, 34);
    assert_int_equal(r.tokens[1].dist.top[0].id, 34);
    reading_end(&r);
    reading_begin(&r, &dialect_openai, 1);
    assert_int_equal(reader_whole(&r.reader, STOP, sizeof STOP - 1, &r.err), ST_ARG);
    reading_end(&r);
}

/* ---- SGLang -------------------------------------------------------------------------------- */

#define SGLANG(length, finish, ids, tops)                                                          \
    "{\"meta_info\":{\"prompt_tokens\":9,\"cached_tokens\":4,\"finish_reason\":" finish            \
    ",\"output_token_logprobs_length\":" length ",\"output_token_logprobs\":[" ids                 \
    "],\"output_top_logprobs\":[" tops "]}}"
#define T(id) "[-0.5," #id ",null]"
#define P(id) "[[-0.5," #id ",null]]"

static void test_sglang(void **state)
{
    struct reading r;
    const struct dialect *const d = &dialect_sglang;
    (void)state;
    /* The whole again, events left out. */
    assert_int_equal(STREAM(&r, d, 1, SGLANG("1", "null", T(5), P(5)),
                            SGLANG("3", "null", T(5) "," T(6) "," T(7), P(5) "," P(6) "," P(7)),
                            SGLANG("3", "{\"type\":\"stop\",\"matched\":1}", T(5) "," T(6) "," T(7),
                                   P(5) "," P(6) "," P(7))),
                     ST_OK);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.tokens[2].id, 7);
    assert_int_equal(r.reader.cached_tokens, 4);
    assert_int_equal(r.reader.prompt_tokens, 9);
    assert_int_equal(r.reader.finish, FINISH_STOP);
    reading_end(&r);
    /* What is new. */
    expect(&r,
           STREAM(&r, d, 1, SGLANG("1", "null", T(5), P(5)),
                  SGLANG("3", "{\"type\":\"length\"}", T(6) "," T(7), P(6) "," P(7))),
           ST_OK, 3, NULL);
    expect(&r, STREAM(&r, d, 1, SGLANG("1", "null", T(5), P(5)), SGLANG("3", "null", T(7), P(7))),
           ST_FORMAT, 1, "left out");
    expect(&r, STREAM(&r, d, 1, SGLANG("1", "null", T(5), P(5)), SGLANG("0", "null", "", "")),
           ST_FORMAT, 1, "one length");
    expect(&r, STREAM(&r, d, 1, SGLANG("1", "null", T(5), "")), ST_FORMAT, 0, "one length");
    expect(&r, STREAM(&r, d, 1, SGLANG("1", "null", T(5) "," T(6), P(5) "," P(6))), ST_FORMAT, 0,
           "one length");
    expect(&r, STREAM(&r, d, 1, SGLANG("1", "null", "[5,-0.5]", P(5))), ST_FORMAT, 0, "in a list");
    expect(&r, STREAM(&r, d, 1, SGLANG("1", "null", T(5), "[[-0.5,\"5\"]]")), ST_FORMAT, 0,
           "in a list");
    expect(&r, STREAM(&r, d, 1, "{\"text\":\"x\"}"), ST_FORMAT, 0, "meta_info");
    expect(&r,
           STREAM(&r, d, 1, SGLANG("1", "{\"type\":\"abort\",\"message\":\"gone\"}", T(5), P(5))),
           ST_OK, 1, NULL);
    expect(&r,
           STREAM(&r, d, 1,
                  SGLANG("0",
                         "{\"type\":\"abort\",\"message\":\"too long\","
                         "\"status_code\":400}",
                         "", "")),
           ST_IO, 0, "says: too long");
}

/* ---- llama-server -------------------------------------------------------------------------- */

#define LLAMA(count, id)                                                                           \
    "{\"tokens\":[" #id "],\"stop\":false,\"tokens_predicted\":" #count                            \
    ",\"completion_probabilities\":[{\"id\":" #id                                                  \
    ",\"logprob\":-0.5,\"top_logprobs\":[{\"id\":" #id ",\"logprob\":-0.5}]}]}"
#define LLAMA_END(count, why)                                                                      \
    "{\"tokens\":[],\"stop\":true,\"stop_type\":\"" why "\",\"tokens_predicted\":" #count          \
    ",\"tokens_evaluated\":9,\"timings\":{\"cache_n\":4}}"

static void test_llamacpp(void **state)
{
    struct reading r;
    const struct dialect *const d = &dialect_llamacpp;
    (void)state;
    assert_int_equal(STREAM(&r, d, 1, LLAMA(1, 5), LLAMA(2, 1), LLAMA_END(2, "eos"), "x"), ST_OK);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.reader.cached_tokens, 4);
    assert_int_equal(r.reader.finish, FINISH_STOP);
    reading_end(&r);
    assert_int_equal(STREAM(&r, d, 1, LLAMA(1, 5), LLAMA(4, 6), LLAMA_END(4, "limit")), ST_FORMAT);
    assert_int_equal(r.reader.n_lost, 2);
    expect(&r, ST_FORMAT, ST_FORMAT, 1, "did not tell of 2 tokens behind token 1");
    expect(&r, STREAM(&r, d, 1, LLAMA(1, 5), LLAMA_END(2, "limit")), ST_FORMAT, 1, "of 1 tokens");
    expect(&r, STREAM(&r, d, 1, LLAMA(1, 5), LLAMA(1, 6)), ST_FORMAT, 1, "counts fewer");
    expect(&r, STREAM(&r, d, 1, LLAMA(0, 5)), ST_FORMAT, 0, "tokens_predicted");
    expect(&r, STREAM(&r, d, 1, LLAMA(1, 5)), ST_IO, 1, "broke off");
    expect(&r, STREAM(&r, d, 1, LLAMA(1, 5), LLAMA_END(1, "none")), ST_FORMAT, 1, "found none");
    expect(&r, STREAM(&r, d, 1, "{\"tokens\":[\"5\"],\"tokens_predicted\":1}"), ST_FORMAT, 0,
           "ids in");
    expect(&r, STREAM(&r, d, 1, "{\"content\":\"x\"}"), ST_FORMAT, 0, "expected \"tokens\"");
    expect(&r,
           STREAM(&r, d, 1,
                  "{\"tokens\":[5],\"tokens_predicted\":1,\"completion_probabilities\":"
                  "[{\"id\":5,\"prob\":1}]}"),
           ST_FORMAT, 0, "\"logprob\"");
}

static void test_llamacpp_whole(void **state)
{
    static const char half[] =
        "{\"tokens\":[5,34,35],\"stop\":true,\"stop_type\":\"limit\",\"tokens_predicted\":3,"
        "\"completion_probabilities\":["
        "{\"id\":5,\"logprob\":-0.5,\"top_logprobs\":[{\"id\":5,\"logprob\":-0.5}]},"
        "{\"id\":35,\"logprob\":-0.5,\"top_logprobs\":[{\"id\":35,\"logprob\":-0.5}]}]}";
    struct reading r;
    (void)state;
    expect(&r, read_whole(&r, &dialect_llamacpp, 1, half), ST_FORMAT, 1, "of 2 tokens");
    expect(&r, read_whole(&r, &dialect_llamacpp, 0, half), ST_OK, 3, NULL);
    expect(&r, read_whole(&r, &dialect_llamacpp, 0, "<html>"), ST_FORMAT, 0, "no JSON");
    expect(&r, read_whole(&r, &dialect_llamacpp, 0, "{\"error\":\"busy\"}"), ST_IO, 0,
           "says: busy");
    expect(&r, read_whole(&r, &dialect_llamacpp, 0, LLAMA(1, 5)), ST_IO, 1, "broke off");
}

/* ---- the table ----------------------------------------------------------------------------- */

static void test_table(void **state)
{
    size_t n = 0;
    const struct dialect *d;
    (void)state;
    for (; (d = dialect_at(n)); n++) {
        assert_ptr_equal(dialect_find(d->name, strlen(d->name)), d);
        assert_null(dialect_find(d->name, strlen(d->name) - 1));
        assert_true(d->help && d->ask && d->read && d->models && d->context && d->read_context);
        assert_true(!d->tokenize == !d->read_ids && !d->detokenize == !d->read_text);
    }
    assert_int_equal(n, 5);
}

static void expect_said(const char *json, const char *wanted)
{
    json_t *value = json_loads(json, 0, NULL);
    const char *said = dialect_error(value);
    assert_non_null(value);
    if (wanted)
        assert_string_equal(said, wanted);
    else
        assert_null(said);
    json_decref(value);
}

static void test_errors(void **state)
{
    (void)state;
    expect_said("{\"error\":{\"message\":\"a\",\"code\":500}}", "a");
    expect_said("{\"error\":\"b\"}", "b");
    expect_said("{\"object\":\"error\",\"message\":\"c\"}", "c");
    expect_said("{\"detail\":\"d\"}", "d");
    expect_said("{\"detail\":[{\"msg\":\"e\",\"loc\":[]}]}", "e");
    expect_said("{\"error\":{}}", "an error without a message");
    expect_said("{\"error\":null,\"detail\":null,\"object\":\"list\"}", NULL);
    expect_said("[]", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_whole_vocabulary),
        cmocka_unit_test(test_token_alone),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_failed_for_good),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_enough),
        cmocka_unit_test(test_several_choices),
        cmocka_unit_test(test_vllm_faults),
        cmocka_unit_test(test_vllm_given),
        cmocka_unit_test(test_vllm_given_faults),
        cmocka_unit_test(test_sglang_given),
        cmocka_unit_test(test_openai_names),
        cmocka_unit_test(test_sglang),
        cmocka_unit_test(test_llamacpp),
        cmocka_unit_test(test_llamacpp_whole),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_errors),
    };
    reading_vocab(&vocabulary, &pieces);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pieces_close(pieces);
    held_close(&vocabulary);
    return failed;
}
