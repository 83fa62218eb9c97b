/*
 * The thread that puts long answers together, for a scheduler that has texts to step meanwhile: one
 * answer after the other, so that no more than one is in memory in all its parts.
 */
#ifndef EAD_SERVER_TELLER_H
#define EAD_SERVER_TELLER_H

#include "server/inside.h"

struct teller;

MUST_USE enum status teller_open(struct server *s, struct teller **out, struct err *err);
/* After all that it was given was told. */
void teller_close(struct teller *t);
/* Tell what a job's texts have become, which have all ended. The teller is its holder from now on.
 */
void teller_take(struct teller *t, struct job *j);
/* Jobs that were not told yet. */
int teller_jobs(struct teller *t);

#endif
