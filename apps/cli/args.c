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

static bool refuse(char fault[ARGS_FAULT_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(char fault[ARGS_FAULT_MAX], const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(fault, ARGS_FAULT_MAX, format, list);
    va_end(list);
    return false;
}

void args_list(const char *const *choices, const char *last, char *list, size_t room)
{
    *list = 0;
    for (int i = 0; choices[i]; i++) {
        const size_t n = strlen(list);
        const char *between = !i ? "" : choices[i + 1] ? ", " : last;
        snprintf(list + n, room - n, "%s%s", between, choices[i]);
    }
}

static bool set_int(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    char *end, list[256] = "";
    const int low = arg->choices && arg->min < 0 ? 0 : arg->min;
    for (int i = 0; arg->choices && arg->choices[i]; i++)
        if (!strcmp(text, arg->choices[i])) {
            *(int *)arg->out = -1 - i;
            return true;
        }
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end != text && !*end && !errno && value >= low && value <= arg->max) {
        *(int *)arg->out = (int)value;
        return true;
    }
    if (arg->choices) args_list(arg->choices, ", ", list, sizeof list);
    return refuse(fault, "expected a number from %d to %d%s%s, found \"%s\"", low, arg->max,
                  *list ? " or one of " : "", list, text);
}

static bool set_real(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || isnan(value))
        return refuse(fault, "expected a number, found \"%s\"", text);
    if (arg->low != arg->high && !(value >= arg->low && value <= arg->high))
        return refuse(fault, "expected a number from %g to %g, found \"%s\"", arg->low, arg->high,
                      text);
    *(double *)arg->out = value;
    return true;
}

static bool set_seed(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (end == text || *end || errno || *text == '-')
        return refuse(fault, "expected a number from 0 to 2^64-1, found \"%s\"", text);
    *(unsigned long long *)arg->out = value;
    return true;
}

/* An empty name of a file comes from a variable that was not set, and is meant by nobody. */
static bool set_text(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    if (!*text && strcmp(arg->value, "TEXT") != 0)
        return refuse(fault, "expected %s, found \"\"", arg->value);
    *(const char **)arg->out = text;
    return true;
}

static bool add_text(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    struct arg_list *list = arg->out;
    if (list->n == ARG_LIST_MAX) return refuse(fault, "expected at most %d of them", ARG_LIST_MAX);
    list->text[list->n++] = text;
    return true;
}

static bool set_choice(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    char list[256];
    for (int i = 0; arg->choices[i]; i++)
        if (!strcmp(text, arg->choices[i])) {
            *(int *)arg->out = i;
            return true;
        }
    args_list(arg->choices, ", ", list, sizeof list);
    return refuse(fault, "expected one of %s, found \"%s\"", list, text);
}

bool args_value(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX])
{
    if (arg->given) *arg->given = true;
    switch (arg->kind) {
    case ARG_FLAG: *(bool *)arg->out = true; return true;
    case ARG_INT: return set_int(arg, text, fault);
    case ARG_REAL: return set_real(arg, text, fault);
    case ARG_SEED: return set_seed(arg, text, fault);
    case ARG_TEXT: return set_text(arg, text, fault);
    case ARG_LIST: return add_text(arg, text, fault);
    case ARG_CHOICE: return set_choice(arg, text, fault);
    case ARG_HEADING: break;
    }
    return refuse(fault, "expected no value");
}

/* ---- the table ---------------------------------------------------------------------------------
 */

const struct arg args_ask = {
    .kind = ARG_FLAG, .name = "help", .letter = 'h', .help = "show the options"};

const struct arg *args_at(const struct args *a, int i)
{
    if (i < a->n_table) return &a->table[i];
    i -= a->n_table;
    return a->more && i < *a->n_more ? &a->more[i] : NULL;
}

/* ---- help -------------------------------------------------------------------------------- */

void args_line(FILE *to, const char *left, const char *help)
{
    enum { COLUMN = 30 };
    int width = (int)strlen(left);
    fprintf(to, "%s", left);
    if (width >= COLUMN) {
        fputc('\n', to);
        width = 0;
    }
    for (const char *line = help; line; width = 0) {
        const char *end = strchr(line, '\n');
        fprintf(to, "%*s%.*s\n", COLUMN - width, "", end ? (int)(end - line) : (int)strlen(line),
                line);
        line = end ? end + 1 : NULL;
    }
}

/* Long lists of words take several lines. */
static void wrap(char *text)
{
    enum { WIDTH = 84 };
    char *line = text, *gap = NULL;
    for (char *at = text; *at; at++) {
        if (*at == '\n') line = at + 1, gap = NULL;
        if (*at == ' ') gap = at;
        if (at - line < WIDTH || !gap) continue;
        *gap = '\n';
        line = gap + 1;
        gap = NULL;
    }
}

void args_help(const struct arg *arg, char help[ARGS_HELP_MAX])
{
    char list[256];
    const char *gap = arg->kind == ARG_CHOICE ? strstr(arg->help, "%s") : NULL;
    if (gap) args_list(arg->choices, " or ", list, sizeof list);
    snprintf(help, ARGS_HELP_MAX, "%.*s%s%s", gap ? (int)(gap - arg->help) : 0, arg->help,
             gap ? list : "", gap ? gap + 2 : arg->help);
    if (gap) wrap(help);
}

static void help_row(const struct arg *arg)
{
    char left[128], text[ARGS_HELP_MAX], letter[8] = "    ";
    if (arg->kind == ARG_HEADING) {
        printf("\n%s\n", arg->help);
        return;
    }
    if (arg->letter) snprintf(letter, sizeof letter, "-%c, ", arg->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, arg->name, arg->value ? " " : "",
             arg->value ? arg->value : "");
    args_help(arg, text);
    args_line(stdout, left, text);
}

static void help(const struct args *a)
{
    const struct arg *arg;
    printf("usage: ead %s %s\n\n%s\n", a->command, a->synopsis, a->description);
    for (int i = 0; (arg = args_at(a, i)); i++) help_row(arg);
    help_row(&args_ask);
}

/* ---- parsing ----------------------------------------------------------------------------- */

static const struct arg *find(const struct args *a, const char *name, size_t n, char letter)
{
    const struct arg *arg;
    for (int i = 0; (arg = args_at(a, i)); i++) {
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
    char fault[ARGS_FAULT_MAX];
    if (args_value(arg, value, fault)) return true;
    args_fault(a, "--%s: %s", arg->name, fault);
    return false;
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
