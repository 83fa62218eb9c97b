/*
 * Pairs whose models agree often and not always, as drafting wants it, and every policy that judges
 * or takes back. Two models of one file, of which one's output was moved.
 */
#ifndef TESTS_JUDGING_H
#define TESTS_JUDGING_H

#include "ead.h"
#include "tiny.h"

#include <string.h>

enum { JUDGING_EOS = 64 }; /* a token that is written now and then */

struct judging_pair {
    ead_model *large, *small;
    struct tiny_spec spec;
};

/* `noise`: by how much the small model's output is moved. */
static inline void judging_open(struct judging_pair *pair, int n_ctx, float noise)
{
    pair->spec = tiny_spec("llama", QT_F32);
    pair->spec.gain = 3;
    pair->spec.n_ctx = n_ctx;
    struct tiny *file = tiny_model(&pair->spec);
    tiny_set_u32(file, "tokenizer.ggml.eos_token_id", JUDGING_EOS);
    pair->large = tiny_open_public(file);
    struct tiny_bytes *data = &tiny_find(file, "output.weight")->data;
    uint64_t rng = 5;
    for (size_t i = 0; i + sizeof(float) <= data->n; i += sizeof(float)) {
        float x;
        memcpy(&x, data->data + i, sizeof x);
        x += noise * ((float)rng_unit(&rng) - 0.5f);
        memcpy(data->data + i, &x, sizeof x);
    }
    pair->small = tiny_open_public(file);
    tiny_free(file);
}

static inline void judging_close(struct judging_pair *pair)
{
    ead_model_close(pair->large);
    ead_model_close(pair->small);
}

/* ---- policies ------------------------------------------------------------------------------ */

/* A number of a place in a text, of no reason. */
static inline uint64_t judging_hash(const ead_signals *s)
{
    return rng_mix(((uint64_t)s->length << 32) ^ (uint64_t)(s->id + 1) ^ (uint64_t)s->drafts << 20);
}

/* Judges, drops and leaves open at random, but always alike at one place. */
static inline ead_decision judging_whim(void *context, const ead_signals *s)
{
    const uint64_t hash = judging_hash(s);
    const int n = s->drafts;
    (void)context;
    ead_decision d = {.writer = EAD_SMALL, .open = n, .memory = {(double)n, s->memory[0] + 1}};
    if (!n) {
        d.writer = s->index && hash % 5 == 0 ? EAD_LARGE : EAD_SMALL;
        return d;
    }
    if (s->memory[0] < 0) d.open = 0; /* never: what comes back is what was left */
    if (n < s->draft_max && hash % 4 && !s->end) return d;
    d.writer = EAD_LARGE;
    d.take_back = (hash >> 8) % 3 == 0 && !s->end;
    d.judge = n - d.take_back;
    if ((hash >> 16) % 7 == 0) d.judge /= 2; /* of the last ones; those before stand */
    return d;
}

static inline int judging_whim_judge(void *context, const ead_opinion *o, int n)
{
    (void)context;
    for (int i = 0; i < n; i++)
        if (rng_mix((uint64_t)o[i].id * 77 + (uint64_t)(o[i].p * 1e4f)) % 4 == 0) return i;
    return n;
}

static inline double judging_rest(void *context, const ead_opinion *refused, double p, double q)
{
    (void)context, (void)refused;
    return p > q ? p - q : 0;
}

/* A policy and a name for messages. */
struct judging_policy {
    const char *name;
    void (*set)(ead_policy_options *o);
};

static inline void judging_exact(ead_policy_options *o)
{
    o->kind = EAD_POLICY_SPECULATIVE;
}

static inline void judging_exact_long(ead_policy_options *o)
{
    o->kind = EAD_POLICY_SPECULATIVE;
    o->draft = EAD_DRAFT_MAX;
}

static inline void judging_heuristic(ead_policy_options *o)
{
    o->kind = EAD_POLICY_SPECULATIVE;
    o->draft = EAD_DRAFT_HEURISTIC;
}

static inline void judging_confidence(ead_policy_options *o)
{
    o->kind = EAD_POLICY_SPECULATIVE;
    o->draft = EAD_DRAFT_CONFIDENCE;
}

static inline void judging_survival(ead_policy_options *o)
{
    o->kind = EAD_POLICY_SPECULATIVE;
    o->draft = EAD_DRAFT_SURVIVAL;
}

static inline void judging_stopped(ead_policy_options *o)
{
    o->kind = EAD_POLICY_SPECULATIVE;
    o->draft_min_p = 0.25;
    o->draft_min = 2;
}

static inline void judging_judge(ead_policy_options *o)
{
    o->kind = EAD_POLICY_JUDGE;
    o->risk = 3.5;
    o->risk_sum = 14;
}

static inline void judging_ead_plus(ead_policy_options *o)
{
    o->kind = EAD_POLICY_EAD_PLUS;
    o->tau = 3;
    o->window = 3;
    o->unjudged = 12;
    o->agree = 3;
    o->draft = 4;
}

static inline void judging_typical(ead_policy_options *o)
{
    o->kind = EAD_POLICY_TYPICAL;
}

static inline void judging_relaxed(ead_policy_options *o)
{
    o->kind = EAD_POLICY_RELAXED;
    o->relaxed_delta = 0.1;
}

static inline void judging_v3(ead_policy_options *o)
{
    o->kind = EAD_POLICY_CASCADE;
}

static inline void judging_opt(ead_policy_options *o)
{
    o->kind = EAD_POLICY_CASCADE;
    o->rule = EAD_CASCADE_OPT;
    o->slack = 0.2;
}

static inline void judging_lenient(ead_policy_options *o)
{
    o->kind = EAD_POLICY_LENIENT;
    o->mentor = 0.2;
}

static inline void judging_fly(ead_policy_options *o)
{
    o->kind = EAD_POLICY_FLY;
    o->fly_window = 2;
}

static inline void judging_fsd(ead_policy_options *o)
{
    o->kind = EAD_POLICY_FSD;
    o->fsd_limit = 0.02;
}

static inline void judging_bild(ead_policy_options *o)
{
    o->kind = EAD_POLICY_BILD;
    o->fallback = 0.2;
    o->rollback = 1.5;
}

static inline void judging_rstitch(ead_policy_options *o)
{
    o->kind = EAD_POLICY_RSTITCH;
    o->uncertainty = 0.4;
}

static inline void judging_r2r(ead_policy_options *o)
{
    o->kind = EAD_POLICY_R2R;
    o->critical = 2;
}

static inline void judging_step(ead_policy_options *o)
{
    o->kind = EAD_POLICY_STEP;
    o->step_end = EAD_STEP_LINE;
}

static inline void judging_custom(ead_policy_options *o)
{
    o->kind = EAD_POLICY_CUSTOM;
    o->decide = judging_whim;
    o->judge = judging_whim_judge;
    o->weigh = judging_rest;
}

static inline void judging_custom_native(ead_policy_options *o)
{
    o->kind = EAD_POLICY_CUSTOM;
    o->decide = judging_whim;
    o->judge = NULL;
    o->weigh = NULL;
}

static const struct judging_policy judging_policies[] = {
    {"speculative", judging_exact},
    {"speculative, long", judging_exact_long},
    {"speculative, heuristic", judging_heuristic},
    {"speculative, confidence", judging_confidence},
    {"speculative, survival", judging_survival},
    {"speculative, stopped", judging_stopped},
    {"judge", judging_judge},
    {"ead+", judging_ead_plus},
    {"typical", judging_typical},
    {"relaxed", judging_relaxed},
    {"cascade v3", judging_v3},
    {"cascade opt", judging_opt},
    {"lenient", judging_lenient},
    {"fly", judging_fly},
    {"fsd", judging_fsd},
    {"bild", judging_bild},
    {"rstitch", judging_rstitch},
    {"r2r", judging_r2r},
    {"step", judging_step},
    {"custom", judging_custom},
    {"custom, native", judging_custom_native},
};
enum { JUDGING_POLICIES = sizeof judging_policies / sizeof *judging_policies };

#endif
