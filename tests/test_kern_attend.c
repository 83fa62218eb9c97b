/* Attention of every level against the reference and against its definition. */
#include "kern_test.h"

/* Ceiling on errors, of the largest value in the cache, which is 1. */
static const double ATTEND_CEILING = 1e-6;

/* Tests of attention run for EVERY_CACHE. */
static enum kern_cache cache;

static int cache_f16(void **state)
{
    (void)state;
    cache = KERN_CACHE_F16;
    return 0;
}

static int cache_q8_0(void **state)
{
    (void)state;
    cache = KERN_CACHE_Q8_0;
    return 0;
}

#define EVERY_CACHE(test)                                                                          \
    cmocka_unit_test_setup(test, cache_f16), cmocka_unit_test_setup(test, cache_q8_0)

enum { PAGES_MAX = 16, DIM_MAX = 256 };

/* Write a position of a tile by the layout that kern_cache.h describes. */
static void cache_write(uint8_t *tile, bool is_value, int head_dim, int p, const float *x)
{
    uint8_t *elements = tile + kern_cache_scales(cache, head_dim);
    uint16_t half[DIM_MAX], scale[DIM_MAX / KERN_GROUP];
    int8_t code[DIM_MAX];
    reference()->to_f16(half, x, head_dim);
    reference()->to_q8_0(code, scale, x, head_dim);
    for (int i = 0; i < head_dim; i++) {
        const size_t at = kern_cache_at(is_value, head_dim, p, i);
        if (cache == KERN_CACHE_F16) {
            memcpy(elements + 2 * at, &half[i], sizeof *half);
        } else {
            memcpy(tile + 2 * kern_cache_scale_at(p, i), &scale[i / KERN_GROUP], sizeof *scale);
            memcpy(elements + at, &code[i], sizeof *code);
        }
    }
}

static double cache_read(const struct kern_attend *a, bool is_value, int p, int i)
{
    const int head_dim = a->head_dim;
    const size_t page = (size_t)a->pages[p / KERN_TILE];
    const uint8_t *tile = (is_value ? a->v : a->k) + page * kern_cache_tile(cache, head_dim);
    const uint8_t *elements = tile + kern_cache_scales(cache, head_dim);
    const size_t at = kern_cache_at(is_value, head_dim, p, i);
    const bool q8_0 = cache == KERN_CACHE_Q8_0;
    uint16_t half;
    memcpy(&half, q8_0 ? tile + 2 * kern_cache_scale_at(p, i) : elements + 2 * at, sizeof half);
    return (double)quant_f16_to_f32(half) * (q8_0 ? (int8_t)elements[at] : 1);
}

struct attention {
    struct kern_attend a;
    struct guard k, v;
    int pages[PAGES_MAX];
    float *q, *out, *scratch;
};

/* Tiles before forbidden memory, written up to position `last`; values end with it. All pages but
 * the last are in disorder. */
static void tiles_make(struct attention *t, int head_dim, int last, uint64_t *seed)
{
    const int n_pages = last / KERN_TILE + 1;
    const size_t tile = kern_cache_tile(cache, head_dim), keys = (size_t)n_pages * tile;
    const size_t unused = (size_t)(KERN_TILE - 1 - last % KERN_TILE) * (size_t)head_dim;
    const size_t values = keys - unused * (cache == KERN_CACHE_F16 ? 2 : 1);
    t->k = guard_alloc(keys, GUARD_AFTER);
    t->v = guard_alloc(values + values % 2, GUARD_AFTER); /* tiles begin at even addresses */
    memset(t->k.data, 0xff, keys); /* not numbers, behind the last position */
    memset(t->v.data, 0xff, values);
    for (int i = 0; i < n_pages; i++)
        t->pages[i] = i < n_pages - 1 ? (n_pages - 2 - i + n_pages / 2) % (n_pages - 1) : i;
    for (int p = 0; p <= last; p++) {
        float key[DIM_MAX], value[DIM_MAX];
        const size_t at = (size_t)t->pages[p / KERN_TILE] * tile;
        for (int i = 0; i < head_dim; i++) key[i] = random_normal(seed);
        for (int i = 0; i < head_dim; i++) value[i] = random_unit(seed);
        cache_write((uint8_t *)t->k.data + at, false, head_dim, p, key);
        cache_write((uint8_t *)t->v.data + at, true, head_dim, p, value);
    }
}

/* n_pos positions for the first of `rows` rows; the memory behind the last one is forbidden. */
static struct attention attention_make(int rows, int group, int head_dim, int n_pos, float spread,
                                       uint64_t *seed)
{
    struct attention t = {0};
    size_t ld = (size_t)group * (size_t)head_dim + 5;
    tiles_make(&t, head_dim, n_pos + rows - 2, seed);
    size_t outputs = (size_t)rows * ld;
    t.q = aligned(outputs, sizeof *t.q);
    for (size_t i = 0; i < outputs; i++) t.q[i] = random_normal(seed) * spread;
    t.out = aligned(outputs, sizeof *t.out);
    memset(t.out, 0, outputs * sizeof *t.out);
    t.scratch = aligned(KERN_ATTEND_SCRATCH(rows * group, head_dim), sizeof *t.scratch);
    t.a = (struct kern_attend){.q = t.q,
                               .k = t.k.data,
                               .v = t.v.data,
                               .cache = cache,
                               .out = t.out,
                               .ld = ld,
                               .rows = rows,
                               .group = group,
                               .head_dim = head_dim,
                               .n_pos = n_pos,
                               .scale = 1 / sqrtf((float)head_dim),
                               .scratch = t.scratch};
    return t;
}

/* The table of pages is set here, for the struct may have been copied since it was made. */
static void attend(const struct kern *k, struct attention *t)
{
    t->a.pages = t->pages;
    k->attend(&t->a);
}

static void attention_free(struct attention *t)
{
    guard_free(t->k);
    guard_free(t->v);
    free(t->q);
    free(t->out);
    free(t->scratch);
}

/* softmax(q k) v of one output of the first row, by the definition. */
static double attention_output(const struct kern_attend *a, int head, int at)
{
    double *score = calloc((size_t)a->n_pos, sizeof *score), max = -INFINITY, sum = 0, out = 0;
    const int own = a->n_pos - 1,
              first = a->window && own - a->window >= 0 ? own - a->window + 1 : 0;
    for (int p = first; p < a->n_pos; p++) {
        for (int i = 0; i < a->head_dim; i++)
            score[p] += (double)a->q[head * a->head_dim + i] * cache_read(a, false, p, i);
        score[p] *= (double)a->scale;
        if (a->cap > 0) score[p] = (double)a->cap * tanh(score[p] / (double)a->cap);
        max = fmax(max, score[p]);
    }
    for (int p = first; p < a->n_pos; p++) {
        double e = exp(score[p] - max);
        sum += e;
        out += e * cache_read(a, true, p, at);
    }
    free(score);
    return out / sum;
}

static const int attend_groups[] = {1, 2, 3, 6, 7, 8, 9, 16};
static const int attend_dims[] = {1, 5, 16, 24, 33, 64, 80, 128, 256};
static const int attend_lengths[] = {1, 2, 17, 63, 64, 65, 200};
/* Within a vector, a tile, a block; at their ends and over them; and beyond all that there is. */
static const int attend_windows[] = {0, 1, 3, 16, 17, 37, 63, 64, 65, 100, 129, 1000};
enum { N_GROUPS = 8, N_DIMS = 9, N_LENGTHS = 7, N_WINDOWS = 12 };

/* All outputs on a level are those of the reference. */
static void same_as_reference(const struct kern *k, struct attention *t)
{
    size_t outputs = (size_t)t->a.rows * t->a.ld;
    attend(k, t);
    float *got = aligned(outputs, sizeof *got);
    memcpy(got, t->out, outputs * sizeof *got);
    attend(reference(), t);
    for (size_t i = 0; i < outputs; i++)
        assert_true(fabs((double)got[i] - (double)t->out[i]) <= ATTEND_CEILING);
    free(got);
}

static void check_attend(const struct kern *k)
{
    uint64_t seed = 7;
    for (int g = 0; g < N_GROUPS; g++)
        for (int d = 0; d < N_DIMS; d++)
            for (int p = 0; p < N_LENGTHS; p++) {
                int rows = 1 + (g + d + p) % 5;
                struct attention t = attention_make(rows, attend_groups[g], attend_dims[d],
                                                    attend_lengths[p], 1, &seed);
                same_as_reference(k, &t);
                attention_free(&t);
            }
}

static void attend_matches_reference(void **state)
{
    (void)state;
    for_each_level(check_attend);
}

/* Windows and caps, for few rows and for more than a window has positions. */
static void check_windows(const struct kern *k)
{
    uint64_t seed = 12;
    for (int w = 0; w < N_WINDOWS; w++)
        for (int p = 0; p < N_LENGTHS; p++)
            for (int rows = 1; rows < 30; rows += 9) {
                const int group = attend_groups[(w + p) % N_GROUPS];
                struct attention t = attention_make(rows, group, 40, attend_lengths[p], 1, &seed);
                t.a.window = attend_windows[w];
                same_as_reference(k, &t);
                t.a.cap = 0.7f; /* of scores of about 1 */
                same_as_reference(k, &t);
                attention_free(&t);
            }
}

static void windows_match_reference(void **state)
{
    (void)state;
    for_each_level(check_windows);
}

static void close_to_definition(const struct kern *k, struct attention *t, double ceiling)
{
    const struct kern_attend *a = &t->a;
    attend(k, t);
    for (int h = 0; h < a->group; h++)
        for (int i = 0; i < a->head_dim; i++) {
            const double got = (double)t->out[h * a->head_dim + i];
            assert_true(fabs(attention_output(a, h, i) - got) <= ceiling);
        }
}

static void check_attend_definition(const struct kern *k)
{
    uint64_t seed = 8;
    for (float spread = 1; spread < 1000; spread *= 6) { /* up to one position taking all */
        const double ceiling = ATTEND_CEILING * fmax(1, (double)spread);
        struct attention t = attention_make(1, 3, 40, 150, spread, &seed);
        close_to_definition(k, &t, ceiling);
        for (int w = 0; w < N_WINDOWS; w++) {
            t.a.window = attend_windows[w];
            close_to_definition(k, &t, ceiling);
        }
        t.a.cap = 5; /* of scores of 1 to 200 */
        close_to_definition(k, &t, 3 * ATTEND_CEILING);
        attention_free(&t);
    }
}

static void attend_matches_definition(void **state)
{
    (void)state;
    check_attend_definition(reference());
    for_each_level(check_attend_definition);
}

/* What lies before all windows is not read: its pages lead into forbidden memory. */
static void check_skipped(const struct kern *k)
{
    uint64_t seed = 13;
    for (int w = 1; w < N_WINDOWS - 1; w++)
        for (int rows = 1; rows < 12; rows += 5) {
            const int n_pos = 190;
            struct attention t = attention_make(rows, 2, 40, n_pos, 1, &seed);
            t.a.window = attend_windows[w];
            same_as_reference(k, &t);
            const int unseen = (n_pos - t.a.window) / KERN_TILE; /* pages */
            for (int i = 0; i < unseen; i++) t.pages[i] = (n_pos + rows - 2) / KERN_TILE + 1;
            same_as_reference(k, &t);
            attention_free(&t);
        }
}

static void attend_skips_what_no_row_sees(void **state)
{
    (void)state;
    for_each_level(check_skipped);
}

/* A head's output does not depend on the heads beside it. */
static void check_attend_bits(const struct kern *k)
{
    uint64_t seed = 9;
    struct attention t = attention_make(1, 11, 48, 100, 1, &seed);
    attend(k, &t);
    float *all = aligned(11 * 48, sizeof *all);
    memcpy(all, t.out, 11 * 48 * sizeof *all);
    for (int h = 0; h < 11; h++) {
        struct kern_attend one = t.a;
        one.q += h * 48;
        one.group = 1;
        k->attend(&one);
        assert_memory_equal(t.out, all + h * 48, 48 * sizeof *all);
    }
    free(all);
    attention_free(&t);
}

static void attend_heads_are_independent(void **state)
{
    (void)state;
    for_each_level(check_attend_bits);
}

/* Nor does a row's depend on the rows beside it: one by one, in two parts, or all together. */
static void check_rows_of_window(const struct kern *k, int window)
{
    enum { ROWS = 9, GROUP = 3, DIM = 40 };
    uint64_t seed = 10;
    for (int n_pos = 1; n_pos < 200; n_pos += 19) {
        struct attention t = attention_make(ROWS, GROUP, DIM, n_pos, 1, &seed);
        t.a.window = window;
        const size_t bytes = ROWS * t.a.ld * sizeof(float);
        attend(k, &t);
        float *all = aligned(ROWS * t.a.ld, sizeof *all);
        memcpy(all, t.out, bytes);
        for (int split = 1; split < ROWS; split++) {
            memset(t.out, 0, bytes);
            for (int r = 0, n; r < ROWS; r += n) {
                n = split == 1 ? 1 : r ? ROWS - split : split;
                struct kern_attend part = t.a;
                part.q += (size_t)r * t.a.ld;
                part.out += (size_t)r * t.a.ld;
                part.rows = n;
                part.n_pos += r;
                k->attend(&part);
            }
            assert_memory_equal(t.out, all, bytes);
        }
        free(all);
        attention_free(&t);
    }
}

static void check_attend_rows(const struct kern *k)
{
    for (int w = 0; w < N_WINDOWS; w++) check_rows_of_window(k, attend_windows[w]);
}

static void attend_rows_are_independent(void **state)
{
    (void)state;
    check_attend_rows(reference());
    for_each_level(check_attend_rows);
}

/* Positions from the last of row `first` on are no numbers: rows before it are what they were. */
static void check_unseen(const struct kern *k, int group, int n_pos, int window, int first)
{
    enum { ROWS = 9, DIM = 40 };
    uint64_t seed = 11;
    float poison[DIM];
    struct attention t = attention_make(ROWS, group, DIM, n_pos, 1, &seed);
    const size_t all = ROWS * t.a.ld, others = (size_t)first * t.a.ld;
    t.a.window = window;
    for (int i = 0; i < DIM; i++) poison[i] = i % 2 ? NAN : INFINITY;
    attend(k, &t);
    float *before = aligned(all, sizeof *before);
    memcpy(before, t.out, all * sizeof *before);
    for (int p = n_pos + first - 1; p < n_pos + ROWS - 1; p++) {
        const size_t at = (size_t)t.pages[p / KERN_TILE] * kern_cache_tile(cache, DIM);
        cache_write((uint8_t *)t.k.data + at, false, DIM, p, poison);
        cache_write((uint8_t *)t.v.data + at, true, DIM, p, poison);
    }
    attend(k, &t);
    assert_memory_equal(t.out, before, others * sizeof *before);
    assert_true(isnan(t.out[others]));
    free(before);
    attention_free(&t);
}

static void check_unseen_of_all(const struct kern *k)
{
    static const int groups[] = {1, 3, 7}, windows[] = {0, 5, 70}, firsts[] = {1, 4, 8};
    for (int n_pos = 1; n_pos < 150; n_pos += 21)
        for (int i = 0; i < 27; i++)
            check_unseen(k, groups[i % 3], n_pos, windows[i / 3 % 3], firsts[i / 9]);
}

static void unseen_positions_may_be_no_numbers(void **state)
{
    (void)state;
    check_unseen_of_all(reference());
    for_each_level(check_unseen_of_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVERY_CACHE(attend_matches_reference),           EVERY_CACHE(windows_match_reference),
        EVERY_CACHE(attend_matches_definition),          EVERY_CACHE(attend_skips_what_no_row_sees),
        EVERY_CACHE(attend_heads_are_independent),       EVERY_CACHE(attend_rows_are_independent),
        EVERY_CACHE(unseen_positions_may_be_no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
