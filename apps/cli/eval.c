#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/trial.h"
#include "eval/remark.h"
#include "eval/report.h"
#include "eval/summary.h"
#include "eval/table.h"

#include <stdio.h>
#include <unistd.h>

static struct {
    const char *policies, *taus, *dir;
    int color;
} options = {.policies = "small,large,ead,random", .taus = "0.02,0.05,0.1,0.2,0.3,0.5,0.8,1.2"};

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
     .help = "of small, large, ead, random (default: all four); random gives the\n"
             "large model as many tokens as ead did at each tau, by chance"},
    {.kind = ARG_TEXT,
     .name = "tau",
     .value = "LIST",
     .out = &options.taus,
     .help = "thresholds in bits (default: 0.02,0.05,0.1,0.2,0.3,0.5,0.8,1.2)"},
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
        "Answer every problem of a data set under every policy and threshold, grade the answers\n"
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
    if (summary_read(options.dir, &summary, &error)) return fail_error(&error);
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

static int command(int argc, char **argv)
{
    ead_error error;
    struct trial trial = {0};
    struct settings *settings;
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (form_lists(&trial_options.form)) return EXIT_OK;
    if (!options.dir) return args_fault(&usage, "--out DIR is missing");
    parsed = trial_check(&usage);
    if (parsed) return parsed;
    if (settings_open(options.policies, options.taus, trial_options.policy.window,
                      trial_options.policy.dwell, &settings, &error))
        return args_fault(&usage, "--%s", error.message);
    int status = output_check_folder(options.dir);
    if (!status) status = trial_open(&trial);
    trial.runner.settings = settings;
    if (!status) status = with_settings(&trial);
    trial_close(&trial);
    settings_close(settings);
    return status;
}

const struct command command_eval = {"measure accuracy against the large model's share and time",
                                     &usage, command};
