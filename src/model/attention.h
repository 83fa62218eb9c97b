/* The attention of a layer: of normed rows h, into y; their keys and values go into the cache. */
#ifndef EAD_MODEL_ATTENTION_H
#define EAD_MODEL_ATTENTION_H

#include "model/slice.h"

/* Floats of scratch that a thread needs. */
size_t attention_scratch(const struct config *c);

/* Cut a slice's rows into runs of one sequence that attend together, short enough that every thread
 * of `members` gets two: where they begin, and then the end, into f->runs. The number of runs. */
int attention_cut(const struct forward *f, int members, const struct row *rows, int n);

/* Does it read h in 8 bits? */
bool attention_needs_q8(const struct slice *s, int layer);
void attention_walk(const struct slice *s, struct team_member *me, int layer);

#endif
