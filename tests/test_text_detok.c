/* The streaming detokeniser: whole characters only, nothing lost, spaces as they were. */
#include "test_text_build.h"

#include "base/utf8.h"
#include "text/detok.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/rng.h"
static struct held open_bpe(void)
{
    struct held h = {0};
    build_bpe(&h.build, "qwen2");
    assert_true(held_open(&h, NULL));
    return h;
}

static struct held open_spm(void)
{
    struct held h = {0};
    build_spm(&h.build);
    assert_true(held_open(&h, NULL));
    return h;
}

static void expect_added(struct detok *d, int32_t id, const char *text, struct buf *out)
{
    buf_clear(out);
    assert_int_equal(detok_add(d, id, out), ST_OK);
    if (out->len != strlen(text) || memcmp(out->data ? out->data : "", text, out->len))
        fail_msg("token %d: expected \"%s\", found \"%.*s\"", id, text, (int)out->len, out->data);
}

static void test_half_characters(void **state)
{
    (void)state;
    struct held h = open_bpe();
    struct detok d;
    struct buf out = {0};
    detok_init(&d, h.vocab, 0);
    expect_added(&d, 0xf0, "", &out); /* ids of the small vocabulary are their bytes */
    expect_added(&d, 0x9f, "", &out);
    expect_added(&d, 0x98, "", &out);
    expect_added(&d, 0x80, "\xf0\x9f\x98\x80", &out);
    expect_added(&d, 269, "", &out); /* e3 81 in one token */
    expect_added(&d, 0x82, "\xe3\x81\x82", &out);
    expect_added(&d, 0xe3, "", &out);
    expect_added(&d, 269, "\xe3", &out); /* the first can become nothing: it goes, the next waits */
    expect_added(&d, 'x', "\xe3\x81x", &out);
    expect_added(&d, 0xff, "\xff", &out); /* never held */
    expect_added(&d, 0xc0, "\xc0", &out);
    expect_added(&d, 0xed, "", &out);
    expect_added(&d, 0xa0, "\xed\xa0", &out); /* a surrogate is no character */
    expect_added(&d, BPE_SIZE, "", &out);
    expect_added(&d, 0xe2, "", &out);
    expect_added(&d, 260, "\xe2 hello", &out);
    expect_added(&d, 0xe2, "", &out);
    buf_clear(&out);
    assert_int_equal(detok_flush(&d, &out), ST_OK);
    assert_int_equal(out.len, 1);
    buf_clear(&out);
    assert_int_equal(detok_flush(&d, &out), ST_OK);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
    held_close(&h);
}

static void test_spaces(void **state)
{
    (void)state;
    struct held h = open_spm();
    struct buf out = {0};
    struct detok d;
    const int32_t hello = 284; /* with a space mark */
    detok_init(&d, h.vocab, DETOK_START);
    expect_added(&d, 1, "", &out);
    expect_added(&d, hello, "hello", &out);
    expect_added(&d, hello, " hello", &out);
    detok_init(&d, h.vocab, 0); /* the continuation of a text keeps its space */
    expect_added(&d, hello, " hello", &out);
    detok_init(&d, h.vocab, DETOK_START | DETOK_SPECIAL);
    expect_added(&d, SPM_USER, "<|user|>", &out);
    expect_added(&d, hello, "hello", &out);
    expect_added(&d, SPM_TAG, "<tag>", &out);
    expect_added(&d, 276, "hello", &out); /* nothing to drop */
    expect_added(&d, hello, " hello", &out);
    detok_init(&d, h.vocab, DETOK_START);
    expect_added(&d, SPM_USER, "", &out);     /* hidden */
    expect_added(&d, SPM_TAG, "<tag>", &out); /* user-defined tokens are text */
    buf_deinit(&out);
    held_close(&h);
}

/* Texts with special tokens come back as they were. */
static void test_there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "hello",  " hello", "  hello", "<|user|>hello</s> a", "a<tag>b<tag> c",
        "<s><s>", " ",      "\n",      "h\xc3\xa9llo \xff z"};
    struct held h = open_spm();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ids ids = {0};
        struct buf out = {0};
        size_t n = strlen(texts[i]);
        assert_int_equal(vocab_encode(h.vocab, texts[i], n, VOCAB_SPECIAL, &ids, NULL), ST_OK);
        assert_int_equal(detok_all(h.vocab, ids.id, ids.n, DETOK_START | DETOK_SPECIAL, &out),
                         ST_OK);
        assert_int_equal(out.len, n);
        assert_memory_equal(out.data, texts[i], n);
        ids_deinit(&ids);
        buf_deinit(&out);
    }
    held_close(&h);
}

/* Is `place` inside a character of s? */
static bool is_inside(const char *s, size_t n, size_t place)
{
    for (size_t at = 0; at < place;) {
        int len = utf8_char(s + at, n - at);
        if (len > 0 && at + (size_t)len > place) return true;
        at += len > 0 ? (size_t)len : 1;
    }
    return false;
}

/* Bytes that mostly look like characters, one or several a token: nothing is lost or changed, and
 * what was shown at any time never ended inside a character. */
static void test_random_streams(void **state)
{
    (void)state;
    static const int32_t ids[] = {0xf0, 0x9f, 0x98, 0x80, 0xe3, 0x81, 269,  0xc3, 0xa9, 'a',
                                  260,  0xff, 0xed, 0xa0, 0xf4, 0x90, 0xe0, 0x9f, 265,  0xbf};
    enum { TOKENS = 12 };
    struct held h = open_bpe();
    struct buf shown = {0}, raw = {0};
    uint64_t seed = 9;
    for (int round = 0; round < 3000; round++) {
        struct detok d;
        size_t ends[TOKENS];
        detok_init(&d, h.vocab, 0);
        buf_clear(&shown);
        buf_clear(&raw);
        for (int i = 0; i < TOKENS; i++) {
            int32_t id = ids[rng_bits(&seed) % (sizeof ids / sizeof *ids)];
            size_t n;
            const char *piece = vocab_piece(h.vocab, id, &n);
            assert_int_equal(buf_add(&raw, piece, n), ST_OK);
            assert_int_equal(detok_add(&d, id, &shown), ST_OK);
            assert_true(raw.len - shown.len <= 3);
            ends[i] = shown.len;
        }
        for (int i = 0; i < TOKENS; i++) assert_false(is_inside(raw.data, raw.len, ends[i]));
        assert_int_equal(detok_flush(&d, &shown), ST_OK);
        assert_int_equal(shown.len, raw.len);
        assert_memory_equal(shown.data, raw.data, raw.len);
    }
    buf_deinit(&shown);
    buf_deinit(&raw);
    held_close(&h);
}

/* Once the caller's buffer has its size, tokens allocate nothing. */
static void test_steady_state(void **state)
{
    (void)state;
    struct held h = open_bpe();
    struct buf out = {0};
    struct detok d;
    detok_init(&d, h.vocab, 0);
    for (int i = 0; i < 64; i++) assert_int_equal(detok_add(&d, 260, &out), ST_OK);
    const char *data = out.data;
    size_t cap = out.cap;
    for (int i = 0; i < 100000; i++) {
        buf_clear(&out);
        assert_int_equal(detok_add(&d, i % 270, &out), ST_OK);
    }
    assert_ptr_equal(out.data, data);
    assert_int_equal(out.cap, cap);
    buf_deinit(&out);
    held_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_characters), cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_there_and_back),  cmocka_unit_test(test_random_streams),
        cmocka_unit_test(test_steady_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
