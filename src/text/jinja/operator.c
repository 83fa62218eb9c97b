#include "text/jinja/format.h"
#include "text/jinja/lexer.h"
#include "text/jinja/run.h"

#include <math.h>
#include <string.h>

static const char *op_name(int op)
{
    static const char *const two[] = {"//", "**", "==", "!=", "<=", ">="};
    static const char one[][2] = {"+", "-", "*", "/", "%", "<", ">"};
    if (op >= OP_FLOORDIV && op <= OP_GE) return two[op - OP_FLOORDIV];
    for (int i = 0; i < 7; i++)
        if (one[i][0] == op) return one[i];
    return op == OP_IN ? "in" : "not in";
}

static enum status undefined_operand(struct jinja_run *run, struct jv v)
{
    return run_fault(run, "\"%.*s\" is undefined", (int)(v.n < 80 ? v.n : 80), v.s);
}

static enum status no_operator(struct jinja_run *run, int op, struct jv a, struct jv b)
{
    if (a.kind == JV_UNDEFINED) return undefined_operand(run, a);
    if (b.kind == JV_UNDEFINED) return undefined_operand(run, b);
    return run_fault(run, "%s has no meaning between %s and %s", op_name(op), jv_type_name(a),
                     jv_type_name(b));
}

static enum status too_large(struct jinja_run *run)
{
    return run_fault(run, "a number beyond 64 bits");
}

/* ---- numbers ----------------------------------------------------------------------------- */

/* Division towards minus infinity, and the remainder that goes with it. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static double float_mod(double a, double b)
{
    const double m = fmod(a, b);
    if (m != 0) return (m < 0) != (b < 0) ? m + b : m;
    return copysign(0, b);
}

static double float_floor_div(double a, double b)
{
    const double quotient = (a - float_mod(a, b)) / b, whole = floor(quotient);
    if (quotient == 0) return copysign(0, a / b);
    return quotient - whole > 0.5 ? whole + 1 : whole; /* nearly the whole number above */
}

static bool whole_power(int64_t a, int64_t b, int64_t *out)
{
    int64_t base = a;
    bool fits = true;
    for (*out = 1; b; b >>= 1) {
        if (b & 1) fits &= !__builtin_mul_overflow(*out, base, out);
        if (b > 1) fits &= !__builtin_mul_overflow(base, base, &base);
    }
    return fits;
}

static enum status whole_numbers(struct jinja_run *run, int op, int64_t a, int64_t b,
                                 struct jv *out)
{
    int64_t i = 0;
    bool fits = true;
    switch (op) {
    case '+': fits = !__builtin_add_overflow(a, b, &i); break;
    case '-': fits = !__builtin_sub_overflow(a, b, &i); break;
    case '*': fits = !__builtin_mul_overflow(a, b, &i); break;
    case OP_POWER: fits = whole_power(a, b, &i); break;
    case OP_FLOORDIV:
    case '%':
        if (b == -1) { /* -2^63 by -1 has no place in 64 bits */
            fits = op == '%' || !__builtin_sub_overflow(0, a, &i);
            break;
        }
        i = op == '%' ? a % b : floor_div(a, b);
        if (op == '%' && i && (i < 0) != (b < 0)) i += b;
        break;
    default: break;
    }
    *out = jv_int(i);
    return fits ? ST_OK : too_large(run);
}

static enum status real_numbers(struct jinja_run *run, int op, double a, double b, struct jv *out)
{
    switch (op) {
    case '+': *out = jv_float(a + b); break;
    case '-': *out = jv_float(a - b); break;
    case '*': *out = jv_float(a * b); break;
    case '/': *out = jv_float(a / b); break;
    case OP_FLOORDIV: *out = jv_float(float_floor_div(a, b)); break;
    case '%': *out = jv_float(float_mod(a, b)); break;
    default:
        if (a == 0 && b < 0) return run_fault(run, "zero to a negative power");
        if (a < 0 && b != floor(b)) return run_fault(run, "a root of a negative number");
        *out = jv_float(pow(a, b));
        if (isinf(out->f) && !isinf(a) && !isinf(b)) return too_large(run);
    }
    return ST_OK;
}

static enum status numbers(struct jinja_run *run, int op, struct jv a, struct jv b, struct jv *out)
{
    const bool divides = op == '/' || op == OP_FLOORDIV || op == '%';
    if (divides && jv_real(b) == 0) return run_fault(run, "division by zero");
    if (jv_is_whole(a) && jv_is_whole(b) && op != '/' && !(op == OP_POWER && jv_whole(b) < 0))
        return whole_numbers(run, op, jv_whole(a), jv_whole(b), out);
    return real_numbers(run, op, jv_real(a), jv_real(b), out);
}

/* ---- texts and lists --------------------------------------------------------------------- */

/* a + b. Where a was written last, b is written behind it: a text that grows step by step costs
 * what it is long. */
static enum status add_texts(struct jinja_run *run, struct jv a, struct jv b, struct jv *out)
{
    const size_t n = (size_t)a.n + b.n;
    *out = a.n ? a : b;
    if (!a.n || !b.n) return ST_OK;
    if (n >= JV_TEXT_MAX) return run_memory(run);
    TRY(run_charge(run, b.n / 64));
    if (!pool_extend(run->pool, a.s + a.n, b.n)) {
        char *s = pool_take(run->pool, n);
        if (!s) return run_memory(run);
        memcpy(s, a.s, a.n);
        out->s = s;
        TRY(run_charge(run, a.n / 64));
    }
    memcpy((char *)(uintptr_t)out->s + a.n, b.s, b.n);
    *out = jv_text(out->s, n);
    return ST_OK;
}

/* A side that is marked as safe escapes the other. */
static enum status add_markup(struct jinja_run *run, struct jv a, struct jv b, struct jv *out)
{
    if (!(a.tag & JV_MARKUP)) TRY(format_escape(run, a, &a));
    if (!(b.tag & JV_MARKUP)) TRY(format_escape(run, b, &b));
    TRY(add_texts(run, a, b, out));
    out->tag = JV_MARKUP;
    return ST_OK;
}

static enum status add_lists(struct jinja_run *run, struct jv a, struct jv b, struct jv *out)
{
    TRY(run_list(run, a.kind, out));
    for (uint32_t i = 0; i < a.list->n; i++) TRY(run_append(run, *out, a.list->items[i]));
    for (uint32_t i = 0; i < b.list->n; i++) TRY(run_append(run, *out, b.list->items[i]));
    return ST_OK;
}

static enum status repeat(struct jinja_run *run, struct jv of, int64_t times, struct jv *out)
{
    const size_t mark = run->out->len;
    if (times < 0) times = 0;
    if (of.kind == JV_TEXT) {
        for (int64_t i = 0; i < times && of.n; i++) {
            TRY(run_charge(run, i % 16 == 0));
            TRY(run_write(run, of.s, of.n));
        }
        TRY(run_cut(run, mark, out));
        out->tag = of.tag;
        return ST_OK;
    }
    TRY(run_list(run, of.kind, out));
    for (int64_t i = 0; i < times && of.list->n; i++)
        for (uint32_t k = 0; k < of.list->n; k++) TRY(run_append(run, *out, of.list->items[k]));
    return ST_OK;
}

static bool is_sequence(struct jv v)
{
    return v.kind == JV_TEXT || v.kind == JV_LIST || v.kind == JV_TUPLE;
}

enum status run_arithmetic(struct jinja_run *run, int op, struct jv a, struct jv b, struct jv *out)
{
    if (jv_is_number(a) && jv_is_number(b)) return numbers(run, op, a, b, out);
    if (op == '%' && a.kind == JV_TEXT) return format_percent(run, a, b, out);
    if (op == '+' && a.kind == JV_TEXT && b.kind == JV_TEXT)
        return (a.tag | b.tag) & JV_MARKUP ? add_markup(run, a, b, out) : add_texts(run, a, b, out);
    if (op == '+' && a.kind == b.kind && is_sequence(a)) return add_lists(run, a, b, out);
    if (op == '*' && is_sequence(a) && jv_is_whole(b)) return repeat(run, a, jv_whole(b), out);
    if (op == '*' && is_sequence(b) && jv_is_whole(a)) return repeat(run, b, jv_whole(a), out);
    return no_operator(run, op, a, b);
}

enum status run_negate(struct jinja_run *run, struct jv a, bool minus, struct jv *out)
{
    if (a.kind == JV_UNDEFINED) return undefined_operand(run, a);
    if (!jv_is_number(a))
        return run_fault(run, "expected a number after \"%c\", found %s", minus ? '-' : '+',
                         jv_type_name(a));
    if (a.kind == JV_FLOAT) {
        *out = jv_float(minus ? -a.f : a.f);
        return ST_OK;
    }
    int64_t i = jv_whole(a);
    if (minus && __builtin_sub_overflow(0, i, &i)) return too_large(run);
    *out = jv_int(i);
    return ST_OK;
}

/* ---- comparisons ------------------------------------------------------------------------- */

static enum status contains(struct jinja_run *run, struct jv item, struct jv in, bool *out)
{
    *out = false;
    if (in.kind == JV_TEXT) {
        if (item.kind != JV_TEXT) return no_operator(run, OP_IN, item, in);
        TRY(run_charge(run, in.n / 16));
        *out = memmem(in.s, in.n, item.s, item.n) != NULL;
        return ST_OK;
    }
    if (in.kind == JV_DICT) {
        const struct jv *found;
        TRY(run_find(run, in.dict, item, &found));
        *out = found != NULL;
        return ST_OK;
    }
    if (in.kind == JV_NONE || jv_is_number(in) || in.kind > JV_DICT)
        return no_operator(run, OP_IN, item, in);
    const struct jv_list *items;
    TRY(run_items(run, in, &items));
    for (uint32_t i = 0; i < items->n && !*out; i++) {
        TRY(run_charge(run, jv_weight(items->items[i])));
        *out = jv_equal(item, items->items[i]);
    }
    return ST_OK;
}

/* a == b, but for NaN, which jv_equal holds to it too. */
static enum status ordered(struct jinja_run *run, int op, struct jv a, struct jv b, bool *out)
{
    int order;
    if (!jv_order(a, b, &order)) return no_operator(run, op, a, b);
    const bool nan = (a.kind == JV_FLOAT && isnan(a.f)) || (b.kind == JV_FLOAT && isnan(b.f));
    *out = !nan && (op == OP_LT   ? order < 0
                    : op == OP_LE ? order <= 0
                    : op == OP_GT ? order > 0
                                  : order >= 0);
    return ST_OK;
}

enum status run_compare(struct jinja_run *run, int op, struct jv a, struct jv b, bool *out)
{
    const uint32_t wa = jv_weight(a), wb = jv_weight(b);
    TRY(run_charge(run, wa < wb ? wa : wb));
    switch (op) {
    case OP_EQ: *out = jv_equal(a, b); return ST_OK;
    case OP_NE: *out = !jv_equal(a, b); return ST_OK;
    case OP_IN: return contains(run, a, b, out);
    case OP_NOT_IN:
        TRY(contains(run, a, b, out));
        *out = !*out;
        return ST_OK;
    default: return ordered(run, op, a, b, out);
    }
}
