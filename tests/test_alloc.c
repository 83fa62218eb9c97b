/*
 * Writing a token allocates nothing: this program puts itself in front of malloc and mmap and
 * counts. Under a sanitizer, and where the C library is not glibc, there is nothing to get in front
 * of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead.h"
#include "heap.h"
#include "judging.h"

static ead_model *open_model(const char *arch, enum quant_type type, int layers)
{
    struct tiny_spec spec = tiny_spec(arch, type);
    spec.n_layer = layers;
    spec.n_ctx = 200;
    struct tiny *t = tiny_model(&spec);
    ead_model *m = tiny_open_public(t);
    tiny_free(t);
    return m;
}

static int steps(ead_duo *duo, int n)
{
    int switches = 0;
    ead_token token;
    for (int i = 0; i < n; i++) {
        if (ead_duo_step(duo, &token, NULL)) return -1;
        switches += token.switched;
    }
    return switches;
}

static void check_run(const ead_model *large, const ead_model *small, int threads,
                      const char *cache_type, float temperature, int top_k)
{
    static const int32_t prompt[] = {1, 50, 60, 70, 80};
    ead_duo_options o = ead_duo_defaults();
    ead_duo *duo = NULL;
    o.policy.kind = EAD_POLICY_RANDOM;
    o.policy.dwell = 2;
    o.policy.share = 0.5;
    o.threads = threads;
    o.cache_type = cache_type;
    o.ignore_end = true;
    o.sampler.temperature = temperature;
    o.sampler.top_k = top_k;
    o.sampler.top_p = 0.999f;
    o.sampler.repeat_penalty = 1.1f;
    o.sampler.presence_penalty = o.sampler.frequency_penalty = 0.1f;
    assert_int_equal(ead_duo_open(large, small, &o, &duo, NULL), EAD_OK);
    assert_int_equal(ead_duo_append(duo, prompt, 5, NULL), EAD_OK);
    assert_true(steps(duo, 20) >= 0); /* the threads start here */

    atomic_store(&heap_allocations, 0);
    int switches = steps(duo, 50);
    ead_duo_truncate(duo, 30);
    ead_status st = ead_duo_append(duo, prompt, 5, NULL);
    switches += steps(duo, 10);
    ead_summary summary = ead_duo_summarise(duo);
    const int counted = atomic_load(&heap_allocations);

    assert_int_equal(st, EAD_OK);
    assert_true(switches > 5 && summary.tokens == 80);
    if (counted) fail_msg("%d allocations in 60 tokens on %d threads", counted, threads);
    ead_duo_close(duo);
}

/* Three texts in turns over shared passes: a text that is done makes room for the next. */
static void check_batch(const ead_model *large, const ead_model *small, int threads)
{
    static const int32_t prompt[] = {1, 50, 60, 70, 80};
    ead_duo_options o = ead_duo_defaults();
    ead_batch *batch = NULL;
    ead_event events[3];
    int n;
    const bool active[] = {true, true, true};
    o.policy.kind = EAD_POLICY_RANDOM;
    o.policy.dwell = 2;
    o.policy.horizon = 20;
    o.threads = threads;
    o.ignore_end = true;
    o.sampler.temperature = 1;
    assert_int_equal(ead_batch_open(large, small, &o, 3, &batch, NULL), EAD_OK);
    for (int i = 0; i < 60; i++) {
        ead_duo *duo = ead_batch_duo(batch, i % 3);
        if (i == 10) atomic_store(&heap_allocations, 0); /* the threads have started */
        o.policy.seed = (uint64_t)i;
        ead_duo_reset(duo);
        ead_status st = ead_duo_set_policy(duo, &o.policy, NULL);
        st = st ? st : ead_duo_append(duo, prompt, 5, NULL);
        for (int k = 0; k < 5 && !st; k++)
            if (i >= 2) st = ead_batch_step(batch, active, events, &n, NULL);
        if (st) fail_msg("a step failed");
    }
    const int counted = atomic_load(&heap_allocations);
    if (counted) fail_msg("%d allocations in a batch on %d threads", counted, threads);
    ead_batch_close(batch);
}

/* Policies that judge, and what a cut makes them learn again. */
static void check_judging(const struct judging_pair *pair, int policy, int threads)
{
    static const int32_t prompt[] = {1, 50, 60, 70, 80};
    ead_duo_options o = ead_duo_defaults();
    ead_duo *duo = NULL;
    ead_status st = EAD_OK;
    ead_token token;
    judging_set(policy, &o.policy);
    o.threads = threads;
    o.ignore_end = o.tell_lost = true;
    o.sampler.temperature = policy % 2 ? 1 : 0;
    assert_int_equal(ead_duo_open(pair->large, pair->small, &o, &duo, NULL), EAD_OK);
    assert_int_equal(ead_duo_append(duo, prompt, 5, NULL), EAD_OK);
    ead_duo_want_best(duo, EAD_BEST_MAX);
    while (!st && ead_duo_length(duo) < 100) st = ead_duo_step(duo, &token, NULL);
    atomic_store(&heap_allocations, 0);
    for (int part = 0; part < 3; part++) {
        while (!st && ead_duo_length(duo) < 140) st = ead_duo_step(duo, &token, NULL);
        ead_duo_truncate(duo, part ? 21 : 60); /* farther back than proposals are kept */
        if (part && !st) st = ead_duo_set_policy(duo, &o.policy, NULL);
    }
    const int counted = atomic_load(&heap_allocations);
    assert_int_equal(st, EAD_OK);
    if (counted) fail_msg("%s: %d allocations", judging_policies[policy], counted);
    ead_duo_close(duo);
}

static void test_judgements_allocate_nothing(void **state)
{
    (void)state;
    struct judging_pair pair;
    judging_open(&pair, 200, 0.3f);
    for (int i = 0; i < JUDGING_POLICIES; i++) check_judging(&pair, i, 1 + i % 2);
    judging_close(&pair);
}

static void test_tokens_allocate_nothing(void **state)
{
    (void)state;
    atomic_store(&heap_allocations, 0);
    ead_model *large = open_model("llama", QT_Q8_0, 3), *small = open_model("qwen2", QT_F16, 1);
    assert_true(atomic_load(&heap_allocations) > 0); /* it counts */
    for (int threads = 1; threads <= 2; threads++) {
        check_run(large, small, threads, "f16", 0, 0);
        check_run(large, small, threads, "q8_0", 1, 20);
        check_run(large, small, threads, "f16", 2, 0);
        check_batch(large, small, threads);
    }
    ead_model_close(large);
    ead_model_close(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tokens_allocate_nothing),
                                       cmocka_unit_test(test_judgements_allocate_nothing)};
    if (!HEAP_SEEN) return heap_skipped();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
