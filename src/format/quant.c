#include "format/quant.h"

#include "base/check.h"

#include <string.h>

const int8_t quant_iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                     1,    13,   25,  38,  53,  69,  89,  113};

/* ---- half precision ------------------------------------------------------------------------ */

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

enum { F32_QUIET = 0x400000, F32_INF = 0x7f800000 };

float quant_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31, mantissa = h & 0x3ff;
    if (exponent == 31) {
        uint32_t payload = mantissa ? mantissa << 13 | F32_QUIET : 0;
        return float_of(sign | F32_INF | payload);
    }
    if (exponent == 0) { /* zero or subnormal: mantissa units of 2^-24, exact in a float */
        float f = (float)mantissa * 0x1p-24f;
        return float_of(sign | bits_of(f));
    }
    return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t quant_f32_to_f16(float f)
{
    uint32_t bits = bits_of(f);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t size = bits & 0x7fffffff;
    if (size > F32_INF) return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    if (size >= 0x477ff000) return sign | 0x7c00; /* 65520 and up round to infinity */
    if (size < 0x38800000) {
        /* Below 2^-14 the result counts units of 2^-24, which is the last place of floats in
         * [0.5, 1): the addition rounds for us. */
        return (uint16_t)(sign | (bits_of(float_of(size) + 0.5f) - bits_of(0.5f)));
    }
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | (size - (112u << 23)) >> 13);
}

float quant_bf16_to_f32(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

uint16_t quant_f32_to_bf16(float f)
{
    uint32_t bits = bits_of(f);
    if ((bits & 0x7fffffff) > F32_INF) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* ---- floats -------------------------------------------------------------------------------- */

/* Every decode_* below turns one block at `src`, of any alignment, into its weights. */

static void decode_f32(const uint8_t *src, float *dst)
{
    memcpy(dst, src, sizeof *dst);
}

static void decode_f16(const uint8_t *src, float *dst)
{
    uint16_t h;
    memcpy(&h, src, sizeof h);
    *dst = quant_f16_to_f32(h);
}

static void decode_bf16(const uint8_t *src, float *dst)
{
    uint16_t h;
    memcpy(&h, src, sizeof h);
    *dst = quant_bf16_to_f32(h);
}

/* ---- blocks of 32 -------------------------------------------------------------------------- */

/* In the 4-bit types byte j holds weight j in its low half and weight j + 16 in its high half; the
 * 5-bit types keep the fifth bit of weight k as bit k of the little-endian qh. */
static int nibble(const uint8_t *qs, int k)
{
    return qs[k % 16] >> 4 * (k / 16) & 15;
}

static int fifth_bit(const uint8_t *qh, int k)
{
    return qh[k / 8] >> k % 8 & 1;
}

static void decode_q4_0(const uint8_t *src, float *dst)
{
    struct q4_0 b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d);
    for (int k = 0; k < QK; k++) dst[k] = d * (float)(nibble(b.qs, k) - 8);
}

static void decode_q4_1(const uint8_t *src, float *dst)
{
    struct q4_1 b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d), m = quant_f16_to_f32(b.m);
    for (int k = 0; k < QK; k++) dst[k] = d * (float)nibble(b.qs, k) + m;
}

static void decode_q5_0(const uint8_t *src, float *dst)
{
    struct q5_0 b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d);
    for (int k = 0; k < QK; k++)
        dst[k] = d * (float)(nibble(b.qs, k) + 16 * fifth_bit(b.qh, k) - 16);
}

static void decode_q5_1(const uint8_t *src, float *dst)
{
    struct q5_1 b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d), m = quant_f16_to_f32(b.m);
    for (int k = 0; k < QK; k++)
        dst[k] = d * (float)(nibble(b.qs, k) + 16 * fifth_bit(b.qh, k)) + m;
}

static void decode_q8_0(const uint8_t *src, float *dst)
{
    struct q8_0 b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d);
    for (int k = 0; k < QK; k++) dst[k] = d * (float)b.qs[k];
}

static void decode_iq4_nl(const uint8_t *src, float *dst)
{
    struct iq4_nl b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d);
    for (int k = 0; k < QK; k++) dst[k] = d * (float)quant_iq4_levels[nibble(b.qs, k)];
}

/* ---- super-blocks of 256 ------------------------------------------------------------------- */

void quant_k4_scales(const uint8_t packed[12], uint8_t scale[8], uint8_t min[8])
{
    for (int j = 0; j < 4; j++) {
        scale[j] = packed[j] & 63;
        min[j] = packed[j + 4] & 63;
        scale[j + 4] = (uint8_t)((packed[j + 8] & 15) | packed[j] >> 6 << 4);
        min[j + 4] = (uint8_t)(packed[j + 8] >> 4 | packed[j + 4] >> 6 << 4);
    }
}

void quant_k3_scales(const uint8_t packed[12], int8_t scale[16])
{
    for (int j = 0; j < 16; j++) {
        int low = packed[j % 8] >> 4 * (j / 8) & 15;
        int high = packed[8 + j % 4] >> 2 * (j / 4) & 3;
        scale[j] = (int8_t)((high << 4 | low) - 32);
    }
}

/* Weight k of a 2-bit plane: each run of 32 bytes holds four groups of 32, lowest bits first. */
static int two_bits(const uint8_t *qs, int k)
{
    return qs[k / 128 * 32 + k % 32] >> k % 128 / 32 * 2 & 3;
}

/* Weight k of a 4-bit plane of Q4_K and Q5_K: each run of 32 bytes holds two groups of 32. */
static int four_bits(const uint8_t *qs, int k)
{
    return qs[k / 64 * 32 + k % 32] >> k % 64 / 32 * 4 & 15;
}

/* Weight k of a 1-bit plane: bit g of byte j belongs to weight j of group g. */
static int one_bit(const uint8_t *qs, int k)
{
    return qs[k % 32] >> k / 32 & 1;
}

static void decode_q2_k(const uint8_t *src, float *dst)
{
    struct q2_k b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d), dmin = quant_f16_to_f32(b.dmin);
    for (int k = 0; k < QK_K; k++) {
        float scale = d * (float)(b.scales[k / 16] & 15);
        float min = dmin * (float)(b.scales[k / 16] >> 4);
        dst[k] = scale * (float)two_bits(b.qs, k) - min;
    }
}

static void decode_q3_k(const uint8_t *src, float *dst)
{
    struct q3_k b;
    memcpy(&b, src, sizeof b);
    int8_t scale[16];
    quant_k3_scales(b.scales, scale);
    float d = quant_f16_to_f32(b.d);
    for (int k = 0; k < QK_K; k++) {
        int q = two_bits(b.qs, k) + 4 * one_bit(b.hmask, k) - 4;
        dst[k] = d * (float)scale[k / 16] * (float)q;
    }
}

static void decode_q4_k(const uint8_t *src, float *dst)
{
    struct q4_k b;
    memcpy(&b, src, sizeof b);
    uint8_t scale[8], min[8];
    quant_k4_scales(b.scales, scale, min);
    float d = quant_f16_to_f32(b.d), dmin = quant_f16_to_f32(b.dmin);
    for (int k = 0; k < QK_K; k++) {
        float lift = dmin * (float)min[k / 32];
        dst[k] = d * (float)scale[k / 32] * (float)four_bits(b.qs, k) - lift;
    }
}

static void decode_q5_k(const uint8_t *src, float *dst)
{
    struct q5_k b;
    memcpy(&b, src, sizeof b);
    uint8_t scale[8], min[8];
    quant_k4_scales(b.scales, scale, min);
    float d = quant_f16_to_f32(b.d), dmin = quant_f16_to_f32(b.dmin);
    for (int k = 0; k < QK_K; k++) {
        float lift = dmin * (float)min[k / 32];
        int q = four_bits(b.qs, k) + 16 * one_bit(b.qh, k);
        dst[k] = d * (float)scale[k / 32] * (float)q - lift;
    }
}

static void decode_q6_k(const uint8_t *src, float *dst)
{
    struct q6_k b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d);
    for (int k = 0; k < QK_K; k++) {
        /* 64 bytes of ql per 128 weights: low halves are weights 0..63, high halves 64..127. */
        int low = b.ql[k / 128 * 64 + k % 64] >> k % 128 / 64 * 4 & 15;
        int q = (two_bits(b.qh, k) << 4 | low) - 32;
        dst[k] = d * (float)b.scales[k / 16] * (float)q;
    }
}

static void decode_iq4_xs(const uint8_t *src, float *dst)
{
    struct iq4_xs b;
    memcpy(&b, src, sizeof b);
    float d = quant_f16_to_f32(b.d);
    for (int g = 0; g < QK_K / QK; g++) {
        int low = b.scales_l[g / 2] >> g % 2 * 4 & 15, high = b.scales_h >> 2 * g & 3;
        float scale = d * (float)((high << 4 | low) - 32);
        for (int k = 0; k < QK; k++)
            dst[g * QK + k] = scale * (float)quant_iq4_levels[nibble(b.qs + g * 16, k)];
    }
}

/* ---- the table ----------------------------------------------------------------------------- */

struct codec {
    struct quant_info info;
    void (*decode)(const uint8_t *src, float *dst);
};

/* Numbers that ggml has given out. */
enum { NUMBERS = 42 };

static const struct codec codecs[NUMBERS] = {
    [QT_F32] = {{"F32", 1, 4}, decode_f32},
    [QT_F16] = {{"F16", 1, 2}, decode_f16},
    [QT_BF16] = {{"BF16", 1, 2}, decode_bf16},
    [QT_Q4_0] = {{"Q4_0", QK, sizeof(struct q4_0)}, decode_q4_0},
    [QT_Q4_1] = {{"Q4_1", QK, sizeof(struct q4_1)}, decode_q4_1},
    [QT_Q5_0] = {{"Q5_0", QK, sizeof(struct q5_0)}, decode_q5_0},
    [QT_Q5_1] = {{"Q5_1", QK, sizeof(struct q5_1)}, decode_q5_1},
    [QT_Q8_0] = {{"Q8_0", QK, sizeof(struct q8_0)}, decode_q8_0},
    [QT_IQ4_NL] = {{"IQ4_NL", QK, sizeof(struct iq4_nl)}, decode_iq4_nl},
    [QT_Q2_K] = {{"Q2_K", QK_K, sizeof(struct q2_k)}, decode_q2_k},
    [QT_Q3_K] = {{"Q3_K", QK_K, sizeof(struct q3_k)}, decode_q3_k},
    [QT_Q4_K] = {{"Q4_K", QK_K, sizeof(struct q4_k)}, decode_q4_k},
    [QT_Q5_K] = {{"Q5_K", QK_K, sizeof(struct q5_k)}, decode_q5_k},
    [QT_Q6_K] = {{"Q6_K", QK_K, sizeof(struct q6_k)}, decode_q6_k},
    [QT_IQ4_XS] = {{"IQ4_XS", QK_K, sizeof(struct iq4_xs)}, decode_iq4_xs},
    /* Known by name and size alone. */
    [4] = {{"Q4_2", 0, 0}, NULL},
    [5] = {{"Q4_3", 0, 0}, NULL},
    [9] = {{"Q8_1", 0, 0}, NULL},
    [15] = {{"Q8_K", QK_K, 292}, NULL},
    [16] = {{"IQ2_XXS", QK_K, 66}, NULL},
    [17] = {{"IQ2_XS", QK_K, 74}, NULL},
    [18] = {{"IQ3_XXS", QK_K, 98}, NULL},
    [19] = {{"IQ1_S", QK_K, 50}, NULL},
    [21] = {{"IQ3_S", QK_K, 110}, NULL},
    [22] = {{"IQ2_S", QK_K, 82}, NULL},
    [24] = {{"I8", 1, 1}, NULL},
    [25] = {{"I16", 1, 2}, NULL},
    [26] = {{"I32", 1, 4}, NULL},
    [27] = {{"I64", 1, 8}, NULL},
    [28] = {{"F64", 1, 8}, NULL},
    [29] = {{"IQ1_M", QK_K, 56}, NULL},
    [31] = {{"Q4_0_4_4", QK, 18}, NULL},
    [32] = {{"Q4_0_4_8", QK, 18}, NULL},
    [33] = {{"Q4_0_8_8", QK, 18}, NULL},
    [34] = {{"TQ1_0", QK_K, 54}, NULL},
    [35] = {{"TQ2_0", QK_K, 66}, NULL},
    [36] = {{"IQ4_NL_4_4", QK, 18}, NULL},
    [37] = {{"IQ4_NL_4_8", 0, 0}, NULL},
    [38] = {{"IQ4_NL_8_8", 0, 0}, NULL},
    [39] = {{"MXFP4", QK, 17}, NULL},
    [40] = {{"NVFP4", 64, 36}, NULL},
    [41] = {{"Q1_0", 128, 18}, NULL},
};

/* The structs lie in files: no padding, and the fields where the format has them. */
_Static_assert(sizeof(struct q4_0) == 18 && sizeof(struct q4_1) == 20, "4-bit blocks");
_Static_assert(sizeof(struct q5_0) == 22 && sizeof(struct q5_1) == 24, "5-bit blocks");
_Static_assert(sizeof(struct q8_0) == 34 && sizeof(struct iq4_nl) == 18, "8-bit and IQ4 blocks");
_Static_assert(sizeof(struct q2_k) == 84 && sizeof(struct q3_k) == 110, "K blocks");
_Static_assert(sizeof(struct q4_k) == 144 && sizeof(struct q5_k) == 176, "K blocks");
_Static_assert(sizeof(struct q6_k) == 210 && sizeof(struct iq4_xs) == 136, "K blocks");

const struct quant_info *quant_info(uint32_t type)
{
    return type < NUMBERS && codecs[type].decode ? &codecs[type].info : NULL;
}

const struct quant_info *quant_known(uint32_t type)
{
    return type < NUMBERS && codecs[type].info.name ? &codecs[type].info : NULL;
}

size_t quant_row_bytes(uint32_t type, uint64_t cols)
{
    const struct quant_info *info = quant_known(type);
    if (!info || !info->block || cols % info->block) return 0;
    uint64_t blocks = cols / info->block;
    return blocks <= SIZE_MAX / info->bytes ? (size_t)blocks * info->bytes : 0;
}

void quant_decode_row(enum quant_type type, const void *src, float *dst, size_t cols)
{
    CHECK((unsigned)type < NUMBERS && codecs[type].decode);
    const struct codec *codec = &codecs[type];
    CHECK(cols % codec->info.block == 0);
    const uint8_t *block = src;
    for (size_t k = 0; k < cols; k += codec->info.block, block += codec->info.bytes)
        codec->decode(block, dst + k);
}
