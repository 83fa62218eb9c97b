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

void ffn_gate(const struct slice *s, struct team_member *me, int n, bool q8)
{
    struct forward *f = s->f;
    const int d_ff = f->config->d_ff;
    const size_t wide = slice_width(d_ff);
    const bool gelu = f->config->arch->act == ACT_GELU;
    void (*const gate_mul)(float *, const float *, int) =
        gelu ? f->kern->gelu_mul : f->kern->silu_mul;
    for (struct slice_block b = {0}; slice_next(me, n, &b);) {
        const int r = b.row;
        float *gate = f->gate + (size_t)r * wide;
        gate_mul(gate, f->up + (size_t)r * wide, d_ff);
        if (q8) product_quantize_row(f, gate, d_ff, r);
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
    struct product in[N_IN];
    products_in(s, layer, in);
    product_phase(s, me, in, N_IN, f->h, d, s->n);
    ffn_gate(s, me, s->n, product_needs_q8(down, 1));
    product_phase(s, me, down, 1, f->gate, d_ff, s->n);
}
