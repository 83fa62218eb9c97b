/* The prefix cache over a batch of tiny models: which place a prompt gets, what it finds there, and
 * who has to go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/prefix.h"
#include "tiny.h"

#include <string.h>

enum { N_CTX = 96, PLACES = 5 };

static ead_model *models[EAD_WRITERS];
static struct prefix_place places[PLACES];
static struct prefix prefix;

static int open_models(void **state)
{
    (void)state;
    for (int w = 0; w < EAD_WRITERS; w++) {
        struct tiny_spec spec = tiny_spec("llama", QT_F32);
        spec.n_ctx = N_CTX;
        spec.seed = (uint64_t)w + 1;
        struct tiny *file = tiny_model(&spec);
        models[w] = tiny_open_public(file);
        tiny_free(file);
    }
    return 0;
}

static int close_models(void **state)
{
    (void)state;
    for (int w = 0; w < EAD_WRITERS; w++) ead_model_close(models[w]);
    return 0;
}

static int open_batch(void **state)
{
    (void)state;
    ead_duo_options o = ead_duo_defaults();
    o.n_ctx = N_CTX;
    o.threads = 1;
    ead_batch *batch;
    ead_error error;
    if (ead_batch_open(models[1], models[0], &o, PLACES, &batch, &error))
        fail_msg("%s", error.message);
    for (int i = 0; i < PLACES; i++) places[i] = (struct prefix_place){0};
    prefix = (struct prefix){.batch = batch, .places = places, .n = PLACES};
    return 0;
}

static int close_batch(void **state)
{
    (void)state;
    ead_batch_close(prefix.batch);
    return 0;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* The place that a prompt of these letters gets; the rest of it is appended there. */
static int begin(const char *letters, size_t *found)
{
    int32_t ids[N_CTX];
    size_t n = 0;
    for (; letters[n]; n++) ids[n] = 10 + letters[n] - 'a';
    const int place = prefix_place(&prefix, ids, n, false);
    ead_duo *duo = ead_batch_duo(prefix.batch, place);
    *found = ead_duo_length(duo);
    assert_true(*found < n);
    assert_memory_equal(ead_duo_ids(duo), ids, *found * sizeof *ids);
    assert_true(places[place].live);
    ead_error error;
    if (ead_duo_append(duo, ids + *found, n - *found, &error)) fail_msg("%s", error.message);
    return place;
}

/* The same, of which `expected` ids are found. */
static int finds(const char *letters, size_t expected)
{
    size_t found;
    const int place = begin(letters, &found);
    assert_int_equal(found, expected);
    return place;
}

/* A text that came and went. */
static int keep(const char *letters, size_t expected)
{
    const int place = finds(letters, expected);
    prefix_keep(&prefix, place);
    assert_false(places[place].live);
    return place;
}

static size_t length(int place)
{
    return ead_duo_length(ead_batch_duo(prefix.batch, place));
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_longest(void **state)
{
    (void)state;
    keep("abcdef", 0);
    keep("abcxyz", 3);
    keep("q", 0);
    assert_int_equal(prefix_kept(&prefix), 3);
    finds("abcdegh", 5);                       /* not the one used later, which has less */
    assert_int_equal(prefix_kept(&prefix), 3); /* what only begins alike is left there */
}

/* What was read counts for more than what only stands there, in length and in age. */
static void test_read_ones_first(void **state)
{
    (void)state;
    ead_error error;
    const int read = finds("abcdef", 0);
    if (ead_duo_read(ead_batch_duo(prefix.batch, read), &error)) fail_msg("%s", error.message);
    prefix_keep(&prefix, read);
    const int32_t ids[] = {10, 11, 12, 13, 14, 15, 16};
    const int fresh = prefix_place(&prefix, ids, 7, true);
    assert_false(ead_duo_append(ead_batch_duo(prefix.batch, fresh), ids, 7, &error));
    prefix_keep(&prefix, fresh);
    const ead_duo *duo = ead_batch_duo(prefix.batch, finds("abcdeg", 5));
    const size_t known[] = {ead_duo_known(duo, EAD_SMALL), ead_duo_known(duo, EAD_LARGE)};
    assert_int_equal(known[0] + known[1], 5);
    duo = ead_batch_duo(prefix.batch, finds("abcdefgh", 6)); /* and not the 7 that none has read */
    assert_int_equal(ead_duo_known(duo, EAD_SMALL) + ead_duo_known(duo, EAD_LARGE), 5);
}

static void test_live_ones_give_too(void **state)
{
    (void)state;
    const int first = finds("abcdef", 0);
    const int second = finds("abcdxx", 4);
    assert_int_not_equal(first, second);
    assert_int_equal(length(first), 6);
    assert_true(places[first].live);
}

static void test_short_of_the_last(void **state)
{
    (void)state;
    keep("abcd", 0);
    keep("abcd", 3); /* the last one's distribution has to be computed */
    keep("abc", 2);
    keep("a", 0);
}

/* What goes on where a kept text ends takes its place. */
static void test_goes_on(void **state)
{
    (void)state;
    keep("abcd", 0);
    const int place = finds("abcdefg", 4);
    assert_int_equal(prefix_kept(&prefix), 0);
    prefix_keep(&prefix, place);
    assert_int_equal(prefix_kept(&prefix), 1);
}

static void test_oldest_goes(void **state)
{
    (void)state;
    const char *const texts[] = {"aaaa", "bbbb", "cccc", "dddd", "eeee"};
    for (int i = 0; i < PLACES; i++) keep(texts[i], 0);
    assert_int_equal(prefix_kept(&prefix), PLACES);
    keep("aaax", 3); /* "aaaa" was used, and "bbbb" went */
    keep("cccx", 3); /* "cccc" was used, and "dddd" went */
    keep("bbbb", 0); /* "eeee" went */
    keep("eeee", 0); /* "aaaa" went, but not "aaax" */
    keep("aaaa", 3);
}

static void test_live_ones_stay(void **state)
{
    (void)state;
    const int live[] = {finds("aaaa", 0), finds("bbbb", 0), finds("cccc", 0)};
    for (int round = 0; round < 20; round++) {
        const int place = keep(round % 2 ? "xyzw" : "wvut", 0);
        for (int i = 0; i < 3; i++) {
            assert_int_not_equal(place, live[i]);
            assert_true(places[live[i]].live);
            assert_int_equal(length(live[i]), 4);
        }
        if (round == 10)
            while (prefix_evict(&prefix, -1)) continue;
        prefix_forget(&prefix, place);
    }
    assert_int_equal(prefix_kept(&prefix), 0);
}

static void test_evict(void **state)
{
    (void)state;
    const int a = keep("aaaa", 0), b = keep("bbbb", 0), c = keep("cccc", 0);
    assert_true(prefix_evict(&prefix, a));
    assert_int_equal(length(b), 0); /* the oldest but that one */
    assert_int_equal(length(a), 4);
    assert_true(prefix_evict(&prefix, -1));
    assert_int_equal(length(a), 0);
    assert_false(prefix_evict(&prefix, c));
    assert_int_equal(length(c), 4);
    assert_true(prefix_evict(&prefix, -1));
    assert_false(prefix_evict(&prefix, -1)); /* there is none */
}

static void test_fresh(void **state)
{
    (void)state;
    const int32_t ids[] = {10, 11, 12};
    keep("abc", 0);
    const int place = prefix_place(&prefix, ids, 3, true);
    assert_int_equal(length(place), 0);
    assert_int_equal(prefix_kept(&prefix), 1);
}

/* What was forgotten is not found, though its ids were the same. */
static void test_forgotten(void **state)
{
    (void)state;
    const int place = finds("abcd", 0);
    prefix_forget(&prefix, place);
    assert_int_equal(prefix_kept(&prefix), 0);
    finds("abcd", 0);
}

/* Random texts of few letters, against a plain list of what each place holds. */
static void test_random(void **state)
{
    (void)state;
    char held[PLACES][16] = {{0}};
    uint64_t rng = 3;
    for (int round = 0; round < 3000; round++) {
        char text[16] = {0};
        size_t best = 0, found;
        const size_t n = 1 + rng_bits(&rng) % 10;
        for (size_t i = 0; i < n; i++) text[i] = (char)('a' + rng_bits(&rng) % 2);
        for (int p = 0; p < PLACES; p++) {
            size_t same = 0;
            while (same < n - 1 && held[p][same] == text[same]) same++;
            best = same > best ? same : best;
        }
        const int place = begin(text, &found);
        assert_int_equal(found, best);
        for (int p = 0; p < PLACES; p++) /* one whose whole was taken is empty by now */
            if (!length(p)) held[p][0] = 0;
        memcpy(held[place], text, sizeof text);
        int live = 0;
        for (int p = 0; p < PLACES; p++) {
            assert_int_equal(length(p), strlen(held[p]));
            live += places[p].live;
        }
        for (int p = 0; live > PLACES - 2 || (p < PLACES && rng_bits(&rng) % 2); p++) {
            if (!places[p % PLACES].live) continue;
            prefix_keep(&prefix, p % PLACES);
            live--;
        }
    }
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, open_batch, close_batch)
    const struct CMUnitTest tests[] = {
        ONE(test_longest),           ONE(test_read_ones_first), ONE(test_live_ones_give_too),
        ONE(test_short_of_the_last), ONE(test_goes_on),         ONE(test_oldest_goes),
        ONE(test_live_ones_stay),    ONE(test_evict),           ONE(test_fresh),
        ONE(test_forgotten),         ONE(test_random),
    };
    return cmocka_run_group_tests_name("prefix", tests, open_models, close_models);
}
