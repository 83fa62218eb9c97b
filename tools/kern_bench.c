/*
 * Throughput of the kernels alone, every level of this machine, and of what it is a part: of the
 * instructions' peak where weights stay in the caches, of a plain read where they do not fit.
 *
 *     build/kern_bench Q4_0 Q8_0            operations per nanosecond (10^9 per second), by rows
 *     build/kern_bench --memory --threads 2 Q4_0   bytes of packed weights per nanosecond
 *
 * An operation is a multiplication or an addition. In the caches one thread works, and the best of
 * several tries counts. From memory each thread has a contiguous share of the weights; reads and
 * products take turns, because the speed of memory drifts, and medians count.
 */
#include "base/clock.h"
#include "kern/pack/pack.h"
#include "kern_peak.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TRIES = 15, SIZES_MAX = 32, ROWS_LIMIT = 4096, ROUNDS_MAX = 99, MIB_DEFAULT = 512 };
static const double TRY_SECONDS = 0.01;

static struct options {
    bool types[QT_LIMIT];
    int outputs, inputs;
    int sizes[SIZES_MAX], n_sizes; /* rows of the passes */
    int level;                     /* -1: all */
    int mib;                       /* from memory, so many; 0: in the caches */
    int threads, rounds;
} options = {.outputs = 1536, .inputs = 1536, .level = -1, .threads = 1, .rounds = 7};

/* Matrices of one type, the same over and over, and activations for the longest pass. */
struct bench {
    const struct kern *k;
    struct kern_weight w; /* the first matrix */
    bool floats;
    size_t matrix; /* bytes from one packed matrix to the next */
    int matrices;
    float *x; /* [rows][inputs] */
    struct kern_q8 q;
    float *y; /* [threads][rows][outputs] */
};

static void *must(void *p)
{
    if (p) return p;
    fprintf(stderr, "kern_bench: no memory\n");
    exit(1);
}

static void *room(size_t bytes)
{
    bytes = (bytes + 63) / 64 * 64;
    return memset(must(aligned_alloc(64, bytes)), 0, bytes);
}

static int most_rows(void)
{
    int most = 1;
    for (int i = 0; i < options.n_sizes; i++)
        most = options.sizes[i] > most ? options.sizes[i] : most;
    return most;
}

/* ---- the kernels' interface ---------------------------------------------------------------- */

static void quantize(const struct bench *b, int row)
{
    b->k->quantize(b->x, b->w.cols, kern_q8_row(b->q, b->w.cols, row));
}

static void multiply(const struct bench *b, const struct kern_weight *w, int rows, float *y)
{
    const size_t ldx = (size_t)w->cols, ldy = (size_t)w->rows;
    if (b->floats)
        b->k->matmul_f32(w, b->x, ldx, rows, 0, w->rows, y, ldy);
    else
        b->k->matmul(w, b->q, rows, 0, w->rows, y, ldy);
}

/* Pack the first matrix, and copy it for the others. */
static void pack(struct bench *b, uint8_t *panels)
{
    pack_panels_write(&b->w, 0, pack_panels(b->w.rows), panels);
    for (int i = 1; i < b->matrices; i++) memcpy(panels + (size_t)i * b->matrix, panels, b->matrix);
    b->w.packed = panels;
}

static size_t packed_bytes(const struct kern_weight *w)
{
    return (size_t)pack_panels(w->rows) * pack_panel_bytes(w->type, w->cols);
}

/* ---- in the caches ------------------------------------------------------------------------- */

static double rate(const struct bench *b, int rows)
{
    double best = 0;
    for (int t = 0; t < TRIES; t++) {
        const double start = clock_read(CLOCK_THREAD_CPUTIME_ID);
        double seconds;
        int times = 0;
        do {
            multiply(b, &b->w, rows, b->y);
            times++;
        } while ((seconds = clock_read(CLOCK_THREAD_CPUTIME_ID) - start) < TRY_SECONDS);
        const double one = 2.0 * rows * b->w.rows * b->w.cols * times / seconds;
        best = one > best ? one : best;
    }
    return best;
}

static void print_rates(const struct bench *b)
{
    const double peak = kern_peak(b->k->level, b->floats);
    printf(peak > 0 ? "%-7s %6.0f" : "%-7s      -", b->k->name, 1e-9 * peak);
    for (int i = 0; i < options.n_sizes; i++) {
        const double one = rate(b, options.sizes[i]);
        printf(" %6.0f", 1e-9 * one);
        printf(peak > 0 ? " %3.0f%%" : "    -", 100 * one / peak);
        fflush(stdout);
    }
    printf("\n");
}

static void print_rates_head(const struct bench *b)
{
    printf("%s, %d outputs, %d inputs, in the caches: %s and percent of the peak, by rows\n",
           quant_info(b->w.type)->name, b->w.rows, b->w.cols, b->floats ? "GFLOP/s" : "GOP/s");
    printf("%-7s %6s", "", "peak");
    for (int i = 0; i < options.n_sizes; i++) printf(" %6d     ", options.sizes[i]);
    printf("\n");
}

/* ---- from memory --------------------------------------------------------------------------- */

struct walk {
    const struct bench *b;
    int rows;
};

static void multiply_share(const void *context, int index, int threads)
{
    const struct walk *walk = context;
    const struct bench *b = walk->b;
    float *y = b->y + (size_t)index * (size_t)walk->rows * (size_t)b->w.rows;
    struct kern_weight w = b->w;
    const long first = (long)b->matrices * index / threads;
    const long end = (long)b->matrices * (index + 1) / threads;
    for (long i = first; i < end; i++) {
        w.packed = b->w.packed + (size_t)i * b->matrix;
        multiply(b, &w, walk->rows, y);
    }
}

static void print_stream(const struct bench *b, int rows)
{
    const struct walk walk = {b, rows};
    const size_t bytes = b->matrix * (size_t)b->matrices;
    double ours[ROUNDS_MAX], reads[STREAM_DISTANCES][ROUNDS_MAX], best = 0;
    int ahead = 0;
    for (int r = -1; r < options.rounds; r++) { /* the first warms up */
        const int at = r < 0 ? 0 : r;
        for (int i = 0; i < STREAM_DISTANCES; i++)
            reads[i][at] = stream_read(b->w.packed, bytes, options.threads, stream_ahead[i]);
        ours[at] = (double)bytes / stream_run(options.threads, multiply_share, &walk);
    }
    for (int i = 0; i < STREAM_DISTANCES; i++) {
        const double median = stream_median(reads[i], options.rounds);
        if (median > best) best = median, ahead = i;
    }
    const double median = stream_median(ours, options.rounds);
    printf("%-7s %6d %8.2f %8.2f %6zu %5.0f%%\n", b->k->name, rows, 1e-9 * median, 1e-9 * best,
           stream_ahead[ahead], 100 * median / best);
    fflush(stdout);
}

static void print_streams_head(const struct bench *b)
{
    printf(
        "%s, %d outputs, %d inputs, %.0f MiB of packed weights, %d thread%s: GB/s, median of %d\n",
        quant_info(b->w.type)->name, b->w.rows, b->w.cols,
        (double)b->matrix * b->matrices / (1 << 20), options.threads,
        options.threads > 1 ? "s" : "", options.rounds);
    printf("%-7s %6s %8s %8s %6s %6s\n", "", "rows", "kernel", "read", "ahead", "of it");
}

/* ---- a type -------------------------------------------------------------------------------- */

/* The reference is no way to compute, but all that some machines have. */
static bool wanted(enum kern_level level)
{
    if (!kern_table(level)) return false;
    if (options.level >= 0) return (int)level == options.level;
    return level != KERN_REF || kern_best()->level == KERN_REF;
}

static void bench_levels(struct bench *b)
{
    for (int level = KERN_REF; level < KERN_LEVEL_COUNT; level++) {
        if (!wanted((enum kern_level)level)) continue;
        b->k = kern_table((enum kern_level)level);
        if (options.mib && !b->k->panels) continue;
        for (int r = 0; !b->floats && r < most_rows(); r++) quantize(b, r);
        if (!options.mib) print_rates(b);
        for (int i = 0; options.mib && i < options.n_sizes; i++) print_stream(b, options.sizes[i]);
    }
}

static void bench_type(enum quant_type type)
{
    const size_t rows = (size_t)most_rows(), inputs = (size_t)options.inputs;
    const size_t codes = KERN_Q8_STRIDE(inputs) * rows;
    struct bench b = {.w = {.type = type, .rows = options.outputs, .cols = options.inputs},
                      .floats = !quant_forms[type].bits};
    b.w.row_bytes = quant_row_bytes(type, inputs);
    b.matrix = packed_bytes(&b.w);
    b.matrices = (int)(((size_t)options.mib << 20) / b.matrix);
    if (b.matrices < options.threads) b.matrices = options.threads;
    uint8_t *data = room((size_t)b.w.rows * b.w.row_bytes);
    const size_t bytes = b.matrix * (size_t)b.matrices;
    uint8_t *panels = options.mib ? must(stream_room(bytes)) : room(bytes);
    b.x = room(rows * inputs * sizeof *b.x);
    b.q = (struct kern_q8){room(codes), room(codes / 8), room(codes / 4), room(codes / 4)};
    b.y = room((size_t)options.threads * rows * (size_t)b.w.rows * sizeof *b.y);
    for (size_t i = 0; i < rows * inputs; i++) b.x[i] = (float)(i * 37 % 101) / 50 - 1;
    b.w.data = data;
    pack(&b, panels);
    if (options.mib)
        print_streams_head(&b);
    else
        print_rates_head(&b);
    bench_levels(&b);
    void *const all[] = {data, panels, b.x, b.q.q, b.q.d, b.q.s, b.q.t, b.y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* ---- what was asked for -------------------------------------------------------------------- */

static int usage(void)
{
    fprintf(
        stderr,
        "usage: kern_bench TYPE ... | all\n"
        "  --outputs N --inputs N   shape of a matrix (1536, 1536), inputs a multiple of 256\n"
        "  --rows LIST              rows of the passes (1,2,4,8,16,32,64; from memory 1,2,4,8)\n"
        "  --cpu LEVEL              this level alone\n"
        "  --memory [MIB]           so many MiB of packed weights (512), more than the caches\n"
        "                           hold, with these:\n"
        "  --threads N              threads (1)\n"
        "  --rounds N               reads and products alternate so many times (7)\n");
    return 2;
}

/* "1,2,4" to sizes. */
static bool parse_rows(const char *list)
{
    options.n_sizes = 0;
    for (char *end; options.n_sizes < SIZES_MAX; list = end + 1) {
        const long rows = strtol(list, &end, 10);
        if (end == list || rows < 1 || rows > ROWS_LIMIT) return false;
        options.sizes[options.n_sizes++] = (int)rows;
        if (*end != ',') return !*end;
    }
    return false;
}

static bool parse_number(const char *text, int least, int most, int *to)
{
    char *end;
    const long n = text ? strtol(text, &end, 10) : 0;
    if (!text || end == text || *end || n < least || n > most) return false;
    *to = (int)n;
    return true;
}

static bool parse_type(const char *name)
{
    bool found = false;
    for (int type = 0; type < QT_LIMIT; type++) {
        const struct quant_info *info = quant_info((uint32_t)type);
        if (!info || (strcasecmp(name, "all") && strcasecmp(name, info->name))) continue;
        options.types[type] = found = true;
    }
    return found;
}

static bool parse_option(const char *name, const char *value)
{
    if (!strcmp(name, "--outputs")) return parse_number(value, 1, 1 << 20, &options.outputs);
    if (!strcmp(name, "--inputs"))
        return parse_number(value, 256, 1 << 20, &options.inputs) && options.inputs % 256 == 0;
    if (!strcmp(name, "--rows")) return value && parse_rows(value);
    if (!strcmp(name, "--threads"))
        return parse_number(value, 1, STREAM_THREADS_MAX, &options.threads);
    if (!strcmp(name, "--rounds")) return parse_number(value, 1, ROUNDS_MAX, &options.rounds);
    if (strcmp(name, "--cpu") || !value) return false;
    options.level = kern_level_parse(value);
    return options.level >= 0 && kern_table((enum kern_level)options.level);
}

static bool parse(int argc, char **argv)
{
    bool typed = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--memory")) {
            options.mib = MIB_DEFAULT;
            if (i + 1 < argc && parse_number(argv[i + 1], 1, 1 << 16, &options.mib)) i++;
        } else if (argv[i][0] == '-') {
            if (!parse_option(argv[i], argv[i + 1])) return false;
            i++;
        } else if (!(typed = parse_type(argv[i]))) {
            return false;
        }
    }
    if (!options.n_sizes && !parse_rows(options.mib ? "1,2,4,8" : "1,2,4,8,16,32,64")) return false;
    return typed && (options.mib || options.threads == 1);
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv)) return usage();
    for (int type = 0; type < QT_LIMIT; type++)
        if (options.types[type]) bench_type((enum quant_type)type);
    return 0;
}
