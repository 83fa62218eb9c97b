#include "kern/kern_pack.h"

#include <string.h>

/* Four codes at once: bytes keep to themselves, for no code is shifted beyond its own. */
static uint32_t four_codes(const uint8_t *code)
{
    uint32_t word;
    memcpy(&word, code, sizeof word);
    return word;
}

static uint32_t all_bytes(int byte)
{
    return (uint32_t)byte * 0x01010101u;
}

typedef uint32_t step[PANEL]; /* four inputs of every output */

static void pack_bytes(step to[8], const struct quant_parts parts[PANEL], int k)
{
    for (int j = 0; j < 8; j++)
        for (int o = 0; o < PANEL; o++) to[j][o] = four_codes(parts[o].code + k + 4 * j);
}

static void pack_nibbles(step to[4], const struct quant_parts parts[PANEL], int k)
{
    for (int j = 0; j < 4; j++)
        for (int o = 0; o < PANEL; o++) {
            uint32_t low = four_codes(parts[o].code + k + 4 * j) & all_bytes(15);
            uint32_t high = four_codes(parts[o].code + k + 16 + 4 * j) & all_bytes(15);
            to[j][o] = low | high << 4;
        }
}

static void pack_two_bits(step to[2], const struct quant_parts parts[PANEL], int k, int at)
{
    for (int j = 0; j < 8; j++)
        for (int o = 0; o < PANEL; o++) {
            uint32_t two = four_codes(parts[o].code + k + 4 * j) >> at & all_bytes(3);
            to[j / 4][o] = (j % 4 ? to[j / 4][o] : 0) | two << 2 * (j % 4);
        }
}

static void pack_one_bit(step to, const struct quant_parts parts[PANEL], int k, int at)
{
    for (int j = 0; j < 8; j++)
        for (int o = 0; o < PANEL; o++) {
            uint32_t one = four_codes(parts[o].code + k + 4 * j) >> at & all_bytes(1);
            to[o] = (j ? to[o] : 0) | one << j;
        }
}

/* The codes of 32 inputs from k on. Planes of 64-byte lines, so `to` is aligned as the panels are.
 */
static void pack_codes(uint8_t *to, const struct quant_parts parts[PANEL], int k, int bits)
{
    step plane[8];
    int steps = 0;
    if (bits == 8) {
        pack_bytes(plane, parts, k);
        steps = 8;
    } else if (bits >= 4) {
        pack_nibbles(plane, parts, k);
        steps = 4;
    }
    if (bits < 4 || bits == 6) {
        pack_two_bits(plane + steps, parts, k, bits < 4 ? 0 : 4);
        steps += 2;
    }
    if (bits == 3 || bits == 5) pack_one_bit(plane[steps++], parts, k, bits - 1);
    memcpy(to, plane, (size_t)steps * sizeof(step));
}

static void pack_scales(uint8_t *unit, const struct pack_layout *at, const struct quant_form *form,
                        const struct quant_parts parts[PANEL])
{
    for (size_t o = 0; o < PANEL; o++) {
        memcpy(unit + 2 * o, &parts[o].d, 2);
        if (form->minima) memcpy(unit + at->m + 2 * o, &parts[o].m, 2);
        for (size_t j = 0; j < (size_t)quant_scales(form); j++) {
            unit[at->scale + j * PANEL + o] = (uint8_t)parts[o].scale[j];
            if (form->minima) unit[at->min + j * PANEL + o] = (uint8_t)parts[o].min[j];
        }
    }
}

/* Outputs of the panel that begins with output `first`; those beyond the last are zero. */
static int outputs_from(const struct kern_weight *w, int first)
{
    return w->rows - first < PANEL ? w->rows - first : PANEL;
}

/* `bytes` is a constant where this is called, so that copies become moves. */
static inline void pack_elements(const struct kern_weight *w, int first, uint8_t *to, size_t bytes)
{
    const size_t outputs = (size_t)outputs_from(w, first);
    for (size_t k = 0; k < (size_t)w->cols; k++, to += PANEL * bytes) {
        const uint8_t *src = w->data + (size_t)first * w->row_bytes + k * bytes;
        for (size_t o = 0; o < outputs; o++) memcpy(to + o * bytes, src + o * w->row_bytes, bytes);
        memset(to + outputs * bytes, 0, (PANEL - outputs) * bytes);
    }
}

static void pack_float_panel(const struct kern_weight *w, int first, uint8_t *to)
{
    if (w->type == QT_F32)
        pack_elements(w, first, to, 4);
    else
        pack_elements(w, first, to, 2);
}

/* ---- blocks whose codes lie as they are packed ------------------------------------------------
 */

enum { RUN = 16 /* blocks of an output that move together: bytes near each other on both sides */ };

/* Blocks of output o, of a type whose block is d, m where there are minima, and the 4 bytes of each
 * step one after the other: they go straight to their places. Most gigabytes of most files are of
 * such types. The type is a constant where this is called, so that copies become moves. */
static inline void move_blocks(enum quant_type type, const uint8_t *src, int blocks, uint8_t *to,
                               size_t o)
{
    const struct pack_layout at = pack_layout(type);
    const uint32_t flip = type == QT_Q8_0 ? all_bytes(0x80) : 0; /* signed in the file */
    const size_t steps = at.group / STEP, halves = at.codes / PANEL;
    for (int u = 0; u < blocks; u++, to += at.unit) {
        for (size_t i = 0; i < halves; i += 2, src += 2) memcpy(to + i * PANEL + 2 * o, src, 2);
#pragma GCC unroll 8
        for (size_t j = 0; j < steps; j++, src += 4) {
            const uint32_t word = four_codes(src) ^ flip;
            memcpy(to + at.codes + j * STEP + 4 * o, &word, 4);
        }
    }
}

static inline void move_panel(enum quant_type type, const struct kern_weight *w, int first,
                              uint8_t *to)
{
    const struct pack_layout at = pack_layout(type);
    const int units = w->cols / QK, outputs = outputs_from(w, first);
    const size_t block = at.codes / PANEL + at.group / PANEL;
    if (outputs < PANEL) memset(to, 0, (size_t)units * at.unit);
    for (int u = 0; u < units; u += RUN, to += RUN * at.unit) {
        const uint8_t *src = w->data + (size_t)first * w->row_bytes + (size_t)u * block;
        const int blocks = units - u < RUN ? units - u : RUN;
        for (int o = 0; o < outputs; o++, src += w->row_bytes) {
            for (size_t i = 0; i < RUN * block; i += 64) __builtin_prefetch(src + RUN * block + i);
            move_blocks(type, src, blocks, to, (size_t)o);
        }
    }
}

/* ---- panels -----------------------------------------------------------------------------------
 */

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
        for (int o = 0; o < outputs; o++, src += w->row_bytes)
            quant_parts_read(w->type, src, &parts[o]);
        pack_scales(to, &at, form, parts);
        for (int g = 0; g < at.inputs / QK; g++)
            pack_codes(to + at.codes + (size_t)g * at.group, parts, QK * g, form->bits);
    }
}

void pack_panels_write(const struct kern_weight *w, int first, int end, uint8_t *panels)
{
    const size_t bytes = pack_panel_bytes(w->type, w->cols);
    panels += (size_t)first * bytes;
    for (int p = first; p < end; p++, panels += bytes) {
        switch (w->type) {
        case QT_Q8_0: move_panel(QT_Q8_0, w, p * PANEL, panels); break;
        case QT_Q4_0: move_panel(QT_Q4_0, w, p * PANEL, panels); break;
        case QT_Q4_1: move_panel(QT_Q4_1, w, p * PANEL, panels); break;
        case QT_IQ4_NL: move_panel(QT_IQ4_NL, w, p * PANEL, panels); break;
        default:
            if (quant_forms[w->type].bits)
                pack_panel(w, p * PANEL, panels);
            else
                pack_float_panel(w, p * PANEL, panels);
        }
    }
}
