#include "eval/journal.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "eval/sheet.h"
#include "json/jsonio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal {
    int lock; /* the directory, open and locked */
    struct journal_index index;
    struct sheet sheets[JOURNAL_FILES];
};

static const char *const names[] = {"results.jsonl", "times.jsonl", "traces.jsonl"};

/* ---- the directory ----------------------------------------------------------------------- */

/* One process at a time: the lock goes with the process, however it ends. */
static ead_status lock(const char *dir, int *out, ead_error *error)
{
    if (mkdir(dir, 0777) && errno != EEXIST)
        return fault(error, EAD_IO, "%s: cannot create: %s", dir, strerror(errno));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fault(error, EAD_IO, "%s: cannot open: %s", dir, strerror(errno));
    *out = fd;
    if (!flock(fd, LOCK_EX | LOCK_NB)) return EAD_OK;
    if (errno == EWOULDBLOCK)
        return fault(error, EAD_IO, "%s: another process is writing there", dir);
    return fault(error, EAD_IO, "%s: cannot lock: %s", dir, strerror(errno));
}

/* ---- run.json ---------------------------------------------------------------------------- */

/* Find the first field, by its path, in which two values differ. False when they are equal. */
static bool differ(const json_t *a, const json_t *b, char *field, size_t room,
                   const json_t **wanted, const json_t **found)
{
    const char *key;
    json_t *value;
    const size_t n = strlen(field);
    *wanted = a;
    *found = b;
    if (!json_is_object(a) || !json_is_object(b)) return !json_equal(a, b);
    json_object_foreach((json_t *)a, key, value)
    {
        snprintf(field + n, room - n, "%s%s", n ? "." : "", key);
        if (differ(value, json_object_get(b, key), field, room, wanted, found)) return true;
    }
    json_object_foreach((json_t *)b, key, value)
    {
        snprintf(field + n, room - n, "%s%s", n ? "." : "", key);
        *wanted = NULL;
        *found = value;
        if (!json_object_get(a, key)) return true;
    }
    field[n] = 0;
    return false;
}

static char *show(const json_t *value)
{
    return value ? jsonio_text(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15))
                 : strdup("nothing");
}

static ead_status compare_run(const char *path, const json_t *run, const json_t *there,
                              ead_error *error)
{
    char field[256] = "";
    const json_t *wanted, *found;
    if (!differ(run, there, field, sizeof field, &wanted, &found)) return EAD_OK;
    char *now = show(wanted), *then = show(found);
    ead_status st = fault(error, EAD_ARGUMENT,
                          "%s: field \"%s\": this run has %.160s, the one begun there %.160s; "
                          "choose another directory, or run it as it was begun",
                          path, field, now ? now : "?", then ? then : "?");
    free(now);
    free(then);
    return st;
}

/* Numbers as a file has them, so that a run is compared with what it wrote itself. */
static json_t *as_written(const json_t *run)
{
    char *text = jsonio_text(run, JSON_REAL_PRECISION(15));
    json_error_t bad;
    json_t *out = text ? jsonio_read(text, strlen(text), 0, &bad) : NULL;
    free(text);
    return out;
}

static ead_status write_run(const char *path, const json_t *run, ead_error *error)
{
    struct file_out out;
    ead_status st = file_create(path, &out, error);
    if (st) return st;
    if (!jsonio_write_file(run, out.to, JSON_INDENT(1) | JSON_REAL_PRECISION(15))) {
        file_discard(&out);
        return fault_memory(error, "%s", path);
    }
    fputc('\n', out.to);
    return file_commit(&out, error);
}

static ead_status read_run(const char *path, json_t **out, ead_error *error)
{
    json_error_t bad;
    FILE *from = fopen(path, "r");
    *out = NULL;
    if (!from && errno == ENOENT) return EAD_OK;
    if (!from) return fault(error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    *out = jsonl_load(from, &bad);
    fclose(from);
    return *out ? EAD_OK : fault_json(&bad, path, 1, error);
}

/* Results without a run.json could be of anything. */
static ead_status check_fresh(const char *dir, ead_error *error)
{
    char *path = file_join(dir, names[JOURNAL_RESULTS]);
    if (!path) return fault_memory(error, "a file's name");
    struct stat found;
    ead_status st = EAD_OK;
    if (!stat(path, &found) && found.st_size)
        st = fault(error, EAD_ARGUMENT, "%s: results without a run.json to say of what", path);
    free(path);
    return st;
}

static ead_status settle_run(const char *dir, const json_t *run, ead_error *error)
{
    json_t *there = NULL, *mine = as_written(run);
    char *path = file_join(dir, "run.json");
    ead_status st = mine && path ? read_run(path, &there, error) : fault_memory(error, "run.json");
    if (!st && there) st = compare_run(path, mine, there, error);
    if (!st && !there) st = check_fresh(dir, error);
    if (!st && !there) st = write_run(path, run, error);
    json_decref(there);
    json_decref(mine);
    free(path);
    return st;
}

/* ---- lines ------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static ead_status place(const void *context, const char *path, size_t number, const json_t *line,
                        size_t *row, size_t *column, ead_error *error)
{
    const struct journal_index *index = context;
    const struct jsonl_field at = {path, number, line};
    const char *setting;
    json_int_t problem;
    ead_status st = jsonl_text(&at, "setting", &setting, error);
    if (!st) st = jsonl_whole(&at, "problem", 0, INT_MAX, &problem, error);
    if (st) return st;
    for (*row = 0; *row < index->n_settings; ++*row)
        if (!strcmp(index->settings[*row], setting)) break;
    if (*row == index->n_settings) return jsonl_unfit(&at, "setting", "one of run.json", error);
    const int wanted = (int)problem;
    const int *found =
        bsearch(&wanted, index->problems, index->n_problems, sizeof wanted, by_number);
    if (!found) return jsonl_unfit(&at, "problem", "one of this run", error);
    *column = (size_t)(found - index->problems);
    return EAD_OK;
}

static ead_status fill(struct journal *j, const char *dir, const json_t *run, ead_error *error)
{
    ead_status st = lock(dir, &j->lock, error);
    if (!st) st = settle_run(dir, run, error);
    for (int f = 0; f < JOURNAL_FILES && !st; f++)
        st = sheet_open(&j->sheets[f], dir, names[f], j->index.n_settings, j->index.n_problems,
                        place, &j->index, error);
    return st;
}

ead_status journal_open(const char *dir, const json_t *run, const struct journal_index *index,
                        struct journal **out, ead_error *error)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j) return fault_memory(error, "the journal");
    j->lock = -1;
    j->index = *index;
    for (int f = 0; f < JOURNAL_FILES; f++) j->sheets[f].file = -1;
    ead_status st = fill(j, dir, run, error);
    if (st)
        journal_close(j);
    else
        *out = j;
    return st;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    for (int f = 0; f < JOURNAL_FILES; f++) sheet_close(&j->sheets[f]);
    if (j->lock >= 0) close(j->lock);
    free(j);
}

bool journal_has(const struct journal *j, size_t s, size_t p)
{
    return sheet_has(&j->sheets[JOURNAL_RESULTS], s, p);
}

ead_status journal_result(const struct journal *j, size_t s, size_t p, json_t **out,
                          ead_error *error)
{
    return sheet_read(&j->sheets[JOURNAL_RESULTS], s, p, out, error);
}

ead_status journal_add(struct journal *j, size_t s, size_t p, json_t *const lines[JOURNAL_FILES],
                       ead_error *error)
{
    ead_status st = EAD_OK;
    for (int f = JOURNAL_FILES - 1; f >= 0 && !st; f--) /* the result last */
        if (lines[f]) st = sheet_add(&j->sheets[f], s, p, lines[f], error);
    return st;
}

ead_status journal_finish(struct journal *j, ead_error *error)
{
    ead_status st = EAD_OK;
    for (int f = JOURNAL_FILES - 1; f >= 0 && !st; f--)
        st = sheet_rewrite(&j->sheets[f], &j->sheets[JOURNAL_RESULTS], error);
    return st;
}
