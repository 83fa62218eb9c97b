/*
 * The text as it is written: to standard output, coloured by who wrote it, character by whole
 * character, and to the trace. What was lost before it was told is struck through in colour, and
 * stands in [-brackets-] without. Also the progress line of long prompts and the Ctrl-C flag.
 */
#ifndef EAD_CLI_SCREEN_H
#define EAD_CLI_SCREEN_H

#include "cli/trace.h"
#include "ead.h"

#include <signal.h>

enum screen_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum screen_lost { LOST_AUTO, LOST_SHOW, LOST_HIDE };
/* Their names, ended by NULL. */
extern const char *const screen_colors[], *const screen_losts[];

struct screen {
    bool color;
    bool lost;              /* show what was lost */
    bool endless;           /* tokens that end a text do not */
    ead_writer writer;      /* whose colour is on */
    bool colored;           /* some colour is on */
    bool started;           /* text stands on the current line: no progress may be shown on it */
    bool losing;            /* the last thing on it was lost */
    bool failed;            /* standard output is broken, and that was said */
    const ead_model *model; /* borrowed; NULL where the text comes from a server */
    ead_detok *detok, *lost_detok; /* of the text, of what was lost; of screen_open */
    FILE *trace;
    const char *trace_path;
};

/* Escape sequences of a writer's colour, and the one that ends it. */
const char *screen_paint(ead_writer writer);
#define SCREEN_PLAIN  "\033[0m"
#define SCREEN_DIM    "\033[2m"
#define SCREEN_STRUCK "\033[2;9m"

/* Settle `auto`: a terminal that is not dumb, and NO_COLOR is not set. */
bool screen_wants_color(enum screen_color color, FILE *stream);

/* And this one: in colour. */
bool screen_wants_lost(enum screen_lost lost, bool color);

/* Texts of this model; `flags` are those of ead_detok_open. EXIT_FAIL after saying why; to be
 * closed in any case. */
int screen_open(struct screen *s, const ead_model *model, unsigned flags);
void screen_close(struct screen *s);

/* Show one token, after a line that says how many were taken back before it, where some were:
 * what was shown cannot be unwritten. EXIT_FAIL after saying what could not be written. */
int screen_token(struct screen *s, const ead_token *token);
/* Show whole characters that somebody wrote. */
int screen_text(struct screen *s, ead_writer writer, const char *text, size_t bytes);
/* Show characters that stood there and were lost. */
int screen_struck(struct screen *s, const char *text, size_t bytes);
/* Take the colour off and end the line. A character that the text broke off in is not shown. */
int screen_end(struct screen *s);

/* ead_progress for a prompt, with the screen as context: a line on stderr when it is a terminal and
 * no text would be wiped; stops on Ctrl-C. */
bool screen_progress(void *context, ead_writer reader, int done, int total);

/* Set by SIGINT and SIGTERM once screen_catch_signals was called; a second signal kills. */
extern volatile sig_atomic_t screen_interrupted;
void screen_catch_signals(void);

#endif
