/* What a forward pass takes: a token at a position of a sequence. */
#ifndef EAD_MODEL_ROW_H
#define EAD_MODEL_ROW_H

#include <stdbool.h>
#include <stdint.h>

struct row {
    int seq, pos;
    int32_t token;
    bool wants_logits; /* the distribution of the token that follows is wanted */
};

#endif
