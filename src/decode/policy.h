/*
 * Who writes the next token. A decision is a pure function of signals, which are a function of the
 * text: no model is in sight, so it can be replayed from a trace and tested by a table.
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

struct policy {
    ead_policy_options options; /* replay and context are borrowed */
    double rate;                /* what the rule's prepare returned */
};

struct policy_rule {
    ead_policy_info info;
    /* What the ranges of single options do not say; may be NULL. */
    enum status (*check)(const ead_policy_options *o, struct err *err);
    /* A number that follows from the options and is dear to find; may be NULL. */
    double (*prepare)(const ead_policy_options *o);
    ead_decision (*decide)(const struct policy *p, const ead_signals *s);
    /* Tokens that `next`, who writes next, will write for certain; NULL: one. */
    int (*sure)(const struct policy *p, const ead_signals *s, ead_writer next);
};

/* NULL when there is no such kind. */
const struct policy_rule *policy_rule(ead_policy_kind kind);
/* The options that policies have; NULL behind the last. */
const ead_policy_option *policy_option(size_t i);

/* Check options: the error names the field, its range and what was found. */
MUST_USE enum status policy_check(const ead_policy_options *o, struct err *err);

/* The options must have passed policy_check. */
void policy_init(struct policy *p, const ead_policy_options *o);

/* What is to be seen of a text by a policy with these options. */
ead_signals policy_signals(const struct text *t, const ead_policy_options *o);

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

extern const struct policy_rule policy_ead, policy_large, policy_small, policy_random,
    policy_replay, policy_custom;

#endif
