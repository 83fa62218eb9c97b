/*
 * The text: token ids, and beside each of them all that decisions need. Whatever decides (whose
 * turn it is, how long already, the rolling entropy, random draws) is a function of the text and of
 * options; nothing of it stands elsewhere. So a text that is cut back is, in all that follows, the
 * shorter text, and a text that is copied goes on like its original.
 */
#ifndef EAD_DECODE_TEXT_H
#define EAD_DECODE_TEXT_H

#include "base/arena.h"
#include "ead.h"

#include <stdint.h>

enum { TEXT_GIVEN = -1 }; /* the author of a token that was not written here */

/* Random numbers are drawn from (seed, stream, position) (rng.h): who draws what tells nobody
 * anything of another stream. */
enum { STREAM_TOKEN = 1, STREAM_POLICY, STREAM_DRAFT, STREAM_COIN, STREAM_REST };

/* What stands beside a token; of a given one, only author and index mean something. */
struct mark {
    int8_t author;    /* an ead_writer, or TEXT_GIVEN */
    bool replaces;    /* it stands where a policy took something back */
    bool alone;       /* before it the large model failed */
    bool end;         /* it ends the text */
    bool line, blank; /* it ends a line; an empty one, or a paragraph */
    int draft;        /* drafts that end with it, if it is one: 0 of any other */
    int judged;       /* of a draft that was kept: the length of the text from which on it is */
    int8_t kind;      /* of the policy that it was written under, which left */
    double memory[2]; /* this; see ead_decision */
    ead_judgement judgement; /* before it or, of the end of a text, with it */
    bool heard;              /* the large model judged it, and its */
    ead_opinion opinion;     /* is this */
    float top_entropy;
    int index;       /* written tokens before it since the last given one; -1 of a given one */
    int turn;        /* tokens its author wrote without a break, itself included */
    float log_prob;  /* ln p of it */
    float seconds;   /* from the token before it on */
    ead_stats stats; /* of the distribution it was drawn from */
};

struct text {
    int n, room;
    int32_t *ids;       /* [room] */
    struct mark *marks; /* [room] */
};

/* The storage for `room` tokens, once measuring and once for real. */
void text_carve(struct text *t, int room, struct arena *arena);

/* Add tokens; there must be room. */
void text_give(struct text *t, const int32_t *ids, size_t n);
void text_write(struct text *t, int32_t id,
                const struct mark *mark); /* index, turn, draft are set */
void text_cut(struct text *t, int length);
/* Become the first `length` tokens of another. */
void text_copy(struct text *t, const struct text *from, int length);

/* Tokens written since the last given one. */
int text_written(const struct text *t);
/* Drafts at the end: tokens of the small model that the large one has not judged. */
int text_drafts(const struct text *t);
/* The last n tokens, which are drafts, are kept, and are so from this length on. */
void text_keep(struct text *t, int n, int length);

/* Drafts at the end are none any longer, and stay so if the text is cut. */
void text_settle(struct text *t);

/* What policies left beside tokens is gone. */
void text_forget(struct text *t);

/*
 * The signal that adaptive decoding steers by, at token `at`: the mean of the last w entropies,
 *     Hbar_t = (H_t + H_{t-1} + ... + H_{t-w+1}) / w,
 * or of what there is since the last given token, or with `turn` since its turn began, while that
 * is less. In double and summed from the oldest on, so that a reader of a trace gets the same
 * number. Source: Simonds 2025 (arXiv 2502.06833), section on the rolling entropy.
 */
double text_rolling(const struct text *t, int at, int window, bool turn);

/* Between what the same mean lies where entropies are known as intervals. */
struct text_bounds {
    double lo, hi;
};
struct text_bounds text_rolling_bounds(const struct text *t, int at, int window, bool turn);

#endif
