/* Units of measure behind an answer: "cm^2", "miles per hour", "dollars", "p.m.". */
#ifndef EAD_GRADE_UNIT_H
#define EAD_GRADE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

enum unit_kind {
    UNIT_LENGTH,
    UNIT_MASS,
    UNIT_TIME,
    UNIT_MONEY,
    UNIT_BITS,
    UNIT_ANGLE,
    UNIT_TURNS,
    UNIT_ANY, /* "units", of a length that nobody names */
    UNIT_HALF_DAY,
    UNIT_KINDS
};

/* A product of units; all zero stands for none. */
struct unit {
    bool known; /* every word of it was understood, and it measures something */
    /* one letter, behind a space or right behind the number, may be a variable after all */
    enum { UNIT_PLAIN, UNIT_LETTER, UNIT_GLUED } letter;
    int power[UNIT_KINDS]; /* UNIT_HALF_DAY is not a quantity but keeps a.m. from p.m. */
    long long top, bottom; /* its size in metres, grams, seconds, dollars, bits */
};

/* Is the word one that measures? Single letters do only where `letters`. */
bool unit_is_word(const char *s, size_t n, bool letters);

/* 2 for "square", 3 for "cubic", 0 for another word. */
int unit_prefix(const char *s, size_t n);

struct unit unit_none(void);
/* Multiply by a word raised to `power`; a word that is no unit makes it unknown. */
void unit_add(struct unit *unit, const char *s, size_t n, int power);
bool unit_same_kind(const struct unit *a, const struct unit *b);
/* False of "units", which have none that a conversion could use. */
bool unit_has_size(const struct unit *unit);
bool unit_is_angle(const struct unit *unit); /* radians */

#endif
