#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
    const struct tiny_spec *spec;
    enum kern_cache cache;
    struct tiny *t;
    float *w[TINY_TENSORS_MAX]; /* decoded weights */
    double *k, *v;              /* [layer][position][kv_dim] */
    int n_pos, max_pos;
};

static void oracle_init(struct oracle *o, const struct tiny_spec *spec, struct tiny *t,
                        enum kern_cache cache, int max_pos)
{
    *o = (struct oracle){.spec = spec, .cache = cache, .t = t, .max_pos = max_pos};
    for (int i = 0; i < t->n_tensors; i++) {
        const struct tiny_tensor *x = &t->tensor[i];
        o->w[i] = tiny_must(malloc(x->dims[0] * x->dims[1] * sizeof(float)));
        for (uint64_t r = 0; r < x->dims[1]; r++) tiny_row(x, r, o->w[i] + r * x->dims[0]);
    }
    size_t n = (size_t)spec->n_layer * (size_t)(max_pos * spec->n_head_kv * spec->head_dim);
    o->k = tiny_must(calloc(n, sizeof(double)));
    o->v = tiny_must(calloc(n, sizeof(double)));
}

static void oracle_deinit(struct oracle *o)
{
    for (int i = 0; i < o->t->n_tensors; i++) free(o->w[i]);
    free(o->k);
    free(o->v);
}

static const float *tensor_of(const struct oracle *o, int layer, const char *name,
                              const struct tiny_tensor **shape)
{
    char full[TINY_NAME_MAX + 16];
    if (layer < 0)
        snprintf(full, sizeof full, "%s", name);
    else
        snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    const struct tiny_tensor *x = tiny_find(o->t, full);
    if (shape) *shape = x;
    return x ? o->w[x - o->t->tensor] : NULL;
}

/* y = scale * (W x) + bias, of the tensors "NAME.scale", "NAME.weight" and "NAME.bias"; the number
 * of outputs. */
static int linear(const struct oracle *o, int layer, const char *name, const double *x, double *y)
{
    char full[TINY_NAME_MAX];
    const struct tiny_tensor *shape;
    snprintf(full, sizeof full, "%s.scale", name);
    const float *scale = tensor_of(o, layer, full, NULL);
    snprintf(full, sizeof full, "%s.bias", name);
    const float *bias = tensor_of(o, layer, full, NULL);
    snprintf(full, sizeof full, "%s.weight", name);
    const float *w = tensor_of(o, layer, full, &shape);
    for (uint64_t r = 0; r < shape->dims[1]; r++) {
        double sum = 0;
        for (uint64_t c = 0; c < shape->dims[0]; c++)
            sum += (double)w[r * shape->dims[0] + c] * x[c];
        y[r] = sum * (scale ? (double)*scale : 1) + (bias ? (double)bias[r] : 0);
    }
    return (int)shape->dims[1];
}

static void rms_norm(const float *w, const double *x, double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    double scale = 1 / sqrt(sum / n + (double)1e-5f);
    for (int i = 0; i < n; i++) y[i] = x[i] * scale * (double)w[i];
}

static void rotate(const struct oracle *o, double *head, int pos)
{
    const int n = o->spec->n_rot;
    const bool pairs = !strcmp(o->spec->arch, "llama");
    const float *factors = tensor_of(o, -1, "rope_freqs.weight", NULL);
    const double size = o->spec->rope_magnitude ? (double)o->spec->rope_magnitude : 1;
    const double stretch = o->spec->rope_factor ? (double)o->spec->rope_factor : 1;
    for (int i = 0; i < n / 2; i++) {
        double angle = pos / stretch * pow(10000, -2.0 * i / n);
        if (factors) angle /= (double)factors[i];
        double *a = pairs ? &head[2 * i] : &head[i], *b = pairs ? a + 1 : &head[i + n / 2];
        double x = *a, y = *b;
        *a = size * (x * cos(angle) - y * sin(angle));
        *b = size * (x * sin(angle) + y * cos(angle));
    }
}

/* Norm (where the model has one) and turn each head. */
static void turn(const struct oracle *o, int layer, const char *norm_name, double *heads, int n,
                 int pos)
{
    const float *norm = tensor_of(o, layer, norm_name, NULL);
    for (int i = 0; i < n; i++) {
        double *head = heads + i * o->spec->head_dim;
        if (norm) rms_norm(norm, head, head, o->spec->head_dim);
        rotate(o, head, pos);
    }
}

static double *cached(const struct oracle *o, double *cache, int layer, int pos, int head)
{
    const struct tiny_spec *s = o->spec;
    return cache + (((size_t)layer * o->max_pos + pos) * s->n_head_kv + head) * s->head_dim;
}

static double half(double x)
{
    return (double)quant_f16_to_f32(quant_f32_to_f16((float)x));
}

/* Round what the cache would hold of a head. */
static void store_head(enum kern_cache cache, double *to, const double *from, int n)
{
    for (int i = 0; i < n; i++) to[i] = half(from[i]);
    if (cache == KERN_CACHE_F16) return;
    for (int at = 0; at < n; at += 32) {
        const int end = at + 32 < n ? at + 32 : n;
        double most = 0;
        for (int i = at; i < end; i++) most = fmax(most, fabs(from[i]));
        const double scale = half(most / 127);
        for (int i = at; i < end; i++) to[i] = scale * rint(from[i] / scale);
    }
}

static void store(const struct oracle *o, double *to, const double *from)
{
    const int dim = o->spec->head_dim;
    for (int h = 0; h < o->spec->n_head_kv; h++)
        store_head(o->cache, to + h * dim, from + h * dim, dim);
}

/* One query head against positions 0..pos. */
static void attend(const struct oracle *o, int layer, int head, const double *q, int pos,
                   double *out)
{
    const int dim = o->spec->head_dim, group = o->spec->n_head / o->spec->n_head_kv;
    double score[1024], top = -INFINITY, total = 0;
    for (int p = 0; p <= pos; p++) {
        const double *k = cached(o, o->k, layer, p, head / group);
        score[p] = 0;
        for (int i = 0; i < dim; i++) score[p] += q[i] * k[i];
        score[p] /= sqrt(dim);
        top = fmax(top, score[p]);
    }
    for (int p = 0; p <= pos; p++) total += score[p] = exp(score[p] - top);
    for (int i = 0; i < dim; i++) out[i] = 0;
    for (int p = 0; p <= pos; p++)
        for (int i = 0; i < dim; i++)
            out[i] += score[p] / total * cached(o, o->v, layer, p, head / group)[i];
}

enum { WIDE = 1024 }; /* no tiny model is wider */

static void oracle_attention(struct oracle *o, int layer, double *x)
{
    const struct tiny_spec *s = o->spec;
    const int dim = s->head_dim, pos = o->n_pos;
    double h[WIDE], qkv[2 * WIDE], mixed[WIDE], y[WIDE];
    double *q = qkv, *k = q + s->n_head * dim, *v = k + s->n_head_kv * dim;
    rms_norm(tensor_of(o, layer, "attn_norm.weight", NULL), x, h, s->d_model);
    if (s->fused) {
        tiny_must_hold(linear(o, layer, "attn_qkv", h, qkv) == v + s->n_head_kv * dim - q,
                       "a fused matrix of another height");
    } else {
        linear(o, layer, "attn_q", h, q);
        linear(o, layer, "attn_k", h, k);
        linear(o, layer, "attn_v", h, v);
    }
    turn(o, layer, "attn_q_norm.weight", q, s->n_head, pos);
    turn(o, layer, "attn_k_norm.weight", k, s->n_head_kv, pos);
    store(o, cached(o, o->k, layer, pos, 0), k);
    store(o, cached(o, o->v, layer, pos, 0), v);
    for (int i = 0; i < s->n_head; i++) attend(o, layer, i, q + i * dim, pos, mixed + i * dim);
    linear(o, layer, "attn_output", mixed, y);
    for (int i = 0; i < s->d_model; i++) x[i] += y[i];
}

static void oracle_ffn(struct oracle *o, int layer, double *x)
{
    const struct tiny_spec *s = o->spec;
    double h[WIDE], gate[WIDE], up[WIDE], y[WIDE];
    rms_norm(tensor_of(o, layer, "ffn_norm.weight", NULL), x, h, s->d_model);
    linear(o, layer, "ffn_gate", h, gate);
    linear(o, layer, "ffn_up", h, up);
    for (int i = 0; i < s->d_ff; i++) gate[i] *= up[i] / (1 + exp(-gate[i]));
    linear(o, layer, "ffn_down", gate, y);
    for (int i = 0; i < s->d_model; i++) x[i] += y[i];
}

static void oracle_token(struct oracle *o, int32_t token, double *logits)
{
    const int d = o->spec->d_model;
    const float *embed = tensor_of(o, -1, "token_embd.weight", NULL);
    double x[WIDE], h[WIDE];
    for (int i = 0; i < d; i++) x[i] = (double)embed[(size_t)token * (size_t)d + (size_t)i];
    for (int layer = 0; layer < o->spec->n_layer; layer++) {
        oracle_attention(o, layer, x);
        oracle_ffn(o, layer, x);
    }
    rms_norm(tensor_of(o, -1, "output_norm.weight", NULL), x, h, d);
    const float *bias = tensor_of(o, -1, "output.bias", NULL);
    linear(o, -1, o->spec->tied ? "token_embd" : "output", h, logits);
    for (int i = 0; bias && o->spec->tied && i < tiny_logits(o->spec); i++)
        logits[i] += (double)bias[i];
    o->n_pos++;
}

double *oracle_logits(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache,
                      const int32_t *ids, int n)
{
    struct oracle o;
    const size_t n_vocab = (size_t)tiny_logits(spec);
    double *logits = tiny_must(malloc((size_t)n * n_vocab * sizeof(double)));
    oracle_init(&o, spec, t, cache, n);
    for (int i = 0; i < n; i++) oracle_token(&o, ids[i], logits + (size_t)i * n_vocab);
    oracle_deinit(&o);
    return logits;
}
