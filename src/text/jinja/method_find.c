/* Methods of texts that look at the ends, or for a word. */
#include "text/jinja/method_text.h"

#include "text/jinja/point.h"

#include <string.h>

/* ---- the ends ---------------------------------------------------------------------------- */

static enum status slice_of(const struct call *c, size_t from, size_t to, struct jv *out)
{
    *out = jv_text(c->self.s + from, to - from);
    return ST_OK;
}

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

enum status text_strip(struct call *c, struct jv *out)
{
    return strip(c, true, true, out);
}

enum status text_lstrip(struct call *c, struct jv *out)
{
    return strip(c, true, false, out);
}

enum status text_rstrip(struct call *c, struct jv *out)
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
    TRY(run_charge(c->run, jv_weight(word)));
    for (uint32_t i = 0; i < word.list->n; i++) {
        if (word.list->items[i].kind != JV_TEXT)
            return run_fault(c->run, "expected a tuple of texts");
        out->b |= ends_with(c->self.s + from, to - from, word.list->items[i], at_end);
    }
    return ST_OK;
}

enum status text_startswith(struct call *c, struct jv *out)
{
    return begins_or_ends(c, false, out);
}

enum status text_endswith(struct call *c, struct jv *out)
{
    return begins_or_ends(c, true, out);
}

enum status text_removeprefix(struct call *c, struct jv *out)
{
    struct jv word;
    TRY(call_text(c, 0, NULL, &word));
    const bool has = ends_with(c->self.s, c->self.n, word, false);
    return slice_of(c, has ? word.n : 0, c->self.n, out);
}

enum status text_removesuffix(struct call *c, struct jv *out)
{
    struct jv word;
    TRY(call_text(c, 0, NULL, &word));
    const bool has = ends_with(c->self.s, c->self.n, word, true);
    return slice_of(c, 0, c->self.n - (has ? word.n : 0), out);
}

/* ---- finding ----------------------------------------------------------------------------- */

enum status text_find_word(struct call *c, size_t from, size_t to, struct jv word, bool last,
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
    TRY(text_find_word(c, from, to, word, last, &at));
    if (!at && must) return run_fault(c->run, "index(): the text is not there");
    *out = jv_int(at ? (int64_t)point_count(c->self.s, (size_t)(at - c->self.s)) : -1);
    return ST_OK;
}

enum status text_find(struct call *c, struct jv *out)
{
    return find(c, false, false, out);
}

enum status text_rfind(struct call *c, struct jv *out)
{
    return find(c, true, false, out);
}

enum status text_index(struct call *c, struct jv *out)
{
    return find(c, false, true, out);
}

enum status text_rindex(struct call *c, struct jv *out)
{
    return find(c, true, true, out);
}

enum status text_count(struct call *c, struct jv *out)
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
        TRY(text_find_word(c, from, to, word, false, &at));
        if (!at) break;
        from = (size_t)(at - c->self.s) + word.n;
        count++;
    }
    *out = jv_int(count);
    return ST_OK;
}
