/*
 * Which token has these bytes? For servers that name tokens by their texts.
 */
#ifndef EAD_REMOTE_PIECES_H
#define EAD_REMOTE_PIECES_H

#include "base/status.h"
#include "text/vocab.h"

struct pieces;

enum { PIECES_NONE = -1, PIECES_SEVERAL = -2 };

/* Of a vocabulary, which must outlive it. Never changes, so any number of threads may ask. */
MUST_USE enum status pieces_open(const struct vocab *v, struct pieces **out, struct err *err);
void pieces_close(struct pieces *p); /* NULL is allowed */

/* The token; PIECES_NONE; or PIECES_SEVERAL, when it could be one of several. Control, unknown and
 * unused tokens are no text. A token for a single byte is meant only where no other has that byte:
 * a tokenizer takes the other. */
int32_t pieces_find(const struct pieces *p, const char *bytes, size_t n);

#endif
