/* How much a draft of the small model is to be doubted, before and after the large one has read it.
 */
#ifndef EAD_DECODE_POLICY_RISK_H
#define EAD_DECODE_POLICY_RISK_H

#include "decode/policy.h"

/* Of the last token: by the options' table the probability that it is refused; without a table its
 * entropy in bits. */
double risk_of(const ead_policy_options *o, const ead_signals *s);
double risk_look_up(const ead_risk *table, float entropy, int32_t id);
/* The error names the table's field, what is expected and what was found. */
MUST_USE enum status risk_check(const ead_risk *table, struct err *err);

/* Is p(x) >= (1 - slack) max p? Without slack: is x what the large model itself would write? */
bool slack_lets(const struct policy *p, double slack, const ead_opinion *o);
/* The same with option `slack`; or, by lead, is p(x) >= max p - slack? */
bool slack_keeps(const struct policy *p, const ead_opinion *o);

/* Are n drafts as many as `unjudged` has judged whatever their risk? */
bool risk_too_many(const ead_policy_options *o, const ead_signals *s, int n);
/* Are drafts to be judged whatever their risk: there are `unjudged`, or they are the text's tail?
 */
bool risk_left_too_long(const ead_policy_options *o, const ead_signals *s);

#endif
