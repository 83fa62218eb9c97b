#include "cli/calibration.h"

#include "cli/cli.h"
#include "eval/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_dir(struct calibration *c, const char *name)
{
    if (c->n_dirs == c->room) {
        const size_t room = c->room ? 2 * c->room : 64;
        char **more = realloc(c->dirs, room * sizeof *more);
        if (!more) return fail("no memory for the names of runs");
        c->dirs = more;
        c->room = room;
    }
    char *dir = file_join(c->work, name);
    if (!dir) return fail("no memory for the name of a directory");
    c->dirs[c->n_dirs++] = dir;
    return EXIT_OK;
}

int calibration_run(struct calibration *c, const char *name, const struct settings_wish *wish)
{
    ead_error error;
    bool stopped;
    if (add_dir(c, name)) return EXIT_FAIL;
    if (settings_open(wish, &c->trial->runner.settings, &error)) return fail_error(&error);
    c->trial->runner.dir = c->dirs[c->n_dirs - 1];
    const int status = trial_run(c->trial, &stopped);
    settings_close(c->trial->runner.settings);
    if (!status && stopped) return fail("stopped%s", c->kept ? "; the same command goes on" : "");
    return status;
}

int calibration_run_alone(struct calibration *c)
{
    return calibration_run(
        c, "alone",
        &(struct settings_wish){.policies = "small,large", .base = trial_options.policy});
}

/* Remove a directory and the files in it. */
static void discard(const char *dir)
{
    DIR *open = opendir(dir);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (entry->d_type != DT_DIR) unlinkat(dirfd(open), entry->d_name, 0);
    if (open) closedir(open);
    rmdir(dir);
}

int calibration_discard(const struct calibration *c, const char *name)
{
    char *dir = file_join(c->work, name);
    if (!dir) return fail("no memory for the name of a directory");
    discard(dir);
    free(dir);
    return EXIT_OK;
}

int calibration_join(const char *const *dirs, size_t n_dirs, struct summary **out)
{
    ead_error error;
    const struct summary_options how = {.cost = trial_options.cost};
    return summary_join(dirs, n_dirs, &how, out, &error) ? fail_error(&error) : EXIT_OK;
}

void calibration_describe(const struct calibration *c, struct profile *profile)
{
    const struct runner_options *run = &c->trial->runner;
    for (int w = 0; w < EAD_WRITERS; w++)
        profile->models[w] = profile_model(run->models[w].model, run->models[w].path);
    profile->data = run->data->name;
}

void calibration_close(struct calibration *c)
{
    for (size_t i = 0; i < c->n_dirs; i++) {
        if (!c->kept) discard(c->dirs[i]);
        free(c->dirs[i]);
    }
    free(c->dirs);
    if (!c->kept) discard(c->work);
}
