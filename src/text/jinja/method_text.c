/* Methods of texts. */
#include "text/jinja/format.h"
#include "text/jinja/point.h"
#include "text/jinja/run.h"

#include <string.h>

static enum status slice_of(const struct call *c, size_t from, size_t to, struct jv *out)
{
    *out = jv_text(c->self.s + from, to - from);
    return ST_OK;
}

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

static enum status text_lower(struct call *c, struct jv *out)
{
    return recase(c, RECASE_LOWER, out);
}

static enum status text_upper(struct call *c, struct jv *out)
{
    return recase(c, RECASE_UPPER, out);
}

static enum status text_capitalize(struct call *c, struct jv *out)
{
    return recase(c, RECASE_CAPITAL, out);
}

static enum status text_title(struct call *c, struct jv *out)
{
    return recase(c, RECASE_TITLE, out);
}

static enum status text_swapcase(struct call *c, struct jv *out)
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

static enum status text_isalpha(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_ALPHA}, out);
}

static enum status text_isalnum(struct call *c, struct jv *out)
{
    return all_are(c, 2, (enum point_class[]){POINT_ALPHA, POINT_NUMERIC}, out);
}

static enum status text_isdigit(struct call *c, struct jv *out)
{
    return all_are(c, 2, (enum point_class[]){POINT_DECIMAL, POINT_DIGIT}, out);
}

static enum status text_isdecimal(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_DECIMAL}, out);
}

static enum status text_isnumeric(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_NUMERIC}, out);
}

static enum status text_isspace(struct call *c, struct jv *out)
{
    return all_are(c, 1, (enum point_class[]){POINT_SPACE}, out);
}

static enum status text_isascii(struct call *c, struct jv *out)
{
    bool ascii = true;
    for (size_t i = 0; i < c->self.n; i++) ascii &= (uint8_t)c->self.s[i] < 0x80;
    *out = jv_bool(ascii);
    return ST_OK;
}

static enum status text_isprintable(struct call *c, struct jv *out)
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

static enum status text_islower(struct call *c, struct jv *out)
{
    return one_case(c, POINT_LOWER, out);
}

static enum status text_isupper(struct call *c, struct jv *out)
{
    return one_case(c, POINT_UPPER, out);
}

/* Every word begins with a capital, and has no other. */
static enum status text_istitle(struct call *c, struct jv *out)
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

/* ---- the ends ---------------------------------------------------------------------------- */

/* Is this point one of `chars`? */
static bool among(struct jv chars, const char *s, size_t n)
{
    for (size_t i = 0, size; i < chars.n; i += size) {
        point_at(chars.s + i, chars.n - i, &size);
        if (size == n && !memcmp(chars.s + i, s, n)) return true;
    }
    return false;
}

static enum status strip(struct call *c, bool left, bool right, struct jv *out)
{
    const struct jv v = c->self;
    size_t from = 0, to = v.n, size;
    struct jv chars = c->arg[0];
    TRY(run_charge(c->run, 1 + v.n / 64));
    if (chars.kind == JV_ABSENT || chars.kind == JV_NONE) {
        point_strip(v.s, &from, &to, left, right);
        return slice_of(c, from, to, out);
    }
    TRY(call_text(c, 0, NULL, &chars));
    while (left && from < to) {
        TRY(run_charge(c->run, chars.n / 16));
        point_at(v.s + from, to - from, &size);
        if (!among(chars, v.s + from, size)) break;
        from += size;
    }
    while (right && from < to) {
        TRY(run_charge(c->run, chars.n / 16));
        point_last(v.s + from, to - from, &size);
        if (!among(chars, v.s + to - size, size)) break;
        to -= size;
    }
    return slice_of(c, from, to, out);
}

static enum status text_strip(struct call *c, struct jv *out)
{
    return strip(c, true, true, out);
}

static enum status text_lstrip(struct call *c, struct jv *out)
{
    return strip(c, true, false, out);
}

static enum status text_rstrip(struct call *c, struct jv *out)
{
    return strip(c, false, true, out);
}

/* The part [start, end) that the arguments from i on name, in points. */
static enum status part_of(struct call *c, int i, size_t *from, size_t *to)
{
    const struct jv v = c->self;
    struct jv part, bound[3] = {jv_none(), jv_none(), jv_none()};
    *from = 0;
    *to = v.n;
    if (c->arg[i].kind == JV_ABSENT && c->arg[i + 1].kind == JV_ABSENT) return ST_OK;
    for (int k = 0; k < 2; k++)
        if (c->arg[i + k].kind != JV_ABSENT) bound[k] = c->arg[i + k];
    TRY(run_slice(c->run, v, bound, &part));
    *from = (size_t)(part.s - v.s);
    *to = *from + part.n;
    return ST_OK;
}

static bool ends_with(const char *s, size_t n, struct jv word, bool at_end)
{
    return word.n <= n && !memcmp(at_end ? s + n - word.n : s, word.s, word.n);
}

static enum status begins_or_ends(struct call *c, bool at_end, struct jv *out)
{
    size_t from, to;
    struct jv word = c->arg[0];
    TRY(part_of(c, 1, &from, &to));
    *out = jv_bool(false);
    if (word.kind != JV_TUPLE) {
        TRY(call_text(c, 0, NULL, &word));
        out->b = ends_with(c->self.s + from, to - from, word, at_end);
        return ST_OK;
    }
    for (uint32_t i = 0; i < word.list->n; i++) {
        if (word.list->items[i].kind != JV_TEXT)
            return run_fault(c->run, "expected a tuple of texts");
        out->b |= ends_with(c->self.s + from, to - from, word.list->items[i], at_end);
    }
    return ST_OK;
}

static enum status text_startswith(struct call *c, struct jv *out)
{
    return begins_or_ends(c, false, out);
}

static enum status text_endswith(struct call *c, struct jv *out)
{
    return begins_or_ends(c, true, out);
}

static enum status text_removeprefix(struct call *c, struct jv *out)
{
    struct jv word;
    TRY(call_text(c, 0, NULL, &word));
    const bool has = ends_with(c->self.s, c->self.n, word, false);
    return slice_of(c, has ? word.n : 0, c->self.n, out);
}

static enum status text_removesuffix(struct call *c, struct jv *out)
{
    struct jv word;
    TRY(call_text(c, 0, NULL, &word));
    const bool has = ends_with(c->self.s, c->self.n, word, true);
    return slice_of(c, 0, c->self.n - (has ? word.n : 0), out);
}

/* ---- finding ----------------------------------------------------------------------------- */

/* The first or the last place of a word in [from, to), or NULL. */
static enum status find_word(struct call *c, size_t from, size_t to, struct jv word, bool last,
                             const char **out)
{
    const char *s = c->self.s + from;
    size_t n = to - from;
    *out = NULL;
    if (!last) *out = memmem(s, n, word.s, word.n);
    for (; last && n >= word.n; n--) {
        if (!memcmp(s + n - word.n, word.s, word.n)) {
            *out = s + n - word.n;
            break;
        }
        TRY(run_charge(c->run, word.n / 16));
        if (!n) break;
    }
    return ST_OK;
}

static enum status find(struct call *c, bool last, bool must, struct jv *out)
{
    struct jv word;
    size_t from, to;
    TRY(call_text(c, 0, NULL, &word));
    TRY(part_of(c, 1, &from, &to));
    TRY(run_charge(c->run, c->self.n / 8));
    const char *at;
    TRY(find_word(c, from, to, word, last, &at));
    if (!at && must) return run_fault(c->run, "index(): the text is not there");
    *out = jv_int(at ? (int64_t)point_count(c->self.s, (size_t)(at - c->self.s)) : -1);
    return ST_OK;
}

static enum status text_find(struct call *c, struct jv *out)
{
    return find(c, false, false, out);
}

static enum status text_rfind(struct call *c, struct jv *out)
{
    return find(c, true, false, out);
}

static enum status text_index(struct call *c, struct jv *out)
{
    return find(c, false, true, out);
}

static enum status text_rindex(struct call *c, struct jv *out)
{
    return find(c, true, true, out);
}

static enum status text_count(struct call *c, struct jv *out)
{
    struct jv word;
    size_t from, to;
    int64_t count = 0;
    TRY(call_text(c, 0, NULL, &word));
    TRY(part_of(c, 1, &from, &to));
    TRY(run_charge(c->run, c->self.n / 8));
    if (!word.n) count = (int64_t)point_count(c->self.s + from, to - from) + 1;
    while (word.n) {
        const char *at;
        TRY(find_word(c, from, to, word, false, &at));
        if (!at) break;
        from = (size_t)(at - c->self.s) + word.n;
        count++;
    }
    *out = jv_int(count);
    return ST_OK;
}

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
        if (most) TRY(find_word(c, from, v.n, old, false, &at));
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

/* ---- cutting ----------------------------------------------------------------------------- */

static enum status add_part(struct call *c, struct jv list, size_t from, size_t to)
{
    return run_append(c->run, list, jv_text(c->self.s + from, to - from));
}

/* Words between white space, at most `most` cuts; what is left then stays as it is. */
static enum status split_spaces(struct call *c, int64_t most, struct jv *out)
{
    const struct jv v = c->self;
    size_t at = 0, end = v.n, size;
    for (;; most--) {
        point_strip(v.s, &at, &end, true, false);
        if (at == v.n) return ST_OK;
        if (most == 0) return add_part(c, *out, at, v.n);
        size_t to = at;
        while (to < v.n && !point_is(point_at(v.s + to, v.n - to, &size), POINT_SPACE)) to += size;
        TRY(add_part(c, *out, at, to));
        at = to;
    }
}

static enum status rsplit_spaces(struct call *c, int64_t most, struct jv *out)
{
    const struct jv v = c->self;
    size_t begin = 0, at = v.n, size;
    for (;; most--) {
        point_strip(v.s, &begin, &at, false, true);
        if (at == 0) return ST_OK;
        if (most == 0) return add_part(c, *out, 0, at);
        size_t from = at;
        while (from && !point_is(point_last(v.s, from, &size), POINT_SPACE)) from -= size;
        TRY(add_part(c, *out, from, at));
        at = from;
    }
}

static enum status split_word(struct call *c, struct jv word, int64_t most, struct jv *out)
{
    size_t from = 0;
    for (;; most--) {
        const char *at = NULL;
        if (most) TRY(find_word(c, from, c->self.n, word, false, &at));
        const size_t to = at ? (size_t)(at - c->self.s) : c->self.n;
        TRY(add_part(c, *out, from, to));
        if (!at) return ST_OK;
        from = to + word.n;
    }
}

static enum status rsplit_word(struct call *c, struct jv word, int64_t most, struct jv *out)
{
    size_t to = c->self.n;
    for (;; most--) {
        const char *at = NULL;
        if (most) TRY(find_word(c, 0, to, word, true, &at));
        const size_t from = at ? (size_t)(at - c->self.s) + word.n : 0;
        TRY(add_part(c, *out, from, to));
        if (!at) return ST_OK;
        to = from - word.n;
    }
}

/* From the right, parts were found last one first. */
static void turn_round(struct jv_list *list)
{
    for (uint32_t i = 0; i < list->n / 2; i++) {
        const struct jv t = list->items[i];
        list->items[i] = list->items[list->n - 1 - i];
        list->items[list->n - 1 - i] = t;
    }
}

static enum status split(struct call *c, bool right, struct jv *out)
{
    struct jv word = c->arg[0];
    int64_t most;
    TRY(call_whole(c, 1, -1, &most));
    TRY(run_charge(c->run, c->self.n / 8));
    TRY(run_list(c->run, JV_LIST, out));
    if (word.kind == JV_ABSENT || word.kind == JV_NONE) {
        TRY(right ? rsplit_spaces(c, most, out) : split_spaces(c, most, out));
    } else {
        TRY(call_text(c, 0, NULL, &word));
        if (!word.n) return run_fault(c->run, "split(): an empty separator");
        TRY(right ? rsplit_word(c, word, most, out) : split_word(c, word, most, out));
    }
    if (right) turn_round(out->list);
    return ST_OK;
}

static enum status text_split(struct call *c, struct jv *out)
{
    return split(c, false, out);
}

static enum status text_rsplit(struct call *c, struct jv *out)
{
    return split(c, true, out);
}

static enum status partition(struct call *c, bool last, struct jv *out)
{
    struct jv word;
    const size_t n = c->self.n;
    TRY(call_text(c, 0, NULL, &word));
    if (!word.n) return run_fault(c->run, "partition(): an empty separator");
    TRY(run_charge(c->run, n / 8));
    const char *at;
    TRY(find_word(c, 0, n, word, last, &at));
    const size_t from = at ? (size_t)(at - c->self.s) : last ? 0 : n;
    const size_t to = at ? from + word.n : from;
    TRY(run_list(c->run, JV_TUPLE, out));
    TRY(add_part(c, *out, 0, from));
    TRY(add_part(c, *out, from, to));
    return add_part(c, *out, to, n);
}

static enum status text_partition(struct call *c, struct jv *out)
{
    return partition(c, false, out);
}

static enum status text_rpartition(struct call *c, struct jv *out)
{
    return partition(c, true, out);
}

static enum status text_splitlines(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    const bool keep = call_flag(c, 0, false);
    size_t from = 0, size;
    TRY(run_charge(c->run, v.n / 8));
    TRY(run_list(c->run, JV_LIST, out));
    for (size_t i = 0; i < v.n;) {
        const int32_t p = point_at(v.s + i, v.n - i, &size);
        const size_t end = i;
        i += size;
        if (!point_is(p, POINT_LINE_END)) continue;
        if (p == '\r' && i < v.n && v.s[i] == '\n') i++;
        TRY(add_part(c, *out, from, keep ? i : end));
        from = i;
    }
    return from < v.n ? add_part(c, *out, from, v.n) : ST_OK;
}

static enum status text_join(struct call *c, struct jv *out)
{
    const struct jv_list *items;
    const size_t mark = c->run->out->len;
    TRY(run_items(c->run, c->arg[0], &items));
    for (uint32_t i = 0; i < items->n; i++) {
        if (items->items[i].kind != JV_TEXT)
            return run_fault(c->run, "join(): expected texts, found %s",
                             jv_type_name(items->items[i]));
        if (i) TRY(run_write(c->run, c->self.s, c->self.n));
        TRY(run_write(c->run, items->items[i].s, items->items[i].n));
    }
    return run_cut(c->run, mark, out);
}

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
