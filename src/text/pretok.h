/*
 * Pre-tokenizers: the regular expressions that cut a text into words before byte-pair encoding.
 * A vocabulary names its own in tokenizer.ggml.pre. Several expressions are applied one after the
 * other: each cuts the pieces of the one before into its matches and what lies between them, and
 * sees nothing beyond the piece.
 *
 * Bytes that are not UTF-8 are seen as a control character each: no letter, digit or space. The
 * words still carry the bytes themselves.
 */
#ifndef EAD_TEXT_PRETOK_H
#define EAD_TEXT_PRETOK_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pretok; /* compiled expressions; never changes, so threads may share it */

/* What a name implies beyond the expressions. */
struct pretok_rules {
    const char *name; /* static */
    bool add_bos;     /* unless tokenizer.ggml.add_bos_token says otherwise */
    bool whole_words; /* a word that is a token is that token, whatever the merges say */
    bool composes;    /* takes a text in Normalization Form C */
};

/* Compile the expressions of a name of n bytes; n == 0 is the name "default". ST_SUPPORT lists the
 * known names. */
MUST_USE enum status pretok_open(const char *name, size_t n, struct pretok **out, struct err *err);
void pretok_close(struct pretok *p); /* NULL is allowed */
const struct pretok_rules *pretok_rules(const struct pretok *p);
/* Do both make the same words of every text, whatever their names? */
bool pretok_same(const struct pretok *a, const struct pretok *b);

/* Called for each word, in order; together the words are the text. Another status than ST_OK stops
 * the split and is returned from it. */
typedef enum status pretok_word(void *context, const char *word, size_t n);

MUST_USE enum status pretok_split(const struct pretok *p, const char *text, size_t n,
                                  pretok_word *word, void *context, struct err *err);

#endif
