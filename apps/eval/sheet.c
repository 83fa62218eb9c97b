#include "eval/sheet.h"

#include "base/clock.h"
#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "json/jsonio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SYNC_SECONDS = 2 };

static ead_status cannot(const struct sheet *s, const char *what, ead_error *error)
{
    return fault(error, EAD_IO, "%s: cannot %s: %s", s->path, what, strerror(errno));
}

static struct sheet_cell *cell_at(const struct sheet *s, size_t row, size_t column)
{
    return &s->cells[row * s->columns + column];
}

bool sheet_has(const struct sheet *s, size_t row, size_t column)
{
    return cell_at(s, row, column)->bytes;
}

/* ---- opening ----------------------------------------------------------------------------- */

static ead_status find_lines(struct sheet *s, sheet_place place, const void *context,
                             ead_error *error)
{
    struct jsonl from;
    json_t *line = NULL;
    ead_status st = jsonl_open(&from, s->path, error);
    while (!st && !(st = jsonl_next(&from, &line, error)) && line) {
        size_t row, column;
        const off_t end = ftello(from.from);
        st = place(context, s->path, from.number, line, &row, &column, error);
        json_decref(line);
        if (st) break;
        *cell_at(s, row, column) = (struct sheet_cell){s->end, (size_t)(end - s->end - 1)};
        s->end = end;
    }
    jsonl_close(&from);
    return st;
}

ead_status sheet_open(struct sheet *s, const char *dir, const char *name, size_t rows,
                      size_t columns, sheet_place place, const void *context, ead_error *error)
{
    *s = (struct sheet){.file = -1, .rows = rows, .columns = columns};
    s->path = file_join(dir, name);
    if (!s->path) return fault_memory(error, "the name of %s", name);
    s->cells = calloc(rows * columns, sizeof *s->cells);
    if (!s->cells) return fault_memory(error, "the lines of %s", s->path);
    s->file = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->file < 0) return cannot(s, "open", error);
    ead_status st = find_lines(s, place, context, error);
    if (st) return st;
    if (ftruncate(s->file, s->end)) return cannot(s, "shorten", error);
    s->synced = clock_seconds();
    return EAD_OK;
}

void sheet_close(struct sheet *s)
{
    if (s->file >= 0) close(s->file);
    free(s->cells);
    free(s->path);
    *s = (struct sheet){.file = -1};
}

/* ---- lines ------------------------------------------------------------------------------- */

/* The bytes of a line with its newline, to be freed. */
static ead_status load(const struct sheet *s, const struct sheet_cell *c, char **out,
                       ead_error *error)
{
    char *bytes = malloc(c->bytes + 1);
    if (!bytes) return fault_memory(error, "the lines of %s", s->path);
    for (size_t done = 0; done < c->bytes + 1;) {
        ssize_t n = pread(s->file, bytes + done, c->bytes + 1 - done, c->at + (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            free(bytes);
            if (!n) return fault(error, EAD_IO, "%s: it became shorter", s->path);
            return cannot(s, "read", error);
        }
        done += (size_t)n;
    }
    *out = bytes;
    return EAD_OK;
}

ead_status sheet_read(const struct sheet *s, size_t row, size_t column, json_t **out,
                      ead_error *error)
{
    const struct sheet_cell *c = cell_at(s, row, column);
    char *bytes;
    json_error_t bad;
    *out = NULL;
    if (!c->bytes) return EAD_OK;
    ead_status st = load(s, c, &bytes, error);
    if (st) return st;
    *out = jsonio_read(bytes, c->bytes, 0, &bad);
    free(bytes);
    return *out ? EAD_OK : fault_json(&bad, s->path, 1, error);
}

static ead_status append(struct sheet *s, const char *bytes, size_t n, ead_error *error)
{
    for (size_t done = 0; done < n;) {
        ssize_t more = pwrite(s->file, bytes + done, n - done, s->end + (off_t)done);
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) {
            ead_status st = cannot(s, "write", error);
            if (ftruncate(s->file, s->end)) return st; /* the next run drops what is left */
            return st;
        }
        done += (size_t)more;
    }
    return EAD_OK;
}

ead_status sheet_add(struct sheet *s, size_t row, size_t column, const json_t *line,
                     ead_error *error)
{
    char *bytes = jsonio_text(line, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (!bytes) return fault_memory(error, "the lines of %s", s->path);
    const size_t n = strlen(bytes);
    bytes[n] = '\n'; /* in the place of the NUL */
    ead_status st = append(s, bytes, n + 1, error);
    free(bytes);
    if (st) return st;
    *cell_at(s, row, column) = (struct sheet_cell){s->end, n};
    s->end += (off_t)n + 1;
    if (clock_seconds() - s->synced < SYNC_SECONDS) return EAD_OK;
    s->synced = clock_seconds();
    return fsync(s->file) ? cannot(s, "write", error) : EAD_OK;
}

/* ---- order ------------------------------------------------------------------------------- */

static ead_status copy_line(const struct sheet *s, const struct sheet_cell *c, FILE *to,
                            ead_error *error)
{
    char *bytes;
    ead_status st = load(s, c, &bytes, error);
    if (st) return st;
    fwrite(bytes, 1, c->bytes + 1, to); /* file_commit sees a failure */
    free(bytes);
    return EAD_OK;
}

ead_status sheet_rewrite(struct sheet *s, const struct sheet *keep, ead_error *error)
{
    struct file_out out;
    ead_status st = file_create(s->path, &out, error);
    if (st) return st;
    for (size_t i = 0; i < s->rows * s->columns && !st; i++)
        if (s->cells[i].bytes && (!keep || keep->cells[i].bytes))
            st = copy_line(s, &s->cells[i], out.to, error);
    if (!st) return file_commit(&out, error);
    file_discard(&out);
    return st;
}
