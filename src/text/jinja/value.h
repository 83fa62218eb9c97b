/*
 * Values of the template language, which are Python's: a small plain struct, whose texts and
 * containers lie in the pool of one rendering. Values do not change once they are made (the
 * language has no way to), but for namespaces and half-read iterators.
 */
#ifndef EAD_TEXT_JINJA_VALUE_H
#define EAD_TEXT_JINJA_VALUE_H

#include "base/pool.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jv_kind {
    JV_ABSENT, /* an argument that was not given; never seen by a template */
    JV_UNDEFINED,
    JV_NONE,
    JV_BOOL,
    JV_INT,
    JV_FLOAT,
    JV_TEXT,
    JV_LIST, /* the next five have a jv_list */
    JV_TUPLE,
    JV_RANGE,
    JV_VIEW, /* of a dict: its keys, values or items */
    JV_ITERATOR,
    JV_DICT,
    JV_NAMESPACE,
    JV_LOOP,
    JV_MACRO,
    JV_FUNCTION,
    JV_METHOD
};

/* What the bits of `tag` say of a value. */
enum {
    JV_MARKUP = 1, /* a text that was declared safe or escaped: what is added to it is escaped */
    JV_GROUP = 2,  /* a tuple of groupby, whose elements have names too */
};

struct jv {
    uint8_t kind; /* enum jv_kind */
    uint8_t tag;
    uint32_t n; /* bytes of a text or, of what is undefined, of its name */
    union {
        bool b;
        int64_t i;
        double f;
        const char *s; /* UTF-8, not NUL-terminated */
        struct jv_list *list;
        struct jv_dict *dict;
        const struct jv_method *method;
        const struct jinja_function *function;
        struct jinja_loop *loop;
        const struct jinja_closure *macro;
    };
};

struct jv_list {
    struct jv *items;
    uint32_t n, cap;
    uint32_t at;       /* of an iterator: items before it were taken */
    uint32_t weight;   /* of the values inside (jv_weight): what a walk costs */
    uint32_t depth;    /* of containers inside */
    const char *shown; /* of a view, what str() puts around its items: "dict_keys" */
};

struct jv_pair {
    struct jv key, value;
};

/* Pairs in the order of insertion; above a few there is an index by hash. */
struct jv_dict {
    struct jv_pair *pairs;
    uint32_t n, cap;
    uint32_t *index; /* [n_index] position in pairs + 1, or 0; open addressing */
    uint32_t n_index;
    uint32_t weight, depth; /* as in a list; 0 of a namespace, into which no walk leads */
};

/* A function of the language's library together with the value it is a method of. */
struct jv_method {
    struct jv self;
    const struct jinja_function *function;
};

/* ---- making ------------------------------------------------------------------------------ */

static inline struct jv jv_none(void)
{
    return (struct jv){.kind = JV_NONE};
}

static inline struct jv jv_undefined(const char *name, uint32_t n)
{
    return (struct jv){.kind = JV_UNDEFINED, .n = n, .s = name};
}

static inline struct jv jv_bool(bool b)
{
    return (struct jv){.kind = JV_BOOL, .b = b};
}

static inline struct jv jv_int(int64_t i)
{
    return (struct jv){.kind = JV_INT, .i = i};
}

static inline struct jv jv_float(double f)
{
    return (struct jv){.kind = JV_FLOAT, .f = f};
}

static inline struct jv jv_text(const char *s, size_t n)
{
    return (struct jv){.kind = JV_TEXT, .n = (uint32_t)n, .s = s};
}

/* Texts are shorter than this, no container is deeper, and no walk over one is longer. So nothing
 * that walks needs a bound of its own. */
#define JV_TEXT_MAX ((size_t)1 << 30)
enum { JV_DEPTH_MAX = 200, JV_WEIGHT_MAX = 1 << 24 };

/* Empty containers of a kind, and what is added to them; false without memory, or beyond a bound.
 */
bool jv_list_init(struct pool *pool, enum jv_kind kind, uint32_t cap, struct jv *out);
bool jv_append(struct pool *pool, struct jv_list *list, struct jv item);
bool jv_dict_init(struct pool *pool, enum jv_kind kind, struct jv *out);
/* Replaces the value of a key that is there. The key must be hashable. */
bool jv_dict_set(struct pool *pool, struct jv_dict *dict, struct jv key, struct jv value);
/* The same for a namespace: no walk leads into one, so it has no bounds. */
bool jv_dict_put(struct pool *pool, struct jv_dict *dict, struct jv key, struct jv value);
bool jv_dict_set_name(struct pool *pool, struct jv_dict *dict, const char *name, struct jv value);
/* A copy of n bytes. */
bool jv_copy_text(struct pool *pool, const char *s, size_t n, struct jv *out);

/* ---- asking ------------------------------------------------------------------------------ */

static inline bool jv_is_list(struct jv v)
{
    return v.kind >= JV_LIST && v.kind <= JV_ITERATOR;
}

/* True, False and numbers, as arithmetic takes them. */
static inline bool jv_is_number(struct jv v)
{
    return v.kind == JV_BOOL || v.kind == JV_INT || v.kind == JV_FLOAT;
}

static inline bool jv_is_whole(struct jv v)
{
    return v.kind == JV_BOOL || v.kind == JV_INT;
}

static inline int64_t jv_whole(struct jv v)
{
    return v.kind == JV_BOOL ? v.b : v.i;
}

static inline double jv_real(struct jv v)
{
    return v.kind == JV_FLOAT ? v.f : (double)jv_whole(v);
}

/* What a walk over it costs: 1 for each value that it meets, and more for long texts
 * and floats. */
uint32_t jv_weight(struct jv v);
/* Python's truth. */
bool jv_truth(struct jv v);
/* Python's name of the type: "str", "dict". */
const char *jv_type_name(struct jv v);
bool jv_text_is(struct jv v, const char *word);
/* Numbers, texts, None and tuples of them can be keys. */
bool jv_hashable(struct jv v);
/* ==, of any two. */
bool jv_equal(struct jv a, struct jv b);
/* < 0, 0, > 0 in *order; false where Python has no order between the two. */
bool jv_order(struct jv a, struct jv b, int *order);
/* The value of a key, or NULL. The key must be hashable. */
struct jv *jv_dict_find(const struct jv_dict *dict, struct jv key);
struct jv *jv_dict_find_name(const struct jv_dict *dict, const char *name);

#endif
