/* What tests of vocabularies share: opening the small ones, and looking at what they make of a
 * text. */
#ifndef EAD_TEST_TEXT_EXPECT_H
#define EAD_TEST_TEXT_EXPECT_H

#include "test_text_build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inline struct held open_spm(void)
{
    struct held h = {0};
    struct err err = {0};
    build_spm(&h.build);
    if (!held_open(&h, &err)) fail_msg("%s", err.message);
    return h;
}

static inline struct held open_bpe(const char *pre)
{
    struct held h = {0};
    struct err err = {0};
    build_bpe(&h.build, pre);
    if (!held_open(&h, &err)) fail_msg("%s", err.message);
    return h;
}

/* Encode and compare with ids ended by -1. */
static inline void expect(const struct held *h, const char *text, unsigned flags,
                          const int32_t *ids)
{
    struct ids out = {0};
    struct err err = {0};
    assert_int_equal(vocab_encode(h->vocab, text, strlen(text), flags, &out, &err), ST_OK);
    size_t n = 0;
    while (ids[n] >= 0) n++;
    for (size_t i = 0; i < n && i < out.n; i++)
        if (out.id[i] != ids[i])
            fail_msg("\"%s\": token %zu: expected %d, found %d", text, i, ids[i], out.id[i]);
    if (out.n != n) fail_msg("\"%s\": expected %zu tokens, found %zu", text, n, out.n);
    ids_deinit(&out);
}
#define EXPECT(h, text, flags, ...) expect(h, text, flags, (const int32_t[]){__VA_ARGS__ - 1})

static inline void expect_piece(const struct vocab *v, int32_t id, const char *bytes, size_t n)
{
    size_t found;
    const char *piece = vocab_piece(v, id, &found);
    assert_int_equal(found, n);
    assert_memory_equal(piece, bytes, n);
}

#endif
