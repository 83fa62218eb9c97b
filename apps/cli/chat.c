#include "cli/chat.h"

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/pair.h"
#include "cli/screen.h"
#include "cli/talk.h"
#include "cli/voice_pair.h"
#include "cli/voice_url.h"

#include <editline/readline.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options ----------------------------------------------------------------------------- */

static struct {
    const char *url, *model, *key_variable;
    int patience;
    bool model_given, patience_given;
} options = {.model = "ead", .patience = 300};

static const char key_default[] = "EAD_API_KEY";

static const struct arg table[] = {
    {.kind = ARG_HEADING, .help = "a server in place of models"},
    {.kind = ARG_TEXT,
     .name = "url",
     .value = "URL",
     .out = &options.url,
     .help = "talk with a running 'ead serve', http://host:port, or with any server of OpenAI's\n"
             "API, then without colours and entropy"},
    {.kind = ARG_TEXT,
     .name = "model",
     .value = "NAME",
     .out = &options.model,
     .given = &options.model_given,
     .help = "which of its models (default: ead, the pair)"},
    {.kind = ARG_TEXT,
     .name = "api-key-env",
     .value = "NAME",
     .out = &options.key_variable,
     .help = "the variable of the environment that holds its key\n"
             "(default: EAD_API_KEY, where it is set)"},
    {.kind = ARG_INT,
     .name = "patience",
     .value = "SECONDS",
     .out = &options.patience,
     .given = &options.patience_given,
     .min = 1,
     .max = 86400,
     .help = "give up when nothing of an answer has come for so long (default: 300)"},
};

static struct arg shared[PAIR_ROWS_MAX];
static int n_shared;
static bool given[PAIR_ROWS_MAX];

static const struct args usage = {
    .command = "chat",
    .synopsis = "[--large L.gguf --small S.gguf | --url URL] [OPTION ...]",
    .description =
        "Talk with a pair of models, here or on a server. Lines that begin with / steer it;\n"
        "/help lists them. Ctrl-C stops an answer; at the prompt it leaves, as Ctrl-D does.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
    .more = shared,
    .n_more = &n_shared,
};

void chat_prepare(void)
{
    static const char *const without[] = {NULL};
    pair_rows(without, shared, &n_shared);
    for (int i = 0; i < n_shared; i++)
        if (!shared[i].given) shared[i].given = &given[i];
}

static bool was_given(const char *name)
{
    for (int i = 0; i < n_shared; i++)
        if (shared[i].kind != ARG_HEADING && !strcmp(shared[i].name, name)) return *shared[i].given;
    return false;
}

/* What a server is not asked for, because it is the server's own affair. */
static const char *const local[] = {"chat-template",
                                    "now",
                                    "verbose-prompt",
                                    "large",
                                    "small",
                                    "ctx",
                                    "cache-type",
                                    "threads",
                                    "cpu",
                                    "pack-cache",
                                    "profile",
                                    "replay",
                                    "eager-prompt",
                                    "vocab",
                                    "large-key-env",
                                    "small-key-env",
                                    "connect-timeout",
                                    "first-token-timeout",
                                    "token-timeout",
                                    "retries",
                                    "retry-delay",
                                    "top-logprobs",
                                    "connections",
                                    "large-params",
                                    "small-params",
                                    "on-large-failure",
                                    NULL};

static int check_url(void)
{
    for (const char *const *name = local; *name; name++)
        if (was_given(*name))
            return args_fault(&usage, "--url and --%s: that is for models opened here", *name);
    if (pair_options.seed > INT64_MAX)
        return args_fault(&usage, "--seed: expected at most %lld with --url, found %llu",
                          (long long)INT64_MAX, pair_options.seed);
    return pair_check_policy(&usage);
}

static int check_options(void)
{
    if (options.url) return check_url();
    const char *lonely = options.model_given      ? "model"
                         : options.key_variable   ? "api-key-env"
                         : options.patience_given ? "patience"
                                                  : NULL;
    if (lonely) return args_fault(&usage, "--%s goes with --url", lonely);
    return pair_check(&usage);
}

/* ---- slash commands ---------------------------------------------------------------------- */

/* Beside these, every option of policies is a command. */
struct slash {
    const char *name, *value;
    const char *help; /* NULL: the names of policies */
    /* false after saying what is wrong with the value */
    bool (*run)(struct talk *t, const char *value);
};

static bool steer(struct talk *t, const ead_policy_option *option, const ead_policy_options *before)
{
    if (!t->voice->steer(t->voice, option)) return true;
    pair_options.policy = *before;
    return false;
}

static bool set_option(struct talk *t, const ead_policy_option *option, const char *value)
{
    const ead_policy_options before = pair_options.policy;
    char fault[ARGS_FAULT_MAX];
    if (steer_set(option, &pair_options.policy, value, fault)) {
        if (!pair_options.policy_given) steer_follow(option, &pair_options.policy);
        return steer(t, option, &before);
    }
    fail("/%s: %s", option->name, fault);
    return false;
}

/* What /policy can choose; a recording is for a whole text. */
static const char *list_policies(char list[256])
{
    const char *names[STEER_NAMES_MAX];
    steer_names(false, names);
    args_list(names, " or ", list, 256);
    return list;
}

static bool slash_policy(struct talk *t, const char *value)
{
    const ead_policy_options before = pair_options.policy;
    const char *names[STEER_NAMES_MAX];
    char list[256];
    steer_names(false, names);
    for (int i = 0; names[i]; i++)
        if (!strcmp(value, names[i])) {
            if (!t->voice->has_both(t->voice)) {
                fail("/policy: with one model there is nothing to choose");
                return false;
            }
            pair_options.policy.kind = (ead_policy_kind)ead_policy_parse(value);
            pair_options.policy_given = true;
            return steer(t, NULL, &before);
        }
    fail("/policy: expected %s, found \"%s\"", list_policies(list), value);
    return false;
}

static bool slash_show(struct talk *t, const char *value)
{
    (void)value;
    const ead_policy_options *policy = &pair_options.policy;
    const ead_policy_option *option;
    fprintf(stderr, "policy %s", ead_policy_describe(policy->kind)->name);
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        char text[32];
        steer_show(policy, option, text);
        fprintf(stderr, ", %s %s", option->name, text);
    }
    t->voice->show_context(t->voice);
    return true;
}

static bool slash_stats(struct talk *t, const char *value)
{
    (void)value;
    t->voice->show_account(t->voice);
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
    {"policy", "NAME", NULL, slash_policy},
    {"show", NULL, "the settings, and how full the context is", slash_show},
    {"stats", NULL, "what the conversation cost so far", slash_stats},
    {"system", "TEXT", "start anew with this system message", slash_system},
    {"reset", NULL, "start anew", slash_reset},
    {"help", NULL, "this list", slash_help},
    {"quit", NULL, "leave", NULL},
};
enum { N_SLASHES = sizeof slashes / sizeof *slashes };

static void help_line(const char *name, const char *value, const char *help)
{
    char left[64];
    snprintf(left, sizeof left, "  /%s %s", name, value ? value : "");
    args_line(stderr, left, help);
}

static bool slash_help(struct talk *t, const char *value)
{
    (void)t, (void)value;
    char list[256];
    const ead_policy_option *option;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++)
        help_line(option->name, option->value ? option->value : STEER_FLAG_VALUE, option->help);
    for (int i = 0; i < N_SLASHES; i++)
        help_line(slashes[i].name, slashes[i].value,
                  slashes[i].help ? slashes[i].help : list_policies(list));
    return true;
}

/* The value of a command that takes one; NULL after saying that it is missing. */
static const char *wanted(const char *command, const char *name, const char *value)
{
    if (*value) return value;
    fail("/%s: the value %s is missing", command, name);
    return NULL;
}

/* The command that begins with /NAME, n bytes; false: the user wants to leave. */
static bool run_command(struct talk *t, const char *name, size_t n, const char *value)
{
    const ead_policy_option *option;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        if (strlen(option->name) != n || memcmp(option->name, name, n) != 0) continue;
        const char *what = option->value ? option->value : STEER_FLAG_VALUE;
        if (wanted(option->name, what, value)) set_option(t, option, value);
        return true;
    }
    for (int i = 0; i < N_SLASHES; i++) {
        const struct slash *s = &slashes[i];
        if (strlen(s->name) != n || memcmp(s->name, name, n) != 0) continue;
        if (!s->run) return false;
        if (!s->value || wanted(s->name, s->value, value)) s->run(t, value);
        return true;
    }
    fail("/%.*s: no such command; /help lists them", (int)n, name);
    return true;
}

/* Returns false when the user wants to leave. */
static bool run_slash(struct talk *t, const char *line)
{
    const size_t n = strcspn(line + 1, " \t");
    const char *value = line + 1 + n;
    return run_command(t, line + 1, n, value + strspn(value, " \t"));
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

static int converse(struct talk *t, bool color)
{
    char history[4096];
    const bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    const bool kept = terminal && history_path(history, sizeof history);
    int status = EXIT_OK;
    if (terminal) {
        using_history();
        if (kept) read_history(history);
        if (t->voice->has_both(t->voice))
            fprintf(stderr, "%ssmall%s and %slarge%s write; ", color ? screen_paint(EAD_SMALL) : "",
                    color ? SCREEN_PLAIN : "", color ? screen_paint(EAD_LARGE) : "",
                    color ? SCREEN_PLAIN : "");
        fputs("/help lists commands\n", stderr);
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

static int with_voice(struct voice *voice, bool color)
{
    struct talk talk = {.voice = voice};
    int status = talk_reset(&talk, pair_options.system);
    if (!status) status = converse(&talk, color);
    talk_deinit(&talk);
    return status;
}

static int talk_to_pair(bool color)
{
    struct voice_pair voice;
    int status = voice_pair_open(&voice, color);
    if (!status) status = with_voice(&voice.voice, color);
    voice_pair_close(&voice);
    return status;
}

static int talk_to_url(bool color)
{
    const char *variable = options.key_variable ? options.key_variable : key_default;
    const char *key = getenv(variable);
    if (key && !*key) key = NULL;
    if (options.key_variable && !key) return fail("--api-key-env: %s is not set", variable);
    const struct voice_url_options how = {.remote = {.url = options.url,
                                                     .key = key,
                                                     .ca_file = pair_options.opening.ca_file,
                                                     .patience = options.patience},
                                          .model = options.model,
                                          .given = was_given,
                                          .color = color,
                                          .patient = isatty(STDIN_FILENO)};
    struct voice_url voice;
    int status = voice_url_open(&voice, &how);
    if (!status) status = with_voice(&voice.voice, color);
    voice_url_close(&voice);
    return status;
}

static int command(int argc, char **argv)
{
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    parsed = check_options();
    if (parsed) return parsed;
    if (form_lists(&pair_options.form)) return EXIT_OK;
    const bool color = screen_wants_color((enum screen_color)pair_options.color, stdout);
    return options.url ? talk_to_url(color) : talk_to_pair(color);
}

const struct command command_chat = {"talk with the pair", &usage, command};
