/*
 * The least that a router must ask of the large model to repeat its text: who knows that text
 * beforehand has it write just those tokens at which the small one would go another way. No program
 * can know; it is here to be compared with. (A router that leaves the text and is right all the
 * same can do with less.) The bits are the large model's where both models are at hand; over an API
 * a difference may come from the server.
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

/* Of the result "large" of the problem, a line of the file `path`, which has "ids". Replaces what
 * was known. */
ead_status oracle_learn(struct oracle *oracle, const char *path, const json_t *result,
                        ead_error *error);
void oracle_forget(struct oracle *oracle);

/* An ead_decide; the context is a struct oracle. */
ead_decision oracle_decide(void *context, const ead_signals *signals);

#endif
