/*
 * Where a prompt's beginning was read already. Every text of the batch, live or kept, is a prefix
 * that both models' caches hold as far as they have read it; a text that begins like it copies what
 * they share, which costs no memory. Kept texts go, the least recently used first, where their
 * place or their memory is needed.
 */
#ifndef EAD_SERVER_PREFIX_H
#define EAD_SERVER_PREFIX_H

#include "ead.h"

struct prefix_place {
    bool live;
    uint64_t used; /* when last, by a count; 0: it holds nothing */
};

struct prefix {
    ead_batch *batch;            /* borrowed */
    struct prefix_place *places; /* [n] borrowed */
    int n;
    uint64_t clock;
};

/* Give the prompt a place that is not live, and in it the beginning that a text has of its ids,
 * short of the last one: of the text of which the models have read most, or else has most. Two
 * places at least must not be live. With `fresh` it begins with nothing. Returns its number. */
int prefix_place(struct prefix *p, const int32_t *ids, size_t n, bool fresh);
/* Let go of the kept text that was used least recently, but for place `but`; false when there is
 * none. */
bool prefix_evict(struct prefix *p, int but);
/* How many of the ids does some live text of the places [0, below) begin with? */
size_t prefix_live(const struct prefix *p, const int32_t *ids, size_t n, int below);
/* A place was used, and is kept from now on, if it holds anything. */
void prefix_keep(struct prefix *p, int place);
/* A place holds nothing that is worth keeping. */
void prefix_forget(struct prefix *p, int place);
int prefix_kept(const struct prefix *p);

#endif
