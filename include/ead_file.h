/*
 * What a GGUF file holds, whatever it is for: its metadata and the names, types and shapes of its
 * tensors. The file is mapped and checked once; what these functions return borrows from it. The
 * conventions are those of ead.h.
 */
#ifndef EAD_FILE_H
#define EAD_FILE_H

#include "ead.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ead_file ead_file;

typedef struct {
    const char *key; /* key_bytes long, not NUL-terminated; valid while the file is open */
    size_t key_bytes;
    const char *type; /* "u32", "string", ...; of the elements when it is an array */
    bool is_array;
    uint64_t count; /* elements; 1 for a scalar */
} ead_meta;

/* An element: `text` is set for strings (text_bytes long), `array` for arrays (ead_array_values),
 * otherwise is_float tells which number. */
typedef struct {
    const char *text;
    size_t text_bytes;
    const void *array;
    bool is_float;
    double f;
    int64_t i;
} ead_value;

typedef struct {
    const char *name, *type; /* "Q4_K"; "type 99" when the number is not known */
    int n_dims;
    uint64_t dims[4]; /* dims[0] is contiguous */
    uint64_t bytes;   /* 0 when the type's size is not known */
    int part;         /* which shard, as the files of a split model are called, from 0 */
} ead_tensor;

EAD_API ead_status ead_file_open(const char *path, ead_file **out, ead_error *error);
EAD_API void ead_file_close(ead_file *file);
EAD_API uint32_t ead_file_version(const ead_file *file);
EAD_API uint64_t ead_file_bytes(const ead_file *file); /* of all shards */
EAD_API size_t ead_file_meta_count(const ead_file *file);
EAD_API ead_meta ead_file_meta(const ead_file *file, size_t i);
/* Elements first..first+n-1 of value i into out[n]; the range must lie within count. */
EAD_API void ead_file_values(const ead_file *file, size_t i, uint64_t first, size_t n,
                             ead_value *out);
/* The same of an element that is an array itself; its key is NULL. */
EAD_API ead_meta ead_array_meta(const ead_value *array);
EAD_API void ead_array_values(const ead_value *array, uint64_t first, size_t n, ead_value *out);
EAD_API size_t ead_file_tensor_count(const ead_file *file);
EAD_API ead_tensor ead_file_tensor(const ead_file *file, size_t i);

#ifdef __cplusplus
}
#endif

#endif
