/*
 * What a run leaves in its directory, such that a run that was killed at any moment goes on where
 * it was.
 *
 *   run.json       what was run; a run that goes on must agree with it in everything
 *   results.jsonl  one line for each problem and setting; the same bytes whatever the machine
 *   times.jsonl    its time, and how busy the machine was
 *   traces.jsonl   token by token, for some problems
 *
 * While a run goes on lines are appended as they come, each in one write, the result last: a line
 * of the other files without one counts for nothing. A line that was cut off is dropped at opening.
 * In the end the files are written anew in the order of settings and problems.
 */
#ifndef EAD_EVAL_JOURNAL_H
#define EAD_EVAL_JOURNAL_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum journal_file { JOURNAL_RESULTS, JOURNAL_TIMES, JOURNAL_TRACES, JOURNAL_FILES };

/* The names of settings and the numbers of problems, both in their order; borrowed while the
 * journal is open. */
struct journal_index {
    const char *const *settings;
    size_t n_settings;
    const int *problems; /* ascending */
    size_t n_problems;
};

struct journal;

/* Make `dir` if it is not there, lock it, compare run.json or write it, read what is there.
 * EAD_ARGUMENT names the field in which the runs differ; EAD_IO when another process is at work. */
ead_status journal_open(const char *dir, const json_t *run, const struct journal_index *index,
                        struct journal **out, ead_error *error);
void journal_close(struct journal *j);

/* Is the result of setting s and problem p (both as indices of their lists) there? */
bool journal_has(const struct journal *j, size_t s, size_t p);
/* The line of a result; NULL and EAD_OK when there is none. */
ead_status journal_result(const struct journal *j, size_t s, size_t p, json_t **out,
                          ead_error *error);
/* Append the lines of one result; those that are NULL are left out. */
ead_status journal_add(struct journal *j, size_t s, size_t p, json_t *const lines[JOURNAL_FILES],
                       ead_error *error);
/* Write all files in order. */
ead_status journal_finish(struct journal *j, ead_error *error);

#endif
