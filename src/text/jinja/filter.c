#include "text/jinja/filter.h"

#include "text/jinja/format.h"
#include "text/jinja/jvjson.h"
#include "text/jinja/literal.h"
#include "text/jinja/point.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------- */

static enum status filter_abs(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    if (!jv_is_number(v))
        return run_fault(c->run, "abs: expected a number, found %s", jv_type_name(v));
    if (v.kind == JV_FLOAT) {
        *out = jv_float(fabs(v.f));
        return ST_OK;
    }
    if (jv_whole(v) < 0) return run_negate(c->run, v, true, out);
    *out = jv_int(jv_whole(v));
    return ST_OK;
}

/* A text that is one number, with white space around it; JV_ABSENT otherwise. */
static struct jv number_of(struct jv text, int base)
{
    struct literal_number number;
    size_t from = 0, to = text.n;
    point_strip(text.s, &from, &to, true, true);
    const bool negative = from < to && text.s[from] == '-';
    if (from < to && (text.s[from] == '-' || text.s[from] == '+')) from++;
    const bool decimal = from < to && text.s[from] >= '0' && text.s[from] <= '9';
    if (decimal && base == 10) {
        while (from + 1 < to && text.s[from] == '0' && text.s[from + 1] >= '0' &&
               text.s[from + 1] <= '9')
            from++;
        if (literal_number(text.s + from, to - from, true, &number) == to - from &&
            !number.too_large && !(to - from > 1 && strchr("xXoObB", text.s[from + 1])))
            return number.is_float ? jv_float(negative ? -number.f : number.f)
                                   : jv_int(negative ? -number.i : number.i);
    }
    return (struct jv){.kind = JV_ABSENT};
}

/* ".5", "5.", "1_0.0", "inf" and "nan" as Python's float() reads them. */
static struct jv float_of(struct jv text)
{
    size_t from = 0, to = text.n, used;
    point_strip(text.s, &from, &to, true, true);
    for (size_t i = from; i < to; i++)
        if (!strchr("0123456789+-.eEinfatyINFATY", text.s[i]) || !text.s[i])
            return (struct jv){.kind = JV_ABSENT};
    const double f = literal_double(text.s + from, to - from, &used);
    return used && used == to - from ? jv_float(f) : (struct jv){.kind = JV_ABSENT};
}

static struct jv digits_of_base(struct jv text, int64_t base)
{
    size_t from = 0, to = text.n;
    int64_t value = 0;
    point_strip(text.s, &from, &to, true, true);
    const bool negative = from < to && text.s[from] == '-';
    if (from < to && (text.s[from] == '-' || text.s[from] == '+')) from++;
    if (to - from > 2 && text.s[from] == '0' &&
        ((base == 16 && (text.s[from + 1] | 32) == 'x') ||
         (base == 8 && (text.s[from + 1] | 32) == 'o') ||
         (base == 2 && (text.s[from + 1] | 32) == 'b')))
        from += 2;
    bool good = from < to;
    for (size_t first = from; good && from < to; from++) {
        const char ch = text.s[from];
        if (ch == '_' && from > first && from + 1 < to && text.s[from - 1] != '_') continue;
        const int64_t digit = ch >= '0' && ch <= '9'                 ? ch - '0'
                              : (ch | 32) >= 'a' && (ch | 32) <= 'z' ? (ch | 32) - 'a' + 10
                                                                     : 99;
        good = digit < base && !__builtin_mul_overflow(value, base, &value) &&
               !__builtin_add_overflow(value, digit, &value);
    }
    return good ? jv_int(negative ? -value : value) : (struct jv){.kind = JV_ABSENT};
}

static enum status defined(struct call *c)
{
    if (c->self.kind != JV_UNDEFINED) return ST_OK;
    return run_fault(c->run, "\"%.*s\" is undefined", (int)(c->self.n < 80 ? c->self.n : 80),
                     c->self.s);
}

static enum status filter_int(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    int64_t base;
    TRY(defined(c));
    TRY(call_whole(c, 1, 10, &base));
    TRY(run_charge(c->run, jv_weight(v)));
    struct jv n = v;
    if (v.kind == JV_TEXT) n = base == 10 ? number_of(v, 10) : digits_of_base(v, base);
    if (v.kind == JV_TEXT && n.kind == JV_ABSENT) n = float_of(v);
    if (n.kind == JV_FLOAT && isfinite(n.f) && fabs(n.f) >= 9.2e18)
        return run_fault(c->run, "int: a number beyond 64 bits");
    if (n.kind == JV_FLOAT && isfinite(n.f))
        *out = jv_int((int64_t)n.f);
    else if (jv_is_whole(n))
        *out = jv_int(jv_whole(n));
    else
        *out = c->arg[0].kind == JV_ABSENT ? jv_int(0) : c->arg[0];
    return ST_OK;
}

static enum status filter_float(struct call *c, struct jv *out)
{
    struct jv v = c->self;
    TRY(defined(c));
    TRY(run_charge(c->run, jv_weight(v)));
    if (v.kind == JV_TEXT) {
        v = float_of(c->self); /* first: "-0" has a sign */
        if (v.kind == JV_ABSENT) v = number_of(c->self, 10);
    }
    *out = jv_is_number(v)               ? jv_float(jv_real(v))
           : c->arg[0].kind == JV_ABSENT ? jv_float(0)
                                         : c->arg[0];
    return ST_OK;
}

/* The nearest number of so many decimals, to even where two are as near. */
static double round_to(double f, int64_t precision)
{
    char text[340]; /* 16 digits, the point and 300 more */
    size_t used;
    if (precision > 300 || !(fabs(f) < 0x1p53 || precision < 0)) return f;
    if (precision < -300) return copysign(0, f);
    if (precision < 0) {
        const double unit = pow(10, (double)-precision);
        return nearbyint(f / unit) * unit;
    }
    snprintf(text, sizeof text, "%.*f", (int)precision, f);
    for (char *s = text; *s; s++)
        if (*s == ',') *s = '.';
    return literal_double(text, strlen(text), &used);
}

static enum status filter_round(struct call *c, struct jv *out)
{
    int64_t precision;
    struct jv method;
    TRY(call_whole(c, 0, 0, &precision));
    TRY(call_text(c, 1, "common", &method));
    TRY(run_charge(c->run, 16));
    if (!jv_is_number(c->self))
        return run_fault(c->run, "round: expected a number, found %s", jv_type_name(c->self));
    const bool up = jv_text_is(method, "ceil"), down = jv_text_is(method, "floor");
    if (!up && !down && !jv_text_is(method, "common"))
        return run_fault(c->run, "round: the method must be common, ceil or floor");
    const double unit = pow(10, (double)precision), f = jv_real(c->self);
    if ((up || down) && !(unit > 0 && isfinite(f * unit)))
        return run_fault(c->run, "round: a number that is too large");
    if (jv_is_whole(c->self) && precision < 0 && fabs(f) >= 0x1p53)
        return run_fault(c->run, "round: a number beyond 53 bits");
    if (up || down)
        *out = jv_float((up ? ceil(f * unit) : floor(f * unit)) / unit + 0.0); /* no -0.0 */
    else if (jv_is_whole(c->self) && precision >= 0)
        *out = jv_int(jv_whole(c->self));
    else if (jv_is_whole(c->self))
        *out = jv_int((int64_t)round_to(f, precision));
    else
        *out = jv_float(round_to(f, precision));
    return ST_OK;
}

/* ---- any value --------------------------------------------------------------------------- */

static enum status filter_default(struct call *c, struct jv *out)
{
    const bool missing =
        c->self.kind == JV_UNDEFINED || (call_flag(c, 1, false) && !jv_truth(c->self));
    *out = !missing ? c->self : c->arg[0].kind == JV_ABSENT ? jv_text("", 0) : c->arg[0];
    return ST_OK;
}

/* Attributes alone: a dict has methods, and no keys here. */
static enum status filter_attr(struct call *c, struct jv *out)
{
    struct jv name;
    TRY(call_text(c, 0, NULL, &name));
    *out = jv_undefined(name.s, name.n);
    if (c->self.kind == JV_DICT && !function_find(jinja_dict_methods, name.s, name.n)) return ST_OK;
    return run_attribute(c->run, c->self, name, out);
}

static enum status filter_escape(struct call *c, struct jv *out)
{
    return format_escape(c->run, c->self, out);
}

static enum status filter_forceescape(struct call *c, struct jv *out)
{
    c->self.tag = 0;
    return format_escape(c->run, c->self, out);
}

static enum status filter_safe(struct call *c, struct jv *out)
{
    TRY(run_text(c->run, c->self, out));
    out->tag = JV_MARKUP;
    return ST_OK;
}

static enum status filter_format(struct call *c, struct jv *out)
{
    struct jv values, format;
    if (c->all.n && c->all.n_named)
        return run_fault(c->run, "format: values by position or by name, not both");
    TRY(run_text(c->run, c->self, &format));
    if (c->all.n_named) {
        TRY(run_dict(c->run, &values));
        for (int i = 0; i < c->all.n_named; i++)
            TRY(run_set(c->run, values, c->all.named[i].name, c->all.named[i].value));
    } else {
        TRY(run_list(c->run, JV_TUPLE, &values));
        for (int i = 0; i < c->all.n; i++) TRY(run_append(c->run, values, c->all.item[i]));
    }
    return format_percent(c->run, format, values, out);
}

/* How many blanks, or which text, indents one level; NULL for none. */
static enum status json_indent(struct call *c, char room[64], const char **out)
{
    const struct jv v = c->arg[1];
    *out = NULL;
    if (v.kind == JV_ABSENT || v.kind == JV_NONE) return ST_OK;
    int64_t n = jv_is_whole(v) ? jv_whole(v) : v.n;
    if ((!jv_is_whole(v) && v.kind != JV_TEXT) || n > 63)
        return run_fault(c->run, "tojson: expected an indent of up to 63, found %s",
                         jv_type_name(v));
    if (n < 0) n = 0;
    if (v.kind == JV_TEXT)
        memcpy(room, v.s, (size_t)n);
    else
        memset(room, ' ', (size_t)n);
    room[n] = 0;
    *out = room;
    return ST_OK;
}

static enum status json_separators(struct call *c, struct jvjson_style *style)
{
    const struct jv v = c->arg[2];
    style->between = style->indent ? jv_text(",", 1) : jv_text(", ", 2);
    style->after_key = jv_text(": ", 2);
    if (v.kind == JV_ABSENT || v.kind == JV_NONE) return ST_OK;
    if ((v.kind != JV_TUPLE && v.kind != JV_LIST) || v.list->n != 2 ||
        v.list->items[0].kind != JV_TEXT || v.list->items[1].kind != JV_TEXT)
        return run_fault(c->run, "tojson: expected two texts as separators");
    style->between = v.list->items[0];
    style->after_key = v.list->items[1];
    return ST_OK;
}

static enum status filter_tojson(struct call *c, struct jv *out)
{
    char room[64];
    const size_t mark = c->run->out->len;
    struct jvjson_style style = {.ascii = call_flag(c, 0, false), .sorted = call_flag(c, 3, false)};
    TRY(json_indent(c, room, &style.indent));
    TRY(json_separators(c, &style));
    TRY(jvjson_write(c->run, &style, c->self));
    return run_cut(c->run, mark, out);
}

/* ---- the table --------------------------------------------------------------------------- */

const struct jinja_function jinja_filters[] = {
    {"abs", "", filter_abs},
    {"attr", "name", filter_attr},
    {"batch", "linecount fill_with=", filter_batch},
    {"capitalize", "", filter_capitalize},
    {"center", "width=", filter_center},
    {"count", "", filter_length},
    {"d", "default_value= boolean=", filter_default},
    {"default", "default_value= boolean=", filter_default},
    {"dictsort", "case_sensitive= by= reverse=", filter_dictsort},
    {"e", "", filter_escape},
    {"escape", "", filter_escape},
    {"first", "", filter_first},
    {"float", "default=", filter_float},
    {"forceescape", "", filter_forceescape},
    {"format", NULL, filter_format},
    {"groupby", "attribute default= case_sensitive=", filter_groupby},
    {"indent", "width= first= blank=", filter_indent},
    {"int", "default= base=", filter_int},
    {"items", "", filter_items},
    {"join", "d= attribute=", filter_join},
    {"last", "", filter_last},
    {"length", "", filter_length},
    {"list", "", filter_list},
    {"lower", "", filter_lower},
    {"map", NULL, filter_map},
    {"max", "case_sensitive= attribute=", filter_max},
    {"min", "case_sensitive= attribute=", filter_min},
    {"reject", NULL, filter_reject},
    {"rejectattr", NULL, filter_rejectattr},
    {"replace", "old new count=", filter_replace},
    {"reverse", "", filter_reverse},
    {"round", "precision= method=", filter_round},
    {"safe", "", filter_safe},
    {"select", NULL, filter_select},
    {"selectattr", NULL, filter_selectattr},
    {"slice", "slices fill_with=", filter_slice},
    {"sort", "reverse= case_sensitive= attribute=", filter_sort},
    {"string", "", filter_string},
    {"sum", "attribute= start=", filter_sum},
    {"title", "", filter_title},
    {"tojson", "ensure_ascii= indent= separators= sort_keys=", filter_tojson},
    {"trim", "chars=", filter_trim},
    {"truncate", "length= killwords= end= leeway=", filter_truncate},
    {"unique", "case_sensitive= attribute=", filter_unique},
    {"upper", "", filter_upper},
    {"urlencode", "", filter_urlencode},
    {"wordcount", "", filter_wordcount},
    {0},
};
