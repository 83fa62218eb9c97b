#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/trial.h"
#include "eval/profile.h"
#include "eval/remark.h"
#include "eval/report.h"
#include "eval/summary.h"
#include "eval/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    const char *policies, *taus, *dir, *table, *against;
    struct arg_list settings, profiles;
    int color;
} options = {.taus = "0.02,0.05,0.1,0.2,0.3,0.5,0.8,1.2"};

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "out",
     .letter = 'o',
     .value = "DIR",
     .out = &options.dir,
     .help = "where results go; the same command goes on there after a stop, and one with\n"
             "other problems, models or settings is refused"},
    {.kind = ARG_TEXT,
     .name = "policy",
     .value = "LIST",
     .out = &options.policies,
     .help = "policies separated by commas, each with options if it has any: \"small,large,ead,\n"
             "judge risk=0.5 slack=0.2,speculative draft=heuristic\". random alone gives the\n"
             "large model as many tokens as ead did at each tau, by chance; oracle repeats\n"
             "the text of large, which writes only where the small model would go another\n"
             "way: no policy can know (default: small, large, ead, random; small and large\n"
             "beside --setting or --profile)"},
    {.kind = ARG_LIST,
     .name = "setting",
     .value = "POLICY",
     .out = &options.settings,
     .help = "one more policy, in the same form; may be repeated"},
    {.kind = ARG_LIST,
     .name = "profile",
     .value = "FILE",
     .out = &options.profiles,
     .help = "and the one that 'ead calibrate' chose; may be repeated"},
    {.kind = ARG_TEXT,
     .name = "table",
     .value = "FILE",
     .out = &options.table,
     .help = "the profile whose table of risks those of --policy and --setting go by\n"
             "(default: none, entropies themselves)"},
    {.kind = ARG_TEXT,
     .name = "tau",
     .value = "LIST",
     .out = &options.taus,
     .help = "what tau may be of an ead without one (default: 0.02,0.05,0.1,0.2,0.3,0.5,0.8,\n"
             "1.2)"},
    {.kind = ARG_TEXT,
     .name = "against",
     .value = "SETTING",
     .out = &options.against,
     .help = "compare all with this one, named as in results.jsonl, or a policy's first: points\n"
             "of accuracy with their interval, and time"},
    {.kind = ARG_CHOICE,
     .name = "color",
     .value = "WHEN",
     .out = &options.color,
     .choices = screen_colors,
     .help = "%s: colour the table"},
};
static const struct args usage = {
    .command = "eval",
    .synopsis = "--data FILE --out DIR [--large L.gguf --small S.gguf] [OPTION ...]",
    .description =
        "Answer every problem of a data set under every policy and its options, grade the answers\n"
        "and compare accuracy, share of the large model and time. DIR gets results.jsonl,\n"
        "times.jsonl, traces.jsonl, the tables as summary.md, summary.csv and summary.json, and\n"
        "report.html. Ctrl-C stops; the same command goes on, also after a crash. Runs of one "
        "seed\n"
        "leave the same results.jsonl whatever --parallel and --threads are; measured times are\n"
        "those of shared passes, so what one reader waits for is measured with --parallel 1.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
    .more = trial_args,
    .n_more = &n_trial_args,
};

/* Who sends the table into a file should hear of them too. */
static void say_remarks(const struct summary *summary)
{
    char text[REMARK_TEXT_MAX];
    for (size_t i = 0; i < REMARK_KINDS; i++)
        if (remark_make(summary, i, text)) fprintf(stderr, "ead: %s\n", text);
}

/* The tables of what is there, on standard output and in DIR. */
static int summarise(void)
{
    ead_error error;
    struct summary *summary;
    const struct summary_options how = {trial_options.cost, options.against};
    if (summary_read(options.dir, &how, &summary, &error)) return fail_error(&error);
    int status = EXIT_OK;
    if (!table_print(summary, stdout, screen_wants_color((enum screen_color)options.color, stdout)))
        status = fail("no memory for the table");
    if (!status && report_write_all(options.dir, summary, &error)) status = fail_error(&error);
    if (!isatty(STDOUT_FILENO)) say_remarks(summary);
    summary_free(summary);
    return status;
}

static int with_settings(struct trial *t)
{
    bool stopped;
    t->runner.dir = options.dir;
    if (trial_run(t, &stopped)) return EXIT_FAIL;
    if (summarise()) return EXIT_FAIL;
    if (stopped) return fail("stopped; the same command goes on");
    return EXIT_OK;
}

/* ---- settings ---------------------------------------------------------------------------- */

/* The profiles that settings come from; they hold tables, so they stay while settings do. */
struct sources {
    struct profile profiles[ARG_LIST_MAX], table;
    ead_policy_options rules[ARG_LIST_MAX];
};

static int read_profiles(struct sources *from, struct settings_wish *wish)
{
    ead_error error;
    for (int i = 0; i < options.profiles.n; i++) {
        if (profile_read(options.profiles.text[i], &from->profiles[i], &error))
            return fail_error(&error);
        from->rules[i] = profile_rule(&from->profiles[i]);
    }
    wish->rules = from->rules;
    wish->n_rules = (size_t)options.profiles.n;
    if (!options.table) return EXIT_OK;
    if (profile_read(options.table, &from->table, &error)) return fail_error(&error);
    if (!from->table.has_table) return fail("%s: has no table of risks", options.table);
    wish->base.table = &from->table.table;
    return EXIT_OK;
}

static int open_settings(struct sources *from, struct settings **out)
{
    ead_error error;
    const bool named = options.settings.n || options.profiles.n;
    struct settings_wish wish = {.policies = options.policies ? options.policies
                                             : named          ? "small,large"
                                                              : "small,large,ead,random",
                                 .taus = options.taus,
                                 .more = options.settings.text,
                                 .n_more = (size_t)options.settings.n,
                                 .base = trial_options.policy};
    if (read_profiles(from, &wish)) return EXIT_FAIL;
    if (settings_open(&wish, out, &error)) return args_fault(&usage, "--%s", error.message);
    return EXIT_OK;
}

/* ---- the command ------------------------------------------------------------------------- */

static int run(struct sources *from)
{
    struct trial trial = {0};
    struct settings *settings = NULL;
    int status = open_settings(from, &settings);
    if (status) return status;
    status = output_check_folder(options.dir);
    if (!status) status = trial_open(&trial);
    trial.runner.settings = settings;
    if (!status) status = with_settings(&trial);
    trial_close(&trial);
    settings_close(settings);
    return status;
}

static int command(int argc, char **argv)
{
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (form_lists(&trial_options.form)) return EXIT_OK;
    if (!options.dir) return args_fault(&usage, "--out DIR is missing");
    parsed = trial_check(&usage);
    if (parsed) return parsed;
    struct sources *from = calloc(1, sizeof *from);
    if (!from) return fail("no memory for the settings");
    const int status = run(from);
    free(from);
    return status;
}

const struct command command_eval = {"measure accuracy against the large model's share and time",
                                     &usage, command};
