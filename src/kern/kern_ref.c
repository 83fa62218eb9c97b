/*
 * The specification, written to be read: one weight, one product, one sum at a time. Integer parts
 * are exact; floating sums are kept in double and rounded once, so that the distance of another
 * table from this one is that table's own error.
 */
#include "format/quant_parts.h"
#include "kern/kern_tables.h"

#include <math.h>
#include <string.h>

/* ---- quantised activations ------------------------------------------------------------------ */

static void quantize_group(const float *x, int8_t *q, float *d, float *s)
{
    float amax = 0;
    int poisoned = 0;
    for (int k = 0; k < QK; k++) {
        amax = fmaxf(amax, fabsf(x[k]));
        poisoned |= !isfinite(x[k]);
    }
    float inverse = poisoned ? 0 : 127.0f / amax;
    if (!isfinite(inverse)) inverse = 0;
    *d = poisoned ? NAN : amax / 127.0f;
    for (int half = 0; half < 2; half++) {
        int sum = 0;
        for (int k = 16 * half; k < 16 * half + 16; k++) {
            q[k] = inverse == 0 ? 0 : (int8_t)lrintf(x[k] * inverse);
            sum += q[k];
        }
        s[half] = *d * (float)sum;
    }
}

static void ref_quantize(const float *x, int cols, struct kern_q8 to)
{
    for (int k = 0; k < cols; k += QK)
        quantize_group(x + k, to.q + k, to.d + k / QK, to.s + k / 16);
}

/* ---- quantised weights ---------------------------------------------------------------------- */

/* One block with its integers bare: w[k] = d[k/16] * q[k] + m[k/16]. */
struct bare {
    int8_t q[QK_K];
    float d[QK_K / 16], m[QK_K / 16];
};

static void bare_block(enum quant_type type, const uint8_t *src, struct bare *bare)
{
    const struct quant_form *form = &quant_forms[type];
    struct quant_parts parts = {.scale = {1}, .min = {1}};
    quant_parts_read(type, src, &parts);
    float d = quant_f16_to_f32(parts.d), m = form->minima ? quant_f16_to_f32(parts.m) : 0;
    for (int k = 0; k < quant_info(type)->block; k++)
        bare->q[k] =
            form->levels ? quant_iq4_levels[parts.code[k]] : (int8_t)(parts.code[k] - form->offset);
    for (int j = 0; j < quant_info(type)->block / 16; j++) {
        int group = form->fine ? j : j / 2;
        bare->d[j] = d * (float)parts.scale[group];
        bare->m[j] = form->minima ? m * (float)parts.min[group] : 0;
    }
}

/* The product of one block with the activations under it. */
static double block_dot(const struct bare *bare, int weights, const int8_t *q, const float *d,
                        const float *s)
{
    double sum = 0;
    for (int j = 0; j < weights / 16; j++) {
        int dot = 0;
        for (int k = 16 * j; k < 16 * j + 16; k++) dot += bare->q[k] * q[k];
        sum += (double)bare->d[j] * (double)d[j / 2] * dot + (double)bare->m[j] * (double)s[j];
    }
    return sum;
}

static float row_dot(const struct kern_weight *w, int o, const int8_t *q, const float *d,
                     const float *s)
{
    const struct quant_info *info = quant_info(w->type);
    const uint8_t *src = w->data + (size_t)o * w->row_bytes;
    double sum = 0;
    for (int k = 0; k < w->cols; k += info->block, src += info->bytes) {
        struct bare bare;
        bare_block(w->type, src, &bare);
        sum += block_dot(&bare, info->block, q + k, d + k / QK, s + k / 16);
    }
    return (float)sum;
}

static void ref_matmul(const struct kern_weight *w, struct kern_q8 x, int n, int o0, int o1,
                       float *y, size_t ldy)
{
    size_t stride = KERN_Q8_STRIDE(w->cols);
    for (int o = o0; o < o1; o++)
        for (size_t r = 0; r < (size_t)n; r++)
            y[r * ldy + (size_t)o] =
                row_dot(w, o, x.q + r * stride, x.d + r * stride / QK, x.s + r * stride / 16);
}

/* ---- float weights -------------------------------------------------------------------------- */

static void ref_matmul_f32(const struct kern_weight *w, const float *x, size_t ldx, int n, int o0,
                           int o1, float *y, size_t ldy)
{
    size_t bytes = quant_info(w->type)->bytes;
    for (int o = o0; o < o1; o++) {
        const uint8_t *row = w->data + (size_t)o * w->row_bytes;
        for (size_t r = 0; r < (size_t)n; r++) {
            double sum = 0;
            for (size_t k = 0; k < (size_t)w->cols; k++) {
                float weight;
                quant_decode_row(w->type, row + k * bytes, &weight, 1);
                sum += (double)weight * (double)x[r * ldx + k];
            }
            y[r * ldy + (size_t)o] = (float)sum;
        }
    }
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void ref_rms_norm(float *y, const float *x, const float *w, int n, float eps)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    float scale = (float)(1 / sqrt(sum / n + (double)eps));
    for (int i = 0; i < n; i++) y[i] = x[i] * scale * w[i];
}

static void ref_add(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i++) y[i] += x[i];
}

static void ref_add_scaled(float *y, const float *x, float scale, int n)
{
    for (int i = 0; i < n; i++) y[i] += scale * x[i];
}

static void ref_silu_mul(float *gate, const float *up, int n)
{
    for (int i = 0; i < n; i++) {
        double g = (double)gate[i];
        gate[i] = (float)(g / (1 + exp(-g)) * (double)up[i]);
    }
}

static void ref_gelu_mul(float *gate, const float *up, int n)
{
    for (int i = 0; i < n; i++) {
        double g = (double)gate[i], u = sqrt(M_2_PI) * (g + 0.044715 * g * g * g);
        gate[i] = (float)(g / (1 + exp(-2 * u)) * (double)up[i]);
    }
}

static void ref_softcap(float *y, int n, float cap)
{
    for (int i = 0; i < n; i++) y[i] = (float)((double)cap * tanh((double)y[i] / (double)cap));
}

static void ref_rope(float *x, const float *cos, const float *sin, int n_rot, int interleaved)
{
    int half = n_rot / 2, step = interleaved ? 2 : 1, mate = interleaved ? 1 : half;
    for (int i = 0; i < half; i++) {
        float *a = x + i * step, *b = a + mate;
        float a0 = *a, b0 = *b;
        *a = a0 * cos[i] - b0 * sin[i];
        *b = a0 * sin[i] + b0 * cos[i];
    }
}

static void ref_to_f16(uint16_t *y, const float *x, int n)
{
    for (int i = 0; i < n; i++) y[i] = quant_f32_to_f16(x[i]);
}

static void ref_to_q8_0(int8_t *code, uint16_t *scale, const float *x, int n)
{
    for (int from = 0; from < n; from += KERN_GROUP) {
        const int to = from + KERN_GROUP < n ? from + KERN_GROUP : n;
        float most = 0, poison = 0;
        for (int i = from; i < to; i++) {
            most = fmaxf(most, fabsf(x[i]));
            poison += x[i] * 0; /* NaN where x is not finite */
        }
        float factor = kern_cache_scale(most + poison, scale++);
        for (int i = from; i < to; i++)
            code[i] = factor > 0 ? (int8_t)lrintf(fmaxf(-127, fminf(127, x[i] * factor))) : 0;
    }
}

/* ---- attention ------------------------------------------------------------------------------ */

/* Element i of the key (or value) of position p. */
static double cached(const struct kern_attend *a, bool is_value, int p, int i)
{
    const size_t page = (size_t)a->pages[p / KERN_TILE];
    const uint8_t *tile = (is_value ? a->v : a->k) + page * kern_cache_tile(a->cache, a->head_dim);
    const uint8_t *elements = tile + kern_cache_scales(a->cache, a->head_dim);
    const size_t at = kern_cache_at(is_value, a->head_dim, p, i);
    if (a->cache == KERN_CACHE_F16)
        return (double)quant_f16_to_f32(((const uint16_t *)elements)[at]);
    const uint16_t *scales = (const uint16_t *)tile;
    return (double)quant_f16_to_f32(scales[kern_cache_scale_at(p, i)]) * (int8_t)elements[at];
}

static float score_of(const struct kern_attend *a, const float *q, int p)
{
    double dot = 0;
    for (int i = 0; i < a->head_dim; i++) dot += (double)q[i] * cached(a, false, p, i);
    dot *= (double)a->scale;
    return (float)(a->cap > 0 ? (double)a->cap * tanh(dot / (double)a->cap) : dot);
}

/* One query head: its block of scores is the only scratch, `out` carries the weighted sum so far.
 */
static void attend_head(const struct kern_attend *a, int row, int head)
{
    const size_t at = (size_t)row * a->ld + (size_t)head * (size_t)a->head_dim;
    const float *q = a->q + at;
    float *out = a->out + at, *score = a->scratch;
    const int n_pos = a->n_pos + row;
    double max = -INFINITY, sum = 0;
    for (int i = 0; i < a->head_dim; i++) out[i] = 0;
    for (int p0 = kern_attend_from(a, row), count; p0 < n_pos; p0 += count) {
        count = KERN_ATTEND_BLOCK - p0 % KERN_ATTEND_BLOCK; /* blocks end at multiples of it */
        count = n_pos - p0 < count ? n_pos - p0 : count;
        double block_max = max;
        for (int p = 0; p < count; p++) {
            score[p] = score_of(a, q, p0 + p);
            block_max = fmax(block_max, (double)score[p]);
        }
        double rescale = max == block_max ? 1 : exp(max - block_max);
        max = block_max;
        sum *= rescale;
        for (int p = 0; p < count; p++) sum += exp((double)score[p] - max);
        for (int i = 0; i < a->head_dim; i++) {
            double acc = (double)out[i] * rescale;
            for (int p = 0; p < count; p++)
                acc += exp((double)score[p] - max) * cached(a, true, p0 + p, i);
            out[i] = (float)acc;
        }
    }
    for (int i = 0; i < a->head_dim; i++) out[i] = (float)((double)out[i] / sum);
}

static void ref_attend(const struct kern_attend *a)
{
    for (int row = 0; row < a->rows; row++)
        for (int head = 0; head < a->group; head++) attend_head(a, row, head);
}

/* ---- statistics of logits -------------------------------------------------------------------- */

/* With t = l - max, Z = sum exp(t) and S = sum t exp(t): the entropy is ln Z - S/Z nats. When the
 * maximum grows by g, every t shrinks by g: Z' = Z exp(-g), S' = (S - g Z) exp(-g). */
static void ref_stats(const float *logits, int n, struct kern_stats *out)
{
    struct kern_stats st = {-INFINITY, -INFINITY, -1, -INFINITY, NAN};
    double z = 0, s = 0;
    int poisoned = 0;
    for (int i = 0; i < n; i++) {
        float l = logits[i];
        poisoned |= isnan(l) || l == INFINITY;
        if (isnan(l)) continue;
        if (st.argmax < 0 || l > st.max) {
            double grow = (double)l - (double)st.max;
            if (z > 0) {
                s = (s - grow * z) * exp(-grow);
                z *= exp(-grow);
            }
            st.second = st.argmax < 0 ? -INFINITY : st.max;
            st.max = l;
            st.argmax = i;
        } else {
            st.second = fmaxf(st.second, l);
        }
        if (l == -INFINITY) continue;
        double t = (double)l - (double)st.max;
        z += exp(t);
        s += t * exp(t);
    }
    if (poisoned) {
        st.log_sum_exp = NAN;
    } else if (z > 0) {
        st.log_sum_exp = (float)((double)st.max + log(z));
        st.entropy = (float)((log(z) - s / z) * M_LOG2E);
    }
    *out = st;
}

const struct kern kern_ref = {
    .level = KERN_REF,
    .name = "ref",
    .quantize = ref_quantize,
    .matmul = ref_matmul,
    .matmul_f32 = ref_matmul_f32,
    .rms_norm = ref_rms_norm,
    .add = ref_add,
    .add_scaled = ref_add_scaled,
    .silu_mul = ref_silu_mul,
    .gelu_mul = ref_gelu_mul,
    .softcap = ref_softcap,
    .rope = ref_rope,
    .to_f16 = ref_to_f16,
    .to_q8_0 = ref_to_q8_0,
    .attend = ref_attend,
    .stats = ref_stats,
};
