/*
 * What all policies share that let the small model draft: when a draft is long enough. Option
 * `draft` says so:
 *
 *     N           after N tokens, or 0: as many as the policy's source takes
 *     heuristic   n tokens; n += 2 when all were kept, else n = max(1, n - 1)     (transformers)
 *     confidence  behind a token with q(x) < c; c is refitted to what was kept    (transformers)
 *     survival    when the chance that all drafts stand, prod (1 - r), is below
 *                 (small_cost + row_cost) times the tokens written per unit of time
 *
 * and with `draft_min_p` before a token where max q is below (llama.cpp). That is a property of the
 * place and not of the token, so that leaving it to the large model keeps exact what is exact. The
 * same can not be said of a draft that is dropped for being shorter than `draft_min`: where tokens
 * are drawn, that option does not count.
 *
 * A rule that learns keeps what it knows in the policy's memory.
 */
#ifndef EAD_DECODE_POLICY_DRAFT_H
#define EAD_DECODE_POLICY_DRAFT_H

#include "decode/policy.h"

/* Tokens of a draft where the policy's source does not say. */
enum { DRAFT_USUAL = 8 };

/* The small model writes until its draft is long enough (`usual`: what draft 0 means), or the text
 * ends; then the large one judges all of it. */
ead_decision draft_decide(const struct policy *p, const ead_signals *s, int usual);
/* Likewise with DRAFT_USUAL. */
ead_decision draft_decide_usual(const struct policy *p, const ead_signals *s);
/* The last draft is left to the large model, which judges those before it. */
ead_decision draft_drop_last(const struct policy *p, const ead_signals *s);

/* Tokens that the small model will write for certain, where draft 0 means so many. */
int draft_sure_of(const struct policy *p, const ead_signals *s, ead_writer next, int usual);
/* Likewise DRAFT_USUAL. */
int draft_sure(const struct policy *p, const ead_signals *s, ead_writer next);

/* Is a draft kept whose acceptance has a chance of target / q? Below 1 its coin decides. */
static inline bool draft_accepts(const ead_opinion *o, double target)
{
    return target > 0 && (double)o->chance * (double)o->q <= target;
}

#endif
