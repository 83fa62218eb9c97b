#include "eval/jsonl.h"

#include "eval/fault.h"
#include "json/jsonio.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

ead_status jsonl_open(struct jsonl *j, const char *path, ead_error *error)
{
    *j = (struct jsonl){.path = path, .from = fopen(path, "r")};
    if (!j->from && errno != ENOENT)
        return fault(error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    return EAD_OK;
}

void jsonl_close(struct jsonl *j)
{
    if (j->from) fclose(j->from);
    free(j->line);
    *j = (struct jsonl){0};
}

ead_status jsonl_next(struct jsonl *j, json_t **out, ead_error *error)
{
    json_error_t bad;
    *out = NULL;
    if (!j->from) return EAD_OK;
    ssize_t n = getline(&j->line, &j->capacity, j->from);
    if (n < 0 && !feof(j->from)) /* also without memory for the line */
        return fault(error, EAD_IO, "%s: cannot read: %s", j->path, strerror(errno));
    if (n < 0 || j->line[n - 1] != '\n') return EAD_OK;
    j->number++;
    *out = jsonio_read(j->line, (size_t)n, 0, &bad);
    if (json_is_object(*out)) return EAD_OK;
    if (!*out && !bad.text[0]) return fault_json(&bad, j->path, j->number, error);
    const bool parsed = *out;
    json_decref(*out);
    *out = NULL;
    return fault(error, EAD_FORMAT, "%s, line %zu: expected a JSON object, found %s", j->path,
                 j->number, parsed ? "another value" : bad.text);
}

size_t jsonl_mark(const char *text, size_t n)
{
    return n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

struct unmarked {
    FILE *from;
    bool begun;
};

static size_t read_unmarked(void *buffer, size_t n, void *context)
{
    struct unmarked *u = context;
    char *text = buffer;
    const size_t got = fread(text, 1, n, u->from), mark = u->begun ? 0 : jsonl_mark(text, got);
    u->begun = true;
    memmove(text, text + mark, got - mark);
    return got - mark;
}

json_t *jsonl_load(FILE *from, json_error_t *bad)
{
    struct unmarked unmarked = {.from = from};
    return jsonio_read_by(read_unmarked, &unmarked, bad);
}

/* ---- fields ------------------------------------------------------------------------------ */

ead_status jsonl_unfit(const struct jsonl_field *at, const char *name, const char *expected,
                       ead_error *error)
{
    const json_t *value = json_object_get(at->object, name);
    char *found = value ? jsonio_text(value, JSON_ENCODE_ANY) : NULL;
    char line[32] = "";
    if (at->line) snprintf(line, sizeof line, ", line %zu", at->line);
    ead_status st = fault(error, EAD_FORMAT, "%s%s: field \"%s\": expected %s, found %.80s",
                          at->path, line, name, expected,
                          found   ? found
                          : value ? "a value that cannot be shown"
                                  : "none");
    free(found);
    return st;
}

ead_status jsonl_text(const struct jsonl_field *at, const char *name, const char **out,
                      ead_error *error)
{
    const json_t *value = json_object_get(at->object, name);
    if (!json_is_string(value)) return jsonl_unfit(at, name, "a text", error);
    *out = json_string_value(value);
    return EAD_OK;
}

ead_status jsonl_whole(const struct jsonl_field *at, const char *name, json_int_t low,
                       json_int_t high, json_int_t *out, ead_error *error)
{
    const json_t *value = json_object_get(at->object, name);
    char expected[96];
    *out = json_integer_value(value);
    if (json_is_integer(value) && *out >= low && *out <= high) return EAD_OK;
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)low,
             (long long)high);
    return jsonl_unfit(at, name, expected, error);
}

ead_status jsonl_real(const struct jsonl_field *at, const char *name, double *out, ead_error *error)
{
    const json_t *value = json_object_get(at->object, name);
    *out = json_number_value(value);
    return json_is_number(value) ? EAD_OK : jsonl_unfit(at, name, "a number", error);
}

ead_status jsonl_flag(const struct jsonl_field *at, const char *name, bool *out, ead_error *error)
{
    const json_t *value = json_object_get(at->object, name);
    *out = json_is_true(value);
    return json_is_boolean(value) ? EAD_OK : jsonl_unfit(at, name, "true or false", error);
}

ead_status jsonl_both(const struct jsonl_field *at, const char *name, double out[2],
                      ead_error *error)
{
    const json_t *value = json_object_get(at->object, name);
    bool good = json_is_array(value) && json_array_size(value) == 2;
    for (size_t i = 0; good && i < 2; i++) {
        const json_t *one = json_array_get(value, i);
        out[i] = json_number_value(one);
        good = json_is_number(one) && out[i] >= 0;
    }
    return good ? EAD_OK
                : jsonl_unfit(at, name, "two numbers from 0, of the small and the large model",
                              error);
}
