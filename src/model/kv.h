/*
 * The KV cache: keys and values of past positions, for several sequences of one model, in f16 or in
 * 8 bits with one scale per 32 elements.
 *
 * It is cut into pages. A page holds KERN_TILE positions of all layers and heads: one tile of keys
 * and one of values of each (kern/kern_cache.h). Tiles of one layer and head lie together, by the
 * number of their page, for that is how they are read. A sequence is a list of pages and a
 * length; forgetting is shortening. Sequences may share the pages of a common prefix: a page counts
 * its holders, and who writes to one that others hold takes a copy first. So a prefix of any length
 * is handed on by copying at most one page, and a page takes memory from the system once it has
 * been written.
 *
 * There are as many pages as all sequences can hold at once, each its own, and a page serves at one
 * place of a sequence only: the first one, or the second. At each place there are as many pages as
 * sequences, so one is always to be had. A sequence takes those of its own home first, which lie
 * one behind the other.
 */
#ifndef EAD_MODEL_KV_H
#define EAD_MODEL_KV_H

#include "base/arena.h"
#include "kern/kern.h"
#include "model/config.h"

struct kv {
    enum kern_cache type;
    int n_seq, n_layer, n_head_kv, head_dim;
    int seq_pages;         /* pages of a full sequence */
    int n_pages;           /* of all sequences */
    int *length;           /* [n_seq] positions held */
    int *held;             /* [n_seq] pages held */
    int *table;            /* [n_seq][seq_pages]: the pages of a sequence, as many as it holds */
    int *holders;          /* [n_pages] sequences that have the page */
    bool *touched;         /* [n_pages] was written to once */
    int n_held, n_touched; /* pages with holders; pages that take memory */
    uint8_t *data;         /* [layer][kv head][keys, values][n_pages] tiles */
};

/* Carve the cache out of `arena` (call once measuring, once for real). */
void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, enum kern_cache type,
              int n_seq, int n_ctx);

/* The pages of a sequence, and the tiles of keys (or values) of one head, by page. */
const int *kv_pages(const struct kv *kv, int seq);
uint8_t *kv_tiles(const struct kv *kv, int layer, bool is_value, int head);

/* See to it that the page of position pos, at most one beyond the sequence's last, can be written
 * to without touching another sequence. */
void kv_own(struct kv *kv, int seq, int pos);
/* Write a key (or value) x [head_dim] of one head; the position must be owned. No other position is
 * touched. */
void kv_write(const struct kv *kv, const struct kern *kern, int seq, int layer, bool is_value,
              int head, int pos, const float *x);

/* Forget positions from `length` on. */
void kv_truncate(struct kv *kv, int seq, int length);
/* Sequence `to` becomes the first `length` positions of `from`, which must hold as many. */
void kv_copy(struct kv *kv, int from, int to, int length);
/* Pages that some sequence holds, and the bytes of one. */
int kv_pages_held(const struct kv *kv);
size_t kv_page_bytes(const struct kv *kv);

#endif
