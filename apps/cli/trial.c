#include "cli/trial.h"

#include "cli/advice.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/pair.h"
#include "cli/screen.h"
#include "cli/shipped.h"
#include "cli/source.h"
#include "cli/steer.h"
#include "eval/option.h"
#include "eval/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const formats[] = {"auto", "math", "gsm8k", NULL};

struct trial_options trial_options = {.most = 1024, .parallel = 8};

/* Window and dwell, as the library has them, stand behind these. */
static const struct arg above[] = {
    {.kind = ARG_HEADING, .help = "problems"},
    {.kind = ARG_TEXT,
     .name = "data",
     .value = "FILE",
     .out = &trial_options.data,
     .help = "problems: JSONL, a JSON array, or a directory in MATH's layout; - reads standard\n"
             "input"},
    {.kind = ARG_CHOICE,
     .name = "format",
     .value = "NAME",
     .out = &trial_options.format,
     .choices = formats,
     .help = "%s (default: auto, by the fields)"},
    {.kind = ARG_FLAG,
     .name = "skip-bad",
     .out = &trial_options.skip_bad,
     .help = "leave out records that no problem can be read from, and say how many (default:\n"
             "the first one ends the command)"},
    {.kind = ARG_INT,
     .name = "limit",
     .value = "N",
     .out = &trial_options.limit,
     .min = 0,
     .max = 1 << 30,
     .help = "N of the problems, drawn by --seed (default: 0, all)"},
    {.kind = ARG_SEED,
     .name = "seed",
     .value = "N",
     .out = &trial_options.seed,
     .help = "of the drawing and of random switching (default: 0)"},
    {.kind = ARG_INT,
     .name = "predict",
     .letter = 'n',
     .value = "N",
     .out = &trial_options.most,
     .min = 1,
     .max = 1 << 24,
     .help = "at most N tokens of an answer (default: 1024)"},
    {.kind = ARG_TEXT,
     .name = "template",
     .value = "FILE",
     .out = &trial_options.question,
     .help = "how a problem is put: a text with {problem} in it (default: the model's\n"
             "chat template, with a request for the form of the answer)"},
    FORM_ARGS(trial_options.form, "chat-template", PROMPT_NOW ", so that runs can go on"),
    FORM_VERBOSE_ARG(trial_options.form),
    {.kind = ARG_TEXT,
     .name = "system",
     .value = "TEXT",
     .out = &trial_options.system,
     .help = "system message in the chat template"},
    {.kind = ARG_HEADING, .help = "models"},
    {.kind = ARG_TEXT,
     .name = "large",
     .letter = 'L',
     .value = "FILE",
     .out = &trial_options.large,
     .help = "GGUF file of the large model (default: the shipped pair), " FETCH_HELP},
    {.kind = ARG_TEXT,
     .name = "small",
     .letter = 'S',
     .value = "FILE",
     .out = &trial_options.small,
     .help = "GGUF file of the small model, likewise"},
    {.kind = ARG_INT,
     .name = "parallel",
     .letter = 'P',
     .value = "N",
     .out = &trial_options.parallel,
     .min = 1,
     .max = 256,
     .help = "problems that share passes; results do not depend on it (default: 8)"},
    {.kind = ARG_INT,
     .name = "threads",
     .letter = 't',
     .value = "N",
     .out = &trial_options.threads,
     .min = 1,
     .max = 256,
     .help = "threads (default: as many as the process may use)"},
    PAIR_CPU_ARG(trial_options.cpu, "; results depend on it"),
    {.kind = ARG_INT,
     .name = "ctx",
     .letter = 'c',
     .value = "N",
     .out = &trial_options.ctx,
     .min = 1,
     .max = 1 << 24,
     .help = "context in tokens (default: longest prompt and -n, at most what both were\n"
             "trained on)"},
    PAIR_CACHE_ARG(trial_options.cache, "; results depend on it"),
    OPENING_ARGS(trial_options.opening),
    OPENING_REMOTE_ARGS(trial_options.opening),
    {.kind = ARG_HEADING, .help = "modelled time"},
    {.kind = ARG_REAL,
     .name = "small-cost",
     .value = "X",
     .out = &trial_options.cost.small,
     .low = 0,
     .high = 1,
     .help = "a step of the small model, relative to one of the large (default: 0.25)"},
    {.kind = ARG_REAL,
     .name = "row-cost",
     .value = "X",
     .out = &trial_options.cost.row,
     .low = 0,
     .high = 1,
     .help = "a further row of a pass, relative to its first (default: 0.06); 'ead bench'\n"
             "measures both"},
    {.kind = ARG_HEADING, .help = "who writes"},
};
enum { N_ABOVE = sizeof above / sizeof *above };

struct arg trial_args[N_ABOVE + STEER_ROWS_MAX];
int n_trial_args;

void trial_prepare(void)
{
    static struct steer steer;
    trial_options.policy = ead_duo_defaults().policy;
    trial_options.cost = cost_usual;
    steer_add(&steer, option_find("window"), &trial_options.policy);
    steer_add(&steer, option_find("dwell"), &trial_options.policy);
    for (int i = 0; i < N_ABOVE; i++) trial_args[i] = above[i];
    for (int i = 0; i < steer.n; i++) trial_args[N_ABOVE + i] = steer.rows[i];
    n_trial_args = N_ABOVE + steer.n;
    trial_args[N_ABOVE].given = &trial_options.window_given;
    trial_args[N_ABOVE + 1].given = &trial_options.dwell_given;
}

int trial_check(const struct args *usage)
{
    const struct trial_options *o = &trial_options;
    if (!o->data) return args_fault(usage, "--data FILE is missing");
    if (o->question && (form_given(&o->form) || o->system))
        return args_fault(usage, "--template contradicts --%s",
                          o->system               ? "system"
                          : o->form.template_name ? "chat-template"
                                                  : "template-arg, --thinking and --now");
    return 0;
}

/* ---- opening ----------------------------------------------------------------------------- */

static const char *find_model(struct trial *t, ead_writer w)
{
    const struct trial_options *o = &trial_options;
    if (o->large || o->small) return w == EAD_LARGE ? o->large : o->small;
    return t->shipped[w] = shipped_path(w == EAD_LARGE ? "large.gguf" : "small.gguf");
}

static int open_models(struct trial *t)
{
    const char *paths[EAD_WRITERS];
    struct runner_model *models = t->runner.models;
    if (fetch_in_place(&trial_options.large) || fetch_in_place(&trial_options.small) ||
        fetch_in_place(&trial_options.opening.vocab))
        return EXIT_FAIL;
    for (int w = 0; w < EAD_WRITERS; w++) {
        models[w].path = find_model(t, (ead_writer)w);
        paths[w] = models[w].path;
    }
    if (!models[EAD_SMALL].path && !models[EAD_LARGE].path)
        return fail("the shipped pair is not there; name models with --large and --small");
    if (opening_pair(&trial_options.opening, paths, t->models, &t->vocab)) return EXIT_FAIL;
    for (int w = 0; w < EAD_WRITERS; w++) models[w].model = t->models[w];
    advice_give((const ead_model *const *)t->models, paths, trial_options.ctx);
    return EXIT_OK;
}

static int open_question(struct trial *t)
{
    size_t bytes;
    const char *path = trial_options.question;
    if (!path) return EXIT_OK;
    if (source_read(path, &t->question, &bytes)) return EXIT_FAIL;
    source_unmark(t->question, &bytes);
    source_chomp(t->question, &bytes);
    if (strlen(t->question) != bytes) return fail("%s: a template holds no NUL byte", path);
    if (!strstr(t->question, "{problem}"))
        return fail("%s: expected {problem} where the problem goes, found none", path);
    return EXIT_OK;
}

/* The template of the model that speaks, where one is wanted. */
static int open_form(struct trial *t)
{
    const struct trial_options *o = &trial_options;
    const ead_model *speaker = t->models[EAD_LARGE] ? t->models[EAD_LARGE] : t->models[EAD_SMALL];
    if (o->question) return EXIT_OK;
    if (!form_given(&o->form) && !o->system && !ead_template_present(speaker)) return EXIT_OK;
    return form_open(&o->form, speaker, FORM_WAYS("chat-template"), &t->form);
}

/* Only the first, since a search runs many times. */
static void show_prompt(const char *text)
{
    static bool shown;
    if (!shown) form_show(text, strlen(text));
    shown = true;
}

int trial_open(struct trial *t)
{
    ead_error error;
    const struct trial_options *o = &trial_options;
    *t = (struct trial){.runner = runner_defaults()};
    if (open_question(t)) return EXIT_FAIL;
    if (dataset_open(o->data, formats[o->format], o->skip_bad, &t->data, &error))
        return fail_error(&error);
    if (t->data->n_skipped)
        fprintf(stderr, "ead: --skip-bad: left out %zu, of which the first: %s\n",
                t->data->n_skipped, t->data->skipped);
    if (open_models(t) || open_form(t)) return EXIT_FAIL;
    struct runner_options *r = &t->runner;
    r->data = t->data;
    r->data_path = o->data;
    r->limit = o->limit;
    r->seed = o->seed;
    r->most = o->most;
    r->parallel = o->parallel;
    r->threads = o->threads;
    r->n_ctx = o->ctx;
    r->cpu = o->cpu ? pair_cpus[o->cpu] : NULL;
    r->cache_type = pair_caches[o->cache];
    r->top = o->opening.top;
    r->question = t->question;
    r->chat = t->form.chat;
    r->variables = t->form.variables;
    r->now = t->form.now;
    r->show = o->form.verbose ? show_prompt : NULL;
    r->system = o->system;
    return EXIT_OK;
}

void trial_close(struct trial *t)
{
    for (int w = 0; w < EAD_WRITERS; w++) {
        ead_model_close(t->models[w]);
        free(t->shipped[w]);
    }
    ead_model_close(t->vocab);
    form_close(&t->form);
    dataset_close(t->data);
    free(t->question);
    *t = (struct trial){0};
}

/* ---- running ----------------------------------------------------------------------------- */

/* How far a run is, on standard error: one line that changes on a terminal, else a line now and
 * then. */
struct meter {
    bool terminal;
    double shown; /* seconds of the run */
};

static const char *show_left(double seconds, char out[48])
{
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, 48, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(out, 48, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, 48, "%ld s", s);
    return out;
}

static void show(const struct meter *m, const struct runner_progress *p)
{
    char left[48] = "?";
    const double rate = p->seconds > 0 ? (double)p->here / p->seconds : 0;
    if (p->here) show_left((double)(p->total - p->done) / rate, left);
    fprintf(stderr, "%s%-20s %zu of %zu answers, %.1f/s, %.0f tokens/s, %s left%s",
            m->terminal ? "\r" : "", p->setting, p->done, p->total, rate,
            p->seconds > 0 ? (double)p->tokens / p->seconds : 0, left,
            m->terminal ? "\033[K" : "\n");
}

static bool on_progress(void *context, const struct runner_progress *p)
{
    struct meter *m = context;
    const double every = m->terminal ? 0.2 : 10;
    if (p->seconds - m->shown >= every) {
        m->shown = p->seconds;
        show(m, p);
    }
    return !screen_interrupted;
}

int trial_run(struct trial *t, bool *stopped)
{
    ead_error error;
    struct meter meter = {.terminal = isatty(STDERR_FILENO)};
    t->runner.progress = on_progress;
    t->runner.context = &meter;
    screen_catch_signals();
    ead_status st = runner_run(&t->runner, &error);
    if (meter.terminal && meter.shown > 0) fputs("\r\033[K", stderr);
    *stopped = st == EAD_CANCELLED;
    return st && !*stopped ? fail_error(&error) : EXIT_OK;
}
