#include "eval/file.h"

#include "eval/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

/* Neither a regular file nor a name that is free. */
static bool is_special(const char *path)
{
    struct stat about;
    return !stat(path, &about) && !S_ISREG(about.st_mode);
}

ead_status file_create(const char *path, struct file_out *out, ead_error *error)
{
    const bool special = is_special(path);
    *out = (struct file_out){.path = strdup(path)};
    if (!special && asprintf(&out->temporary, "%s.XXXXXX", path) < 0) out->temporary = NULL;
    if (!out->path || (!special && !out->temporary)) {
        release(out);
        return fault_memory(error, "the name of %s", path);
    }
    int fd = special ? open(path, O_WRONLY | O_CLOEXEC) : open_temporary(out->temporary);
    if (fd >= 0 && (out->to = fdopen(fd, "w"))) return EAD_OK;
    ead_status st = fault(error, EAD_IO, "%s: cannot create: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    if (fd >= 0 && !special) unlink(out->temporary);
    release(out);
    return st;
}

ead_status file_try(const char *path, ead_error *error)
{
    struct file_out file;
    struct stat about;
    if (!stat(path, &about) && S_ISDIR(about.st_mode))
        return fault(error, EAD_IO, "%s: expected a file, found a folder", path);
    if (is_special(path)) /* not to be opened: a pipe's reader would take that for all */
        return access(path, W_OK)
                   ? fault(error, EAD_IO, "%s: cannot write: %s", path, strerror(errno))
                   : EAD_OK;
    ead_status st = file_create(path, &file, error);
    if (!st) file_discard(&file);
    return st;
}

ead_status file_commit(struct file_out *out, ead_error *error)
{
    ead_status st = EAD_OK;
    const bool renamed = out->temporary;
    bool bad = ferror(out->to) || fflush(out->to) || (renamed && fsync(fileno(out->to)));
    if (fclose(out->to) || bad || (renamed && rename(out->temporary, out->path))) {
        st = fault(error, EAD_IO, "%s: cannot write: %s", out->path, strerror(errno));
        if (renamed) unlink(out->temporary);
    }
    release(out);
    return st;
}

void file_discard(struct file_out *out)
{
    if (!out->to) return;
    fclose(out->to);
    if (out->temporary) unlink(out->temporary);
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
