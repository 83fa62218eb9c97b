#include "cli/args.h"
#include "cli/chat.h"
#include "cli/cli.h"
#include "cli/pair.h"
#include "cli/serve.h"
#include "cli/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct command *const cli_commands[] = {
    &command_run,       &command_chat,  &command_serve,    &command_bench,      &command_eval,
    &command_calibrate, &command_grade, &command_template, &command_tokenize,   &command_logits,
    &command_inspect,   &command_pull,  &command_manual,   &command_completion, NULL,
};

const char cli_purpose[] =
    "Entropy-adaptive decoding: a small model writes, and when it is unsure a large one\n"
    "takes over, on one text.";

const char *const cli_statuses[] = {
    [EXIT_OK] = "done", [EXIT_FAIL] = "failure", [EXIT_USAGE] = "wrong usage", NULL};

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
    fprintf(to, "usage: ead COMMAND [OPTION ...]\n\n%s\n\n", cli_purpose);
    for (int i = 0; cli_commands[i]; i++)
        fprintf(to, "  %-10s %s\n", cli_commands[i]->args->command, cli_commands[i]->summary);
    fprintf(to, "\n'ead COMMAND --help' tells more. Exit status:");
    for (int i = 0; cli_statuses[i]; i++) fprintf(to, "%s %d %s", i ? "," : "", i, cli_statuses[i]);
    fprintf(to, ".\n");
}

/* A standard descriptor that is closed would go to the first file that is opened, and text meant
 * for it into that file. /dev/null holds its place, opened the wrong way round, so that to use it
 * is an error, as it is where it stays closed. */
static bool hold_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) return false;
    }
    return true;
}

/* What was printed may still sit in a buffer, and some file systems tell of a full disk at the end
 * alone: neither may pass for success. */
static int finish(int status)
{
    const bool failed = ferror(stdout);
    if (failed) errno = 0; /* the reason was another call's */
    if (!(fclose(stdout) || failed) || status) return status;
    const char *reason = errno ? strerror(errno) : NULL;
    fprintf(stderr, "ead: cannot write to standard output%s%s\n", reason ? ": " : "",
            reason ? reason : "");
    return EXIT_FAIL;
}

int main(int argc, char **argv)
{
    if (!hold_descriptors()) return EXIT_FAIL; /* and nowhere to say so */
    pair_prepare();
    chat_prepare();
    serve_prepare();
    trial_prepare();
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
    for (int i = 0; cli_commands[i]; i++)
        if (!strcmp(argv[1], cli_commands[i]->args->command))
            return finish(cli_commands[i]->run(argc - 1, argv + 1));
    fprintf(stderr, "ead: \"%s\": no such command\nTry 'ead --help'.\n", argv[1]);
    return EXIT_USAGE;
}
