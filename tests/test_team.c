/*
 * Teams: everything is handed out once, a phase sees all of the phase before it, and nobody waits
 * for a member that does nothing. Under ThreadSanitizer (-fsanitize=thread) this program is what
 * proves the order of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/team.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PHASES = 300, ITEMS = 97, CELLS = 211 };

/* ---- everything once ----------------------------------------------------------------------- */

struct tallies {
    atomic_int taken[PHASES][ITEMS];
    atomic_int bad_block;
};

/* What a run is given: as in the forward pass, a copy that points to what blocks touch. */
struct tally_run {
    struct tallies *t;
    int items; /* of the longest phase */
};

/* Phases of different lengths and blocks; some have no item at all. */
static int phase_items(int phase, int items)
{
    return phase * 31 % (items + 1);
}

static void take_phase(struct team_member *me, const struct tally_run *run, int phase)
{
    const int unit = 1 + phase % 7, most = unit * (1 + phase % 3);
    const int total = phase_items(phase, run->items);
    int begin, end;
    while (team_take(me, total, unit, most, &begin, &end)) {
        const bool whole = (end - begin) % unit == 0 || end == total;
        if (begin % unit || !whole || end - begin > most || end > total || begin >= end)
            atomic_store(&run->t->bad_block, 1);
        for (int i = begin; i < end; i++) atomic_fetch_add(&run->t->taken[phase][i], 1);
    }
}

static void walk_tallies(struct team_member *me, const void *context)
{
    const struct tally_run *run = context;
    for (int phase = 0; phase < PHASES; phase++) {
        take_phase(me, run, phase);
        team_barrier(me);
    }
}

static void check_tallies(struct team *team, struct tallies *t, int members, int items)
{
    const struct tally_run run = {.t = t, .items = items};
    memset(t, 0, sizeof *t);
    team_run(team, members, walk_tallies, &run, sizeof run);
    assert_int_equal(t->bad_block, 0);
    for (int phase = 0; phase < PHASES; phase++)
        for (int i = 0; i < ITEMS; i++)
            if (t->taken[phase][i] != (i < phase_items(phase, items)))
                fail_msg("phase %d, item %d of %d: taken %d times", phase, i, items,
                         t->taken[phase][i]);
}

static void test_everything_is_handed_out_once(void **state)
{
    (void)state;
    struct tallies *t = calloc(1, sizeof *t);
    assert_non_null(t);
    for (int threads = 1; threads <= 8; threads++) {
        struct team team;
        team_init(&team, threads);
        for (int members = 0; members <= threads + 1; members++)
            check_tallies(&team, t, members, ITEMS - members);
        team_deinit(&team);
    }
    free(t);
}

/* ---- phases see each other ----------------------------------------------------------------- */

/* Two rows of cells, each computed from the other in turn: plain memory, so a phase that began too
 * early gives a wrong number, and ThreadSanitizer sees it even where the number is right. */
struct cells {
    uint64_t a[CELLS], b[CELLS];
};

static uint64_t mix(const uint64_t *from, int i)
{
    const uint64_t x = from[i] * 3 + from[(i + 1) % CELLS] + from[(i + CELLS / 2) % CELLS];
    return x ^ x >> 7;
}

static void step(struct team_member *me, const uint64_t *from, uint64_t *to, int unit)
{
    int begin, end;
    while (team_take(me, CELLS, unit, 5 * unit, &begin, &end))
        for (int i = begin; i < end; i++) to[i] = mix(from, i);
    team_barrier(me);
}

static void walk_cells(struct team_member *me, const void *context)
{
    struct cells *const *c = context;
    for (int i = 0; i < 50; i++) {
        step(me, (*c)->a, (*c)->b, 1 + i % 5);
        step(me, (*c)->b, (*c)->a, 1 + i % 3);
    }
}

/* The last phase has no barrier: the end of the run is one. */
static void add_one(struct team_member *me, const void *context)
{
    struct cells *const *c = context;
    int begin, end;
    while (team_take(me, CELLS, 1, 1, &begin, &end)) (*c)->a[begin]++;
}

static uint64_t walk_many(int threads, int runs)
{
    struct cells *c = calloc(1, sizeof *c);
    struct team team;
    assert_non_null(c);
    team_init(&team, threads);
    for (int i = 0; i < runs; i++) {
        /* Now and then alone, while helpers may still be on their way out of the run before. */
        team_run(&team, i % 4 ? threads : 1 + i % threads, walk_cells, &c, sizeof(struct cells *));
        team_run(&team, threads, add_one, &c, sizeof(struct cells *));
        c->b[i % CELLS] += c->a[(i * 7) % CELLS];
    }
    team_deinit(&team);
    const uint64_t last = mix(c->a, 0) ^ mix(c->b, 1);
    free(c);
    return last;
}

static void test_a_phase_sees_the_phase_before(void **state)
{
    (void)state;
    const uint64_t alone = walk_many(1, 40);
    for (int threads = 2; threads <= 8; threads++) assert_true(walk_many(threads, 40) == alone);
}

/* ---- nobody is waited for ------------------------------------------------------------------ */

/* A helper that holds no block, kept away as the system might keep it; the caller must not need
 * it. */
struct absence {
    atomic_int away, released, items;
};

static void walk_beside_an_absent(struct team_member *me, const void *context)
{
    struct absence *const *a = context;
    int begin, end;
    if (me->index == 1) {
        atomic_store(&(*a)->away, 1);
        while (!atomic_load(&(*a)->released)) sched_yield();
    }
    while (me->index == 0 && !atomic_load(&(*a)->away)) sched_yield();
    for (int phase = 0; phase < PHASES; phase++) {
        while (team_take(me, ITEMS, 1, 4, &begin, &end))
            atomic_fetch_add(&(*a)->items, end - begin);
        team_barrier(me);
    }
}

static void test_an_absent_member_is_not_missed(void **state)
{
    (void)state;
    struct absence *a = calloc(1, sizeof *a);
    struct team team;
    assert_non_null(a);
    team_init(&team, 2);
    assert_int_equal(team.helpers, 1);
    team_run(&team, 2, walk_beside_an_absent, &a, sizeof(struct absence *));
    /* The run is over, and so is a later one, while the helper is still in the first. */
    assert_int_equal(atomic_load(&a->items), PHASES * ITEMS);
    assert_int_equal(atomic_load(&a->released), 0);
    struct cells cells = {0}, *c = &cells;
    team_run(&team, 2, add_one, &c, sizeof(struct cells *));
    for (int i = 0; i < CELLS; i++) assert_int_equal(cells.a[i], 1);
    atomic_store(&a->released, 1);
    team_deinit(&team);
    assert_int_equal(atomic_load(&a->items), PHASES * ITEMS);
    free(a);
}

/* A member with a block is waited for, asleep if it takes long. */
static void walk_with_a_slow_block(struct team_member *me, const void *context)
{
    struct absence *const *a = context;
    int begin, end;
    while (me->index == 0 && !atomic_load(&(*a)->away)) sched_yield();
    while (team_take(me, 2, 1, 1, &begin, &end)) {
        if (me->index == 1) {
            atomic_store(&(*a)->away, 1);
            nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
        }
        atomic_fetch_add(&(*a)->items, 1);
    }
    team_barrier(me);
    if (atomic_load(&(*a)->items) == 2) atomic_fetch_add(&(*a)->released, 1);
}

static void test_a_slow_block_is_waited_for(void **state)
{
    (void)state;
    struct absence *a = calloc(1, sizeof *a);
    struct team team;
    assert_non_null(a);
    team_init(&team, 2);
    assert_int_equal(team.helpers, 1);
    team_run(&team, 2, walk_with_a_slow_block, &a, sizeof(struct absence *));
    assert_int_equal(atomic_load(&a->items), 2);
    team_deinit(&team);
    assert_int_equal(atomic_load(&a->released), 2); /* both saw the whole phase */
    free(a);
}

static void test_default_follows_affinity(void **state)
{
    (void)state;
    cpu_set_t all, one;
    assert_in_range(team_default_threads(), 1, TEAM_THREADS_MAX);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
        if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(team_default_threads(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_handed_out_once),
        cmocka_unit_test(test_a_phase_sees_the_phase_before),
        cmocka_unit_test(test_an_absent_member_is_not_missed),
        cmocka_unit_test(test_a_slow_block_is_waited_for),
        cmocka_unit_test(test_default_follows_affinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
