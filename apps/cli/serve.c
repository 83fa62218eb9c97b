#include "cli/serve.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/pair.h"
#include "cli/source.h"
#include "server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS_MAX = 256, TEXTS_MAX = 256, SCORES = 32, CACHE_MAX = 1 << 30 };

static struct {
    const char *host, *key_file, *cert, *key, *cors;
    struct arg_list names;
    int port, slots, kept, queue, budget, cache, connections, idle, move;
    double temp;
} options = {.host = "127.0.0.1",
             .port = 8080,
             .slots = 8,
             .kept = 16,
             .queue = 64,
             .connections = 512,
             .idle = 120,
             .move = 60,
             .temp = 1};

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "host",
     .value = "NAME",
     .out = &options.host,
     .help = "address to listen on (default: 127.0.0.1, this machine alone)"},
    {.kind = ARG_INT,
     .name = "port",
     .value = "N",
     .out = &options.port,
     .min = 0,
     .max = 65535,
     .help = "port to listen on; 0: any that is free (default: 8080)"},
    {.kind = ARG_TEXT,
     .name = "api-key-file",
     .value = "FILE",
     .out = &options.key_file,
     .help = "requests need one of the keys in this file, one a line"},
    {.kind = ARG_TEXT,
     .name = "tls-cert",
     .value = "FILE",
     .out = &options.cert,
     .help = "speak https, with this certificate (PEM)"},
    {.kind = ARG_TEXT,
     .name = "tls-key",
     .value = "FILE",
     .out = &options.key,
     .help = "and its key (PEM)"},
    {.kind = ARG_TEXT,
     .name = "cors",
     .value = "ORIGIN",
     .out = &options.cors,
     .help = "let pages of this origin (https://host:port; localhost: of this machine, at any\n"
             "port; *: all) use the server"},
    {.kind = ARG_LIST,
     .name = "allow-host",
     .value = "NAME",
     .out = &options.names,
     .help = "a name that clients may call the server by, beside localhost and addresses;\n"
             "may be repeated"},
    {.kind = ARG_HEADING, .help = "work"},
    {.kind = ARG_INT,
     .name = "slots",
     .value = "N",
     .out = &options.slots,
     .min = 1,
     .max = TEXTS_MAX / 2,
     .help = "texts that are written at once (default: 8)"},
    {.kind = ARG_INT,
     .name = "queue",
     .value = "N",
     .out = &options.queue,
     .min = 0,
     .max = 100000,
     .help = "requests that may wait for a slot; further ones get 503 (default: 64)"},
    {.kind = ARG_INT,
     .name = "keep",
     .value = "N",
     .out = &options.kept,
     .min = 2,
     .max = TEXTS_MAX / 2,
     .help = "finished texts that are kept, so that what begins like one need not read\n"
             "that again (default: 16)"},
    {.kind = ARG_INT,
     .name = "cache-tokens",
     .value = "N",
     .out = &options.cache,
     .min = 1,
     .max = CACHE_MAX,
     .help = "tokens that the KV cache of each model holds, all texts together\n"
             "(default: slots times context)"},
    {.kind = ARG_INT,
     .name = "prompt-budget",
     .value = "N",
     .out = &options.budget,
     .min = 0,
     .max = 256,
     .help = "rows of prompts in a pass while other texts are written (default: 0, as many\n"
             "as make it three times as long as one without)"},
    {.kind = ARG_INT,
     .name = "connections",
     .value = "N",
     .out = &options.connections,
     .min = 1,
     .max = 100000,
     .help = "open connections at most (default: 512)"},
    {.kind = ARG_INT,
     .name = "idle-timeout",
     .value = "SECONDS",
     .out = &options.idle,
     .min = 1,
     .max = 86400,
     .help = "close a connection after so long without a byte (default: 120)"},
    {.kind = ARG_INT,
     .name = "transfer-timeout",
     .value = "SECONDS",
     .out = &options.move,
     .min = 1,
     .max = 86400,
     .help = "close one whose request has not arrived whole after so long, or whose answer is\n"
             "not taken then; large answers have longer (default: 60)"},
    {.kind = ARG_REAL,
     .name = "temp",
     .value = "T",
     .out = &options.temp,
     .low = 0,
     .high = 100,
     .help = "temperature of requests that give none (default: 1, as OpenAI's API has it)"},
};

static struct arg more[PAIR_ROWS_MAX];
static int n_more;

static const struct args usage = {
    .command = "serve",
    .synopsis = "[--large L.gguf --small S.gguf] [OPTION ...]",
    .description = "Serve two models of one vocabulary to any client of OpenAI's API, many texts "
                   "at once, and\n"
                   "a page to chat with at /. The model \"ead\" is the pair, \"large\" and "
                   "\"small\" are each\n"
                   "alone. SIGTERM or Ctrl-C lets running answers end; a second one does not wait.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
    .more = more,
    .n_more = &n_more,
};

void serve_prepare(void)
{
    static const char *const without[] = {"predict", "system", "verbose-prompt", "color", "lost",
                                          "replay",  "temp",   "seed",           NULL};
    pair_rows(without, more, &n_more);
}

static int check_options(void)
{
    if (!options.cert != !options.key)
        return args_fault(&usage, "--tls-cert and --tls-key go together");
    const long long cache = options.cache ? 0 : (long long)options.slots * pair_options.ctx;
    if (cache > CACHE_MAX)
        return args_fault(&usage, "--slots times --ctx: expected at most %d tokens, found %lld",
                          CACHE_MAX, cache);
    return pair_check(&usage);
}

/* ---- files ------------------------------------------------------------------------------- */

struct files {
    char *keys, *cert, *tls_key; /* their texts */
    const char *key[KEYS_MAX];
    size_t n_keys;
};

static int read_file(const char *path, char **text)
{
    size_t n;
    return path ? source_read(path, text, &n) : EXIT_OK;
}

/* One key a line; empty lines and those that begin with # are none. */
static int split_keys(struct files *f)
{
    char *rest = f->keys;
    for (char *line; rest && (line = strsep(&rest, "\r\n"));) {
        if (!*line || *line == '#') continue;
        if (f->n_keys == KEYS_MAX)
            return fail("%s: expected at most %d keys", options.key_file, KEYS_MAX);
        f->key[f->n_keys++] = line;
    }
    if (options.key_file && !f->n_keys)
        return fail("%s: expected a key, found none", options.key_file);
    return EXIT_OK;
}

static int files_read(struct files *f)
{
    if (read_file(options.key_file, &f->keys) || read_file(options.cert, &f->cert) ||
        read_file(options.key, &f->tls_key))
        return EXIT_FAIL;
    return split_keys(f);
}

static void files_free(struct files *f)
{
    free(f->keys);
    free(f->cert);
    free(f->tls_key);
}

/* ---- signals ----------------------------------------------------------------------------- */

/* They are waited for by the main thread alone; all others are started with them blocked. */
static sigset_t block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return set;
}

/* Serve until a signal comes, then until all is answered or another one does. */
static void serve(struct server *server, const sigset_t *signals)
{
    const struct timespec while_draining = {.tv_nsec = 50 * 1000 * 1000};
    int signal;
    sigwait(signals, &signal);
    server_drain(server);
    fprintf(stderr, "ead: ending; again to end at once\n");
    while (!server_is_idle(server))
        if (sigtimedwait(signals, NULL, &while_draining) > 0) break;
}

/* ---- serving ----------------------------------------------------------------------------- */

/* A file's name or, of a model behind an API, its own there: where that is is nobody's business. */
static const char *base_name(const char *path)
{
    if (path && ead_remote_is(path)) return strchr(path, '#') ? strchr(path, '#') + 1 : "remote";
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

static void tell_ready(const struct server *server, const struct pair *p,
                       const ead_duo_options *duo)
{
    const bool six = strchr(options.host, ':') != NULL;
    fprintf(stderr, "ead: %s%s%s, %d texts of %d tokens at once\n", base_name(p->large_path),
            p->large && p->small ? " and " : "", base_name(p->small_path), options.slots,
            duo->n_ctx);
    fprintf(stderr, "ead: http%s://%s%s%s:%d/\n", options.cert ? "s" : "", six ? "[" : "",
            options.host, six ? "]" : "", server_port(server));
}

static int open_form(const struct pair *p, struct form *form)
{
    if (!form_given(&pair_options.form) && !ead_template_present(pair_speaker(p))) {
        fprintf(stderr, "ead: the model has no chat template; requests for chat are refused\n");
        return EXIT_OK;
    }
    return form_open(&pair_options.form, pair_speaker(p), FORM_WAYS("chat-template"), form);
}

/* While models are loaded nothing is to be ended with care: a signal does what it does to any
 * program. The threads that serve were started before, and are left alone. */
static int load(struct pair *p, struct form *form, ead_duo_options *duo, const sigset_t *signals)
{
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    const int status = pair_load(p, duo) || open_form(p, form) ? EXIT_FAIL : EXIT_OK;
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    return status;
}

/* With the HTTP side open: load what it is to serve, and do. */
static int load_and_serve(struct server *server, const sigset_t *signals, struct pair *p,
                          struct form *form)
{
    ead_duo_options duo;
    struct err err;
    if (load(p, form, &duo, signals)) return EXIT_FAIL;
    duo.sampler.temperature = (float)options.temp;
    duo.prompt_budget = options.budget;
    duo.max_scores = pair_is_here(p) ? SCORES : 0;
    duo.cache_tokens = options.cache ? options.cache : options.slots * duo.n_ctx;
    if (duo.cache_tokens < duo.n_ctx)
        return fail("--cache-tokens: expected at least the context of %d tokens, found %d",
                    duo.n_ctx, duo.cache_tokens);
    const struct server_models models = {
        .models = {[EAD_SMALL] = p->small, [EAD_LARGE] = p->large},
        .names = {[EAD_SMALL] = base_name(p->small_path), [EAD_LARGE] = base_name(p->large_path)},
        .chat = form->chat,
        .variables = form->variables,
        .now = form->now,
        .duo = duo,
        .slots = options.slots,
        .kept = options.kept,
        .queue = options.queue};
    if (server_serve(server, &models, &err)) return fail("%s", err.message);
    tell_ready(server, p, &duo);
    serve(server, signals);
    return EXIT_OK;
}

static int with_files(const struct files *f, const sigset_t *signals)
{
    struct server *server;
    struct err err;
    const char *names[ARG_LIST_MAX + 1];
    struct pair pair = {0};
    struct form form = {0};
    int n = 0;
    names[n++] = options.host;
    for (int i = 0; i < options.names.n; i++) names[n++] = options.names.text[i];
    const struct server_options server_options = {.host = options.host,
                                                  .port = options.port,
                                                  .guard = {.names = names,
                                                            .n_names = (size_t)n,
                                                            .cors = options.cors,
                                                            .keys = f->key,
                                                            .n_keys = f->n_keys},
                                                  .tls_cert = f->cert,
                                                  .tls_key = f->tls_key,
                                                  .connections = options.connections,
                                                  .idle_seconds = options.idle,
                                                  .move_seconds = options.move};
    if (server_open(&server_options, &server, &err)) return fail("%s", err.message);
    const int status = load_and_serve(server, signals, &pair, &form);
    server_close(server);
    form_close(&form);
    pair_close(&pair);
    return status;
}

static int run(int argc, char **argv)
{
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (form_lists(&pair_options.form)) return EXIT_OK;
    parsed = check_options();
    if (parsed) return parsed;
    struct files files = {0};
    int status = files_read(&files);
    const sigset_t signals = block_signals();
    if (!status) status = with_files(&files, &signals);
    files_free(&files);
    return status;
}

const struct command command_serve = {
    .summary = "answer any client of OpenAI's API, many at once", .args = &usage, .run = run};
