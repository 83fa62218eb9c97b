/* The feed-forward of a layer: gated, of normed rows h, into y. That of a mixture is in mixture.h.
 */
#ifndef EAD_MODEL_FFN_H
#define EAD_MODEL_FFN_H

#include "model/slice.h"

/* Does it read h in 8 bits? */
bool ffn_needs_q8(const struct slice *s, int layer);
/* A phase of a mixture: n rows of gate become act(gate) * up, and 8 bits where asked for. */
void ffn_gate(const struct slice *s, struct team_member *me, int n, bool q8);
void ffn_walk(const struct slice *s, struct team_member *me, int layer);

#endif
