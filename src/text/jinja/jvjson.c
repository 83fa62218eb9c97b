#include "text/jinja/jvjson.h"

#include "text/jinja/point.h"
#include "text/jinja/show.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------- */

static enum status put(struct jinja_run *run, const char *s)
{
    return run_write(run, s, strlen(s));
}

static enum status write_escape(struct jinja_run *run, uint32_t p)
{
    static const char plain[] = "\"\\\n\r\t\f\b", letters[] = "\"\\nrtfb";
    const char *known = p && p < 0x80 ? strchr(plain, (int)p) : NULL;
    char text[16];
    TRY(run_charge(run, 1));
    if (known)
        snprintf(text, sizeof text, "\\%c", letters[known - plain]);
    else if (p < 0x10000)
        snprintf(text, sizeof text, "\\u%04x", p);
    else
        snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd800 + ((p - 0x10000) >> 10),
                 0xdc00 + (p & 0x3ff));
    return put(run, text);
}

/* What stands as it is goes out in one piece. */
static enum status write_text(struct jinja_run *run, const struct jvjson_style *style, struct jv v)
{
    size_t from = 0;
    TRY(put(run, "\""));
    for (size_t i = 0, size; i < v.n; i += size) {
        const int32_t p = point_at(v.s + i, v.n - i, &size);
        if (p != '"' && p != '\\' && (p < 0 || p >= 32) && (p < 0x7f || !style->ascii)) continue;
        TRY(run_write(run, v.s + from, i - from));
        TRY(write_escape(run, (uint32_t)p));
        from = i + size;
    }
    TRY(run_write(run, v.s + from, v.n - from));
    return put(run, "\"");
}

static enum status write_number(struct jinja_run *run, struct jv v)
{
    if (v.kind == JV_FLOAT && isnan(v.f)) return put(run, "NaN");
    if (v.kind == JV_FLOAT && isinf(v.f)) return put(run, v.f < 0 ? "-Infinity" : "Infinity");
    return run_repr(run, v);
}

static enum status write_line(struct jinja_run *run, const struct jvjson_style *style, int depth)
{
    if (!style->indent) return ST_OK;
    TRY(run_charge(run, (uint64_t)depth / 8));
    TRY(put(run, "\n"));
    for (int i = 0; i < depth; i++) TRY(put(run, style->indent));
    return ST_OK;
}

static enum status write_value(struct jinja_run *run, const struct jvjson_style *style, struct jv v,
                               int depth);

static enum status write_list(struct jinja_run *run, const struct jvjson_style *style,
                              const struct jv_list *list, int depth)
{
    if (!list->n) return put(run, "[]");
    TRY(put(run, "["));
    for (uint32_t i = 0; i < list->n; i++) {
        if (i) TRY(run_write(run, style->between.s, style->between.n));
        TRY(write_line(run, style, depth + 1));
        TRY(write_value(run, style, list->items[i], depth + 1));
    }
    TRY(write_line(run, style, depth));
    return put(run, "]");
}

static enum status write_key(struct jinja_run *run, const struct jvjson_style *style, struct jv key)
{
    if (key.kind == JV_TEXT) return write_text(run, style, key);
    if (key.kind != JV_NONE && !jv_is_number(key))
        return run_fault(run, "JSON: expected a text as key, found %s", jv_type_name(key));
    TRY(put(run, "\""));
    TRY(write_value(run, style, key, 0));
    return put(run, "\"");
}

static int compare_keys(const void *a, const void *b)
{
    int order = 0;
    const struct jv_pair *x = a, *y = b;
    return jv_order(x->key, y->key, &order) ? order : 0;
}

/* The pairs in the order of their keys, all of which must have one. */
static enum status sort_pairs(struct jinja_run *run, const struct jv_dict *dict,
                              struct jv_pair **out)
{
    *out = pool_take(run->pool, dict->n * sizeof **out);
    if (!*out) return run_memory(run);
    memcpy(*out, dict->pairs, dict->n * sizeof **out);
    for (uint32_t i = 0; i < dict->n; i++) {
        int order;
        TRY(run_charge(run, 8 * (uint64_t)jv_weight((*out)[i].key)));
        if (!jv_order((*out)[0].key, (*out)[i].key, &order))
            return run_fault(run, "JSON: keys of several types cannot be sorted");
    }
    qsort(*out, dict->n, sizeof **out, compare_keys);
    return ST_OK;
}

static enum status write_dict(struct jinja_run *run, const struct jvjson_style *style,
                              const struct jv_dict *dict, int depth)
{
    struct jv_pair *pairs = dict->pairs;
    if (!dict->n) return put(run, "{}");
    if (style->sorted) TRY(sort_pairs(run, dict, &pairs));
    TRY(put(run, "{"));
    for (uint32_t i = 0; i < dict->n; i++) {
        if (i) TRY(run_write(run, style->between.s, style->between.n));
        TRY(write_line(run, style, depth + 1));
        TRY(write_key(run, style, pairs[i].key));
        TRY(run_write(run, style->after_key.s, style->after_key.n));
        TRY(write_value(run, style, pairs[i].value, depth + 1));
    }
    TRY(write_line(run, style, depth));
    return put(run, "}");
}

static enum status write_value(struct jinja_run *run, const struct jvjson_style *style, struct jv v,
                               int depth)
{
    TRY(run_charge(run, 1));
    switch (v.kind) {
    case JV_NONE: return put(run, "null");
    case JV_BOOL: return put(run, v.b ? "true" : "false");
    case JV_INT:
    case JV_FLOAT: return write_number(run, v);
    case JV_TEXT: return write_text(run, style, v);
    case JV_LIST:
    case JV_TUPLE: return write_list(run, style, v.list, depth);
    case JV_DICT: return write_dict(run, style, v.dict, depth);
    case JV_UNDEFINED:
        return run_fault(run, "JSON: \"%.*s\" is undefined", (int)(v.n < 80 ? v.n : 80), v.s);
    default: return run_fault(run, "JSON has no form for a %s", jv_type_name(v));
    }
}

enum status jvjson_write(struct jinja_run *run, const struct jvjson_style *style, struct jv v)
{
    return write_value(run, style, v, 0);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool from_json(struct pool *pool, const json_t *json, struct jv *out);

static bool from_array(struct pool *pool, const json_t *json, struct jv *out)
{
    size_t i;
    json_t *item;
    if (!jv_list_init(pool, JV_LIST, (uint32_t)json_array_size(json), out)) return false;
    json_array_foreach(json, i, item)
    {
        struct jv v;
        if (!from_json(pool, item, &v) || !jv_append(pool, out->list, v)) return false;
    }
    return true;
}

static bool from_object(struct pool *pool, const json_t *json, struct jv *out)
{
    if (!jv_dict_init(pool, JV_DICT, out)) return false;
    json_t *object = (json_t *)(uintptr_t)json; /* which is read only */
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        struct jv key, value;
        const char *name = json_object_iter_key(i);
        if (!jv_copy_text(pool, name, strlen(name), &key) ||
            !from_json(pool, json_object_iter_value(i), &value) ||
            !jv_dict_set(pool, out->dict, key, value))
            return false;
    }
    return true;
}

static bool from_json(struct pool *pool, const json_t *json, struct jv *out)
{
    switch (json_typeof(json)) {
    case JSON_NULL: *out = jv_none(); return true;
    case JSON_TRUE: *out = jv_bool(true); return true;
    case JSON_FALSE: *out = jv_bool(false); return true;
    case JSON_INTEGER: *out = jv_int(json_integer_value(json)); return true;
    case JSON_REAL: *out = jv_float(json_real_value(json)); return true;
    case JSON_STRING:
        return jv_copy_text(pool, json_string_value(json), json_string_length(json), out);
    case JSON_ARRAY: return from_array(pool, json, out);
    case JSON_OBJECT: return from_object(pool, json, out);
    }
    return false;
}

enum status jvjson_read(struct pool *pool, const char *s, size_t n, struct jv *out, struct err *err)
{
    json_error_t fault;
    json_t *json = json_loadb(s, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &fault);
    if (!json && (fault.line < 0 || json_error_code(&fault) == json_error_out_of_memory))
        return err_memory(err, "values of JSON: %zu bytes", n);
    if (!json)
        return err_set(err, ST_FORMAT, "line %d, column %d: %s", fault.line, fault.column,
                       fault.text);
    const bool done = from_json(pool, json, out);
    json_decref(json);
    return done ? ST_OK : err_memory(err, "values of JSON: %zu bytes, or nested too deep", n);
}
