/* A vocabulary in the manner of Gemma's: its own order of special tokens, no space before a text,
 * runs of white space and tags that are tokens before anything merges, and as many tokens. */
#include "base/clock.h"
#include "base/rng.h"
#include "test_text_expect.h"
#include "text/detok.h"

#define MARK "\xe2\x96\x81"

enum {
    PAD,
    EOS,
    BOS,
    UNK,
    MULTIMODAL = 5,
    START,
    END,
    FEEDS, /* 1 to 4 line feeds */
    SPACES = FEEDS + 4,
    TAG = SPACES + 3, /* after 2 to 4 spaces */
    STRIKE,           /* "</s>", the tag */
    BYTES,
    PIECES = BYTES + 256,
    UNUSED = PIECES + 16
};

/* In the order of their scores, so that " a" is better than "  ", and "b\n" than anything. */
static const char *const pieces[UNUSED - PIECES] = {
    "b\n", MARK "a", MARK "hello", "hello", "hell", "ll", "he", MARK,
    "a",   "b",      "h",          "e",     "l",    "o",  "<",  "\xf0\x9f\x98\x80"};

static void add_run(struct tokens *t, const char *unit, int n)
{
    char text[24] = "";
    for (int i = 0; i < n; i++) strcat(text, unit);
    token_add(t, text, VOCAB_USER_DEFINED, -1000);
}

/* `space` is what runs of spaces are written with: a space, or a mark in older files. */
static void tokens_gemma(struct tokens *t, const char *space)
{
    static const char *const control[] = {"<pad>", "<eos>", "<bos>", "<unk>", "<mask>"};
    char name[24];
    for (int i = 0; i < 5; i++) token_add(t, control[i], VOCAB_CONTROL, -1000);
    token_add(t, "[multimodal]", VOCAB_USER_DEFINED, -1000);
    token_add(t, "<start_of_turn>", VOCAB_CONTROL, -1000);
    token_add(t, "<end_of_turn>", VOCAB_CONTROL, -1000);
    for (int n = 1; n <= 4; n++) add_run(t, "\n", n);
    for (int n = 2; n <= 4; n++) add_run(t, space, n);
    token_add(t, "<h1>", VOCAB_USER_DEFINED, -1000);
    token_add(t, "</s>", VOCAB_USER_DEFINED, -1000);
    for (int i = 0; i < 256; i++) {
        snprintf(name, sizeof name, "<0x%02X>", i);
        token_add(t, name, VOCAB_BYTE, 0);
    }
    for (int i = 0; i < UNUSED - PIECES; i++) token_add(t, pieces[i], VOCAB_NORMAL, (float)-i);
    token_add(t, "<unused0>", VOCAB_CONTROL, -1000);
}

static void build_keys(struct build *b)
{
    build_str(b, "tokenizer.ggml.model", "llama");
    build_str(b, "tokenizer.ggml.pre", "default");
    build_id(b, "tokenizer.ggml.bos_token_id", BOS);
    build_id(b, "tokenizer.ggml.eos_token_id", EOS);
    build_id(b, "tokenizer.ggml.unknown_token_id", UNK);
    build_id(b, "tokenizer.ggml.padding_token_id", PAD);
    build_flag(b, "tokenizer.ggml.add_bos_token", true);
    build_flag(b, "tokenizer.ggml.add_eos_token", false);
    build_flag(b, "tokenizer.ggml.add_space_prefix", false);
}

static struct held open_built(struct held *h)
{
    struct err err = {0};
    build_end(&h->build);
    if (!held_open(h, &err)) fail_msg("%s", err.message);
    return *h;
}

static struct held open_gemma_of(const char *space)
{
    struct held h = {0};
    struct tokens *t = calloc(1, sizeof *t);
    assert_non_null(t);
    tokens_gemma(t, space);
    build_keys(&h.build);
    build_tokens(&h.build, t, true);
    free(t);
    return open_built(&h);
}

static struct held open_gemma(void)
{
    return open_gemma_of(" ");
}

static int32_t piece_id(const char *text)
{
    for (int i = 0; i < UNUSED - PIECES; i++)
        if (!strcmp(pieces[i], text)) return PIECES + i;
    fail_msg("no piece \"%s\"", text);
    return -1;
}

/* ---- ids ----------------------------------------------------------------------------------- */

static void test_no_space_before_a_text(void **state)
{
    (void)state;
    struct held h = open_gemma();
    assert_false(vocab_specials(h.vocab)->space_prefix);
    EXPECT(&h, "hello", 0, piece_id("hello"), );
    EXPECT(&h, " hello", 0, piece_id(MARK "hello"), );
    EXPECT(&h, "hello", VOCAB_BOS | VOCAB_EOS, BOS, piece_id("hello"), );
    EXPECT(&h, "<start_of_turn>hello<end_of_turn>\n", VOCAB_SPECIAL, START, piece_id("hello"), END,
           FEEDS, );
    EXPECT(&h, "<bos>hello", VOCAB_BOS | VOCAB_SPECIAL, BOS, piece_id("hello"), );
    EXPECT(&h, "<end_of_turn>", 0, piece_id("<"), piece_id("e"), BYTES + 'n', BYTES + 'd',
           BYTES + '_', piece_id("o"), BYTES + 'f', BYTES + '_', BYTES + 't', BYTES + 'u',
           BYTES + 'r', BYTES + 'n', BYTES + '>', );
    held_close(&h);
}

/* What is user-defined is found first, the longest run first, however well its parts would merge
 * with what is beside them. */
static void test_runs_before_merges(void **state)
{
    (void)state;
    for (int old = 0; old < 2; old++) {
        struct held h = open_gemma_of(old ? MARK : " ");
        const int32_t a = piece_id("a"), b = piece_id("b"), space_a = piece_id(MARK "a");
        EXPECT(&h, "a a", 0, a, space_a, );
        EXPECT(&h, "a  a", 0, a, SPACES, a, );
        EXPECT(&h, "a    a", 0, a, SPACES + 2, a, );
        EXPECT(&h, "a     a", 0, a, SPACES + 2, space_a, );
        EXPECT(&h, "a      a", 0, a, SPACES + 2, SPACES, a, );
        EXPECT(&h, "b\n", 0, b, FEEDS, );
        EXPECT(&h, "b\n\n\n\n\n\nb", 0, b, FEEDS + 3, FEEDS + 1, b, );
        EXPECT(&h, "<h1>a</s> ", 0, TAG, a, STRIKE, piece_id(MARK), );
        EXPECT(&h, "[multimodal]", 0, MULTIMODAL, );
        held_close(&h);
    }
}

/* A tab and an accent are no pieces here; an emoji is one. */
static void test_bytes_for_the_rest(void **state)
{
    (void)state;
    struct held h = open_gemma();
    EXPECT(&h, "\ta", 0, BYTES + '\t', piece_id("a"), );
    EXPECT(&h, "\xc3\xa9", 0, BYTES + 0xc3, BYTES + 0xa9, );
    EXPECT(&h, "\xf0\x9f\x98\x80", 0, piece_id("\xf0\x9f\x98\x80"), );
    EXPECT(&h, "\xf0\x9f\x98 a", 0, BYTES + 0xf0, BYTES + 0x9f, BYTES + 0x98, piece_id(MARK "a"), );
    held_close(&h);
}

/* ---- ends and output ----------------------------------------------------------------------- */

static void test_two_tokens_end(void **state)
{
    (void)state;
    struct held h = open_gemma();
    const struct vocab_specials *s = vocab_specials(h.vocab);
    for (int32_t id = -1; id <= vocab_size(h.vocab); id++)
        if (vocab_is_eog(h.vocab, id) != (id == EOS || id == END))
            fail_msg("token %d ends a text: %d", id, vocab_is_eog(h.vocab, id));
    assert_int_equal(s->eos, EOS);
    assert_int_equal(s->eot, END);
    assert_int_equal(vocab_kind(h.vocab, STRIKE), VOCAB_USER_DEFINED);
    assert_int_equal(vocab_real_size(h.vocab), UNUSED + 1);
    assert_null(vocab_note(h.vocab, 0));
    held_close(&h);
}

static void test_control_prints_nothing(void **state)
{
    (void)state;
    struct held h = open_gemma();
    struct buf out = {0};
    for (int32_t id = 0; id < vocab_size(h.vocab); id++) {
        const bool control = vocab_kind(h.vocab, id) == VOCAB_CONTROL;
        buf_clear(&out);
        assert_int_equal(detok_all(h.vocab, &id, 1, DETOK_START, &out), ST_OK);
        if (control != !out.len) fail_msg("token %d: %zu bytes", id, out.len);
    }
    const int32_t ids[] = {BOS, START, piece_id("hello"), SPACES + 1, END, FEEDS, EOS};
    buf_clear(&out);
    assert_int_equal(detok_all(h.vocab, ids, sizeof ids / sizeof *ids, DETOK_START, &out), ST_OK);
    assert_int_equal(out.len, 9);
    assert_memory_equal(out.data, "hello   \n", 9);
    buf_deinit(&out);
    held_close(&h);
}

static void expect_back(const struct vocab *v, const char *text, size_t n, unsigned flags)
{
    struct ids ids = {0};
    struct buf back = {0};
    assert_int_equal(vocab_encode(v, text, n, flags, &ids, NULL), ST_OK);
    assert_int_equal(detok_all(v, ids.id, ids.n, DETOK_START | DETOK_SPECIAL, &back), ST_OK);
    assert_int_equal(back.len, n);
    if (n) assert_memory_equal(back.data, text, n);
    ids_deinit(&ids);
    buf_deinit(&back);
}

/* Runs, tags, halves of both, characters, and bytes that are none: all come back. */
static void test_there_and_back(void **state)
{
    (void)state;
    static const char *const parts[] = {
        " ",    "  ",       "     ",           "\n", "\n\n\n\n\n", "\t",        "<h1>", "</s>",
        "</",   "s>",       "hello",           "a",  "<eos>",      "<unused0>", "\xe2", "\x96",
        "\xff", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    uint64_t seed = 11;
    for (int old = 0; old < 2; old++) {
        struct held h = open_gemma_of(old ? MARK : " ");
        for (int round = 0; round < 4000; round++) {
            char text[256] = "";
            for (uint64_t k = rng_bits(&seed) % 20; k; k--)
                strcat(text, parts[rng_bits(&seed) % (sizeof parts / sizeof *parts)]);
            expect_back(h.vocab, text, strlen(text), round % 2 ? VOCAB_SPECIAL : 0);
        }
        held_close(&h);
    }
}

/* ---- size ---------------------------------------------------------------------------------- */

enum { MANY = 262144, LAST = 6242 }; /* tokens; of them control tokens at the end */

static int name_of(char *name, size_t cap, int i)
{
    return i < MANY - LAST ? snprintf(name, cap, MARK "w%d", i)
                           : snprintf(name, cap, "<unused%d>", i - (MANY - LAST));
}

static void build_many(struct build *b)
{
    char name[24];
    build_keys(b);
    build_array(b, "tokenizer.ggml.tokens", GGUF_STRING, MANY);
    for (int i = 0; i < MANY; i++) build_text(b, name, (size_t)name_of(name, sizeof name, i));
    build_array(b, "tokenizer.ggml.scores", GGUF_F32, MANY);
    for (int i = 0; i < MANY; i++) build_raw(b, &(float){(float)-i}, 4);
    build_array(b, "tokenizer.ggml.token_type", GGUF_I32, MANY);
    for (int i = 0; i < MANY; i++)
        build_raw(b, &(int32_t){i < MANY - LAST ? VOCAB_NORMAL : VOCAB_CONTROL}, 4);
}

/* It takes some 30 ms; a second leaves room for sanitizers and says when work has become more than
 * proportional to the tokens. */
static void test_many_tokens(void **state)
{
    (void)state;
    struct held h = {0};
    char name[24];
    build_many(&h.build);
    const double start = clock_seconds();
    open_built(&h);
    const double seconds = clock_seconds() - start;
    if (seconds > 1) fail_msg("%d tokens took %.2f s", MANY, seconds);
    assert_int_equal(vocab_size(h.vocab), MANY);
    assert_int_equal(vocab_real_size(h.vocab), MANY);
    for (int i = 0; i < MANY; i += 997)
        assert_int_equal(vocab_find(h.vocab, name, (size_t)name_of(name, sizeof name, i)), i);
    EXPECT(&h, "<unused0><unused6241>", VOCAB_SPECIAL, MANY - LAST, MANY - 1, );
    held_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_space_before_a_text),
        cmocka_unit_test(test_runs_before_merges),
        cmocka_unit_test(test_bytes_for_the_rest),
        cmocka_unit_test(test_two_tokens_end),
        cmocka_unit_test(test_control_prints_nothing),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_many_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
