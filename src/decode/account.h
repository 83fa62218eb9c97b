/*
 * What a text cost: rows, passes and time of each model. It tells what was done, so it is no part
 * of the text: cutting a text back leaves it alone.
 */
#ifndef EAD_DECODE_ACCOUNT_H
#define EAD_DECODE_ACCOUNT_H

#include "decode/text.h"
#include "ead.h"

/* What the rows of one evaluation were for, and its time; see ead_work. An evaluation takes as many
 * passes as it takes and is booked when it has reached its goal, so that the account does not
 * depend on the company its rows had. */
struct tally {
    int prompt, catchup, decode;
    double seconds;
};

struct account {
    int64_t tokens, switches, taken_back;
    int64_t judgements, judged, kept, refused;
    int64_t bounded, open_decisions; /* see ead_summary */
    int64_t to_read;                 /* rows that one model alone would have read as prompts */
    struct tally open[EAD_WRITERS];  /* evaluations under way */
    ead_work work[EAD_WRITERS];      /* step_seconds is filled in by account_summarise */
};

/* n rows of the text from position `from` on were evaluated by w on the way to `goal`. */
void account_rows(struct account *a, const struct text *t, ead_writer w, int from, int n, int goal,
                  double seconds);
/* The evaluations under way end here. */
void account_settle(struct account *a);
/* n drafts were judged, and so many of them kept. */
void account_judgement(struct account *a, int n, int kept);
/* A token was written. */
void account_token(struct account *a, ead_writer w, bool switched);

/* pair: there are two models. n_active: parameters that a token passes in each; 0: not known. */
ead_summary account_summarise(const struct account *a, bool pair,
                              const uint64_t n_active[EAD_WRITERS]);

#endif
