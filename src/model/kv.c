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
              int n_seq, int n_ctx, int tokens)
{
    *kv = (struct kv){.type = type,
                      .n_seq = n_seq,
                      .n_layer = c->n_layer,
                      .n_head_kv = c->n_head_kv,
                      .head_dim = c->head_dim,
                      .seq_pages = pages_of(n_ctx)};
    const size_t most = (size_t)n_seq * (size_t)kv->seq_pages, rows = (size_t)rows_of(kv);
    const size_t wanted = (size_t)pages_of(tokens), pages = wanted && wanted < most ? wanted : most;
    if (pages > INT32_MAX) arena->overflow = 1;
    kv->n_pages = (int)pages;
    kv->length = arena_carve(arena, (size_t)n_seq, sizeof *kv->length);
    kv->held = arena_carve(arena, (size_t)n_seq, sizeof *kv->held);
    kv->reserved = arena_carve(arena, (size_t)n_seq, sizeof *kv->reserved);
    kv->table = arena_carve(arena, most, sizeof *kv->table);
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

/* The middle of the widest gap: who grows before it and who begins there are far from each other.
 * A gap at the very beginning is filled from there. -1 when no page is free. */
static int widest_gap(const struct kv *kv)
{
    int begin = 0, widest = 0, place = -1;
    for (int page = 0; page <= kv->n_pages; page++) {
        if (page < kv->n_pages && !kv->holders[page]) continue;
        const int width = page - begin;
        if (width > widest) {
            widest = width;
            place = begin ? begin + width / 2 : 0;
        }
        begin = page + 1;
    }
    return place;
}

/* Where sequence seq has its at-th page: behind the one before, unless others hold that, too, and
 * may grow there; or at its own place; or wherever there is most room. */
static int page_place(const struct kv *kv, int seq, int at)
{
    const int before = at ? table_of(kv, seq)[at - 1] : -1;
    if (before >= 0 && kv->holders[before] == 1 && before + 1 < kv->n_pages &&
        !kv->holders[before + 1])
        return before + 1;
    const int64_t home = (int64_t)seq * kv->n_pages / kv->n_seq + at;
    const int page = (int)(home % kv->n_pages);
    return kv->holders[page] ? widest_gap(kv) : page;
}

static int page_take(struct kv *kv, int seq, int at)
{
    const int page = page_place(kv, seq, at);
    CHECK(page >= 0); /* who writes has asked */
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

/* ---- promises ---------------------------------------------------------------------------- */

/* The page that the sequence's next position stands in, where that is one it holds; or -1. */
static int open_page(const struct kv *kv, int seq)
{
    const int length = kv->length[seq];
    return length % KERN_TILE ? table_of(kv, seq)[length / KERN_TILE] : -1;
}

/* Of sequences that are going to write, all in turn: does this one copy its open page first? Each
 * counts as gone from its page until open_page_back, for the last one there writes to it as it is.
 */
static bool leave_open_page(const struct kv *kv, int seq)
{
    const int page = open_page(kv, seq);
    return page >= 0 && kv->holders[page]-- > 1;
}

static void open_page_back(const struct kv *kv, int seq)
{
    const int page = open_page(kv, seq);
    if (page >= 0) kv->holders[page]++;
}

static int pages_to_come(const struct kv *kv, int seq)
{
    const int n = kv->reserved[seq] - kv->held[seq];
    return n > 0 ? n : 0;
}

/* Pages not yet held that were promised. */
static int promised(const struct kv *kv)
{
    int64_t n = 0;
    for (int s = 0; s < kv->n_seq; s++)
        if (kv->reserved[s]) n += pages_to_come(kv, s) + leave_open_page(kv, s);
    for (int s = 0; s < kv->n_seq; s++)
        if (kv->reserved[s]) open_page_back(kv, s);
    return n < INT32_MAX ? (int)n : INT32_MAX;
}

int kv_spare(const struct kv *kv)
{
    return kv->n_pages - kv->n_held - promised(kv);
}

int kv_missing(const struct kv *kv, const struct kv_growth *growth, int n)
{
    int beyond = 0; /* pages that were promised to none of them */
    for (int i = 0; i < n; i++) {
        const int seq = growth[i].seq, fresh = pages_of(growth[i].end) - kv->held[seq];
        const int kept = pages_to_come(kv, seq), copied = leave_open_page(kv, seq);
        if (!kv->reserved[seq])
            beyond += fresh + copied;
        else if (fresh > kept)
            beyond += fresh - kept;
    }
    for (int i = 0; i < n; i++) open_page_back(kv, growth[i].seq);
    if (!beyond) return 0; /* the invariant: what was promised is free */
    const int missing = beyond - kv_spare(kv);
    return missing > 0 ? missing : 0;
}

bool kv_reserve(struct kv *kv, int seq, int length)
{
    const int before = kv->reserved[seq];
    kv->reserved[seq] = pages_of(length);
    if (kv->reserved[seq] <= before || kv_spare(kv) >= 0) return true;
    kv->reserved[seq] = before;
    return false;
}

/* A promise shrinks to what can be kept. */
static void settle(struct kv *kv, int seq)
{
    if (!kv->reserved[seq]) return;
    const int spare = kv_spare(kv), kept = pages_to_come(kv, seq);
    if (spare >= 0) return;
    kv->reserved[seq] = kept > -spare ? kv->reserved[seq] + spare : 0;
}

/* ---- prefixes ---------------------------------------------------------------------------- */

static void drop_from(struct kv *kv, int seq, int length)
{
    const int *table = table_of(kv, seq);
    while (kv->held[seq] > pages_of(length)) page_drop(kv, table[--kv->held[seq]]);
    kv->length[seq] = length;
}

void kv_truncate(struct kv *kv, int seq, int length)
{
    if (length >= kv->length[seq]) return;
    drop_from(kv, seq, length);
    settle(kv, seq);
}

void kv_copy(struct kv *kv, int from, int to, int length)
{
    CHECK(length <= kv->length[from]);
    kv_truncate(kv, to, from == to ? length : 0);
    if (from == to) return;
    kv->reserved[to] = 0;
    const int *source = table_of(kv, from);
    int *table = table_of(kv, to);
    for (int i = 0; i < pages_of(length); i++) {
        table[i] = source[i];
        kv->holders[table[i]]++;
    }
    kv->held[to] = pages_of(length);
    kv->length[to] = length;
    if (kv_spare(kv) < 0) drop_from(kv, to, length / KERN_TILE * KERN_TILE);
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
