/*
 * The table of risks: how likely it is that a draft of the small model is refused, by its entropy
 * and, for tokens that are frequent where there is doubt, by the token. It is counted over drafts
 * that the large model judged; cells that few of them fell into lean on their row's mean.
 */
#ifndef EAD_EVAL_RISK_H
#define EAD_EVAL_RISK_H

#include "ead.h"
#include "eval/jsonl.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct risk_draft {
    float entropy; /* bits, of the small model; */
    int32_t id;
    float ratio; /* p(x) / max p, of the large one */
    bool first;  /* of those judged together */
};

struct risk_drafts {
    struct risk_draft *list; /* [n], to be freed */
    size_t n, capacity;
    bool open; /* the last ones may have others behind them in the same judgement */
};

/* A token as it was told, lost ones among them: taken if it is a draft that was judged. False
 * without memory. */
bool risk_add(struct risk_drafts *d, const ead_token *token);

/* The table for drafts that are refused where p(x) < (1 - slack) max p; those behind the first one
 * of their judgement stand in a text that is none, and do not count. False without drafts. */
bool risk_count(const struct risk_drafts *d, double slack, ead_risk *out);

/* NULL without memory. */
json_t *risk_json(const ead_risk *table);
/* `at` is the object. */
ead_status risk_read(const struct jsonl_field *at, ead_risk *out, ead_error *error);

#endif
