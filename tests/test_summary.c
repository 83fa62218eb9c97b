/* What is made of a run's files: intervals, rows, tables, the page. Runs are written by hand here,
 * so that every number can be worked out beside it. */
#include "program.h"
#include "tiny.h"

#include "eval/columns.h"
#include "eval/page.h"
#include "eval/report.h"
#include "eval/stats.h"
#include "eval/summary.h"
#include "eval/table.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PATHS = TINY_PATH_MAX + 64 };

static char dir[TINY_PATH_MAX];
static const char *const files[] = {"run.json",     "results.jsonl", "times.jsonl", "traces.jsonl",
                                    "summary.json", "summary.csv",   "summary.md",  "report.html"};

static const char *path_of(const char *name)
{
    static char path[PATHS];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    tiny_folder(dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(path_of(files[i]));
    return rmdir(dir);
}

static void spill(const char *name, const char *text)
{
    FILE *to = fopen(path_of(name), "w");
    if (!to || fputs(text, to) < 0 || fclose(to)) fail_msg("%s: %s", name, strerror(errno));
}

static char *slurp(const char *name)
{
    FILE *from = fopen(path_of(name), "r");
    if (!from) fail_msg("%s: %s", name, strerror(errno));
    return said_slurp(from, NULL);
}

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance)) fail_msg("expected %.9g, found %.9g", b, a);
}

static char *printed(const struct summary *s, bool color)
{
    FILE *to = tmpfile();
    assert_true(table_print(s, to, color));
    return said_slurp(to, NULL);
}

static void assert_narrow(const char *text)
{
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        int width = 0;
        for (const char *c = line; *c != '\n'; c++) width += (*c & 0xc0) != 0x80;
        if (width > GRID_WIDTH) fail_msg("%d columns: %.*s", width, (int)strcspn(line, "\n"), line);
    }
}

/* ---- intervals ----------------------------------------------------------------------------- */

static void test_wilson(void **state)
{
    (void)state;
    struct interval i = stats_wilson(8, 10);
    assert_near(i.low, 0.490162, 1e-6);
    assert_near(i.high, 0.943318, 1e-6);
    i = stats_wilson(0, 10);
    assert_true(i.low == 0);
    assert_near(i.high, 0.277533, 1e-6);
    i = stats_wilson(10, 10);
    assert_near(i.low, 0.722467, 1e-6);
    assert_true(i.high == 1);
    i = stats_wilson(767, 1000);
    assert_near(i.low, 0.739807, 1e-6);
    assert_near(i.high, 0.792149, 1e-6);
    assert_true(isnan(stats_wilson(0, 0).low));
}

/* Against the normal distribution, which holds for so many problems. */
static void test_bootstrap(void **state)
{
    (void)state;
    enum { N = 1001 };
    double a[N], b[N];
    for (int i = 0; i < N; i++) {
        b[i] = i % 10 < 8;
        a[i] = i % 10 < 7 || i % 50 == 9; /* loses a tenth, wins a fiftieth */
    }
    const double mean = -0.08, deviation = sqrt((0.12 - mean * mean) / N);
    struct interval i = stats_difference(a, b, N);
    assert_near(i.low, mean - 1.96 * deviation, 0.003);
    assert_near(i.high, mean + 1.96 * deviation, 0.003);
    i = stats_ratio(a, b, N);
    assert_near((i.low + i.high) / 2, 0.9, 0.003);
    assert_near(i.high - i.low, 2 * 1.96 * deviation / 0.8, 0.008);
    struct interval again = stats_ratio(a, b, N);
    assert_true(i.low == again.low && i.high == again.high);
}

static void test_bootstrap_ends(void **state)
{
    (void)state;
    const double none[3] = {0}, all[3] = {1, 1, 1}, one[1] = {1};
    assert_true(isnan(stats_ratio(all, none, 3).low));
    assert_true(isnan(stats_ratio(all, all, 0).low));
    assert_true(isnan(stats_difference(all, all, 0).high));
    assert_true(stats_difference(all, none, 3).low == 1);
    assert_true(stats_ratio(none, all, 3).high == 0);
    assert_true(stats_ratio(one, one, 1).low == 1);
}

/* ---- a run --------------------------------------------------------------------------------- */

#define RESULT(setting, policy, problem, level, subject, correct, tokens, large, switches, decode, \
               catchup)                                                                            \
    "{\"setting\":\"" setting "\",\"policy\":\"" policy "\",\"problem\":" #problem                 \
    ",\"level\":" #level ",\"subject\":\"" subject                                                 \
    "\",\"gold\":\"4\",\"pred\":null,\"correct\":" #correct                                        \
    ",\"end\":\"stop\",\"tokens\":" #tokens ",\"large\":" #large ",\"switches\":" #switches        \
    ",\"decode_rows\":" decode ",\"catchup_rows\":" catchup "}\n"
#define TIME(setting, problem, seconds, decode, steps, catchup)                                    \
    "{\"setting\":\"" setting "\",\"problem\":" #problem                                           \
    ",\"parallel\":1,\"threads\":2,\"seconds\":" #seconds ",\"decode_seconds\":" decode            \
    ",\"decode_steps\":" steps ",\"catchup_seconds\":" catchup "}\n"

static const char run_json[] = "{\"models\":{\"small\":{\"name\":\"s.gguf\",\"parameters\":100},"
                               "\"large\":{\"name\":\"l.gguf\",\"parameters\":9000,"
                               "\"active_parameters\":1000}},\"data\":{"
                               "\"file\":\"x\",\"problems\":5}}";

static const char results[] = RESULT(
    "large", "large", 0, 1, "Algebra", true, 11, 11, 0, "[0,10]",
    "[0,0]") RESULT("large", "large", 1, 1, "Geometry", true, 11, 11, 0, "[0,10]",
                    "[0,0]") RESULT("large", "large", 7, 2, "Algebra", true, 11, 11, 0, "[0,10]",
                                    "[0,0]") RESULT("large", "large", 9, 2, "Geometry", false, 11,
                                                    11, 0, "[0,10]", "[0,0]")
    RESULT("ead tau=0.1", "ead\",\"window\":5,\"tau\":0.1,\"x\":\"", 0, 1, "Algebra", true, 11, 4,
           2, "[6,4]",
           "[3,5]") RESULT("ead tau=0.1", "ead", 1, 1, "Geometry", false, 9, 1, 2, "[7,1]", "[1,7]")
        RESULT("ead tau=0.1", "ead", 7, 2, "Algebra", true, 20, 5, 1, "[14,5]",
               "[0,14]") RESULT("random tau=0.1", "random", 0, 1, "Algebra", false, 10, 2, 1,
                                "[7,2]", "[0,7]")
            RESULT("random tau=0.1", "random", 1, 1, "Geometry", false, 10, 3, 1, "[6,3]", "[0,6]")
                RESULT("small", "small", 0, 1, "Algebra", true, 11, 0, 0, "[10,0]", "[0,0]") RESULT(
                    "small", "small",
                    1, 1, "Geometry", false, 11,
                    0, 0, "[10,0]",
                    "[0,0]") "{\"setting\":\"small\",\"policy\":\"sm"; /* cut off in mid-writing */

static const char times[] = TIME("large", 0, 2.0, "[0,1.0]", "[0,10]", "[0,0]")
    TIME("large", 1, 2.0, "[0,1.0]", "[0,10]", "[0,0]")
        TIME("small", 0, 0.2, "[0.1,0]", "[10,0]", "[0,0]")
            TIME("ead tau=0.1", 0, 9.0, "[9,9]", "[1,1]", "[9,9]") /* counts no more: see below */
    TIME("ead tau=0.1", 0, 1.0, "[0.06,0.3]", "[6,3]", "[0.02,0.12]")
        TIME("ead tau=0.1", 7, 3.0, "[0.14,0.5]", "[14,5]", "[0.0,0.14]")
            TIME("ead tau=0.1", 44, 3.0, "[9,9]", "[14,5]", "[9,9]");

static void write_run(void)
{
    spill("run.json", run_json);
    spill("results.jsonl", results);
    spill("times.jsonl", times);
    unlink(path_of("traces.jsonl"));
}

static struct summary *read_summary(void)
{
    ead_error error;
    struct summary *s;
    if (summary_read(dir, NULL, &s, &error)) fail_msg("%s", error.message);
    return s;
}

/* What a row is is worked out in the comments. */
static void test_rows(void **state)
{
    (void)state;
    write_run();
    struct summary *s = read_summary();
    assert_int_equal(s->n_settings, 4);
    assert_int_equal(s->n_problems, 4);
    assert_int_equal(s->n_wanted, 5);
    assert_string_equal(s->rows[0].setting, "small"); /* small, large, ead, random */
    assert_string_equal(s->rows[3].setting, "random tau=0.1");
    const struct summary_row *ead = summary_find(s, "ead tau=0.1", NULL);
    assert_true(ead->problems == 3 && ead->correct == 2 && ead->paired == 3);
    assert_near(ead->tau, 0.1, 0);
    assert_near(ead->accuracy.value, 2.0 / 3, 1e-12);
    assert_near(ead->kept.value, 2.0 / 3, 1e-12); /* large solved all three */
    assert_near(ead->share, 10.0 / 40, 1e-12);
    assert_near(ead->cost, (0.25 * 1000 + 0.75 * 100) / 1000, 1e-12);
    assert_near(ead->switches, 100 * 5.0 / 40, 1e-12);
    assert_near(ead->catchup, 100 * 30.0 / 40, 1e-12);
    assert_near(ead->tokens, 40.0 / 3, 1e-12);
    assert_near(ead->seconds, 4, 1e-12);      /* of the two that were timed */
    assert_near(ead->time.value, 0.5, 1e-12); /* problem 0 alone is timed in both */
    /* 20 rows of the small model at 0.01 s and 9 of the large one at 0.1 s are 1.1 s; it took
     * 0.06 + 0.3 + 0.02 + 0.12 and 0.14 + 0.5 + 0.14. */
    assert_near(ead->overhead, 1.28 / 1.1 - 1, 1e-9);
    assert_near(ead->gain.value, 0.5, 1e-12); /* 1 of 2 where random solved none */
    const struct summary_row *large = summary_find(s, NULL, "large");
    assert_true(large->kept.value == 1 && large->kept.span.low == 1 && isnan(large->gain.value));
    assert_near(large->overhead, 0, 1e-12);
    assert_true(isnan(summary_find(s, NULL, "random")->seconds));
    summary_free(s);
}

/* Two answers say how the processors were shared; a third was timed before that was written. */
static void test_busy(void **state)
{
    (void)state;
    char text[4096];
    const char *const loads[][2] = {{"0.5", "0.1"}, {"1.0", "0.05"}};
    for (int i = 0; i < 2; i++) {
        write_run();
        snprintf(text, sizeof text, "%s", times);
        const double waited = strtod(loads[i][0], NULL) + strtod(loads[i][1], NULL);
        for (int k = 0; k < 2; k++)
            sprintf(text + strlen(text),
                    "{\"setting\":\"%s\",\"problem\":0,\"seconds\":1.0,\"ran_seconds\":3,"
                    "\"waited_seconds\":%s,\"decode_seconds\":[0.1,0],\"decode_steps\":[10,0],"
                    "\"catchup_seconds\":[0,0]}\n",
                    k ? "large" : "ead tau=0.1", loads[i][k]);
        spill("times.jsonl", text);
        struct summary *s = read_summary();
        char *shown = printed(s, false);
        assert_near(load_share(s->load), 6 / (6 + waited), 1e-12);
        assert_near(summary_find(s, NULL, "large")->had, 3 / (3 + strtod(loads[i][1], NULL)),
                    1e-12);
        assert_true(isnan(summary_find(s, NULL, "small")->had));
        assert_int_equal(!strstr(shown, "times mean little"), 6 / (6 + waited) >= 0.9);
        free(shown);
        summary_free(s);
    }
}

/* One of a hundred may be open; threads are none where both models are behind an API. */
static void test_open_decisions(void **state)
{
    (void)state;
    char text[1024];
    for (int open = 1; open <= 2; open++) {
        snprintf(text, sizeof text,
                 "{\"setting\":\"ead tau=1\",\"policy\":\"ead\",\"problem\":0,\"gold\":\"4\","
                 "\"pred\":null,\"correct\":true,\"end\":\"stop\",\"tokens\":100,\"large\":9,"
                 "\"switches\":1,\"entropies_bounded\":40,\"decisions_open\":%d,"
                 "\"decode_rows\":[90,9],\"catchup_rows\":[0,0]}\n",
                 open);
        spill("results.jsonl", text);
        spill("times.jsonl",
              "{\"setting\":\"ead tau=1\",\"problem\":0,\"parallel\":3,\"seconds\":1,"
              "\"decode_seconds\":[0,1],\"decode_steps\":[0,9],"
              "\"catchup_seconds\":[0,0]}\n");
        struct summary *s = read_summary();
        char *shown = printed(s, false);
        assert_int_equal(strstr(shown, "up to 2.0 % of a setting's decisions") != NULL, open == 2);
        assert_non_null(strstr(shown, "timed 3 at a time\n"));
        free(shown);
        summary_free(s);
    }
}

static void test_groups(void **state)
{
    (void)state;
    write_run();
    struct summary *s = read_summary();
    assert_int_equal(s->n_levels, 2);
    assert_int_equal(s->n_subjects, 2);
    assert_string_equal(s->levels[0].name, "Level 1");
    assert_string_equal(s->subjects[1].name, "Geometry");
    assert_near(s->levels[1].rows[1].accuracy.value, 0.5, 1e-12); /* large: 7 yes, 9 no */
    assert_near(s->subjects[1].rows[2].kept.value, 0, 1e-12);     /* ead on 1 */
    assert_true(s->levels[1].rows[0].problems == 0);              /* small never came there */
    assert_true(isnan(s->levels[1].rows[0].accuracy.value));
    summary_free(s);
}

/* A policy that judges: what it read and threw away, and its time by a model of passes. */
static void test_judged(void **state)
{
    (void)state;
    static const char lines[] =
        "{\"setting\":\"large\",\"policy\":\"large\",\"problem\":0,\"gold\":\"4\",\"pred\":null,"
        "\"correct\":true,\"end\":\"stop\",\"tokens\":101,\"large\":101,\"switches\":0,"
        "\"decode_rows\":[0,100],\"catchup_rows\":[0,0],\"catchup_passes\":[0,0],"
        "\"output\":\"a\"}\n"
        "{\"setting\":\"judge\",\"policy\":\"judge\",\"problem\":0,\"gold\":\"4\",\"pred\":null,"
        "\"correct\":false,\"end\":\"stop\",\"tokens\":100,\"large\":5,\"switches\":9,\"judged\":"
        "120,"
        "\"taken_back\":30,\"decode_rows\":[124,5],\"catchup_rows\":[4,120],"
        "\"catchup_passes\":[4,6],\"output\":\"%s\"}\n";
    char text_lines[2048];
    static const char judged_times[] = TIME("large", 0, 2.0, "[0,1.0]", "[0,100]", "[0,0]")
        TIME("judge", 0, 1.0, "[0.1,0]", "[120,0]", "[0,0.5]");
    ead_error error;
    struct summary *s;
    write_run();
    snprintf(text_lines, sizeof text_lines, lines, "b");
    spill("results.jsonl", text_lines);
    spill("times.jsonl", judged_times);
    struct summary_options how = {{.small = 0.2, .row = 0.1}, "large"};
    if (summary_read(dir, &how, &s, &error)) fail_msg("%s", error.message);
    const struct summary_row *row = summary_find(s, "judge", NULL);
    assert_near(row->passes, 6, 1e-12);
    assert_near(row->rows, 125, 1e-12);
    assert_near(row->lost, 30, 1e-12);
    assert_near(row->accepted, 0.75, 1e-12);
    /* Of the small model 124 passes of 128 rows, of the large one 6 of 125; alone 100 of 100. */
    assert_near(row->modelled.value, (0.2 * (124 + 0.1 * 4) + 6 + 0.1 * 119) / 100, 1e-12);
    assert_true(row->same == 0);
    assert_near(row->against.value, -1, 1e-12);
    assert_near(row->against_time.value, 0.5, 1e-12);
    char *text = printed(s, false);
    assert_narrow(text);
    assert_non_null(strstr(text, "L pass"));
    assert_non_null(strstr(text, "The paper's cost, which counts no row that is read, %:"));
    assert_null(strstr(text, "Lossless"));
    free(text);
    summary_free(s);
    snprintf(text_lines, sizeof text_lines, lines, "a");
    spill("results.jsonl", text_lines);
    s = read_summary();
    text = printed(s, false);
    assert_non_null(strstr(text, "Lossless, every answer being the large model's own:\n  judge\n"));
    free(text);
    summary_free(s);
    how.against = "luck";
    assert_int_equal(summary_read(dir, &how, &s, &error), EAD_ARGUMENT);
    assert_non_null(strstr(error.message, "there is no setting \"luck\""));
}

/* Settings of one run may lie in several directories. */
static void test_join(void **state)
{
    (void)state;
    ead_error error;
    struct summary *s;
    write_run();
    const char *const dirs[] = {dir, dir};
    assert_int_equal(summary_join(dirs, 2, NULL, &s, &error), EAD_OK);
    assert_int_equal(s->n_settings, 4);
    assert_true(s->rows[2].problems == 3);
    summary_free(s);
}

static void refuse(const char *file, const char *text, const char *expected)
{
    ead_error error;
    struct summary *s;
    write_run();
    spill(file, text);
    assert_int_equal(summary_read(dir, NULL, &s, &error), EAD_FORMAT);
    if (!strstr(error.message, expected) || !strstr(error.message, file))
        fail_msg("expected \"%s\" and \"%s\" in: %s", file, expected, error.message);
}

static void test_bad_files(void **state)
{
    (void)state;
    refuse("run.json", "[1]", "expected a JSON object");
    refuse("run.json", "{\n\n?", "line 3");
    refuse("results.jsonl", "{\"setting\":\"x\"}\n", "line 1: field \"problem\"");
    refuse("results.jsonl", "\n", "line 1: expected a JSON object");
    refuse("results.jsonl", "{\"setting\":\"\xff\"}\n", "line 1");
    refuse("results.jsonl", RESULT("x", "luck", 0, 1, "", true, 1, 0, 0, "[1,0]", "[0,0]"),
           "field \"policy\": expected the name of a policy, found \"luck\"");
    refuse("results.jsonl", RESULT("x", "small", -1, 1, "", true, 1, 0, 0, "[1,0]", "[0,0]"),
           "field \"problem\"");
    refuse("results.jsonl", RESULT("x", "small", 0, 1, "", 1, 1, 0, 0, "[1,0]", "[0,0]"),
           "field \"correct\": expected true or false, found 1");
    refuse("results.jsonl", RESULT("x", "small", 0, 1, "", true, 1, 0, 0, "[1]", "[0,0]"),
           "field \"decode_rows\"");
    refuse("results.jsonl", RESULT("x", "small", 0, 1, "", true, 1, 0, 0, "[1,0]", "[0,-1]"),
           "field \"catchup_rows\"");
    refuse("times.jsonl", TIME("large", 0, "soon", "[0,1]", "[0,1]", "[0,0]"),
           "field \"seconds\": expected a number, found \"soon\"");
}

/* A run that was stopped before its first answer. */
static void test_empty(void **state)
{
    (void)state;
    ead_error error;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) unlink(path_of(files[i]));
    struct summary *s = read_summary();
    assert_int_equal(s->n_settings, 0);
    char *text = printed(s, false);
    assert_string_equal(text, "0 problems\n");
    free(text);
    assert_int_equal(report_write_all(dir, s, &error), EAD_OK);
    summary_free(s);
}

/* ---- tables -------------------------------------------------------------------------------- */

static void test_terminal(void **state)
{
    (void)state;
    write_run();
    struct summary *s = read_summary();
    char *plain = printed(s, false), *color = printed(s, true);
    assert_narrow(plain);
    assert_null(strchr(plain, '\x1b'));
    assert_non_null(strchr(color, '\x1b'));
    assert_non_null(strstr(plain, "4 problems of 5, timed 1 at a time on 2 threads\n"));
    assert_non_null(strstr(plain, "  ead 0.1: 3 of 4 problems, 3 of them in common with large\n"));
    assert_non_null(strstr(plain, "Accuracy by level, %"));
    assert_non_null(strstr(plain, "random 0.1"));
    free(plain);
    free(color);
    summary_free(s);
}

/* What a column's legend promises stands in the table. */
static void test_intervals_are_shown(void **state)
{
    (void)state;
    const struct measure m = {0.5, {0.25, 0.75}};
    const struct summary_row row = {.setting = "ead",
                                    .policy = "ead",
                                    .accuracy = m,
                                    .kept = m,
                                    .time = m,
                                    .gain = m,
                                    .modelled = m,
                                    .against = m,
                                    .against_time = m};
    for (size_t i = 0; i < n_columns; i++) {
        struct grid_cell cell = {0};
        if (columns[i].prints == HIDDEN) continue;
        column_show(&columns[i], &row, &cell);
        if (!*cell.remark != !strstr(columns[i].help, "interval"))
            fail_msg("%s: \"%s\" beside: %s", columns[i].key, cell.remark, columns[i].help);
    }
}

/* Commas outside of quotes. */
static int fields(const char *line)
{
    int n = 1;
    bool quoted = false;
    for (; *line && *line != '\n'; line++) {
        quoted ^= *line == '"';
        n += *line == ',' && !quoted;
    }
    return n;
}

static void test_csv(void **state)
{
    (void)state;
    ead_error error;
    write_run();
    struct summary *s = read_summary();
    assert_int_equal(report_write_all(dir, s, &error), EAD_OK);
    char *csv = slurp("summary.csv");
    int lines = 0;
    for (const char *line = csv; *line; line = strchr(line, '\n') + 1, lines++)
        assert_int_equal(fields(line), fields(csv));
    assert_int_equal(lines, 1 + 4 * (1 + 2 + 2));
    assert_non_null(strstr(csv, ",accuracy,accuracy_low,accuracy_high,kept,"));
    assert_non_null(strstr(csv, "\nsubject,\"Geometry\",\"ead tau=0.1\",\"ead\",0.1,1,1,0,"));
    free(csv);
    summary_free(s);
}

static void test_json(void **state)
{
    (void)state;
    ead_error error;
    write_run();
    struct summary *s = read_summary();
    assert_int_equal(report_write_all(dir, s, &error), EAD_OK);
    json_t *json = json_load_file(path_of("summary.json"), 0, NULL);
    const json_t *row = json_array_get(json_object_get(json, "rows"), 2);
    assert_string_equal(json_string_value(json_object_get(row, "setting")), "ead tau=0.1");
    assert_int_equal(json_integer_value(json_object_get(row, "problems")), 3);
    assert_near(json_real_value(json_object_get(row, "large_share")), 0.25, 1e-6);
    assert_true(json_is_null(json_object_get(row, "seconds")) == 0);
    row = json_array_get(json_object_get(json, "rows"), 3);
    assert_true(json_is_null(json_object_get(row, "time")));
    assert_int_equal(json_array_size(json_object_get(json, "columns")), n_columns);
    json_decref(json);
    summary_free(s);
}

/* ---- hostile texts ------------------------------------------------------------------------- */

#define EVIL "</script><script>alert(1)</script><!--\\\"'&|\\u2028\\u001b[31m"

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text++) n++;
    return n;
}

static void test_hostile(void **state)
{
    (void)state;
    ead_error error;
    write_run();
    spill("results.jsonl",
          RESULT("large", "large", 0, 1, EVIL, true, 2, 2, 0, "[0,1]", "[0,0]")
              RESULT("ead tau=0.1", "ead", 0, 1, EVIL, true, 2, 1, 1, "[1,1]", "[0,0]"));
    spill("traces.jsonl", "{\"setting\":\"ead tau=0.1\",\"problem\":0,\"text\":\"" EVIL
                          "\",\"pieces\":[\"" EVIL "\",\"b\"],\"writers\":\"SL\","
                          "\"entropy\":[0.1,2.5]}\n");
    struct summary *s = read_summary();
    assert_int_equal(report_write_all(dir, s, &error), EAD_OK);
    char *html = slurp("report.html"), *table = printed(s, false), *markdown = slurp("summary.md");
    assert_int_equal(count(html, "</script"), count(page, "</script"));
    assert_int_equal(count(html, "<script"), count(page, "<script"));
    assert_int_equal(count(html, "<!--"), count(page, "<!--"));
    assert_null(strchr(table, '\x1b'));
    assert_int_equal(count(markdown, "<script"), 0);
    /* What the page reads is what the file said. */
    const char *from = strstr(html, "id=\"data\">") + strlen("id=\"data\">");
    json_t *data = json_loadb(from, (size_t)(strstr(from, "</script") - from), 0, NULL);
    json_t *evil = json_loads("\"" EVIL "\"", JSON_DECODE_ANY, NULL);
    const json_t *subject = json_array_get(json_object_get(data, "subjects"), 0);
    const json_t *trace = json_array_get(json_object_get(data, "traces"), 0);
    assert_true(json_equal(json_object_get(subject, "name"), evil));
    assert_true(json_equal(json_array_get(json_object_get(trace, "pieces"), 0), evil));
    assert_true(json_equal(json_object_get(trace, "subject"), evil));
    json_decref(data);
    json_decref(evil);
    free(html);
    free(table);
    free(markdown);
    summary_free(s);
}

static void refuse_trace(const char *trace, const char *expected)
{
    ead_error error;
    write_run();
    spill("traces.jsonl", trace);
    struct summary *s = read_summary();
    assert_int_equal(report_write_all(dir, s, &error), EAD_FORMAT);
    if (!strstr(error.message, expected)) fail_msg("%s", error.message);
    summary_free(s);
}

static void test_bad_traces(void **state)
{
    (void)state;
#define TRACE "{\"setting\":\"small\",\"problem\":0,\"pieces\":"
    refuse_trace("nothing\n", "traces.jsonl, line 1");
    refuse_trace(TRACE "[\"a\"],\"writers\":\"SS\",\"entropy\":[1]}\n", "field \"writers\"");
    refuse_trace(TRACE "[\"a\"],\"writers\":\"S\",\"entropy\":[]}\n", "field \"entropy\"");
    refuse_trace(TRACE "[1],\"writers\":\"S\",\"entropy\":[1]}\n", "field \"pieces\"");
    refuse_trace(TRACE "[\"a\"],\"writers\":\"S\",\"entropy\":[\"\"]}\n", "field \"entropy\"");
    static const char *const lost[] = {"1",
                                       "[1]",
                                       "[{\"at\":2,\"text\":\"b\",\"entropy\":1}]",
                                       "[{\"at\":-1,\"text\":\"b\",\"entropy\":1}]",
                                       "[{\"at\":0,\"entropy\":1}]",
                                       "[{\"at\":0,\"text\":\"b\"}]",
                                       "[{\"at\":0,\"text\":\"b\",\"entropy\":1,\"p\":0.5}]"};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        char line[256];
        snprintf(line, sizeof line,
                 TRACE "[\"a\"],\"writers\":\"S\",\"entropy\":[1],\"lost\":%s}\n", lost[i]);
        refuse_trace(line, "field \"lost\"");
    }
}

/* A page that asks for nothing. */
static void test_page_is_whole(void **state)
{
    (void)state;
    assert_int_equal(count(page, "http"), count(page, "http://www.w3.org/2000/svg"));
    assert_int_equal(count(page, "@import"), 0);
    assert_int_equal(count(page, "src="), 0);
    assert_int_equal(count(page, "innerHTML"), 0);
    assert_int_equal(count(page, PAGE_MARK), 1);
    assert_null(strstr(page, "@STYLE@"));
    assert_null(strstr(page, "@SCRIPT@"));
}

static void test_unwritable(void **state)
{
    (void)state;
    ead_error error;
    write_run();
    struct summary *s = read_summary();
    assert_int_equal(report_write_all("/nowhere", s, &error), EAD_IO);
    assert_non_null(strstr(error.message, "/nowhere/summary.json"));
    summary_free(s);
}

/* Of every file that a full disk cuts off it is said, and what was there before stays. */
static void test_full_disk(void **state)
{
    (void)state;
    ead_error error;
    write_run();
    struct summary *s = read_summary();
    assert_int_equal(report_write_all(dir, s, &error), EAD_OK);
    struct rlimit whole, narrow;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
    signal(SIGXFSZ, SIG_IGN);
    static const char *const at_fault[] = {"summary.json", "report.html"};
    for (int i = 0; i < 2; i++) {
        narrow = whole;
        narrow.rlim_cur = i ? 30000 : 100;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
        const ead_status st = report_write_all(dir, s, &error);
        setrlimit(RLIMIT_FSIZE, &whole);
        assert_int_equal(st, EAD_IO);
        if (!strstr(error.message, at_fault[i]) || !strstr(error.message, "File too large"))
            fail_msg("%s", error.message);
    }
    signal(SIGXFSZ, SIG_DFL);
    struct stat about;
    assert_int_equal(stat(path_of("report.html"), &about), 0);
    assert_true(about.st_size > 30000);
    summary_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_bootstrap_ends),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_open_decisions),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_judged),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_intervals_are_shown),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_bad_traces),
        cmocka_unit_test(test_page_is_whole),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests_name("summary", tests, set_up, tear_down);
}
