/*
 * What texts of a batch do to each other: eight of them, seven written by the small model, and one
 * that is written by the small one too, by the large one, or reads a prompt of 400 tokens by
 * either.
 *
 *     build/company_bench LARGE.gguf SMALL.gguf THREADS [ROUNDS]
 *
 * Of each case, medians over the rounds: tokens per second of one of the seven, and of the eighth;
 * the longest time that one of the seven waited for a token; the prompt's time to its first token.
 */
#include <ead.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEXTS = 8, PROMPT = 400, WARM_UP = 30, TOKENS = 800, N_CTX = 4096, ROUNDS_MAX = 99 };

struct kind {
    const char *name;
    ead_policy_kind policy; /* of the eighth text */
    bool reads;
};

struct figures {
    double others, its, longest, first;
};

static void stop(const ead_error *error)
{
    fprintf(stderr, "company_bench: %s\n", error->message);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ead_batch *open_batch(const ead_model *large, const ead_model *small, int threads)
{
    ead_error error;
    ead_batch *batch;
    ead_duo_options o = ead_duo_defaults();
    o.threads = threads;
    o.n_ctx = N_CTX;
    o.ignore_end = true;
    o.policy.kind = EAD_POLICY_SMALL;
    if (ead_batch_open(large, small, &o, TEXTS, &batch, &error)) stop(&error);
    return batch;
}

static void give(ead_duo *duo, int n)
{
    ead_error error;
    int32_t ids[PROMPT];
    for (int i = 0; i < n; i++) ids[i] = 3 + i * 7 % 200;
    ead_duo_truncate(duo, 0);
    if (ead_duo_append(duo, ids, (size_t)n, &error)) stop(&error);
}

static void step(ead_batch *batch, ead_event *events, int *n)
{
    static const bool active[TEXTS] = {true, true, true, true, true, true, true, true};
    ead_error error;
    if (ead_batch_step(batch, active, events, n, &error)) stop(&error);
}

/* Text 0 is the eighth. */
static struct figures measure(ead_batch *batch, const struct kind *kind)
{
    ead_error error;
    ead_event events[TEXTS];
    ead_policy_options policy = ead_duo_defaults().policy;
    policy.kind = kind->policy;
    if (ead_duo_set_policy(ead_batch_duo(batch, 0), &policy, &error)) stop(&error);
    int n;
    for (int i = 0; i < TEXTS; i++) give(ead_batch_duo(batch, i), 8);
    for (int i = 0; i < WARM_UP; i++) step(batch, events, &n);
    if (kind->reads) give(ead_batch_duo(batch, 0), PROMPT);
    const double start = now();
    double last[TEXTS], at = start;
    long others = 0, its = 0;
    struct figures f = {0};
    for (int i = 0; i < TEXTS; i++) last[i] = start;
    while (kind->reads ? !its : others < TOKENS * (TEXTS - 1)) {
        step(batch, events, &n);
        at = now();
        for (int i = 0; i < n; i++) {
            const int text = events[i].text;
            if (text && at - last[text] > f.longest) f.longest = at - last[text];
            if (!text && !its++) f.first = at - start;
            others += text > 0;
            last[text] = at;
        }
    }
    f.others = (double)others / (TEXTS - 1) / (at - start);
    f.its = (double)its / (at - start);
    return f;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct figures *all, int n, size_t offset)
{
    double values[ROUNDS_MAX];
    for (int i = 0; i < n; i++) values[i] = *(const double *)((const char *)&all[i] + offset);
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

int main(int argc, char **argv)
{
    static const struct kind kinds[] = {{"on the small model", EAD_POLICY_SMALL, false},
                                        {"on the large model", EAD_POLICY_LARGE, false},
                                        {"reads by the small", EAD_POLICY_SMALL, true},
                                        {"reads by the large", EAD_POLICY_LARGE, true}};
    struct figures all[ROUNDS_MAX];
    ead_error error;
    ead_model *large, *small;
    if (argc < 4) return fputs("usage: company_bench LARGE SMALL THREADS [ROUNDS]\n", stderr), 2;
    const int wanted = argc > 4 ? atoi(argv[4]) : 9;
    const int rounds = wanted < 1 ? 1 : wanted > ROUNDS_MAX ? ROUNDS_MAX : wanted;
    if (ead_model_open(argv[1], NULL, &large, &error) ||
        ead_model_open(argv[2], NULL, &small, &error))
        stop(&error);
    ead_batch *batch = open_batch(large, small, atoi(argv[3]));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int r = 0; r < rounds; r++) all[r] = measure(batch, &kinds[k]);
        printf("%s: the others %.0f tokens/s each, longest wait %.2f ms; it ", kinds[k].name,
               median(all, rounds, offsetof(struct figures, others)),
               1e3 * median(all, rounds, offsetof(struct figures, longest)));
        if (kinds[k].reads)
            printf("begins after %.1f ms\n",
                   1e3 * median(all, rounds, offsetof(struct figures, first)));
        else
            printf("%.0f tokens/s\n", median(all, rounds, offsetof(struct figures, its)));
    }
    ead_batch_close(batch);
    ead_model_close(small);
    ead_model_close(large);
    return 0;
}
