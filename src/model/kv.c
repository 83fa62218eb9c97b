#include "model/kv.h"

void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, int n_seq, int n_ctx)
{
    *kv = (struct kv){.n_seq = n_seq,
                      .n_ctx = n_ctx,
                      .n_layer = c->n_layer,
                      .n_head_kv = c->n_head_kv,
                      .head_dim = c->head_dim};
    kv->length = arena_carve(arena, (size_t)n_seq, sizeof *kv->length);
    kv->data = arena_carve(arena, (size_t)n_seq * (size_t)n_ctx, kv_position_bytes(c));
}
