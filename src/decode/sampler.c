#include "decode/sampler.h"

#include "base/rng.h"
#include "decode/text.h"

#include <math.h>
#include <string.h>

/* Penalties and biases beyond have no use, and sums of these stay finite. */
static const float change_max = 1e6f;

static enum status check_penalty(const char *name, float value, struct err *err)
{
    if (value >= -change_max && value <= change_max) return ST_OK;
    return err_set(err, ST_ARG, "%s: expected -1e6 to 1e6, found %g", name, (double)value);
}

static enum status check_bias(const ead_sampler_options *o, struct err *err)
{
    if (o->n_bias < 0 || (o->n_bias && !o->bias))
        return err_set(err, ST_ARG, "bias: expected 0 or more and where they are, found %d%s",
                       o->n_bias, o->bias ? "" : " and no place");
    for (int i = 0; i < o->n_bias; i++)
        if (!(o->bias[i].bias <= change_max)) /* forbidding has no end */
            return err_set(err, ST_ARG, "bias of token %d: expected at most 1e6, found %g",
                           o->bias[i].id, (double)o->bias[i].bias);
    return ST_OK;
}

enum status sampler_check(const ead_sampler_options *o, struct err *err)
{
    if (!(o->temperature >= 0 && o->temperature < 1e6f))
        return err_set(err, ST_ARG, "temperature: expected 0 or more, found %g",
                       (double)o->temperature);
    if (o->top_k < 0) return err_set(err, ST_ARG, "top-k: expected 0 or more, found %d", o->top_k);
    if (!(o->top_p > 0 && o->top_p <= 1))
        return err_set(err, ST_ARG, "top-p: expected above 0 and at most 1, found %g",
                       (double)o->top_p);
    if (!(o->min_p >= 0 && o->min_p <= 1))
        return err_set(err, ST_ARG, "min-p: expected 0 to 1, found %g", (double)o->min_p);
    if (!(o->repeat_penalty > 0 && o->repeat_penalty < 1e6f))
        return err_set(err, ST_ARG, "repeat-penalty: expected above 0, found %g",
                       (double)o->repeat_penalty);
    if (o->repeat_last < 0 || o->repeat_last > REPEAT_LAST_MAX)
        return err_set(err, ST_ARG, "repeat-last: expected 0 to %d, found %d", REPEAT_LAST_MAX,
                       o->repeat_last);
    TRY(check_penalty("presence-penalty", o->presence_penalty, err));
    TRY(check_penalty("frequency-penalty", o->frequency_penalty, err));
    return check_bias(o, err);
}

void sampler_init(struct sampler *s, const ead_sampler_options *o, struct candidate *scratch,
                  int n_vocab)
{
    const ead_sampler_options mine = *o; /* it may be the sampler's own */
    *s = (struct sampler){.options = mine, .n_vocab = n_vocab, .candidates = scratch};
}

/* The tokens that can be chosen; returns how many. */
static int gather(const struct sampler *s, const struct distribution *d)
{
    int n = 0;
    if (d->logits)
        for (; n < s->n_vocab; n++) s->candidates[n] = (struct candidate){d->logits[n], n};
    else
        for (int i = 0; i < d->n_top; i++)
            if (d->top[i].id < s->n_vocab) s->candidates[n++] = d->top[i];
    return n;
}

/* Where a token stands among the candidates, or -1. Of dense logits it stands at its id. */
static int find(const struct candidate *c, int n, int32_t id)
{
    if (id >= 0 && id < n && c[id].id == id) return id;
    for (int i = 0; i < n; i++)
        if (c[i].id == id) return i;
    return -1;
}

/* Each of the latest tokens is penalised once, however often it occurs: a token is skipped when it
 * stands again later in the text. */
static void penalise(const struct sampler *s, int n, const int32_t *text, size_t n_text)
{
    const float penalty = s->options.repeat_penalty;
    size_t back = (size_t)s->options.repeat_last;
    if (back > n_text) back = n_text;
    if (!back) return; /* there may be no text at all */
    const int32_t *recent = text + (n_text - back);
    for (size_t i = 0; i < back; i++) {
        bool again = recent[i] >= s->n_vocab;
        for (size_t j = i + 1; j < back && !again; j++) again = recent[j] == recent[i];
        const int at = again ? -1 : find(s->candidates, n, recent[i]);
        if (at < 0) continue;
        float *logit = &s->candidates[at].logit;
        *logit = *logit > 0 ? *logit / penalty : *logit * penalty;
    }
}

/* A token that no candidate is cannot be chosen anyway. */
static void add_biases(const struct sampler *s, int n)
{
    static const float forbids = -100;
    for (int i = 0; i < s->options.n_bias; i++) {
        const ead_bias *b = &s->options.bias[i];
        const int at = find(s->candidates, n, b->id);
        if (at >= 0) s->candidates[at].logit += b->bias <= forbids ? -INFINITY : b->bias;
    }
}

static void take_off(const struct sampler *s, struct candidate *c, int32_t times)
{
    const double presence = (double)s->options.presence_penalty;
    const double frequency = (double)s->options.frequency_penalty;
    if (times) c->logit = (float)((double)c->logit - (presence + times * frequency));
}

/* Presence and frequency penalties of dense logits: their ids are their places, so that for the
 * moment they can be counters. One scan of what was written, however much it is. */
static void count_dense(const struct sampler *s, int n, const int32_t *written, size_t n_written)
{
    struct candidate *c = s->candidates;
    for (int i = 0; i < n; i++) c[i].id = 0;
    for (size_t i = 0; i < n_written; i++)
        if (written[i] < n) c[written[i]].id++;
    for (int i = 0; i < n; i++) {
        take_off(s, &c[i], c[i].id);
        c[i].id = i;
    }
}

/* The same of a few candidates. */
static void count_few(const struct sampler *s, int n, const int32_t *written, size_t n_written)
{
    for (int i = 0; i < n; i++) {
        int32_t times = 0;
        for (size_t j = 0; j < n_written; j++) times += written[j] == s->candidates[i].id;
        take_off(s, &s->candidates[i], times);
    }
}

static float top_logit(const struct candidate *c, int n)
{
    float top = -INFINITY;
    for (int i = 0; i < n; i++) top = c[i].logit > top ? c[i].logit : top;
    return top;
}

static int32_t top_id(const struct candidate *c, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (c[i].logit > c[best].logit) best = i;
    return c[best].id;
}

/* Keep candidates at or above a floor, in order. */
static int keep_above(struct candidate *c, int n, float floor)
{
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (c[i].logit >= floor) c[kept++] = c[i];
    return kept;
}

/* The k most probable, unordered: one scan with a heap of k instead of a sort of the vocabulary. */
static int keep_top_k(struct candidate *c, int n, int k)
{
    if (!k || k >= n) return n;
    candidates_heapify(c, k);
    for (int i = k; i < n; i++) candidates_offer(c, k, c[i]);
    return k;
}

/* The smallest set of most probable tokens whose probability reaches p. A token less probable than
 * (1-p)/n cannot belong to it, for all such together weigh less than 1-p; so few need sorting. */
static int keep_top_p(struct candidate *c, int n, float p)
{
    if (p >= 1) return n;
    const double top = (double)top_logit(c, n);
    double total = 0;
    for (int i = 0; i < n; i++) total += exp((double)c[i].logit - top);
    float floor = (float)(top + log((1 - (double)p) * total / n) - 1e-4);
    n = keep_above(c, n, floor);
    candidates_sort(c, n);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += exp((double)c[i].logit - top);
        if (sum >= (double)p * total) return i + 1;
    }
    return n;
}

static int keep_min_p(struct candidate *c, int n, float p)
{
    return p > 0 ? keep_above(c, n, top_logit(c, n) + logf(p)) : n;
}

static int32_t draw(const struct sampler *s, int n, double chance)
{
    struct candidate *c = s->candidates;
    const double top = (double)top_logit(c, n), scale = 1 / (double)s->options.temperature;
    double total = 0, sum = 0;
    for (int i = 0; i < n; i++) total += exp(((double)c[i].logit - top) * scale);
    const double at = chance * total;
    for (int i = 0; i < n; i++) {
        sum += exp(((double)c[i].logit - top) * scale);
        if (sum > at) return c[i].id;
    }
    return top_id(c, n); /* rounding left a hair of probability behind the last candidate */
}

bool sampler_same(const ead_sampler_options *a, const ead_sampler_options *b)
{
    return a->temperature == b->temperature && a->top_k == b->top_k && a->top_p == b->top_p &&
           a->min_p == b->min_p && a->repeat_penalty == b->repeat_penalty &&
           a->repeat_last == b->repeat_last && a->presence_penalty == b->presence_penalty &&
           a->frequency_penalty == b->frequency_penalty && a->bias == b->bias &&
           a->n_bias == b->n_bias && a->seed == b->seed;
}

bool sampler_is_plain(const struct sampler *s)
{
    const ead_sampler_options *o = &s->options;
    return o->repeat_penalty == 1 && o->presence_penalty == 0 && o->frequency_penalty == 0 &&
           !o->n_bias;
}

/* Does the most probable token stay the most probable? It does where only others sink, as when a
 * text may not end: no need to look at the whole vocabulary. */
static bool stays_top(const ead_sampler_options *o, const struct distribution *d)
{
    const int32_t top = d->stats.argmax;
    if (o->repeat_penalty != 1 || o->presence_penalty != 0 || o->frequency_penalty != 0)
        return false;
    for (int i = 0; i < o->n_bias; i++)
        if (o->bias[i].bias > 0 || o->bias[i].id == top) return false;
    return !o->n_bias || (d->logits && top >= 0 && d->logits[top] > -INFINITY);
}

/* Change the logits of n candidates: biases, and penalties. */
static void change(const struct sampler *s, bool dense, int n, const int32_t *text, size_t n_text,
                   size_t n_written)
{
    const ead_sampler_options *o = &s->options;
    add_biases(s, n);
    if (o->repeat_penalty != 1) penalise(s, n, text, n_text);
    if ((o->presence_penalty == 0 && o->frequency_penalty == 0) || !n_written) return;
    const int32_t *written = text + (n_text - n_written);
    if (dense)
        count_dense(s, n, written, n_written);
    else
        count_few(s, n, written, n_written);
}

/* Of n changed candidates those that may be drawn, with a temperature above 0. */
static int keep(const struct sampler *s, int n)
{
    const ead_sampler_options *o = &s->options;
    n = keep_top_k(s->candidates, n, o->top_k);
    n = keep_top_p(s->candidates, n, o->top_p);
    return keep_min_p(s->candidates, n, o->min_p);
}

int32_t sampler_choose(const struct sampler *s, const struct distribution *d, const int32_t *text,
                       size_t n_text, size_t n_written)
{
    const ead_sampler_options *o = &s->options;
    if (o->temperature == 0 && d->stats.argmax < s->n_vocab && stays_top(o, d))
        return d->stats.argmax;
    int n = gather(s, d);
    if (!n) return SAMPLER_UNKNOWN;
    if (!sampler_is_plain(s)) change(s, d->logits != NULL, n, text, n_text, n_written);
    if (o->n_bias && top_logit(s->candidates, n) == -INFINITY) return SAMPLER_FORBIDDEN;
    if (o->temperature == 0) return top_id(s->candidates, n);
    return draw(s, keep(s, n), rng_at(o->seed, STREAM_TOKEN, n_text));
}

bool sampler_shape(const struct sampler *s, const struct distribution *d, const int32_t *text,
                   size_t n_text, size_t n_written, float *out)
{
    const bool drawn = s->options.temperature > 0;
    const double scale = drawn ? 1 / (double)s->options.temperature : 1;
    const struct candidate *c = s->candidates;
    double total = 0;
    int n = gather(s, d);
    if (drawn && !sampler_is_plain(s)) change(s, d->logits != NULL, n, text, n_text, n_written);
    if (!n || top_logit(c, n) == -INFINITY) return false;
    if (drawn) n = keep(s, n);
    const double top = (double)top_logit(c, n);
    for (int i = 0; i < n; i++) total += exp(((double)c[i].logit - top) * scale);
    memset(out, 0, (size_t)s->n_vocab * sizeof *out);
    for (int i = 0; i < n; i++)
        out[c[i].id] = (float)(exp(((double)c[i].logit - top) * scale) / total);
    return true;
}
