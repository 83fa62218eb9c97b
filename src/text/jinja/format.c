#include "text/jinja/format.h"

#include "text/jinja/point.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How one value is to be written: "[[fill]align][sign][#][0][width][,][.precision][type]". */
struct spec {
    char fill[4];
    size_t n_fill;
    char align, sign, type; /* 0: none given */
    bool other_form, zeros, comma;
    int width, precision; /* -1: none */
};

enum { WIDTH_MAX = 4096 };

/* A number, -1 when there is none; above WIDTH_MAX they are all alike. */
static int read_count(const char *s, size_t n, size_t *at)
{
    int count = -1;
    for (; *at < n && s[*at] >= '0' && s[*at] <= '9'; ++*at)
        if (count <= WIDTH_MAX) count = (count < 0 ? 0 : count) * 10 + s[*at] - '0';
    return count;
}

/* What would make another text than Python's is an error. */
static enum status check_spec(struct jinja_run *run, const struct spec *spec)
{
    const bool whole = spec->type && strchr("diuxXob", spec->type);
    if (spec->width > WIDTH_MAX ||
        (spec->precision > 60 && !(spec->type && strchr("sr", spec->type))))
        return run_fault(run, "a format wider than %d, or with more than 60 digits", WIDTH_MAX);
    if ((whole && spec->precision >= 0) || (spec->comma && spec->zeros))
        return run_fault(run, "a format with digits of a whole number, or zeros before commas");
    return ST_OK;
}

/* ---- one value --------------------------------------------------------------------------- */

/* Write s, filled up to the width. `sign` bytes at its front stay in front of zeros. */
static enum status put_padded(struct jinja_run *run, const struct spec *spec, const char *s,
                              size_t n, size_t sign, char usual)
{
    const char align = spec->align ? spec->align : usual;
    const int64_t points = (int64_t)point_count(s, n);
    const int64_t gap = spec->width > points ? spec->width - points : 0;
    const int64_t left = align == '<' ? 0 : align == '^' ? gap / 2 : gap;
    if (align == '=') TRY(run_write(run, s, sign));
    for (int64_t i = 0; i < left; i++) TRY(run_write(run, spec->fill, spec->n_fill));
    const size_t skip = align == '=' ? sign : 0;
    TRY(run_write(run, s + skip, n - skip));
    for (int64_t i = left; i < gap; i++) TRY(run_write(run, spec->fill, spec->n_fill));
    return ST_OK;
}

/* Commas between thousands of the digits in s, which has room. */
static void add_commas(char *s, size_t room)
{
    const size_t digits = strspn(s, "0123456789");
    for (size_t at = digits; at > 3; at -= 3) {
        const size_t n = strlen(s);
        if (n + 2 > room) return;
        memmove(s + at - 2, s + at - 3, n - (at - 3) + 1);
        s[at - 3] = ',';
    }
}

static size_t sign_of(const struct spec *spec, bool negative, char *out)
{
    *out = negative ? '-' : spec->sign;
    return *out && *out != '-' ? 1 : negative;
}

static enum status put_whole(struct jinja_run *run, const struct spec *spec, struct jv v)
{
    char text[128];
    const int64_t i = jv_whole(v);
    const uint64_t size = i < 0 ? -(uint64_t)i : (uint64_t)i;
    size_t at = sign_of(spec, i < 0, text);
    const char *prefix = !spec->other_form   ? ""
                         : spec->type == 'x' ? "0x"
                         : spec->type == 'X' ? "0X"
                         : spec->type == 'o' ? "0o"
                         : spec->type == 'b' ? "0b"
                                             : "";
    at += (size_t)snprintf(text + at, 4, "%s", prefix);
    const size_t sign = at;
    char *digits = text + at;
    const size_t room = sizeof text - at;
    switch (spec->type) {
    case 'x': snprintf(digits, room, "%" PRIx64, size); break;
    case 'X': snprintf(digits, room, "%" PRIX64, size); break;
    case 'o': snprintf(digits, room, "%" PRIo64, size); break;
    case 'b': {
        int bit = 63;
        while (bit && !(size >> bit & 1)) bit--;
        for (; bit >= 0; bit--) *digits++ = (char)('0' + (size >> bit & 1));
        *digits = 0;
        break;
    }
    default: snprintf(digits, room, "%" PRIu64, size);
    }
    if (spec->comma) add_commas(text + at, room);
    return put_padded(run, spec, text, strlen(text), sign, spec->zeros ? '=' : '>');
}

/* snprintf writes the locale's point; Python's is always ".". */
static void set_point(char *s)
{
    for (; *s; s++)
        if (strchr(",;:", *s)) *s = '.';
}

static enum status put_real(struct jinja_run *run, const struct spec *spec, double f)
{
    char text[512], form[16];
    size_t sign = sign_of(spec, signbit(f), text);
    char type = spec->type ? spec->type : 'g';
    const int precision = spec->precision < 0 ? 6 : spec->precision < 60 ? spec->precision : 60;
    const bool percent = type == '%';
    if (percent) type = 'f';
    snprintf(form, sizeof form, "%%%s.*%c", spec->other_form ? "#" : "", type);
    if (isinf(f) || isnan(f))
        snprintf(text + sign, 8, "%s", isnan(f) ? "nan" : "inf");
    else
        snprintf(text + sign, sizeof text - sign - 2, form, precision,
                 percent ? 100 * fabs(f) : fabs(f));
    set_point(text + sign);
    if (spec->comma) add_commas(text + sign, sizeof text - sign - 2);
    if (percent) strcat(text, "%");
    return put_padded(run, spec, text, strlen(text), sign, spec->zeros ? '=' : '>');
}

static enum status put_text(struct jinja_run *run, const struct spec *spec, struct jv v)
{
    const size_t n = spec->precision < 0 ? v.n : point_offset(v.s, v.n, (size_t)spec->precision);
    return put_padded(run, spec, v.s, n, 0, '<');
}

/* ---- "%s" -------------------------------------------------------------------------------- */

struct filling {
    struct jinja_run *run;
    struct jv values;
    uint32_t next; /* of a tuple */
};

static enum status next_value(struct filling *f, struct jv *out)
{
    const bool many = f->values.kind == JV_TUPLE;
    const uint32_t n = many ? f->values.list->n : 1;
    if (f->next == n) return run_fault(f->run, "the format has more places than there are values");
    *out = many ? f->values.list->items[f->next] : f->values;
    f->next++;
    return ST_OK;
}

/* "(name)" at s[*at]: the value of that key. */
static enum status keyed_value(struct filling *f, struct jv format, size_t *at, struct jv *out)
{
    const char *end = memchr(format.s + *at, ')', format.n - *at);
    if (!end || f->values.kind != JV_DICT)
        return run_fault(f->run, "the format names a key, and there is no dict");
    const size_t from = *at + 1;
    *at = (size_t)(end - format.s) + 1;
    const struct jv *found;
    TRY(run_find(f->run, f->values.dict, jv_text(format.s + from, *at - 1 - from), &found));
    if (!found) return run_fault(f->run, "the format names a key that is not there");
    *out = *found;
    f->next = 1;
    return ST_OK;
}

static void percent_spec(struct jv format, size_t *at, struct spec *spec)
{
    *spec = (struct spec){.fill = " ", .n_fill = 1, .width = -1, .precision = -1};
    for (; *at < format.n && strchr("-+ #0", format.s[*at]) && format.s[*at]; ++*at) {
        const char c = format.s[*at];
        if (c == '-') spec->align = '<';
        if (c == '0') spec->zeros = true;
        if (c == '#') spec->other_form = true;
        if (c == '+' || (c == ' ' && spec->sign != '+')) spec->sign = c;
    }
    spec->width = read_count(format.s, format.n, at);
    if (*at < format.n && format.s[*at] == '.') {
        ++*at;
        spec->precision = read_count(format.s, format.n, at);
        if (spec->precision < 0) spec->precision = 0;
    }
    while (*at < format.n && strchr("hlL", format.s[*at]) && format.s[*at]) ++*at;
    spec->type = *at < format.n ? format.s[(*at)++] : 0;
}

static enum status put_percent(struct filling *f, struct spec *spec, struct jv v)
{
    struct jinja_run *run = f->run;
    const char type = spec->type;
    TRY(check_spec(run, spec));
    if (type && strchr("sr", type)) {
        const size_t mark = run->out->len;
        struct jv text;
        TRY(type == 's' ? run_show(run, v) : run_repr(run, v));
        TRY(run_cut(run, mark, &text));
        if (!spec->align) spec->align = '>';
        return put_text(run, spec, text);
    }
    if (!jv_is_number(v) || !type)
        return run_fault(run, "the format's %%%c: expected a number, found %s", type ? type : '?',
                         jv_type_name(v));
    if (spec->zeros && !spec->align) spec->fill[0] = '0';
    if (strchr("diu", type)) {
        spec->type = 'd';
        if (v.kind == JV_FLOAT && !(fabs(v.f) < 0x1p63))
            return run_fault(run, "the format's %%%c: a number beyond 64 bits", type);
        if (v.kind == JV_FLOAT) v = jv_int((int64_t)v.f);
        return put_whole(run, spec, v);
    }
    if (strchr("xXo", type) && jv_is_whole(v)) return put_whole(run, spec, v);
    if (strchr("eEfFgG", type)) return put_real(run, spec, jv_real(v));
    return run_fault(run, "the format's %%%c is not supported", type);
}

enum status format_percent(struct jinja_run *run, struct jv format, struct jv values,
                           struct jv *out)
{
    struct filling f = {.run = run, .values = values};
    const size_t mark = run->out->len;
    TRY(run_charge(run, format.n / 8));
    for (size_t at = 0; at < format.n;) {
        const char *sign = memchr(format.s + at, '%', format.n - at);
        const size_t to = sign ? (size_t)(sign - format.s) : format.n;
        struct spec spec;
        struct jv v = jv_none();
        TRY(run_write(run, format.s + at, to - at));
        at = to + 1;
        if (at > format.n) break;
        const bool keyed = at < format.n && format.s[at] == '(';
        if (keyed) TRY(keyed_value(&f, format, &at, &v));
        percent_spec(format, &at, &spec);
        if (spec.type == '%') {
            TRY(run_write(run, "%", 1));
            continue;
        }
        if (!keyed) TRY(next_value(&f, &v));
        TRY(put_percent(&f, &spec, v));
    }
    const bool has_items = values.kind == JV_DICT || values.kind == JV_LIST;
    if (f.next < (values.kind == JV_TUPLE ? values.list->n : !has_items))
        return run_fault(run, "there are more values than the format has places");
    return run_cut(run, mark, out);
}

/* ---- "{}" -------------------------------------------------------------------------------- */

static enum status brace_spec(struct jinja_run *run, const char *s, size_t n, struct spec *spec)
{
    size_t at = 0, size = 0;
    *spec = (struct spec){.fill = " ", .n_fill = 1, .width = -1, .precision = -1};
    if (n) point_at(s, n, &size);
    if (size < n && s[size] && strchr("<>^=", s[size])) {
        memcpy(spec->fill, s, size);
        spec->n_fill = size;
        spec->align = s[size];
        at = size + 1;
    } else if (n && *s && strchr("<>^=", *s)) {
        spec->align = s[at++];
    }
    if (at < n && s[at] && strchr("+- ", s[at])) spec->sign = s[at++];
    spec->other_form = at < n && s[at] == '#';
    at += spec->other_form;
    if (at < n && s[at] == '0') {
        spec->zeros = true;
        at++;
        if (!spec->align) spec->fill[0] = '0';
    }
    spec->width = read_count(s, n, &at);
    spec->comma = at < n && s[at] == ',';
    at += spec->comma;
    if (at < n && s[at] == '.') {
        at++;
        spec->precision = read_count(s, n, &at);
    }
    if (at < n) spec->type = s[at++];
    if (at == n && (!spec->type || strchr("sdxXobeEfFgG%", spec->type))) return ST_OK;
    return run_fault(run, "the format's \"%.*s\" is not supported", (int)(n < 40 ? n : 40), s);
}

/* Nothing but "{}". */
static bool is_plain(const struct spec *spec)
{
    return !spec->type && !spec->align && !spec->sign && !spec->other_form && !spec->zeros &&
           !spec->comma && spec->width < 0 && spec->precision < 0;
}

/* A float by its fewest digits. */
static enum status put_shown(struct jinja_run *run, const struct spec *spec, struct jv v)
{
    char text[64];
    struct jv digits;
    const size_t sign = sign_of(spec, signbit(v.f), text);
    TRY(run_text(run, jv_float(fabs(v.f)), &digits));
    memcpy(text + sign, digits.s, digits.n); /* 24 at the most */
    text[sign + digits.n] = 0;
    if (spec->comma) add_commas(text + sign, sizeof text - sign);
    return put_padded(run, spec, text, strlen(text), sign, spec->zeros ? '=' : '>');
}

static enum status put_brace(struct jinja_run *run, const struct spec *spec, struct jv v)
{
    const bool text = !spec->type || spec->type == 's',
               whole = spec->type && strchr("dxXob", spec->type);
    const bool plain_bool = v.kind == JV_BOOL && is_plain(spec);
    if (v.kind == JV_FLOAT && whole)
        return run_fault(run, "the format's type '%c': found float", spec->type);
    if (jv_is_whole(v) && !plain_bool && spec->type != 's') {
        if (!spec->type || strchr("dxXob", spec->type)) return put_whole(run, spec, v);
        return put_real(run, spec, jv_real(v));
    }
    if (v.kind == JV_FLOAT && spec->type != 's')
        return spec->type || spec->precision >= 0 ? put_real(run, spec, v.f)
                                                  : put_shown(run, spec, v);
    if (!text)
        return run_fault(run, "the format's type '%c': found %s", spec->type, jv_type_name(v));
    struct jv shown;
    TRY(run_text(run, v, &shown));
    return put_text(run, spec, shown);
}

/* What a field names: "", "0" or "name", and ".attribute" and "[item]" behind it. */
static enum status field_value(struct jinja_run *run, const char *s, size_t n,
                               const struct arguments *args, int *next, struct jv *out)
{
    size_t head = 0;
    while (head < n && s[head] != '.' && s[head] != '[') head++;
    size_t at = 0;
    TRY(run_charge(run, (uint64_t)args->n_named / 8));
    int index = head ? read_count(s, head, &at) : (*next)++;
    *out = (struct jv){.kind = JV_ABSENT};
    if (at == head && index >= 0 && index < args->n) *out = args->item[index];
    for (int i = 0; i < args->n_named; i++)
        if (named_is(&args->named[i], s, head)) *out = args->named[i].value;
    if (out->kind == JV_ABSENT)
        return run_fault(run, "the format asks for \"%.*s\", which is not there",
                         (int)(head < 40 ? head : 40), s);
    for (at = head; at < n;) {
        const bool item = s[at] == '[';
        size_t end = ++at;
        while (end < n && (item ? s[end] != ']' : s[end] != '.' && s[end] != '[')) end++;
        size_t digits = at;
        const int whole = read_count(s, end, &digits);
        const struct jv key =
            item && digits == end && whole >= 0 ? jv_int(whole) : jv_text(s + at, end - at);
        TRY(item ? run_item(run, *out, key, out) : run_attribute(run, *out, key, out));
        at = end + item;
    }
    return ST_OK;
}

/* The inside of a pair of braces: "field!conversion:spec". */
static enum status put_field(struct jinja_run *run, const char *s, size_t n,
                             const struct arguments *args, int *next)
{
    struct spec spec;
    struct jv v;
    const char *colon = memchr(s, ':', n);
    const size_t left = colon ? (size_t)(colon - s) : n;
    const char *mark = memchr(s, '!', left);
    const size_t name = mark ? (size_t)(mark - s) : left;
    TRY(field_value(run, s, name, args, next, &v));
    if (mark) {
        const size_t from = run->out->len;
        const char how = left == name + 2 ? s[name + 1] : 0;
        if (how != 'r' && how != 's')
            return run_fault(run, "a format with another \"!\" than s or r");
        TRY(how == 'r' ? run_repr(run, v) : run_show(run, v));
        TRY(run_cut(run, from, &v));
    }
    TRY(brace_spec(run, colon ? colon + 1 : "", colon ? n - left - 1 : 0, &spec));
    TRY(check_spec(run, &spec));
    if (v.kind == JV_FLOAT && !spec.type && spec.precision >= 0)
        return run_fault(run, "a format with digits and no type");
    if (colon && n - left > 1 && v.kind != JV_TEXT && !jv_is_number(v))
        return run_fault(run, "a format with a width of a %s", jv_type_name(v));
    return put_brace(run, &spec, v);
}

enum status format_braces(struct jinja_run *run, struct jv format, const struct arguments *args,
                          struct jv *out)
{
    const size_t mark = run->out->len;
    int next = 0;
    TRY(run_charge(run, format.n / 8));
    for (size_t at = 0; at < format.n; at++) {
        const char c = format.s[at];
        const bool twice = at + 1 < format.n && format.s[at + 1] == c;
        if ((c == '{' || c == '}') && twice) at++;
        if (c != '{' || twice) {
            if (c == '}' && !twice) return run_fault(run, "a single \"}\" in a format");
            TRY(run_write(run, &c, 1));
            continue;
        }
        const char *end = memchr(format.s + at, '}', format.n - at);
        if (!end) return run_fault(run, "a \"{\" without an end in a format");
        TRY(put_field(run, format.s + at + 1, (size_t)(end - format.s) - at - 1, args, &next));
        at = (size_t)(end - format.s);
    }
    return run_cut(run, mark, out);
}

/* ---- HTML -------------------------------------------------------------------------------- */

enum status format_escape(struct jinja_run *run, struct jv v, struct jv *out)
{
    static const char plain[] = "&<>\"'";
    static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
    const size_t mark = run->out->len;
    *out = v;
    if (v.kind == JV_TEXT && v.tag & JV_MARKUP) return ST_OK;
    TRY(run_text(run, v, &v));
    for (size_t i = 0; i < v.n; i++) {
        const char *at = v.s[i] ? strchr(plain, v.s[i]) : NULL;
        TRY(at ? run_write(run, entity[at - plain], strlen(entity[at - plain]))
               : run_write(run, v.s + i, 1));
    }
    TRY(run_cut(run, mark, out));
    out->tag = JV_MARKUP;
    return ST_OK;
}
