/*
 * The texts that merges name: tokens, and texts a pruned vocabulary has no token for, which merges
 * still pass through. The latter are numbered from SYMBOLS_FIRST on, in the order they come up.
 *
 * Built while merges are read; afterwards only the numbers are needed.
 */
#ifndef EAD_TEXT_SYMBOLS_H
#define EAD_TEXT_SYMBOLS_H

#include "base/status.h"
#include "format/gguf.h"
#include "text/lexicon.h"

#include <stddef.h>
#include <stdint.h>

enum { SYMBOLS_FIRST = 1 << 24, SYMBOLS_MAX = 1 << 26 };

/* Set `tokens`, zero the rest; symbols_deinit frees it. */
struct symbols {
    const struct lexicon *tokens; /* borrowed */
    struct lexicon others;
    struct gguf_str *texts; /* owned, the bytes too */
    size_t n, cap;
};

/* The number of a text, -1 when it has none. */
int32_t symbols_find(const struct symbols *s, const char *text, size_t n);
/* The same, with a new number for a new text. ST_FORMAT beyond SYMBOLS_MAX and as lexicon_add;
 * ST_MEMORY. */
MUST_USE enum status symbols_add(struct symbols *s, const char *text, size_t n, int32_t *out,
                                 struct err *err);
void symbols_deinit(struct symbols *s);

#endif
