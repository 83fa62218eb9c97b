#include "decode/driver.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdlib.h>

/* ---- opening ----------------------------------------------------------------------------- */

static enum status check_room(const struct engine *e, int n, int scores, struct err *err)
{
    const struct engine_info *info = &e->info;
    CHECK(info->max_logits <= info->max_rows && info->vocab);
    if (n < 1 || n > info->n_seq || n > info->max_logits)
        return err_set(err, ST_ARG, "texts: expected 1 to %d, found %d",
                       info->n_seq < info->max_logits ? info->n_seq : info->max_logits, n);
    const int most = info->max_logits < info->max_rows ? info->max_logits - n : info->max_rows;
    if (scores < 0 || scores > most)
        return err_set(err, ST_ARG, "scores of a pass: expected 0 to %d, found %d", most, scores);
    return ST_OK;
}

static enum status check_engines(const struct engine *large, const struct engine *small, int n,
                                 int scores, struct err *err)
{
    if (!large && !small)
        return err_set(err, ST_ARG, "expected a large or a small model, found none");
    if (large) TRY(check_room(large, n, scores, err));
    if (small) TRY(check_room(small, n, scores, err));
    if (!large || !small) return ST_OK;
    const struct engine_info *a = &large->info, *b = &small->info;
    if (a->n_ctx != b->n_ctx || a->max_rows != b->max_rows || a->n_seq != b->n_seq)
        return err_set(err, ST_ARG,
                       "both engines need the same context, rows per pass and sequences");
    int32_t same;
    return vocab_compare(a->vocab, b->vocab, &same, err);
}

static int shared_vocab(const struct engine *large, const struct engine *small)
{
    const int a = large ? large->info.n_vocab : small->info.n_vocab;
    const int b = small ? small->info.n_vocab : a;
    return a < b ? a : b;
}

static void carve(struct driver *r)
{
    const size_t n = (size_t)r->n;
    struct duo measured = {.n_ctx = r->n_ctx};
    r->duos = arena_carve(&r->arena, n, sizeof *r->duos);
    r->owner = arena_carve(&r->arena, (size_t)r->n_seq, sizeof *r->owner);
    r->queue = arena_carve(&r->arena, n, sizeof *r->queue);
    r->rows = arena_carve(&r->arena, (size_t)r->max_rows, sizeof *r->rows);
    const size_t v = (size_t)r->n_vocab;
    r->scratch.candidates = arena_carve(&r->arena, v, sizeof *r->scratch.candidates);
    r->scratch.p = arena_carve(&r->arena, v, sizeof *r->scratch.p);
    r->scratch.q = arena_carve(&r->arena, v, sizeof *r->scratch.q);
    for (size_t i = 0; i < n; i++) {
        struct duo *d = r->duos ? &r->duos[i] : &measured;
        *d = (struct duo){.engines = {r->engines[0], r->engines[1]},
                          .seq = (int)i,
                          .n_ctx = r->n_ctx,
                          .n_vocab = r->n_vocab};
        duo_carve(d, &r->arena);
        if (r->owner) r->owner[d->seq] = (int)i;
    }
}

/* Drafts that the large model can judge in a pass: none where it tells of too few rows, or has yet
 * to when the next pass takes what it told. */
static int draft_max(const struct driver *r)
{
    const struct engine *large = r->engines[EAD_LARGE];
    if (!large || !r->engines[EAD_SMALL] || !large->info.judges) return 0;
    return r->max_rows - 1 < EAD_DRAFT_MAX ? r->max_rows - 1 : EAD_DRAFT_MAX;
}

static enum status fill(struct driver *r, const ead_duo_options *o, int n, struct err *err)
{
    const struct engine *any = r->engines[r->engines[EAD_SMALL] ? EAD_SMALL : EAD_LARGE];
    if (o->prompt_budget < 0)
        return err_set(err, ST_ARG, "prompt budget: expected 0 or more rows, found %d",
                       o->prompt_budget);
    r->n = n;
    r->max_scores = o->max_scores;
    r->n_seq = any->info.n_seq;
    r->n_ctx = any->info.n_ctx;
    r->max_rows = any->info.max_rows;
    budget_init(&r->budget, o->prompt_budget);
    r->n_vocab = shared_vocab(r->engines[EAD_LARGE], r->engines[EAD_SMALL]);
    carve(r); /* measures */
    TRY(arena_commit(&r->arena, err));
    carve(r);
    for (int i = 0; i < r->n; i++) {
        for (int w = 0; w < EAD_WRITERS; w++) /* whoever had the engine before */
            if (r->engines[w]) engine_truncate(r->engines[w], i, 0);
        TRY(duo_reserve(driver_duo(r, i), 0, err));
        TRY(duo_init(driver_duo(r, i), o, &r->scratch, draft_max(r), err));
    }
    return ST_OK;
}

enum status driver_open(struct engine *large, struct engine *small, const ead_duo_options *options,
                        int n, struct driver **out, struct err *err)
{
    TRY(check_engines(large, small, n, options->max_scores, err));
    struct driver *r = calloc(1, sizeof *r);
    if (!r) return err_memory(err, "a batch");
    r->engines[EAD_LARGE] = large;
    r->engines[EAD_SMALL] = small;
    enum status st = fill(r, options, n, err);
    if (st != ST_OK) {
        driver_close(r);
        return st;
    }
    *out = r;
    return ST_OK;
}

void driver_close(struct driver *r)
{
    if (!r) return;
    arena_deinit(&r->arena);
    free(r);
}

struct duo *driver_duo(struct driver *r, int i)
{
    CHECK(i >= 0 && i < r->n);
    return &r->duos[i];
}

/* ---- what is asked of a step ------------------------------------------------------------- */

/* Texts that take part: those with active[i] or, where that is NULL, text `only`. */
struct ask {
    const bool *active;
    int only;
    bool read_only; /* leave the rows that a step needs for later */
    int most;       /* rows of the pass */
};

/* Texts that have rows for an engine; and those, or with rows at the engine, that do not read a
 * prompt. */
struct demand {
    int texts, writing;
};

static bool takes_part(const struct ask *ask, int i)
{
    return ask->active ? ask->active[i] : i == ask->only;
}

static int rows_to_go(const struct driver *r, const struct ask *ask, const struct duo *d,
                      ead_writer w)
{
    if (!r->engines[w] || d->waiting[w] || d->fault.code != ST_OK) return 0;
    const int goal = duo_goal(d, w), first = w == d->next ? duo_first_needed(d) : d->text.n - 1;
    return (ask->read_only && goal > first ? first : goal) - duo_read(d, w);
}

static struct demand count(const struct driver *r, const struct ask *ask, ead_writer w)
{
    struct demand demand = {0};
    for (int i = 0; i < r->n; i++) {
        const struct duo *d = &r->duos[i];
        if (!takes_part(ask, i)) continue;
        demand.writing += d->waiting[w] > 0;
        const int rows = rows_to_go(r, ask, d, w);
        if (rows <= 0) continue;
        demand.texts++;
        const bool given = d->text.marks[duo_read(d, w)].author == TEXT_GIVEN;
        demand.writing += rows == 1 || (rows <= budget_rows(&r->budget, w) && !given);
    }
    return demand;
}

/* ---- a pass ------------------------------------------------------------------------------ */

/* Does a part stand behind another in the queue? A short catch-up does not wait behind a long
 * prompt, and who was left out goes first. */
static bool is_behind(const struct part *a, const struct part *b)
{
    if (a->duo->left_out != b->duo->left_out) return b->duo->left_out;
    return a->goal - a->from > b->goal - b->from;
}

/* Leave out those whose rows must stay together and have no room beside the others. */
static int admit(struct driver *r, int n, int most)
{
    int kept = 0;
    for (int i = 0; i < n; i++) {
        struct part *s = &r->queue[i];
        s->duo->left_out = s->least > most;
        if (s->duo->left_out) continue;
        most -= s->least;
        r->queue[kept++] = *s;
    }
    return kept;
}

/* Queue the texts that have rows to read. */
static int enqueue(struct driver *r, const struct ask *ask, ead_writer w)
{
    int n = 0;
    for (int i = 0; i < r->n; i++) {
        struct duo *d = &r->duos[i];
        const int rows = takes_part(ask, i) ? rows_to_go(r, ask, d, w) : 0;
        if (rows <= 0) continue;
        const int from = duo_read(d, w);
        const struct part part = {
            .duo = d, .goal = from + rows, .from = from, .least = duo_least(d, w, from + rows)};
        int at = n++;
        for (; at > 0 && is_behind(&r->queue[at - 1], &part); at--) r->queue[at] = r->queue[at - 1];
        r->queue[at] = part;
    }
    return admit(r, n, ask->most);
}

/* Lay the rows of n queued texts side by side: the least for each, so that none is kept waiting,
 * and what room is left goes to the first in the queue, prompts within *budget, and so do rows with
 * logits beyond one of each text. Returns how many. */
static int gather(struct driver *r, ead_writer w, int n, int most, int *budget)
{
    int spare = most, scores = r->max_scores, rows = 0;
    for (int i = 0; i < n; i++) spare -= r->queue[i].least;
    CHECK(n > 0 && spare >= 0);
    for (int i = 0; i < n; i++) {
        struct part *s = &r->queue[i];
        s->n = duo_rows(s->duo, w, s->goal, s->least + spare, budget, &scores, r->rows + rows);
        CHECK(s->n >= s->least);
        duo_await(s->duo, w, r->rows + rows, s->n);
        spare -= s->n - s->least;
        rows += s->n;
    }
    return rows;
}

/* Engines alternate by time: the one goes next that has less behind it, a pass counting its
 * seconds over the texts that wait for it, so that all texts get alike. But neither counts as less
 * than a quarter of the other: a single text on the large model must get on, and must not hold up
 * the others, either; each engine gets from a fifth to four fifths of the time. Who has nothing to
 * do saves nothing up. */
static double weight(const struct demand demand[EAD_WRITERS], ead_writer w)
{
    const double mine = demand[w].texts, other = demand[1 - (int)w].texts;
    return mine > other / 4 ? mine : other / 4;
}

static enum status pass(struct driver *r, const struct ask *ask,
                        const struct demand demand[EAD_WRITERS], ead_writer w, struct err *err)
{
    const int n = enqueue(r, ask, w);
    const bool company = ask->active && demand[EAD_SMALL].writing + demand[EAD_LARGE].writing > 0;
    const int budget = company ? budget_rows(&r->budget, w) : ask->most;
    int left = budget;
    const int rows = gather(r, w, n, ask->most, &left);
    for (int i = 0; i < r->n; i++) duo_forget_drawn(&r->duos[i], w);
    for (int i = 0; i < n; i++) duo_look_ahead(r->queue[i].duo);
    const double start = clock_seconds();
    const enum status st = engine_submit(r->engines[w], r->rows, rows, err);
    const double seconds = clock_seconds() - start;
    if (st != ST_OK) {
        for (int i = 0; i < n; i++) r->queue[i].duo->waiting[w] = 0;
        return st;
    }
    if (company && !r->engines[w]->info.late) budget_learn(&r->budget, w, budget - left, seconds);
    for (int i = 0; i < n; i++) {
        const struct part *s = &r->queue[i];
        CHECK(duo_read(s->duo, w) == s->from + s->n);
        duo_account(s->duo, w, s->from, s->n, s->goal, seconds / rows * s->n);
    }
    return ST_OK;
}

static void charge(struct driver *r, const struct demand demand[EAD_WRITERS], ead_writer w,
                   double seconds)
{
    CHECK(demand[w].texts > 0);
    const int other = 1 - (int)w;
    r->spent[w] += seconds / weight(demand, w);
    if (!demand[other].texts) r->spent[other] = r->spent[w];
}

/* The engine that is next, or -1 when none has anything to do. A text alone is not to wait for what
 * its other model may read in advance. */
static int pick(const struct driver *r, const struct ask *ask,
                const struct demand demand[EAD_WRITERS])
{
    const bool small = demand[EAD_SMALL].texts, large = demand[EAD_LARGE].texts;
    if (!small || !large) return small ? EAD_SMALL : large ? EAD_LARGE : -1;
    if (!ask->active) return (int)r->duos[ask->only].next;
    return r->spent[EAD_SMALL] <= r->spent[EAD_LARGE] ? EAD_SMALL : EAD_LARGE;
}

/* ---- results ----------------------------------------------------------------------------- */

static bool is_late(const struct driver *r, int w)
{
    return r->engines[w] && r->engines[w]->info.late;
}

static void take(struct driver *r, ead_writer w, const struct result *result, double start)
{
    struct duo *d = &r->duos[r->owner[result->seq]];
    const bool expected = duo_take(d, w, result);
    if (is_late(r, (int)w)) start = clock_seconds(); /* the wait is booked with its rows */
    if (!expected)
        d->seconds += clock_seconds() - start;
    else if (result->status == ST_OK)
        duo_write(d, result, clock_seconds() - start);
    else
        duo_fail(d, w, result);
    duo_look_ahead(d);
}

/* Is there a result to come from an engine, for a text of those asked for or (NULL) any? */
static bool awaited(const struct driver *r, const struct ask *ask, ead_writer w)
{
    for (int i = 0; i < r->n; i++)
        if (r->duos[i].waiting[w] && (!ask || takes_part(ask, i))) return true;
    return false;
}

/* Take the results of an engine that are there or, with `wait`, the next one and those; a late
 * engine may take longer than it waits. */
static bool take_all(struct driver *r, ead_writer w, bool wait)
{
    struct result result;
    bool came = false;
    for (double start = clock_seconds(); engine_collect(r->engines[w], wait && !came, &result);
         start = clock_seconds()) {
        take(r, w, &result, start);
        came = true;
    }
    return came;
}

/* Take the results that are there; a late engine from which none is expected may be at other work,
 * such as a connection for later. Where there are none, with `wait`, an engine is waited for from
 * which a text of those asked for expects one; what comes of another meanwhile is taken, too. */
static void collect(struct driver *r, const struct ask *ask, bool wait)
{
    bool came = false;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (is_late(r, w) || awaited(r, NULL, (ead_writer)w))
            came |= take_all(r, (ead_writer)w, false);
    for (int w = 0; w < EAD_WRITERS && wait && !came; w++) {
        if (!awaited(r, ask, (ead_writer)w)) continue;
        came = take_all(r, (ead_writer)w, true);
        const int other = 1 - w;
        if (!came && awaited(r, NULL, (ead_writer)other))
            came = take_all(r, (ead_writer)other, false);
        CHECK(came || r->engines[w]->info.late); /* or the text would wait for ever */
    }
}

/* ---- a step ------------------------------------------------------------------------------ */

static bool any_news(struct driver *r, const struct ask *ask)
{
    for (int i = 0; i < r->n; i++)
        if (takes_part(ask, i) && duo_has_news(&r->duos[i])) return true;
    return false;
}

/* One pass and what comes of it, unless there is something to tell already. A fault that was told
 * is forgotten first. */
static enum status advance(struct driver *r, const struct ask *ask, struct err *err)
{
    for (int i = 0; i < r->n; i++)
        if (takes_part(ask, i)) (void)duo_prepare(&r->duos[i]);
    if (any_news(r, ask)) return ST_OK;
    const struct demand demand[EAD_WRITERS] = {
        [EAD_SMALL] = count(r, ask, EAD_SMALL), [EAD_LARGE] = count(r, ask, EAD_LARGE)};
    const int w = pick(r, ask, demand);
    const double start = clock_seconds();
    const enum status st = w >= 0 ? pass(r, ask, demand, (ead_writer)w, err) : ST_OK;
    if (st == ST_OK) collect(r, ask, w < 0);
    /* One that fails has had its turn, too. */
    if (w >= 0) charge(r, demand, (ead_writer)w, clock_seconds() - start);
    return st;
}

enum status driver_step(struct driver *r, const bool *active, ead_event *events, int *n_events,
                        struct err *err)
{
    const struct ask ask = {.active = active, .most = r->max_rows};
    *n_events = 0;
    TRY(advance(r, &ask, err));
    for (int i = 0; i < r->n; i++) {
        struct duo *d = &r->duos[i];
        ead_event event = {.text = i};
        if (!active[i]) continue;
        if (duo_has_news(d)) {
            duo_tell(d, &event.token);
        } else if (d->fault.code != ST_OK) {
            event.kind = EAD_EVENT_FAULT;
            event.status = (ead_status)d->fault.code;
            event.message = d->fault.message;
        } else {
            continue;
        }
        events[(*n_events)++] = event;
    }
    return ST_OK;
}

/* ---- one text ---------------------------------------------------------------------------- */

/* What a model is to read of a text: positions [begin, goal). */
struct stretch {
    int begin, goal;
};

static struct stretch stretch_of(const struct driver *r, const struct ask *ask, const struct duo *d,
                                 ead_writer w)
{
    const int begin = d->engines[w] ? duo_read(d, w) : 0;
    return (struct stretch){begin, begin + rows_to_go(r, ask, d, w)};
}

/* A long stretch is told of piece by piece. */
static enum status tell_progress(struct duo *d, ead_writer w, const struct stretch *s, int before,
                                 int most, struct err *err)
{
    if (!d->progress || !d->engines[w] || duo_read(d, w) == before) return ST_OK;
    const int done = duo_read(d, w) - s->begin, total = s->goal - s->begin;
    if (total <= most || d->progress(d->progress_context, w, done, total)) return ST_OK;
    return err_set(err, ST_CANCELLED, "stopped while reading the prompt");
}

/* Who watches may be tired of waiting for a late engine. */
static enum status tell_waiting(struct duo *d, struct err *err)
{
    for (int w = 0; w < EAD_WRITERS && d->progress; w++)
        if (d->late[w].n && !d->progress(d->progress_context, (ead_writer)w, 0, 0))
            return err_set(err, ST_CANCELLED, "stopped while waiting for %s",
                           d->engines[w]->info.name);
    return ST_OK;
}

/* Go on with text i until there is news of it or, with read_only, nothing left to read. A policy
 * that takes something back changes what there is to read. */
static enum status alone(struct driver *r, int i, bool read_only, struct err *err)
{
    struct duo *d = &r->duos[i];
    const bool watched = d->progress && r->max_rows > DRIVER_POLL_ROWS;
    const struct ask ask = {
        .only = i, .read_only = read_only, .most = watched ? DRIVER_POLL_ROWS : r->max_rows};
    struct stretch to_read[EAD_WRITERS];
    int length = -1;
    ead_writer next = EAD_SMALL;
    if (duo_has_news(d)) return ST_OK; /* whatever may come after it */
    (void)duo_prepare(d);
    while (d->fault.code == ST_OK) {
        enum status told = ST_OK;
        int before[EAD_WRITERS] = {0}, left = 0;
        for (int w = 0; w < EAD_WRITERS; w++) {
            const struct stretch now = stretch_of(r, &ask, d, (ead_writer)w);
            if (length != d->text.n || next != d->next) to_read[w] = now;
            before[w] = now.begin;
            left += now.goal > now.begin || d->waiting[w] > 0;
        }
        length = d->text.n;
        next = d->next;
        if (read_only && !left) return ST_OK;
        TRY(advance(r, &ask, err));
        for (int w = 0; w < EAD_WRITERS && told == ST_OK; w++)
            told = tell_progress(d, (ead_writer)w, &to_read[w], before[w], ask.most, err);
        if (duo_has_news(d)) return ST_OK; /* what went wrong after it is told after it */
        TRY(told);
        TRY(tell_waiting(d, err));
    }
    return err_set(err, d->fault.code, "%s", d->fault.message);
}

enum status driver_read(struct driver *r, int i, struct err *err)
{
    struct duo *d = &r->duos[i];
    if (!d->text.n) return ST_OK;
    TRY(alone(r, i, true, err));
    d->seconds = 0; /* a token's time begins when its prompt has been read */
    return ST_OK;
}

enum status driver_write(struct driver *r, int i, ead_token *out, struct err *err)
{
    TRY(alone(r, i, false, err));
    duo_tell(&r->duos[i], out);
    return ST_OK;
}
