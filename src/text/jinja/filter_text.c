#include "text/jinja/filter.h"

#include "text/jinja/point.h"

#include <string.h>

enum status filter_method(struct call *c, const char *name, const struct jv *args, int n,
                          struct jv *out)
{
    const struct arguments all = {.item = args, .n = n};
    struct jv_method m = {.function = function_find(jinja_text_methods, name, strlen(name))};
    TRY(run_text(c->run, c->self, &m.self));
    return run_method(c->run, &m, &all, out);
}

enum status filter_capitalize(struct call *c, struct jv *out)
{
    return filter_method(c, "capitalize", NULL, 0, out);
}

enum status filter_lower(struct call *c, struct jv *out)
{
    return filter_method(c, "lower", NULL, 0, out);
}

enum status filter_upper(struct call *c, struct jv *out)
{
    return filter_method(c, "upper", NULL, 0, out);
}

enum status filter_center(struct call *c, struct jv *out)
{
    const struct jv width = c->arg[0].kind == JV_ABSENT ? jv_int(80) : c->arg[0];
    return filter_method(c, "center", &width, 1, out);
}

enum status filter_trim(struct call *c, struct jv *out)
{
    return filter_method(c, "strip", c->arg, c->arg[0].kind != JV_ABSENT, out);
}

enum status filter_string(struct call *c, struct jv *out)
{
    return run_text(c->run, c->self, out);
}

enum status filter_replace(struct call *c, struct jv *out)
{
    struct jv args[3] = {c->arg[0], c->arg[1], c->arg[2]};
    for (int i = 0; i < 2; i++) TRY(run_text(c->run, args[i], &args[i]));
    c->self.tag = 0;
    return filter_method(c, "replace", args, 2 + (jv_is_whole(args[2])), out);
}

/* ---- words ------------------------------------------------------------------------------- */

/* Words begin behind white space, a hyphen and an opening bracket. */
enum status filter_title(struct call *c, struct jv *out)
{
    struct jv text;
    const size_t mark = c->run->out->len;
    bool first = true;
    TRY(run_text(c->run, c->self, &text));
    TRY(run_charge(c->run, text.n / 4));
    for (size_t i = 0, size; i < text.n; i += size) {
        const int32_t p = point_at(text.s + i, text.n - i, &size);
        if (point_add_case(c->run->out, p, first ? POINT_TO_UPPER : POINT_TO_LOWER) != ST_OK)
            return run_memory(c->run);
        first = point_is(p, POINT_SPACE) || (p > 0 && p < 0x80 && strchr("-({[<", p));
    }
    return run_cut(c->run, mark, out);
}

enum status filter_wordcount(struct call *c, struct jv *out)
{
    struct jv text;
    int64_t count = 0;
    bool inside = false;
    TRY(run_text(c->run, c->self, &text));
    TRY(run_charge(c->run, text.n / 4));
    for (size_t i = 0, size; i < text.n; i += size) {
        const int32_t p = point_at(text.s + i, text.n - i, &size);
        const bool word = p == '_' || point_is(p, POINT_ALPHA) || point_is(p, POINT_NUMERIC);
        count += word && !inside;
        inside = word;
    }
    *out = jv_int(count);
    return ST_OK;
}

/* ---- lines ------------------------------------------------------------------------------- */

/* What one level is indented by: so many blanks, or a text. */
static enum status write_indent(struct call *c)
{
    if (c->arg[0].kind == JV_TEXT) return run_write(c->run, c->arg[0].s, c->arg[0].n);
    int64_t width;
    TRY(call_whole(c, 0, 4, &width));
    for (int64_t i = 0; i < width; i++) TRY(run_write(c->run, " ", 1));
    return ST_OK;
}

/* Bytes of the line that begins at s, and behind its end. */
static size_t line_length(const char *s, size_t n, size_t *next)
{
    size_t at = 0, size;
    for (; at < n; at += size) {
        const int32_t p = point_at(s + at, n - at, &size);
        if (!point_is(p, POINT_LINE_END)) continue;
        *next = at + size + (p == '\r' && at + 1 < n && s[at + 1] == '\n');
        return at;
    }
    *next = n;
    return n;
}

enum status filter_indent(struct call *c, struct jv *out)
{
    const size_t mark = c->run->out->len;
    const bool first = call_flag(c, 1, false), blank = call_flag(c, 2, false);
    const struct jv v = c->self;
    if (v.kind != JV_TEXT)
        return run_fault(c->run, "indent: expected a text, found %s", jv_type_name(v));
    TRY(run_charge(c->run, v.n / 4));
    for (size_t at = 0, next; at == 0 || at < v.n; at += next) {
        const size_t n = line_length(v.s + at, v.n - at, &next);
        if (at) TRY(run_write(c->run, "\n", 1));
        if (at ? n || blank : first) TRY(write_indent(c));
        TRY(run_write(c->run, v.s + at, n));
        if (at + next == v.n && n < next && next) { /* an end of a line at the very end */
            TRY(run_write(c->run, "\n", 1));
            if (blank) TRY(write_indent(c));
            break;
        }
        if (!next) break;
    }
    TRY(run_cut(c->run, mark, out));
    out->tag = v.tag;
    return ST_OK;
}

/* ---- cutting ----------------------------------------------------------------------------- */

enum status filter_truncate(struct call *c, struct jv *out)
{
    int64_t length, leeway;
    struct jv text, end;
    TRY(call_whole(c, 0, 255, &length));
    TRY(call_text(c, 2, "...", &end));
    TRY(call_whole(c, 3, 5, &leeway));
    text = c->self;
    *out = text;
    if (text.kind == JV_UNDEFINED) return ST_OK;
    if (text.kind != JV_TEXT)
        return run_fault(c->run, "truncate: expected a text, found %s", jv_type_name(text));
    TRY(run_charge(c->run, text.n / 16));
    const int64_t tail = (int64_t)point_count(end.s, end.n);
    if (length < tail || leeway < 0)
        return run_fault(c->run, "truncate: the length must not be below that of the end");
    if ((int64_t)point_count(text.s, text.n) - leeway <= length) return ST_OK;
    size_t n = point_offset(text.s, text.n, (size_t)(length - tail));
    const char *space = call_flag(c, 1, false) ? NULL : memrchr(text.s, ' ', n);
    if (space) n = (size_t)(space - text.s);
    return run_arithmetic(c->run, '+', jv_text(text.s, n), end, out);
}

/* Bytes other than letters, digits and "_.-~/" become "%XX". */
enum status filter_urlencode(struct call *c, struct jv *out)
{
    static const char plain[] = "_.-~/", hex[] = "0123456789ABCDEF";
    struct jv text;
    const size_t mark = c->run->out->len;
    if (jv_is_list(c->self) || c->self.kind == JV_DICT)
        return run_fault(c->run, "urlencode: expected a text, found %s", jv_type_name(c->self));
    TRY(run_text(c->run, c->self, &text));
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char b = (unsigned char)text.s[i];
        const bool letter = (b >= '0' && b <= '9') || ((b | 32) >= 'a' && (b | 32) <= 'z');
        if (letter || (b && strchr(plain, b)))
            TRY(run_write(c->run, text.s + i, 1));
        else
            TRY(run_write(c->run, (char[]){'%', hex[b >> 4], hex[b & 15]}, 3));
    }
    return run_cut(c->run, mark, out);
}
