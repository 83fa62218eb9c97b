/* Products of a slice's rows with matrices, as phases of the team. */
#ifndef EAD_MODEL_PRODUCT_H
#define EAD_MODEL_PRODUCT_H

#include "model/slice.h"

/* y[r*ldy + o] over all outputs o. */
struct product {
    const struct linear *of;
    float *y;
    size_t ldy;
    float cap; /* of the outputs (kern.h); 0: none */
};

bool product_type_is_float(enum quant_type type);

/* Does any of these weights multiply 8-bit activations? */
bool product_needs_q8(const struct product *p, int n);

/* Rows that are multiplied: floats [n][ldx], and the same in 8 bits; a matrix reads one of them. */
struct product_input {
    const float *x;
    size_t ldx;
    struct kern_q8 q8;
};

/* y[r*ldy + o] = the product of row r with output o of w, for n rows and o in [begin, end). */
void product_rows(const struct kern *kern, const struct kern_weight *w,
                  const struct product_input *in, int n, int begin, int end, float *y, size_t ldy);

/* Carve room for rows of so many inputs in all, strides counted. */
void product_carve_q8(struct kern_q8 *q8, size_t inputs, struct arena *arena);

/* Row r of a product's inputs in 8 bits, within a phase; and all rows of x [n][cols], a phase. */
void product_quantize_row(const struct forward *f, const float *x, int cols, int r);
void product_quantize(const struct slice *s, struct team_member *me, const float *x, int cols);

/* The next block of `total` outputs of so many multiply-adds each: some panels of weights, so that
 * it begins at a multiple of 32. */
bool product_take(struct team_member *me, int total, double each, int *begin, int *end);
/* Outputs [begin, end) of n rows, with scale, bias and cap. */
void product_part(const struct forward *f, const struct product *m, const struct product_input *in,
                  int n, int begin, int end);

/* All products of one input in one phase: their outputs stand side by side as one range that the
 * threads take in blocks. */
void product_phase(const struct slice *s, struct team_member *me, const struct product *m,
                   int count, const struct product_input *in, int n);

#endif
