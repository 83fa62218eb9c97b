/* What has been written, in the shapes that OpenAI's clients read; docs/SERVER.md has them. All
 * return NULL without memory. */
#ifndef EAD_SERVER_ANSWER_H
#define EAD_SERVER_ANSWER_H

#include "server/job.h"

/* The whole answer of a job that ended. */
json_t *answer_whole(const struct job *j);
/* How long that is: its entries (ask_entries), and text in their measure. */
size_t answer_entries(const struct job *j);
/* A chunk of a stream: the text [begin, end) of a choice, and its records [first, last). */
json_t *answer_chunk(const struct job *j, const struct choice *c, size_t begin, size_t end,
                     int first, int last);
/* The first chunk of a choice of a chat, which says who speaks; and the last of any choice. */
json_t *answer_opening(const struct job *j, const struct choice *c);
json_t *answer_ending(const struct job *j, const struct choice *c);
/* The chunk that carries what it cost. */
json_t *answer_account(const struct job *j);

#endif
