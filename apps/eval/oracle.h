/*
 * What routers could do at best: who knows the large model's text beforehand has it write just
 * those tokens at which the small one would go another way, and so repeats it. No program can know;
 * it is here to be compared with.
 */
#ifndef EAD_EVAL_ORACLE_H
#define EAD_EVAL_ORACLE_H

#include "ead.h"

#include <jansson.h>

/* The large model's text of a problem. */
struct oracle {
    int32_t *ids; /* [n] */
    size_t n;
};

/* Of the result "large" of the problem, which has "ids". Replaces what was known. */
ead_status oracle_learn(struct oracle *oracle, const json_t *result, ead_error *error);
void oracle_forget(struct oracle *oracle);

/* An ead_decide; the context is a struct oracle. */
ead_decision oracle_decide(void *context, const ead_signals *signals);

#endif
