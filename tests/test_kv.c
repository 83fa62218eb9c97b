/* The cache of keys and values: positions are written one by one, and none touches another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kern_test.h"
#include "model/kv.h"

enum { POSITIONS = 37, DIM_MAX = 80 };

/* Streams of keys and of values, written in some order, between forbidden pages. */
struct streams {
    struct kv kv;
    struct guard guard[2];
    size_t bytes;
};

static struct streams streams_make(enum kern_cache type, int head_dim)
{
    struct streams s = {.kv = {.type = type, .head_dim = head_dim}};
    s.bytes = kern_cache_tile(type, head_dim, POSITIONS + KERN_TILE - 1);
    for (int i = 0; i < 2; i++) s.guard[i] = guard_alloc(s.bytes, GUARD_AFTER);
    return s;
}

/* What stands at a position is determined by it and `version`. */
static void put(const struct streams *s, const struct kern *k, int pos, int version)
{
    uint64_t seed = (uint64_t)(1 + pos + 1000 * version);
    for (int is_value = 0; is_value < 2; is_value++) {
        float x[DIM_MAX];
        for (int i = 0; i < s->kv.head_dim; i++) x[i] = random_normal(&seed);
        kv_write(&s->kv, k, s->guard[is_value].data, is_value, pos, x);
    }
}

static void streams_free(struct streams *s)
{
    for (int i = 0; i < 2; i++) guard_free(s->guard[i]);
}

/* Bytes do not depend on the order of writing, on what a position held before, or on the level. */
static void check_order(const struct kern *k, enum kern_cache type, int head_dim)
{
    struct streams a = streams_make(type, head_dim), b = streams_make(type, head_dim);
    for (int p = 0; p < POSITIONS; p++) put(&a, reference(), p, 0);
    for (int p = 0; p < POSITIONS; p += 2) put(&b, k, p, 1);
    for (int p = POSITIONS - 1; p >= 0; p--) put(&b, k, p, 0);
    for (int i = 0; i < 2; i++) assert_memory_equal(a.guard[i].data, b.guard[i].data, a.bytes);
    streams_free(&a);
    streams_free(&b);
}

static void check_level(const struct kern *k)
{
    static const int dims[] = {1, 10, 31, 32, 33, 64, 80};
    for (int type = 0; type < KERN_CACHE_COUNT; type++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
            check_order(k, (enum kern_cache)type, dims[d]);
}

static void positions_are_apart(void **state)
{
    (void)state;
    check_level(reference());
    for_each_level(check_level);
}

static void types_have_names(void **state)
{
    (void)state;
    assert_int_equal(kern_cache_parse("f16"), KERN_CACHE_F16);
    assert_int_equal(kern_cache_parse("q8_0"), KERN_CACHE_Q8_0);
    assert_int_equal(kern_cache_parse("Q8_0"), -1);
    assert_int_equal(kern_cache_parse(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_apart),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
