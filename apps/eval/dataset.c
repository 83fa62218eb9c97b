#include "eval/dataset.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "eval/listing.h"
#include "eval/quote.h"
#include "grade/extract.h"
#include "grade/grade.h"
#include "json/jsonio.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 28 }; /* bytes: far above any collection of problems */

static const char standard_input[] = "standard input"; /* as a path: what "-" stands for */

/* What the texts of a dataset live in: the objects as read, and texts made from them. */
struct owner {
    json_t *objects;
    char **texts;
    size_t n_texts, room_texts;
};

/* The walk over the files. */
struct reader {
    struct dataset *dataset;
    struct owner *owner;
    size_t room;
    bool known; /* the format is */
    bool skip_bad;
    ead_error *error;
};

/* Where an object stands: "FILE, line 3". */
struct place {
    const char *path;
    const char *unit; /* "line" or "element" */
    size_t number;
};

/* `text` now belongs to the dataset; NULL without memory, also when it was NULL. */
static const char *keep(struct reader *r, char *text)
{
    struct owner *o = r->owner;
    if (text && o->n_texts == o->room_texts) {
        const size_t room = o->room_texts ? 2 * o->room_texts : 64;
        char **more = realloc(o->texts, room * sizeof *more);
        if (!more) {
            free(text);
            return NULL;
        }
        o->texts = more;
        o->room_texts = room;
    }
    if (text) o->texts[o->n_texts++] = text;
    return text;
}

static void owner_free(struct owner *o)
{
    if (!o) return;
    for (size_t i = 0; i < o->n_texts; i++) free(o->texts[i]);
    free(o->texts);
    json_decref(o->objects);
    free(o);
}

/* ---- fields -------------------------------------------------------------------------------- */

static const char *kind_name(const json_t *value)
{
    static const char *const names[] = {"an object", "an array", "text",  "a whole number",
                                        "a number",  "true",     "false", "null"};
    return value ? names[json_typeof(value)] : "nothing";
}

static ead_status unfit(const struct reader *r, const struct place *at, const char *field,
                        const char *expected, const json_t *found)
{
    if (json_is_string(found))
        return fault(r->error, EAD_FORMAT, "%s, %s %zu: field \"%s\": expected %s, found \"%.40s\"",
                     at->path, at->unit, at->number, field, expected, json_string_value(found));
    return fault(r->error, EAD_FORMAT, "%s, %s %zu: field \"%s\": expected %s, found %s", at->path,
                 at->unit, at->number, field, expected, kind_name(found));
}

static ead_status text_field(const struct reader *r, const struct place *at, const json_t *object,
                             const char *field, const char **out)
{
    const json_t *value = json_object_get(object, field);
    *out = json_string_value(value);
    return *out && **out ? EAD_OK : unfit(r, at, field, "text", value);
}

/* "Level 3", "3", 3; "Level ?" and nothing are unknown. */
static ead_status read_level(const struct reader *r, const struct place *at, const json_t *object,
                             int *level)
{
    const json_t *value = json_object_get(object, "level");
    const char *text = json_string_value(value);
    *level = 0;
    if (!value || json_is_null(value)) return EAD_OK;
    const json_int_t number = json_integer_value(value);
    if (number >= 1 && number <= 5) *level = (int)number;
    if (text) {
        text += strcspn(text, "0123456789?");
        if (*text == '?') return EAD_OK;
        *level = text[0] && !text[1] ? text[0] - '0' : 0;
    }
    return *level >= 1 && *level <= 5 ? EAD_OK : unfit(r, at, "level", "1 to 5", value);
}

/* An answer on its own: text, or a number as JSON wrote it. */
static ead_status read_answer(struct reader *r, const struct place *at, const json_t *value,
                              const char **gold)
{
    *gold = json_string_value(value);
    if (*gold && **gold) return EAD_OK;
    if (!json_is_number(value)) return unfit(r, at, "answer", "text or a number", value);
    *gold = keep(r, jsonio_text(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)));
    return *gold ? EAD_OK : fault_memory(r->error, "the problems of %s", at->path);
}

static ead_status math_gold(struct reader *r, const struct place *at, const json_t *object,
                            const char **gold)
{
    const json_t *answer = json_object_get(object, "answer");
    if (answer && !json_is_null(answer)) return read_answer(r, at, answer, gold);
    const char *solution;
    char *boxed;
    ead_status status = text_field(r, at, object, "solution", &solution);
    if (status) return status;
    if (!grade_extract_math(solution, &boxed))
        return unfit(r, at, "solution", "an answer in \\boxed{}",
                     json_object_get(object, "solution"));
    *gold = keep(r, boxed);
    return *gold ? EAD_OK : fault_memory(r->error, "the problems of %s", at->path);
}

static ead_status gsm8k_gold(struct reader *r, const struct place *at, const json_t *object,
                             const char **gold)
{
    struct part part;
    const json_t *answer = json_object_get(object, "answer");
    if (json_is_number(answer)) return read_answer(r, at, answer, gold);
    const char *text = json_string_value(answer);
    if (!text || !extract_hashes(text, &part))
        return unfit(r, at, "answer", "text with \"#### ANSWER\" behind the solution", answer);
    *gold = keep(r, strndup(part.s, part.n));
    return *gold ? EAD_OK : fault_memory(r->error, "the problems of %s", at->path);
}

/* The file's own name for the problem, else where it stands. */
static const char *read_id(struct reader *r, const struct place *at, const json_t *object)
{
    const json_t *own = json_object_get(object, "unique_id");
    char *text = NULL;
    if (!own) own = json_object_get(object, "id");
    if (json_string_length(own)) return json_string_value(own);
    if (json_is_integer(own)) return keep(r, jsonio_text(own, JSON_ENCODE_ANY));
    const char *name = strrchr(at->path, '/');
    if (asprintf(&text, "%s:%zu", name ? name + 1 : at->path, at->number) < 0) return NULL;
    return keep(r, text);
}

/* ---- objects ------------------------------------------------------------------------------- */

static ead_status recognise(struct reader *r, const struct place *at, const json_t *object)
{
    if (json_object_get(object, "problem"))
        r->dataset->format = DATASET_MATH;
    else if (json_object_get(object, "question"))
        r->dataset->format = DATASET_GSM8K;
    else
        return fault(r->error, EAD_FORMAT,
                     "%s, %s %zu: expected a field \"problem\" (math) or \"question\" (gsm8k), "
                     "found neither",
                     at->path, at->unit, at->number);
    r->known = true;
    return EAD_OK;
}

static ead_status read_problem(struct reader *r, const struct place *at, const json_t *object,
                               struct eval_problem *out)
{
    const bool math = r->dataset->format == DATASET_MATH;
    *out = (struct eval_problem){.subject = ""};
    ead_status status = text_field(r, at, object, math ? "problem" : "question", &out->text);
    if (!status) status = (math ? math_gold : gsm8k_gold)(r, at, object, &out->gold);
    if (!status) status = read_level(r, at, object, &out->level);
    if (status) return status;
    const char *subject = json_string_value(json_object_get(object, "subject"));
    if (!subject) subject = json_string_value(json_object_get(object, "type"));
    if (subject) out->subject = subject;
    out->id = read_id(r, at, object);
    return out->id ? EAD_OK : fault_memory(r->error, "the problems of %s", at->path);
}

static struct eval_problem *next_problem(struct reader *r)
{
    struct dataset *d = r->dataset;
    if (d->n == r->room) {
        const size_t room = r->room ? 2 * r->room : 256;
        struct eval_problem *more = realloc(d->problems, room * sizeof *more);
        if (!more) return NULL;
        d->problems = more;
        r->room = room;
    }
    return &d->problems[d->n];
}

/* What became of a record: one that no problem can be read from is passed over, if that is wanted.
 */
static ead_status forgive(struct reader *r, const char *path, ead_status status)
{
    struct dataset *d = r->dataset;
    if (status != EAD_FORMAT || !r->skip_bad) return status;
    if (!d->n_skipped++ && !(d->skipped = strdup(r->error->message)))
        return fault_memory(r->error, "the problems of %s", path);
    return EAD_OK;
}

static ead_status read_object(struct reader *r, const struct place *at, json_t *object)
{
    ead_status status = EAD_OK;
    if (!json_is_object(object))
        return fault(r->error, EAD_FORMAT, "%s, %s %zu: expected an object, found %s", at->path,
                     at->unit, at->number, kind_name(object));
    if (!r->known) status = recognise(r, at, object);
    struct eval_problem *problem = next_problem(r);
    if (!problem || json_array_append(r->owner->objects, object))
        return fault_memory(r->error, "the problems of %s", at->path);
    if (!status) status = read_problem(r, at, object, problem);
    if (!status) r->dataset->n++;
    return status;
}

static ead_status add_object(struct reader *r, const struct place *at, json_t *object)
{
    return forgive(r, at->path, read_object(r, at, object));
}

/* ---- files --------------------------------------------------------------------------------- */

/* To the end, wherever that is: a pipe does not know its size. *out is to be freed in any case. */
static ead_status read_stream(const struct reader *r, const char *path, FILE *file, char **out,
                              size_t *n)
{
    size_t room = 0;
    for (*n = 0; *n == room;) {
        if (room == FILE_MAX)
            return fault(r->error, EAD_SUPPORT, "%s: expected less than %d MiB, found more", path,
                         FILE_MAX >> 20);
        room = room ? 2 * room : 1 << 16;
        char *more = realloc(*out, room);
        if (!more) return fault_memory(r->error, "the problems of %s", path);
        *out = more;
        *n += fread(*out + *n, 1, room - *n, file);
    }
    if (!ferror(file)) return EAD_OK;
    return fault(r->error, EAD_IO, "%s: cannot read: %s", path, strerror(errno));
}

static ead_status read_bytes(const struct reader *r, const char *path, char **out, size_t *n)
{
    FILE *file = path == standard_input ? stdin : fopen(path, "rb");
    if (!file) return fault(r->error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    ead_status status = read_stream(r, path, file, out, n);
    if (file != stdin) fclose(file);
    return status;
}

static ead_status add_elements(struct reader *r, const char *path, json_t *array)
{
    struct place at = {path, "element", 0};
    ead_status status = EAD_OK;
    for (size_t i = 0; i < json_array_size(array) && !status; i++) {
        at.number = i;
        status = add_object(r, &at, json_array_get(array, i));
    }
    return status;
}

/* The value at `text`, which begins in line `line`; *used becomes its bytes. */
static ead_status read_value(struct reader *r, const char *path, const char *text, size_t n,
                             size_t line, size_t *used)
{
    json_error_t wrong;
    const struct place at = {path, "line", line};
    json_t *value = jsonio_read(text, n, JSON_DISABLE_EOF_CHECK, &wrong);
    if (!value && !wrong.text[0]) return fault_json(&wrong, path, line, r->error);
    if (!value) {
        const char *end = memchr(text, '\n', n);
        *used = end ? (size_t)(end - text) : n; /* the next value may begin in the next line */
        return forgive(r, path,
                       fault(r->error, EAD_FORMAT, "%s, line %zu: expected JSON, found: %s", path,
                             line + (size_t)(wrong.line > 0 ? wrong.line - 1 : 0),
                             json_error_code(&wrong) == json_error_null_character
                                 ? "a text with NUL in it"
                                 : wrong.text));
    }
    *used = (size_t)wrong.position;
    ead_status status =
        json_is_array(value) ? add_elements(r, path, value) : add_object(r, &at, value);
    json_decref(value);
    return status;
}

/* Values one after another: lines of objects, one array, one object over several lines. */
static ead_status read_file(struct reader *r, const char *path)
{
    char *text = NULL;
    size_t n = 0, at = 0, line = 1;
    ead_status status = read_bytes(r, path, &text, &n);
    char *bytes = text;
    text = status ? NULL : quote_long_numbers(bytes, &n);
    free(bytes);
    if (!status && !text) status = fault_memory(r->error, "the problems of %s", path);
    if (!status) at = jsonl_mark(text, n);
    if (!status && n >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        status = fault(r->error, EAD_FORMAT, "%s: expected UTF-8, found UTF-16", path);
    while (!status) {
        for (; at < n && isspace((unsigned char)text[at]); at++) line += text[at] == '\n';
        if (at == n) break;
        size_t used = 0;
        status = read_value(r, path, text + at, n - at, line, &used);
        for (; used && at < n; at++, used--) line += text[at] == '\n';
    }
    free(text);
    return status;
}

static ead_status read_directory(struct reader *r, const char *path)
{
    struct listing files;
    ead_status status = listing_open(path, ".json", &files, r->error);
    if (status) return status;
    for (size_t i = 0; i < files.n && !status; i++) status = read_file(r, files.paths[i]);
    listing_close(&files);
    return status;
}

/* ---- the dataset --------------------------------------------------------------------------- */

static ead_status read_format(struct reader *r, const char *format)
{
    r->known = strcmp(format, "auto") != 0;
    r->dataset->format = !strcmp(format, "gsm8k") ? DATASET_GSM8K : DATASET_MATH;
    if (!r->known || !strcmp(format, "gsm8k") || !strcmp(format, "math")) return EAD_OK;
    return fault(r->error, EAD_ARGUMENT, "format: expected math, gsm8k or auto, found \"%s\"",
                 format);
}

static ead_status read_path(struct reader *r, const char *path)
{
    struct stat about = {0};
    if (!strcmp(path, "-")) path = standard_input;
    if (path != standard_input && stat(path, &about))
        return fault(r->error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    const bool directory = S_ISDIR(about.st_mode);
    r->dataset->name = directory || S_ISREG(about.st_mode) ? file_name(path) : strdup("-");
    if (!r->dataset->name) return fault_memory(r->error, "the problems of %s", path);
    ead_status status = directory ? read_directory(r, path) : read_file(r, path);
    if (!status && !r->dataset->n && r->dataset->n_skipped)
        status = fault(r->error, EAD_FORMAT, "%s: expected problems, found %zu bad records; %.300s",
                       path, r->dataset->n_skipped, r->dataset->skipped);
    else if (!status && !r->dataset->n)
        status = fault(r->error, EAD_FORMAT, "%s: expected problems, found none", path);
    return status;
}

ead_status dataset_open(const char *path, const char *format, bool skip_bad, struct dataset **out,
                        ead_error *error)
{
    ead_error own;
    struct reader r = {.dataset = calloc(1, sizeof *r.dataset),
                       .owner = calloc(1, sizeof *r.owner),
                       .skip_bad = skip_bad,
                       .error = error ? error : &own};
    if (r.owner) r.owner->objects = json_array();
    if (r.dataset) r.dataset->owner = r.owner;
    ead_status status = EAD_OK;
    if (!r.dataset || !r.owner || !r.owner->objects)
        status = fault_memory(r.error, "the problems of %s", path);
    if (!status) status = read_format(&r, format);
    if (!status) status = read_path(&r, path);
    if (!status) {
        *out = r.dataset;
        return EAD_OK;
    }
    if (!r.dataset) owner_free(r.owner);
    dataset_close(r.dataset);
    return status;
}

void dataset_close(struct dataset *dataset)
{
    if (!dataset) return;
    owner_free(dataset->owner);
    free(dataset->problems);
    free(dataset->name);
    free(dataset->skipped);
    free(dataset);
}
