/*
 * Is an answer right? The rules are those of the MATH benchmark's graders, in docs/GRADING.md. Both
 * functions take any bytes before a NUL, in bounded time and memory.
 */
#ifndef EAD_GRADE_GRADE_H
#define EAD_GRADE_GRADE_H

#include <stdbool.h>

/* The final answer of a model's output, to be freed: for math the last balanced \boxed{} (or
 * "\boxed X$", \fbox); for gsm8k what follows the last "####", else a box, else the last number.
 * False, and *pred NULL, when there is none. */
bool grade_extract_math(const char *output, char **pred);
bool grade_extract_gsm8k(const char *output, char **pred);

/* Do both say the same? A NULL is no answer: equal to nothing. */
bool grade_equal(const char *gold, const char *pred);

#endif
