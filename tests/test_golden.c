/*
 * Golden models: random weights, and logits computed in float64 by an independent program. Of those
 * in
 * ../shared our error may be at most 1.1 times that of llama.cpp, which peer_error.tsv records, on
 * every kernel level; of our own (tests/golden, tools/golden.py) somewhat more than was measured.
 * What a cache of codes adds is a chance of its own, so it comes on top in squares.
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

enum { N = 64, V_MAX = 512, MODELS_MAX = 64 };

/* The text of the models in ../shared; our own have theirs in the file. */

static const int32_t shared_ids[N] = {
    1,   178, 199, 28,  505, 70,  214, 410, 106, 351, 188, 401, 26,  75,  348, 369,
    45,  221, 395, 170, 489, 71,  435, 386, 394, 431, 3,   78,  314, 253, 9,   278,
    447, 47,  194, 328, 315, 155, 186, 440, 115, 254, 192, 451, 293, 315, 204, 465,
    41,  263, 497, 140, 346, 486, 198, 75,  342, 435, 260, 195, 403, 377, 418, 352};

struct golden {
    const char *folder;
    char name[64];
    double ceiling; /* of the relative error, with a cache in f16 */
};

/* Half as much again as is measured on the worst of the levels: 2.8e-4, 0.022, 0.021, 5.2e-4,
 * 0.0125, 4.9e-4, 0.026. A wrong rotation, bias, norm or window costs a tenth and more. */
static const struct golden own[] = {
    {SOURCE_DIR "/tests/golden", "llama-f32", 4.3e-4},
    {SOURCE_DIR "/tests/golden", "qwen2-q8_0", 0.033},
    {SOURCE_DIR "/tests/golden", "qwen2-q4_0", 0.031},
    {SOURCE_DIR "/tests/golden", "qwen3-f32", 7.8e-4},
    {SOURCE_DIR "/tests/golden", "qwen3-q4_k", 0.019},
    {SOURCE_DIR "/tests/golden", "gemma2-f32", 7.4e-4},
    {SOURCE_DIR "/tests/golden", "gemma3-q8_0", 0.039},
};

/* A model, its text and the logits it must give. */
struct truth {
    struct model *model;
    int n, v;
    int32_t ids[N];
    float logits[N * V_MAX];
};

/* error: what a type of cache may add. For q8_0, 0.0035 to 0.0165 was measured with float weights,
 * and no more, in squares, with others. */
static const struct {
    const char *name;
    double error;
} caches[KERN_CACHE_COUNT] = {[KERN_CACHE_F16] = {"f16", 0}, [KERN_CACHE_Q8_0] = {"q8_0", 0.025}};

static int read_peers(struct golden *peers)
{
    FILE *file = fopen(SHARED_DIR "/golden/peer_error.tsv", "r");
    char line[256];
    int n = 0;
    if (!file) return 0;
    while (n < MODELS_MAX && fgets(line, sizeof line, file)) {
        double error;
        if (sscanf(line, "%63s %lf", peers[n].name, &error) != 2) continue;
        peers[n].folder = SHARED_DIR "/golden";
        peers[n++].ceiling = 1.1 * error;
    }
    fclose(file);
    return n;
}

static void read_ids(struct truth *t)
{
    const struct gguf_kv *kv = gguf_find(t->model->gguf, "golden.tokens");
    t->n = kv ? (int)kv->count : N;
    assert_in_range(t->n, 1, N);
    for (int i = 0; i < t->n; i++)
        t->ids[i] = kv ? (int32_t)gguf_i64_at(kv, (uint64_t)i) : shared_ids[i];
}

static void read_logits(const char *path, struct truth *t)
{
    const size_t n = (size_t)t->n * (size_t)t->v;
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    assert_int_equal(fread(t->logits, sizeof *t->logits, n, file), n);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

static void open_golden(const struct golden *g, struct truth *t)
{
    char path[512];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/%s.gguf", g->folder, g->name);
    if (model_open(path, &(struct model_options){0}, &t->model, &err) != ST_OK)
        fail_msg("%s", err.message);
    t->v = t->model->weights.n_vocab;
    assert_in_range(t->v, 1, V_MAX);
    read_ids(t);
    snprintf(path, sizeof path, "%s/%s.logits.f32", g->folder, g->name);
    read_logits(path, t);
}

/* Entropy in bits, in double and two passes: not the formula of the kernels. */
static double entropy_of(const float *logits, int n)
{
    double top = -INFINITY, total = 0, sum = 0;
    for (int i = 0; i < n; i++) top = fmax(top, (double)logits[i]);
    for (int i = 0; i < n; i++) total += exp((double)logits[i] - top);
    for (int i = 0; i < n; i++) {
        double p = exp((double)logits[i] - top) / total;
        if (p > 0) sum -= p * log2(p);
    }
    return sum;
}

struct errors {
    double relative, entropy;
};

/* The entropy that steers decoding is the engine's own, so that is what is compared. */
static struct errors measure(const struct engine *e, const struct truth *t)
{
    double difference = 0, size = 0;
    struct errors out = {0};
    for (int i = 0; i < t->n; i++) {
        const float *a = local_logits(e, i), *b = t->logits + (size_t)i * (size_t)t->v;
        struct distribution d;
        for (int k = 0; k < t->v; k++) {
            difference += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
            size += (double)b[k] * (double)b[k];
        }
        assert_int_equal(local_distribution(e, i, &d, NULL), ST_OK);
        out.entropy = fmax(out.entropy, fabs((double)d.stats.entropy - entropy_of(b, t->v)));
    }
    out.relative = sqrt(difference / size);
    return out;
}

static void check_level(const struct golden *g, const struct truth *t, const struct kern *kern,
                        enum kern_cache cache)
{
    const struct local_options options = {
        .kern = kern, .threads = 2, .n_ctx = N, .cache = cache, .max_rows = N, .max_logits = N};
    struct engine *e = NULL;
    struct err err = {0};
    struct row rows[N];
    if (local_open(t->model, &options, &e, &err) != ST_OK) fail_msg("%s", err.message);
    for (int i = 0; i < t->n; i++)
        rows[i] = (struct row){.pos = i, .token = t->ids[i], .wants_logits = true};
    if (engine_submit(e, rows, t->n, &err) != ST_OK) fail_msg("%s", err.message);
    struct errors errors = measure(e, t);
    const double ceiling = hypot(g->ceiling, caches[cache].error);
    print_message("%-14s %-7s cache %-5s error %.2e of %.2e, entropy off by at most %.4f bits\n",
                  g->name, kern->name, caches[cache].name, errors.relative, ceiling,
                  errors.entropy);
    if (!(errors.relative <= ceiling))
        fail_msg("%s on %s, cache %s: the error is above the ceiling", g->name, kern->name,
                 caches[cache].name);
    engine_close(e);
}

static void check_model(const struct golden *g)
{
    static struct truth t;
    open_golden(g, &t);
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        const struct kern *kern = kern_table((enum kern_level)level);
        for (int cache = 0; kern && cache < KERN_CACHE_COUNT; cache++)
            check_level(g, &t, kern, (enum kern_cache)cache);
    }
    model_close(t.model);
}

static void test_own_logits(void **state)
{
    (void)state;
    for (int level = 0; level < KERN_LEVEL_COUNT; level++)
        if (!kern_table((enum kern_level)level))
            print_message("skipped: this machine or build lacks %s\n",
                          kern_level_name((enum kern_level)level));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) check_model(&own[i]);
}

static void test_shared_logits(void **state)
{
    (void)state;
    static struct golden peers[MODELS_MAX];
    int n = read_peers(peers);
    if (!n) {
        print_message("skipped: %s/golden is absent\n", SHARED_DIR);
        skip();
    }
    for (int i = 0; i < n; i++) check_model(&peers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_logits),
        cmocka_unit_test(test_shared_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
