/* What fails in the server, as a client is told. */
#include "server/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[EAD_WRITERS] = {"small.gguf", NULL};

static void check(ead_status fault, int status, const char *code)
{
    struct refusal r;
    refuse_fault(names, fault, "it failed", &r);
    assert_int_equal(r.status, status);
    assert_string_equal(r.message, "it failed");
    if (code)
        assert_string_equal(r.code, code);
    else
        assert_null(r.code);
}

/* What a client asked for that cannot be is the client's to change. */
static void test_statuses(void **state)
{
    (void)state;
    check(EAD_ARGUMENT, 400, "invalid_value");
    check(EAD_MEMORY, 503, "no_memory");
    check(EAD_SUPPORT, 500, NULL);
    check(EAD_FORMAT, 500, NULL);
    check(EAD_IO, 500, NULL);
}

/* Folders are not told. */
static void test_folders(void **state)
{
    struct refusal r;
    (void)state;
    refuse_fault(names, EAD_IO, "/home/me/models/small.gguf: cannot read", &r);
    assert_string_equal(r.message, "small.gguf: cannot read");
    refuse_fault(names, EAD_IO, "small.gguf: cannot read", &r);
    assert_string_equal(r.message, "small.gguf: cannot read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
