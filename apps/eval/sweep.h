/* Thresholds to begin with: how high the rolling entropy of the small model's own texts is. */
#ifndef EAD_EVAL_SWEEP_H
#define EAD_EVAL_SWEEP_H

#include "ead.h"

#include <stddef.h>

enum { SWEEP_MAX = 8 };

/* Ascending quantiles of the rolling mean over `window` tokens in the traces of the setting "small"
 * in DIR/traces.jsonl, with two digits; a fixed scale when there is too little to see. */
ead_status sweep_taus(const char *dir, int window, double taus[SWEEP_MAX], size_t *n,
                      ead_error *error);

#endif
