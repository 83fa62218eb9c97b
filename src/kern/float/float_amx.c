/*
 * Packed F16 and BF16 weights times float activations in AMX: one instruction multiplies 16 rows of
 * activations by 16 outputs, 32 inputs deep, all in BF16, and adds floats.
 *
 * A float is the sum of three BF16 numbers: its upper 8 bits, the next 8 and the last 8. An F16
 * weight is the sum of two, the second of 3 bits, and a BF16 weight is one. All are exact. Of the
 * products of parts one is left out, that of an F16 weight's second with an activation's third: it
 * is below 2^-22 of the whole product. Else the error is that of adding floats. Weights, parts and
 * products below 2^-126 count as zero; an infinity may give a NaN.
 *
 * A tile adds the products of its 16 even inputs and of its 16 odd ones, then both to its sum. One
 * sum per row and output takes all parts of all inputs in one order, so bits do not depend on
 * company. They are not those of the avx512 table. Where vectors compute the same sooner, they do:
 * float/float_amx_few.c.
 *
 * Weights are unpacked while others are multiplied, a few rows of a tile between two products:
 * vectors and tiles work at the same time. Unpacking is what passes of few rows wait for.
 */
#include "kern/float/float_amx.h"

#include "base/check.h"
#include "kern/vec/tile_amx.h"

#include <stdalign.h>

enum { STRIP = 2 * TILE /* multiplied together */ };

/* A tile as it lies in memory: of activations [row][input], of weights [pair of inputs][output][2].
 */
typedef uint16_t tile[TILE][DEPTH];
typedef float tile_sums[TILE][TILE];

/* Weights of a panel and DEPTH inputs; BF16 has no second part. */
typedef tile weight_step[2][PANEL / TILE];

/* ---- splitting ------------------------------------------------------------------------------- */

/* First parts as pairs: lane i has that of even[i], then that of odd[i]. */
static inline __m512i first_pairs(vec even, vec odd)
{
    const __m512i a = _mm512_castps_si512(even), b = _mm512_castps_si512(odd);
    return _mm512_mask_alignr_epi8(b, 0x3333333333333333, a, a, 2);
}

/* First parts of a, then of b. */
static inline __m512i firsts(vec a, vec b)
{
    alignas(64) static const uint16_t odd[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    return _mm512_permutex2var_epi16(_mm512_castps_si512(a), _mm512_load_si512(odd),
                                     _mm512_castps_si512(b));
}

/* Split activations: [step of DEPTH inputs][part][row]. */
typedef uint16_t split_row[DEPTH];

struct split {
    split_row *at;
    int rows;
};

/* `inputs` <= DEPTH activations of a row, and zeros behind them. */
static inline void split_inputs(const float *x, int inputs, struct split to)
{
    vec a = vec_load_n(x, vec_piece(inputs)), b = vec_zero();
    if (inputs > LANES) b = vec_load_n(x + LANES, inputs - LANES);
    for (int p = 0; p < PARTS; p++, a = rest(a), b = rest(b), to.at += to.rows)
        _mm512_store_si512(to.at, firsts(a, b));
}

static void split(const float *x, size_t ldx, int n, int inputs, struct split to)
{
    for (int r = 0; r < n; r++, x += ldx, to.at++) {
        struct split step = to;
        for (int k = 0; k < inputs; k += DEPTH, step.at += PARTS * to.rows)
            split_inputs(x + k, inputs - k < DEPTH ? inputs - k : DEPTH, step);
    }
}

/* ---- unpacking ------------------------------------------------------------------------------- */

/* Weights of two inputs and all outputs of a panel become a row of tiles. */
INLINE void unpack_f16(const uint16_t *w, weight_step to, size_t row)
{
    UNROLL
    for (size_t o = 0; o < 2; o++) {
        const vec even = vec_load_f16(w + o * TILE), odd = vec_load_f16(w + PANEL + o * TILE);
        _mm512_store_si512(to[HIGH][o][row], first_pairs(even, odd));
        _mm512_store_si512(to[MIDDLE][o][row], first_pairs(rest(even), rest(odd)));
    }
}

/* Outputs come in the order of the instructions; sums_store undoes it. */
INLINE void unpack_bf16(const uint16_t *w, weight_step to, size_t row)
{
    const __m512i even = _mm512_loadu_si512(w), odd = _mm512_loadu_si512(w + PANEL);
    _mm512_store_si512(to[HIGH][0][row], _mm512_unpacklo_epi16(even, odd));
    _mm512_store_si512(to[HIGH][1][row], _mm512_unpackhi_epi16(even, odd));
}

/* Bytes between a weight and the prefetch of a later one: where panels follow each other, and where
 * they take turns. Unpacking itself is ahead of the products. */
enum { NEAR = 1024, NEAR_TURNS = 3072 };

/* Rows [begin, end) of tiles. */
INLINE void unpack(const uint16_t *w, weight_step to, int parts, size_t near, size_t begin,
                   size_t end)
{
    w += begin * 2 * PANEL;
    for (size_t row = begin; row < end; row++, w += 2 * PANEL) {
        halves_prefetch(w, near);
        if (parts == 2)
            unpack_f16(w, to, row);
        else
            unpack_bf16(w, to, row);
    }
}

/* Weights on their way to be unpacked: panels group by group, of a group chunk by chunk, and of
 * `together` panels, which memory serves faster than one, DEPTH inputs in turn. */
struct cursor {
    const struct kern_weight *w;
    int panels, chunk, together; /* one beyond the last; inputs */
    int first, panel, side, k;   /* of the group, of those together; which of them; input */
    uint16_t (*last)[PANEL];     /* [DEPTH]: room for what is completed with zeros */
};

/* Panels of the group from one on, at most `together`. */
static int cursor_count(const struct cursor *c, int panel)
{
    const int after = c->first + BATCH < c->panels ? c->first + BATCH : c->panels;
    return after - panel < c->together ? after - panel : c->together;
}

/* To the next panels, chunk or group; behind the last one it stays at its last chunk. */
static void cursor_turn(struct cursor *c)
{
    const int begin = (c->k - 1) / c->chunk * c->chunk, after = c->first + BATCH;
    const int next = c->panel + cursor_count(c, c->panel);
    c->k = begin;
    if (next < c->panels && next < after) {
        c->panel = next;
    } else if (begin + c->chunk < c->w->cols) {
        c->panel = c->first;
        c->k = begin + c->chunk;
    } else if (after < c->panels) {
        c->first = c->panel = after;
        c->k = 0;
    }
}

/* The next weights of DEPTH inputs. */
static const uint16_t *cursor_next(struct cursor *c)
{
    const size_t cols = (size_t)c->w->cols;
    const uint16_t *at = (const uint16_t *)(const void *)c->w->packed;
    const int left = c->w->cols - c->k;
    at += ((size_t)(c->panel + c->side) * cols + (size_t)c->k) * PANEL;
    at = halves_complete(at, left, c->last);
    if (++c->side < cursor_count(c, c->panel)) return at;
    c->side = 0;
    c->k += DEPTH;
    if (c->k % c->chunk == 0 || left <= DEPTH) cursor_turn(c);
    return at;
}

/* ---- products -------------------------------------------------------------------------------- */

#define LOAD(t, from)            _tile_loadd(t, from, sizeof(uint16_t[DEPTH]))
#define LOAD_ROWS(t, part, from) LOAD(t, x.at + (part)*x.rows + (from))

/* Up to 16 rows: tiles 0 to 3 sums of one panel and another, 4 and 5 activations, 6 and 7 weights.
 * Tile 5 has the first parts. */
#define LOAD_WEIGHTS(part)                                                                         \
    LOAD(6, w[part][0]);                                                                           \
    LOAD(7, w[part][1])
#define MULTIPLY_ONE(sums, others, activations)                                                    \
    _tile_dpbf16ps(sums, activations, 6);                                                          \
    _tile_dpbf16ps(others, activations, 7)
#define STEP_ONE(sums, others)                                                                     \
    LOAD_WEIGHTS(HIGH);                                                                            \
    LOAD_ROWS(4, LOW, 0);                                                                          \
    MULTIPLY_ONE(sums, others, 4);                                                                 \
    unpack(from, to, parts, NEAR_TURNS, 0, 5);                                                     \
    MULTIPLY_ONE(sums, others, 5);                                                                 \
    LOAD_ROWS(4, MIDDLE, 0);                                                                       \
    MULTIPLY_ONE(sums, others, 4);                                                                 \
    unpack(from, to, parts, NEAR_TURNS, 5, 10);                                                    \
    if (parts == 2) {                                                                              \
        LOAD_WEIGHTS(MIDDLE);                                                                      \
        MULTIPLY_ONE(sums, others, 4);                                                             \
        MULTIPLY_ONE(sums, others, 5);                                                             \
    }                                                                                              \
    unpack(from, to, parts, NEAR_TURNS, 10, 16)

INLINE void step_one(struct split x, tile (*w)[PANEL / TILE], const uint16_t *from, weight_step to,
                     const int parts, const int second)
{
    if (second) {
        STEP_ONE(2, 3);
    } else {
        STEP_ONE(0, 1);
    }
}

/* More: tiles 0 to 3 sums, 4 and 5 activations, 6 and 7 weights. */
#define LOAD_BOTH(part)                                                                            \
    LOAD_ROWS(4, part, 0);                                                                         \
    LOAD_ROWS(5, part, TILE)
#define MULTIPLY                                                                                   \
    _tile_dpbf16ps(0, 4, 6);                                                                       \
    _tile_dpbf16ps(2, 5, 6);                                                                       \
    _tile_dpbf16ps(1, 4, 7);                                                                       \
    _tile_dpbf16ps(3, 5, 7)

INLINE void step_two(struct split x, tile (*w)[PANEL / TILE], const uint16_t *from, weight_step to,
                     const int parts)
{
    LOAD_WEIGHTS(HIGH);
    LOAD_BOTH(LOW);
    MULTIPLY;
    unpack(from, to, parts, NEAR, 0, 4);
    LOAD_BOTH(HIGH);
    MULTIPLY;
    unpack(from, to, parts, NEAR, 4, 8);
    LOAD_BOTH(MIDDLE);
    MULTIPLY;
    unpack(from, to, parts, NEAR, 8, 12);
    if (parts == 2) {
        LOAD_WEIGHTS(MIDDLE);
        MULTIPLY;
    }
    unpack(from, to, parts, NEAR, 12, 16);
    if (parts == 2) {
        LOAD_BOTH(HIGH);
        MULTIPLY;
    }
}

/* Of a panel and up to 16 rows; the second is that of more rows or of another panel. */
#define SUMS(move, first, second)                                                                  \
    move(0, (first)[0], sizeof(float[TILE]));                                                      \
    move(1, (first)[1], sizeof(float[TILE]));                                                      \
    if (second) {                                                                                  \
        move(2, (second)[0], sizeof(float[TILE]));                                                 \
        move(3, (second)[1], sizeof(float[TILE]));                                                 \
    }

/* Unpacked weights: this step's, the next and the one after, which is written while this one is
 * multiplied. A tile that is loaded too soon after its rows are stored waits for them. */
struct ring {
    weight_step *now, *next, *after;
};

static inline void ring_turn(struct ring *ring)
{
    *ring = (struct ring){ring->next, ring->after, ring->now};
}

/* sum += the products of a chunk of one panel, or of two that take turns: their sums do not wait
 * for each other. */
INLINE void chunk_one(int steps, struct split x, struct ring *ring, struct cursor *c,
                      tile_sums *sum, tile_sums *second, const int parts)
{
    tile_stores_end();
    SUMS(_tile_loadd, sum, second)
    for (int s = 0; s < steps; s++, x.at += PARTS * x.rows) {
        LOAD_ROWS(5, HIGH, 0);
        step_one(x, *ring->now, cursor_next(c), *ring->after, parts, 0);
        ring_turn(ring);
        tile_stores_end();
        if (!second) continue;
        step_one(x, *ring->now, cursor_next(c), *ring->after, parts, 1);
        ring_turn(ring);
        tile_stores_end();
    }
    SUMS(_tile_stored, sum, second)
}

/* More than 16 rows, one panel. */
INLINE void chunk_two(int steps, struct split x, struct ring *ring, struct cursor *c,
                      tile_sums (*sum)[2], const int parts)
{
    tile_stores_end();
    SUMS(_tile_loadd, sum[0], sum[1])
    for (int s = 0; s < steps; s++, x.at += PARTS * x.rows) {
        step_two(x, *ring->now, cursor_next(c), *ring->after, parts);
        ring_turn(ring);
        tile_stores_end();
    }
    SUMS(_tile_stored, sum[0], sum[1])
}

/* ---- the matrix ------------------------------------------------------------------------------ */

static void tiles_begin(int n)
{
    alignas(64) struct tile_config c = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        c.rows[t] = (uint8_t)(t >= 6 || n > TILE ? TILE : n);
        c.row_bytes[t] = sizeof(float[TILE]);
    }
    tile_stores_end();
    _tile_loadconfig(&c);
}

/* y[r] = the sums of a panel. */
INLINE void sums_store(tile_sums (*sum)[2], const int parts, int n, float *y, size_t ldy,
                       struct panel_lanes lanes)
{
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
    for (int r = 0; r < n; r++) {
        const vec a = vec_load(sum[r / TILE][0][r % TILE]),
                  b = vec_load(sum[r / TILE][1][r % TILE]);
        const vec both[2] = {parts == 2 ? a : _mm512_permutex2var_ps(a, first, b),
                             parts == 2 ? b : _mm512_permutex2var_ps(a, second, b)};
        panel_store(y + (size_t)r * ldy, both, lanes);
    }
}

INLINE void rows_multiply(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                          int o1, float *y, size_t ldy, const int parts)
{
    alignas(64) split_row a[SPLIT / DEPTH * PARTS];
    alignas(64) weight_step unpacked[3];
    alignas(64) tile_sums sum[BATCH][STRIP / TILE][2];
    alignas(64) uint16_t last[DEPTH][PANEL];
    const int panels = pack_panels(o1);
    CHECK(w->packed);
    struct ring ring = {&unpacked[0], &unpacked[1], &unpacked[2]};
    const struct split shared = {a, n > TILE ? STRIP : n};
    const int chunk = SPLIT / shared.rows / DEPTH * DEPTH;
    struct cursor c = {.w = w, .panels = panels, .chunk = chunk, .last = last};
    c.first = c.panel = o0 / PANEL;
    c.together = n > TILE ? 1 : 2;
    tiles_begin(n);
    if (n > TILE) memset(a, 0, sizeof a);
    unpack(cursor_next(&c), *ring.now, parts, NEAR, 0, TILE);
    unpack(cursor_next(&c), *ring.next, parts, NEAR, 0, TILE);
    for (int first = o0 / PANEL; first < panels; first += BATCH) {
        const int count = panels - first < BATCH ? panels - first : BATCH;
        memset(sum, 0, (size_t)count * sizeof *sum);
        for (int k = 0; k < w->cols; k += chunk) {
            const int inputs = w->cols - k < chunk ? w->cols - k : chunk;
            split(x + k, ldx, n, inputs, shared);
            const int steps = (inputs + DEPTH - 1) / DEPTH;
            for (int p = 0; p < count; p += c.together)
                if (n > TILE)
                    chunk_two(steps, shared, &ring, &c, sum[p], parts);
                else
                    chunk_one(steps, shared, &ring, &c, sum[p][0],
                              p + 1 < count ? sum[p + 1][0] : NULL, parts);
        }
        for (int p = 0; p < count; p++) {
            const int o = (first + p) * PANEL;
            sums_store(sum[p], parts, n, y + (size_t)o, ldy, panel_lanes(o, o0, o1));
        }
    }
    _tile_release();
}

static void rows_f16(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0, int o1,
                     float *y, size_t ldy)
{
    rows_multiply(w, x, ldx, n, o0, o1, y, ldy, 2);
}

static void rows_bf16(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                      int o1, float *y, size_t ldy)
{
    rows_multiply(w, x, ldx, n, o0, o1, y, ldy, 1);
}

void amx_half_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0, int o1,
                     float *y, size_t ldy)
{
    if (amx_few(w->type, n)) {
        amx_few_matmul(w, x, ldx, n, o0, o1, y, ldy);
        return;
    }
    for (int r = 0; r < n; r += STRIP)
        (w->type == QT_F16 ? rows_f16 : rows_bf16)(w, x + (size_t)r * ldx, ldx,
                                                   n - r < STRIP ? n - r : STRIP, o0, o1,
                                                   y + (size_t)r * ldy, ldy);
}
