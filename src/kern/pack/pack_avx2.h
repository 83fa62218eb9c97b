/*
 * Packed weights (pack/pack.h) times quantised activations in vectors of 8 outputs, of which a
 * panel has four. The files of the levels avx2 and avxvnni include this; they differ in how
 * products are summed, and not in a bit of the result.
 *
 * Rows go through weights as these are unpacked, a few at a time. Where unpacking is dear
 * (fewest_of), a strip of up to 64 rows shares a chunk: 256 inputs of a panel, unpacked once, that
 * stay in the L1 cache.
 *
 * Every output of every row adds its groups of 32 inputs one after the other, from the first to the
 * last: that is the whole order of its sum, whatever stands beside it.
 *
 * Activations lie in natural order, signed. s holds two numbers for a group: d times the sum of its
 * first sixteen values, and of all. t holds minus those sums, by pairs (q8_avx2.h).
 */
#ifndef EAD_KERN_PACK_PACK_AVX2_H
#define EAD_KERN_PACK_PACK_AVX2_H

#include "kern/vec/ivec_avx2.h"

#include "kern/pack/panel.h"
#include "kern/pack/unpack.h"

#if defined(__AVX2__)

#include <stdalign.h>

enum {
    STRIP = 64,         /* rows that share a chunk */
    CHUNK = 256,        /* inputs */
    GROUPS = CHUNK / QK /* of a chunk */
};

/* ---- sums of products ------------------------------------------------------------------------ */

/*
 * AVX-VNNI multiplies four codes of any size with four activations and adds the products to a sum
 * in 32 bits; t has what offsets take away.
 *
 * AVX2 multiplies by pairs and has only 16 bits for their sum, which suffice for a whole group if
 * codes are small: half a lane adds up 16 products, or 8 where a type is fine, and two's complement
 * forgives what overflows on the way if the whole fits. So sums are centred: code - centre is at
 * most 15 (of 4 bits), 16 (of 5) or, fine, 32 (of 6) in magnitude, and 16 * 16 * 127 = 8 * 32 * 127
 * = 32512. Codes of 8 bits, and levels of IQ4, are summed as two of 4, one worth 16 times the
 * other; in a chunk they are weights of 16 bits, two in a lane, whose products come as sums of two
 * in 32 bits.
 */
/* A code of each input; or its low and its high half; or weights of 16 bits, of inputs 0 and 2 of
 * each four in `low` and of 1 and 3 in `high`. */
struct code {
    ivec low, high;
};

/* Sums of products with those. */
struct dot {
    ivec low, high;
};

#if defined(__AVXVNNI__)
INLINE bool form_halved(const struct quant_form form)
{
    (void)form;
    return false;
}

INLINE ivec dot_start(ivec minus, const struct quant_form form, bool high)
{
    (void)high;
    if (!form_offset(form)) return _mm256_setzero_si256();
    return _mm256_madd_epi16(minus, _mm256_set1_epi16((short)form_offset(form)));
}

INLINE ivec dot_add(ivec sum, ivec code, ivec q)
{
    return _mm256_dpbusd_avx_epi32(sum, code, q);
}

INLINE ivec dot_whole(struct dot sum, ivec minus, const struct quant_form form)
{
    (void)minus, (void)form;
    return sum.low;
}
#else
/* Whether codes need 8 bits. */
INLINE bool form_halved(const struct quant_form form)
{
    return form.bits == 8 || form.levels;
}

/* What is taken from a code while it is summed, or from its high half. */
INLINE int form_centre(const struct quant_form form)
{
    return form_halved(form) ? 8 : form.bits == 5 ? 16 : form.offset;
}

/* minus: in the 16-bit halves of each lane, minus the sum of the activations that it multiplies. */
INLINE ivec dot_start(ivec minus, const struct quant_form form, bool high)
{
    const int centre = form_halved(form) && !high ? 0 : form_centre(form);
    return centre ? _mm256_slli_epi16(minus, __builtin_ctz((unsigned)centre))
                  : _mm256_setzero_si256();
}

/* The empty statement keeps compilers from reordering the sum: they would hold more products than
 * there are registers. */
INLINE ivec dot_add(ivec sum, ivec code, ivec q)
{
    sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(code, q));
    __asm__("" : "+x"(sum));
    return sum;
}

/* The sum of (code - offset) q of each output. */
INLINE ivec dot_whole(struct dot sum, ivec minus, const struct quant_form form)
{
    const ivec whole = _mm256_madd_epi16(sum.low, _mm256_set1_epi16(1));
    if (form_halved(form))
        return _mm256_add_epi32(whole, _mm256_madd_epi16(sum.high, _mm256_set1_epi16(16)));
    const int back = form_centre(form) - form.offset;
    if (!back) return whole;
    return _mm256_sub_epi32(whole, _mm256_madd_epi16(minus, _mm256_set1_epi16((short)back)));
}
#endif

/* ---- a group of weights, packed or unpacked -------------------------------------------------- */

/* A chunk of a panel: codes, `high` behind `low` in each step, and factors
 * (pack_scales_at), of which a type that is not fine has the second alone. */
struct chunk {
    alignas(64) uint8_t code[GROUPS * 8 * 2 * STEP];
    float d[GROUPS][2][PANEL], m[GROUPS][2][PANEL];
};

/* Where group g is: */
struct group_source {
    const uint8_t *unit;       /* packed, in a unit; */
    const struct chunk *chunk; /* else in a chunk */
    int g;
    bool packed; /* a constant where it is used */
};

/* Signed bytes to 16 bits: the first and the third of each four, the second and the fourth. */
INLINE struct code words_of(ivec bytes)
{
    return (struct code){_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8),
                         _mm256_srai_epi16(bytes, 8)};
}

INLINE struct code halves_of(ivec code)
{
    return (struct code){ivec_and(code, ivec_all8(15)),
                         ivec_and(ivec_right(code, 4), ivec_all8(15))};
}

INLINE struct code code_packed(const uint8_t *unit, enum quant_type type, int g, int v, int j)
{
    struct quant_form form = quant_forms[type];
    const uint8_t *codes = pack_codes_at(unit, type, g) + v * 4 * LANES;
    if (!form_halved(form)) return (struct code){.low = pack_code(codes, form, j)};
    if (!form.levels) return halves_of(pack_code(codes, form, j));
    /* Of the levels there are halves, too: they are looked up. */
    form.levels = 0;
    const ivec code = pack_code(codes, form, j);
    const struct code level = halves_of(ivec_all_levels());
    return (struct code){_mm256_shuffle_epi8(level.low, code),
                         _mm256_shuffle_epi8(level.high, code)};
}

/* Where step j of group g lies in a chunk, for a vector of outputs. */
INLINE size_t chunk_at(const struct quant_form form, int g, int v, int j)
{
    return (size_t)(g * 8 + j) * STEP * (form_halved(form) ? 2 : 1) + (size_t)v * 4 * LANES;
}

/* What takes the place of a code in a chunk. */
INLINE struct code code_unpacked(const uint8_t *unit, enum quant_type type, int g, int v, int j)
{
    const uint8_t *codes = pack_codes_at(unit, type, g) + v * 4 * LANES;
    const ivec code = pack_code(codes, quant_forms[type], j);
    if (!form_halved(quant_forms[type])) return (struct code){.low = code};
    return words_of(_mm256_xor_si256(code, ivec_all8(INT8_MIN)));
}

INLINE struct code group_code(const struct group_source *w, enum quant_type type, int v, int j)
{
    if (w->packed) return code_packed(w->unit, type, w->g, v, j);
    const uint8_t *from = w->chunk->code + chunk_at(quant_forms[type], w->g, v, j);
    struct code code = {.low = ivec_load(from)};
    if (form_halved(quant_forms[type])) code.high = ivec_load(from + STEP);
    return code;
}

INLINE void group_scales(const struct group_source *w, enum quant_type type, int v, vec d[2],
                         vec m[2])
{
    const size_t o = (size_t)v * LANES;
    if (w->packed) {
        pack_scales_at(w->unit, type, w->g, o, d, m);
        return;
    }
    const bool fine = quant_forms[type].fine;
    d[1] = vec_load(w->chunk->d[w->g][1] + o);
    d[0] = fine ? vec_load(w->chunk->d[w->g][0] + o) : d[1];
    if (!quant_forms[type].minima) return;
    m[1] = vec_load(w->chunk->m[w->g][1] + o);
    if (fine) m[0] = vec_load(w->chunk->m[w->g][0] + o);
}

/* ---- a group times a few rows ---------------------------------------------------------------- */

/* A group of activations in 16 bits, as words_of() has them: four inputs are low[j] and high[j]. */
struct words {
    int32_t low[8], high[8];
};

/* Activations from a row and a group on. */
struct rows {
    struct kern_q8 x;
    size_t stride;                 /* inputs from a row to the next */
    struct words (*words)[GROUPS]; /* the same, from group `g` on, if weights have 16 bits */
    int g;
};

INLINE struct kern_q8 rows_at(const struct rows *x, int r)
{
    return kern_q8_at(x->x, x->stride, (size_t)r, 0);
}

/* Of a group, whose halves are kept apart if the type is fine, in some vectors of outputs. */
struct dots {
    struct dot half[2][ROWS][VECTORS];
    ivec minus[2][ROWS];
};

INLINE void dots_start(int rows, int width, const struct quant_form form, bool words,
                       const struct rows *x, struct dots *dots)
{
    const int halves = form.fine ? 2 : 1;
    UNROLL
    for (int r = 0; r < rows; r++) {
        const int32_t *t = rows_at(x, r).t;
        dots->minus[0][r] = ivec_all32(t + !form.fine);
        if (form.fine) dots->minus[1][r] = ivec_sub16(ivec_all32(t + 1), dots->minus[0][r]);
        UNROLL
        for (int h = 0; h < halves; h++) {
            struct dot start = {ivec_all8(0), ivec_all8(0)};
            if (!words) start.low = dot_start(dots->minus[h][r], form, false);
            if (form_halved(form)) start.high = dot_start(dots->minus[h][r], form, true);
            UNROLL
            for (int v = 0; v < width; v++) dots->half[h][r][v] = start;
        }
    }
}

INLINE void codes_add(int width, const struct quant_form form, struct dot *dot,
                      const struct code *code, ivec q)
{
    UNROLL
    for (int v = 0; v < width; v++) {
        dot[v].low = dot_add(dot[v].low, code[v].low, q);
        if (form_halved(form)) dot[v].high = dot_add(dot[v].high, code[v].high, q);
    }
}

INLINE void words_add(int width, struct dot *dot, const struct code *code, const struct words *x,
                      int j)
{
    const ivec low = ivec_all32(&x->low[j]), high = ivec_all32(&x->high[j]);
    UNROLL
    for (int v = 0; v < width; v++) {
        dot[v].low = _mm256_add_epi32(dot[v].low, _mm256_madd_epi16(code[v].low, low));
        __asm__("" : "+x"(dot[v].low));
        dot[v].low = _mm256_add_epi32(dot[v].low, _mm256_madd_epi16(code[v].high, high));
        __asm__("" : "+x"(dot[v].low));
    }
}

INLINE void dots_add(int rows, int width, enum quant_type type, const struct group_source *w,
                     int v0, const struct rows *x, struct dots *dots)
{
    const struct quant_form form = quant_forms[type];
    const bool words = !w->packed && form_halved(form);
    UNROLL
    for (int i = 0; i < 8; i++) {
        /* Steps j and j + 4 lie in the same bytes: one after the other, unless halves go first. */
        const int j = form.fine || !w->packed ? i : i / 2 + i % 2 * 4;
        struct code code[VECTORS];
        UNROLL
        for (int v = 0; v < width; v++) code[v] = group_code(w, type, v0 + v, j);
        UNROLL
        for (int r = 0; r < rows; r++) {
            struct dot *dot = dots->half[form.fine && j >= 4][r];
            if (words)
                words_add(width, dot, code, &x->words[r][x->g], j);
            else
                codes_add(width, form, dot, code, ivec_all32(rows_at(x, r).q + 4 * j));
        }
    }
}

/* sum[r] += the products of a group with row r, in `width` vectors of outputs from v0 on. */
INLINE void group_multiply(int rows, int width, enum quant_type type, const struct group_source *w,
                           int v0, const struct rows *x, float (*sum)[PANEL])
{
    const struct quant_form form = quant_forms[type];
    const bool words = !w->packed && form_halved(form);
    struct dots dots;
    dots_start(rows, width, form, words, x, &dots);
    dots_add(rows, width, type, w, v0, x, &dots);
    UNROLL
    for (int v = 0; v < width; v++) {
        vec d[2], m[2];
        group_scales(w, type, v0 + v, d, m);
        UNROLL
        for (int r = 0; r < rows; r++) {
            float *to = sum[r] + (v0 + v) * LANES;
            const ivec first = words ? dots.half[0][r][v].low
                                     : dot_whole(dots.half[0][r][v], dots.minus[0][r], form);
            const ivec last =
                form.fine ? dot_whole(dots.half[1][r][v], dots.minus[1][r], form) : first;
            vec_store(to, pack_scale(vec_load(to), first, last, d, m, form, rows_at(x, r)));
        }
    }
}

/* Vectors whose sums stay in registers, with what else is needed; in a chunk it is two. */
INLINE int width_of(int rows, const struct quant_form form)
{
    if (form_halved(form)) return rows == 1 ? 4 : rows == 2 ? 2 : 1;
    return rows <= 2 && form.bits == 4 ? 4 : 2;
}

/* ---- a panel --------------------------------------------------------------------------------- */

INLINE void panel_multiply(int rows, enum quant_type type, const uint8_t *panel, int cols,
                           struct rows x, float (*sum)[PANEL])
{
    const struct pack_layout at = pack_layout(type);
    const int width = width_of(rows, quant_forms[type]), groups = at.inputs / QK;
    const size_t part = at.unit / (size_t)groups;
    const bool asks = panel_asks(rows, form_light(quant_forms[type]));
    struct group_source w = {.unit = panel, .packed = true};
    for (int k = 0; k < cols; k += at.inputs, w.unit += at.unit)
        for (w.g = 0; w.g < groups; w.g++) {
            if (asks) panel_prefetch(w.unit + (size_t)w.g * part, part);
            UNROLL
            for (int v = 0; v < VECTORS; v += width)
                group_multiply(rows, width, type, &w, v, &x, sum);
            x.x = kern_q8_at(x.x, x.stride, 0, 1);
        }
}

/* ---- a chunk --------------------------------------------------------------------------------- */

INLINE void group_unpack(enum quant_type type, const uint8_t *unit, int g, struct chunk *to, int at)
{
    const struct quant_form form = quant_forms[type];
    UNROLL
    for (int v = 0; v < VECTORS; v++) {
        vec d[2], m[2];
        UNROLL
        for (int j = 0; j < 8; j++) {
            const struct code code = code_unpacked(unit, type, g, v, j);
            uint8_t *step = to->code + chunk_at(form, at, v, j);
            ivec_store(step, code.low);
            if (form_halved(form)) ivec_store(step + STEP, code.high);
        }
        pack_scales_at(unit, type, g, (size_t)v * LANES, d, m);
        UNROLL
        for (int h = form.fine ? 0 : 1; h < 2; h++) {
            vec_store(to->d[at][h] + v * LANES, d[h]);
            if (form.minima) vec_store(to->m[at][h] + v * LANES, m[h]);
        }
    }
}

/* Groups [first, first + groups) of a panel. */
INLINE void chunk_unpack(enum quant_type type, const uint8_t *panel, int first, int groups,
                         struct chunk *to)
{
    const struct pack_layout at = pack_layout(type);
    const int per_unit = at.inputs / QK;
    const size_t part = at.unit / (size_t)per_unit;
    for (int g = first; g < first + groups; g++) {
        panel_prefetch(panel + (size_t)g * part, part);
        group_unpack(type, panel + (size_t)(g / per_unit) * at.unit, g % per_unit, to, g - first);
    }
}

INLINE void chunk_multiply(int rows, enum quant_type type, const struct chunk *chunk, int groups,
                           struct rows x, float (*sum)[PANEL])
{
    enum { WIDTH = 2 };
    const struct kern_q8 first = x.x;
    for (int v = 0; v < VECTORS; v += WIDTH) {
        struct group_source w = {.chunk = chunk};
        x.x = first;
        for (x.g = 0; x.g < groups; x.g++, w.g++) {
            group_multiply(rows, WIDTH, type, &w, v, &x, sum);
            x.x = kern_q8_at(x.x, x.stride, 0, 1);
        }
    }
}

/* ---- by type --------------------------------------------------------------------------------- */

struct product {
    /* sum[r] += the products of a panel, or of groups of a chunk, with row r of at most ROWS. */
    void (*packed)(int rows, const uint8_t *panel, int cols, struct rows x, float (*sum)[PANEL]);
    void (*unpacked)(int rows, const struct chunk *chunk, int groups, struct rows x,
                     float (*sum)[PANEL]);
    void (*unpack)(const uint8_t *panel, int first, int groups, struct chunk *to);
};

#define PRODUCT_FUNCTIONS(type)                                                                    \
    static void packed_##type(int rows, const uint8_t *panel, int cols, struct rows x,             \
                              float(*sum)[PANEL])                                                  \
    {                                                                                              \
        VEC_ROWS(panel_multiply, rows, type, panel, cols, x, sum)                                  \
    }                                                                                              \
    static void unpacked_##type(int rows, const struct chunk *chunk, int groups, struct rows x,    \
                                float(*sum)[PANEL])                                                \
    {                                                                                              \
        VEC_ROWS(chunk_multiply, rows, type, chunk, groups, x, sum)                                \
    }                                                                                              \
    static void unpack_##type(const uint8_t *panel, int first, int groups, struct chunk *to)       \
    {                                                                                              \
        chunk_unpack(type, panel, first, groups, to);                                              \
    }
PACK_TYPES(PRODUCT_FUNCTIONS)

#define PRODUCT(type) [type] = {packed_##type, unpacked_##type, unpack_##type},
static const struct product products[QT_LIMIT] = {PACK_TYPES(PRODUCT)};

/* ---- the matrix ------------------------------------------------------------------------------ */

/* Rows from which on it pays to unpack a chunk; more than a strip: never. Codes in one plane are
 * unpacked with an instruction or two: only those of 8 bits gain, where they become words. */
static int fewest_of(const struct quant_form form)
{
    if (!form_light(form)) return 5;
    return form_halved(form) ? 17 : STRIP + 1;
}

/* sum[r] += the products of a panel with row r of a strip. */
static void strip_packed(enum quant_type type, int rows, const uint8_t *panel, int cols,
                         const struct rows *x, float (*sum)[PANEL])
{
    for (int r = 0, n; r < rows; r += n) {
        n = vec_share(rows - r, ROWS);
        const struct rows few = {.x = rows_at(x, r), .stride = x->stride};
        products[type].packed(n, panel, cols, few, sum + r);
    }
}

static void words_write(struct words (*to)[GROUPS], int rows, int groups, const struct rows *x)
{
    for (int r = 0; r < rows; r++)
        for (int g = 0; g < groups; g++) {
            const struct code words = words_of(ivec_load(rows_at(x, r).q + g * QK));
            ivec_store(to[r][g].low, words.low);
            ivec_store(to[r][g].high, words.high);
        }
}

static void strip_unpacked(enum quant_type type, int rows, const uint8_t *panel, int cols,
                           const struct rows *x, float (*sum)[PANEL])
{
    const struct product *p = &products[type];
    struct chunk chunk;
    struct words words[ROWS][GROUPS];
    for (int k = 0; k < cols; k += CHUNK) {
        const int groups = cols - k < CHUNK ? (cols - k) / QK : GROUPS;
        p->unpack(panel, k / QK, groups, &chunk);
        for (int r = 0, n; r < rows; r += n) {
            const struct kern_q8 at = kern_q8_at(x->x, x->stride, (size_t)r, (size_t)(k / QK));
            const struct rows few = {.x = at, .stride = x->stride, .words = words};
            n = vec_share(rows - r, ROWS);
            if (form_halved(quant_forms[type])) words_write(words, n, groups, &few);
            p->unpacked(n, &chunk, groups, few, sum + r);
        }
    }
}

static void product_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                           float *y, size_t ldy)
{
    const struct rows all = {.x = x, .stride = KERN_Q8_STRIDE(w->cols)};
    for (int o = o0 / PANEL * PANEL; o < o1; o += PANEL)
        for (int r0 = 0; r0 < n; r0 += STRIP) {
            const int rows = n - r0 < STRIP ? n - r0 : STRIP;
            const struct rows strip = {.x = rows_at(&all, r0), .stride = all.stride};
            alignas(32) float sum[STRIP][PANEL];
            memset(sum, 0, (size_t)rows * sizeof *sum);
            (rows < fewest_of(quant_forms[w->type]) ? strip_packed : strip_unpacked)(
                w->type, rows, panel_of(w, o), w->cols, &strip, sum);
            for (int r = 0; r < rows; r++)
                panel_store(y + (size_t)(r0 + r) * ldy + (size_t)o, sum[r], panel_lanes(o, o0, o1));
        }
}

#endif
#endif
