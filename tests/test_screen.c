/* What is shown, traced and summed up of a text from which tokens are taken back: before they were
 * told, as a judgement does, or afterwards, as a program's own policy may. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/pair.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "tiny.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- what the program has around these files --------------------------------------------- */

struct pair_options pair_options;
const char *const pair_caches[] = {"f16", NULL};

static char fault[1024];

int(fail)(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(fault, sizeof fault, format, list);
    va_end(list);
    return EXIT_FAIL;
}

ead_policy_options pair_policy(const struct pair *p)
{
    (void)p;
    return pair_options.policy;
}

const ead_model *pair_speaker(const struct pair *p)
{
    return p->large;
}

int fail_error(const ead_error *error)
{
    return (fail)("%s", error->message);
}

/* ---- two models -------------------------------------------------------------------------- */

static ead_model *large, *small;
static char folder[TINY_PATH_MAX], trace[TINY_PATH_MAX + 16];

static ead_model *open_model(int n_layer)
{
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    ead_error error;
    ead_model *model;
    char path[TINY_PATH_MAX];
    spec.n_layer = n_layer;
    spec.seed += (uint64_t)n_layer;
    struct tiny *t = tiny_model(&spec);
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, path);
    if (ead_model_open(path, NULL, &model, &error)) fail_msg("%s", error.message);
    unlink(path);
    tiny_image_free(image);
    tiny_free(t);
    return model;
}

static int set_up(void **state)
{
    (void)state;
    large = open_model(3);
    small = open_model(2);
    tiny_folder(folder);
    snprintf(trace, sizeof trace, "%s/trace.jsonl", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ead_model_close(large);
    ead_model_close(small);
    unlink(trace);
    return rmdir(folder);
}

/* ---- standard output ----------------------------------------------------------------------- */

static int kept_stdout;
static FILE *shown;

static void begin_showing(void)
{
    fflush(stdout);
    kept_stdout = dup(STDOUT_FILENO);
    shown = tmpfile();
    dup2(fileno(shown), STDOUT_FILENO);
}

/* What was shown meanwhile; a NUL among it reads as a blank. */
static void end_showing(char *out, size_t room)
{
    fflush(stdout);
    dup2(kept_stdout, STDOUT_FILENO);
    close(kept_stdout);
    rewind(shown);
    const size_t n = fread(out, 1, room - 1, shown);
    for (size_t i = 0; i < n; i++)
        if (!out[i]) out[i] = ' ';
    out[n] = 0;
    fclose(shown);
}

/* ---- the screen ---------------------------------------------------------------------------- */

static struct screen open_screen(bool color)
{
    struct screen screen = {.color = color, .lost = color, .trace_path = trace};
    assert_int_equal(screen_open(&screen, small, 0), EXIT_OK);
    return screen;
}

static int32_t id_of(const char *text)
{
    ead_error error;
    int32_t *ids;
    size_t n;
    assert_int_equal(ead_tokenize(small, text, strlen(text), 0, &ids, &n, &error), EAD_OK);
    const int32_t last = ids[n - 1];
    ead_free(ids);
    return last;
}

/* Tokens by hand: a and b by the small model, then c by the large one in place of `back` of them,
 * which stands there as `marker`. */
static void check_marker(bool color, int back, const char *expected)
{
    char out[256];
    struct screen screen = open_screen(color);
    const ead_token tokens[] = {
        {.id = id_of("a"), .writer = EAD_SMALL},
        {.id = id_of("b"), .writer = EAD_SMALL},
        {.id = id_of("c"), .writer = EAD_LARGE, .taken_back = back},
    };
    begin_showing();
    int status = EXIT_OK;
    for (int i = 0; i < 3 && !status; i++) status = screen_token(&screen, &tokens[i]);
    if (!status) status = screen_end(&screen);
    end_showing(out, sizeof out);
    screen_close(&screen);
    assert_int_equal(status, EXIT_OK);
    assert_string_equal(out, expected);
}

static void test_marker(void **state)
{
    (void)state;
    check_marker(false, 0, " abc\n");
    check_marker(false, 1, " ab\n[-1 token]c\n");
    check_marker(false, 2, " ab\n[-2 tokens]c\n");
    check_marker(true, 0, "\033[36m ab\033[33mc\033[0m\n");
    check_marker(true, 2, "\033[36m ab\033[0m\033[2m\n[-2 tokens]\033[0m\033[33mc\033[0m\n");
}

/* The beginning of a character that was taken back is not shown before what stands in its place. */
static void test_half_character(void **state)
{
    (void)state;
    char out[256];
    struct screen screen = open_screen(false);
    ead_error error;
    int32_t *ids;
    size_t n;
    assert_int_equal(ead_tokenize(small, "\xc3\xa9", 2, 0, &ids, &n, &error), EAD_OK);
    assert_true(n >= 2); /* a token a byte */
    const ead_token begun = {.id = ids[n - 2]};
    const ead_token instead = {.id = id_of("c"), .writer = EAD_LARGE, .taken_back = 1};
    ead_free(ids);
    begin_showing();
    int status = screen_token(&screen, &begun);
    if (!status) status = screen_token(&screen, &instead);
    end_showing(out, sizeof out);
    screen_close(&screen);
    assert_int_equal(status, EXIT_OK);
    assert_string_equal(out, "\n[-1 token]c");
}

/* Two tokens that were refused between a and b: with `lost`, they are seen. */
static void check_lost(bool color, bool lost, const char *expected)
{
    char out[256];
    struct screen screen = open_screen(color);
    screen.lost = lost;
    const ead_token tokens[] = {
        {.id = id_of("a")},
        {.id = id_of("b"), .lost = true},
        {.id = id_of("\n"), .lost = true},
        {.id = id_of("b"), .writer = EAD_LARGE},
        {.id = id_of("b"), .lost = true},
    };
    begin_showing();
    int status = EXIT_OK;
    for (int i = 0; i < 5 && !status; i++) status = screen_token(&screen, &tokens[i]);
    if (!status) status = screen_end(&screen);
    end_showing(out, sizeof out);
    screen_close(&screen);
    assert_int_equal(status, EXIT_OK);
    assert_string_equal(out, expected);
}

static void test_lost(void **state)
{
    (void)state;
    check_lost(false, false, " ab\n");
    check_lost(true, false, "\033[36m a\033[33mb\033[0m\n");
    check_lost(false, true, " a[-b\u23ce-]b[-b-]\n");
    check_lost(true, true,
               "\033[36m a\033[0m\033[2;9mb\u23ce\033[0m\033[33mb\033[0m\033[2;9mb\033[0m\n");
    assert_true(screen_wants_lost(LOST_AUTO, true) && !screen_wants_lost(LOST_AUTO, false));
    assert_true(screen_wants_lost(LOST_SHOW, false) && !screen_wants_lost(LOST_HIDE, true));
}

/* Half a character that is lost is not joined with what stands, nor with what is lost later. */
static void test_half_lost(void **state)
{
    (void)state;
    char out[256];
    struct screen screen = open_screen(false);
    ead_error error;
    int32_t *ids;
    size_t n;
    screen.lost = true;
    assert_int_equal(ead_tokenize(small, "\xc3\xa9", 2, 0, &ids, &n, &error), EAD_OK);
    assert_true(n >= 2);
    const ead_token first = {.id = ids[n - 2]}, second = {.id = ids[n - 1], .writer = EAD_LARGE};
    ead_token lost = {.id = ids[n - 2], .lost = true};
    ead_free(ids);
    begin_showing();
    int status = screen_token(&screen, &first);
    if (!status) status = screen_token(&screen, &lost);
    if (!status) status = screen_token(&screen, &second);
    end_showing(out, sizeof out);
    screen_close(&screen);
    assert_int_equal(status, EXIT_OK);
    assert_string_equal(out, "\u00e9");
}

/* ---- the trace ----------------------------------------------------------------------------- */

static void write_lines(const char *lines)
{
    FILE *file = fopen(trace, "w");
    fputs(lines, file);
    fclose(file);
}

#define S              "{\"model\": \"small\"}\n"
#define L              "{\"model\": \"large\"}\n"
#define BACK(n, model) "{\"taken_back\": " n ", \"model\": \"" model "\"}\n"

/* Of lines by hand: the writers of the text that is left, as letters; NULL: refused. */
static void check_lines(const char *lines, const char *expected)
{
    ead_replay *writers = NULL;
    size_t n;
    write_lines(lines);
    if (trace_read(trace, &writers, &n)) {
        if (expected) fail_msg("%s", fault);
        return;
    }
    assert_non_null(expected);
    assert_int_equal(n, strlen(expected));
    for (size_t i = 0; i < n; i++) assert_int_equal(writers[i].writer, expected[i] == 'L');
    free(writers);
}

static void test_writers(void **state)
{
    (void)state;
    check_lines(S S L, "SSL");
    check_lines(S S BACK("0", "large"), "SSL");
    check_lines(S S S BACK("2", "large") L, "SLL");
    check_lines(S S S BACK("2", "large") S BACK("1", "large") S, "SLLS");
    check_lines(S S BACK("2", "large"), "L");
    check_lines(S S BACK("3", "large"), NULL);
    assert_non_null(
        strstr(fault, "trace.jsonl: line 3: taken_back: expected a number from 0 to 2,"));
    check_lines(BACK("1", "large"), NULL);
    assert_non_null(strstr(fault, "line 1: taken_back: expected a number from 0 to 0,"));
    check_lines(S BACK("-1", "large"), NULL);
    check_lines(S BACK("0.5", "large"), NULL);
    check_lines(S BACK("\"1\"", "large"), NULL);
    check_lines(S BACK("99999999999999999999", "large"), NULL);
    check_lines(S BACK("9223372036854775807", "large"), NULL);
    check_lines(S BACK("1", "medium"), NULL);
    assert_non_null(strstr(fault, "line 2: expected a JSON object"));
}

#define LOST    "{\"lost\": true, \"model\": \"small\", \"judged\": {}}\n"
#define DROPPED "{\"lost\": true, \"model\": \"small\"}\n"
#define OTHER   "{\"lost\": true, \"model\": \"large\"}\n"
#define AFTER(n, k, model)                                                                         \
    "{\"judgement\": {\"judged\": " n ", \"kept\": " k "}, \"model\": \"" model "\"}\n"

/* Of lines by hand: what was lost, dropped and judged at each place, as digits; NULL: refused. */
static void check_places(const char *lines, const char *expected)
{
    ead_replay *places = NULL;
    size_t n;
    write_lines(lines);
    if (trace_read(trace, &places, &n)) {
        if (expected) fail_msg("%s", fault);
        return;
    }
    char found[256] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%c%d%d%d ",
                 places[i].writer ? 'L' : 'S', places[i].lost, places[i].dropped, places[i].judged);
    free(places);
    if (!expected) fail_msg("taken: %s", found);
    assert_string_equal(found, expected);
}

static void test_places(void **state)
{
    (void)state;
    check_places(S LOST LOST AFTER("3", "1", "large") S, "S000 L203 S000 ");
    check_places(S S AFTER("2", "2", "large"), "S000 S000 L002 ");
    check_places(LOST AFTER("1", "0", "large"), "L101 ");
    check_places(DROPPED L, "L110 ");
    check_places(S LOST DROPPED AFTER("2", "1", "large"), "S000 L212 ");
    check_places(S AFTER("2", "2", "small"), "S000 S002 ");
    check_places(S S LOST, "S000 S000 ");                              /* it was cut off */
    check_places(S S BACK("1", "large") DROPPED L, "S000 L000 L000 "); /* it stood behind that */
    check_places(S DROPPED S, "S000 S000 ");
    check_places(L OTHER S L, "L000 S000 L000 ");
    check_places(S LOST AFTER("1", "0", "large") S S BACK("1", "large"), "S000 L101 S000 L000 ");
    check_places(S LOST L, NULL);
    check_places(S LOST AFTER("1", "1", "large"), NULL);
    check_places(S LOST AFTER("3", "2", "large"), NULL);
    assert_non_null(strstr(fault, "trace.jsonl: line 3: judgement.kept: expected a number from 0 "
                                  "to 1,"));
    check_places(S L AFTER("2", "2", "large"), NULL);
    check_places(S AFTER("1", "-1", "large"), NULL);
    check_places(S AFTER("\"1\"", "1", "large"), NULL);
    check_places(S DROPPED LOST AFTER("2", "1", "large"), NULL);
    char many[(EAD_DRAFT_MAX + 2) * sizeof LOST] = "";
    for (int i = 0; i <= EAD_DRAFT_MAX; i++) strcat(many, LOST);
    check_places(many, NULL);
    assert_non_null(strstr(fault, "line 64: lost: expected at most 63 tokens in a row"));
}

static json_t *written(const ead_token *token)
{
    FILE *to = trace_create(trace);
    assert_non_null(to);
    assert_int_equal(trace_write(to, trace, token, "x", 1), EXIT_OK);
    assert_int_equal(trace_close(to, trace, EXIT_OK), EXIT_OK);
    json_t *line = json_load_file(trace, 0, NULL);
    assert_non_null(line);
    return line;
}

static void test_line(void **state)
{
    (void)state;
    ead_token token = {.index = 7, .id = 3, .log_prob = -0.1f, .entropy = 0.3f, .rolling = 1.0 / 3};
    json_t *line = written(&token);
    assert_null(json_object_get(line, "taken_back"));
    assert_true(json_real_value(json_object_get(line, "log_prob")) == (double)-0.1f);
    assert_true(json_real_value(json_object_get(line, "entropy")) == (double)0.3f);
    assert_true(json_real_value(json_object_get(line, "rolling")) == 1.0 / 3);
    json_decref(line);
    token.taken_back = 2;
    token.log_prob = NAN;
    line = written(&token);
    assert_int_equal(json_integer_value(json_object_get(line, "taken_back")), 2);
    assert_true(json_is_null(json_object_get(line, "log_prob")));
    assert_null(json_object_get(line, "lost"));
    assert_null(json_object_get(line, "judged"));
    assert_null(json_object_get(line, "judgement"));
    assert_null(json_object_get(line, "end"));
    json_decref(line);
}

static void test_judged_line(void **state)
{
    (void)state;
    ead_token token = {
        .lost = true,
        .judged = true,
        .stats = {.max_prob = 0.5f, .margin = 0.25f, .argmax = 9},
        .top_entropy = NAN,
        .opinion =
            {.p = 0.1f, .q = NAN, .measure = NAN, .top_entropy = 0.7f, .rank = -1, .argmax = 4},
        .judgement = {.n = 3, .kept = 2},
        .end = EAD_END_TOKEN};
    json_t *line = written(&token);
    const json_t *judged = json_object_get(line, "judged");
    assert_true(json_is_true(json_object_get(line, "lost")));
    assert_true(json_is_true(json_object_get(line, "end")));
    assert_true(json_real_value(json_object_get(line, "max_prob")) == 0.5);
    assert_int_equal(json_integer_value(json_object_get(line, "argmax")), 9);
    assert_null(json_object_get(line, "top_entropy"));
    assert_true(json_real_value(json_object_get(judged, "p")) == (double)0.1f);
    assert_true(json_real_value(json_object_get(judged, "top_entropy")) == (double)0.7f);
    assert_int_equal(json_integer_value(json_object_get(judged, "argmax")), 4);
    assert_true(json_is_false(json_object_get(judged, "native")));
    assert_null(json_object_get(judged, "q"));
    assert_null(json_object_get(judged, "measure"));
    assert_null(json_object_get(judged, "rank"));
    judged = json_object_get(line, "judgement");
    assert_int_equal(json_integer_value(json_object_get(judged, "judged")), 3);
    assert_int_equal(json_integer_value(json_object_get(judged, "kept")), 2);
    json_decref(line);
}

/* ---- a whole text -------------------------------------------------------------------------- */

/* The large model rewrites the third and fourth token, and hands back at the eighth. */
static ead_decision rewrite(void *context, const ead_signals *s)
{
    (void)context;
    if (s->index == 4 && s->writer == EAD_SMALL)
        return (ead_decision){.writer = EAD_LARGE, .take_back = 2};
    return (ead_decision){.writer = s->index < 7 ? s->writer : EAD_SMALL};
}

static ead_duo *open_duo(const ead_policy_options *policy)
{
    ead_error error;
    ead_duo *duo;
    ead_duo_options options = ead_duo_defaults();
    const int32_t prompt[] = {id_of("a"), id_of("b")};
    options.policy = *policy;
    options.threads = 1;
    options.n_ctx = 64;
    options.ignore_end = options.tell_lost = true;
    if (ead_duo_open(large, small, &options, &duo, &error) ||
        ead_duo_append(duo, prompt, 2, &error))
        fail_msg("%s", error.message);
    return duo;
}

/* Write a text of so many tokens; its trace in `trace`, what was shown in out. */
static void write_text(ead_duo *duo, int n, char *out, size_t room)
{
    ead_error error;
    ead_token token = {.index = -1};
    struct screen screen = open_screen(false);
    screen.trace = trace_create(trace);
    begin_showing();
    int status = EXIT_OK;
    while (!status && (token.lost || token.index + 1 < n))
        status = ead_duo_step(duo, &token, &error) ? EXIT_FAIL : screen_token(&screen, &token);
    end_showing(out, room);
    status = trace_close(screen.trace, trace, status);
    screen_close(&screen);
    assert_int_equal(status, EXIT_OK);
}

/* The account has `taken_back` where it is not 0, and the trace replays to the same text. */
static void test_account_and_replay(void **state)
{
    (void)state;
    char first[1 << 12], second[1 << 12];
    ead_policy_options policy = ead_duo_defaults().policy;
    policy.kind = EAD_POLICY_CUSTOM;
    policy.decide = rewrite;
    struct pair pair = {
        .large_path = "L", .small_path = "S", .large = large, .small = small, .duo = NULL};
    pair.duo = open_duo(&policy);
    write_text(pair.duo, 12, first, sizeof first);
    /* The fourth token was never told of: it was taken back as soon as it was there. */
    if (!strstr(first, "\n[-1 token]")) fail_msg("no marker in\n%s", first);
    json_t *report = report_build(&pair, "length");
    assert_int_equal(json_integer_value(json_object_get(report, "taken_back")), 2);
    assert_int_equal(json_integer_value(json_object_get(report, "tokens")), 14);
    json_decref(report);

    ead_replay *writers;
    size_t n;
    assert_int_equal(trace_read(trace, &writers, &n), EXIT_OK);
    assert_int_equal(n, 12);
    policy = ead_duo_defaults().policy;
    policy.kind = EAD_POLICY_REPLAY;
    policy.replay = writers;
    policy.n_replay = n;
    struct pair again = pair;
    again.duo = open_duo(&policy);
    write_text(again.duo, 12, second, sizeof second);
    assert_null(strstr(second, "[-"));
    assert_int_equal(ead_duo_length(again.duo), ead_duo_length(pair.duo));
    assert_memory_equal(ead_duo_ids(again.duo), ead_duo_ids(pair.duo), 14 * sizeof(int32_t));
    report = report_build(&again, "length");
    assert_non_null(report);
    assert_null(json_object_get(report, "taken_back"));
    json_decref(report);
    free(writers);
    ead_duo_close(again.duo);
    ead_duo_close(pair.duo);
}

/* Drafts, judgements and cuts are repeated, and the account is the same but for times. */
static void test_judgements_replay(void **state)
{
    (void)state;
    static const char *const same[] = {"tokens",  "taken_back", "judgements",        "judged",
                                       "refused", "switches",   "large_rows_per_100"};
    char first[1 << 12], second[1 << 12];
    ead_replay *places;
    size_t n;
    ead_policy_options policy = ead_duo_defaults().policy;
    policy.kind = EAD_POLICY_SPECULATIVE;
    policy.draft = 3;
    struct pair pair = {
        .large_path = "L", .small_path = "S", .large = large, .small = small, .duo = NULL};
    struct pair again = pair;
    pair.duo = open_duo(&policy);
    write_text(pair.duo, 40, first, sizeof first);
    assert_int_equal(trace_read(trace, &places, &n), EXIT_OK);
    assert_int_equal(n, 40);
    policy = ead_duo_defaults().policy;
    policy.kind = EAD_POLICY_REPLAY;
    policy.replay = places;
    policy.n_replay = n;
    again.duo = open_duo(&policy);
    write_text(again.duo, 40, second, sizeof second);
    assert_string_equal(first, second);
    json_t *one = report_build(&pair, "length"), *two = report_build(&again, "length");
    assert_true(json_integer_value(json_object_get(one, "refused")) > 0);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!json_equal(json_object_get(one, same[i]), json_object_get(two, same[i])))
            fail_msg("%s: %g and %g", same[i], json_number_value(json_object_get(one, same[i])),
                     json_number_value(json_object_get(two, same[i])));
    json_decref(one);
    json_decref(two);
    free(places);
    ead_duo_close(again.duo);
    ead_duo_close(pair.duo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marker),
        cmocka_unit_test(test_half_character),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_half_lost),
        cmocka_unit_test(test_writers),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_judged_line),
        cmocka_unit_test(test_account_and_replay),
        cmocka_unit_test(test_judgements_replay),
    };
    return cmocka_run_group_tests_name("screen", tests, set_up, tear_down);
}
