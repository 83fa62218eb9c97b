#include "eval/file.h"

#include "eval/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void release(struct file_out *out)
{
    free(out->path);
    free(out->temporary);
    *out = (struct file_out){0};
}

/* mkstemp makes a file that only its owner reads; what a program writes is for all whom umask
 * allows. */
static int open_temporary(char *name)
{
    int fd = mkstemp(name);
    const mode_t mask = umask(0);
    umask(mask);
    if (fd >= 0 && fchmod(fd, 0666 & ~mask)) {
        close(fd);
        unlink(name);
        return -1;
    }
    return fd;
}

ead_status file_create(const char *path, struct file_out *out, ead_error *error)
{
    *out = (struct file_out){.path = strdup(path)};
    if (asprintf(&out->temporary, "%s.XXXXXX", path) < 0) out->temporary = NULL;
    if (!out->path || !out->temporary) {
        release(out);
        return fault(error, EAD_MEMORY, "%s: no memory for its name", path);
    }
    int fd = open_temporary(out->temporary);
    if (fd >= 0 && (out->to = fdopen(fd, "w"))) return EAD_OK;
    ead_status st = fault(error, EAD_IO, "%s: cannot create: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(out->temporary);
    }
    release(out);
    return st;
}

ead_status file_commit(struct file_out *out, ead_error *error)
{
    ead_status st = EAD_OK;
    bool bad = ferror(out->to) || fflush(out->to) || fsync(fileno(out->to));
    if (fclose(out->to) || bad || rename(out->temporary, out->path)) {
        st = fault(error, EAD_IO, "%s: cannot write: %s", out->path, strerror(errno));
        unlink(out->temporary);
    }
    release(out);
    return st;
}

void file_discard(struct file_out *out)
{
    if (!out->to) return;
    fclose(out->to);
    unlink(out->temporary);
    release(out);
}

char *file_name(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    size_t from = n;
    while (from && path[from - 1] != '/') from--;
    return strndup(path + from, n - from);
}

char *file_join(const char *dir, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}
