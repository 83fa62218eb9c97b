/*
 * A group of packed weights (pack/pack.h) in registers, for the vector of the including file
 * (vec/vec.h) and its whole-number twin `ivec` of LANES 32-bit lanes.
 */
#ifndef EAD_KERN_PACK_UNPACK_H
#define EAD_KERN_PACK_UNPACK_H

#include "kern/pack/pack.h"
#include "kern/vec/vec.h"

#if defined(LANES)

#include <stdbool.h>

/* 32 inputs of two vectors of outputs. Fine types have a scale and a minimum for each half. */
struct pack_group {
    ivec code[2][8];
    vec d[2][2], m[2][2]; /* [vector][half]; m of a first half is less that of the second */
};

/* How far codes, as pack_code() gives them, lie above their values. */
INLINE int form_offset(const struct quant_form form)
{
    return form.levels ? 128 : form.offset;
}

/* A code that lies in one plane is unpacked with an instruction or two. */
INLINE bool form_light(const struct quant_form form)
{
    return (form.bits == 2 || form.bits == 4 || form.bits == 8) && !form.levels;
}

/* Step j of one vector; codes point at its lanes of a group. */
INLINE ivec pack_code(const uint8_t *codes, const struct quant_form form, int j)
{
    if (form.bits == 8) return ivec_load(codes + j * STEP);
    ivec code = ivec_all8(0);
    if (form.bits >= 4) {
        ivec both = ivec_load(codes + j % 4 * STEP);
        code = ivec_and(j < 4 ? both : ivec_right(both, 4), ivec_all8(15));
        codes += 4 * STEP;
    }
    if (form.levels) return ivec_levels(code);
    if (form.bits < 4 || form.bits == 6) {
        int from = 2 * (j % 4), to = form.bits == 6 ? 4 : 0;
        ivec two = ivec_load(codes + j / 4 * STEP);
        two = from < to ? ivec_left(two, to - from) : ivec_right(two, from - to);
        code = ivec_or(code, ivec_and(two, ivec_all8(3 << to)));
        codes += 2 * STEP;
    }
    if (form.bits == 3 || form.bits == 5) {
        int to = form.bits - 1;
        ivec one = ivec_load(codes);
        one = j < to ? ivec_left(one, to - j) : ivec_right(one, j - to);
        code = ivec_or(code, ivec_and(one, ivec_all8(1 << to)));
    }
    return code;
}

/* The scales, or the minima, of one vector: halves at `half`, and for a super-block whole numbers
 * at `whole`, of the group's halves or of the group. */
INLINE void pack_factors(const uint8_t *half, const int8_t *whole, const struct quant_form form,
                         vec out[2])
{
    vec unit = vec_load_f16(half);
    out[0] = out[1] = unit;
    if (!form.super) return;
    out[0] = vec_mul(unit, vec_of_ivec(ivec_load_bytes(whole)));
    out[1] = form.fine ? vec_mul(unit, vec_of_ivec(ivec_load_bytes(whole + PANEL))) : out[0];
}

/* Group g of a unit, and its codes. */
INLINE const uint8_t *pack_group_at(const uint8_t *unit, enum quant_type type, int g)
{
    const struct pack_layout at = pack_layout(type);
    return unit + at.head + (size_t)g * at.group;
}

INLINE const uint8_t *pack_codes_at(const uint8_t *unit, enum quant_type type, int g)
{
    return pack_group_at(unit, type, g) + pack_layout(type).codes;
}

/* Scales and minima of group g, for the vector of outputs from o on. Where a type is not fine both
 * halves are the same; where it is, m of the first half is less that of the second. */
INLINE void pack_scales_at(const uint8_t *unit, enum quant_type type, int g, size_t o, vec d[2],
                           vec m[2])
{
    const struct quant_form form = quant_forms[type];
    const struct pack_layout at = pack_layout(type);
    const int8_t *whole = (const int8_t *)pack_group_at(unit, type, g) + o;
    pack_factors(unit + 2 * o, whole + at.scale, form, d);
    if (!form.minima) return;
    pack_factors(unit + at.m + 2 * o, whole + at.min, form, m);
    if (form.fine) m[0] = vec_sub(m[0], m[1]);
}

/* Group g of a unit, where two vectors are a panel. */
INLINE void pack_load(const uint8_t *unit, enum quant_type type, int g, struct pack_group *out)
{
    const uint8_t *codes = pack_codes_at(unit, type, g);
    UNROLL
    for (size_t v = 0; v < 2; v++, codes += 4 * LANES) {
        UNROLL
        for (int j = 0; j < 8; j++) out->code[v][j] = pack_code(codes, quant_forms[type], j);
        pack_scales_at(unit, type, g, v * LANES, out->d[v], out->m[v]);
    }
}

/* sum + what a group adds to it: the whole sums of its halves (of all in `first`, if not fine)
 * times the scales, and the minima times the sums of the activations. */
INLINE vec pack_scale(vec sum, ivec first, ivec last, const vec d[2], const vec m[2],
                      const struct quant_form form, struct kern_q8 x)
{
    const vec dx = vec_all(x.d[0]);
    if (form.fine) {
        vec both = vec_mul(vec_of_ivec(last), d[1]);
        both = vec_fma(vec_of_ivec(first), d[0], both);
        sum = vec_fma(both, dx, sum);
    } else {
        sum = vec_fma(vec_of_ivec(first), vec_mul(d[0], dx), sum);
    }
    if (form.minima && form.fine) sum = vec_fma(m[0], vec_all(x.s[0]), sum);
    if (form.minima) sum = vec_fma(m[1], vec_all(x.s[1]), sum);
    return sum;
}

/* X(type) for every type that is unpacked so. */
#define PACK_TYPES(X)                                                                              \
    X(QT_Q4_0)                                                                                     \
    X(QT_Q4_1)                                                                                     \
    X(QT_Q5_0)                                                                                     \
    X(QT_Q5_1)                                                                                     \
    X(QT_Q8_0) X(QT_IQ4_NL) X(QT_Q2_K) X(QT_Q3_K) X(QT_Q4_K) X(QT_Q5_K) X(QT_Q6_K) X(QT_IQ4_XS)

#endif
#endif
