/*
 * From the bytes of a text to its number: an open-addressing hash over texts that someone else
 * holds. Built once, then only read.
 *
 * The texts come from a file nobody vouches for, so the length of a probe is bounded: a file whose
 * texts were made to collide is refused instead of read slowly.
 */
#ifndef EAD_TEXT_LEXICON_H
#define EAD_TEXT_LEXICON_H

#include "base/status.h"
#include "format/gguf.h"

#include <stddef.h>
#include <stdint.h>

struct lexicon_slot {
    uint32_t hash;
    int32_t id; /* -1 is an empty slot */
};

struct lexicon {
    struct lexicon_slot *slots;   /* owned; a power of two of them, at most half in use */
    size_t mask;                  /* slots - 1 */
    const struct gguf_str *texts; /* borrowed, indexed by id */
};

/* Room for `count` texts of `texts`. ST_MEMORY. */
MUST_USE enum status lexicon_init(struct lexicon *lex, const struct gguf_str *texts, size_t count,
                                  struct err *err);
void lexicon_deinit(struct lexicon *lex);

/* Add texts[id]; when the same bytes are there already, the first id stays. ST_FORMAT when a probe
 * would be too long. Call at most `count` times. */
MUST_USE enum status lexicon_add(struct lexicon *lex, int32_t id, struct err *err);

/* The id of these bytes, -1 when there is none. */
int32_t lexicon_find(const struct lexicon *lex, const char *s, size_t n);

/* A hash of n bytes whose bits are all usable. */
uint64_t lexicon_hash(const char *s, size_t n);

#endif
