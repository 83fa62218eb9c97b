#include "eval/quote.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_KEPT = 15 }; /* that any double gives back */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *s, const char *end)
{
    size_t n = 0;
    while (s + n < end && digit(s[n])) n++;
    return n;
}

/* Bytes of the JSON number at s; 0: none stands there. *is_long: it wants quotes. */
static size_t number(const char *s, const char *end, bool *is_long)
{
    const char *at = s + (*s == '-');
    const size_t whole = digits(at, end);
    size_t behind = 0, exponent = 0;
    if (!whole || (whole > 1 && *at == '0')) return 0;
    at += whole;
    if (end - at > 1 && *at == '.') {
        behind = digits(at + 1, end);
        if (!behind) return 0;
        at += 1 + behind;
    }
    if (end - at > 1 && (*at == 'e' || *at == 'E')) {
        const size_t sign = at[1] == '+' || at[1] == '-';
        exponent = digits(at + 1 + sign, end);
        if (!exponent) return 0;
        at += 1 + sign + exponent;
    }
    *is_long = exponent || whole + behind > DIGITS_KEPT;
    return (size_t)(at - s);
}

/* Bytes of the string at s, with both its quotes; one without an end ends with its line, and is a
 * fault of that alone. */
static size_t string(const char *s, const char *end)
{
    const char *at = s + 1;
    while (at < end && *at != '"' && *at != '\n') at += *at == '\\' && end - at > 1 ? 2 : 1;
    return (size_t)(at - s) + (at < end && *at == '"');
}

char *quote_long_numbers(const char *text, size_t *n)
{
    /* a number that is quoted has three bytes at least, as "1e5" */
    char *out = malloc(2 * *n + 1), *to = out;
    const char *end = text + *n;
    if (!out) return NULL;
    for (const char *s = text; s < end;) {
        bool is_long = false;
        const bool starts = digit(*s) || (*s == '-' && end - s > 1);
        size_t bytes = *s == '"' ? string(s, end) : starts ? number(s, end, &is_long) : 1;
        if (!bytes) bytes = 1;
        if (is_long) *to++ = '"';
        memcpy(to, s, bytes);
        to += bytes;
        if (is_long) *to++ = '"';
        s += bytes;
    }
    *to = 0;
    *n = (size_t)(to - out);
    return out;
}
