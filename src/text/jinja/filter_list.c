#include "text/jinja/filter.h"
#include "text/jinja/lexer.h"
#include "text/jinja/point.h"

#include <string.h>

/* ---- keys -------------------------------------------------------------------------------- */

/* One step of a path: digits are a number. */
static enum status path_step(struct jinja_run *run, struct jv v, const char *s, size_t n,
                             struct jv *out)
{
    int64_t i = 0;
    bool digits = n > 0 && n < 10;
    TRY(run_charge(run, 1));
    for (size_t k = 0; k < n && digits; k++) {
        digits = s[k] >= '0' && s[k] <= '9';
        i = i * 10 + s[k] - '0';
    }
    return run_item(run, v, digits ? jv_int(i) : jv_text(s, n), out);
}

enum status filter_path(struct jinja_run *run, struct jv v, struct jv path, struct jv *out)
{
    *out = v;
    if (path.kind == JV_ABSENT || path.kind == JV_NONE) return ST_OK;
    if (jv_is_whole(path)) return run_item(run, v, path, out);
    if (path.kind != JV_TEXT)
        return run_fault(run, "expected a path of attributes, found %s", jv_type_name(path));
    for (size_t at = 0; at <= path.n;) {
        const char *dot = memchr(path.s + at, '.', path.n - at);
        const size_t n = dot ? (size_t)(dot - path.s) - at : path.n - at;
        TRY(path_step(run, *out, path.s + at, n, out));
        at += n + 1;
    }
    return ST_OK;
}

/* How items are compared: by the value a path leads to, texts without their case. */
struct key {
    struct call *call;
    struct jv path;
    bool case_sensitive;
    struct jv fallback; /* for a key that is not there; JV_ABSENT: none */
};

static enum status key_one(const struct key *key, struct jv item, struct jv path, struct jv *out)
{
    TRY(filter_path(key->call->run, item, path, out));
    if (out->kind == JV_UNDEFINED && key->fallback.kind != JV_ABSENT) *out = key->fallback;
    if (out->kind != JV_TEXT || key->case_sensitive) return ST_OK;
    struct call lower = {.run = key->call->run, .self = *out};
    return filter_lower(&lower, out);
}

/* Several paths, with commas between them, make a list. */
static enum status key_of(const struct key *key, struct jv item, struct jv *out)
{
    const struct jv path = key->path;
    if (path.kind != JV_TEXT || !memchr(path.s, ',', path.n)) return key_one(key, item, path, out);
    struct jv list, part;
    TRY(run_list(key->call->run, JV_LIST, &list));
    for (size_t at = 0; at <= path.n;) {
        const char *comma = memchr(path.s + at, ',', path.n - at);
        const size_t n = comma ? (size_t)(comma - path.s) - at : path.n - at;
        TRY(key_one(key, item, jv_text(path.s + at, n), &part));
        TRY(run_append(key->call->run, list, part));
        at += n + 1;
    }
    *out = list;
    return ST_OK;
}

/* ---- sorting ----------------------------------------------------------------------------- */

struct keyed {
    struct jv key, item;
};

static enum status order(struct jinja_run *run, struct jv a, struct jv b, bool *before)
{
    TRY(run_charge(run, 1));
    return run_compare(run, OP_LT, a, b, before);
}

/* Merge two sorted runs of `from` into `to`, equal ones in their order; `reverse` sorts downwards.
 */
static enum status merge(struct jinja_run *run, const struct keyed *from, struct keyed *to,
                         uint32_t half, uint32_t n, bool reverse)
{
    uint32_t i = 0, k = half;
    for (uint32_t at = 0; at < n; at++) {
        bool second = i == half;
        if (i < half && k < n)
            TRY(reverse ? order(run, from[i].key, from[k].key, &second)
                        : order(run, from[k].key, from[i].key, &second));
        to[at] = second ? from[k++] : from[i++];
    }
    return ST_OK;
}

static enum status merge_sort(struct jinja_run *run, struct keyed *items, struct keyed *spare,
                              uint32_t n, bool reverse)
{
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t at = 0; at < n; at += 2 * width) {
            const uint32_t count = n - at < 2 * width ? n - at : 2 * width;
            TRY(merge(run, items + at, spare + at, width < count ? width : count, count, reverse));
        }
        memcpy(items, spare, n * sizeof *items);
    }
    return ST_OK;
}

static enum status sorted(const struct key *key, const struct jv_list *list, bool reverse,
                          struct keyed **out)
{
    struct jinja_run *run = key->call->run;
    struct keyed *items = pool_take(run->pool, 2 * (size_t)list->n * sizeof *items);
    if (!items) return run_memory(run);
    for (uint32_t i = 0; i < list->n; i++) {
        items[i].item = list->items[i];
        TRY(key_of(key, list->items[i], &items[i].key));
    }
    *out = items;
    return merge_sort(run, items, items + list->n, list->n, reverse);
}

enum status filter_sort(struct call *c, struct jv *out)
{
    const struct key key = {c, c->arg[2], call_flag(c, 1, false), {0}};
    const struct jv_list *list;
    struct keyed *items;
    TRY(run_items(c->run, c->self, &list));
    TRY(sorted(&key, list, call_flag(c, 0, false), &items));
    TRY(run_list(c->run, JV_LIST, out));
    for (uint32_t i = 0; i < list->n; i++) TRY(run_append(c->run, *out, items[i].item));
    return ST_OK;
}

enum status filter_dictsort(struct call *c, struct jv *out)
{
    struct jv by, pairs, pair;
    TRY(call_text(c, 1, "key", &by));
    if (!jv_text_is(by, "key") && !jv_text_is(by, "value"))
        return run_fault(c->run, "dictsort: sort by key or by value");
    if (c->self.kind == JV_UNDEFINED) return run_fault(c->run, "dictsort: expected a dict");
    TRY(filter_items(c, &pairs));
    const struct key key = {c, jv_int(jv_text_is(by, "value")), call_flag(c, 0, false), {0}};
    struct keyed *items;
    TRY(sorted(&key, pairs.list, call_flag(c, 2, false), &items));
    TRY(run_list(c->run, JV_LIST, &pair));
    for (uint32_t i = 0; i < pairs.list->n; i++) TRY(run_append(c->run, pair, items[i].item));
    *out = pair;
    return ST_OK;
}

static enum status add_group(struct call *c, struct jv groups, struct jv grouper, struct jv list)
{
    struct jv group;
    TRY(run_list(c->run, JV_TUPLE, &group));
    TRY(run_append(c->run, group, grouper));
    TRY(run_append(c->run, group, list));
    group.tag = JV_GROUP;
    return run_append(c->run, groups, group);
}

enum status filter_groupby(struct call *c, struct jv *out)
{
    const struct key key = {c, c->arg[0], call_flag(c, 2, false), c->arg[1]};
    const struct jv_list *list;
    struct keyed *items;
    TRY(run_items(c->run, c->self, &list));
    TRY(sorted(&key, list, false, &items));
    TRY(run_list(c->run, JV_LIST, out));
    for (uint32_t i = 0; i < list->n;) {
        struct jv group, grouper;
        const struct jv first = items[i].key;
        TRY(run_list(c->run, JV_LIST, &group));
        TRY(filter_path(c->run, items[i].item, c->arg[0], &grouper));
        if (grouper.kind == JV_UNDEFINED && c->arg[1].kind != JV_ABSENT) grouper = c->arg[1];
        for (; i < list->n && jv_equal(items[i].key, first); i++)
            TRY(run_append(c->run, group, items[i].item));
        TRY(add_group(c, *out, grouper, group));
    }
    return ST_OK;
}

static enum status extreme(struct call *c, bool most, struct jv *out)
{
    const struct key key = {c, c->arg[1], call_flag(c, 0, false), {0}};
    const struct jv_list *list;
    TRY(run_items(c->run, c->self, &list));
    *out = jv_undefined("the extreme of nothing", 22);
    struct jv best = jv_none();
    for (uint32_t i = 0; i < list->n; i++) {
        struct jv now;
        bool better = i == 0;
        TRY(key_of(&key, list->items[i], &now));
        if (i) TRY(most ? order(c->run, best, now, &better) : order(c->run, now, best, &better));
        if (!better) continue;
        best = now;
        *out = list->items[i];
    }
    return ST_OK;
}

enum status filter_min(struct call *c, struct jv *out)
{
    return extreme(c, false, out);
}

enum status filter_max(struct call *c, struct jv *out)
{
    return extreme(c, true, out);
}

enum status filter_unique(struct call *c, struct jv *out)
{
    const struct key key = {c, c->arg[1], call_flag(c, 0, false), {0}};
    const struct jv_list *list;
    struct jv seen, now;
    const struct jv *found;
    TRY(run_items(c->run, c->self, &list));
    TRY(run_list(c->run, JV_ITERATOR, out));
    TRY(run_dict(c->run, &seen));
    for (uint32_t i = 0; i < list->n; i++) {
        TRY(key_of(&key, list->items[i], &now));
        TRY(run_find(c->run, seen.dict, now, &found));
        if (found) continue;
        TRY(run_set(c->run, seen, now, jv_none()));
        TRY(run_append(c->run, *out, list->items[i]));
    }
    return ST_OK;
}

/* ---- parts of a list --------------------------------------------------------------------- */

enum status filter_first(struct call *c, struct jv *out)
{
    *out = jv_undefined("the first of nothing", 20);
    if (c->self.kind == JV_ITERATOR) { /* the others stay in it */
        struct jv_list *left = c->self.list;
        if (left->at < left->n) *out = left->items[left->at++];
        return ST_OK;
    }
    if (c->self.kind == JV_TEXT && c->self.n) return run_item(c->run, c->self, jv_int(0), out);
    const struct jv_list *list;
    TRY(run_items(c->run, c->self, &list));
    if (list->n) *out = list->items[0];
    return ST_OK;
}

enum status filter_last(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    if (c->self.kind == JV_ITERATOR) return run_fault(c->run, "last: a generator has none");
    TRY(run_items(c->run, c->self, &list));
    *out = list->n ? list->items[list->n - 1] : jv_undefined("the last of nothing", 19);
    return ST_OK;
}

enum status filter_length(struct call *c, struct jv *out)
{
    const struct jv v = c->self;
    if (v.kind == JV_TEXT) {
        TRY(run_charge(c->run, v.n / 16));
        *out = jv_int((int64_t)point_count(v.s, v.n));
    } else if (v.kind == JV_UNDEFINED) {
        *out = jv_int(0);
    } else if (v.kind == JV_DICT) {
        *out = jv_int(v.dict->n);
    } else if (v.kind == JV_LOOP) {
        *out = jv_int(v.loop->items->n);
    } else if (jv_is_list(v) && v.kind != JV_ITERATOR) {
        *out = jv_int(v.list->n);
    } else {
        return run_fault(c->run, "a %s has no length", jv_type_name(v));
    }
    return ST_OK;
}

enum status filter_list(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    TRY(run_items(c->run, c->self, &list));
    TRY(run_list(c->run, JV_LIST, out));
    for (uint32_t i = 0; i < list->n; i++) TRY(run_append(c->run, *out, list->items[i]));
    return ST_OK;
}

enum status filter_join(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    const size_t mark = c->run->out->len;
    TRY(run_items(c->run, c->self, &list));
    for (uint32_t i = 0; i < list->n; i++) {
        struct jv item;
        TRY(run_charge(c->run, 1));
        if (i && c->arg[0].kind != JV_ABSENT) TRY(run_show(c->run, c->arg[0]));
        TRY(filter_path(c->run, list->items[i], c->arg[1], &item));
        TRY(run_show(c->run, item));
    }
    return run_cut(c->run, mark, out);
}

enum status filter_reverse(struct call *c, struct jv *out)
{
    const struct jv back[3] = {jv_none(), jv_none(), jv_int(-1)};
    if (c->self.kind == JV_TEXT) return run_slice(c->run, c->self, back, out);
    const struct jv_list *list;
    TRY(run_items(c->run, c->self, &list));
    TRY(run_list(c->run, JV_ITERATOR, out));
    for (uint32_t i = list->n; i; i--) TRY(run_append(c->run, *out, list->items[i - 1]));
    return ST_OK;
}

enum status filter_sum(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    TRY(run_items(c->run, c->self, &list));
    struct jv sum = c->arg[1].kind == JV_ABSENT ? jv_int(0) : c->arg[1];
    if (sum.kind == JV_TEXT) return run_fault(c->run, "sum: texts are joined, not added");
    for (uint32_t i = 0; i < list->n; i++) {
        struct jv item;
        TRY(run_charge(c->run, 1));
        TRY(filter_path(c->run, list->items[i], c->arg[0], &item));
        TRY(run_arithmetic(c->run, '+', sum, item, &sum));
    }
    *out = sum;
    return ST_OK;
}

enum status filter_batch(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    int64_t size;
    struct jv row = jv_none();
    TRY(call_whole(c, 0, 1, &size));
    TRY(run_items(c->run, c->self, &list));
    TRY(run_list(c->run, JV_ITERATOR, out));
    for (uint32_t i = 0; i < list->n;) {
        TRY(run_list(c->run, JV_LIST, &row));
        do TRY(run_append(c->run, row, list->items[i++]));
        while (i < list->n && row.list->n < size);
        const bool fills = c->arg[1].kind != JV_ABSENT && c->arg[1].kind != JV_NONE;
        while (fills && i == list->n && row.list->n < size) TRY(run_append(c->run, row, c->arg[1]));
        TRY(run_append(c->run, *out, row));
    }
    return ST_OK;
}

enum status filter_slice(struct call *c, struct jv *out)
{
    const struct jv_list *list;
    int64_t n;
    TRY(call_whole(c, 0, 1, &n));
    TRY(run_items(c->run, c->self, &list));
    if (n < 1) return run_fault(c->run, "slice: expected 1 slice or more");
    TRY(run_list(c->run, JV_ITERATOR, out));
    const int64_t each = list->n / n, longer = list->n % n;
    const bool fills = c->arg[1].kind != JV_ABSENT && c->arg[1].kind != JV_NONE;
    uint32_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        struct jv row;
        TRY(run_list(c->run, JV_LIST, &row));
        for (int64_t k = 0; k < each + (i < longer); k++)
            TRY(run_append(c->run, row, list->items[at++]));
        if (fills && i >= longer) TRY(run_append(c->run, row, c->arg[1]));
        TRY(run_append(c->run, *out, row));
    }
    return ST_OK;
}

enum status filter_items(struct call *c, struct jv *out)
{
    TRY(run_list(c->run, JV_ITERATOR, out));
    if (c->self.kind == JV_UNDEFINED) return ST_OK;
    if (c->self.kind != JV_DICT)
        return run_fault(c->run, "items: expected a dict, found %s", jv_type_name(c->self));
    const struct jv_dict *dict = c->self.dict;
    for (uint32_t i = 0; i < dict->n; i++) {
        struct jv pair;
        TRY(run_list(c->run, JV_TUPLE, &pair));
        TRY(run_append(c->run, pair, dict->pairs[i].key));
        TRY(run_append(c->run, pair, dict->pairs[i].value));
        TRY(run_append(c->run, *out, pair));
    }
    return ST_OK;
}
