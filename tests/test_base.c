/* The foundation: messages, checks, numbers, buffers, arenas, teams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abort.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- status -------------------------------------------------------------------------------- */

static void test_err_keeps_one_clean_line(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, ST_FORMAT, "a%cb%cc%cd", '\n', 27, 127), ST_FORMAT);
    assert_int_equal(err.code, ST_FORMAT);
    assert_string_equal(err.message, "a?b?c?d");
    assert_int_equal(err_prefix(&err, ST_FORMAT, "x\ty"), ST_FORMAT);
    assert_string_equal(err.message, "x?y: a?b?c?d");
    assert_int_equal(err_set(&err, ST_IO, "caf\xc3\xa9"), ST_IO);
    assert_string_equal(err.message, "caf\xc3\xa9");
}

static void test_err_is_cut_not_overrun(void **state)
{
    (void)state;
    char longer[2 * ERR_MESSAGE_MAX];
    memset(longer, 'm', sizeof longer);
    longer[sizeof longer - 1] = 0;
    struct err err;
    (void)err_set(&err, ST_ARG, "%s", longer);
    assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
    (void)err_prefix(&err, ST_ARG, longer);
    assert_true(strlen(err.message) < ERR_MESSAGE_MAX);
    assert_non_null(strstr(err.message, ": m")); /* a long path leaves room for what happened */
}

static void test_err_may_be_absent(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ST_FULL, "unheard"), ST_FULL);
    assert_int_equal(err_prefix(NULL, ST_FULL, "unheard"), ST_FULL);
}

static void test_no_memory_has_one_wording(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_memory(&err, "%d\nthings", 3), ST_MEMORY);
    assert_int_equal(err.code, ST_MEMORY);
    assert_string_equal(err.message, "no memory for 3?things");
    assert_int_equal(err_memory(NULL, "anything"), ST_MEMORY);
}

static void test_every_status_has_its_name(void **state)
{
    (void)state;
    for (int a = ST_OK; a <= ST_CANCELLED; a++)
        for (int b = ST_OK; b < a; b++)
            assert_string_not_equal(status_name((enum status)a), status_name((enum status)b));
    assert_string_equal(status_name(ST_FORMAT), "format");
}

/* ---- check ------------------------------------------------------------------------------- */

#ifndef EAD_NO_CHECKS
static void break_an_invariant(void *context)
{
    CHECK(*(int *)context < 0);
}

static void test_a_broken_invariant_aborts_and_says_which(void **state)
{
    (void)state;
    int seven = 7;
    CHECK(1 + 1 == 2);
    assert_aborts(break_an_invariant, &seven, "ead: test_base.c:");
    assert_aborts(break_an_invariant, &seven, "*(int *)context < 0");
}
#endif

/* ---- numbers ----------------------------------------------------------------------------- */

/* Values that the authors of both publish: files and reports of old keep theirs. */
static void test_known_hashes_and_draws(void **state)
{
    (void)state;
    assert_true(hash_bytes("", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash_bytes("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(hash_bytes("foobar", 6) == UINT64_C(0x85944171f73967e8));
    assert_true(hash_more(hash_bytes("foo", 3), "bar", 3) == hash_bytes("foobar", 6));
    uint64_t s = 1234567;
    assert_true(rng_bits(&s) == UINT64_C(6457827717110365317));
    assert_true(rng_bits(&s) == UINT64_C(3203168211198807973));
    for (int i = 0; i < 1000; i++) {
        const double unit = rng_unit(&s);
        assert_true(unit >= 0 && unit < 1);
    }
}

static void test_clock_goes_forward(void **state)
{
    (void)state;
    const double start = clock_seconds();
    usleep(2000);
    const double later = clock_seconds() - start;
    assert_true(later >= 0.002 && later < 60);
}

/* ---- buf ----------------------------------------------------------------------------------- */

static void test_buf_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct buf buf = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_printf(&buf, "%03d,", i), ST_OK);
        assert_int_equal(buf.len, 4 * (size_t)(i + 1));
        assert_int_equal(buf.data[buf.len], 0);
    }
    assert_memory_equal(buf.data + 4 * 777, "777,", 4);
    buf_consume(&buf, 4 * 999);
    assert_string_equal(buf.data, "999,");
    assert_int_equal(buf_add(&buf, "a\0b", 3), ST_OK);
    assert_memory_equal(buf.data, "999,a\0b", 8);
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.data, "");
    buf_deinit(&buf);
    assert_null(buf.data);
}

static void test_buf_ceiling_keeps_the_content(void **state)
{
    (void)state;
    struct buf buf = {.max = 16};
    assert_int_equal(buf_add_str(&buf, "0123456789"), ST_OK);
    assert_int_equal(buf_add_str(&buf, "0123456"), ST_MEMORY);
    assert_int_equal(buf_printf(&buf, "%20d", 1), ST_MEMORY);
    assert_int_equal(buf_add(&buf, "", SIZE_MAX), ST_MEMORY);
    assert_string_equal(buf.data, "0123456789");
    assert_int_equal(buf_add_str(&buf, "abcde"), ST_OK);
    assert_int_equal(buf_add_str(&buf, "f"), ST_MEMORY);
    assert_string_equal(buf.data, "0123456789abcde");
    buf_deinit(&buf);
    assert_int_equal(buf.max, 16);
}

/* ---- arena --------------------------------------------------------------------------------- */

struct carved {
    int8_t *a;
    float *b;
    char *c;
};

static struct carved carve(struct arena *arena)
{
    struct carved x;
    x.a = arena_carve(arena, 3, sizeof *x.a);
    x.b = arena_carve(arena, 100, sizeof *x.b);
    x.c = arena_carve(arena, 65, sizeof *x.c);
    return x;
}

static void test_arena_measures_then_carves(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct carved x = carve(&arena);
    assert_null(x.a);
    assert_null(x.b);
    assert_int_equal(arena.used, 64 + 448 + 128);
    assert_int_equal(arena_commit(&arena, NULL), ST_OK);
    x = carve(&arena);
    assert_int_equal((uintptr_t)x.a % 64, 0);
    assert_int_equal((uintptr_t)x.b % 64, 0);
    assert_int_equal((uintptr_t)x.c % 64, 0);
    for (int i = 0; i < 65; i++) assert_int_equal(x.c[i], 0);
    memset(x.a, 1, 3);
    memset(x.b, 2, 100 * sizeof *x.b);
    memset(x.c, 3, 65);
    assert_int_equal(x.a[2], 1);
    assert_int_equal(((uint8_t *)x.b)[399], 2);
    assert_null(arena_carve(&arena, 1, 1)); /* nothing is left */
    assert_true(arena.overflow);
    arena_deinit(&arena);
    assert_null(arena.base);
    assert_int_equal(arena.used, 0);
}

static void test_arena_maps_a_file(void **state)
{
    (void)state;
    enum { PAGE = 1 << 16 }; /* of no machine more */
    struct arena arena = {0}, none = {0};
    struct err err;
    FILE *file = tmpfile();
    assert_int_equal(fseek(file, PAGE + 64, SEEK_SET), 0);
    for (int i = 0; i < 640 - 64; i++) fputc(i % 7, file);
    fflush(file);
    carve(&arena);
    carve(&none);
    assert_int_equal(arena_map(&arena, fileno(file), PAGE, NULL), ST_OK);
    assert_int_equal(arena_map(&none, -1, 0, &err), ST_IO);
    assert_non_null(strstr(err.message, "cannot map"));
    fclose(file);
    struct carved x = carve(&arena);
    assert_int_equal((uintptr_t)x.a % 64, 0);
    assert_int_equal(x.a[0], 0);
    for (int i = 0; i < 400; i++) assert_int_equal(((uint8_t *)x.b)[i], i % 7);
    assert_int_equal(x.c[0], 448 % 7);
    arena_deinit(&arena);
    assert_null(arena.base);
}

static void test_arena_refuses_what_wraps(void **state)
{
    (void)state;
    struct err err = {0};
    struct arena product = {0}, sum = {0}, huge = {0};
    assert_null(arena_carve(&product, SIZE_MAX / 2, 4));
    assert_int_equal(arena_commit(&product, &err), ST_MEMORY);
    assert_string_not_equal(err.message, "");
    for (int i = 0; i < 5; i++) assert_null(arena_carve(&sum, SIZE_MAX / 8, 1));
    assert_int_equal(arena_commit(&sum, &err), ST_MEMORY);
    err.message[0] = 0;
    assert_null(arena_carve(&huge, (size_t)1 << 60, 1)); /* no wrap, but more than a machine has */
    assert_int_equal(arena_commit(&huge, &err), ST_MEMORY);
    assert_non_null(strstr(err.message, "1099511627776 MiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_keeps_one_clean_line),
        cmocka_unit_test(test_err_is_cut_not_overrun),
        cmocka_unit_test(test_err_may_be_absent),
        cmocka_unit_test(test_no_memory_has_one_wording),
        cmocka_unit_test(test_every_status_has_its_name),
#ifndef EAD_NO_CHECKS
        cmocka_unit_test(test_a_broken_invariant_aborts_and_says_which),
#endif
        cmocka_unit_test(test_known_hashes_and_draws),
        cmocka_unit_test(test_clock_goes_forward),
        cmocka_unit_test(test_buf_grows_and_stays_terminated),
        cmocka_unit_test(test_buf_ceiling_keeps_the_content),
        cmocka_unit_test(test_arena_measures_then_carves),
        cmocka_unit_test(test_arena_maps_a_file),
        cmocka_unit_test(test_arena_refuses_what_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
