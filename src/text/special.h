/*
 * Tokens that are found in a text before it is tokenised: user-defined ones always, control and
 * unknown ones on request. Longer texts win over shorter ones wherever they overlap, and of equal
 * ones the first in the text.
 *
 * One pass over the text per distinct length, with a rolling hash, so that neither many tokens nor
 * long ones make a text slow; SPECIAL_LENGTHS_MAX bounds the passes.
 */
#ifndef EAD_TEXT_SPECIAL_H
#define EAD_TEXT_SPECIAL_H

#include "base/status.h"
#include "format/gguf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPECIAL_LENGTHS_MAX = 256 };

struct special_entry {
    int32_t id;
    uint64_t hash;
    struct gguf_str text; /* borrowed */
    bool always;          /* user-defined: matched without request */
    bool strip_right;     /* white space after it belongs to it */
};

struct special_length {
    size_t n;           /* bytes */
    size_t first, last; /* entries [first, last), sorted by hash */
    uint64_t power;     /* what the byte that leaves the window counts for in the rolling hash */
    bool any_always;
};

struct special {
    struct special_entry *entries; /* owned; by length, longest first, then by hash */
    size_t n_entries;
    struct special_length lengths[SPECIAL_LENGTHS_MAX];
    size_t n_lengths;
    bool leads[256]; /* bytes an entry may begin with */
};

/* A stretch of the text: a token, or (id == -1) bytes still to be tokenised. */
struct special_span {
    size_t at, n;
    int32_t id;
};

struct special_spans {
    struct special_span *span; /* owned */
    size_t n, cap;
};

/* Take ownership of `entries` (from malloc; hashes are filled here), also on failure. Entries with
 * empty texts are not allowed. ST_SUPPORT when there are more distinct lengths than
 * SPECIAL_LENGTHS_MAX. */
MUST_USE enum status special_init(struct special *s, struct special_entry *entries, size_t n,
                                  struct err *err);
void special_deinit(struct special *s);

/* Cut a text of n bytes into spans, in order; *out is overwritten and reused. With `all`, control
 * and unknown tokens are found too. ST_MEMORY. */
MUST_USE enum status special_split(const struct special *s, const char *text, size_t n, bool all,
                                   struct special_spans *out);
void special_spans_deinit(struct special_spans *spans);

#endif
