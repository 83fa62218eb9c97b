/*
 * Until when a connection must have done what it is about: brought its request, or taken what it
 * was given. libmicrohttpd closes those that are silent; one that moves a byte now and then would
 * stay for ever, with all that is held for it.
 *
 * The HTTP thread adds, sets and drops; a thread of its own shuts the sockets that are late, which
 * libmicrohttpd then finds closed.
 */
#ifndef EAD_SERVER_WATCH_H
#define EAD_SERVER_WATCH_H

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct watched;

enum { WATCH_RATE = 256 << 10 }; /* bytes a second that clients are expected to take */

struct watch {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    struct watched *first;
    int n; /* connections */
    int idle_seconds, move_seconds;
    bool runs, stops;
};

/* A connection may be idle for `idle` seconds; what moves has `move` seconds, and more by its size.
 */
MUST_USE enum status watch_open(struct watch *w, int idle, int move, struct err *err);
/* After the last was dropped; also where opening failed. */
void watch_close(struct watch *w);

/* A connection by its socket, idle; NULL without memory. */
struct watched *watch_add(struct watch *w, int fd);
/* Before the socket is closed. */
void watch_drop(struct watched *one);
int watch_count(struct watch *w);

/* Its next request is waited for, head and all. */
void watch_idle(struct watched *one);
/* From now on it brings what has no known size (0), or takes so many bytes. */
void watch_move(struct watched *one, size_t bytes);
/* It waits for us, as long as that takes. */
void watch_rest(struct watched *one);

#endif
