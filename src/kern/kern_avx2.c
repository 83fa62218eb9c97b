#include "kern/kern_avx2.h"

#include "kern/kern_tables.h"
#include "kern/kern_vec_attend.h"
#include "kern/kern_vec_float.h"
#include "kern/kern_vec_row.h"
#include "kern/kern_vec_stats.h"

const struct kern kern_avx2 = {
    .level = KERN_AVX2,
    .name = "avx2",
    .stored = {avx2_quantize, avx2_matmul},
    .packed = {avx2_pack_quantize, avx2_pack_matmul},
    .matmul_f32 = float_matmul,
    .rms_norm = row_rms_norm,
    .add = row_add,
    .silu_mul = row_silu_mul,
    .rope = row_rope,
    .to_f16 = row_to_f16,
    .to_q8_0 = row_to_q8_0,
    .attend = float_attend,
    .stats = row_stats,
};
