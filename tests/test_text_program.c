/* Texts and vocabularies as the program meets them: what it puts around a prompt, what it says. */
#include "program.h"
#include "tiny.h"

#include <jansson.h>
#include <setjmp.h>

#include <cmocka.h>

static int set_up(void **state)
{
    (void)state;
    return setenv("EAD_MODELS", "/nowhere", 1); /* no shipped pair: what is not named is missing */
}

static struct tiny *small_model(void)
{
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    return tiny_model(&spec);
}

/* Write the model, and free it. */
static void save(struct tiny *t, char path[TINY_PATH_MAX])
{
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_save(image->bytes.data, image->bytes.n, path);
    tiny_image_free(image);
    tiny_free(t);
}

/* `ead tokenize` on a text, with the options up to NULL. */
static struct said tokenize(const char *path, const char *text, const char *one, const char *two)
{
    const char *args[] = {"ead", "tokenize", "-m", path, one, one ? two : NULL, NULL};
    struct said said = program_run(EAD_PROGRAM, args, text, NULL);
    assert_int_equal(said.status, 0);
    return said;
}

static int count_ids(const struct said *said)
{
    int n = 0;
    for (const char *at = said->out; *at; at++) n += *at == ' ' || *at == '\n';
    return n;
}

/* The rows of the prompt that `ead run` reads; *err is to be freed. */
static int prompt_rows(const char *path, const char *prompt, char **err)
{
    struct said said =
        ead("run", "-S", path, "--raw", "-p", prompt, "-n", "1", "--json", "-", NULL);
    if (said.status) fail_msg("%s", said.err);
    const char *report = strchr(said.out, '{');
    assert_non_null(report);
    json_t *all = json_loads(report, JSON_DISABLE_EOF_CHECK, NULL);
    json_t *small = json_object_get(all, "small");
    const int rows = (int)json_integer_value(json_object_get(small, "prompt_rows"));
    json_decref(all);
    *err = said.err;
    free(said.out);
    return rows;
}

static void test_no_end_behind_a_prompt(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX], *err;
    struct tiny *t = small_model();
    tiny_set_bool(t, "tokenizer.ggml.add_eos_token", true);
    save(t, path);
    struct said bare = tokenize(path, "tone", NULL, NULL), both, bos;
    both = tokenize(path, "tone", "--bos", "--eos");
    bos = tokenize(path, "tone", "--bos", NULL);
    const int n = count_ids(&bare);
    assert_int_equal(count_ids(&bos), n + 1);
    assert_int_equal(count_ids(&both), n + 2);
    assert_string_equal(both.out + strlen(both.out) - 3, " 2\n");
    assert_int_equal(prompt_rows(path, "tone", &err), n + 1);
    free(err);
    said_free(&bare);
    said_free(&both);
    said_free(&bos);
    unlink(path);
}

static void test_one_bos(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX], *err;
    save(small_model(), path);
    const int plain = prompt_rows(path, "tone", &err);
    assert_null(strstr(err, "BOS"));
    free(err);
    assert_int_equal(prompt_rows(path, "<s>tone", &err), plain);
    assert_non_null(strstr(err, "BOS"));
    free(err);
    struct said said = tokenize(path, "<s>tone", "--bos", "--special");
    assert_int_equal(count_ids(&said), plain);
    assert_non_null(strstr(said.err, "BOS"));
    said_free(&said);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_end_behind_a_prompt),
        cmocka_unit_test(test_one_bos),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
