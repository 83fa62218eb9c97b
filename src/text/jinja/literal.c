#include "text/jinja/literal.h"

#include "text/jinja/point.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------- */

static int digit_of(char c, int base)
{
    const int d = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : 99;
    return d < base ? d : -1;
}

/* Digits with single underscores between them, as long as they go. */
static size_t digits(const char *s, size_t n, int base)
{
    size_t i = 0;
    while (i < n && (digit_of(s[i], base) >= 0 ||
                     (s[i] == '_' && i && i + 1 < n && digit_of(s[i + 1], base) >= 0)))
        i++;
    return i;
}

static void read_whole(const char *s, size_t n, int base, struct literal_number *out)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '_') continue;
        if (__builtin_mul_overflow(out->i, base, &out->i) ||
            __builtin_add_overflow(out->i, digit_of(s[i], base), &out->i))
            out->too_large = true;
    }
}

static size_t whole(const char *s, size_t n, struct literal_number *out)
{
    static const char letters[] = "bBoOxX";
    static const int bases[] = {2, 8, 16};
    const char *letter = n > 2 && s[0] == '0' && s[1] ? strchr(letters, s[1]) : NULL;
    if (letter) {
        const int base = bases[(letter - letters) / 2];
        const size_t skip = s[2] == '_' ? 3 : 2, count = digits(s + skip, n - skip, base);
        if (count) {
            read_whole(s + skip, count, base, out);
            return skip + count;
        }
    }
    size_t count = digits(s, n, 10);
    if (s[0] == '0') /* zeros alone are a number that begins with one */
        for (count = 1; count < n && (s[count] == '0' || s[count] == '_');) count++;
    while (s[count - 1] == '_') count--;
    read_whole(s, count, 10, out);
    return count;
}

/* Bytes of ".5", "e-3" or both behind `from` digits; 0 when there is neither. */
static size_t fraction(const char *s, size_t n, size_t from)
{
    size_t i = from;
    if (i + 1 < n && s[i] == '.' && digits(s + i + 1, n - i - 1, 10))
        i += 1 + digits(s + i + 1, n - i - 1, 10);
    if (i + 1 < n && (s[i] == 'e' || s[i] == 'E')) {
        const size_t sign = s[i + 1] == '+' || s[i + 1] == '-';
        const size_t power = digits(s + i + 1 + sign, n - i - 1 - sign, 10);
        if (power) i += 1 + sign + power;
    }
    return i - from;
}

double literal_double(const char *s, size_t n, size_t *used)
{
    char text[512];
    size_t at = 0, i = 0;
    const char *point = localeconv()->decimal_point;
    for (; i < n && at + 8 < sizeof text; i++) {
        if (s[i] == '_') continue;
        if (s[i] != '.') {
            text[at++] = s[i];
            continue;
        }
        memcpy(text + at, point, strnlen(point, 7));
        at += strnlen(point, 7);
    }
    text[at] = 0;
    char *end;
    const double value = strtod(text, &end);
    *used = end == text + at ? i : (size_t)(end - text);
    return value;
}

size_t literal_number(const char *s, size_t n, bool may_float, struct literal_number *out)
{
    *out = (struct literal_number){0};
    const size_t first = digits(s, n, 10), more = may_float ? fraction(s, n, first) : 0;
    if (!more) return whole(s, n, out);
    size_t used;
    out->is_float = true;
    out->f = literal_double(s, first + more, &used);
    out->too_large = used < first + more;
    return first + more;
}

/* ---- strings ----------------------------------------------------------------------------- */

/* The code point of `count` hexadecimal digits, or -1. */
static int32_t hex(const char *s, size_t n, size_t count)
{
    int64_t value = 0;
    if (n < count) return -1;
    for (size_t i = 0; i < count; i++) {
        if (digit_of(s[i], 16) < 0) return -1;
        value = value * 16 + digit_of(s[i], 16);
    }
    return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff) ? (int32_t)value : -1;
}

static size_t octal(const char *s, size_t n, int32_t *point)
{
    size_t i = 0;
    for (*point = 0; i < 3 && i < n && digit_of(s[i], 8) >= 0; i++)
        *point = *point * 8 + digit_of(s[i], 8);
    return i;
}

/* The escape behind a backslash: the bytes it takes, and what it writes; 0 when it is none. */
static size_t escape(const char *s, size_t n, char out[4], size_t *n_out)
{
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    const char *known = *s ? strchr(from, *s) : NULL;
    const size_t count = *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
    int32_t point;
    *n_out = 1;
    if (known) {
        *out = to[known - from];
        return 1;
    }
    if (*s == '\n') { /* the line goes on */
        *n_out = 0;
        return 1;
    }
    if (*s == 'N') return 0; /* characters by their names */
    if (count) {
        point = hex(s + 1, n - 1, count);
        if (point < 0) return 0;
        *n_out = point_put(out, point);
        return 1 + count;
    }
    const size_t digits_read = octal(s, n, &point);
    if (digits_read) {
        *n_out = point_put(out, point);
        return digits_read;
    }
    out[0] = '\\'; /* as it stands */
    out[1] = *s;
    *n_out = 2;
    return 1;
}

bool literal_string(const char *s, size_t n, char *out, size_t *n_out)
{
    *n_out = 0;
    for (size_t i = 0; i < n;) {
        char bytes[4];
        size_t written;
        if (s[i] != '\\' || i + 1 == n) {
            out[(*n_out)++] = s[i++];
            continue;
        }
        const size_t used = escape(s + i + 1, n - i - 1, bytes, &written);
        if (!used) return false;
        memcpy(out + *n_out, bytes, written);
        *n_out += written;
        i += 1 + used;
    }
    return true;
}
