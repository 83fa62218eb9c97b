/*
 * The ead program: one file per command, and a few shared nouns. Only this room prints, reads the
 * environment and decides exit codes: 0 done, 1 failure, 2 wrong usage.
 */
#ifndef EAD_CLI_CLI_H
#define EAD_CLI_CLI_H

#include "ead.h"

enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_USAGE = 2 };

struct args;

struct command {
    const char *summary;     /* one line for `ead --help` */
    const struct args *args; /* its name and options; whole once main has prepared the tables */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Every command, in the order of help, ended by NULL. */
extern const struct command *const cli_commands[];
/* What they all do, and what their exit statuses 0, 1 ... mean, ended by NULL. */
extern const char cli_purpose[];
extern const char *const cli_statuses[];

extern const struct command command_run, command_chat, command_serve, command_bench, command_eval,
    command_calibrate, command_grade, command_template, command_tokenize, command_logits,
    command_inspect, command_pull, command_manual, command_completion;

/* Print "ead: message" to stderr and return EXIT_FAIL. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with the library's message. */
int fail_error(const ead_error *error);

#endif
