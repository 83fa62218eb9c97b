#include "kern/vec/vec_avx2.h"

#include "kern/attend/attend.h"
#include "kern/float/float_panel.h"
#include "kern/kern_tables.h"
#include "kern/row/row.h"
#include "kern/row/stats.h"

#define TABLE(of_level, of_name, pack_matmul)                                                      \
    {                                                                                              \
        .level = of_level, .name = of_name, .panels = true, .quantize = avx2_pack_quantize,        \
        .matmul = pack_matmul, .matmul_f32 = float_matmul, .rms_norm = row_rms_norm,               \
        .add = row_add, .add_scaled = row_add_scaled, .silu_mul = row_silu_mul,                    \
        .gelu_mul = row_gelu_mul, .softcap = row_softcap, .rope = row_rope, .to_f16 = row_to_f16,  \
        .to_q8_0 = row_to_q8_0, .attend = float_attend, .stats = row_stats,                        \
    }

const struct kern kern_avx2 = TABLE(KERN_AVX2, "avx2", avx2_pack_matmul);
const struct kern kern_avxvnni = TABLE(KERN_AVXVNNI, "avxvnni", avxvnni_pack_matmul);
