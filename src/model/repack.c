#include "model/repack.h"

#include "base/team.h"
#include "kern/kern_pack.h"

enum { PER_LAYER = 7 };

struct repack {
    struct weights *weights;
    int matrices;
};

/* Matrix i of all that are multiplied: the output, then those of each layer. */
static struct kern_weight *matrix_at(struct weights *w, int i)
{
    if (i == 0) return &w->output;
    struct layer *l = &w->layers[(i - 1) / PER_LAYER];
    struct kern_weight *const of_layer[PER_LAYER] = {&l->q,    &l->k,  &l->v,   &l->o,
                                                     &l->gate, &l->up, &l->down};
    return of_layer[(i - 1) % PER_LAYER];
}

/* Carve room for all panels; `packed` is set once the arena has memory. */
static void carve(const struct repack *r, struct arena *arena)
{
    for (int i = 0; i < r->matrices; i++) {
        struct kern_weight *w = matrix_at(r->weights, i);
        w->packed =
            arena_carve(arena, (size_t)pack_panels(w->rows), pack_panel_bytes(w->type, w->cols));
    }
}

static void write_panels(struct team_member *me, void *context)
{
    const struct repack *r = context;
    for (int i = 0; i < r->matrices; i++) {
        const struct kern_weight *w = matrix_at(r->weights, i);
        int begin, end;
        while (team_take(me, pack_panels(w->rows), 4, &begin, &end))
            pack_panels_write(w, begin, end, (uint8_t *)w->packed);
        team_barrier(me);
    }
}

enum status repack_weights(struct weights *w, int n_layer, int threads, struct err *err)
{
    struct repack r = {w, 1 + n_layer * PER_LAYER};
    struct arena arena = {0};
    carve(&r, &arena); /* measures */
    enum status st = arena_commit(&arena, err);
    if (st != ST_OK) return st;
    carve(&r, &arena);
    struct team team;
    team_init(&team, threads);
    team_run(&team, write_panels, &r);
    team_deinit(&team);
    w->panels = arena;
    w->packed = true;
    return ST_OK;
}
