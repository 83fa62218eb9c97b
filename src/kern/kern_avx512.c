#include "kern/vec/vec_avx512.h"

#include "kern/attend/attend.h"
#include "kern/float/float_panel.h"
#include "kern/kern_tables.h"
#include "kern/row/row.h"
#include "kern/row/stats.h"

static void amx_float_matmul(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                             int o1, float *y, size_t ldy)
{
    if (w->type != QT_F32)
        amx_half_matmul(w, x, ldx, n, o0, o1, y, ldy);
    else
        float_matmul(w, x, ldx, n, o0, o1, y, ldy);
}

#define TABLE(of_level, of_name, pack_matmul, product)                                             \
    {                                                                                              \
        .level = of_level, .name = of_name, .panels = true, .quantize = avx512_pack_quantize,      \
        .matmul = pack_matmul, .matmul_f32 = product, .rms_norm = row_rms_norm, .add = row_add,    \
        .add_scaled = row_add_scaled, .silu_mul = row_silu_mul, .gelu_mul = row_gelu_mul,          \
        .softcap = row_softcap, .rope = row_rope, .to_f16 = row_to_f16, .to_q8_0 = row_to_q8_0,    \
        .attend = float_attend, .stats = row_stats,                                                \
    }

const struct kern kern_avx512 = TABLE(KERN_AVX512, "avx512", avx512_pack_matmul, float_matmul);
const struct kern kern_amx = TABLE(KERN_AMX, "amx", amx_pack_matmul, amx_float_matmul);
