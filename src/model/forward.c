#include "model/forward.h"

#include "base/check.h"
#include "base/clock.h"
#include "model/attention.h"
#include "model/ffn.h"
#include "model/mixture.h"
#include "model/product.h"

#include <string.h>

/* ---- scratch ----------------------------------------------------------------------------- */

static int widest_input(const struct config *c)
{
    return config_q_dim(c) > c->d_model ? config_q_dim(c) : c->d_model;
}

/* Rows of a slice. Quantised weights are multiplied about as fast by so many rows as by more, and
 * the activations of no more stay in the L2 cache from one phase to the next. Float weights gain by
 * more rows, and so does AVX-512, which would wait for weights of 8 bits that are read again. */
enum { QUANTISED_ROWS = 64 };

static int slice_rows(const struct forward *f)
{
    const bool whole =
        product_type_is_float(f->weights->layers[0].down.w.type) || f->kern->level == KERN_AVX512;
    const int most = f->config->n_expert ? MIXTURE_ROWS : whole ? f->max_rows : QUANTISED_ROWS;
    return f->max_rows < most ? f->max_rows : most;
}

/* Rows that gate and up have for so many of a slice. */
static size_t ffn_rows(const struct config *c, size_t rows)
{
    return c->n_expert ? rows * (size_t)c->n_expert_used : rows;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void forward_carve(struct forward *f, struct arena *arena)
{
    const struct config *c = f->config;
    const size_t rows = (size_t)slice_rows(f), f32 = sizeof(float);
    const size_t d = slice_width(c->d_model), wide = KERN_Q8_STRIDE(widest_input(c));
    const size_t inner = ffn_rows(c, rows);
    f->x = arena_carve(arena, rows * d, f32);
    f->h = arena_carve(arena, rows * d, f32);
    f->y = arena_carve(arena, rows * d, f32);
    f->q = arena_carve(arena, rows * slice_width(config_q_dim(c)), f32);
    f->k = arena_carve(arena, rows * slice_width(config_kv_dim(c)), f32);
    f->v = arena_carve(arena, rows * slice_width(config_kv_dim(c)), f32);
    f->att = arena_carve(arena, rows * slice_width(config_q_dim(c)), f32);
    f->gate = arena_carve(arena, inner * slice_width(c->d_ff), f32);
    f->up = arena_carve(arena, inner * slice_width(c->d_ff), f32);
    const size_t gated = inner * KERN_Q8_STRIDE(c->d_ff);
    product_carve_q8(&f->q8, c->n_expert ? larger(rows * wide, gated) : rows * wide, arena);
    if (!c->n_expert) product_carve_q8(&f->q8_ff, gated, arena);
    for (int kind = 0; kind < CONFIG_KINDS; kind++) {
        f->cos[kind] = arena_carve(arena, rows * (size_t)c->n_rot / 2, f32);
        f->sin[kind] = arena_carve(arena, rows * (size_t)c->n_rot / 2, f32);
    }
    f->scratch = arena_carve(arena, (size_t)f->team.threads * attention_scratch(c), f32);
    f->runs = arena_carve(arena, rows + 1, sizeof *f->runs);
    f->wanted = arena_carve(arena, rows, sizeof *f->wanted);
    if (c->n_expert) mixture_carve(f, rows, arena);
}

/* ---- phases ------------------------------------------------------------------------------ */

static void scale_row(float *x, float scale, int n)
{
    for (int i = 0; scale != 1 && i < n; i++) x[i] *= scale;
}

static void embed_row(const struct forward *f, const struct row *row, int r)
{
    const struct config *c = f->config;
    const struct kern_weight *w = &f->weights->embed;
    const size_t half = (size_t)c->n_rot / 2;
    float *x = f->x + (size_t)r * slice_width(c->d_model);
    quant_decode_row(w->type, w->data + (size_t)row->token * w->row_bytes, x, (size_t)c->d_model);
    scale_row(x, c->embed_scale, c->d_model);
    for (int kind = 0; kind < CONFIG_KINDS; kind++)
        if (config_has_kind(c, (enum config_kind)kind))
            rope_angles(&c->rope[kind], f->weights->frequencies[kind], c->n_rot / 2, row->pos,
                        f->cos[kind] + (size_t)r * half, f->sin[kind] + (size_t)r * half);
}

static void phase_embed(const struct slice *s, struct team_member *me)
{
    for (struct slice_block b = {0}; slice_next(me, s->n, &b);)
        embed_row(s->f, &s->rows[b.row], b.row);
    team_barrier(me);
}

/* What stands between two sublayers. */
struct joint {
    bool adds;         /* y, the output of a sublayer, is waiting */
    const float *post; /* its norm; NULL: none */
    const float *norm; /* of the next sublayer's input; NULL: none */
    bool q8;           /* the next sublayer reads its input in 8 bits, too */
    float scale;       /* of that input; 1 as a rule */
};

/* x += post(y), then row `to` of h is norm(x). */
static void join_row(const struct forward *f, int r, int to, const struct joint *j)
{
    const struct config *c = f->config;
    const int d = c->d_model;
    float *x = f->x + (size_t)r * slice_width(d), *y = f->y + (size_t)r * slice_width(d);
    float *h = f->h + (size_t)to * slice_width(d);
    if (j->adds && j->post) f->kern->rms_norm(y, y, j->post, d, c->rms_eps);
    if (j->adds) {
        scale_row(y, c->residual_scale, d);
        f->kern->add(x, y, d);
    }
    if (j->norm)
        f->kern->rms_norm(h, x, j->norm, d, c->rms_eps);
    else
        memcpy(h, x, (size_t)d * sizeof *h);
    scale_row(h, j->scale, d);
    if (j->q8) product_quantize_row(f, h, d, to);
}

static void phase_join(const struct slice *s, struct team_member *me, struct joint j)
{
    for (struct slice_block b = {0}; slice_next(me, s->n, &b);) join_row(s->f, b.row, b.row, &j);
    team_barrier(me);
}

/* ---- the walk ---------------------------------------------------------------------------- */

static void walk_layer(const struct slice *s, struct team_member *me, int i)
{
    const struct layer *l = &s->f->weights->layers[i];
    const float *post = i ? l[-1].ffn_post_norm : NULL;
    phase_join(s, me, (struct joint){i > 0, post, l->attn_norm, attention_needs_q8(s, i), 1});
    attention_walk(s, me, i);
    phase_join(s, me, (struct joint){true, l->attn_post_norm, l->ffn_norm, ffn_needs_q8(s, i), 1});
    ffn_walk(s, me, i);
}

/* Rows that want logits are gathered to the front of h. */
static void walk_output(const struct slice *s, struct team_member *me)
{
    struct forward *f = s->f;
    const struct weights *w = f->weights;
    const struct product logits = {
        .of = &w->output, .y = s->logits, .ldy = (size_t)w->n_logits, .cap = f->config->logit_cap};
    const struct joint j = {true, w->layers[f->config->n_layer - 1].ffn_post_norm, w->output_norm,
                            product_needs_q8(&logits, 1), f->config->logit_scale};
    for (struct slice_block b = {0}; slice_next(me, s->n_wanted, &b);)
        join_row(f, f->wanted[b.row], b.row, &j);
    team_barrier(me);
    const struct product_input in = {f->h, slice_width(f->config->d_model), f->q8};
    product_phase(s, me, &logits, 1, &in, s->n_wanted);
}

static void walk(struct team_member *me, const void *context)
{
    const struct slice *s = context;
    phase_embed(s, me);
    for (int i = 0; i < s->f->config->n_layer; i++) walk_layer(s, me, i);
    if (s->n_wanted) walk_output(s, me);
}

/* ---- who walks --------------------------------------------------------------------------- */

/* Below, threads lose more at the ends of phases than they win: a slice takes some 20 microseconds.
 * Above, it takes several milliseconds, and they win wherever their cores are. */
struct forward_sharing forward_sharing = {.alone = 0.5e6, .shared = 256e6};

static double multiply_adds(const struct slice *s)
{
    const struct config *c = s->f->config;
    const double d = c->d_model, q = config_q_dim(c), kv = config_kv_dim(c);
    const double ffn = c->n_expert ? 3.0 * c->n_expert_used * c->d_ff + c->n_expert : 3.0 * c->d_ff;
    const double layer = d * (2 * q + 2 * kv + ffn);
    return s->n * layer * c->n_layer + s->n_wanted * d * s->f->weights->n_logits;
}

static struct pace *pace_of(const struct slice *s)
{
    int i = 0;
    while (s->n >> i > 1) i++;
    return &s->f->pace[i < FORWARD_PACES ? i : FORWARD_PACES - 1];
}

static void walk_with(struct slice *s, int members)
{
    s->n_runs = attention_cut(s->f, members, s->rows, s->n);
    team_run(&s->f->team, members, walk, s, sizeof *s);
}

static void walk_at_pace(struct slice *s, double work)
{
    struct pace *pace = pace_of(s);
    const double start = clock_seconds();
    walk_with(s, pace_shared(pace) ? s->f->team.threads : 1);
    pace_note(pace, work, clock_seconds() - start);
}

/* Evaluate a slice; the number of its rows that want logits, and have them. */
static int eval_slice(struct forward *f, const struct row *rows, int n, float *logits)
{
    struct slice s = {.f = f, .rows = rows, .n = n, .logits = logits};
    for (int r = 0; r < n; r++)
        if (rows[r].wants_logits) f->wanted[s.n_wanted++] = r;
    for (int r = 0; r < n; r++) kv_own(f->kv, rows[r].seq, rows[r].pos);
    const double work = multiply_adds(&s);
    if (f->team.threads == 1 || work < forward_sharing.alone)
        walk_with(&s, 1);
    else if (work >= forward_sharing.shared)
        walk_with(&s, f->team.threads);
    else
        walk_at_pace(&s, work);
    for (int r = 0; r < n; r++) f->kv->length[rows[r].seq] = rows[r].pos + 1;
    return s.n_wanted;
}

void forward_eval(struct forward *f, const struct row *rows, int n, float *logits)
{
    const int most = slice_rows(f);
    CHECK(most > 0 && n <= f->max_rows);
    for (int r = 0; r < n; r += most) {
        const int wanted = eval_slice(f, rows + r, n - r < most ? n - r : most, logits);
        logits += (size_t)wanted * (size_t)f->weights->n_logits;
    }
}
