/* Products of float weights, of every level against the reference. */
#include "kern_test.h"

static const double DOT_CEILING = 5e-7; /* of the sum of absolute products */

struct product {
    struct kern_weight w;
    struct guard memory;
    float *x, *y;
    size_t ldx, ldy;
    int n;
};

static struct product product_make(enum quant_type type, int rows, int cols, int n,
                                   enum guard_side side, uint64_t *seed)
{
    struct product p = {.n = n, .ldx = (size_t)(cols + 15) / 16 * 16, .ldy = (size_t)rows + 3};
    size_t row = quant_row_bytes(type, (uint64_t)cols), size = row / (size_t)cols;
    p.memory = guard_alloc(row * (size_t)rows, side);
    p.w = (struct kern_weight){type, rows, cols, row, p.memory.data, NULL};
    for (size_t i = 0; i < (size_t)rows * (size_t)cols; i++) {
        float f = random_normal(seed);
        uint16_t h = type == QT_F16 ? quant_f32_to_f16(f) : quant_f32_to_bf16(f);
        memcpy((uint8_t *)p.memory.data + i * size, type == QT_F32 ? (void *)&f : (void *)&h, size);
    }
    p.x = aligned((size_t)n * p.ldx, sizeof *p.x);
    for (size_t i = 0; i < (size_t)n * p.ldx; i++) p.x[i] = random_normal(seed);
    p.y = aligned((size_t)n * p.ldy, sizeof *p.y);
    return p;
}

static void product_free(struct product *p)
{
    guard_free(p->memory);
    free(p->x);
    free(p->y);
}

static double product_size(const struct product *p, int r, int o)
{
    double sum = 0;
    float *row = aligned((size_t)p->w.cols, sizeof *row);
    quant_decode_row(p->w.type, p->w.data + (size_t)o * p->w.row_bytes, row, (size_t)p->w.cols);
    for (int k = 0; k < p->w.cols; k++)
        sum += fabs((double)row[k] * (double)p->x[(size_t)r * p->ldx + (size_t)k]);
    free(row);
    return sum;
}

static void check_product(const struct kern *k, const struct product *p)
{
    float *want = aligned((size_t)p->n * p->ldy, sizeof *want);
    struct kern_weight w = p->w;
    enum guard_side side = p->n % 2 ? GUARD_AFTER : GUARD_BEFORE;
    struct guard panels = pack_weights(k, &w, side);
    reference()->matmul_f32(&p->w, p->x, p->ldx, p->n, 0, p->w.rows, want, p->ldy);
    k->matmul_f32(&w, p->x, p->ldx, p->n, 0, p->w.rows, p->y, p->ldy);
    panels_free(panels);
    for (int r = 0; r < p->n; r++)
        for (int o = 0; o < p->w.rows; o++) {
            size_t at = (size_t)r * p->ldy + (size_t)o;
            double error = fabs((double)p->y[at] - (double)want[at]);
            assert_true(error <= DOT_CEILING * product_size(p, r, o));
        }
    free(want);
}

static const enum quant_type float_types[] = {QT_F32, QT_F16, QT_BF16};

static void check_float_matmul(const struct kern *k)
{
    static const int cols[] = {1, 7, 16, 31, 32, 33, 64, 100, 576};
    uint64_t seed = 1;
    for (int t = 0; t < 3; t++)
        for (size_t c = 0; c < sizeof cols / sizeof *cols; c++)
            for (int n = 1; n <= 17; n += n < 9 ? 1 : 4) {
                enum guard_side side = n % 2 ? GUARD_AFTER : GUARD_BEFORE;
                struct product p =
                    product_make(float_types[t], n % 5 + 14, cols[c], n, side, &seed);
                check_product(k, &p);
                product_free(&p);
            }
}

/* Where blocks of rows, groups of panels and chunks of inputs end, for kernels that have them. */
static void check_float_blocks(const struct kern *k)
{
    static const int rows[] = {33, 64, 520}, cols[] = {129, 255, 290}, n[] = {15, 32, 33, 49, 70};
    uint64_t seed = 11;
    for (int t = 0; t < 3; t++)
        for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
            struct product p = product_make(float_types[t], rows[i % 3], cols[(i + 1) % 3], n[i],
                                            GUARD_AFTER, &seed);
            check_product(k, &p);
            product_free(&p);
        }
}

static void float_matmul_matches_reference(void **state)
{
    (void)state;
    for_each_level(check_float_matmul);
    for_each_level(check_float_blocks);
}

/* Zeros of both signs, and weights, activations and sums around the least normal float: rows and
 * outputs have their own scales. */
static void product_make_small(struct product *p, uint64_t *seed)
{
    uint16_t *w = p->memory.data;
    for (size_t o = 0; o < (size_t)p->w.rows && p->w.type != QT_F32; o++)
        for (size_t i = 0; i < (size_t)p->w.cols; i++, w++) {
            const uint32_t bits = random_bits(seed), exponent = 8 * o % 128 + bits / 256 % 8;
            *w = (uint16_t)(bits & (p->w.type == QT_F16 ? 0x8fff : 0x807f));
            if (p->w.type == QT_BF16) *w |= (uint16_t)(exponent << 7);
            if (bits >> 29 == 0) *w &= 0x8000;
        }
    for (size_t i = 0; i < (size_t)p->n * p->ldx; i++) {
        const int scale = (int)(i / p->ldx) * 13 % 143 + (int)(random_bits(seed) % 12);
        p->x[i] = random_bits(seed) % 8 ? ldexpf(random_normal(seed), -scale) : -0.0f;
    }
}

/* A kernel leaves the mode of the vectors as it was. */
static void check_mode(void)
{
    volatile float small = 0x1p-130f;
    assert_true(small * 0.5f * 0x1p100f == 0x1p-31f);
}

struct pieces {
    int rows, cols, n;
    bool small;
};

/* The same bits row by row, few rows by few and range by range; nothing outside the range is
 * written. */
static void check_pieces(const struct kern *k, enum quant_type type, struct pieces c)
{
    uint64_t seed = 2;
    struct product p = product_make(type, c.rows, c.cols, c.n, GUARD_AFTER, &seed);
    if (c.small) product_make_small(&p, &seed);
    struct guard panels = pack_weights(k, &p.w, GUARD_AFTER);
    k->matmul_f32(&p.w, p.x, p.ldx, p.n, 0, c.rows, p.y, p.ldy);
    float *piece = aligned((size_t)p.n * p.ldy, sizeof *piece);
    const size_t bytes = (size_t)p.n * p.ldy * sizeof *piece;
    for (size_t r = 0; r < (size_t)p.n; r++) {
        float *y = piece + r * p.ldy;
        k->matmul_f32(&p.w, p.x + r * p.ldx, p.ldx, 1, 0, 5, y, p.ldy);
        k->matmul_f32(&p.w, p.x + r * p.ldx, p.ldx, 1, 5, 6, y, p.ldy);
        assert_true(y[6] == 0 && y[c.rows - 1] == 0);
        k->matmul_f32(&p.w, p.x + r * p.ldx, p.ldx, 1, 6, c.rows, y, p.ldy);
    }
    assert_memory_equal(piece, p.y, bytes);
    for (int from = 0; from < c.n; from += from % 2 ? 18 : 7) /* several rows at a time */
        k->matmul_f32(&p.w, p.x + (size_t)from * p.ldx, p.ldx, c.n - from, 3, c.rows - 2,
                      piece + (size_t)from * p.ldy, p.ldy);
    assert_memory_equal(piece, p.y, bytes);
    memset(piece, 0, bytes);
    for (int from = 0, n = 2; from < c.n; from += n, n = n % 5 + 1) {
        if (n > c.n - from) n = c.n - from;
        k->matmul_f32(&p.w, p.x + (size_t)from * p.ldx, p.ldx, n, 0, c.rows,
                      piece + (size_t)from * p.ldy, p.ldy);
    }
    assert_memory_equal(piece, p.y, bytes);
    check_mode();
    free(piece);
    panels_free(panels);
    product_free(&p);
}

static void check_float_matmul_bits(const struct kern *k)
{
    for (int t = 0; t < 3; t++) {
        check_pieces(k, float_types[t], (struct pieces){77, 100, 13, false});
        check_pieces(k, float_types[t], (struct pieces){530, 161, 70, false});
        check_pieces(k, float_types[t], (struct pieces){70, 4133, 7, false});
        check_pieces(k, float_types[t], (struct pieces){135, 61, 47, true});
    }
}

static void float_matmul_is_bit_identical(void **state)
{
    (void)state;
    for_each_level(check_float_matmul_bits);
}

/* Weights of any alignment: a file's tensors need only be 1-byte aligned for us. */
static void check_float_matmul_unaligned(const struct kern *k)
{
    uint64_t seed = 3;
    for (int t = 0; t < 3; t++) {
        struct product p = product_make(float_types[t], 9, 65, 3, GUARD_AFTER, &seed);
        struct guard straight = pack_weights(k, &p.w, GUARD_AFTER);
        k->matmul_f32(&p.w, p.x, p.ldx, 3, 0, 9, p.y, p.ldy);
        uint8_t *odd = malloc(p.w.row_bytes * 9 + 1);
        assert_non_null(odd);
        memcpy(odd + 1, p.w.data, p.w.row_bytes * 9);
        struct kern_weight w = p.w;
        w.data = odd + 1;
        struct guard panels = pack_weights(k, &w, GUARD_AFTER);
        float *y = aligned(3 * p.ldy, sizeof *y);
        k->matmul_f32(&w, p.x, p.ldx, 3, 0, 9, y, p.ldy);
        assert_memory_equal(y, p.y, 3 * p.ldy * sizeof *y);
        free(y);
        free(odd);
        panels_free(straight);
        panels_free(panels);
        product_free(&p);
    }
}

static void float_matmul_takes_any_alignment(void **state)
{
    (void)state;
    check_float_matmul_unaligned(reference());
    for_each_level(check_float_matmul_unaligned);
}

/* A 1 among zeros finds every weight there is, and every activation, without a rounding. */
static void check_exact(const struct kern *k, enum quant_type type)
{
    enum { ROWS = 32, COLS = 2048 };
    uint64_t seed = 12;
    struct product p = product_make(type, ROWS, COLS, 1, GUARD_AFTER, &seed);
    uint8_t *data = p.memory.data;
    if (type != QT_F32)
        for (size_t i = 0; i < (size_t)ROWS * COLS; i++)
            memcpy(data + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    float *w = aligned((size_t)ROWS * COLS, sizeof *w);
    for (size_t o = 0; o < ROWS; o++)
        quant_decode_row(type, data + o * p.w.row_bytes, w + o * COLS, COLS);
    for (size_t i = 0; i < (size_t)ROWS * COLS; i++)
        if (!isfinite(w[i]) || (w[i] != 0 && fabsf(w[i]) < 0x1p-100f)) {
            memset(data + i * p.w.row_bytes / COLS, 0, p.w.row_bytes / COLS);
            w[i] = 0;
        }
    struct guard panels = pack_weights(k, &p.w, GUARD_AFTER);
    memset(p.x, 0, COLS * sizeof *p.x);
    for (int i = 0; i < COLS; i++) {
        p.x[i] = i % 2 ? 1 : -1;
        k->matmul_f32(&p.w, p.x, p.ldx, 1, 0, ROWS, p.y, p.ldy);
        for (size_t o = 0; o < ROWS; o++) assert_true(p.y[o] == p.x[i] * w[o * COLS + (size_t)i]);
        p.x[i] = 0;
    }
    panels_free(panels);
    free(w);
    product_free(&p);
}

static void check_exact_activations(const struct kern *k, enum quant_type type)
{
    uint64_t seed = 13;
    struct product p = product_make(type, 3, 40, 1, GUARD_AFTER, &seed);
    const float two = 2;
    const uint16_t half = type == QT_F16 ? quant_f32_to_f16(two) : quant_f32_to_bf16(two);
    memset(p.memory.data, 0, 3 * p.w.row_bytes);
    memcpy((uint8_t *)p.memory.data + 17 * (p.w.row_bytes / 40),
           type == QT_F32 ? (const void *)&two : &half, p.w.row_bytes / 40);
    struct guard panels = pack_weights(k, &p.w, GUARD_AFTER);
    for (int i = 0; i < 10000; i++) {
        p.x[17] = ldexpf(random_normal(&seed), i % 100 - 50);
        k->matmul_f32(&p.w, p.x, p.ldx, 1, 0, 3, p.y, p.ldy);
        assert_true(p.y[0] == 2 * p.x[17] && p.y[1] == 0);
    }
    panels_free(panels);
    product_free(&p);
}

static void check_float_exact(const struct kern *k)
{
    for (int t = 0; t < 3; t++) {
        check_exact(k, float_types[t]);
        check_exact_activations(k, float_types[t]);
    }
}

static void float_matmul_is_exact_where_floats_are(void **state)
{
    (void)state;
    for_each_level(check_float_exact);
}

/* What is not finite reaches every output of its row, and no other row. */
static void check_float_poison(const struct kern *k)
{
    static const float poisons[] = {NAN, INFINITY, -INFINITY};
    uint64_t seed = 14;
    for (int t = 0; t < 3; t++)
        for (int n = 1; n <= 35; n += 17) {
            struct product p = product_make(float_types[t], 35, 70, n, GUARD_AFTER, &seed);
            struct guard panels = pack_weights(k, &p.w, GUARD_AFTER);
            const size_t bytes = (size_t)n * p.ldy * sizeof *p.y, row = (size_t)n / 2;
            float *clean = aligned((size_t)n * p.ldy, sizeof *clean);
            k->matmul_f32(&p.w, p.x, p.ldx, n, 0, 35, clean, p.ldy);
            p.x[row * p.ldx + (n % 3 ? 69 : 5)] = poisons[(n + t) % 3];
            k->matmul_f32(&p.w, p.x, p.ldx, n, 0, 35, p.y, p.ldy);
            for (size_t o = 0; o < 35; o++) assert_false(isfinite(p.y[row * p.ldy + o]));
            memcpy(p.y + row * p.ldy, clean + row * p.ldy, 35 * sizeof *clean);
            assert_memory_equal(p.y, clean, bytes);
            free(clean);
            panels_free(panels);
            product_free(&p);
        }
}

static void poison_reaches_its_row(void **state)
{
    (void)state;
    check_float_poison(reference());
    for_each_level(check_float_poison);
}

/* AMX has its own product of F16 and BF16 weights; all others have the bits of AVX-512. */
static void tiles_serve_halves_alone(void **state)
{
    (void)state;
    const struct kern *vectors = kern_table(KERN_AVX512), *tiles = kern_table(KERN_AMX);
    skip_without(KERN_AMX);
    uint64_t seed = 15;
    for (int t = 0; t < 3; t++) {
        struct product p = product_make(float_types[t], 41, 300, 33, GUARD_AFTER, &seed);
        struct guard panels = pack_weights(tiles, &p.w, GUARD_AFTER);
        float *y = aligned((size_t)p.n * p.ldy, sizeof *y);
        vectors->matmul_f32(&p.w, p.x, p.ldx, p.n, 0, 41, y, p.ldy);
        tiles->matmul_f32(&p.w, p.x, p.ldx, p.n, 0, 41, p.y, p.ldy);
        const int differ = memcmp(y, p.y, (size_t)p.n * p.ldy * sizeof *y) != 0;
        assert_int_equal(differ, float_types[t] != QT_F32);
        free(y);
        panels_free(panels);
        product_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_matmul_matches_reference),
        cmocka_unit_test(float_matmul_is_bit_identical),
        cmocka_unit_test(float_matmul_takes_any_alignment),
        cmocka_unit_test(float_matmul_is_exact_where_floats_are),
        cmocka_unit_test(poison_reaches_its_row),
        cmocka_unit_test(tiles_serve_halves_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
