/*
 * Packed weights: a matrix rearranged once, when a model is opened, so that the lanes of a vector
 * are outputs.
 *
 * A matrix is cut into panels of 32 outputs, the last completed with zeros; a panel into units, one
 * for each block of the type along the inputs, in order. A unit of floats is the 32 weights of one
 * input. A unit of a quantised type holds, for its 32 outputs o:
 *
 *   d      [32] half floats
 *   m      [32] half floats                           types with minima
 *   and for each group of 32 inputs:
 *     scale  [1, or 2 if fine][32] bytes              super-blocks
 *     min    [1, or 2 if fine][32] bytes              super-blocks with minima
 *     codes  8 bits: [8][32][4] bytes: step j, output o, inputs 4j to 4j + 3
 *            less, one plane after the other, for the bits they have:
 *            lowest 4 bits: [4][32][4] bytes, step j low, step j + 4 high
 *            2 bits (lowest, or those above 4): [2][32][4] bytes, step j at bit 2 (j mod 4) of j/4
 *            1 bit (above 4 or 2): [32][4] bytes, step j at bit j
 *
 * So a product reads a panel from its first byte to its last, as processors fetch ahead by
 * themselves.
 *
 * A step is what one instruction multiplies: four inputs of as many outputs as it has lanes. Codes
 * and scales keep their bits (quant_parts.h), so a packed matrix has the size of the file's, but
 * for 6-bit scales, which become bytes (Q4_K: 2.8 % more).
 */
#ifndef EAD_KERN_PACK_PACK_H
#define EAD_KERN_PACK_PACK_H

#include "format/quant_parts.h"
#include "kern/kern.h"

enum { PANEL = 32 /* outputs */, STEP = PANEL * 4 /* bytes of codes */ };

/* Of the above: to be raised with every change of what a byte of a packed matrix means, or files of
 * packed weights (model/packfile.h) would be misread. A test holds a hash of it. */
enum { PACK_LAYOUT = 2 };

/* Where the fields of a unit of a quantised type lie. */
struct pack_layout {
    size_t m, head;           /* m, and the first group, from the start of a unit */
    size_t scale, min, codes; /* from the start of a group; what it lacks has no size */
    size_t group;             /* bytes */
    size_t unit;              /* bytes in all, a multiple of 64 */
    int inputs;               /* of a unit */
};

/* Always inlined, that kernels made for one type fold it. */
static inline __attribute__((always_inline)) struct pack_layout pack_layout(enum quant_type type)
{
    const struct quant_form *form = &quant_forms[type];
    const size_t halves = PANEL * 2;
    const size_t bytes = form->super ? (size_t)(form->fine ? 2 : 1) * PANEL : 0;
    struct pack_layout at = {.m = halves};
    at.inputs = form->super ? QK_K : QK;
    at.head = at.m + (form->minima ? halves : 0);
    at.min = at.scale + bytes;
    at.codes = at.min + (form->minima ? bytes : 0);
    at.group = at.codes + (size_t)form->bits * STEP;
    at.unit = at.head + (size_t)(at.inputs / QK) * at.group;
    return at;
}

static inline size_t pack_panel_bytes(enum quant_type type, int cols)
{
    if (!quant_forms[type].bits) return (size_t)cols * PANEL * quant_info(type)->bytes;
    struct pack_layout at = pack_layout(type);
    return (size_t)(cols / at.inputs) * at.unit;
}

static inline int pack_panels(int rows)
{
    return (rows + PANEL - 1) / PANEL;
}

/* Write panels [first, end) of w, which begin at `panels`; w->packed is not read. */
void pack_panels_write(const struct kern_weight *w, int first, int end, uint8_t *panels);

#endif
