/* What a hub may answer: lists that were damaged are read or refused, and lead to no path outside
 * the folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "hub/listing.h"
#include "hub/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILE_OF(name)                                                                              \
    "{\"rfilename\": \"" name "\", \"size\": 7, \"lfs\": {\"sha256\": \"" SUM "\"}}"

static const char
    answer[] =
        "{\"id\": \"a/b\", \"sha\": \"0123456789abcdef\", \"siblings\": [{\"rfilename\": "
        "\"README.md\"}," FILE_OF("m-Q4_K_M-00002-of-00003.gguf") ", " FILE_OF(
            "m-Q4_K_M-"
            "00001-of-"
            "00003.gguf") ", " FILE_OF("q8/m-Q8_0.gguf") ", " FILE_OF("m-Q4_K_M-00003-of-00003."
                                                                      "gguf") ", " FILE_OF("mmpro"
                                                                                           "j-m-"
                                                                                           "F16."
                                                                                           "gguf") "]}";

static void test_parts_are_in_order(void **state)
{
    (void)state;
    struct listing l;
    const struct listed *first;
    size_t n;
    assert_int_equal(listing_read(answer, sizeof answer - 1, &l, NULL), ST_OK);
    assert_int_equal(l.n, 4);
    assert_int_equal(listing_choose(&l, "", &first, &n, NULL), ST_OK);
    assert_int_equal(n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(first[i].part, i + 1);
        assert_int_equal(first[i].path[13], '1' + i);
    }
    assert_int_equal(listing_choose(&l, "q8_0", &first, &n, NULL), ST_OK);
    assert_string_equal(first->path, "q8/m-Q8_0.gguf");
    assert_string_equal(first->sum, SUM);
    assert_int_equal(n, 1);
    assert_int_equal(listing_choose(&l, "F16", &first, &n, NULL), ST_ARG);
    listing_deinit(&l);
}

static bool is_below(const char *path)
{
    char whole[LISTING_PATH_MAX + 2];
    snprintf(whole, sizeof whole, "/%s/", path);
    return !strstr(whole, "//") && !strstr(whole, "/../") && !strstr(whole, "/./");
}

/* A few bytes become others that matter, or are taken out. */
static size_t damage(char *text, size_t n, uint64_t *rng)
{
    static const char bytes[] = "\"{}[]:,./0-9\\\n\x80u";
    for (uint64_t k = 1 + rng_bits(rng) % 4; k && n > 1; k--) {
        const size_t at = (size_t)(rng_bits(rng) % n);
        if (rng_bits(rng) % 4)
            text[at] = bytes[rng_bits(rng) % (sizeof bytes - 1)];
        else
            memmove(text + at, text + at + 1, --n - at);
    }
    return n;
}

static void test_damage(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    static const char *const quants[] = {"", "Q8_0", "m", "-", "00002"};
    uint64_t rng = 17;
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct listing l;
        struct err err = {0};
        const struct listed *first = NULL;
        size_t files = 0, n = sizeof answer - 1;
        char *text = malloc(n); /* so that a sanitizer sees a read past the end */
        assert_non_null(text);
        memcpy(text, answer, n);
        n = damage(text, n, &rng);
        const enum status st = listing_read(text, n, &l, &err);
        free(text);
        assert_true(st == ST_OK || (st == ST_FORMAT && strstr(err.message, "expected")));
        if (st) continue;
        read++;
        for (size_t i = 0; i < l.n; i++) assert_true(is_below(l.files[i].path));
        for (size_t q = 0; q < sizeof quants / sizeof *quants; q++)
            if (!listing_choose(&l, quants[q], &first, &files, &err))
                assert_true(files >= 1 && first >= l.files && first + files <= l.files + l.n);
        listing_deinit(&l);
    }
    assert_in_range(read, ROUNDS / 20, ROUNDS - ROUNDS / 20);
}

static void test_wishes(void **state)
{
    (void)state;
    struct wish w;
    assert_int_equal(wish_parse("hf:a-b/c.d_e", &w, NULL), ST_OK);
    assert_string_equal(w.repo, "a-b/c.d_e");
    assert_string_equal(w.revision, "main");
    assert_string_equal(w.quant, "");
    assert_int_equal(wish_parse("hf:a/b@refs/pr/1:q/x-Q8_0.gguf", &w, NULL), ST_OK);
    assert_string_equal(w.repo, "a/b");
    assert_string_equal(w.revision, "refs%2Fpr%2F1");
    assert_string_equal(w.quant, "q/x-Q8_0.gguf");
}

/* Every length around the ceilings. */
static void test_long_wishes(void **state)
{
    (void)state;
    static const char *const forms[] = {"hf:a/", "hf:a/b:", "hf:a/b@", "hf:a/b@/"};
    char text[512];
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (int n = 0; n < 400; n++) {
            struct wish w;
            snprintf(text, sizeof text, "%s%0*d", forms[f], n, 0);
            const bool ok = wish_parse(text, &w, NULL) == ST_OK;
            if (n > 200 || f == 3) assert_false(ok);
            if (n > 0 && n < 190 && f < 3) assert_true(ok);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_in_order),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_long_wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
