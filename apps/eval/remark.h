/* What a reader of a summary's numbers should know of them, one sentence each. */
#ifndef EAD_EVAL_REMARK_H
#define EAD_EVAL_REMARK_H

#include "eval/summary.h"

#include <stdbool.h>
#include <stddef.h>

enum { REMARK_KINDS = 4, REMARK_TEXT_MAX = 192 };

/* Remark i, below REMARK_KINDS; false where there is nothing to remark. */
bool remark_make(const struct summary *s, size_t i, char out[REMARK_TEXT_MAX]);

#endif
