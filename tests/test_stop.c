/* Stop strings, against the plainest model of them: a text that grows piece by piece, looked at
 * whole each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "server/stop.h"

#include <stdio.h>
#include <string.h>

/* ---- the model ----------------------------------------------------------------------------- */

static bool stands_at(const struct ask_stop *s, const char *text, size_t n, size_t at)
{
    return at + s->bytes <= n && !memcmp(text + at, s->text, s->bytes);
}

/* Does the text that begins at `at` begin like the string, and end before it does? */
static bool may_begin(const struct ask_stop *s, const char *text, size_t n, size_t at)
{
    return n - at < s->bytes && !memcmp(text + at, s->text, n - at);
}

/* Of the shortest text that holds a string, the first place where one begins. */
static bool cut(const struct ask *a, const char *text, size_t n, size_t *at)
{
    for (size_t end = 1; end <= n; end++)
        for (size_t begin = 0; begin < end; begin++)
            for (int i = 0; i < a->n_stops; i++)
                if (begin + a->stops[i].bytes == end && stands_at(&a->stops[i], text, end, begin)) {
                    *at = begin;
                    return true;
                }
    return false;
}

static struct stop_found expected(const struct ask *a, const char *text, size_t n)
{
    size_t at = 0;
    if (cut(a, text, n, &at)) return (struct stop_found){at, true};
    for (at = 0; at < n; at++)
        for (int i = 0; i < a->n_stops; i++)
            if (may_begin(&a->stops[i], text, n, at)) return (struct stop_found){at, false};
    return (struct stop_found){n, false};
}

/* ---- random texts -------------------------------------------------------------------------- */

enum { TEXT_MAX = 60, STOP_MAX = 6, ROUNDS = 100000 };

struct game {
    char text[TEXT_MAX], stops[4][STOP_MAX];
    size_t n;
    struct ask ask;
};

/* Few letters, so that much repeats and overlaps; among them the bytes of characters. */
static void fill(char *to, size_t n, uint64_t letters, uint64_t *rng)
{
    static const char all[] = "ab\xc3\xa4\xa9"
                              "c";
    for (size_t i = 0; i < n; i++) to[i] = all[rng_bits(rng) % letters];
}

static void deal(struct game *g, uint64_t *rng)
{
    const uint64_t letters = 1 + rng_bits(rng) % 6;
    g->n = rng_bits(rng) % TEXT_MAX;
    fill(g->text, g->n, letters, rng);
    g->ask = (struct ask){.n_stops = (int)(rng_bits(rng) % 5)};
    for (int i = 0; i < g->ask.n_stops; i++) {
        const size_t n = 1 + rng_bits(rng) % STOP_MAX;
        fill(g->stops[i], n, letters, rng);
        g->ask.stops[i] = (struct ask_stop){g->stops[i], n};
    }
}

static void test_pieces(void **state)
{
    (void)state;
    uint64_t rng = 1;
    int stopped = 0, held = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct game g;
        size_t shown = 0, final = 0;
        deal(&g, &rng);
        const bool ends = cut(&g.ask, g.text, g.n, &final);
        for (size_t n = 0; n < g.n;) {
            size_t fresh = rng_bits(&rng) % 5; /* a piece may be empty */
            fresh = fresh < g.n - n ? fresh : g.n - n;
            n += fresh;
            const struct stop_found is = stop_find(&g.ask, g.text, n, fresh);
            const struct stop_found should = expected(&g.ask, g.text, n);
            if (is.shown != should.shown || is.stopped != should.stopped)
                fail_msg("round %d: \"%.*s\": %zu, %d, not %zu, %d", round, (int)n, g.text,
                         is.shown, is.stopped, should.shown, should.stopped);
            assert_true(is.shown >= shown);          /* nothing is taken back */
            assert_true(!ends || is.shown <= final); /* nor shown that is cut later */
            shown = is.shown;
            held += !is.stopped && is.shown < n;
            stopped += is.stopped;
            if (is.stopped) break;
        }
    }
    assert_true(stopped > ROUNDS / 10 && held > ROUNDS / 10);
}

/* ---- by hand ------------------------------------------------------------------------------- */

static struct stop_found find(const char *const *stops, const char *text, size_t fresh)
{
    struct ask a = {0};
    for (; stops[a.n_stops]; a.n_stops++)
        a.stops[a.n_stops] =
            (struct ask_stop){(char *)(uintptr_t)stops[a.n_stops], strlen(stops[a.n_stops])};
    return stop_find(&a, text, strlen(text), fresh);
}

static void expect(const char *const *stops, const char *text, size_t fresh, size_t shown,
                   bool stopped)
{
    const struct stop_found found = find(stops, text, fresh);
    assert_int_equal(found.shown, shown);
    assert_int_equal(found.stopped, stopped);
}

static void test_by_hand(void **state)
{
    (void)state;
    static const char *const end[] = {"END", NULL}, *const nested[] = {"b", "abc", NULL},
                             *const both[] = {"xaby", "ab", NULL},
                             *const equal[] = {"c", "bc", "abc", NULL}, *const none[] = {NULL},
                             *const twice[] = {"aab", NULL}, *const euro[] = {"\xe2\x82\xac", NULL};
    expect(end, "the E", 1, 4, false);
    expect(end, "the EN", 1, 4, false);
    expect(end, "the ENx", 1, 7, false);
    expect(end, "the END", 1, 4, true);
    expect(end, "the END of it", 9, 4, true); /* in the middle of a piece */
    expect(end, "ENEND", 3, 2, true);
    expect(end, "END", 3, 0, true);
    expect(nested, "ab", 1, 1, true); /* complete first, though "abc" begins before */
    expect(both, "xab", 1, 1, true);
    expect(both, "xaby", 4, 1, true); /* in one piece as in four */
    expect(equal, "abc", 3, 0, true); /* of those that end together the longest */
    expect(twice, "aaa", 1, 1, false);
    expect(twice, "aaab", 1, 1, true);
    expect(none, "END", 3, 3, false);
    expect(none, "", 0, 0, false);
    expect(end, "", 0, 0, false);
    expect(euro, "1 \xe2\x82", 1, 2, false);
    expect(euro, "1 \xe2\x82\xac", 1, 2, true);
    expect(euro, "1 \xe2\x82\xad", 1, 5, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_by_hand),
    };
    return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
