/*
 * The table of risks: how likely it is that a draft of the small model is refused, by its entropy
 * and, for tokens that are frequent where there is doubt, by the token. It is counted over drafts
 * that the large model judged; cells that few of them fell into lean on their row's mean.
 */
#ifndef EAD_EVAL_RISK_H
#define EAD_EVAL_RISK_H

#include "ead.h"
#include "eval/draft.h"
#include "eval/jsonl.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The table for drafts that are refused as a policy with these options does, by slack if it has it,
 * else where p has a better token; those behind the first one of their judgement stand in a text
 * that is none, and do not count. The drafts are sorted. False without any. */
bool risk_count(const struct drafts *d, const ead_policy_options *rule, ead_risk *out);

/* NULL without memory. */
json_t *risk_json(const ead_risk *table);
/* `at` is the object. */
ead_status risk_read(const struct jsonl_field *at, ead_risk *out, ead_error *error);

#endif
