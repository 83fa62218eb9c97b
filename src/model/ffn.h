/* The feed-forward of a layer: gated, of normed rows h, into y. */
#ifndef EAD_MODEL_FFN_H
#define EAD_MODEL_FFN_H

#include "model/slice.h"

/* Does it read h in 8 bits? */
bool ffn_needs_q8(const struct slice *s, int layer);
void ffn_walk(const struct slice *s, struct team_member *me, int layer);

#endif
