/*
 * What products of packed weights (pack/pack.h), quantised and float, have in common: lanes are
 * outputs, and two vectors of them are multiplied together. vec/vec.h says how this header is
 * used.
 */
#ifndef EAD_KERN_PACK_PANEL_H
#define EAD_KERN_PACK_PANEL_H

#include "base/check.h"
#include "kern/pack/pack.h"
#include "kern/vec/vec.h"

#if defined(LANES)

#include <string.h>

enum {
    PAIR = 2 * LANES, /* outputs that are multiplied together */
    AHEAD = 8192      /* bytes between a weight and the prefetch of a later one */
};

/* Into the second cache: the first has too few places for loads that are under way. */
static inline void panel_prefetch(const uint8_t *weights, size_t bytes)
{
    enum { READ = 0, SECOND_CACHE = 2 };
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(weights + i + AHEAD, READ, SECOND_CACHE);
}

/* The panel in which output o lies. */
static inline const uint8_t *panel_of(const struct kern_weight *w, int o)
{
    CHECK(w->packed);
    return w->packed + (size_t)(o / PANEL) * pack_panel_bytes(w->type, w->cols);
}

/* The outputs of the PAIR from o on that lie in [o0, o1): lanes [begin, end). */
struct panel_lanes {
    int begin, end;
};

static inline struct panel_lanes panel_lanes(int o, int o0, int o1)
{
    return (struct panel_lanes){o0 > o ? o0 - o : 0, o1 - o < PAIR ? o1 - o : PAIR};
}

/* Those lanes of a sum go to y, which stands at output o. */
static inline void panel_store(float *y, const vec sum[2], struct panel_lanes lanes)
{
    float lane[PAIR];
    if (lanes.begin == 0 && lanes.end == PAIR) {
        vec_store(y, sum[0]);
        vec_store(y + LANES, sum[1]);
        return;
    }
    vec_store(lane, sum[0]);
    vec_store(lane + LANES, sum[1]);
    memcpy(y + lanes.begin, lane + lanes.begin, (size_t)(lanes.end - lanes.begin) * sizeof *y);
}

#endif
#endif
