#include "server/prefix.h"

static size_t common(const struct prefix *p, int place, const int32_t *ids, size_t n)
{
    const ead_duo *duo = ead_batch_duo(p->batch, place);
    const int32_t *mine = ead_duo_ids(duo);
    const size_t length = ead_duo_length(duo);
    size_t i = 0;
    while (i < length && i < n && mine[i] == ids[i]) i++;
    return i;
}

/* What a place has of the ids. */
struct find {
    int place;
    size_t read;   /* rows that need not be read again, of both models */
    size_t length; /* ids */
    uint64_t used;
};

static struct find look(const struct prefix *p, int place, const int32_t *ids, size_t n)
{
    const ead_duo *duo = ead_batch_duo(p->batch, place);
    struct find f = {place, 0, common(p, place, ids, n), p->places[place].used};
    for (int w = 0; w < EAD_WRITERS; w++) {
        const size_t known = ead_duo_known(duo, (ead_writer)w);
        f.read += known < f.length ? known : f.length;
    }
    return f;
}

static bool is_better(const struct find *a, const struct find *b)
{
    if (a->read != b->read) return a->read > b->read;
    if (a->length != b->length) return a->length > b->length;
    return a->used > b->used;
}

/* The place that spares the most; place -1 where none has any of the ids. */
static struct find best(const struct prefix *p, const int32_t *ids, size_t n)
{
    struct find best = {.place = -1};
    for (int i = 0; i < p->n; i++) {
        if (!p->places[i].used && !p->places[i].live) continue;
        const struct find f = look(p, i, ids, n);
        if (f.length && (best.place < 0 || is_better(&f, &best))) best = f;
    }
    return best;
}

size_t prefix_live(const struct prefix *p, const int32_t *ids, size_t n, int below)
{
    size_t most = 0;
    for (int i = 0; i < below; i++) {
        const size_t have = p->places[i].live ? common(p, i, ids, n) : 0;
        if (have > most) most = have;
    }
    return most;
}

/* The place that is not live and was used least recently, but for one; -1 when there is none. */
static int oldest(const struct prefix *p, int but, bool empty_too)
{
    int best = -1;
    for (int i = 0; i < p->n; i++) {
        const struct prefix_place *place = &p->places[i];
        if (place->live || i == but || (!empty_too && !place->used)) continue;
        if (best < 0 || place->used < p->places[best].used) best = i;
    }
    return best;
}

int prefix_place(struct prefix *p, const int32_t *ids, size_t n, bool fresh)
{
    const struct find found = fresh || !n ? (struct find){.place = -1} : best(p, ids, n - 1);
    const int from = found.place;
    const size_t length = found.length;
    /* What goes on where a kept text ends takes its place; what only begins alike leaves it. */
    const bool whole = from >= 0 && !p->places[from].live &&
                       length == ead_duo_length(ead_batch_duo(p->batch, from));
    const int to = oldest(p, from, true);
    ead_duo *duo = ead_batch_duo(p->batch, to);
    ead_error error;
    ead_duo_reset(duo);
    if (from < 0 || ead_duo_copy(duo, ead_batch_duo(p->batch, from), length, &error))
        ead_duo_reset(duo);
    if (from >= 0) p->places[from].used = ++p->clock;
    if (whole) prefix_forget(p, from);
    p->places[to].used = ++p->clock;
    p->places[to].live = true;
    return to;
}

bool prefix_evict(struct prefix *p, int but)
{
    const int place = oldest(p, but, false);
    if (place < 0) return false;
    prefix_forget(p, place);
    return true;
}

void prefix_keep(struct prefix *p, int place)
{
    if (!ead_duo_length(ead_batch_duo(p->batch, place))) {
        prefix_forget(p, place);
        return;
    }
    p->places[place].live = false;
    p->places[place].used = ++p->clock;
}

void prefix_forget(struct prefix *p, int place)
{
    ead_duo_reset(ead_batch_duo(p->batch, place));
    p->places[place] = (struct prefix_place){0};
}

int prefix_kept(const struct prefix *p)
{
    int n = 0;
    for (int i = 0; i < p->n; i++) n += !p->places[i].live && p->places[i].used;
    return n;
}
