#include "model/repack.h"

#include "base/team.h"
#include "kern/kern_pack.h"

enum { PER_LAYER = 7 };

int repack_count(int n_layer)
{
    return 1 + n_layer * PER_LAYER;
}

/* The output, then those of each layer. */
struct kern_weight *repack_matrix(struct weights *w, int i)
{
    if (i == 0) return &w->output;
    struct layer *l = &w->layers[(i - 1) / PER_LAYER];
    struct kern_weight *const of_layer[PER_LAYER] = {&l->q,    &l->k,  &l->v,   &l->o,
                                                     &l->gate, &l->up, &l->down};
    return of_layer[(i - 1) % PER_LAYER];
}

void repack_carve(struct kern_weight *w, struct arena *arena)
{
    w->packed =
        arena_carve(arena, (size_t)pack_panels(w->rows), pack_panel_bytes(w->type, w->cols));
}

void repack_adopt(struct weights *w, int n_layer, struct arena panels)
{
    for (int i = 0; i < repack_count(n_layer); i++) repack_carve(repack_matrix(w, i), &panels);
    w->panels = panels;
    w->packed = true;
}

struct repack {
    struct weights *weights;
    int matrices, panels, block;
};

/* Panels [begin, end) of all matrices, which stand side by side. */
static void write_panels(const struct repack *r, int begin, int end)
{
    for (int i = 0, first = 0, count; i < r->matrices && first < end; i++, first += count) {
        const struct kern_weight *w = repack_matrix(r->weights, i);
        count = pack_panels(w->rows);
        const int from = begin > first ? begin - first : 0;
        const int to = end - first < count ? end - first : count;
        if (from < to) pack_panels_write(w, from, to, (uint8_t *)w->packed);
    }
}

static void write_blocks(struct team_member *me, const void *context)
{
    const struct repack *r = context;
    int begin, end;
    while (team_take(me, r->panels, r->block, r->block, &begin, &end)) write_panels(r, begin, end);
}

/* Panels that a thread takes at most, many huge pages long: two threads that meet in such a page
 * both clear it, one of them in vain. */
enum { BLOCK = 256 };

enum status repack_weights(struct weights *w, int n_layer, int threads, struct err *err)
{
    struct repack r = {.weights = w, .matrices = repack_count(n_layer)};
    struct arena arena = {0};
    for (int i = 0; i < r.matrices; i++) {
        struct kern_weight *m = repack_matrix(w, i);
        repack_carve(m, &arena); /* measures */
        r.panels += pack_panels(m->rows);
    }
    const int share = 1 + r.panels / (threads * 8);
    r.block = share < BLOCK ? share : BLOCK;
    TRY(arena_commit(&arena, err));
    arena_expect_use(&arena);
    repack_adopt(w, n_layer, arena);
    struct team team;
    team_init(&team, threads);
    team_run(&team, threads, write_blocks, &r, sizeof r);
    team_deinit(&team);
    return ST_OK;
}
