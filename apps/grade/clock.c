#include "grade/clock.h"

enum { HOUR = 3600, MINUTE = 60, HALF_DAY = 12 * HOUR };

struct clock {
    int64_t seconds;
    int half;    /* 1 before noon, 2 after, 0 not said */
    int parts;   /* numbers it is written with */
    bool zeroed; /* a part begins with a zero, as no ratio does */
};

static bool whole(const struct node *node)
{
    return node->kind == NODE_VALUE && node->value.small && node->value.d == 1;
}

/* Minutes or seconds, with two digits. */
static bool sixtieth(const struct node *node)
{
    return whole(node) && node->code == 2 && node->value.n < 60;
}

/* The numbers of "20:34:00". */
static bool read_parts(const struct node *ratio, struct clock *out)
{
    const struct node *hour = ratio->child;
    int64_t unit = HOUR;
    if (!whole(hour) || hour->code > 2 || hour->value.n > 24) return false;
    out->seconds = hour->value.n * HOUR;
    out->zeroed = hour->code == 2 && hour->value.n < 10;
    out->parts = 1;
    for (const struct node *c = hour->next; c; c = c->next, out->parts++) {
        unit /= 60;
        if (!unit || !sixtieth(c)) return false;
        out->seconds += c->value.n * unit;
        out->zeroed |= c->value.n < 10;
    }
    return true;
}

static bool read_clock(const struct node *node, struct clock *out)
{
    *out = (struct clock){0};
    if (node->kind == NODE_UNIT && node->unit.power[UNIT_HALF_DAY]) {
        out->half = node->unit.power[UNIT_HALF_DAY];
        node = node->child;
    }
    if (node->kind == NODE_RATIO) {
        if (!read_parts(node, out)) return false;
    } else {
        if (!out->half || !whole(node) || node->value.n < 0 || node->value.n > 24) return false;
        out->seconds = node->value.n * HOUR;
        out->parts = 1;
    }
    return !out->half || (out->half <= 2 && out->seconds < HALF_DAY + HOUR);
}

bool clock_may_be(const struct node *node)
{
    struct clock clock;
    return read_clock(node, &clock);
}

bool clock_is(const struct node *node)
{
    struct clock clock;
    if (node->kind == NODE_UNIT && node->unit.power[UNIT_HALF_DAY]) return true;
    return read_clock(node, &clock) && clock.zeroed;
}

/* Seconds since midnight; 12 p.m. is noon. */
static int64_t of_day(const struct clock *clock)
{
    if (!clock->half) return clock->seconds;
    return clock->seconds % HALF_DAY + (clock->half == 2 ? HALF_DAY : 0);
}

/* Does it say, or show, which half of the day it is in? */
static bool is_definite(const struct clock *clock)
{
    return clock->half || clock->seconds < HOUR || clock->seconds >= HALF_DAY + HOUR;
}

bool clock_equal(const struct node *a, const struct node *b)
{
    struct clock x, y;
    if (!read_clock(a, &x) || !read_clock(b, &y)) return false;
    if ((x.half || y.half) && (!is_definite(&x) || !is_definite(&y)))
        return x.seconds % HALF_DAY == y.seconds % HALF_DAY;
    return of_day(&x) == of_day(&y);
}

bool clock_is_hour(const struct node *clock, struct value number)
{
    struct clock at;
    return read_clock(clock, &at) && at.half && number.small && number.d == 1 && number.n >= 0 &&
           number.n <= 24 && at.seconds == number.n * HOUR;
}
