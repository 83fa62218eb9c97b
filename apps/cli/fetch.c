#include "cli/fetch.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/screen.h"
#include "hub/wish.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOW_SECONDS 0.2  /* between two states of the line on a terminal */
#define TELL_SECONDS 30.0 /* between two lines elsewhere */

/* ---- progress ---------------------------------------------------------------------------- */

struct progress {
    bool terminal, shown; /* shown: a line stands on it */
    char name[128];       /* of the file under way */
    int64_t began_with;
    double began, last; /* last: shown */
};

static bool go_on(void *context)
{
    (void)context;
    return !screen_interrupted;
}

static void wipe(struct progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
    p->shown = false;
}

static void note(void *context, const char *sentence)
{
    wipe(context);
    fprintf(stderr, "ead: %s\n", sentence);
}

static void begin_file(struct progress *p, const char *name, int64_t have, double now)
{
    snprintf(p->name, sizeof p->name, "%s", name);
    p->began_with = have;
    p->began = now;
    p->last = p->terminal ? 0 : now;
}

static void progress(void *context, const char *name, int64_t have, int64_t size)
{
    struct progress *p = context;
    const double now = clock_seconds();
    if (strncmp(p->name, name, sizeof p->name - 1) != 0 || have < p->began_with)
        begin_file(p, name, have, now);
    if (now - p->last < (p->terminal ? SHOW_SECONDS : TELL_SECONDS)) return;
    p->last = now;
    const double fresh = (double)(have - p->began_with);
    const double speed = now > p->began ? fresh / (now - p->began) : 0;
    fprintf(stderr, "%s%s: %.1f of %.1f MB", p->terminal ? "\r" : "ead: ", name,
            1e-6 * (double)have, 1e-6 * (double)size);
    if (speed > 0)
        fprintf(stderr, ", %.1f MB/s, %.0f s left", 1e-6 * speed, (double)(size - have) / speed);
    fputs(p->terminal ? "\033[K" : "\n", stderr);
    p->shown = p->terminal;
}

/* ---- the environment --------------------------------------------------------------------- */

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *fetch_cache(void)
{
    const char *own = setting("EAD_CACHE"), *xdg = setting("XDG_CACHE_HOME");
    const char *home = setting("HOME");
    const char *tail = own ? "" : xdg ? "/ead" : "/.cache/ead";
    char *path;
    if (!own && !xdg && !home) {
        fail("no folder to keep models in: expected EAD_CACHE, XDG_CACHE_HOME or HOME to be set");
        return NULL;
    }
    if (asprintf(&path, "%s%s", own ? own : xdg ? xdg : home, tail) >= 0) return path;
    fail("no memory for a path");
    return NULL;
}

/* ---- fetching ---------------------------------------------------------------------------- */

static int run_pull(const struct pull_options *o, const char *name, struct pulled *out)
{
    struct err err = {0};
    const enum status st = pull_model(o, name, out, &err);
    wipe(o->watch->context);
    return st ? fail("%s", err.message) : EXIT_OK;
}

/* Ctrl-C ends the pull and nothing else; a file that may grow no longer is an error, not the end of
 * the program. Both are as before when it is over. */
int fetch_model(const char *name, bool refresh, struct pulled *out)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGXFSZ};
    enum { N = sizeof caught / sizeof *caught };
    struct sigaction before[N];
    struct progress state = {.terminal = isatty(STDERR_FILENO)};
    const struct watch watch = {go_on, progress, note, &state};
    const char *endpoint = setting("HF_ENDPOINT");
    const struct pull_options options = {
        .cache = fetch_cache(),
        .endpoint = endpoint ? endpoint : "https://huggingface.co",
        .token = setting("HF_TOKEN"),
        .ca_file = setting("SSL_CERT_FILE"),
        .refresh = refresh,
        .watch = &watch,
    };
    if (!options.cache) return EXIT_FAIL;
    for (int i = 0; i < N; i++) sigaction(caught[i], NULL, &before[i]);
    screen_catch_signals();
    signal(SIGXFSZ, SIG_IGN);
    const int status = run_pull(&options, name, out);
    for (int i = 0; i < N; i++) sigaction(caught[i], &before[i], NULL);
    free((void *)options.cache);
    return status;
}

int fetch_in_place(const char **path)
{
    enum { KEPT_MAX = 4 }; /* more than any command has models */
    static struct pulled kept[KEPT_MAX];
    static int n;
    if (!*path || !wish_is(*path)) return EXIT_OK;
    if (n == KEPT_MAX) return fail("%s: more models than are fetched for one command", *path);
    if (fetch_model(*path, false, &kept[n])) return EXIT_FAIL;
    *path = kept[n++].paths[0];
    return EXIT_OK;
}
