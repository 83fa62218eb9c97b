#include "eval/listing.h"

#include "eval/fault.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add(struct listing *all, char *path)
{
    if (all->n == all->room) {
        const size_t room = all->room ? 2 * all->room : 64;
        char **more = realloc(all->paths, room * sizeof *more);
        if (!more) return false;
        all->paths = more;
        all->room = room;
    }
    all->paths[all->n++] = path;
    return true;
}

static bool ends_in(const char *name, const char *suffix)
{
    const size_t n = strlen(name), end = strlen(suffix);
    return n > end && !strcmp(name + n - end, suffix);
}

static ead_status walk(const char *directory, const char *suffix, int depth, struct listing *all,
                       ead_error *error);

static ead_status visit(const char *directory, const char *name, const char *suffix, int depth,
                        struct listing *all, ead_error *error)
{
    struct stat about = {0};
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return fault_memory(error, "the names of %s", directory);
    if (!lstat(path, &about) && S_ISREG(about.st_mode) && ends_in(name, suffix)) {
        if (add(all, path)) return EAD_OK;
        free(path);
        return fault_memory(error, "the names of %s", directory);
    }
    ead_status status = EAD_OK;
    if (S_ISDIR(about.st_mode)) status = walk(path, suffix, depth + 1, all, error);
    free(path);
    return status;
}

static ead_status walk(const char *directory, const char *suffix, int depth, struct listing *all,
                       ead_error *error)
{
    if (depth > LISTING_DEPTH_MAX)
        return fault(error, EAD_SUPPORT, "%s: expected at most %d directories within each other",
                     directory, LISTING_DEPTH_MAX);
    DIR *dir = opendir(directory);
    if (!dir) return fault(error, EAD_IO, "%s: cannot open: %s", directory, strerror(errno));
    ead_status status = EAD_OK;
    for (struct dirent *entry; !status && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            status = visit(directory, entry->d_name, suffix, depth, all, error);
    closedir(dir);
    return status;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

ead_status listing_open(const char *directory, const char *suffix, struct listing *out,
                        ead_error *error)
{
    *out = (struct listing){0};
    ead_status status = walk(directory, suffix, 0, out, error);
    if (status) {
        listing_close(out);
        return status;
    }
    if (out->n) qsort(out->paths, out->n, sizeof *out->paths, by_path);
    return EAD_OK;
}

void listing_close(struct listing *listing)
{
    for (size_t i = 0; i < listing->n; i++) free(listing->paths[i]);
    free(listing->paths);
}
