#include "cli/args.h"

#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int args_fault(const struct args *a, const char *format, ...)
{
    fprintf(stderr, "ead %s: ", a->command);
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\nTry 'ead %s --help'.\n", a->command);
    return EXIT_USAGE;
}

/* ---- values ------------------------------------------------------------------------------ */

static bool set_int(const struct args *a, const struct arg *arg, const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < arg->min || value > arg->max) {
        args_fault(a, "--%s: expected a number from %d to %d, found \"%s\"", arg->name, arg->min,
                   arg->max, text);
        return false;
    }
    *(int *)arg->out = (int)value;
    return true;
}

static bool set_real(const struct args *a, const struct arg *arg, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || isnan(value)) {
        args_fault(a, "--%s: expected a number, found \"%s\"", arg->name, text);
        return false;
    }
    if (arg->low != arg->high && !(value >= arg->low && value <= arg->high)) {
        args_fault(a, "--%s: expected a number from %g to %g, found \"%s\"", arg->name, arg->low,
                   arg->high, text);
        return false;
    }
    *(double *)arg->out = value;
    return true;
}

static bool set_seed(const struct args *a, const struct arg *arg, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (end == text || *end || errno || *text == '-') {
        args_fault(a, "--%s: expected a number from 0 to 2^64-1, found \"%s\"", arg->name, text);
        return false;
    }
    *(unsigned long long *)arg->out = value;
    return true;
}

static void list_choices(const char *const *choices, const char *last, char *list, size_t room)
{
    *list = 0;
    for (int i = 0; choices[i]; i++) {
        const size_t n = strlen(list);
        const char *between = !i ? "" : choices[i + 1] ? ", " : last;
        snprintf(list + n, room - n, "%s%s", between, choices[i]);
    }
}

/* An empty name of a file comes from a variable that was not set, and is meant by nobody. */
static bool set_text(const struct args *a, const struct arg *arg, const char *text)
{
    if (!*text && strcmp(arg->value, "TEXT") != 0) {
        args_fault(a, "--%s: expected %s, found \"\"", arg->name, arg->value);
        return false;
    }
    *(const char **)arg->out = text;
    return true;
}

static bool set_choice(const struct args *a, const struct arg *arg, const char *text)
{
    char list[256];
    for (int i = 0; arg->choices[i]; i++)
        if (!strcmp(text, arg->choices[i])) {
            *(int *)arg->out = i;
            return true;
        }
    list_choices(arg->choices, ", ", list, sizeof list);
    args_fault(a, "--%s: expected one of %s, found \"%s\"", arg->name, list, text);
    return false;
}

static bool set_value(const struct args *a, const struct arg *arg, const char *text)
{
    if (arg->given) *arg->given = true;
    switch (arg->kind) {
    case ARG_FLAG: *(bool *)arg->out = true; return true;
    case ARG_INT: return set_int(a, arg, text);
    case ARG_REAL: return set_real(a, arg, text);
    case ARG_SEED: return set_seed(a, arg, text);
    case ARG_TEXT: return set_text(a, arg, text);
    case ARG_CHOICE: return set_choice(a, arg, text);
    case ARG_HEADING: break;
    }
    return false;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static int count(const struct args *a)
{
    return a->n_table + (a->more ? *a->n_more : 0);
}

static const struct arg *nth(const struct args *a, int i)
{
    return i < a->n_table ? &a->table[i] : &a->more[i - a->n_table];
}

/* ---- help -------------------------------------------------------------------------------- */

static void help_line(const char *left, const char *help)
{
    enum { COLUMN = 30 };
    int width = (int)strlen(left);
    printf("%s", left);
    if (width >= COLUMN) {
        printf("\n");
        width = 0;
    }
    for (const char *line = help; line; width = 0) {
        const char *end = strchr(line, '\n');
        printf("%*s%.*s\n", COLUMN - width, "", end ? (int)(end - line) : (int)strlen(line), line);
        line = end ? end + 1 : NULL;
    }
}

/* The help of an option, with the words to choose from where it has room for them. */
static void option_help(const struct arg *arg, char *help, size_t room)
{
    char list[256];
    const char *gap = arg->kind == ARG_CHOICE ? strstr(arg->help, "%s") : NULL;
    if (gap) list_choices(arg->choices, " or ", list, sizeof list);
    snprintf(help, room, "%.*s%s%s", gap ? (int)(gap - arg->help) : 0, arg->help, gap ? list : "",
             gap ? gap + 2 : arg->help);
}

static void help(const struct args *a)
{
    printf("usage: ead %s %s\n\n%s\n", a->command, a->synopsis, a->description);
    for (int i = 0; i < count(a); i++) {
        const struct arg *arg = nth(a, i);
        char left[128], text[1024];
        if (arg->kind == ARG_HEADING) {
            printf("\n%s\n", arg->help);
            continue;
        }
        char letter[8] = "    ";
        if (arg->letter) snprintf(letter, sizeof letter, "-%c, ", arg->letter);
        snprintf(left, sizeof left, "  %s--%s%s%s", letter, arg->name, arg->value ? " " : "",
                 arg->value ? arg->value : "");
        option_help(arg, text, sizeof text);
        help_line(left, text);
    }
    help_line("  -h, --help", "show this");
}

/* ---- parsing ----------------------------------------------------------------------------- */

static const struct arg *find(const struct args *a, const char *name, size_t n, char letter)
{
    for (int i = 0; i < count(a); i++) {
        const struct arg *arg = nth(a, i);
        if (arg->kind == ARG_HEADING) continue;
        if (letter ? arg->letter == letter : strlen(arg->name) == n && !strncmp(arg->name, name, n))
            return arg;
    }
    return NULL;
}

/* Parse the option at argv[*i]; steps *i over a value that stands in the next word. */
static bool parse_option(const struct args *a, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value = NULL;
    const struct arg *arg;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        arg = find(a, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2), 0);
        if (equals) value = equals + 1;
    } else {
        arg = find(a, NULL, 0, word[1]);
        if (word[2]) value = word + 2;
    }
    if (!arg) {
        args_fault(a, "%s: no such option", word);
        return false;
    }
    if (arg->kind == ARG_FLAG && value) {
        args_fault(a, "--%s: takes no value, found \"%s\"", arg->name, value);
        return false;
    }
    if (arg->kind != ARG_FLAG && !value) {
        if (*i + 1 >= argc) {
            args_fault(a, "--%s: the value %s is missing", arg->name, arg->value);
            return false;
        }
        value = argv[++*i];
    }
    return set_value(a, arg, value);
}

int args_parse(const struct args *a, int argc, char **argv, const char **words, int max_words,
               int *n_words)
{
    int found = 0;
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options && (!strcmp(word, "--help") || !strcmp(word, "-h"))) {
            help(a);
            return EXIT_OK;
        }
        if (options && !strcmp(word, "--")) {
            options = false;
        } else if (options && word[0] == '-' && word[1]) {
            if (!parse_option(a, argc, argv, &i)) return EXIT_USAGE;
        } else if (found < max_words) {
            words[found++] = word;
        } else {
            return args_fault(a, "\"%s\": no such argument is expected", word);
        }
    }
    if (n_words) *n_words = found;
    return ARGS_GO;
}
