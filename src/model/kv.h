/*
 * Keys and values of past positions, for several sequences of one model: in f16, or in 8 bits with
 * one scale per 32 elements.
 *
 * Layout [seq][layer][k or v][kv head] of streams [n_ctx] in tiles of 16 positions
 * (kern/kern_cache.h): what one head reads for one row is one contiguous stream. A sequence holds
 * positions 0..length-1; forgetting is shortening. Pages cost memory only once a position has been
 * written.
 */
#ifndef EAD_MODEL_KV_H
#define EAD_MODEL_KV_H

#include "base/arena.h"
#include "kern/kern.h"
#include "model/config.h"

struct kv {
    enum kern_cache type;
    int n_seq, n_ctx; /* sequences, and the capacity of each in positions, whole tiles */
    int n_layer, n_head_kv, head_dim;
    int *length; /* [n_seq] positions held */
    uint8_t *data;
};

/* Carve the cache out of `arena` (call once measuring, once for real). */
void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, enum kern_cache type,
              int n_seq, int n_ctx);

/* The stream of keys (or values) of one head. */
uint8_t *kv_stream(const struct kv *kv, int seq, int layer, bool is_value, int head);

/* Write position pos of a stream of keys (or values): x [head_dim]. No other position is touched.
 */
void kv_write(const struct kv *kv, const struct kern *kern, uint8_t *stream, bool is_value, int pos,
              const float *x);

#endif
