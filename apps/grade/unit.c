#include "grade/unit.h"

#include <string.h>
#include <strings.h>

enum { N_NAMES_MAX = 6 };

/* A name also stands for its plural in "s". Names of one letter count only beside a number. */
static const struct {
    const char *names[N_NAMES_MAX];
    int kind, power;
    long long top, bottom;
} units[] = {
    {{"m", "meter", "metre"}, UNIT_LENGTH, 1, 1, 1},
    {{"cm", "centimeter", "centimetre"}, UNIT_LENGTH, 1, 1, 100},
    {{"mm", "millimeter", "millimetre"}, UNIT_LENGTH, 1, 1, 1000},
    {{"km", "kilometer", "kilometre"}, UNIT_LENGTH, 1, 1000, 1},
    {{"in", "inch", "inches"}, UNIT_LENGTH, 1, 254, 10000},
    {{"ft", "foot", "feet"}, UNIT_LENGTH, 1, 3048, 10000},
    {{"yd", "yard"}, UNIT_LENGTH, 1, 9144, 10000},
    {{"mi", "mile"}, UNIT_LENGTH, 1, 1609344, 1000},
    {{"l", "liter", "litre"}, UNIT_LENGTH, 3, 1, 1000},
    {{"ml", "milliliter", "millilitre"}, UNIT_LENGTH, 3, 1, 1000000},
    {{"g", "gram"}, UNIT_MASS, 1, 1, 1},
    {{"kg", "kilogram"}, UNIT_MASS, 1, 1000, 1},
    {{"mg", "milligram"}, UNIT_MASS, 1, 1, 1000},
    {{"lb", "pound"}, UNIT_MASS, 1, 45359237, 100000},
    {{"oz", "ounce"}, UNIT_MASS, 1, 45359237, 1600000},
    {{"s", "sec", "second"}, UNIT_TIME, 1, 1, 1},
    {{"min", "minute"}, UNIT_TIME, 1, 60, 1},
    {{"h", "hr", "hour"}, UNIT_TIME, 1, 3600, 1},
    {{"day"}, UNIT_TIME, 1, 86400, 1},
    {{"week"}, UNIT_TIME, 1, 604800, 1},
    {{"month"}, UNIT_TIME, 1, 2629746, 1},
    {{"year", "yr"}, UNIT_TIME, 1, 31556952, 1},
    {{"dollar", "usd"}, UNIT_MONEY, 1, 1, 1},
    {{"cent"}, UNIT_MONEY, 1, 1, 100},
    {{"bit"}, UNIT_BITS, 1, 1, 1},
    {{"byte"}, UNIT_BITS, 1, 8, 1},
    {{"am", "a.m"}, UNIT_HALF_DAY, 1, 1, 1},
    {{"pm", "p.m"}, UNIT_HALF_DAY, 2, 1, 1},
};
enum { N_UNITS = sizeof units / sizeof *units };

/* Words that stand behind numbers and say nothing that could differ. */
static const char *const neutral[] = {"unit", "square", "sq", "cubic", "cu", "mph", "kph", "rpm"};
enum { N_NEUTRAL = sizeof neutral / sizeof *neutral };

static bool names(const char *name, const char *s, size_t n)
{
    const size_t length = strlen(name);
    if (length > n || strncasecmp(name, s, length)) return false;
    return length == n || (length > 1 && length + 1 == n && (s[length] == 's' || s[length] == '.'));
}

static int find(const char *s, size_t n)
{
    for (int i = 0; i < N_UNITS; i++)
        for (int k = 0; k < N_NAMES_MAX && units[i].names[k]; k++)
            if (names(units[i].names[k], s, n)) return i;
    return -1;
}

bool unit_is_word(const char *s, size_t n, bool letters)
{
    if (n == 1 && !letters) return false;
    for (int i = 0; i < N_NEUTRAL; i++)
        if (names(neutral[i], s, n)) return true;
    return find(s, n) >= 0;
}

struct unit unit_none(void)
{
    return (struct unit){.top = 1, .bottom = 1};
}

static void multiply(struct unit *unit, int i, bool inverse)
{
    const long long top = inverse ? units[i].bottom : units[i].top;
    const long long bottom = inverse ? units[i].top : units[i].bottom;
    if (__builtin_mul_overflow(unit->top, top, &unit->top) ||
        __builtin_mul_overflow(unit->bottom, bottom, &unit->bottom))
        unit->known = false, unit->top = unit->bottom = 1;
    unit->power[units[i].kind] += inverse ? -units[i].power : units[i].power;
}

void unit_add(struct unit *unit, const char *s, size_t n, int power)
{
    if (names("mph", s, n)) {
        unit_add(unit, "mile", 4, power);
        unit_add(unit, "hour", 4, -power);
        return;
    }
    const int i = find(s, n);
    unit->known = i >= 0;
    if (i < 0 || power < -4 || power > 4) return;
    for (int k = 0; k < (power < 0 ? -power : power); k++) multiply(unit, i, power < 0);
}

bool unit_same_kind(const struct unit *a, const struct unit *b)
{
    return !memcmp(a->power, b->power, sizeof a->power);
}
