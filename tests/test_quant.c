/* The block codecs: blocks small enough to check by hand, and a fingerprint of every type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "format/quant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const enum quant_type types[] = {QT_F32,  QT_F16,  QT_BF16, QT_Q4_0,   QT_Q4_1,
                                        QT_Q5_0, QT_Q5_1, QT_Q8_0, QT_Q2_K,   QT_Q3_K,
                                        QT_Q4_K, QT_Q5_K, QT_Q6_K, QT_IQ4_NL, QT_IQ4_XS};
enum { TYPES = sizeof types / sizeof *types };

enum { HALF_ONE = 0x3c00, HALF_TWO = 0x4000, HALF_HALF = 0x3800, HALF_MINUS_ONE = 0xbc00 };

/* ---- facts ----------------------------------------------------------------------------------- */

static void facts_match_the_format(void **state)
{
    (void)state;
    static const struct {
        enum quant_type type;
        const char *name;
        int block, bytes;
    } facts[] = {
        {QT_F32, "F32", 1, 4},       {QT_F16, "F16", 1, 2},         {QT_BF16, "BF16", 1, 2},
        {QT_Q4_0, "Q4_0", 32, 18},   {QT_Q4_1, "Q4_1", 32, 20},     {QT_Q5_0, "Q5_0", 32, 22},
        {QT_Q5_1, "Q5_1", 32, 24},   {QT_Q8_0, "Q8_0", 32, 34},     {QT_Q2_K, "Q2_K", 256, 84},
        {QT_Q3_K, "Q3_K", 256, 110}, {QT_Q4_K, "Q4_K", 256, 144},   {QT_Q5_K, "Q5_K", 256, 176},
        {QT_Q6_K, "Q6_K", 256, 210}, {QT_IQ4_NL, "IQ4_NL", 32, 18}, {QT_IQ4_XS, "IQ4_XS", 256, 136},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const struct quant_info *info = quant_info(facts[i].type);
        assert_non_null(info);
        assert_string_equal(info->name, facts[i].name);
        assert_int_equal(info->block, facts[i].block);
        assert_int_equal(info->bytes, facts[i].bytes);
    }
    assert_null(quant_info(4));
    assert_null(quant_info(QT_LIMIT));
    assert_null(quant_info(UINT32_MAX));
}

/* Types that are only named: their sizes as the gguf package has them. */
static void other_types_are_known(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        const char *name;
        int block, bytes;
    } facts[] = {
        {4, "Q4_2", 0, 0},       {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66},
        {17, "IQ2_XS", 256, 74}, {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
        {21, "IQ3_S", 256, 110}, {22, "IQ2_S", 256, 82},   {28, "F64", 1, 8},
        {29, "IQ1_M", 256, 56},  {31, "Q4_0_4_4", 32, 18}, {34, "TQ1_0", 256, 54},
        {35, "TQ2_0", 256, 66},  {39, "MXFP4", 32, 17},    {40, "NVFP4", 64, 36},
        {41, "Q1_0", 128, 18},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const struct quant_info *info = quant_known(facts[i].type);
        assert_non_null(info);
        assert_string_equal(info->name, facts[i].name);
        assert_int_equal(info->block, facts[i].block);
        assert_int_equal(info->bytes, facts[i].bytes);
        assert_null(quant_info(facts[i].type));
    }
    for (uint32_t type = 0; type < 42; type++) assert_non_null(quant_known(type));
    for (int i = 0; i < TYPES; i++) assert_ptr_equal(quant_known(types[i]), quant_info(types[i]));
    assert_null(quant_known(42));
    assert_null(quant_known(UINT32_MAX));
}

static void row_bytes_refuse_what_does_not_fit(void **state)
{
    (void)state;
    assert_int_equal(quant_row_bytes(QT_Q4_0, 64), 36);
    assert_int_equal(quant_row_bytes(QT_F32, 3), 12);
    assert_int_equal(quant_row_bytes(QT_Q4_0, 0), 0);
    assert_int_equal(quant_row_bytes(QT_Q4_0, 48), 0);
    assert_int_equal(quant_row_bytes(QT_Q6_K, 128), 0);
    assert_int_equal(quant_row_bytes(5, 32), 0);
    assert_int_equal(quant_row_bytes(QT_F32, UINT64_MAX), 0);
}

/* ---- blocks by hand -------------------------------------------------------------------------- */

static float decoded[QK_K];

static void decode_one(enum quant_type type, const void *block)
{
    quant_decode_row(type, block, decoded, quant_info(type)->block);
}

#define AT(k, want) assert_true(decoded[k] == (float)(want))

static void small_blocks_by_hand(void **state)
{
    (void)state;
    struct q4_0 a = {HALF_TWO, {0x1f, 0x80}};
    decode_one(QT_Q4_0, &a);
    AT(0, 14), AT(16, -14), AT(1, -16), AT(17, 0), AT(2, -16), AT(31, -16);

    struct q4_1 b = {HALF_TWO, HALF_MINUS_ONE, {0x1f, [15] = 0xf0}};
    decode_one(QT_Q4_1, &b);
    AT(0, 29), AT(16, 1), AT(1, -1), AT(31, 29), AT(15, -1);

    struct q5_0 c = {HALF_ONE, {0x01, 0x80, 0x02}, {0x1f, 0x20, [15] = 0x03}};
    decode_one(QT_Q5_0, &c);
    AT(0, 15), AT(16, -15), AT(15, 3), AT(17, 2), AT(31, -16), AT(2, -16);

    struct q5_1 d = {HALF_ONE, HALF_HALF, {0x01, 0x80, 0x02, 0x80}, {0x1f, 0x20, [15] = 0x43}};
    decode_one(QT_Q5_1, &d);
    AT(0, 31.5), AT(16, 1.5), AT(15, 19.5), AT(17, 18.5), AT(31, 20.5), AT(2, 0.5);

    struct q8_0 e = {HALF_HALF, {-128, 127, [31] = -1}};
    decode_one(QT_Q8_0, &e);
    AT(0, -64), AT(1, 63.5), AT(2, 0), AT(31, -0.5);

    struct iq4_nl f = {HALF_TWO, {0xf0, 0x78}};
    decode_one(QT_IQ4_NL, &f);
    AT(0, -254), AT(16, 226), AT(1, 2), AT(17, -20), AT(2, -254);
}

static void super_blocks_by_hand(void **state)
{
    (void)state;
    /* Group 1 (weights 32..63) sits two bits up in the first run; group 5 in the second. */
    struct q2_k a = {.d = HALF_TWO, .dmin = HALF_HALF, .scales = {[2] = 0x21, [11] = 0x4f}};
    a.qs[3] = 3 << 2;
    a.qs[32 + 20] = 2 << 2;
    decode_one(QT_Q2_K, &a);
    AT(35, 5), AT(34, -1), AT(0, 0), AT(5 * 32 + 20, 58), AT(5 * 32 + 21, -2);

    struct q3_k b = {.d =
                         HALF_ONE}; /* scales 0 are -32; a high bit that is set takes nothing off */
    b.hmask[7] = 1 << 6;
    b.qs[32 + 7] = 1 << 4;
    decode_one(QT_Q3_K, &b);
    AT(6 * 32 + 7, -32), AT(6 * 32 + 8, 128), AT(0, 128);

    struct q4_k c = {.d = HALF_ONE, .dmin = HALF_TWO};
    c.scales[1] = 5;        /* scale 1 */
    c.scales[5] = 3;        /* minimum 1 */
    c.scales[8 + 2] = 0x2b; /* scale 6: low 11; minimum 6: low 2 */
    c.scales[2] = 0x80;     /* scale 6: high 2 */
    c.scales[6] = 0x40;     /* minimum 6: high 1 */
    c.qs[4] = 0x70;
    c.qs[3 * 32 + 31] = 0x0d;
    decode_one(QT_Q4_K, &c);
    AT(36, 29), AT(37, -6), AT(4, 0), AT(6 * 32 + 31, 43 * 13 - 36), AT(6 * 32, -36);

    struct q5_k d = {.d = HALF_ONE, .dmin = HALF_ONE, .scales = {[1] = 2, [5] = 1}};
    d.qh[4] = 1 << 1;
    d.qs[4] = 0x70;
    decode_one(QT_Q5_K, &d);
    AT(36, 45), AT(37, -1), AT(4, 0);

    struct q6_k e = {.d = HALF_ONE, .scales = {[0] = 1, [3] = -2, [5] = 3, [12] = 1}};
    e.ql[32 + 17] = 0x9a; /* weights 49 (low) and 113 (high) of the first half */
    e.qh[17] = 0x04;      /* weight 49: high 1 */
    e.ql[64 + 1] = 0xf0;  /* weight 128 + 64 + 1 */
    e.qh[32 + 1] = 0x30;
    decode_one(QT_Q6_K, &e);
    AT(49, -2 * (26 - 32)), AT(48, 64), AT(0, -32), AT(80, -96), AT(193, 31), AT(192, -32);

    struct iq4_xs f = {.d = HALF_ONE, .scales_h = 2 << 2, .scales_l = {0x30}};
    f.qs[16] = 0xf8;
    decode_one(QT_IQ4_XS, &f);
    AT(32, 3), AT(48, 339), AT(33, -381), AT(0, 32 * 127);
}

static void packed_scales_by_hand(void **state)
{
    (void)state;
    uint8_t packed[12] = {0xff, 0, 0, 0, 0x3f, 0, 0, 0xc0, 0x21, 0, 0, 0x5a}, scale[8], min[8];
    const uint8_t want_scale[8] = {63, 0, 0, 0, 0x31, 0, 0, 0x0a};
    const uint8_t want_min[8] = {63, 0, 0, 0, 2, 0, 0, 0x35};
    quant_k4_scales(packed, scale, min);
    assert_memory_equal(scale, want_scale, 8);
    assert_memory_equal(min, want_min, 8);

    uint8_t three[12] = {0x21, [7] = 0xf0, [8] = 0xe4};
    int8_t want[16], got[16];
    memset(want, -32, sizeof want);
    want[0] = 1 - 32;
    want[8] = 0x22 - 32;
    want[15] = 0x0f - 32;
    want[4] = 0x10 - 32;
    want[12] = 0x30 - 32;
    quant_k3_scales(three, got);
    assert_memory_equal(got, want, sizeof got);
}

/* ---- fingerprints ---------------------------------------------------------------------------- */

/* Where half floats lie in a block: scale, minimum or -1. */
static void half_places(enum quant_type type, int place[2])
{
    place[0] = 0;
    place[1] = type == QT_Q4_1 || type == QT_Q5_1 || type == QT_Q4_K || type == QT_Q5_K ? 2 : -1;
    if (type == QT_Q2_K) place[0] = 80, place[1] = 82;
    if (type == QT_Q3_K) place[0] = 108;
    if (type == QT_Q6_K) place[0] = 208;
}

/* 1024 weights of pseudo-random bytes under ordinary scales, decoded from an odd address, and the
 * bits of the result hashed. When these were taken, the gguf package's NumPy decoder gave
 * the same bits for the same bytes; a change here is a change of meaning. */
static uint64_t fingerprint(enum quant_type type)
{
    enum { COLS = 1024 };
    size_t bytes = quant_row_bytes(type, COLS), block = quant_info(type)->bytes;
    uint8_t *memory = malloc(bytes + 1), *src = memory + 1;
    float *dst = malloc(COLS * sizeof *dst);
    uint32_t lcg = 12345;
    for (size_t i = 0; i < bytes; i++) {
        lcg = lcg * 1664525 + 1013904223;
        src[i] = (uint8_t)(lcg >> 24);
    }
    int place[2];
    half_places(type, place);
    for (size_t b = 0; b < bytes; b += block)
        for (int i = 0; i < 2 && quant_info(type)->block > 1; i++)
            if (place[i] >= 0) src[b + (size_t)place[i] + 1] = (uint8_t)(0x2c - 128 * i);
    quant_decode_row(type, src, dst, COLS);
    const uint64_t hash = hash_bytes(dst, COLS * sizeof *dst);
    free(memory);
    free(dst);
    return hash;
}

static void fingerprints_stay(void **state)
{
    (void)state;
    static const uint64_t want[QT_LIMIT] = {
        [QT_Q4_0] = 0xb5d632d073912224,   [QT_Q4_1] = 0x2acd45bd8b6d728a,
        [QT_Q5_0] = 0x29da1bd7e8d61d8d,   [QT_Q5_1] = 0xb6ad5d0080756800,
        [QT_Q8_0] = 0x6bbaf5a268c4ebee,   [QT_Q2_K] = 0xd5948aee27d4031f,
        [QT_Q3_K] = 0x28c398ea4836191f,   [QT_Q4_K] = 0x3d674b61e7d343cb,
        [QT_Q5_K] = 0x0ff28d548f4c9af2,   [QT_Q6_K] = 0x5693446418ba3c95,
        [QT_IQ4_NL] = 0x77e60052fff78042, [QT_IQ4_XS] = 0x1562d7c6156368c5,
    };
    for (int t = 0; t < TYPES; t++)
        if (types[t] != QT_F32 && types[t] != QT_F16 && types[t] != QT_BF16)
            assert_int_equal(fingerprint(types[t]), want[types[t]]);
}

/* ---- half floats ----------------------------------------------------------------------------- */

static void halves_round_trip(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = quant_f16_to_f32((uint16_t)h);
        if (isnan(f)) {
            assert_true((h & 0x7c00) == 0x7c00 && (h & 0x3ff));
            assert_true(isnan(quant_f16_to_f32(quant_f32_to_f16(f))));
        } else {
            assert_int_equal(quant_f32_to_f16(f), h);
        }
        float b = quant_bf16_to_f32((uint16_t)h);
        if (!isnan(b)) assert_int_equal(quant_f32_to_bf16(b), h);
        if (isnan(b)) assert_true(isnan(quant_bf16_to_f32(quant_f32_to_bf16(b))));
    }
}

/* Between two neighbours: below the middle down, above it up, the middle to the even one. */
static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x7bff; h++) {
        float low = quant_f16_to_f32((uint16_t)h), high = quant_f16_to_f32((uint16_t)(h + 1));
        float middle = low + (high - low) / 2;
        assert_int_equal(quant_f32_to_f16(middle), h + (h & 1));
        assert_int_equal(quant_f32_to_f16(nextafterf(middle, -1)), h);
        assert_int_equal(quant_f32_to_f16(nextafterf(middle, INFINITY)), h + 1);
        assert_int_equal(quant_f32_to_f16(-middle), 0x8000 | (h + (h & 1)));
    }
    assert_int_equal(quant_f32_to_f16(65519.996f), 0x7bff);
    assert_int_equal(quant_f32_to_f16(65520), 0x7c00);
    assert_int_equal(quant_f32_to_f16(-INFINITY), 0xfc00);
    for (uint32_t h = 0; h < 0x7f7f; h++) {
        uint32_t bits = h << 16 | 0x8000;
        float middle;
        memcpy(&middle, &bits, sizeof middle);
        assert_int_equal(quant_f32_to_bf16(middle), h + (h & 1));
        assert_int_equal(quant_f32_to_bf16(nextafterf(middle, -1)), h);
        assert_int_equal(quant_f32_to_bf16(nextafterf(middle, INFINITY)), h + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_match_the_format),
        cmocka_unit_test(other_types_are_known),
        cmocka_unit_test(row_bytes_refuse_what_does_not_fit),
        cmocka_unit_test(small_blocks_by_hand),
        cmocka_unit_test(super_blocks_by_hand),
        cmocka_unit_test(packed_scales_by_hand),
        cmocka_unit_test(fingerprints_stay),
        cmocka_unit_test(halves_round_trip),
        cmocka_unit_test(halves_round_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
