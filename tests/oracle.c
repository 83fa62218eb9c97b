#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
    const struct tiny_spec *spec;
    const struct tiny_family *family;
    enum kern_cache cache;
    struct tiny *t;
    float *w[TINY_TENSORS_MAX]; /* decoded weights */
    double *k, *v;              /* [layer][position][kv_dim] */
    int n_pos, max_pos;
    double margin; /* of a router: how far the last chosen logit was above the next, at least */
};

static void oracle_init(struct oracle *o, const struct tiny_spec *spec, struct tiny *t,
                        enum kern_cache cache, int max_pos)
{
    *o = (struct oracle){.spec = spec,
                         .family = tiny_family(spec->arch),
                         .cache = cache,
                         .t = t,
                         .max_pos = max_pos,
                         .margin = INFINITY};
    for (int i = 0; i < t->n_tensors; i++) {
        const struct tiny_tensor *x = &t->tensor[i];
        const uint64_t rows = x->dims[1] * x->dims[2];
        o->w[i] = tiny_must(malloc(x->dims[0] * rows * sizeof(float)));
        for (uint64_t r = 0; r < rows; r++) tiny_row(x, r, o->w[i] + r * x->dims[0]);
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

static bool is(const struct oracle *o, const char *arch)
{
    return !strcmp(o->spec->arch, arch);
}

/* ---- angles -------------------------------------------------------------------------------- */

/* How many positions a layer sees; 0: all. */
static int window_of(const struct oracle *o, int layer)
{
    const int period = o->spec->period ? o->spec->period : o->family->period;
    return period && layer % period != period - 1 ? o->spec->window : 0;
}

/* Some layers do not rotate where others have windows. */
static bool stands_still(const struct oracle *o, int layer)
{
    const int period = o->spec->period ? o->spec->period : o->family->period;
    return o->family->still && (o->spec->window || o->family->open) && layer % period == period - 1;
}

/* A number that a file may have, or what holds without it. */
static double given_or(float given, double otherwise)
{
    return given ? (double)given : otherwise;
}

static double base_of(const struct oracle *o, bool windowed)
{
    const struct tiny_spec *s = o->spec;
    const double dim = s->head_dim, own = (double)o->family->window_base;
    const double alpha = s->alpha ? pow((double)s->alpha, dim / (dim - 2)) : 1;
    const double usual = alpha * (double)s->rope_base;
    return windowed ? given_or(s->rope_base_local, own > 0 ? own : usual) : usual;
}

/* The pair of dimensions, as a real number, that turns `turns` times within the context trained on.
 */
static double yarn_pair(const struct tiny_spec *s, double turns)
{
    const double pi = acos(-1), ctx = s->yarn.ctx ? s->yarn.ctx : s->n_ctx;
    return s->n_rot / 2.0 * log(ctx / (turns * 2 * pi)) / log((double)s->rope_base);
}

/* YaRN (arXiv 2309.00071): pairs that turn often keep their frequency, those that hardly turn are
 * stretched, and between them there is a ramp. */
static double yarn_stretch(const struct tiny_spec *s, int pair)
{
    const struct tiny_yarn *y = &s->yarn;
    const double first = floor(yarn_pair(s, given_or(y->fast, 32)));
    const double last = ceil(yarn_pair(s, given_or(y->slow, 1)));
    const double from = first < 0 ? 0 : first, to = last > s->n_rot - 1 ? s->n_rot - 1 : last;
    double kept = 1 - (pair - from) / (to > from ? to - from : 0.001);
    kept = (kept < 0 ? 0 : kept > 1 ? 1 : kept) * given_or(y->ext, 1);
    return 1 / (kept + (1 - kept) / (double)y->factor);
}

static double magnitude_of(const struct tiny_spec *s)
{
    const double nats = s->yarn.factor > 1 ? log((double)s->yarn.factor) : 0;
    const double yarn = (1 + 0.1 * nats) / (1 + 0.1 * (double)s->yarn.log * nats);
    return given_or(s->rope_magnitude, 1) * yarn;
}

static void rotate(const struct oracle *o, int layer, double *head, int pos)
{
    const struct tiny_spec *s = o->spec;
    const int n = s->n_rot;
    const bool windowed = window_of(o, layer) > 0, plain = windowed && o->family->plain_windows;
    const float *factors = tensor_of(o, -1, "rope_freqs.weight", NULL);
    const double size = plain ? 1 : magnitude_of(s);
    for (int i = 0; i < n / 2; i++) {
        double stretch = s->yarn.factor ? yarn_stretch(s, i) : given_or(s->rope_factor, 1);
        if (plain) stretch = 1;
        double angle = pos / stretch * pow(base_of(o, windowed), -2.0 * i / n);
        if (factors) angle /= (double)factors[i];
        const bool pairs = o->family->pairs;
        double *a = pairs ? &head[2 * i] : &head[i], *b = pairs ? a + 1 : &head[i + n / 2];
        double x = *a, y = *b;
        *a = size * (x * cos(angle) - y * sin(angle));
        *b = size * (x * sin(angle) + y * cos(angle));
    }
}

/* Norm (where the model has one) and turn each head, in the family's order. */
static void turn(const struct oracle *o, int layer, const char *norm_name, double *heads, int n,
                 int pos)
{
    const struct tiny_family *family = o->family;
    const float *norm = tensor_of(o, layer, norm_name, NULL);
    const int dim = o->spec->head_dim;
    if (family->qk_norm == QK_WIDE) rms_norm(norm, heads, heads, n * dim);
    for (int i = 0; i < n; i++) {
        double *head = heads + i * dim;
        if (family->qk_norm == QK_HEADS) rms_norm(norm, head, head, dim);
        if (!stands_still(o, layer)) rotate(o, layer, head, pos);
        if (family->qk_norm == QK_LATE) rms_norm(norm, head, head, dim);
    }
}

/* How a query grows with the times that its position has filled the context trained on. */
static double temperature(const struct tiny_spec *s, int pos)
{
    const int ctx = s->yarn.ctx ? s->yarn.ctx : s->n_ctx;
    return 1 + (double)s->temperature * log(1 + floor((double)pos / ctx));
}

/* What a sublayer reads of x, and how its output y joins x. */

static void sublayer_input(const struct oracle *o, int layer, const char *norm, const double *x,
                           double *h)
{
    if (o->family->norms == NORMS_AFTER)
        memcpy(h, x, (size_t)o->spec->d_model * sizeof *h);
    else
        rms_norm(tensor_of(o, layer, norm, NULL), x, h, o->spec->d_model);
}

static void sublayer_output(const struct oracle *o, int layer, const char *norm, double *y,
                            double *x)
{
    const int d = o->spec->d_model;
    if (o->family->norms != NORMS_BEFORE) rms_norm(tensor_of(o, layer, norm, NULL), y, y, d);
    for (int i = 0; i < d; i++) x[i] += given_or(o->spec->scale_residual, 1) * y[i];
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

/* What tanh makes of a value that must not exceed `cap`; 0: no cap. */
static double capped(double x, double cap)
{
    return cap > 0 ? cap * tanh(x / cap) : x;
}

static double attn_cap_of(const struct oracle *o)
{
    return is(o, "gemma2") && !o->spec->attn_cap ? 50 : (double)o->spec->attn_cap;
}

/* One query head against the positions up to pos that its layer sees. */
static void attend(const struct oracle *o, int layer, int head, const double *q, int pos,
                   double *out)
{
    const int dim = o->spec->head_dim, group = o->spec->n_head / o->spec->n_head_kv;
    const int window = window_of(o, layer), first = window && pos >= window ? pos - window + 1 : 0;
    double score[1024], top = -INFINITY, total = 0;
    for (int p = first; p <= pos; p++) {
        const double *k = cached(o, o->k, layer, p, head / group);
        score[p] = 0;
        for (int i = 0; i < dim; i++) score[p] += q[i] * k[i];
        score[p] *= given_or(o->spec->scale_attn, 1 / sqrt(dim));
        score[p] = capped(score[p], attn_cap_of(o));
        top = fmax(top, score[p]);
    }
    for (int p = first; p <= pos; p++) total += score[p] = exp(score[p] - top);
    for (int i = 0; i < dim; i++) out[i] = 0;
    for (int p = first; p <= pos; p++)
        for (int i = 0; i < dim; i++)
            out[i] += score[p] / total * cached(o, o->v, layer, p, head / group)[i];
}

static double activated(const struct oracle *o, double x)
{
    if (!o->family->gemma) return x / (1 + exp(-x));
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3))));
}

enum { WIDE = 1024 }; /* no tiny model is wider */

static void oracle_attention(struct oracle *o, int layer, double *x)
{
    const struct tiny_spec *s = o->spec;
    const int dim = s->head_dim, pos = o->n_pos;
    double h[WIDE], qkv[2 * WIDE], mixed[WIDE], y[WIDE];
    double *q = qkv, *k = q + s->n_head * dim, *v = k + s->n_head_kv * dim;
    sublayer_input(o, layer, "attn_norm.weight", x, h);
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
    for (int i = 0; i < s->n_head * dim; i++) q[i] *= temperature(s, pos);
    store(o, cached(o, o->k, layer, pos, 0), k);
    store(o, cached(o, o->v, layer, pos, 0), v);
    for (int i = 0; i < s->n_head; i++) attend(o, layer, i, q + i * dim, pos, mixed + i * dim);
    linear(o, layer, "attn_output", mixed, y);
    sublayer_output(o, layer, "post_attention_norm.weight", y, x);
}

/* y = W x, W being matrix e of a stack. */
static void linear_in_stack(const struct oracle *o, int layer, const char *name, int e,
                            const double *x, double *y)
{
    const struct tiny_tensor *shape;
    const float *w = tensor_of(o, layer, name, &shape);
    for (uint64_t r = 0; r < shape->dims[1]; r++) {
        const float *row = w + ((uint64_t)e * shape->dims[1] + r) * shape->dims[0];
        y[r] = 0;
        for (uint64_t c = 0; c < shape->dims[0]; c++) y[r] += (double)row[c] * x[c];
    }
}

/* The probabilities of the most probable experts, made to sum to 1; 0 of the others. */
static void route(struct oracle *o, const double *logits, double *share)
{
    const int n = o->spec->n_expert, used = o->spec->n_expert_used;
    double total = 0, kept = 0, last = 0;
    for (int e = 0; e < n; e++) total += exp(logits[e]);
    for (int e = 0; e < n; e++) share[e] = 0;
    for (int i = 0; i < used; i++) {
        int best = -1;
        for (int e = 0; e < n; e++)
            if (share[e] == 0 && (best < 0 || logits[e] > logits[best])) best = e;
        kept += share[best] = exp(logits[best]) / total;
        last = logits[best];
    }
    for (int e = 0; e < n; e++) {
        if (share[e] == 0) o->margin = fmin(o->margin, last - logits[e]);
        share[e] /= kept;
    }
}

static void oracle_mixture(struct oracle *o, int layer, double *x)
{
    const struct tiny_spec *s = o->spec;
    double h[WIDE], logits[WIDE], share[WIDE], gate[WIDE], up[WIDE], y[WIDE], sum[WIDE] = {0};
    sublayer_input(o, layer, "ffn_norm.weight", x, h);
    linear(o, layer, "ffn_gate_inp", h, logits);
    route(o, logits, share);
    for (int e = 0; e < s->n_expert; e++) {
        if (share[e] == 0) continue;
        linear_in_stack(o, layer, "ffn_gate_exps.weight", e, h, gate);
        linear_in_stack(o, layer, "ffn_up_exps.weight", e, h, up);
        for (int i = 0; i < s->d_ff; i++) gate[i] = activated(o, gate[i]) * up[i];
        linear_in_stack(o, layer, "ffn_down_exps.weight", e, gate, y);
        for (int i = 0; i < s->d_model; i++) sum[i] += share[e] * y[i];
    }
    sublayer_output(o, layer, "post_ffw_norm.weight", sum, x);
}

static void oracle_ffn(struct oracle *o, int layer, double *x)
{
    const struct tiny_spec *s = o->spec;
    double h[WIDE], gate_up[WIDE], y[WIDE], *gate = gate_up, *up = gate + s->d_ff;
    sublayer_input(o, layer, "ffn_norm.weight", x, h);
    if (!o->family->fused) linear(o, layer, "ffn_gate", h, gate);
    linear(o, layer, "ffn_up", h, o->family->fused ? gate_up : up);
    for (int i = 0; i < s->d_ff; i++) gate[i] = activated(o, gate[i]) * up[i];
    linear(o, layer, "ffn_down", gate, y);
    sublayer_output(o, layer, "post_ffw_norm.weight", y, x);
}

static void oracle_token(struct oracle *o, int32_t token, double *logits)
{
    const int d = o->spec->d_model;
    const float *embed = tensor_of(o, -1, "token_embd.weight", NULL);
    double x[WIDE], h[WIDE];
    const double size = o->family->gemma ? sqrt(d) : given_or(o->spec->scale_embed, 1);
    for (int i = 0; i < d; i++) x[i] = size * (double)embed[(size_t)token * (size_t)d + (size_t)i];
    for (int layer = 0; layer < o->spec->n_layer; layer++) {
        if (o->spec->cross && layer == o->spec->cross) continue; /* there is no image */
        oracle_attention(o, layer, x);
        if (o->spec->n_expert)
            oracle_mixture(o, layer, x);
        else
            oracle_ffn(o, layer, x);
    }
    rms_norm(tensor_of(o, -1, "output_norm.weight", NULL), x, h, d);
    const float *bias = tensor_of(o, -1, "output.bias", NULL);
    linear(o, -1, o->spec->tied ? "token_embd" : "output", h, logits);
    for (int i = 0; bias && o->spec->tied && i < tiny_logits(o->spec); i++)
        logits[i] += (double)bias[i];
    const double cap = is(o, "gemma2") && !o->spec->logit_cap ? 30 : (double)o->spec->logit_cap;
    for (int i = 0; i < tiny_logits(o->spec); i++)
        logits[i] = capped(logits[i] / given_or(o->spec->scale_logit, 1), cap);
    o->n_pos++;
}

static double *evaluate(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache,
                        const int32_t *ids, int n, double *margin)
{
    struct oracle o;
    const size_t n_vocab = (size_t)tiny_logits(spec);
    double *logits = tiny_must(malloc((size_t)n * n_vocab * sizeof(double)));
    oracle_init(&o, spec, t, cache, n);
    for (int i = 0; i < n; i++) oracle_token(&o, ids[i], logits + (size_t)i * n_vocab);
    *margin = o.margin;
    oracle_deinit(&o);
    return logits;
}

double *oracle_logits(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache,
                      const int32_t *ids, int n)
{
    double margin;
    return evaluate(spec, t, cache, ids, n, &margin);
}

double oracle_margin(const struct tiny_spec *spec, struct tiny *t, const int32_t *ids, int n)
{
    double margin;
    free(evaluate(spec, t, KERN_CACHE_F16, ids, n, &margin));
    return margin;
}
