/*
 * The rearrangement of weights at opening (kern/pack/pack.h says into what). It
 * reads the file once and writes as many bytes to memory of its own, in which the products then
 * read; the mapped file can leave memory again. packfile.h spares the next opening the work.
 */
#ifndef EAD_MODEL_REPACK_H
#define EAD_MODEL_REPACK_H

#include "model/weights.h"

/* Pack every matrix that is multiplied, by `threads` threads. The panels belong to `w`.
 * ST_MEMORY when there is no room; `w` is then as it was. */
MUST_USE enum status repack_weights(struct weights *w, int threads, struct err *err);

/* Carve room for the panels of a stack of n matrices (or of one), which become its packed form;
 * NULL while the arena measures. */
void repack_carve(struct kern_weight *first, int n, struct arena *arena);
/* An arena that holds the panels of all matrices becomes `w`'s. */
void repack_adopt(struct weights *w, struct arena panels);

#endif
