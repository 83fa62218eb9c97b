#include "cli/args.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "hub/wish.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { NAMES_MAX = 16 };

static struct {
    bool list, refresh;
} options;

static const struct arg table[] = {
    {.kind = ARG_FLAG,
     .name = "list",
     .out = &options.list,
     .help = "show what was fetched, with sizes"},
    {.kind = ARG_FLAG,
     .name = "refresh",
     .out = &options.refresh,
     .help = "ask the hub even where all is there, and fetch what has changed"},
};
static const struct args usage = {
    .command = "pull",
    .synopsis = "--list | [--refresh] hf:OWNER/REPO[@REVISION][:QUANT] ...",
    .word = "MODEL",
    .description = "Fetch models in GGUF from Hugging Face, and print where they are. Commands "
                   "that open models\n"
                   "take the same names, and fetch what is not there yet. QUANT is a word of the "
                   "file's name,\n"
                   "or all of it (default: Q4_K_M, else Q8_0, else the only model there).\n"
                   "\n"
                   "Files are kept in $EAD_CACHE, $XDG_CACHE_HOME/ead or ~/.cache/ead; HF_TOKEN "
                   "gives a token\n"
                   "for what is private or gated, HF_ENDPOINT another hub. A pull that broke off "
                   "goes on where\n"
                   "it was; what came is checked by its SHA-256.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

/* ---- --list ------------------------------------------------------------------------------ */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool ends(const char *text, const char *tail)
{
    const size_t n = strlen(text), k = strlen(tail);
    return n > k && !strcasecmp(text + n - k, tail);
}

/* "@REVISION", of the folder's name; nothing for the usual one. */
static void print_revision(const char *name, size_t n)
{
    if (n == 4 && !strncmp(name, "main", n)) return;
    putchar('@');
    for (size_t i = 0; i < n; i++) {
        const bool slash = !strncmp(name + i, "%2F", 3);
        putchar(slash ? '/' : name[i]);
        if (slash) i += 2;
    }
}

/* `path` is OWNER/REPO/REVISION/FILE; print how one names it. */
static void print_file(const char *path, double bytes)
{
    const char *owner = strchr(path, '/'), *repo = owner ? strchr(owner + 1, '/') : NULL;
    const char *file = repo ? strchr(repo + 1, '/') : NULL;
    const bool part = ends(path, ".gguf.part");
    if (!file || !(part || ends(path, ".gguf"))) return;
    const size_t n = strlen(++file) - (part ? sizeof ".part" - 1 : 0);
    printf("%10.1f MB  hf:%.*s", 1e-6 * bytes, (int)(repo - path), path);
    print_revision(repo + 1, (size_t)(file - repo) - 2);
    printf(":%.*s%s\n", (int)n, file, part ? " (not whole)" : "");
}

static int list(void)
{
    char *cache = fetch_cache(), *root = NULL;
    if (!cache) return EXIT_FAIL;
    if (asprintf(&root, "%s/hf", cache) < 0) root = NULL;
    free(cache);
    FTS *walk = root ? fts_open((char *[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
    if (!walk) {
        free(root);
        return fail("no memory for the list of models");
    }
    const size_t n = strlen(root) + 1;
    int status = EXIT_OK;
    for (FTSENT *entry; !status && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_F)
            print_file(entry->fts_path + n, (double)entry->fts_statp->st_size);
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            status = fail("%s: %s", entry->fts_path, strerror(entry->fts_errno));
    }
    fts_close(walk);
    free(root);
    return status;
}

/* ---- pulling ----------------------------------------------------------------------------- */

static int pull_one(const char *name)
{
    struct pulled pulled;
    if (fetch_model(name, options.refresh, &pulled)) return EXIT_FAIL;
    for (size_t i = 0; i < pulled.n; i++) puts(pulled.paths[i]);
    pulled_deinit(&pulled);
    return EXIT_OK;
}

static int command(int argc, char **argv)
{
    const char *names[NAMES_MAX];
    struct wish wish;
    struct err err;
    int n = 0, status = EXIT_OK;
    const int parsed = args_parse(&usage, argc, argv, names, NAMES_MAX, &n);
    if (parsed != ARGS_GO) return parsed;
    if (options.list == (n > 0)) return args_fault(&usage, "expected models to fetch, or --list");
    for (int i = 0; i < n; i++)
        if (wish_parse(names[i], &wish, &err)) return args_fault(&usage, "%s", err.message);
    if (options.list) return list();
    for (int i = 0; !status && i < n; i++) status = pull_one(names[i]);
    return status;
}

const struct command command_pull = {"fetch models from Hugging Face", &usage, command};
