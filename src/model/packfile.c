#include "model/packfile.h"

#include "base/check.h"
#include "base/hash.h"
#include "kern/pack/pack.h"
#include "model/repack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    START_ALIGN = 1 << 16, /* the largest page of any system, so that the panels can be mapped */
    FIXED_WORDS = 7,
    SHARD_WORDS = 3,
    MATRIX_WORDS = 5,
    NAME_KEPT = 160, /* bytes of the model's name: all of the file's name must fit in 255 */
    TEMP_TRIES = 3
};

struct packfile {
    char *folder, *path;
    uint64_t *head; /* [head_bytes / 8] */
    size_t head_bytes, start, bytes;
};

/* ---- what a file must be ----------------------------------------------------------------- */

static uint64_t *put_shards(uint64_t *to, const struct gguf *g)
{
    for (int i = 0; i < gguf_shard_count(g); i++) {
        const struct gguf_shard shard = gguf_shard_at(g, i);
        *to++ = shard.bytes;
        *to++ = (uint64_t)shard.modified;
        *to++ = shard.head;
    }
    return to;
}

/* Returns the bytes of all panels. */
static size_t put_matrices(uint64_t *to, struct weights *w)
{
    struct arena arena = {0}; /* measures */
    for (int i = 0; i < w->n_matrices; i++) {
        struct kern_weight matrix = *weights_matrix(w, i);
        const size_t offset = arena.used;
        repack_carve(&matrix, w->matrices[i].n, &arena);
        *to++ = matrix.type;
        *to++ = (uint64_t)matrix.rows;
        *to++ = (uint64_t)matrix.cols;
        *to++ = arena.used - offset;
        *to++ = offset;
    }
    return arena.used;
}

static enum status make_head(struct packfile *f, const struct gguf *g, struct weights *w,
                             struct err *err)
{
    const size_t shards = (size_t)gguf_shard_count(g), matrices = (size_t)w->n_matrices;
    const size_t words = FIXED_WORDS + shards * SHARD_WORDS + matrices * MATRIX_WORDS;
    f->head = calloc(words, sizeof *f->head);
    if (!f->head) return err_memory(err, "the head of the packed weights");
    f->head_bytes = words * sizeof *f->head;
    f->start = (f->head_bytes + START_ALIGN - 1) / START_ALIGN * START_ALIGN;
    f->bytes = put_matrices(put_shards(f->head + FIXED_WORDS, g), w);
    memcpy(f->head, "EAD PACK", sizeof *f->head);
    const uint64_t fixed[] = {0x0102030405060708, PACK_LAYOUT, f->start,
                              f->bytes,           shards,      matrices};
    memcpy(f->head + 1, fixed, sizeof fixed);
    return ST_OK;
}

static enum status make_path(struct packfile *f, const char *folder, const char *model,
                             struct err *err)
{
    char *resolved = realpath(model, NULL);
    if (!resolved) return err_set(err, ST_IO, "cannot resolve the path: %s", strerror(errno));
    const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
    const size_t bytes = strlen(name);
    const int kept = bytes > 5 && !strcmp(name + bytes - 5, ".gguf") ? (int)bytes - 5 : (int)bytes;
    int n =
        asprintf(&f->path, "%s/%.*s-%016llx.eadpack", folder, kept < NAME_KEPT ? kept : NAME_KEPT,
                 name, (unsigned long long)hash_bytes(resolved, strlen(resolved)));
    free(resolved);
    if (n < 0) f->path = NULL;
    f->folder = strdup(folder);
    return f->path && f->folder ? ST_OK : err_memory(err, "the path of the packed weights");
}

enum status packfile_open(const char *folder, const struct gguf *g, struct weights *w,
                          struct packfile **out, struct err *err)
{
    struct packfile *f = calloc(1, sizeof *f);
    if (!f) return err_memory(err, "the description of a file in %s", folder);
    enum status st = make_path(f, folder, gguf_path(g), err);
    if (st == ST_OK) st = make_head(f, g, w, err);
    if (st != ST_OK) {
        packfile_close(f);
        return err_prefix(err, st, folder);
    }
    *out = f;
    return ST_OK;
}

void packfile_close(struct packfile *f)
{
    if (!f) return;
    free(f->folder);
    free(f->path);
    free(f->head);
    free(f);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool begins_right(const struct packfile *f, int fd)
{
    void *found = malloc(f->head_bytes);
    const bool same = found && pread(fd, found, f->head_bytes, 0) == (ssize_t)f->head_bytes &&
                      !memcmp(found, f->head, f->head_bytes);
    free(found);
    return same;
}

static bool fits(const struct packfile *f, int fd)
{
    struct stat sb;
    return !fstat(fd, &sb) && S_ISREG(sb.st_mode) && (uint64_t)sb.st_size == f->start + f->bytes &&
           begins_right(f, fd);
}

bool packfile_map(const struct packfile *f, struct weights *w)
{
    int fd =
        open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a pipe, for all we know */
    if (fd < 0) return false;
    struct arena panels = {.used = f->bytes};
    const bool mapped = fits(f, fd) && arena_map(&panels, fd, (off_t)f->start, NULL) == ST_OK;
    close(fd);
    if (mapped) repack_adopt(w, panels);
    return mapped;
}

/* ---- writing ----------------------------------------------------------------------------- */

static enum status put(int fd, const uint8_t *bytes, size_t n, size_t at, struct err *err)
{
    while (n) {
        ssize_t done = pwrite(fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0)
            return err_set(err, ST_IO, "cannot write %zu bytes at %zu: %s", n, at, strerror(errno));
        bytes += done;
        at += (size_t)done;
        n -= (size_t)done;
    }
    return ST_OK;
}

/* Pack a matrix to *at, panel by panel, in memory for one. */
static enum status put_matrix(struct kern_weight rest, int fd, uint8_t *panel, size_t *at,
                              struct err *err)
{
    const size_t bytes = pack_panel_bytes(rest.type, rest.cols);
    for (; rest.rows > 0; rest.rows -= PANEL, rest.data += PANEL * rest.row_bytes, *at += bytes) {
        pack_panels_write(&rest, 0, 1, panel);
        TRY(put(fd, panel, bytes, *at, err));
    }
    return ST_OK;
}

static enum status pack_and_put(const struct packfile *f, struct weights *w, int fd,
                                struct err *err)
{
    size_t most = 0, at = f->start;
    for (int i = 0; i < w->n_matrices; i++) {
        const struct kern_weight *m = weights_matrix(w, i);
        const size_t bytes = pack_panel_bytes(m->type, m->cols);
        if (bytes > most) most = bytes;
    }
    uint8_t *panel = malloc(most);
    enum status st = panel ? ST_OK : err_memory(err, "a panel of packed weights");
    for (int i = 0; i < w->n_matrices; i++)
        for (int k = 0; k < w->matrices[i].n && st == ST_OK; k++)
            st = put_matrix(weights_in_stack(weights_matrix(w, i), k), fd, panel, &at, err);
    free(panel);
    CHECK(st != ST_OK || at == f->start + f->bytes);
    return st;
}

static enum status put_all(const struct packfile *f, struct weights *w, int fd, struct err *err)
{
    TRY(put(fd, (const uint8_t *)f->head, f->head_bytes, 0, err));
    if (w->packed)
        TRY(put(fd, w->panels.base, f->bytes, f->start, err));
    else
        TRY(pack_and_put(f, w, fd, err));
    /* Or a crash could leave a file that has its name and length, but not its panels. */
    if (fsync(fd)) return err_set(err, ST_IO, "cannot write to the end: %s", strerror(errno));
    return ST_OK;
}

/* A process that was killed while it wrote left its file behind. Files that are being written are
 * locked. */
static void sweep(const struct packfile *f)
{
    const char *name = strrchr(f->path, '/') + 1;
    const size_t n = strlen(name);
    DIR *folder = opendir(f->folder);
    for (struct dirent *d; folder && (d = readdir(folder));) {
        if (strncmp(d->d_name, name, n) || d->d_name[n] != '.') continue;
        int fd = openat(dirfd(folder), d->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) continue;
        if (!flock(fd, LOCK_EX | LOCK_NB)) (void)unlinkat(dirfd(folder), d->d_name, 0);
        close(fd);
    }
    if (folder) closedir(folder);
}

static enum status temp_create(const struct packfile *f, char **name, int *fd, struct err *err)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (asprintf(name, "%s.%ld-%lld-%09ld", f->path, (long)getpid(), (long long)t.tv_sec,
                 t.tv_nsec) < 0)
        return err_memory(err, "the path of the packed weights");
    *fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (*fd >= 0) return ST_OK;
    const int reason = errno;
    free(*name);
    return err_set(err, ST_IO, "cannot create it: %s", strerror(reason));
}

/* Open and lock a file that no other process or thread writes to; the caller frees its name. */
static enum status temp_open(const struct packfile *f, char **name, int *fd, struct err *err)
{
    for (int i = 0; i < TEMP_TRIES; i++) {
        struct stat sb;
        TRY(temp_create(f, name, fd, err));
        /* Before it was locked it may have been swept up; then it has no name any more. */
        if (flock(*fd, LOCK_EX) || fstat(*fd, &sb) || sb.st_nlink) return ST_OK;
        close(*fd);
        free(*name);
    }
    return err_set(err, ST_IO, "cannot create it: others remove it");
}

static enum status replace(const struct packfile *f, struct weights *w, struct err *err)
{
    char *temp = NULL;
    int fd = -1;
    if (mkdir(f->folder, 0777) && errno != EEXIST)
        return err_set(err, ST_IO, "cannot make the folder: %s", strerror(errno));
    sweep(f);
    TRY(temp_open(f, &temp, &fd, err));
    enum status st = put_all(f, w, fd, err);
    if (st == ST_OK && rename(temp, f->path))
        st = err_set(err, ST_IO, "cannot rename %s: %s", temp, strerror(errno));
    if (st != ST_OK) unlink(temp);
    close(fd); /* not before: it is locked as long as it has the other name */
    free(temp);
    return st;
}

enum status packfile_write(const struct packfile *f, struct weights *w, struct err *err)
{
    const enum status st = replace(f, w, err);
    return st == ST_OK ? st : err_prefix(err, st, f->path);
}
