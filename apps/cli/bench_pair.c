/*
 * A pair under a schedule that is given, not decided: what a share of large-model tokens, or
 * drafts, judgements and cuts, cost in time does not depend on what the models say, so files with
 * random weights in real shapes do. The pair, the large model and the small one write in turn, as
 * often as --repeat says, and medians are compared: a neighbour who slows the machine slows all
 * three.
 */
#include "cli/advice.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/pair.h"
#include "cli/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_DEFAULT = 160 };

/* What is measured of one run of the pair, in seconds; PART_WHOLE is the sum of the others. */
enum part { PART_SMALL, PART_LARGE, PART_CATCHUP_SMALL, PART_CATCHUP_LARGE, PART_WHOLE, PARTS };

struct schedule {
    ead_replay *places; /* [n] */
    size_t n, large, switches;
    size_t steps[EAD_WRITERS]; /* tokens that cost one, lost ones included, and judgements behind an
                                * end: the first token comes out of the prompt's pass */
};

struct pair_bench {
    const struct bench_options *o;
    ead_model *models[EAD_WRITERS], *vocab;
    ead_duo *duo;
    struct schedule schedule;
    int32_t *prompt;            /* [o->prompt] */
    double *parts[PARTS];       /* [repeats] */
    double *alone[EAD_WRITERS]; /* [repeats] seconds of the same text by one model */
    double median[PARTS], median_alone[EAD_WRITERS], step[EAD_WRITERS];
    int64_t catchup_rows[EAD_WRITERS], rows[EAD_WRITERS]; /* rows: those that decoded, too */
    int64_t judgements, judged, refused, lost;
};

/* ---- the schedule ------------------------------------------------------------------------ */

/* Turns of `turn` large tokens, each after as many small ones as keep the share: the large model
 * begins a turn whenever it would otherwise fall behind. */
static void make_schedule(struct schedule *s, double share, int turn)
{
    size_t owed = 0;
    for (size_t i = 0; i < s->n; i++) {
        const double small_so_far = (double)(i - s->large);
        const double due = (double)(s->large + (size_t)turn) * (1 - share);
        if (!owed && share > 0 && small_so_far >= due / share - 1e-9) owed = (size_t)turn;
        s->places[i].writer = owed ? EAD_LARGE : EAD_SMALL;
        owed -= owed > 0;
        s->large += s->places[i].writer == EAD_LARGE;
    }
}

static void count_steps(struct schedule *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const ead_replay *place = &s->places[i];
        s->switches += i && place->writer != place[-1].writer;
        s->steps[place->writer]++;
        s->steps[EAD_SMALL] += place->lost;
        s->steps[EAD_LARGE] += place->writer == EAD_SMALL && place->judged;
    }
    s->steps[s->places[0].lost ? EAD_SMALL : s->places[0].writer]--;
}

static int open_schedule(struct pair_bench *b)
{
    struct schedule *s = &b->schedule;
    const size_t wanted = b->o->decode < 0 ? TOKENS_DEFAULT : (size_t)b->o->decode;
    if (b->o->replay) {
        if (trace_read(b->o->replay, &s->places, &s->n)) return EXIT_FAIL;
        if (s->n < 2) return fail("%s: expected at least two tokens", b->o->replay);
        if (b->o->decode > 0 && s->n > wanted) s->n = wanted;
        for (size_t i = 0; i < s->n; i++) s->large += s->places[i].writer == EAD_LARGE;
    } else {
        s->n = wanted;
        s->places = calloc(s->n, sizeof *s->places);
        if (!s->places) return fail("no memory for a schedule of %zu tokens", s->n);
        make_schedule(s, b->o->share, b->o->turn);
    }
    count_steps(s);
    return EXIT_OK;
}

/* ---- running ----------------------------------------------------------------------------- */

/* Write the text once under a policy. */
static int write_text(struct pair_bench *b, ead_policy_kind kind, ead_summary *out)
{
    ead_error error;
    ead_policy_options policy = ead_duo_defaults().policy;
    policy.kind = kind;
    policy.replay = b->schedule.places;
    policy.n_replay = b->schedule.n;
    ead_duo_reset(b->duo);
    if (ead_duo_set_policy(b->duo, &policy, &error) ||
        ead_duo_append(b->duo, b->prompt, (size_t)b->o->prompt, &error) ||
        ead_duo_read(b->duo, &error))
        return fail_error(&error);
    for (size_t written = 0; written < b->schedule.n;) {
        ead_token token;
        if (ead_duo_step(b->duo, &token, &error)) return fail_error(&error);
        written += !token.lost;
    }
    *out = ead_duo_summarise(b->duo);
    return EXIT_OK;
}

static double writing_seconds(const ead_summary *s)
{
    double sum = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        sum += s->work[w].decode_seconds + s->work[w].catchup_seconds;
    return sum;
}

static void count_rows(struct pair_bench *b, const ead_summary *s)
{
    for (int w = 0; w < EAD_WRITERS; w++) {
        b->catchup_rows[w] = s->work[w].catchup_rows;
        b->rows[w] = s->work[w].catchup_rows + s->work[w].decode_rows;
    }
    b->judgements = s->judgements;
    b->judged = s->judged;
    b->refused = s->refused;
    b->lost = s->taken_back;
}

/* One round: the pair, then each model alone. Round -1 warms up and is not counted. */
static int run_round(struct pair_bench *b, int round)
{
    static const ead_policy_kind alone[EAD_WRITERS] = {EAD_POLICY_SMALL, EAD_POLICY_LARGE};
    ead_summary s;
    if (write_text(b, EAD_POLICY_REPLAY, &s)) return EXIT_FAIL;
    if (round >= 0) {
        b->parts[PART_SMALL][round] = s.work[EAD_SMALL].decode_seconds;
        b->parts[PART_LARGE][round] = s.work[EAD_LARGE].decode_seconds;
        b->parts[PART_CATCHUP_SMALL][round] = s.work[EAD_SMALL].catchup_seconds;
        b->parts[PART_CATCHUP_LARGE][round] = s.work[EAD_LARGE].catchup_seconds;
        b->parts[PART_WHOLE][round] = writing_seconds(&s);
        count_rows(b, &s);
    }
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (write_text(b, alone[w], &s)) return EXIT_FAIL;
        if (round >= 0) b->alone[w][round] = writing_seconds(&s);
    }
    return EXIT_OK;
}

static int run_rounds(struct pair_bench *b)
{
    for (int round = -1; round < b->o->repeats; round++)
        if (run_round(b, round)) return EXIT_FAIL;
    for (int i = 0; i < PARTS; i++) b->median[i] = bench_median(b->parts[i], b->o->repeats);
    for (int w = 0; w < EAD_WRITERS; w++) {
        b->median_alone[w] = bench_median(b->alone[w], b->o->repeats);
        b->step[w] = b->median_alone[w] / (double)(b->schedule.n - 1);
    }
    return EXIT_OK;
}

/* ---- the result -------------------------------------------------------------------------- */

static double ideal_seconds(const struct pair_bench *b)
{
    double sum = 0;
    for (int w = 0; w < EAD_WRITERS; w++) sum += (double)b->schedule.steps[w] * b->step[w];
    return sum;
}

/* What the pair is compared with: the large model alone, in this run or, if that was given and is
 * faster, in another program. */
struct baseline {
    bool given;
    double per_second, seconds; /* of tokens; of the whole text */
};

static struct baseline baseline(const struct pair_bench *b)
{
    const double steps = (double)(b->schedule.n - 1), measured = 1 / b->step[EAD_LARGE];
    const bool given = b->o->baseline > measured;
    const double per_second = given ? b->o->baseline : measured;
    return (struct baseline){given, per_second, steps / per_second};
}

static const char *large_form(const struct pair_bench *b)
{
    const ead_model_info info = ead_model_describe(b->models[EAD_LARGE]);
    if (!info.repacked || !strcmp(ead_duo_cpu(b->duo), "ref")) return "as in the file";
    return info.pack == EAD_PACK_MAPPED ? "packed, mapped" : "packed";
}

static void print_baseline(const struct pair_bench *b)
{
    const struct baseline base = baseline(b);
    const double alone = b->median_alone[EAD_LARGE], whole = b->median[PART_WHOLE];
    printf("%-16s %10.1f ms           the pair takes %.3f of it\n", "large alone", 1e3 * alone,
           whole / alone);
    if (base.given)
        printf("%-16s %10.1f ms           the pair takes %.3f of it\n", "as given",
               1e3 * base.seconds, whole / base.seconds);
    printf("\nbaseline: ");
    if (base.given) printf("%.2f tokens/s as given, faster than ", base.per_second);
    printf("the large model by itself, after each run of the pair and over the\n"
           "same positions (%s, cpu %s, %d threads): %.2f tokens/s\n",
           large_form(b), ead_duo_cpu(b->duo), ead_duo_threads(b->duo), 1 / b->step[EAD_LARGE]);
}

static void print_text(const struct pair_bench *b)
{
    static const char *const names[PARTS] = {[PART_SMALL] = "small decode",
                                             [PART_LARGE] = "large decode",
                                             [PART_CATCHUP_SMALL] = "small catch-up",
                                             [PART_CATCHUP_LARGE] = "large catch-up",
                                             [PART_WHOLE] = "measured"};
    const struct schedule *s = &b->schedule;
    const double whole = b->median[PART_WHOLE], ideal = ideal_seconds(b);
    printf("%zu tokens after a prompt of %d, %.1f %% by the large model, %zu switches\n", s->n,
           b->o->prompt, 100.0 * (double)s->large / (double)s->n, s->switches);
    if (b->judgements)
        printf("%lld judgements of %lld drafts, %lld of which refused one; %lld tokens lost, %.0f "
               "rows "
               "of the\nlarge model per 100 tokens\n",
               (long long)b->judgements, (long long)b->judged, (long long)b->refused,
               (long long)b->lost, 100 * (double)b->rows[EAD_LARGE] / (double)s->n);
    printf(
        "step alone: small %.3f ms, large %.3f ms; cpu %s, cache %s, %d threads, median of %d\n\n",
        1e3 * b->step[EAD_SMALL], 1e3 * b->step[EAD_LARGE], ead_duo_cpu(b->duo),
        pair_caches[b->o->cache], ead_duo_threads(b->duo), b->o->repeats);
    for (int i = 0; i < PARTS; i++) {
        printf("%-16s %10.1f ms %6.1f %%", names[i], 1e3 * b->median[i],
               100 * b->median[i] / whole);
        if (i == PART_CATCHUP_SMALL || i == PART_CATCHUP_LARGE)
            printf("   %lld rows", (long long)b->catchup_rows[i - PART_CATCHUP_SMALL]);
        putchar('\n');
    }
    printf("%-16s %10.1f ms           overhead %+.1f %%\n", "ideal", 1e3 * ideal,
           100 * (whole / ideal - 1));
    print_baseline(b);
}

static int print_json(const struct pair_bench *b)
{
    const struct schedule *s = &b->schedule;
    const double ideal = ideal_seconds(b), whole = b->median[PART_WHOLE];
    const struct baseline base = baseline(b);
    json_t *all = json_pack(
        "{s:I, s:i, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:s, "
        "s:f, s:f, s:I, s:I, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}",
        "tokens", (json_int_t)s->n, "prompt", b->o->prompt, "large_tokens", (json_int_t)s->large,
        "switches", (json_int_t)s->switches, "seconds", whole, "small_decode",
        b->median[PART_SMALL], "large_decode", b->median[PART_LARGE], "small_catchup",
        b->median[PART_CATCHUP_SMALL], "large_catchup", b->median[PART_CATCHUP_LARGE], "small_step",
        b->step[EAD_SMALL], "large_step", b->step[EAD_LARGE], "ideal", ideal, "overhead",
        whole / ideal - 1, "large_alone", b->median_alone[EAD_LARGE], "time_vs_large_alone",
        whole / b->median_alone[EAD_LARGE], "large_form", large_form(b), "baseline",
        base.given ? "given" : "measured", "baseline_per_second", base.per_second,
        "time_vs_baseline", whole / base.seconds, "small_catchup_rows",
        (json_int_t)b->catchup_rows[EAD_SMALL], "large_catchup_rows",
        (json_int_t)b->catchup_rows[EAD_LARGE], "cpu", ead_duo_cpu(b->duo), "cache_type",
        pair_caches[b->o->cache], "threads", ead_duo_threads(b->duo), "repeats", b->o->repeats,
        "judgements", (json_int_t)b->judgements, "judged", (json_int_t)b->judged, "refused",
        (json_int_t)b->refused, "lost", (json_int_t)b->lost, "small_rows",
        (json_int_t)b->rows[EAD_SMALL], "large_rows", (json_int_t)b->rows[EAD_LARGE]);
    if (!all) return fail("no memory for the results");
    const int status = json_write("-", all);
    json_decref(all);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------- */

static int open_duo(struct pair_bench *b)
{
    ead_error error;
    ead_duo_options options = ead_duo_defaults();
    options.cpu = b->o->cpu ? pair_cpus[b->o->cpu] : NULL;
    options.threads = b->o->threads;
    options.cache_type = pair_caches[b->o->cache];
    options.n_ctx = b->o->prompt + (int)b->schedule.n + 1 + 2 * EAD_DRAFT_MAX;
    options.eager_prompt = options.ignore_end = true;
    const char *const paths[] = {[EAD_SMALL] = b->o->small, [EAD_LARGE] = b->o->large};
    if (opening_pair(&b->o->opening, paths, b->models, &b->vocab)) return EXIT_FAIL;
    advice_give((const ead_model *const *)b->models, paths, 0);
    if (ead_duo_open(b->models[EAD_LARGE], b->models[EAD_SMALL], &options, &b->duo, &error))
        return fail_error(&error);
    return EXIT_OK;
}

static int allocate(struct pair_bench *b)
{
    const size_t n = (size_t)b->o->repeats;
    double *all = calloc(n * (PARTS + EAD_WRITERS), sizeof *all);
    b->prompt = malloc((size_t)b->o->prompt * sizeof *b->prompt);
    b->parts[0] = all; /* the owner of all */
    if (!all || !b->prompt) return fail("no memory for the measurements");
    for (int i = 0; i < PARTS; i++) b->parts[i] = all + (size_t)i * n;
    for (int w = 0; w < EAD_WRITERS; w++) b->alone[w] = all + (size_t)(PARTS + w) * n;
    const int n_vocab = ead_model_describe(b->models[EAD_SMALL]).n_vocab;
    for (int i = 0; i < b->o->prompt; i++) b->prompt[i] = (int32_t)(i * 7919LL % n_vocab);
    return EXIT_OK;
}

static int bench_opened(struct pair_bench *b)
{
    if (open_schedule(b) || open_duo(b) || allocate(b) || run_rounds(b)) return EXIT_FAIL;
    if (b->o->json) return print_json(b);
    print_text(b);
    return EXIT_OK;
}

int bench_pair(const struct bench_options *o)
{
    struct pair_bench b = {.o = o};
    const int status = bench_opened(&b);
    free(b.parts[0]);
    free(b.prompt);
    free(b.schedule.places);
    ead_duo_close(b.duo);
    for (int w = 0; w < EAD_WRITERS; w++) ead_model_close(b.models[w]);
    ead_model_close(b.vocab);
    return status;
}
