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
 * Pages are a pool that may be smaller than all sequences at their longest; who writes asks first
 * whether there are enough (kv_missing). A sequence can have room promised: pages that nobody else
 * takes. While it grows, its pages lie one behind the other where that can be: it begins at a place
 * of its own, and where it meets another's pages it goes on amid the widest gap.
 */
#ifndef EAD_MODEL_KV_H
#define EAD_MODEL_KV_H

#include "base/arena.h"
#include "base/status.h"
#include "kern/kern.h"
#include "model/config.h"

struct kv {
    enum kern_cache type;
    int n_seq, n_layer, n_head_kv, head_dim;
    int seq_pages;         /* pages of a full sequence */
    int n_pages;           /* of the pool */
    int *length;           /* [n_seq] positions held */
    int *held;             /* [n_seq] pages held */
    int *reserved;         /* [n_seq] pages promised, those it holds included; 0: no promise */
    int *table;            /* [n_seq][seq_pages]: the pages of a sequence, as many as it holds */
    int *holders;          /* [n_pages] sequences that have the page */
    bool *touched;         /* [n_pages] was written to once */
    int n_held, n_touched; /* pages with holders; pages that take memory */
    uint8_t *data;         /* [layer][kv head][keys, values][n_pages] tiles */
};

/* Carve the cache out of `arena` (call once measuring, once for real). It has room for `tokens`
 * positions, all sequences together, or (0) for each at its longest. */
void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, enum kern_cache type,
              int n_seq, int n_ctx, int tokens);

/* The pages of a sequence, and the tiles of keys (or values) of one head, by page. */
const int *kv_pages(const struct kv *kv, int seq);
uint8_t *kv_tiles(const struct kv *kv, int layer, bool is_value, int head);

/* A sequence that is to grow. */
struct kv_growth {
    int seq, end; /* so many positions it will hold */
};
/* Pages that are missing for all of these sequences, each of which stands there once, to grow; 0
 * when there are enough. Those without a promise use only what is promised to none. */
int kv_missing(const struct kv *kv, const struct kv_growth *growth, int n);
/* Pages that nobody holds and nobody was promised. */
int kv_spare(const struct kv *kv);
/* Promise a sequence room for `length` positions in place of what it was promised before, or 0:
 * none. False when there is not enough: the old promise stands. */
MUST_USE bool kv_reserve(struct kv *kv, int seq, int length);

/* See to it that the page of position pos, at most one beyond the sequence's last, can be written
 * to without touching another sequence. There must be a page for it. */
void kv_own(struct kv *kv, int seq, int pos);
/* Write a key (or value) x [head_dim] of one head; the position must be owned. No other position is
 * touched. */
void kv_write(const struct kv *kv, const struct kern *kern, int seq, int layer, bool is_value,
              int head, int pos, const float *x);

/* Forget positions from `length` on. Where what it shared with others goes, a promise shrinks to
 * what can be kept. */
void kv_truncate(struct kv *kv, int seq, int length);
/* Sequence `to` becomes the first `length` positions of `from`, which must hold as many, and what
 * was promised to `to` is given back. Where there would be no page for who writes first to a last
 * page that both hold, `to` becomes what stands before that page. */
void kv_copy(struct kv *kv, int from, int to, int length);
/* Pages that some sequence holds, and the bytes of one. */
int kv_pages_held(const struct kv *kv);
size_t kv_page_bytes(const struct kv *kv);

#endif
