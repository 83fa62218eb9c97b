#include "model/product.h"

#include <math.h>

bool product_type_is_float(enum quant_type type)
{
    return type == QT_F32 || type == QT_F16 || type == QT_BF16;
}

bool product_needs_q8(const struct product *p, int n)
{
    for (int i = 0; i < n; i++)
        if (!product_type_is_float(p[i].of->w.type)) return true;
    return false;
}

void product_quantize_row(const struct forward *f, const float *x, int cols, int r)
{
    f->kern->quantize(x, cols, kern_q8_row(f->q8, cols, r));
}

void product_quantize(const struct slice *s, struct team_member *me, const float *x, int cols)
{
    for (struct slice_block b = {0}; slice_next(me, s->n, &b);)
        product_quantize_row(s->f, x + (size_t)b.row * slice_width(cols), cols, b.row);
    team_barrier(me);
}

void product_carve_q8(struct kern_q8 *q8, size_t inputs, struct arena *arena)
{
    q8->q = arena_carve(arena, inputs, sizeof *q8->q);
    q8->d = arena_carve(arena, inputs / 32, sizeof *q8->d);
    q8->s = arena_carve(arena, inputs / 16, sizeof *q8->s);
    q8->t = arena_carve(arena, inputs / 16, sizeof *q8->t);
}

void product_rows(const struct kern *kern, const struct kern_weight *w,
                  const struct product_input *in, int n, int begin, int end, float *y, size_t ldy)
{
    if (product_type_is_float(w->type))
        kern->matmul_f32(w, in->x, in->ldx, n, begin, end, y, ldy);
    else
        kern->matmul(w, in->q8, n, begin, end, y, ldy);
}

/* Scale, bias and cap of outputs [begin, end), for n rows; few models have any. */
__attribute__((noinline)) static void finish(const struct forward *f, const struct product *m,
                                             int n, int begin, int end)
{
    const float *scale = m->of->scale, *bias = m->of->bias;
    for (int r = 0; r < n; r++) {
        float *y = m->y + (size_t)r * m->ldy;
        for (int i = begin; scale && i < end; i++) y[i] *= *scale;
        if (bias) f->kern->add(y + begin, bias + begin, end - begin);
        if (m->cap > 0) f->kern->softcap(y + begin, end - begin, m->cap);
    }
}

void product_part(const struct forward *f, const struct product *m, const struct product_input *in,
                  int n, int begin, int end)
{
    product_rows(f->kern, &m->of->w, in, n, begin, end, m->y, m->ldy);
    if (m->of->scale || m->of->bias || m->cap > 0) finish(f, m, n, begin, end);
}

/* A block is a long contiguous read of whole panels, and there are few enough to be cheap to take:
 * that costs some tenths of a microsecond, which a small model would notice. */
enum { PANEL = 32, MOST_OUTPUTS = 512 };
static const double worth_taking = 400e3; /* multiply-adds: two microseconds */

bool product_take(struct team_member *me, int total, double each, int *begin, int *end)
{
    int panels = total / (2 * me->threads) / PANEL;
    const double wanted = worth_taking / (each * PANEL);
    if (wanted < panels) panels = (int)ceil(wanted);
    panels = panels < 1 ? 1 : panels < MOST_OUTPUTS / PANEL ? panels : MOST_OUTPUTS / PANEL;
    const int unit = panels * PANEL, most = MOST_OUTPUTS / unit * unit;
    return team_take(me, total, unit, me->threads == 1 ? total : most, begin, end);
}

void product_phase(const struct slice *s, struct team_member *me, const struct product *m,
                   int count, const struct product_input *in, int n)
{
    int total = 0, begin, end;
    for (int i = 0; i < count; i++) total += m[i].of->w.rows;
    while (product_take(me, total, (double)n * m->of->w.cols, &begin, &end)) {
        for (int i = 0, first = 0; i < count; first += m[i++].of->w.rows) {
            int from = begin > first ? begin - first : 0;
            int to = end - first < m[i].of->w.rows ? end - first : m[i].of->w.rows;
            if (from < to) product_part(s->f, &m[i], in, n, from, to);
        }
    }
    team_barrier(me);
}
