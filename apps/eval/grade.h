/*
 * Is an answer right? The rules are those of the MATH benchmark's graders, in docs/GRADING.md. Both
 * functions take any bytes before a NUL, in bounded time and memory.
 */
#ifndef EAD_EVAL_GRADE_H
#define EAD_EVAL_GRADE_H

#include "eval/dataset.h"

#include <stdbool.h>

/* The final answer of a model's output, to be freed: the last balanced \boxed{} (or "\boxed X$",
 * \fbox); for gsm8k what follows the last "####", else a box, else the last number. False, and
 * *pred NULL, when there is none; true and NULL without memory. */
bool grade_extract(const char *output, enum dataset_format format, char **pred);

/* Do both say the same? A NULL is no answer: equal to nothing. */
bool grade_equal(const char *gold, const char *pred);

#endif
