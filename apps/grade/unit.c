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
    {{"gallon"}, UNIT_LENGTH, 3, 473176473, 125000000000},
    {{"quart"}, UNIT_LENGTH, 3, 473176473, 500000000000},
    {{"pint"}, UNIT_LENGTH, 3, 473176473, 1000000000000},
    {{"l", "liter", "litre"}, UNIT_LENGTH, 3, 1, 1000},
    {{"ml", "milliliter", "millilitre"}, UNIT_LENGTH, 3, 1, 1000000},
    {{"g", "gm", "gram"}, UNIT_MASS, 1, 1, 1},
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
    {{"rad", "radian"}, UNIT_ANGLE, 1, 1, 1},
    {{"revolution", "rotation"}, UNIT_TURNS, 1, 1, 1},
    {{"unit"}, UNIT_ANY, 1, 1, 1},
    {{"am", "a.m"}, UNIT_HALF_DAY, 1, 1, 1},
    {{"pm", "p.m"}, UNIT_HALF_DAY, 2, 1, 1},
};
enum { N_UNITS = sizeof units / sizeof *units };

/* Products of those. */
static const struct {
    const char *name;
    struct {
        const char *unit;
        int power;
    } parts[3];
} compounds[] = {
    {"mph", {{"mile", 1}, {"hour", -1}}},
    {"kph", {{"km", 1}, {"hour", -1}}},
    {"rpm", {{"revolution", 1}, {"minute", -1}}},
    {"hertz", {{"second", -1}}},
    {"newton", {{"kg", 1}, {"meter", 1}, {"second", -2}}},
    {"joule", {{"kg", 1}, {"meter", 2}, {"second", -2}}},
    {"watt", {{"kg", 1}, {"meter", 2}, {"second", -3}}},
};
enum { N_COMPOUNDS = sizeof compounds / sizeof *compounds };

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

static int find_compound(const char *s, size_t n)
{
    for (int i = 0; i < N_COMPOUNDS; i++)
        if (names(compounds[i].name, s, n)) return i;
    return -1;
}

int unit_prefix(const char *s, size_t n)
{
    if (names("square", s, n) || names("sq", s, n)) return 2;
    return names("cubic", s, n) || names("cu", s, n) ? 3 : 0;
}

bool unit_is_word(const char *s, size_t n, bool letters)
{
    if (n == 1 && !letters) return false;
    return unit_prefix(s, n) || find(s, n) >= 0 || find_compound(s, n) >= 0;
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
    const int compound = find_compound(s, n), i = find(s, n);
    if (compound >= 0) {
        for (int k = 0; k < 3 && compounds[compound].parts[k].unit; k++) {
            const char *part = compounds[compound].parts[k].unit;
            unit_add(unit, part, strlen(part), power * compounds[compound].parts[k].power);
        }
        return;
    }
    unit->known = i >= 0;
    for (int k = 0; i >= 0 && k < (power < 0 ? -power : power); k++) multiply(unit, i, power < 0);
}

/* "units" alone: how many dimensions they have; 0: it is another unit. */
static int any_power(const struct unit *unit)
{
    for (int i = 0; i < UNIT_KINDS; i++)
        if (i != UNIT_ANY && unit->power[i]) return 0;
    return unit->power[UNIT_ANY];
}

/* "square units" are any units of area; "units" anything but those of area and volume. */
static bool may_stand_for(int dimensions, const struct unit *unit)
{
    if (dimensions == 1) return unit->power[UNIT_LENGTH] >= 0 && unit->power[UNIT_LENGTH] <= 1;
    for (int i = 0; i < UNIT_KINDS; i++)
        if (unit->power[i] != (i == UNIT_LENGTH ? dimensions : 0)) return false;
    return true;
}

bool unit_same_kind(const struct unit *a, const struct unit *b)
{
    const int any_a = any_power(a), any_b = any_power(b);
    if (any_a && !any_b) return may_stand_for(any_a, b);
    if (any_b && !any_a) return may_stand_for(any_b, a);
    return !memcmp(a->power, b->power, sizeof a->power);
}

bool unit_has_size(const struct unit *unit)
{
    return !any_power(unit);
}

bool unit_is_angle(const struct unit *unit)
{
    for (int i = 0; i < UNIT_KINDS; i++)
        if (unit->power[i] != (i == UNIT_ANGLE)) return false;
    return true;
}
