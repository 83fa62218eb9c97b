/*
 * The forward pass, held to two things: an independent computation in double precision, and laws
 * that must hold bit for bit however rows are grouped, threads counted and sequences interleaved.
 * For every architecture, weight type, cache type and kernel level of this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/local.h"
#include "tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ceilings on |a - b| / |b| over all logits. Quantised types multiply 8-bit activations; a cache of
 * codes may hold a neighbour of the exact one here and there. */
static const double ceiling_float = 3e-4, ceiling_codes = 1e-3, ceiling_quant = 3e-2;

static void *must(void *p)
{
    assert_non_null(p);
    return p;
}

/* ---- the oracle ---------------------------------------------------------------------------- */

/* Reads tensors by name from the file's list, keeps everything in doubles, rounds nothing but what
 * the cache rounds: keys and values to halves, or to codes with a scale. */
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
        o->w[i] = must(malloc(x->dims[0] * x->dims[1] * sizeof(float)));
        for (uint64_t r = 0; r < x->dims[1]; r++) tiny_row(x, r, o->w[i] + r * x->dims[0]);
    }
    size_t n = (size_t)spec->n_layer * (size_t)(max_pos * spec->n_head_kv * spec->head_dim);
    o->k = must(calloc(n, sizeof(double)));
    o->v = must(calloc(n, sizeof(double)));
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
        assert_int_equal(linear(o, layer, "attn_qkv", h, qkv), v + s->n_head_kv * dim - q);
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

/* ---- engines ------------------------------------------------------------------------------- */

enum { ROWS_MAX = 200, SEQS = 3 };

/* What an engine computes with: everything that its numbers may depend on. */
struct means {
    enum kern_level level;
    enum kern_cache cache;
};
static const struct means on_ref = {.level = KERN_REF};

static struct engine *open_engine(const struct model *m, struct means means, int threads, int n_ctx)
{
    const struct local_options options = {.kern = kern_table(means.level),
                                          .cache = means.cache,
                                          .threads = threads,
                                          .n_ctx = n_ctx,
                                          .n_seq = SEQS,
                                          .max_rows = ROWS_MAX,
                                          .max_logits = ROWS_MAX};
    struct engine *e = NULL;
    struct err err = {0};
    if (local_open(m, &options, &e, &err) != ST_OK) fail_msg("%s", err.message);
    return e;
}

/* Evaluate ids[from, to) of a sequence in one pass, all with logits, and keep these. */
static void eval(struct engine *e, int seq, const int32_t *ids, int from, int to, float *logits)
{
    struct row rows[ROWS_MAX] = {0};
    struct err err = {0};
    for (int i = from; i < to; i++)
        rows[i - from] = (struct row){.seq = seq, .pos = i, .token = ids[i], .wants_logits = true};
    if (engine_submit(e, rows, to - from, &err) != ST_OK) fail_msg("%s", err.message);
    const size_t n_vocab = (size_t)(local_logits(e, 1) - local_logits(e, 0));
    for (int i = from; logits && i < to; i++)
        memcpy(logits + (size_t)i * n_vocab, local_logits(e, i - from), n_vocab * sizeof(float));
}

/* A model, a text, and the logits that decoding it token by token gives on one thread. */
struct bench {
    struct tiny_spec spec;
    struct model *model;
    struct means means;
    int n, n_vocab;
    int32_t ids[ROWS_MAX];
    float *expected; /* [n][n_vocab] */
    float *got;      /* the same size */
    char name[64];
};

static size_t bench_bytes(const struct bench *b, int n)
{
    return (size_t)n * (size_t)b->n_vocab * sizeof(float);
}

static void bench_init(struct bench *b, const struct tiny_spec *spec, const struct tiny *t,
                       struct means means, int n)
{
    *b = (struct bench){.spec = *spec, .means = means, .n = n, .n_vocab = tiny_logits(spec)};
    snprintf(b->name, sizeof b->name, "%s %s on %s%s", spec->arch, quant_info(spec->type)->name,
             kern_table(means.level)->name, means.cache == KERN_CACHE_Q8_0 ? ", cache q8_0" : "");
    b->model = tiny_open(t);
    assert_true(b->model->weights.packed == kern_best()->panels);
    tiny_text(spec, 5, b->ids, n);
    b->expected = must(malloc(bench_bytes(b, n)));
    b->got = must(malloc(bench_bytes(b, n)));
    struct engine *e = open_engine(b->model, means, 1, n);
    for (int i = 0; i < n; i++) eval(e, 0, b->ids, i, i + 1, b->expected);
    engine_close(e);
}

static void bench_deinit(struct bench *b)
{
    model_close(b->model);
    free(b->expected);
    free(b->got);
}

/* Compare logits of positions [0, n), bit for bit. */
static void same_bits(const struct bench *b, int n, const char *law)
{
    for (int i = 0; i < n; i++) {
        const size_t at = (size_t)i * (size_t)b->n_vocab;
        if (memcmp(b->got + at, b->expected + at, bench_bytes(b, 1)))
            fail_msg("%s: %s: logits of position %d differ", b->name, law, i);
    }
}

/* ---- against the oracle -------------------------------------------------------------------- */

static double relative_error(const float *a, const double *b, size_t n)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

static double *oracle_logits(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache,
                             const int32_t *ids, int n)
{
    struct oracle o;
    const size_t n_vocab = (size_t)tiny_logits(spec);
    double *logits = must(malloc((size_t)n * n_vocab * sizeof(double)));
    oracle_init(&o, spec, t, cache, n);
    for (int i = 0; i < n; i++) oracle_token(&o, ids[i], logits + (size_t)i * n_vocab);
    oracle_deinit(&o);
    return logits;
}

/* ---- laws ---------------------------------------------------------------------------------- */

static void law_prefill_equals_decode(struct bench *b)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct engine *e = open_engine(b->model, b->means, threads, b->n);
        eval(e, 0, b->ids, 0, b->n, b->got);
        same_bits(b, b->n, "one pass on several threads equals decoding");
        engine_close(e);
    }
}

static void law_any_split(struct bench *b, uint64_t seed)
{
    struct engine *e = open_engine(b->model, b->means, 1 + (int)(seed % 2), b->n);
    for (int at = 0; at < b->n;) {
        int to = at + 1 + (int)(rng_bits(&seed) % 9);
        to = to < b->n ? to : b->n;
        eval(e, 0, b->ids, at, to, b->got);
        at = to;
    }
    same_bits(b, b->n, "any split into passes");
    engine_close(e);
}

/* Write something else behind a prefix, forget it, and go on with the text. */
static void law_rewind_equals_fresh(struct bench *b)
{
    int32_t other[ROWS_MAX];
    struct engine *e = open_engine(b->model, b->means, 1, b->n);
    tiny_text(&b->spec, 6, other, b->n);
    const int keep = b->n / 3;
    memcpy(other, b->ids, (size_t)keep * sizeof *other);
    eval(e, 0, other, 0, b->n, NULL);
    engine_truncate(e, 0, keep);
    assert_int_equal(engine_length(e, 0), keep);
    memcpy(b->got, b->expected, bench_bytes(b, keep));
    eval(e, 0, b->ids, keep, b->n, b->got);
    same_bits(b, b->n, "rewinding equals a fresh start");
    engine_truncate(e, 0, 0);
    eval(e, 0, b->ids, 0, b->n, b->got);
    same_bits(b, b->n, "starting anew equals a fresh start");
    engine_close(e);
}

/* Up to `most` rows of random sequences. slot[i] gets the place among the logits of row i, which
 * all rows of sequence 1 and some of the others want. */
static int mixed_rows(const struct bench *b, int32_t text[SEQS][ROWS_MAX], int at[SEQS],
                      uint64_t *rng, int most, struct row *rows, int *slot)
{
    int n = 0, wanted = 0;
    for (int i = 0; i < most; i++) {
        int s = (int)(rng_bits(rng) % SEQS);
        if (at[s] == b->n) continue;
        bool logits = s == 1 || i % 2;
        rows[n] = (struct row){s, at[s], text[s][at[s]], logits};
        slot[n++] = wanted;
        wanted += logits;
        at[s]++;
    }
    return n;
}

/* Sequence 1 reads the text, 0 and 2 read others; rows of all stand mixed in every pass. */
static void law_sequences_do_not_meet(struct bench *b, int most)
{
    int32_t text[SEQS][ROWS_MAX];
    int at[SEQS] = {0}, slot[ROWS_MAX];
    uint64_t rng = 8;
    struct row rows[ROWS_MAX];
    struct engine *e = open_engine(b->model, b->means, 2, b->n);
    for (int s = 0; s < SEQS; s++) tiny_text(&b->spec, 40 + (uint64_t)s, text[s], b->n);
    memcpy(text[1], b->ids, sizeof text[1]);
    while (at[1] < b->n) {
        struct err err = {0};
        int n = mixed_rows(b, text, at, &rng, most, rows, slot);
        if (!n) continue;
        if (engine_submit(e, rows, n, &err) != ST_OK) fail_msg("%s: %s", b->name, err.message);
        for (int i = 0; i < n; i++)
            if (rows[i].seq == 1)
                memcpy(b->got + (size_t)rows[i].pos * (size_t)b->n_vocab, local_logits(e, slot[i]),
                       bench_bytes(b, 1));
    }
    same_bits(b, b->n, "sequences in one pass do not meet");
    engine_close(e);
}

static void check_laws(struct bench *b)
{
    law_prefill_equals_decode(b);
    law_any_split(b, 11);
    law_any_split(b, 12);
    law_rewind_equals_fresh(b);
    law_sequences_do_not_meet(b, 8);
    law_sequences_do_not_meet(b, ROWS_MAX);
}

/* Oracle and laws by one means. */
static void check_means(const struct tiny_spec *spec, struct tiny *t, struct means means, int n,
                        double **truth)
{
    struct bench b;
    bench_init(&b, spec, t, means, n);
    if (!*truth) *truth = oracle_logits(spec, t, means.cache, b.ids, n);
    double error = relative_error(b.expected, *truth, (size_t)n * (size_t)b.n_vocab);
    double ceiling = !tiny_type_is_float(spec->type)  ? ceiling_quant
                     : means.cache == KERN_CACHE_Q8_0 ? ceiling_codes
                                                      : ceiling_float;
    print_message("%-40s error %.1e of at most %.0e\n", b.name, error, ceiling);
    if (!(error <= ceiling)) fail_msg("%s: the error is too large", b.name);
    check_laws(&b);
    bench_deinit(&b);
}

/* The same on every level with one type of cache. */
static void check_cache(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache, int n)
{
    double *truth = NULL;
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        const struct means means = {(enum kern_level)level, cache};
        if (kern_table(means.level)) check_means(spec, t, means, n, &truth);
    }
    free(truth);
}

/* And with every type, for one model. */
static void check_model(const struct tiny_spec *spec, int n)
{
    struct tiny *t = tiny_model(spec);
    for (int cache = 0; cache < KERN_CACHE_COUNT; cache++)
        check_cache(spec, t, (enum kern_cache)cache, n);
    tiny_free(t);
}

/* ---- the models ---------------------------------------------------------------------------- */

enum { SHORT = 10 };

static void test_every_type(void **state)
{
    (void)state;
    static const char *const archs[] = {"llama", "qwen2", "qwen3"};
    for (int i = 0; tiny_types[i] != QT_LIMIT; i++) {
        struct tiny_spec spec = tiny_spec(archs[i % 3], tiny_types[i]);
        check_model(&spec, SHORT);
    }
}

static void test_every_architecture(void **state)
{
    (void)state;
    static const char *const archs[] = {"llama", "qwen2", "qwen3"};
    for (int i = 0; i < 3; i++) {
        struct tiny_spec floats = tiny_spec(archs[i], QT_F32), small = tiny_spec(archs[i], QT_Q8_0);
        floats.pad_tokens = 3;
        floats.pad_rows = 2;
        small.tied = true;
        check_model(&floats, SHORT);
        check_model(&small, SHORT);
    }
}

/* The shapes that real files have: other types for some tensors, factors of the rope, an output
 * bias, a head that turns only in part, every query head its own keys. */
static void test_variants(void **state)
{
    (void)state;
    struct tiny_spec mixed = tiny_spec("llama", QT_Q4_K), freqs = tiny_spec("llama", QT_F16);
    struct tiny_spec part = tiny_spec("qwen2", QT_F32), own = tiny_spec("qwen3", QT_F32);
    mixed.other = QT_Q6_K;
    mixed.rope_freqs = mixed.tied = true;
    check_model(&mixed, SHORT);
    freqs.rope_freqs = freqs.o_bias = true;
    freqs.other = QT_F32;
    check_model(&freqs, SHORT);
    part.n_rot = 6;
    part.n_layer = 3;
    check_model(&part, SHORT);
    own.n_head_kv = own.n_head;
    own.head_dim = own.n_rot = 40; /* in a cache of codes, groups of 32 and 8 */
    own.n_layer = 1;
    check_model(&own, SHORT);
}

/* What some exports have and others have not: biases anywhere or nowhere, a scale for every
 * product, q, k and v in one matrix, of which the parts begin within a panel or at one. */
static void test_optional_tensors(void **state)
{
    (void)state;
    struct tiny_spec bare = tiny_spec("qwen2", QT_F32), biased = tiny_spec("llama", QT_F32);
    struct tiny_spec scaled = tiny_spec("llama", QT_F16), fused = tiny_spec("qwen2", QT_F32);
    struct tiny_spec all = tiny_spec("llama", QT_Q4_0);
    bare.qkv_bias = false;
    check_model(&bare, SHORT);
    biased.qkv_bias = biased.o_bias = biased.ffn_bias = biased.output_bias = true;
    check_model(&biased, SHORT);
    biased.type = biased.other = QT_F16;
    biased.tied = true;
    check_model(&biased, SHORT);
    scaled.scales = true;
    check_model(&scaled, SHORT);
    scaled = tiny_spec("qwen3", QT_Q4_K);
    scaled.other = QT_Q6_K;
    scaled.scales = true;
    check_model(&scaled, SHORT);
    fused.fused = true;
    check_model(&fused, SHORT);
    all.fused = all.scales = all.qkv_bias = all.o_bias = all.output_bias = true;
    check_model(&all, SHORT);
}

/* A fused matrix is its parts, to the bit. */
static void check_fused(enum quant_type type, struct means means)
{
    static const char *const parts[] = {"attn_q.weight", "attn_k.weight", "attn_v.weight"};
    struct tiny_spec spec = tiny_spec("llama", type);
    struct tiny *apart = tiny_model(&spec), *fused = tiny_model(&spec);
    struct bench a, b;
    char name[TINY_NAME_MAX];
    for (int layer = 0; layer < spec.n_layer; layer++) {
        snprintf(name, sizeof name, "blk.%d.attn_qkv.weight", layer);
        struct tiny_tensor *all = tiny_tensor(fused, name, type, (uint64_t)spec.d_model, 1);
        all->dims[1] = 0;
        for (int i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "blk.%d.%s", layer, parts[i]);
            struct tiny_tensor *part = tiny_find(apart, name);
            all = &fused->tensor[fused->n_tensors - 1]; /* dropping moves it */
            tiny_put(&all->data, part->data.data, part->data.n);
            all->dims[1] += part->dims[1];
            tiny_drop_tensor(fused, name);
        }
    }
    bench_init(&a, &spec, apart, means, SHORT);
    bench_init(&b, &spec, fused, means, SHORT);
    assert_memory_equal(a.expected, b.expected, bench_bytes(&a, SHORT));
    bench_deinit(&a);
    bench_deinit(&b);
    tiny_free(apart);
    tiny_free(fused);
}

static void test_a_fused_matrix_is_its_parts(void **state)
{
    (void)state;
    static const enum quant_type types[] = {QT_F32, QT_BF16, QT_Q8_0, QT_Q4_K};
    for (int i = 0; i < 4; i++) {
        check_fused(types[i], on_ref);
        check_fused(types[i], (struct means){.level = kern_best()->level});
    }
}

/* Over several blocks of attention, and over passes of which not all rows walk together. */
static void test_long_texts(void **state)
{
    (void)state;
    struct tiny_spec floats = tiny_spec("qwen3", QT_F32), small = tiny_spec("llama", QT_Q4_0);
    check_model(&floats, 3 * KERN_ATTEND_BLOCK + 5);
    check_model(&small, 3 * KERN_ATTEND_BLOCK + 5);
}

/* ---- linear scaling ------------------------------------------------------------------------ */

/* Positions stretched by 1 are the model itself; stretched by 4 they are another. */
static void test_rope_scaling_reaches_the_angles(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct bench plain, one, four;
    bench_init(&plain, &spec, t, on_ref, SHORT);
    tiny_set_str(t, "llama.rope.scaling.type", "linear");
    tiny_set_f32(t, "llama.rope.scaling.factor", 1);
    bench_init(&one, &spec, t, on_ref, SHORT);
    tiny_set_f32(t, "llama.rope.scaling.factor", 4);
    bench_init(&four, &spec, t, on_ref, SHORT);
    assert_memory_equal(plain.expected, one.expected, bench_bytes(&one, SHORT));
    assert_memory_equal(plain.expected, four.expected, bench_bytes(&one, 1));
    assert_memory_not_equal(plain.expected, four.expected, bench_bytes(&one, 2));
    bench_deinit(&plain);
    bench_deinit(&one);
    bench_deinit(&four);
    tiny_free(t);
}

/* Stretched positions and a magnitude, the latter of the part that turns alone. */
static void test_rope_against_the_oracle(void **state)
{
    (void)state;
    struct tiny_spec whole = tiny_spec("llama", QT_F32), part = tiny_spec("qwen3", QT_F32);
    whole.rope_factor = 2.5f;
    check_model(&whole, SHORT);
    part.rope_magnitude = 1.19f;
    part.n_rot = 8;
    check_model(&part, SHORT);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void refuse(struct engine *e, const struct row *rows, int n, enum status st,
                   const char *message)
{
    struct err err = {0};
    assert_int_equal(engine_submit(e, rows, n, &err), st);
    if (!strstr(err.message, message)) fail_msg("expected \"%s\" in: %s", message, err.message);
}

/* After each refusal the state is as it was: the text goes on with the same bits. */
static void test_refusals_change_nothing(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("qwen2", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct bench b;
    bench_init(&b, &spec, t, on_ref, 12);
    struct local_options options = {
        .kern = kern_table(KERN_REF), .threads = 1, .n_ctx = 12, .max_rows = 4, .max_logits = 2};
    struct engine *e = NULL;
    assert_int_equal(local_open(b.model, &options, &e, NULL), ST_OK);
    eval(e, 0, b.ids, 0, 2, b.got);
    eval(e, 0, b.ids, 2, 4, b.got);
    const struct row good = {0, 4, 5, true}, next = {0, 5, 5, true};
    const struct row cases[] = {{0, 5, 5, true},  {0, 3, 5, true},   {1, 0, 5, true},
                                {-1, 4, 5, true}, {0, 4, -1, true},  {0, 4, b.n_vocab, true},
                                {0, -1, 5, true}, {0, 4, 5000, true}};
    static const char *const messages[] = {"row 0: position: expected 4, found 5",
                                           "row 0: position: expected 4, found 3",
                                           "row 0: sequence: expected 0 to 0, found 1",
                                           "row 0: sequence: expected 0 to 0, found -1",
                                           "row 0: token: expected 0 to",
                                           "row 0: token: expected 0 to",
                                           "row 0: position: expected 4, found -1",
                                           "found 5000"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(e, &cases[i], 1, ST_ARG, messages[i]);
    const struct row second[] = {good, {0, 6, 5, false}}, token[] = {good, {0, 5, -2, false}};
    const struct row wants[] = {good, next, {0, 6, 5, true}};
    refuse(e, second, 2, ST_ARG, "row 1: position: expected 5, found 6");
    refuse(e, token, 2, ST_ARG, "row 1: token");
    refuse(e, wants, 3, ST_ARG, "rows that want logits: expected at most 2, found 3");
    refuse(e, &good, 0, ST_ARG, "rows: expected 1 to 4, found 0");
    refuse(e, &good, -1, ST_ARG, "rows: expected 1 to 4, found -1");
    refuse(e, &good, 5, ST_ARG, "rows: expected 1 to 4, found 5");
    assert_int_equal(engine_length(e, 0), 4);
    for (int i = 4; i < 12; i += 2) eval(e, 0, b.ids, i, i + 2, b.got);
    same_bits(&b, 12, "a refusal changes nothing");

    const struct row full = {0, 12, 5, true};
    refuse(e, &full, 1, ST_FULL, "12");
    engine_truncate(e, 0, 11);
    const struct row last[] = {{0, 11, b.ids[11], true}, {0, 12, 5, false}};
    refuse(e, last, 2, ST_FULL, "12");
    assert_int_equal(engine_length(e, 0), 11);
    eval(e, 0, b.ids, 11, 12, b.got);
    same_bits(&b, 12, "the last position of a context");
    engine_truncate(e, 0, 50); /* not shorter: nothing happens */
    assert_int_equal(engine_length(e, 0), 12);
    engine_truncate(e, 0, -3);
    assert_int_equal(engine_length(e, 0), 0);
    engine_close(e);
    bench_deinit(&b);
    tiny_free(t);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *t = tiny_model(&spec);
    struct model *m = tiny_open(t);
    const struct {
        struct local_options options;
        const char *message;
    } cases[] = {
        {{.threads = -1}, "threads: expected 1 to 256, found -1"},
        {{.threads = 257}, "found 257"},
        {{.n_ctx = -5}, "context"},
        {{.n_ctx = LOCAL_CTX_MAX + 1}, "context"},
        {{.n_seq = -1}, "sequences"},
        {{.max_rows = LOCAL_ROWS_MAX + 1}, "rows of a pass"},
        {{.max_rows = 4, .max_logits = 5}, "rows with logits: expected 1 to 4, found 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine *e = NULL;
        struct err err = {0};
        assert_int_equal(local_open(m, &cases[i].options, &e, &err), ST_ARG);
        assert_null(e);
        if (!strstr(err.message, cases[i].message))
            fail_msg("expected \"%s\" in: %s", cases[i].message, err.message);
    }
    struct engine *e = NULL;
    assert_int_equal(local_open(m, NULL, &e, NULL), ST_OK);
    assert_int_equal(local_settings(e)->n_ctx, spec.n_ctx);
    assert_int_equal(local_settings(e)->max_rows, LOCAL_ROWS_DEFAULT);
    assert_ptr_equal(local_settings(e)->kern, kern_best());
    assert_ptr_equal(e->info.vocab, m->vocab);
    assert_true(local_bytes(e) > 0);
    engine_close(e);
    engine_close(NULL);
    model_close(m);
    tiny_free(t);
}

/* Padding at the end of the embedding has logits, but takes part in no softmax. */
static void test_padding_is_masked(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.pad_tokens = 4;
    spec.pad_rows = 3;
    struct tiny *t = tiny_model(&spec);
    struct tiny_tensor *output = tiny_find(t, "output.weight");
    const size_t row = output->data.n / output->dims[1], real = (size_t)tiny_real_vocab(&spec);
    float *w = (float *)(void *)output->data.data;
    for (size_t i = real * row / sizeof *w; i < output->data.n / sizeof *w; i++) w[i] *= 1e4f;
    struct bench b;
    bench_init(&b, &spec, t, on_ref, 4);
    struct engine *e = open_engine(b.model, on_ref, 1, 4);
    eval(e, 0, b.ids, 0, 4, b.got);
    assert_int_equal(e->info.n_vocab, real);
    for (int i = 0; i < 4; i++) {
        struct distribution masked, by_hand;
        assert_int_equal(local_distribution(e, i, &masked, NULL), ST_OK);
        const float *logits = b.got + (size_t)i * (size_t)b.n_vocab;
        assert_true(distribution_dense(&by_hand, kern_table(KERN_REF), logits, (int)real));
        assert_memory_equal(&masked.stats, &by_hand.stats, sizeof masked.stats);
        assert_true(masked.stats.argmax < (int)real);
    }
    engine_close(e);
    bench_deinit(&b);
    tiny_free(t);
}

static void check_broken(const struct model *m, enum kern_cache cache)
{
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        if (!kern_table((enum kern_level)level)) continue;
        const struct means means = {(enum kern_level)level, cache};
        struct engine *e = open_engine(m, means, 1, 4);
        const int32_t ids[] = {TINY_BOS};
        struct distribution d;
        struct err err = {0};
        eval(e, 0, ids, 0, 1, NULL);
        assert_int_equal(local_distribution(e, 0, &d, &err), ST_FORMAT);
        assert_non_null(strstr(err.message, "not finite"));
        engine_close(e);
    }
}

/* Weights that are not numbers are reported, not written; on their way through a cache as well. */
static void test_broken_weights_are_reported(void **state)
{
    (void)state;
    static const char *const names[] = {"blk.1.ffn_down.weight", "blk.0.attn_k.weight",
                                        "blk.0.attn_v.weight"};
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    for (int i = 0; i < 3; i++) {
        struct tiny *t = tiny_model(&spec);
        const uint16_t nan = 0x7e00;
        memcpy(tiny_find(t, names[i])->data.data, &nan, sizeof nan);
        struct model *m = tiny_open(t);
        for (int cache = 0; cache < KERN_CACHE_COUNT; cache++)
            check_broken(m, (enum kern_cache)cache);
        model_close(m);
        tiny_free(t);
    }
}

/* A position in 8 bits costs 34 bytes for every 64 of half floats. */
static void test_a_cache_of_codes_is_small(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    struct model *m = tiny_open(t);
    const size_t elements = (size_t)spec.n_layer * 2 * spec.n_head_kv * spec.head_dim;
    size_t bytes[KERN_CACHE_COUNT];
    assert_int_equal(spec.head_dim % 32, 0);
    for (int cache = 0; cache < KERN_CACHE_COUNT; cache++) {
        const struct means means = {KERN_REF, (enum kern_cache)cache};
        struct engine *few = open_engine(m, means, 1, 16), *many = open_engine(m, means, 1, 1616);
        bytes[cache] = local_bytes(many) - local_bytes(few);
        engine_close(few);
        engine_close(many);
    }
    const size_t positions = SEQS * 1600, lists = positions / KERN_TILE * 16; /* of pages */
    const size_t f16 = positions * elements * 2, q8_0 = positions * elements * 34 / 32;
    assert_in_range(bytes[KERN_CACHE_F16], f16, f16 + lists);
    assert_in_range(bytes[KERN_CACHE_Q8_0], q8_0, q8_0 + lists);
    model_close(m);
    tiny_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_every_architecture),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_optional_tensors),
        cmocka_unit_test(test_a_fused_matrix_is_its_parts),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_rope_scaling_reaches_the_angles),
        cmocka_unit_test(test_rope_against_the_oracle),
        cmocka_unit_test(test_refusals_change_nothing),
        cmocka_unit_test(test_options_are_checked),
        cmocka_unit_test(test_padding_is_masked),
        cmocka_unit_test(test_broken_weights_are_reported),
        cmocka_unit_test(test_a_cache_of_codes_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
