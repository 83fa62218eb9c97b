/* A table of texts, to be shown on a terminal or as Markdown. Every cell is a value and, dimmer
 * behind it, a remark such as an interval. */
#ifndef EAD_EVAL_GRID_H
#define EAD_EVAL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { GRID_TEXT_MAX = 96, GRID_HEADS = 2, GRID_WIDTH = 112 };

struct grid_cell {
    char value[GRID_TEXT_MAX], remark[GRID_TEXT_MAX];
    const char *color; /* an escape sequence, borrowed; NULL: none */
};

struct grid {
    size_t n_columns, n_rows;
    char (*heads)[GRID_HEADS][GRID_TEXT_MAX]; /* [n_columns]: two lines each */
    struct grid_cell *cells; /* [n_rows][n_columns]; the first column names a row */
};

/* False without memory. */
bool grid_init(struct grid *g, size_t n_columns, size_t n_rows);
void grid_deinit(struct grid *g);
struct grid_cell *grid_at(const struct grid *g, size_t row, size_t column);

/* A text as far as it fits; what a terminal would obey becomes '?'. */
void grid_set(char to[GRID_TEXT_MAX], const char *text);

/* Aligned. Columns that do not fit into GRID_WIDTH go into a further block below. */
void grid_print(const struct grid *g, FILE *to, bool color);
void grid_markdown(const struct grid *g, FILE *to);

#endif
