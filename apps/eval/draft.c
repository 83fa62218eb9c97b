#include "eval/draft.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "json/jsonio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- collecting -------------------------------------------------------------------------- */

static bool know_text(struct drafts *d, size_t text)
{
    if (text < d->n_texts) return true;
    const size_t n = 2 * text + 64;
    bool *more = realloc(d->open, n * sizeof *more);
    if (!more) return false;
    memset(more + d->n_texts, 0, (n - d->n_texts) * sizeof *more);
    d->open = more;
    d->n_texts = n;
    return true;
}

static bool append(struct drafts *d, const struct draft *one)
{
    if (d->n == d->room) {
        const size_t room = d->room ? 2 * d->room : 4096;
        struct draft *more = realloc(d->list, room * sizeof *more);
        if (!more) return false;
        d->list = more;
        d->room = room;
    }
    d->list[d->n++] = *one;
    return true;
}

bool drafts_add(struct drafts *d, size_t text, const ead_token *token)
{
    if (!know_text(d, text)) return false;
    const bool first = !d->open[text];
    d->open[text] = token->judged;
    if (!token->judged) return true;
    return append(d, &(struct draft){.entropy = token->entropy,
                                     .id = token->id,
                                     .p = token->opinion.p,
                                     .max_p = token->opinion.max_p,
                                     .first = first,
                                     .text = text,
                                     .order = d->n});
}

static int by_text(const void *a, const void *b)
{
    const struct draft *x = a, *y = b;
    if (x->text != y->text) return (x->text > y->text) - (x->text < y->text);
    return (x->order > y->order) - (x->order < y->order);
}

void drafts_sort(struct drafts *d)
{
    if (d->n) qsort(d->list, d->n, sizeof *d->list, by_text);
}

void drafts_free(struct drafts *d)
{
    free(d->list);
    free(d->open);
    *d = (struct drafts){0};
}

/* ---- a file of them ---------------------------------------------------------------------- */

enum { VERSION = 2 };

static json_t *as_json(const struct drafts *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++) {
        const struct draft *x = &d->list[i];
        json_array_append_new(list, json_pack("[f, i, f, f, b]", (double)x->entropy, (int)x->id,
                                              (double)x->p, (double)x->max_p, (int)x->first));
    }
    if (json_array_size(list) == d->n)
        return json_pack("{s:i, s:o}", "ead_drafts", VERSION, "drafts", list);
    json_decref(list);
    return NULL;
}

ead_status drafts_write(const char *path, const struct drafts *d, ead_error *error)
{
    struct file_out file;
    json_t *json = as_json(d);
    if (!json) return fault_memory(error, "the drafts of %s", path);
    ead_status st = file_create(path, &file, error);
    if (!st && jsonio_write_file(json, file.to, JSON_COMPACT | JSON_REAL_PRECISION(9))) {
        st = file_commit(&file, error);
    } else if (!st) {
        file_discard(&file);
        st = fault_memory(error, "the drafts of %s", path);
    }
    json_decref(json);
    return st;
}

static ead_status read_list(const struct jsonl_field *top, struct drafts *out, ead_error *error)
{
    const json_t *list = json_object_get(top->object, "drafts");
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)list, i, one)
    {
        double entropy, p, max_p;
        int id, first;
        if (json_unpack(one, "[F, i, F, F, b]", &entropy, &id, &p, &max_p, &first))
            return jsonl_unfit(top, "drafts",
                               "arrays of entropy, token, two probabilities and a truth", error);
        const struct draft draft = {.entropy = (float)entropy,
                                    .id = id,
                                    .p = (float)p,
                                    .max_p = (float)max_p,
                                    .first = first,
                                    .order = i};
        if (!append(out, &draft)) return fault_memory(error, "the drafts of %s", top->path);
    }
    return json_is_array(list) ? EAD_OK : jsonl_unfit(top, "drafts", "an array", error);
}

ead_status drafts_read(const char *path, struct drafts *out, ead_error *error)
{
    json_error_t bad;
    json_int_t version;
    FILE *file = fopen(path, "r");
    *out = (struct drafts){0};
    if (!file) return fault(error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    json_t *root = jsonl_load(file, &bad);
    fclose(file);
    if (!root) return fault_json(&bad, path, 1, error);
    const struct jsonl_field top = {.path = path, .object = root};
    ead_status st = jsonl_whole(&top, "ead_drafts", 1, INT32_MAX, &version, error);
    if (!st && version == VERSION) st = read_list(&top, out, error);
    json_decref(root);
    if (st) drafts_free(out);
    return st;
}
