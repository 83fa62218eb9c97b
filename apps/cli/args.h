/*
 * Command-line options from a table: the same table parses, checks ranges and prints --help, so
 * that help cannot lag behind. "--name value", "--name=value", "-n value" and "-nvalue" are
 * understood; a value may begin with a dash ("--tau -1").
 */
#ifndef EAD_CLI_ARGS_H
#define EAD_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum arg_kind {
    ARG_FLAG,   /* bool *out becomes true */
    ARG_INT,    /* int *out, within [min, max]; or a word of `choices`: -1 the first, -2 ... */
    ARG_REAL,   /* double *out, a number within [low, high], any number when both are 0 */
    ARG_SEED,   /* unsigned long long *out, 0 to 2^64-1 */
    ARG_TEXT,   /* const char **out; empty only where `value` is "TEXT" */
    ARG_LIST,   /* struct arg_list *out, another value each time */
    ARG_CHOICE, /* int *out: the index of the word in `choices` */
    ARG_HEADING /* help only: a line above the options that follow */
};

enum { ARG_LIST_MAX = 64 };
struct arg_list {
    const char *text[ARG_LIST_MAX];
    int n;
};

struct arg {
    enum arg_kind kind;
    const char *name;  /* without dashes */
    char letter;       /* 0: none */
    const char *value; /* what help calls the value: "N", "FILE" */
    const char *help;  /* of an ARG_CHOICE: %s in it stands for its words */
    void *out;
    int min, max;               /* ARG_INT */
    double low, high;           /* ARG_REAL */
    const char *const *choices; /* ARG_CHOICE, and of ARG_INT or NULL; ended by NULL */
    bool *given;                /* optional: set when the option occurs */
};

struct args {
    const char *command;     /* "run" */
    const char *synopsis;    /* what follows "ead run" in the usage line */
    const char *word;        /* what a word that is no option is, "FILE"; NULL: none is taken */
    const char *description; /* a paragraph under it */
    const struct arg *table;
    int n_table;
    const struct arg *more; /* rows shared with other commands, after the table's; may be NULL */
    const int *n_more;
};

enum { ARGS_GO = -1, ARGS_FAULT_MAX = 1024 };

/* Parse argv[1..]. At most `max_words` words that are no options go to words[]; *n_words (may be
 * NULL) counts them. Returns ARGS_GO, or the status to exit with after it has printed help or said
 * what is wrong. */
int args_parse(const struct args *a, int argc, char **argv, const char **words, int max_words,
               int *n_words);

/* Take `text` as the value of one option; false after saying in `fault` what was expected. */
bool args_value(const struct arg *arg, const char *text, char fault[ARGS_FAULT_MAX]);

/* Row i of the table, headings included; NULL behind the last one. */
const struct arg *args_at(const struct args *a, int i);

/* The help of an option, with the words to choose from where it has room for them. */
enum { ARGS_HELP_MAX = 1024 };
void args_help(const struct arg *arg, char help[ARGS_HELP_MAX]);

/* The option that every command has beside its table. */
extern const struct arg args_ask;

/* The words of a choice as a list: "a, b" and `last` before the last one. */
void args_list(const char *const *choices, const char *last, char *list, size_t room);

/* Print help of `left`, a few words, in a column beside it. */
void args_line(FILE *to, const char *left, const char *help);

/* "ead run: MESSAGE" and a hint to --help on stderr; returns EXIT_USAGE. */
int args_fault(const struct args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
