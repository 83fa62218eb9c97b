#include "model/kv.h"

#include "kern/kern.h"

void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, int n_seq, int n_ctx)
{
    const int tiles = (n_ctx + KERN_KEY_TILE - 1) / KERN_KEY_TILE;
    *kv = (struct kv){.n_seq = n_seq,
                      .n_ctx = tiles * KERN_KEY_TILE,
                      .n_layer = c->n_layer,
                      .n_head_kv = c->n_head_kv,
                      .head_dim = c->head_dim};
    kv->length = arena_carve(arena, (size_t)n_seq, sizeof *kv->length);
    kv->data = arena_carve(arena, (size_t)n_seq * (size_t)kv->n_ctx, kv_position_bytes(c));
}
