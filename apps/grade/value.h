/*
 * A number known in up to three ways at once: as a small fraction, as a residue modulo a large
 * prime, and as a floating complex number. Arithmetic keeps what it can. Where both sides of a
 * comparison have a residue it decides, so that 2^1000 and hundred-digit integers compare exactly
 * and a variable can stand for a random residue; roots and logarithms have only the floating form.
 */
#ifndef EAD_GRADE_VALUE_H
#define EAD_GRADE_VALUE_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value {
    bool exact; /* mod holds; the residue of a rational, or of one with i or variables in it */
    bool small; /* n / d holds, in lowest terms, d > 0 */
    uint64_t mod;
    int64_t n, d;
    long double complex z; /* NaN: no value at all */
};

struct value value_int(int64_t n);
struct value value_none(void);
struct value value_i(void);
/* A floating number that is no rational. */
struct value value_real(long double x);
/* The value of a variable: one for each name and point, positive where `positive`. */
struct value value_sample(uint64_t name, unsigned point, bool positive);
/* Digits with at most one '.' among them; those from digits + repeat on (repeat < n) recur without
 * end, as in 0.1(6). */
struct value value_decimal(const char *digits, size_t n, size_t repeat);

struct value value_add(struct value a, struct value b);
struct value value_neg(struct value a);
struct value value_mul(struct value a, struct value b);
struct value value_div(struct value a, struct value b);
/* The real value where there is one, also of odd roots of negative numbers. */
struct value value_pow(struct value a, struct value b);

bool value_is_real(struct value a);
bool value_is_zero(struct value a);
/* Same residue; without residues the same to the last digits a long double gives. */
bool value_equal(struct value a, struct value b);

#endif
