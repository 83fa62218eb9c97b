/* What the files of a duo share: duo.c (the text, decisions, what is told), duo_rows.c (rows and
 * results), duo_write.c (judging and writing). */
#ifndef EAD_DECODE_DUO_INSIDE_H
#define EAD_DECODE_DUO_INSIDE_H

#include "decode/duo.h"

/* The rows that a late engine was given are over: it has answered, or is not to. */
void duo_book_late(struct duo *d, ead_writer w);
/* Positions from `from` on that nobody heard of are about to fall: they will be told as lost. */
void duo_lose(struct duo *d, int from);
/* The text ends at `length`, and so does what engines hold of it. */
void duo_cut(struct duo *d, int length);
/* Ask the policy about the text as it stands. */
void duo_decide(struct duo *d);
/* Do the engines tell as much as the policy asks for, by the sampler that there is now? */
MUST_USE enum status duo_check_told(const struct duo *d, struct err *err);
/* Does a token end a text, for either model? */
bool duo_is_end(const struct duo *d, int32_t id);
/* Keep what the small model proposes at a position by this distribution; false where it can propose
 * nothing, which is kept as well. */
bool duo_propose(struct duo *d, int pos, const struct distribution *small);

#endif
