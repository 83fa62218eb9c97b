/* Kernels over one row of floats; vec/vec.h says how this header is used. */
#ifndef EAD_KERN_ROW_ROW_H
#define EAD_KERN_ROW_ROW_H

#include "kern/vec/vec.h"

#if defined(LANES)

#include <math.h>
#include <string.h>

static void row_rms_norm(float *y, const float *x, const float *w, int n, float eps)
{
    vec sum = vec_zero();
    for (int i = 0; i < n; i += LANES) {
        vec a = vec_load_n(x + i, vec_piece(n - i));
        sum = vec_fma(a, a, sum);
    }
    vec scale = vec_all(1 / sqrtf(vec_sum(sum) / (float)n + eps));
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        vec a = vec_mul(vec_load_n(x + i, k), scale);
        vec_store_n(y + i, vec_mul(a, vec_load_n(w + i, k)), k);
    }
}

static void row_add(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        vec_store_n(y + i, vec_add(vec_load_n(y + i, k), vec_load_n(x + i, k)), k);
    }
}

static void row_add_scaled(float *y, const float *x, float scale, int n)
{
    const vec s = vec_all(scale);
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        vec_store_n(y + i, vec_fma(vec_load_n(x + i, k), s, vec_load_n(y + i, k)), k);
    }
}

static void row_silu_mul(float *gate, const float *up, int n)
{
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        vec g = vec_load_n(gate + i, k);
        vec bottom = vec_add(vec_all(1), vec_exp(vec_sub(vec_zero(), g)));
        vec_store_n(gate + i, vec_mul(vec_div(g, bottom), vec_load_n(up + i, k)), k);
    }
}

static void row_gelu_mul(float *gate, const float *up, int n)
{
    const vec linear = vec_all(1.59576912f), cubic = vec_all(0.0713548162f); /* of 2u */
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        vec g = vec_load_n(gate + i, k);
        vec minus_2u = vec_mul(vec_sub(vec_zero(), g), vec_fma(vec_mul(g, g), cubic, linear));
        vec bottom = vec_add(vec_all(1), vec_exp(minus_2u));
        vec_store_n(gate + i, vec_mul(vec_div(g, bottom), vec_load_n(up + i, k)), k);
    }
}

static void row_softcap(float *y, int n, float cap)
{
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        vec_store_n(y + i, vec_capped(vec_load_n(y + i, k), cap), k);
    }
}

/* The compiler vectorises these two loops; a head is small and its rotation no bottleneck. */
static void row_rope(float *x, const float *cos, const float *sin, int n_rot, int interleaved)
{
    int half = n_rot / 2;
    if (interleaved) {
        for (int i = 0; i < half; i++) {
            float a = x[2 * i], b = x[2 * i + 1];
            x[2 * i] = a * cos[i] - b * sin[i];
            x[2 * i + 1] = a * sin[i] + b * cos[i];
        }
        return;
    }
    for (int i = 0; i < half; i++) {
        float a = x[i], b = x[i + half];
        x[i] = a * cos[i] - b * sin[i];
        x[i + half] = a * sin[i] + b * cos[i];
    }
}

static void row_to_f16(uint16_t *y, const float *x, int n)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES) vec_store_f16(y + i, vec_load(x + i));
    if (i < n) vec_store_f16_part(y + i, vec_load_part(x + i, n - i), n - i);
}

/* The largest magnitude of n elements, NaN if one of them is not finite. */
static float row_most(const float *x, int n)
{
    float lane[LANES], most = 0;
    vec top = vec_zero(), poison = vec_zero();
    for (int i = 0; i < n; i += LANES) {
        vec a = vec_load_n(x + i, vec_piece(n - i));
        top = vec_max(vec_max(a, vec_sub(vec_zero(), a)), top);
        poison = vec_add(poison, vec_mul(a, vec_zero())); /* NaN where a is not finite */
    }
    if (vec_has_nan(poison)) return NAN;
    vec_store(lane, top);
    for (int i = 0; i < LANES; i++) most = lane[i] > most ? lane[i] : most;
    return most;
}

static void row_to_q8_0(int8_t *code, uint16_t *scale, const float *x, int n)
{
    for (int from = 0; from < n; from += KERN_GROUP) {
        const int to = from + KERN_GROUP < n ? from + KERN_GROUP : n;
        const float factor = kern_cache_scale(row_most(x + from, to - from), scale++);
        if (factor > 0) {
            for (int i = from; i < to; i += LANES) {
                const int k = vec_piece(to - i);
                vec a = vec_mul(vec_load_n(x + i, k), vec_all(factor));
                vec_store_i8_part(code + i, vec_max(vec_all(-127), vec_min(vec_all(127), a)), k);
            }
        } else {
            memset(code + from, 0, (size_t)(to - from));
        }
    }
}

#endif
#endif
