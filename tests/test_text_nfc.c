/* Normalization Form C: what composes, what must not, bytes that are no text, piles of marks. */
#include "text/nfc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct nfc *nfc, const char *text, const char *composed)
{
    const char *out;
    size_t n;
    assert_int_equal(nfc_compose(nfc, text, strlen(text), &out, &n), ST_OK);
    if (n != strlen(composed) || memcmp(out, composed, n))
        fail_msg("\"%s\": expected \"%s\", found \"%.*s\"", text, composed, (int)n, out);
}

static void test_composes(void **state)
{
    (void)state;
    struct nfc nfc = {0};
    expect(&nfc,
           "caf"
           "e\xcc\x81",
           "caf\xc3\xa9");
    expect(&nfc, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
           "\xed\x95\x9c");                                   /* three letters of Hangul */
    expect(&nfc, "\xea\xb0\x80\xe1\x86\xa8", "\xea\xb0\x81"); /* a syllable and one */
    expect(&nfc, "\xe2\x84\xab", "\xc3\x85");                 /* the unit is the letter */
    expect(&nfc, "a\xcc\x88\xcc\x84", "\xc7\x9f");            /* twice */
    expect(&nfc, "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87");   /* in their order */
    expect(&nfc, "s\xcc\x87\xcc\xa3!", "\xe1\xb9\xa9!");
    expect(&nfc, "\xe0\xa7\x87\xe0\xa6\xbe", "\xe0\xa7\x8b"); /* with a letter that is no mark */
    nfc_deinit(&nfc);
}

static void test_leaves_alone(void **state)
{
    (void)state;
    struct nfc nfc = {0};
    const char *const texts[] = {"",
                                 "plain <b>",
                                 "caf\xc3\xa9",
                                 "\xcc\x81",
                                 "a \xcc\x81",
                                 "\xed\x95\x9c\xea\xb5\xad",
                                 "\xe6\x97\xa5\xe6\x9c\xac",
                                 "\xef\xac\x81 \xc2\xb2",    /* alike, but not the same */
                                 "\xe0\xa4\x95\xe0\xa4\xbc", /* excluded from composition */
                                 "\xf0\x9f\xa6\x99\xe2\x80\x8d\xf0\x9f\xa6\x99"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect(&nfc, texts[i], texts[i]);
    const char *out, *plain = "nothing to do here \xc3\xa4";
    size_t n;
    assert_int_equal(nfc_compose(&nfc, plain, strlen(plain), &out, &n), ST_OK);
    assert_ptr_equal(out, plain); /* and nothing is copied */
    nfc_deinit(&nfc);
}

static void test_bad_bytes_stay(void **state)
{
    (void)state;
    struct nfc nfc = {0};
    expect(&nfc, "e\xff\xcc\x81", "e\xff\xcc\x81");
    expect(&nfc,
           "\xcc"
           "e\xcc\x81\xcc",
           "\xcc\xc3\xa9\xcc");
    expect(&nfc,
           "\xed\xa0\x80"
           "e\xcc\x81",
           "\xed\xa0\x80\xc3\xa9"); /* a surrogate is no character */
    expect(&nfc, "\xf4\x90\x80\x80\xcc\x81", "\xf4\x90\x80\x80\xcc\x81");
    nfc_deinit(&nfc);
}

/* Marks in the wrong order are not sorted pair by pair. */
static void test_pile_of_marks(void **state)
{
    (void)state;
    enum { PAIRS = 200000, BYTES = 4 * PAIRS + 1 };
    char *text = malloc(BYTES);
    assert_non_null(text);
    text[0] = 'x';
    for (int i = 0; i < PAIRS; i++) memcpy(text + 1 + 4 * i, "\xcc\x8d\xcc\xa9", 4);
    struct nfc nfc = {0};
    const char *out;
    size_t n;
    assert_int_equal(nfc_compose(&nfc, text, BYTES, &out, &n), ST_OK);
    assert_int_equal(n, BYTES);
    for (int i = 0; i < 2 * PAIRS; i++)
        if (memcmp(out + 1 + 2 * i, i < PAIRS ? "\xcc\xa9" : "\xcc\x8d", 2)) fail_msg("mark %d", i);
    nfc_deinit(&nfc);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_composes),
        cmocka_unit_test(test_leaves_alone),
        cmocka_unit_test(test_bad_bytes_stay),
        cmocka_unit_test(test_pile_of_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
