#include "model/ffn.h"

#include "model/mixture.h"
#include "model/product.h"

enum { N_IN = 2 };

static void products_in(const struct slice *s, int layer, struct product in[N_IN])
{
    const struct forward *f = s->f;
    const struct layer *l = &f->weights->layers[layer];
    const size_t d_ff = slice_width(f->config->d_ff);
    in[0] = (struct product){.of = &l->gate, .y = f->gate, .ldy = d_ff};
    in[1] = (struct product){.of = &l->up, .y = f->up, .ldy = d_ff};
}

bool ffn_needs_q8(const struct slice *s, int layer)
{
    if (s->f->config->n_expert) return mixture_needs_q8(s, layer);
    struct product in[N_IN];
    products_in(s, layer, in);
    return product_needs_q8(in, N_IN);
}

/* Elements [begin, end) of a row of gate become act(gate) * up and, where asked for, 8 bits of
 * q8. */
static void gate_row(const struct forward *f, int r, int begin, int end, const struct kern_q8 *q8)
{
    const size_t at = (size_t)r * slice_width(f->config->d_ff) + (size_t)begin;
    const struct kern *kern = f->kern;
    const bool gelu = f->config->arch->act == ACT_GELU;
    (gelu ? kern->gelu_mul : kern->silu_mul)(f->gate + at, f->up + at, end - begin);
    if (q8)
        kern->quantize(
            f->gate + at, end - begin,
            kern_q8_at(*q8, KERN_Q8_STRIDE(f->config->d_ff), (size_t)r, (size_t)begin / 32));
}

void ffn_gate(const struct slice *s, struct team_member *me, int n, bool q8)
{
    const struct forward *f = s->f;
    for (struct slice_block b = {0}; slice_next(me, n, &b);)
        gate_row(f, b.row, 0, f->config->d_ff, q8 ? &f->q8 : NULL);
    team_barrier(me);
}

/* Gate, up and what becomes of them in one phase: who multiplied has the results at hand, and only
 * their 8 bits go from core to core. */
static void phase_in(const struct slice *s, struct team_member *me, int layer, bool q8)
{
    const struct forward *f = s->f;
    const struct product_input x = {f->h, slice_width(f->config->d_model), f->q8};
    struct product in[N_IN];
    int begin, end;
    products_in(s, layer, in);
    const double each = (double)N_IN * s->n * f->config->d_model;
    while (product_take(me, f->config->d_ff, each, &begin, &end)) {
        for (int i = 0; i < N_IN; i++) product_part(f, &in[i], &x, s->n, begin, end);
        for (int r = 0; r < s->n; r++) gate_row(f, r, begin, end, q8 ? &f->q8_ff : NULL);
    }
    team_barrier(me);
}

void ffn_walk(const struct slice *s, struct team_member *me, int layer)
{
    const struct forward *f = s->f;
    if (f->config->n_expert) {
        mixture_walk(s, me, layer);
        return;
    }
    const size_t d = slice_width(f->config->d_model), d_ff = slice_width(f->config->d_ff);
    const struct product down[] = {{.of = &f->weights->layers[layer].down, .y = f->y, .ldy = d}};
    const struct product_input gated = {f->gate, d_ff, f->q8_ff};
    phase_in(s, me, layer, product_needs_q8(down, 1));
    product_phase(s, me, down, 1, &gated, s->n);
}
