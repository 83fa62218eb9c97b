/*
 * The text as it is written: to standard output, coloured by who wrote it, character by whole
 * character, and to the trace. Also the progress line of long prompts and the Ctrl-C flag.
 */
#ifndef EAD_CLI_SCREEN_H
#define EAD_CLI_SCREEN_H

#include "cli/trace.h"
#include "ead.h"

#include <signal.h>

enum screen_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
extern const char *const screen_colors[]; /* their names, ended by NULL */

struct screen {
    bool color;
    ead_writer writer; /* whose colour is on */
    bool colored;      /* some colour is on */
    bool started;      /* text stands on the current line: no progress may be shown on it */
    bool failed;       /* standard output is broken, and that was said */
    ead_detok *detok;
    FILE *trace;
    const char *trace_path;
};

/* Escape sequences of a writer's colour, and the one that ends it. */
const char *screen_paint(ead_writer writer);
#define SCREEN_PLAIN "\033[0m"
#define SCREEN_DIM   "\033[2m"

/* Settle `auto`: a terminal that is not dumb, and NO_COLOR is not set. */
bool screen_wants_color(enum screen_color color, FILE *stream);

/* Show one token, after a line that says how many were taken back before it, where some were:
 * what was shown cannot be unwritten. EXIT_FAIL after saying what could not be written. */
int screen_token(struct screen *s, const ead_token *token);
/* Show whole characters that somebody wrote. */
int screen_text(struct screen *s, ead_writer writer, const char *text, size_t bytes);
/* Take the colour off and end the line. A character that the text broke off in is not shown. */
int screen_end(struct screen *s);

/* ead_progress for a prompt, with the screen as context: a line on stderr when it is a terminal and
 * no text would be wiped; stops on Ctrl-C. */
bool screen_progress(void *context, ead_writer reader, int done, int total);

/* Set by SIGINT and SIGTERM once screen_catch_signals was called; a second signal kills. */
extern volatile sig_atomic_t screen_interrupted;
void screen_catch_signals(void);

#endif
