/* What `eval` and `calibrate` share: options that say which models, which problems, how many at a
 * time; and the way from there to a run. */
#ifndef EAD_CLI_TRIAL_H
#define EAD_CLI_TRIAL_H

#include "cli/args.h"
#include "cli/form.h"
#include "cli/opening.h"
#include "eval/cost.h"
#include "eval/runner.h"

struct trial {
    struct dataset *data;
    ead_model *models[EAD_WRITERS];
    ead_model *vocab;             /* of models behind an API; NULL where a model at hand has it */
    char *question;               /* the template file's text; NULL: none */
    char *shipped[EAD_WRITERS];   /* paths of the shipped pair when none was named */
    struct form form;             /* how the chat template puts a problem; empty without one */
    struct runner_options runner; /* all but settings, dir and progress */
};

/* Rows to put behind a command's own option table: --large, --small, --data, --format, --skip-bad,
 * --limit, --seed, --window, --dwell, -n, --template, --chat-template, --template-arg, --thinking,
 * --now, --verbose-prompt, --system, --parallel, --threads, --cpu, --ctx, --cache-type,
 * --pack-cache. They fill trial_options. */
extern struct arg trial_args[];
extern int n_trial_args;
/* Make that table, before any options are parsed. */
void trial_prepare(void);

struct trial_options {
    const char *large, *small, *data, *question, *system;
    struct form_options form;
    int format, limit, most, parallel, threads, cpu, cache, ctx;
    ead_policy_options policy; /* its window and dwell; */
    bool window_given, dwell_given;
    struct cost cost; /* of modelled time */
    unsigned long long seed;
    bool skip_bad;
    struct opening opening;
};
extern struct trial_options trial_options;

/* Say what is missing or contradicts in the options; 0 or EXIT_USAGE. */
int trial_check(const struct args *usage);
/* Open data and models. EXIT_FAIL after saying why. trial_close in any case. */
int trial_open(struct trial *t);
void trial_close(struct trial *t);

/* Run it, showing on standard error how far it is; Ctrl-C stops it. EXIT_FAIL after saying why;
 * *stopped is set when it was Ctrl-C, and then the status is EXIT_OK. */
int trial_run(struct trial *t, bool *stopped);

#endif
