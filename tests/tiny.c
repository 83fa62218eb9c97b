#include "tiny.h"

#include "model/forward.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *tiny_must(void *p)
{
    if (!p) abort();
    return p;
}

void tiny_must_hold(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "tests: %s\n", what);
    abort();
}

/* ---- bytes --------------------------------------------------------------------------------- */

void tiny_put(struct tiny_bytes *b, const void *bytes, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->data = tiny_must(realloc(b->data, b->cap));
    }
    if (n) memcpy(b->data + b->n, bytes, n);
    b->n += n;
}

void tiny_put_u32(struct tiny_bytes *b, uint32_t x)
{
    tiny_put(b, &x, sizeof x);
}

void tiny_put_u64(struct tiny_bytes *b, uint64_t x)
{
    tiny_put(b, &x, sizeof x);
}

void tiny_put_str(struct tiny_bytes *b, const char *s)
{
    tiny_put_u64(b, strlen(s));
    tiny_put(b, s, strlen(s));
}

/* ---- a file as a list ---------------------------------------------------------------------- */

struct tiny *tiny_new(void)
{
    struct tiny *t = tiny_must(calloc(1, sizeof *t));
    t->version = 3;
    t->align = 32;
    return t;
}

void tiny_free(struct tiny *t)
{
    if (!t) return;
    for (int i = 0; i < t->n_kv; i++) free(t->kv[i].value.data);
    for (int i = 0; i < t->n_tensors; i++) free(t->tensor[i].data.data);
    free(t);
}

static struct tiny_kv *find_kv(struct tiny *t, const char *key)
{
    for (int i = 0; i < t->n_kv; i++)
        if (!strcmp(t->kv[i].key, key)) return &t->kv[i];
    return NULL;
}

/* A pair with an empty value. */
static struct tiny_kv *fresh_kv(struct tiny *t, const char *key, enum gguf_type type)
{
    struct tiny_kv *kv = find_kv(t, key);
    if (!kv) {
        tiny_must_hold(t->n_kv < TINY_KV_MAX, "too many pairs");
        kv = &t->kv[t->n_kv++];
        *kv = (struct tiny_kv){0};
        snprintf(kv->key, sizeof kv->key, "%s", key);
    }
    kv->type = (uint32_t)type;
    kv->value.n = 0;
    return kv;
}

void tiny_set(struct tiny *t, const char *key, enum gguf_type type, const void *value, size_t n)
{
    tiny_put(&fresh_kv(t, key, type)->value, value, n);
}

void tiny_set_u32(struct tiny *t, const char *key, uint32_t value)
{
    tiny_set(t, key, GGUF_U32, &value, sizeof value);
}

void tiny_set_f32(struct tiny *t, const char *key, float value)
{
    tiny_set(t, key, GGUF_F32, &value, sizeof value);
}

void tiny_set_bool(struct tiny *t, const char *key, bool value)
{
    uint8_t byte = value;
    tiny_set(t, key, GGUF_BOOL, &byte, 1);
}

void tiny_set_str(struct tiny *t, const char *key, const char *value)
{
    tiny_put_str(&fresh_kv(t, key, GGUF_STRING)->value, value);
}

static struct tiny_bytes *array_head(struct tiny *t, const char *key, enum gguf_type elem, size_t n)
{
    struct tiny_bytes *b = &fresh_kv(t, key, GGUF_ARRAY)->value;
    tiny_put_u32(b, (uint32_t)elem);
    tiny_put_u64(b, n);
    return b;
}

void tiny_set_strs(struct tiny *t, const char *key, const char *const *values, size_t n)
{
    struct tiny_bytes *b = array_head(t, key, GGUF_STRING, n);
    for (size_t i = 0; i < n; i++) tiny_put_str(b, values[i]);
}

void tiny_set_array(struct tiny *t, const char *key, enum gguf_type elem, const void *values,
                    size_t n, size_t bytes)
{
    tiny_put(array_head(t, key, elem, n), values, bytes);
}

static void put_nested(struct tiny_bytes *b, int depth)
{
    tiny_put_u32(b, depth > 1 ? GGUF_ARRAY : GGUF_I32);
    tiny_put_u64(b, 2);
    for (uint32_t i = 1; i <= 2; i++)
        if (depth > 1)
            put_nested(b, depth - 1);
        else
            tiny_put_u32(b, i);
}

void tiny_set_nested(struct tiny *t, const char *key, int depth)
{
    put_nested(&fresh_kv(t, key, GGUF_ARRAY)->value, depth);
}

void tiny_drop(struct tiny *t, const char *key)
{
    struct tiny_kv *kv = find_kv(t, key);
    tiny_must_hold(kv, "no such key to drop");
    free(kv->value.data);
    memmove(kv, kv + 1, (size_t)(&t->kv[t->n_kv] - (kv + 1)) * sizeof *kv);
    t->n_kv--;
}

struct tiny_tensor *tiny_find(struct tiny *t, const char *name)
{
    for (int i = 0; i < t->n_tensors; i++)
        if (!strcmp(t->tensor[i].name, name)) return &t->tensor[i];
    return NULL;
}

struct tiny_tensor *tiny_tensor(struct tiny *t, const char *name, enum quant_type type,
                                uint64_t cols, uint64_t rows)
{
    tiny_must_hold(t->n_tensors < TINY_TENSORS_MAX, "too many tensors");
    struct tiny_tensor *x = &t->tensor[t->n_tensors++];
    *x = (struct tiny_tensor){
        .type = (uint32_t)type, .n_dims = rows ? 2 : 1, .dims = {cols, rows ? rows : 1, 1, 1}};
    snprintf(x->name, sizeof x->name, "%s", name);
    return x;
}

struct tiny_tensor *tiny_stack(struct tiny *t, const char *name, enum quant_type type,
                               uint64_t cols, uint64_t rows, uint64_t n)
{
    struct tiny_tensor *x = tiny_tensor(t, name, type, cols, rows);
    x->n_dims = 3;
    x->dims[2] = n;
    return x;
}

void tiny_drop_tensor(struct tiny *t, const char *name)
{
    struct tiny_tensor *x = tiny_find(t, name);
    tiny_must_hold(x, "no such tensor to drop");
    free(x->data.data);
    memmove(x, x + 1, (size_t)(&t->tensor[t->n_tensors] - (x + 1)) * sizeof *x);
    t->n_tensors--;
}

/* ---- weights ------------------------------------------------------------------------------- */

const enum quant_type tiny_types[] = {QT_F32,  QT_F16,  QT_BF16,   QT_Q4_0,   QT_Q4_1, QT_Q5_0,
                                      QT_Q5_1, QT_Q8_0, QT_IQ4_NL, QT_IQ4_XS, QT_Q2_K, QT_Q3_K,
                                      QT_Q4_K, QT_Q5_K, QT_Q6_K,   QT_LIMIT};

bool tiny_type_is_float(enum quant_type type)
{
    return type == QT_F32 || type == QT_F16 || type == QT_BF16;
}

/* Where the halves of a block are, and the ratio of minimum to scale that centres the weights. */
struct halves {
    int d, m;
    float ratio;
};

static struct halves halves_of(enum quant_type type)
{
    switch (type) {
    case QT_Q4_1: return (struct halves){0, 2, -7.5f};
    case QT_Q5_1: return (struct halves){0, 2, -15.5f};
    case QT_Q2_K: return (struct halves){80, 82, 1.5f};
    case QT_Q3_K: return (struct halves){108, -1, 0};
    case QT_Q4_K: return (struct halves){0, 2, 7.5f};
    case QT_Q5_K: return (struct halves){0, 2, 15.5f};
    case QT_Q6_K: return (struct halves){208, -1, 0};
    default: return (struct halves){0, -1, 0};
    }
}

static void set_halves(uint8_t *block, struct halves at, float d)
{
    uint16_t half = quant_f32_to_f16(d), min = quant_f32_to_f16(d * at.ratio);
    memcpy(block + at.d, &half, sizeof half);
    if (at.m >= 0) memcpy(block + at.m, &min, sizeof min);
}

static void random_bytes(uint8_t *out, size_t n, uint64_t *rng)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(rng_bits(rng) >> 32);
}

/* Random bits; the scale is what gives a block with scale 1 the wanted size. */
static void fill_block(enum quant_type type, uint8_t *block, float rms, uint64_t *rng)
{
    const struct quant_info *info = quant_info(type);
    const struct halves at = halves_of(type);
    float w[QK_K];
    double sum = 0;
    random_bytes(block, info->bytes, rng);
    set_halves(block, at, 1);
    quant_decode_row(type, block, w, info->block);
    for (int i = 0; i < info->block; i++) sum += (double)w[i] * (double)w[i];
    set_halves(block, at, rms / (float)sqrt(sum / info->block));
}

static uint64_t tensor_rows(const struct tiny_tensor *t)
{
    return t->dims[1] * t->dims[2] * t->dims[3];
}

/* One weight of a float type. */
static void put_float(struct tiny_bytes *b, enum quant_type type, float x)
{
    uint16_t half = type == QT_F16 ? quant_f32_to_f16(x) : quant_f32_to_bf16(x);
    if (type == QT_F32)
        tiny_put(b, &x, sizeof x);
    else
        tiny_put(b, &half, sizeof half);
}

void tiny_fill_around(struct tiny_tensor *t, float middle, float spread, uint64_t *rng)
{
    t->data.n = 0;
    for (uint64_t i = 0; i < t->dims[0] * tensor_rows(t); i++)
        put_float(&t->data, (enum quant_type)t->type,
                  middle + spread * (float)(2 * rng_unit(rng) - 1));
}

void tiny_fill(struct tiny_tensor *t, float rms, uint64_t *rng)
{
    const enum quant_type type = (enum quant_type)t->type;
    if (tiny_type_is_float(type)) {
        tiny_fill_around(t, 0, rms * 1.7320508f, rng);
        return;
    }
    uint8_t block[256];
    const struct quant_info *info = quant_info(t->type);
    t->data.n = 0;
    for (uint64_t i = 0; i < t->dims[0] / info->block * tensor_rows(t); i++) {
        fill_block(type, block, rms, rng);
        tiny_put(&t->data, block, info->bytes);
    }
}

void tiny_row(const struct tiny_tensor *t, uint64_t row, float *out)
{
    size_t bytes = quant_row_bytes(t->type, t->dims[0]);
    quant_decode_row((enum quant_type)t->type, t->data.data + row * bytes, out, t->dims[0]);
}

/* ---- a file as bytes ----------------------------------------------------------------------- */

/* Note a number of `bytes` bytes that will stand `ahead` bytes behind the end so far. */
static void mark(struct tiny_image *image, const char *what, int index, size_t ahead, int bytes)
{
    tiny_must_hold(image->n_marks < TINY_MARKS_MAX, "too many marks");
    image->marks[image->n_marks++] = (struct tiny_mark){
        .what = what, .index = index, .at = image->bytes.n + ahead, .bytes = bytes};
}

static void marked_u32(struct tiny_image *image, const char *what, int index, uint32_t x)
{
    mark(image, what, index, 0, 4);
    tiny_put_u32(&image->bytes, x);
}

static void marked_u64(struct tiny_image *image, const char *what, int index, uint64_t x)
{
    mark(image, what, index, 0, 8);
    tiny_put_u64(&image->bytes, x);
}

static void marked_str(struct tiny_image *image, const char *what, int index, const char *s)
{
    marked_u64(image, what, index, strlen(s));
    tiny_put(&image->bytes, s, strlen(s));
}

static void write_kv(struct tiny_image *image, int i, const struct tiny_kv *kv)
{
    marked_str(image, "key length", i, kv->key);
    marked_u32(image, "value type", i, kv->type);
    if (kv->type == GGUF_ARRAY) {
        mark(image, "element type", i, 0, 4);
        mark(image, "element count", i, 4, 8);
    } else if (kv->type == GGUF_STRING || kv->value.n == 8) {
        mark(image, "value", i, 0, 8);
    } else if (kv->value.n == 4) {
        mark(image, "value", i, 0, 4);
    }
    tiny_put(&image->bytes, kv->value.data, kv->value.n);
}

static void write_tensor_entry(struct tiny_image *image, int i, const struct tiny_tensor *t,
                               uint64_t offset)
{
    marked_str(image, "name length", i, t->name);
    marked_u32(image, "dimensions", i, t->n_dims);
    for (uint32_t d = 0; d < t->n_dims && d < GGUF_DIMS_MAX; d++)
        marked_u64(image, d ? "rows" : "cols", i, t->dims[d]);
    marked_u32(image, "tensor type", i, t->type);
    marked_u64(image, "tensor offset", i, offset);
}

static size_t align_up(size_t n, size_t align)
{
    return (n + align - 1) / align * align;
}

static void pad(struct tiny_bytes *b, size_t align)
{
    static const uint8_t zeros[4096];
    tiny_must_hold(align <= sizeof zeros, "alignment too large");
    tiny_put(b, zeros, align_up(b->n, align) - b->n);
}

/* Pairs of part `part`: all in the first, and what makes a split one. */
static void write_pairs(struct tiny_image *image, const struct tiny *t, int part, int parts)
{
    struct tiny *split = tiny_new();
    uint16_t no = (uint16_t)part, count = (uint16_t)parts;
    int32_t total = t->n_tensors;
    if (parts > 1) {
        tiny_set(split, "split.no", GGUF_U16, &no, sizeof no);
        tiny_set(split, "split.count", GGUF_U16, &count, sizeof count);
        tiny_set(split, "split.tensors.count", GGUF_I32, &total, sizeof total);
    }
    const int own = part ? 0 : t->n_kv;
    marked_u64(image, "metadata count", 0, (uint64_t)(own + split->n_kv));
    for (int i = 0; i < own; i++) write_kv(image, i, &t->kv[i]);
    for (int i = 0; i < split->n_kv; i++) write_kv(image, own + i, &split->kv[i]);
    tiny_free(split);
}

struct tiny_image *tiny_write(const struct tiny *t, int part, int parts)
{
    struct tiny_image *image = tiny_must(calloc(1, sizeof *image));
    struct tiny_bytes data = {0};
    int mine = 0;
    for (int i = part; i < t->n_tensors; i += parts) mine++;
    marked_u32(image, "magic", 0, 0x46554747);
    marked_u32(image, "version", 0, t->version);
    marked_u64(image, "tensor count", 0, (uint64_t)mine);
    write_pairs(image, t, part, parts);
    for (int i = part; i < t->n_tensors; i += parts) {
        pad(&data, t->align);
        write_tensor_entry(image, i, &t->tensor[i], data.n);
        tiny_put(&data, t->tensor[i].data.data, t->tensor[i].data.n);
    }
    if (data.n) pad(&image->bytes, t->align);
    tiny_put(&image->bytes, data.data, data.n);
    free(data.data);
    return image;
}

void tiny_image_free(struct tiny_image *image)
{
    if (!image) return;
    free(image->bytes.data);
    free(image);
}

void tiny_patch(struct tiny_image *image, const char *what, int index, uint64_t value)
{
    for (int i = 0; i < image->n_marks; i++) {
        const struct tiny_mark *m = &image->marks[i];
        if (strcmp(m->what, what) || m->index != index) continue;
        memcpy(image->bytes.data + m->at, &value, (size_t)m->bytes); /* little-endian */
        return;
    }
    tiny_must_hold(false, "no such mark to patch");
}

static const char *scratch_folder(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

void tiny_save(const void *data, size_t n, char path[TINY_PATH_MAX])
{
    snprintf(path, TINY_PATH_MAX, "%s/ead-test-XXXXXX.gguf", scratch_folder());
    int fd = mkstemps(path, 5);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    tiny_must_hold(file, "cannot make a temporary file");
    tiny_must_hold(fwrite(data, 1, n, file) == n && !fclose(file), "cannot write a temporary file");
}

void tiny_save_model(struct tiny *t, char path[TINY_PATH_MAX])
{
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, path);
    tiny_image_free(image);
    tiny_free(t);
}

void tiny_folder(char path[TINY_PATH_MAX])
{
    snprintf(path, TINY_PATH_MAX, "%s/ead-test-XXXXXX", scratch_folder());
    tiny_must_hold(mkdtemp(path), "cannot make a temporary folder");
}
