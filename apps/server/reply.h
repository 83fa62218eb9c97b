/*
 * What goes back to a client: the place where those who work on an answer and the HTTP thread that
 * sends it meet. An answer is whole, or a stream of events that is sent while it is written.
 *
 * libmicrohttpd's connection is suspended while there is nothing to send, and woken by whoever adds
 * something. It says nothing of a client that leaves meanwhile: reply_poll asks the sockets.
 *
 * A reply is counted by its holders (the connection, the work); the last one frees it. All
 * functions may be called by any thread.
 */
#ifndef EAD_SERVER_REPLY_H
#define EAD_SERVER_REPLY_H

#include "base/buf.h"
#include "server/refusal.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* A stream that the client does not take: from REPLY_HIGH bytes on its text stands still, until
 * half are gone. */
enum { REPLY_HIGH = 256 << 10, REPLY_MAX = 256 << 20 };

/* So many seconds it may stand still at a stretch, and in all, before its client is given up. */
enum { REPLY_STALL_SECONDS = 60, REPLY_STALLS_SECONDS = 600 };

struct reply {
    pthread_mutex_t lock;
    struct MHD_Connection *connection; /* NULL once it was closed */
    int fd;                            /* its socket */
    bool suspended;
    bool gone;     /* nobody waits for this any longer */
    bool finished; /* nothing will be added */
    bool broken;   /* the stream ends in the middle */
    bool stream;
    bool full;         /* the client does not keep up; */
    double full_since; /* by clock_seconds */
    double stalled;    /* seconds that it did not before */
    int status;        /* of HTTP; 0: not known yet, nothing can be sent */
    int retry_after;   /* seconds; 0: no such header */
    const char *type;  /* the content's; static */
    struct buf out;    /* what is to be sent; */
    size_t taken;      /* so many bytes of it were */
};

void reply_init(struct reply *r, struct MHD_Connection *connection);
void reply_deinit(struct reply *r);

/* ---- by those who work ------------------------------------------------------------------- */

/* A whole answer: `text` of n bytes. */
void reply_whole(struct reply *r, int status, const char *type, const char *text, size_t n);
/* The same of a JSON value, which is released; NULL is an answer without memory. */
void reply_json(struct reply *r, int status, json_t *value);
void reply_refuse(struct reply *r, const struct refusal *why);
/* Begin a stream of events; then add some, and finish. An event is `data: TEXT`. Adding returns
 * false when there is no memory or nobody who waits. */
void reply_begin(struct reply *r);
bool reply_event(struct reply *r, const char *text, size_t n);
bool reply_event_json(struct reply *r, json_t *value); /* releases it */
void reply_finish(struct reply *r);
/* An error, in whatever form the reply has by now: it may have begun as a stream. */
void reply_fail(struct reply *r, const struct refusal *why);

/* Has the client left? */
bool reply_gone(struct reply *r);
/* Should the text stand still? Has it done so for too long? */
bool reply_is_full(struct reply *r);
bool reply_is_stuck(struct reply *r);
/* Give up: nobody is to get the rest. */
void reply_abandon(struct reply *r);
/* Ask the sockets of n replies who has left; those are abandoned. */
void reply_poll(struct reply *const *replies, size_t n);

/* ---- by the HTTP thread ------------------------------------------------------------------ */

/* Can the answer's head be sent? If not, the connection is suspended until it can. False, too, when
 * the client is known to have left: then *gone is set, and the connection is to be closed. */
bool reply_ready(struct reply *r, bool *gone);
/* Bytes for a stream, at most `room`; as MHD_ContentReaderCallback returns them. */
ssize_t reply_read(struct reply *r, char *to, size_t room);
/* The connection is closed. */
void reply_close(struct reply *r);

#endif
