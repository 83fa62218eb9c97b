#include "cli/shipped.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FOLDER/BETWEEN/NAME if there is such a file; to be freed. */
static char *look(const char *folder, const char *between, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s%s", folder, between, name) < 0) return NULL;
    if (!access(path, R_OK)) return path;
    free(path);
    return NULL;
}

char *shipped_path(const char *name)
{
    const char *models = getenv("EAD_MODELS");
    char program[PATH_MAX];
    if (models && *models) return look(models, "", name);
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return NULL;
    program[n] = 0;
    *strrchr(program, '/') = 0; /* the kernel gives a whole path */
    char *path = look(program, "../models/", name);
    return path ? path : look(program, "../share/ead/models/", name);
}
