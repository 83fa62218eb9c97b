#include "model/kv.h"

#include "base/check.h"

#include <string.h>

static size_t tile_bytes(const struct kv *kv)
{
    return kern_cache_tile(kv->type, kv->head_dim);
}

static int pages_of(int positions)
{
    return positions / KERN_TILE + (positions % KERN_TILE > 0);
}

/* Rows of tiles: keys and values of every layer and head. */
static int rows_of(const struct kv *kv)
{
    return kv->n_layer * kv->n_head_kv * 2;
}

static uint8_t *row_at(const struct kv *kv, int row)
{
    return kv->data + (size_t)row * (size_t)kv->n_pages * tile_bytes(kv);
}

void kv_carve(struct kv *kv, struct arena *arena, const struct config *c, enum kern_cache type,
              int n_seq, int n_ctx)
{
    *kv = (struct kv){.type = type,
                      .n_seq = n_seq,
                      .n_layer = c->n_layer,
                      .n_head_kv = c->n_head_kv,
                      .head_dim = c->head_dim,
                      .seq_pages = pages_of(n_ctx)};
    const size_t pages = (size_t)n_seq * (size_t)kv->seq_pages, rows = (size_t)rows_of(kv);
    if (pages > INT32_MAX) arena->overflow = 1;
    kv->n_pages = (int)pages;
    kv->length = arena_carve(arena, (size_t)n_seq, sizeof *kv->length);
    kv->held = arena_carve(arena, (size_t)n_seq, sizeof *kv->held);
    kv->table = arena_carve(arena, pages, sizeof *kv->table);
    kv->holders = arena_carve(arena, pages, sizeof *kv->holders);
    kv->touched = arena_carve(arena, pages, sizeof *kv->touched);
    kv->data = arena_carve(arena, rows * pages, tile_bytes(kv));
}

static int *table_of(const struct kv *kv, int seq)
{
    return kv->table + (size_t)seq * (size_t)kv->seq_pages;
}

const int *kv_pages(const struct kv *kv, int seq)
{
    return table_of(kv, seq);
}

uint8_t *kv_tiles(const struct kv *kv, int layer, bool is_value, int head)
{
    return row_at(kv, (layer * kv->n_head_kv + head) * 2 + is_value);
}

/* ---- pages ------------------------------------------------------------------------------- */

/* The page that is at home where sequence seq has its at-th, or else another's that is free. */
static int page_take(struct kv *kv, int seq, int at)
{
    int page = seq * kv->seq_pages + at;
    for (int i = 1; kv->holders[page]; i++) {
        CHECK(i < kv->n_seq); /* each other sequence holds one of these at most */
        page = (seq + i) % kv->n_seq * kv->seq_pages + at;
    }
    kv->holders[page] = 1;
    kv->n_held++;
    kv->n_touched += !kv->touched[page];
    kv->touched[page] = true;
    return page;
}

static void page_drop(struct kv *kv, int page)
{
    CHECK(kv->holders[page] > 0);
    kv->n_held -= --kv->holders[page] == 0;
}

static void page_copy(const struct kv *kv, int to, int from)
{
    const size_t bytes = tile_bytes(kv);
    for (int row = 0; row < rows_of(kv); row++) {
        uint8_t *tiles = row_at(kv, row);
        memcpy(tiles + (size_t)to * bytes, tiles + (size_t)from * bytes, bytes);
    }
}

void kv_own(struct kv *kv, int seq, int pos)
{
    const int at = pos / KERN_TILE;
    int *table = table_of(kv, seq);
    CHECK(at <= kv->held[seq] && at < kv->seq_pages);
    if (at == kv->held[seq]) {
        table[kv->held[seq]++] = page_take(kv, seq, at);
    } else if (kv->holders[table[at]] > 1) {
        const int shared = table[at];
        table[at] = page_take(kv, seq, at);
        page_copy(kv, table[at], shared);
        page_drop(kv, shared);
    }
}

void kv_truncate(struct kv *kv, int seq, int length)
{
    if (length >= kv->length[seq]) return;
    const int *table = table_of(kv, seq);
    while (kv->held[seq] > pages_of(length)) page_drop(kv, table[--kv->held[seq]]);
    kv->length[seq] = length;
}

void kv_copy(struct kv *kv, int from, int to, int length)
{
    CHECK(length <= kv->length[from]);
    kv_truncate(kv, to, from == to ? length : 0);
    if (from == to) return;
    const int *source = table_of(kv, from);
    int *table = table_of(kv, to);
    for (int i = 0; i < pages_of(length); i++) {
        table[i] = source[i];
        kv->holders[table[i]]++;
    }
    kv->held[to] = pages_of(length);
    kv->length[to] = length;
}

int kv_pages_held(const struct kv *kv)
{
    return kv->n_held;
}

size_t kv_page_bytes(const struct kv *kv)
{
    return (size_t)rows_of(kv) * tile_bytes(kv);
}

/* ---- writing ----------------------------------------------------------------------------- */

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

void kv_write(const struct kv *kv, const struct kern *kern, int seq, int layer, bool is_value,
              int head, int pos, const float *x)
{
    const size_t page = (size_t)table_of(kv, seq)[pos / KERN_TILE];
    uint8_t *tile = kv_tiles(kv, layer, is_value, head) + page * tile_bytes(kv);
    if (kv->type == KERN_CACHE_Q8_0)
        write_q8_0(kern, tile, kv->head_dim, is_value, pos, x);
    else
        write_f16(kern, (uint16_t *)(void *)tile, kv->head_dim, is_value, pos, x);
}
