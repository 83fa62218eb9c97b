/*
 * Which expressions belong to which name. They are those of the tokenizers themselves where they
 * are known, else llama.cpp's, written for PCRE2; what was changed does not change what matches:
 * - white space is spelled out, because PCRE2 counts U+180E as white space and Unicode does not;
 * - a class with letters taken away is one class instead of a look-ahead per letter;
 * - "spaces at the end" does not try again at every space of a run, which would be quadratic.
 */
#ifndef EAD_TEXT_PRETOK_TABLE_H
#define EAD_TEXT_PRETOK_TABLE_H

#include "text/pretok.h"

#include <stddef.h>

enum { PRETOK_STEPS_MAX = 6 };

/* One set of expressions, applied in order; NULL after the last. */
struct pretok_family {
    const char *steps[PRETOK_STEPS_MAX + 1];
    size_t threes; /* the step, from 1, whose matches are cut into threes from the right; 0: none */
};

struct pretok_entry {
    struct pretok_rules rules;
    const struct pretok_family *family;
};

/* The entry of a name of n bytes, NULL when it is not known. */
const struct pretok_entry *pretok_table_find(const char *name, size_t n);
/* Entry i in alphabetical order of names, NULL after the last. */
const struct pretok_entry *pretok_table_at(size_t i);

#endif
