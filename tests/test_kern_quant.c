/* The quantised matrix product and the quantisation of activations, every level and type. */
#include "kern_test.h"

/* Error of an output, as a part of the sum of the absolute products it adds. */
static const double QUANT_CEILING = 1.5e-7;
/* The reference against doubles over quant_decode_row, whose floats are rounded once more. */
static const double DECODE_CEILING = 2e-7;

static const enum quant_type types[] = {QT_Q4_0,   QT_Q4_1, QT_Q5_0, QT_Q5_1, QT_Q8_0, QT_IQ4_NL,
                                        QT_IQ4_XS, QT_Q2_K, QT_Q3_K, QT_Q4_K, QT_Q5_K, QT_Q6_K};
enum { TYPES = sizeof types / sizeof *types };

/* ---- matrices -------------------------------------------------------------------------------- */

/* Where the half floats of a block lie: its scale, and its minimum or -1. */
static void half_places(enum quant_type type, int *scale, int *min)
{
    *scale = 0;
    *min = -1;
    switch (type) {
    case QT_Q4_1:
    case QT_Q5_1:
    case QT_Q4_K:
    case QT_Q5_K: *min = 2; break;
    case QT_Q2_K:
        *scale = (int)offsetof(struct q2_k, d);
        *min = (int)offsetof(struct q2_k, dmin);
        break;
    case QT_Q3_K: *scale = (int)offsetof(struct q3_k, d); break;
    case QT_Q6_K: *scale = (int)offsetof(struct q6_k, d); break;
    default: break;
    }
}

struct matrix {
    struct kern_weight w;
    struct guard memory;
};

/* Random bytes with the given half floats, or random ones of either sign when NAN. */
static struct matrix matrix_make(enum quant_type type, int rows, int cols, float scale, float min,
                                 enum guard_side side, uint64_t *seed)
{
    size_t row = quant_row_bytes(type, (uint64_t)cols), all = row * (size_t)rows;
    struct matrix m = {.memory = guard_alloc(all, side)};
    m.w = (struct kern_weight){type, rows, cols, row, m.memory.data, NULL};
    uint8_t *bytes = m.memory.data;
    int scale_at, min_at;
    half_places(type, &scale_at, &min_at);
    for (size_t i = 0; i < all; i++) bytes[i] = (uint8_t)random_bits(seed);
    for (size_t b = 0; b < all; b += quant_info(type)->bytes) {
        float s = isnan(scale) ? random_unit(seed) * 0.01f : scale;
        float t = isnan(min) ? random_unit(seed) * 0.01f : min;
        uint16_t h = quant_f32_to_f16(s);
        memcpy(bytes + b + scale_at, &h, sizeof h);
        h = quant_f32_to_f16(t);
        if (min_at >= 0) memcpy(bytes + b + min_at, &h, sizeof h);
    }
    return m;
}

/* Quantise rows of x with one level; x itself stays with the caller. */
static struct kern_q8 quantized(const struct kern *k, const float *x, int n, int cols)
{
    size_t all = KERN_Q8_STRIDE(cols) * (size_t)n;
    struct kern_q8 q = {aligned(all, 1), aligned(all / 32, sizeof(float)),
                        aligned(all / 16, sizeof(float)), aligned(all / 16, sizeof(int32_t))};
    for (int r = 0; r < n; r++)
        k->quantize(x + (size_t)r * (size_t)cols, cols, kern_q8_row(q, cols, r));
    return q;
}

static void quantized_free(struct kern_q8 q)
{
    free(q.q);
    free(q.d);
    free(q.s);
    free(q.t);
}

static float *normal_rows(int n, int cols, uint64_t *seed)
{
    float *x = aligned((size_t)n * (size_t)cols, sizeof *x);
    for (size_t i = 0; i < (size_t)n * (size_t)cols; i++) x[i] = random_normal(seed);
    return x;
}

static float *product(const struct kern *k, const struct kern_weight *weight, const float *x, int n)
{
    struct kern_weight w = *weight;
    struct guard panels = pack_weights(k, &w, n % 2 ? GUARD_AFTER : GUARD_BEFORE);
    size_t ldy = (size_t)w.rows;
    float *y = aligned((size_t)n * ldy, sizeof *y);
    struct kern_q8 q = quantized(k, x, n, w.cols);
    k->matmul(&w, q, n, 0, w.rows, y, ldy);
    quantized_free(q);
    panels_free(panels);
    return y;
}

/* ---- the reference --------------------------------------------------------------------------- */

/* One output by doubles over decoded weights and dequantised activations (which lie in natural
 * order in the reference), and the sum of its absolute products with weights split as the types
 * split them: a minimum and a multiple. The size of the multiple is not visible in a decoded
 * weight; twice the weight and a minimum of the row bound it well enough. */
struct output {
    double value, size;
};

static struct output output_of(const struct kern_weight *w, int o, const struct kern_q8 *q, int r)
{
    struct output out = {0, 0};
    size_t stride = KERN_Q8_STRIDE(w->cols);
    const int8_t *qx = q->q + (size_t)r * stride;
    const float *dx = q->d + (size_t)r * stride / 32;
    float *row = aligned((size_t)w->cols, sizeof *row);
    quant_decode_row(w->type, w->data + (size_t)o * w->row_bytes, row, (size_t)w->cols);
    double largest = 0;
    for (int k = 0; k < w->cols; k++) largest = fmax(largest, fabs((double)row[k]));
    for (int k = 0; k < w->cols; k++) {
        double x = (double)dx[k / 32] * qx[k];
        out.value += (double)row[k] * x;
        out.size += (fabs((double)row[k]) + largest) * fabs(x);
    }
    free(row);
    return out;
}

static void reference_matches_decoded_weights(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int t = 0; t < TYPES; t++) {
        int cols = quant_info(types[t])->block == 32 ? 352 : 768;
        struct matrix m = matrix_make(types[t], 5, cols, NAN, NAN, GUARD_AFTER, &seed);
        float *x = normal_rows(3, cols, &seed), *y = product(reference(), &m.w, x, 3);
        struct kern_q8 q = quantized(reference(), x, 3, cols);
        for (int r = 0; r < 3; r++)
            for (int o = 0; o < 5; o++) {
                struct output want = output_of(&m.w, o, &q, r);
                double error = fabs((double)y[r * 5 + o] - want.value);
                assert_true(error <= DECODE_CEILING * want.size);
            }
        quantized_free(q);
        free(x);
        free(y);
        guard_free(m.memory);
    }
}

/* ---- levels against the reference ------------------------------------------------------------ */

static void check_shape(const struct kern *k, enum quant_type type, int rows, int cols, int n,
                        enum guard_side side, uint64_t *seed)
{
    struct matrix m = matrix_make(type, rows, cols, NAN, NAN, side, seed);
    float *x = normal_rows(n, cols, seed);
    float *got = product(k, &m.w, x, n), *want = product(reference(), &m.w, x, n);
    struct kern_q8 q = quantized(reference(), x, n, cols);
    for (int r = 0; r < n; r++)
        for (int o = 0; o < rows; o++) {
            double error = fabs((double)got[r * rows + o] - (double)want[r * rows + o]);
            double size = output_of(&m.w, o, &q, r).size;
            if (error > QUANT_CEILING * size)
                fail_msg("%s %s rows %d cols %d n %d: error %g of %g", k->name,
                         quant_info(type)->name, rows, cols, n, error, size);
        }
    quantized_free(q);
    free(x);
    free(got);
    free(want);
    guard_free(m.memory);
}

static void check_shapes(const struct kern *k)
{
    static const int cols[] = {32, 64, 96, 160, 224, 256, 288, 512, 576, 864, 2304, 5120};
    uint64_t seed = 2;
    for (int t = 0; t < TYPES; t++)
        for (size_t c = 0; c < sizeof cols / sizeof *cols; c++) {
            if (cols[c] % quant_info(types[t])->block) continue;
            for (int n = 1; n <= 17; n += cols[c] > 600 ? 7 : n < 9 ? 1 : 4)
                check_shape(k, types[t], 1 + (n * 7 + t) % 19 + n / 8 * 24, cols[c], n,
                            n % 2 ? GUARD_AFTER : GUARD_BEFORE, &seed);
        }
}

/* Where strips of rows end, for kernels that have them, over panels of which the last is not
 * whole. */
static void check_blocks(const struct kern *k)
{
    static const int n[] = {24, 31, 33, 48, 63, 64, 65, 70, 130}, rows[] = {31, 33, 64, 97};
    uint64_t seed = 13;
    for (int t = 0; t < TYPES; t++)
        for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
            const size_t other = i + (size_t)t;
            const int cols = quant_info(types[t])->block * (int)(1 + other % 3);
            check_shape(k, types[t], rows[other % 4], cols, n[i],
                        other % 2 ? GUARD_AFTER : GUARD_BEFORE, &seed);
        }
}

static void levels_match_reference(void **state)
{
    (void)state;
    for_each_level(check_shapes);
    for_each_level(check_blocks);
}

/* With scales of 1 and small integers for activations every partial sum is an integer below 2^24,
 * so that floats are exact and any order of additions gives the reference's bits. */
static void check_integers(const struct kern *k)
{
    uint64_t seed = 3;
    for (int t = 0; t < TYPES; t++)
        for (int cols = 256; cols <= 512; cols += 256) {
            struct matrix m = matrix_make(types[t], 33, cols, 1, 1, GUARD_AFTER, &seed);
            float *x = aligned(9 * (size_t)cols, sizeof *x);
            for (int i = 0; i < 9 * cols; i++)
                x[i] = i % 32 == 5 ? 127 : (float)((int)(random_bits(&seed) % 5) - 2);
            float *got = product(k, &m.w, x, 9), *want = product(reference(), &m.w, x, 9);
            for (int i = 0; i < 9 * 33; i++) {
                assert_true(fabsf(want[i]) < 0x1p24f);
                assert_true(got[i] == want[i]);
            }
            free(x);
            free(got);
            free(want);
            guard_free(m.memory);
        }
}

static void integers_are_exact(void **state)
{
    (void)state;
    for_each_level(check_integers);
}

/* The largest sums a group can have, of weights only a hostile file holds: nothing may saturate. */
static void check_largest(const struct kern *k)
{
    static const int8_t extremes[] = {-128, 127, -127, 1};
    uint64_t seed = 4;
    for (size_t e = 0; e < sizeof extremes; e++) {
        struct matrix m = matrix_make(QT_Q8_0, 3, 32, 1, 0, GUARD_AFTER, &seed);
        for (int o = 0; o < 3; o++)
            memset((uint8_t *)m.memory.data + (size_t)o * m.w.row_bytes + 2, extremes[e], 32);
        float x[2][32];
        for (int i = 0; i < 32; i++) {
            x[0][i] = 127;
            x[1][i] = -127;
        }
        float *y = product(k, &m.w, &x[0][0], 2);
        for (int o = 0; o < 3; o++) {
            assert_true(y[o] == 127.f * 32 * extremes[e]);
            assert_true(y[3 + o] == -127.f * 32 * extremes[e]);
        }
        free(y);
        guard_free(m.memory);
    }
}

/* All bits set, all bits clear: the ends of every type, times the ends of activations, by as many
 * rows as take each of a level's ways. */
static void check_ends(const struct kern *k, enum quant_type type, int fill, int n)
{
    uint64_t seed = 5;
    const int cols = quant_info(type)->block;
    struct matrix m = matrix_make(type, 2, cols, 1, 1, GUARD_AFTER, &seed);
    int scale_at, min_at;
    half_places(type, &scale_at, &min_at);
    uint8_t *bytes = m.memory.data;
    for (size_t i = 0; i < 2 * m.w.row_bytes; i++) {
        int at = (int)(i % m.w.row_bytes);
        int half = at / 2 * 2 == scale_at || (min_at >= 0 && at / 2 * 2 == min_at);
        if (!half) bytes[i] = (uint8_t)fill;
    }
    float *x = aligned((size_t)(n * cols), sizeof *x);
    for (int i = 0; i < n * cols; i++) x[i] = i / cols % 2 ? 127 : -127;
    float *got = product(k, &m.w, x, n), *want = product(reference(), &m.w, x, n);
    for (int i = 0; i < n * 2; i += 2) {
        assert_true(fabsf(got[i] - want[i]) <= 4e-7f * fabsf(want[i]));
        assert_true(got[i] == got[i + 1]);
    }
    free(x);
    free(got);
    free(want);
    guard_free(m.memory);
}

static void check_all_ends(const struct kern *k)
{
    static const int rows[] = {1, 2, 4, 5, 17};
    for (int t = 0; t < TYPES; t++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            check_ends(k, types[t], 0, rows[i]);
            check_ends(k, types[t], 255, rows[i]);
        }
}

static void largest_sums_do_not_saturate(void **state)
{
    (void)state;
    for_each_level(check_largest);
    for_each_level(check_all_ends);
}

/* Scales a hostile file may hold. Subnormal ones count exactly; others only must not crash, and
 * must not look like numbers. */
static void check_scales(const struct kern *k)
{
    uint64_t seed = 5;
    for (int t = 0; t < TYPES; t++) {
        int cols = quant_info(types[t])->block;
        float *x = aligned((size_t)cols, sizeof *x);
        for (int i = 0; i < cols; i++)
            x[i] = i % 32 == 5 ? 127 : (float)((int)(random_bits(&seed) % 5) - 2);
        struct matrix m = matrix_make(types[t], 3, cols, 0x1p-24f, 0x1p-24f, GUARD_AFTER, &seed);
        float *got = product(k, &m.w, x, 1), *want = product(reference(), &m.w, x, 1);
        for (int o = 0; o < 3; o++) assert_true(got[o] == want[o] && fabsf(want[o]) < 1);
        free(got);
        free(want);
        guard_free(m.memory);
        const float bad[] = {INFINITY, -INFINITY};
        for (int i = 0; i < 2; i++) {
            m = matrix_make(types[t], 3, cols, bad[i], bad[i], GUARD_AFTER, &seed);
            got = product(k, &m.w, x, 1);
            for (int o = 0; o < 3; o++) assert_false(isfinite(got[o]));
            free(got);
            guard_free(m.memory);
        }
        free(x);
    }
}

static void hostile_scales_are_harmless(void **state)
{
    (void)state;
    check_scales(reference());
    for_each_level(check_scales);
}

/* ---- levels of the same bits ----------------------------------------------------------------- */

/* Two levels agree bit for bit for n rows. With `fill` all bytes of the weights are the same. */
static void check_same(enum kern_level one, enum kern_level other, enum quant_type type, int n,
                       int fill, uint64_t *seed)
{
    /* With many rows as many outputs as are not multiplied in one go. */
    const int cols = quant_info(type)->block == 32 ? 352 : 768, rows = n < 63 ? 41 : 553;
    struct matrix m = matrix_make(type, rows, cols, NAN, NAN, GUARD_AFTER, seed);
    if (fill >= 0) memset(m.memory.data, fill, (size_t)rows * m.w.row_bytes);
    float *x = normal_rows(n, cols, seed);
    float *got = product(kern_table(one), &m.w, x, n),
          *want = product(kern_table(other), &m.w, x, n);
    if (memcmp(got, want, (size_t)n * (size_t)rows * sizeof *got))
        fail_msg("%s: %d rows differ, weights %s", quant_info(type)->name, n,
                 fill >= 0 ? "of one byte" : "at random");
    free(x);
    free(got);
    free(want);
    guard_free(m.memory);
}

/* One panel and two in turn, whole tiles and what is left, in one block of rows and in two. */
static void tiles_equal_vectors(void **state)
{
    (void)state;
    uint64_t seed = 11;
    skip_without(KERN_AMX);
    for (int t = 0; t < TYPES; t++) {
        for (int n = 1; n <= 33; n++) check_same(KERN_AMX, KERN_AVX512, types[t], n, -1, &seed);
        for (int n = 63; n <= 82; n += 19)
            check_same(KERN_AMX, KERN_AVX512, types[t], n, -1, &seed);
        check_same(KERN_AMX, KERN_AVX512, types[t], 16, 0x78, &seed);
        check_same(KERN_AMX, KERN_AVX512, types[t], 17, 0x00, &seed);
    }
}

/* One instruction or two for four products. */
static void vnni_equals_avx2(void **state)
{
    (void)state;
    uint64_t seed = 12;
    skip_without(KERN_AVXVNNI);
    for (int t = 0; t < TYPES; t++) {
        for (int n = 1; n <= 9; n++) check_same(KERN_AVXVNNI, KERN_AVX2, types[t], n, -1, &seed);
        for (int n = 16; n <= 66; n += 10)
            check_same(KERN_AVXVNNI, KERN_AVX2, types[t], n, -1, &seed);
        check_same(KERN_AVXVNNI, KERN_AVX2, types[t], 3, 0x78, &seed);
        check_same(KERN_AVXVNNI, KERN_AVX2, types[t], 3, 0x00, &seed);
    }
}

/* ---- the promise ----------------------------------------------------------------------------- */

/* The same bits whatever rows stand beside and however outputs are split; nothing else is written.
 */
static void check_bits(const struct kern *k, enum quant_type type, int cols, uint64_t *seed)
{
    enum { ROWS = 77, N = 67, LDY = 81 };
    static const int taken[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 31, 33, 64, 65};
    struct matrix m = matrix_make(type, ROWS, cols, NAN, NAN, GUARD_AFTER, seed);
    struct guard panels = pack_weights(k, &m.w, GUARD_AFTER);
    float *x = normal_rows(N, cols, seed);
    struct kern_q8 q = quantized(k, x, N, cols);
    float *all = aligned(N * LDY, sizeof *all), *part = aligned(N * LDY, sizeof *part);
    k->matmul(&m.w, q, N, 0, ROWS, all, LDY);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const int n = taken[i];
        memset(part, 0, N * LDY * sizeof *part);
        for (int r = 0; r < N; r += n) {
            struct kern_q8 from = kern_q8_row(q, cols, r);
            float *y = part + r * LDY;
            int rows = N - r < n ? N - r : n, split = 1 + (n * 5 + r) % (ROWS - 2);
            k->matmul(&m.w, from, rows, 0, split, y, LDY);
            assert_true(y[split] == 0 && y[ROWS] == 0);
            k->matmul(&m.w, from, rows, split, split + 1, y, LDY);
            k->matmul(&m.w, from, rows, split + 1, ROWS, y, LDY);
        }
        if (memcmp(all, part, N * LDY * sizeof *part))
            fail_msg("%s %s cols %d: rows taken %d at a time differ from %d at a time", k->name,
                     quant_info(type)->name, cols, n, N);
    }
    quantized_free(q);
    free(all);
    free(part);
    free(x);
    panels_free(panels);
    guard_free(m.memory);
}

static void check_all_bits(const struct kern *k)
{
    uint64_t seed = 6;
    for (int t = 0; t < TYPES; t++) {
        check_bits(k, types[t], 512, &seed);
        check_bits(k, types[t], 5120, &seed);
        if (quant_info(types[t])->block == 32) check_bits(k, types[t], 864, &seed);
        if (quant_info(types[t])->block == 32) check_bits(k, types[t], 96, &seed);
    }
}

static void rows_and_ranges_do_not_matter(void **state)
{
    (void)state;
    check_bits(reference(), QT_Q4_0, 96, (uint64_t[]){7});
    for_each_level(check_all_bits);
}

/* ---- quantising ------------------------------------------------------------------------------ */

/* What a level made of a row, read through weights that are one at one place: d[k/32] * q[k]. */
static void read_back(const struct kern *k, const float *x, int cols, float *values)
{
    uint8_t *eye = calloc((size_t)cols, quant_row_bytes(QT_Q8_0, (uint64_t)cols));
    size_t row = quant_row_bytes(QT_Q8_0, (uint64_t)cols);
    for (int i = 0; i < cols; i++) {
        uint16_t one = quant_f32_to_f16(1);
        for (int b = 0; b < cols / 32; b++) /* scales of all blocks, so that NaN shows */
            memcpy(eye + (size_t)i * row + (size_t)b * 34, &one, sizeof one);
        eye[(size_t)i * row + (size_t)(i / 32) * 34 + 2 + (size_t)(i % 32)] = 1;
    }
    struct kern_weight w = {QT_Q8_0, cols, cols, row, eye, NULL};
    float *y = product(k, &w, x, 1);
    memcpy(values, y, (size_t)cols * sizeof *values);
    free(y);
    free(eye);
}

static void check_quantize(const struct kern *k)
{
    enum { COLS = 352 };
    uint64_t seed = 8;
    for (int round = 0; round < 20; round++) {
        float *x = normal_rows(1, COLS, &seed), got[COLS], want[COLS];
        for (int i = 0; i < 32; i++) {
            x[i] = i ? (float)i * 0.5f : 127;           /* ties, to even */
            x[32 + i] = 0;                              /* nothing to divide by */
            x[64 + i] = random_unit(&seed) * 1e-40f;    /* 127/max is not a float */
            x[96 + i] = random_unit(&seed) * 0x1p-119f; /* but here it is */
            x[128 + i] = random_unit(&seed) * 1e36f;
        }
        read_back(k, x, COLS, got);
        read_back(reference(), x, COLS, want);
        assert_memory_equal(got, want, sizeof got);
        assert_true(got[1] == 0 && got[2] == 1 && got[3] == 2 && got[5] == 2 && got[7] == 4);
        assert_true(got[40] == 0 && got[70] == 0);
        for (int i = 160; i < COLS; i++) assert_true(fabsf(got[i] - x[i]) < 6.0f / 250);
        free(x);
    }
}

static void quantising_is_exact(void **state)
{
    (void)state;
    check_quantize(reference());
    for_each_level(check_quantize);
}

/* Sums of sixteen, read through weights that are all minimum: w = 0 q + m. */
static void check_sums(const struct kern *k)
{
    enum { COLS = 352 };
    uint64_t seed = 9;
    struct matrix m = matrix_make(QT_Q4_1, 1, COLS, 0, 1, GUARD_AFTER, &seed);
    float *x = aligned(COLS, sizeof *x);
    for (int i = 0; i < COLS; i++)
        x[i] = i % 32 == 9 ? 127 : (float)((int)(random_bits(&seed) % 200) - 100);
    float want = 0;
    for (int i = 0; i < COLS; i++) want += x[i];
    float *y = product(k, &m.w, x, 1);
    assert_true(y[0] == want);
    free(y);
    free(x);
    guard_free(m.memory);
}

static void sums_are_exact(void **state)
{
    (void)state;
    check_sums(reference());
    for_each_level(check_sums);
}

/* One NaN or infinity in a row spoils its outputs and no other row's. */
static void poison_one(const struct kern *k, enum quant_type type, int n, float poison, int at)
{
    enum { COLS = 288 };
    uint64_t seed = 10;
    struct matrix m = matrix_make(type, 2, COLS, NAN, NAN, GUARD_AFTER, &seed);
    float *x = normal_rows(n, COLS, &seed);
    x[at] = poison;
    float *y = product(k, &m.w, x, n);
    for (int i = 0; i < 2 * n; i++) assert_true(i < 2 ? isnan(y[i]) : isfinite(y[i]));
    free(y);
    free(x);
    guard_free(m.memory);
}

static void check_poison(const struct kern *k)
{
    const float poison[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        for (int at = 0; at < 288; at += 57) {
            poison_one(k, QT_Q4_1, 2, poison[i], at);
            poison_one(k, QT_Q5_0, 6, poison[i], at);
            poison_one(k, QT_Q8_0, 20, poison[i], at);
        }
}

static void poison_spreads(void **state)
{
    (void)state;
    check_poison(reference());
    for_each_level(check_poison);
}

static void packing_keeps_size(void **state)
{
    (void)state;
    for (int t = 0; t < TYPES; t++) {
        size_t file = quant_row_bytes(types[t], 512) * 32, panel = pack_panel_bytes(types[t], 512);
        assert_true(panel % 64 == 0 && panel >= file);
        /* Scales of 4 and 6 bits become bytes; Q2_K has the most of them. */
        assert_true(panel <= file + file / (types[t] == QT_Q2_K ? 5 : 25));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_matches_decoded_weights),
        cmocka_unit_test(packing_keeps_size),
        cmocka_unit_test(levels_match_reference),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(largest_sums_do_not_saturate),
        cmocka_unit_test(hostile_scales_are_harmless),
        cmocka_unit_test(tiles_equal_vectors),
        cmocka_unit_test(vnni_equals_avx2),
        cmocka_unit_test(rows_and_ranges_do_not_matter),
        cmocka_unit_test(quantising_is_exact),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(poison_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
