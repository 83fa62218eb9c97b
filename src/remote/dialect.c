#include "remote/dialect.h"

#include <string.h>

static const struct dialect *const dialects[] = {&dialect_vllm, &dialect_sglang, &dialect_llamacpp,
                                                 &dialect_ead, &dialect_openai};

const struct dialect *dialect_at(size_t i)
{
    return i < sizeof dialects / sizeof *dialects ? dialects[i] : NULL;
}

const struct dialect *dialect_find(const char *name, size_t n)
{
    const struct dialect *d;
    for (size_t i = 0; (d = dialect_at(i)); i++)
        if (strlen(d->name) == n && !memcmp(d->name, name, n)) return d;
    return NULL;
}

/* Words in a text, an object with a message, or a list of those. */
static const char *words(const json_t *said)
{
    if (json_is_string(said)) return json_string_value(said);
    if (json_is_array(said)) said = json_array_get(said, 0);
    const char *text = json_string_value(json_object_get(said, "message"));
    if (!text) text = json_string_value(json_object_get(said, "msg"));
    return text ? text : "an error without a message";
}

const char *dialect_error(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    if (error && !json_is_null(error)) return words(error);
    const char *object = json_string_value(json_object_get(answer, "object"));
    if (object && !strcmp(object, "error")) return words(answer);
    const json_t *detail = json_object_get(answer, "detail");
    return detail && !json_is_null(detail) ? words(detail) : NULL;
}
