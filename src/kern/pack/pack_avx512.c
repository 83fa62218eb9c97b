#include "kern/vec/ivec_avx512.h"
#include "kern/vec/q8_avx512.h"

#include "kern/pack/pack_avx512.h"

void avx512_pack_quantize(const float *x, int cols, struct kern_q8 to)
{
    pack_quantize(x, cols, to);
}

void avx512_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                        float *y, size_t ldy)
{
    pack_matmul(w, x, n, o0, o1, y, ldy);
}

/* ---- two panels in turn ---------------------------------------------------------------------- */

enum { TURNS = 2, TURNS_ROWS = 4 /* at most, for their sums stay in registers */ };

#define PACK_TURNS(type)                                                                           \
    static void pack_turns_##type(int rows, const struct pack_tile *tile, vec(*sum)[2])            \
    {                                                                                              \
        switch (rows) {                                                                            \
        case 1: pack_multiply(1, TURNS, type, tile, sum); break;                                   \
        case 2: pack_multiply(2, TURNS, type, tile, sum); break;                                   \
        case 3: pack_multiply(3, TURNS, type, tile, sum); break;                                   \
        default: pack_multiply(4, TURNS, type, tile, sum);                                         \
        }                                                                                          \
    }
PACK_TYPES(PACK_TURNS)

#define TURNS_ENTRY(type) [type] = pack_turns_##type,
static pack_fn *const turns_fns[QT_LIMIT] = {PACK_TYPES(TURNS_ENTRY)};

void avx512_pack_turns(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                       float *y, size_t ldy)
{
    const size_t bytes = pack_panel_bytes(w->type, w->cols);
    int o = o0 / PANEL * PANEL;
    for (; n <= TURNS_ROWS && o + PANEL < o1; o += TURNS * PANEL) {
        const struct pack_tile tile = {
            .panel = panel_of(w, o), .stride = bytes, .cols = w->cols, .x = x};
        vec sum[TURNS * TURNS_ROWS][2];
        turns_fns[w->type](n, &tile, sum);
        for (int i = 0; i < TURNS * n; i++) {
            const int at = o + i / n * PANEL;
            panel_store(y + (size_t)(i % n) * ldy + (size_t)at, sum[i], panel_lanes(at, o0, o1));
        }
    }
    if (o < o1) avx512_pack_matmul(w, x, n, o > o0 ? o : o0, o1, y, ldy);
}
