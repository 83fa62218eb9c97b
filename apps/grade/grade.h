/*
 * Is an answer right? The rules are those of the MATH benchmark's graders, in docs/GRADING.md. Both
 * functions take any bytes before a NUL, in bounded time and memory.
 */
#ifndef EAD_GRADE_GRADE_H
#define EAD_GRADE_GRADE_H

#include <stdbool.h>
#include <stddef.h>

/* The final answer of a model's output, to be freed: for math the last balanced \boxed{} (or
 * "\boxed X$", \fbox); for gsm8k what follows the last "####", else a box, else the last number.
 * False, and *pred NULL, when there is none; true and NULL without memory. */
bool grade_extract_math(const char *output, char **pred);
bool grade_extract_gsm8k(const char *output, char **pred);

/* Bytes as a text that these functions take whole: a NUL among them is a space. To be freed; NULL
 * without memory. */
char *grade_text(const char *bytes, size_t n);

/* Do both say the same? A NULL is no answer: equal to nothing. */
bool grade_equal(const char *gold, const char *pred);
/* The same, and how many steps it took: what bounds the time. See grade/work.h. */
bool grade_equal_counted(const char *gold, const char *pred, long *steps);

#endif
