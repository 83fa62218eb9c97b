#include "server/reply.h"

#include "base/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

void reply_init(struct reply *r, struct MHD_Connection *connection)
{
    *r = (struct reply){.connection = connection, .fd = -1, .out.max = REPLY_MAX};
    pthread_mutex_init(&r->lock, NULL);
    if (!connection) return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info) r->fd = info->connect_fd;
}

void reply_deinit(struct reply *r)
{
    buf_deinit(&r->out);
    pthread_mutex_destroy(&r->lock);
}

/* Under the lock: the connection has something to do. */
static void wake(struct reply *r)
{
    if (!r->suspended || !r->connection) return;
    r->suspended = false;
    MHD_resume_connection(r->connection);
}

/* ---- by those who work ------------------------------------------------------------------- */

static bool add(struct reply *r, const char *text, size_t n)
{
    if (r->gone) return false;
    if (r->taken && (r->taken == r->out.len || r->taken >= REPLY_HIGH)) {
        buf_consume(&r->out, r->taken);
        r->taken = 0;
    }
    if (buf_add(&r->out, text, n) == ST_OK) return true;
    r->broken = true;
    return false;
}

/* Is more waiting than a client that keeps up would leave? */
static void measure(struct reply *r)
{
    const size_t waiting = r->out.len - r->taken;
    if (r->full ? waiting > REPLY_HIGH / 2 : waiting < REPLY_HIGH) return;
    const double now = clock_seconds();
    if (r->full) r->stalled += now - r->full_since;
    r->full = !r->full;
    r->full_since = now;
}

static const char no_memory[] = "{\"error\":{\"message\":\"no memory for this answer\","
                                "\"type\":\"server_error\",\"param\":null,\"code\":\"no_memory\"}}";

void reply_whole(struct reply *r, int status, const char *type, const char *text, size_t n)
{
    pthread_mutex_lock(&r->lock);
    r->status = status;
    r->type = type;
    if (!add(r, text, n) && !r->gone) {
        buf_clear(&r->out);
        r->status = 503;
        r->type = "application/json";
        r->broken = !add(r, no_memory, sizeof no_memory - 1);
    }
    r->finished = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

void reply_json(struct reply *r, int status, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(value);
    if (text)
        reply_whole(r, status, "application/json", text, strlen(text));
    else
        reply_whole(r, 503, "application/json", no_memory, sizeof no_memory - 1);
    free(text);
}

void reply_refuse(struct reply *r, const struct refusal *why)
{
    reply_json(r, why->status, refusal_json(why));
}

void reply_begin(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    r->status = 200;
    r->type = "text/event-stream";
    r->stream = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

bool reply_event(struct reply *r, const char *text, size_t n)
{
    pthread_mutex_lock(&r->lock);
    const bool added = add(r, "data: ", 6) && add(r, text, n) && add(r, "\n\n", 2);
    measure(r);
    wake(r);
    pthread_mutex_unlock(&r->lock);
    return added;
}

bool reply_event_json(struct reply *r, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    const bool added = text && reply_event(r, text, strlen(text));
    json_decref(value);
    free(text);
    return added;
}

void reply_finish(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    r->finished = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

void reply_fail(struct reply *r, const struct refusal *why)
{
    pthread_mutex_lock(&r->lock);
    const bool stream = r->stream;
    pthread_mutex_unlock(&r->lock);
    if (!stream) {
        reply_refuse(r, why);
        return;
    }
    if (!reply_event_json(r, refusal_json(why))) reply_event(r, no_memory, sizeof no_memory - 1);
    reply_finish(r);
}

bool reply_gone(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    const bool gone = r->gone;
    pthread_mutex_unlock(&r->lock);
    return gone;
}

bool reply_is_full(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    const bool full = r->full;
    pthread_mutex_unlock(&r->lock);
    return full;
}

bool reply_is_stuck(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    const double seconds = r->full ? clock_seconds() - r->full_since : 0;
    const bool stuck = seconds > REPLY_STALL_SECONDS || r->stalled + seconds > REPLY_STALLS_SECONDS;
    pthread_mutex_unlock(&r->lock);
    return stuck;
}

void reply_abandon(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    r->gone = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
}

void reply_poll(struct reply *const *replies, size_t n)
{
    enum { AT_ONCE = 64 };
    for (size_t at = 0; at < n; at += AT_ONCE) {
        struct pollfd fds[AT_ONCE];
        const size_t some = n - at < AT_ONCE ? n - at : AT_ONCE;
        for (size_t i = 0; i < some; i++) {
            struct reply *r = replies[at + i];
            pthread_mutex_lock(&r->lock);
            fds[i] = (struct pollfd){.fd = r->connection ? r->fd : -1, .events = POLLRDHUP};
            pthread_mutex_unlock(&r->lock);
        }
        if (poll(fds, (nfds_t)some, 0) <= 0) continue;
        for (size_t i = 0; i < some; i++)
            if (fds[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL))
                reply_abandon(replies[at + i]);
    }
}

/* ---- by the HTTP thread ------------------------------------------------------------------ */

/* Under the lock. */
static void sleep_now(struct reply *r)
{
    MHD_suspend_connection(r->connection);
    r->suspended = true;
}

bool reply_ready(struct reply *r, bool *gone)
{
    pthread_mutex_lock(&r->lock);
    *gone = r->gone;
    const bool ready = !r->gone && r->status && (r->stream || r->finished);
    if (!ready && !r->gone) sleep_now(r);
    pthread_mutex_unlock(&r->lock);
    return ready;
}

ssize_t reply_read(struct reply *r, char *to, size_t room)
{
    pthread_mutex_lock(&r->lock);
    ssize_t n = 0;
    const size_t waiting = r->out.len - r->taken;
    if (r->gone || r->broken) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (waiting) {
        n = (ssize_t)(waiting < room ? waiting : room);
        memcpy(to, r->out.data + r->taken, (size_t)n);
        r->taken += (size_t)n;
        measure(r);
    } else if (r->finished) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        sleep_now(r);
    }
    pthread_mutex_unlock(&r->lock);
    return n;
}

void reply_close(struct reply *r)
{
    pthread_mutex_lock(&r->lock);
    r->connection = NULL;
    r->gone = true;
    pthread_mutex_unlock(&r->lock);
}
