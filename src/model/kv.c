#include "model/kv.h"

void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, enum kern_cache type,
              int n_seq, int n_ctx)
{
    const int tiles = (n_ctx + KERN_TILE - 1) / KERN_TILE;
    *kv = (struct kv){.type = type,
                      .n_seq = n_seq,
                      .n_ctx = tiles * KERN_TILE,
                      .n_layer = c->n_layer,
                      .n_head_kv = c->n_head_kv,
                      .head_dim = c->head_dim};
    const size_t streams = (size_t)n_seq * (size_t)c->n_layer * 2 * (size_t)c->n_head_kv;
    kv->length = arena_carve(arena, (size_t)n_seq, sizeof *kv->length);
    kv->data = arena_carve(arena, streams, kern_cache_tile(type, c->head_dim, kv->n_ctx));
}

uint8_t *kv_stream(const struct kv *kv, int seq, int layer, bool is_value, int head)
{
    size_t at = (((size_t)seq * kv->n_layer + layer) * 2 + is_value) * kv->n_head_kv + head;
    return kv->data + at * kern_cache_tile(kv->type, kv->head_dim, kv->n_ctx);
}

static void write_f16(const struct kern *kern, uint16_t *tile, int dim, bool is_value, int pos,
                      const float *x)
{
    uint16_t half[CONFIG_HEAD_DIM_MAX];
    kern->to_f16(half, x, dim);
    for (int i = 0; i < dim; i++) tile[kern_cache_at(is_value, dim, pos, i)] = half[i];
}

static void write_q8_0(const struct kern *kern, uint8_t *tile, int dim, bool is_value, int pos,
                       const float *x)
{
    int8_t code[CONFIG_HEAD_DIM_MAX];
    uint16_t scale[CONFIG_HEAD_DIM_MAX / KERN_GROUP], *scales = (uint16_t *)(void *)tile;
    int8_t *codes = (int8_t *)tile + kern_cache_scales(KERN_CACHE_Q8_0, dim);
    kern->to_q8_0(code, scale, x, dim);
    for (int i = 0; i < dim; i += KERN_GROUP)
        scales[kern_cache_scale_at(pos, i)] = scale[i / KERN_GROUP];
    for (int i = 0; i < dim; i++) codes[kern_cache_at(is_value, dim, pos, i)] = code[i];
}

void kv_write(const struct kv *kv, const struct kern *kern, uint8_t *stream, bool is_value, int pos,
              const float *x)
{
    uint8_t *tile = stream + kern_cache_tile(kv->type, kv->head_dim, pos);
    if (kv->type == KERN_CACHE_Q8_0)
        write_q8_0(kern, tile, kv->head_dim, is_value, pos, x);
    else
        write_f16(kern, (uint16_t *)(void *)tile, kv->head_dim, is_value, pos, x);
}
