/*
 * Token ids to text, one at a time, for output that is shown while it is made. A token may end in
 * the middle of a UTF-8 character: those bytes are held back until the next token completes them,
 * so every call appends whole characters. Bytes that can no longer become a character pass through
 * at once.
 *
 * Nothing is allocated here; the caller's buffer stops growing when it is reused.
 */
#ifndef EAD_TEXT_DETOK_H
#define EAD_TEXT_DETOK_H

#include "base/buf.h"
#include "base/status.h"
#include "text/vocab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum detok_flags {
    /* The first token begins a text: drop the space that a SentencePiece vocabulary puts there. Not
     * for a continuation, where that space separates two words. */
    DETOK_START = 1,
    /* Show control and unknown tokens by their text; otherwise they give nothing. */
    DETOK_SPECIAL = 2
};

struct detok {
    const struct vocab *vocab; /* borrowed */
    unsigned flags;
    bool drop_space; /* the next piece loses one leading space */
    uint8_t n_held;
    char held[4]; /* the first n_held bytes of an unfinished character */
};

void detok_init(struct detok *d, const struct vocab *vocab, unsigned flags);
/* Append the characters that `id` completes, possibly none. An id out of range gives nothing.
 * ST_MEMORY from the buffer. */
MUST_USE enum status detok_add(struct detok *d, int32_t id, struct buf *out);
/* Append the bytes still held back, complete or not; then the detokeniser is as after init. */
MUST_USE enum status detok_flush(struct detok *d, struct buf *out);

/* All at once: init, add every id, flush. */
MUST_USE enum status detok_all(const struct vocab *vocab, const int32_t *ids, size_t n,
                               unsigned flags, struct buf *out);

#endif
