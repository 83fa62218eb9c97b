/*
 * Drawn texts under exact policies are distributed as the large model alone would draw them: over
 * engines whose every conditional distribution can be computed, 50,000 texts against their exact
 * probabilities, by a chi-square. A bias that is planted is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode/driver.h"
#include "judging.h"
#include "script_engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_CTX = 40, DRAWS = 50000, V_MAX = 6, CELLS_MAX = 1024, PROMPT = 3 };

static struct model *named;

static int open_vocab(void **state)
{
    (void)state;
    named = script_names();
    return 0;
}

static int close_vocab(void **state)
{
    (void)state;
    model_close(named);
    return 0;
}

/* How tokens are drawn, and by which policy; V^T texts of T tokens are told apart. What is 0 is as
 * if nothing was said: temperature, top_p, penalty 1, 16 rows. */
struct law {
    const char *name;
    int v, t;
    ead_policy_kind kind;
    int draft;
    ead_decide decide;
    ead_judge judge;
    ead_weigh weigh;
    float temperature, top_p, min_p;
    int top_k;
    float penalty, likeness;
    int small_top; /* the small engine is late, and tells so many tokens; 0: all, at once */
    int max_rows;
};

/* ---- what it should be --------------------------------------------------------------------- */

struct weighed {
    double p;
    int id;
};

static int falling(const void *a, const void *b)
{
    const double x = ((const struct weighed *)a)->p, y = ((const struct weighed *)b)->p;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* p of what follows, as ead.h has it: penalties, top-k, top-p, min-p, temperature. */
static void shaped(const struct law *law, const struct script_options *o, const int32_t *ids, int n,
                   double *out)
{
    float logits[V_MAX];
    struct candidate top[V_MAX];
    struct distribution dist;
    struct weighed w[V_MAX];
    double total = 0, sum = 0, kept = 0;
    script_distribution(o, ids, n, logits, top, &dist);
    for (int i = 0; i < law->v; i++) {
        double logit = (double)logits[i];
        bool there = false;
        for (int k = 0; k < n; k++) there |= ids[k] == i;
        if (there) logit = logit > 0 ? logit / (double)law->penalty : logit * (double)law->penalty;
        w[i] = (struct weighed){exp(logit), i};
        out[i] = 0;
    }
    qsort(w, (size_t)law->v, sizeof *w, falling);
    const int k = law->top_k && law->top_k < law->v ? law->top_k : law->v;
    for (int i = 0; i < k; i++) total += w[i].p;
    for (int i = 0; i < k; i++) {
        if (i && (sum >= (double)law->top_p * total || w[i].p < (double)law->min_p * w[0].p)) break;
        sum += w[i].p;
        out[w[i].id] = pow(w[i].p, 1 / (double)law->temperature);
        kept += out[w[i].id];
    }
    for (int i = 0; i < law->v; i++) out[i] /= kept;
}

static int cell_of(const struct law *law, const int32_t *ids)
{
    int cell = 0;
    for (int i = 0; i < law->t; i++) cell = cell * law->v + ids[i];
    return cell;
}

static void expect_texts(const struct law *law, const struct script_options *large, int32_t *ids,
                         int n, double chance, double *cells)
{
    double p[V_MAX];
    if (n == PROMPT + law->t) {
        cells[cell_of(law, ids + PROMPT)] = chance;
        return;
    }
    shaped(law, large, ids, n, p);
    for (int i = 0; i < law->v; i++) {
        ids[n] = i;
        expect_texts(law, large, ids, n + 1, chance * p[i], cells);
    }
}

/* ---- what it is ---------------------------------------------------------------------------- */

static struct script_options engine_of(const struct law *law, bool small)
{
    struct script_options o = {.seed = small ? 21 : 20,
                               .kin = 22,
                               .likeness = law->likeness,
                               .vocab = named->vocab,
                               .n_vocab = law->v,
                               .n_ctx = N_CTX,
                               .n_seq = 1,
                               .max_rows = law->max_rows,
                               .max_logits = law->max_rows};
    if (small && law->small_top) {
        o.max_logits = 1;
        o.top = law->small_top;
        o.late = true;
        o.delay = 2;
    }
    return o;
}

static void draw_texts(const struct law *law, struct engine *large, struct engine *small,
                       const int32_t *prompt, int64_t *cells, ead_summary *summary)
{
    struct err err;
    struct driver *driver;
    ead_duo_options o = {.ignore_end = true};
    policy_defaults(&o.policy);
    o.policy.kind = law->kind;
    o.policy.draft = law->draft;
    o.policy.slack = 0;
    o.policy.tau = 1;
    o.policy.decide = law->decide;
    o.policy.judge = law->judge;
    o.policy.weigh = law->weigh;
    o.sampler = (ead_sampler_options){.temperature = law->temperature,
                                      .top_k = law->top_k,
                                      .top_p = law->top_p,
                                      .min_p = law->min_p,
                                      .repeat_penalty = law->penalty,
                                      .repeat_last = 64};
    if (driver_open(large, small, &o, 1, &driver, &err)) fail_msg("%s", err.message);
    struct duo *d = driver_duo(driver, 0);
    for (int k = 0; k < DRAWS; k++) {
        int32_t ids[8];
        o.sampler.seed = (uint64_t)k;
        const struct account account = d->account;
        duo_reset(d);
        d->account = account;
        assert_int_equal(duo_set_sampler(d, &o.sampler, &err), ST_OK);
        assert_int_equal(duo_append(d, prompt, PROMPT, &err), ST_OK);
        for (int i = 0; i < law->t; i++) {
            ead_token token;
            if (driver_write(driver, 0, &token, &err)) fail_msg("%s", err.message);
            assert_int_equal(token.taken_back, 0);
            ids[i] = token.id;
        }
        cells[cell_of(law, ids)]++;
    }
    *summary = duo_summarise(d);
    driver_close(driver);
}

/* How far a chi-square is from its mean, in standard deviations of a normal (Wilson and Hilferty):
 * rare cells are taken together. */
static double deviation(const double *expected, const int64_t *found, int n)
{
    double chi = 0, rare = 0, rare_found = 0, cells = 0;
    for (int i = 0; i < n; i++) {
        const double e = expected[i] * DRAWS, f = (double)found[i];
        if (e < 8) {
            rare += e;
            rare_found += f;
            continue;
        }
        chi += (f - e) * (f - e) / e;
        cells++;
    }
    if (rare > 1e-6 * DRAWS) {
        chi += (rare_found - rare) * (rare_found - rare) / rare;
        cells++;
    } else {
        assert_true(rare_found < 2); /* what has no probability is not drawn */
    }
    const double df = cells - 1, k = 2 / (9 * df);
    assert_true(df >= 4);
    return (pow(chi / df, 1.0 / 3) - (1 - k)) / sqrt(k);
}

static double measure(const struct law *as_written, ead_summary *summary)
{
    struct law whole = *as_written;
    const struct law *law = &whole;
    if (whole.temperature == 0) whole.temperature = 1;
    if (whole.top_p == 0) whole.top_p = 1;
    if (whole.penalty == 0) whole.penalty = 1;
    if (!whole.max_rows) whole.max_rows = 16;
    static double expected[CELLS_MAX];
    static int64_t found[CELLS_MAX];
    const int32_t prompt[PROMPT] = {1, 0, 2};
    int32_t ids[PROMPT + 8];
    int n = 1;
    for (int i = 0; i < law->t; i++) n *= law->v;
    assert_in_range(n, 1, CELLS_MAX);
    memset(expected, 0, sizeof expected);
    memset(found, 0, sizeof found);
    memcpy(ids, prompt, sizeof prompt);
    const struct script_options options[] = {engine_of(law, true), engine_of(law, false)};
    struct engine *small = script_open(&options[0]), *large = script_open(&options[1]);
    expect_texts(law, &options[1], ids, PROMPT, 1, expected);
    draw_texts(law, large, small, prompt, found, summary);
    engine_close(small);
    engine_close(large);
    return deviation(expected, found, n);
}

/* ---- laws ---------------------------------------------------------------------------------- */

/* Four drafts, then a judgement. */
static ead_decision four(void *context, const ead_signals *s)
{
    (void)context;
    const int n = s->drafts;
    if (n < 4 && n < s->draft_max) return (ead_decision){.writer = EAD_SMALL, .open = n};
    return (ead_decision){.writer = EAD_LARGE, .judge = n, .open = n};
}

/* Acceptance that is a little too easy. */
static int too_easy(void *context, const ead_opinion *o, int n)
{
    (void)context;
    for (int i = 0; i < n; i++)
        if ((double)o[i].chance * (double)o[i].q > 1.1 * (double)o[i].p) return i;
    return n;
}

static const struct law exact[] = {
    {"large alone", 6, 3, .kind = EAD_POLICY_LARGE},
    {"draft 1", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 1},
    {"draft 2", 4, 5, .kind = EAD_POLICY_SPECULATIVE, .draft = 2, .likeness = 0.7f},
    {"draft 4, cold", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 4, .temperature = 0.5f,
     .likeness = 0.5f},
    {"draft 4, hot", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 4, .temperature = 1.5f,
     .likeness = 0.6f},
    {"draft 8", 3, 6, .kind = EAD_POLICY_SPECULATIVE, .draft = 8, .likeness = 0.8f},
    {"draft 8, top-p", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 8, .top_p = 0.8f,
     .temperature = 1.5f},
    {"draft 3, top-k", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 3, .top_k = 3,
     .likeness = 0.6f},
    {"draft 3, min-p", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 3, .min_p = 0.1f,
     .likeness = 0.4f},
    {"all of it", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 5, .temperature = 1.3f,
     .top_p = 0.9f, .top_k = 5, .min_p = 0.02f, .penalty = 1.4f, .likeness = 0.7f},
    {"penalties", 4, 4, .kind = EAD_POLICY_SPECULATIVE, .draft = 4, .penalty = 1.5f,
     .likeness = 0.7f},
    {"two rows", 4, 4, .kind = EAD_POLICY_SPECULATIVE, .draft = 8, .max_rows = 2, .likeness = 0.7f},
    {"heuristic", 4, 5, .kind = EAD_POLICY_SPECULATIVE, .draft = EAD_DRAFT_HEURISTIC,
     .likeness = 0.8f},
    {"confidence", 4, 5, .kind = EAD_POLICY_SPECULATIVE, .draft = EAD_DRAFT_CONFIDENCE,
     .likeness = 0.8f},
    {"survival", 4, 5, .kind = EAD_POLICY_SPECULATIVE, .draft = EAD_DRAFT_SURVIVAL,
     .likeness = 0.8f},
    {"a late one that tells three", 6, 3, .kind = EAD_POLICY_SPECULATIVE, .draft = 3,
     .likeness = 0.7f, .small_top = 3},
    {"lenience of nothing", 4, 4, .kind = EAD_POLICY_LENIENT, .likeness = 0.6f},
    {"ead+", 4, 5, .kind = EAD_POLICY_EAD_PLUS, .likeness = 0.8f},
    {"of the program's own", 4, 4, .kind = EAD_POLICY_CUSTOM, .decide = four, .weigh = judging_rest,
     .likeness = 0.7f},
    {"nothing but a decision", 4, 4, .kind = EAD_POLICY_CUSTOM, .decide = four, .likeness = 0.7f},
};

static void test_draws_are_the_large_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        ead_summary s;
        const double z = measure(&exact[i], &s);
        print_message("%-28s %6.2f  (%d of %d judgements refused, %d drafts)\n", exact[i].name, z,
                      (int)s.refused, (int)s.judgements, (int)s.judged);
        if (fabs(z) > 4.5) fail_msg("%s: chi-square is %g deviations off", exact[i].name, z);
        if (exact[i].kind == EAD_POLICY_LARGE) continue;
        assert_true(s.refused > DRAWS / 20 && s.judged - s.taken_back > DRAWS / 20);
    }
}

static double all_of_p(void *context, const ead_opinion *refused, double p, double q)
{
    (void)context, (void)refused, (void)q;
    return p;
}

static const struct law biased[] = {
    {"p in place of the rest", 4, 4, .kind = EAD_POLICY_CUSTOM, .decide = four, .weigh = all_of_p,
     .likeness = 0.7f},
    {"too easy", 4, 4, .kind = EAD_POLICY_CUSTOM, .decide = four, .judge = too_easy,
     .weigh = judging_rest, .likeness = 0.7f},
    {"the small model's", 6, 3, .kind = EAD_POLICY_SMALL, .likeness = 0.9f},
    {"typical", 6, 3, .kind = EAD_POLICY_TYPICAL, .likeness = 0.7f},
};

static void test_a_planted_bias_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof biased / sizeof *biased; i++) {
        ead_summary s;
        const double z = measure(&biased[i], &s);
        print_message("%-28s %6.2f\n", biased[i].name, z);
        if (z < 10) fail_msg("%s: chi-square is %g deviations off", biased[i].name, z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_are_the_large_models),
        cmocka_unit_test(test_a_planted_bias_is_found),
    };
    return cmocka_run_group_tests(tests, open_vocab, close_vocab);
}
