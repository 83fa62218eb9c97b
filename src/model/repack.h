/*
 * The rearrangement of weights at opening (kern_pack.h says into what, kern_vec_pack.h why). It
 * reads the file once and writes as many bytes to memory of its own, in which the products then
 * read; the mapped file can leave memory again.
 */
#ifndef EAD_MODEL_REPACK_H
#define EAD_MODEL_REPACK_H

#include "model/weights.h"

/* Pack every matrix that is multiplied, by `threads` threads. The panels belong to `w`.
 * ST_MEMORY when there is no room; `w` is then as it was. */
MUST_USE enum status repack_weights(struct weights *w, int n_layer, int threads, struct err *err);

#endif
