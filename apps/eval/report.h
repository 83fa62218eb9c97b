/* What a run leaves for people and other programs: summary.json, summary.csv, summary.md and
 * report.html, a page that needs nothing but itself. */
#ifndef EAD_EVAL_REPORT_H
#define EAD_EVAL_REPORT_H

#include "eval/summary.h"

/* Write them into `dir`, each whole or not at all; the solutions that the page shows are those of
 * DIR/traces.jsonl, if there is one. */
ead_status report_write_all(const char *dir, const struct summary *s, ead_error *error);

#endif
