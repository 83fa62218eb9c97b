/*
 * A trace: one JSON object per token and line, with what the decision saw. A program that reads
 * only the trace and the options can recompute every decision; `--policy replay` repeats them, and
 * tools/check_trace.py recomputes them.
 *
 *   i          tokens written before this one
 *   lost       true where the token was taken back before it was told: it is no part of the text,
 *              and what stands in its place follows
 *   taken_back only where it is above 0: so many tokens before this one, as told, are no longer
 *              part of the text
 *   judgement  only where there was one: of the drafts before this token so many were {"judged"},
 *              and so many of them {"kept"}. With the small model's token, which is the text's
 *              last, it stands behind it
 *   alone      true where the large model failed before it
 *   id, text   the token, and the characters it completes (the texts in order, without lost ones,
 *              make up the output); of a lost one those that it completes among lost ones
 *   model      "small" or "large": who wrote it
 *   log_prob   natural, of the token; null where it is not known
 *   entropy    bits, of the distribution it was drawn from; entropy_lo, entropy_hi and exact
 *              (false) where it is the middle of an interval
 *   max_prob, margin, argmax
 *              of that distribution: the largest probability, its lead over the second, its token
 *   top_entropy
 *              bits, of its 20 most probable tokens; where the policy asks for it
 *   rolling    bits, mean of the last `window` entropies, this one included
 *   judged     of a draft that was judged, kept or not, what the large model thought of it: p,
 *              max_p, entropy_p, argmax, own, native, chance, and where there is such a thing q,
 *              max_q, rank, top_entropy and measure (ead_opinion)
 *   end        true where the token ends the text or, of a lost one, would have
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

/* One line; `text` is what stands there as such. EXIT_FAIL after saying why (a full disk). */
int trace_write(FILE *to, const char *path, const ead_token *token, const char *text, size_t bytes);

/* Close and check that everything reached the disk; when `status` tells of a failure already, it is
 * returned and nothing is said again. */
int trace_close(FILE *to, const char *path, int status);

/* Read what stands at each place of the text that a trace ends with, and what was lost and judged
 * before it: places[n], to be freed. EXIT_FAIL after naming the line at fault. */
int trace_read(const char *path, ead_replay **places, size_t *n);

#endif
