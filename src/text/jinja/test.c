#include "text/jinja/lexer.h"
#include "text/jinja/point.h"
#include "text/jinja/run.h"

#include <string.h>

static enum status answer(bool yes, struct jv *out)
{
    *out = jv_bool(yes);
    return ST_OK;
}

/* ---- kinds ------------------------------------------------------------------------------- */

static enum status test_defined(struct call *c, struct jv *out)
{
    return answer(c->self.kind != JV_UNDEFINED, out);
}

static enum status test_undefined(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_UNDEFINED, out);
}

static enum status test_none(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_NONE, out);
}

static enum status test_boolean(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_BOOL, out);
}

static enum status test_true(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_BOOL && c->self.b, out);
}

static enum status test_false(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_BOOL && !c->self.b, out);
}

static enum status test_integer(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_INT, out);
}

static enum status test_float(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_FLOAT, out);
}

static enum status test_number(struct call *c, struct jv *out)
{
    return answer(jv_is_number(c->self), out);
}

static enum status test_string(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_TEXT, out);
}

static enum status test_mapping(struct call *c, struct jv *out)
{
    return answer(c->self.kind == JV_DICT, out);
}

/* What is undefined can be gone through, and has a length: nothing. */
static enum status test_iterable(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    return answer(jv_is_list(v) || v.kind == JV_TEXT || v.kind == JV_DICT || v.kind == JV_LOOP ||
                      v.kind == JV_UNDEFINED,
                  out);
}

static enum status test_sequence(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    return answer(v.kind == JV_TEXT || v.kind == JV_LIST || v.kind == JV_TUPLE ||
                      v.kind == JV_RANGE || v.kind == JV_DICT || v.kind == JV_UNDEFINED,
                  out);
}

static enum status test_callable(struct call *c, struct jv *out)
{
    const int kind = c->self.kind;
    return answer(kind == JV_MACRO || kind == JV_FUNCTION || kind == JV_METHOD ||
                      kind == JV_UNDEFINED || kind == JV_LOOP,
                  out);
}

static enum status test_escaped(struct call *c, struct jv *out)
{
    return answer(c->self.tag & JV_MARKUP, out);
}

/* ---- numbers and texts ------------------------------------------------------------------- */

static enum status remainder_is(struct call *c, struct jv by, int64_t wanted, struct jv *out)
{
    struct jv rest;
    TRY(run_arithmetic(c->run, '%', c->self, by, &rest));
    return answer(jv_equal(rest, jv_int(wanted)), out);
}

static enum status test_odd(struct call *c, struct jv *out)
{
    return remainder_is(c, jv_int(2), 1, out);
}

static enum status test_even(struct call *c, struct jv *out)
{
    return remainder_is(c, jv_int(2), 0, out);
}

static enum status test_divisibleby(struct call *c, struct jv *out)
{
    return remainder_is(c, c->arg[0], 0, out);
}

static enum status by_method(struct call *c, const char *name, struct jv *out)
{
    struct jv text;
    const struct arguments none = {0};
    TRY(run_text(c->run, c->self, &text));
    return function_call(c->run, function_find(jinja_text_methods, name, strlen(name)), text, &none,
                         out);
}

static enum status test_lower(struct call *c, struct jv *out)
{
    return by_method(c, "islower", out);
}

static enum status test_upper(struct call *c, struct jv *out)
{
    return by_method(c, "isupper", out);
}

/* ---- comparisons ------------------------------------------------------------------------- */

static enum status compare(struct call *c, int op, struct jv *out)
{
    bool holds;
    TRY(run_compare(c->run, op, c->self, c->arg[0], &holds));
    return answer(holds, out);
}

static enum status test_eq(struct call *c, struct jv *out)
{
    return compare(c, OP_EQ, out);
}

static enum status test_ne(struct call *c, struct jv *out)
{
    return compare(c, OP_NE, out);
}

static enum status test_lt(struct call *c, struct jv *out)
{
    return compare(c, OP_LT, out);
}

static enum status test_le(struct call *c, struct jv *out)
{
    return compare(c, OP_LE, out);
}

static enum status test_gt(struct call *c, struct jv *out)
{
    return compare(c, OP_GT, out);
}

static enum status test_ge(struct call *c, struct jv *out)
{
    return compare(c, OP_GE, out);
}

static enum status test_in(struct call *c, struct jv *out)
{
    return compare(c, OP_IN, out);
}

static enum status test_sameas(struct call *c, struct jv *out)
{
    const struct jv a = c->self, b = c->arg[0];
    TRY(run_charge(c->run, jv_weight(a)));
    const bool same = a.kind == b.kind &&
                      (jv_is_list(a) || a.kind >= JV_DICT ? a.list == b.list : jv_equal(a, b));
    return answer(same, out);
}

/* ---- names ------------------------------------------------------------------------------- */

static enum status known(struct call *c, const struct jinja_function *table, struct jv *out)
{
    return answer(c->self.kind == JV_TEXT && function_find(table, c->self.s, c->self.n), out);
}

static enum status test_filter(struct call *c, struct jv *out)
{
    return known(c, jinja_filters, out);
}

static enum status test_test(struct call *c, struct jv *out)
{
    return known(c, jinja_tests, out);
}

const struct jinja_function jinja_tests[] = {
    {"boolean", "", test_boolean},     {"callable", "", test_callable},
    {"defined", "", test_defined},     {"divisibleby", "num", test_divisibleby},
    {"eq", "other", test_eq},          {"equalto", "other", test_eq},
    {"==", "other", test_eq},          {"escaped", "", test_escaped},
    {"even", "", test_even},           {"false", "", test_false},
    {"filter", "", test_filter},       {"float", "", test_float},
    {"ge", "other", test_ge},          {">=", "other", test_ge},
    {"greaterthan", "other", test_gt}, {"gt", "other", test_gt},
    {">", "other", test_gt},           {"in", "seq", test_in},
    {"integer", "", test_integer},     {"iterable", "", test_iterable},
    {"le", "other", test_le},          {"<=", "other", test_le},
    {"lessthan", "other", test_lt},    {"lower", "", test_lower},
    {"lt", "other", test_lt},          {"<", "other", test_lt},
    {"mapping", "", test_mapping},     {"ne", "other", test_ne},
    {"!=", "other", test_ne},          {"none", "", test_none},
    {"number", "", test_number},       {"odd", "", test_odd},
    {"sameas", "other", test_sameas},  {"sequence", "", test_sequence},
    {"string", "", test_string},       {"test", "", test_test},
    {"true", "", test_true},           {"undefined", "", test_undefined},
    {"upper", "", test_upper},         {0},
};
