/* A summary as a table: for the terminal, as Markdown, as CSV and as JSON, all from one description
 * of the columns. */
#ifndef EAD_EVAL_TABLE_H
#define EAD_EVAL_TABLE_H

#include "eval/summary.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Settings with accuracy and cost, then accuracy by level and by subject. False without memory. */
bool table_print(const struct summary *s, FILE *to, bool color);
/* The first of these alone. */
bool table_print_settings(const struct summary *s, FILE *to, bool color);
bool table_markdown(const struct summary *s, FILE *to);
/* One line a setting, level and subject. */
void table_csv(const struct summary *s, FILE *to);
/* {"run", "problems", "wanted", "parallel", "threads", "columns", "rows", "levels", "subjects"};
 * NULL without memory. */
json_t *table_json(const struct summary *s);

#endif
