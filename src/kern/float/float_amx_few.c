/*
 * Packed F16 and BF16 weights times one or two rows of activations: what float/float_amx.c computes
 * in tiles, bit for bit, in vectors whose lanes are outputs. Weights are read as they lie, so that
 * such a pass waits for memory alone.
 *
 * A product of two parts is exact in a float, and a tile adds them as a chain of fused additions
 * does: of its 16 even inputs one chain from zero, of the odd ones another, and both together to
 * the sum. It takes numbers below 2^-126 as zero and leaves none, whatever the mode of the vectors,
 * which is therefore set alike.
 */
#include "kern/float/float_amx.h"

#include <stdalign.h>

enum {
    PAIR = 2,     /* rows at most */
    PRODUCTS = 5, /* of parts of an F16 weight with those of an activation */
    STREAMS = 2,  /* panels that are read at the same time: memory is faster than with one */
    NEAR = 1024   /* bytes between a weight and the prefetch of a later one */
};

/* ---- splitting ------------------------------------------------------------------------------- */

/* Parts of DEPTH activations of a row. */
struct split_row {
    float part[PARTS][DEPTH];
};

/* `inputs` activations of n rows, and zeros behind them: [step of DEPTH inputs][row]. */
static void split(const float *x, size_t ldx, int n, int inputs, struct split_row *to)
{
    for (int k = 0; k < inputs; k += DEPTH)
        for (int r = 0; r < n; r++, to++)
            for (int i = 0; i < DEPTH; i += LANES) {
                const int left = inputs - k - i;
                vec a = vec_zero();
                if (left > 0) a = vec_load_n(x + (size_t)r * ldx + k + i, vec_piece(left));
                for (int p = 0; p < PARTS; p++, a = rest(a)) vec_store(to->part[p] + i, part(a));
            }
}

/* ---- products -------------------------------------------------------------------------------- */

/* Of a row, products in the tiles' order; BF16 weights have the first three. */
struct chains {
    vec of[PRODUCTS][2];
};
typedef float panel_sums[PANEL];

/* Parts of the weights of an input. BF16 outputs come even ones first; sums_store undoes it. */
INLINE void weights_load(const int parts, const uint16_t *w, vec high[2], vec middle[2])
{
    if (parts == 2) {
        const vec first = vec_load_f16(w), second = vec_load_f16(w + LANES);
        high[0] = part(first);
        high[1] = part(second);
        middle[0] = rest(first);
        middle[1] = rest(second);
        return;
    }
    const __m512i both = _mm512_loadu_si512(w);
    high[0] = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
    high[1] = part(_mm512_castsi512_ps(both));
}

INLINE void chain_add(const vec weight[2], vec x, vec chain[2])
{
    chain[0] = vec_fma(weight[0], x, chain[0]);
    chain[1] = vec_fma(weight[1], x, chain[1]);
}

/* A row's products of one input, at which x is. */
INLINE void row_multiply(const int parts, const vec high[2], const vec middle[2], const float *x,
                         struct chains *chain)
{
    chain_add(high, vec_all(x[LOW * DEPTH]), chain->of[0]);
    chain_add(high, vec_all(x[HIGH * DEPTH]), chain->of[1]);
    chain_add(high, vec_all(x[MIDDLE * DEPTH]), chain->of[2]);
    if (parts == 1) return;
    chain_add(middle, vec_all(x[MIDDLE * DEPTH]), chain->of[3]);
    chain_add(middle, vec_all(x[HIGH * DEPTH]), chain->of[4]);
}

/* chain[row] += products of one input. Rows are spelled out: not every compiler unrolls a loop over
 * them, and then chains would lie in memory. */
INLINE void input_multiply(const int rows, const int parts, const uint16_t *w, const float *x,
                           struct chains *chain)
{
    vec high[2], middle[2];
    weights_load(parts, w, high, middle);
    row_multiply(parts, high, middle, x, &chain[0]);
    if (rows == 2) row_multiply(parts, high, middle, x + PARTS * DEPTH, &chain[1]);
}

/* sum += both chains of every product of vector v, in order. */
INLINE void vector_add(const int parts, const struct chains *even, const struct chains *odd, int v,
                       float *sum)
{
    vec s = vec_load(sum + v * LANES);
    s = vec_add(s, vec_add(even->of[0][v], odd->of[0][v]));
    s = vec_add(s, vec_add(even->of[1][v], odd->of[1][v]));
    s = vec_add(s, vec_add(even->of[2][v], odd->of[2][v]));
    if (parts == 2) {
        s = vec_add(s, vec_add(even->of[3][v], odd->of[3][v]));
        s = vec_add(s, vec_add(even->of[4][v], odd->of[4][v]));
    }
    vec_store(sum + v * LANES, s);
}

INLINE void chains_add(const int parts, const struct chains *even, const struct chains *odd,
                       float *sum)
{
    vector_add(parts, even, odd, 0, sum);
    vector_add(parts, even, odd, 1, sum);
}

/* sum[row] += the products of DEPTH inputs. */
INLINE void step_multiply(const int rows, const int parts, const uint16_t *w,
                          const struct split_row *x, panel_sums *sum)
{
    struct chains even[PAIR] = {0}, odd[PAIR] = {0};
    for (int i = 0; i < DEPTH; i += 2, w += 2 * PANEL) {
        halves_prefetch(w, NEAR);
        input_multiply(rows, parts, w, x->part[0] + i, even);
        input_multiply(rows, parts, w + PANEL, x->part[0] + i + 1, odd);
    }
    chains_add(parts, &even[0], &odd[0], sum[0]);
    if (rows == 2) chains_add(parts, &even[1], &odd[1], sum[1]);
}

/* Weights of one panel or of several, `stride` apart, from an input on. */
struct stream {
    const uint16_t *w;
    size_t stride;
    int panels, inputs;
};

/* sum[panel][row] += their products, step by step of every panel in turn. */
INLINE void stream_multiply(const int rows, const int parts, struct stream s,
                            const struct split_row *x, panel_sums *sum)
{
    for (int k = 0; k < s.inputs; k += DEPTH, s.w += DEPTH * PANEL, x += rows)
        for (int p = 0; p < s.panels; p++) {
            alignas(64) uint16_t last[DEPTH][PANEL];
            const uint16_t *at = s.w + (size_t)p * s.stride;
            step_multiply(rows, parts, halves_complete(at, s.inputs - k, last), x, sum + p * rows);
        }
}

static void stream_f16(struct stream s, const struct split_row *x, panel_sums *sum)
{
    stream_multiply(1, 2, s, x, sum);
}

static void stream_bf16(struct stream s, const struct split_row *x, panel_sums *sum)
{
    stream_multiply(1, 1, s, x, sum);
}

static void stream_bf16_two(struct stream s, const struct split_row *x, panel_sums *sum)
{
    stream_multiply(2, 1, s, x, sum);
}

/* ---- the matrix ------------------------------------------------------------------------------ */

typedef void stream_fn(struct stream s, const struct split_row *x, panel_sums *sum);

static stream_fn *stream_fn_of(enum quant_type type, int n)
{
    if (type == QT_F16) return n == 1 ? stream_f16 : NULL;
    return n == 1 ? stream_bf16 : n == 2 ? stream_bf16_two : NULL;
}

int amx_few(enum quant_type type, int n)
{
    return stream_fn_of(type, n) != NULL;
}

/* sum[panel][row] of panels [first, end). */
static void group_multiply(const struct kern_weight *w, const float *x, size_t ldx, int n,
                           int first, int end, panel_sums *sum)
{
    alignas(64) struct split_row a[SPLIT / DEPTH];
    stream_fn *fn = stream_fn_of(w->type, n);
    const int chunk = SPLIT / n / DEPTH * DEPTH;
    memset(sum, 0, (size_t)((end - first) * n) * sizeof *sum);
    for (int k = 0; k < w->cols; k += chunk) {
        struct stream s = {.stride = (size_t)w->cols * PANEL};
        s.inputs = w->cols - k < chunk ? w->cols - k : chunk;
        split(x + k, ldx, n, s.inputs, a);
        for (int p = first; p < end; p += s.panels) {
            const uint16_t *panel = (const uint16_t *)(const void *)panel_of(w, p * PANEL);
            s.panels = end - p < STREAMS ? end - p : STREAMS;
            s.w = panel + (size_t)k * PANEL;
            fn(s, a, sum + (p - first) * n);
        }
    }
}

static void sums_store(enum quant_type type, const float *sum, float *y, struct panel_lanes lanes)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    vec both[2] = {vec_load(sum), vec_load(sum + LANES)};
    if (type == QT_BF16) {
        const vec even = both[0], odd = both[1];
        both[0] = _mm512_permutex2var_ps(even, low, odd);
        both[1] = _mm512_permutex2var_ps(even, high, odd);
    }
    panel_store(y, both, lanes);
}

void amx_few_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0, int o1,
                    float *y, size_t ldy)
{
    alignas(64) panel_sums sum[BATCH * PAIR];
    const unsigned mode = _mm_getcsr();
    const int panels = pack_panels(o1);
    _mm_setcsr(mode | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON);
    for (int first = o0 / PANEL; first < panels; first += BATCH) {
        const int end = panels - first < BATCH ? panels : first + BATCH;
        group_multiply(w, x, ldx, n, first, end, sum);
        for (int p = first; p < end; p++)
            for (int r = 0; r < n; r++)
                sums_store(w->type, sum[(p - first) * n + r],
                           y + (size_t)r * ldy + (size_t)p * PANEL, panel_lanes(p * PANEL, o0, o1));
    }
    _mm_setcsr(mode);
}
