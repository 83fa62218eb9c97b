/*
 * What the headers of pack, float, attend and row share. They say kernels once, over the vector
 * `vec` of LANES floats that the including file chose (vec/vec_avx512.h, vec/vec_avx2.h); every
 * function is static, so each table has its own. Without a chosen vector they are empty.
 */
#ifndef EAD_KERN_VEC_VEC_H
#define EAD_KERN_VEC_VEC_H

#include "kern/kern.h"

#if defined(LANES)

/* For kernels written once and made many by constant arguments. */
#define INLINE static inline __attribute__((always_inline))

/* Before a loop of constant length over an array of vectors, so that these stay in registers. Where
 * every access is checked they do not, and compilers take minutes over what they have unrolled. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNROLL
#elif !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 32")
#elif __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNROLL
#else
#define UNROLL _Pragma("clang loop unroll(full)")
#endif

/* Calls fn(rows, ...) with a constant number, of at most `most`, for kernels that are made for it.
 */
#define CONSTANT_ROWS(most, fn, rows, ...)                                                         \
    switch (rows) {                                                                                \
    case 1: fn(1, __VA_ARGS__); break;                                                             \
    case 2: fn(2, __VA_ARGS__); break;                                                             \
    case 3: fn(3, __VA_ARGS__); break;                                                             \
    case 4: fn(4, __VA_ARGS__); break;                                                             \
    case 5:                                                                                        \
        if ((most) >= 5) fn(5, __VA_ARGS__);                                                       \
        break;                                                                                     \
    case 6:                                                                                        \
        if ((most) >= 6) fn(6, __VA_ARGS__);                                                       \
        break;                                                                                     \
    case 7:                                                                                        \
        if ((most) >= 7) fn(7, __VA_ARGS__);                                                       \
        break;                                                                                     \
    case 8:                                                                                        \
        if ((most) >= 8) fn(8, __VA_ARGS__);                                                       \
        break;                                                                                     \
    }
#define VEC_ROWS(fn, rows, ...) CONSTANT_ROWS(ROWS, fn, rows, __VA_ARGS__)

/* How many of `left` rows go on together, of at most `most`: even shares. */
static inline int vec_share(int left, int most)
{
    const int shares = (left + most - 1) / most;
    return (left + shares - 1) / shares;
}

/* The next piece of n elements: LANES of them, or what is left. */
static inline int vec_piece(int n)
{
    return n < LANES ? n : LANES;
}

static inline vec vec_load_n(const void *p, int n)
{
    return n == LANES ? vec_load(p) : vec_load_part(p, n);
}

static inline vec vec_load_f16_n(const void *p, int n)
{
    return n == LANES ? vec_load_f16(p) : vec_load_f16_part(p, n);
}

static inline vec vec_load_i8_n(const void *p, int n)
{
    return n == LANES ? vec_load_i8(p) : vec_load_i8_part(p, n);
}

static inline void vec_store_n(float *p, vec a, int n)
{
    if (n == LANES)
        vec_store(p, a);
    else
        vec_store_part(p, a, n);
}

/* With x = n ln 2 + r and |r| <= ln 2 / 2: (e^r - 1) / r, from the series of e^r cut after r^7,
 * which is right to 2^-27. x is within 120 of 0. */
static inline vec vec_exp_series(vec x, vec *r, vec *n)
{
    *n = vec_round(vec_mul(x, vec_all(0x1.715476p+0f)));
    /* ln 2 in two parts: n times the first is exact */
    *r = vec_fma(*n, vec_all(-0x1.62e4p-1f), x);
    *r = vec_fma(*n, vec_all(-0x1.7f7d1cp-20f), *r);
    vec e = vec_all(1.0f / 5040);
    e = vec_fma(e, *r, vec_all(1.0f / 720));
    e = vec_fma(e, *r, vec_all(1.0f / 120));
    e = vec_fma(e, *r, vec_all(1.0f / 24));
    e = vec_fma(e, *r, vec_all(1.0f / 6));
    e = vec_fma(e, *r, vec_all(0.5f));
    return vec_fma(e, *r, vec_all(1));
}

/* e^x within 2 units in the last place; 0 far below, infinity far above, NaN for NaN. */
static inline vec vec_exp(vec x)
{
    vec r, n;
    vec e = vec_exp_series(vec_max(vec_all(-120), vec_min(vec_all(120), x)), &r, &n);
    return vec_scale(vec_fma(e, r, vec_all(1)), n);
}

/* tanh x within 4 units in the last place, near 0, too: m / (m + 2) for m = e^2x - 1; NaN for NaN.
 */
static inline vec vec_tanh(vec x)
{
    const vec one = vec_all(1);
    vec r, n;
    x = vec_max(vec_all(-20), vec_min(vec_all(20), x));
    vec e = vec_exp_series(vec_add(x, x), &r, &n), power = vec_scale(one, n);
    vec m = vec_fma(power, vec_mul(e, r), vec_sub(power, one));
    return vec_div(m, vec_add(m, vec_all(2)));
}

/* cap * tanh(x / cap) */
static inline vec vec_capped(vec x, float cap)
{
    return vec_mul(vec_tanh(vec_div(x, vec_all(cap))), vec_all(cap));
}

#endif
#endif
