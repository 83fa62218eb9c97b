/* The LaTeX commands that answers are written in. */
#ifndef EAD_GRADE_COMMAND_H
#define EAD_GRADE_COMMAND_H

#include <stddef.h>

/* Beside token kinds; no character that a kind could be. */
enum { COMMAND_SKIP = 1, COMMAND_TEXT, COMMAND_ENVIRONMENT, COMMAND_DOTS };

struct command {
    const char *name; /* without its backslash */
    int kind;         /* of token, or one of the above */
    int code;         /* that of its token; of an environment the kind */
};

/* The command called s[0..n), or NULL: a letter such as \alpha. */
const struct command *command_find(const char *s, size_t n);

#endif
