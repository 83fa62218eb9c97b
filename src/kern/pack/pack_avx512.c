/*
 * Packed weights (pack/pack.h) times quantised activations in AVX-512: two vectors of 16 outputs
 * are a panel, and a group of it stays in registers for up to eight rows.
 *
 * Every output of every row adds its groups of 32 inputs one after the other, from the first to the
 * last: that is the whole order of its sum, whatever stands beside it.
 *
 * Activations lie in natural order, signed, and t and s hold two numbers for a group: of its first
 * sixteen values, and of all.
 */
#include "kern/vec/ivec_avx512.h"
#include "kern/vec/q8_avx512.h"

#include "kern/pack/panel.h"
#include "kern/pack/quantize.h"
#include "kern/pack/unpack.h"

/* ---- activations ----------------------------------------------------------------------------- */

void avx512_pack_quantize(const float *x, int cols, struct kern_q8 to)
{
    quantize_row(x, cols, to);
}

/* ---- products -------------------------------------------------------------------------------- */

/* What a sum of products starts from: minus the offset of the codes times the sum of q. */
INLINE ivec pack_start(ivec minus_sum, const struct quant_form form)
{
    return form_offset(form) ? ivec_start(minus_sum, form_offset(form)) : ivec_all8(0);
}

/* sum[v] += the products of a group with one row of activations, x standing at the group. */
INLINE void pack_add(vec sum[2], const struct pack_group *w, const struct quant_form form,
                     struct kern_q8 x)
{
    ivec first[2], last[2];
    const ivec half = ivec_all32(x.t), all = ivec_all32(x.t + 1);
    first[0] = first[1] = pack_start(form.fine ? half : all, form);
    last[0] = last[1] = pack_start(ivec_sub(all, half), form);
    UNROLL
    for (int j = 0; j < 8; j++) {
        ivec q = ivec_all32(x.q + 4 * j);
        ivec *dot = form.fine && j >= 4 ? last : first;
        dot[0] = ivec_dot(dot[0], w->code[0][j], q);
        dot[1] = ivec_dot(dot[1], w->code[1][j], q);
    }
    UNROLL
    for (int v = 0; v < 2; v++)
        sum[v] = pack_scale(sum[v], first[v], last[v], w->d[v], w->m[v], form, x);
}

struct pack_job {
    const uint8_t *panel;
    size_t stride; /* bytes from a panel to the next, where there are several */
    int cols;
    struct kern_q8 x;
};

/* sum[panel][r] = the products of each panel with each of `rows` rows; panels take
 * turns, group by group. With constant numbers and type the sums stay in registers, and the weights
 * of a group in registers or in the nearest lines. */
INLINE void pack_multiply(int rows, int panels, enum quant_type type, const struct pack_job *job,
                          vec (*sum)[2])
{
    const struct pack_layout at = pack_layout(type);
    const size_t stride = KERN_Q8_STRIDE(job->cols), groups = (size_t)at.inputs / QK;
    const size_t part = at.unit / groups;
    const bool asks = panels > 1 || panel_asks(rows, form_light(quant_forms[type]));
    vec local[ROWS][2];
    UNROLL
    for (int r = 0; r < panels * rows; r++) local[r][0] = local[r][1] = vec_zero();
    const uint8_t *unit = job->panel;
    struct kern_q8 x = job->x;
    for (int k = 0; k < job->cols; k += at.inputs, unit += at.unit)
        for (size_t g = 0; g < groups; g++) {
            UNROLL
            for (int p = 0; p < panels; p++) {
                const uint8_t *from = unit + (size_t)p * job->stride;
                struct pack_group w;
                if (asks) panel_prefetch(from + g * part, part);
                pack_load(from, type, (int)g, &w);
                UNROLL
                for (int r = 0; r < rows; r++)
                    pack_add(local[p * rows + r], &w, quant_forms[type],
                             kern_q8_at(x, stride, (size_t)r, 0));
            }
            x = kern_q8_at(x, stride, 0, 1);
        }
    UNROLL
    for (int r = 0; r < panels * rows; r++) {
        sum[r][0] = local[r][0];
        sum[r][1] = local[r][1];
    }
}

typedef void pack_fn(int rows, const struct pack_job *job, vec (*sum)[2]);

#define PACK_MULTIPLY(type)                                                                        \
    static void pack_multiply_##type(int rows, const struct pack_job *job, vec(*sum)[2])           \
    {                                                                                              \
        VEC_ROWS(pack_multiply, rows, 1, type, job, sum)                                           \
    }
PACK_TYPES(PACK_MULTIPLY)

#define PACK_ENTRY(type) [type] = pack_multiply_##type,
static pack_fn *const pack_fns[QT_LIMIT] = {PACK_TYPES(PACK_ENTRY)};

void avx512_pack_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                        float *y, size_t ldy)
{
    for (int o = o0 / PANEL * PANEL; o < o1; o += PANEL) {
        struct pack_job job = {.panel = panel_of(w, o), .cols = w->cols};
        for (int r0 = 0, rows; r0 < n; r0 += rows) {
            vec sum[ROWS][2];
            rows = vec_share(n - r0, ROWS);
            job.x = kern_q8_row(x, w->cols, r0);
            pack_fns[w->type](rows, &job, sum);
            for (int r = 0; r < rows; r++)
                panel_store(y + (size_t)(r0 + r) * ldy + (size_t)o, sum[r], panel_lanes(o, o0, o1));
        }
    }
}

/* ---- two panels in turn ---------------------------------------------------------------------- */

enum { TURNS = 2, TURNS_ROWS = 4 /* at most, for their sums stay in registers */ };

#define PACK_TURNS(type)                                                                           \
    static void pack_turns_##type(int rows, const struct pack_job *job, vec(*sum)[2])              \
    {                                                                                              \
        CONSTANT_ROWS(TURNS_ROWS, pack_multiply, rows, TURNS, type, job, sum)                      \
    }
PACK_TYPES(PACK_TURNS)

#define TURNS_ENTRY(type) [type] = pack_turns_##type,
static pack_fn *const turns_fns[QT_LIMIT] = {PACK_TYPES(TURNS_ENTRY)};

void avx512_pack_turns(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                       float *y, size_t ldy)
{
    const size_t bytes = pack_panel_bytes(w->type, w->cols);
    int o = o0 / PANEL * PANEL;
    for (; n <= TURNS_ROWS && o + PANEL < o1; o += TURNS * PANEL) {
        const struct pack_job job = {
            .panel = panel_of(w, o), .stride = bytes, .cols = w->cols, .x = x};
        vec sum[TURNS * TURNS_ROWS][2];
        turns_fns[w->type](n, &job, sum);
        for (int i = 0; i < TURNS * n; i++) {
            const int at = o + i / n * PANEL;
            panel_store(y + (size_t)(i % n) * ldy + (size_t)at, sum[i], panel_lanes(at, o0, o1));
        }
    }
    if (o < o1) avx512_pack_matmul(w, x, n, o > o0 ? o : o0, o1, y, ldy);
}
