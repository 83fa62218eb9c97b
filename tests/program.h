/* Run the program under test as a user would, and keep what it says. */
#ifndef EAD_TESTS_PROGRAM_H
#define EAD_TESTS_PROGRAM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct said {
    int status;      /* exit status; 128 + the signal that killed it */
    char *out, *err; /* NUL-terminated, to be released with said_free */
    size_t n_out;
};

static inline char *said_slurp(FILE *from, size_t *n)
{
    fseek(from, 0, SEEK_END);
    long size = ftell(from);
    rewind(from);
    char *all = malloc((size_t)size + 1);
    if (!all || fread(all, 1, (size_t)size, from) != (size_t)size) abort();
    all[size] = 0;
    if (n) *n = (size_t)size;
    fclose(from);
    return all;
}

static inline int said_status(pid_t child)
{
    int status;
    if (waitpid(child, &status, 0) != child) abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* `input` is what stands on standard input; `out_path` NULL captures standard output. */
static inline struct said program_run(const char *program, const char *const *args,
                                      const char *input, const char *out_path)
{
    FILE *in = tmpfile(), *out = out_path ? fopen(out_path, "w") : tmpfile(), *err = tmpfile();
    if (!in || !out || !err) abort();
    if (input) fwrite(input, 1, strlen(input), in);
    fflush(in);
    rewind(in);
    pid_t child = fork();
    if (child < 0) abort();
    if (!child) {
        dup2(fileno(in), 0);
        dup2(fileno(out), 1);
        dup2(fileno(err), 2);
        execv(program, (char **)args);
        _exit(127);
    }
    struct said said = {.status = said_status(child)};
    fclose(in);
    if (out_path)
        fclose(out), said.out = strdup("");
    else
        said.out = said_slurp(out, &said.n_out);
    said.err = said_slurp(err, NULL);
    return said;
}

static inline void said_free(struct said *said)
{
    free(said->out);
    free(said->err);
}

enum { PROGRAM_ARGS_MAX = 48 };

/* ead WORD ... NULL, with nothing on standard input. */
static inline struct said ead(const char *word, ...)
{
    const char *args[PROGRAM_ARGS_MAX] = {"ead", word};
    va_list list;
    va_start(list, word);
    for (int i = 2; word && i < PROGRAM_ARGS_MAX - 1; i++)
        if (!(args[i] = va_arg(list, const char *))) break;
    va_end(list);
    return program_run(EAD_PROGRAM, args, NULL, NULL);
}

static inline const char *said_differs(const struct said *said, int status, const char *out,
                                       const char *err)
{
    if (said->status != status) return "another status was expected";
    if (out && !strstr(said->out, out)) return out;
    return err && !strstr(said->err, err) ? err : NULL;
}

/* The program ended so and said this, where anything is expected; frees it. */
#define assert_said(run_, status_, out_, err_)                                                     \
    do {                                                                                           \
        struct said got_ = (run_);                                                                 \
        const char *missed_ = said_differs(&got_, status_, out_, err_);                            \
        if (missed_)                                                                               \
            fail_msg("expected: %s\nstatus %d\nstdout: %s\nstderr: %s", missed_, got_.status,      \
                     got_.out, got_.err);                                                          \
        said_free(&got_);                                                                          \
    } while (0)

#endif
