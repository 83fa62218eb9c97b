/* The cache of keys and values: positions are written one by one, and none touches another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "kern_test.h"
#include "model/kv.h"

enum { POSITIONS = 37, LAYERS = 2, HEADS = 2, SEQUENCES = 3 };

/* Caches of SEQUENCES sequences. */
struct cache {
    struct kv kv;
    struct arena arena;
};

static struct cache cache_make(enum kern_cache type, int head_dim)
{
    struct cache c = {0};
    const struct config config = {.n_layer = LAYERS, .n_head_kv = HEADS, .head_dim = head_dim};
    kv_carve(&c.kv, &c.arena, &config, type, SEQUENCES, POSITIONS);
    assert_int_equal(arena_commit(&c.arena, NULL), ST_OK);
    kv_carve(&c.kv, &c.arena, &config, type, SEQUENCES, POSITIONS);
    return c;
}

/* What stands at a position is determined by it and `version`. */
static void put(struct cache *c, const struct kern *k, int seq, int pos, int version)
{
    uint64_t seed = (uint64_t)(1 + pos + 1000 * version);
    float x[80];
    kv_own(&c->kv, seq, pos);
    for (int i = 0; i < LAYERS * HEADS * 2; i++) {
        for (int e = 0; e < c->kv.head_dim; e++) x[e] = random_normal(&seed);
        kv_write(&c->kv, k, seq, i / HEADS / 2, i % 2, i / 2 % HEADS, pos, x);
    }
    if (pos >= c->kv.length[seq]) c->kv.length[seq] = pos + 1;
}

static void append(struct cache *c, int seq, int to, int version)
{
    for (int p = c->kv.length[seq]; p < to; p++) put(c, reference(), seq, p, version);
}

/* The tile of values of a position; i numbers layers and heads. */
static const uint8_t *tile_of(const struct cache *c, int seq, int i, int pos)
{
    const size_t page = (size_t)kv_pages(&c->kv, seq)[pos / KERN_TILE];
    return kv_tiles(&c->kv, i / HEADS, true, i % HEADS) +
           page * kern_cache_tile(c->kv.type, c->kv.head_dim);
}

/* Do two sequences hold the same? Positions behind the last do not count: compared are elements of
 * values, of which a position's stand together. */
static bool same(const struct cache *a, int seq_a, const struct cache *b, int seq_b)
{
    const struct kv *kv = &a->kv;
    const int n = kv->length[seq_a], dim = kv->head_dim;
    const size_t bytes = (size_t)dim * (kv->type == KERN_CACHE_F16 ? 2 : 1);
    if (n != b->kv.length[seq_b]) return false;
    for (int p = 0; p < n; p++)
        for (int i = 0; i < LAYERS * HEADS; i++) {
            const size_t at = kern_cache_scales(kv->type, dim) + (size_t)(p % KERN_TILE) * bytes;
            if (memcmp(tile_of(a, seq_a, i, p) + at, tile_of(b, seq_b, i, p) + at, bytes) != 0)
                return false;
        }
    return true;
}

/* Bytes do not depend on the order of writing, on what a position held before, or on the level. */
static void check_order(const struct kern *k, enum kern_cache type, int head_dim)
{
    struct cache a = cache_make(type, head_dim), b = cache_make(type, head_dim);
    for (int p = 0; p < POSITIONS; p++) put(&a, reference(), 0, p, 0);
    for (int p = 0; p < POSITIONS; p++) put(&b, k, 0, p, 1);
    for (int p = POSITIONS - 1; p >= 0; p--) put(&b, k, 0, p, 0);
    assert_memory_equal(a.kv.data, b.kv.data, (size_t)a.kv.n_pages * kv_page_bytes(&a.kv));
    arena_deinit(&a.arena);
    arena_deinit(&b.arena);
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

/* A prefix of any length is handed on, both go their ways, and neither sees the other. */
static void a_prefix_is_shared(void **state)
{
    (void)state;
    for (int cut = 0; cut <= POSITIONS; cut++) {
        struct cache c = cache_make(KERN_CACHE_F16, 10), alone = cache_make(KERN_CACHE_F16, 10);
        append(&c, 0, POSITIONS - 2, 0);
        append(&c, 1, 20, 7); /* is forgotten */
        const int before = kv_pages_held(&c.kv);
        if (cut <= POSITIONS - 2) {
            kv_copy(&c.kv, 0, 1, cut);
            assert_int_equal(kv_pages_held(&c.kv), before - 2); /* what it held is given back */
        } else {
            kv_truncate(&c.kv, 1, 0);
        }
        append(&c, 1, POSITIONS, 1);
        append(&c, 0, POSITIONS, 2);
        append(&alone, 0, POSITIONS - 2, 0);
        append(&alone, 0, POSITIONS, 2);
        append(&alone, 1, cut <= POSITIONS - 2 ? cut : 0, 0);
        append(&alone, 1, POSITIONS, 1);
        assert_true(same(&c, 0, &alone, 0));
        assert_true(same(&c, 1, &alone, 1));
        arena_deinit(&c.arena);
        arena_deinit(&alone.arena);
    }
}

/* Whoever shortens a sequence and writes over what others hold leaves theirs alone; and at the end
 * every page has come back. */
static void pages_come_back(void **state)
{
    (void)state;
    struct cache c = cache_make(KERN_CACHE_Q8_0, 33), alone = cache_make(KERN_CACHE_Q8_0, 33);
    uint64_t seed = 3;
    append(&alone, 2, POSITIONS, 0);
    for (int round = 0; round < 2000; round++) {
        const int seq = (int)(random_bits(&seed) % SEQUENCES);
        const int other = (int)(random_bits(&seed) % SEQUENCES);
        const int length = (int)(random_bits(&seed) % (POSITIONS + 1));
        if (round % 3 == 0)
            kv_truncate(&c.kv, seq, length);
        else if (round % 3 == 1)
            append(&c, seq, length, 0);
        else if (length <= c.kv.length[other])
            kv_copy(&c.kv, other, seq, length);
        for (int s = 0; s < SEQUENCES; s++) {
            kv_copy(&alone.kv, 2, 0, c.kv.length[s]);
            assert_true(same(&c, s, &alone, 0));
        }
        assert_in_range(kv_pages_held(&c.kv), 0, SEQUENCES * c.kv.seq_pages);
    }
    for (int s = 0; s < SEQUENCES; s++) kv_truncate(&c.kv, s, INT_MAX); /* nothing to forget */
    for (int s = 0; s < SEQUENCES; s++) kv_truncate(&c.kv, s, 0);
    assert_int_equal(kv_pages_held(&c.kv), 0);
    arena_deinit(&c.arena);
    arena_deinit(&alone.arena);
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
        cmocka_unit_test(a_prefix_is_shared),
        cmocka_unit_test(pages_come_back),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
