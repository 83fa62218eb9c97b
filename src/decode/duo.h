/*
 * Two timelines, one text. The text is the truth; each engine's cache covers a prefix of it. To ask
 * an engine for the next distribution is to evaluate the rows between its prefix and the end of the
 * text, so a switch needs nothing but another engine: the rows it has not seen are its catch-up,
 * and the same pass yields its next distribution.
 *
 * A duo is one text on a sequence of engines that other duos may share. It says which rows it
 * needs, is told what they cost, and takes the token that a distribution gives; decode/driver.h
 * evaluates. With one engine the other's writer is never chosen. Nothing is allocated here.
 *
 * What the caller was told of the text may lag behind it: drafts that may still be refused are told
 * when they stand, or have fallen. Tokens that were taken back before anyone heard of them are told
 * as lost to those who want to know, and to others were never there.
 */
#ifndef EAD_DECODE_DUO_H
#define EAD_DECODE_DUO_H

#include "base/arena.h"
#include "decode/account.h"
#include "decode/alternatives.h"
#include "decode/jury.h"
#include "decode/policy.h"
#include "decode/proposal.h"
#include "decode/sampler.h"
#include "decode/score.h"
#include "decode/text.h"
#include "ead.h"
#include "engine/engine.h"

/* Rows that a late engine was given, and when; n 0: none. */
struct late {
    int from, n, goal;
    double since;
};

/* Drafts that the large model is to judge while it reads them. */
struct judging {
    int n;      /* of them, at the end of the text; 0: none */
    bool final; /* the text has ended: nothing is written behind them */
    struct distribution seen[EAD_DRAFT_MAX]; /* where each stands, until the engine's next pass */
};

/* Tokens that were taken back before they were told, in the order in which they are, and how many
 * of them were told since. */
enum { LOSSES_MAX = 3 * EAD_DRAFT_MAX };
struct losses {
    int n, told;
    struct {
        int at; /* it is told when the text has been told up to there */
        ead_token token;
    } each[LOSSES_MAX];
};

/* Scratch that duos share which choose one after the other, [n_vocab] each. */
struct duo_scratch {
    struct candidate *candidates;
    float *p, *q;
};

struct duo {
    struct engine *engines[EAD_WRITERS]; /* borrowed; one may be NULL */
    int seq;                             /* of both engines */
    int reserved;                        /* positions that both keep room for; 0: no promise */
    struct text text; /* room for n_ctx + 1: the last token a full context yields is never read */
    struct policy policy;
    struct sampler sampler;
    struct proposals proposals;
    struct duo_scratch scratch;
    bool ignore_end, eager_prompt;
    bool tell_lost;            /* tokens that nobody heard of are told as lost */
    bool small_alone;          /* without the large model the small one goes on */
    ead_policy_options wanted; /* the policy's, as they were set */
    struct err loss;           /* why the large model writes no more; code ST_OK when it does */
    bool lost;                 /* the next token is the first without it */
    int n_ctx, n_vocab;        /* n_vocab: tokens that both models know */
    ead_writer next;           /* who writes the next token: decided over the text as it is */
    int eager_end;             /* up to here the model that is not to write reads as well */
    bool replacing;            /* the next token stands where the policy took something back */
    int told, kept;            /* length of the text as last told; its shortest since */
    int open;                  /* tokens at the end that are not to be told yet */
    struct judging judging;
    struct losses losses;
    int waiting[EAD_WRITERS]; /* the engine is to say what follows so many tokens; 0: nothing */
    int due[EAD_WRITERS];     /* while it is: the first position of which it has not yet said it */
    struct late late[EAD_WRITERS];
    struct scoring scoring;
    struct alternatives alternatives;
    struct distribution drawn; /* of the last token, while its engine holds it; n 0: no more */
    struct account account;
    double seconds;        /* of passes and choices since the last token */
    struct err fault;      /* why the text cannot go on; code ST_OK when it can */
    bool left_out;         /* of the last pass, for want of room: it goes first in the next */
    bool astray;           /* the fault is the policy's, and stays until text or policy changes */
    ead_progress progress; /* may be NULL */
    void *progress_context;
};

/* The text's storage, once measuring and once for real; n_ctx must be set. */
void duo_carve(struct duo *d, struct arena *arena);
/* Begin with an empty text. engines, seq, n_ctx, n_vocab and the storage must be set. draft_max:
 * drafts that the large model can judge in a pass; 0 where it cannot. */
MUST_USE enum status duo_init(struct duo *d, const ead_duo_options *options,
                              const struct duo_scratch *scratch, int draft_max, struct err *err);

/* Add given tokens; nothing is evaluated. The policy starts anew. */
MUST_USE enum status duo_append(struct duo *d, const int32_t *ids, size_t n, struct err *err);
void duo_truncate(struct duo *d, int length);
/* Become the first `length` tokens of another text of the same engines. */
void duo_copy(struct duo *d, const struct duo *from, int length);
/* Keep room in both caches for the text to grow to `length` tokens; 0: no longer. */
MUST_USE enum status duo_reserve(struct duo *d, size_t length, struct err *err);
/* Forget the text and its account, and give back what was promised. */
void duo_reset(struct duo *d);
MUST_USE enum status duo_set_policy(struct duo *d, const ead_policy_options *o, struct err *err);
MUST_USE enum status duo_set_sampler(struct duo *d, const ead_sampler_options *o, struct err *err);

/* Can a token be written? If so, its writer has at least one row to evaluate afterwards; if not,
 * d->fault says why. */
bool duo_prepare(struct duo *d);
/* Up to where a model should read: the writer of the next token to the end of the text, or of what
 * is judged. */
int duo_goal(const struct duo *d, ead_writer w);
/* The first row that the writer of the next token must evaluate in the pass that yields it. */
int duo_first_needed(const struct duo *d);
/* Rows that must be in one pass if any is: of drafts that are judged. */
int duo_least(const struct duo *d, ead_writer w, int goal);
/* Positions of the text that a model has read. */
int duo_read(const struct duo *d, ead_writer w);
/* The next rows of a model on its way to `goal`, at most `most`. Given tokens count against
 * *budget, and all others do where the way is longer than it; but one row there is in any case. The
 * last one wants logits when it is the last of the text and the model is to write; so do rows
 * before drafts that are judged, and before given tokens that someone asks for, of which all but
 * the first count against *scores. `most` is at least duo_least. Returns how many. */
int duo_rows(const struct duo *d, ead_writer w, int goal, int most, int *budget, int *scores,
             struct row *rows);
/* The engine was given n rows: their results are waited for. */
void duo_await(struct duo *d, ead_writer w, const struct row *rows, int n);
/* n rows from position `from` on were evaluated on the way to `goal`; where the engine is late and
 * has yet to say what follows them, their time is that until it does. */
void duo_account(struct duo *d, ead_writer w, int from, int n, int goal, double seconds);
/* A result has come; true when it is the one that the next step of the text waits for: what follows
 * it, or the last draft's that is judged. What it says of a given token is told or, where it is a
 * fault, the text's, and that row is to be evaluated again. */
bool duo_take(struct duo *d, ead_writer w, const struct result *result);
/* What follows the text is not to be had: its fault or, of the large model, its loss. */
void duo_fail(struct duo *d, ead_writer w, const struct result *result);
/* Judge drafts, where that is due, write the token that follows by this result of its writer, or
 * the one that the engine drew, and decide who goes on. A policy that does what it may not is the
 * text's fault, and so is a distribution that knows no token of both models, or none that is
 * allowed. `seconds` were spent since the last pass. */
void duo_write(struct duo *d, const struct result *result, double seconds);
/* Nothing more is wanted of the text for now: what engines have under way for it they may drop. */
void duo_rest(struct duo *d);
/* Tell both engines what the text is going to want of them. */
void duo_look_ahead(const struct duo *d);

/* The engine is about to take rows: it holds the last token's distribution no longer. */
void duo_forget_drawn(struct duo *d, ead_writer w);

/* Is there something that the caller has not been told? */
bool duo_has_news(const struct duo *d);
/* Tell the next token; there must be news. */
void duo_tell(struct duo *d, ead_token *out);
/* The token at a position as it was written; false when it was given. */
bool duo_token(const struct duo *d, int at, ead_token *out);

ead_summary duo_summarise(const struct duo *d);

#endif
