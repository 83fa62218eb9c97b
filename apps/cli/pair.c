#include "cli/pair.h"

#include "cli/advice.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/screen.h"
#include "cli/shipped.h"
#include "cli/trace.h"
#include "eval/option.h"
#include "eval/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CTX_DEFAULT_MAX = 8192 };

const char *pair_cpus[PAIR_CPUS_MAX] = {"auto"};
const char *const pair_caches[] = {"f16", "q8_0", NULL};
static const char *const failures[] = {"stop", "small", NULL};

struct pair_options pair_options = {.n = -1, .top_p = 1, .repeat_penalty = 1, .repeat_last = 64};

/* The second is the beginning of the first, for commands that take no recording. */
static const char *policies[STEER_NAMES_MAX], *without_data[STEER_NAMES_MAX];
static struct steer steer;

/* The library's options of policies stand between these two. */
static const struct arg above[] = {
    {.kind = ARG_HEADING, .help = "text"},
    {.kind = ARG_INT,
     .name = "predict",
     .letter = 'n',
     .value = "N",
     .out = &pair_options.n,
     .min = -1,
     .max = 1 << 30,
     .help = "at most N tokens of a text or answer (default: -1, until it ends)"},
    {.kind = ARG_TEXT,
     .name = "system",
     .value = "TEXT",
     .out = &pair_options.system,
     .help = "system message of the conversation"},
    FORM_ARGS(pair_options.form, "chat-template", "the clock"),
    FORM_VERBOSE_ARG(pair_options.form),
    {.kind = ARG_CHOICE,
     .name = "color",
     .value = "WHEN",
     .out = &pair_options.color,
     .choices = screen_colors,
     .help = "%s: colour the text by model"},
    {.kind = ARG_CHOICE,
     .name = "lost",
     .value = "WHAT",
     .out = &pair_options.lost,
     .choices = screen_losts,
     .help = "%s: show what was written and refused before it was text, struck\n"
             "through, or without colour in [-brackets-] (default: auto, in colour)"},
    {.kind = ARG_HEADING, .help = "models"},
    {.kind = ARG_TEXT,
     .name = "large",
     .letter = 'L',
     .value = "FILE",
     .out = &pair_options.large,
     .help = "GGUF file of the large model (default: the shipped pair), " FETCH_HELP},
    {.kind = ARG_TEXT,
     .name = "small",
     .letter = 'S',
     .value = "FILE",
     .out = &pair_options.small,
     .help = "GGUF file of the small model, likewise; one of the two is enough"},
    {.kind = ARG_INT,
     .name = "ctx",
     .letter = 'c',
     .value = "N",
     .out = &pair_options.ctx,
     .min = 1,
     .max = 1 << 24,
     .help = "context in tokens (default: what both were trained on, at most 8192)"},
    PAIR_CACHE_ARG(pair_options.cache, ""),
    {.kind = ARG_INT,
     .name = "threads",
     .letter = 't',
     .value = "N",
     .out = &pair_options.threads,
     .min = 1,
     .max = 256,
     .help = "threads (default: as many as the process may use)"},
    PAIR_CPU_ARG(pair_options.cpu, ""),
    OPENING_ARGS(pair_options.opening),
    OPENING_REMOTE_ARGS(pair_options.opening),
    {.kind = ARG_CHOICE,
     .name = "on-large-failure",
     .value = "WHAT",
     .out = &pair_options.on_failure,
     .choices = failures,
     .help = "%s: where the large model cannot be had any longer, end the text with an\n"
             "error, or let the small one go on alone (default: stop)"},
    {.kind = ARG_HEADING, .help = "who writes"},
    {.kind = ARG_TEXT,
     .name = "profile",
     .value = "FILE",
     .out = &pair_options.profile,
     .help = "the policy and options from 'ead calibrate', unless others are given here\n"
             "(default: that of the shipped pair, where it is used)"},
    {.kind = ARG_CHOICE,
     .name = "policy",
     .value = "NAME",
     .out = &pair_options.choice,
     .choices = policies,
     .given = &pair_options.policy_given,
     .help = "%s (default: the profile's, or ead)"},
};
static const struct arg below[] = {
    {.kind = ARG_TEXT,
     .name = "replay",
     .value = "FILE",
     .out = &pair_options.replay,
     .help = "policy replay: take from this trace who writes, what is judged and what is cut"},
    {.kind = ARG_FLAG,
     .name = "eager-prompt",
     .out = &pair_options.eager_prompt,
     .help = "the large model reads the prompt at once, not at its first turn"},
    {.kind = ARG_HEADING, .help = "choosing tokens"},
    {.kind = ARG_REAL,
     .name = "temp",
     .value = "T",
     .out = &pair_options.temp,
     .low = 0,
     .high = 1000,
     .help = "temperature; 0 takes the most probable token (default: 0)"},
    {.kind = ARG_INT,
     .name = "top-k",
     .value = "N",
     .out = &pair_options.top_k,
     .min = 0,
     .max = 1 << 24,
     .help = "draw among the N most probable (default: 0, all)"},
    {.kind = ARG_REAL,
     .name = "top-p",
     .value = "P",
     .out = &pair_options.top_p,
     .low = 1e-6,
     .high = 1,
     .help = "draw among the most probable that make up P (default: 1)"},
    {.kind = ARG_REAL,
     .name = "min-p",
     .value = "P",
     .out = &pair_options.min_p,
     .low = 0,
     .high = 1,
     .help = "leave out what is less than P times as probable as the best (default: 0)"},
    {.kind = ARG_REAL,
     .name = "repeat-penalty",
     .value = "X",
     .out = &pair_options.repeat_penalty,
     .low = 1e-3,
     .high = 1000,
     .help = "weaken tokens that were written lately (default: 1, off)"},
    {.kind = ARG_INT,
     .name = "repeat-last",
     .value = "N",
     .out = &pair_options.repeat_last,
     .min = 0,
     .max = 2048,
     .help = "how many tokens back that reaches (default: 64)"},
    {.kind = ARG_SEED,
     .name = "seed",
     .value = "N",
     .out = &pair_options.seed,
     .help = "of every random choice (default: 0)"},
};
enum { N_ABOVE = sizeof above / sizeof *above, N_BELOW = sizeof below / sizeof *below };
_Static_assert(N_ABOVE + STEER_ROWS_MAX + N_BELOW <= PAIR_ROWS_MAX, "the table has room");

struct arg pair_args[PAIR_ROWS_MAX];
int n_pair_args;

void pair_prepare(void)
{
    for (int i = 1; i < PAIR_CPUS_MAX - 1; i++) pair_cpus[i] = ead_cpu_name((size_t)i - 1);
    pair_options.policy = ead_duo_defaults().policy;
    steer_names(true, policies);
    steer_names(false, without_data);
    steer_add_all(&steer, &pair_options.policy);
    struct arg *to = pair_args;
    for (int i = 0; i < N_ABOVE; i++) *to++ = above[i];
    for (int i = 0; i < steer.n; i++) *to++ = steer.rows[i];
    for (int i = 0; i < N_BELOW; i++) *to++ = below[i];
    n_pair_args = (int)(to - pair_args);
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0) names++;
    return *names;
}

void pair_rows(const char *const *without, struct arg to[PAIR_ROWS_MAX], int *n)
{
    *n = 0;
    for (int i = 0; i < n_pair_args; i++) {
        struct arg row = pair_args[i];
        if (row.kind != ARG_HEADING && is_among(without, row.name)) continue;
        if (row.choices == policies && is_among(without, "replay")) row.choices = without_data;
        to[(*n)++] = row;
    }
}

/* ---- checks ------------------------------------------------------------------------------ */

static bool uses_shipped(void)
{
    return !pair_options.large && !pair_options.small;
}

static bool shipped_is_there(void)
{
    char *large = shipped_path("large.gguf"), *small = shipped_path("small.gguf");
    const bool both = large && small;
    free(large);
    free(small);
    return both;
}

int pair_check_policy(const struct args *usage)
{
    struct pair_options *o = &pair_options;
    if (o->replay && !o->policy_given)
        o->policy.kind = EAD_POLICY_REPLAY;
    else if (o->policy_given)
        o->policy.kind = (ead_policy_kind)ead_policy_parse(policies[o->choice]);
    const char *name = ead_policy_describe(o->policy.kind)->name;
    const bool replays = o->policy.kind == EAD_POLICY_REPLAY;
    if (replays && !o->replay) return args_fault(usage, "--policy %s needs --replay FILE", name);
    if (o->replay && !replays)
        return args_fault(usage, "--replay goes with --policy %s, found --policy %s",
                          ead_policy_describe(EAD_POLICY_REPLAY)->name, name);
    return 0;
}

int pair_check(const struct args *usage)
{
    const struct pair_options *o = &pair_options;
    const bool shipped = uses_shipped();
    if (shipped && !shipped_is_there())
        return args_fault(usage, "expected --large FILE and --small FILE, or one of them; the "
                                 "shipped pair is not there");
    if (o->profile && !shipped && (!o->large || !o->small))
        return args_fault(usage, "--profile is for two models, found --%s alone",
                          o->large ? "large" : "small");
    if (pair_check_policy(usage)) return EXIT_USAGE;
    const ead_policy_info *rule = ead_policy_describe(o->policy.kind);
    const bool lacks_large = !shipped && !o->large && rule->needs[EAD_LARGE];
    const bool lacks_small = !shipped && !o->small && rule->needs[EAD_SMALL];
    if (lacks_large || lacks_small)
        return args_fault(usage, "--policy %s needs --%s FILE", rule->name,
                          lacks_large ? "large" : "small");
    return 0;
}

ead_policy_options pair_policy(const struct pair *p)
{
    ead_policy_options policy = pair_options.policy;
    policy.seed = pair_options.seed;
    policy.replay = p->replay;
    policy.n_replay = p->n_replay;
    return policy;
}

static ead_duo_options duo_options(const struct pair *p)
{
    const struct pair_options *o = &pair_options;
    ead_duo_options duo = ead_duo_defaults();
    duo.policy = pair_policy(p);
    duo.sampler.temperature = (float)o->temp;
    duo.sampler.top_k = o->top_k;
    duo.sampler.top_p = (float)o->top_p;
    duo.sampler.min_p = (float)o->min_p;
    duo.sampler.repeat_penalty = (float)o->repeat_penalty;
    duo.sampler.repeat_last = o->repeat_last;
    duo.sampler.seed = o->seed;
    duo.cpu = o->cpu ? pair_cpus[o->cpu] : NULL;
    duo.threads = o->threads;
    duo.n_ctx = o->ctx;
    duo.cache_type = pair_caches[o->cache];
    duo.eager_prompt = o->eager_prompt;
    duo.small_alone = o->on_failure > 0;
    duo.ignore_end = o->ignore_end;
    duo.tell_lost = true;
    return duo;
}

/* What both models were trained on, within reason: a cache of 128k positions is nobody's default.
 */
static int default_ctx(const struct pair *p)
{
    int ctx = CTX_DEFAULT_MAX;
    const ead_model *const models[] = {p->large, p->small};
    for (int i = 0; i < 2; i++) {
        if (!models[i]) continue;
        const int trained = ead_model_describe(models[i]).n_ctx_train;
        if (trained) ctx = trained < ctx ? trained : ctx;
    }
    return ctx;
}

/* ---- the profile ------------------------------------------------------------------------- */

/* Does the command line give an option that a policy does not look at? */
static bool says_other(ead_policy_kind kind)
{
    const ead_policy_option *option;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++)
        if (steer_given(&steer, option->name) && !option_concerns(option, kind)) return true;
    return false;
}

/* What the command line says stands: a policy's name, or options that are none of the profile's
 * policy. The rest is the profile's, which stays for its table. */
static void adopt(const struct profile *profile)
{
    ead_policy_options *to = &pair_options.policy;
    const ead_policy_options rule = profile_rule(profile);
    const bool chosen = pair_options.policy_given || pair_options.replay;
    const ead_policy_option *option;
    if (chosen ? to->kind != rule.kind : says_other(rule.kind)) return;
    to->kind = rule.kind;
    to->table = rule.table;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++)
        if (option_concerns(option, rule.kind) && !steer_given(&steer, option->name))
            option_put(option, to, ead_policy_value(&rule, option));
}

static void warn_of_others(const struct pair *p, const char *path, const struct profile *profile)
{
    const ead_model *const models[] = {[EAD_SMALL] = p->small, [EAD_LARGE] = p->large};
    const char *const files[] = {[EAD_SMALL] = p->small_path, [EAD_LARGE] = p->large_path};
    for (int w = 0; w < EAD_WRITERS; w++)
        if (!profile_fits(&profile->models[w], models[w]))
            fprintf(stderr,
                    "ead: %s: was calibrated with %s of %llu parameters, found %s of %llu\n", path,
                    profile->models[w].name, (unsigned long long)profile->models[w].parameters,
                    files[w], (unsigned long long)ead_model_describe(models[w]).n_params);
}

/* That of --profile or, for the shipped pair, the one beside it if there is one. */
static int use_profile(const struct pair *p, bool shipped)
{
    ead_error error;
    static struct profile profile; /* its table is borrowed from here on */
    char *beside = pair_options.profile || !shipped ? NULL : shipped_path("profile.json");
    const char *path = pair_options.profile ? pair_options.profile : beside;
    int status = EXIT_OK;
    if (path && profile_read(path, &profile, &error)) {
        status = fail_error(&error);
    } else if (path) {
        warn_of_others(p, path, &profile);
        adopt(&profile);
    }
    free(beside);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* The paths as given, or those of the shipped pair. */
static int find_models(struct pair *p)
{
    *p = (struct pair){.large_path = pair_options.large, .small_path = pair_options.small};
    if (!uses_shipped()) return EXIT_OK;
    p->large_path = p->shipped[EAD_LARGE] = shipped_path("large.gguf");
    p->small_path = p->shipped[EAD_SMALL] = shipped_path("small.gguf");
    return p->large_path && p->small_path ? EXIT_OK : fail("the shipped pair is not there");
}

int pair_load(struct pair *p, ead_duo_options *options)
{
    if (fetch_in_place(&pair_options.large) || fetch_in_place(&pair_options.small) ||
        fetch_in_place(&pair_options.opening.vocab) || find_models(p))
        return EXIT_FAIL;
    if (pair_options.replay && trace_read(pair_options.replay, &p->replay, &p->n_replay))
        return EXIT_FAIL;
    const char *const paths[] = {[EAD_SMALL] = p->small_path, [EAD_LARGE] = p->large_path};
    ead_model *models[EAD_WRITERS] = {NULL};
    const int status = opening_pair(&pair_options.opening, paths, models, &p->vocab);
    p->large = models[EAD_LARGE];
    p->small = models[EAD_SMALL];
    if (status) return status;
    advice_give((const ead_model *const *)models, paths, pair_options.ctx);
    if (use_profile(p, uses_shipped())) return EXIT_FAIL;
    *options = duo_options(p);
    if (!options->n_ctx) options->n_ctx = default_ctx(p);
    return EXIT_OK;
}

int pair_open(struct pair *p)
{
    ead_error error;
    ead_duo_options options;
    if (pair_load(p, &options)) return EXIT_FAIL;
    if (ead_duo_open(p->large, p->small, &options, &p->duo, &error)) return fail_error(&error);
    return EXIT_OK;
}

void pair_close(struct pair *p)
{
    ead_duo_close(p->duo);
    ead_model_close(p->small);
    ead_model_close(p->large);
    ead_model_close(p->vocab);
    for (int w = 0; w < EAD_WRITERS; w++) free(p->shipped[w]);
    free(p->replay);
    *p = (struct pair){0};
}

bool pair_is_here(const struct pair *p)
{
    return !(p->large && ead_model_is_remote(p->large)) &&
           !(p->small && ead_model_is_remote(p->small));
}

void pair_tell_loss(const struct pair *p)
{
    fflush(stdout);
    fprintf(stderr, "\nead: %s; the small model goes on alone\n", ead_duo_loss(p->duo));
}

const ead_model *pair_speaker(const struct pair *p)
{
    return p->large ? p->large : p->small;
}
