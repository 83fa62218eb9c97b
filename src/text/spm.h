/*
 * SentencePiece encoding: the characters of a text are the first symbols, and the pair whose joint
 * text has the highest score merges first. A character that is no token becomes the tokens of its
 * bytes.
 */
#ifndef EAD_TEXT_SPM_H
#define EAD_TEXT_SPM_H

#include "base/status.h"
#include "text/ids.h"
#include "text/lexicon.h"
#include "text/merge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spm {
    uint32_t *orders;          /* owned; per token, smaller merges first */
    int32_t byte_ids[256];     /* -1 where the vocabulary has no token for a byte */
    int32_t unk;               /* stands for such a byte; -1 drops it */
    size_t longest;            /* bytes of the longest token text */
    bool breaks;               /* no token has a space mark after another character */
    const struct lexicon *lex; /* borrowed */
};

/* U+2581, which stands for a space in token texts. */
#define SPM_SPACE "\xe2\x96\x81"

/* `scores` holds n_tokens values, NULL means all are 0; they are copied. `lex` is borrowed.
 * ST_MEMORY. */
MUST_USE enum status spm_init(struct spm *spm, const float *scores, size_t n_tokens,
                              const struct lexicon *lex, struct err *err);
void spm_deinit(struct spm *spm);

/* Append the tokens of n bytes, with `prefix` as if a space stood before them; `work` is scratch.
 * n <= 2^30. ST_MEMORY. */
MUST_USE enum status spm_encode(const struct spm *spm, struct merge *work, const char *text,
                                size_t n, bool prefix, struct ids *out);

#endif
