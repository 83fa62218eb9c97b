#include "model/attention.h"

#include "model/product.h"

#include <math.h>

/* ---- runs -------------------------------------------------------------------------------- */

/* Rows of a sequence attend together, so that the KV cache is read once for several of them: as
 * many as make this many queries, for more would drive its tiles out of the L1 cache. */
enum { ATTEND_QUERIES = 48 };

static int most_attending(const struct config *c)
{
    const int group = c->n_head / c->n_head_kv;
    return group < ATTEND_QUERIES ? ATTEND_QUERIES / group : 1;
}

size_t attention_scratch(const struct config *c)
{
    const int queries = most_attending(c) * (c->n_head / c->n_head_kv);
    return slice_round(KERN_ATTEND_SCRATCH(queries, c->head_dim));
}

int attention_cut(const struct forward *f, int members, const struct row *rows, int n)
{
    const int shares = 2 * members, most = most_attending(f->config);
    int fair = (n * f->config->n_head_kv + shares - 1) / shares, count = 0;
    fair = fair < most ? fair : most;
    for (int r = 0; r < n; r++)
        if (r == 0 || rows[r].seq != rows[r - 1].seq || r - f->runs[count - 1] == fair)
            f->runs[count++] = r;
    f->runs[count] = n;
    return count;
}

/* ---- phases ------------------------------------------------------------------------------ */

enum { N_QKV = 3 };

static void products_qkv(const struct slice *s, int layer, struct product qkv[N_QKV])
{
    const struct forward *f = s->f;
    const struct layer *l = &f->weights->layers[layer];
    const size_t q_dim = slice_width(config_q_dim(f->config));
    const size_t kv_dim = slice_width(config_kv_dim(f->config));
    qkv[0] = (struct product){.of = &l->q, .y = f->q, .ldy = q_dim};
    qkv[1] = (struct product){.of = &l->k, .y = f->k, .ldy = kv_dim};
    qkv[2] = (struct product){.of = &l->v, .y = f->v, .ldy = kv_dim};
}

bool attention_needs_q8(const struct slice *s, int layer)
{
    struct product qkv[N_QKV];
    products_qkv(s, layer, qkv);
    return product_needs_q8(qkv, N_QKV);
}

/* n heads of q or k, each of its own or all as one, and their norm; NULL: none. */
static void norm_heads(const struct forward *f, float *heads, int n, const float *norm)
{
    const struct config *c = f->config;
    const bool wide = c->arch->qk_norm == NORM_WIDE;
    const int width = wide ? n * c->head_dim : c->head_dim;
    for (int i = 0; norm && i < (wide ? 1 : n); i++)
        f->kern->rms_norm(heads + (size_t)i * width, heads + (size_t)i * width, norm, width,
                          c->rms_eps);
}

/* Bias, norm and rotate the n heads of one row by the angles of a kind of layer. */
static void rotate_heads(const struct forward *f, float *heads, int n, const float *bias,
                         const float *norm, enum config_kind kind, int r)
{
    const struct config *c = f->config;
    const size_t at = (size_t)r * (size_t)c->n_rot / 2;
    const bool late = c->arch->qk_norm == NORM_LATE;
    if (bias) f->kern->add(heads, bias, n * c->head_dim);
    if (!late) norm_heads(f, heads, n, norm);
    for (int i = 0; i < n; i++)
        f->kern->rope(heads + (size_t)i * c->head_dim, f->cos[kind] + at, f->sin[kind] + at,
                      c->n_rot, c->arch->rope_interleaved);
    if (late) norm_heads(f, heads, n, norm);
}

/* Far into a text, queries grow with the number of positions among which they choose. */
static void warm(const struct config *c, float *q, int pos)
{
    const int filled = pos / c->temperature_ctx;
    if (c->temperature == 0 || !filled) return;
    const float scale = (float)(1 + (double)c->temperature * log(1.0 + filled));
    for (int i = 0; i < config_q_dim(c); i++) q[i] *= scale;
}

/* Write the row's keys (or values) x [kv_dim] into the cache. */
static void store(const struct forward *f, const struct row *row, int layer, bool is_value,
                  const float *x)
{
    const int dim = f->config->head_dim;
    for (int head = 0; head < f->config->n_head_kv; head++)
        kv_write(f->kv, f->kern, row->seq, layer, is_value, head, row->pos, x + (size_t)head * dim);
}

static void phase_rotate(const struct slice *s, struct team_member *me, int layer)
{
    struct forward *f = s->f;
    const struct config *c = f->config;
    const struct layer *l = &f->weights->layers[layer];
    const size_t q_dim = slice_width(config_q_dim(c)), kv_dim = slice_width(config_kv_dim(c));
    const enum config_kind kind = (enum config_kind)c->kind[layer];
    for (struct slice_block b = {0}; slice_next(me, s->n, &b);) {
        const int r = b.row;
        float *q = f->q + (size_t)r * q_dim;
        float *k = f->k + (size_t)r * kv_dim, *v = f->v + (size_t)r * kv_dim;
        rotate_heads(f, q, c->n_head, l->q_bias, l->q_norm, kind, r);
        warm(c, q, s->rows[r].pos);
        rotate_heads(f, k, c->n_head_kv, l->k_bias, l->k_norm, kind, r);
        if (l->v_bias) f->kern->add(v, l->v_bias, config_kv_dim(c));
        store(f, &s->rows[r], layer, false, k);
        store(f, &s->rows[r], layer, true, v);
    }
    team_barrier(me);
}

static void attend(const struct slice *s, int run, int layer, int head, float *scratch)
{
    const struct forward *f = s->f;
    const struct config *c = f->config;
    const int r = f->runs[run], group = c->n_head / c->n_head_kv;
    const size_t q_dim = slice_width(config_q_dim(c));
    const struct row *row = &s->rows[r];
    const size_t at = (size_t)r * q_dim + (size_t)head * group * c->head_dim;
    f->kern->attend(&(struct kern_attend){
        .q = f->q + at,
        .pages = kv_pages(f->kv, row->seq),
        .k = kv_tiles(f->kv, layer, false, head),
        .v = kv_tiles(f->kv, layer, true, head),
        .cache = f->kv->type,
        .out = f->att + at,
        .ld = q_dim,
        .rows = f->runs[run + 1] - r,
        .group = group,
        .head_dim = c->head_dim,
        .n_pos = row->pos + 1,
        .window = c->kind[layer] == CONFIG_LOCAL ? c->window : 0,
        .scale = c->attn_scale,
        .cap = c->attn_cap,
        .scratch = scratch,
    });
}

/* Elements that a key-value head has of a row's output. */
static int head_width(const struct config *c)
{
    return c->n_head / c->n_head_kv * c->head_dim;
}

/* What a run has of them, in 8 bits. */
static void quantize_head(const struct slice *s, int run, int head)
{
    const struct forward *f = s->f;
    const int width = head_width(f->config), q_dim = config_q_dim(f->config);
    for (int r = f->runs[run]; r < f->runs[run + 1]; r++)
        f->kern->quantize(
            f->att + (size_t)r * slice_width(q_dim) + (size_t)head * (size_t)width, width,
            kern_q8_at(f->q8, KERN_Q8_STRIDE(q_dim), (size_t)r, (size_t)(head * width) / 32));
}

static void phase_attend(const struct slice *s, struct team_member *me, int layer, bool q8)
{
    const struct config *c = s->f->config;
    float *scratch = s->f->scratch + (size_t)me->index * attention_scratch(c);
    int item, end;
    /* Later rows see more positions: hand out the long ones first. */
    while (team_take(me, s->n_runs * c->n_head_kv, 1, 1, &item, &end)) {
        const int run = s->n_runs - 1 - item / c->n_head_kv, head = item % c->n_head_kv;
        attend(s, run, layer, head, scratch);
        if (q8) quantize_head(s, run, head);
    }
    team_barrier(me);
}

void attention_walk(const struct slice *s, struct team_member *me, int layer)
{
    const struct forward *f = s->f;
    const struct config *c = f->config;
    const size_t d = slice_width(c->d_model);
    const struct product out[] = {{.of = &f->weights->layers[layer].o, .y = f->y, .ldy = d}};
    const struct product_input h = {f->h, d, f->q8};
    const struct product_input att = {f->att, slice_width(config_q_dim(c)), f->q8};
    const bool q8 = product_needs_q8(out, 1), at_once = head_width(c) % 32 == 0;
    struct product qkv[N_QKV];
    products_qkv(s, layer, qkv);
    product_phase(s, me, qkv, N_QKV, &h, s->n);
    phase_rotate(s, me, layer);
    phase_attend(s, me, layer, q8 && at_once);
    if (q8 && !at_once) product_quantize(s, me, f->att, config_q_dim(c));
    product_phase(s, me, out, 1, &att, s->n);
}
