/* What a file says about its vocabulary: tokens, padding, ends, what makes a pair, what is wrong
 * with a file and what can be done without. */
#include "test_text_expect.h"

/* ---- what tokens are ----------------------------------------------------------------------- */

static void test_pieces(void **state)
{
    (void)state;
    struct held spm = open_spm(), bpe = open_bpe(NULL);
    expect_piece(spm.vocab, 284, " hello", 6);
    expect_piece(spm.vocab, 3 + 0x0a, "\n", 1);
    expect_piece(spm.vocab, 1, "<s>", 3);
    expect_piece(bpe.vocab, 260, " hello", 6);
    expect_piece(bpe.vocab, 0, "\0", 1);
    expect_piece(bpe.vocab, 269, "\xe3\x81", 2);
    expect_piece(bpe.vocab, BPE_SIZE - 1, "", 0); /* unused */
    expect_piece(bpe.vocab, BPE_SIZE, "", 0);
    expect_piece(bpe.vocab, -1, "", 0);
    assert_int_equal(vocab_find(bpe.vocab, "\xc4\xa0hello", 7), 260);
    assert_int_equal(vocab_find(bpe.vocab, "nothing", 7), VOCAB_NONE);
    assert_int_equal(vocab_kind(bpe.vocab, BPE_TAG), VOCAB_USER_DEFINED);
    assert_int_equal(vocab_kind(bpe.vocab, BPE_SIZE), VOCAB_UNUSED);
    assert_int_equal(vocab_text(spm.vocab, 284).n, 8);
    assert_string_equal(vocab_pre(bpe.vocab), "default");
    held_close(&spm);
    held_close(&bpe);
}

static void test_padding_and_compare(void **state)
{
    (void)state;
    struct held a = open_bpe("qwen2"), b = {0}, spm = open_spm();
    assert_int_equal(vocab_size(a.vocab), BPE_SIZE);
    assert_int_equal(vocab_real_size(a.vocab), BPE_REAL);
    assert_int_equal(vocab_real_size(spm.vocab), SPM_SIZE);

    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    struct err err = {0};
    int32_t same = -1;
    for (int change = 0; change < 4; change++) {
        tokens_bpe(t);
        t->n = BPE_REAL; /* no padding at all */
        if (change == 1) strcpy(t->text[259], "other");
        for (int i = 0; change >= 2 && i < VOCAB_SPARE_MAX + change - 2; i++) {
            char text[24];
            snprintf(text, sizeof text, "<more%d>", i);
            token_add(t, text, VOCAB_CONTROL, 0);
        }
        build_str(&b.build, "tokenizer.ggml.model", "gpt2");
        build_tokens(&b.build, t, false);
        build_merges(&b.build);
        build_end(&b.build);
        assert_true(held_open(&b, &err));
        enum status st = vocab_compare(a.vocab, b.vocab, &same, &err);
        assert_int_equal(st, change % 2 ? ST_ARG : ST_OK);
        assert_int_equal(vocab_compare(b.vocab, a.vocab, &same, &err), st);
        assert_int_equal(same, change == 1 ? 259 : BPE_REAL);
        if (change == 1) {
            assert_non_null(strstr(err.message, "id 259"));
            assert_non_null(strstr(err.message, "\"hello\""));
            assert_non_null(strstr(err.message, "\"other\""));
        }
        if (change == 3) assert_non_null(strstr(err.message, "\"<more0>\""));
        held_close(&b);
    }
    free(t);
    assert_int_equal(vocab_compare(a.vocab, spm.vocab, &same, &err), ST_ARG);
    assert_int_equal(same, 0);
    held_close(&a);
    held_close(&spm);
}

/* The BPE vocabulary with its merges in another order, or without the last. */
static struct held open_merged(int swap, size_t n)
{
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_str(&h.build, "tokenizer.ggml.pre", "qwen2");
    build_tokens(&h.build, t, false);
    free(t);
    build_array(&h.build, "tokenizer.ggml.merges", GGUF_STRING, n);
    for (size_t i = 0; i < n; i++) {
        const size_t from = (int)i == swap ? i + 1 : (int)i == swap + 1 ? i - 1 : i;
        build_text(&h.build, bpe_merges[from], strlen(bpe_merges[from]));
    }
    build_end(&h.build);
    struct err err = {0};
    if (!held_open(&h, &err)) fail_msg("%s", err.message);
    return h;
}

static void expect_compared(const struct held *a, const struct held *b, enum status code,
                            const char *words)
{
    struct err err = {0};
    int32_t same = -1;
    assert_int_equal(vocab_compare(a->vocab, b->vocab, &same, &err), code);
    assert_int_equal(same, BPE_REAL);
    if (!strstr(err.message, words)) fail_msg("\"%s\" lacks \"%s\"", err.message, words);
}

/* Equal tokens are not enough: a text must become the same ids. */
static void test_compare_splits(void **state)
{
    (void)state;
    const size_t n = sizeof bpe_merges / sizeof *bpe_merges;
    struct held qwen = open_bpe("qwen2"), llama = open_bpe("llama-bpe"), gpt2 = open_bpe("gpt-2"),
                dbrx = open_bpe("dbrx"), distilled = open_bpe("deepseek-r1-qwen"),
                none = open_bpe(NULL), same = open_merged(-2, n), swapped = open_merged(14, n),
                fewer = open_merged(-2, n - 1);
    expect_compared(&llama, &gpt2, ST_ARG, "\"llama-bpe\" against \"gpt-2\"");
    expect_compared(&llama, &dbrx, ST_OK, "");     /* whole words or not */
    expect_compared(&qwen, &distilled, ST_OK, ""); /* two names of one */
    expect_compared(&qwen, &none, ST_OK, "");
    expect_compared(&none, &gpt2, ST_OK, "");
    expect_compared(&qwen, &same, ST_OK, "");
    expect_compared(&qwen, &swapped, ST_ARG, "tokenizer.ggml.merges, from 14 on");
    expect_compared(&qwen, &fewer, ST_ARG, "tokenizer.ggml.merges, from 16 on");
    expect_compared(&fewer, &qwen, ST_ARG, "tokenizer.ggml.merges, from 16 on");
    struct held *const all[] = {&qwen, &llama, &gpt2,    &dbrx, &distilled,
                                &none, &same,  &swapped, &fewer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) held_close(all[i]);
}

/* A default taken for want of a name is said. */
static void test_absent_pre_is_noted(void **state)
{
    (void)state;
    struct held named = open_bpe("default"), none = open_bpe(NULL), spm = open_spm();
    assert_null(vocab_note(named.vocab, 0));
    assert_null(vocab_note(spm.vocab, 0));
    assert_non_null(strstr(vocab_note(none.vocab, 0), "tokenizer.ggml.pre"));
    assert_non_null(strstr(vocab_note(none.vocab, 0), "\"default\""));
    assert_null(vocab_note(none.vocab, 1));
    held_close(&named);
    held_close(&none);
    held_close(&spm);
}

/* ---- ends ---------------------------------------------------------------------------------- */

struct marked {
    const char *text;
    int32_t kind;
    bool ends;
};

/* The BPE vocabulary with these tokens behind it; `key` names the first of them unless NULL. */
static void expect_ends(const struct marked *marked, size_t n, const char *key)
{
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    const int first = t->n;
    for (size_t i = 0; i < n; i++) token_add(t, marked[i].text, marked[i].kind, 0);
    build_bpe_of(&h.build, NULL, t);
    if (key) build_id(&h.build, key, (uint32_t)first);
    build_end(&h.build);
    free(t);
    assert_true(held_open(&h, NULL));
    for (size_t i = 0; i < n; i++)
        if (vocab_is_eog(h.vocab, first + (int32_t)i) != marked[i].ends)
            fail_msg("%s (type %d): expected it %s a text", marked[i].text, marked[i].kind,
                     marked[i].ends ? "to end" : "not to end");
    held_close(&h);
}
#define EXPECT_ENDS(key, ...)                                                                      \
    expect_ends((const struct marked[]){__VA_ARGS__},                                              \
                sizeof((const struct marked[]){__VA_ARGS__}) / sizeof(struct marked), key)

static void test_ends(void **state)
{
    (void)state;
    enum { N = VOCAB_NORMAL, C = VOCAB_CONTROL, U = VOCAB_USER_DEFINED };
    EXPECT_ENDS(NULL, {"</s>", N, false}, {"<eos>", N, false}, {"[PAD]", U, false});
    EXPECT_ENDS(NULL, {"</s>", C, true}, {"<eos>", C, true}, {"[PAD]", C, true});
    EXPECT_ENDS("tokenizer.ggml.eos_token_id", {"</s>", N, true}); /* named, so it is meant */
    EXPECT_ENDS(NULL, {"<|end|>", N, true}, {"<|eot_id|>", U, true}, {"<|return|>", C, true});
    /* gpt-oss, then Solar: the end of a part. */
    EXPECT_ENDS(NULL, {"<|end|>", C, false}, {"<|return|>", C, true}, {"<|call|>", C, true},
                {"<|endoftext|>", C, true});
    EXPECT_ENDS(NULL, {"<|end|>", C, false}, {"<|flush|>", C, true}, {"<|calls|>", C, true});
    EXPECT_ENDS("tokenizer.ggml.eot_token_id", {"<|end|>", C, false}, {"<|flush|>", C, true},
                {"<|calls|>", C, true});
    /* Gemma: "</s>" strikes a word through. */
    EXPECT_ENDS(NULL, {"</s>", C, false}, {"<turn|>", C, true}, {"<|tool_response>", C, true});
    EXPECT_ENDS(NULL, {"<fim_prefix>", C, false}, {"<|fim_pad|>", U, true});
}

/* An ordinary token with the text of an end stays one. */
static void test_plain_end_is_text(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    const int first = t->n;
    token_add(t, "</s>", VOCAB_NORMAL, 0);
    build_bpe_of(&h.build, NULL, t);
    build_end(&h.build);
    free(t);
    assert_true(held_open(&h, NULL));
    assert_int_equal(vocab_kind(h.vocab, first), VOCAB_NORMAL);
    EXPECT(&h, "</s>", VOCAB_SPECIAL, '<', '/', 's', '>', );
    held_close(&h);
}

/* ---- files that are wrong ------------------------------------------------------------------ */

static void expect_refused(struct held *h, enum status code, const char *words)
{
    struct err err = {0};
    build_end(&h->build);
    assert_int_equal(gguf_open_memory(h->build.bytes.data, h->build.bytes.len, &h->gguf, &err),
                     ST_OK);
    assert_int_equal(vocab_open(h->gguf, &h->vocab, &err), code);
    if (!strstr(err.message, words)) fail_msg("\"%s\" lacks \"%s\"", err.message, words);
    held_close(h);
}

static void test_refusals(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();

    build_str(&h.build, "general.name", "x");
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.model");
    build_str(&h.build, "tokenizer.ggml.model", "bert");
    expect_refused(&h, ST_SUPPORT, "\"bert\"");
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.tokens");

    build_bpe(&h.build, "no-such-thing");
    expect_refused(&h, ST_SUPPORT, "\"no-such-thing\"");
    build_bpe(&h.build, "no-such-thing");
    expect_refused(&h, ST_SUPPORT, "llama-bpe");
    build_bpe(&h.build, "no-such-thing");
    expect_refused(&h, ST_SUPPORT, "youtu"); /* the list is not cut off */

    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_tokens(&h.build, t, false);
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.merges");

    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_tokens(&h.build, t, false);
    build_array(&h.build, "tokenizer.ggml.merges", GGUF_STRING, 1);
    build_text(&h.build, "nospace", 7);
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.merges[0]");

    build_str(&h.build, "tokenizer.ggml.model", "llama");
    build_tokens(&h.build, t, false);
    build_array(&h.build, "tokenizer.ggml.scores", GGUF_F32, 1);
    build_u32(&h.build, 0);
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.scores");

    build_bpe(&h.build, "qwen2");
    build_str(&h.build, "tokenizer.ggml.eot_token_id", "last");
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.eot_token_id: expected an integer");

    build_str(&h.build, "tokenizer.ggml.model", "llama");
    build_tokens(&h.build, t, false);
    build_array(&h.build, "tokenizer.ggml.scores", GGUF_STRING, 0);
    expect_refused(&h, ST_FORMAT, "tokenizer.ggml.scores: expected an array of numbers");
    free(t);
}

/* ---- files that open in spite of what they say --------------------------------------------- */

/* Close the list of pairs, open it, and look for these words in its only note. */
static void open_noted(struct held *h, const char *words)
{
    struct err err = {0};
    build_end(&h->build);
    if (!held_open(h, &err)) fail_msg("%s", err.message);
    const char *note = vocab_note(h->vocab, 0);
    assert_non_null(note);
    if (!strstr(note, words)) fail_msg("\"%s\" lacks \"%s\"", note, words);
    assert_null(vocab_note(h->vocab, 1));
}

static void test_ids_out_of_range(void **state)
{
    (void)state;
    struct held h = {0};
    build_bpe(&h.build, "qwen2");
    build_id(&h.build, "tokenizer.ggml.eot_token_id", BPE_SIZE);
    open_noted(&h, "tokenizer.ggml.eot_token_id: expected an id below 281, found 281");
    assert_int_equal(vocab_specials(h.vocab)->eot, VOCAB_NONE);
    held_close(&h);

    build_bpe(&h.build, "qwen2");
    build_key(&h.build, "tokenizer.ggml.padding_token_id", GGUF_I32);
    build_u32(&h.build, (uint32_t)-7);
    open_noted(&h, "tokenizer.ggml.padding_token_id");
    held_close(&h);

    build_bpe(&h.build, "qwen2"); /* two ways to write "none", which need no word */
    build_key(&h.build, "tokenizer.ggml.padding_token_id", GGUF_I32);
    build_u32(&h.build, (uint32_t)-1);
    build_id(&h.build, "tokenizer.ggml.unknown_token_id", UINT32_MAX);
    build_end(&h.build);
    assert_true(held_open(&h, NULL));
    assert_null(vocab_note(h.vocab, 0));
    assert_int_equal(vocab_specials(h.vocab)->pad, VOCAB_NONE);
    held_close(&h);
}

static void test_wanted_bos_is_absent(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    build_bpe_of(&h.build, "llama-bpe", t);
    open_noted(&h, "tokenizer.ggml.bos_token_id");
    assert_false(vocab_specials(h.vocab)->add_bos);
    EXPECT(&h, "hello", VOCAB_BOS, 259, );
    held_close(&h);
    free(t);
}

static void test_unknown_token_types(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    t->kind[259] = 7;
    t->kind[260] = -1;
    t->kind[261] = 0;
    build_bpe_of(&h.build, "gpt-2", t);
    open_noted(&h, "tokenizer.ggml.token_type[259]: expected 0 to 6, found 7; such tokens, 2 of");
    EXPECT(&h, "hello hello", 0, 259, 260, );
    expect_piece(h.vocab, 259, "hello", 5);
    assert_int_equal(vocab_kind(h.vocab, 261), VOCAB_UNUSED);
    held_close(&h);
    free(t);
}

/* Whole numbers as scores order tokens as well as others. */
static void test_integer_scores(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_spm(t);
    build_str(&h.build, "tokenizer.ggml.model", "llama");
    build_tokens(&h.build, t, false);
    build_array(&h.build, "tokenizer.ggml.scores", GGUF_I32, (uint64_t)t->n);
    for (int i = 0; i < t->n; i++) build_u32(&h.build, (uint32_t)(int32_t)t->score[i]);
    build_end(&h.build);
    assert_true(held_open(&h, NULL));
    EXPECT(&h, "hello", 0, 284, );
    EXPECT(&h, "llon", 0, 259, 282, 264, );
    held_close(&h);
    free(t);
}

/* Change every byte of a good file in a few ways: opening may fail, and must not do worse. */
static void test_mutations(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x08};
    for (int kind = 0; kind < 2; kind++) {
        struct build b = {0};
        if (kind)
            build_bpe(&b, "qwen2");
        else
            build_spm(&b);
        size_t opened = 0;
        for (size_t i = 0; i < b.bytes.len; i++) {
            uint8_t flip = flips[i % sizeof flips];
            b.bytes.data[i] = (char)(b.bytes.data[i] ^ flip);
            struct gguf *g = NULL;
            struct vocab *v = NULL;
            struct ids ids = {0};
            if (gguf_open_memory(b.bytes.data, b.bytes.len, &g, NULL) == ST_OK &&
                vocab_open(g, &v, NULL) == ST_OK) {
                opened++;
                assert_int_equal(vocab_encode(v, "<s>hello <tag>\xff 123", 18, 3, &ids, NULL),
                                 ST_OK);
            }
            ids_deinit(&ids);
            vocab_close(v);
            if (g) gguf_close(g);
            b.bytes.data[i] = (char)(b.bytes.data[i] ^ flip);
        }
        assert_true(opened > 100); /* a changed token text is legal, a changed length is not */
        buf_deinit(&b.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_padding_and_compare),
        cmocka_unit_test(test_compare_splits),
        cmocka_unit_test(test_absent_pre_is_noted),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_plain_end_is_text),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_ids_out_of_range),
        cmocka_unit_test(test_wanted_bos_is_absent),
        cmocka_unit_test(test_unknown_token_types),
        cmocka_unit_test(test_integer_scores),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
