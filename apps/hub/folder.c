#include "hub/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_POLL_MS = 100 };

static enum status refused(struct err *err, const char *path)
{
    return err_set(err, ST_IO, "%s: %s", path, strerror(errno));
}

enum status folder_init(struct folder *f, const char *cache, const struct wish *wish,
                        struct err *err)
{
    *f = (struct folder){.lock = -1};
    if (asprintf(&f->path, "%s/hf/%s/%s", cache, wish->repo, wish->revision) >= 0) return ST_OK;
    f->path = NULL;
    return err_memory(err, "a path");
}

void folder_deinit(struct folder *f)
{
    if (f->lock >= 0) close(f->lock);
    free(f->path);
    *f = (struct folder){.lock = -1};
}

char *folder_file(const struct folder *f, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", f->path, name) < 0 ? NULL : path;
}

enum status folder_make(const char *path, struct err *err)
{
    char *folder = strdup(path);
    if (!folder) return err_memory(err, "a path");
    enum status st = ST_OK;
    for (char *slash = folder; !st && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        if (mkdir(folder, 0777) && errno != EEXIST) st = refused(err, folder);
        *slash = '/';
    }
    free(folder);
    return st;
}

/* ---- the lock ---------------------------------------------------------------------------- */

static enum status wait_for_lock(int fd, const char *path, const struct watch *watch,
                                 struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
    for (bool told = false; flock(fd, LOCK_EX | LOCK_NB); told = true) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return refused(err, path);
        if (!told)
            watch->note(watch->context,
                        "another pull is at work in the same folder: waiting for it");
        if (!watch_goes_on(watch)) return err_set(err, ST_CANCELLED, "interrupted");
        nanosleep(&pause, NULL);
    }
    return ST_OK;
}

enum status folder_lock(struct folder *f, const struct watch *watch, struct err *err)
{
    char *path = folder_file(f, ".lock");
    if (!path) return err_memory(err, "a path");
    enum status st = folder_make(path, err);
    if (!st) {
        f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        st = f->lock < 0 ? refused(err, path) : wait_for_lock(f->lock, path, watch, err);
    }
    free(path);
    return st;
}

/* ---- the list ---------------------------------------------------------------------------- */

static const char listing_name[] = "listing.json";

static enum status read_all(const char *path, struct buf *out, struct err *err)
{
    char bytes[4096];
    FILE *from = fopen(path, "re");
    if (!from) return refused(err, path);
    enum status st = ST_OK;
    for (size_t n; !st && (n = fread(bytes, 1, sizeof bytes, from));)
        if (buf_add(out, bytes, n)) st = err_memory(err, "%s", path);
    if (!st && ferror(from)) st = refused(err, path);
    fclose(from);
    return st;
}

enum status folder_listing(const struct folder *f, struct listing *out, struct err *err)
{
    struct buf text = {.max = LISTING_BYTES_MAX};
    char *path = folder_file(f, listing_name);
    enum status st = path ? read_all(path, &text, err) : err_memory(err, "a path");
    if (!st) st = listing_read(text.data ? text.data : "", text.len, out, err);
    buf_deinit(&text);
    free(path);
    return st;
}

/* Written beside it and renamed: a reader sees the old one or the new one. */
enum status folder_keep_listing(const struct folder *f, const char *text, size_t n, struct err *err)
{
    char *path = folder_file(f, listing_name), *fresh = folder_file(f, "listing.json.part");
    FILE *to = path && fresh ? fopen(fresh, "we") : NULL;
    enum status st = path && fresh ? ST_OK : err_memory(err, "a path");
    if (!st) {
        const bool bad = !to || fwrite(text, 1, n, to) != n;
        if ((to && fclose(to)) || bad || rename(fresh, path)) st = refused(err, fresh);
    }
    free(path);
    free(fresh);
    return st;
}

/* ---- room -------------------------------------------------------------------------------- */

enum status folder_has_room(const struct folder *f, int64_t bytes, struct err *err)
{
    struct statvfs s;
    if (statvfs(f->path, &s)) return refused(err, f->path);
    const double room = (double)s.f_bavail * (double)s.f_frsize;
    if ((double)bytes <= room) return ST_OK;
    return err_set(err, ST_IO, "%s: expected room for %.1f MB, found %.1f MB on that disk", f->path,
                   1e-6 * (double)bytes, 1e-6 * room);
}
