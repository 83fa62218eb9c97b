#include "cli/cli.h"
#include "cli/pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"run", "write a text with two models (or one)", command_run},
    {"chat", "talk with the pair", command_chat},
    {"bench", "time prompt passes and decoding", command_bench},
    {"eval", "measure accuracy against the large model's share and time", command_eval},
    {"calibrate", "find the threshold for a share, an accuracy or a speed", command_calibrate},
    {"grade", "judge answers by the MATH rules", command_grade},
    {"tokenize", "text to token ids, or back", command_tokenize},
    {"logits", "write the logits of given tokens to a file", command_logits},
    {"inspect", "show what a GGUF file holds", command_inspect},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

int fail(const char *format, ...)
{
    fflush(stdout);
    fputs("ead: ", stderr);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_FAIL;
}

int fail_error(const ead_error *error)
{
    return fail("%s", error->message);
}

static void help(FILE *to)
{
    fprintf(to,
            "usage: ead COMMAND [OPTION ...]\n\n"
            "Entropy-adaptive decoding: a small model writes, and when it is unsure a large one\n"
            "takes over, on one text.\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(to,
            "\n'ead COMMAND --help' tells more. Exit status: 0 done, 1 failure, 2 wrong usage.\n");
}

/* What was printed may still sit in a buffer: a full disk must not pass for success. */
static int finish(int status)
{
    if ((fflush(stdout) || ferror(stdout)) && status == EXIT_OK) {
        perror("ead: cannot write to standard output");
        return EXIT_FAIL;
    }
    return status;
}

int main(int argc, char **argv)
{
    pair_name_cpus();
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "help") && argc > 2) { /* "help run" is "run --help" */
        static char option[] = "--help";
        argv[1] = argv[2];
        argv[2] = option;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return finish(EXIT_OK);
    }
    if (!strcmp(argv[1], "--version")) {
        printf("ead %s\n", ead_version());
        return finish(EXIT_OK);
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return finish(commands[i].run(argc - 1, argv + 1));
    fprintf(stderr, "ead: \"%s\": no such command\nTry 'ead --help'.\n", argv[1]);
    return EXIT_USAGE;
}
