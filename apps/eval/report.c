#include "eval/report.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "eval/page.h"
#include "eval/records.h"
#include "eval/table.h"
#include "json/jsonio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- solutions --------------------------------------------------------------------------- */

/* What was lost is there where there is any: its place, text and numbers. */
static ead_status check_lost(const struct jsonl_field *at, json_int_t tokens, ead_error *error)
{
    static const char expected[] = "an array of objects: at, text, entropy; p and max_p if judged";
    const json_t *lost = json_object_get(at->object, "lost");
    if (lost && !json_is_array(lost)) return jsonl_unfit(at, "lost", expected, error);
    for (size_t i = 0; i < json_array_size(lost); i++) {
        const json_t *one = json_array_get(lost, i), *place = json_object_get(one, "at");
        const json_t *p = json_object_get(one, "p"), *most = json_object_get(one, "max_p");
        const bool fits = json_is_integer(place) && json_integer_value(place) >= 0 &&
                          json_integer_value(place) <= tokens &&
                          json_is_string(json_object_get(one, "text")) &&
                          json_is_number(json_object_get(one, "entropy")) &&
                          (!p || (json_is_number(p) && json_is_number(most)));
        if (!fits) return jsonl_unfit(at, "lost", expected, error);
    }
    return EAD_OK;
}

static ead_status check_trace(const struct jsonl_field *at, ead_error *error)
{
    const json_t *pieces = json_object_get(at->object, "pieces");
    const json_t *entropy = json_object_get(at->object, "entropy");
    const char *text;
    json_int_t problem;
    ead_status st = jsonl_text(at, "setting", &text, error);
    if (!st) st = jsonl_whole(at, "problem", 0, INT32_MAX, &problem, error);
    if (!st) st = jsonl_text(at, "writers", &text, error);
    if (st) return st;
    if (!json_is_array(pieces)) return jsonl_unfit(at, "pieces", "an array of texts", error);
    if (!json_is_array(entropy) || json_array_size(entropy) != json_array_size(pieces))
        return jsonl_unfit(at, "entropy", "as many numbers as there are pieces", error);
    if (strlen(text) != json_array_size(pieces))
        return jsonl_unfit(at, "writers", "as many letters as there are pieces", error);
    for (size_t i = 0; i < json_array_size(pieces); i++) {
        if (!json_is_string(json_array_get(pieces, i)))
            return jsonl_unfit(at, "pieces", "an array of texts", error);
        if (!json_is_number(json_array_get(entropy, i)))
            return jsonl_unfit(at, "entropy", "an array of numbers", error);
    }
    return check_lost(at, (json_int_t)json_array_size(pieces), error);
}

/* Add what results.jsonl knows of the solution. */
static void explain_trace(json_t *trace, const struct records *records)
{
    const char *name = json_string_value(json_object_get(trace, "setting"));
    const int problem = (int)json_integer_value(json_object_get(trace, "problem"));
    const struct record_setting *s = records_setting(records, name);
    const struct record *r = s ? records_of(records, s, problem) : NULL;
    if (!r) return;
    json_object_set_new(trace, "policy", json_string(ead_policy_describe(s->policy)->name));
    if (!isnan(s->tau)) json_object_set_new(trace, "tau", json_real(s->tau));
    if (s->window) json_object_set_new(trace, "window", json_integer(s->window));
    json_object_set_new(trace, "level", json_integer(r->level));
    json_object_set_new(trace, "subject", json_string(r->subject));
    json_object_set_new(trace, "gold", json_string(r->gold));
    json_object_set_new(trace, "pred", r->pred ? json_string(r->pred) : json_null());
    json_object_set_new(trace, "correct", json_boolean(r->correct));
}

static ead_status read_traces(const char *dir, const struct records *records, json_t *traces,
                              ead_error *error)
{
    struct jsonl file;
    json_t *object = NULL;
    char *path = file_join(dir, "traces.jsonl");
    if (!path) return fault_memory(error, "the report");
    ead_status st = jsonl_open(&file, path, error);
    while (!st && !(st = jsonl_next(&file, &object, error)) && object) {
        struct jsonl_field at = {path, file.number, object};
        st = check_trace(&at, error);
        if (!st) explain_trace(object, records);
        if (!st && json_array_append(traces, object)) st = fault_memory(error, "the report");
        json_decref(object);
    }
    jsonl_close(&file);
    free(path);
    return st;
}

/* ---- the page ---------------------------------------------------------------------------- */

/* JSON within HTML: no text of a run may end the element it stands in. '<' occurs in JSON within
 * strings alone, where it may be written so. */
static int write_safely(const char *bytes, size_t n, void *to)
{
    for (size_t i = 0; i < n; i++)
        if ((bytes[i] == '<' ? fputs("\\u003c", to) : fputc(bytes[i], to)) == EOF) return -1;
    return 0;
}

struct content {
    const struct summary *summary;
    json_t *json; /* of the table; for the page with "traces" */
};

typedef bool (*write_content)(const struct content *c, FILE *to);

static bool write_page(const struct content *c, FILE *to)
{
    const char *mark = strstr(page, PAGE_MARK);
    fwrite(page, 1, (size_t)(mark - page), to);
    if (!jsonio_write(c->json, write_safely, to,
                      JSON_ENSURE_ASCII | JSON_COMPACT | JSON_REAL_PRECISION(6)))
        return false;
    fputs(mark + strlen(PAGE_MARK), to);
    return true;
}

static bool write_json(const struct content *c, FILE *to)
{
    return jsonio_write_file(c->json, to, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) &&
           fputc('\n', to) > 0;
}

static bool write_csv(const struct content *c, FILE *to)
{
    table_csv(c->summary, to);
    return true;
}

static bool write_markdown(const struct content *c, FILE *to)
{
    return table_markdown(c->summary, to);
}

/* ---- files ------------------------------------------------------------------------------- */

static ead_status write_file(const char *dir, const char *name, write_content write,
                             const struct content *c, ead_error *error)
{
    struct file_out file;
    char *path = file_join(dir, name);
    if (!path) return fault_memory(error, "the report");
    ead_status st = file_create(path, &file, error);
    free(path);
    if (st) return st;
    if (write(c, file.to) || ferror(file.to)) return file_commit(&file, error); /* which says why */
    file_discard(&file);
    return fault_memory(error, "the report");
}

ead_status report_write_all(const char *dir, const struct summary *s, ead_error *error)
{
    struct content c = {s, table_json(s)};
    json_t *traces = json_array();
    if (!c.json || !traces) {
        json_decref(c.json);
        json_decref(traces);
        return fault_memory(error, "the report");
    }
    ead_status st = write_file(dir, "summary.json", write_json, &c, error);
    if (!st) st = write_file(dir, "summary.csv", write_csv, &c, error);
    if (!st) st = write_file(dir, "summary.md", write_markdown, &c, error);
    if (!st) st = read_traces(dir, s->records, traces, error);
    if (!st && json_object_set(c.json, "traces", traces)) st = fault_memory(error, "the report");
    if (!st) st = write_file(dir, "report.html", write_page, &c, error);
    json_decref(traces);
    json_decref(c.json);
    return st;
}
