#include "cli/args.h"
#include "cli/cli.h"

#include "eval/grade.h"
#include "eval/jsonio.h"

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
    .description =
        "Judge answers by the MATH rules (docs/GRADING.md). FILE (standard input without it, or\n"
        "for \"-\") has one JSON object a line: \"gold\" is the right answer, \"pred\" the one to\n"
        "judge, as it stands in a box or as a whole output. For each: {\"correct\":true} or false.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

/* Verdicts so far. */
struct tally {
    size_t line, lines, correct, labelled, agree;
};

/* What a field says: text; a number as JSON wrote it; *text NULL for null. To be freed. */
static int read_field(const json_t *object, const char *path, size_t line, const char *name,
                      char **text)
{
    const json_t *value = json_object_get(object, name);
    *text = NULL;
    if (json_is_null(value)) return EXIT_OK;
    if (!json_is_string(value) && !json_is_number(value))
        return fail("%s, line %zu: field \"%s\": expected text, a number or null, found %s", path,
                    line, name, value ? "something else" : "none");
    *text = json_is_string(value) ? strdup(json_string_value(value))
                                  : jsonio_text(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    return *text ? EXIT_OK : fail("%s, line %zu: no memory for it", path, line);
}

static void count(struct tally *tally, const json_t *object, bool correct)
{
    const json_t *label = json_object_get(object, "equal");
    tally->lines++;
    tally->correct += correct;
    tally->labelled += json_is_boolean(label);
    tally->agree += json_is_boolean(label) && json_is_true(label) == correct;
}

static int grade_object(const json_t *object, const char *path, struct tally *tally)
{
    char *gold, *pred = NULL;
    int status = read_field(object, path, tally->line, "gold", &gold);
    if (!status) status = read_field(object, path, tally->line, "pred", &pred);
    if (!status) {
        const bool correct = grade_equal(gold, pred);
        count(tally, object, correct);
        if (!options.summary) printf("{\"correct\":%s}\n", correct ? "true" : "false");
    }
    free(gold);
    free(pred);
    return status;
}

static int grade_line(const char *text, size_t n, const char *path, struct tally *tally)
{
    json_error_t wrong;
    ead_error error;
    tally->line++;
    if (strspn(text, " \t\r\n") == n) return EXIT_OK;
    json_t *object = jsonio_read(text, n, JSON_ALLOW_NUL, &wrong);
    if (!object) {
        (void)jsonio_fault(&wrong, path, tally->line, &error);
        return fail_error(&error);
    }
    int status = json_is_object(object)
                     ? grade_object(object, path, tally)
                     : fail("%s, line %zu: expected an object with \"gold\" and \"pred\"", path,
                            tally->line);
    json_decref(object);
    return status;
}

static int grade_lines(FILE *from, const char *path)
{
    struct tally tally = {0};
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    int status = EXIT_OK;
    while (!status && (n = getline(&text, &room, from)) > 0)
        status = grade_line(text, (size_t)n, path, &tally);
    free(text);
    if (!status && ferror(from)) status = fail("%s: cannot read: %s", path, strerror(errno));
    if (status || !options.summary) return status;
    printf("{\"lines\":%zu,\"correct\":%zu", tally.lines, tally.correct);
    if (tally.labelled) printf(",\"labelled\":%zu,\"agree\":%zu", tally.labelled, tally.agree);
    puts("}");
    return EXIT_OK;
}

int command_grade(int argc, char **argv)
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
