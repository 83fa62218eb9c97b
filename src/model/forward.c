#include "model/forward.h"

#include "base/check.h"
#include "base/clock.h"

#include <math.h>
#include <string.h>

/* A slice as all threads see it. */
struct slice {
    struct forward *f;
    const struct row *rows;
    int n;
    int n_wanted;
    int n_runs;
    float *logits;
};

/* A product of a phase: y[r*ldy + o] over all its outputs. */
struct product {
    const struct linear *of;
    float *y;
    size_t ldy;
};

/* ---- scratch ----------------------------------------------------------------------------- */

static size_t round16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static int widest_input(const struct config *c)
{
    int widest = c->d_model > c->d_ff ? c->d_model : c->d_ff;
    return config_q_dim(c) > widest ? config_q_dim(c) : widest;
}

/* Rows of a sequence attend together, so that the KV cache is read once for several of them: as
 * many as make this many queries, for more would drive its tiles out of the L1 cache. */
enum { ATTEND_QUERIES = 48 };

static int most_attending(const struct config *c)
{
    const int group = c->n_head / c->n_head_kv;
    return group < ATTEND_QUERIES ? ATTEND_QUERIES / group : 1;
}

static size_t attend_scratch(const struct config *c)
{
    const int queries = most_attending(c) * (c->n_head / c->n_head_kv);
    return round16(KERN_ATTEND_SCRATCH(queries, c->head_dim));
}

static bool type_is_float(enum quant_type type)
{
    return type == QT_F32 || type == QT_F16 || type == QT_BF16;
}

/* Rows of a slice. Quantised weights are multiplied about as fast by so many rows as by more, and
 * the activations of no more stay in the L2 cache from one phase to the next. Float weights gain by
 * more rows, and so does AVX-512, which would wait for weights of 8 bits that are read again. */
enum { QUANTISED_ROWS = 64 };

static int slice_rows(const struct forward *f)
{
    const bool whole =
        type_is_float(f->weights->layers[0].down.w.type) || f->kern->level == KERN_AVX512;
    return whole || f->max_rows < QUANTISED_ROWS ? f->max_rows : QUANTISED_ROWS;
}

void forward_carve(struct forward *f, struct arena *arena)
{
    const struct config *c = f->config;
    const size_t rows = (size_t)slice_rows(f), f32 = sizeof(float);
    const size_t d = round16((size_t)c->d_model), wide = KERN_Q8_STRIDE(widest_input(c));
    f->x = arena_carve(arena, rows * d, f32);
    f->h = arena_carve(arena, rows * d, f32);
    f->y = arena_carve(arena, rows * d, f32);
    f->q = arena_carve(arena, rows * round16((size_t)config_q_dim(c)), f32);
    f->k = arena_carve(arena, rows * round16((size_t)config_kv_dim(c)), f32);
    f->v = arena_carve(arena, rows * round16((size_t)config_kv_dim(c)), f32);
    f->att = arena_carve(arena, rows * round16((size_t)config_q_dim(c)), f32);
    f->gate = arena_carve(arena, rows * round16((size_t)c->d_ff), f32);
    f->up = arena_carve(arena, rows * round16((size_t)c->d_ff), f32);
    f->q8.q = arena_carve(arena, rows * wide, sizeof(int8_t));
    f->q8.d = arena_carve(arena, rows * wide / 32, f32);
    f->q8.s = arena_carve(arena, rows * wide / 16, f32);
    f->q8.t = arena_carve(arena, rows * wide / 16, sizeof *f->q8.t);
    f->cos = arena_carve(arena, rows * (size_t)c->n_rot / 2, f32);
    f->sin = arena_carve(arena, rows * (size_t)c->n_rot / 2, f32);
    f->scratch = arena_carve(arena, (size_t)f->team.threads * attend_scratch(c), f32);
    f->runs = arena_carve(arena, rows + 1, sizeof *f->runs);
    f->wanted = arena_carve(arena, rows, sizeof *f->wanted);
}

/* ---- phases ------------------------------------------------------------------------------ */

static void quantize_row(const struct forward *f, const float *x, int cols, int r)
{
    f->kern->quantize(x, cols, kern_q8_row(f->q8, cols, r));
}

/* Does any of these weights multiply 8-bit activations? */
static bool needs_q8(const struct product *p, int n)
{
    for (int i = 0; i < n; i++)
        if (!type_is_float(p[i].of->w.type)) return true;
    return false;
}

/* Scale and bias of outputs [begin, end), for n rows; few models have either. */
__attribute__((noinline)) static void finish(const struct forward *f, const struct product *m,
                                             int n, int begin, int end)
{
    const float *scale = m->of->scale, *bias = m->of->bias;
    for (int r = 0; r < n; r++) {
        float *y = m->y + (size_t)r * m->ldy;
        for (int i = begin; scale && i < end; i++) y[i] *= *scale;
        if (bias) f->kern->add(y + begin, bias + begin, end - begin);
    }
}

static void multiply(const struct slice *s, const struct product *m, const float *x, size_t ldx,
                     int n, int begin, int end)
{
    const struct forward *f = s->f;
    const struct kern_weight *w = &m->of->w;
    if (type_is_float(w->type))
        f->kern->matmul_f32(w, x, ldx, n, begin, end, m->y, m->ldy);
    else
        f->kern->matmul(w, f->q8, n, begin, end, m->y, m->ldy);
    if (m->of->scale || m->of->bias) finish(f, m, n, begin, end);
}

/*
 * All products of one input in one phase: their outputs stand side by side as one range that the
 * threads take in blocks. x [n][ldx] are the floats; f->q8 holds the same in 8 bits.
 */
static void phase_products(const struct slice *s, struct team_member *me, const struct product *m,
                           int count, const float *x, size_t ldx, int n)
{
    int total = 0, begin, end;
    for (int i = 0; i < count; i++) total += m[i].of->w.rows;
    /* A block is a long contiguous read of whole panels, and there are few enough to be cheap to
     * take. */
    const int most = me->threads == 1 ? total : 512;
    while (team_take(me, total, 32, most, &begin, &end)) {
        for (int i = 0, first = 0; i < count; first += m[i++].of->w.rows) {
            int from = begin > first ? begin - first : 0;
            int to = end - first < m[i].of->w.rows ? end - first : m[i].of->w.rows;
            if (from < to) multiply(s, &m[i], x, ldx, n, from, to);
        }
    }
    team_barrier(me);
}

static void embed_row(const struct forward *f, const struct row *row, int r)
{
    const struct config *c = f->config;
    const struct kern_weight *w = &f->weights->embed;
    quant_decode_row(w->type, w->data + (size_t)row->token * w->row_bytes,
                     f->x + (size_t)r * round16((size_t)c->d_model), (size_t)c->d_model);
    /* Angles in double: at position 100,000 a float product would be off by a thousandth of a full
     * circle. */
    const int half = c->n_rot / 2;
    const double magnitude = (double)c->rope_magnitude;
    for (int i = 0; i < half; i++) {
        double angle =
            row->pos * (double)c->rope_scale * pow((double)c->rope_base, -2.0 * i / c->n_rot);
        if (f->weights->rope_factors) angle /= (double)f->weights->rope_factors[i];
        f->cos[(size_t)r * half + i] = (float)(magnitude * cos(angle));
        f->sin[(size_t)r * half + i] = (float)(magnitude * sin(angle));
    }
}

/* A block of a phase whose items are rows, one of them at hand. */
struct block {
    int row, end;
};

static bool next_row(struct team_member *me, int n, struct block *b)
{
    return ++b->row < b->end || team_take(me, n, 1, n, &b->row, &b->end);
}

static void phase_embed(const struct slice *s, struct team_member *me)
{
    for (struct block b = {0}; next_row(me, s->n, &b);) embed_row(s->f, &s->rows[b.row], b.row);
    team_barrier(me);
}

/* x += y when a sublayer's output is waiting, then h = norm(x) and its 8-bit form. */
static void norm_row(const struct forward *f, int r, int add, const float *norm, bool q8)
{
    const int d = f->config->d_model;
    const size_t at = (size_t)r * round16((size_t)d);
    if (add) f->kern->add(f->x + at, f->y + at, d);
    f->kern->rms_norm(f->h + at, f->x + at, norm, d, f->config->rms_eps);
    if (q8) quantize_row(f, f->h + at, d, r);
}

static void phase_norm(const struct slice *s, struct team_member *me, int add, const float *norm,
                       bool q8)
{
    for (struct block b = {0}; next_row(me, s->n, &b);) norm_row(s->f, b.row, add, norm, q8);
    team_barrier(me);
}

static void phase_quantize(const struct slice *s, struct team_member *me, const float *x, int cols)
{
    for (struct block b = {0}; next_row(me, s->n, &b);)
        quantize_row(s->f, x + (size_t)b.row * round16((size_t)cols), cols, b.row);
    team_barrier(me);
}

/* Bias, norm and rotate the n heads of one row. */
static void rotate_heads(const struct forward *f, float *heads, int n, const float *bias,
                         const float *norm, int r)
{
    const struct config *c = f->config;
    const size_t half = (size_t)c->n_rot / 2;
    if (bias) f->kern->add(heads, bias, n * c->head_dim);
    for (int i = 0; i < n; i++) {
        float *head = heads + (size_t)i * c->head_dim;
        if (norm) f->kern->rms_norm(head, head, norm, c->head_dim, c->rms_eps);
        f->kern->rope(head, f->cos + (size_t)r * half, f->sin + (size_t)r * half, c->n_rot,
                      c->rope_interleaved);
    }
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
    const size_t q_dim = round16((size_t)config_q_dim(c)),
                 kv_dim = round16((size_t)config_kv_dim(c));
    for (struct block b = {0}; next_row(me, s->n, &b);) {
        const int r = b.row;
        float *k = f->k + (size_t)r * kv_dim, *v = f->v + (size_t)r * kv_dim;
        rotate_heads(f, f->q + (size_t)r * q_dim, c->n_head, l->q_bias, l->q_norm, r);
        rotate_heads(f, k, c->n_head_kv, l->k_bias, l->k_norm, r);
        if (l->v_bias) f->kern->add(v, l->v_bias, config_kv_dim(c));
        store(f, &s->rows[r], layer, false, k);
        store(f, &s->rows[r], layer, true, v);
    }
    team_barrier(me);
}

static void phase_attend(const struct slice *s, struct team_member *me, int layer)
{
    struct forward *f = s->f;
    const struct config *c = f->config;
    const int group = c->n_head / c->n_head_kv;
    const size_t q_dim = round16((size_t)config_q_dim(c));
    float *scratch = f->scratch + (size_t)me->index * attend_scratch(c);
    int item, end;
    /* Later rows see more positions: hand out the long ones first. */
    while (team_take(me, s->n_runs * c->n_head_kv, 1, 1, &item, &end)) {
        const int run = s->n_runs - 1 - item / c->n_head_kv, head = item % c->n_head_kv;
        const int r = f->runs[run];
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
            .scale = 1 / sqrtf((float)c->head_dim),
            .scratch = scratch,
        });
    }
    team_barrier(me);
}

static void phase_silu(const struct slice *s, struct team_member *me, bool q8)
{
    struct forward *f = s->f;
    const int d_ff = f->config->d_ff;
    const size_t wide = round16((size_t)d_ff);
    for (struct block b = {0}; next_row(me, s->n, &b);) {
        const int r = b.row;
        float *gate = f->gate + (size_t)r * wide;
        f->kern->silu_mul(gate, f->up + (size_t)r * wide, d_ff);
        if (q8) quantize_row(f, gate, d_ff, r);
    }
    team_barrier(me);
}

/* ---- the walk ---------------------------------------------------------------------------- */

static void walk_layer(const struct slice *s, struct team_member *me, int i)
{
    struct forward *f = s->f;
    const struct config *c = f->config;
    const struct layer *l = &f->weights->layers[i];
    const size_t d = round16((size_t)c->d_model), q_dim = round16((size_t)config_q_dim(c));
    const size_t kv_dim = round16((size_t)config_kv_dim(c)), d_ff = round16((size_t)c->d_ff);
    const struct product qkv[] = {
        {&l->q, f->q, q_dim}, {&l->k, f->k, kv_dim}, {&l->v, f->v, kv_dim}};
    const struct product out[] = {{&l->o, f->y, d}};
    const struct product gate_up[] = {{&l->gate, f->gate, d_ff}, {&l->up, f->up, d_ff}};
    const struct product down[] = {{&l->down, f->y, d}};

    phase_norm(s, me, i > 0, l->attn_norm, needs_q8(qkv, 3));
    phase_products(s, me, qkv, 3, f->h, d, s->n);
    phase_rotate(s, me, i);
    phase_attend(s, me, i);
    if (needs_q8(out, 1)) phase_quantize(s, me, f->att, config_q_dim(c));
    phase_products(s, me, out, 1, f->att, q_dim, s->n);
    phase_norm(s, me, 1, l->ffn_norm, needs_q8(gate_up, 2));
    phase_products(s, me, gate_up, 2, f->h, d, s->n);
    phase_silu(s, me, needs_q8(down, 1));
    phase_products(s, me, down, 1, f->gate, d_ff, s->n);
}

/* Rows that want logits are gathered to the front of h. */
static void walk_output(const struct slice *s, struct team_member *me)
{
    struct forward *f = s->f;
    const int dim = f->config->d_model;
    const size_t d = round16((size_t)dim);
    const struct product logits = {&f->weights->output, s->logits, (size_t)f->weights->n_vocab};
    const bool q8 = needs_q8(&logits, 1);
    for (struct block b = {0}; next_row(me, s->n_wanted, &b);) {
        const int i = b.row;
        const size_t at = (size_t)f->wanted[i] * d;
        f->kern->add(f->x + at, f->y + at, dim);
        f->kern->rms_norm(f->h + (size_t)i * d, f->x + at, f->weights->output_norm, dim,
                          f->config->rms_eps);
        if (q8) quantize_row(f, f->h + (size_t)i * d, dim, i);
    }
    team_barrier(me);
    phase_products(s, me, &logits, 1, f->h, d, s->n_wanted);
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
    const double layer = d * (2 * q + 2 * kv + 3.0 * c->d_ff);
    return s->n * layer * c->n_layer + s->n_wanted * d * s->f->weights->n_vocab;
}

static struct pace *pace_of(const struct slice *s)
{
    int i = 0;
    while (s->n >> i > 1) i++;
    return &s->f->pace[i < FORWARD_PACES ? i : FORWARD_PACES - 1];
}

/* Cut the rows into runs of one sequence, short enough that every thread gets two. */
static int cut_runs(const struct forward *f, int members, const struct row *rows, int n)
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

static void walk_with(struct slice *s, int members)
{
    s->n_runs = cut_runs(s->f, members, s->rows, s->n);
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
        logits += (size_t)wanted * (size_t)f->weights->n_vocab;
    }
}
