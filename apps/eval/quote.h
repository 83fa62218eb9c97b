/*
 * JSON whose numbers are answers: one with more digits than a machine number holds, or with an
 * exponent, would lose some or be refused. Such numbers become strings of what was written.
 */
#ifndef EAD_EVAL_QUOTE_H
#define EAD_EVAL_QUOTE_H

#include <stddef.h>

/* A copy of text[0..*n) with its long numbers quoted, to be freed, and its length in *n; NULL
 * without memory. Lines stay lines; what is no JSON is copied as it is. */
char *quote_long_numbers(const char *text, size_t *n);

#endif
