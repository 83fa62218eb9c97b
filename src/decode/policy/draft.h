/* What all policies share that let the small model draft: when a draft is long enough. */
#ifndef EAD_DECODE_POLICY_DRAFT_H
#define EAD_DECODE_POLICY_DRAFT_H

#include "decode/policy.h"

/* The small model writes until its draft is long enough by option `draft` (where that is 0, by
 * `usual`), or the text ends; then the large one judges all of it. */
ead_decision draft_decide(const struct policy *p, const ead_signals *s, int usual);
/* Tokens that the small model will write for certain. */
int draft_sure(const struct policy *p, const ead_signals *s, ead_writer next);

#endif
