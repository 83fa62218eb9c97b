/*
 * `ead eval` with tiny models: the same bytes at any parallelism and number of threads, also when
 * it was killed, stopped or ran out of room on the way; and what it refuses.
 */
#include "neighbour.h"
#include "program.h"
#include "tiny.h"

#include "kern/kern.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

enum { PROBLEMS = 24, PATHS = TINY_PATH_MAX + 64 };

static char large[TINY_PATH_MAX], small[TINY_PATH_MAX], chat[TINY_PATH_MAX];
static char folder[TINY_PATH_MAX], data[PATHS], dir[PATHS], question[PATHS];
static char *expected, *expected_traces; /* of an undisturbed run */

/* ---- files --------------------------------------------------------------------------------- */

static char *slurp(const char *name)
{
    char path[2 * PATHS];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *from = fopen(path, "r");
    if (!from) fail_msg("%s: %s", path, strerror(errno));
    return said_slurp(from, NULL);
}

static void spill(const char *path, const char *text)
{
    FILE *to = fopen(path, "w");
    if (!to || fputs(text, to) < 0 || fclose(to)) fail_msg("%s: %s", path, strerror(errno));
}

/* Files in a folder; with `empty` they are removed. */
static int list_files(const char *in, bool empty)
{
    int n = 0;
    DIR *d = opendir(in);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char path[2 * PATHS + 256];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", in, entry->d_name);
        if (empty) unlink(path);
        n++;
    }
    if (d) closedir(d);
    return n;
}

static int list_dir(bool empty)
{
    return list_files(dir, empty);
}

static void save_model(struct tiny_spec spec, const char *template_text, char *path)
{
    struct tiny *t = tiny_model(&spec);
    tiny_set_u32(t, "tokenizer.ggml.eos_token_id", 64);
    if (template_text) tiny_set_str(t, "tokenizer.chat_template", template_text);
    tiny_save_model(t, path);
}

static void save_data(void)
{
    FILE *to = fopen(data, "w");
    for (int i = 0; i < PROBLEMS; i++)
        fprintf(to,
                "{\"problem\": \"%d stones sink%s. How many?\", \"level\": \"Level %d\", "
                "\"type\": \"%s\", \"solution\": \"They are $\\\\boxed{%d}$.\"}\n",
                i, i % 5 ? "" : " in the deep water of a quiet lake, one after the other",
                1 + i % 5, i % 2 ? "Algebra" : "Geometry", i);
    fclose(to);
}

static int tear_down(void **state)
{
    (void)state;
    list_dir(true);
    rmdir(dir);
    unlink(large);
    unlink(small);
    unlink(chat);
    unlink(data);
    unlink(question);
    free(expected);
    free(expected_traces);
    return rmdir(folder);
}

/* ---- the program --------------------------------------------------------------------------- */

static const char *words[PROGRAM_ARGS_MAX];

/* The command of every run, with more words behind it. */
static const char *const *command(const char *first, va_list more)
{
    const char *const base[] = {"ead",     "eval",  "-L", large, "-S", small,   "--data",
                                data,      "--out", dir,  "-n",  "40", "--tau", "3.6,4.2",
                                "--dwell", "3",     "-w", "2",   "-t", "1"};
    int n = sizeof base / sizeof *base;
    memcpy(words, base, sizeof base);
    for (const char *word = first; word && n < PROGRAM_ARGS_MAX - 1;
         word = va_arg(more, const char *))
        words[n++] = word;
    words[n] = NULL;
    return words;
}

static struct said eval(const char *first, ...)
{
    va_list more;
    va_start(more, first);
    command(first, more);
    va_end(more);
    return program_run(EAD_PROGRAM, words, NULL, NULL);
}

static pid_t eval_begin(const char *first, ...)
{
    va_list more;
    va_start(more, first);
    command(first, more);
    va_end(more);
    pid_t child = fork();
    if (child) return child;
    freopen("/dev/null", "w", stdout);
    freopen("/dev/null", "w", stderr);
    execv(EAD_PROGRAM, (char **)words);
    _exit(127);
}

static void check_said(struct said said, int status, const char *err)
{
    if (said.status != status || (err && !strstr(said.err, err)))
        fail_msg("status %d (expected %d), stderr: %s\nexpected there: %s", said.status, status,
                 said.err, err ? err : "-");
    said_free(&said);
}

static void check_results(void)
{
    char *results = slurp("results.jsonl"), *traces = slurp("traces.jsonl");
    assert_string_equal(results, expected);
    assert_string_equal(traces, expected_traces);
    free(results);
    free(traces);
}

static int set_up(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    spec.gain = 3;
    spec.n_ctx = 2048;
    save_model(spec, NULL, small);
    save_model(spec, "Problem: {{ messages[-1]['content'] }}\nSolution:", chat);
    spec.n_layer = 3;
    spec.seed += 1;
    save_model(spec, NULL, large);
    tiny_folder(folder);
    snprintf(data, sizeof data, "%s/data.jsonl", folder);
    snprintf(dir, sizeof dir, "%s/out", folder);
    snprintf(question, sizeof question, "%s/question", folder);
    save_data();
    check_said(eval("--parallel", "1", "--threads", "1", NULL), 0, NULL);
    expected = slurp("results.jsonl");
    expected_traces = slurp("traces.jsonl");
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    list_dir(true);
    return 0;
}

/* ---- what a run leaves --------------------------------------------------------------------- */

static double number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value)) fail_msg("no number \"%s\"", name);
    return json_number_value(value);
}

/* The n-th line of a text as an object. */
static json_t *line_at(const char *text, size_t n)
{
    while (n--) text = strchr(text, '\n') + 1;
    json_t *out = json_loadb(text, strcspn(text, "\n"), 0, NULL);
    assert_non_null(out);
    return out;
}

static double sum_pair(const json_t *object, const char *name)
{
    const json_t *list = json_object_get(object, name);
    assert_int_equal(json_array_size(list), 2);
    return json_number_value(json_array_get(list, 0)) + json_number_value(json_array_get(list, 1));
}

static void check_line(const json_t *line, const char *setting, int problem)
{
    assert_string_equal(json_string_value(json_object_get(line, "setting")), setting);
    assert_int_equal(number(line, "problem"), problem);
    assert_int_equal(number(line, "level"), 1 + problem % 5);
    const double tokens = number(line, "tokens"), turns = number(line, "switches") + 1;
    double sum = 0;
    json_t *runs = json_object_get(line, "runs"), *turn;
    size_t i;
    json_array_foreach(runs, i, turn)
    {
        sum += json_number_value(turn);
        assert_true(json_number_value(turn) > 0 || i == 0);
    }
    assert_true(sum == tokens);
    assert_int_equal(json_array_size(runs), turns + !json_number_value(json_array_get(runs, 0)));
    const bool stopped = !strcmp(json_string_value(json_object_get(line, "end")), "stop");
    assert_true(stopped ? tokens <= 40 : tokens == 40);
    assert_true(sum_pair(line, "decode_rows") == tokens - 1);
    const bool right = json_is_true(json_object_get(line, "correct"));
    assert_true(!right || json_is_string(json_object_get(line, "pred")));
}

static void test_results(void **state)
{
    (void)state;
    static const char *const settings[] = {"small",       "large",          "ead tau=3.6",
                                           "ead tau=4.2", "random tau=3.6", "random tau=4.2"};
    double tokens[6] = {0}, by_large[6] = {0}, share[6] = {0};
    int ended = 0;
    for (int s = 0; s < 6; s++)
        for (int p = 0; p < PROBLEMS; p++) {
            json_t *line = line_at(expected, (size_t)(s * PROBLEMS + p));
            check_line(line, settings[s], p);
            tokens[s] += number(line, "tokens");
            by_large[s] += number(line, "large");
            if (s >= 4) share[s] = number(line, "share");
            ended += !strcmp(json_string_value(json_object_get(line, "end")), "stop");
            json_decref(line);
        }
    assert_true(ended > 5 && ended < 6 * PROBLEMS - 5); /* both kinds of end */
    assert_true(by_large[0] == 0 && by_large[1] == tokens[1]);
    for (int s = 4; s < 6; s++) {
        const double wanted = by_large[s - 2] / tokens[s - 2];
        assert_true(wanted > 0.05 && fabs(share[s] - wanted) < 1e-9);
        assert_true(fabs(by_large[s] / tokens[s] - wanted) < 0.12);
    }
    json_t *trace = line_at(expected_traces, 12 * 2 + 3);
    assert_string_equal(json_string_value(json_object_get(trace, "setting")), "ead tau=3.6");
    const size_t n = json_string_length(json_object_get(trace, "writers"));
    assert_int_equal(json_array_size(json_object_get(trace, "pieces")), n);
    assert_int_equal(json_array_size(json_object_get(trace, "entropy")), n);
    json_decref(trace);
}

static void test_company_does_not_matter(void **state)
{
    static const char *const parallel[] = {"1", "3", "8", "200"};
    for (size_t i = 0; i < 4; i++) {
        fresh(state);
        check_said(eval("--parallel", parallel[i], NULL), 0, NULL);
        check_results();
        assert_int_equal(list_dir(false), 8); /* run, three journals, four reports */
    }
    check_said(eval("--parallel", "5", NULL), 0, NULL); /* there is nothing left to do */
    check_results();
}

static void test_threads_do_not_matter(void **state)
{
    static const char *const threads[] = {"1", "2", "2"}, *const parallel[] = {"3", "1", "4"};
    char *first = NULL;
    for (int i = 0; i < 3; i++) {
        fresh(state);
        check_said(eval("-t", threads[i], "-P", parallel[i], "--limit", "3", "-n", "12", "--policy",
                        "ead,random", "--tau", "3.6", NULL),
                   0, NULL);
        char *results = slurp("results.jsonl");
        if (first) assert_string_equal(results, first);
        free(first);
        first = results;
    }
    free(first);
}

/* Times say how busy the machine was, where it tells. A neighbour on our only processor is named on
 * standard error. */
static void test_busy(void **state)
{
    (void)state;
    struct neighbour neighbour;
    if (access("/proc/self/schedstat", R_OK)) skip();
    assert_true(neighbour_start(&neighbour));
    struct said said = eval("--policy", "small,large", NULL);
    neighbour_stop(&neighbour);
    check_said(said, 0, "ead: the machine was busy with other work");
    char *times = slurp("times.jsonl");
    double ran = 0;
    for (size_t i = 0; i < 2 * PROBLEMS; i++) {
        json_t *line = line_at(times, i);
        ran += number(line, "ran_seconds");
        assert_true(number(line, "waited_seconds") >= 0);
        json_decref(line);
    }
    assert_true(ran > 0);
    free(times);
}

/* ---- interruptions ------------------------------------------------------------------------- */

static void wait_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000L * ms}, NULL);
}

static size_t results_size(void)
{
    char path[2 * PATHS];
    struct stat found;
    snprintf(path, sizeof path, "%s/results.jsonl", dir);
    return stat(path, &found) ? 0 : (size_t)found.st_size;
}

/* Let a run of ours come so far, then send it a signal; returns its exit status. */
static int interrupt(int signal_number, size_t bytes, const char *parallel)
{
    pid_t child = eval_begin("--parallel", parallel, "-t", "1", NULL);
    const size_t before = results_size();
    for (int ms = 0; ms < 5000 && results_size() < before + bytes; ms++) wait_ms(1);
    kill(child, signal_number);
    return said_status(child);
}

static void test_killed_runs_go_on(void **state)
{
    (void)state;
    int killed = 0;
    for (int i = 0; i < 12; i++) {
        static const char *const parallel[] = {"1", "3", "8"};
        killed += interrupt(SIGKILL, 1 + strlen(expected) / 16, parallel[i % 3]) == 128 + SIGKILL;
    }
    assert_true(killed >= 3);
    check_said(eval("--parallel", "2", NULL), 0, NULL);
    check_results();
}

/* What a write that was cut off leaves, in every file. */
static void test_torn_lines(void **state)
{
    static const char *const names[] = {"results.jsonl", "times.jsonl", "traces.jsonl"};
    (void)state;
    check_said(eval(NULL), 0, NULL);
    for (int f = 0; f < 3; f++) {
        char path[2 * PATHS];
        char *text = slurp(names[f]);
        snprintf(path, sizeof path, "%s/%s", dir, names[f]);
        assert_int_equal(truncate(path, (off_t)(strlen(text) * (size_t)(f + 1) / 5 + 7)), 0);
        free(text);
    }
    check_said(eval(NULL), 0, NULL);
    check_results();
}

static void test_a_stopped_run_is_clean(void **state)
{
    (void)state;
    const int status = interrupt(SIGINT, 3000, "3");
    if (!status) return; /* it was through before the signal came */
    assert_int_equal(status, 1);
    char *results = slurp("results.jsonl");
    const size_t n = strlen(results);
    assert_true(n > 0 && n < strlen(expected) && results[n - 1] == '\n');
    assert_int_equal(list_dir(false), 8);
    int last = -1, setting = 0;
    for (size_t i = 0, lines = 0; i < n; i++) { /* in order, whichever came first */
        if (results[i] != '\n') continue;
        json_t *line = line_at(results, lines++);
        const int problem = (int)number(line, "problem");
        setting += problem <= last;
        last = problem;
        json_decref(line);
    }
    assert_in_range(setting, 0, 5);
    free(results);
    check_said(eval(NULL), 0, NULL);
    check_results();
}

static void test_a_full_disk(void **state)
{
    (void)state;
    struct rlimit whole, narrow;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
    narrow = whole;
    narrow.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    struct said said = eval("--parallel", "3", NULL);
    setrlimit(RLIMIT_FSIZE, &whole);
    signal(SIGXFSZ, SIG_DFL);
    check_said(said, 1, "jsonl: cannot write: File too large");
    check_said(eval(NULL), 0, NULL);
    check_results();
}

/* Rearranged weights may come from a file: the first run writes it, the second maps it. */
static void test_pack_cache(void **state)
{
    (void)state;
    char cache[PATHS];
    if (!kern_best()->panels) skip();
    snprintf(cache, sizeof cache, "%s/cache", folder);
    for (int run = 0; run < 2; run++) {
        list_dir(true);
        check_said(eval("--pack-cache", cache, NULL), 0, NULL);
        check_results();
        assert_int_equal(list_files(cache, run == 1), 2);
    }
    assert_int_equal(rmdir(cache), 0);
}

static json_t *run_data(void)
{
    char *text = slurp("run.json");
    json_t *run = json_loads(text, 0, NULL), *part = json_incref(json_object_get(run, "data"));
    assert_non_null(part);
    json_decref(run);
    free(text);
    return part;
}

/* Problems from standard input are those of the file, and a run goes on with them. */
static void test_data_from_a_pipe(void **state)
{
    FILE *from = fopen(data, "r");
    char *problems = said_slurp(from, NULL);
    check_said(eval("--limit", "3", "--policy", "small", NULL), 0, NULL);
    json_t *of_file = run_data();
    char *first = slurp("results.jsonl");
    static const char *const paths[] = {"-", "/dev/stdin", "-"};
    fresh(state);
    for (size_t i = 0; i < 3; i++) {
        const char *args[] = {"ead",      "eval",   "-L",      large, "-S",      small,
                              "--data",   paths[i], "--out",   dir,   "-n",      "40",
                              "-w",       "2",      "--dwell", "3",   "--limit", "3",
                              "--policy", "small",  "-t",      "1",   NULL};
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        if (!child) {
            dup2(ends[0], 0);
            close(ends[1]);
            freopen("/dev/null", "w", stdout);
            execv(EAD_PROGRAM, (char **)args);
            _exit(127);
        }
        close(ends[0]);
        assert_int_equal(write(ends[1], problems, strlen(problems)), strlen(problems));
        close(ends[1]);
        assert_int_equal(said_status(child), 0);
    }
    json_t *of_pipe = run_data();
    assert_string_equal(json_string_value(json_object_get(of_pipe, "file")), "-");
    assert_true(json_equal(json_object_get(of_pipe, "hash"), json_object_get(of_file, "hash")));
    char *again = slurp("results.jsonl");
    assert_string_equal(first, again);
    json_decref(of_file);
    json_decref(of_pipe);
    free(problems);
    free(first);
    free(again);
}

/* What cannot be asked counts as not solved and stops nobody; the answers to the others are as
 * ever. */
static void test_long_prompts(void **state)
{
    (void)state;
    int unanswered = 0;
    for (int run = 0; run < 2; run++) {
        struct said said = eval("-c", "80", "-P", run ? "1" : "5", NULL);
        assert_int_equal(said.status, 0);
        assert_non_null(strstr(said.out, "\n  5 problems have no answer"));
        said_free(&said);
        char *results = slurp("results.jsonl"), *summary = slurp("summary.json");
        json_t *table = json_loads(summary, 0, NULL);
        json_t *row = json_array_get(json_object_get(table, "rows"), 0);
        assert_int_equal(number(row, "unanswered"), 5);
        assert_int_equal(number(row, "problems"), PROBLEMS);
        assert_non_null(strstr(summary, "5 problems have no answer"));
        for (int i = 0; i < 6 * PROBLEMS; i++) {
            json_t *line = line_at(results, (size_t)i), *as_ever = line_at(expected, (size_t)i);
            const char *end = json_string_value(json_object_get(line, "end"));
            const bool random = strstr(json_string_value(json_object_get(line, "setting")), "rand");
            if (!strcmp(end, "unanswered")) {
                unanswered++;
                assert_int_equal((int)number(line, "problem") % 5, 0);
                assert_int_equal(number(line, "tokens"), 0);
                assert_true(json_is_false(json_object_get(line, "correct")));
                assert_true(json_is_null(json_object_get(line, "pred")));
            } else if (!random && number(as_ever, "tokens") < 40) { /* the context ended none */
                assert_true(json_equal(line, as_ever));
            }
            json_decref(line);
            json_decref(as_ever);
        }
        json_decref(table);
        free(results);
        free(summary);
        list_dir(true);
    }
    assert_int_equal(unanswered, 2 * 6 * 5);
}

static void test_skip_bad(void **state)
{
    (void)state;
    char bad[PATHS];
    snprintf(bad, sizeof bad, "%s/bad.jsonl", folder);
    spill(bad, "{\"problem\": \"a\", \"answer\": \"1\"}\n"
               "{\"problem\": \"b\", \"answer\": \"1\", \"level\": \"Level 6\"}\n"
               "{\"problem\": \n"
               "{\"problem\": \"c\", \"answer\": \"1\"}\n");
    check_said(eval("--data", bad, "--policy", "small", NULL), 1,
               "bad.jsonl, line 2: field \"level\": expected 1 to 5, found \"Level 6\"");
    struct said said = eval("--data", bad, "--policy", "small", "--skip-bad", NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.err, "left out 2, of which the first: "));
    assert_non_null(strstr(said.err, "line 2: field \"level\""));
    assert_non_null(strstr(said.out, "2 records of the data were skipped"));
    said_free(&said);
    json_t *part = run_data();
    assert_int_equal(number(part, "skipped"), 2);
    assert_int_equal(number(part, "of"), 2);
    json_decref(part);
    unlink(bad);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void test_wrong_usage(void **state)
{
    (void)state;
    check_said(ead("eval", "--out", dir, NULL), 2, "--data FILE is missing");
    check_said(ead("eval", "--data", data, NULL), 2, "--out DIR is missing");
    check_said(eval("--policy", "small,luck", NULL), 2,
               "--policy: expected one of ead, large, small, random, ");
    check_said(eval("--policy", "random", NULL), 2, "random needs ead beside it");
    check_said(eval("--tau", "0.1,much", NULL), 2,
               "--tau: expected a number of bits, found \"much\"");
    check_said(eval("--tau", "0.1,,2", NULL), 2, "--tau: expected a number of bits, found \"\"");
    check_said(eval("--tau", "0.1,0.10", NULL), 2, "--tau: 0.10 stands in the list twice");
    check_said(eval("--tau", "inf", NULL), 2, "found \"inf\"");
    check_said(eval("--format", "csv", NULL), 2, "--format: expected one of auto, math, gsm8k");
    check_said(eval("--parallel", "0", NULL), 2, "--parallel: expected a number from 1 to 256");
    check_said(eval("--template", question, "--system", "x", NULL), 2,
               "--template contradicts --system");
}

static void test_bad_inputs(void **state)
{
    (void)state;
    check_said(eval("--data", "/nowhere/data.jsonl", NULL), 1, "/nowhere/data.jsonl");
    check_said(eval("--template", "/nowhere/question", NULL), 1, "/nowhere/question");
    spill(question, "What is it?");
    check_said(eval("--template", question, NULL), 1, "expected {problem}");
    check_said(eval("-S", "/nowhere/small.gguf", NULL), 1, "/nowhere/small.gguf");
    check_said(ead("eval", "-S", small, "--data", data, "--out", dir, NULL), 1,
               "policy large needs a large model");
    check_said(eval("--ctx", "10", NULL), 1,
               "no prompt fits into a context of 10 tokens; the shortest, of problem 1, has 39");
    check_said(eval("--out", data, "-S", "/nowhere/m", NULL), 1,
               "data.jsonl: cannot open: Not a directory");
    check_said(eval("--out", "/nowhere/at/all", "-S", "/nowhere/m", NULL), 1,
               "/nowhere/at/all: cannot create");
    check_said(eval("-L", small, "-S", large, "-c", "4", NULL), 1, "may be swapped");
    check_said(eval("-c", "2049", "--limit", "1", "--policy", "small", "-n", "1", NULL), 0,
               "a context of 2049 tokens is beyond the 2048");
    list_dir(true);
    assert_int_equal(list_dir(false), 0);
}

/* One field after the other differs from the run that was begun. */
static void test_other_runs_are_refused(void **state)
{
    (void)state;
    check_said(eval("--policy", "small", "--limit", "5", NULL), 0, NULL);
    static const char *const others[][3] = {
        {"-n", "41", "field \"predict\": this run has 41, the one begun there 40"},
        {"-L", small, "field \"models.large."},
        {"--limit", "6", "field \"data.problems\": this run has 6, the one begun there 5"},
        {"--seed", "1", "field \"seed\""},
        {"--cpu", "ref", "field \"cpu\": this run has \"ref\""},
        {"--cache-type", "q8_0", "field \"cache_type\": this run has \"q8_0\""},
        {"--window", "3", "field \"window\""},
        {"--policy", "large", "field \"settings\""},
        {"--ctx", "200", "field \"ctx\""},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_said(eval("--policy", "small", "--limit", "5", others[i][0], others[i][1], NULL), 1,
                   others[i][2]);
    spill(question, "{problem} {problem}!");
    check_said(eval("--policy", "small", "--limit", "5", "--template", question, NULL), 1,
               "field \"prompt\"");
    check_said(eval("--policy", "small", "--limit", "5", "--parallel", "3", NULL), 0, NULL);
}

static void test_foreign_lines_are_refused(void **state)
{
    (void)state;
    char path[2 * PATHS];
    snprintf(path, sizeof path, "%s/results.jsonl", dir);
    mkdir(dir, 0777);
    spill(path, "{}\n");
    check_said(eval("--policy", "small", NULL), 1, "results without a run.json");
    unlink(path);
    check_said(eval("--policy", "small", "--limit", "5", NULL), 0, NULL);
    spill(path, "{\"setting\": \"small\", \"problem\": 1000}\n");
    check_said(eval("--policy", "small", "--limit", "5", NULL), 1,
               "results.jsonl, line 1: field \"problem\": expected one of this run, found 1000");
    spill(path, "{\"setting\": \"huge\", \"problem\": 1}\n");
    check_said(eval("--policy", "small", "--limit", "5", NULL), 1, "field \"setting\"");
    spill(path, "neither\n");
    check_said(eval("--policy", "small", "--limit", "5", NULL), 1, "results.jsonl, line 1");
}

static void test_one_process_at_a_time(void **state)
{
    (void)state;
    mkdir(dir, 0777);
    int fd = open(dir, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    check_said(eval(NULL), 1, "another process is writing there");
    assert_int_equal(list_dir(false), 0);
    close(fd);
    check_said(eval("--policy", "small", "--limit", "2", NULL), 0, NULL);
}

/* ---- prompts ------------------------------------------------------------------------------- */

static void check_prompt(const char *prompt)
{
    char *text = slurp("run.json");
    json_t *run = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(run, "prompt")), prompt);
    json_decref(run);
    free(text);
    list_dir(true);
}

static void test_prompts(void **state)
{
    (void)state;
    const char *const few[] = {"--policy", "small", "--limit", "2"};
    check_said(eval(few[0], few[1], few[2], few[3], NULL), 0, NULL);
    check_prompt("Problem: {problem}\nSolution:");
    check_said(eval(few[0], few[1], few[2], few[3], "-S", chat, "-L", chat, NULL), 0, NULL);
    check_prompt("Problem: {problem}\nSolution:");
    check_said(
        eval(few[0], few[1], few[2], few[3], "--chat-template", "chatml", "--system", "Hm", NULL),
        0, NULL);
    check_prompt("<|im_start|>system\nHm<|im_end|>\n<|im_start|>user\n{problem}\n\nPut the final "
                 "answer in \\boxed{}.<|im_end|>\n<|im_start|>assistant\n");
    spill(question, "<{{ messages[0].content }}>{{ x }}{{ strftime_now('%d.%m.%y') }}");
    check_said(eval(few[0], few[1], few[2], few[3], "--chat-template", question, "--template-arg",
                    "x=1.50", "--verbose-prompt", NULL),
               0, "--- prompt ---\n<");
    check_prompt("<{problem}\n\nPut the final answer in \\boxed{}.>1.526.07.24");
    spill(question, "\xef\xbb\xbfQ: {problem}\nAgain: {problem}\nA:");
    check_said(eval(few[0], few[1], few[2], few[3], "--template", question, NULL), 0, NULL);
    check_prompt("Q: {problem}\nAgain: {problem}\nA:");
}

/* ---- an oracle ----------------------------------------------------------------------------- */

/* The text of a result, and how many of its tokens the large model wrote. */
static const char *written(const char *results, size_t line, json_t **to, double *by_large)
{
    *to = line_at(results, line);
    *by_large = number(*to, "large");
    return json_string_value(json_object_get(*to, "output"));
}

/* The large model's text in the first half of the results, the oracle's in the second: it repeats
 * that, and asks for fewer tokens. */
static void check_repeats(const char *results, size_t n)
{
    double sum = 0, of = 0;
    for (size_t p = 0; p < n; p++) {
        json_t *a, *b;
        double its, all;
        const char *text = written(results, p, &a, &all);
        assert_string_equal(written(results, n + p, &b, &its), text);
        assert_string_equal(json_string_value(json_object_get(b, "setting")), "oracle");
        assert_true(number(a, "tokens") == number(b, "tokens"));
        sum += its;
        of += all;
        json_decref(a);
        json_decref(b);
    }
    assert_true(sum > 0 && sum < of);
}

/* The first n lines of the results are what a run that was stopped has left. */
static void keep_lines(const char *results, int n)
{
    char path[2 * PATHS];
    const char *end = results;
    while (n--) end = strchr(end, '\n') + 1;
    char *part = strndup(results, (size_t)(end - results));
    snprintf(path, sizeof path, "%s/results.jsonl", dir);
    spill(path, part);
    free(part);
}

/* Also in a run that goes on. */
static void test_oracle(void **state)
{
    enum { N = 8 };
    char *results[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        check_said(eval("--policy", "oracle,large", "--limit", "8", NULL), 0, NULL);
        results[i] = slurp("results.jsonl");
        if (!i) keep_lines(results[0], N + N / 2);
    }
    check_repeats(results[0], N);
    assert_string_equal(results[1], results[0]);
    free(results[0]);
    free(results[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test_setup(test_company_does_not_matter, fresh),
        cmocka_unit_test_setup(test_threads_do_not_matter, fresh),
        cmocka_unit_test_setup(test_busy, fresh),
        cmocka_unit_test_setup(test_killed_runs_go_on, fresh),
        cmocka_unit_test_setup(test_torn_lines, fresh),
        cmocka_unit_test_setup(test_a_stopped_run_is_clean, fresh),
        cmocka_unit_test_setup(test_a_full_disk, fresh),
        cmocka_unit_test_setup(test_pack_cache, fresh),
        cmocka_unit_test_setup(test_data_from_a_pipe, fresh),
        cmocka_unit_test_setup(test_long_prompts, fresh),
        cmocka_unit_test_setup(test_skip_bad, fresh),
        cmocka_unit_test_setup(test_wrong_usage, fresh),
        cmocka_unit_test_setup(test_bad_inputs, fresh),
        cmocka_unit_test_setup(test_other_runs_are_refused, fresh),
        cmocka_unit_test_setup(test_foreign_lines_are_refused, fresh),
        cmocka_unit_test_setup(test_one_process_at_a_time, fresh),
        cmocka_unit_test_setup(test_prompts, fresh),
        cmocka_unit_test_setup(test_oracle, fresh),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
