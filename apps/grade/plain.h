/* Two answers as the same row of signs, whatever their spacing, fonts, case and braces: the
 * comparison that needs no understanding. */
#ifndef EAD_GRADE_PLAIN_H
#define EAD_GRADE_PLAIN_H

#include "grade/latex.h"

/* The tokens [from, to) of both; false for nothing at all. */
bool plain_equal(const struct latex *a, size_t a_from, size_t a_to, const struct latex *b,
                 size_t b_from, size_t b_to);

#endif
