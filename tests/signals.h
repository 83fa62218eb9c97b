/* Policies and what they see, made up by hand. */
#ifndef EAD_TESTS_SIGNALS_H
#define EAD_TESTS_SIGNALS_H

#include "decode/policy.h"

static inline struct policy policy_of(ead_policy_kind kind, bool drawn)
{
    ead_policy_options o;
    policy_defaults(&o);
    o.kind = kind;
    struct policy p = {.draft_max = EAD_DRAFT_MAX, .n_vocab = 1024, .drawn = drawn};
    policy_init(&p, &o);
    return p;
}

/* The last of so many drafts, of which the small model is certain. */
static inline ead_signals draft_signals(int drafts)
{
    return (ead_signals){.index = 20,
                         .length = 30,
                         .writer = EAD_SMALL,
                         .turn = drafts,
                         .drafts = drafts,
                         .draft_max = EAD_DRAFT_MAX,
                         .n_vocab = 1024,
                         .stats = {.max_prob = 1}};
}

/* The large model's token behind a judgement. */
static inline ead_signals large_signals(int n, int kept, float q)
{
    ead_signals s = draft_signals(0);
    s.writer = EAD_LARGE;
    s.turn = 1;
    s.judged = (ead_judgement){.n = n, .kept = kept, .q = q};
    return s;
}

static inline ead_decision decide(const struct policy *p, ead_signals s)
{
    return policy_rule(p->options.kind)->decide(p, &s);
}

static inline void expect(ead_decision d, ead_writer writer, int take_back, int judge)
{
    if (d.writer != writer || d.take_back != take_back || d.judge != judge)
        fail_msg("expected writer %d, %d taken back, %d judged, found %d, %d, %d", writer,
                 take_back, judge, d.writer, d.take_back, d.judge);
    assert_true(d.open >= d.take_back + d.judge);
}

static inline bool keeps(const struct policy *p, ead_opinion o)
{
    const ead_signals s = draft_signals(1);
    return policy_judge_by(p, &s, &o, 1) == 1;
}

#endif
