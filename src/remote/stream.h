/*
 * What one text gets from a server: tokens that follow a prefix, in order, each once. A stream asks
 * for them, holds those that came before they were wanted, and mends what breaks: it asks again,
 * from behind the last token that came whole, after a pause that doubles. What cannot be mended is
 * a sentence. What it thinks of tokens of the text comes as one answer, and counts when it is
 * whole.
 */
#ifndef EAD_REMOTE_STREAM_H
#define EAD_REMOTE_STREAM_H

#include "base/arena.h"
#include "remote/wire.h"

/* A token that came. */
struct held {
    int32_t id; /* -1: the server drew none: only its distribution is known */
    float log_prob;
    ead_stats stats;
    int n_top;
    struct also also; /* of a given token: what is told of it beside the most probable ones */
};

enum stream_state {
    STREAM_IDLE,    /* nothing was asked, or all of it has come */
    STREAM_OPEN,    /* a request is under way */
    STREAM_PAUSING, /* it broke, and is to be asked again */
    STREAM_FAILED   /* it cannot be mended: `fault` */
};

struct stream {
    struct wire *wire;
    const int32_t *ids;       /* the text, of which the first `base` were asked with */
    struct held *held;        /* [WIRE_HELD_MAX] tokens behind base */
    struct candidate *tops;   /* [WIRE_HELD_MAX][wire->top] */
    int base, n_held, n_used; /* n_used: those that were looked at */
    bool judging;             /* what it thinks of tokens is asked, not what it writes */
    int given;                /* of those asked, the first were the text's own */
    bool looked_at; /* the most probable ones, not statistics alone; to be set before asking */
    int top;        /* most probable tokens asked for */
    int asked;      /* tokens asked for behind base */
    const ead_sampler_options *sampler; /* how the server draws; NULL: somebody else does, and it
                                         * is asked greedily */
    enum stream_state state;
    enum finish finish; /* of the last request, once it is over */
    struct transfer *transfer;
    char *body;
    char id[WIRE_ID_MAX];
    struct reader reader;
    bool reading;    /* the reader is in use */
    bool waiting;    /* for the first token of a request */
    bool probing;    /* the request asks for one distribution, and its token means nothing */
    int attempts;    /* in a row that brought no token */
    double begun;    /* when the request under way was sent */
    double deadline; /* for the next token, or the end of the pause */
    struct err fault;
};

/* The storage, once measuring and once for real. */
void stream_carve(struct stream *s, struct arena *arena, int top);

/* Ask for `count` tokens behind the first n of ids, in place of what was asked before. `ids` and
 * `sampler` (NULL: the server is asked greedily, and somebody else draws) are borrowed until the
 * stream stops. What fails shows in the state. */
void stream_ask(struct stream *s, const int32_t *ids, int n, int count,
                const ead_sampler_options *sampler);

/* Ask in one request what the server thinks of the `given` tokens of ids behind the first n, and
 * for `count` more behind those; one of the two may be 0. All of it comes at once: tokens behind n,
 * the given ones first, all with the most probable ones in their place. */
void stream_judge(struct stream *s, const int32_t *ids, int n, int given, int count,
                  const ead_sampler_options *sampler);

/* Are the most probable tokens told, or statistics alone? */
bool stream_tells(const struct stream *s);

/* Has all that was asked for come? The end of the answer may be still to come, and with it the
 * connection's next use. */
bool stream_is_whole(const struct stream *s);

/* Let go: what is under way is cancelled, unless its end lies here unread, and what was not used is
 * forgotten. Not from inside a receiver. */
void stream_stop(struct stream *s);

/* Look at the clock: time-outs, and the end of a pause. */
void stream_tick(struct stream *s, double now);

/* Token i behind base, or NULL while (or because) it has not come. */
const struct held *stream_token(struct stream *s, int i);
/* Its most probable tokens. */
const struct candidate *stream_top(const struct stream *s, int i);

#endif
