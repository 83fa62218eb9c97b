#include "text/jinja/show.h"

#include "text/jinja/literal.h"
#include "text/jinja/point.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------- */

enum { DIGITS_MAX = 17 };

/* The fewest digits that are f again, and the power of ten behind the first. Where up to 15 are
 * enough, the nearest 15 are these and zeros; only what is too small to have 15 is tried one by
 * one.
 */
static int shortest(double f, char digits[DIGITS_MAX + 1], int *power)
{
    for (int count = f < DBL_MIN ? 1 : 15;; count++) {
        char text[40];
        size_t used;
        int n = 0;
        snprintf(text, sizeof text, "%.*e", count - 1, f);
        const char *e = strchr(text, 'e');
        for (const char *c = text; c < e; c++) /* whatever the locale's point is */
            if (*c >= '0' && *c <= '9') digits[n++] = *c;
        while (n > 1 && digits[n - 1] == '0') n--;
        digits[n] = 0;
        *power = atoi(e + 1);
        for (char *c = text; c < e; c++)
            if ((*c < '0' || *c > '9') && *c != '-') *c = '.';
        if (count == DIGITS_MAX || literal_double(text, strlen(text), &used) == f) return n;
    }
}

enum status show_float(struct buf *out, double f)
{
    char digits[DIGITS_MAX + 1];
    int power;
    if (isnan(f)) return buf_add_str(out, "nan");
    if (signbit(f)) TRY(buf_add_str(out, "-"));
    if (isinf(f)) return buf_add_str(out, "inf");
    const int n = shortest(fabs(f), digits, &power);
    if (power < -4 || power >= 16)
        return buf_printf(out, "%c%s%se%c%02d", *digits, n > 1 ? "." : "", digits + 1,
                          power < 0 ? '-' : '+', abs(power));
    if (power < 0) return buf_printf(out, "0.%.*s%s", -power - 1, "0000", digits);
    if (n <= power + 1)
        return buf_printf(out, "%s%.*s.0", digits, power + 1 - n, "0000000000000000");
    return buf_printf(out, "%.*s.%s", power + 1, digits, digits + power + 1);
}

/* ---- texts ------------------------------------------------------------------------------- */

static enum status show_point(struct buf *out, int32_t p, char quote, const char *s, size_t size)
{
    static const char plain[] = "\\\n\r\t", letters[] = "\\nrt";
    const char *known = p > 0 && p < 0x80 ? strchr(plain, p) : NULL;
    if (known) return buf_printf(out, "\\%c", letters[known - plain]);
    if (p == quote) return buf_printf(out, "\\%c", quote);
    if (p < 0) return buf_printf(out, "\\x%02x", -p);
    if (point_is(p, POINT_PRINTABLE)) return buf_add(out, s, size);
    return buf_printf(out,
                      p < 0x100     ? "\\x%02x"
                      : p < 0x10000 ? "\\u%04x"
                                    : "\\U%08x",
                      (unsigned)p);
}

static enum status repr_text(struct buf *out, const char *s, size_t n)
{
    const char quote = memchr(s, '\'', n) && !memchr(s, '"', n) ? '"' : '\'';
    TRY(buf_add(out, &quote, 1));
    for (size_t i = 0, size; i < n; i += size) {
        const int32_t p = point_at(s + i, n - i, &size);
        TRY(show_point(out, p, quote, s + i, size));
    }
    return buf_add(out, &quote, 1);
}

/* ---- containers -------------------------------------------------------------------------- */

static enum status show_items(struct buf *out, const struct jv_list *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (i) TRY(buf_add_str(out, ", "));
        TRY(show_repr(out, list->items[i]));
    }
    return ST_OK;
}

static enum status show_list(struct buf *out, struct jv v)
{
    const struct jv_list *list = v.list;
    switch (v.kind) {
    case JV_LIST:
        TRY(buf_add_str(out, "["));
        TRY(show_items(out, list));
        return buf_add_str(out, "]");
    case JV_TUPLE:
        TRY(buf_add_str(out, "("));
        TRY(show_items(out, list));
        return buf_add_str(out, list->n == 1 ? ",)" : ")");
    case JV_VIEW:
        TRY(buf_printf(out, "%s([", list->shown));
        TRY(show_items(out, list));
        return buf_add_str(out, "])");
    case JV_RANGE: return buf_printf(out, "%s", list->shown);
    default: return buf_add_str(out, "<generator object>");
    }
}

static enum status show_dict(struct buf *out, const struct jv_dict *dict)
{
    TRY(buf_add_str(out, "{"));
    for (uint32_t i = 0; i < dict->n; i++) {
        if (i) TRY(buf_add_str(out, ", "));
        TRY(show_repr(out, dict->pairs[i].key));
        TRY(buf_add_str(out, ": "));
        TRY(show_repr(out, dict->pairs[i].value));
    }
    return buf_add_str(out, "}");
}

enum status show_repr(struct buf *out, struct jv v)
{
    switch (v.kind) {
    case JV_UNDEFINED: return buf_add_str(out, "Undefined");
    case JV_NONE: return buf_add_str(out, "None");
    case JV_BOOL: return buf_add_str(out, v.b ? "True" : "False");
    case JV_INT: return buf_printf(out, "%" PRId64, v.i);
    case JV_FLOAT: return show_float(out, v.f);
    case JV_TEXT:
        if (!(v.tag & JV_MARKUP)) return repr_text(out, v.s, v.n);
        TRY(buf_add_str(out, "Markup("));
        TRY(repr_text(out, v.s, v.n));
        return buf_add_str(out, ")");
    case JV_DICT: return show_dict(out, v.dict);
    default: break;
    }
    if (jv_is_list(v)) return show_list(out, v);
    return buf_printf(out, "<%s>", jv_type_name(v));
}

enum status show_str(struct buf *out, struct jv v)
{
    if (v.kind == JV_TEXT) return buf_add(out, v.s, v.n);
    return v.kind == JV_UNDEFINED ? ST_OK : show_repr(out, v);
}
