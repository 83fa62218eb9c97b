/* Typed reads of metadata: gguf.h says what converts and what is refused. */
#include "format/gguf.h"

#include <math.h>
#include <string.h>

/* Find `key` for a typed read: NULL with ST_OK when it is absent and not required. */
static enum status kv_lookup(const struct gguf *g, const char *key, bool required,
                             const struct gguf_kv **out, struct err *err)
{
    *out = gguf_find(g, key);
    if (!*out && required) return err_set(err, ST_FORMAT, "%s: the metadata key is missing", key);
    return ST_OK;
}

static enum status kv_type_error(const char *key, const char *expected, const struct gguf_kv *kv,
                                 struct err *err)
{
    return err_set(err, ST_FORMAT, "%s: expected %s, found %s", key, expected,
                   gguf_type_name(kv->type));
}

enum status gguf_read_u32(const struct gguf *g, const char *key, bool required, uint32_t *out,
                          struct err *err)
{
    const struct gguf_kv *kv;
    TRY(kv_lookup(g, key, required, &kv, err));
    if (!kv) return ST_OK;
    if (!gguf_type_is_integer(kv->type)) return kv_type_error(key, "an integer", kv, err);
    int64_t value = gguf_i64_at(kv, 0);
    if (value < 0 || value > UINT32_MAX)
        return err_set(err, ST_FORMAT, "%s: expected 0 to 4294967295, found %lld", key,
                       (long long)value);
    *out = (uint32_t)value;
    return ST_OK;
}

enum status gguf_read_f32(const struct gguf *g, const char *key, bool required, float *out,
                          struct err *err)
{
    const struct gguf_kv *kv;
    TRY(kv_lookup(g, key, required, &kv, err));
    if (!kv) return ST_OK;
    if (kv->type != GGUF_F32 && kv->type != GGUF_F64)
        return kv_type_error(key, "a floating-point number", kv, err);
    double value = gguf_f64_at(kv, 0);
    if (!isfinite((float)value))
        return err_set(err, ST_FORMAT, "%s: expected a finite number, found %g", key, value);
    *out = (float)value;
    return ST_OK;
}

enum status gguf_read_bool(const struct gguf *g, const char *key, bool required, bool *out,
                           struct err *err)
{
    const struct gguf_kv *kv;
    TRY(kv_lookup(g, key, required, &kv, err));
    if (!kv) return ST_OK;
    if (kv->type != GGUF_BOOL) return kv_type_error(key, "a boolean", kv, err);
    *out = *kv->value != 0;
    return ST_OK;
}

enum status gguf_read_str(const struct gguf *g, const char *key, bool required,
                          struct gguf_str *out, struct err *err)
{
    const struct gguf_kv *kv;
    TRY(kv_lookup(g, key, required, &kv, err));
    if (!kv) return ST_OK;
    if (kv->type != GGUF_STRING) return kv_type_error(key, "a string", kv, err);
    const uint8_t *at = kv->value;
    *out = gguf_next_str(&at);
    return ST_OK;
}

enum status gguf_find_array(const struct gguf *g, const char *key, enum gguf_type elem,
                            bool required, const struct gguf_kv **out, struct err *err)
{
    TRY(kv_lookup(g, key, required, out, err));
    const struct gguf_kv *kv = *out;
    if (kv && (kv->type != GGUF_ARRAY || kv->elem != elem))
        return err_set(err, ST_FORMAT, "%s: expected an array of %s, found %s%s", key,
                       gguf_type_name(elem), kv->type == GGUF_ARRAY ? "an array of " : "",
                       gguf_type_name(kv->elem));
    return ST_OK;
}

struct gguf_str gguf_next_str(const uint8_t **at)
{
    uint64_t n;
    memcpy(&n, *at, sizeof n);
    struct gguf_str str = {.s = (const char *)*at + sizeof n, .n = n};
    *at += sizeof n + n;
    return str;
}
