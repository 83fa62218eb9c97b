#include "cli/bench.h"
#include "base/clock.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/json.h"
#include "cli/pair.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DECODE_DEFAULT = 64 };

static struct bench_options options = {
    .sizes = "512,16,8,4,1", .share = 0.25, .turn = 10, .prompt = 32, .decode = -1, .repeats = 5};

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "model",
     .letter = 'm',
     .value = "FILE",
     .out = &options.model,
     .help = "time this GGUF model, " FETCH_HELP},
    {.kind = ARG_TEXT,
     .name = "large",
     .letter = 'L',
     .value = "FILE",
     .out = &options.large,
     .help = "time a pair, of which this is the large model ..."},
    {.kind = ARG_TEXT,
     .name = "small",
     .letter = 'S',
     .value = "FILE",
     .out = &options.small,
     .help = "... and this the small one"},
    {.kind = ARG_HEADING, .help = "one model"},
    {.kind = ARG_TEXT,
     .name = "passes",
     .letter = 'p',
     .value = "LIST",
     .out = &options.sizes,
     .help = "rows of the prompt passes to time (default: 512,16,8,4,1)"},
    {.kind = ARG_INT,
     .name = "depth",
     .letter = 'd',
     .value = "N",
     .out = &options.depth,
     .min = 0,
     .max = 1 << 20,
     .help = "positions that the context holds before (default: 0)"},
    {.kind = ARG_HEADING, .help = "a pair"},
    {.kind = ARG_REAL,
     .name = "share",
     .value = "X",
     .out = &options.share,
     .low = 0,
     .high = 1,
     .help = "share of the tokens that the large model writes (default: 0.25)"},
    {.kind = ARG_INT,
     .name = "run",
     .value = "N",
     .out = &options.turn,
     .min = 1,
     .max = 1 << 20,
     .help = "tokens of each of its turns (default: 10)"},
    {.kind = ARG_TEXT,
     .name = "replay",
     .value = "FILE",
     .out = &options.replay,
     .help = "do as in this trace instead: turns, drafts, judgements, cuts"},
    {.kind = ARG_INT,
     .name = "prompt",
     .value = "N",
     .out = &options.prompt,
     .min = 1,
     .max = 1 << 20,
     .help = "tokens of the prompt, which is not timed (default: 32)"},
    {.kind = ARG_REAL,
     .name = "baseline",
     .value = "X",
     .out = &options.baseline,
     .low = 0,
     .high = 1e9,
     .help = "tokens per second of the large model alone in another program: the pair is\n"
             "compared with that if it is faster than the large model here"},
    {.kind = ARG_HEADING, .help = "both"},
    {.kind = ARG_INT,
     .name = "decode",
     .letter = 'g',
     .value = "N",
     .out = &options.decode,
     .min = 0,
     .max = 1 << 20,
     .help = "tokens to decode, one by one (default: 64; of a pair: 160, or the trace's)"},
    {.kind = ARG_INT,
     .name = "threads",
     .letter = 't',
     .value = "N",
     .out = &options.threads,
     .min = 1,
     .max = 256,
     .help = "threads (default: as many as the process may use)"},
    {.kind = ARG_INT,
     .name = "repeat",
     .letter = 'r',
     .value = "N",
     .out = &options.repeats,
     .min = 1,
     .max = 1000,
     .help = "runs of each, after one that is not counted (default: 5)"},
    PAIR_CPU_ARG(options.cpu, ""),
    PAIR_CACHE_ARG(options.cache, ""),
    OPENING_ARGS(options.opening),
    OPENING_REMOTE_ARGS(options.opening),
    {.kind = ARG_FLAG, .name = "json", .out = &options.json, .help = "print JSON"},
};
static const struct args usage = {
    .command = "bench",
    .synopsis = "-m FILE | --large FILE --small FILE  [options]",
    .description =
        "One model: time passes of many rows into an empty context, and decoding from an empty\n"
        "one (or see --depth). Rows (or tokens) per second: median, slowest and fastest run.\n"
        "A pair: time a text in which the models take turns as told, beside each model alone.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

struct bench {
    ead_session *session;
    ead_row *rows; /* [most] */
    int most;      /* rows of a pass */
    int n_vocab;
    double open_seconds;
    double *seconds; /* [repeats] */
    json_t *results;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *s, int n)
{
    qsort(s, (size_t)n, sizeof *s, by_value);
    return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

/* Rows of arbitrary tokens: what they say does not change the time they take. */
static int evaluate(struct bench *b, int from, int n)
{
    ead_error error;
    for (int i = 0; i < n; i++)
        b->rows[i] = (ead_row){.pos = from + i,
                               .token = (int32_t)((from + i) * 7919LL % b->n_vocab),
                               .wants_logits = i == n - 1};
    return ead_session_eval(b->session, b->rows, n, &error) ? fail_error(&error) : EXIT_OK;
}

static void record(struct bench *b, const char *test, int rows)
{
    const int n = options.repeats;
    double *s = b->seconds;
    const double median = bench_median(s, n);
    double rate = rows / median, slowest = rows / s[n - 1], fastest = rows / s[0];
    if (!options.json)
        printf("%-8s %6d %12.2f %12.2f %12.2f %12.3f\n", test, rows, rate, slowest, fastest,
               1e3 * median);
    fflush(stdout);
    json_array_append_new(b->results,
                          json_pack("{s:s, s:i, s:f, s:f, s:f, s:f}", "test", test, "rows", rows,
                                    "per_second", rate, "slowest", slowest, "fastest", fastest,
                                    "median_ms", 1e3 * median));
}

/* Fill the context up to --depth. */
static int fill(struct bench *b)
{
    for (int at = 0; at < options.depth; at += b->most) {
        int n = options.depth - at < b->most ? options.depth - at : b->most;
        if (evaluate(b, at, n)) return EXIT_FAIL;
    }
    return EXIT_OK;
}

static int time_pass(struct bench *b, int rows)
{
    for (int r = -1; r < options.repeats; r++) {
        ead_session_truncate(b->session, 0, options.depth);
        double start = clock_seconds();
        if (evaluate(b, options.depth, rows)) return EXIT_FAIL;
        if (r >= 0) b->seconds[r] = clock_seconds() - start;
    }
    record(b, "pass", rows);
    return EXIT_OK;
}

static int time_decode(struct bench *b, int tokens)
{
    for (int r = -1; r < options.repeats; r++) {
        ead_session_truncate(b->session, 0, options.depth);
        double start = clock_seconds();
        for (int i = 0; i < tokens; i++)
            if (evaluate(b, options.depth + i, 1)) return EXIT_FAIL;
        if (r >= 0) b->seconds[r] = clock_seconds() - start;
    }
    record(b, "decode", tokens);
    return EXIT_OK;
}

static int bench_all(struct bench *b, const int32_t *sizes, size_t n)
{
    if (fill(b)) return EXIT_FAIL;
    if (!options.json)
        printf("%-8s %6s %12s %12s %12s %12s\n", "test", "rows", "rows/s", "slowest", "fastest",
               "median ms");
    for (size_t i = 0; i < n; i++)
        if (time_pass(b, sizes[i])) return EXIT_FAIL;
    return options.decode ? time_decode(b, options.decode) : EXIT_OK;
}

static int print_json(const struct bench *b, const ead_model *model)
{
    const ead_model_info info = ead_model_describe(model);
    json_t *all =
        json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:b, s:f, s:s, s:s, s:i, s:i, s:i, s:O}", "model",
                  json_text(options.model, strlen(options.model)), "arch", info.arch, "parameters",
                  (json_int_t)info.n_params, "active_parameters", (json_int_t)info.n_active,
                  "bytes", (json_int_t)info.bytes, "repacked_bytes", (json_int_t)info.repacked,
                  "mapped", info.pack == EAD_PACK_MAPPED, "open_seconds", b->open_seconds, "cpu",
                  ead_session_cpu(b->session), "cache_type", pair_caches[options.cache], "threads",
                  ead_session_threads(b->session), "depth", options.depth, "repeats",
                  options.repeats, "results", b->results);
    if (!all) return fail("no memory for the results");
    int status = json_write("-", all);
    json_decref(all);
    return status;
}

static void print_head(const struct bench *b, const ead_model *model)
{
    const ead_model_info info = ead_model_describe(model);
    printf("%s: %.1f M parameters, ", options.model, (double)info.n_params / 1e6);
    if (info.n_active < info.n_params)
        printf("%.1f M of them active, ", (double)info.n_active / 1e6);
    printf("%.1f MiB, cpu %s, cache %s, %d threads\n", (double)info.bytes / (1 << 20),
           ead_session_cpu(b->session), pair_caches[options.cache],
           ead_session_threads(b->session));
    printf("opened in %.2f s, %.1f MiB of weights %s\n", b->open_seconds,
           (double)info.repacked / (1 << 20), info.pack == EAD_PACK_MAPPED ? "mapped" : "repacked");
}

static int with_session(const ead_model *model, double open_seconds, const int32_t *sizes, size_t n)
{
    ead_error error;
    int most = options.decode > 1 ? options.decode : 1;
    int rows = 1;
    for (size_t i = 0; i < n; i++) rows = sizes[i] > rows ? sizes[i] : rows;
    if (rows > most) most = rows;
    const char *cpu = options.cpu ? pair_cpus[options.cpu] : NULL;
    ead_session_options o = {.cpu = cpu,
                             .threads = options.threads,
                             .n_ctx = options.depth + most,
                             .cache_type = pair_caches[options.cache],
                             .n_seq = 1,
                             .max_rows = rows,
                             .max_logits = 1};
    struct bench b = {
        .n_vocab = ead_model_describe(model).n_vocab, .open_seconds = open_seconds, .most = rows};
    if (ead_session_open(model, &o, &b.session, &error)) return fail_error(&error);
    b.rows = malloc((size_t)rows * sizeof *b.rows);
    b.seconds = malloc((size_t)options.repeats * sizeof *b.seconds);
    b.results = json_array();
    int status = b.rows && b.seconds && b.results ? EXIT_OK : fail("no memory for the rows");
    if (!options.json && !status) print_head(&b, model);
    if (!status) status = bench_all(&b, sizes, n);
    if (!status && options.json) status = print_json(&b, model);
    json_decref(b.results);
    free(b.seconds);
    free(b.rows);
    ead_session_close(b.session);
    return status;
}

static int bench_model(void)
{
    ead_model *model;
    int32_t *sizes;
    size_t n;
    if (options.decode < 0) options.decode = DECODE_DEFAULT;
    if (source_ids("--passes", options.sizes, &sizes, &n)) return EXIT_USAGE;
    for (size_t i = 0; i < n; i++)
        if (sizes[i] < 1 || sizes[i] > 4096) {
            free(sizes);
            return args_fault(&usage, "--passes: expected numbers from 1 to 4096");
        }
    const double start = clock_seconds();
    int status = opening_model(&options.opening, options.model, &model);
    if (!status) {
        status = with_session(model, clock_seconds() - start, sizes, n);
        ead_model_close(model);
    }
    free(sizes);
    return status;
}

static int command(int argc, char **argv)
{
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    const bool pair = options.large || options.small;
    if (pair && options.model) return args_fault(&usage, "-m goes without --large and --small");
    if (pair && !(options.large && options.small))
        return args_fault(&usage, "%s FILE is missing", options.large ? "--small" : "--large");
    if (!pair && !options.model)
        return args_fault(&usage, "-m FILE is missing, or --large FILE and --small FILE");
    if (pair && options.decode >= 0 && options.decode < 2) /* the first costs no step */
        return args_fault(&usage, "--decode: a pair needs two tokens");
    if (fetch_in_place(&options.large) || fetch_in_place(&options.small) ||
        fetch_in_place(&options.model))
        return EXIT_FAIL;
    return pair ? bench_pair(&options) : bench_model();
}

const struct command command_bench = {"time prompt passes and decoding", &usage, command};
