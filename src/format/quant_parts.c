#include "format/quant_parts.h"

#include <string.h>

/* In the small types byte j holds code j in its low half and code j + 16 in its high half. */
static void read_nibbles(uint8_t *code, const uint8_t qs[16])
{
    for (int j = 0; j < 16; j++) {
        code[j] = qs[j] & 15;
        code[j + 16] = qs[j] >> 4;
    }
}

/* Bit k of the little-endian qh is the fifth bit of code k. */
static void add_fifth_bits(uint8_t *code, const uint8_t qh[4])
{
    for (int k = 0; k < QK; k++) code[k] |= (uint8_t)((qh[k / 8] >> k % 8 & 1) << 4);
}

/* Nibbles of a super-block in runs of `run` bytes: low halves first, then high halves. */
static void read_runs(uint8_t *code, const uint8_t qs[128], int run)
{
    for (int i = 0; i < 128; i += run, code += 2 * run)
        for (int j = 0; j < run; j++) {
            code[j] = qs[i + j] & 15;
            code[run + j] = qs[i + j] >> 4;
        }
}

/* A 2-bit plane, put at bit `at`: each run of 32 bytes holds four groups of 32, lowest bits first.
 */
static void add_two_bits(uint8_t *code, const uint8_t qs[64], int at)
{
    for (int g = 0; g < 8; g++)
        for (int j = 0; j < 32; j++)
            code[32 * g + j] |= (uint8_t)((qs[g / 4 * 32 + j] >> 2 * (g % 4) & 3) << at);
}

/* A 1-bit plane, put at bit `at`: bit g of byte j belongs to code j of group g. */
static void add_one_bit(uint8_t *code, const uint8_t qs[32], int at)
{
    for (int g = 0; g < 8; g++)
        for (int j = 0; j < 32; j++) code[32 * g + j] |= (uint8_t)((qs[j] >> g & 1) << at);
}

static void read_k4_scales(struct quant_parts *out, const uint8_t packed[12])
{
    uint8_t scale[8], min[8];
    quant_k4_scales(packed, scale, min);
    for (int g = 0; g < 8; g++) {
        out->scale[g] = (int8_t)scale[g];
        out->min[g] = (int8_t)-min[g];
    }
}

static void read_q4_0(const uint8_t *src, struct quant_parts *out)
{
    struct q4_0 b;
    memcpy(&b, src, sizeof b);
    read_nibbles(out->code, b.qs);
    out->d = b.d;
}

static void read_q4_1(const uint8_t *src, struct quant_parts *out)
{
    struct q4_1 b;
    memcpy(&b, src, sizeof b);
    read_nibbles(out->code, b.qs);
    out->d = b.d;
    out->m = b.m;
}

static void read_q5_0(const uint8_t *src, struct quant_parts *out)
{
    struct q5_0 b;
    memcpy(&b, src, sizeof b);
    read_nibbles(out->code, b.qs);
    add_fifth_bits(out->code, b.qh);
    out->d = b.d;
}

static void read_q5_1(const uint8_t *src, struct quant_parts *out)
{
    struct q5_1 b;
    memcpy(&b, src, sizeof b);
    read_nibbles(out->code, b.qs);
    add_fifth_bits(out->code, b.qh);
    out->d = b.d;
    out->m = b.m;
}

static void read_q8_0(const uint8_t *src, struct quant_parts *out)
{
    struct q8_0 b;
    memcpy(&b, src, sizeof b);
    for (int k = 0; k < QK; k++) out->code[k] = (uint8_t)(b.qs[k] ^ 0x80);
    out->d = b.d;
}

static void read_iq4_nl(const uint8_t *src, struct quant_parts *out)
{
    struct iq4_nl b;
    memcpy(&b, src, sizeof b);
    read_nibbles(out->code, b.qs);
    out->d = b.d;
}

static void read_q2_k(const uint8_t *src, struct quant_parts *out)
{
    struct q2_k b;
    memcpy(&b, src, sizeof b);
    memset(out->code, 0, QK_K);
    add_two_bits(out->code, b.qs, 0);
    for (int j = 0; j < 16; j++) {
        out->scale[j] = b.scales[j] & 15;
        out->min[j] = (int8_t) - (b.scales[j] >> 4);
    }
    out->d = b.d;
    out->m = b.dmin;
}

static void read_q3_k(const uint8_t *src, struct quant_parts *out)
{
    struct q3_k b;
    memcpy(&b, src, sizeof b);
    memset(out->code, 0, QK_K);
    add_two_bits(out->code, b.qs, 0);
    add_one_bit(out->code, b.hmask, 2);
    quant_k3_scales(b.scales, out->scale);
    out->d = b.d;
}

static void read_q4_k(const uint8_t *src, struct quant_parts *out)
{
    struct q4_k b;
    memcpy(&b, src, sizeof b);
    read_runs(out->code, b.qs, 32);
    read_k4_scales(out, b.scales);
    out->d = b.d;
    out->m = b.dmin;
}

static void read_q5_k(const uint8_t *src, struct quant_parts *out)
{
    struct q5_k b;
    memcpy(&b, src, sizeof b);
    read_runs(out->code, b.qs, 32);
    add_one_bit(out->code, b.qh, 4);
    read_k4_scales(out, b.scales);
    out->d = b.d;
    out->m = b.dmin;
}

static void read_q6_k(const uint8_t *src, struct quant_parts *out)
{
    struct q6_k b;
    memcpy(&b, src, sizeof b);
    read_runs(out->code, b.ql, 64);
    add_two_bits(out->code, b.qh, 4);
    memcpy(out->scale, b.scales, sizeof b.scales);
    out->d = b.d;
}

static void read_iq4_xs(const uint8_t *src, struct quant_parts *out)
{
    struct iq4_xs b;
    memcpy(&b, src, sizeof b);
    for (int g = 0; g < 8; g++) {
        int low = b.scales_l[g / 2] >> g % 2 * 4 & 15, high = b.scales_h >> 2 * g & 3;
        read_nibbles(out->code + 32 * g, b.qs + 16 * g);
        out->scale[g] = (int8_t)((high << 4 | low) - 32);
    }
    out->d = b.d;
}

void quant_parts_read(enum quant_type type, const void *src, struct quant_parts *out)
{
    static void (*const read[QT_LIMIT])(const uint8_t *, struct quant_parts *) = {
        [QT_Q4_0] = read_q4_0, [QT_Q4_1] = read_q4_1,     [QT_Q5_0] = read_q5_0,
        [QT_Q5_1] = read_q5_1, [QT_Q8_0] = read_q8_0,     [QT_Q2_K] = read_q2_k,
        [QT_Q3_K] = read_q3_k, [QT_Q4_K] = read_q4_k,     [QT_Q5_K] = read_q5_k,
        [QT_Q6_K] = read_q6_k, [QT_IQ4_NL] = read_iq4_nl, [QT_IQ4_XS] = read_iq4_xs,
    };
    read[type](src, out);
}
