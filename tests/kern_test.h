/*
 * What the kernel tests share: the levels of this machine, random numbers, and memory with a
 * forbidden page on both sides. A block from guard_alloc ends where the forbidden page begins, or
 * begins where one ends, so that reading one byte outside it is a crash.
 */
#ifndef KERN_TEST_H
#define KERN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kern/pack/pack.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum guard_side { GUARD_AFTER, GUARD_BEFORE };

struct guard {
    uint8_t *map;
    size_t bytes; /* of the map */
    void *data;
};

static inline struct guard guard_alloc(size_t bytes, enum guard_side side)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + page - 1) / page * page;
    struct guard g = {.bytes = inner + 2 * page};
    g.map = mmap(NULL, g.bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + page, inner, PROT_READ | PROT_WRITE), 0);
    g.data = g.map + page + (side == GUARD_AFTER ? inner - bytes : 0);
    return g;
}

static inline void guard_free(struct guard g)
{
    munmap(g.map, g.bytes);
}

static inline uint32_t random_bits(uint64_t *state)
{
    return (uint32_t)(rng_bits(state) >> 32);
}

/* Uniform in [-1, 1). */
static inline float random_unit(uint64_t *state)
{
    return (float)(int32_t)random_bits(state) * 0x1p-31f;
}

/* Roughly normal, deviation 1. */
static inline float random_normal(uint64_t *state)
{
    float sum = 0;
    for (int i = 0; i < 12; i++) sum += random_unit(state);
    return sum * 0.5f;
}

/* Calls `check` with the table of every level above ref that this machine has. */
static inline void for_each_level(void (*check)(const struct kern *k))
{
    for (int level = KERN_REF + 1; level < KERN_LEVEL_COUNT; level++) {
        const struct kern *k = kern_table((enum kern_level)level);
        if (k)
            check(k);
        else
            print_message("skipped %s: this machine or build lacks it\n",
                          kern_level_name((enum kern_level)level));
    }
}

static inline void skip_without(enum kern_level level)
{
    if (kern_table(level)) return;
    print_message("skipped: this machine or build lacks %s\n", kern_level_name(level));
    skip();
}

static inline const struct kern *reference(void)
{
    return kern_table(KERN_REF);
}

/* Memory for n elements, 64-byte aligned, zero. */
static inline void *aligned(size_t n, size_t size)
{
    size_t bytes = (n * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes ? bytes : 64);
    assert_non_null(p);
    return memset(p, 0, bytes);
}

/* ---- panels ---------------------------------------------------------------------------------- */

/* The panels of w between forbidden pages; nothing for a table that reads the rows. */
static inline struct guard pack_weights(const struct kern *k, struct kern_weight *w,
                                        enum guard_side side)
{
    if (!k->panels) return (struct guard){0};
    int panels = pack_panels(w->rows);
    struct guard g = guard_alloc((size_t)panels * pack_panel_bytes(w->type, w->cols), side);
    pack_panels_write(w, 0, panels, g.data);
    w->packed = g.data;
    return g;
}

static inline void panels_free(struct guard g)
{
    if (g.data) guard_free(g);
}

#endif
