/* The public face: files. Contracts are in ead_file.h. */
#include "ead_file.h"

#include "face.h"
#include "format/gguf.h"

#include <stdlib.h>
#include <string.h>

struct ead_file {
    struct gguf *gguf;
};

ead_status ead_file_open(const char *path, ead_file **out, ead_error *error)
{
    struct err err = {0};
    ead_file *file = malloc(sizeof *file);
    enum status st =
        file ? gguf_open(path, &file->gguf, &err) : err_memory(&err, "the description of %s", path);
    if (st == ST_OK)
        *out = file;
    else
        free(file);
    return face_report(st, &err, error);
}

void ead_file_close(ead_file *file)
{
    if (!file) return;
    gguf_close(file->gguf);
    free(file);
}

uint32_t ead_file_version(const ead_file *file)
{
    return gguf_version(file->gguf);
}

uint64_t ead_file_bytes(const ead_file *file)
{
    return gguf_file_bytes(file->gguf);
}

size_t ead_file_meta_count(const ead_file *file)
{
    return gguf_kv_count(file->gguf);
}

ead_meta ead_file_meta(const ead_file *file, size_t i)
{
    const struct gguf_kv *kv = gguf_kv_at(file->gguf, i);
    return (ead_meta){.key = kv->key.s,
                      .key_bytes = kv->key.n,
                      .type = gguf_type_name(kv->elem),
                      .is_array = kv->type == GGUF_ARRAY,
                      .count = kv->count};
}

static void values_of(const struct gguf_kv *kv, uint64_t first, size_t n, ead_value *out)
{
    const uint8_t *at = kv->value;
    const bool strings = kv->elem == GGUF_STRING, arrays = kv->elem == GGUF_ARRAY;
    for (uint64_t skip = 0; strings && skip < first; skip++) gguf_next_str(&at);
    for (uint64_t skip = 0; arrays && skip < first; skip++) gguf_next_array(&at);
    for (size_t k = 0; k < n; k++) {
        out[k] = (ead_value){0};
        if (strings) {
            struct gguf_str s = gguf_next_str(&at);
            out[k].text = s.s;
            out[k].text_bytes = s.n;
        } else if (arrays) {
            out[k].array = at;
            gguf_next_array(&at);
        } else if (kv->elem == GGUF_F32 || kv->elem == GGUF_F64) {
            out[k].is_float = true;
            out[k].f = gguf_f64_at(kv, first + k);
        } else {
            out[k].i = gguf_i64_at(kv, first + k);
        }
    }
}

void ead_file_values(const ead_file *file, size_t i, uint64_t first, size_t n, ead_value *out)
{
    values_of(gguf_kv_at(file->gguf, i), first, n, out);
}

static struct gguf_kv array_of(const ead_value *array)
{
    const uint8_t *at = array->array;
    return gguf_next_array(&at);
}

ead_meta ead_array_meta(const ead_value *array)
{
    const struct gguf_kv kv = array_of(array);
    return (ead_meta){.type = gguf_type_name(kv.elem), .is_array = true, .count = kv.count};
}

void ead_array_values(const ead_value *array, uint64_t first, size_t n, ead_value *out)
{
    const struct gguf_kv kv = array_of(array);
    values_of(&kv, first, n, out);
}

size_t ead_file_tensor_count(const ead_file *file)
{
    return gguf_tensor_count(file->gguf);
}

ead_tensor ead_file_tensor(const ead_file *file, size_t i)
{
    const struct gguf_tensor *t = gguf_tensor_at(file->gguf, i);
    ead_tensor out = {.name = t->name,
                      .type = t->type_name,
                      .n_dims = t->n_dims,
                      .bytes = t->bytes,
                      .part = t->shard};
    memcpy(out.dims, t->dims, sizeof out.dims);
    return out;
}
