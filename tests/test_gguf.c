/* The reader of GGUF files: what it reads, and that it refuses everything else by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tiny.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- helpers ------------------------------------------------------------------------------- */

/* Open an exact copy of the bytes, so that a sanitizer sees one byte too many. */
static enum status open_copy(const void *data, size_t n, struct gguf **out, void **copy,
                             struct err *err)
{
    *copy = malloc(n ? n : 1);
    assert_non_null(*copy);
    memcpy(*copy, data, n);
    return gguf_open_memory(*copy, n, out, err);
}

/* Expect a refusal whose message holds both texts. */
static void refuse_bytes(const struct tiny_bytes *b, enum status st, const char *field,
                         const char *found)
{
    struct gguf *g = NULL;
    struct err err = {0};
    void *copy;
    enum status got = open_copy(b->data, b->n, &g, &copy, &err);
    if (got != st || !strstr(err.message, field) || !strstr(err.message, found))
        fail_msg("expected %s with \"%s\" and \"%s\", got %s: %s", status_name(st), field, found,
                 status_name(got), err.message);
    assert_null(g);
    free(copy);
}

/* The same after overwriting one number of a file. */
static void refuse_patch(const struct tiny *t, const char *what, int index, uint64_t value,
                         enum status st, const char *field, const char *found)
{
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_patch(image, what, index, value);
    refuse_bytes(&image->bytes, st, field, found);
    tiny_image_free(image);
}

static void refuse(const struct tiny *t, enum status st, const char *field, const char *found)
{
    struct tiny_image *image = tiny_write(t, 0, 1);
    refuse_bytes(&image->bytes, st, field, found);
    tiny_image_free(image);
}

/* Two tensors and pairs of the common kinds. */
static struct tiny *sample(void)
{
    static const char *const words[] = {"alpha", "", "gamma"};
    static const float numbers[] = {1.5f, -2};
    uint64_t rng = 5;
    struct tiny *t = tiny_new();
    tiny_set_str(t, "general.name", "sample");
    tiny_set_u32(t, "a.number", 7);
    tiny_set_strs(t, "a.words", words, 3);
    tiny_set_array(t, "a.numbers", GGUF_F32, numbers, 2, sizeof numbers);
    tiny_fill(tiny_tensor(t, "first", QT_F32, 5, 3), 1, &rng);
    tiny_fill(tiny_tensor(t, "second", QT_Q4_0, 64, 2), 1, &rng);
    return t;
}

static struct gguf *must_open(const struct tiny_image *image)
{
    struct gguf *g = NULL;
    struct err err = {0};
    if (gguf_open_memory(image->bytes.data, image->bytes.n, &g, &err) != ST_OK)
        fail_msg("%s", err.message);
    return g;
}

/* ---- what is read -------------------------------------------------------------------------- */

static void check_sample(const struct gguf *g, struct tiny *t)
{
    assert_int_equal(gguf_version(g), t->version);
    assert_int_equal(gguf_kv_count(g), t->n_kv);
    assert_int_equal(gguf_shard_count(g), 1);
    assert_string_equal(gguf_path(g), "(memory)");
    for (int i = 0; i < t->n_kv; i++) {
        const struct gguf_kv *kv = gguf_kv_at(g, (size_t)i);
        assert_int_equal(kv->key.n, strlen(t->kv[i].key));
        assert_memory_equal(kv->key.s, t->kv[i].key, kv->key.n);
        assert_ptr_equal(gguf_find(g, t->kv[i].key), kv);
    }
    assert_int_equal(gguf_tensor_count(g), t->n_tensors);
    for (int i = 0; i < t->n_tensors; i++) {
        const struct gguf_tensor *x = gguf_find_tensor(g, t->tensor[i].name);
        assert_ptr_equal(x, gguf_tensor_at(g, (size_t)i));
        assert_int_equal(x->type, t->tensor[i].type);
        assert_int_equal(x->n_dims, t->tensor[i].n_dims);
        assert_memory_equal(x->dims, t->tensor[i].dims, sizeof x->dims);
        assert_int_equal(x->bytes, t->tensor[i].data.n);
        assert_memory_equal(x->data, t->tensor[i].data.data, x->bytes);
        assert_int_equal(x->shard, 0);
    }
    assert_null(gguf_find(g, "a.numbe"));
    assert_null(gguf_find(g, "a.number\xff"));
    assert_null(gguf_find_tensor(g, "third"));
}

static void test_both_versions_and_alignments(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 3; version++)
        for (uint32_t align = 8; align <= 4096; align *= 4) {
            struct tiny *t = sample();
            t->version = version;
            t->align = align;
            tiny_set_u32(t, "general.alignment", align);
            struct tiny_image *image = tiny_write(t, 0, 1);
            struct gguf *g = must_open(image);
            check_sample(g, t);
            assert_int_equal(gguf_file_bytes(g), image->bytes.n);
            gguf_close(g);
            tiny_image_free(image);
            tiny_free(t);
        }
    gguf_close(NULL);
}

/* Every scalar type with its extremes, as the file has them and as a reader sees them. */
static const struct scalar {
    const char *key;
    enum gguf_type type;
    int bytes;
    union {
        int64_t i;
        uint64_t u;
        float f32;
        double f64;
    } raw;
    double f;
    int64_t i;
    const char *name;
} scalars[] = {
    {"u8", GGUF_U8, 1, {.u = 255}, 255, 255, "u8"},
    {"i8", GGUF_I8, 1, {.i = -128}, -128, -128, "i8"},
    {"u16", GGUF_U16, 2, {.u = 65535}, 65535, 65535, "u16"},
    {"i16", GGUF_I16, 2, {.i = -32768}, -32768, -32768, "i16"},
    {"u32", GGUF_U32, 4, {.u = UINT32_MAX}, 4294967295.0, UINT32_MAX, "u32"},
    {"i32", GGUF_I32, 4, {.i = INT32_MIN}, -2147483648.0, INT32_MIN, "i32"},
    {"f32", GGUF_F32, 4, {.f32 = -2.75f}, -2.75, -2, "f32"},
    {"f32 big", GGUF_F32, 4, {.f32 = 3e38f}, (double)3e38f, INT64_MAX, "f32"},
    {"f32 low", GGUF_F32, 4, {.f32 = -3e38f}, (double)-3e38f, INT64_MIN, "f32"},
    {"bool", GGUF_BOOL, 1, {.u = 1}, 1, 1, "bool"},
    {"u64", GGUF_U64, 8, {.u = UINT64_MAX}, 9223372036854775807.0, INT64_MAX, "u64"},
    {"i64", GGUF_I64, 8, {.i = INT64_MIN}, -9223372036854775808.0, INT64_MIN, "i64"},
    {"f64", GGUF_F64, 8, {.f64 = 1e300}, 1e300, INT64_MAX, "f64"},
};
enum { N_SCALARS = sizeof scalars / sizeof *scalars };

static void test_every_scalar_type(void **state)
{
    (void)state;
    struct tiny *t = tiny_new();
    for (int i = 0; i < N_SCALARS; i++)
        tiny_set(t, scalars[i].key, scalars[i].type, &scalars[i].raw, (size_t)scalars[i].bytes);
    double nan = NAN;
    tiny_set(t, "nan", GGUF_F64, &nan, sizeof nan);
    struct tiny_image *image = tiny_write(t, 0, 1);
    struct gguf *g = must_open(image);
    for (int i = 0; i < N_SCALARS; i++) {
        const struct gguf_kv *kv = gguf_find(g, scalars[i].key);
        assert_int_equal(kv->type, scalars[i].type);
        assert_int_equal(kv->elem, scalars[i].type);
        assert_int_equal(kv->count, 1);
        assert_int_equal(kv->value_bytes, scalars[i].bytes);
        assert_true(gguf_f64_at(kv, 0) == scalars[i].f);
        assert_true(gguf_i64_at(kv, 0) == scalars[i].i);
        assert_string_equal(gguf_type_name(kv->type), scalars[i].name);
    }
    assert_true(gguf_i64_at(gguf_find(g, "nan"), 0) == 0);
    gguf_close(g);
    tiny_image_free(image);
    tiny_free(t);
}

static void test_arrays(void **state)
{
    (void)state;
    static const int16_t shorts[] = {-1, 0, 32767};
    static const double doubles[] = {0.5, -1e9};
    struct tiny *t = sample();
    tiny_set_array(t, "shorts", GGUF_I16, shorts, 3, sizeof shorts);
    tiny_set_array(t, "doubles", GGUF_F64, doubles, 2, sizeof doubles);
    tiny_set_array(t, "nothing", GGUF_U64, NULL, 0, 0);
    struct tiny_image *image = tiny_write(t, 0, 1);
    struct gguf *g = must_open(image);
    const struct gguf_kv *kv;
    assert_int_equal(gguf_find_array(g, "shorts", GGUF_I16, true, &kv, NULL), ST_OK);
    assert_int_equal(kv->count, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(gguf_i64_at(kv, (uint64_t)i), shorts[i]);
    assert_int_equal(gguf_find_array(g, "doubles", GGUF_F64, true, &kv, NULL), ST_OK);
    assert_true(gguf_f64_at(kv, 1) == -1e9);
    assert_int_equal(gguf_find_array(g, "nothing", GGUF_U64, true, &kv, NULL), ST_OK);
    assert_int_equal(kv->count, 0);
    assert_int_equal(gguf_find_array(g, "a.words", GGUF_STRING, true, &kv, NULL), ST_OK);
    const uint8_t *at = kv->value;
    static const char *const words[] = {"alpha", "", "gamma"};
    for (int i = 0; i < 3; i++) {
        struct gguf_str s = gguf_next_str(&at);
        assert_int_equal(s.n, strlen(words[i]));
        assert_memory_equal(s.s, words[i], s.n);
    }
    assert_ptr_equal(at, kv->value + kv->value_bytes);
    gguf_close(g);
    tiny_image_free(image);
    tiny_free(t);
}

/* ---- arrays of arrays ---------------------------------------------------------------------- */

/* Of [1, 2] in pairs of pairs. */
static void check_nested(const struct gguf_kv *kv, int depth)
{
    const uint8_t *at = kv->value;
    assert_int_equal(kv->type, GGUF_ARRAY);
    assert_int_equal(kv->count, 2);
    assert_int_equal(kv->elem, depth > 1 ? GGUF_ARRAY : GGUF_I32);
    if (depth == 1) {
        assert_int_equal(gguf_i64_at(kv, 0), 1);
        assert_int_equal(gguf_i64_at(kv, 1), 2);
        return;
    }
    assert_int_equal(gguf_i64_at(kv, 1), 0);
    assert_true(gguf_f64_at(kv, 1) == 0);
    for (int i = 0; i < 2; i++) {
        const struct gguf_kv inner = gguf_next_array(&at);
        check_nested(&inner, depth - 1);
    }
    assert_ptr_equal(at, kv->value + kv->value_bytes);
}

static void test_arrays_of_arrays(void **state)
{
    (void)state;
    for (int depth = 1; depth <= GGUF_DEPTH_MAX; depth++) {
        struct tiny *t = sample();
        tiny_set_nested(t, "nested", depth);
        tiny_set_u32(t, "behind", 5);
        struct tiny_image *image = tiny_write(t, 0, 1);
        struct gguf *g = must_open(image);
        check_nested(gguf_find(g, "nested"), depth);
        assert_int_equal(gguf_i64_at(gguf_find(g, "behind"), 0), 5);
        gguf_close(g);
        tiny_image_free(image);
        tiny_free(t);
    }
    struct tiny *t = sample();
    tiny_set_nested(t, "nested", GGUF_DEPTH_MAX + 1);
    refuse(t, ST_SUPPORT, "nested", "at most 8 deep");
    tiny_free(t);
}

/* Arrays of strings within an array, one of them empty. */
static void test_strings_in_arrays_in_arrays(void **state)
{
    (void)state;
    struct tiny *t = sample();
    struct tiny_bytes b = {0};
    tiny_put_u32(&b, GGUF_ARRAY);
    tiny_put_u64(&b, 2);
    tiny_put_u32(&b, GGUF_STRING);
    tiny_put_u64(&b, 2);
    tiny_put_str(&b, "one");
    tiny_put_str(&b, "");
    tiny_put_u32(&b, GGUF_F64);
    tiny_put_u64(&b, 0);
    tiny_set(t, "words", GGUF_ARRAY, b.data, b.n);
    struct tiny_image *image = tiny_write(t, 0, 1);
    struct gguf *g = must_open(image);
    const struct gguf_kv *kv = gguf_find(g, "words");
    const uint8_t *at = kv->value;
    struct gguf_kv inner = gguf_next_array(&at);
    const uint8_t *word = inner.value;
    assert_int_equal(inner.elem, GGUF_STRING);
    assert_int_equal(gguf_next_str(&word).n, 3);
    assert_int_equal(gguf_next_str(&word).n, 0);
    inner = gguf_next_array(&at);
    assert_int_equal(inner.elem, GGUF_F64);
    assert_int_equal(inner.count, 0);
    assert_ptr_equal(at, kv->value + kv->value_bytes);
    gguf_close(g);
    tiny_image_free(image);
    tiny_free(t);
    free(b.data);
}

/* ---- types that are not decoded ------------------------------------------------------------ */

/* A file whose second tensor claims the type. */
static struct gguf *open_typed(uint32_t type, struct tiny_image **image)
{
    struct tiny *t = sample();
    *image = tiny_write(t, 0, 1);
    tiny_patch(*image, "tensor type", 1, type);
    tiny_free(t);
    return must_open(*image);
}

static void check_type(uint32_t type, const char *name, size_t bytes)
{
    struct tiny_image *image;
    struct gguf *g = open_typed(type, &image);
    const struct gguf_tensor *x = gguf_find_tensor(g, "second"); /* [64, 2] in 72 bytes */
    assert_int_equal(x->type, type);
    assert_string_equal(x->type_name, name);
    assert_int_equal(x->bytes, bytes);
    gguf_close(g);
    tiny_image_free(image);
}

static void test_other_types_are_named(void **state)
{
    (void)state;
    check_type(QT_Q4_0, "Q4_0", 72);
    check_type(39, "MXFP4", 68);
    check_type(40, "NVFP4", 72);
    check_type(4, "Q4_2", 0);
    check_type(9, "Q8_1", 0);
    check_type(42, "type 42", 0);
    check_type(UINT32_MAX, "type 4294967295", 0);
    struct tiny *t = sample();
    refuse_patch(t, "tensor type", 1, 24, ST_FORMAT, "tensor second", "128 bytes at offset 64");
    refuse_patch(t, "tensor type", 1, 16, ST_FORMAT, "tensor second", "256 for IQ2_XXS");
    tiny_find(t, "second")->type = 99; /* its size is open, its place is not */
    refuse_patch(t, "tensor offset", 1, 1 << 20, ST_FORMAT, "tensor second", "1048576");
    tiny_free(t);
}

/* ---- typed reads --------------------------------------------------------------------------- */

/* Check the message of a typed read that must fail. */
static void check_read(enum status got, const struct err *err, const char *key, const char *found)
{
    assert_int_equal(got, ST_FORMAT);
    if (!strstr(err->message, key) || !strstr(err->message, found))
        fail_msg("expected \"%s\" and \"%s\" in: %s", key, found, err->message);
}

static void test_typed_reads_convert_or_name_the_fault(void **state)
{
    (void)state;
    struct tiny *t = sample();
    uint64_t fits = 12, wide = (uint64_t)1 << 32;
    int32_t negative = -3;
    double half = 0.5, nan = NAN, wider = 1e300;
    tiny_set(t, "fits", GGUF_U64, &fits, 8);
    tiny_set(t, "wide", GGUF_U64, &wide, 8);
    tiny_set(t, "negative", GGUF_I32, &negative, 4);
    tiny_set(t, "half", GGUF_F64, &half, 8);
    tiny_set(t, "nan", GGUF_F64, &nan, 8);
    tiny_set(t, "wider", GGUF_F64, &wider, 8);
    tiny_set_bool(t, "yes", true);
    struct tiny_image *image = tiny_write(t, 0, 1);
    struct gguf *g = must_open(image);
    struct err err = {0};
    uint32_t u = 99;
    float f = 99;
    bool yes = false;
    struct gguf_str s = {0};
    const struct gguf_kv *kv;
    assert_int_equal(gguf_read_u32(g, "fits", true, &u, &err), ST_OK);
    assert_int_equal(u, 12);
    assert_int_equal(gguf_read_u32(g, "absent", false, &u, &err), ST_OK);
    assert_int_equal(u, 12);
    check_read(gguf_read_u32(g, "absent", true, &u, &err), &err, "absent", "missing");
    check_read(gguf_read_u32(g, "wide", true, &u, &err), &err, "wide", "4294967296");
    check_read(gguf_read_u32(g, "negative", true, &u, &err), &err, "negative", "-3");
    check_read(gguf_read_u32(g, "half", true, &u, &err), &err, "half", "f64");
    check_read(gguf_read_u32(g, "yes", true, &u, &err), &err, "yes", "bool");
    check_read(gguf_read_u32(g, "a.words", true, &u, &err), &err, "a.words", "array");
    assert_int_equal(u, 12);
    assert_int_equal(gguf_read_f32(g, "half", true, &f, &err), ST_OK);
    assert_true(f == 0.5f);
    check_read(gguf_read_f32(g, "nan", true, &f, &err), &err, "nan", "found");
    check_read(gguf_read_f32(g, "wider", true, &f, &err), &err, "wider", "1e+300");
    check_read(gguf_read_f32(g, "fits", true, &f, &err), &err, "fits", "u64");
    assert_int_equal(gguf_read_bool(g, "yes", true, &yes, &err), ST_OK);
    assert_true(yes);
    check_read(gguf_read_bool(g, "fits", true, &yes, &err), &err, "fits", "u64");
    assert_int_equal(gguf_read_str(g, "general.name", true, &s, &err), ST_OK);
    assert_int_equal(s.n, 6);
    assert_memory_equal(s.s, "sample", 6);
    check_read(gguf_read_str(g, "yes", true, &s, &err), &err, "yes", "bool");
    check_read(gguf_find_array(g, "a.numbers", GGUF_STRING, true, &kv, &err), &err, "a.numbers",
               "f32");
    check_read(gguf_find_array(g, "fits", GGUF_U64, true, &kv, &err), &err, "fits", "found u64");
    assert_int_equal(gguf_find_array(g, "absent", GGUF_U64, false, &kv, &err), ST_OK);
    assert_null(kv);
    gguf_close(g);
    tiny_image_free(image);
    tiny_free(t);
}

/* ---- what is refused ----------------------------------------------------------------------- */

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    struct tiny *t = sample();
    struct tiny_image *image = tiny_write(t, 0, 1);
    for (size_t n = 0; n < image->bytes.n; n++) {
        struct gguf *g = NULL;
        struct err err = {0};
        void *copy;
        assert_int_equal(open_copy(image->bytes.data, n, &g, &copy, &err), ST_FORMAT);
        if (strlen(err.message) < 20) fail_msg("at %zu bytes: \"%s\"", n, err.message);
        assert_null(g);
        free(copy);
    }
    tiny_image_free(image);
    tiny_free(t);
}

static void test_header_faults(void **state)
{
    (void)state;
    struct tiny *t = sample();
    refuse_patch(t, "magic", 0, 0x46554746, ST_FORMAT, "magic", "0x46554746");
    refuse_patch(t, "version", 0, 1, ST_SUPPORT, "version", "found 1");
    refuse_patch(t, "version", 0, 4, ST_SUPPORT, "version", "found 4");
    refuse_patch(t, "version", 0, 0, ST_SUPPORT, "version", "found 0");
    refuse_patch(t, "version", 0, 0x03000000, ST_SUPPORT, "version", "is big-endian");
    refuse_patch(t, "version", 0, 0x02000000, ST_SUPPORT, "version", "is big-endian");
    refuse_patch(t, "magic", 0, 0x47475546, ST_SUPPORT, "version", "is big-endian");
    refuse_patch(t, "version", 0, 0x03000100, ST_SUPPORT, "version", "50331904");
    refuse_patch(t, "tensor count", 0, UINT64_MAX, ST_FORMAT, "tensor count",
                 "18446744073709551615");
    refuse_patch(t, "tensor count", 0, 1000, ST_FORMAT, "tensor count", "1000");
    refuse_patch(t, "metadata count", 0, UINT64_MAX / 13, ST_FORMAT, "metadata count",
                 "1418980313362273201");
    tiny_free(t);
}

static void test_metadata_faults(void **state)
{
    (void)state;
    struct tiny *t = sample(); /* 0 name, 1 number, 2 words, 3 numbers */
    refuse_patch(t, "key length", 1, UINT64_MAX, ST_FORMAT, "metadata key", "left");
    refuse_patch(t, "key length", 0, 0, ST_FORMAT, "metadata key", "found 0");
    refuse_patch(t, "value type", 1, 13, ST_FORMAT, "a.number", "found 13");
    refuse_patch(t, "value", 0, (uint64_t)1 << 40, ST_FORMAT, "general.name", "1099511627776");
    refuse_patch(t, "element type", 3, GGUF_ARRAY, ST_FORMAT, "a.numbers", "found 1069547520");
    refuse_patch(t, "element type", 3, 200, ST_FORMAT, "a.numbers", "found 200");
    refuse_patch(t, "element count", 3, (uint64_t)1 << 62, ST_FORMAT, "a.numbers", "left");
    refuse_patch(t, "element count", 3, 1 << 20, ST_FORMAT, "a.numbers", "4194304");
    refuse_patch(t, "element count", 2, UINT64_MAX, ST_FORMAT, "a.words", "left");
    memcpy(t->kv[1].key, "general.name", 13);
    refuse(t, ST_FORMAT, "general.name", "twice");
    struct tiny_image *image = tiny_write(t, 0, 1);
    image->bytes.data[image->marks[4].at + 8] = 0; /* the first letter of the first key */
    refuse_bytes(&image->bytes, ST_FORMAT, "metadata key", "NUL");
    tiny_image_free(image);
    tiny_free(t);
}

static void test_tensor_faults(void **state)
{
    (void)state;
    struct tiny *t = sample(); /* 0 F32 [5, 3], 1 Q4_0 [64, 2] */
    refuse_patch(t, "name length", 0, 0, ST_FORMAT, "tensor name", "found 0");
    refuse_patch(t, "name length", 1, (uint64_t)1 << 33, ST_FORMAT, "tensor name", "left");
    refuse_patch(t, "dimensions", 0, 0, ST_FORMAT, "tensor first", "found 0");
    refuse_patch(t, "dimensions", 0, 5, ST_FORMAT, "tensor first", "found 5");
    refuse_patch(t, "cols", 0, 0, ST_FORMAT, "tensor first", "found 0");
    refuse_patch(t, "rows", 0, (uint64_t)1 << 31, ST_FORMAT, "tensor first", "2147483648");
    refuse_patch(t, "rows", 1, 3, ST_FORMAT, "tensor second", "pass the end");
    refuse_patch(t, "cols", 1, 48, ST_FORMAT, "tensor second", "multiple of 32");
    refuse_patch(t, "tensor type", 0, 39, ST_FORMAT, "tensor first", "multiple of 32 for MXFP4");
    refuse_patch(t, "tensor type", 1, 28, ST_FORMAT, "tensor second", "1024 bytes at offset 64");
    refuse_patch(t, "tensor offset", 1, 65, ST_FORMAT, "tensor second",
                 "offset 65 is no multiple of the alignment 32");
    refuse_patch(t, "tensor offset", 1, 96, ST_FORMAT, "tensor second", "offset 96");
    refuse_patch(t, "tensor offset", 0, UINT64_MAX - 31, ST_FORMAT, "tensor first",
                 "18446744073709551584");
    memcpy(t->tensor[1].name, "first", 6);
    refuse(t, ST_FORMAT, "tensor first", "twice");
    memset(t->tensor[1].name, 'n', GGUF_NAME_MAX);
    refuse(t, ST_FORMAT, "tensor name", "found 128");
    tiny_free(t);
}

/* Rows and sizes beyond 64 bits. */
static void test_tensor_sizes_do_not_wrap(void **state)
{
    (void)state;
    struct tiny *t = sample();
    struct tiny_tensor *x = &t->tensor[0];
    x->n_dims = 4;
    for (int i = 0; i < 4; i++) x->dims[i] = INT32_MAX;
    refuse(t, ST_FORMAT, "tensor first", "dimensions overflow");
    x->dims[3] = 1;
    refuse(t, ST_FORMAT, "tensor first", "size overflows");
    x->dims[2] = 1;
    refuse(t, ST_FORMAT, "tensor first", "pass the end");
    tiny_free(t);
}

static void test_alignment_faults(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 1, 4, 24, 33, 1 << 21, UINT32_MAX};
    struct tiny *t = sample();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char found[32];
        snprintf(found, sizeof found, "found %u", bad[i]);
        tiny_set_u32(t, "general.alignment", bad[i]);
        refuse(t, ST_FORMAT, "general.alignment", found);
    }
    tiny_set_str(t, "general.alignment", "32");
    refuse(t, ST_FORMAT, "general.alignment", "string");
    tiny_free(t);
}

/* ---- files --------------------------------------------------------------------------------- */

static void refuse_path(const char *path, enum status st, const char *found)
{
    struct gguf *g = NULL;
    struct err err = {0};
    assert_int_equal(gguf_open(path, &g, &err), st);
    assert_null(g);
    if (!strstr(err.message, path) || !strstr(err.message, found))
        fail_msg("expected \"%s\" and \"%s\" in: %s", path, found, err.message);
}

static void test_paths(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    refuse_path("/nonexistent/model.gguf", ST_IO, "cannot open");
    refuse_path("/", ST_IO, "not a regular file");
    tiny_save("GGUF", 4, path);
    refuse_path(path, ST_FORMAT, "found a file of 4");
    unlink(path);
}

/* A sample of three shards in a new folder: shard i is `stem`-0000i-of-00003.gguf. */
struct split {
    struct tiny *t;
    char folder[TINY_PATH_MAX];
    char path[3][TINY_PATH_MAX + 64];
};

static void split_write(struct split *s, int part, int parts)
{
    struct tiny_image *image = tiny_write(s->t, part, parts);
    FILE *file = fopen(s->path[part], "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(image->bytes.data, 1, image->bytes.n, file), image->bytes.n);
    assert_int_equal(fclose(file), 0);
    tiny_image_free(image);
}

static void split_make(struct split *s)
{
    uint64_t rng = 9;
    s->t = sample();
    tiny_fill(tiny_tensor(s->t, "third", QT_F16, 7, 0), 1, &rng);
    tiny_fill(tiny_tensor(s->t, "fourth", QT_Q8_0, 32, 4), 1, &rng);
    tiny_folder(s->folder);
    for (int i = 0; i < 3; i++) {
        snprintf(s->path[i], sizeof s->path[i], "%s/m-%05d-of-00003.gguf", s->folder, i + 1);
        split_write(s, i, 3);
    }
}

static void split_remove(struct split *s)
{
    for (int i = 0; i < 3; i++) unlink(s->path[i]);
    rmdir(s->folder);
    tiny_free(s->t);
}

static void test_split_models_open(void **state)
{
    (void)state;
    struct split s;
    split_make(&s);
    struct gguf *g = NULL;
    struct err err = {0};
    if (gguf_open(s.path[0], &g, &err) != ST_OK) fail_msg("%s", err.message);
    assert_int_equal(gguf_shard_count(g), 3);
    assert_string_equal(gguf_path(g), s.path[0]);
    assert_int_equal(gguf_tensor_count(g), 4);
    uint64_t bytes = 0;
    for (int i = 0; i < 4; i++) {
        const struct gguf_tensor *x = gguf_find_tensor(g, s.t->tensor[i].name);
        assert_non_null(x);
        assert_int_equal(x->shard, i % 3);
        assert_memory_equal(x->data, s.t->tensor[i].data.data, x->bytes);
        bytes += x->bytes;
    }
    assert_true(gguf_file_bytes(g) > bytes);
    gguf_close(g);
    split_remove(&s);
}

static struct gguf_shard shard_of(const char *path, int i)
{
    struct gguf *g = NULL;
    struct err err = {0};
    if (gguf_open(path, &g, &err) != ST_OK) fail_msg("%s", err.message);
    struct gguf_shard shard = gguf_shard_at(g, i);
    gguf_close(g);
    return shard;
}

/* Weights do not enter the hash of a shard; names, shapes, metadata and time of writing tell. */
static void test_shards_are_told_apart(void **state)
{
    (void)state;
    static const struct timespec then[] = {{1000, 17}, {1000, 18}};
    struct split s;
    split_make(&s);
    const struct gguf_shard first = shard_of(s.path[0], 0), last = shard_of(s.path[0], 2);
    assert_true(first.head != last.head);
    s.t->tensor[2].data.data[0] ^= 1;
    split_write(&s, 2, 3);
    assert_int_equal(utimensat(AT_FDCWD, s.path[2], then, 0), 0);
    struct gguf_shard shard = shard_of(s.path[0], 2);
    assert_true(shard.head == last.head && shard.bytes == last.bytes);
    assert_int_equal(shard.modified, 1000000000018);
    s.t->tensor[2].name[0] ^= 1;
    split_write(&s, 2, 3);
    shard = shard_of(s.path[0], 2);
    assert_true(shard.head != last.head && shard.bytes == last.bytes);
    assert_true(shard.modified != 1000000000018);
    split_remove(&s);
}

static void test_split_models_are_refused_by_name(void **state)
{
    (void)state;
    struct split s;
    split_make(&s);
    refuse_path(s.path[1], ST_ARG, "shard 2 of 3");
    unlink(s.path[2]);
    struct gguf *g = NULL;
    struct err err = {0};
    assert_int_equal(gguf_open(s.path[0], &g, &err), ST_IO);
    assert_non_null(strstr(err.message, s.path[2]));

    memcpy(s.t->tensor[2].name, "first", 6); /* a name of shard 1 again in shard 3 */
    split_write(&s, 2, 3);
    refuse_path(s.path[0], ST_FORMAT, "tensor first");
    memcpy(s.t->tensor[2].name, "third", 6);
    s.t->version = 7; /* a broken shard 3 */
    split_write(&s, 2, 3);
    assert_int_equal(gguf_open(s.path[0], &g, &err), ST_SUPPORT);
    assert_non_null(strstr(err.message, s.path[2]));
    assert_non_null(strstr(err.message, "version"));

    char other[TINY_PATH_MAX + 64];
    snprintf(other, sizeof other, "%s/model.gguf", s.folder);
    assert_int_equal(rename(s.path[0], other), 0);
    refuse_path(other, ST_FORMAT, "-00001-of-00003.gguf");
    unlink(other);
    split_remove(&s);
}

static void test_split_counts(void **state)
{
    (void)state;
    struct tiny *t = sample();
    char path[TINY_PATH_MAX];
    tiny_set_u32(t, "split.count", 100000);
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, path);
    refuse_path(path, ST_FORMAT, "100000");
    unlink(path);
    tiny_image_free(image);
    tiny_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_versions_and_alignments),
        cmocka_unit_test(test_every_scalar_type),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_arrays_of_arrays),
        cmocka_unit_test(test_strings_in_arrays_in_arrays),
        cmocka_unit_test(test_other_types_are_named),
        cmocka_unit_test(test_typed_reads_convert_or_name_the_fault),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_header_faults),
        cmocka_unit_test(test_metadata_faults),
        cmocka_unit_test(test_tensor_faults),
        cmocka_unit_test(test_tensor_sizes_do_not_wrap),
        cmocka_unit_test(test_alignment_faults),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_split_models_open),
        cmocka_unit_test(test_shards_are_told_apart),
        cmocka_unit_test(test_split_models_are_refused_by_name),
        cmocka_unit_test(test_split_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
