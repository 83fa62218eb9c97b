#include "base/team.h"

#include <omp.h>

/* Looks at the barrier before sleeping: some 30 microseconds, several times what threads of an idle
 * machine are apart, and less than the sleep and wake-up would cost. */
enum { SPINS = 3000 };

void team_init(struct team *team, int threads)
{
    team->threads = threads;
    atomic_init(&team->next, 0);
    atomic_init(&team->arrived, 0);
    atomic_init(&team->generation, 0);
    atomic_init(&team->sleepers, 0);
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->wake, NULL);
}

void team_deinit(struct team *team)
{
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->wake);
}

void team_run(struct team *team, void (*body)(struct team_member *, void *), void *context)
{
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    if (team->threads <= 1) {
        body(&(struct team_member){.team = team, .threads = 1}, context);
        return;
    }
#pragma omp parallel num_threads(team->threads)
    {
        struct team_member me = {
            .team = team, .index = omp_get_thread_num(), .threads = omp_get_num_threads()};
        body(&me, context);
    }
}

int team_take(struct team_member *me, int total, int block, int *begin, int *end)
{
    int at = atomic_fetch_add_explicit(&me->team->next, block, memory_order_relaxed);
    if (at >= total) return 0;
    *begin = at;
    *end = at + block < total ? at + block : total;
    return 1;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* The last thread to arrive. Whoever goes to sleep counts itself before it looks at the generation
 * a last time, and we look at the count after the generation: one of the two sees the other. */
static void release(struct team *team)
{
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_fetch_add(&team->generation, 1);
    if (!atomic_load(&team->sleepers)) return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
}

static void wait_for(struct team *team, unsigned generation)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&team->generation, memory_order_acquire) != generation) return;
        relax();
    }
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(&team->generation) == generation)
        pthread_cond_wait(&team->wake, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
}

void team_barrier(struct team_member *me)
{
    struct team *team = me->team;
    const unsigned generation = atomic_load_explicit(&team->generation, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == me->threads)
        release(team);
    else
        wait_for(team, generation);
}

int team_default_threads(void)
{
    int n = omp_get_num_procs();
    return n < 1 ? 1 : n > TEAM_THREADS_MAX ? TEAM_THREADS_MAX : n;
}
