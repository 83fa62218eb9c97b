/*
 * Texts by code points, as Python counts them, and what Unicode says of each. A byte that is not
 * part of a well-formed character counts as one point, and belongs to no class.
 */
#ifndef EAD_TEXT_JINJA_POINT_H
#define EAD_TEXT_JINJA_POINT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The point at s, of n >= 1 bytes; *size its bytes. A stray byte is negative. */
int32_t point_at(const char *s, size_t n, size_t *size);
/* The last point of s, of n >= 1 bytes. */
int32_t point_last(const char *s, size_t n, size_t *size);
/* Write it; returns the bytes written, at most 4. */
size_t point_put(char out[4], int32_t point);

size_t point_count(const char *s, size_t n);
/* Bytes before point i, n when there are fewer points. */
size_t point_offset(const char *s, size_t n, size_t i);

enum point_class {
    POINT_SPACE,   /* str.isspace, and what strip() strips */
    POINT_ALPHA,   /* letters */
    POINT_DECIMAL, /* str.isdecimal */
    POINT_DIGIT,   /* str.isdigit: also superscripts */
    POINT_NUMERIC, /* str.isnumeric: also fractions */
    POINT_UPPER,   /* the next three have case */
    POINT_LOWER,
    POINT_TITLE,
    POINT_PRINTABLE, /* repr() shows it as it is */
    POINT_LINE_END   /* splitlines() cuts behind it */
};
bool point_is(int32_t point, enum point_class c);

enum point_case { POINT_TO_LOWER, POINT_TO_UPPER, POINT_TO_TITLE };
/* Append the point in that case, which may be several. */
MUST_USE enum status point_add_case(struct buf *out, int32_t point, enum point_case c);

/* [*from, *to) without white space on the left, the right, or both. */
void point_strip(const char *s, size_t *from, size_t *to, bool left, bool right);

#endif
