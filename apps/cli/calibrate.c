#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/trial.h"
#include "eval/file.h"
#include "eval/profile.h"
#include "eval/search.h"
#include "eval/summary.h"
#include "eval/sweep.h"
#include "eval/table.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    double share, keep, speedup;
    bool share_given, keep_given, speedup_given;
    const char *out, *work;
    int color;
} options = {.share = 0.25};

static const struct arg table[] = {
    {.kind = ARG_REAL,
     .name = "large-share",
     .value = "P",
     .out = &options.share,
     .given = &options.share_given,
     .low = 0,
     .high = 1,
     .help = "the smallest tau at which the large model writes at most this share of the\n"
             "tokens (default: 0.25)"},
    {.kind = ARG_REAL,
     .name = "keep",
     .value = "P",
     .out = &options.keep,
     .given = &options.keep_given,
     .low = 1e-6,
     .high = 10,
     .help = "the largest tau that keeps this of the large model's accuracy (0.967)"},
    {.kind = ARG_REAL,
     .name = "speedup",
     .value = "X",
     .out = &options.speedup,
     .given = &options.speedup_given,
     .low = 1e-6,
     .high = 1e6,
     .help = "the smallest tau that is X times as fast as the large model alone; time is\n"
             "measured as --parallel has it: 1 for a text by itself"},
    {.kind = ARG_TEXT,
     .name = "out",
     .letter = 'o',
     .value = "FILE",
     .out = &options.out,
     .help = "write the profile, for 'ead run --profile FILE'"},
    {.kind = ARG_TEXT,
     .name = "work",
     .value = "DIR",
     .out = &options.work,
     .help = "keep what was measured there; a calibration that was stopped goes on with it"},
    {.kind = ARG_CHOICE,
     .name = "color",
     .value = "WHEN",
     .out = &options.color,
     .choices = screen_colors,
     .help = "%s: colour the table"},
};
static const struct args usage = {
    .command = "calibrate",
    .synopsis = "--data FILE [--large-share P | --keep P | --speedup X] [--out FILE] [OPTION ...]",
    .description =
        "Find the threshold that reaches a target on a calibration set: answer its problems with\n"
        "each model alone and at several tau, then at others between the two that enclose the\n"
        "target. Prints what was measured and the choice. Use other problems than those that the\n"
        "choice will be judged on.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
    .more = trial_args,
    .n_more = &n_trial_args,
};

/* A run of new settings goes to a directory of its own under `work`, since a run in one directory
 * keeps to the settings it began with; a summary joins them. */
enum { RUNS_MAX = SEARCH_POINTS_MAX };

struct calibration {
    struct trial *trial;
    const char *work;
    char *dirs[RUNS_MAX];
    size_t n_dirs;
    struct search search;
};

static const char *const target_names[] = {
    [SEARCH_SHARE] = "large_share", [SEARCH_KEEP] = "keep", [SEARCH_SPEEDUP] = "speedup"};

/* ---- measuring --------------------------------------------------------------------------- */

/* Run settings in work/NAME. */
static int measure(struct calibration *c, const char *name, const char *policies, const char *taus)
{
    ead_error error;
    bool stopped;
    if (c->n_dirs == RUNS_MAX) return fail("the search took more than %d runs", RUNS_MAX);
    char *dir = c->dirs[c->n_dirs++] = file_join(c->work, name);
    if (!dir) return fail("no memory for the name of a directory");
    const struct settings_wish wish = {
        .policies = policies, .taus = taus, .base = trial_options.policy};
    if (settings_open(&wish, &c->trial->runner.settings, &error)) return fail_error(&error);
    c->trial->runner.dir = dir;
    int status = trial_run(c->trial, &stopped);
    settings_close(c->trial->runner.settings);
    if (!status && stopped)
        return fail("stopped%s", options.work ? "; the same command goes on" : "");
    return status;
}

static int join(const struct calibration *c, struct summary **out)
{
    ead_error error;
    return summary_join((const char *const *)c->dirs, c->n_dirs, NULL, out, &error)
               ? fail_error(&error)
               : EXIT_OK;
}

/* What was measured so far, to the search. */
static int learn(struct calibration *c)
{
    struct summary *s;
    if (join(c, &s)) return EXIT_FAIL;
    for (size_t i = 0; i < s->n_settings; i++) {
        const struct summary_row *row = &s->rows[i];
        if (ead_policy_parse(row->policy) != EAD_POLICY_EAD) continue;
        search_add(&c->search, &(struct search_point){.tau = row->tau,
                                                      .share = row->share,
                                                      .kept = row->kept.value,
                                                      .time = row->time.value});
    }
    summary_free(s);
    return EXIT_OK;
}

static int measure_tau(struct calibration *c, double tau)
{
    char name[48], text[32];
    snprintf(text, sizeof text, "%.9g", tau);
    snprintf(name, sizeof name, "tau=%s", text);
    return measure(c, name, "ead", text);
}

/* The models alone, then a first row of thresholds from how unsure the small one was. */
static int sweep(struct calibration *c)
{
    ead_error error;
    double taus[SWEEP_MAX];
    char list[SWEEP_MAX * 32] = "";
    size_t n, at = 0;
    if (measure(c, "alone", "small,large", "0")) return EXIT_FAIL;
    if (sweep_taus(c->dirs[0], trial_options.policy.window, taus, &n, &error))
        return fail_error(&error);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%.9g", i ? "," : "", taus[i]);
    return measure(c, "sweep", "ead", list) || learn(c) ? EXIT_FAIL : EXIT_OK;
}

static int look_for(struct calibration *c)
{
    if (sweep(c)) return EXIT_FAIL;
    for (double tau; !isnan(tau = search_next(&c->search));) {
        const int before = c->search.n;
        if (measure_tau(c, tau) || learn(c)) return EXIT_FAIL;
        if (c->search.n == before) break; /* no room for more */
    }
    return EXIT_OK;
}

/* ---- the answer -------------------------------------------------------------------------- */

static int say_unreached(const struct calibration *c)
{
    const struct search_point *best = search_best(&c->search);
    const char *option =
        c->search.target == SEARCH_SHARE ? "large-share" : target_names[c->search.target];
    if (!best)
        return fail("--%s %g: nothing to compare with: the large model solved no problem", option,
                    c->search.wanted);
    return fail("--%s %g: cannot be reached with this pair on these problems; the best was %.4g, "
                "at tau %g",
                option, c->search.wanted, search_value(&c->search, best), best->tau);
}

static const struct summary_row *row_at(const struct summary *s, double tau)
{
    for (size_t i = 0; i < s->n_settings; i++)
        if (ead_policy_parse(s->rows[i].policy) == EAD_POLICY_EAD && s->rows[i].tau == tau)
            return &s->rows[i];
    return NULL;
}

static int write_profile(const struct calibration *c, const struct summary *s,
                         const struct summary_row *row)
{
    ead_error error;
    const struct runner_options *run = &c->trial->runner;
    struct profile profile = {.policy = trial_options.policy,
                              .modelled = NAN,
                              .target = target_names[c->search.target],
                              .wanted = c->search.wanted,
                              .accuracy = row->accuracy.value,
                              .kept = row->kept.value,
                              .share = row->share,
                              .time = row->time.value,
                              .data = run->data->name,
                              .problems = (int)s->n_problems};
    profile.policy.tau = row->tau;
    for (int w = 0; w < EAD_WRITERS; w++)
        profile.models[w] = profile_model(run->models[w].model, run->models[w].path);
    return profile_write(options.out, &profile, &error) ? fail_error(&error) : EXIT_OK;
}

static int answer(const struct calibration *c, const struct summary *s)
{
    const struct search_point *choice = search_choice(&c->search);
    const struct summary_row *row = choice ? row_at(s, choice->tau) : NULL;
    if (!row) return say_unreached(c);
    printf("\ntau %g: ", row->tau);
    if (isfinite(row->kept.value)) /* the large model may have solved none */
        printf("%.1f %% of the large model's accuracy, ", 100 * row->kept.value);
    printf("%.1f %% large-model tokens, %.2f times its time\n", 100 * row->share, row->time.value);
    if (!options.out) return EXIT_OK;
    if (write_profile(c, s, row)) return EXIT_FAIL;
    printf("%s: written\n", options.out);
    return EXIT_OK;
}

static int conclude(const struct calibration *c)
{
    struct summary *s;
    if (join(c, &s)) return EXIT_FAIL;
    const bool color = screen_wants_color((enum screen_color)options.color, stdout);
    int status =
        table_print_settings(s, stdout, color) ? answer(c, s) : fail("no memory for the table");
    summary_free(s);
    return status;
}

/* ---- where it is measured ---------------------------------------------------------------- */

/* Remove a directory and the files in it. */
static void discard(const char *dir)
{
    DIR *open = opendir(dir);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (entry->d_type != DT_DIR) unlinkat(dirfd(open), entry->d_name, 0);
    if (open) closedir(open);
    rmdir(dir);
}

static int calibrate(struct trial *t, const char *work)
{
    struct calibration c = {.trial = t, .work = work};
    c.search.target = options.keep_given      ? SEARCH_KEEP
                      : options.speedup_given ? SEARCH_SPEEDUP
                                              : SEARCH_SHARE;
    c.search.wanted = options.keep_given      ? options.keep
                      : options.speedup_given ? options.speedup
                                              : options.share;
    int status = look_for(&c);
    if (!status) status = conclude(&c);
    for (size_t i = 0; i < c.n_dirs; i++) {
        if (!options.work && c.dirs[i]) discard(c.dirs[i]);
        free(c.dirs[i]);
    }
    return status;
}

/* In --work DIR, or in a temporary one. */
static int with_folder(struct trial *t)
{
    char *temporary;
    const char *base = getenv("TMPDIR");
    if (options.work) {
        if (mkdir(options.work, 0777) && errno != EEXIST)
            return fail("%s: cannot create: %s", options.work, strerror(errno));
        return calibrate(t, options.work);
    }
    if (asprintf(&temporary, "%s/ead-XXXXXX", base && *base ? base : "/tmp") < 0)
        return fail("no memory for the name of a directory");
    int status = mkdtemp(temporary) ? calibrate(t, temporary)
                                    : fail("%s: cannot create: %s", temporary, strerror(errno));
    rmdir(temporary);
    free(temporary);
    return status;
}

/* Hours of measuring should not end in a file that cannot be written. */
static int try_outputs(void)
{
    ead_error error;
    if (output_check_folder(options.work)) return EXIT_FAIL;
    return options.out && file_try(options.out, &error) ? fail_error(&error) : EXIT_OK;
}

static int command(int argc, char **argv)
{
    struct trial trial = {0};
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (form_lists(&trial_options.form)) return EXIT_OK;
    if (options.share_given + options.keep_given + options.speedup_given > 1)
        return args_fault(&usage, "expected one of --large-share, --keep and --speedup");
    if (!trial_options.large != !trial_options.small)
        return args_fault(&usage, "expected --large FILE and --small FILE; a threshold is of two");
    if (options.out && !strcmp(options.out, "-"))
        return args_fault(&usage, "--out: expected a file; standard output carries the table");
    parsed = trial_check(&usage);
    if (parsed) return parsed;
    int status = try_outputs();
    if (!status) status = trial_open(&trial);
    if (!status) status = with_folder(&trial);
    trial_close(&trial);
    return status;
}

const struct command command_calibrate = {"find the threshold for a share, an accuracy or a speed",
                                          &usage, command};
