#include "server/field.h"

#include "json/jsonio.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

json_t *field_get(const struct field *f, const char *name)
{
    json_t *value = json_object_get(f->object, name);
    return json_is_null(value) ? NULL : value;
}

static const char *kind_of(const json_t *value)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return value ? kinds[json_typeof(value)] : "nothing";
}

void field_found(const json_t *value, char out[FIELD_FOUND_MAX])
{
    const size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(10);
    if (json_is_string(value))
        snprintf(out, FIELD_FOUND_MAX, "\"%.40s\"", json_string_value(value));
    else if (json_is_number(value)) /* as it is written: 2.0 is no 2 */
        out[json_dumpb(value, out, FIELD_FOUND_MAX - 1, flags)] = 0;
    else
        snprintf(out, FIELD_FOUND_MAX, "%s", kind_of(value));
}

void field_path(char out[96], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, 96, format, args);
    va_end(args);
}

bool field_refuse(const struct field *f, const char *name, const char *expected)
{
    char param[96], found[FIELD_FOUND_MAX];
    field_path(param, "%s%s", f->path, name);
    field_found(json_object_get(f->object, name), found);
    return refuse(f->refusal, 400, "invalid_value", param, "%s: expected %s, found %s", param,
                  expected, found);
}

bool field_flag(const struct field *f, const char *name, bool *out)
{
    const json_t *value = field_get(f, name);
    if (!value) return true;
    if (!json_is_boolean(value)) return field_refuse(f, name, "true or false");
    *out = json_is_true(value);
    return true;
}

bool field_int(const struct field *f, const char *name, int64_t low, int64_t high, int64_t *out)
{
    char expected[96];
    const json_t *value = field_get(f, name);
    if (!value) return true;
    const double real = json_is_real(value) ? json_real_value(value) : 0;
    const bool whole = json_is_integer(value) ||
                       (json_is_real(value) && fabs(real) < 0x1p53 && floor(real) == real);
    const int64_t x = !whole                   ? 0
                      : json_is_integer(value) ? json_integer_value(value)
                                               : (int64_t)real;
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)low,
             (long long)high);
    if (!whole || x < low || x > high) return field_refuse(f, name, expected);
    *out = x;
    return true;
}

bool field_real(const struct field *f, const char *name, double low, double high, double *out)
{
    char expected[96];
    const json_t *value = field_get(f, name);
    if (!value) return true;
    const double x = json_number_value(value);
    snprintf(expected, sizeof expected, "a number from %.10g to %.10g", low, high);
    if (!json_is_number(value) || !(x >= low && x <= high)) return field_refuse(f, name, expected);
    *out = x;
    return true;
}

bool field_id(const struct field *f, const char *name, size_t i, const json_t *id, int n)
{
    char found[FIELD_FOUND_MAX];
    if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) < n)
        return true;
    field_found(id, found);
    return refuse(f->refusal, 400, "invalid_value", name,
                  "%s: entry %zu: expected an id from 0 to %d, found %s", name, i, n - 1, found);
}

bool field_text(const struct field *f, const char *name, const char **out)
{
    const json_t *value = field_get(f, name);
    if (!value) return true;
    if (!json_is_string(value)) return field_refuse(f, name, "a string");
    *out = json_string_value(value);
    return true;
}

/* ---- bodies ------------------------------------------------------------------------------ */

/* Add a text to what was read, if that leaves it light. */
static bool is_light(const char *body, size_t n, struct field_weight *weight)
{
    size_t groups = weight->groups, commas = weight->commas;
    bool inside = false; /* of a string */
    for (size_t i = 0; i < n; i++) {
        const char c = body[i];
        if (c == '"') inside = !inside;
        if (inside) {
            i += c == '\\';
            continue;
        }
        groups += c == '[' || c == '{';
        commas += c == ',';
    }
    if (groups > FIELD_GROUPS_MAX || commas > FIELD_COMMAS_MAX) return false;
    *weight = (struct field_weight){groups, commas};
    return true;
}

json_t *field_json(const struct field *f, const char *text, size_t n)
{
    json_error_t error;
    return is_light(text, n, f->weight) ? jsonio_read(text, n, 0, &error) : NULL;
}

static json_t *bad_json(struct refusal *r, const json_error_t *error)
{
    const enum json_error_code code = json_error_code(error);
    const bool nul = code == json_error_null_character || code == json_error_null_byte_in_key;
    if (!error->text[0])
        refuse_memory(r);
    else
        refuse(r, 400, "invalid_json", NULL, "the body is no JSON: line %d, column %d: %.120s",
               error->line, error->column, nul ? "\\u0000 is in no text here" : error->text);
    return NULL;
}

json_t *field_read(const char *body, size_t n, struct field_weight *weight, struct refusal *r)
{
    json_error_t error;
    *weight = (struct field_weight){0};
    if (!is_light(body, n, weight)) {
        refuse(r, 413, "too_many_values", NULL,
               "the body: expected at most %d arrays and objects, and %d commas", FIELD_GROUPS_MAX,
               FIELD_COMMAS_MAX);
        return NULL;
    }
    json_t *value = jsonio_read(body, n, 0, &error);
    if (!value) return bad_json(r, &error);
    if (json_is_object(value)) return value;
    json_decref(value);
    refuse(r, 400, "invalid_json", NULL, "the body: expected a JSON object, found an array");
    return NULL;
}
