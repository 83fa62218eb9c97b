/*
 * One answer while it is written: tokens come in, characters that may be shown go out. It knows
 * when its text ends, and keeps what is to be told of each token.
 */
#ifndef EAD_SERVER_CHOICE_H
#define EAD_SERVER_CHOICE_H

#include "base/buf.h"
#include "ead.h"
#include "server/ask.h"

/* Lost tokens that are kept at a time; of more, none are told. */
enum { CHOICE_LOST_MAX = 1 << 14 };

/* What is told of a token: its probability, its alternatives, its story. */
struct choice_record {
    ead_token token;
    size_t begin, end; /* its characters, as bytes of the text */
    int n_best;
    bool given;             /* of the prompt: of its token id, log_prob and stats are there, */
    int rank;               /* and how many are more probable */
    bool silent;            /* it ended the text, and is no part of it */
    int first_lost, n_lost; /* of the choice's `lost`: what stood there and was refused */
    ead_alternative best[ASK_LOGPROBS_MAX];
};

struct choice {
    const struct ask *ask;
    const struct ask_prompt *prompt;
    const ead_model *model; /* for texts of tokens */
    int index;
    ead_detok *detok;
    struct buf text; /* all characters so far; of an echo the prompt's first */
    size_t echoed;   /* bytes of it that are the prompt's */
    size_t shown;    /* bytes that may be shown */
    size_t sent;     /* bytes, and */
    int n_sent;      /* records that were */
    struct choice_record
        *records; /* [n_records] owned; where log-probabilities or a trace are wanted */
    int n_records, room;
    ead_token *lost_tokens; /* [n_lost] owned; where a trace is wanted */
    int n_lost, lost_room;
    int64_t n_tokens;               /* written, an end included */
    const char *finish;             /* "stop", "length"; NULL: it goes on */
    ead_summary summary;            /* once it ended */
    int64_t cached;                 /* tokens of the prompt that were found in the prefix cache */
    double first_token, last_token; /* by clock_seconds; 0: not yet */
    bool begun, ended;              /* the scheduler's: it has a place; it needs none any longer; */
    bool lost;                      /* there was no memory for what was to be told of it */
};

/* False without memory. */
bool choice_init(struct choice *c, const struct ask *ask, const ead_model *model, int index);
void choice_deinit(struct choice *c);
/* Are records kept? */
bool choice_keeps_records(const struct choice *c);
/* The next token of the prompt that is told of; of an echo's first the log-probability is NaN. Only
 * called where records are kept. */
bool choice_add_given(struct choice *c, const ead_scored *token);
/* Of an echo: what the text begins with. To be called before the first token. */
bool choice_echo(struct choice *c);
/* The next token, and its most probable alternatives. False without memory. */
bool choice_add(struct choice *c, const ead_token *token, const ead_alternative *best, int n_best);
/* A token that was taken back before it was told. False without memory. */
bool choice_lose(struct choice *c, const ead_token *token);
/* Records that may be sent by now: those whose characters may be shown. */
int choice_ready(const struct choice *c);

#endif
