/*
 * Statistics of a row of logits; vec/vec.h says how this header is used.
 *
 * With t = l - max, Z = sum exp(t) and S = sum t exp(t), the entropy is ln Z - S/Z nats. Logits are
 * read once from memory, in blocks that stay in the first-level cache: a first look at a block
 * finds its maximum, a second adds its Z and S. When the maximum grows by g, what was summed so far
 * becomes Z' = Z exp(-g), S' = (S - g Z) exp(-g). A block is summed in floats, blocks in doubles.
 */
#ifndef EAD_KERN_ROW_STATS_H
#define EAD_KERN_ROW_STATS_H

#include "kern/vec/vec.h"

#if defined(LANES)

#include <math.h>

enum { STATS_BLOCK = 512 }; /* logits */

struct stats {
    vec first, second; /* the two largest of each lane so far */
    float max;         /* the largest of all */
    int best;          /* where the block that holds it begins; -1 at the start */
    int poisoned;      /* a NaN or +infinity was seen */
    double z, s;
};

/* The next n <= LANES logits; lanes beyond n and NaN become -infinity, which weighs nothing. */
static inline vec stats_load(const float *logits, int n)
{
    if (n == LANES) return vec_max(vec_load(logits), vec_all(-INFINITY));
    float full[LANES];
    vec_store(full, vec_all(-INFINITY));
    vec_store_part(full, vec_load_part(logits, n), n);
    return vec_max(vec_load(full), vec_all(-INFINITY));
}

static inline float stats_lane_max(vec a)
{
    float lane[LANES], max = -INFINITY;
    vec_store(lane, a);
    for (int i = 0; i < LANES; i++) max = lane[i] > max ? lane[i] : max;
    return max;
}

/* First look: the largest two of each lane, and the maximum of the block. */
static float stats_look(struct stats *st, const float *logits, int n)
{
    vec max = vec_all(-INFINITY);
    for (int i = 0; i < n; i += LANES) {
        int k = vec_piece(n - i);
        st->poisoned |= vec_has_nan(vec_load_n(logits + i, k));
        vec l = stats_load(logits + i, k);
        st->second = vec_max(st->second, vec_min(l, st->first));
        st->first = vec_max(st->first, l);
        max = vec_max(max, l);
    }
    return stats_lane_max(max);
}

/* Second look. Below -120 an exponential is zero, and so is t exp(t) when t stops there; t is never
 * -infinity, whose product with zero would be a NaN. */
static void stats_sum(struct stats *st, const float *logits, int n)
{
    vec z = vec_zero(), s = vec_zero(), max = vec_all(st->max);
    for (int i = 0; i < n; i += LANES) {
        vec t = vec_sub(stats_load(logits + i, vec_piece(n - i)), max);
        t = vec_max(t, vec_all(-120));
        vec e = vec_exp(t);
        z = vec_add(z, e);
        s = vec_fma(t, e, s);
    }
    st->z += (double)vec_sum(z);
    st->s += (double)vec_sum(s);
}

static void stats_block(struct stats *st, const float *logits, int at, int n)
{
    float max = stats_look(st, logits + at, n);
    if (st->best < 0 || max > st->max) {
        double grow = (double)max - (double)st->max;
        if (st->z > 0) {
            st->s = (st->s - grow * st->z) * exp(-grow);
            st->z *= exp(-grow);
        }
        st->max = max;
        st->best = at;
    }
    st->poisoned |= max == INFINITY;
    if (st->max > -INFINITY && !st->poisoned) stats_sum(st, logits + at, n);
}

/* The second of all lanes' pairs. */
static float stats_second(const struct stats *st)
{
    float first[LANES], second[LANES], largest = -INFINITY, next = -INFINITY;
    vec_store(first, st->first);
    vec_store(second, st->second);
    for (int i = 0; i < LANES; i++) {
        next = fmaxf(next, fmaxf(second[i], fminf(first[i], largest)));
        largest = fmaxf(largest, first[i]);
    }
    return next;
}

static void row_stats(const float *logits, int n, struct kern_stats *out)
{
    struct stats st = {vec_all(-INFINITY), vec_all(-INFINITY), -INFINITY, -1, 0, 0, 0};
    for (int at = 0; at < n; at += STATS_BLOCK)
        stats_block(&st, logits, at, n - at < STATS_BLOCK ? n - at : STATS_BLOCK);
    *out = (struct kern_stats){st.max, stats_second(&st), -1, -INFINITY, NAN};
    for (int i = st.max > -INFINITY ? st.best : 0; i < n && out->argmax < 0; i++)
        if (logits[i] == st.max) out->argmax = i;
    if (st.poisoned) {
        out->log_sum_exp = NAN;
    } else if (st.z > 0) {
        out->log_sum_exp = (float)((double)st.max + log(st.z));
        out->entropy = (float)((log(st.z) - st.s / st.z) * M_LOG2E);
    }
}

#endif
#endif
