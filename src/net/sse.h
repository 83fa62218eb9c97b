/*
 * Server-sent events, as a stream of bytes that comes in pieces cut anywhere. An event is what its
 * data lines say; comments and the fields event, id and retry are passed over, and so is an event
 * without data. CR, LF and CRLF end a line, and a mark of byte order before the first one is no
 * part of it (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
#ifndef EAD_NET_SSE_H
#define EAD_NET_SSE_H

#include "base/buf.h"

#include <stdbool.h>

enum { SSE_MAX_DEFAULT = 1 << 20 };

struct sse {
    size_t max;       /* bytes of a line, and of an event, at most; 0 means SSE_MAX_DEFAULT */
    struct buf line;  /* what came of the current line */
    struct buf event; /* data of the event that is under way, each line ended by a newline */
    bool begun;       /* the first line is over: no mark of byte order follows */
    bool after_cr;    /* an LF now belongs to the line before */
    bool handed;      /* `event` was handed out, and is to be forgotten */
    bool failed;      /* a line was too long, or there was no memory: nothing more is read */
};

/* What an event says, until the next call; `data` is NULL where there is no event, and is otherwise
 * followed by a NUL byte that is not counted. */
struct sse_event {
    const char *data;
    size_t n;
};

/* Read on in *bytes, *n of them, up to the end of the next event, and move both behind what was
 * read: call it until an answer holds no event, then with the next piece. ST_FORMAT for a line or
 * an event above the ceiling, and again in every later call. */
MUST_USE enum status sse_next(struct sse *s, const char **bytes, size_t *n, struct sse_event *out,
                              struct err *err);

/* "[DONE]": by the custom of OpenAI's servers the last one. */
bool sse_is_done(const struct sse_event *event);

/* Does the stream, as far as it came, break off inside an event? Where it ends there, what came of
 * that event counts for nothing. */
bool sse_is_cut(const struct sse *s);

void sse_deinit(struct sse *s);

#endif
