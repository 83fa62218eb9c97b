/* How answers come in: the command `ead grade`, and numbers of any length in its lines and in data
 * sets. */
#include "program.h"

#include "eval/dataset.h"

#include <setjmp.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_graded(const char *option, const char *input, int status, const char *out,
                          const char *err)
{
    const char *args[] = {"ead", "grade", option, NULL};
    struct said said = program_run(EAD_PROGRAM, args, input, NULL);
    if (said.status != status || (out && strcmp(said.out, out)) || (err && !strstr(said.err, err)))
        fail_msg("status %d (expected %d)\nstdout: %s\nstderr: %s", said.status, status, said.out,
                 said.err);
    said_free(&said);
}

static const char three_lines[] = "{\"gold\":\"\\\\frac12\",\"pred\":\"0.5\",\"equal\":true}\n"
                                  "\n"
                                  "{\"gold\":5,\"pred\":null,\"equal\":true}\n"
                                  "{\"pred\":7,\"gold\":\"7\"}";

static void test_command(void **state)
{
    (void)state;
    assert_graded(NULL, three_lines, 0,
                  "{\"correct\":true}\n{\"correct\":false}\n{\"correct\":true}\n", NULL);
    assert_graded("-", "", 0, "", NULL);
    assert_graded("--summary", three_lines, 0,
                  "{\"lines\":3,\"correct\":2,\"labelled\":2,\"agree\":1}\n", NULL);
    assert_graded("--summary", "", 0, "{\"lines\":0,\"correct\":0}\n", NULL);
    assert_graded("--help", "", 0, NULL, NULL);
}

/* A byte order mark, numbers that no machine number holds, and NULs are no reason to stop. */
static void test_command_input(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool correct;
    } cases[] = {
        {"\xef\xbb\xbf{\"gold\":\"1\",\"pred\":\"1\"}", true},
        {"{\"gold\":123456789012345678901234567890,\"pred\":\"123456789012345678901234567890\"}",
         true},
        {"{\"gold\":123456789012345678901234567890,\"pred\":123456789012345678901234567891}",
         false},
        {"{\"gold\":0.12345678901234567890,\"pred\":0.12345678901234567891}", false},
        {"{\"gold\":1e400,\"pred\":\"10^{400}\",\"id\":99999999999999999999}", true},
        {"{\"gold\":-0.5e1,\"pred\":-5}", true},
        {"{\"gold\":\"a 1234567890123456 \\\" 1e5\",\"pred\":\"a 1234567890123456 \\\" 1e5\"}",
         true},
        {"{\"gold\":\"5\",\"pred\":\"5\\u0000 or 6\"}", false},
        {"{\"gold\":\"5\\u0000 or 6\",\"pred\":\"5\"}", false},
        {"{\"gold\":\"5 or 6\",\"pred\":\"5\\u0000 or 6\"}", true},
        {"{\"gold\":\"6\",\"pred\":\"\\u0000\\\\boxed{6}\"}", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_graded(NULL, cases[i].line, 0,
                      cases[i].correct ? "{\"correct\":true}\n" : "{\"correct\":false}\n", NULL);
}

/* Data sets are read in the same way. */
static void test_long_answers(void **state)
{
    (void)state;
    static const char lines[] =
        "\xef\xbb\xbf{\"problem\":\"a\",\"answer\":123456789012345678901234}\n"
        "{\"problem\":\"b\",\"answer\":-0.12345678901234567890,\"level\":5}\n"
        "{\"problem\":\"c\",\"answer\":7,\"id\":98765432109876543210}\n";
    char path[] = "/tmp/grade_answers_XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, lines, sizeof lines - 1), sizeof lines - 1);
    close(file);
    struct dataset *data;
    ead_error error;
    const ead_status status = dataset_open(path, "auto", false, &data, &error);
    unlink(path);
    assert_int_equal(status, EAD_OK);
    assert_int_equal(data->n, 3);
    assert_string_equal(data->problems[0].gold, "123456789012345678901234");
    assert_string_equal(data->problems[1].gold, "-0.12345678901234567890");
    assert_int_equal(data->problems[1].level, 5);
    assert_string_equal(data->problems[2].gold, "7");
    assert_string_equal(data->problems[2].id, "98765432109876543210");
    dataset_close(data);
}

static void test_command_errors(void **state)
{
    (void)state;
    static const char null[] = "{\"correct\":null}\n";
    assert_graded(NULL, "nonsense\n{\"gold\":\"1\",\"pred\":\"1\"}\n", 1,
                  "{\"correct\":null}\n{\"correct\":true}\n",
                  "standard input, line 1: expected JSON");
    assert_graded("--summary", "{\"gold\":\"1\",\"pred\":\"1\"}\n[]\n", 1,
                  "{\"lines\":1,\"correct\":1,\"faults\":1}\n", "line 2: expected an object");
    assert_graded(NULL, "[1]\n", 1, null, "line 1: expected an object");
    assert_graded(NULL, "{\"gold\":\"1\"}\n", 1, null, "field \"pred\": expected text");
    assert_graded(NULL, "{\"gold\":[],\"pred\":\"1\"}\n", 1, null, "field \"gold\": expected text");
    assert_graded(NULL, "{\"gold\":01,\"pred\":1}\n", 1, null, "line 1: expected JSON");
    assert_graded("/nonexistent/file", "", 1, "", "/nonexistent/file: cannot open");
    assert_graded("--nonsense", "", 2, "", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_command_input),
        cmocka_unit_test(test_command_errors),
        cmocka_unit_test(test_long_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
