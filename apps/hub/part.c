#include "hub/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18 };

static enum status refused(struct err *err, const char *path, const char *what)
{
    return err_set(err, ST_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* ---- sums -------------------------------------------------------------------------------- */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Add all bytes of an open file, which may take minutes. */
static enum status sum_file(int fd, const char *path, int64_t size, const struct watch *watch,
                            struct sha256 *sum, struct err *err)
{
    char *bytes = malloc(READ_BYTES), label[LISTING_PATH_MAX + 32];
    if (!bytes) return err_memory(err, "reading %s", path);
    snprintf(label, sizeof label, "checking %.*s", LISTING_PATH_MAX, base_of(path));
    enum status st = ST_OK;
    for (ssize_t n = 1; n && !st;) {
        n = read(fd, bytes, READ_BYTES);
        if (n > 0) sha256_add(sum, bytes, (size_t)n);
        if (n < 0 && errno != EINTR) st = refused(err, path, "read");
        watch->progress(watch->context, label, (int64_t)sum->bytes, size);
        if (!watch_goes_on(watch)) st = err_set(err, ST_CANCELLED, "interrupted");
    }
    free(bytes);
    return st;
}

/* Does the file of a sum name this one? */
static bool note_says(const char *note, const char *sum)
{
    char found[SHA256_HEX + 1] = "";
    FILE *from = fopen(note, "re");
    if (!from) return false;
    const bool same = fread(found, 1, SHA256_HEX, from) == SHA256_HEX && !strcmp(found, sum);
    fclose(from);
    return same;
}

static enum status write_note(const char *note, const char *sum, const char *path, struct err *err)
{
    FILE *to = fopen(note, "we");
    if (!to) return refused(err, note, "write");
    fprintf(to, "%s  %s\n", sum, base_of(path));
    const bool bad = ferror(to);
    return fclose(to) || bad ? refused(err, note, "write") : ST_OK;
}

static char *beside(const char *path, const char *tail)
{
    char *out;
    return asprintf(&out, "%s%s", path, tail) < 0 ? NULL : out;
}

/* ---- is it there? ------------------------------------------------------------------------ */

/* A file that somebody put there, or whose pull ended before it said that it was right. */
static enum status check_unknown(const char *path, const char *note, const struct listed *file,
                                 const struct watch *watch, bool *there, struct err *err)
{
    struct sha256 sum;
    char hex[SHA256_HEX + 1];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused(err, path, "open");
    sha256_init(&sum);
    const enum status st = sum_file(fd, path, file->size, watch, &sum, err);
    close(fd);
    TRY(st);
    sha256_end(&sum, hex);
    *there = !strcmp(hex, file->sum);
    return *there ? write_note(note, hex, path, err) : ST_OK;
}

enum status part_is_there(const char *path, const struct listed *file, const struct watch *watch,
                          bool *there, struct err *err)
{
    struct stat s;
    *there = !stat(path, &s) && S_ISREG(s.st_mode) && s.st_size == file->size;
    if (!*there || !*file->sum) return ST_OK;
    char *note = beside(path, ".sha256");
    if (!note) return err_memory(err, "a path");
    enum status st = ST_OK;
    if (access(note, F_OK))
        st = check_unknown(path, note, file, watch, there, err);
    else
        *there = note_says(note, file->sum);
    free(note);
    return st;
}

/* ---- writing ----------------------------------------------------------------------------- */

enum status part_restart(struct part *p, struct err *err)
{
    sha256_init(&p->sum);
    p->have = 0;
    if (ftruncate(p->fd, 0) || lseek(p->fd, 0, SEEK_SET) < 0)
        return refused(err, p->part, "truncate");
    return ST_OK;
}

/* What an earlier pull left, if it is of this file. */
static enum status take_up(struct part *p, const struct watch *watch, struct err *err)
{
    struct stat s;
    sha256_init(&p->sum);
    p->fd = open(p->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->fd < 0 || fstat(p->fd, &s)) return refused(err, p->part, "write");
    if (s.st_size > p->file->size || !*p->file->sum || !note_says(p->note, p->file->sum)) {
        TRY(part_restart(p, err));
        return write_note(p->note, p->file->sum, p->path, err);
    }
    p->have = s.st_size;
    return sum_file(p->fd, p->part, s.st_size, watch, &p->sum, err);
}

enum status part_open(const char *path, const struct listed *file, const struct watch *watch,
                      struct part *out, struct err *err)
{
    *out = (struct part){.path = strdup(path),
                         .part = beside(path, ".part"),
                         .note = beside(path, ".part.sha256"),
                         .file = file,
                         .fd = -1};
    const bool all = out->path && out->part && out->note;
    const enum status st = all ? take_up(out, watch, err) : err_memory(err, "a path");
    if (st) part_close(out);
    return st;
}

bool part_add(struct part *p, const char *bytes, size_t n)
{
    if ((int64_t)n > p->file->size - p->have) {
        err_set(&p->fault, ST_FORMAT, "%s: expected %lld bytes, found more", p->part,
                (long long)p->file->size);
        return false;
    }
    while (n) {
        const ssize_t done = write(p->fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            refused(&p->fault, p->part, "write");
            return false;
        }
        sha256_add(&p->sum, bytes, (size_t)done);
        p->have += done;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

/* ---- the end ----------------------------------------------------------------------------- */

static enum status sync_folder(const char *path, struct err *err)
{
    char *folder = strdup(path);
    if (!folder) return err_memory(err, "a path");
    *strrchr(folder, '/') = 0;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const enum status st = fd < 0 || fsync(fd) ? refused(err, folder, "write") : ST_OK;
    if (fd >= 0) close(fd);
    free(folder);
    return st;
}

/* The old sum goes first: a file without one is read before it is believed. */
static enum status put_in_place(const struct part *p, struct err *err)
{
    char *note = beside(p->path, ".sha256");
    if (!note) return err_memory(err, "a path");
    enum status st = ST_OK;
    if ((unlink(note) && errno != ENOENT) || rename(p->part, p->path) ||
        (*p->file->sum ? rename(p->note, note) : unlink(p->note)))
        st = refused(err, p->path, "put it in place");
    free(note);
    return st ? st : sync_folder(p->path, err);
}

enum status part_finish(struct part *p, struct err *err)
{
    char hex[SHA256_HEX + 1];
    sha256_end(&p->sum, hex);
    if (*p->file->sum && strcmp(hex, p->file->sum)) {
        unlink(p->part);
        unlink(p->note);
        return err_set(err, ST_FORMAT,
                       "%s: expected the SHA-256 %s, found %s: what came was deleted", p->path,
                       p->file->sum, hex);
    }
    if (fsync(p->fd)) return refused(err, p->part, "write");
    return put_in_place(p, err);
}

void part_close(struct part *p)
{
    if (p->fd >= 0) close(p->fd);
    free(p->path);
    free(p->part);
    free(p->note);
    *p = (struct part){.fd = -1};
}
