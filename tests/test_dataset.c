/* Problems from files: the layouts that are read, and what is said about those that are not. */
#include "tiny.h"

#include "eval/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[TINY_PATH_MAX], file[TINY_PATH_MAX + 32];

static int set_up(void **state)
{
    (void)state;
    tiny_folder(folder);
    snprintf(file, sizeof file, "%s/problems.jsonl", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void save(const char *path, const char *text)
{
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(text, 1, strlen(text), to), strlen(text));
    assert_int_equal(fclose(to), 0);
}

static struct dataset *open_text(const char *text, const char *format)
{
    ead_error error = {0};
    struct dataset *d = NULL;
    save(file, text);
    if (dataset_open(file, format, false, &d, &error)) fail_msg("%s", error.message);
    return d;
}

static void assert_refused(const char *text, const char *format, ead_status status,
                           const char *message)
{
    ead_error error = {0};
    struct dataset *d;
    save(file, text);
    assert_int_equal(dataset_open(file, format, false, &d, &error), status);
    assert_int_equal(error.status, status);
    if (!strstr(error.message, message)) fail_msg("expected \"%s\" in: %s", message, error.message);
}

/* ---- layouts ------------------------------------------------------------------------------- */

static void assert_problem(const struct dataset *d, size_t i, const char *text, const char *gold,
                           int level, const char *subject, const char *id)
{
    assert_in_range(i, 0, d->n - 1);
    assert_string_equal(d->problems[i].text, text);
    assert_string_equal(d->problems[i].gold, gold);
    assert_int_equal(d->problems[i].level, level);
    assert_string_equal(d->problems[i].subject, subject);
    assert_string_equal(d->problems[i].id, id);
}

static void test_math(void **state)
{
    (void)state;
    struct dataset *d = open_text("{\"problem\":\"a\",\"level\":\"Level "
                                  "3\",\"type\":\"Algebra\",\"solution\":\"\\\\boxed{1} or "
                                  "\\\\boxed{\\\\frac{1}{2}}\"}\n\n"
                                  "{\"problem\":\"b\",\"level\":5,\"subject\":\"Geometry\","
                                  "\"solution\":\"\",\"answer\":\"7\","
                                  "\"unique_id\":\"x/1\"}\r\n"
                                  "{\"problem\":\"c\",\"level\":\"Level ?\",\"answer\":12}\n"
                                  "{\"problem\":\"d\",\"answer\":0.5,\"id\":9}",
                                  "auto");
    assert_int_equal(d->format, DATASET_MATH);
    assert_int_equal(d->n, 4);
    assert_problem(d, 0, "a", "\\frac{1}{2}", 3, "Algebra", "problems.jsonl:1");
    assert_problem(d, 1, "b", "7", 5, "Geometry", "x/1");
    assert_problem(d, 2, "c", "12", 0, "", "problems.jsonl:4");
    assert_problem(d, 3, "d", "0.5", 0, "", "9");
    dataset_close(d);
}

static void test_array(void **state)
{
    (void)state;
    struct dataset *d = open_text("\xef\xbb\xbf [\n {\"problem\": \"a\", \"answer\": \"1\"},\n"
                                  " {\"problem\": \"b\", \"answer\": \"2\"}\n]\n",
                                  "math");
    assert_int_equal(d->n, 2);
    assert_problem(d, 1, "b", "2", 0, "", "problems.jsonl:1");
    dataset_close(d);
}

static void test_mark(void **state)
{
    (void)state;
    struct dataset *d = open_text("\xef\xbb\xbf{\"problem\":\"a\",\"answer\":\"1\"}\n"
                                  "{\"problem\":\"b\",\"answer\":\"2\"}\n",
                                  "auto");
    assert_int_equal(d->n, 2);
    assert_string_equal(d->name, "problems.jsonl");
    assert_problem(d, 0, "a", "1", 0, "", "problems.jsonl:1");
    dataset_close(d);
}

/* What can be read once only, does not know its size and comes in pieces. */
static void test_pipe(void **state)
{
    (void)state;
    enum { PROBLEMS = 5000 };
    ead_error error = {0};
    struct dataset *d;
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    const pid_t child = fork();
    if (!child) {
        FILE *to = fopen(file, "w");
        for (int i = 0; i < PROBLEMS; i++) {
            fprintf(to, "{\"problem\":\"of a pipe, %d\",\"answer\":\"%d\"}\n", i, i);
            if (i % 1000 == 0) fflush(to);
        }
        fclose(to);
        _exit(0);
    }
    if (dataset_open(file, "auto", false, &d, &error)) fail_msg("%s", error.message);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(d->n, PROBLEMS);
    assert_string_equal(d->name, "-");
    assert_string_equal(d->problems[PROBLEMS - 1].gold, "4999");
    dataset_close(d);
    unlink(file);
}

static void test_gsm8k(void **state)
{
    (void)state;
    struct dataset *d = open_text("{\"question\":\"q\",\"answer\":\"2+2=4\\n#### 1,004\"}\n"
                                  "{\"question\":\"r\",\"answer\":5}\n",
                                  "auto");
    assert_int_equal(d->format, DATASET_GSM8K);
    assert_problem(d, 0, "q", "1,004", 0, "", "problems.jsonl:1");
    assert_problem(d, 1, "r", "5", 0, "", "problems.jsonl:2");
    dataset_close(d);
}

static void in_folder(char *path, size_t room, const char *name)
{
    snprintf(path, room, "%s/%s", folder, name);
}

/* MATH as it is handed out: a directory for each subject, a file for each problem. */
static void test_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"math/b/2.json", "math/b/1.json", "math/a/9.json",
                                        "math/a/not.txt"};
    static const char *const folders[] = {"math", "math/a", "math/b"};
    char path[TINY_PATH_MAX + 64], text[128];
    ead_error error = {0};
    struct dataset *d;
    for (int i = 0; i < 3; i++) {
        in_folder(path, sizeof path, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (int i = 0; i < 4; i++) {
        in_folder(path, sizeof path, names[i]);
        snprintf(text, sizeof text, "{\n \"problem\": \"%s\",\n \"answer\": \"%d\"\n}\n", names[i],
                 i);
        save(path, text);
    }
    in_folder(path, sizeof path, "math");
    if (dataset_open(path, "auto", false, &d, &error)) fail_msg("%s", error.message);
    assert_int_equal(d->n, 3);
    assert_problem(d, 0, "math/a/9.json", "2", 0, "", "9.json:1");
    assert_problem(d, 1, "math/b/1.json", "1", 0, "", "1.json:1");
    assert_problem(d, 2, "math/b/2.json", "0", 0, "", "2.json:1");
    dataset_close(d);
    for (int i = 0; i < 4; i++) {
        in_folder(path, sizeof path, names[i]);
        unlink(path);
    }
    for (int i = 2; i >= 0; i--) {
        in_folder(path, sizeof path, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
}

static void test_shared_gsm8k(void **state)
{
    (void)state;
    ead_error error = {0};
    struct dataset *d;
    if (access(SHARED_DIR "/gsm8k/test.jsonl", R_OK)) {
        print_message("skipped: no " SHARED_DIR "/gsm8k\n");
        skip();
    }
    if (dataset_open(SHARED_DIR "/gsm8k/test.jsonl", "auto", false, &d, &error))
        fail_msg("%s", error.message);
    assert_int_equal(d->n, 1319);
    assert_string_equal(d->problems[0].gold, "18");
    for (size_t i = 0; i < d->n; i++)
        if (strspn(d->problems[i].gold, "-0123456789,.") != strlen(d->problems[i].gold))
            fail_msg("problem %zu: the answer \"%s\" is no number", i, d->problems[i].gold);
    dataset_close(d);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void test_refusals(void **state)
{
    (void)state;
    assert_refused("", "auto", EAD_FORMAT, "expected problems, found none");
    assert_refused("[]", "auto", EAD_FORMAT, "expected problems, found none");
    assert_refused("{\"problem\":\"a\",\"answer\":\"1\"}\n{\"problem\":", "auto", EAD_FORMAT,
                   "problems.jsonl, line 2: expected JSON");
    assert_refused("{\"a\":1}", "auto", EAD_FORMAT, "line 1: expected a field \"problem\"");
    assert_refused("3", "auto", EAD_FORMAT, "line 1: expected JSON");
    assert_refused("[{\"problem\":\"a\",\"answer\":\"1\"},3]", "auto", EAD_FORMAT,
                   "element 1: expected an object");
    assert_refused("\n{\"problem\":\"\",\"answer\":\"1\"}", "math", EAD_FORMAT,
                   "line 2: field \"problem\": expected text, found \"\"");
    assert_refused("{\"problem\":\"a\"}", "math", EAD_FORMAT, "field \"solution\": expected text");
    assert_refused("{\"problem\":\"a\",\"solution\":\"none\"}", "math", EAD_FORMAT,
                   "expected an answer in \\boxed{}, found \"none\"");
    assert_refused("{\"problem\":\"a\",\"answer\":[]}", "math", EAD_FORMAT,
                   "field \"answer\": expected text or a number, found an array");
    assert_refused("{\"problem\":\"a\",\"answer\":\"1\",\"level\":\"hard\"}", "math", EAD_FORMAT,
                   "field \"level\": expected 1 to 5, found \"hard\"");
    assert_refused("{\"problem\":\"a\",\"answer\":\"1\",\"level\":4294967297}", "math", EAD_FORMAT,
                   "field \"level\"");
    assert_refused("{\"question\":\"a\",\"answer\":\"5\"}", "auto", EAD_FORMAT,
                   "field \"answer\": expected text with \"#### ANSWER\"");
    assert_refused("{\"question\":\"a\",\"answer\":\"#### 5\"}", "math", EAD_FORMAT,
                   "field \"problem\"");
    assert_refused("\xff\xfe{", "auto", EAD_FORMAT, "expected UTF-8, found UTF-16");
    assert_refused("{\"problem\":\"a\\u0000\",\"answer\":\"1\"}", "auto", EAD_FORMAT,
                   "line 1: expected JSON, found: a text with NUL in it");
    assert_refused("{}", "csv", EAD_ARGUMENT, "expected math, gsm8k or auto, found \"csv\"");
}

/* Numbers of any length are read digit by digit; what is in texts is as it was. */
static void test_long_numbers(void **state)
{
    (void)state;
    struct dataset *d =
        open_text("{\"problem\":\"is -123456789012345678901 \\\" 1234567890123456789012 prime?\","
                  "\"answer\":123456789012345678901234567890,\"id\":[99999999999999999999]}\n"
                  "{\"problem\":\"b\",\"answer\":-12345678901234567890}\n"
                  "{\"problem\":\"c\",\"answer\":0.12345678901234567890}\n"
                  "{\"problem\":\"d\",\"answer\":123456789012345678}",
                  "auto");
    assert_int_equal(d->n, 4);
    assert_problem(d, 0, "is -123456789012345678901 \" 1234567890123456789012 prime?",
                   "123456789012345678901234567890", 0, "", "problems.jsonl:1");
    assert_string_equal(d->problems[1].gold, "-12345678901234567890");
    assert_string_equal(d->problems[2].gold, "0.12345678901234567890");
    assert_string_equal(d->problems[3].gold, "123456789012345678");
    dataset_close(d);
}

/* Records that no problem can be read from, each after its kind. */
static void test_skip_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"a\":1}",
                                      "3",
                                      "{\"problem\":",
                                      "{\"problem\":\"\",\"answer\":\"1\"}",
                                      "{\"problem\":\"a\"}",
                                      "{\"problem\":\"a\",\"answer\":[]}",
                                      "{\"problem\":\"a\",\"answer\":\"1\",\"level\":6}",
                                      "\xff"};
    const size_t n = sizeof bad / sizeof *bad;
    char text[2048] = "";
    for (size_t i = 0; i < n; i++) {
        char good[64];
        snprintf(good, sizeof good, "\n{\"problem\":\"p\",\"answer\":\"%zu\"}\n", i);
        strcat(text, bad[i]);
        strcat(text, good);
    }
    strcat(text, "{\"problem\":\"a\n{\"problem\":\"z\",\"answer\":99999999999999999999}\n");
    ead_error error = {0};
    struct dataset *d;
    save(file, text);
    if (dataset_open(file, "auto", true, &d, &error)) fail_msg("%s", error.message);
    assert_int_equal(d->n, n + 1);
    assert_int_equal(d->n_skipped, n + 1);
    assert_non_null(strstr(d->skipped, "problems.jsonl, line 1: expected a field"));
    for (size_t i = 0; i < n; i++) assert_int_equal(atoi(d->problems[i].gold), i);
    dataset_close(d);
    save(file, "{\"problem\":3}\n[]\n{");
    assert_int_equal(dataset_open(file, "auto", true, &d, &error), EAD_FORMAT);
    assert_non_null(strstr(error.message, "found 2 bad records; "));
    assert_int_equal(dataset_open(file, "auto", true, &d, NULL), EAD_FORMAT);
    assert_int_equal(dataset_open("/nonexistent/file", "auto", true, &d, &error), EAD_IO);
}

static void test_no_file(void **state)
{
    (void)state;
    ead_error error = {0};
    struct dataset *d;
    assert_int_equal(dataset_open("/nonexistent/file", "auto", false, &d, &error), EAD_IO);
    assert_non_null(strstr(error.message, "/nonexistent/file: cannot open"));
    assert_int_equal(dataset_open("/nonexistent/file", "auto", false, &d, NULL), EAD_IO);
    dataset_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_math),         cmocka_unit_test(test_array),
        cmocka_unit_test(test_mark),         cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_gsm8k),        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_shared_gsm8k), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_long_numbers), cmocka_unit_test(test_skip_bad),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
