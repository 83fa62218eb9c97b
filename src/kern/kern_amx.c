/*
 * Packed weights times activations in AMX: a tile is a block of up to 16 rows of memory, and one
 * instruction multiplies 16 rows of activations by 16 outputs, 32 inputs deep.
 *
 * Weights of CHUNK inputs of a panel are unpacked into signed bytes, steps as in kern_pack.h, so
 * that a step of 16 outputs is a row of a tile as it lies. That is shared by up to ROWS rows of
 * activations. The whole numbers that leave a tile are those of AVX-512 with the offset already
 * added, and the floats behind them are added in the same order: bits are those of the avx512
 * table, which serves short passes.
 */
#include "kern/kern_avx512_ivec.h"
#include "kern/kern_vec_panel.h"
#include "kern/kern_vec_unpack.h"

#include <stdalign.h>

enum {
    TILE = 16,   /* rows of a tile; passes of fewer are faster without */
    ROWS = 64,   /* of activations that share unpacked weights */
    CHUNK = 256, /* inputs; unpacked weights, activations and sums stay in the nearest cache */
    GROUPS = CHUNK / QK
};

/* Unpacked weights of a panel. Fine types have two halves to a group (struct pack_group). */
struct chunk {
    alignas(64) int8_t code[GROUPS][8 * STEP];
    float d[GROUPS][2][PANEL], m[GROUPS][2][PANEL];
};

/* ---- tiles: 0 sums, 2 activations, 3 weights; 4 and 6 are 0 and 2 of a last, shorter block --- */

struct tile_config {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Tiles of TILE rows, and of the `rest` that n leaves; `inputs` deep. */
static void tiles_begin(int n, int inputs)
{
    alignas(64) struct tile_config c = {.palette = 1};
    const int rest = n % TILE;
    for (int first = 0; first <= 4; first += 4) {
        const int rows = first ? rest : TILE;
        if (!rows) continue;
        c.rows[first] = c.rows[first + 2] = (uint8_t)rows;
        c.row_bytes[first] = 4 * TILE;
        c.row_bytes[first + 2] = (uint16_t)inputs;
    }
    c.rows[3] = (uint8_t)(inputs / 4);
    c.row_bytes[3] = 4 * TILE;
    _tile_loadconfig(&c);
}

/* out[row][output] = the products of some activations with as many inputs of 16 outputs. */
#define TILE_DOT(sums, activations)                                                                \
    _tile_zero(sums);                                                                              \
    _tile_loadd(activations, q, stride);                                                           \
    _tile_loadd(3, codes, STEP);                                                                   \
    _tile_dpbssd(sums, activations, 3);                                                            \
    _tile_stored(sums, out, 4 * TILE)

INLINE void tile_dot(int rows, const int8_t *q, size_t stride, const int8_t *codes, int32_t *out)
{
    if (rows == TILE) {
        TILE_DOT(0, 2);
    } else {
        TILE_DOT(4, 6);
    }
}

/* ---- products -------------------------------------------------------------------------------- */

/* Rows of activations, and where their sums are. */
struct block {
    const struct chunk *chunk;
    int groups;          /* of the chunk */
    struct kern_q8 x;    /* at the first row, and the chunk's first input */
    size_t stride;       /* inputs from row to row */
    float (*sum)[PANEL]; /* [rows] */
};

/* dot[half][r] = the whole sums of group g with TILE outputs from `lane` on. */
INLINE void group_dot(int rows, const struct quant_form form, const struct block *b, int g,
                      size_t lane, int32_t dot[2][TILE][TILE])
{
    const int8_t *q = b->x.q + (size_t)g * QK, *code = b->chunk->code[g] + 4 * lane;
    tile_dot(rows, q, b->stride, code, dot[0][0]);
    if (form.fine) tile_dot(rows, q + QK / 2, b->stride, code + 4 * STEP, dot[1][0]);
}

/* sum[r] += the products of a chunk with TILE outputs from `lane` on. */
INLINE void block_multiply(int rows, const struct quant_form form, const struct block *b,
                           size_t lane)
{
    alignas(64) int32_t dot[2][2][TILE][TILE]; /* of this group and of the next: [][half] */
    const size_t stride = b->stride, per_row = stride / QK;
    struct kern_q8 x = b->x;
    vec sum[TILE];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) sum[r] = vec_load(b->sum[r] + lane);
    group_dot(rows, form, b, 0, lane, dot[0]);
    for (int g = 0; g < b->groups; g++, x = pack_q8_at(x, stride, 0, 1)) {
        int32_t(*now)[TILE][TILE] = dot[g % 2];
        vec d[2], m[2];
        /* A tile is stored long before it is read. */
        if (g + 1 < b->groups) group_dot(rows, form, b, g + 1, lane, dot[(g + 1) % 2]);
        for (int h = 0; h < 2; h++) {
            d[h] = vec_load(b->chunk->d[g][h] + lane);
            m[h] = vec_load(b->chunk->m[g][h] + lane);
        }
#pragma GCC unroll 16
        for (size_t r = 0; r < (size_t)rows; r++) {
            const struct kern_q8 row = {.d = x.d + r * per_row, .s = x.s + 2 * r * per_row};
            sum[r] =
                pack_scale(sum[r], ivec_load(now[0][r]), ivec_load(now[1][r]), d, m, form, row);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) vec_store(b->sum[r] + lane, sum[r]);
}

typedef void block_fn(int rows, const struct block *b, size_t lane);

/* clang-format off */
#define CASE(rows) case rows: block_multiply(rows, form, b, lane); break;
#define BLOCK_MULTIPLY(name, ...)                                                                  \
    static void block_multiply_##name(int rows, const struct block *b, size_t lane)                \
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
    const ivec offset = ivec_all8(form.levels ? 128 : form.offset);
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; v++) {
#pragma GCC unroll 8
        for (size_t j = 0; j < 8; j++)
            ivec_store(to->code[i] + j * STEP + v * 4 * LANES, ivec_sub8(w->code[v][j], offset));
#pragma GCC unroll 2
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
    const size_t part = at.unit / (size_t)per_unit;
    for (int i = 0; i < groups; i++) {
        const int g = i % per_unit;
        struct pack_group w;
        panel_prefetch(unit + (size_t)g * part, part);
        pack_load(unit, type, g, 0, &w);
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

/* The products of a panel with n <= ROWS rows. */
static void panel_multiply(const struct kern_weight *w, const uint8_t *panel, struct kern_q8 x,
                           int n, float (*sum)[PANEL])
{
    const struct pack_layout at = pack_layout(w->type);
    block_fn *const multiply = block_fn_of(&quant_forms[w->type]);
    const size_t stride = KERN_Q8_COLS(w->cols);
    struct chunk chunk;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int k = 0; k < w->cols; k += CHUNK) {
        const int inputs = w->cols - k < CHUNK ? w->cols - k : CHUNK;
        chunk_fns[w->type](panel + (size_t)(k / at.inputs) * at.unit, inputs / QK, &chunk);
        for (int r = 0; r < n; r += TILE) {
            const struct block b = {.chunk = &chunk,
                                    .groups = inputs / QK,
                                    .x = pack_q8_at(x, stride, (size_t)r, (size_t)(k / QK)),
                                    .stride = stride,
                                    .sum = sum + r};
            for (size_t lane = 0; lane < PANEL; lane += TILE)
                multiply(n - r < TILE ? n - r : TILE, &b, lane);
        }
    }
}

void amx_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1, float *y,
                     size_t ldy)
{
    if (n < TILE) {
        avx512_pack_matmul(w, x, n, o0, o1, y, ldy);
        return;
    }
    alignas(64) float sum[ROWS][PANEL];
    tiles_begin(n, quant_forms[w->type].fine ? QK / 2 : QK);
    for (int o = o0 / PANEL * PANEL; o < o1; o += PANEL)
        for (int r0 = 0; r0 < n; r0 += ROWS) {
            const int rows = n - r0 < ROWS ? n - r0 : ROWS;
            const struct kern_q8 from = pack_q8_at(x, KERN_Q8_COLS(w->cols), (size_t)r0, 0);
            panel_multiply(w, panel_of(w, o), from, rows, sum);
            for (int r = 0; r < rows; r++) {
                const vec both[2] = {vec_load(sum[r]), vec_load(sum[r] + LANES)};
                panel_store(y + (size_t)(r0 + r) * ldy + (size_t)o, both, panel_lanes(o, o0, o1));
            }
        }
    _tile_release();
}
