/*
 * GGUF files, versions 2 and 3, mapped read-only. Opening validates everything that later code
 * relies on: every string, array and tensor of a known type lies inside its file, names are unique,
 * sizes do not overflow. After gguf_open succeeds, reading through this interface cannot leave the
 * mapping.
 *
 * A model may be split over several files, its shards (NAME-00001-of-0000N.gguf). It is opened by
 * the name of the first; metadata comes from that one, tensors from all.
 *
 * Source: docs/gguf.md of the ggml project.
 */
#ifndef EAD_FORMAT_GGUF_H
#define EAD_FORMAT_GGUF_H

#include "base/status.h"
#include "format/quant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_LIMIT
};

static inline bool gguf_type_is_integer(enum gguf_type type)
{
    return type <= GGUF_I32 || type == GGUF_U64 || type == GGUF_I64;
}

/* Bytes inside the mapping, not NUL-terminated. */
struct gguf_str {
    const char *s;
    size_t n;
};

struct gguf_kv {
    struct gguf_str key;
    enum gguf_type type;  /* GGUF_ARRAY: see elem and count */
    enum gguf_type elem;  /* element type of an array, which may be an array */
    uint64_t count;       /* elements of an array, 1 otherwise */
    const uint8_t *value; /* the first byte of the value (unaligned), inside the mapping */
    size_t value_bytes;   /* bytes the value spans */
};

enum {
    GGUF_DIMS_MAX = 4,
    GGUF_NAME_MAX = 128,
    GGUF_TYPE_NAME_MAX = 16,
    GGUF_DEPTH_MAX = 8 /* of arrays within each other */
};

struct gguf_tensor {
    char name[GGUF_NAME_MAX]; /* NUL-terminated copy, at most 127 bytes */
    uint32_t type;            /* as in the file; enum quant_type where quant_info knows it */
    char type_name[GGUF_TYPE_NAME_MAX]; /* "Q4_K"; "type 99" when the number is nobody's */
    int n_dims;
    uint64_t dims[GGUF_DIMS_MAX]; /* dims[0] is the contiguous one; 1 beyond n_dims */
    const uint8_t *data;          /* inside a mapping; aligned to the file's alignment */
    size_t bytes; /* 0 when the type's size is not known: only where they begin was checked */
    int shard;    /* which file of a split model, from 0 */
};

/* What tells a shard from others, and from what it was before it was written anew, without reading
 * its weights. It holds nothing of the machine or device the file lies on. */
struct gguf_shard {
    uint64_t bytes;
    int64_t modified; /* nanoseconds since 1970; 0 in memory */
    uint64_t head;    /* hash of header, metadata and tensor entries */
};

struct gguf; /* owns the mappings */

/* Map and validate `path` (and its other shards). The error names the file. */
MUST_USE enum status gguf_open(const char *path, struct gguf **out, struct err *err);

/* The same over bytes in memory (a single shard); `data` is borrowed and must outlive the result.
 * For tests and fuzzing. */
MUST_USE enum status gguf_open_memory(const void *data, size_t bytes, struct gguf **out,
                                      struct err *err);
void gguf_close(struct gguf *g);

/* Tell the system that all of the file is about to be read, so that it reads ahead in long runs
 * instead of following page faults: a cold 4 GB model opens in half the time. Only a hint. */
void gguf_read_ahead(const struct gguf *g);
/* Tell the system that the mapping's memory is not needed for now; it comes back when read. */
void gguf_release(const struct gguf *g);

uint32_t gguf_version(const struct gguf *g);
size_t gguf_kv_count(const struct gguf *g);
const struct gguf_kv *gguf_kv_at(const struct gguf *g, size_t i);
size_t gguf_tensor_count(const struct gguf *g);
const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, size_t i);
/* Shards of the model, 1 when it is not split, and the bytes of all of them. */
int gguf_shard_count(const struct gguf *g);
struct gguf_shard gguf_shard_at(const struct gguf *g, int i);
uint64_t gguf_file_bytes(const struct gguf *g);
const char *gguf_path(const struct gguf *g); /* as given to gguf_open; "(memory)" otherwise */

/* NULL when absent. */
const struct gguf_kv *gguf_find(const struct gguf *g, const char *key);
const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name);

/* Read a scalar; integers of any width and sign convert if the value fits. With `required` false an
 * absent key leaves *out as it is. ST_FORMAT names the key, the type or range expected, and what is
 * there. */
MUST_USE enum status gguf_read_u32(const struct gguf *g, const char *key, bool required,
                                   uint32_t *out, struct err *err);
MUST_USE enum status gguf_read_f32(const struct gguf *g, const char *key, bool required, float *out,
                                   struct err *err);
MUST_USE enum status gguf_read_bool(const struct gguf *g, const char *key, bool required, bool *out,
                                    struct err *err);
MUST_USE enum status gguf_read_str(const struct gguf *g, const char *key, bool required,
                                   struct gguf_str *out, struct err *err);

/* Find an array of the given element type; *out = NULL when absent and not required. */
MUST_USE enum status gguf_find_array(const struct gguf *g, const char *key, enum gguf_type elem,
                                     bool required, const struct gguf_kv **out, struct err *err);

/* Walk an array of strings: start with *at = kv->value; each call yields one and steps on. Call at
 * most kv->count times. */
struct gguf_str gguf_next_str(const uint8_t **at);

/* The same for an array of arrays: each call yields one, without a key. */
struct gguf_kv gguf_next_array(const uint8_t **at);

/* Element i of a numeric array or (i = 0) a numeric scalar, as double or as int64 (a float is
 * truncated, out of range saturates). */
double gguf_f64_at(const struct gguf_kv *kv, uint64_t i);
int64_t gguf_i64_at(const struct gguf_kv *kv, uint64_t i);

/* "u32", "string", ...; never NULL. */
const char *gguf_type_name(enum gguf_type type);

#endif
