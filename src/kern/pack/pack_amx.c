/*
 * Packed weights times activations in AMX: a tile is a block of up to 16 rows of memory, and one
 * instruction multiplies 16 rows of activations by 16 outputs, 32 inputs deep.
 *
 * Weights of CHUNK inputs of a panel are unpacked into signed bytes, steps as in pack/pack.h, so
 * that a step of 16 outputs is a row of a tile as it lies. That is shared by up to STRIP rows of
 * activations. Tiles give the whole sums of each 32 inputs; they are stored for all of a chunk,
 * then scaled by vectors: storing a tile keeps all else waiting, so the two do not mix well.
 *
 * The whole numbers that leave a tile are those of AVX-512 with the offset already added, and the
 * floats behind them are added in the same order: bits are those of the avx512 table, which serves
 * short passes; the shortest read two panels in turn, for memory of machines with tiles gives more
 * in two streams than in one.
 */
#include "kern/vec/ivec_avx512.h"
#include "kern/vec/tile_amx.h"

#include "kern/pack/panel.h"
#include "kern/pack/unpack.h"

#include <stdalign.h>
#include <stdbool.h>

enum {
    FEWEST = 9,  /* rows of a pass in tiles; fewer are faster in vectors */
    STRIP = 64,  /* of activations that share unpacked weights */
    BATCH = 16,  /* panels that are multiplied by so many before later rows are read */
    CHUNK = 256, /* inputs; unpacked weights, activations and sums stay in the nearest cache */
    GROUPS = CHUNK / QK,
    EIGHT = 8, /* rows whose sums are scaled together */
    STEPS = 8  /* products of 32 or 16 inputs whose sums are stored before they are scaled; half of
               them for 8-bit weights, which need more of the nearest cache themselves */
};

/* Unpacked weights of a panel. Fine types have two halves to a group (struct pack_group). */
struct chunk {
    alignas(64) int8_t code[GROUPS * 8 * STEP];
    float d[GROUPS][2][PANEL], m[GROUPS][2][PANEL];
};

/* ---- tiles: 0 to 3 sums, 4 and 5 activations, 6 and 7 weights -------------------------------- */

/* Products of `rows` rows of activations, `depth` inputs deep. */
static void tiles_begin(int rows, int depth)
{
    alignas(64) struct tile_config c = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        c.rows[t] = (uint8_t)(t < 6 ? rows : depth / 4);
        c.row_bytes[t] = (uint16_t)(t == 4 || t == 5 ? depth : 4 * TILE);
    }
    tile_stores_end();
    _tile_loadconfig(&c);
}

/* Whole sums of a step: with the first TILE outputs of the panel, and with the others. */
typedef int32_t step_dot[2][TILE][TILE];

#define TILE_LOAD(activations, step)                                                               \
    _tile_loadd(activations, q + (size_t)(step) * (size_t)depth, stride)
#define TILE_DOT(sums, activations, weights, step, half)                                           \
    _tile_zero(sums);                                                                              \
    _tile_loadd(weights, code + (step)*depth * PANEL + (half)*4 * TILE, STEP);                     \
    _tile_dpbssd(sums, activations, weights)
#define TILE_STORE(sums, step, half) _tile_stored(sums, dot[step][half], 4 * TILE)

/* Weights to fetch while others are multiplied: some bytes at a time, all along, because few loads
 * can be under way at once. */
struct ahead {
    const uint8_t *at;
    size_t bytes;
};

INLINE void ahead_fetch(struct ahead *a)
{
    for (size_t i = 0; i < a->bytes; i += 64) line_prefetch(a->at + i);
    a->at += a->bytes;
}

/* dot[s] = the products of step s < steps: rows of activations at q, `stride` apart, and the codes
 * of a panel. Two products are begun before the first is stored, for it takes its time. */
INLINE void tile_steps(const int8_t *q, size_t stride, const int8_t *code, int depth, int steps,
                       step_dot *dot, struct ahead *ahead)
{
    int s = 0;
    TILE_LOAD(4, 0);
    TILE_DOT(0, 4, 6, 0, 0);
    TILE_DOT(1, 4, 7, 0, 1);
    ahead_fetch(ahead);
    for (; s + 2 < steps; s += 2) {
        TILE_LOAD(5, s + 1);
        TILE_DOT(2, 5, 6, s + 1, 0);
        TILE_STORE(0, s, 0);
        ahead_fetch(ahead);
        TILE_DOT(3, 5, 7, s + 1, 1);
        TILE_STORE(1, s, 1);
        TILE_LOAD(4, s + 2);
        TILE_DOT(0, 4, 6, s + 2, 0);
        TILE_STORE(2, s + 1, 0);
        ahead_fetch(ahead);
        TILE_DOT(1, 4, 7, s + 2, 1);
        TILE_STORE(3, s + 1, 1);
    }
    TILE_STORE(0, s, 0);
    TILE_STORE(1, s, 1);
    if (s + 1 == steps) return;
    TILE_LOAD(5, s + 1);
    TILE_DOT(2, 5, 6, s + 1, 0);
    TILE_DOT(3, 5, 7, s + 1, 1);
    ahead_fetch(ahead);
    TILE_STORE(2, s + 1, 0);
    TILE_STORE(3, s + 1, 1);
}

/* ---- products -------------------------------------------------------------------------------- */

/* Rows of activations that make a tile, and a chunk. */
struct block {
    const struct chunk *chunk;
    int skip;            /* rows of the tile before those that are multiplied */
    int groups;          /* of the chunk */
    int at_once;         /* groups whose sums are stored before they are scaled */
    bool first;          /* the sums begin with this chunk */
    struct kern_q8 x;    /* at the tile's first row, and the chunk's first input */
    size_t stride;       /* inputs from row to row */
    float (*sum)[PANEL]; /* of the last rows of the tile, those that are multiplied */
    struct ahead ahead;
};

/* sum[r] += groups [g, end), whose whole sums dot has, in up to EIGHT of the rows that are
 * multiplied, from r0 on: with both halves of the panel, one scale of a row serves twice. */
INLINE void rows_scale(int rows, const struct quant_form form, const struct block *b, int r0, int g,
                       int end, step_dot *dot, struct ahead *ahead)
{
    enum { HALF = TILE * TILE, WHOLE = 2 * HALF };
    const size_t per_row = b->stride / QK;
    const bool zero = b->first && g == 0;
    struct kern_q8 x = kern_q8_at(b->x, b->stride, (size_t)r0, (size_t)g);
    const int32_t *whole = dot[0][0][r0];
    float(*const total)[PANEL] = b->sum + (r0 - b->skip);
    vec sum[EIGHT][2];
    UNROLL
    for (int i = 0; i < 2 * rows; i++)
        sum[i / 2][i % 2] = zero ? vec_zero() : vec_load(total[i / 2] + i % 2 * TILE);
    for (; g < end; g++, x = kern_q8_at(x, b->stride, 0, 1), whole += (form.fine ? 2 : 1) * WHOLE) {
        vec d[2][2], m[2][2];
        ahead_fetch(ahead);
        for (int h = 0; h < 2; h++)
            for (int v = 0; v < 2; v++) {
                d[v][h] = vec_load(b->chunk->d[g][h] + v * TILE);
                m[v][h] = vec_load(b->chunk->m[g][h] + v * TILE);
            }
        UNROLL
        for (int i = 0; i < 2 * rows; i++) {
            const size_t r = (size_t)i / 2, v = (size_t)i % 2;
            const struct kern_q8 row = {.d = x.d + r * per_row, .s = x.s + 2 * r * per_row};
            const int32_t *first = whole + r * TILE + v * HALF;
            const int32_t *last = form.fine ? first + WHOLE : first;
            sum[r][v] =
                pack_scale(sum[r][v], ivec_load(first), ivec_load(last), d[v], m[v], form, row);
        }
    }
    UNROLL
    for (int i = 0; i < 2 * rows; i++) vec_store(total[i / 2] + i % 2 * TILE, sum[i / 2][i % 2]);
}

INLINE void block_scale(int rows, const struct quant_form form, const struct block *b, int g,
                        int end, step_dot *dot, struct ahead *ahead)
{
    rows_scale(rows < EIGHT ? rows : EIGHT, form, b, b->skip, g, end, dot, ahead);
    if (rows > EIGHT) rows_scale(rows - EIGHT, form, b, b->skip + EIGHT, g, end, dot, ahead);
}

/* sum[r] += the products of a chunk with a panel. */
INLINE void block_multiply(int rows, const struct quant_form form, struct block *b)
{
    const int halves = form.fine ? 2 : 1, depth = QK / halves;
    struct ahead ahead = b->ahead;
    alignas(64) step_dot dot[STEPS];
    for (int g = 0, end; g < b->groups; g = end) {
        end = b->groups - g < b->at_once ? b->groups : g + b->at_once;
        tile_steps(b->x.q + (size_t)g * QK, b->stride, b->chunk->code + g * 8 * STEP, depth,
                   (end - g) * halves, dot, &ahead);
        block_scale(rows, form, b, g, end, dot, &ahead);
    }
    b->ahead = ahead;
}

typedef void block_fn(int rows, struct block *b);

/* clang-format off */
#define CASE(rows) case rows: block_multiply(rows, form, b); break;
#define BLOCK_MULTIPLY(name, ...)                                                                  \
    static void block_multiply_##name(int rows, struct block *b)                                   \
    {                                                                                              \
        const struct quant_form form = {__VA_ARGS__};                                              \
        switch (rows) {                                                                            \
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)                        \
            CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16)                 \
        }                                                                                          \
    }
/* clang-format on */
BLOCK_MULTIPLY(plain, 0)
BLOCK_MULTIPLY(minima, .minima = 1)
BLOCK_MULTIPLY(fine, .fine = 1)
BLOCK_MULTIPLY(fine_minima, .fine = 1, .minima = 1)

static block_fn *block_fn_of(const struct quant_form *form)
{
    if (form->fine) return form->minima ? block_multiply_fine_minima : block_multiply_fine;
    return form->minima ? block_multiply_minima : block_multiply_plain;
}

/* ---- unpacking ------------------------------------------------------------------------------- */

/* Write a group of a panel into the chunk. */
INLINE void chunk_put(enum quant_type type, const struct pack_group *w, struct chunk *to, size_t i)
{
    const struct quant_form form = quant_forms[type];
    const ivec offset = ivec_all8(form_offset(form));
    UNROLL
    for (size_t v = 0; v < 2; v++) {
        UNROLL
        for (size_t j = 0; j < 8; j++)
            ivec_store(to->code + (i * 8 + j) * STEP + v * 4 * LANES,
                       ivec_sub8(w->code[v][j], offset));
        UNROLL
        for (size_t h = 0; h < 2; h++) {
            if (h == 0 || form.fine) vec_store(to->d[i][h] + v * LANES, w->d[v][h]);
            if (form.minima && (h == 1 || form.fine))
                vec_store(to->m[i][h] + v * LANES, w->m[v][h]);
        }
    }
}

/* Unpack `groups` groups of 32 inputs, from a unit's first on. */
INLINE void chunk_unpack(enum quant_type type, const uint8_t *unit, int groups, struct chunk *to)
{
    const struct pack_layout at = pack_layout(type);
    const int per_unit = at.inputs / QK;
    for (int i = 0; i < groups; i++) {
        const int g = i % per_unit;
        struct pack_group w;
        pack_load(unit, type, g, &w);
        chunk_put(type, &w, to, (size_t)i);
        if (g == per_unit - 1) unit += at.unit;
    }
}

typedef void chunk_fn(const uint8_t *unit, int groups, struct chunk *to);

#define CHUNK_UNPACK(type)                                                                         \
    static void chunk_unpack_##type(const uint8_t *unit, int groups, struct chunk *to)             \
    {                                                                                              \
        chunk_unpack(type, unit, groups, to);                                                      \
    }
PACK_TYPES(CHUNK_UNPACK)

#define CHUNK_ENTRY(type) [type] = chunk_unpack_##type,
static chunk_fn *const chunk_fns[QT_LIMIT] = {PACK_TYPES(CHUNK_ENTRY)};

/* ---- the matrix ------------------------------------------------------------------------------ */

/* Bytes to fetch at a time, that `bytes` of weights be fetched while a chunk is multiplied by so
 * many blocks of rows, which fetch with every step and every scaling. */
static size_t ahead_share(size_t bytes, int blocks, int groups, int halves)
{
    const size_t times = (size_t)(blocks * groups * (halves + 2));
    return (bytes / 64 + times - 1) / times * 64;
}

/* sum[r] = the products of a panel with rows [r0, r1) of x. Rows that are fewer than a tile are
 * multiplied together with some before them, of which there are enough. */
static void panel_multiply(const struct kern_weight *w, const uint8_t *panel, struct kern_q8 x,
                           int tile, int r0, int r1, float (*sum)[PANEL])
{
    const struct pack_layout at = pack_layout(w->type);
    const struct quant_form *form = &quant_forms[w->type];
    const size_t stride = KERN_Q8_STRIDE(w->cols);
    const int halves = form->fine ? 2 : 1, blocks = (r1 - r0 + tile - 1) / tile;
    block_fn *const multiply = block_fn_of(form);
    struct chunk chunk;
    struct block b = {.chunk = &chunk, .stride = stride};
    b.at_once = STEPS / halves / (form->bits == 8 ? 2 : 1);
    for (int k = 0; k < w->cols; k += CHUNK) {
        const int inputs = w->cols - k < CHUNK ? w->cols - k : CHUNK;
        const size_t bytes = (size_t)(inputs / at.inputs) * at.unit;
        b.groups = inputs / QK;
        b.first = k == 0;
        b.ahead = (struct ahead){panel, ahead_share(bytes, blocks, b.groups, halves)};
        chunk_fns[w->type](panel, b.groups, &chunk);
        tile_stores_end();
        for (int r = r0; r < r1; r += tile) {
            const int rows = r1 - r < tile ? r1 - r : tile;
            b.x = kern_q8_at(x, stride, (size_t)(r + rows - tile), (size_t)(k / QK));
            b.sum = sum + (r - r0);
            b.skip = tile - rows;
            multiply(rows, &b);
        }
        panel += bytes;
    }
}

static void rows_store(float (*sum)[PANEL], int rows, float *y, size_t ldy,
                       struct panel_lanes lanes)
{
    for (int r = 0; r < rows; r++) panel_store(y + (size_t)r * ldy, sum[r], lanes);
}

void amx_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                     size_t ldy)
{
    const int tile = n < TILE ? n : TILE;
    if (n < FEWEST) {
        avx512_pack_turns(w, x, n, o0, o1, y, ldy);
        return;
    }
    const int panels = pack_panels(o1);
    tiles_begin(tile, quant_forms[w->type].fine ? QK / 2 : QK);
    for (int first = o0 / PANEL, end; first < panels; first = end) {
        end = panels - first < BATCH ? panels : first + BATCH;
        for (int r0 = 0; r0 < n; r0 += STRIP) {
            const int r1 = n - r0 < STRIP ? n : r0 + STRIP;
            alignas(64) float sum[STRIP][PANEL];
            for (int o = first * PANEL; o < end * PANEL; o += PANEL) {
                panel_multiply(w, panel_of(w, o), x, tile, r0, r1, sum);
                rows_store(sum, r1 - r0, y + (size_t)r0 * ldy + (size_t)o, ldy,
                           panel_lanes(o, o0, o1));
            }
        }
    }
    _tile_release();
}
