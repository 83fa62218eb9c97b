/* `ead inspect` and `ead tokenize` on files whose weights nobody here could multiply, and on
 * metadata that has arrays in arrays: neither command needs the weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"
#include "tiny.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole model of which one matrix has the type, and nested metadata. */
static void write_model(uint32_t type, char path[TINY_PATH_MAX])
{
    struct tiny_spec spec = tiny_spec("llama", QT_Q4_K);
    struct tiny *t = tiny_model(&spec);
    tiny_find(t, "blk.1.ffn_up.weight")->type = type;
    tiny_set_nested(t, "general.nested", 2);
    tiny_save_model(t, path);
}

static void must_say(struct said said, int status, const char *out, const char *err)
{
    if (said.status != status || (out && !strstr(said.out, out)) || (err && !strstr(said.err, err)))
        fail_msg("expected %d, \"%s\", \"%s\"; got %d:\n%s%s", status, out ? out : "",
                 err ? err : "", said.status, said.out, said.err);
    said_free(&said);
}

static void test_the_type_is_named(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    write_model(21, path);
    must_say(ead("inspect", path, NULL), 0, "IQ3_S   256 x 256", NULL);
    must_say(ead("logits", "-m", path, "--ids", "1", "-o", "-", NULL), 1, NULL,
             "tensor blk.1.ffn_up.weight: type: IQ3_S is none that ead computes with");
    unlink(path);
    write_model(99, path);
    must_say(ead("inspect", path, NULL), 0, "type 99 256 x 256                         ? bytes",
             NULL);
    unlink(path);
}

static void test_tokenize_needs_no_weights(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    write_model(99, path);
    const char *args[] = {"ead", "tokenize", "-m", path, NULL};
    struct said said = program_run(EAD_PROGRAM, args, "the sea", NULL);
    if (said.status || !said.n_out) fail_msg("%d: %s", said.status, said.err);
    said_free(&said);
    unlink(path);
}

static void test_arrays_in_arrays_are_shown(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    write_model(QT_Q4_K, path);
    must_say(ead("inspect", path, NULL), 0, "array[2] [1, 2], [1, 2]\n", NULL);
    struct said said = ead("inspect", "--json", path, NULL);
    json_t *all = json_loads(said.out, 0, NULL);
    json_t *nested = json_object_get(json_object_get(all, "metadata"), "general.nested");
    json_t *inner = json_array_get(json_object_get(nested, "values"), 1);
    assert_string_equal(json_string_value(json_object_get(nested, "type")), "array");
    assert_string_equal(json_string_value(json_object_get(inner, "type")), "i32");
    assert_int_equal(json_integer_value(json_object_get(inner, "count")), 2);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(inner, "values"), 1)), 2);
    json_decref(all);
    said_free(&said);
    unlink(path);
}

static void test_sizes_in_json(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    write_model(99, path);
    struct said said = ead("inspect", "--json", path, NULL);
    json_t *all = json_loads(said.out, 0, NULL), *one;
    size_t i, unknown = 0;
    json_array_foreach(json_object_get(all, "tensors"), i, one)
    {
        const bool open = !strcmp(json_string_value(json_object_get(one, "type")), "type 99");
        assert_int_equal(json_is_null(json_object_get(one, "bytes")), open);
        unknown += open;
    }
    assert_int_equal(unknown, 1);
    json_decref(all);
    said_free(&said);
    unlink(path);
}

static void test_big_endian_is_called_that(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX];
    static const unsigned char head[24] = {'G', 'G', 'U', 'F', 0, 0, 0, 3};
    tiny_save(head, sizeof head, path);
    must_say(ead("inspect", path, NULL), 1, NULL, "big-endian");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_type_is_named),
        cmocka_unit_test(test_tokenize_needs_no_weights),
        cmocka_unit_test(test_arrays_in_arrays_are_shown),
        cmocka_unit_test(test_sizes_in_json),
        cmocka_unit_test(test_big_endian_is_called_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
