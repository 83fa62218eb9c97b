#include "base/team.h"

#include "base/check.h"

#include "base/quota.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

/* Looks before sleeping, some tens of microseconds: more than threads of an idle machine are apart,
 * and about what sleeping and waking cost. */
enum { SPINS = 3000 };

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static uint32_t phase_of(unsigned long long word)
{
    return (uint32_t)(word >> 32);
}

static int items_of(unsigned long long word)
{
    return (int)(uint32_t)word;
}

static unsigned long long word_of(uint32_t phase, int items)
{
    return (unsigned long long)phase << 32 | (uint32_t)items;
}

/* ---- phases ------------------------------------------------------------------------------ */

/* The block in hand is computed. Until it is counted the phase cannot end, so it is this one. */
static void finish(struct team_member *me)
{
    if (!me->held) return;
    unsigned long long seen = atomic_load_explicit(&me->team->done, memory_order_relaxed), count;
    do {
        const int before = phase_of(seen) == me->phase ? items_of(seen) : 0;
        count = word_of(me->phase, before + me->held);
    } while (!atomic_compare_exchange_weak_explicit(&me->team->done, &seen, count,
                                                    memory_order_acq_rel, memory_order_relaxed));
    me->held = 0;
}

/* A fair share of what is left, in units. */
static int share(const struct team_member *me, int left, int unit, int most)
{
    int n = me->threads == 1 ? left : left / (2 * me->threads) / unit * unit;
    n = n < unit ? unit : n > most ? most : n;
    return n < left ? n : left;
}

static bool take_alone(struct team_member *me, int total, int unit, int most, int *begin, int *end)
{
    if (me->next >= total) return false;
    *begin = me->next;
    *end = me->next += share(me, total - me->next, unit, most);
    return true;
}

bool team_take(struct team_member *me, int total, int unit, int most, int *begin, int *end)
{
    if (me->threads == 1) return take_alone(me, total, unit, most, begin, end);
    finish(me);
    me->total = total;
    unsigned long long seen = atomic_load_explicit(&me->team->taken, memory_order_acquire);
    int at, n;
    do {
        at = items_of(seen);
        if (phase_of(seen) != me->phase || at >= total) return false;
        n = share(me, total - at, unit, most);
    } while (!atomic_compare_exchange_weak_explicit(&me->team->taken, &seen, seen + (unsigned)n,
                                                    memory_order_acq_rel, memory_order_acquire));
    me->held = n;
    *begin = at;
    *end = at + n;
    return true;
}

/* Is the phase over? If all its items are computed and nobody has said so, we do. Whoever goes to
 * sleep counts itself before it looks at the phase a last time, and we look at the count after the
 * phase: one of the two sees the other. */
static bool is_over(const struct team_member *me)
{
    struct team *team = me->team;
    unsigned long long seen = atomic_load(&team->taken);
    if (phase_of(seen) != me->phase) return true;
    if (me->total &&
        atomic_load_explicit(&team->done, memory_order_acquire) != word_of(me->phase, me->total))
        return false;
    if (atomic_compare_exchange_strong(&team->taken, &seen, word_of(me->phase + 1, 0)) &&
        atomic_load(&team->sleepers)) {
        pthread_mutex_lock(&team->lock);
        pthread_cond_broadcast(&team->progress);
        pthread_mutex_unlock(&team->lock);
    }
    return true;
}

/* Somebody else's block is not computed yet. */
static void wait_for_phase(const struct team_member *me)
{
    struct team *team = me->team;
    for (int i = 0; i < SPINS; i++) {
        if (is_over(me)) return;
        relax();
    }
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while (phase_of(atomic_load(&team->taken)) == me->phase)
        pthread_cond_wait(&team->progress, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
}

void team_barrier(struct team_member *me)
{
    if (me->threads > 1) {
        finish(me);
        if (!is_over(me)) wait_for_phase(me);
    }
    me->phase++;
    me->total = me->next = 0;
}

/* ---- runs -------------------------------------------------------------------------------- */

/* The end of the body is the end of a phase. */
static void walk(struct team *team, const struct team_job *job, int index, const void *context)
{
    struct team_member me = {
        .team = team, .index = index, .threads = job->members, .phase = job->phase};
    job->body(&me, context);
    team_barrier(&me);
}

/* Wait for a run after `last`. */
static void wait_for_run(struct team *team, unsigned last)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&team->runs, memory_order_relaxed) != last) return;
        relax();
    }
    pthread_mutex_lock(&team->lock);
    while (atomic_load_explicit(&team->runs, memory_order_relaxed) == last && !team->closing)
        pthread_cond_wait(&team->work, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

/* Copy the job: our index in it, or 0 when it has all members it wants, or -1 at the team's end. */
static int join(struct team *team, struct team_job *job, unsigned *last)
{
    int index = 0;
    pthread_mutex_lock(&team->lock);
    if (team->closing) {
        index = -1;
    } else if (team->joined < team->job.members) {
        index = team->joined++;
        *job = team->job;
    }
    *last = atomic_load_explicit(&team->runs, memory_order_relaxed);
    pthread_mutex_unlock(&team->lock);
    return index;
}

static void *help(void *context)
{
    struct team *team = context;
    struct team_job job;
    unsigned last = 0;
    for (int index = 0; index >= 0; index = join(team, &job, &last)) {
        if (index > 0) walk(team, &job, index, job.context);
        wait_for_run(team, last);
    }
    return NULL;
}

static void publish(struct team *team, const struct team_job *job, const void *context,
                    size_t bytes)
{
    pthread_mutex_lock(&team->lock);
    team->job = *job;
    memcpy(team->job.context, context, bytes);
    team->joined = 1;
    atomic_fetch_add_explicit(&team->runs, 1, memory_order_relaxed);
    if (job->members > team->helpers)
        pthread_cond_broadcast(&team->work);
    else
        for (int i = 1; i < job->members; i++) pthread_cond_signal(&team->work);
    pthread_mutex_unlock(&team->lock);
}

void team_run(struct team *team, int members, team_body *body, const void *context, size_t bytes)
{
    const int most = 1 + team->helpers;
    const struct team_job job = {
        .body = body,
        .members = members < 1      ? 1
                   : members < most ? members
                                    : most,
        .phase = phase_of(atomic_load_explicit(&team->taken, memory_order_relaxed)),
    };
    CHECK(bytes <= TEAM_CONTEXT_MAX);
    if (job.members > 1) publish(team, &job, context, bytes);
    walk(team, &job, 0, context);
}

/* ---- the team ---------------------------------------------------------------------------- */

/* Signals are the business of the process's own threads. */
static void start_helpers(struct team *team)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (team->helpers < team->threads - 1 &&
           !pthread_create(&team->helper[team->helpers], NULL, help, team))
        team->helpers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void team_init(struct team *team, int threads)
{
    CHECK(threads >= 1 && threads <= TEAM_THREADS_MAX);
    *team = (struct team){.threads = threads};
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->progress, NULL);
    pthread_cond_init(&team->work, NULL);
    start_helpers(team);
}

void team_deinit(struct team *team)
{
    pthread_mutex_lock(&team->lock);
    team->closing = true;
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->lock);
    for (int i = 0; i < team->helpers; i++) pthread_join(team->helper[i], NULL);
    pthread_cond_destroy(&team->work);
    pthread_cond_destroy(&team->progress);
    pthread_mutex_destroy(&team->lock);
}

int team_default_threads(void)
{
    cpu_set_t set;
    const int allowed = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    const int quota = quota_processors("");
    const int n = quota && quota < allowed ? quota : allowed;
    return n < 1 ? 1 : n > TEAM_THREADS_MAX ? TEAM_THREADS_MAX : n;
}
