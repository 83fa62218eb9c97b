#include "cli/output.h"

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const char *path, const char *what)
{
    return fail("%s: cannot %s: %s", path, what, strerror(errno));
}

/* A pipe is not opened: its reader would take the end of that for the end of all. */
static int check_present(const char *path, const struct stat *about)
{
    if (S_ISDIR(about->st_mode)) return fail("%s: expected a file, found a folder", path);
    if (!S_ISREG(about->st_mode)) return access(path, W_OK) ? cannot(path, "write") : EXIT_OK;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || close(fd) ? cannot(path, "write") : EXIT_OK;
}

int output_check_file(const char *path)
{
    struct stat about;
    if (!path || !strcmp(path, "-")) return EXIT_OK;
    if (!stat(path, &about)) return check_present(path, &about);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd < 0 || close(fd) || unlink(path) ? cannot(path, "create") : EXIT_OK;
}

bool output_same(const char *a, const char *b)
{
    struct stat one, other;
    if (!a || !b) return false;
    if (stat(a, &one) || stat(b, &other)) return !strcmp(a, b);
    return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int output_check_folder(const char *path)
{
    if (!path) return EXIT_OK;
    if (!mkdir(path, 0777)) return rmdir(path) ? cannot(path, "create") : EXIT_OK;
    if (errno != EEXIST) return cannot(path, "create");
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || close(fd)) return cannot(path, "open");
    return access(path, W_OK | X_OK) ? cannot(path, "write") : EXIT_OK;
}
