/* How much a draft of the small model is to be doubted, before and after the large one has read it.
 */
#ifndef EAD_DECODE_POLICY_RISK_H
#define EAD_DECODE_POLICY_RISK_H

#include "decode/policy.h"

/* Of the last token: by the options' table the probability that it is refused; without a table its
 * entropy in bits. */
double risk_of(const ead_policy_options *o, const ead_signals *s);
double risk_look_up(const ead_risk *table, float entropy, int32_t id);

/* The first of n drafts with p(x) < (1 - slack) max p; without slack, that is not the best of p. */
int slack_judge(double slack, const ead_opinion *o, int n);

#endif
