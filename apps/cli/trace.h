/*
 * A trace: one JSON object per token and line, with what the decision saw. A program that reads
 * only the trace and the options can recompute every decision; `--policy replay` does.
 *
 *   i          tokens written before this one
 *   taken_back only where it is above 0: so many tokens before this one are no longer part of the
 *              text
 *   id, text   the token, and the characters it completes (the texts in order make up the output)
 *   model      "small" or "large": who wrote it
 *   log_prob   natural, of the token; null where it is not known
 *   entropy    bits, of the distribution it was drawn from
 *   rolling    bits, mean of the last `window` entropies, this one included
 *   ms         time of the step, catch-up included
 *   switched   whether `model` differs from that of the token before
 *
 * Numbers have as many digits as it takes to read back the same double.
 */
#ifndef EAD_CLI_TRACE_H
#define EAD_CLI_TRACE_H

#include "ead.h"

#include <stdio.h>

/* Create `path`; NULL after saying why. Lines are written whole, so that a killed run leaves a
 * usable trace. */
FILE *trace_create(const char *path);

/* One line. EXIT_FAIL after saying why (a full disk). */
int trace_write(FILE *to, const char *path, const ead_token *token, const char *text, size_t bytes);

/* Close and check that everything reached the disk; when `status` tells of a failure already, it is
 * returned and nothing is said again. */
int trace_close(FILE *to, const char *path, int status);

/* Read the writers of the text that a trace ends with, without those that were taken back:
 * places[n], to be freed. EXIT_FAIL after naming the line at fault.
 */
int trace_read(const char *path, ead_replay **places, size_t *n);

#endif
