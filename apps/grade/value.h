/*
 * A number known in up to three ways at once: as a small fraction, as a residue modulo a large
 * prime, and as a floating complex number with a bound on its error. Arithmetic keeps what it can.
 * Of rationals, i, variables and their sums and products the residue decides, so that 2^1000 and
 * hundred-digit integers compare exactly and a variable can stand for a random residue. Roots and
 * functions have a residue too, but only as a name: where names agree so do the values, where they
 * do not the floating numbers are asked. Those say nothing where rounding would have to decide: a
 * number whose floating form lost what it depends on, as 1 + 10^-30 did, keeps only its name.
 */
#ifndef EAD_GRADE_VALUE_H
#define EAD_GRADE_VALUE_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_rank {
    VALUE_NONE,     /* no value at all */
    VALUE_FLOAT,    /* mod is a name, z decides */
    VALUE_EXACT,    /* mod decides: i, variables and constants occur in it */
    VALUE_RATIONAL, /* mod decides, and nothing but whole numbers went in */
};

struct value {
    enum value_rank rank;
    bool small;      /* n / d holds, in lowest terms, d > 0 */
    bool irrational; /* beyond doubt */
    uint64_t mod;
    int64_t n, d;
    long double complex z; /* NaN: what it depends on is beyond a long double's digits or range */
    long double error;     /* z is off by at most so much */
};

struct value value_int(int64_t n);
struct value value_none(void);
struct value value_i(void);
/* pi or e: no rational equation binds them, so a residue of their own keeps them apart. */
struct value value_constant(uint64_t name, long double x);
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
/* The principal value; none of 0. */
struct value value_log(struct value a);
/* A function of `a` other than those; `name` tells it from others. */
struct value value_apply(uint64_t name, long double complex (*f)(long double complex),
                         struct value a);

bool value_is_real(struct value a);
bool value_is_zero(struct value a);
/* Surely a real number below 0. */
bool value_is_negative(struct value a);

enum value_verdict { VALUE_DIFFERENT, VALUE_SAME, VALUE_UNTOLD };
enum value_verdict value_compare(struct value a, struct value b);
bool value_equal(struct value a, struct value b); /* surely the same */

#endif
