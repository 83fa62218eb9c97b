/*
 * Who writes the next token, and which drafts are kept. Decisions and judgements are pure functions
 * of signals and opinions, which are a function of the text: no model is in sight, so they can be
 * replayed from a trace and tested by a table.
 *
 * A policy is one file in decode/policy, which says what it is (struct policy_rule), one row in
 * policy.c and, where it has options of its own, their rows in policy_option.c. All that the rest
 * of the house knows about policies (names, help, options and their ranges, which models they need)
 * comes from there.
 */
#ifndef EAD_DECODE_POLICY_H
#define EAD_DECODE_POLICY_H

#include "base/status.h"
#include "decode/text.h"
#include "ead.h"

enum { POLICY_WINDOW_MAX = 1024 };

/* What a rule asks for beside what always stands in signals and opinions. */
enum {
    POLICY_TOP = 1,       /* ead_signals.top_entropy */
    POLICY_RANK = 2,      /* ead_opinion.rank */
    POLICY_TOP_LARGE = 4, /* ead_opinion.top_entropy */
    POLICY_BOTH = 8       /* p and q over all tokens, for `measure` and `weigh` */
};

struct policy {
    ead_policy_options options; /* replay, table and context are borrowed */
    double rate;                /* what the rule's prepare returned */
    int draft_max;              /* drafts that can be judged at once */
    int n_vocab;                /* tokens that can be written */
    bool drawn;                 /* tokens are drawn: the temperature is above 0 */
};

typedef bool (*policy_keeps)(const struct policy *p, const ead_opinion *o);

struct policy_rule {
    ead_policy_info info;
    /* What the ranges of single options do not say; may be NULL. */
    enum status (*check)(const ead_policy_options *o, struct err *err);
    /* A number that follows from the options and is dear to find; may be NULL. */
    double (*prepare)(const ead_policy_options *o);
    ead_decision (*decide)(const struct policy *p, const ead_signals *s);
    /* Tokens that `next`, who writes next, will write for certain; NULL: one. */
    int (*sure)(const struct policy *p, const ead_signals *s, ead_writer next);
    /* Of POLICY_TOP, ...; NULL: nothing. */
    unsigned (*asks)(const struct policy *p);
    /* Is a draft kept? NULL: as exact speculation keeps it. */
    policy_keeps keeps;
    /* Where one draft's opinion is not enough: the first of n that is refused, or n; `s` are the
     * signals that asked for it. NULL: the first that `keeps` does not keep. */
    int (*judge)(const struct policy *p, const ead_signals *s, const ead_opinion *o, int n);
    /* A number about p and q, [n] each: for ead_opinion.measure; NULL: none. q holds the tokens of
     * the proposal, in shares of one; before it was cut, the others had `cut` together. */
    double (*measure)(const struct policy *p, const float *pp, const float *qq, int n, double cut);
    /* As ead_weigh, where tokens are drawn; NULL: what stands instead of a refused draft is the
     * large model's own draw. */
    double (*weigh)(const struct policy *p, const ead_opinion *refused, double pp, double qq);
    /* Drafts are drawn apart from all else, so that keeping one by chance is fair; else as the
     * small model alone draws. */
    bool apart;
};

/* NULL when there is no such kind. */
const struct policy_rule *policy_rule(ead_policy_kind kind);
/* The options that policies have; NULL behind the last. */
const ead_policy_option *policy_option(size_t i);

/* What holds where nothing is said: each option's standard. */
void policy_defaults(ead_policy_options *out);
/* Check options: the error names the field, its range and what was found. */
MUST_USE enum status policy_check(const ead_policy_options *o, struct err *err);

/* The options must have passed policy_check. What stands beside them in p stays. */
void policy_init(struct policy *p, const ead_policy_options *o);

/* Do two policies decide and judge alike? */
bool policy_same(const ead_policy_options *a, const ead_policy_options *b);

/* What is to be seen of a text by a policy with these options. */
ead_signals policy_signals(const struct policy *p, const struct text *t);

/* Drafts at the end of the text that were written under this kind of policy, at most so many. */
int policy_drafts(const struct policy *p, const struct text *t, int most);

/* Of POLICY_TOP, .... */
unsigned policy_asks(const struct policy *p);

/* The first of n drafts that is refused, or n, by the signals that asked for it. */
int policy_judge_by(const struct policy *p, const ead_signals *s, const ead_opinion *opinions,
                    int n);
/* The same of drafts at the end of the text. */
int policy_judge(const struct policy *p, const struct text *t, const ead_opinion *opinions, int n);

ead_decision policy_decide(const struct policy *p, const struct text *t);
/* Would it decide otherwise somewhere between the bounds of the entropies that it sees? */
bool policy_is_open(const struct policy *p, const struct text *t);
/* Tokens that `next`, who writes next, will write for certain: at least 1. */
int policy_sure(const struct policy *p, const struct text *t, ead_writer next);

/* ---- for the rules ----------------------------------------------------------------------- */

/* Nothing is taken back, and w writes next. */
static inline ead_decision policy_writer(ead_writer w)
{
    return (ead_decision){.writer = w};
}

/* May the active model be asked to hand over? Not before the first token, and not before it has
 * written `dwell` tokens since it became active. */
static inline bool policy_is_due(const struct policy *p, const ead_signals *s)
{
    return s->index > 0 && s->turn >= p->options.dwell;
}

/* A turn lasts for `dwell` tokens: what is left of one, or of the one that begins. */
int policy_sure_dwell(const struct policy *p, const ead_signals *s, ead_writer next);
/* Nobody else ever writes. */
int policy_sure_always(const struct policy *p, const ead_signals *s, ead_writer next);

/* Members of ead_policy_options as policy_check reads them by the table of options. */
double policy_option_value(const ead_policy_options *o, const ead_policy_option *option);

/* The first of n drafts that is not kept, or n; NULL: as exact speculation keeps. */
int policy_first_refused(const struct policy *p, const ead_opinion *o, int n, policy_keeps keeps);
/* The weight of exact speculation (Leviathan et al. 2023, arXiv 2211.17192): max(0, p - q). */
double policy_weigh_rest(const struct policy *p, const ead_opinion *refused, double pp, double qq);
/* Where p and q are not asked for unless tokens are drawn. */
unsigned policy_asks_drawn(const struct policy *p);

extern const struct policy_rule policy_ead, policy_large, policy_small, policy_random,
    policy_replay, policy_custom, policy_speculative, policy_judge_risk, policy_ead_plus,
    policy_typical, policy_relaxed, policy_cascade, policy_lenient, policy_fly, policy_fsd,
    policy_bild, policy_rstitch, policy_r2r, policy_step;

#endif
