/* The cache of keys and values: positions are written one by one, and none touches another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "kern_test.h"
#include "model/kv.h"

enum { POSITIONS = 37, LAYERS = 2, HEADS = 2, SEQUENCES = 3, SEQUENCES_MAX = 7 };

/* Caches of SEQUENCES sequences. */
struct cache {
    struct kv kv;
    struct arena arena;
};

static struct cache pool_make(enum kern_cache type, int head_dim, int n_seq, int tokens)
{
    struct cache c = {0};
    const struct config config = {.n_layer = LAYERS, .n_head_kv = HEADS, .head_dim = head_dim};
    kv_carve(&c.kv, &c.arena, &config, type, n_seq, POSITIONS, tokens);
    assert_int_equal(arena_commit(&c.arena, NULL), ST_OK);
    kv_carve(&c.kv, &c.arena, &config, type, n_seq, POSITIONS, tokens);
    return c;
}

static struct cache cache_make(enum kern_cache type, int head_dim)
{
    return pool_make(type, head_dim, SEQUENCES, 0);
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

/* ---- a pool -------------------------------------------------------------------------------- */

/* What a sequence holds, by definition: a list of pages that know nothing but their holders. */
struct model {
    int length[SEQUENCES_MAX], reserved[SEQUENCES_MAX];
};

static int pages_for(int positions)
{
    return (positions + KERN_TILE - 1) / KERN_TILE;
}

/* Different pages among those of all sequences, and how many of them hold one. */
static int different_pages(const struct kv *kv, int *holders)
{
    int n = 0;
    for (int p = 0; p < kv->n_pages; p++) holders[p] = 0;
    for (int s = 0; s < kv->n_seq; s++)
        for (int i = 0; i < pages_for(kv->length[s]); i++) n += holders[kv_pages(kv, s)[i]]++ == 0;
    return n;
}

/* Every sequence holds what it should, the counts are those of its pages, and what was promised is
 * free: for the pages to come of each sequence, and for the copy of a shared page that it is to
 * write to, unless it will be the last there. */
static void check_pool(const struct cache *c, const struct model *m, struct cache *alone)
{
    const struct kv *kv = &c->kv;
    int holders[SEQUENCES_MAX * 3], wanted = 0;
    const int different = different_pages(kv, holders);
    assert_int_equal(kv_pages_held(kv), different);
    for (int p = 0; p < kv->n_pages; p++) assert_int_equal(kv->holders[p], holders[p]);
    for (int s = 0; s < kv->n_seq; s++) {
        assert_int_equal(kv->length[s], m->length[s]);
        kv_copy(&alone->kv, 2, 0, kv->length[s]);
        assert_true(same(c, s, alone, 0));
        if (!kv->reserved[s]) continue;
        if (kv->reserved[s] > pages_for(m->length[s]))
            wanted += kv->reserved[s] - pages_for(m->length[s]);
        if (m->length[s] % KERN_TILE)
            wanted += holders[kv_pages(kv, s)[m->length[s] / KERN_TILE]]-- > 1;
    }
    assert_in_range(wanted, 0, kv->n_pages - different);
    assert_int_equal(kv_spare(kv), kv->n_pages - different - wanted);
}

/* Several sequences grow at once, or none where pages are missing; which pages those would be is
 * found by doing it. Returns whether they grew. */
static bool grow(struct cache *c, struct model *m, const struct kv_growth *growth, int n)
{
    const int spare = kv_spare(&c->kv), missing = kv_missing(&c->kv, growth, n);
    bool all_promised = true;
    int most = 0; /* pages, if every open page is copied */
    for (int i = 0; i < n; i++) {
        const int length = m->length[growth[i].seq];
        all_promised &= pages_for(growth[i].end) <= c->kv.reserved[growth[i].seq];
        most += pages_for(growth[i].end) - length / KERN_TILE;
    }
    if (missing) {
        assert_false(all_promised); /* a promise is kept */
        assert_true(spare < most);
        return false;
    }
    for (int i = 0; i < n; i++) {
        append(c, growth[i].seq, growth[i].end, 0);
        m->length[growth[i].seq] = growth[i].end;
    }
    assert_true(kv_spare(&c->kv) >= 0);
    return true;
}

static int grow_some(struct cache *c, struct model *m, uint64_t *seed)
{
    struct kv_growth growth[SEQUENCES_MAX];
    int n = 0;
    for (int s = 0; s < c->kv.n_seq; s++) {
        const int room = POSITIONS - m->length[s];
        if (room && random_bits(seed) % (unsigned)c->kv.n_seq < 2)
            growth[n++] =
                (struct kv_growth){s, m->length[s] + 1 + (int)(random_bits(seed) % (unsigned)room)};
    }
    return grow(c, m, growth, n);
}

static void copy_one(struct cache *c, struct model *m, int from, int to, int length)
{
    if (length > m->length[from]) return;
    const int spare = kv_spare(&c->kv);
    kv_copy(&c->kv, from, to, length);
    m->length[to] = c->kv.length[to];
    if (from == to) return;
    assert_int_equal(c->kv.reserved[to], 0);
    /* Less only where there is no page to copy the open one to. */
    if (m->length[to] != length) assert_int_equal(m->length[to], length / KERN_TILE * KERN_TILE);
    if (m->length[to] != length) assert_true(spare <= 1);
}

/* Any company of sequences, in pools of any size: no page is lost, none is mixed up, promises are
 * kept, and shrink only where pages that others hold are let go. */
static void check_company(int n_seq, int tokens, uint64_t seed)
{
    struct cache c = pool_make(KERN_CACHE_F16, 10, n_seq, tokens);
    struct cache alone = cache_make(KERN_CACHE_F16, 10);
    struct model m = {0};
    int grown = 0, refused = 0, reserved = 0;
    append(&alone, 2, POSITIONS, 0);
    for (int round = 0; round < 1500; round++) {
        const int s = (int)(random_bits(&seed) % (unsigned)n_seq);
        const int other = (int)(random_bits(&seed) % (unsigned)n_seq);
        const int length = (int)(random_bits(&seed) % (POSITIONS + 1));
        const int before = c.kv.reserved[s];
        switch (random_bits(&seed) % 6) {
        case 0:
            kv_truncate(&c.kv, s, length);
            if (length < m.length[s]) m.length[s] = length;
            assert_in_range(c.kv.reserved[s], 0, before);
            break;
        case 1: copy_one(&c, &m, other, s, length); break;
        case 2:
            if (kv_reserve(&c.kv, s, round % 3 ? length : 0))
                reserved += c.kv.reserved[s] > before;
            else
                assert_int_equal(c.kv.reserved[s], before), refused++;
            break;
        default:
            if (grow_some(&c, &m, &seed))
                grown++;
            else
                refused++;
        }
        check_pool(&c, &m, &alone);
    }
    assert_true(grown > 20 && reserved > 5);
    const int most = n_seq * c.kv.seq_pages;
    assert_true(c.kv.n_pages * 4 > most * 3 || refused > 20);
    if (c.kv.n_pages == most) assert_int_equal(refused, 0);
    for (int s = 0; s < n_seq; s++) kv_truncate(&c.kv, s, 0);
    assert_int_equal(kv_pages_held(&c.kv), 0);
    arena_deinit(&c.arena);
    arena_deinit(&alone.arena);
}

static void a_pool_keeps_its_promises(void **state)
{
    (void)state;
    static const int tokens[] = {0, 48, 49, 80, 130, 200};
    for (int n_seq = 1; n_seq <= SEQUENCES_MAX; n_seq += 2)
        for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++)
            check_company(n_seq, tokens[t], (uint64_t)n_seq * 10 + t + 1);
}

/* In a pool of all sequences at their longest, every one of them can be promised that. */
static void a_full_pool_has_room_for_all(void **state)
{
    (void)state;
    for (int cut = 0; cut <= POSITIONS; cut++) {
        struct cache c = cache_make(KERN_CACHE_F16, 10);
        struct model m = {.length = {cut, cut, cut}};
        append(&c, 0, cut, 0);
        kv_copy(&c.kv, 0, 1, cut);
        kv_copy(&c.kv, 0, 2, cut);
        for (int s = 0; s < SEQUENCES; s++) assert_true(kv_reserve(&c.kv, s, POSITIONS));
        const struct kv_growth all[] = {{0, POSITIONS}, {1, POSITIONS}, {2, POSITIONS}};
        assert_true(grow(&c, &m, all, SEQUENCES));
        assert_int_equal(kv_spare(&c.kv),
                         (SEQUENCES - 1) * (cut / KERN_TILE)); /* what is still shared */
        arena_deinit(&c.arena);
    }
}

/* Others cannot take what was promised, and get it when it is given back. */
static void a_promise_is_for_one(void **state)
{
    (void)state;
    struct cache c = pool_make(KERN_CACHE_F16, 10, 3, 5 * KERN_TILE);
    struct model m = {0};
    const struct kv_growth three = {1, 3 * KERN_TILE - 11}, two = {1, 2 * KERN_TILE};
    const struct kv_growth mine = {0, 3 * KERN_TILE - 11};
    assert_int_equal(c.kv.n_pages, 5);
    assert_true(kv_reserve(&c.kv, 0, 3 * KERN_TILE - 11));
    assert_false(kv_reserve(&c.kv, 1, 3 * KERN_TILE - 11));
    assert_int_equal(kv_missing(&c.kv, &three, 1), 1);
    assert_false(grow(&c, &m, &three, 1));
    assert_true(grow(&c, &m, &two, 1));
    assert_int_equal(kv_spare(&c.kv), 0);
    assert_true(grow(&c, &m, &mine, 1));
    assert_int_equal(kv_missing(&c.kv, &three, 1), 1);
    kv_copy(&c.kv, 0, 2, 20); /* there is no page for the second to write to */
    assert_int_equal(c.kv.length[2], 20);
    assert_true(kv_reserve(&c.kv, 0, 0));
    kv_truncate(&c.kv, 2, 0);
    kv_truncate(&c.kv, 0, 0);
    assert_true(grow(&c, &m, &three, 1));
    arena_deinit(&c.arena);
}

/* Sequences that grow side by side, a position in turn, have their pages one behind the other, but
 * for a jump or two where they meet. */
static void pages_lie_together(void **state)
{
    (void)state;
    struct cache c = {0};
    enum { LONG = 100 * KERN_TILE, N = 4 };
    const struct config config = {.n_layer = 1, .n_head_kv = 1, .head_dim = 1};
    for (int i = 0; i < 2; i++) {
        kv_carve(&c.kv, &c.arena, &config, KERN_CACHE_F16, 16, LONG, N * LONG);
        if (!i) assert_int_equal(arena_commit(&c.arena, NULL), ST_OK);
    }
    for (int p = 0; p < LONG; p++)
        for (int s = 0; s < N; s++) {
            kv_own(&c.kv, s, p);
            c.kv.length[s] = p + 1;
        }
    assert_int_equal(kv_pages_held(&c.kv), c.kv.n_pages);
    for (int s = 0; s < N; s++) {
        int jumps = 0;
        for (int i = 1; i < LONG / KERN_TILE; i++)
            jumps += kv_pages(&c.kv, s)[i] != kv_pages(&c.kv, s)[i - 1] + 1;
        assert_in_range(jumps, 0, 12);
    }
    arena_deinit(&c.arena);
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
        cmocka_unit_test(a_pool_keeps_its_promises),
        cmocka_unit_test(a_full_pool_has_room_for_all),
        cmocka_unit_test(a_promise_is_for_one),
        cmocka_unit_test(pages_lie_together),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
