/* The program and what lies around it: descriptors, disks, names of files, values nobody means. */
#include "ead.h"
#include "program.h"
#include "tiny.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

static char large[TINY_PATH_MAX], small[TINY_PATH_MAX];
static char folder[TINY_PATH_MAX], trace[TINY_PATH_MAX + 16], scrap[TINY_PATH_MAX + 16];

static void save_model(const struct tiny_spec *spec, char *path)
{
    struct tiny *t = tiny_model(spec);
    tiny_save_model(t, path);
}

static int set_up(void **state)
{
    (void)state;
    setenv("EAD_MODELS", "/nowhere", 1); /* no shipped pair: what is not named is missing */
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    spec.n_ctx = 2048;
    save_model(&spec, small);
    spec.n_layer = 3;
    spec.seed += 1;
    save_model(&spec, large);
    tiny_folder(folder);
    snprintf(trace, sizeof trace, "%s/trace.jsonl", folder);
    snprintf(scrap, sizeof scrap, "%s/scrap", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(large);
    unlink(small);
    unlink(trace);
    unlink(scrap);
    return rmdir(folder);
}

/* ---- values ------------------------------------------------------------------------------ */

/* Options and help know every level that the library knows. */
static void test_levels(void **state)
{
    (void)state;
    static const char *const commands[] = {"run", "chat", "bench", "eval", "calibrate", "logits"};
    char list[256] = "auto";
    for (size_t i = 0; ead_cpu_name(i); i++) {
        strcat(list, ead_cpu_name(i + 1) ? ", " : " or ");
        strcat(list, ead_cpu_name(i));
        assert_said(ead("run", "--cpu", ead_cpu_name(i), "-p", "x", NULL), 2, NULL, "--large FILE");
    }
    assert_true(strlen(list) > strlen("auto or ref"));
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        assert_said(ead(commands[i], "--help", NULL), 0, list, NULL);
}

/* The beginning of an option's line in --help: "  -w, --window N", "      --tau BITS". */
static void option_line(const ead_policy_option *option, char out[96])
{
    const char letter[] = {option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
                           option->letter ? ',' : ' ', 0};
    snprintf(out, 96, "\n  %s --%s%s%s ", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
}

/* Options, commands of a chat and help know every option of policies that the library knows. */
static void test_policy_options(void **state)
{
    (void)state;
    static const char *const commands[] = {"run", "chat"};
    const char *talk[] = {"ead", "chat", "-S", small, "--chat-template", "chatml", NULL};
    struct said slashes = program_run(EAD_PROGRAM, talk, "/help\n/show\n", NULL);
    const ead_policy_option *option;
    size_t n = 0;
    for (; (option = ead_policy_option_at(n)); n++) {
        char line[96], name[64];
        option_line(option, line);
        for (size_t c = 0; c < sizeof commands / sizeof *commands; c++)
            assert_said(ead(commands[c], "--help", NULL), 0, line, NULL);
        snprintf(name, sizeof name, "\n  /%s ", option->name);
        if (n && !strstr(slashes.err, name)) fail_msg("/help: no %s\n%s", name, slashes.err);
        snprintf(name, sizeof name, ", %s ", option->name);
        if (!strstr(slashes.err, name)) fail_msg("/show: no %s\n%s", name, slashes.err);
    }
    assert_true(n > 1);
    assert_said(slashes, 0, NULL, NULL);
    assert_said(ead("run", "--help", NULL), 0, "(default: 0.25)", NULL);
    assert_said(ead("run", "--help", NULL), 0, "small or large (default: small)", NULL);
}

/* Every policy but a program's own can be chosen by its name. */
static void test_policy_names(void **state)
{
    (void)state;
    const ead_policy_info *info;
    char all[256] = "", numbers[256] = "";
    for (int kind = 0; (info = ead_policy_describe((ead_policy_kind)kind)); kind++) {
        const bool own = kind == EAD_POLICY_CUSTOM;
        const bool replays = kind == EAD_POLICY_REPLAY;
        assert_said(ead("run", "-S", "/nowhere/m", "-L", "/nowhere/m", "-p", "x", "--policy",
                        info->name, NULL),
                    own || replays ? 2 : 1, NULL,
                    own       ? "--policy: expected one of"
                    : replays ? "--policy replay needs --replay FILE"
                              : "/nowhere/m");
        for (int w = 0; w < EAD_WRITERS && !own && !replays; w++) { /* one model is there */
            const bool lacks = info->needs[w];
            assert_said(ead("run", w == EAD_LARGE ? "-S" : "-L", "/nowhere/m", "-p", "x",
                            "--policy", info->name, NULL),
                        lacks ? 2 : 1, NULL,
                        !lacks           ? "/nowhere/m"
                        : w == EAD_LARGE ? "needs --large FILE"
                                         : "needs --small FILE");
        }
        if (!info->needs_data) strcat(strcat(numbers, *numbers ? ", " : ""), info->name);
    }
    snprintf(all, sizeof all, "%s, replay", numbers); /* what needs data stands last */
    assert_said(ead("run", "--policy", "luck", NULL), 2, NULL, all);
    const char *talk[] = {"ead",    "chat", "-S", small, "-L", large, "--chat-template",
                          "chatml", NULL};
    char *last = strrchr(numbers, ',');
    *last = 0;
    assert_said(program_run(EAD_PROGRAM, talk, "/policy replay\n/help\n", NULL), 0, NULL, numbers);
}

/* What a chat makes of values: each sort of option, set and refused. */
static void test_policy_values(void **state)
{
    (void)state;
    const char *talk[] = {"ead",    "chat", "-S", small, "-L", large, "--chat-template",
                          "chatml", NULL};
    struct said said = program_run(EAD_PROGRAM, talk,
                                   "/tau 0.75\n/window 7\n/start large\n/clear-window on\n"
                                   "/policy random\n/share 0.5\n/show\n/start nobody\n"
                                   "/clear-window perhaps\n/share 2\n/share\n/clear-window off\n"
                                   "/policy ead\n/show\n",
                                   NULL);
    static const char *const expected[] = {
        "policy random, tau 0.75, window 7, dwell 10, start large, clear-window on, share 0.5, ",
        "/start: expected one of small, large, found \"nobody\"",
        "/clear-window: expected one of off, on, found \"perhaps\"",
        "/share: expected a number from 0 to 1, found \"2\"",
        "/share: the value P is missing",
        "policy ead, tau 0.75, window 7, dwell 10, start large, clear-window off, share 0.5, "};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(said.err, expected[i])) fail_msg("no %s in\n%s", expected[i], said.err);
    assert_said(said, 0, NULL, NULL);
}

/* What a variable that is not set makes of an option. */
static void test_empty_values(void **state)
{
    (void)state;
    static const char *const options[][2] = {
        {"run", "--trace="},   {"run", "--json="},        {"run", "-L"},
        {"run", "--profile="}, {"chat", "--pack-cache="}, {"eval", "--out="},
        {"eval", "--data="},   {"eval", "--tau="},        {"calibrate", "--work="},
        {"bench", "-m"},       {"bench", "--passes="},    {"logits", "-o"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const bool letter = options[i][1][1] != '-';
        assert_said(ead(options[i][0], options[i][1], letter ? "" : NULL, NULL), 2, NULL,
                    ", found \"\"");
    }
    assert_said(ead("run", "-S", small, "-p", "", "-n", "1", NULL), 0, NULL, "tokens");
}

/* A byte order mark, as some editors put it before a text, is no part of it. */
static void test_mark(void **state)
{
    (void)state;
    FILE *file = fopen(scrap, "w");
    fputs("\xef\xbb\xbf{\"model\": \"small\"}\n{\"model\": \"large\"}\n", file);
    fclose(file);
    assert_said(ead("run", "-L", large, "-S", small, "-p", "x", "-n", "4", "--replay", scrap, NULL),
                0, NULL, NULL);
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) n++;
    return n;
}

/* Both models were trained on 2048 tokens. */
static void test_advice(void **state)
{
    (void)state;
    static const char beyond[] = "a context of 2049 tokens is beyond the 2048";
    static const char swapped[] = "may be swapped";
    const char *const pairs[][2] = {{large, small}, {small, large}, {small, small}};
    for (int i = 0; i < 3; i++) {
        const char *const contexts[] = {"2048", "2049"};
        for (int c = 0; c < 2; c++) {
            struct said said = ead("run", "-L", pairs[i][0], "-S", pairs[i][1], "-p", "x", "-n",
                                   "2", "-c", contexts[c], NULL);
            assert_int_equal(said.status, 0);
            assert_int_equal(count(said.err, beyond), c);
            assert_int_equal(count(said.err, swapped), i == 1);
            said_free(&said);
        }
    }
    assert_said(ead("bench", "-L", small, "-S", large, "-g", "2", "-r", "1", NULL), 0, NULL,
                swapped);
}

/* ---- outputs ----------------------------------------------------------------------------- */

static void test_full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK)) {
        print_message("no /dev/full: skipped\n");
        skip();
    }
    const char *args[] = {"ead", "run", "-S", small, "-p", "x", "-n", "5", NULL};
    assert_said(program_run(EAD_PROGRAM, args, NULL, "/dev/full"), 1, NULL, "No space left");
    assert_said(ead("run", "-S", small, "-p", "x", "-n", "3", "--trace", "/dev/full", NULL), 1,
                NULL, "/dev/full");
    assert_said(ead("run", "-S", small, "-p", "x", "-n", "3", "--json", "/dev/full", NULL), 1, NULL,
                "/dev/full");
    assert_said(ead("logits", "-m", small, "--ids", "1,2", "-o", "/dev/full", NULL), 1, NULL,
                "/dev/full");
    static const char *const shown[][6] = {{"ead", "--help"},
                                           {"ead", "bench", "--help"},
                                           {"ead", "inspect", small},
                                           {"ead", "tokenize", "-m", small},
                                           {"ead", "logits", "-m", small, "--ids=1", "-o-"}};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *words[7] = {NULL};
        memcpy(words, shown[i], sizeof shown[i]);
        assert_said(program_run(EAD_PROGRAM, words, "some text", "/dev/full"), 1, NULL,
                    "standard output: No space left");
    }
}

/* The program with one of its standard descriptors closed; the others go to files. */
static struct said without(int closed, const char *const *args)
{
    FILE *to[] = {tmpfile(), tmpfile(), tmpfile()};
    const pid_t child = fork();
    if (!child) {
        for (int fd = 0; fd < 3; fd++) dup2(fileno(to[fd]), fd);
        for (int fd = 0; fd < 3; fd++) close(fileno(to[fd]));
        close(closed);
        execv(EAD_PROGRAM, (char **)args);
        _exit(127);
    }
    struct said said = {.status = said_status(child)};
    said.out = said_slurp(to[1], &said.n_out);
    said.err = said_slurp(to[2], NULL);
    fclose(to[0]);
    return said;
}

/* Every line of a file is JSON. */
static void check_trace(int lines)
{
    char line[1 << 12];
    int n = 0;
    FILE *file = fopen(trace, "r");
    for (; fgets(line, sizeof line, file); n++) {
        json_t *object = json_loads(line, 0, NULL);
        if (!object) fail_msg("%s: line %d: %s", trace, n + 1, line);
        json_decref(object);
    }
    fclose(file);
    assert_int_equal(n, lines);
}

/* Text meant for a closed descriptor goes nowhere, least of all into the file that was opened
 * next. */
static void test_closed_descriptors(void **state)
{
    (void)state;
    const char *write[] = {"ead",     "run",   "-S",           small, "-p",      "a",
                           "-n",      "6",     "-c",           "64",  "--trace", trace,
                           "--color", "never", "--ignore-eos", NULL};
    const char *help[] = {"ead", "--help", NULL}, *show[] = {"ead", "inspect", small, NULL};
    const char *read[] = {"ead", "tokenize", "-m", small, NULL};
    const char *talk[] = {"ead", "chat", "-S", small, "--chat-template", "chatml", NULL};
    assert_said(without(0, write), 0, NULL, "decode_rows");
    check_trace(6);
    assert_said(without(1, write), 1, NULL, "standard output: Bad file descriptor");
    check_trace(1); /* a token that could not be shown ends it */
    assert_said(without(2, write), 0, "\n", NULL);
    check_trace(6);
    assert_said(without(1, help), 1, NULL, "standard output: Bad file descriptor");
    assert_said(without(1, show), 1, NULL, "standard output: Bad file descriptor");
    assert_said(without(0, read), 1, NULL, "standard input: cannot read: Bad file descriptor");
    assert_said(without(0, talk), 1, NULL, "standard input: cannot read: Bad file descriptor");
}

/* What cannot be written is said before a model is opened, and what is there stays. */
static void test_outputs_come_first(void **state)
{
    (void)state;
    static const char *const options[] = {"--trace", "--json"};
    char absent[TINY_PATH_MAX + 32];
    snprintf(absent, sizeof absent, "%s/absent", folder);
    FILE *file = fopen(scrap, "w");
    fputs("kept", file);
    fclose(file);
    for (int i = 0; i < 2; i++) {
        assert_said(ead("run", "-S", "/nowhere/m", "-p", "x", options[i], folder, NULL), 1, NULL,
                    "expected a file, found a folder");
        assert_said(ead("run", "-S", "/nowhere/m", "-p", "x", options[i], "/nowhere/o", NULL), 1,
                    NULL, "/nowhere/o: cannot create");
        assert_said(ead("run", "-S", "/nowhere/m", "-p", "x", options[i], scrap, NULL), 1, NULL,
                    "/nowhere/m: ");
        assert_said(ead("run", "-S", "/nowhere/m", "-p", "x", options[i], absent, NULL), 1, NULL,
                    "/nowhere/m: ");
    }
    assert_said(ead("logits", "-m", "/nowhere/m", "--ids", "1", "-o", folder, NULL), 1, NULL,
                "expected a file, found a folder");
    char again[2 * TINY_PATH_MAX];
    snprintf(again, sizeof again, "%s/./scrap", folder);
    assert_said(ead("run", "-S", small, "-p", "x", "--json", again, "--trace", scrap, NULL), 2,
                NULL, "--trace and --json: expected two files, found one");
    assert_said(ead("run", "-S", small, "-p", "x", "--json", absent, "--trace", absent, NULL), 2,
                NULL, "--trace and --json: expected two files, found one");
    assert_said(ead("run", "-S", small, "-p", "x", "-n", "1", "--json", "/dev/null", "--trace",
                    "/dev/null", NULL),
                0, NULL, NULL);
    assert_int_equal(access(absent, F_OK), -1);
    file = fopen(scrap, "r");
    char *text = said_slurp(file, NULL);
    assert_string_equal(text, "kept");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_policy_options),
        cmocka_unit_test(test_policy_names),
        cmocka_unit_test(test_policy_values),
        cmocka_unit_test(test_empty_values),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_closed_descriptors),
        cmocka_unit_test(test_outputs_come_first),
    };
    return cmocka_run_group_tests_name("edges", tests, set_up, tear_down);
}
