/*
 * What a model thought of tokens that were given: told to the caller while it reads them, in order,
 * each once. Telling changes nothing of the text.
 */
#ifndef EAD_DECODE_SCORE_H
#define EAD_DECODE_SCORE_H

#include "ead.h"
#include "engine/distribution.h"

struct scoring {
    ead_score tell; /* NULL: nobody asks */
    void *context;
    int n_best;
    int next; /* tokens of the text before this one were told, or passed over */
};

/* Whom to tell from now on, and of how many alternatives. */
void score_ask(struct scoring *s, int n_best, ead_score tell, void *context);
/* Tell of token `id` at position `at`, which followed by this distribution; of its tokens only
 * those below n_vocab are named. */
void score_tell(struct scoring *s, int at, int32_t id, const struct distribution *d, int n_vocab);

#endif
