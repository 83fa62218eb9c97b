/*
 * Two made-up models over a small vocabulary, whose next token depends on the last two, and a
 * machine that writes texts with them as a policy says: drafts, judgements, cuts, draws. It knows
 * nothing of the engines, so that the laws of policies can be tested by many short texts.
 */
#ifndef EAD_TESTS_DICE_H
#define EAD_TESTS_DICE_H

#include "decode/policy.h"

enum { DICE_VOCAB = 8, DICE_CONTEXTS = DICE_VOCAB * DICE_VOCAB, DICE_ROOM = 128 };

struct dice_side {
    float plain[DICE_CONTEXTS][DICE_VOCAB];  /* at temperature 1 */
    float shaped[DICE_CONTEXTS][DICE_VOCAB]; /* as tokens are drawn */
    ead_stats stats[DICE_CONTEXTS];
};

struct dice {
    struct dice_side sides[EAD_WRITERS];
    double temperature;
    struct policy policy;
    uint64_t seed; /* of all draws of a text */
    struct text text;
    int32_t ids[DICE_ROOM];
    struct mark marks[DICE_ROOM];
    int judgements, refused, dropped; /* of all texts */
};

/* `apart`: how far the two models are from each other, 0 to 1. */
void dice_open(struct dice *d, uint64_t world, double apart, double temperature, double top_p);
void dice_set(struct dice *d, const ead_policy_options *o);
/* Write a text of n tokens behind two given ones, which are the context. */
void dice_write(struct dice *d, int context, int n);
/* What was written. */
const int32_t *dice_text(const struct dice *d);
int dice_context(const struct text *t, int at);

#endif
