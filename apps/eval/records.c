#include "eval/records.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* While reading: lines in file order; texts are kept once, as keys of `words`. */
struct line {
    size_t setting;
    int problem;
    struct record record;
};

struct reading {
    struct records *records;
    struct line *lines;
    size_t n, capacity;
    json_t *words, *settings; /* settings: name to index */
};

/* ---- texts and settings, kept once ------------------------------------------------------- */

/* A copy that lives as long as the records: the key of an object is where jansson keeps it. */
static const char *keep(struct reading *r, const char *text)
{
    if (!json_object_get(r->words, text) && json_object_set_new(r->words, text, json_true()))
        return NULL;
    void *at = json_object_iter_at(r->words, text);
    return at ? json_object_iter_key(at) : NULL;
}

static ead_status read_policy(const struct jsonl_field *at, struct record_setting *setting,
                              ead_error *error)
{
    const char *name;
    json_int_t window = 0;
    ead_status st = jsonl_text(at, "policy", &name, error);
    const json_t *tau = json_object_get(at->object, "tau"); /* a word where it is infinite */
    if (!st && tau && !json_is_string(tau)) st = jsonl_real(at, "tau", &setting->tau, error);
    if (!st && json_object_get(at->object, "window"))
        st = jsonl_whole(at, "window", 1, INT_MAX, &window, error);
    if (st) return st;
    const int kind = ead_policy_parse(name);
    if (kind < 0) return jsonl_unfit(at, "policy", "the name of a policy", error);
    setting->window = (int)window;
    setting->policy = (ead_policy_kind)kind;
    return EAD_OK;
}

static ead_status add_setting(struct reading *r, const struct jsonl_field *at, const char *name,
                              ead_error *error)
{
    struct records *all = r->records;
    struct record_setting setting = {.name = keep(r, name), .tau = NAN};
    ead_status st = read_policy(at, &setting, error);
    if (st) return st;
    struct record_setting *more =
        setting.name ? realloc(all->settings, (all->n_settings + 1) * sizeof *all->settings) : NULL;
    if (!more) return fault_memory(error, "the results");
    all->settings = more;
    json_int_t index = (json_int_t)all->n_settings;
    all->settings[all->n_settings++] = setting;
    return json_object_set_new(r->settings, name, json_integer(index))
               ? fault_memory(error, "the results")
               : EAD_OK;
}

/* Setting and problem, which both files have. */
static ead_status locate(struct reading *r, const struct jsonl_field *at, bool add,
                         struct line *line, bool *known, ead_error *error)
{
    const char *name;
    json_int_t problem;
    ead_status st = jsonl_text(at, "setting", &name, error);
    if (!st) st = jsonl_whole(at, "problem", 0, INT_MAX, &problem, error);
    if (!st && add && !json_object_get(r->settings, name)) st = add_setting(r, at, name, error);
    if (st) return st;
    const json_t *index = json_object_get(r->settings, name);
    *known = index;
    line->setting = (size_t)json_integer_value(index);
    line->problem = (int)problem;
    return EAD_OK;
}

/* ---- results ----------------------------------------------------------------------------- */

/* Those that not every line has. */
static ead_status read_further_counts(const struct jsonl_field *at, struct record *record,
                                      ead_error *error)
{
    const struct {
        const char *name;
        double *out, absent;
    } counts[] = {{"decisions_open", &record->open, 0},
                  {"judged", &record->judged, 0},
                  {"taken_back", &record->taken_back, 0}};
    ead_status st = EAD_OK;
    for (size_t i = 0; !st && i < sizeof counts / sizeof *counts; i++) {
        json_int_t n;
        const bool there = json_object_get(at->object, counts[i].name);
        if (there) st = jsonl_whole(at, counts[i].name, 0, INT_MAX, &n, error);
        if (!st) *counts[i].out = there ? (double)n : counts[i].absent;
    }
    for (int w = 0; w < EAD_WRITERS; w++) record->catchup_passes[w] = NAN;
    if (!st && json_object_get(at->object, "catchup_passes"))
        st = jsonl_both(at, "catchup_passes", record->catchup_passes, error);
    return st;
}

static ead_status read_counts(const struct jsonl_field *at, struct record *record, ead_error *error)
{
    const struct {
        const char *name;
        double *out;
    } counts[] = {
        {"tokens", &record->tokens}, {"large", &record->large}, {"switches", &record->switches}};
    ead_status st = EAD_OK;
    for (size_t i = 0; !st && i < sizeof counts / sizeof *counts; i++) {
        json_int_t n;
        st = jsonl_whole(at, counts[i].name, 0, INT_MAX, &n, error);
        if (!st) *counts[i].out = (double)n;
    }
    if (!st) st = jsonl_both(at, "decode_rows", record->decode_rows, error);
    if (!st) st = jsonl_both(at, "catchup_rows", record->catchup_rows, error);
    return st ? st : read_further_counts(at, record, error);
}

/* Tells answers apart: FNV-1a. */
static uint64_t digest(const json_t *text)
{
    uint64_t hash = 14695981039346656037u;
    const char *bytes = json_string_value(text);
    if (!bytes) return 0;
    for (size_t i = 0; i < json_string_length(text); i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
    return hash ? hash : 1;
}

static ead_status read_answers(struct reading *r, const struct jsonl_field *at,
                               struct record *record, ead_error *error)
{
    const char *gold, *pred = NULL;
    ead_status st = jsonl_text(at, "gold", &gold, error);
    if (!st && !json_is_null(json_object_get(at->object, "pred")))
        st = jsonl_text(at, "pred", &pred, error);
    if (st) return st;
    record->text = digest(json_object_get(at->object, "output"));
    record->gold = keep(r, gold);
    record->pred = pred ? keep(r, pred) : NULL;
    return record->gold && (record->pred || !pred) ? EAD_OK : fault_memory(error, "the results");
}

/* Level and subject are absent where the data has none. */
static ead_status read_kind(struct reading *r, const struct jsonl_field *at, struct record *record,
                            ead_error *error)
{
    const char *subject = "";
    json_int_t level = 0;
    ead_status st = EAD_OK;
    if (json_object_get(at->object, "level"))
        st = jsonl_whole(at, "level", 0, INT_MAX, &level, error);
    if (!st && json_object_get(at->object, "subject"))
        st = jsonl_text(at, "subject", &subject, error);
    if (st) return st;
    record->level = (int)level;
    record->subject = keep(r, subject);
    return record->subject ? EAD_OK : fault_memory(error, "the results");
}

static ead_status add_line(struct reading *r, const struct line *line, ead_error *error)
{
    if (r->n == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 1024;
        struct line *more = realloc(r->lines, capacity * sizeof *more);
        if (!more) return fault_memory(error, "the results");
        r->lines = more;
        r->capacity = capacity;
    }
    r->lines[r->n++] = *line;
    return EAD_OK;
}

static ead_status read_result(struct reading *r, const struct jsonl_field *at, ead_error *error)
{
    struct line line = {.record.present = true};
    const char *end;
    bool known;
    ead_status st = locate(r, at, true, &line, &known, error);
    if (!st) st = jsonl_flag(at, "correct", &line.record.correct, error);
    if (!st) st = jsonl_text(at, "end", &end, error);
    if (!st) st = read_counts(at, &line.record, error);
    if (!st) st = read_answers(r, at, &line.record, error);
    if (!st) st = read_kind(r, at, &line.record, error);
    if (st) return st;
    line.record.cut = !strcmp(end, "length");
    line.record.unanswered = !strcmp(end, "unanswered");
    return add_line(r, &line, error);
}

/* ---- the table --------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Problem numbers of all lines, ascending, each once. */
static ead_status list_problems(struct reading *r, ead_error *error)
{
    struct records *all = r->records;
    all->problems = malloc((r->n + 1) * sizeof *all->problems);
    if (!all->problems) return fault_memory(error, "the results");
    for (size_t i = 0; i < r->n; i++) all->problems[i] = r->lines[i].problem;
    qsort(all->problems, r->n, sizeof *all->problems, by_number);
    for (size_t i = 0; i < r->n; i++)
        if (!i || all->problems[i] != all->problems[all->n_problems - 1])
            all->problems[all->n_problems++] = all->problems[i];
    return EAD_OK;
}

static struct record **cell(const struct records *all, const struct record_setting *s, int problem)
{
    const int *at =
        bsearch(&problem, all->problems, all->n_problems, sizeof *all->problems, by_number);
    return at ? &s->records[at - all->problems] : NULL;
}

/* Small and large first, the others as they first occur. */
static void put_models_first(struct records *all)
{
    static const ead_policy_kind first[] = {EAD_POLICY_SMALL, EAD_POLICY_LARGE};
    size_t to = 0;
    for (int f = 0; f < 2; f++)
        for (size_t i = to; i < all->n_settings; i++) {
            if (all->settings[i].policy != first[f]) continue;
            const struct record_setting one = all->settings[i];
            memmove(&all->settings[to + 1], &all->settings[to], (i - to) * sizeof one);
            all->settings[to++] = one;
        }
}

static ead_status arrange(struct reading *r, ead_error *error)
{
    ead_status st = list_problems(r, error);
    if (st) return st;
    for (size_t i = 0; i < r->records->n_settings; i++) {
        r->records->settings[i].records =
            calloc(r->records->n_problems, sizeof *r->records->settings[i].records);
        if (!r->records->settings[i].records) return fault_memory(error, "the results");
    }
    for (size_t i = 0; i < r->n; i++) {
        struct line *line = &r->lines[i];
        *cell(r->records, &r->records->settings[line->setting], line->problem) = &line->record;
    }
    return EAD_OK;
}

/* ---- times ------------------------------------------------------------------------------- */

/* How it was measured, if the line says so. */
static ead_status read_manner(const struct jsonl_field *at, struct record *to, ead_error *error)
{
    json_int_t parallel = 0, threads = 0;
    ead_status st = EAD_OK;
    if (json_object_get(at->object, "parallel"))
        st = jsonl_whole(at, "parallel", 1, INT_MAX, &parallel, error);
    if (!st && json_object_get(at->object, "threads"))
        st = jsonl_whole(at, "threads", 1, INT_MAX, &threads, error);
    to->load = (struct load){NAN, NAN};
    if (!st && json_object_get(at->object, "ran_seconds"))
        st = jsonl_real(at, "ran_seconds", &to->load.ran, error);
    if (!st && json_object_get(at->object, "waited_seconds"))
        st = jsonl_real(at, "waited_seconds", &to->load.waited, error);
    to->parallel = (int)parallel;
    to->threads = (int)threads;
    return st;
}

/* A time without a result is of a problem whose result did not reach the disk: it counts nothing.
 */
static ead_status read_time(struct reading *r, const struct jsonl_field *at, ead_error *error)
{
    struct line line = {0};
    double seconds;
    bool known;
    ead_status st = locate(r, at, false, &line, &known, error);
    if (st || !known) return st;
    struct record **record = cell(r->records, &r->records->settings[line.setting], line.problem);
    if (!record || !*record) return EAD_OK;
    struct record *to = *record;
    st = jsonl_real(at, "seconds", &seconds, error);
    if (!st) st = jsonl_both(at, "decode_seconds", to->decode_seconds, error);
    if (!st) st = jsonl_both(at, "decode_steps", to->decode_steps, error);
    if (!st) st = jsonl_both(at, "catchup_seconds", to->catchup_seconds, error);
    if (!st) st = read_manner(at, to, error);
    if (st) return st;
    to->timed = true;
    to->seconds = seconds;
    to->writing = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        to->writing += to->decode_seconds[w] + to->catchup_seconds[w];
    return EAD_OK;
}

/* ---- both files -------------------------------------------------------------------------- */

typedef ead_status (*read_line)(struct reading *, const struct jsonl_field *, ead_error *);

static ead_status read_file(struct reading *r, const char *dir, const char *name, read_line read,
                            ead_error *error)
{
    struct jsonl file;
    json_t *object = NULL;
    char *path = file_join(dir, name);
    if (!path) return fault_memory(error, "the results");
    ead_status st = jsonl_open(&file, path, error);
    while (!st && !(st = jsonl_next(&file, &object, error)) && object) {
        struct jsonl_field at = {path, file.number, object};
        st = read(r, &at, error);
        json_decref(object);
    }
    jsonl_close(&file);
    free(path);
    return st;
}

static ead_status read_files(struct reading *r, const char *const *dirs, size_t n_dirs,
                             const char *name, read_line read, ead_error *error)
{
    ead_status st = EAD_OK;
    for (size_t i = 0; !st && i < n_dirs; i++) st = read_file(r, dirs[i], name, read, error);
    return st;
}

struct owner {
    struct line *lines;
    json_t *words;
};

static struct records *records_new(ead_error *error)
{
    struct records *records = calloc(1, sizeof *records);
    if (records && (records->owner = calloc(1, sizeof(struct owner)))) return records;
    free(records);
    fault_memory(error, "the results");
    return NULL;
}

ead_status records_read(const char *const *dirs, size_t n_dirs, struct records **out,
                        ead_error *error)
{
    struct reading r = {.records = records_new(error)};
    if (!r.records) return EAD_MEMORY;
    r.words = json_object();
    r.settings = json_object();
    ead_status st = read_files(&r, dirs, n_dirs, "results.jsonl", read_result, error);
    if (!st) st = arrange(&r, error);
    if (!st) st = read_files(&r, dirs, n_dirs, "times.jsonl", read_time, error);
    put_models_first(r.records);
    json_decref(r.settings);
    *(struct owner *)r.records->owner = (struct owner){r.lines, r.words};
    if (st)
        records_free(r.records);
    else
        *out = r.records;
    return st;
}

void records_free(struct records *records)
{
    if (!records) return;
    struct owner *owner = records->owner;
    free(owner->lines);
    json_decref(owner->words);
    free(owner);
    for (size_t i = 0; i < records->n_settings; i++) free(records->settings[i].records);
    free(records->settings);
    free(records->problems);
    free(records);
}

const struct record_setting *records_setting(const struct records *records, const char *name)
{
    for (size_t i = 0; i < records->n_settings; i++)
        if (!strcmp(records->settings[i].name, name)) return &records->settings[i];
    return NULL;
}

const struct record *records_of(const struct records *records, const struct record_setting *s,
                                int problem)
{
    struct record **record = cell(records, s, problem);
    return record ? *record : NULL;
}
