#include "cli/args.h"
#include "cli/calibration.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "eval/file.h"
#include "eval/table.h"

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
    const char *policies, *out, *work;
    int tries, color;
} options = {.share = 0.25, .policies = "ead", .tries = 24};

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "policy",
     .value = "LIST",
     .out = &options.policies,
     .help = "whose options are to be found, separated by commas; options that are given with\n"
             "a policy are held (\"judge slack=0.2\"); all stands for each that has any\n"
             "(default: ead)"},
    {.kind = ARG_REAL,
     .name = "keep",
     .value = "P",
     .out = &options.keep,
     .given = &options.keep_given,
     .low = 1e-6,
     .high = 10,
     .help = "the least time that keeps this of the large model's accuracy (0.99)"},
    {.kind = ARG_REAL,
     .name = "speedup",
     .value = "X",
     .out = &options.speedup,
     .given = &options.speedup_given,
     .low = 1e-6,
     .high = 1e6,
     .help = "the most accuracy that is X times as fast as the large model alone. Time is\n"
             "modelled, so the choice is the same on any machine and in any company"},
    {.kind = ARG_INT,
     .name = "tries",
     .value = "N",
     .out = &options.tries,
     .min = 1,
     .max = SEARCH_TRIES_MAX,
     .help = "settings to try of each policy (default: 24)"},
    {.kind = ARG_REAL,
     .name = "large-share",
     .value = "P",
     .out = &options.share,
     .given = &options.share_given,
     .low = 0,
     .high = 1,
     .help = "of ead alone, the smallest tau at which the large model writes at most this\n"
             "share of the tokens (default, where no target is named: 0.25)"},
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
     .help = "keep what was measured there, and the best of each policy as POLICY.json; a\n"
             "calibration that was stopped goes on with it"},
    {.kind = ARG_CHOICE,
     .name = "color",
     .value = "WHEN",
     .out = &options.color,
     .choices = screen_colors,
     .help = "%s: colour the table"},
};
static const struct args usage = {
    .command = "calibrate",
    .synopsis =
        "--data FILE [--policy LIST] [--keep P | --speedup X | --large-share P] [--out FILE] "
        "[OPTION ...]",
    .description =
        "Find the options of policies that reach a target on a calibration set: answer its\n"
        "problems with each model alone and with so many settings of each policy, the first one\n"
        "its defaults, the next spread over its options' ranges, the others around the best so\n"
        "far. Prints what was measured and the choice, which the profile holds with the table of\n"
        "risks that the policy goes by, if it does. Use other problems than those that the choice\n"
        "will be judged on.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
    .more = trial_args,
    .n_more = &n_trial_args,
};

/* ---- the answer -------------------------------------------------------------------------- */

static int show(const struct summary *s)
{
    const bool color = screen_wants_color((enum screen_color)options.color, stdout);
    putchar('\n');
    return table_print_settings(s, stdout, color) ? EXIT_OK : fail("no memory for the table");
}

static int write_profile(const char *path, const struct profile *profile)
{
    ead_error error;
    if (profile_write(path, profile, &error)) return fail_error(&error);
    printf("%s: written\n", path);
    return EXIT_OK;
}

static void say_choice(const char *name, const struct profile *p)
{
    printf("\n%s: ", name);
    if (isfinite(p->kept)) /* the large model may have solved none */
        printf("%.1f %% of the large model's accuracy, ", 100 * p->kept);
    printf("%.1f %% large-model tokens, %.2f times its time", 100 * p->share, p->time);
    if (isfinite(p->modelled)) printf(", %.3f modelled", p->modelled);
    putchar('\n');
}

/* ---- a share ----------------------------------------------------------------------------- */

static int answer_share(const struct calibration *c, const struct summary *s,
                        const struct summary_row *row)
{
    if (show(s)) return EXIT_FAIL;
    if (!row)
        return fail("--large-share %g: cannot be reached with this pair on these problems",
                    options.share);
    struct profile profile = {.policy = trial_options.policy,
                              .target = "large_share",
                              .wanted = options.share,
                              .accuracy = row->accuracy.value,
                              .kept = row->kept.value,
                              .share = row->share,
                              .modelled = row->modelled.value,
                              .time = row->time.value,
                              .small_cost = trial_options.cost.small,
                              .row_cost = trial_options.cost.row,
                              .problems = (int)s->n_problems};
    profile.policy.tau = row->tau;
    calibration_describe(c, &profile);
    say_choice(row->setting, &profile);
    return options.out ? write_profile(options.out, &profile) : EXIT_OK;
}

static int reach_share(struct calibration *c)
{
    struct summary *s;
    const struct summary_row *row;
    if (calibrate_share(c, options.share, &s, &row)) return EXIT_FAIL;
    const int status = answer_share(c, s, row);
    summary_free(s);
    return status;
}

/* ---- any policy -------------------------------------------------------------------------- */

enum { POLICIES_MAX = 64 };

/* The policies that are to be calibrated, and what was found. */
struct search_all {
    struct calibration_target target;
    char *texts[POLICIES_MAX];
    struct calibration_best best[POLICIES_MAX];
    int n;
};
static struct search_all wanted;

static int add_policy(struct search_all *all, const char *text, size_t n)
{
    if (all->n == POLICIES_MAX) return fail("--policy: expected at most %d", POLICIES_MAX);
    all->texts[all->n] = strndup(text, n);
    return all->texts[all->n++] ? EXIT_OK : fail("no memory for the names of policies");
}

/* Separated by commas; "all" among them is all that have knobs. */
static int list_policies(struct search_all *all, const char *list)
{
    int status = EXIT_OK;
    while (!status && *list) {
        char known[CALIBRATE_ALL_MAX];
        const size_t blank = strspn(list, " \t"), n = strcspn(list + blank, ",");
        const bool every = n == 3 && !strncmp(list + blank, "all", 3);
        if (every) calibrate_all(known);
        status = every ? list_policies(all, known) : add_policy(all, list + blank, n);
        list += blank + n;
        list += *list == ',';
    }
    return status;
}

/* WORK/judge_slack=0.2.json of "judge slack=0.2". */
static int keep_profile(const struct calibration *c, const char *text,
                        const struct profile *profile)
{
    char *path;
    if (asprintf(&path, "%s/%s.json", c->work, text) < 0)
        return fail("no memory for a file's name");
    for (char *at = path + strlen(c->work); *at; at++)
        if (*at == ' ') *at = '_';
    const int status = write_profile(path, profile);
    free(path);
    return status;
}

static int look_for_all(struct calibration *c, struct search_all *all)
{
    if (calibration_run_alone(c)) return EXIT_FAIL;
    for (int i = 0; i < all->n; i++) {
        struct calibration_best *best = &all->best[i];
        if (calibrate_policy(c, all->texts[i], &all->target, best)) return EXIT_FAIL;
        best->profile.problems =
            c->trial->runner.limit > 0 && (size_t)c->trial->runner.limit < c->trial->data->n
                ? c->trial->runner.limit
                : (int)c->trial->data->n;
        if (c->kept && keep_profile(c, all->texts[i], &best->profile)) return EXIT_FAIL;
    }
    return EXIT_OK;
}

static const struct calibration_best *best_of(const struct search_all *all)
{
    const struct calibration_best *best = &all->best[0];
    for (int i = 1; i < all->n; i++)
        if (search_prefers(all->target.kind, all->target.wanted, &all->best[i].point, &best->point))
            best = &all->best[i];
    return best;
}

static int say_unreached(const struct search_all *all, const struct calibration_best *best)
{
    const bool keep = all->target.kind == SEARCH_KEEP;
    const char *option = keep ? "keep" : "speedup";
    if (keep && isnan(best->point.kept))
        return fail("--%s %g: nothing to compare with: the large model solved no problem", option,
                    all->target.wanted);
    return fail("--%s %g: cannot be reached with this pair on these problems; the best was %.4g, "
                "with %s",
                option, all->target.wanted, keep ? best->point.kept : 1 / best->point.time,
                best->name);
}

/* The models alone and the best of each policy, with their intervals. */
static int show_best(const struct calibration *c, const struct search_all *all)
{
    const char *dirs[POLICIES_MAX + 1];
    struct summary *s;
    dirs[0] = c->dirs[0];
    for (int i = 0; i < all->n; i++) dirs[i + 1] = all->best[i].dir;
    if (calibration_join(dirs, (size_t)all->n + 1, &s)) return EXIT_FAIL;
    const int status = show(s);
    summary_free(s);
    return status;
}

static int answer_all(const struct calibration *c, const struct search_all *all)
{
    const struct calibration_best *best = best_of(all);
    if (show_best(c, all)) return EXIT_FAIL;
    if (!search_reaches(all->target.kind, all->target.wanted, best->point.kept, best->point.time))
        return say_unreached(all, best);
    say_choice(best->name, &best->profile);
    return options.out ? write_profile(options.out, &best->profile) : EXIT_OK;
}

static int reach_target(struct calibration *c)
{
    const int status = look_for_all(c, &wanted);
    return status ? status : answer_all(c, &wanted);
}

/* Say what is wrong with the list before hours of measuring; 0 or EXIT_USAGE. */
static int check_policies(void)
{
    ead_error error;
    ead_policy_options rule;
    wanted.target =
        (struct calibration_target){.kind = options.keep_given ? SEARCH_KEEP : SEARCH_SPEEDUP,
                                    .wanted = options.keep_given ? options.keep : options.speedup,
                                    .tries = options.tries};
    if (list_policies(&wanted, options.policies)) return EXIT_FAIL;
    for (int i = 0; i < wanted.n; i++)
        if (setting_read(wanted.texts[i], &trial_options.policy, "policy", &rule, &error))
            return args_fault(&usage, "--%s", error.message);
    return wanted.n ? 0 : args_fault(&usage, "--policy: expected at least one");
}

/* ---- where it is measured ---------------------------------------------------------------- */

static int calibrate(struct trial *t, const char *work)
{
    struct calibration c = {.trial = t, .work = work, .kept = options.work};
    const int status =
        options.keep_given || options.speedup_given ? reach_target(&c) : reach_share(&c);
    calibration_close(&c);
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
    if (!options.keep_given && !options.speedup_given && strcmp(options.policies, "ead") != 0)
        return args_fault(&usage, "--policy %s needs --keep or --speedup; a share is of ead alone",
                          options.policies);
    if (!trial_options.large != !trial_options.small)
        return args_fault(&usage, "expected --large FILE and --small FILE; a policy is of two");
    if (options.out && !strcmp(options.out, "-"))
        return args_fault(&usage, "--out: expected a file; standard output carries the table");
    parsed = trial_check(&usage);
    if (!parsed) parsed = check_policies();
    if (parsed) return parsed;
    int status = try_outputs();
    if (!status) status = trial_open(&trial);
    if (!status) status = with_folder(&trial);
    trial_close(&trial);
    for (int i = 0; i < wanted.n; i++) free(wanted.texts[i]);
    return status;
}

const struct command command_calibrate = {
    "find the options of policies for an accuracy, a speed or a share", &usage, command};
