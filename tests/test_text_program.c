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
    tiny_save_model(t, path);
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

/* A byte-level vocabulary of some letters in a model's file; no merge, no name of a cut. */
static struct tiny *bpe_model(void)
{
    static char letters[64][2];
    const char *texts[64];
    struct tiny *t = small_model();
    struct tiny_tensor *embed = tiny_find(t, "token_embd.weight");
    const size_t n = embed->dims[1] < 64 ? embed->dims[1] : 64;
    for (size_t i = 0; i < n; i++) {
        letters[i][0] = (char)('0' + i);
        texts[i] = letters[i];
    }
    tiny_set_str(t, "tokenizer.ggml.model", "gpt2");
    tiny_set_strs(t, "tokenizer.ggml.tokens", texts, n);
    tiny_set_strs(t, "tokenizer.ggml.merges", texts, 0);
    tiny_drop(t, "tokenizer.ggml.token_type");
    tiny_drop(t, "tokenizer.ggml.scores");
    return t;
}

static void test_notes_are_shown(void **state)
{
    (void)state;
    char path[TINY_PATH_MAX], *err;
    save(bpe_model(), path);
    struct said said = tokenize(path, "HI", NULL, NULL);
    assert_string_equal(said.out, "24 25\n");
    assert_non_null(strstr(said.err, path));
    assert_non_null(strstr(said.err, "tokenizer.ggml.pre: absent"));
    said_free(&said);
    assert_int_equal(prompt_rows(path, "HI", &err), 2);
    assert_non_null(strstr(err, "tokenizer.ggml.pre: absent"));
    free(err);
    unlink(path);
    struct tiny *t = bpe_model();
    tiny_set_str(t, "tokenizer.ggml.pre", "gpt-2");
    save(t, path);
    said = tokenize(path, "HI", NULL, NULL);
    assert_string_equal(said.err, "");
    said_free(&said);
    unlink(path);
}

/* The large model has three tokens more: what pads the small one's table is a token there. */
static void test_pair_with_more_tokens(void **state)
{
    (void)state;
    char large[TINY_PATH_MAX], small[TINY_PATH_MAX];
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.pad_tokens = 3;
    save(tiny_model(&spec), small);
    struct tiny *t = tiny_model(&spec);
    for (int i = 0; i < t->n_kv; i++) {
        struct tiny_bytes *value = &t->kv[i].value;
        for (size_t at = 0; !strcmp(t->kv[i].key, "tokenizer.ggml.tokens") && at + 4 <= value->n;
             at++)
            if (!memcmp(value->data + at, "[PAD", 4)) value->data[at] = '{';
    }
    save(t, large);
    ead_model *model;
    assert_int_equal(ead_model_open(large, NULL, &model, NULL), EAD_OK);
    assert_int_equal(ead_model_describe(model).n_vocab, tiny_real_vocab(&spec) + 3);
    ead_model_close(model);
    struct said said = ead("run", "-L", large, "-S", small, "--raw", "-p", "tone", "-n", "60",
                           "--tau", "0", "--temp", "5", "--ignore-eos", NULL);
    if (said.status) fail_msg("%s", said.err);
    assert_null(strstr(said.out, "{PAD")); /* hot enough to draw it, were it allowed */
    said_free(&said);
    unlink(large);
    unlink(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_end_behind_a_prompt),
        cmocka_unit_test(test_one_bos),
        cmocka_unit_test(test_notes_are_shown),
        cmocka_unit_test(test_pair_with_more_tokens),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
