/*
 * A team of threads that walks one function together, phase by phase. Inside a phase the work is
 * handed out in blocks from a shared counter, so that a thread which the machine slows down takes
 * fewer blocks; a barrier ends the phase. Which thread computes a block never changes its numbers.
 *
 * OpenMP owns the threads. The barrier is our own: it spins for as long as threads of an idle
 * machine are apart, then sleeps. (A barrier that spins on, as OpenMP's does, makes a step a
 * hundred times slower once another process takes a processor, for the late thread waits behind the
 * spinning one.)
 */
#ifndef EAD_BASE_TEAM_H
#define EAD_BASE_TEAM_H

#include <pthread.h>
#include <stdatomic.h>

enum { TEAM_THREADS_MAX = 256 };

struct team {
    int threads;            /* asked for, 1 to TEAM_THREADS_MAX */
    atomic_int next;        /* first item of this phase that nobody has taken */
    atomic_int arrived;     /* threads at the barrier */
    atomic_uint generation; /* barriers passed */
    atomic_int sleepers;
    pthread_mutex_t lock; /* of the sleepers */
    pthread_cond_t wake;
};

/* A thread's place in the team; lives on its stack during team_run. */
struct team_member {
    struct team *team;
    int index, threads; /* threads: how many really run, which may be fewer than asked for */
};

void team_init(struct team *team, int threads);
void team_deinit(struct team *team);

/* Run `body` on all threads of the team; returns when every one has returned. */
void team_run(struct team *team, void (*body)(struct team_member *, void *), void *context);

/* Take the next block of `block` items out of `total` in this phase: false when none is left. */
int team_take(struct team_member *me, int total, int block, int *begin, int *end);

/* End the phase: wait for all, and the counter starts anew. */
void team_barrier(struct team_member *me);

/* Threads this process may use: the processors it is allowed to run on. */
int team_default_threads(void);

#endif
