#include "text/jinja/value.h"

#include "base/hash.h"

#include <math.h>
#include <string.h>

enum { INDEX_FROM = 9 };

static const char *const type_names[] = {
    [JV_ABSENT] = "nothing",    [JV_UNDEFINED] = "Undefined",
    [JV_NONE] = "NoneType",     [JV_BOOL] = "bool",
    [JV_INT] = "int",           [JV_FLOAT] = "float",
    [JV_TEXT] = "str",          [JV_LIST] = "list",
    [JV_TUPLE] = "tuple",       [JV_RANGE] = "range",
    [JV_VIEW] = "dict view",    [JV_ITERATOR] = "generator",
    [JV_DICT] = "dict",         [JV_NAMESPACE] = "Namespace",
    [JV_LOOP] = "LoopContext",  [JV_MACRO] = "Macro",
    [JV_FUNCTION] = "function", [JV_METHOD] = "method",
};

const char *jv_type_name(struct jv v)
{
    return type_names[v.kind];
}

bool jv_text_is(struct jv v, const char *word)
{
    return v.kind == JV_TEXT && v.n == strlen(word) && !memcmp(v.s, word, v.n);
}

/* ---- lists ------------------------------------------------------------------------------- */

bool jv_list_init(struct pool *pool, enum jv_kind kind, uint32_t cap, struct jv *out)
{
    struct jv_list *list = pool_take(pool, sizeof *list);
    struct jv *items = cap ? pool_take(pool, cap * sizeof *items) : NULL;
    if (!list || (cap && !items)) return false;
    *list = (struct jv_list){.items = items, .cap = cap};
    *out = (struct jv){.kind = (uint8_t)kind, .list = list};
    return true;
}

static bool is_dict(struct jv v)
{
    return v.kind == JV_DICT;
}

uint32_t jv_weight(struct jv v)
{
    if (v.kind == JV_FLOAT) return 8; /* its digits take long */
    if (v.kind == JV_TEXT) return 1 + v.n / 16;
    return 1 + (jv_is_list(v) ? v.list->weight : is_dict(v) ? v.dict->weight : 0);
}

/* Account for a value that goes into a container; false when it is one too many. */
static bool take_in(uint32_t *weight, uint32_t *depth, struct jv v)
{
    const uint32_t below = jv_is_list(v) ? v.list->depth + 1 : is_dict(v) ? v.dict->depth + 1 : 0;
    if (below > *depth) *depth = below;
    *weight += jv_weight(v);
    return *depth < JV_DEPTH_MAX && *weight < JV_WEIGHT_MAX;
}

bool jv_append(struct pool *pool, struct jv_list *list, struct jv item)
{
    if (!take_in(&list->weight, &list->depth, item)) return false;
    if (list->n == list->cap) {
        const uint32_t cap = list->cap ? 2 * list->cap : 8;
        struct jv *more = cap > list->cap ? pool_take(pool, cap * sizeof *more) : NULL;
        if (!more) return false;
        if (list->n) memcpy(more, list->items, list->n * sizeof *more);
        list->items = more;
        list->cap = cap;
    }
    list->items[list->n++] = item;
    return true;
}

bool jv_copy_text(struct pool *pool, const char *s, size_t n, struct jv *out)
{
    char *copy = n < JV_TEXT_MAX ? pool_take(pool, n) : NULL;
    if (!copy) return false;
    if (n) memcpy(copy, s, n);
    *out = jv_text(copy, n);
    return true;
}

/* ---- truth, equality, order -------------------------------------------------------------- */

bool jv_truth(struct jv v)
{
    switch (v.kind) {
    case JV_ABSENT:
    case JV_UNDEFINED:
    case JV_NONE: return false;
    case JV_BOOL: return v.b;
    case JV_INT: return v.i != 0;
    case JV_FLOAT: return v.f != 0;
    case JV_TEXT: return v.n != 0;
    case JV_LIST:
    case JV_TUPLE:
    case JV_RANGE:
    case JV_VIEW: return v.list->n != 0;
    case JV_DICT: return v.dict->n != 0;
    default: return true;
    }
}

static bool equal_numbers(struct jv a, struct jv b)
{
    if (jv_is_whole(a) && jv_is_whole(b)) return jv_whole(a) == jv_whole(b);
    return jv_real(a) == jv_real(b);
}

static bool equal_dicts(const struct jv_dict *a, const struct jv_dict *b)
{
    if (a == b) return true;
    if (a->n != b->n) return false;
    for (uint32_t i = 0; i < a->n; i++) {
        const struct jv *other = jv_dict_find(b, a->pairs[i].key);
        if (!other || !jv_equal(a->pairs[i].value, *other)) return false;
    }
    return true;
}

static bool equal_lists(const struct jv_list *a, const struct jv_list *b)
{
    if (a == b) return true;
    if (a->n != b->n) return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!jv_equal(a->items[i], b->items[i])) return false;
    return true;
}

bool jv_equal(struct jv a, struct jv b)
{
    if (jv_is_number(a) && jv_is_number(b)) return equal_numbers(a, b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case JV_UNDEFINED:
    case JV_NONE: return true;
    case JV_TEXT: return a.n == b.n && !memcmp(a.s, b.s, a.n);
    case JV_LIST:
    case JV_TUPLE:
    case JV_RANGE: return equal_lists(a.list, b.list);
    case JV_DICT: return equal_dicts(a.dict, b.dict);
    default: return a.list == b.list; /* the same one */
    }
}

static int order_of(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* Code points and the bytes of UTF-8 have the same order. */
static int order_texts(struct jv a, struct jv b)
{
    const int c = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);
    return c ? c : order_of(a.n, b.n);
}

static bool order_lists(const struct jv_list *a, const struct jv_list *b, int *order)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        const bool ordered = jv_order(a->items[i], b->items[i], order);
        if (ordered && *order) return true;
        if (!ordered && !jv_equal(a->items[i], b->items[i])) return false;
    }
    *order = order_of(a->n, b->n);
    return true;
}

bool jv_order(struct jv a, struct jv b, int *order)
{
    if (jv_is_whole(a) && jv_is_whole(b)) {
        *order = (jv_whole(a) > jv_whole(b)) - (jv_whole(a) < jv_whole(b));
        return true;
    }
    if (jv_is_number(a) && jv_is_number(b)) {
        *order = order_of(jv_real(a), jv_real(b));
        return true;
    }
    if (a.kind != b.kind) return false;
    if (a.kind == JV_TEXT) {
        *order = order_texts(a, b);
        return true;
    }
    if (a.kind != JV_LIST && a.kind != JV_TUPLE) return false;
    return order_lists(a.list, b.list, order);
}

/* ---- dicts ------------------------------------------------------------------------------- */

bool jv_hashable(struct jv v)
{
    if (v.kind == JV_LIST || v.kind == JV_DICT || v.kind == JV_VIEW) return false;
    if (v.kind != JV_TUPLE) return true;
    for (uint32_t i = 0; i < v.list->n; i++)
        if (!jv_hashable(v.list->items[i])) return false;
    return true;
}

/* Equal keys have equal hashes: 1, 1.0 and True are one key. Where a dict lies goes in first, so
 * that nobody can write keys that collide without knowing it. */
static uint64_t hash_of(uint64_t hash, struct jv v)
{
    if (jv_is_number(v)) {
        const double real = jv_real(v) + 0.0; /* no negative zero */
        return hash_more(hash, &real, sizeof real);
    }
    if (v.kind == JV_TEXT) return hash_more(hash, v.s, v.n);
    hash = hash_more(hash, &v.kind, 1);
    for (uint32_t i = 0; v.kind == JV_TUPLE && i < v.list->n; i++)
        hash = hash_of(hash, v.list->items[i]);
    return hash;
}

/* The entry of a key in the index: where its position is, or where it would go. */
static uint32_t *index_entry(const struct jv_dict *dict, struct jv key)
{
    const uint64_t hash = hash_of(hash_bytes(&dict, sizeof dict), key);
    uint32_t at = (uint32_t)(hash ^ hash >> 32) & (dict->n_index - 1);
    while (dict->index[at] && !jv_equal(dict->pairs[dict->index[at] - 1].key, key))
        at = (at + 1) & (dict->n_index - 1);
    return &dict->index[at];
}

struct jv *jv_dict_find(const struct jv_dict *dict, struct jv key)
{
    if (dict->index) {
        const uint32_t at = *index_entry(dict, key);
        return at ? &dict->pairs[at - 1].value : NULL;
    }
    for (uint32_t i = 0; i < dict->n; i++)
        if (jv_equal(dict->pairs[i].key, key)) return &dict->pairs[i].value;
    return NULL;
}

struct jv *jv_dict_find_name(const struct jv_dict *dict, const char *name)
{
    return jv_dict_find(dict, jv_text(name, strlen(name)));
}

bool jv_dict_init(struct pool *pool, enum jv_kind kind, struct jv *out)
{
    struct jv_dict *dict = pool_take(pool, sizeof *dict);
    if (!dict) return false;
    *dict = (struct jv_dict){0};
    *out = (struct jv){.kind = (uint8_t)kind, .dict = dict};
    return true;
}

static bool grow_index(struct pool *pool, struct jv_dict *dict)
{
    const uint32_t n = 4 * dict->cap;
    uint32_t *index = pool_take(pool, n * sizeof *index);
    if (!index) return false;
    memset(index, 0, n * sizeof *index);
    dict->index = index;
    dict->n_index = n;
    for (uint32_t i = 0; i < dict->n; i++) *index_entry(dict, dict->pairs[i].key) = i + 1;
    return true;
}

static bool grow(struct pool *pool, struct jv_dict *dict)
{
    const uint32_t cap = dict->cap ? 2 * dict->cap : 4;
    struct jv_pair *more = cap < 1u << 28 ? pool_take(pool, cap * sizeof *more) : NULL;
    if (!more) return false;
    if (dict->n) memcpy(more, dict->pairs, dict->n * sizeof *more);
    dict->pairs = more;
    dict->cap = cap;
    return cap < INDEX_FROM || grow_index(pool, dict);
}

bool jv_dict_put(struct pool *pool, struct jv_dict *dict, struct jv key, struct jv value)
{
    struct jv *old = jv_dict_find(dict, key);
    if (old) {
        *old = value;
        return true;
    }
    if (dict->n == dict->cap && !grow(pool, dict)) return false;
    if (dict->index) *index_entry(dict, key) = dict->n + 1;
    dict->pairs[dict->n++] = (struct jv_pair){key, value};
    return true;
}

bool jv_dict_set(struct pool *pool, struct jv_dict *dict, struct jv key, struct jv value)
{
    return take_in(&dict->weight, &dict->depth, key) &&
           take_in(&dict->weight, &dict->depth, value) && jv_dict_put(pool, dict, key, value);
}

bool jv_dict_set_name(struct pool *pool, struct jv_dict *dict, const char *name, struct jv value)
{
    return jv_dict_set(pool, dict, jv_text(name, strlen(name)), value);
}
