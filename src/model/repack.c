#include "model/repack.h"

#include "base/check.h"
#include "base/team.h"
#include "kern/pack/pack.h"

void repack_carve(struct kern_weight *first, int n, struct arena *arena)
{
    first->packed = arena_carve(arena, (size_t)n * (size_t)pack_panels(first->rows),
                                pack_panel_bytes(first->type, first->cols));
}

static void carve_matrix(struct weights *w, int i, struct arena *arena)
{
    repack_carve(weights_matrix(w, i), w->matrices[i].n, arena);
}

void repack_adopt(struct weights *w, struct arena panels)
{
    CHECK(!w->packed && panels.base && !panels.used);
    for (int i = 0; i < w->n_matrices; i++) carve_matrix(w, i, &panels);
    CHECK(!panels.overflow);
    w->panels = panels;
    w->packed = true;
}

struct repack {
    struct weights *weights;
    int panels;
    int block; /* panels that a thread takes at once */
};

/* Panels [begin, end) of a stack. */
static void write_stack(const struct kern_weight *first, int begin, int end)
{
    const int each = pack_panels(first->rows);
    for (int i = begin / each; begin < end; i++) {
        const struct kern_weight w = weights_in_stack(first, i);
        const int to = end - i * each < each ? end - i * each : each;
        pack_panels_write(&w, begin - i * each, to, (uint8_t *)w.packed);
        begin = i * each + to;
    }
}

static int count_panels(struct weights *w, int i)
{
    return w->matrices[i].n * pack_panels(weights_matrix(w, i)->rows);
}

/* Panels [begin, end) of all matrices, which stand side by side. */
static void write_panels(const struct repack *r, int begin, int end)
{
    for (int i = 0, first = 0, count; i < r->weights->n_matrices && first < end;
         i++, first += count) {
        count = count_panels(r->weights, i);
        const int from = begin > first ? begin - first : 0;
        const int to = end - first < count ? end - first : count;
        if (from < to) write_stack(weights_matrix(r->weights, i), from, to);
    }
}

static void write_blocks(struct team_member *me, const void *context)
{
    const struct repack *r = context;
    int begin, end;
    while (team_take(me, r->panels, r->block, r->block, &begin, &end)) write_panels(r, begin, end);
}

/* Panels that a thread takes at most as a block. They are many huge pages of memory long: two
 * threads that meet in such a page both clear it, one of them in vain. */
enum { BLOCK_MAX = 256 };

enum status repack_weights(struct weights *w, int threads, struct err *err)
{
    struct repack r = {.weights = w};
    struct arena arena = {0};
    for (int i = 0; i < w->n_matrices; i++) {
        carve_matrix(w, i, &arena); /* measures */
        r.panels += count_panels(w, i);
    }
    const int share = 1 + r.panels / (threads * 8);
    r.block = share < BLOCK_MAX ? share : BLOCK_MAX;
    const size_t bytes = arena.used;
    if (arena_commit(&arena, err) != ST_OK)
        return err_memory(err,
                          "%zu MiB of packed weights; --pack-cache DIR keeps them in a file that "
                          "is mapped instead",
                          bytes >> 20);
    arena_expect_use(&arena);
    repack_adopt(w, arena);
    struct team team;
    team_init(&team, threads);
    team_run(&team, threads, write_blocks, &r, sizeof r);
    team_deinit(&team);
    return ST_OK;
}
