#include "kern/kern_avx2.h"

#include "kern/kern_tables.h"
#include "kern/kern_vec_float.h"
#include "kern/kern_vec_row.h"
#include "kern/kern_vec_stats.h"

const struct kern kern_avx2 = {
    .level = KERN_AVX2,
    .name = "avx2",
    .quantize = avx2_quantize,
    .matmul_q8 = {[QT_Q4_0] = avx2_matmul_q8,
                  [QT_Q4_1] = avx2_matmul_q8,
                  [QT_Q5_0] = avx2_matmul_q8,
                  [QT_Q5_1] = avx2_matmul_q8,
                  [QT_Q8_0] = avx2_matmul_q8,
                  [QT_Q2_K] = avx2_matmul_q8,
                  [QT_Q3_K] = avx2_matmul_q8,
                  [QT_Q4_K] = avx2_matmul_q8,
                  [QT_Q5_K] = avx2_matmul_q8,
                  [QT_Q6_K] = avx2_matmul_q8,
                  [QT_IQ4_NL] = avx2_matmul_q8,
                  [QT_IQ4_XS] = avx2_matmul_q8},
    .matmul_f32 = {[QT_F32] = float_matmul, [QT_F16] = float_matmul, [QT_BF16] = float_matmul},
    .rms_norm = row_rms_norm,
    .add = row_add,
    .silu_mul = row_silu_mul,
    .rope = row_rope,
    .to_f16 = row_to_f16,
    .attend = float_attend,
    .stats = row_stats,
};
