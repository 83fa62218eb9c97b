/*
 * The one thread that has texts written. It takes requests in the order in which they came, gives
 * each of their texts a place in the batch as soon as one is free and memory for all that it may
 * become, steps all of them together, and hands on what came of it.
 *
 * Places outnumber the texts that may be live: a text that ended stays where it is, for its tokens
 * may be the beginning of the next one's (prefix.h).
 */
#ifndef EAD_SERVER_SCHEDULER_H
#define EAD_SERVER_SCHEDULER_H

#include "server/inside.h"

/* The models must be set in `s`. */
MUST_USE enum status scheduler_open(struct server *s, struct scheduler **out, struct err *err);
/* Requests that are not answered yet end with an error. */
void scheduler_close(struct scheduler *s);
/* Have a request answered, which is read; false after saying why it cannot be now. Where it returns
 * true the scheduler is another holder. */
bool scheduler_take(struct scheduler *s, struct job *j, struct refusal *r);

#endif
