#include "text/jinja/point.h"
#include "text/jinja/run.h"

#include <string.h>

/* ---- attributes -------------------------------------------------------------------------- */

static enum status method(struct jinja_run *run, const struct jinja_function *function,
                          struct jv self, struct jv *out)
{
    struct jv_method *m = pool_take(run->pool, sizeof *m);
    if (!m) return run_memory(run);
    *m = (struct jv_method){self, function};
    *out = (struct jv){.kind = JV_METHOD, .method = m};
    return ST_OK;
}

static struct jv loop_attribute(const struct jinja_loop *loop, struct jv name)
{
    const int64_t index = loop->index, n = loop->items->n;
    if (jv_text_is(name, "index")) return jv_int(index + 1);
    if (jv_text_is(name, "index0")) return jv_int(index);
    if (jv_text_is(name, "revindex")) return jv_int(n - index);
    if (jv_text_is(name, "revindex0")) return jv_int(n - index - 1);
    if (jv_text_is(name, "first")) return jv_bool(index == 0);
    if (jv_text_is(name, "last")) return jv_bool(index + 1 == n);
    if (jv_text_is(name, "length")) return jv_int(n);
    if (jv_text_is(name, "depth")) return jv_int(1);
    if (jv_text_is(name, "depth0")) return jv_int(0);
    if (jv_text_is(name, "previtem") && index) return loop->items->items[index - 1];
    if (jv_text_is(name, "nextitem") && index + 1 < n) return loop->items->items[index + 1];
    return jv_undefined(name.s, name.n);
}

/* loop.cycle(...): the argument whose turn it is. */
static enum status loop_cycle(struct call *c, struct jv *out)
{
    if (!c->all.n) return run_fault(c->run, "cycle() needs an argument");
    *out = c->all.item[c->self.loop->index % (uint32_t)c->all.n];
    return ST_OK;
}

/* loop.changed(...): are these others than the last time? */
static enum status loop_changed(struct call *c, struct jv *out)
{
    struct jv now;
    TRY(run_list(c->run, JV_TUPLE, &now));
    for (int i = 0; i < c->all.n; i++) TRY(run_append(c->run, now, c->all.item[i]));
    TRY(run_charge(c->run, jv_weight(now)));
    struct jinja_loop *loop = c->self.loop;
    *out = jv_bool(loop->seen.kind == JV_ABSENT || !jv_equal(loop->seen, now));
    loop->seen = now;
    return ST_OK;
}

static const struct jinja_function loop_methods[] = {
    {"cycle", NULL, loop_cycle}, {"changed", NULL, loop_changed}, {0}};

static const struct jinja_function *methods_of(struct jv v)
{
    switch (v.kind) {
    case JV_TEXT: return jinja_text_methods;
    case JV_LIST:
    case JV_TUPLE: return jinja_list_methods;
    case JV_DICT: return jinja_dict_methods;
    case JV_LOOP: return loop_methods;
    default: return NULL;
    }
}

/* What Python's object has under this name, ahead of any key; JV_ABSENT when nothing. */
static enum status own_attribute(struct jinja_run *run, struct jv of, struct jv name,
                                 struct jv *out)
{
    const struct jinja_function *methods = methods_of(of);
    const struct jinja_function *f = methods ? function_find(methods, name.s, name.n) : NULL;
    *out = (struct jv){.kind = JV_ABSENT};
    if (f) return method(run, f, of, out);
    if (of.kind == JV_LOOP) *out = loop_attribute(of.loop, name);
    if (of.kind == JV_NAMESPACE) {
        const struct jv *value;
        TRY(run_find(run, of.dict, name, &value));
        if (value) *out = *value;
    }
    if (of.kind == JV_MACRO && jv_text_is(name, "name") && of.macro->node->name)
        *out = jv_text(of.macro->node->name->s, of.macro->node->name->n);
    if (of.tag & JV_GROUP && jv_text_is(name, "grouper")) *out = of.list->items[0];
    if (of.tag & JV_GROUP && jv_text_is(name, "list")) *out = of.list->items[1];
    return ST_OK;
}

static enum status of_undefined(struct jinja_run *run, struct jv of, struct jv name)
{
    return run_fault(run, "\"%.*s\" is undefined, so it has no \"%.*s\"",
                     (int)(of.n < 80 ? of.n : 80), of.s, (int)(name.n < 80 ? name.n : 80), name.s);
}

enum status run_attribute(struct jinja_run *run, struct jv of, struct jv name, struct jv *out)
{
    if (of.kind == JV_UNDEFINED) return of_undefined(run, of, name);
    TRY(own_attribute(run, of, name, out));
    if (out->kind != JV_ABSENT) return ST_OK;
    const struct jv *value = NULL;
    if (of.kind == JV_DICT) TRY(run_find(run, of.dict, name, &value));
    *out = value ? *value : jv_undefined(name.s, name.n);
    return ST_OK;
}

/* ---- items ------------------------------------------------------------------------------- */

static bool has_order(struct jv v)
{
    return v.kind == JV_LIST || v.kind == JV_TUPLE || v.kind == JV_RANGE;
}

/* Item i, from the end where it is negative; JV_ABSENT when there is none. */
static struct jv at_index(struct jv of, int64_t i)
{
    const struct jv nothing = {.kind = JV_ABSENT};
    if (has_order(of)) {
        if (i < 0) i += of.list->n;
        return i >= 0 && i < of.list->n ? of.list->items[i] : nothing;
    }
    if (i < 0) i += (int64_t)point_count(of.s, of.n);
    if (i < 0 || i >= of.n) return nothing;
    const size_t at = point_offset(of.s, of.n, (size_t)i);
    size_t size;
    if (at == of.n) return nothing;
    point_at(of.s + at, of.n - at, &size);
    struct jv point = jv_text(of.s + at, size);
    point.tag = of.tag;
    return point;
}

enum status run_item(struct jinja_run *run, struct jv of, struct jv key, struct jv *out)
{
    if (of.kind == JV_UNDEFINED)
        return of_undefined(run, of, key.kind == JV_TEXT ? key : jv_text("item", 4));
    *out = (struct jv){.kind = JV_ABSENT};
    if (of.kind == JV_DICT && jv_hashable(key)) {
        const struct jv *value;
        TRY(run_find(run, of.dict, key, &value));
        if (value) *out = *value;
    } else if ((has_order(of) || of.kind == JV_TEXT) && jv_is_whole(key)) {
        if (of.kind == JV_TEXT) TRY(run_charge(run, of.n / 16));
        *out = at_index(of, jv_whole(key));
    }
    if (out->kind == JV_ABSENT && key.kind == JV_TEXT) TRY(own_attribute(run, of, key, out));
    if (out->kind != JV_ABSENT) return ST_OK;
    *out = key.kind == JV_TEXT ? jv_undefined(key.s, key.n) : jv_undefined("item", 4);
    return ST_OK;
}

/* ---- slices ------------------------------------------------------------------------------ */

/* Where a slice of n items begins and ends, as Python's slice.indices has it. */
static void bounds(int64_t n, const struct jv bound[3], int64_t step, int64_t *from, int64_t *to)
{
    const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    *from = step < 0 ? high : low;
    *to = step < 0 ? low : high;
    int64_t *const at[] = {from, to};
    for (int i = 0; i < 2; i++) {
        if (bound[i].kind == JV_NONE) continue;
        int64_t v = jv_whole(bound[i]);
        if (v < 0) v += n;
        *at[i] = v < low ? low : v > high ? high : v;
    }
}

static enum status slice_text(struct jinja_run *run, struct jv of, int64_t from, int64_t to,
                              int64_t step, struct jv *out)
{
    if (step == 1) {
        const size_t begin = point_offset(of.s, of.n, (size_t)from);
        const size_t n =
            to > from ? point_offset(of.s + begin, of.n - begin, (size_t)(to - from)) : 0;
        *out = jv_text(of.s + begin, n);
        out->tag = of.tag;
        return ST_OK;
    }
    const struct jv_list *points;
    const size_t mark = run->out->len;
    TRY(run_items(run, of, &points));
    for (int64_t i = from; step > 0 ? i < to : i > to; i += step)
        TRY(run_write(run, points->items[i].s, points->items[i].n));
    TRY(run_cut(run, mark, out));
    out->tag = of.tag;
    return ST_OK;
}

enum status run_slice(struct jinja_run *run, struct jv of, const struct jv bound[3], struct jv *out)
{
    if (of.kind == JV_UNDEFINED) return of_undefined(run, of, jv_text("items", 5));
    for (int i = 0; i < 3; i++)
        if (bound[i].kind != JV_NONE && !jv_is_whole(bound[i]))
            return run_fault(run, "expected whole numbers in a slice, found %s",
                             jv_type_name(bound[i]));
    const int64_t given = bound[2].kind == JV_NONE ? 1 : jv_whole(bound[2]);
    /* No step is longer than any list, and none overflows. */
    const int64_t step = given > INT32_MAX ? INT32_MAX : given < -INT32_MAX ? -INT32_MAX : given;
    int64_t from, to;
    if (!has_order(of) && of.kind != JV_TEXT)
        return run_fault(run, "a %s has no slices", jv_type_name(of));
    if (step == 0) return run_fault(run, "a slice with a step of 0");
    if (of.kind == JV_TEXT) {
        TRY(run_charge(run, of.n / 16));
        bounds((int64_t)point_count(of.s, of.n), bound, step, &from, &to);
        return slice_text(run, of, from, to, step, out);
    }
    bounds(of.list->n, bound, step, &from, &to);
    TRY(run_list(run, of.kind == JV_TUPLE ? JV_TUPLE : JV_LIST, out));
    for (int64_t i = from; step > 0 ? i < to : i > to; i += step)
        TRY(run_append(run, *out, of.list->items[i]));
    return ST_OK;
}

/* ---- what a loop goes through ------------------------------------------------------------ */

static enum status points_of(struct jinja_run *run, struct jv text, struct jv *out)
{
    TRY(run_list(run, JV_LIST, out));
    for (size_t i = 0, size; i < text.n; i += size) {
        point_at(text.s + i, text.n - i, &size);
        TRY(run_append(run, *out, jv_text(text.s + i, size)));
    }
    return ST_OK;
}

static enum status keys_of(struct jinja_run *run, const struct jv_dict *dict, struct jv *out)
{
    TRY(run_list(run, JV_LIST, out));
    for (uint32_t i = 0; i < dict->n; i++) TRY(run_append(run, *out, dict->pairs[i].key));
    return ST_OK;
}

/* The items that an iterator has left, which it then has no more. */
static enum status rest_of(struct jinja_run *run, struct jv_list *iterator, struct jv *out)
{
    TRY(run_list(run, JV_LIST, out));
    while (iterator->at < iterator->n) TRY(run_append(run, *out, iterator->items[iterator->at++]));
    return ST_OK;
}

enum status run_items(struct jinja_run *run, struct jv v, const struct jv_list **out)
{
    struct jv list = v;
    if (v.kind == JV_UNDEFINED)
        TRY(run_list(run, JV_LIST, &list));
    else if (v.kind == JV_TEXT)
        TRY(points_of(run, v, &list));
    else if (v.kind == JV_DICT)
        TRY(keys_of(run, v.dict, &list));
    else if (v.kind == JV_ITERATOR)
        TRY(rest_of(run, v.list, &list));
    else if (!jv_is_list(v))
        return run_fault(run, "expected something to go through, found %s", jv_type_name(v));
    *out = list.list;
    return ST_OK;
}
