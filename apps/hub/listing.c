#include "hub/listing.h"

#include "base/buf.h"
#include "json/jsonio.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- names ------------------------------------------------------------------------------- */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool ends(const char *text, const char *tail)
{
    const size_t n = strlen(text), k = strlen(tail);
    return n > k && !strcasecmp(text + n - k, tail);
}

/* May it be written below a folder, and stand in a URL after what is odd in it was encoded? */
static bool is_safe(const char *path)
{
    if (strlen(path) >= LISTING_PATH_MAX) return false;
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '\\') return false;
    for (const char *at = path;; at++) {
        const size_t n = strcspn(at, "/");
        if (!n || (n == 1 && *at == '.') || (n == 2 && at[0] == '.' && at[1] == '.')) return false;
        at += n;
        if (!*at) return true;
    }
}

static bool is_model(const char *path)
{
    const char *base = base_of(path);
    return ends(base, ".gguf") && !strcasestr(base, "mmproj") && !strcasestr(base, "imatrix");
}

/* "-00002-of-00003.gguf" at the end is 2 of 3. */
static void split(struct listed *f)
{
    static const char form[] = "-00000-of-00000.gguf";
    const size_t n = strlen(f->path), tail = sizeof form - 1;
    f->part = f->parts = 1;
    f->stem = n;
    if (n <= tail) return;
    const char *at = f->path + n - tail;
    for (size_t i = 0; i < tail; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)at[i])
                           : tolower((unsigned char)at[i]) != form[i])
            return;
    f->part = atoi(at + 1);
    f->parts = atoi(at + 10);
    f->stem = n - tail;
}

static int compare_stems(const struct listed *a, const struct listed *b)
{
    const size_t n = a->stem < b->stem ? a->stem : b->stem;
    const int order = memcmp(a->path, b->path, n);
    if (order || a->stem != b->stem) return order ? order : a->stem < b->stem ? -1 : 1;
    return (a->parts > b->parts) - (a->parts < b->parts);
}

static int compare(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;
    const int order = compare_stems(a, b);
    return order ? order : (a->part > b->part) - (a->part < b->part);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool is_sum(const char *text)
{
    return strlen(text) == SHA256_HEX && strspn(text, "0123456789abcdef") == SHA256_HEX;
}

static enum status read_file(const json_t *entry, struct listing *out, struct err *err)
{
    const char *path = json_string_value(json_object_get(entry, "rfilename"));
    const json_t *size = json_object_get(entry, "size");
    const char *sum = json_string_value(json_object_get(json_object_get(entry, "lfs"), "sha256"));
    if (!path || !is_model(path)) return ST_OK;
    if (!is_safe(path) || !json_is_integer(size) || json_integer_value(size) <= 0)
        return err_set(err, ST_FORMAT,
                       "expected files with a path and a size, found \"%.200s\" of %lld bytes",
                       path, (long long)json_integer_value(size));
    if (sum && !is_sum(sum))
        return err_set(err, ST_FORMAT, "%s: expected 64 hexadecimal digits, found \"%.80s\"", path,
                       sum);
    struct listed *f = &out->files[out->n];
    *f = (struct listed){.path = strdup(path), .size = json_integer_value(size)};
    if (!f->path) return err_memory(err, "the list of files");
    if (sum) memcpy(f->sum, sum, sizeof f->sum);
    split(f);
    out->n++;
    return ST_OK;
}

static enum status read_files(const json_t *root, struct listing *out, struct err *err)
{
    const json_t *files = json_object_get(root, "siblings");
    const char *commit = json_string_value(json_object_get(root, "sha"));
    if (!json_is_array(files) || !commit || !*commit || strlen(commit) >= sizeof out->commit ||
        commit[strspn(commit, "0123456789abcdef")])
        return err_set(err, ST_FORMAT, "expected a list of files and its commit, found neither");
    snprintf(out->commit, sizeof out->commit, "%s", commit);
    out->files = calloc(json_array_size(files) + 1, sizeof *out->files);
    if (!out->files) return err_memory(err, "the list of files");
    for (size_t i = 0; i < json_array_size(files); i++)
        TRY(read_file(json_array_get(files, i), out, err));
    if (out->n) qsort(out->files, out->n, sizeof *out->files, compare);
    return ST_OK;
}

enum status listing_read(const char *text, size_t bytes, struct listing *out, struct err *err)
{
    json_error_t bad;
    json_t *root = jsonio_read(text, bytes, 0, &bad);
    *out = (struct listing){0};
    if (!root && !*bad.text) return err_memory(err, "the list of files");
    if (!root) return err_set(err, ST_FORMAT, "expected JSON: line %d: %s", bad.line, bad.text);
    const enum status st = read_files(root, out, err);
    json_decref(root);
    if (st) listing_deinit(out);
    return st;
}

void listing_deinit(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->files[i].path);
    free(l->files);
    *l = (struct listing){0};
}

/* ---- choosing ---------------------------------------------------------------------------- */

/* Files from i on that are parts of one model. */
static size_t group(const struct listing *l, size_t i)
{
    size_t n = 1;
    while (i + n < l->n && l->files[i].parts > 1 && !compare_stems(&l->files[i], &l->files[i + n]))
        n++;
    return n;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c);
}

/* "" is in every path. */
static bool holds(const char *path, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = path; (at = strcasestr(at, word)); at++)
        if (!n || ((at == path || !is_word(at[-1])) && !is_word(at[n]) && at[n] != '_'))
            return true;
    return false;
}

/* The first model whose path holds `word`, and how many do. */
static size_t count(const struct listing *l, const char *word, size_t *first)
{
    size_t found = 0;
    for (size_t i = 0; i < l->n; i += group(l, i)) {
        if (!holds(l->files[i].path, word)) continue;
        if (!found++) *first = i;
    }
    return found;
}

/* The models whose path holds `word`, as many as a message has room for. */
static enum status refuse(const struct listing *l, const char *word, const char *what,
                          struct err *err)
{
    enum { ROOM = 500 };
    char names[ROOM + 64] = "";
    size_t used = 0, left = 0;
    for (size_t i = 0; i < l->n; i += group(l, i)) {
        const char *path = l->files[i].path;
        if (!holds(path, word)) continue;
        if (used + strlen(path) + 2 > ROOM || left)
            left++;
        else
            used +=
                (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", path);
    }
    if (left) snprintf(names + used, sizeof names - used, " and %zu more", left);
    return err_set(err, ST_ARG, "%s: %s", what, names);
}

static enum status find(const struct listing *l, const char *quant, size_t *first, struct err *err)
{
    static const char *const usual[] = {"Q4_K_M", "Q8_0", ""};
    char what[256];
    const size_t n_usual = sizeof usual / sizeof *usual;
    for (size_t i = 0; i < (*quant ? 1 : n_usual); i++) {
        const char *word = *quant ? quant : usual[i];
        const size_t found = count(l, word, first);
        if (found == 1) return ST_OK;
        if (!found) continue;
        snprintf(what, sizeof what, "expected more of a name after the colon, for there %s%s",
                 *word ? "are several of " : "are several models", word);
        return refuse(l, word, what, err);
    }
    if (!l->n) return err_set(err, ST_ARG, "expected a model in GGUF, found none");
    snprintf(what, sizeof what, "expected a word of one of these names, found \"%s\"", quant);
    return refuse(l, "", what, err);
}

enum status listing_choose(const struct listing *l, const char *quant, const struct listed **first,
                           size_t *n, struct err *err)
{
    size_t at = 0;
    TRY(find(l, quant, &at, err));
    *first = &l->files[at];
    *n = group(l, at);
    for (size_t i = 0; i < *n; i++)
        if ((*first)[i].part != (int)i + 1 || (size_t)(*first)->parts != *n)
            return err_set(err, ST_FORMAT, "%s: expected its %d parts, found %zu of them",
                           (*first)->path, (*first)->parts, *n);
    return ST_OK;
}
