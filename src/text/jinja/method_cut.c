/* Methods that cut a text in parts. */
#include "text/jinja/method_text.h"

#include "text/jinja/point.h"

#include <string.h>

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
        if (most) TRY(text_find_word(c, from, c->self.n, word, false, &at));
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
        if (most) TRY(text_find_word(c, 0, to, word, true, &at));
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

enum status text_split(struct call *c, struct jv *out)
{
    return split(c, false, out);
}

enum status text_rsplit(struct call *c, struct jv *out)
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
    TRY(text_find_word(c, 0, n, word, last, &at));
    const size_t from = at ? (size_t)(at - c->self.s) : last ? 0 : n;
    const size_t to = at ? from + word.n : from;
    TRY(run_list(c->run, JV_TUPLE, out));
    TRY(add_part(c, *out, 0, from));
    TRY(add_part(c, *out, from, to));
    return add_part(c, *out, to, n);
}

enum status text_partition(struct call *c, struct jv *out)
{
    return partition(c, false, out);
}

enum status text_rpartition(struct call *c, struct jv *out)
{
    return partition(c, true, out);
}

enum status text_splitlines(struct call *c, struct jv *out)
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
