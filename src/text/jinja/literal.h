/* Numbers and strings as the template language writes them, which is Python's way. */
#ifndef EAD_TEXT_JINJA_LITERAL_H
#define EAD_TEXT_JINJA_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct literal_number {
    bool is_float, too_large;
    int64_t i;
    double f;
};

/* Read the number that begins at s, of n >= 1 bytes, with a digit; a fraction or an exponent only
 * where `may_float`. The bytes that belong to it. */
size_t literal_number(const char *s, size_t n, bool may_float, struct literal_number *out);

/* Undo the escapes of a string's inside; `out` has n bytes of room. False when an escape names no
 * character. */
bool literal_string(const char *s, size_t n, char *out, size_t *n_out);

/* A decimal number with a point, whatever the locale; it ends before `n` bytes do or at them.
 * *used is what was read. */
double literal_double(const char *s, size_t n, size_t *used);

#endif
