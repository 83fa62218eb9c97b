/*
 * Keys and values of past positions, in f16, for several sequences of one model.
 *
 * Layout [seq][layer][k or v][kv head][position][head_dim], keys in tiles of 16 positions (kern.h):
 * what one head reads for one row is one contiguous stream. A sequence holds positions 0..length-1;
 * forgetting is shortening. Pages cost memory only once a position has been written.
 */
#ifndef EAD_MODEL_KV_H
#define EAD_MODEL_KV_H

#include "base/arena.h"
#include "model/config.h"

struct kv {
    int n_seq, n_ctx; /* sequences, and the capacity of each in positions, whole tiles */
    int n_layer, n_head_kv, head_dim;
    int *length; /* [n_seq] positions held */
    uint16_t *data;
};

/* Carve the cache out of `arena` (call once measuring, once for real). */
void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, int n_seq, int n_ctx);

/* Keys (or values) of one head: [n_ctx][head_dim]. */
static inline uint16_t *kv_head(const struct kv *kv, int seq, int layer, int is_value, int head)
{
    size_t at = (((size_t)seq * kv->n_layer + layer) * 2 + is_value) * kv->n_head_kv + head;
    return kv->data + at * kv->n_ctx * kv->head_dim;
}

/* Bytes of one position of one sequence over all layers. */
static inline size_t kv_position_bytes(const struct config *c)
{
    return (size_t)c->n_layer * 2 * c->n_head_kv * c->head_dim * sizeof(uint16_t);
}

#endif
