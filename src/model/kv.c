#include "model/kv.h"

#include "base/check.h"

#include <string.h>

enum { CACHE_LINE = 64 };

static size_t tile_bytes(const struct kv *kv)
{
    return kern_cache_tile(kv->type, kv->head_dim);
}

static int pages_of(int positions)
{
    return (positions + KERN_TILE - 1) / KERN_TILE;
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
    const size_t tiles = (size_t)c->n_layer * (size_t)c->n_head_kv * 2;
    const size_t pages = (size_t)n_seq * (size_t)kv->seq_pages;
    kv->page_bytes = (tiles * tile_bytes(kv) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    kv->length = arena_carve(arena, (size_t)n_seq, sizeof *kv->length);
    kv->table = arena_carve(arena, pages, sizeof *kv->table);
    kv->holders = arena_carve(arena, pages, sizeof *kv->holders);
    kv->spare = arena_carve(arena, pages, sizeof *kv->spare);
    kv->data = arena_carve(arena, pages, kv->page_bytes);
}

static uint8_t **table_of(const struct kv *kv, int seq)
{
    return kv->table + (size_t)seq * (size_t)kv->seq_pages;
}

const uint8_t *const *kv_pages(const struct kv *kv, int seq)
{
    return (const uint8_t *const *)table_of(kv, seq);
}

size_t kv_tile(const struct kv *kv, int layer, bool is_value, int head)
{
    const size_t at = ((size_t)layer * (size_t)kv->n_head_kv + (size_t)head) * 2 + is_value;
    return at * tile_bytes(kv);
}

/* ---- pages ------------------------------------------------------------------------------- */

static int *holders_of(const struct kv *kv, const uint8_t *page)
{
    CHECK(page >= kv->data && (size_t)(page - kv->data) % kv->page_bytes == 0);
    return &kv->holders[(size_t)(page - kv->data) / kv->page_bytes];
}

static uint8_t *page_take(struct kv *kv)
{
    /* Never more pages than positions: a page with several holders leaves others spare. */
    CHECK(kv->n_spare || kv->n_touched < kv->n_seq * kv->seq_pages);
    const int at = kv->n_spare ? kv->spare[--kv->n_spare] : kv->n_touched++;
    CHECK(!kv->holders[at]);
    kv->holders[at] = 1;
    return kv->data + (size_t)at * kv->page_bytes;
}

static void page_drop(struct kv *kv, uint8_t *page)
{
    int *holders = holders_of(kv, page);
    CHECK(*holders > 0);
    if (--*holders == 0) kv->spare[kv->n_spare++] = (int)(holders - kv->holders);
}

void kv_own(struct kv *kv, int seq, int pos)
{
    CHECK(pos >= 0 && pos / KERN_TILE < kv->seq_pages);
    uint8_t **at = table_of(kv, seq) + pos / KERN_TILE, *shared = *at;
    if (shared && *holders_of(kv, shared) == 1) return;
    *at = page_take(kv);
    if (!shared) return;
    memcpy(*at, shared, kv->page_bytes);
    page_drop(kv, shared);
}

void kv_truncate(struct kv *kv, int seq, int length)
{
    CHECK(seq >= 0 && seq < kv->n_seq && length >= 0);
    uint8_t **table = table_of(kv, seq);
    for (int i = pages_of(length); i < kv->seq_pages && table[i]; i++) {
        page_drop(kv, table[i]);
        table[i] = NULL;
    }
    if (length < kv->length[seq]) kv->length[seq] = length;
}

void kv_copy(struct kv *kv, int from, int to, int length)
{
    if (from == to) {
        kv_truncate(kv, to, length);
        return;
    }
    CHECK(length >= 0 && length <= kv->length[from]);
    uint8_t **source = table_of(kv, from), **table = table_of(kv, to);
    kv_truncate(kv, to, 0);
    for (int i = 0; i < pages_of(length); i++) {
        CHECK(source[i] && !table[i]);
        table[i] = source[i];
        ++*holders_of(kv, table[i]);
    }
    kv->length[to] = length;
}

int kv_pages_held(const struct kv *kv)
{
    return kv->n_touched - kv->n_spare;
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
    uint8_t *page = table_of(kv, seq)[pos / KERN_TILE];
    CHECK(page && *holders_of(kv, page) == 1); /* nobody else reads what changes here */
    uint8_t *tile = page + kv_tile(kv, layer, is_value, head);
    if (kv->type == KERN_CACHE_Q8_0)
        write_q8_0(kern, tile, kv->head_dim, is_value, pos, x);
    else
        write_f16(kern, (uint16_t *)(void *)tile, kv->head_dim, is_value, pos, x);
}
