/*
 * What products of packed weights (pack/pack.h), quantised and float, have in common: lanes are
 * outputs. vec/vec.h says how this header is used.
 */
#ifndef EAD_KERN_PACK_PANEL_H
#define EAD_KERN_PACK_PANEL_H

#include "base/check.h"
#include "kern/pack/pack.h"
#include "kern/vec/vec.h"

#if defined(LANES)

#include <stdbool.h>
#include <string.h>

enum { VECTORS = PANEL / LANES };

/* Ask for a weight that comes later, into the L2 cache: the L1 cache has too few places for loads
 * that are under way. */
static inline void line_prefetch(const uint8_t *weight)
{
    enum { READ = 0, L2_CACHE = 2, AHEAD = 8192 };
    __builtin_prefetch(weight + AHEAD, READ, L2_CACHE);
}

/* The same of a constant number of bytes. */
INLINE void panel_prefetch(const uint8_t *weights, size_t bytes)
{
    UNROLL
    for (size_t i = 0; i < bytes; i += 64) line_prefetch(weights + i);
}

/* Whether to ask, where `rows` rows are multiplied by weights that are unpacked lightly or not. A
 * panel is read from its first byte to its last: processors fetch that by themselves, and read it
 * more slowly when asked as well; but where they multiply for long they do not look far enough.
 * Measured on Zen 4, with vectors of 8 and of 16 lanes. */
INLINE bool panel_asks(int rows, bool light)
{
    return !light || rows * 8 > LANES;
}

/* The panel in which output o lies. */
static inline const uint8_t *panel_of(const struct kern_weight *w, int o)
{
    CHECK(w->packed);
    return w->packed + (size_t)(o / PANEL) * pack_panel_bytes(w->type, w->cols);
}

/* The outputs of the panel of output o that lie in [o0, o1): lanes [begin, end). */
struct panel_lanes {
    int begin, end;
};

static inline struct panel_lanes panel_lanes(int o, int o0, int o1)
{
    return (struct panel_lanes){o0 > o ? o0 - o : 0, o1 - o < PANEL ? o1 - o : PANEL};
}

/* Those lanes of a row's sums [PANEL] go to y, which stands at output o. */
static inline void panel_store(float *y, const void *sum, struct panel_lanes lanes)
{
    if (lanes.begin == 0 && lanes.end == PANEL)
        memcpy(y, sum, PANEL * sizeof *y);
    else
        memcpy(y + lanes.begin, (const float *)sum + lanes.begin,
               (size_t)(lanes.end - lanes.begin) * sizeof *y);
}

#endif
#endif
