/* What letters s[0..n) in a row are: the name of a function, a word, a product. */
#ifndef EAD_GRADE_WORD_H
#define EAD_GRADE_WORD_H

#include "grade/command.h"

#include <stdbool.h>
#include <stddef.h>

bool word_is(const char *word, const char *s, size_t n); /* without case */

/* The function of that name, or \frac; NULL when there is none. */
const struct command *word_function(const char *s, size_t n);
/* The longest name of a function, "pi" or "sqrt" that they begin with. */
size_t word_prefix(const char *s, size_t n);
/* Are they a name of `prefix` letters and its argument, as "sinx" and "pir" are, and no word, as
 * "pigs", "logs" and "since" are? */
bool word_is_named(const char *s, size_t n, size_t prefix);

/* A short word that nobody means as a product. */
bool word_is_short(const char *s, size_t n);
/* "Bob", "May": a capital and two letters that can be spoken, alone; what follows them, up to a
 * NUL, is looked at. */
bool word_is_name(const char *s, size_t n);
/* Bytes of the word that a NUL-terminated text in \text{} begins with: letters, with hyphens and
 * apostrophes among them, and "a.m.". */
size_t word_length(const char *s);

#endif
