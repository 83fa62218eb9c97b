#include "model/mixture.h"

#include "model/ffn.h"
#include "model/product.h"

#include <math.h>
#include <string.h>

enum {
    MOST_ROWS = 64,    /* of an expert that a thread multiplies at once */
    MOST_OUTPUTS = 512 /* of a block */
};

static const struct experts *experts_of(const struct slice *s, int layer)
{
    return &s->f->weights->layers[layer].experts;
}

static struct product router_of(const struct slice *s, int layer)
{
    const struct forward *f = s->f;
    return (struct product){.of = &f->weights->layers[layer].router,
                            .y = f->mixture.logits,
                            .ldy = slice_width(f->config->n_expert)};
}

static bool experts_need_q8(const struct experts *x)
{
    return !product_type_is_float(x->gate.type) || !product_type_is_float(x->up.type);
}

bool mixture_needs_q8(const struct slice *s, int layer)
{
    const struct product router = router_of(s, layer);
    return product_needs_q8(&router, 1) || experts_need_q8(experts_of(s, layer));
}

void mixture_carve(struct forward *f, size_t rows, struct arena *arena)
{
    const struct config *c = f->config;
    struct mixture_scratch *m = &f->mixture;
    const size_t pairs = rows * (size_t)c->n_expert_used, experts = (size_t)c->n_expert;
    const size_t gathered = (size_t)f->team.threads * MOST_ROWS, d = slice_width(c->d_model);
    m->logits = arena_carve(arena, rows * slice_width(c->n_expert), sizeof *m->logits);
    m->expert = arena_carve(arena, pairs, sizeof *m->expert);
    m->weight = arena_carve(arena, pairs, sizeof *m->weight);
    m->first = arena_carve(arena, experts + 1, sizeof *m->first);
    m->active = arena_carve(arena, experts, sizeof *m->active);
    m->row = arena_carve(arena, pairs, sizeof *m->row);
    m->pair = arena_carve(arena, pairs, sizeof *m->pair);
    m->y = arena_carve(arena, pairs * d, sizeof *m->y);
    m->x = arena_carve(arena, gathered * d, sizeof *m->x);
    product_carve_q8(&m->q8, gathered * KERN_Q8_STRIDE(c->d_model), arena);
}

/* ---- the router -------------------------------------------------------------------------- */

void mixture_choose(const float *logits, int n, int used, int *expert, float *weight)
{
    int found = 0;
    float broken = 0, sum = 0;
    for (int e = 0; e < n; e++) {
        broken += 0 * logits[e]; /* NaN where it is not finite */
        if (found == used && !(logits[e] > logits[expert[used - 1]])) continue;
        int at = found < used ? found++ : used - 1;
        for (; at > 0 && logits[e] > logits[expert[at - 1]]; at--) expert[at] = expert[at - 1];
        expert[at] = e;
    }
    /* Only ratios of the chosen ones' probabilities count, so the others' need not be known. */
    for (int i = 0; i < used; i++) sum += weight[i] = expf(logits[expert[i]] - logits[expert[0]]);
    for (int i = 0; i < used; i++) weight[i] = weight[i] / sum + broken;
}

static void phase_choose(const struct slice *s, struct team_member *me)
{
    const struct config *c = s->f->config;
    const struct mixture_scratch *m = &s->f->mixture;
    const size_t used = (size_t)c->n_expert_used, width = slice_width(c->n_expert);
    for (struct slice_block b = {0}; slice_next(me, s->n, &b);)
        mixture_choose(m->logits + (size_t)b.row * width, c->n_expert, c->n_expert_used,
                       m->expert + (size_t)b.row * used, m->weight + (size_t)b.row * used);
    team_barrier(me);
}

/* Put the pairs in the order of their experts, those of an expert in the order of their rows. */
static void sort_pairs(struct mixture_scratch *m, int rows, int used, int n_expert)
{
    int end = 0;
    m->n_active = 0;
    memset(m->first, 0, (size_t)(n_expert + 1) * sizeof *m->first);
    for (int i = 0; i < rows * used; i++) m->first[m->expert[i]]++;
    for (int e = 0; e <= n_expert; e++) {
        if (m->first[e]) m->active[m->n_active++] = e;
        m->first[e] = end += m->first[e]; /* its pairs end here; below they grow to the front */
    }
    for (int i = rows * used - 1; i >= 0; i--) {
        const int at = --m->first[m->expert[i]];
        m->row[at] = i / used;
        m->pair[i] = at;
    }
}

static void phase_sort(const struct slice *s, struct team_member *me)
{
    const struct config *c = s->f->config;
    int begin, end;
    while (team_take(me, 1, 1, 1, &begin, &end))
        sort_pairs(&s->f->mixture, s->n, c->n_expert_used, c->n_expert);
    team_barrier(me);
}

/* ---- experts ----------------------------------------------------------------------------- */

/* Pairs [at, at + n) of one expert. */
struct run {
    int expert, at, n;
};

/* The next run of the i-th expert that has pairs; begin with an empty one. */
static bool next_run(const struct mixture_scratch *m, int i, struct run *r)
{
    const int expert = m->active[i], at = r->n ? r->at + r->n : m->first[expert];
    const int left = m->first[expert + 1] - at;
    *r = (struct run){expert, at, left < MOST_ROWS ? left : MOST_ROWS};
    return left > 0;
}

static void copy_q8(struct kern_q8 to, struct kern_q8 from, int cols)
{
    const size_t n = KERN_Q8_STRIDE(cols);
    memcpy(to.q, from.q, n * sizeof *to.q);
    memcpy(to.d, from.d, n / 32 * sizeof *to.d);
    memcpy(to.s, from.s, n / 16 * sizeof *to.s);
    memcpy(to.t, from.t, n / 16 * sizeof *to.t);
}

/* The rows of a run, one behind the other: where they stand, if they do so, or copies. */
static struct product_input gather(const struct forward *f, const struct team_member *me,
                                   const struct experts *x, const struct run *r)
{
    const struct mixture_scratch *m = &f->mixture;
    const int cols = f->config->d_model, place = me->index * MOST_ROWS, *row = m->row + r->at;
    const size_t d = slice_width(cols);
    const bool q8 = experts_need_q8(x);
    const bool floats = product_type_is_float(x->gate.type) || product_type_is_float(x->up.type);
    float *copies = m->x + (size_t)place * d;
    if (row[r->n - 1] - row[0] == r->n - 1)
        return (struct product_input){f->h + (size_t)row[0] * d, d,
                                      kern_q8_row(f->q8, cols, row[0])};
    for (int i = 0; i < r->n; i++) {
        if (floats) memcpy(copies + (size_t)i * d, f->h + (size_t)row[i] * d, d * sizeof *copies);
        if (q8)
            copy_q8(kern_q8_row(m->q8, cols, place + i), kern_q8_row(f->q8, cols, row[i]), cols);
    }
    return (struct product_input){copies, d, kern_q8_row(m->q8, cols, place)};
}

/* Outputs [begin, end) of the i-th active expert's gate and up, which stand side by side. */
static void multiply_in(const struct forward *f, const struct team_member *me,
                        const struct experts *x, int i, int begin, int end)
{
    const int d_ff = f->config->d_ff;
    const size_t wide = slice_width(d_ff);
    for (struct run r = {0}; next_run(&f->mixture, i, &r);) {
        const struct product_input in = gather(f, me, x, &r);
        const struct kern_weight gate = weights_in_stack(&x->gate, r.expert);
        const struct kern_weight up = weights_in_stack(&x->up, r.expert);
        const size_t at = (size_t)r.at * wide;
        if (begin < d_ff)
            product_rows(f->kern, &gate, &in, r.n, begin, end < d_ff ? end : d_ff, f->gate + at,
                         wide);
        if (end > d_ff)
            product_rows(f->kern, &up, &in, r.n, begin > d_ff ? begin - d_ff : 0, end - d_ff,
                         f->up + at, wide);
    }
}

/*
 * Take a block of the outputs of all active experts, `each` of them, which stand side by side. How
 * many are active is known in time only to who holds a block: as many as there can be are handed
 * out, and blocks behind the last one are empty.
 */
static bool take_outputs(const struct slice *s, struct team_member *me, int each, int *begin,
                         int *end)
{
    const struct config *c = s->f->config;
    const int pairs = s->n * c->n_expert_used;
    const int total = (pairs < c->n_expert ? pairs : c->n_expert) * each;
    return team_take(me, total, 32, me->threads == 1 ? total : MOST_OUTPUTS, begin, end);
}

/* What of a block is one expert's, the active-th: its outputs [begin, end). */
struct part {
    int active, begin, end;
};

/* The next part of a block; begin with an empty one. */
static bool next_part(const struct mixture_scratch *m, int each, int begin, int end, struct part *p)
{
    const int i = p->end ? p->active + 1 : begin / each, first = i * each;
    if (i >= m->n_active || first >= end) return false;
    *p = (struct part){i, begin > first ? begin - first : 0,
                       end - first < each ? end - first : each};
    return true;
}

static void phase_in(const struct slice *s, struct team_member *me, const struct experts *x)
{
    const struct forward *f = s->f;
    const int each = 2 * f->config->d_ff;
    int begin, end;
    while (take_outputs(s, me, each, &begin, &end))
        for (struct part p = {0}; next_part(&f->mixture, each, begin, end, &p);)
            multiply_in(f, me, x, p.active, p.begin, p.end);
    team_barrier(me);
}

/* Outputs [begin, end) of the i-th active expert's down. */
static void multiply_out(const struct forward *f, const struct experts *x, int i, int begin,
                         int end)
{
    const struct mixture_scratch *m = &f->mixture;
    const int d_ff = f->config->d_ff;
    const size_t wide = slice_width(d_ff), d = slice_width(f->config->d_model);
    for (struct run r = {0}; next_run(m, i, &r);) {
        const struct kern_weight down = weights_in_stack(&x->down, r.expert);
        const struct product_input in = {f->gate + (size_t)r.at * wide, wide,
                                         kern_q8_row(f->q8, d_ff, r.at)};
        product_rows(f->kern, &down, &in, r.n, begin, end, m->y + (size_t)r.at * d, d);
    }
}

static void phase_out(const struct slice *s, struct team_member *me, const struct experts *x)
{
    const struct forward *f = s->f;
    int begin, end;
    while (take_outputs(s, me, f->config->d_model, &begin, &end))
        for (struct part p = {0}; next_part(&f->mixture, f->config->d_model, begin, end, &p);)
            multiply_out(f, x, p.active, p.begin, p.end);
    team_barrier(me);
}

/* A row's sum runs over its experts in the order in which they were chosen. */
static void phase_sum(const struct slice *s, struct team_member *me)
{
    const struct forward *f = s->f;
    const struct mixture_scratch *m = &f->mixture;
    const int dim = f->config->d_model;
    const size_t d = slice_width(dim), used = (size_t)f->config->n_expert_used;
    for (struct slice_block b = {0}; slice_next(me, s->n, &b);) {
        float *y = f->y + (size_t)b.row * d;
        const int *pair = m->pair + (size_t)b.row * used;
        const float *weight = m->weight + (size_t)b.row * used;
        memset(y, 0, d * sizeof *y);
        for (size_t i = 0; i < used; i++)
            f->kern->add_scaled(y, m->y + (size_t)pair[i] * d, weight[i], dim);
    }
    team_barrier(me);
}

void mixture_walk(const struct slice *s, struct team_member *me, int layer)
{
    const struct product router = router_of(s, layer);
    const struct experts *x = experts_of(s, layer);
    const struct product_input in = {s->f->h, slice_width(s->f->config->d_model), s->f->q8};
    product_phase(s, me, &router, 1, &in, s->n);
    phase_choose(s, me);
    phase_sort(s, me);
    phase_in(s, me, x);
    ffn_gate(s, me, s->n * s->f->config->n_expert_used, !product_type_is_float(x->down.type));
    phase_out(s, me, x);
    phase_sum(s, me);
}
