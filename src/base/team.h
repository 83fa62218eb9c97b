/*
 * A team of threads that walks one function together, phase by phase. A phase hands its items out
 * in blocks, ranges of items, and it is over when every block is computed, whoever did it. So
 * nobody waits for a thread that the system has descheduled: one that holds no block is not missed,
 * and when it wakes it passes the phases that are over and joins the one under way. What remains is
 * a thread descheduled in the middle of a block; the others look for it for some microseconds, then
 * sleep, which gives their processor to it or to another process. (Computing its block again would
 * not do: it may wake late and write over what a later phase has put there.) Which thread computes
 * a block never changes its numbers.
 *
 * A late thread may be in the walk while the others are in a later phase, or in a later run. So the
 * walk reads what a phase or the caller changes only while it holds a block, all members ask for
 * the same totals in the same order, and the context is a copy that each member has of its own.
 * What it points to must outlive the team, but for what is read with a block in hand.
 */
#ifndef EAD_BASE_TEAM_H
#define EAD_BASE_TEAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEAM_THREADS_MAX = 256, TEAM_CONTEXT_MAX = 128 };

struct team_member;
typedef void team_body(struct team_member *me, const void *context);

/* What a helper needs to join a run. */
struct team_job {
    team_body *body;
    int members;
    uint32_t phase; /* the run's first */
    _Alignas(max_align_t) unsigned char context[TEAM_CONTEXT_MAX];
};

struct team {
    int threads; /* asked for, 1 to TEAM_THREADS_MAX */
    /* The phase in the upper half of both, so that a late thread cannot touch a later phase; it
     * never goes back, and a run begins where the one before it ended. */
    atomic_ullong taken; /* below: the first item that nobody has taken */
    atomic_ullong done;  /* below: items computed; of an older phase: none yet */
    atomic_int sleepers; /* who wait for the phase to end */
    atomic_uint runs;    /* begun; changes under the lock */

    pthread_mutex_t lock;    /* of what follows, and of sleep */
    pthread_cond_t progress; /* a phase has ended */
    pthread_cond_t work;     /* a run has begun, or the team ends */
    struct team_job job;     /* of the run that began last */
    int joined;              /* its members so far */
    bool closing;
    int helpers; /* threads beside the caller, which may be fewer than asked for */
    pthread_t helper[TEAM_THREADS_MAX - 1];
};

/* A thread's place in the team during a run; on its stack. */
struct team_member {
    struct team *team;
    int index, threads; /* of the run; no two that hold blocks have the same index */
    uint32_t phase;     /* where this member is */
    int total;          /* items of this phase */
    int held;           /* items of the block in hand */
    int next;           /* without helpers: what `taken` is to a team */
};

/* Starts the helpers, which sleep until they are needed. Where the system refuses them the team is
 * smaller, and slower. */
void team_init(struct team *team, int threads);
/* Waits for the helpers to end. */
void team_deinit(struct team *team);

/* Run `body` on the caller and as many helpers as come in time, up to `members` in all (and as many
 * as the team has); returns when all that the body handed out is computed. The context is `bytes`
 * long, at most TEAM_CONTEXT_MAX. */
void team_run(struct team *team, int members, team_body *body, const void *context, size_t bytes);

/*
 * Take the next block out of `total` items of this phase: false when none is left. Blocks are
 * multiples of `unit` (but for the last), as long as a fair share of what is left, and at most
 * `most`: so they are short at the end, where a slow one would keep the others waiting.
 */
bool team_take(struct team_member *me, int total, int unit, int most, int *begin, int *end);

/* End the phase: what it computed may be read. */
void team_barrier(struct team_member *me);

/* Threads that this process may use: processors it is allowed to run on, within the quota of its
 * control group. */
int team_default_threads(void);

#endif
