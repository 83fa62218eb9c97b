#include "kern_peak.h"

#include "base/clock.h"

#include <stddef.h>
#include <string.h>

/* Enough independent sums to hide the latency of the instruction that adds to them, and so many
 * rounds of them at once that what a compiler moves at the end of a loop does not count. */
enum { CHAINS = 12, AT_ONCE = 16, STEPS = 1 << 14, TRIES = 15 };
static const double TRY_SECONDS = 0.01;

#if defined(__x86_64__)
#include <immintrin.h>

#define EACH_STEP(product)                                                                         \
    for (int i = 0; i < STEPS; i += AT_ONCE)                                                       \
    _Pragma("GCC unroll 16") for (int j = 0; j < AT_ONCE; j++)                                     \
        _Pragma("GCC unroll 16") for (int c = 0; c < CHAINS; c++) product

#define MULTIPLY(product) "vpmaddubsw %%ymm1, %%ymm0, %%ymm" #product "\n\t"
#define ADD(product, sum) "vpaddw %%ymm" #product ", %%ymm" #sum ", %%ymm" #sum "\n\t"
/* clang-format off */
#define SIX_PRODUCTS                                                                               \
    MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5) MULTIPLY(6) MULTIPLY(7)                        \
    ADD(2, 8) ADD(3, 9) ADD(4, 10) ADD(5, 11) ADD(6, 12) ADD(7, 13)
/* clang-format on */

/* Bytes in AVX2: vpmaddubsw and vpaddw, 32 products in two instructions, with sums that stay in 16
 * bits. Those would overflow, so a kernel has to widen them, and this loop never does: with codes
 * of 4 bits once in eight products, which leaves about eight ninths of this. Sums follow six
 * products later, because right behind each product they take 7 % longer on Zen 4; in assembler,
 * because compilers change that order, or compute a product of constants once for all. */
__attribute__((target("avx2"))) static int bytes_avx2(void)
{
    for (int i = 0; i < STEPS; i++)
        __asm__ volatile(SIX_PRODUCTS SIX_PRODUCTS
                         :
                         :
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13");
    _mm256_zeroupper(); /* which the compiler does not know to be needed */
    return 0;
}

__attribute__((target("avx2,avxvnni"))) static int bytes_avxvnni(void)
{
    __m256i sum[CHAINS], code = _mm256_set1_epi8(3), q = _mm256_set1_epi8(2);
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm256_set1_epi32(c);
    EACH_STEP(sum[c] = _mm256_dpbusd_avx_epi32(sum[c], code, q));
    for (int c = 1; c < CHAINS; c++) sum[0] = _mm256_xor_si256(sum[0], sum[c]);
    return _mm256_extract_epi32(sum[0], 0);
}

__attribute__((target("avx512f,avx512vnni"))) static int bytes_avx512(void)
{
    __m512i sum[CHAINS], code = _mm512_set1_epi8(3), q = _mm512_set1_epi8(2);
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_set1_epi32(c);
    EACH_STEP(sum[c] = _mm512_dpbusd_epi32(sum[c], code, q));
    for (int c = 1; c < CHAINS; c++) sum[0] = _mm512_xor_si512(sum[0], sum[c]);
    return _mm512_reduce_add_epi32(sum[0]);
}

__attribute__((target("avx2,fma"))) static int floats_avx2(void)
{
    __m256 sum[CHAINS], weight = _mm256_set1_ps(3), x = _mm256_set1_ps(2);
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm256_set1_ps((float)c);
    EACH_STEP(sum[c] = _mm256_fmadd_ps(weight, x, sum[c]));
    for (int c = 1; c < CHAINS; c++) sum[0] = _mm256_max_ps(sum[0], sum[c]);
    return _mm256_movemask_ps(sum[0]);
}

__attribute__((target("avx512f"))) static int floats_avx512(void)
{
    __m512 sum[CHAINS], weight = _mm512_set1_ps(3), x = _mm512_set1_ps(2);
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_set1_ps((float)c);
    EACH_STEP(sum[c] = _mm512_fmadd_ps(weight, x, sum[c]));
    for (int c = 1; c < CHAINS; c++) sum[0] = _mm512_max_ps(sum[0], sum[c]);
    return (int)_mm512_reduce_max_ps(sum[0]);
}

/* Eight AMX tiles of 16 rows of 64 bytes; four hold sums, each from two of the others. */
static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

#define EACH_TILE(multiply)                                                                        \
    _tile_loadconfig(&tile_config);                                                                \
    _tile_zero(0);                                                                                 \
    _tile_zero(1);                                                                                 \
    _tile_zero(2);                                                                                 \
    _tile_zero(3);                                                                                 \
    _tile_zero(4);                                                                                 \
    _tile_zero(5);                                                                                 \
    _tile_zero(6);                                                                                 \
    _tile_zero(7);                                                                                 \
    for (int i = 0; i < TILE_STEPS; i += 4) {                                                      \
        multiply(0, 4, 6);                                                                         \
        multiply(1, 4, 7);                                                                         \
        multiply(2, 5, 6);                                                                         \
        multiply(3, 5, 7);                                                                         \
    }                                                                                              \
    _tile_release()

enum { TILE_STEPS = 1 << 14 };

__attribute__((target("amx-tile,amx-int8"))) static int bytes_amx(void)
{
    EACH_TILE(_tile_dpbusd);
    return 0;
}

/* BF16: a kernel that splits its numbers in two or three of those needs several products for one.
 */
__attribute__((target("amx-tile,amx-bf16"))) static int floats_amx(void)
{
    EACH_TILE(_tile_dpbf16ps);
    return 0;
}

enum { VECTORS = STEPS * CHAINS };

static const struct peak {
    int (*loop)(void); /* what it returns only keeps it from being left out */
    double operations;
} peaks[KERN_LEVEL_COUNT][2] = {
    [KERN_AVX2] = {{bytes_avx2, 64.0 * VECTORS}, {floats_avx2, 16.0 * VECTORS}},
    [KERN_AVXVNNI] = {{bytes_avxvnni, 64.0 * VECTORS}, {floats_avx2, 16.0 * VECTORS}},
    [KERN_AVX512] = {{bytes_avx512, 128.0 * VECTORS}, {floats_avx512, 32.0 * VECTORS}},
    [KERN_AMX] = {{bytes_amx, 2.0 * 16 * 16 * 64 * TILE_STEPS},
                  {floats_amx, 2.0 * 16 * 16 * 32 * TILE_STEPS}},
};
#else
static const struct peak {
    int (*loop)(void);
    double operations;
} peaks[KERN_LEVEL_COUNT][2];
#endif

double kern_peak(enum kern_level level, bool floats)
{
    const struct peak *peak = &peaks[level][floats];
    volatile int sink = 0;
    double best = 0;
    for (int t = 0; t < TRIES && peak->loop; t++) {
        const double start = clock_read(CLOCK_THREAD_CPUTIME_ID);
        double seconds;
        int times = 0;
        do {
            sink += peak->loop();
            times++;
        } while ((seconds = clock_read(CLOCK_THREAD_CPUTIME_ID) - start) < TRY_SECONDS);
        const double rate = peak->operations * times / seconds;
        best = rate > best ? rate : best;
    }
    (void)sink;
    return best;
}
