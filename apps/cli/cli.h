/*
 * The ead program: one file per command, and a few shared nouns. Only this room prints, reads the
 * environment and decides exit codes: 0 done, 1 failure, 2 wrong usage.
 */
#ifndef EAD_CLI_CLI_H
#define EAD_CLI_CLI_H

#include "ead.h"

enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary;               /* one line for `ead --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

int command_run(int argc, char **argv);
int command_chat(int argc, char **argv);
int command_tokenize(int argc, char **argv);
int command_template(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_logits(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_calibrate(int argc, char **argv);
int command_grade(int argc, char **argv);

/* Print "ead: message" to stderr and return EXIT_FAIL. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with the library's message. */
int fail_error(const ead_error *error);

#endif
