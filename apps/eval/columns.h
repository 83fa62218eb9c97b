/* The columns of a summary: one description for every form in which it is shown. */
#ifndef EAD_EVAL_COLUMNS_H
#define EAD_EVAL_COLUMNS_H

#include "eval/grid.h"
#include "eval/summary.h"

#include <stdbool.h>
#include <stddef.h>

enum column_kind {
    COLUMN_TEXT,
    COLUMN_COUNT,
    COLUMN_SHARE,  /* of 1; shown in percent */
    COLUMN_POINTS, /* a difference of shares; shown in percentage points, with a sign */
    COLUMN_FACTOR,
    COLUMN_NUMBER
};

struct column {
    const char *key; /* CSV and JSON; "_low" and "_high" follow where there is an interval */
    const char *head, *unit; /* for people, one above the other */
    const char *help;
    size_t offset; /* in struct summary_row, of a text, a double or a struct measure */
    enum column_kind kind;
    bool spans; /* it is a struct measure */
    /* On the terminal and in Markdown, where some row has a value. */
    enum { HIDDEN, VALUE, INTERVAL } prints;
};

extern const struct column columns[];
extern const size_t n_columns;

const char *column_text(const struct column *c, const struct summary_row *row);
/* Of a column without interval its bounds are NaN. */
struct measure column_measure(const struct column *c, const struct summary_row *row);
/* Is it printed of these rows? */
bool column_prints(const struct column *c, const struct summary_row *rows, size_t n);
const char *column_kind_name(enum column_kind kind);

/* As people read it. */
void column_show(const struct column *c, const struct summary_row *row, struct grid_cell *cell);

#endif
