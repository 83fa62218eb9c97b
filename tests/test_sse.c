/* Server-sent events: whatever the cuts, the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/sse.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read one more piece; events go to `out`, each in angle brackets. */
static enum status read_piece(struct sse *s, const char *bytes, size_t n, struct buf *out)
{
    struct err err = {0};
    struct sse_event event;
    char *copy = malloc(n ? n : 1); /* so that a sanitizer sees a read past the end */
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    const char *at = copy;
    enum status st;
    while (!(st = sse_next(s, &at, &n, &event, &err)) && event.data) {
        assert_int_equal(event.data[event.n], 0);
        assert_int_equal(buf_add(out, "<", 1), ST_OK);
        assert_int_equal(buf_add(out, event.data, event.n), ST_OK);
        assert_int_equal(buf_add(out, sse_is_done(&event) ? "!>" : ">", sse_is_done(&event) + 1u),
                         ST_OK);
    }
    if (st)
        assert_non_null(strstr(err.message, "of the stream"));
    else
        assert_int_equal(n, 0);
    free(copy);
    return st;
}

/* ---- every cut --------------------------------------------------------------------------- */

struct stream {
    const char *text, *events;
    bool cut; /* it ends inside an event */
};

static const struct stream streams[] = {
    {"", "", false},
    {"\n\n\r\r\r\n", "", false},
    {"data: a\n\n", "<a>", false},
    {"data:a\n\ndata:  b\n\n", "<a>< b>", false},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "<a><b>", false},
    {"data: a\r\rdata: b\r\r", "<a><b>", false},
    {"data: a\r\ndata: b\r\n\r\n", "<a\nb>", false}, /* the LF ends no line of its own */
    {"data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", "<a><b><c>", false},
    {"data: a\ndata: b\ndata\ndata:\n\n", "<a\nb\n\n>", false},
    {"data\n\ndata:\n\n", "<><>", false},
    {": comment\n\n:\n\n: keep-alive\ndata: a\n: more\n\n", "<a>", false},
    {"event: x\nid: 1\nretry: 5\ndata: a\n\nevent: y\n\n", "<a>", false},
    {"database: x\nDATA: y\n data: z\ndat: u\ndata : w\ndata: a\n\n", "<a>", false},
    {"data: caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n\n",
     "<caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80>", false},
    {"\xef\xbb\xbf"
     "data: a\n\n\xef\xbb\xbf"
     "data: b\n\n",
     "<a>", false},
    {"\xef\xbb\xbf\ndata: a\n\n", "<a>", false},
    {"data: a\n\ndata: [DONE]\n\n", "<a><[DONE]!>", false},
    {"data: [DONE] \n\ndata: [DON\n\n", "<[DONE] ><[DON>", false},
    {"data: a\n\ndata: b\n", "<a>", true},
    {"data: a\n\ndata: b", "<a>", true},
    {"data: a\n\nda", "<a>", true},
    {"data: a\n", "", true},
    {"data: a\r", "", true},
};

static void expect_pieces(const struct stream *e, size_t first, size_t second)
{
    struct sse s = {0};
    struct buf out = {0};
    const size_t n = strlen(e->text);
    assert_int_equal(read_piece(&s, e->text, first, &out), ST_OK);
    assert_int_equal(read_piece(&s, e->text + first, second - first, &out), ST_OK);
    assert_int_equal(read_piece(&s, e->text + second, n - second, &out), ST_OK);
    if (strcmp(out.data ? out.data : "", e->events) || sse_is_cut(&s) != e->cut)
        fail_msg("cut at %zu and %zu\nexpected: %s\nfound:    %s%s", first, second, e->events,
                 out.data, sse_is_cut(&s) ? ", and cut" : "");
    buf_deinit(&out);
    sse_deinit(&s);
}

static void test_every_cut_gives_the_same_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const size_t n = strlen(streams[i].text);
        for (size_t first = 0; first <= n; first++)
            for (size_t second = first; second <= n; second++)
                expect_pieces(&streams[i], first, second);
    }
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        struct sse s = {0};
        struct buf out = {0};
        for (const char *c = streams[i].text; *c; c++)
            assert_int_equal(read_piece(&s, c, 1, &out), ST_OK);
        assert_string_equal(out.data ? out.data : "", streams[i].events);
        assert_int_equal(sse_is_cut(&s), streams[i].cut);
        buf_deinit(&out);
        sse_deinit(&s);
    }
}

static void test_nul_is_a_byte_as_any_other(void **state)
{
    (void)state;
    struct sse s = {0};
    struct buf out = {0};
    assert_int_equal(read_piece(&s, "data: a\0b\n\n", 11, &out), ST_OK);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.data, "<a\0b>", 5);
    buf_deinit(&out);
    sse_deinit(&s);
}

/* ---- the ceiling ------------------------------------------------------------------------- */

static void test_a_line_at_the_ceiling_and_one_above(void **state)
{
    (void)state;
    struct sse s = {.max = 8};
    struct buf out = {0};
    assert_int_equal(read_piece(&s, "data:abc\n\n", 10, &out), ST_OK);
    assert_string_equal(out.data, "<abc>");
    assert_int_equal(read_piece(&s, "data:", 5, &out), ST_OK);
    assert_int_equal(read_piece(&s, "abcd", 4, &out), ST_FORMAT);
    assert_int_equal(read_piece(&s, "\n\ndata:a\n\n", 10, &out), ST_FORMAT);
    assert_string_equal(out.data, "<abc>");
    assert_true(s.line.cap <= 64);
    buf_deinit(&out);
    sse_deinit(&s);
}

static void test_an_event_of_many_lines_has_the_same_ceiling(void **state)
{
    (void)state;
    struct sse s = {.max = 8};
    struct buf out = {0};
    assert_int_equal(read_piece(&s, "data:abc\ndata:ab\n", 17, &out), ST_OK);
    assert_int_equal(read_piece(&s, "data:\ndata:\n\n", 13, &out), ST_FORMAT);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
    sse_deinit(&s);
}

static void test_a_comment_has_it_too(void **state)
{
    (void)state;
    struct sse s = {0};
    struct buf out = {0};
    char piece[4096];
    memset(piece, ':', sizeof piece);
    for (int i = 0; i < SSE_MAX_DEFAULT / (int)sizeof piece; i++)
        assert_int_equal(read_piece(&s, piece, sizeof piece, &out), ST_OK);
    assert_int_equal(read_piece(&s, piece, 1, &out), ST_FORMAT);
    buf_deinit(&out);
    sse_deinit(&s);
}

/* ---- worked examples --------------------------------------------------------------------- */

static const char examples_path[] = SHARED_DIR "/http/faults.jsonl";

/* The bytes of a segment, which may be in base64; to be freed. */
static char *segment_bytes(const json_t *segment, size_t *n)
{
    const char *text =
        json_string_value(json_is_string(segment) ? segment : json_object_get(segment, "b64"));
    char *out = malloc(strlen(text) + 1);
    assert_non_null(out);
    if (json_is_string(segment)) {
        *n = json_string_length(segment);
        return memcpy(out, text, *n + 1);
    }
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned long held = 0;
    *n = 0;
    for (int bits = 0; *text && *text != '='; text++) {
        held = held << 6 | (unsigned long)(strchr(digits, *text) - digits);
        if ((bits += 6) < 8) continue;
        out[(*n)++] = (char)(held >> (bits -= 8));
    }
    return out;
}

static enum status read_segments(const json_t *segments, size_t cut, struct buf *out)
{
    struct sse s = {.max = 1 << 16};
    enum status st = ST_OK;
    for (size_t i = 0; i < json_array_size(segments) && !st; i++) {
        size_t n;
        char *bytes = segment_bytes(json_array_get(segments, i), &n);
        for (size_t at = 0; at < n && !st; at += cut)
            st = read_piece(&s, bytes + at, n - at < cut ? n - at : cut, out);
        free(bytes);
    }
    sse_deinit(&s);
    return st;
}

/* The next id that the events say, from *at on; -1 where there is none before [DONE]. */
static long next_id(const char **at, bool *inside)
{
    static const char name[] = "\"token_ids\":";
    if (!*inside) {
        const char *found = strstr(*at, name), *done = strstr(*at, "<[DONE]!>");
        if (!found || (done && done < found)) return -1;
        *at = found + sizeof name - 1;
    }
    *at += strcspn(*at, "0123456789]");
    *inside = **at != ']';
    if (!*inside) return next_id(at, inside);
    return strtol(*at, (char **)(uintptr_t)at, 10);
}

/* They are those of the example's truth. */
static void expect_ids(const json_t *truth, const struct buf *events)
{
    const json_t *tokens = json_object_get(truth, "tokens");
    const char *at = events->data;
    bool inside = false;
    for (size_t i = 0; i < json_array_size(tokens); i++)
        assert_int_equal(next_id(&at, &inside),
                         json_integer_value(json_object_get(json_array_get(tokens, i), "id")));
    assert_int_equal(next_id(&at, &inside), -1);
}

static void expect_example(const json_t *example)
{
    const json_t *truth = json_object_get(example, "truth");
    const json_t *segments = json_object_get(json_object_get(example, "response"), "segments");
    const char *error = json_string_value(json_object_get(truth, "error"));
    struct buf whole = {0};
    const enum status st = read_segments(segments, SIZE_MAX / 2, &whole);
    assert_int_equal(st, error && !strcmp(error, "too long") ? ST_FORMAT : ST_OK);
    for (size_t cut = 1; cut < 9; cut += 1 + cut / 2) {
        struct buf events = {0};
        assert_int_equal(read_segments(segments, cut, &events), st);
        assert_int_equal(events.len, whole.len);
        if (whole.len) assert_memory_equal(events.data, whole.data, whole.len);
        buf_deinit(&events);
    }
    if (json_object_get(truth, "finish")) expect_ids(truth, &whole);
    buf_deinit(&whole);
}

static void test_examples(void **state)
{
    (void)state;
    FILE *file = fopen(examples_path, "r");
    if (!file) skip();
    char *line = NULL;
    size_t room = 0, n = 0;
    while (getline(&line, &room, file) > 0) {
        json_t *example = json_loads(line, 0, NULL);
        assert_non_null(example);
        expect_example(example);
        json_decref(example);
        n++;
    }
    assert_true(n >= 25);
    free(line);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut_gives_the_same_events),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_nul_is_a_byte_as_any_other),
        cmocka_unit_test(test_a_line_at_the_ceiling_and_one_above),
        cmocka_unit_test(test_an_event_of_many_lines_has_the_same_ceiling),
        cmocka_unit_test(test_a_comment_has_it_too),
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
