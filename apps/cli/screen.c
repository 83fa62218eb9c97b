#include "cli/screen.h"

#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const screen_colors[] = {"auto", "always", "never", NULL};
volatile sig_atomic_t screen_interrupted;

const char *screen_paint(ead_writer writer)
{
    return writer == EAD_LARGE ? "\033[33m" : "\033[36m";
}

bool screen_wants_color(enum screen_color color, FILE *stream)
{
    if (color != COLOR_AUTO) return color == COLOR_ALWAYS;
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(fileno(stream)) && !(no && *no) && term && strcmp(term, "dumb");
}

static void paint(struct screen *s, ead_writer writer)
{
    if (!s->color || (s->colored && s->writer == writer)) return;
    fputs(screen_paint(writer), stdout);
    s->colored = true;
    s->writer = writer;
}

static int write_text(struct screen *s, const char *text, size_t bytes)
{
    s->started = true;
    fwrite(text, 1, bytes, stdout);
    if (!fflush(stdout) && !ferror(stdout)) return EXIT_OK;
    s->failed = true;
    return fail("cannot write to standard output: %s", strerror(errno));
}

/* What is held back of a character belongs to what was taken back, and is not shown. */
static int take_back(struct screen *s, int n)
{
    ead_error error;
    const char *held;
    size_t bytes;
    char marker[64];
    if (ead_detok_add(s->detok, -1, &held, &bytes, &error)) return fail_error(&error);
    snprintf(marker, sizeof marker, "%s\n[-%d token%s]%s", s->color ? SCREEN_PLAIN SCREEN_DIM : "",
             n, n == 1 ? "" : "s", s->color ? SCREEN_PLAIN : "");
    s->colored = false;
    return write_text(s, marker, strlen(marker));
}

int screen_text(struct screen *s, ead_writer writer, const char *text, size_t bytes)
{
    if (!bytes) return EXIT_OK;
    paint(s, writer);
    return write_text(s, text, bytes);
}

int screen_token(struct screen *s, const ead_token *token)
{
    ead_error error;
    const char *text;
    size_t bytes;
    if (token->taken_back > 0 && take_back(s, token->taken_back)) return EXIT_FAIL;
    if (ead_detok_add(s->detok, token->id, &text, &bytes, &error)) return fail_error(&error);
    if (s->trace && trace_write(s->trace, s->trace_path, token, text, bytes)) return EXIT_FAIL;
    return screen_text(s, token->writer, text, bytes);
}

int screen_end(struct screen *s)
{
    if (s->failed) return EXIT_FAIL;
    if (s->colored) fputs(SCREEN_PLAIN, stdout);
    s->colored = false;
    int status = write_text(s, "\n", 1);
    s->started = false;
    return status;
}

bool screen_progress(void *context, ead_writer reader, int done, int total)
{
    const struct screen *s = context;
    if (total && isatty(STDERR_FILENO) && !s->started) {
        fprintf(stderr, "\r%s model reads the prompt: %d of %d tokens",
                reader == EAD_LARGE ? "large" : "small", done, total);
        if (done >= total) fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
    return !screen_interrupted;
}

static void on_signal(int number)
{
    (void)number;
    screen_interrupted = 1;
}

void screen_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
