#include "cli/args.h"
#include "cli/cli.h"

#include "eval/quote.h"
#include "grade/grade.h"
#include "json/jsonio.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *path;
    bool summary;
} options;

static const struct arg table[] = {
    {.kind = ARG_FLAG,
     .name = "summary",
     .out = &options.summary,
     .help = "print the counts alone: lines, correct, and, where lines have a field \"equal\", "
             "how many verdicts agree with it"},
};
static const struct args usage = {
    .command = "grade",
    .synopsis = "[--summary] [FILE]",
    .word = "FILE",
    .description =
        "Judge answers by the MATH rules (docs/GRADING.md). FILE (standard input without it, or\n"
        "for \"-\") has one JSON object a line: \"gold\" is the right answer, \"pred\" the one to\n"
        "judge, as it stands in a box or as a whole output. For each: {\"correct\":true} or false, "
        "or\n"
        "null for a line that is no such object; the status is then 1.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

/* Verdicts so far. */
struct tally {
    size_t line, lines, correct, labelled, agree, faults;
};

/* A line that cannot be judged says so and is counted; those behind it are judged all the same. */
static void fault(struct tally *tally, const char *path, const char *field, const char *expected,
                  const char *found)
{
    tally->faults++;
    if (!options.summary) puts("{\"correct\":null}");
    (void)fail("%s, line %zu: %sexpected %s, found %s", path, tally->line, field, expected, found);
}

static int no_memory(const struct tally *tally, const char *path)
{
    return fail("%s, line %zu: no memory for it", path, tally->line);
}

/* Text, or null: long numbers are text by now, and short ones keep their digits. */
static bool is_answer(const json_t *value)
{
    return json_is_string(value) || json_is_number(value) || json_is_null(value);
}

/* What an answer says; NULL for null, or, where *lost, without memory. To be freed. */
static char *answer_text(const json_t *value, bool *lost)
{
    if (json_is_null(value)) return NULL;
    char *text = json_is_string(value)
                     ? grade_text(json_string_value(value), json_string_length(value))
                     : jsonio_text(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    *lost |= !text;
    return text;
}

static void count(struct tally *tally, const json_t *object, bool correct)
{
    const json_t *label = json_object_get(object, "equal");
    tally->lines++;
    tally->correct += correct;
    tally->labelled += json_is_boolean(label);
    tally->agree += json_is_boolean(label) && json_is_true(label) == correct;
    if (!options.summary) printf("{\"correct\":%s}\n", correct ? "true" : "false");
}

static int grade_object(const json_t *object, const char *path, struct tally *tally)
{
    const json_t *gold = json_object_get(object, "gold"), *pred = json_object_get(object, "pred");
    if (!is_answer(gold) || !is_answer(pred)) {
        const json_t *bad = is_answer(gold) ? pred : gold;
        fault(tally, path,
              bad == gold ? "field \"gold\": " : "field \"pred\": ", "text, a number or null",
              bad ? "something else" : "none");
        return EXIT_OK;
    }
    bool lost = false;
    char *g = answer_text(gold, &lost), *p = answer_text(pred, &lost);
    if (!lost) count(tally, object, grade_equal(g, p));
    free(g);
    free(p);
    return lost ? no_memory(tally, path) : EXIT_OK;
}

static int grade_line(const char *text, size_t n, const char *path, struct tally *tally)
{
    json_error_t wrong;
    tally->line++;
    if (strspn(text, " \t\r\n") == n) return EXIT_OK;
    char *quoted = quote_long_numbers(text, &n);
    if (!quoted) return no_memory(tally, path);
    json_t *object = jsonio_read(quoted, n, JSON_ALLOW_NUL, &wrong);
    free(quoted);
    int status = EXIT_OK;
    if (!object && !wrong.text[0])
        status = no_memory(tally, path);
    else if (!object)
        fault(tally, path, "", "JSON", wrong.text);
    else if (!json_is_object(object))
        fault(tally, path, "", "an object with \"gold\" and \"pred\"", "something else");
    else
        status = grade_object(object, path, tally);
    json_decref(object);
    return status;
}

static void print_summary(const struct tally *tally)
{
    printf("{\"lines\":%zu,\"correct\":%zu", tally->lines, tally->correct);
    if (tally->labelled) printf(",\"labelled\":%zu,\"agree\":%zu", tally->labelled, tally->agree);
    if (tally->faults) printf(",\"faults\":%zu", tally->faults);
    puts("}");
}

static int grade_lines(FILE *from, const char *path)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, before the first line */
    struct tally tally = {0};
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    int status = EXIT_OK;
    while (!status && (n = getline(&text, &room, from)) > 0) {
        const size_t skip = !tally.line && !strncmp(text, mark, 3) ? 3 : 0;
        status = grade_line(text + skip, (size_t)n - skip, path, &tally);
    }
    free(text);
    if (!status && ferror(from)) status = fail("%s: cannot read: %s", path, strerror(errno));
    if (status) return status;
    if (options.summary) print_summary(&tally);
    return tally.faults ? EXIT_FAIL : EXIT_OK;
}

static int command(int argc, char **argv)
{
    int words = 0;
    int parsed = args_parse(&usage, argc, argv, &options.path, 1, &words);
    if (parsed != ARGS_GO) return parsed;
    if (!options.path || !strcmp(options.path, "-")) return grade_lines(stdin, "standard input");
    FILE *file = fopen(options.path, "rb");
    if (!file) return fail("%s: cannot open: %s", options.path, strerror(errno));
    int status = grade_lines(file, options.path);
    fclose(file);
    return status;
}

const struct command command_grade = {"judge answers by the MATH rules", &usage, command};
