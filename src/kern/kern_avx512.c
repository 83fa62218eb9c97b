#include "kern/kern_avx512.h"

#include "kern/kern_tables.h"
#include "kern/kern_vec_attend.h"
#include "kern/kern_vec_float.h"
#include "kern/kern_vec_row.h"
#include "kern/kern_vec_stats.h"

const struct kern kern_avx512 = {
    .level = KERN_AVX512,
    .name = "avx512",
    .stored = {avx512_quantize, avx512_matmul},
    .packed = {avx512_pack_quantize, avx512_pack_matmul},
    .matmul_f32 = float_matmul,
    .rms_norm = row_rms_norm,
    .add = row_add,
    .silu_mul = row_silu_mul,
    .rope = row_rope,
    .to_f16 = row_to_f16,
    .attend = float_attend,
    .stats = row_stats,
};
