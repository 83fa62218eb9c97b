/* Methods of texts: those that put texts together, and the table of all. */
#include "text/jinja/method_text.h"

#include "text/jinja/format.h"
#include "text/jinja/point.h"

#include <string.h>

/* ---- replacing --------------------------------------------------------------------------- */

/* An empty word is before every point, and at the end. */
static enum status replace_between(struct call *c, struct jv with, int64_t most)
{
    const struct jv v = c->self;
    size_t i = 0, size;
    for (; i < v.n && most; i += size, most--) {
        point_at(v.s + i, v.n - i, &size);
        TRY(run_write(c->run, with.s, with.n));
        TRY(run_write(c->run, v.s + i, size));
    }
    TRY(run_write(c->run, v.s + i, v.n - i));
    return most ? run_write(c->run, with.s, with.n) : ST_OK;
}

static enum status text_replace(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    const size_t mark = c->run->out->len;
    struct jv old, with;
    int64_t most;
    size_t from = 0;
    TRY(call_text(c, 0, NULL, &old));
    TRY(call_text(c, 1, NULL, &with));
    TRY(call_whole(c, 2, -1, &most));
    TRY(run_charge(c->run, v.n / 8));
    if (!old.n) TRY(replace_between(c, with, most));
    for (; old.n; most--) {
        const char *at = NULL;
        if (most) TRY(text_find_word(c, from, v.n, old, false, &at));
        const size_t to = at ? (size_t)(at - v.s) : v.n;
        TRY(run_write(c->run, v.s + from, to - from));
        if (!at) break;
        TRY(run_write(c->run, with.s, with.n));
        from = to + old.n;
    }
    return run_cut(c->run, mark, out);
}

static enum status pad(struct call *c, int side, struct jv *out)
{
    const struct jv v = c->self;
    const size_t mark = c->run->out->len;
    struct jv fill;
    int64_t width;
    TRY(call_whole(c, 0, 0, &width));
    TRY(call_text(c, 1, " ", &fill));
    if (point_count(fill.s, fill.n) != 1)
        return run_fault(c->run, "expected one character to fill");
    const int64_t n = (int64_t)point_count(v.s, v.n), gap = width > n ? width - n : 0;
    const int64_t left = side == 0 ? gap / 2 + (gap & width & 1) : side > 0 ? gap : 0;
    for (int64_t i = 0; i < left; i++) TRY(run_write(c->run, fill.s, fill.n));
    TRY(run_write(c->run, v.s, v.n));
    for (int64_t i = left; i < gap; i++) TRY(run_write(c->run, fill.s, fill.n));
    return run_cut(c->run, mark, out);
}

static enum status text_center(struct call *c, struct jv *out)
{
    return pad(c, 0, out);
}

static enum status text_ljust(struct call *c, struct jv *out)
{
    return pad(c, -1, out);
}

static enum status text_rjust(struct call *c, struct jv *out)
{
    return pad(c, 1, out);
}

static enum status text_zfill(struct call *c, struct jv *out)
{
    const size_t mark = c->run->out->len;
    const struct jv v = c->self;
    int64_t width;
    TRY(call_whole(c, 0, 0, &width));
    const size_t sign = v.n && (*v.s == '-' || *v.s == '+');
    TRY(run_write(c->run, v.s, sign));
    for (int64_t i = (int64_t)point_count(v.s, v.n); i < width; i++) TRY(run_write(c->run, "0", 1));
    TRY(run_write(c->run, v.s + sign, v.n - sign));
    return run_cut(c->run, mark, out);
}

static enum status text_format(struct call *c, struct jv *out)
{
    return format_braces(c->run, c->self, &c->all, out);
}

/* ---- joining ----------------------------------------------------------------------------- */

static enum status text_join(struct call *c, struct jv *out)
{
    const struct jv_list *items;
    const size_t mark = c->run->out->len;
    TRY(run_items(c->run, c->arg[0], &items));
    TRY(run_charge(c->run, items->n));
    for (uint32_t i = 0; i < items->n; i++) {
        if (items->items[i].kind != JV_TEXT)
            return run_fault(c->run, "join(): expected texts, found %s",
                             jv_type_name(items->items[i]));
        if (i) TRY(run_write(c->run, c->self.s, c->self.n));
        TRY(run_write(c->run, items->items[i].s, items->items[i].n));
    }
    return run_cut(c->run, mark, out);
}

/* ---- the table --------------------------------------------------------------------------- */

const struct jinja_function jinja_text_methods[] = {
    {"capitalize", "", text_capitalize},
    {"center", "width fillchar=", text_center},
    {"count", "sub start= end=", text_count},
    {"endswith", "suffix start= end=", text_endswith},
    {"find", "sub start= end=", text_find},
    {"format", NULL, text_format},
    {"index", "sub start= end=", text_index},
    {"isalnum", "", text_isalnum},
    {"isalpha", "", text_isalpha},
    {"isascii", "", text_isascii},
    {"isdecimal", "", text_isdecimal},
    {"isdigit", "", text_isdigit},
    {"islower", "", text_islower},
    {"isnumeric", "", text_isnumeric},
    {"isprintable", "", text_isprintable},
    {"isspace", "", text_isspace},
    {"istitle", "", text_istitle},
    {"isupper", "", text_isupper},
    {"join", "iterable", text_join},
    {"ljust", "width fillchar=", text_ljust},
    {"lower", "", text_lower},
    {"lstrip", "chars=", text_lstrip},
    {"partition", "sep", text_partition},
    {"removeprefix", "prefix", text_removeprefix},
    {"removesuffix", "suffix", text_removesuffix},
    {"replace", "old new count=", text_replace},
    {"rfind", "sub start= end=", text_rfind},
    {"rindex", "sub start= end=", text_rindex},
    {"rjust", "width fillchar=", text_rjust},
    {"rpartition", "sep", text_rpartition},
    {"rsplit", "sep= maxsplit=", text_rsplit},
    {"rstrip", "chars=", text_rstrip},
    {"split", "sep= maxsplit=", text_split},
    {"splitlines", "keepends=", text_splitlines},
    {"startswith", "prefix start= end=", text_startswith},
    {"strip", "chars=", text_strip},
    {"swapcase", "", text_swapcase},
    {"title", "", text_title},
    {"upper", "", text_upper},
    {"zfill", "width", text_zfill},
    {0},
};
