#include "laws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ceilings on |a - b| / |b| over all logits. Quantised types multiply 8-bit activations; a cache of
 * codes may hold a neighbour of the exact one here and there. */
static const double ceiling_float = 3e-4, ceiling_codes = 1e-3, ceiling_quant = 3e-2;

struct engine *laws_open(const struct model *m, struct means means, int threads, int n_ctx)
{
    const struct local_options options = {.kern = kern_table(means.level),
                                          .cache = means.cache,
                                          .threads = threads,
                                          .n_ctx = n_ctx,
                                          .n_seq = LAWS_SEQS,
                                          .max_rows = LAWS_ROWS,
                                          .max_logits = LAWS_ROWS};
    struct engine *e = NULL;
    struct err err = {0};
    if (local_open(m, &options, &e, &err) != ST_OK) fail_msg("%s", err.message);
    return e;
}

void laws_eval(struct engine *e, int seq, const int32_t *ids, int from, int to, float *logits)
{
    struct row rows[LAWS_ROWS] = {0};
    struct err err = {0};
    for (int i = from; i < to; i++)
        rows[i - from] = (struct row){.seq = seq, .pos = i, .token = ids[i], .wants_logits = true};
    if (engine_submit(e, rows, to - from, &err) != ST_OK) fail_msg("%s", err.message);
    const size_t n_vocab = (size_t)(local_logits(e, 1) - local_logits(e, 0));
    for (int i = from; logits && i < to; i++)
        memcpy(logits + (size_t)i * n_vocab, local_logits(e, i - from), n_vocab * sizeof(float));
}

size_t bench_bytes(const struct bench *b, int n)
{
    return (size_t)n * (size_t)b->n_vocab * sizeof(float);
}

void bench_init(struct bench *b, const struct tiny_spec *spec, const struct tiny *t,
                struct means means, int n)
{
    *b = (struct bench){.spec = *spec, .means = means, .n = n, .n_vocab = tiny_logits(spec)};
    snprintf(b->name, sizeof b->name, "%s %s on %s%s", spec->arch, quant_info(spec->type)->name,
             kern_table(means.level)->name, means.cache == KERN_CACHE_Q8_0 ? ", cache q8_0" : "");
    b->model = tiny_open(t);
    assert_true(b->model->weights.packed == kern_best()->panels);
    tiny_text(spec, 5, b->ids, n);
    b->expected = tiny_must(malloc(bench_bytes(b, n)));
    b->got = tiny_must(malloc(bench_bytes(b, n)));
    struct engine *e = laws_open(b->model, means, 1, n);
    for (int i = 0; i < n; i++) laws_eval(e, 0, b->ids, i, i + 1, b->expected);
    engine_close(e);
}

void bench_deinit(struct bench *b)
{
    model_close(b->model);
    free(b->expected);
    free(b->got);
}

void bench_same_bits(const struct bench *b, int n, const char *law)
{
    for (int i = 0; i < n; i++) {
        const size_t at = (size_t)i * (size_t)b->n_vocab;
        if (memcmp(b->got + at, b->expected + at, bench_bytes(b, 1)))
            fail_msg("%s: %s: logits of position %d differ", b->name, law, i);
    }
}

static double relative_error(const float *a, const double *b, size_t n)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

static void law_prefill_equals_decode(struct bench *b)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct engine *e = laws_open(b->model, b->means, threads, b->n);
        laws_eval(e, 0, b->ids, 0, b->n, b->got);
        bench_same_bits(b, b->n, "one pass on several threads equals decoding");
        engine_close(e);
    }
}

static void law_any_split(struct bench *b, uint64_t seed)
{
    struct engine *e = laws_open(b->model, b->means, 1 + (int)(seed % 2), b->n);
    for (int at = 0; at < b->n;) {
        int to = at + 1 + (int)(rng_bits(&seed) % 9);
        to = to < b->n ? to : b->n;
        laws_eval(e, 0, b->ids, at, to, b->got);
        at = to;
    }
    bench_same_bits(b, b->n, "any split into passes");
    engine_close(e);
}

/* Write something else behind a prefix, forget it, and go on with the text. */
static void law_rewind_equals_fresh(struct bench *b)
{
    int32_t other[LAWS_ROWS];
    struct engine *e = laws_open(b->model, b->means, 1, b->n);
    tiny_text(&b->spec, 6, other, b->n);
    const int keep = b->n / 3;
    memcpy(other, b->ids, (size_t)keep * sizeof *other);
    laws_eval(e, 0, other, 0, b->n, NULL);
    engine_truncate(e, 0, keep);
    assert_int_equal(engine_length(e, 0), keep);
    memcpy(b->got, b->expected, bench_bytes(b, keep));
    laws_eval(e, 0, b->ids, keep, b->n, b->got);
    bench_same_bits(b, b->n, "rewinding equals a fresh start");
    engine_truncate(e, 0, 0);
    laws_eval(e, 0, b->ids, 0, b->n, b->got);
    bench_same_bits(b, b->n, "starting anew equals a fresh start");
    engine_close(e);
}

/* Up to `most` rows of random sequences. slot[i] gets the place among the logits of row i, which
 * all rows of sequence 1 and some of the others want. */
static int mixed_rows(const struct bench *b, int32_t text[LAWS_SEQS][LAWS_ROWS], int at[LAWS_SEQS],
                      uint64_t *rng, int most, struct row *rows, int *slot)
{
    int n = 0, wanted = 0;
    for (int i = 0; i < most; i++) {
        int s = (int)(rng_bits(rng) % LAWS_SEQS);
        if (at[s] == b->n) continue;
        bool logits = s == 1 || i % 2;
        rows[n] = (struct row){s, at[s], text[s][at[s]], logits};
        slot[n++] = wanted;
        wanted += logits;
        at[s]++;
    }
    return n;
}

/* Sequence 1 reads the text, 0 and 2 read others; rows of all stand mixed in every pass. */
static void law_sequences_do_not_meet(struct bench *b, int most)
{
    int32_t text[LAWS_SEQS][LAWS_ROWS];
    int at[LAWS_SEQS] = {0}, slot[LAWS_ROWS];
    uint64_t rng = 8;
    struct row rows[LAWS_ROWS];
    struct engine *e = laws_open(b->model, b->means, 2, b->n);
    for (int s = 0; s < LAWS_SEQS; s++) tiny_text(&b->spec, 40 + (uint64_t)s, text[s], b->n);
    memcpy(text[1], b->ids, sizeof text[1]);
    while (at[1] < b->n) {
        struct err err = {0};
        int n = mixed_rows(b, text, at, &rng, most, rows, slot);
        if (!n) continue;
        if (engine_submit(e, rows, n, &err) != ST_OK) fail_msg("%s: %s", b->name, err.message);
        for (int i = 0; i < n; i++)
            if (rows[i].seq == 1)
                memcpy(b->got + (size_t)rows[i].pos * (size_t)b->n_vocab, local_logits(e, slot[i]),
                       bench_bytes(b, 1));
    }
    bench_same_bits(b, b->n, "sequences in one pass do not meet");
    engine_close(e);
}

static void check_all(struct bench *b)
{
    law_prefill_equals_decode(b);
    law_any_split(b, 11);
    law_any_split(b, 12);
    law_rewind_equals_fresh(b);
    law_sequences_do_not_meet(b, 8);
    law_sequences_do_not_meet(b, LAWS_ROWS);
}

/* Oracle and laws by one means. */
static void check_means(const struct tiny_spec *spec, struct tiny *t, struct means means, int n,
                        double **truth)
{
    struct bench b;
    bench_init(&b, spec, t, means, n);
    if (!*truth) *truth = oracle_logits(spec, t, means.cache, b.ids, n);
    double error = relative_error(b.expected, *truth, (size_t)n * (size_t)b.n_vocab);
    double ceiling = !tiny_type_is_float(spec->type)  ? ceiling_quant
                     : means.cache == KERN_CACHE_Q8_0 ? ceiling_codes
                                                      : ceiling_float;
    print_message("%-40s error %.1e of at most %.0e\n", b.name, error, ceiling);
    if (!(error <= ceiling)) fail_msg("%s: the error is too large", b.name);
    check_all(&b);
    bench_deinit(&b);
}

/* The same on every level with one type of cache. */
static void check_cache(const struct tiny_spec *spec, struct tiny *t, enum kern_cache cache, int n)
{
    double *truth = NULL;
    for (int level = 0; level < KERN_LEVEL_COUNT; level++) {
        const struct means means = {(enum kern_level)level, cache};
        if (kern_table(means.level)) check_means(spec, t, means, n, &truth);
    }
    free(truth);
}

void laws_check(const struct tiny_spec *spec, int n)
{
    struct tiny *t = tiny_model(spec);
    for (int cache = 0; cache < KERN_CACHE_COUNT; cache++)
        check_cache(spec, t, (enum kern_cache)cache, n);
    tiny_free(t);
}
