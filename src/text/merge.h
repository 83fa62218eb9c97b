/*
 * The loop both tokenizers share: a row of symbols, and the best pair of neighbours merges until no
 * pair may. "Best" is a rule's order, ties go to the left. A heap makes it n log n, so that a word
 * of a million letters is slow for no one.
 */
#ifndef EAD_TEXT_MERGE_H
#define EAD_TEXT_MERGE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge_symbol {
    uint32_t at, n; /* bytes of the text it covers; n == 0 once merged into its left neighbour */
    int32_t prev, next; /* neighbours, -1 at the ends */
    int32_t id;         /* -1 where the vocabulary has no token */
};

struct merge_pair {
    uint64_t key; /* order << 32 | index of the left symbol: one comparison settles ties */
    uint32_t right, bytes;
    int32_t id; /* of the merged symbol */
};

/* Scratch that grows to the longest word and is reused. Zero-initialise. */
struct merge {
    struct merge_symbol *symbols; /* owned */
    size_t n_symbols, cap_symbols;
    struct merge_pair *heap; /* owned; the smallest key first */
    size_t n_heap, cap_heap;
};

/* May `left` and `right` merge? Then *order gets the rank (smaller merges first) and *id the token.
 */
typedef bool merge_rule(const void *context, const struct merge_symbol *left,
                        const struct merge_symbol *right, uint32_t *order, int32_t *id);

void merge_clear(struct merge *m);
void merge_deinit(struct merge *m);
/* Append a symbol of n bytes at `at`, the right neighbour of the last. ST_MEMORY. */
MUST_USE enum status merge_add(struct merge *m, uint32_t at, uint32_t n, int32_t id);
/* Merge until nothing may. The result is the chain from symbol 0 along `next`. ST_MEMORY. */
MUST_USE enum status merge_run(struct merge *m, merge_rule *rule, const void *context);

#endif
