#include "server/watch.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <sys/socket.h>

struct watched {
    struct watch *watch;
    struct watched *next, **at; /* what points here */
    int fd;
    double until; /* by clock_seconds */
};

enum { LOOK_MS = 500 };

/* Under the lock, which keeps the sockets open meanwhile. */
static void shut_late(const struct watch *w)
{
    const double now = clock_seconds();
    for (struct watched *one = w->first; one; one = one->next) {
        if (now < one->until) continue;
        shutdown(one->fd, SHUT_RDWR);
        one->until = INFINITY;
    }
}

static void *run_watch(void *context)
{
    struct watch *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->stops) {
        struct timespec next;
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += LOOK_MS * 1000000l;
        next.tv_sec += next.tv_nsec / 1000000000l;
        next.tv_nsec %= 1000000000l;
        pthread_cond_timedwait(&w->wake, &w->lock, &next);
        shut_late(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

enum status watch_open(struct watch *w, int idle, int move, struct err *err)
{
    pthread_condattr_t steady;
    *w = (struct watch){.idle_seconds = idle, .move_seconds = move};
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, &steady);
    pthread_condattr_destroy(&steady);
    w->runs = !pthread_create(&w->thread, NULL, run_watch, w);
    return w->runs ? ST_OK : err_memory(err, "the server's threads");
}

void watch_close(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->stops = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    if (w->runs) pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
}

/* ---- connections ------------------------------------------------------------------------- */

static void set(struct watched *one, double seconds)
{
    pthread_mutex_lock(&one->watch->lock);
    one->until = clock_seconds() + seconds;
    pthread_mutex_unlock(&one->watch->lock);
}

void watch_idle(struct watched *one)
{
    set(one, (double)one->watch->idle_seconds + one->watch->move_seconds);
}

void watch_move(struct watched *one, size_t bytes)
{
    set(one, one->watch->move_seconds + (double)bytes / WATCH_RATE);
}

void watch_rest(struct watched *one)
{
    set(one, INFINITY);
}

struct watched *watch_add(struct watch *w, int fd)
{
    struct watched *one = malloc(sizeof *one);
    if (!one) return NULL;
    pthread_mutex_lock(&w->lock);
    *one = (struct watched){
        .watch = w, .next = w->first, .at = &w->first, .fd = fd, .until = INFINITY};
    if (one->next) one->next->at = &one->next;
    w->first = one;
    w->n++;
    pthread_mutex_unlock(&w->lock);
    watch_idle(one);
    return one;
}

void watch_drop(struct watched *one)
{
    struct watch *w = one->watch;
    pthread_mutex_lock(&w->lock);
    *one->at = one->next;
    if (one->next) one->next->at = one->at;
    w->n--;
    pthread_mutex_unlock(&w->lock);
    free(one);
}

int watch_count(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    const int n = w->n;
    pthread_mutex_unlock(&w->lock);
    return n;
}
