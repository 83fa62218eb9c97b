/*
 * Pairs whose models agree often and not always, as drafting wants it, and every policy that judges
 * or takes back. Two models of one file, of which one's output was moved.
 */
#ifndef TESTS_JUDGING_H
#define TESTS_JUDGING_H

#include "ead.h"
#include "eval/setting.h"
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

/* As settings are written; of a custom one without a judge, exact speculation's. */
static const char *const judging_policies[] = {
    "speculative",
    "speculative draft=63",
    "speculative draft=heuristic",
    "speculative draft=confidence",
    "speculative draft=survival",
    "speculative draft-min-p=0.25 draft-min=2",
    "judge risk=3.5 risk-sum=14",
    "judge risk=3.5 risk-sum=14 slack=0.02 slack-by=lead",
    "ead+ tau=3 window=3 unjudged=12 agree=3 draft=4",
    "ead+ tau=3 window=3 unjudged=12 agree=3 draft=4 slack=0.02 slack-by=lead",
    "typical",
    "relaxed relaxed-delta=0.1",
    "cascade",
    "cascade rule=opt slack=0.2",
    "lenient mentor=0.2",
    "fly fly-window=2",
    "fsd fsd-limit=0.02",
    "bild fallback=0.2 rollback=1.5",
    "rstitch uncertainty=0.4",
    "r2r critical=2",
    "step step-end=line",
    "custom",
    "custom, native",
};
enum { JUDGING_POLICIES = sizeof judging_policies / sizeof *judging_policies };

static inline void judging_set(int policy, ead_policy_options *o)
{
    const char *text = judging_policies[policy];
    const ead_policy_options base = *o;
    const bool native = !strcmp(text, "custom, native");
    ead_error error;
    if (native || !strcmp(text, "custom")) {
        o->kind = EAD_POLICY_CUSTOM;
        o->decide = judging_whim;
        o->judge = native ? NULL : judging_whim_judge;
        o->weigh = native ? NULL : judging_rest;
    } else if (setting_read(text, &base, "policy", o, &error)) {
        fail_msg("%s", error.message);
    }
}

#endif
