#include "cli/screen.h"

#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const screen_colors[] = {"auto", "always", "never", NULL};
const char *const screen_losts[] = {"auto", "show", "hide", NULL};
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

bool screen_wants_lost(enum screen_lost lost, bool color)
{
    return lost == LOST_AUTO ? color : lost == LOST_SHOW;
}

int screen_open(struct screen *s, const ead_model *model, unsigned flags)
{
    ead_error error;
    s->model = model;
    const bool bad = ead_detok_open(model, flags, &s->detok, &error) ||
                     ead_detok_open(model, EAD_SHOW_SPECIAL, &s->lost_detok, &error);
    return bad ? fail_error(&error) : EXIT_OK;
}

void screen_close(struct screen *s)
{
    ead_detok_close(s->detok);
    ead_detok_close(s->lost_detok);
    s->detok = s->lost_detok = NULL;
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

/* ---- what was lost ----------------------------------------------------------------------- */

static const char lost_begin[] = "[-", lost_end[] = "-]";

/* What follows is lost, or stands again. */
static void turn(struct screen *s, bool losing)
{
    if (s->losing == losing) return;
    s->losing = losing;
    if (s->color)
        fputs(losing ? SCREEN_PLAIN SCREEN_STRUCK : SCREEN_PLAIN, stdout);
    else
        fputs(losing ? lost_begin : lost_end, stdout);
    s->colored = losing && s->color;
    s->writer = EAD_WRITERS; /* whose colour is on: nobody's */
}

/* The line goes on where it stood: line ends of what was lost are signs. */
int screen_struck(struct screen *s, const char *text, size_t bytes)
{
    int status = EXIT_OK;
    if (bytes) turn(s, true);
    while (bytes && !status) {
        const char *end = memchr(text, '\n', bytes);
        const size_t n = end ? (size_t)(end - text) : bytes;
        status = write_text(s, text, n);
        if (end && !status) status = write_text(s, "\u23ce", strlen("\u23ce"));
        text += n + (end != NULL);
        bytes -= n + (end != NULL);
    }
    return status;
}

static int show_lost(struct screen *s, const ead_token *token)
{
    ead_error error;
    const char *text;
    size_t bytes;
    ead_token told = *token;
    if (ead_detok_add(s->lost_detok, token->id, &text, &bytes, &error)) return fail_error(&error);
    if (!s->endless && ead_token_is_end(s->model, token->id)) told.end = EAD_END_TOKEN;
    if (s->trace && trace_write(s->trace, s->trace_path, &told, text, bytes)) return EXIT_FAIL;
    return s->lost ? screen_struck(s, text, bytes) : EXIT_OK;
}

/* Half a character that was lost is not shown. */
static int end_lost(struct screen *s)
{
    ead_error error;
    const char *half;
    size_t bytes;
    const bool bad = ead_detok_add(s->lost_detok, -1, &half, &bytes, &error);
    return bad ? fail_error(&error) : EXIT_OK;
}

/* ---- what stands ------------------------------------------------------------------------- */

/* What is held back of a character belongs to what was taken back, and is not shown. */
static int take_back(struct screen *s, int n)
{
    ead_error error;
    const char *held;
    size_t bytes;
    char marker[64];
    if (ead_detok_add(s->detok, -1, &held, &bytes, &error)) return fail_error(&error);
    turn(s, false);
    snprintf(marker, sizeof marker, "%s\n[-%d token%s]%s", s->color ? SCREEN_PLAIN SCREEN_DIM : "",
             n, n == 1 ? "" : "s", s->color ? SCREEN_PLAIN : "");
    s->colored = false;
    return write_text(s, marker, strlen(marker));
}

int screen_text(struct screen *s, ead_writer writer, const char *text, size_t bytes)
{
    if (!bytes) return EXIT_OK;
    turn(s, false);
    paint(s, writer);
    return write_text(s, text, bytes);
}

int screen_token(struct screen *s, const ead_token *token)
{
    ead_error error;
    const char *text;
    size_t bytes;
    if (token->lost) return show_lost(s, token);
    if (end_lost(s) || (token->taken_back > 0 && take_back(s, token->taken_back))) return EXIT_FAIL;
    if (ead_detok_add(s->detok, token->id, &text, &bytes, &error)) return fail_error(&error);
    if (s->trace && trace_write(s->trace, s->trace_path, token, text, bytes)) return EXIT_FAIL;
    return screen_text(s, token->writer, text, bytes);
}

int screen_end(struct screen *s)
{
    if (s->failed) return EXIT_FAIL;
    turn(s, false);
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
