/* Answers as people and models type them, in one alphabet: Unicode signs become LaTeX, doubled
 * backslashes single ones, spacing a space. */
#ifndef EAD_GRADE_CLEAN_H
#define EAD_GRADE_CLEAN_H

#include <stddef.h>

/* Stands between digits where "{,}" or ",\!" grouped them. */
#define CLEAN_GLUE '\x01'

/* ASCII for text[0..n), NUL-terminated, to be freed; NULL without memory. At most CLEAN_GROWTH
 * bytes for each byte. Bytes that mean nothing here are dropped. */
enum { CLEAN_GROWTH = 8 };
char *clean_text(const char *text, size_t n);

#endif
