/*
 * Byte-pair encoding of one word: its bytes are the first symbols, and the pair that stands
 * earliest in the list of merges merges first.
 *
 * The merges are kept as pairs of numbers, not of strings: ids of tokens, and numbers from
 * SYMBOLS_FIRST on for texts that are no tokens of a pruned vocabulary but lead to one. Merges to
 * more than 4096 bytes are lost; no published vocabulary has one.
 */
#ifndef EAD_TEXT_BPE_H
#define EAD_TEXT_BPE_H

#include "base/status.h"
#include "format/gguf.h"
#include "text/ids.h"
#include "text/lexicon.h"
#include "text/merge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpe_slot {
    int32_t left, right; /* left == -1 is an empty slot */
    uint32_t rank;
    int32_t id; /* of both together */
};

struct bpe {
    struct bpe_slot *slots;    /* owned; a power of two of them, at most half in use */
    size_t mask;               /* slots - 1 */
    int32_t byte_symbols[256]; /* -1 where neither tokens nor merges know a byte */
    bool whole_words;          /* a word that is a token is that token, whatever the merges say */
    uint64_t digest;           /* of the merges in their order */
    const struct lexicon *lex; /* borrowed */
};

enum { BPE_WORD_WHOLE_MAX = 512 }; /* longer words are never looked up whole */

/* Read the array tokenizer.ggml.merges: strings of two texts with a space between. `lex` knows the
 * n_tokens tokens and is borrowed. ST_FORMAT, ST_MEMORY. */
MUST_USE enum status bpe_init(struct bpe *bpe, const struct gguf_kv *merges,
                              const struct lexicon *lex, size_t n_tokens, struct err *err);
void bpe_deinit(struct bpe *bpe);

/* Append the tokens of a word of n bytes; `work` is scratch. Bytes without a token give none.
 * ST_MEMORY. */
MUST_USE enum status bpe_encode(const struct bpe *bpe, struct merge *work, const char *word,
                                size_t n, struct ids *out);

/* The rank of the first merge that one has and the other has not, or elsewhere; BPE_NO_RANK where
 * all agree. Ids must mean the same in both. */
#define BPE_NO_RANK UINT32_MAX
uint32_t bpe_first_difference(const struct bpe *a, const struct bpe *b);

#endif
