#include "text/jinja/point.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

int32_t point_at(const char *s, size_t n, size_t *size)
{
    const uint8_t first = (uint8_t)*s;
    *size = 1;
    if (first < 0x80) return first;
    const int bytes = utf8_char(s, n);
    if (bytes <= 1) return -(int32_t)first;
    *size = (size_t)bytes;
    int32_t point = first & (0x7f >> bytes);
    for (int i = 1; i < bytes; i++) point = point << 6 | ((uint8_t)s[i] & 0x3f);
    return point;
}

int32_t point_last(const char *s, size_t n, size_t *size)
{
    for (size_t back = 1; back <= 4 && back <= n; back++) {
        if (((uint8_t)s[n - back] & 0xc0) == 0x80) continue;
        const int32_t point = point_at(s + n - back, back, size);
        if (*size == back) return point;
        break;
    }
    *size = 1;
    return -(int32_t)(uint8_t)s[n - 1];
}

size_t point_put(char out[4], int32_t point)
{
    if (point < 0) {
        *out = (char)-point;
        return 1;
    }
    return (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out);
}

size_t point_count(const char *s, size_t n)
{
    size_t count = 0, size;
    for (size_t i = 0; i < n; i += size, count++) point_at(s + i, n - i, &size);
    return count;
}

size_t point_offset(const char *s, size_t n, size_t i)
{
    size_t at = 0, size;
    for (; i && at < n; at += size, i--) point_at(s + at, n - at, &size);
    return at;
}

/* ---- classes ----------------------------------------------------------------------------- */

static bool is_space(int32_t p)
{
    if (p < 0x80) return p == ' ' || (p >= 9 && p <= 13) || (p >= 28 && p <= 31);
    if (p == 0x85) return true;
    const utf8proc_category_t c = utf8proc_category(p);
    return c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL || c == UTF8PROC_CATEGORY_ZP;
}

static bool is_line_end(int32_t p)
{
    return (p >= 10 && p <= 13) || (p >= 28 && p <= 30) || p == 0x85 || p == 0x2028 || p == 0x2029;
}

static bool is_printable(int32_t p)
{
    if (p == ' ') return true;
    switch (utf8proc_category(p)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS: return false;
    default: return true;
    }
}

static bool is_letter(int32_t p)
{
    const utf8proc_category_t c = utf8proc_category(p);
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

/* Superscripts and digits in circles are no decimals; fractions and Roman numerals no digits. */
static bool is_digit(int32_t p)
{
    return utf8proc_category(p) == UTF8PROC_CATEGORY_ND || p == 0xb2 || p == 0xb3 || p == 0xb9 ||
           p == 0x2070 || (p >= 0x2074 && p <= 0x2079) || (p >= 0x2080 && p <= 0x2089);
}

bool point_is(int32_t p, enum point_class class)
{
    if (p < 0) return false;
    const utf8proc_category_t c = utf8proc_category(p);
    switch (class) {
    case POINT_SPACE: return is_space(p);
    case POINT_ALPHA: return is_letter(p);
    case POINT_DECIMAL: return c == UTF8PROC_CATEGORY_ND;
    case POINT_DIGIT: return is_digit(p);
    case POINT_NUMERIC: return c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO;
    case POINT_UPPER: return utf8proc_isupper(p) && c != UTF8PROC_CATEGORY_LT;
    case POINT_LOWER: return utf8proc_islower(p);
    case POINT_TITLE: return c == UTF8PROC_CATEGORY_LT;
    case POINT_PRINTABLE: return is_printable(p);
    case POINT_LINE_END: return is_line_end(p);
    }
    return false;
}

/* ---- case -------------------------------------------------------------------------------- */

enum status point_add_case(struct buf *out, int32_t p, enum point_case c)
{
    enum { SHARP_S = 0xdf }; /* the one common letter that grows */
    char bytes[4];
    if (p == SHARP_S && c != POINT_TO_LOWER)
        return buf_add_str(out, c == POINT_TO_UPPER ? "SS" : "Ss");
    if (p >= 0)
        p = c == POINT_TO_LOWER   ? utf8proc_tolower(p)
            : c == POINT_TO_UPPER ? utf8proc_toupper(p)
                                  : utf8proc_totitle(p);
    return buf_add(out, bytes, point_put(bytes, p));
}

void point_strip(const char *s, size_t *from, size_t *to, bool left, bool right)
{
    size_t size;
    while (left && *from < *to && point_is(point_at(s + *from, *to - *from, &size), POINT_SPACE))
        *from += size;
    while (right && *from < *to && point_is(point_last(s + *from, *to - *from, &size), POINT_SPACE))
        *to -= size;
}
