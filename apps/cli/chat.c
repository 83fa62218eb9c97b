#include "cli/args.h"
#include "cli/cli.h"
#include "cli/pair.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "cli/talk.h"

#include <editline/readline.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct args usage = {
    .command = "chat",
    .synopsis = "--large L.gguf --small S.gguf [OPTION ...]",
    .description =
        "Talk with a pair of models. Lines that begin with / steer it; /help lists them.\n"
        "Ctrl-C stops an answer; at the prompt it leaves, as Ctrl-D does.",
    .more = pair_args,
    .n_more = &n_pair_args,
};

/* ---- slash commands ---------------------------------------------------------------------- */

struct slash {
    const char *name, *value, *help;
    /* false after saying what is wrong with the value */
    bool (*run)(struct talk *t, const char *value);
};

static bool apply_policy(struct talk *t, const struct pair_options *before)
{
    ead_error error;
    ead_policy_options policy = pair_policy(t->pair);
    if (!ead_duo_set_policy(t->pair->duo, &policy, &error)) return true;
    fail_error(&error);
    pair_options = *before;
    return false;
}

static bool slash_tau(struct talk *t, const char *value)
{
    const struct pair_options before = pair_options;
    char *end;
    double tau = strtod(value, &end);
    if (end == value || *end || isnan(tau)) {
        fail("/tau: expected a number of bits, found \"%s\"", value);
        return false;
    }
    pair_options.tau = tau;
    return apply_policy(t, &before);
}

static bool set_number(struct talk *t, const char *name, const char *value, int most, int *out)
{
    const struct pair_options before = pair_options;
    char *end;
    long n = strtol(value, &end, 10);
    if (end == value || *end || n < 1 || n > most) {
        fail("/%s: expected a number from 1 to %d, found \"%s\"", name, most, value);
        return false;
    }
    *out = (int)n;
    return apply_policy(t, &before);
}

static bool slash_window(struct talk *t, const char *value)
{
    return set_number(t, "window", value, 1024, &pair_options.window);
}

static bool slash_dwell(struct talk *t, const char *value)
{
    return set_number(t, "dwell", value, 1 << 20, &pair_options.dwell);
}

static bool slash_policy(struct talk *t, const char *value)
{
    const struct pair_options before = pair_options;
    for (int i = 0; i < EAD_POLICY_REPLAY; i++)
        if (!strcmp(value, pair_policies[i])) {
            if (!t->pair->large || !t->pair->small) {
                fail("/policy: with one model there is nothing to choose");
                return false;
            }
            pair_options.policy = i;
            return apply_policy(t, &before);
        }
    fail("/policy: expected ead, large, small or random, found \"%s\"", value);
    return false;
}

static bool slash_show(struct talk *t, const char *value)
{
    (void)value;
    fprintf(stderr, "policy %s, tau %g, window %d, dwell %d; %zu of %d tokens of context used\n",
            pair_policies[pair_options.policy], pair_options.tau, pair_options.window,
            pair_options.dwell, ead_duo_length(t->pair->duo), ead_duo_context(t->pair->duo));
    return true;
}

static bool slash_stats(struct talk *t, const char *value)
{
    (void)value;
    json_t *report = report_build(t->pair, "");
    if (report) {
        json_object_del(report, "stop");
        report_print(report);
    }
    json_decref(report);
    return true;
}

static bool slash_reset(struct talk *t, const char *value)
{
    (void)value;
    bool system = t->n_messages && !strcmp(t->messages[0].role, "system");
    return !talk_reset(t, system ? t->messages[0].content : NULL);
}

static bool slash_system(struct talk *t, const char *value)
{
    return !talk_reset(t, value);
}

static bool slash_help(struct talk *t, const char *value);

static const struct slash slashes[] = {
    {"tau", "BITS", "entropy above which the large model writes", slash_tau},
    {"policy", "NAME", "ead, large, small or random", slash_policy},
    {"window", "N", "tokens in the rolling mean", slash_window},
    {"dwell", "N", "tokens a model writes at least", slash_dwell},
    {"show", NULL, "the settings, and how full the context is", slash_show},
    {"stats", NULL, "what the conversation cost so far", slash_stats},
    {"system", "TEXT", "start anew with this system message", slash_system},
    {"reset", NULL, "start anew", slash_reset},
    {"help", NULL, "this list", slash_help},
    {"quit", NULL, "leave", NULL},
};
enum { N_SLASHES = sizeof slashes / sizeof *slashes };

static bool slash_help(struct talk *t, const char *value)
{
    (void)t, (void)value;
    for (int i = 0; i < N_SLASHES; i++)
        fprintf(stderr, "  /%-8s%-6s %s\n", slashes[i].name,
                slashes[i].value ? slashes[i].value : "", slashes[i].help);
    return true;
}

/* Returns false when the user wants to leave. */
static bool run_slash(struct talk *t, const char *line)
{
    const size_t n = strcspn(line + 1, " \t");
    const char *value = line + 1 + n;
    value += strspn(value, " \t");
    for (int i = 0; i < N_SLASHES; i++) {
        const struct slash *s = &slashes[i];
        if (strlen(s->name) != n || strncmp(s->name, line + 1, n)) continue;
        if (!s->run) return false;
        if (s->value && !*value)
            fail("/%s: the value %s is missing", s->name, s->value);
        else
            s->run(t, value);
        return true;
    }
    fail("%.*s: no such command; /help lists them", (int)n + 1, line);
    return true;
}

/* ---- lines ------------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/ead/history or ~/.local/state/ead/history; false when neither is set. */
static bool history_path(char *out, size_t max)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = state && *state ? snprintf(out, max, "%s/ead/history", state)
            : home && *home ? snprintf(out, max, "%s/.local/state/ead/history", home)
                            : -1;
    return n > 0 && (size_t)n < max;
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* A history that cannot be kept is no reason to stop talking, nor to say so at every line. */
static void keep_history(char *path)
{
    static bool told;
    make_parents(path);
    stifle_history(1000);
    if (!write_history(path) || told) return;
    told = true;
    fprintf(stderr, "ead: %s: cannot keep the history: %s\n", path, strerror(errno));
}

/* A line without its newline, to be freed; NULL at the end of input. */
static char *read_line(bool terminal)
{
    if (terminal) {
        char *line = readline("> ");
        if (line && *line) add_history(line);
        return line;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = 0;
    return line;
}

/* One line of input; false when the conversation is over. */
static bool handle_line(struct talk *t, const char *line, int *status)
{
    if (!line[strspn(line, " \t")]) return true;
    if (line[0] == '/') return run_slash(t, line);
    bool usable;
    screen_interrupted = 0;
    screen_catch_signals();
    *status = talk_turn(t, line, &usable);
    signal(SIGINT, SIG_DFL); /* at the prompt Ctrl-C leaves */
    if (*status && usable) *status = EXIT_OK;
    return !*status;
}

static int converse(struct talk *t)
{
    char history[4096];
    const bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    const bool kept = terminal && history_path(history, sizeof history);
    int status = EXIT_OK;
    if (terminal) {
        using_history();
        if (kept) read_history(history);
        fprintf(stderr, "%ssmall%s and %slarge%s write; /help lists commands\n",
                t->color ? screen_paint(EAD_SMALL) : "", t->color ? SCREEN_PLAIN : "",
                t->color ? screen_paint(EAD_LARGE) : "", t->color ? SCREEN_PLAIN : "");
    }
    for (char *line; (line = read_line(terminal));) {
        if (kept) keep_history(history); /* now, for Ctrl-C at the prompt ends the program */
        bool more = handle_line(t, line, &status);
        free(line);
        if (!more) return status;
    }
    if (!terminal && ferror(stdin)) return fail("standard input: cannot read: %s", strerror(errno));
    return status;
}

/* Refuse before the first question what would fail at it. */
static int check_template(const struct pair *p)
{
    ead_error error;
    const ead_message probe = {"user", "x"};
    char *text;
    size_t bytes;
    unsigned flags;
    if (ead_chat_render(pair_speaker(p), pair_options.template_name, &probe, 1, &text, &bytes,
                        &flags, &error))
        return fail_error(&error);
    ead_free(text);
    return EXIT_OK;
}

int command_chat(int argc, char **argv)
{
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    parsed = pair_check(&usage);
    if (parsed) return parsed;
    struct pair pair = {0};
    int status = pair_open(&pair);
    if (!status) status = check_template(&pair);
    if (!status) {
        struct talk talk = {.pair = &pair,
                            .template_name = pair_options.template_name,
                            .max_tokens = pair_options.n,
                            .color =
                                screen_wants_color((enum screen_color)pair_options.color, stdout)};
        status = talk_reset(&talk, pair_options.system);
        if (!status) status = converse(&talk);
        talk_deinit(&talk);
    }
    pair_close(&pair);
    return status;
}
