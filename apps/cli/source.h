/* Bytes from a file or standard input, and token ids from a text or from numbers in one. */
#ifndef EAD_CLI_SOURCE_H
#define EAD_CLI_SOURCE_H

#include "ead.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SOURCE_MAX = 64 << 20
}; /* bytes: far above any context, small enough to be refused kindly */

/* Read all of `path` ("-" is standard input) into *data, NUL-terminated, to be freed. Returns
 * EXIT_OK, or EXIT_FAIL after saying why. */
int source_read(const char *path, char **data, size_t *bytes);

/* Cut off the line end with which an editor or echo closes a text: one, if there is one. */
void source_chomp(char *text, size_t *bytes);

/* Cut off the byte order mark with which some editors open one. */
void source_unmark(char *text, size_t *bytes);

/* Numbers from 0 on, separated by commas or white space; *ids is to be freed. EXIT_FAIL after
 * saying what is wrong where; `what` names them. */
int source_ids(const char *what, const char *text, int32_t **ids, size_t *n);

/* ead_tokenize for a text that somebody typed: says so on standard error when it brought a BOS of
 * its own. EXIT_FAIL after saying why; *ids is to be released by ead_free. */
int source_tokenize(const ead_model *model, const char *text, size_t bytes, unsigned flags,
                    int32_t **ids, size_t *n);

#endif
