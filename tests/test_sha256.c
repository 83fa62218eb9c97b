/* SHA-256 against the examples of the standard, and in pieces against the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hub/sha256.h"

#include <stdlib.h>
#include <string.h>

static void expect(const void *bytes, size_t n, size_t piece, const char *wanted)
{
    struct sha256 s;
    char hex[SHA256_HEX + 1];
    sha256_init(&s);
    for (size_t at = 0; at < n; at += piece)
        sha256_add(&s, (const char *)bytes + at, n - at < piece ? n - at : piece);
    sha256_end(&s, hex);
    assert_string_equal(hex, wanted);
}

static void test_examples(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sum;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        for (size_t piece = 1; piece < 130; piece += 3)
            expect(examples[i].text, strlen(examples[i].text), piece, examples[i].sum);
}

static void test_a_million(void **state)
{
    (void)state;
    enum { N = 1000000 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, 'a', N);
    const char *sum = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    expect(text, N, N, sum);
    expect(text, N, 64, sum);
    expect(text, N, 977, sum);
    free(text);
}

/* Every length around the end of a block: the padding is one block or two. */
static void test_lengths(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n <= sizeof text; n++) {
        struct sha256 s;
        char whole[SHA256_HEX + 1];
        sha256_init(&s);
        sha256_add(&s, text, n);
        sha256_end(&s, whole);
        expect(text, n, 1, whole);
        expect(text, n, 63, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_a_million),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
