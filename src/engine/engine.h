/*
 * The seam between decoding and computing: "evaluate these rows, give me distributions". An engine
 * is one model that holds prefixes of a fixed number of sequences. Everything above speaks in rows,
 * lengths and distributions; what is behind may be a model in this process (engine/local.h) or one
 * that answers over a wire. A new kind is one file that fills a table of operations.
 *
 * Rows are submitted and results are collected, one for every row that wants logits, in any order,
 * but those of a sequence by position.
 * An engine that computes at once has all of them ready when submit returns; another may take its
 * time, while other engines work. Until its results have come, a sequence takes no more rows.
 *
 * An engine that can go on writing by itself (a server that streams) has its place here, too: what
 * it wrote ahead it keeps, and where the next row submitted is the token it wrote itself, the
 * result is there already. How far that makes sense it is told before (struct outlook); a truncate
 * and an outlook of nothing are the signs to stop and to forget what was ahead.
 *
 * A fault that concerns one sequence is that result's, and leaves the others alone. What submit
 * returns concerns all rows of the call, and none of them was taken.
 *
 * An engine is used by one thread at a time. Nothing is allocated between opening and closing by
 * one that computes here.
 */
#ifndef EAD_ENGINE_ENGINE_H
#define EAD_ENGINE_ENGINE_H

#include "base/status.h"
#include "engine/distribution.h"
#include "model/row.h"
#include "text/vocab.h"

#include <stddef.h>

struct engine;

/* What a text is going to want of an engine. */
struct outlook {
    int sure; /* tokens that it will take from this engine for certain, the next one included; 0:
               * none for now */
    /* How they will be drawn, borrowed until the next outlook; NULL: in a way that only the caller
     * knows. */
    const ead_sampler_options *sampler;
    bool tops; /* the most probable tokens are looked at, not statistics and the token alone */
    /* The token behind the last row, where that is judged and ends the text: it will not be given
     * as a row. Borrowed for the call; NULL: there is none. */
    const int32_t *end;
};

/* What follows the row at `pos` of `seq`. */
struct result {
    int seq, pos;
    int32_t drawn;  /* the token that the engine drew itself, as the outlook's sampler says; -1: it
                     * drew none, and at temperature 0 nobody needs it */
    float log_prob; /* ln p of that token, where the distribution does not know it; NaN: unknown */
    enum status status;       /* of this sequence alone; */
    const char *message;      /* why, when it is not ST_OK; valid as long as dist */
    struct distribution dist; /* borrows from the engine, until its next submit */
};

struct engine_ops {
    void (*close)(struct engine *e);
    enum status (*submit)(struct engine *e, const struct row *rows, int n, struct err *err);
    bool (*collect)(struct engine *e, bool wait, struct result *out);
    int (*length)(const struct engine *e, int seq);
    void (*truncate)(struct engine *e, int seq, int length);
    void (*copy)(struct engine *e, int from, int to, int length);
    enum status (*reserve)(struct engine *e, int seq, int length, struct err *err);
    size_t (*memory)(const struct engine *e);
    void (*expect)(struct engine *e, int seq, const struct outlook *outlook); /* may be NULL */
};

/* What every engine says of itself; it does not change. */
struct engine_info {
    const char *name;          /* a path or address, for messages */
    const struct vocab *vocab; /* borrowed */
    int n_vocab;               /* tokens that can follow, without padding */
    uint64_t n_active;         /* parameters that a token passes; 0 when not known */
    int n_ctx, n_seq;          /* positions of a sequence; sequences */
    int max_rows, max_logits;  /* rows of one submit; those of them that may want logits */
    bool late;                 /* results come some time after a submit, which takes none itself */
    bool judges;               /* any rows may want logits, not only the last of a sequence; */
    const char *mute;          /* and if not, why a server is not asked: a sentence; or NULL */
    int n_told;                /* tokens of a distribution that it tells; 0: all of them */
};

struct engine {
    const struct engine_ops *ops;
    struct engine_info info;
};

static inline void engine_close(struct engine *e)
{
    if (e) e->ops->close(e);
}

/*
 * Take n rows, 1 <= n <= max_rows. Rows of a sequence stand in order of position and start where it
 * ends. ST_ARG names the row at fault, ST_FULL says that the context has no room, ST_MEMORY that
 * the cache has none; in each case no row was taken.
 */
MUST_USE static inline enum status engine_submit(struct engine *e, const struct row *rows, int n,
                                                 struct err *err)
{
    return e->ops->submit(e, rows, n, err);
}

/* The next result, if there is one. With `wait` an engine that works on some waits for it; a late
 * one not for long, so that there may still be none. */
static inline bool engine_collect(struct engine *e, bool wait, struct result *out)
{
    return e->ops->collect(e, wait, out);
}

/* Positions that a sequence holds or has submitted. */
static inline int engine_length(const struct engine *e, int seq)
{
    return e->ops->length(e, seq);
}

/* Forget positions from `length` on, and results that are still to come for them. */
static inline void engine_truncate(struct engine *e, int seq, int length)
{
    e->ops->truncate(e, seq, length);
}

/* Sequence `to` becomes the first `length` positions of `from`, which holds as many; or fewer,
 * where memory is short. Cheap: what both hold is shared. What was promised to `to` is given back.
 */
static inline void engine_copy(struct engine *e, int from, int to, int length)
{
    e->ops->copy(e, from, to, length);
}

/* Keep room for a sequence to grow to `length` positions, whatever others do, in place of what it
 * was promised before; 0: none. ST_MEMORY when there is not enough, and the old promise stands. It
 * may shrink when the sequence is cut back into what it shares with others. */
MUST_USE static inline enum status engine_reserve(struct engine *e, int seq, int length,
                                                  struct err *err)
{
    return e->ops->reserve(e, seq, length, err);
}

/* What the text of a sequence is going to want. */
static inline void engine_expect(struct engine *e, int seq, const struct outlook *outlook)
{
    if (e->ops->expect) e->ops->expect(e, seq, outlook);
}

/* Bytes in use here for sequences and scratch. */
static inline size_t engine_memory(const struct engine *e)
{
    return e->ops->memory(e);
}

#endif
