/* Vocabularies: both tokenizers on small lists whose ids are worked out by hand, special tokens,
 * BOS rules, texts that are long or no texts. */
#include "base/clock.h"
#include "base/rng.h"
#include "test_text_expect.h"
#include "text/nfc.h"

/* ---- SentencePiece ------------------------------------------------------------------------ */

static void test_spm_merges(void **state)
{
    (void)state;
    struct held h = open_spm();
    EXPECT(&h, "hello", 0, 284, );
    EXPECT(&h, "", 0, );
    EXPECT(&h, "the", 0, 274, );         /* "he" and mark-t first, then both */
    EXPECT(&h, " hello", 0, 270, 276, ); /* two marks before a mark and "he": "hello" stays alone */
    EXPECT(&h, "llon", 0, 259, 282, 264, ); /* "ll" before "lo", then "llo" before "on" */
    EXPECT(&h, "\xc3\xa9", 0, 259, 269, );
    held_close(&h);
}

static void test_spm_bytes(void **state)
{
    (void)state;
    struct held h = open_spm();
    EXPECT(&h, "z", 0, 259, 3 + 'z', );
    EXPECT(&h, "\xe2\x82\xac", 0, 259, 3 + 0xe2, 3 + 0x82, 3 + 0xac, );
    /* Bytes that are no character stand alone and leave what follows in peace. */
    EXPECT(&h, "\xf0hello", 0, 259, 3 + 0xf0, 276, );
    EXPECT(&h, "\xe2 a", 0, 259, 3 + 0xe2, 277, );
    held_close(&h);
}

static void test_spm_specials(void **state)
{
    (void)state;
    struct held h = open_spm();
    const struct vocab_specials *s = vocab_specials(h.vocab);
    assert_int_equal(s->bos, 1);
    assert_int_equal(s->eos, 2);
    assert_int_equal(s->unk, 0);
    assert_true(s->add_bos && !s->add_eos && s->space_prefix);
    EXPECT(&h, "hello", VOCAB_BOS, 1, 284, );
    EXPECT(&h, "", VOCAB_BOS, 1, );
    /* A space stands before a text, and again behind each special token. */
    EXPECT(&h, "<|user|>hello</s>", VOCAB_SPECIAL, SPM_USER, 284, 2, );
    EXPECT(&h, "hello<tag>hello", 0, 284, SPM_TAG, 284, );
    struct ids plain = {0};
    assert_int_equal(vocab_encode(h.vocab, "</s>", 4, 0, &plain, NULL), ST_OK);
    for (size_t i = 0; i < plain.n; i++) assert_int_not_equal(plain.id[i], 2);
    ids_deinit(&plain);
    assert_true(vocab_is_eog(h.vocab, 2));
    assert_false(vocab_is_eog(h.vocab, 1));
    held_close(&h);
}

/* A file may want both ends marked; a text to be continued is asked for without its end. */
static void test_spm_both_ends(void **state)
{
    (void)state;
    struct held h = {0};
    build_spm(&h.build);
    build_flag(&h.build, "tokenizer.ggml.add_eos_token", true);
    build_end(&h.build);
    assert_true(held_open(&h, NULL));
    assert_true(vocab_specials(h.vocab)->add_eos);
    EXPECT(&h, "hello", VOCAB_BOS, 1, 284, );
    EXPECT(&h, "hello", VOCAB_EOS, 284, 2, );
    EXPECT(&h, "hello", VOCAB_BOS | VOCAB_EOS, 1, 284, 2, );
    held_close(&h);
    h = open_spm(); /* the rule is the file's: this one wants no end */
    EXPECT(&h, "hello", VOCAB_BOS | VOCAB_EOS, 1, 284, );
    held_close(&h);
}

/* A text that brings its ends gets no second ones, where they are read as tokens at all. */
static void test_one_bos(void **state)
{
    (void)state;
    const unsigned all = VOCAB_BOS | VOCAB_SPECIAL | VOCAB_EOS;
    struct held h = {0};
    build_spm(&h.build);
    build_flag(&h.build, "tokenizer.ggml.add_eos_token", true);
    build_end(&h.build);
    assert_true(held_open(&h, NULL));
    EXPECT(&h, "<s>hello", all, 1, 284, 2, );
    EXPECT(&h, "<s>hello</s>", all, 1, 284, 2, );
    EXPECT(&h, "<s><s>", all, 1, 1, 2, ); /* two were written */
    EXPECT(&h, "<s>", VOCAB_SPECIAL, 1, );
    EXPECT(&h, "hello<s>", all, 1, 284, 1, 2, );
    assert_true(vocab_brings_bos(h.vocab, "<s>hello", 8, all));
    assert_false(vocab_brings_bos(h.vocab, " <s>hello", 9, all));
    assert_false(vocab_brings_bos(h.vocab, "<s>hello", 8, VOCAB_BOS)); /* plain text here */
    assert_false(vocab_brings_bos(h.vocab, "<s>hello", 8, VOCAB_SPECIAL));
    assert_false(vocab_brings_bos(h.vocab, "", 0, all));
    held_close(&h);
    h = open_bpe("qwen2"); /* adds none, so a BOS in the text is nothing to speak of */
    assert_false(vocab_brings_bos(h.vocab, "<|im_start|>", 12, all));
    EXPECT(&h, "<|im_start|>hello", all, BPE_START, 259, );
    held_close(&h);
}

/* ---- byte-level BPE ------------------------------------------------------------------------ */

static void test_bpe_merges(void **state)
{
    (void)state;
    struct held h = open_bpe("gpt-2");
    EXPECT(&h, "hello", 0, 259, );
    EXPECT(&h, " hello", 0, 260, );
    EXPECT(&h, "hellohell", 0, 259, 258, );
    EXPECT(&h, "  hello", 0, ' ', 260, );
    EXPECT(&h, "123", 0, 263, );
    EXPECT(&h, "1234", 0, 263, '4', );
    EXPECT(&h, "a's", 0, 'a', 266, );
    EXPECT(&h, "\xe3\x81", 0, 269, ); /* half a character still merges its bytes */
    EXPECT(&h, "\n\n", 0, 265, );
    EXPECT(&h, "!!!", 0, 270, '!', );
    EXPECT(&h, "xyz", 0, 'x', 271, ); /* the earlier merge, though it is the right one */
    EXPECT(&h, "xyxyz", 0, 272, 'x', 271, );
    EXPECT(&h, "qqq", 0, 'q', 'q', 'q', );
    held_close(&h);
}

static void test_bpe_pretokenizers(void **state)
{
    (void)state;
    struct held gpt2 = open_bpe("gpt-2"), qwen = open_bpe("qwen2"), llama = open_bpe("llama-bpe"),
                star = open_bpe("starcoder");
    EXPECT(&gpt2, "1212", 0, 262, 262, );
    EXPECT(&qwen, "123", 0, '1', '2', '3', ); /* digits alone */
    EXPECT(&star, "123", 0, '1', '2', '3', );
    EXPECT(&llama, "3123", 0, '3', 262, '3', ); /* three at a time: 312 | 3 */
    EXPECT(&llama, "1231", 0, 263, '1', );
    EXPECT(&llama, "qqq", 0, BPE_WHOLE, ); /* whole words before merges */
    EXPECT(&llama, "qqqq", 0, 'q', 'q', 'q', 'q', );
    EXPECT(&gpt2, "A'S", 0, 'A', '\'', 'S', );
    assert_string_equal(vocab_pre(llama.vocab), "llama-bpe");
    assert_string_equal(vocab_model(llama.vocab), "gpt2");
    held_close(&gpt2);
    held_close(&qwen);
    held_close(&llama);
    held_close(&star);
}

/* A vocabulary that lost tokens on the way to others: merges pass through what is no token. */
static void test_bpe_pruned(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    strcpy(t->text[256], "gone0"); /* "he" */
    strcpy(t->text[258], "gone1"); /* "hell" */
    strcpy(t->text['q'], "gone2"); /* in no merge */
    strcpy(t->text['1'], "gone3"); /* in "12" */
    build_bpe_of(&h.build, "gpt-2", t);
    build_end(&h.build);
    free(t);
    assert_true(held_open(&h, NULL));
    EXPECT(&h, "hello", 0, 259, );
    EXPECT(&h, " hello", 0, 260, );
    EXPECT(&h, "hell", 0, 'h', 'e', 'l', 'l', ); /* ends at no token: its bytes */
    EXPECT(&h, "heallo", 0, 'h', 'e', 'a', 257, 'o', );
    EXPECT(&h, "123", 0, 263, );
    EXPECT(&h, "q1", 0, ); /* no token for either */
    held_close(&h);
}

/* Qwen's tokenizer composes; the text between special tokens, each piece by itself. */
static void test_bpe_composes(void **state)
{
    (void)state;
    struct held qwen = open_bpe("qwen2"), gpt2 = open_bpe("gpt-2");
    EXPECT(&qwen, "e\xcc\x81", 0, 0xc3, 0xa9, );
    EXPECT(&qwen, "e<tag>\xcc\x81", 0, 'e', BPE_TAG, 0xcc, 0x81, );
    EXPECT(&gpt2, "e\xcc\x81", 0, 'e', 0xcc, 0x81, );
    held_close(&qwen);
    held_close(&gpt2);
}

static void test_bpe_specials(void **state)
{
    (void)state;
    struct held llama = open_bpe("llama-bpe"), qwen = open_bpe("qwen2");
    EXPECT(&llama, "hello", VOCAB_BOS, BPE_START, 259, ); /* the name implies BOS */
    EXPECT(&qwen, "hello", VOCAB_BOS, 259, );
    EXPECT(&qwen, "<|im_start|>hello<|im_end|>\n\n", VOCAB_SPECIAL, BPE_START, 259, BPE_END, 265, );
    EXPECT(&qwen, "hello<tag>hello", 0, 259, BPE_TAG, 259, );
    EXPECT(&qwen, "<|im_end|>", 0, '<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|', '>', );
    EXPECT(&qwen, "<<tag>>", 0, '<', BPE_TAG, '>', );
    assert_int_equal(vocab_specials(qwen.vocab)->eot, BPE_END);
    assert_int_equal(vocab_specials(qwen.vocab)->unk, VOCAB_NONE);
    assert_true(vocab_is_eog(qwen.vocab, BPE_END));
    assert_false(vocab_is_eog(qwen.vocab, -1));
    assert_false(vocab_is_eog(qwen.vocab, BPE_SIZE));
    held_close(&llama);
    held_close(&qwen);
}

static void test_longest_special_wins(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = tokens_bpe_new();
    int first = t->n;
    token_add(t, "<a>", VOCAB_CONTROL, 0);
    token_add(t, "<a><b>", VOCAB_CONTROL, 0);
    token_add(t, "b><c", VOCAB_CONTROL, 0);
    token_add(t, "<u>", VOCAB_USER_DEFINED, 0);
    build_bpe_of(&h.build, NULL, t);
    build_end(&h.build);
    free(t);
    assert_true(held_open(&h, NULL));
    EXPECT(&h, "<a><b><c>", VOCAB_SPECIAL, first + 1, '<', 'c', '>', );
    EXPECT(&h, "<a><<b><c>", VOCAB_SPECIAL, first, '<', '<', first + 2, '>', );
    EXPECT(&h, "<a><u>", VOCAB_SPECIAL, first, first + 3, );
    EXPECT(&h, "<a><u>", 0, '<', 'a', '>', first + 3, ); /* of one length, and only one is plain */
    EXPECT(&h, "<a><a><b><a>", VOCAB_SPECIAL, first, first + 1, first, );
    held_close(&h);
}

/* ---- texts --------------------------------------------------------------------------------- */

static void encode_long(const struct vocab *v, const char *text, size_t n)
{
    struct ids ids = {0};
    struct err err = {0};
    const double start = clock_seconds();
    if (vocab_encode(v, text, n, VOCAB_SPECIAL, &ids, &err) != ST_OK) fail_msg("%s", err.message);
    /* Quadratic work on a million bytes would take minutes; sanitizers cost a factor of ten. */
    const double seconds = clock_seconds() - start;
    if (seconds > 30) fail_msg("%zu bytes took %.1f s", n, seconds);
    assert_true(ids.n > 0);
    ids_deinit(&ids);
}

static void test_long_texts(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    static const char *const pres[] = {NULL,          "gpt-2",  "qwen2",      "deepseek-llm",
                                       "deepseek-v3", "gpt-4o", "exaone-moe", "kimi-k2",
                                       "tiny_aya",    "jais-2", "bloom"};
    static const char *const units[] = {
        "a", " ", "hello", "1", "\n", "<", "\xe3\x81\x82", "\xff", " \t", "A", "\xcc\x81\xcc\x96",
        "a "};
    char *text = malloc(N);
    assert_non_null(text);
    for (size_t p = 0; p < sizeof pres / sizeof *pres + 1; p++) {
        struct held h = p ? open_bpe(pres[p - 1]) : open_spm();
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            size_t len = strlen(units[u]), n = (u ? N / 4 : N) / len * len;
            for (size_t i = 0; i < n; i += len) memcpy(text + i, units[u], len);
            encode_long(h.vocab, text, n);
            text[n - 1] = '2'; /* a run that does not reach the end */
            encode_long(h.vocab, text, n);
        }
        held_close(&h);
    }
    free(text);
}

static void test_too_long(void **state)
{
    (void)state;
    struct held h = open_bpe(NULL);
    struct ids ids = {0};
    struct err err = {0};
    assert_int_equal(ids_add(&ids, 7), ST_OK);
    assert_int_equal(vocab_encode(h.vocab, "", (size_t)VOCAB_TEXT_MAX + 1, 0, &ids, &err), ST_ARG);
    assert_int_equal(ids.n, 1);
    ids_deinit(&ids);
    held_close(&h);
}

static void test_random_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"default", "gpt-2",        "qwen2",       "llama-bpe",
                                        "falcon",  "deepseek-llm", "deepseek-v3", "tekken",
                                        "gpt-4o",  "smollm",       "qwen35",      "deepseek-coder"};
    uint64_t seed = 1;
    for (size_t p = 0; p < sizeof names / sizeof *names; p++) {
        struct held h = open_bpe(names[p]);
        for (int round = 0; round < 300; round++) {
            char text[64], back[64];
            size_t n = rng_bits(&seed) % sizeof text, at = 0;
            for (size_t i = 0; i < n; i++)
                text[i] = rng_bits(&seed) % 3 ? (char)rng_bits(&seed) : "he l1'\n"[i % 7];
            struct ids ids = {0};
            assert_int_equal(vocab_encode(h.vocab, text, n, 0, &ids, NULL), ST_OK);
            for (size_t i = 0; i < ids.n; i++) {
                size_t len;
                const char *piece = vocab_piece(h.vocab, ids.id[i], &len);
                assert_true(at + len <= n);
                memcpy(back + at, piece, len);
                at += len;
            }
            const char *taken = text;
            struct nfc nfc = {0};
            if (!strncmp(names[p], "qwen", 4)) /* which take texts composed */
                assert_int_equal(nfc_compose(&nfc, text, n, &taken, &n), ST_OK);
            assert_int_equal(at, n);
            assert_memory_equal(back, taken, n);
            nfc_deinit(&nfc);
            ids_deinit(&ids);
        }
        held_close(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spm_merges),
        cmocka_unit_test(test_spm_bytes),
        cmocka_unit_test(test_spm_specials),
        cmocka_unit_test(test_spm_both_ends),
        cmocka_unit_test(test_one_bos),
        cmocka_unit_test(test_bpe_merges),
        cmocka_unit_test(test_bpe_pretokenizers),
        cmocka_unit_test(test_bpe_pruned),
        cmocka_unit_test(test_bpe_composes),
        cmocka_unit_test(test_bpe_specials),
        cmocka_unit_test(test_longest_special_wins),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
