/*
 * A file of lines, one for each cell of a table, that survives being killed. Lines are appended in
 * any order, each in one write; the table knows where they stand. In the end the file is written
 * anew in the order of the table.
 */
#ifndef EAD_EVAL_SHEET_H
#define EAD_EVAL_SHEET_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sheet_cell {
    off_t at;
    size_t bytes; /* without the newline; 0: there is none */
};

struct sheet {
    char *path;
    int file;
    off_t end; /* of the last whole line */
    size_t rows, columns;
    struct sheet_cell *cells; /* [rows][columns] */
    double synced;            /* when the last sync was, in seconds of the monotonic clock */
};

/* Which cell a line belongs to; an error for one that belongs nowhere. */
typedef ead_status (*sheet_place)(const void *context, const char *path, size_t number,
                                  const json_t *line, size_t *row, size_t *column,
                                  ead_error *error);

/* Open or create the file, find its lines, cut off one that has no end. Of two lines for one cell
 * the later counts. */
ead_status sheet_open(struct sheet *s, const char *dir, const char *name, size_t rows,
                      size_t columns, sheet_place place, const void *context, ead_error *error);
void sheet_close(struct sheet *s);

bool sheet_has(const struct sheet *s, size_t row, size_t column);
ead_status sheet_read(const struct sheet *s, size_t row, size_t column, json_t **out,
                      ead_error *error);
/* Append; on failure the file is as it was. Reaches the disk within some seconds. */
ead_status sheet_add(struct sheet *s, size_t row, size_t column, const json_t *line,
                     ead_error *error);
/* Write the lines in order to a file that takes the place of this one. Cells for which `keep` (may
 * be NULL) has no line are left out. */
ead_status sheet_rewrite(struct sheet *s, const struct sheet *keep, ead_error *error);

#endif
