/*
 * The golden models: logits of 64 positions, computed in float64 by an independent program. Our
 * error may be at most 1.1 times that of llama.cpp, which peer_error.tsv records, on every kernel
 * level. What a cache of codes adds is a chance of its own, so it comes on top in squares.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/local.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 64, V = 512, MODELS_MAX = 64 };

static const int32_t ids[N] = {1,   178, 199, 28,  505, 70,  214, 410, 106, 351, 188, 401, 26,
                               75,  348, 369, 45,  221, 395, 170, 489, 71,  435, 386, 394, 431,
                               3,   78,  314, 253, 9,   278, 447, 47,  194, 328, 315, 155, 186,
                               440, 115, 254, 192, 451, 293, 315, 204, 465, 41,  263, 497, 140,
                               346, 486, 198, 75,  342, 435, 260, 195, 403, 377, 418, 352};

struct peer {
    char name[64];
    double error;
};

/* error: what a type of cache may add. For q8_0, 0.0035 to 0.0165 was measured with float weights,
 * and no more, in squares, with others. */
static const struct {
    const char *name;
    double error;
} caches[KERN_CACHE_COUNT] = {[KERN_CACHE_F16] = {"f16", 0}, [KERN_CACHE_Q8_0] = {"q8_0", 0.025}};

static int read_peers(struct peer *peers)
{
    FILE *file = fopen(SHARED_DIR "/golden/peer_error.tsv", "r");
    char line[256];
    int n = 0;
    if (!file) return 0;
    while (n < MODELS_MAX && fgets(line, sizeof line, file))
        n += sscanf(line, "%63s %lf", peers[n].name, &peers[n].error) == 2;
    fclose(file);
    return n;
}

static void read_truth(const char *name, float *truth)
{
    char path[sizeof SHARED_DIR + 128];
    snprintf(path, sizeof path, SHARED_DIR "/golden/%.63s.logits.f32", name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    assert_int_equal(fread(truth, sizeof *truth, (size_t)N * V, file), (size_t)N * V);
    fclose(file);
}

/* Entropy in bits, in double and two passes: not the formula of the kernels. */
static double entropy_of(const float *logits)
{
    double top = -INFINITY, total = 0, sum = 0;
    for (int i = 0; i < V; i++) top = fmax(top, (double)logits[i]);
    for (int i = 0; i < V; i++) total += exp((double)logits[i] - top);
    for (int i = 0; i < V; i++) {
        double p = exp((double)logits[i] - top) / total;
        if (p > 0) sum -= p * log2(p);
    }
    return sum;
}

struct errors {
    double relative, entropy;
};

/* The entropy that steers decoding is the engine's own, so that is what is compared. */
static struct errors measure(const struct engine *e, const float *truth)
{
    double difference = 0, size = 0;
    struct errors out = {0};
    for (int i = 0; i < N; i++) {
        const float *a = local_logits(e, i), *b = truth + (size_t)i * V;
        struct distribution d;
        for (int k = 0; k < V; k++) {
            difference += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
            size += (double)b[k] * (double)b[k];
        }
        assert_int_equal(local_distribution(e, i, &d, NULL), ST_OK);
        out.entropy = fmax(out.entropy, fabs((double)d.stats.entropy - entropy_of(b)));
    }
    out.relative = sqrt(difference / size);
    return out;
}

static void check_level(const struct model *m, const struct peer *peer, const struct kern *kern,
                        enum kern_cache cache, const float *truth)
{
    const struct local_options options = {
        .kern = kern, .threads = 2, .n_ctx = N, .cache = cache, .max_rows = N, .max_logits = N};
    struct engine *e = NULL;
    struct err err = {0};
    struct row rows[N];
    if (local_open(m, &options, &e, &err) != ST_OK) fail_msg("%s", err.message);
    for (int i = 0; i < N; i++)
        rows[i] = (struct row){.pos = i, .token = ids[i], .wants_logits = true};
    if (engine_submit(e, rows, N, &err) != ST_OK) fail_msg("%s", err.message);
    struct errors errors = measure(e, truth);
    const double ceiling = hypot(1.1 * peer->error, caches[cache].error);
    print_message("%-14s %-7s cache %-5s error %.2e of %.2e, entropy off by at most %.4f bits\n",
                  peer->name, kern->name, caches[cache].name, errors.relative, ceiling,
                  errors.entropy);
    if (!(errors.relative <= ceiling))
        fail_msg("%s on %s, cache %s: the error is above the ceiling", peer->name, kern->name,
                 caches[cache].name);
    engine_close(e);
}

static void check_model(const struct peer *peer)
{
    static float truth[N * V];
    char path[sizeof SHARED_DIR + 128];
    struct model *m = NULL;
    struct err err = {0};
    snprintf(path, sizeof path, SHARED_DIR "/golden/%.63s.gguf", peer->name);
    if (model_open(path, &(struct model_options){0}, &m, &err) != ST_OK)
        fail_msg("%s", err.message);
    assert_int_equal(m->weights.n_vocab, V);
    read_truth(peer->name, truth);
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        const struct kern *kern = kern_table((enum kern_level)level);
        for (int cache = 0; kern && cache < KERN_CACHE_COUNT; cache++)
            check_level(m, peer, kern, (enum kern_cache)cache, truth);
    }
    model_close(m);
}

static void test_golden_logits(void **state)
{
    (void)state;
    struct peer peers[MODELS_MAX];
    int n = read_peers(peers);
    if (!n) {
        print_message("skipped: %s/golden is absent\n", SHARED_DIR);
        skip();
    }
    for (int level = 0; level < KERN_LEVEL_COUNT; level++)
        if (!kern_table((enum kern_level)level))
            print_message("skipped: this machine or build lacks %s\n",
                          kern_level_name((enum kern_level)level));
    for (int i = 0; i < n; i++) check_model(&peers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_logits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
