/* Methods of texts about case, and about what a text is made of. */
#include "text/jinja/method_text.h"

#include "text/jinja/point.h"

/* ---- case -------------------------------------------------------------------------------- */

/* How the case of a point follows from what stands before it. */
enum recase { RECASE_LOWER, RECASE_UPPER, RECASE_CAPITAL, RECASE_TITLE, RECASE_SWAP };

static enum point_case case_for(enum recase how, int32_t p, bool first, bool after_cased)
{
    switch (how) {
    case RECASE_UPPER: return POINT_TO_UPPER;
    case RECASE_CAPITAL: return first ? POINT_TO_TITLE : POINT_TO_LOWER;
    case RECASE_TITLE: return after_cased ? POINT_TO_LOWER : POINT_TO_TITLE;
    case RECASE_SWAP: return point_is(p, POINT_UPPER) ? POINT_TO_LOWER : POINT_TO_UPPER;
    default: return POINT_TO_LOWER;
    }
}

static bool is_cased(int32_t p)
{
    return point_is(p, POINT_UPPER) || point_is(p, POINT_LOWER) || point_is(p, POINT_TITLE);
}

static enum status recase(struct call *c, enum recase how, struct jv *out)
{
    const struct jv v = c->self;
    const size_t mark = c->run->out->len;
    bool after_cased = false;
    TRY(run_charge(c->run, v.n / 4));
    for (size_t i = 0, size; i < v.n; i += size) {
        const int32_t p = point_at(v.s + i, v.n - i, &size);
        if (point_add_case(c->run->out, p, case_for(how, p, i == 0, after_cased)) != ST_OK)
            return run_memory(c->run);
        after_cased = is_cased(p);
    }
    return run_cut(c->run, mark, out);
}

enum status text_lower(struct call *c, struct jv *out)
{
    return recase(c, RECASE_LOWER, out);
}

enum status text_upper(struct call *c, struct jv *out)
{
    return recase(c, RECASE_UPPER, out);
}

enum status text_capitalize(struct call *c, struct jv *out)
{
    return recase(c, RECASE_CAPITAL, out);
}

enum status text_title(struct call *c, struct jv *out)
{
    return recase(c, RECASE_TITLE, out);
}

enum status text_swapcase(struct call *c, struct jv *out)
{
    return recase(c, RECASE_SWAP, out);
}

/* ---- questions --------------------------------------------------------------------------- */

/* Are there points, and all of one of these classes? */
static enum status all_are(struct call *c, int n, const enum point_class *classes, struct jv *out)
{
    const struct jv v = c->self;
    bool all = v.n > 0;
    TRY(run_charge(c->run, v.n / 4));
    for (size_t i = 0, size; i < v.n && all; i += size) {
        const int32_t p = point_at(v.s + i, v.n - i, &size);
        all = false;
        for (int k = 0; k < n; k++) all |= point_is(p, classes[k]);
    }
    *out = jv_bool(all);
    return ST_OK;
}

enum status text_isalpha(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_ALPHA}, out);
}

enum status text_isalnum(struct call *c, struct jv *out)
{
    return all_are(c, 2, (enum point_class[]){POINT_ALPHA, POINT_NUMERIC}, out);
}

enum status text_isdigit(struct call *c, struct jv *out)
{
    return all_are(c, 2, (enum point_class[]){POINT_DECIMAL, POINT_DIGIT}, out);
}

enum status text_isdecimal(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_DECIMAL}, out);
}

enum status text_isnumeric(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_NUMERIC}, out);
}

enum status text_isspace(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_SPACE}, out);
}

enum status text_isascii(struct call *c, struct jv *out)
{
    bool ascii = true;
    TRY(run_charge(c->run, c->self.n / 32));
    for (size_t i = 0; i < c->self.n; i++) ascii &= (uint8_t)c->self.s[i] < 0x80;
    *out = jv_bool(ascii);
    return ST_OK;
}

enum status text_isprintable(struct call *c, struct jv *out)
{
    TRY(all_are(c, 1, (enum point_class[]){POINT_PRINTABLE}, out));
    out->b |= c->self.n == 0;
    return ST_OK;
}

/* Is there a point with case, and none of another case? */
static enum status one_case(struct call *c, enum point_class wanted, struct jv *out)
{
    const struct jv v = c->self;
    bool some = false, other = false;
    TRY(run_charge(c->run, v.n / 4));
    for (size_t i = 0, size; i < v.n; i += size) {
        const int32_t p = point_at(v.s + i, v.n - i, &size);
        some |= point_is(p, wanted);
        other |= is_cased(p) && !point_is(p, wanted);
    }
    *out = jv_bool(some && !other);
    return ST_OK;
}

enum status text_islower(struct call *c, struct jv *out)
{
    return one_case(c, POINT_LOWER, out);
}

enum status text_isupper(struct call *c, struct jv *out)
{
    return one_case(c, POINT_UPPER, out);
}

/* Every word begins with a capital, and has no other. */
enum status text_istitle(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    bool some = false, good = true, after_cased = false;
    TRY(run_charge(c->run, v.n / 4));
    for (size_t i = 0, size; i < v.n; i += size) {
        const int32_t p = point_at(v.s + i, v.n - i, &size);
        const bool capital = point_is(p, POINT_UPPER) || point_is(p, POINT_TITLE);
        good &= !is_cased(p) || capital != after_cased;
        some |= is_cased(p);
        after_cased = is_cased(p);
    }
    *out = jv_bool(some && good);
    return ST_OK;
}
