#include "kern/pack/pack.h"

#include <stdbool.h>
#include <string.h>

/* ---- squares of a few outputs and inputs ----------------------------------------------------- */

enum {
    SIDE = 8, /* outputs and inputs of a square of half floats */
    FOUR = 4, /* outputs whose codes move together, four inputs each */
    FAR = 512 /* bytes between a row's weights and the prefetch of later ones */
};

/* Ask for what is read, and for what is written later: a store that waits for its line keeps those
 * behind it waiting, too. */
static inline void fetch_from(const uint8_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i, 0);
}

static inline void fetch_to(const uint8_t *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(to + i, 1);
}

/* Without instructions of a level: compilers make of this what every machine has. */
typedef uint16_t eight __attribute__((vector_size(16)));

/* Lay the elements of two rows one between another. */
typedef void interleave_fn(eight x, eight y, eight out[2]);

static inline void interleave_halves(eight x, eight y, eight out[2])
{
    out[0] = __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
    out[1] = __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
}

static inline void interleave_words(eight x, eight y, eight out[2])
{
    out[0] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 2, 3, 10, 11);
    out[1] = __builtin_shufflevector(x, y, 4, 5, 12, 13, 6, 7, 14, 15);
}

/* Rounds that lay one half of `side` rows between the other turn rows into columns. */
static inline void transpose(eight *a, int side, interleave_fn *interleave)
{
    for (int round = 1; round < side; round *= 2) {
        eight b[SIDE];
        for (int i = 0; i < side / 2; i++) interleave(a[i], a[i + side / 2], b + 2 * i);
        memcpy(a, b, (size_t)side * sizeof *a);
    }
}

/* ---- blocks that are taken apart ------------------------------------------------------------- */

/* What `mask` keeps of each byte from a bit on: nothing of the byte above, which the shift moves
 * in.
 */
static inline eight bytes_at(eight codes, int bit, int mask)
{
    return codes >> bit & (uint16_t)(mask * 0x0101);
}

/* The codes of 32 inputs from k on, of FOUR outputs from o on: planes as pack/pack.h has them. */
static void pack_four(uint8_t *to, const struct quant_parts *parts, int k, int bits)
{
    eight step[8]; /* of inputs, of all the outputs */
    for (int r = 0; r < 8; r++)
        memcpy(&step[r], parts[r % FOUR].code + k + r / FOUR * 16, sizeof *step);
    transpose(step, FOUR, interleave_words);
    transpose(step + 4, FOUR, interleave_words);
    for (int j = 0; bits == 8 && j < 8; j++, to += STEP) memcpy(to, &step[j], sizeof *step);
    for (int j = 0; bits >= 4 && bits < 8 && j < 4; j++, to += STEP) {
        const eight both = bytes_at(step[j], 0, 15) | bytes_at(step[j + 4], 0, 15) << 4;
        memcpy(to, &both, sizeof both);
    }
    for (int h = 0; (bits < 4 || bits == 6) && h < 2; h++, to += STEP) {
        eight plane = {0};
        for (int j = 0; j < 4; j++)
            plane |= bytes_at(step[4 * h + j], bits < 4 ? 0 : 4, 3) << 2 * j;
        memcpy(to, &plane, sizeof plane);
    }
    if (bits == 3 || bits == 5) {
        eight plane = {0};
        for (int j = 0; j < 8; j++) plane |= bytes_at(step[j], bits - 1, 1) << j;
        memcpy(to, &plane, sizeof plane);
    }
}

static void pack_codes(uint8_t *to, const struct quant_parts parts[PANEL], int k, int bits)
{
    for (int o = 0; o < PANEL; o += FOUR) pack_four(to + 4 * o, parts + o, k, bits);
}

static void pack_halves(uint8_t *unit, const struct pack_layout *at, const struct quant_form *form,
                        const struct quant_parts parts[PANEL])
{
    for (size_t o = 0; o < PANEL; o++) {
        memcpy(unit + 2 * o, &parts[o].d, 2);
        if (form->minima) memcpy(unit + at->m + 2 * o, &parts[o].m, 2);
    }
}

/* Of group g. */
static void pack_scales(uint8_t *group, const struct pack_layout *at, const struct quant_form *form,
                        const struct quant_parts parts[PANEL], int g)
{
    const int per_group = form->super ? form->fine ? 2 : 1 : 0;
    for (int h = 0; h < per_group; h++, group += PANEL)
        for (size_t o = 0; o < PANEL; o++) {
            group[at->scale + o] = (uint8_t)parts[o].scale[g * per_group + h];
            if (form->minima) group[at->min + o] = (uint8_t)parts[o].min[g * per_group + h];
        }
}

/* Outputs of the panel that begins with output `first`; those beyond the last are zero. */
static int outputs_from(const struct kern_weight *w, int first)
{
    return w->rows - first < PANEL ? w->rows - first : PANEL;
}

/* Inputs from k on. `bytes` is a constant where this is called, so that copies become moves. */
static inline void pack_elements(const struct kern_weight *w, int first, int k, uint8_t *to,
                                 size_t bytes)
{
    const size_t outputs = (size_t)outputs_from(w, first);
    to += (size_t)k * PANEL * bytes;
    for (; k < w->cols; k++, to += PANEL * bytes) {
        const uint8_t *src = w->data + (size_t)first * w->row_bytes + (size_t)k * bytes;
        for (size_t o = 0; o < outputs; o++) memcpy(to + o * bytes, src + o * w->row_bytes, bytes);
        memset(to + outputs * bytes, 0, (PANEL - outputs) * bytes);
    }
}

/* ---- half floats, eight outputs and eight inputs at a time ----------------------------------- */

enum { HALF_LINE = 32 /* half floats in a line of the cache */ };

/* A whole panel's inputs [k, k + HALF_LINE). */
static void transpose_line(const struct kern_weight *w, int first, int k, uint8_t *to)
{
    const uint8_t *src = w->data + (size_t)first * w->row_bytes + (size_t)k * sizeof(uint16_t);
    to += (size_t)k * PANEL * sizeof(uint16_t);
    for (int o = 0; o < PANEL; o++) fetch_from(src + (size_t)o * w->row_bytes + FAR, 1);
    for (size_t i = 0; i < HALF_LINE; i += SIDE)
        for (size_t o = 0; o < PANEL; o += SIDE) {
            eight a[SIDE];
            for (size_t j = 0; j < SIDE; j++)
                memcpy(&a[j], src + (o + j) * w->row_bytes + i * sizeof(uint16_t), sizeof *a);
            transpose(a, SIDE, interleave_halves);
            for (size_t j = 0; j < SIDE; j++)
                memcpy(to + ((i + j) * PANEL + o) * sizeof(uint16_t), &a[j], sizeof *a);
        }
}

static void pack_half_floats(const struct kern_weight *w, int first, uint8_t *to)
{
    int k = 0;
    if (outputs_from(w, first) == PANEL)
        for (; k + HALF_LINE <= w->cols; k += HALF_LINE) transpose_line(w, first, k, to);
    pack_elements(w, first, k, to, sizeof(uint16_t));
}

/* ---- blocks whose codes lie as they are packed ----------------------------------------------- */

enum { RUN = 16 /* blocks of FOUR outputs that move together: bytes near each other */ };

/* Blocks of the outputs from o on, of a type whose block is d, m where there are minima, and the 4
 * bytes of each step one after the other: they go straight to their places. Most gigabytes of most
 * files are of such types. The type is a constant where this is called, so that copies become
 * moves. */
static inline void move_blocks(enum quant_type type, const uint8_t *src, size_t row_bytes,
                               int blocks, uint8_t *to, size_t o)
{
    const struct pack_layout at = pack_layout(type);
    const uint16_t flip = type == QT_Q8_0 ? 0x8080 : 0; /* signed in the file */
    const size_t steps = at.group / STEP, head = at.head / PANEL;
    for (int u = 0; u < blocks; u++, to += at.unit, src += head + steps * 4) {
        for (size_t r = 0; r < FOUR; r++)
            for (size_t i = 0; i < head; i += 2)
                memcpy(to + i * PANEL + 2 * (o + r), src + r * row_bytes + i, 2);
        for (size_t j = 0; j < steps; j += FOUR) {
            eight a[FOUR];
            for (size_t r = 0; r < FOUR; r++)
                memcpy(&a[r], src + r * row_bytes + head + j * 4, sizeof *a);
            transpose(a, FOUR, interleave_words);
            for (size_t r = 0; r < FOUR; r++) {
                a[r] ^= flip;
                memcpy(to + at.head + (j + r) * STEP + 4 * o, &a[r], sizeof *a);
            }
        }
    }
}

/* A panel with all its outputs. */
static inline void move_panel(enum quant_type type, const struct kern_weight *w, int first,
                              uint8_t *to)
{
    const struct pack_layout at = pack_layout(type);
    const int units = w->cols / QK;
    const size_t block = at.unit / PANEL;
    for (int u = 0; u < units; u += RUN, to += RUN * at.unit) {
        const uint8_t *src = w->data + (size_t)first * w->row_bytes + (size_t)u * block;
        const int blocks = units - u < RUN ? units - u : RUN;
        for (int o = 0; o < PANEL; o += FOUR, src += FOUR * w->row_bytes) {
            const size_t share = RUN * at.unit * FOUR / PANEL;
            fetch_to(to + RUN * at.unit + (size_t)o / FOUR * share, share);
            for (size_t r = 0; r < FOUR; r++)
                fetch_from(src + r * w->row_bytes + RUN * block, RUN * block);
            move_blocks(type, src, w->row_bytes, blocks, to, (size_t)o);
        }
    }
}

/* ---- panels ---------------------------------------------------------------------------------- */

static void pack_panel(const struct kern_weight *w, int first, uint8_t *to)
{
    const struct pack_layout at = pack_layout(w->type);
    const struct quant_form *form = &quant_forms[w->type];
    const size_t block = quant_info(w->type)->bytes;
    const int outputs = outputs_from(w, first);
    struct quant_parts parts[PANEL];
    memset(parts + outputs, 0, (size_t)(PANEL - outputs) * sizeof *parts);
    for (int u = 0; u < w->cols / at.inputs; u++, to += at.unit) {
        const uint8_t *src = w->data + (size_t)first * w->row_bytes + (size_t)u * block;
        for (int o = 0; o < outputs; o++, src += w->row_bytes) {
            fetch_from(src + FAR, block);
            fetch_to(to + at.unit + (size_t)o * (at.unit / PANEL), at.unit / PANEL);
            quant_parts_read(w->type, src, &parts[o]);
        }
        pack_halves(to, &at, form, parts);
        for (int g = 0; g < at.inputs / QK; g++) {
            uint8_t *group = to + at.head + (size_t)g * at.group;
            pack_scales(group, &at, form, parts, g);
            pack_codes(group + at.codes, parts, QK * g, form->bits);
        }
    }
}

/* Move a panel as it lies; false where its type, or outputs that it lacks, need more than that. */
static bool panel_moved(const struct kern_weight *w, int first, uint8_t *to)
{
    if (outputs_from(w, first) < PANEL) return false;
    switch (w->type) {
    case QT_Q8_0: move_panel(QT_Q8_0, w, first, to); return true;
    case QT_Q4_0: move_panel(QT_Q4_0, w, first, to); return true;
    case QT_Q4_1: move_panel(QT_Q4_1, w, first, to); return true;
    case QT_IQ4_NL: move_panel(QT_IQ4_NL, w, first, to); return true;
    default: return false;
    }
}

void pack_panels_write(const struct kern_weight *w, int first, int end, uint8_t *panels)
{
    const size_t bytes = pack_panel_bytes(w->type, w->cols);
    panels += (size_t)first * bytes;
    for (int p = first; p < end; p++, panels += bytes) {
        if (panel_moved(w, p * PANEL, panels)) continue;
        if (quant_forms[w->type].bits)
            pack_panel(w, p * PANEL, panels);
        else if (w->type == QT_F32)
            pack_elements(w, p * PANEL, 0, panels, sizeof(float));
        else
            pack_half_floats(w, p * PANEL, panels);
    }
}
