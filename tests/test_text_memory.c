/*
 * The text room without memory: every allocation of opening a vocabulary, encoding and comparing
 * fails once, and nothing crashes, leaks or gives a wrong answer. The program stands in front of
 * malloc; under a sanitizer, and where the C library is not glibc, it cannot.
 */
#include "test_text_build.h"

#include "text/detok.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define FAILING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define FAILING 0
#endif
#endif
#ifndef FAILING
#define FAILING 1
#endif

#if FAILING

/* The allocation that fails, counted down; below 0 none does. `held` counts what is not freed yet
 * while `watching`. */
static int countdown = -1, held_blocks;
static bool watching;

#define SEEN __attribute__((visibility("default")))

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static bool fails(void)
{
    return watching && countdown >= 0 && countdown-- == 0;
}

SEEN void *malloc(size_t n)
{
    if (fails()) return NULL;
    held_blocks += watching;
    return __libc_malloc(n);
}

SEEN void *calloc(size_t n, size_t size)
{
    if (fails()) return NULL;
    held_blocks += watching;
    return __libc_calloc(n, size);
}

SEEN void *realloc(void *p, size_t n)
{
    if (fails()) return NULL;
    held_blocks += watching && !p;
    return __libc_realloc(p, n);
}

SEEN void free(void *p)
{
    held_blocks -= watching && p;
    __libc_free(p);
}

static const char text[] = "hello <tag>e\xcc\x81\xcc\x96 \xff<|im_end|> 123 hello";

static enum status encode_all(const struct vocab *v, struct ids *ids, struct err *err)
{
    int32_t same;
    TRY(vocab_encode(v, text, sizeof text - 1, VOCAB_BOS | VOCAB_SPECIAL | VOCAB_EOS, ids, err));
    return vocab_compare(v, v, &same, err);
}

/* Open and encode with the nth allocation failing; the number of tokens, or -1 without memory. */
static int try_nth(const struct gguf *g, int nth)
{
    struct vocab *v = NULL;
    struct ids ids = {0};
    struct err err = {0};
    held_blocks = 0;
    countdown = nth;
    watching = true;
    enum status st = vocab_open(g, &v, &err);
    if (st == ST_OK) st = encode_all(v, &ids, &err);
    countdown = -1;
    const int n = st == ST_OK ? (int)ids.n : -1;
    ids_deinit(&ids);
    vocab_close(v);
    watching = false;
    if (held_blocks) fail_msg("allocation %d: %d blocks are left", nth, held_blocks);
    if (st == ST_MEMORY && !err.message[0]) fail_msg("allocation %d: no message", nth);
    if (st != ST_OK && st != ST_MEMORY) fail_msg("allocation %d: %s", nth, err.message);
    return n;
}

static void sweep(struct build *b)
{
    struct gguf *g;
    assert_int_equal(gguf_open_memory(b->bytes.data, b->bytes.len, &g, NULL), ST_OK);
    const int whole = try_nth(g, -1);
    assert_true(whole > 0);
    int nth = 0, failed = 0;
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
    struct tokens *t = malloc(sizeof *t);
    assert_non_null(t);
    tokens_bpe(t);
    strcpy(t->text[256], "gone0");
    strcpy(t->text[258], "gone1");
    t->kind[5] = 9;
    build_str(&b, "tokenizer.ggml.model", "gpt2");
    build_tokens(&b, t, false);
    build_merges(&b);
    build_id(&b, "tokenizer.ggml.eos_token_id", 1 << 20);
    build_flag(&b, "tokenizer.ggml.add_bos_token", true);
    build_end(&b);
    free(t);
    sweep(&b);
}

#else

static void test_spm(void **state)
{
    (void)state;
    skip();
}
#define test_bpe            test_spm
#define test_bpe_with_slips test_spm

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spm),
        cmocka_unit_test(test_bpe),
        cmocka_unit_test(test_bpe_with_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
