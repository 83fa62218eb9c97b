#include "format/gguf_cursor.h"

#include <string.h>

static const struct {
    const char *name;
    uint8_t bytes; /* 0: the size is in the value */
} types[GGUF_TYPE_LIMIT] = {
    [GGUF_U8] = {"u8", 1},       [GGUF_I8] = {"i8", 1},     [GGUF_U16] = {"u16", 2},
    [GGUF_I16] = {"i16", 2},     [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},
    [GGUF_F32] = {"f32", 4},     [GGUF_BOOL] = {"bool", 1}, [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8},   [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};

const char *gguf_type_name(enum gguf_type type)
{
    return type < GGUF_TYPE_LIMIT ? types[type].name : "an unknown type";
}

/* Step over n bytes and return where they begin; NULL, and the cursor stays, when they are not
 * there. */
static const uint8_t *cursor_take(struct gguf_cursor *c, uint64_t n, const char *field,
                                  struct err *err)
{
    if (n > c->size - c->at) {
        err_set(err, ST_FORMAT, "%.100s: expected %llu bytes at offset %zu, the file has %zu left",
                field, (unsigned long long)n, c->at, c->size - c->at);
        return NULL;
    }
    const uint8_t *p = c->data + c->at;
    c->at += n;
    return p;
}

enum status cursor_u32(struct gguf_cursor *c, uint32_t *out, const char *field, struct err *err)
{
    const uint8_t *p = cursor_take(c, sizeof *out, field, err);
    if (!p) return ST_FORMAT;
    memcpy(out, p, sizeof *out);
    return ST_OK;
}

enum status cursor_u64(struct gguf_cursor *c, uint64_t *out, const char *field, struct err *err)
{
    const uint8_t *p = cursor_take(c, sizeof *out, field, err);
    if (!p) return ST_FORMAT;
    memcpy(out, p, sizeof *out);
    return ST_OK;
}

enum status cursor_str(struct gguf_cursor *c, struct gguf_str *out, const char *field,
                       struct err *err)
{
    uint64_t n = 0;
    TRY(cursor_u64(c, &n, field, err));
    const uint8_t *p = cursor_take(c, n, field, err);
    if (!p) return ST_FORMAT;
    *out = (struct gguf_str){.s = (const char *)p, .n = n};
    return ST_OK;
}

static enum status cursor_type(struct gguf_cursor *c, enum gguf_type *out, const char *field,
                               struct err *err)
{
    uint32_t type = 0;
    TRY(cursor_u32(c, &type, field, err));
    if (type >= GGUF_TYPE_LIMIT)
        return err_set(err, ST_FORMAT, "%.100s: expected a value type from 0 to %d, found %u",
                       field, GGUF_TYPE_LIMIT - 1, type);
    *out = (enum gguf_type)type;
    return ST_OK;
}

static enum status cursor_array(struct gguf_cursor *c, struct gguf_kv *kv, int depth,
                                const char *field, struct err *err);

/* Step over the elements of an array within `depth` others. */
static enum status cursor_elements(struct gguf_cursor *c, enum gguf_type elem, uint64_t count,
                                   int depth, const char *field, struct err *err)
{
    if (elem != GGUF_STRING && elem != GGUF_ARRAY) {
        uint64_t bytes;
        if (__builtin_mul_overflow(count, types[elem].bytes, &bytes)) bytes = UINT64_MAX;
        return cursor_take(c, bytes, field, err) ? ST_OK : ST_FORMAT;
    }
    if (elem == GGUF_ARRAY && depth + 1 >= GGUF_DEPTH_MAX)
        return err_set(err, ST_SUPPORT,
                       "%.100s: expected arrays at most %d deep, found deeper ones", field,
                       GGUF_DEPTH_MAX);
    for (uint64_t i = 0; i < count; i++) {
        struct gguf_str s;
        struct gguf_kv inner = {0};
        if (elem == GGUF_STRING)
            TRY(cursor_str(c, &s, field, err));
        else
            TRY(cursor_array(c, &inner, depth + 1, field, err));
    }
    return ST_OK;
}

static enum status cursor_array(struct gguf_cursor *c, struct gguf_kv *kv, int depth,
                                const char *field, struct err *err)
{
    TRY(cursor_type(c, &kv->elem, field, err));
    TRY(cursor_u64(c, &kv->count, field, err));
    kv->value = c->data + c->at;
    return cursor_elements(c, kv->elem, kv->count, depth, field, err);
}

enum status cursor_kv(struct gguf_cursor *c, struct gguf_kv *out, struct err *err)
{
    struct gguf_kv kv = {.count = 1};
    char field[101] = "";
    TRY(cursor_str(c, &kv.key, "metadata key", err));
    memcpy(field, kv.key.s, kv.key.n < 100 ? kv.key.n : 100);
    if (!kv.key.n || kv.key.n > 65535 || memchr(kv.key.s, 0, kv.key.n))
        return err_set(err, ST_FORMAT,
                       "metadata key: expected 1 to 65535 bytes without NUL, found %zu", kv.key.n);
    TRY(cursor_type(c, &kv.type, field, err));
    kv.elem = kv.type;
    kv.value = c->data + c->at;
    struct gguf_str s;
    if (kv.type == GGUF_ARRAY)
        TRY(cursor_array(c, &kv, 0, field, err));
    else if (kv.type == GGUF_STRING)
        TRY(cursor_str(c, &s, field, err));
    else if (!cursor_take(c, types[kv.type].bytes, field, err))
        return ST_FORMAT;
    kv.value_bytes = (size_t)(c->data + c->at - kv.value);
    *out = kv;
    return ST_OK;
}

/* ---- elements of a validated value ------------------------------------------------------- */

/* Load an element of any numeric type; returns whether it is a float (in *f) or an integer (*i). */
static bool element_load(const struct gguf_kv *kv, uint64_t index, double *f, int64_t *i)
{
    const uint8_t *p = kv->value + index * types[kv->elem].bytes;
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        uint64_t u64;
        int64_t i64;
        float f32;
        double f64;
    } v = {0}; /* strings and arrays are no numbers, and 0 */
    memcpy(&v, p, types[kv->elem].bytes);
    switch (kv->elem) {
    case GGUF_F32: *f = (double)v.f32; return true;
    case GGUF_F64: *f = v.f64; return true;
    case GGUF_I8: *i = v.i8; return false;
    case GGUF_U16: *i = v.u16; return false;
    case GGUF_I16: *i = v.i16; return false;
    case GGUF_U32: *i = v.u32; return false;
    case GGUF_I32: *i = v.i32; return false;
    case GGUF_U64: *i = v.u64 > INT64_MAX ? INT64_MAX : (int64_t)v.u64; return false;
    case GGUF_I64: *i = v.i64; return false;
    default: *i = v.u8; return false; /* u8 and bool */
    }
}

/* Where the elements of an array end. */
static const uint8_t *elements_end(enum gguf_type elem, uint64_t count, const uint8_t *at)
{
    if (elem != GGUF_STRING && elem != GGUF_ARRAY) return at + count * types[elem].bytes;
    for (uint64_t i = 0; i < count; i++)
        if (elem == GGUF_STRING)
            gguf_next_str(&at);
        else
            gguf_next_array(&at);
    return at;
}

struct gguf_kv gguf_next_array(const uint8_t **at)
{
    uint32_t elem;
    struct gguf_kv kv = {.type = GGUF_ARRAY};
    memcpy(&elem, *at, sizeof elem);
    memcpy(&kv.count, *at + sizeof elem, sizeof kv.count);
    kv.elem = (enum gguf_type)elem;
    kv.value = *at + sizeof elem + sizeof kv.count;
    *at = elements_end(kv.elem, kv.count, kv.value);
    kv.value_bytes = (size_t)(*at - kv.value);
    return kv;
}

double gguf_f64_at(const struct gguf_kv *kv, uint64_t i)
{
    double f = 0;
    int64_t n = 0;
    return element_load(kv, i, &f, &n) ? f : (double)n;
}

int64_t gguf_i64_at(const struct gguf_kv *kv, uint64_t i)
{
    double f = 0;
    int64_t n = 0;
    if (!element_load(kv, i, &f, &n)) return n;
    if (f >= 9.2e18) return INT64_MAX;
    if (f <= -9.2e18) return INT64_MIN;
    return f == f ? (int64_t)f : 0;
}
