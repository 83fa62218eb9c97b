/* Vocabularies: both tokenizers on small lists whose ids are worked out by hand, special tokens,
 * BOS rules, padding, comparing, files that are wrong, texts that are long. */
#include "test_text_build.h"
#include "text/nfc.h"

#include "text/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
static struct held open_spm(void)
{
    struct held h = {0};
    struct err err = {0};
    build_spm(&h.build);
    if (!held_open(&h, &err)) fail_msg("%s", err.message);
    return h;
}

static struct held open_bpe(const char *pre)
{
    struct held h = {0};
    struct err err = {0};
    build_bpe(&h.build, pre);
    if (!held_open(&h, &err)) fail_msg("%s", err.message);
    return h;
}

/* Encode and compare with ids ended by -1. */
static void expect(const struct held *h, const char *text, unsigned flags, const int32_t *ids)
{
    struct ids out = {0};
    struct err err = {0};
    assert_int_equal(vocab_encode(h->vocab, text, strlen(text), flags, &out, &err), ST_OK);
    size_t n = 0;
    while (ids[n] >= 0) n++;
    for (size_t i = 0; i < n && i < out.n; i++)
        if (out.id[i] != ids[i])
            fail_msg("\"%s\": token %zu: expected %d, found %d", text, i, ids[i], out.id[i]);
    if (out.n != n) fail_msg("\"%s\": expected %zu tokens, found %zu", text, n, out.n);
    ids_deinit(&out);
}
#define EXPECT(h, text, flags, ...) expect(h, text, flags, (const int32_t[]){__VA_ARGS__ - 1})

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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    strcpy(t->text[256], "gone0"); /* "he" */
    strcpy(t->text[258], "gone1"); /* "hell" */
    strcpy(t->text['q'], "gone2"); /* in no merge */
    strcpy(t->text['1'], "gone3"); /* in "12" */
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_str(&h.build, "tokenizer.ggml.pre", "gpt-2");
    build_tokens(&h.build, t, false);
    build_merges(&h.build);
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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    const int first = t->n;
    for (size_t i = 0; i < n; i++) token_add(t, marked[i].text, marked[i].kind, 0);
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_tokens(&h.build, t, false);
    build_merges(&h.build);
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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    const int first = t->n;
    token_add(t, "</s>", VOCAB_NORMAL, 0);
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_tokens(&h.build, t, false);
    build_merges(&h.build);
    build_end(&h.build);
    free(t);
    assert_true(held_open(&h, NULL));
    assert_int_equal(vocab_kind(h.vocab, first), VOCAB_NORMAL);
    EXPECT(&h, "</s>", VOCAB_SPECIAL, '<', '/', 's', '>', );
    held_close(&h);
}

static void test_longest_special_wins(void **state)
{
    (void)state;
    struct held h = {0};
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    int first = t->n;
    token_add(t, "<a>", VOCAB_CONTROL, 0);
    token_add(t, "<a><b>", VOCAB_CONTROL, 0);
    token_add(t, "b><c", VOCAB_CONTROL, 0);
    token_add(t, "<u>", VOCAB_USER_DEFINED, 0);
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_tokens(&h.build, t, false);
    build_merges(&h.build);
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

/* ---- what tokens are ----------------------------------------------------------------------- */

static void expect_piece(const struct vocab *v, int32_t id, const char *bytes, size_t n)
{
    size_t found;
    const char *piece = vocab_piece(v, id, &found);
    assert_int_equal(found, n);
    assert_memory_equal(piece, bytes, n);
}

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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
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
    expect_compared(&llama, &dbrx, ST_ARG, "tokenizer.ggml.pre"); /* whole words or not */
    expect_compared(&qwen, &distilled, ST_OK, "");                /* two names of one */
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

/* ---- the hash ------------------------------------------------------------------------------- */

enum { WORDS = 300000, WORD = 16 };

struct hashed {
    uint32_t hash;
    int32_t word;
};

static int by_hash(const void *a, const void *b)
{
    uint32_t x = ((const struct hashed *)a)->hash, y = ((const struct hashed *)b)->hash;
    return (x > y) - (x < y);
}

/* Two words whose hashes agree in all the bits that are kept. */
static void find_collision(char words[2][WORD])
{
    struct hashed *all = malloc(WORDS * sizeof *all);
    assert_non_null(all);
    for (int i = 0; i < WORDS; i++) {
        snprintf(words[0], WORD, "%07d", i);
        all[i] = (struct hashed){(uint32_t)lexicon_hash(words[0], strlen(words[0])), i};
    }
    qsort(all, WORDS, sizeof *all, by_hash);
    int i = 1;
    while (i < WORDS && all[i].hash != all[i - 1].hash) i++;
    assert_true(i < WORDS);
    snprintf(words[0], WORD, "%07d", all[i - 1].word);
    snprintf(words[1], WORD, "%07d", all[i].word);
    free(all);
}

static void test_equal_hashes(void **state)
{
    (void)state;
    char words[2][WORD];
    find_collision(words);
    struct gguf_str texts[2] = {{words[0], strlen(words[0])}, {words[1], strlen(words[1])}};
    struct lexicon lex;
    assert_int_equal(lexicon_init(&lex, texts, 2, NULL), ST_OK);
    assert_int_equal(lexicon_add(&lex, 0, NULL), ST_OK);
    assert_int_equal(lexicon_find(&lex, words[1], texts[1].n), -1);
    assert_int_equal(lexicon_add(&lex, 1, NULL), ST_OK);
    assert_int_equal(lexicon_find(&lex, words[0], texts[0].n), 0);
    assert_int_equal(lexicon_find(&lex, words[1], texts[1].n), 1);
    lexicon_deinit(&lex);
}

/* Texts made to fall into one slot are refused after a while, not walked for ever. */
static void test_crowded_slot(void **state)
{
    (void)state;
    enum { ROOM = 2048 };
    static char words[ROOM][16];
    static struct gguf_str texts[ROOM];
    struct lexicon lex;
    struct err err = {0};
    enum status st = ST_OK;
    assert_int_equal(lexicon_init(&lex, texts, ROOM, NULL), ST_OK);
    int32_t n = 0;
    for (int i = 0; st == ST_OK && n < ROOM; i++) {
        int len = snprintf(words[n], sizeof words[n], "w%d", i);
        if (lexicon_hash(words[n], (size_t)len) & lex.mask) continue;
        texts[n] = (struct gguf_str){words[n], (size_t)len};
        st = lexicon_add(&lex, n++, &err);
    }
    assert_int_equal(st, ST_FORMAT);
    assert_int_equal(n, 1025);
    lexicon_deinit(&lex);
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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);

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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_str(&h.build, "tokenizer.ggml.pre", "llama-bpe");
    build_tokens(&h.build, t, false);
    build_merges(&h.build);
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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    t->kind[259] = 7;
    t->kind[260] = -1;
    t->kind[261] = 0;
    build_str(&h.build, "tokenizer.ggml.model", "gpt2");
    build_str(&h.build, "tokenizer.ggml.pre", "gpt-2");
    build_tokens(&h.build, t, false);
    build_merges(&h.build);
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
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_plain_end_is_text),
        cmocka_unit_test(test_longest_special_wins),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_padding_and_compare),
        cmocka_unit_test(test_compare_splits),
        cmocka_unit_test(test_absent_pre_is_noted),
        cmocka_unit_test(test_equal_hashes),
        cmocka_unit_test(test_crowded_slot),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_ids_out_of_range),
        cmocka_unit_test(test_wanted_bos_is_absent),
        cmocka_unit_test(test_unknown_token_types),
        cmocka_unit_test(test_integer_scores),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
