/* A cache smaller than all texts at their longest: what they share counts once, what is promised to
 * a text is there for it, and where there is no room nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tiny.h"

#include <string.h>

enum { N_CTX = 96, TEXTS = 8, PROMPT = 70, MORE = 20, PAGE = 16 };

static struct {
    ead_model *models[EAD_WRITERS];
    int32_t ids[N_CTX];
    ead_token alone[MORE]; /* what follows the prompt */
} pair;

static void check(ead_status st, const ead_error *error)
{
    if (st) fail_msg("%s", error->message);
}

static ead_duo_options options(int cache_tokens)
{
    ead_duo_options o = ead_duo_defaults();
    o.policy.tau = 3;
    o.policy.window = 2;
    o.policy.dwell = 2;
    o.threads = 1;
    o.n_ctx = N_CTX;
    o.max_rows = 64;
    o.cache_tokens = cache_tokens;
    o.ignore_end = true;
    return o;
}

static ead_batch *open_batch(int cache_tokens, bool eager)
{
    ead_duo_options o = options(cache_tokens);
    ead_batch *batch;
    ead_error error;
    o.eager_prompt = eager;
    check(ead_batch_open(pair.models[EAD_LARGE], pair.models[EAD_SMALL], &o, TEXTS, &batch, &error),
          &error);
    return batch;
}

static void append(ead_duo *duo, const int32_t *ids, size_t n)
{
    ead_error error;
    check(ead_duo_append(duo, ids, n, &error), &error);
}

static void same(const ead_token *a, const ead_token *b)
{
    assert_memory_equal(a, b, offsetof(ead_token, seconds));
}

static int open_pair(void **state)
{
    (void)state;
    struct tiny_spec specs[] = {
        [EAD_SMALL] = tiny_spec("qwen2", QT_F32), [EAD_LARGE] = tiny_spec("llama", QT_Q8_0)};
    specs[EAD_LARGE].n_layer = 3;
    specs[EAD_LARGE].seed = 2;
    for (int w = 0; w < EAD_WRITERS; w++) {
        specs[w].n_ctx = N_CTX;
        specs[w].gain = 3;
        struct tiny *file = tiny_model(&specs[w]);
        pair.models[w] = tiny_open_public(file);
        tiny_free(file);
    }
    tiny_text(&specs[0], 5, pair.ids, N_CTX);
    ead_error error;
    ead_batch *batch = open_batch(0, false);
    ead_duo *duo = ead_batch_duo(batch, 0);
    append(duo, pair.ids, PROMPT);
    for (int i = 0; i < MORE; i++) check(ead_duo_step(duo, &pair.alone[i], &error), &error);
    assert_true(ead_duo_summarise(duo).switches > 0); /* both models read all of it */
    ead_batch_close(batch);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    for (int w = 0; w < EAD_WRITERS; w++) ead_model_close(pair.models[w]);
    return 0;
}

/* Every text goes on from one prompt, in a cache with room for the prompt once. */
static void test_a_prefix_counts_once(void **state)
{
    (void)state;
    /* All but the last position of the prompt are read, so four pages are full; then come a copy of
     * the fifth, and a sixth. */
    ead_batch *batch = open_batch((4 + 2 * TEXTS) * PAGE, true);
    ead_event events[TEXTS];
    ead_error error;
    bool active[TEXTS];
    int n, written[TEXTS] = {0}, left = TEXTS;
    append(ead_batch_duo(batch, 0), pair.ids, PROMPT);
    check(ead_duo_read(ead_batch_duo(batch, 0), &error), &error);
    for (int i = 0; i < TEXTS; i++) {
        ead_duo *duo = ead_batch_duo(batch, i);
        if (i) check(ead_duo_copy(duo, ead_batch_duo(batch, 0), PROMPT, &error), &error);
        active[i] = true;
    }
    while (left) {
        check(ead_batch_step(batch, active, events, &n, &error), &error);
        for (int e = 0; e < n; e++) {
            const int i = events[e].text;
            same(&events[e].token, &pair.alone[written[i]]);
            active[i] = ++written[i] < MORE;
            left -= !active[i];
        }
    }
    ead_batch_close(batch);
}

/* A pass without room fails and changes nothing; when another text has gone, the text goes on as if
 * nothing had been. */
static void test_a_full_cache_is_told(void **state)
{
    (void)state;
    ead_batch *batch = open_batch(6 * PAGE, false);
    ead_duo *first = ead_batch_duo(batch, 0), *second = ead_batch_duo(batch, 1);
    ead_error error;
    ead_event events[TEXTS];
    ead_token token;
    const bool active[TEXTS] = {false, true};
    int n = -1;
    append(first, pair.ids, 3 * PAGE);
    check(ead_duo_step(first, &token, &error), &error);
    append(second, pair.ids, PROMPT);
    const size_t memory = ead_duo_memory(second);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ead_batch_step(batch, active, events, &n, &error), EAD_MEMORY);
        assert_int_equal(n, 0);
        assert_non_null(strstr(error.message, "the cache of 96 tokens has no room for 64 rows: 3 "
                                              "pages of 16 tokens are free"));
        assert_int_equal(ead_duo_step(second, &token, &error), EAD_MEMORY);
    }
    assert_int_equal(ead_duo_memory(second), memory);
    ead_duo_reset(first);
    for (int i = 0; i < MORE; i++) {
        check(ead_duo_step(second, &token, &error), &error);
        same(&token, &pair.alone[i]);
    }
    ead_batch_close(batch);
}

static void test_a_promise_is_kept(void **state)
{
    (void)state;
    ead_batch *batch = open_batch(8 * PAGE, false);
    ead_duo *first = ead_batch_duo(batch, 0), *second = ead_batch_duo(batch, 1);
    ead_error error;
    ead_token token;
    check(ead_duo_reserve(first, PROMPT + MORE, &error), &error); /* 6 pages */
    assert_int_equal(ead_duo_reserve(second, 2 * PAGE + 1, &error), EAD_MEMORY);
    assert_non_null(strstr(error.message, "the cache of 128 tokens cannot promise room for 33"));
    check(ead_duo_reserve(second, 2 * PAGE, &error), &error);
    append(second, pair.ids, 2 * PAGE + 1);
    assert_int_equal(ead_duo_step(second, &token, &error), EAD_MEMORY);
    append(first, pair.ids, PROMPT);
    for (int i = 0; i < MORE; i++) {
        check(ead_duo_step(first, &token, &error), &error);
        same(&token, &pair.alone[i]);
        assert_int_equal(ead_duo_reserve(second, 3 * PAGE, &error), EAD_MEMORY);
    }
    /* What it holds is its own; what it does not is given back. */
    ead_duo_truncate(first, PAGE);
    assert_int_equal(ead_duo_reserve(second, 3 * PAGE, &error), EAD_MEMORY);
    check(ead_duo_reserve(first, 0, &error), &error);
    check(ead_duo_reserve(second, 6 * PAGE, &error), &error);
    check(ead_duo_step(second, &token, &error), &error);
    assert_int_equal(ead_duo_reserve(first, 3 * PAGE, &error), EAD_MEMORY);
    ead_duo_reset(second);
    check(ead_duo_reserve(first, N_CTX + 1, &error), &error); /* the last token is never read */
    check(ead_duo_copy(first, second, 0, &error), &error);
    check(ead_duo_reserve(second, N_CTX, &error), &error);
    assert_int_equal(ead_duo_reserve(second, N_CTX + 2, &error), EAD_ARGUMENT);
    assert_non_null(strstr(error.message, "length: expected at most 97 tokens, found 98"));
    ead_batch_close(batch);
}

/* Texts that share a prompt and have room promised reach their ends, whatever others want. */
static void test_promises_of_copies(void **state)
{
    (void)state;
    ead_batch *batch = open_batch((4 + 2 * 3 + 1) * PAGE, true);
    ead_error error;
    ead_event events[TEXTS];
    bool active[TEXTS] = {true, true, true};
    int n, written[TEXTS] = {0};
    append(ead_batch_duo(batch, 0), pair.ids, PROMPT);
    check(ead_duo_read(ead_batch_duo(batch, 0), &error), &error);
    for (int i = 0; i < 3; i++) {
        ead_duo *duo = ead_batch_duo(batch, i);
        if (i) check(ead_duo_copy(duo, ead_batch_duo(batch, 0), PROMPT, &error), &error);
        check(ead_duo_reserve(duo, PROMPT + MORE, &error), &error);
    }
    append(ead_batch_duo(batch, 3), pair.ids, 2 * PAGE);
    const bool fourth[TEXTS] = {false, false, false, true};
    while (active[0] || active[1] || active[2]) {
        check(ead_batch_step(batch, active, events, &n, &error), &error);
        for (int e = 0; e < n; e++) {
            const int i = events[e].text;
            same(&events[e].token, &pair.alone[written[i]]);
            active[i] = ++written[i] < MORE;
        }
        assert_int_equal(ead_batch_step(batch, fourth, events, &n, &error), EAD_MEMORY);
    }
    ead_batch_close(batch);
}

/* Pages that were never written to cost nothing, however many there are. */
static void test_memory_is_what_is_touched(void **state)
{
    (void)state;
    ead_batch *few = open_batch(8 * PAGE, false), *many = open_batch(40 * PAGE, false);
    ead_error error;
    const size_t before = ead_duo_memory(ead_batch_duo(few, 0));
    const size_t empty = ead_duo_memory(ead_batch_duo(many, 0));
    assert_in_range(empty, before, before + 4096); /* a number or two for each page */
    append(ead_batch_duo(few, 0), pair.ids, PROMPT);
    check(ead_duo_read(ead_batch_duo(few, 0), &error), &error);
    append(ead_batch_duo(many, 7), pair.ids, PROMPT);
    check(ead_duo_read(ead_batch_duo(many, 7), &error), &error);
    const size_t grown = ead_duo_memory(ead_batch_duo(few, 0)) - before;
    assert_true(grown > 0);
    assert_int_equal(ead_duo_memory(ead_batch_duo(many, 0)) - empty, grown);
    ead_batch_close(few);
    ead_batch_close(many);
}

static void test_options(void **state)
{
    (void)state;
    const ead_duo_options o = options(-1);
    ead_batch *batch;
    ead_error error;
    assert_int_equal(ead_batch_open(NULL, pair.models[0], &o, 2, &batch, &error), EAD_ARGUMENT);
    assert_non_null(strstr(error.message, "cache: expected 0 or more tokens, found -1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_prefix_counts_once),
        cmocka_unit_test(test_a_full_cache_is_told),
        cmocka_unit_test(test_a_promise_is_kept),
        cmocka_unit_test(test_promises_of_copies),
        cmocka_unit_test(test_memory_is_what_is_touched),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
