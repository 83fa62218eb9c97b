/*
 * The text room without memory: every allocation of opening a vocabulary, encoding and comparing
 * fails once, and nothing crashes, leaks or gives a wrong answer.
 */
#include "heap.h"
#include "test_text_build.h"

#include "text/detok.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char text[] = "hello <tag>e\xcc\x81\xcc\x96 \xff<|im_end|> 123 hello";

static enum status encode_all(const struct vocab *v, struct ids *ids, struct err *err)
{
    int32_t same;
    TRY(vocab_encode(v, text, sizeof text - 1, VOCAB_BOS | VOCAB_SPECIAL | VOCAB_EOS, ids, err));
    return vocab_compare(v, v, &same, err);
}

/* Open and encode with the nth allocation failing (0: none); the number of tokens, or -1 without
 * memory. */
static int try_nth(const struct gguf *g, int nth)
{
    struct vocab *v = NULL;
    struct ids ids = {0};
    struct err err = {0};
    const int held = atomic_load(&heap_held);
    heap_fail_at(nth, false);
    enum status st = vocab_open(g, &v, &err);
    if (st == ST_OK) st = encode_all(v, &ids, &err);
    (void)heap_failed();
    const int n = st == ST_OK ? (int)ids.n : -1;
    ids_deinit(&ids);
    vocab_close(v);
    const int left = atomic_load(&heap_held) - held;
    if (left) fail_msg("allocation %d: %d blocks are left", nth, left);
    if (st == ST_MEMORY && !err.message[0]) fail_msg("allocation %d: no message", nth);
    if (st != ST_OK && st != ST_MEMORY) fail_msg("allocation %d: %s", nth, err.message);
    return n;
}

static void sweep(struct build *b)
{
    struct gguf *g;
    assert_int_equal(gguf_open_memory(b->bytes.data, b->bytes.len, &g, NULL), ST_OK);
    struct vocab *once = NULL; /* PCRE2 allocates a little once and keeps it */
    assert_int_equal(vocab_open(g, &once, NULL), ST_OK);
    vocab_close(once);
    const int whole = try_nth(g, 0);
    assert_true(whole > 0);
    int nth = 1, failed = 0;
    /* A failure may pass unseen where there is a second way, but never changes the tokens; many in
     * a row pass only when there are no more allocations. */
    for (int passed = 0; passed < 50; nth++) {
        const int n = try_nth(g, nth);
        if (n >= 0) assert_int_equal(n, whole);
        passed = n >= 0 ? passed + 1 : 0;
        failed += n < 0;
    }
    assert_true(failed >= 8);
    gguf_close(g);
    buf_deinit(&b->bytes);
}

static void test_spm(void **state)
{
    (void)state;
    struct build b = {0};
    build_spm(&b);
    sweep(&b);
}

static void test_bpe(void **state)
{
    (void)state;
    struct build b = {0};
    build_bpe(&b, "qwen2");
    sweep(&b);
}

/* With notes to keep and texts that are no tokens to number. */
static void test_bpe_with_slips(void **state)
{
    (void)state;
    struct build b = {0};
    struct tokens *t = tokens_bpe_new();
    strcpy(t->text[256], "gone0");
    strcpy(t->text[258], "gone1");
    t->kind[5] = 9;
    build_bpe_of(&b, NULL, t);
    build_id(&b, "tokenizer.ggml.eos_token_id", 1 << 20);
    build_flag(&b, "tokenizer.ggml.add_bos_token", true);
    build_end(&b);
    free(t);
    sweep(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spm),
        cmocka_unit_test(test_bpe),
        cmocka_unit_test(test_bpe_with_slips),
    };
    if (!HEAP_SEEN) return heap_skipped();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
