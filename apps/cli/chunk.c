#include "cli/chunk.h"

#include <math.h>
#include <string.h>

static enum status refuse(const char *field, const char *expected, struct err *err)
{
    return err_set(err, ST_FORMAT, "an event of the stream: %s: expected %s", field, expected);
}

/* A failure within a stream, in OpenAI's form or in the one of older servers. */
static enum status read_error(const json_t *event, struct err *err)
{
    const json_t *error = json_object_get(event, "error");
    const char *kind = json_string_value(json_object_get(event, "object"));
    if (kind && !strcmp(kind, "error")) error = event;
    if (!error || json_is_null(error)) return ST_OK;
    const char *message = json_string_value(error);
    if (!message) message = json_string_value(json_object_get(error, "message"));
    return err_set(err, ST_IO, "the server failed: %.600s",
                   message ? message : "it does not say why");
}

static enum status read_text(const json_t *choice, struct chunk *out, struct err *err)
{
    const json_t *delta = json_object_get(choice, "delta");
    if (!json_is_object(delta)) return refuse("choices[0].delta", "an object", err);
    const json_t *content = json_object_get(delta, "content");
    if (!content || json_is_null(content)) return ST_OK;
    if (!json_is_string(content)) return refuse("choices[0].delta.content", "a string", err);
    out->text = json_string_value(content);
    out->n = json_string_length(content);
    return ST_OK;
}

static enum status read_finish(const json_t *choice, struct chunk *out, struct err *err)
{
    const json_t *finish = json_object_get(choice, "finish_reason");
    if (finish && !json_is_null(finish) && !json_is_string(finish))
        return refuse("choices[0].finish_reason", "a string or null", err);
    out->finish = json_string_value(finish);
    return ST_OK;
}

static enum status read_lost(const json_t *story, struct chunk *out, struct err *err)
{
    const json_t *lost = json_object_get(story, "lost");
    if (!lost || json_is_null(lost)) return ST_OK;
    if (!json_is_array(lost)) return refuse("choices[0].ead.lost", "an array", err);
    for (size_t i = 0; i < json_array_size(lost); i++)
        if (!json_is_string(json_object_get(json_array_get(lost, i), "text")))
            return refuse("choices[0].ead.lost", "objects with a \"text\"", err);
    out->lost = lost;
    return ST_OK;
}

/* Who wrote it; absent where the server is no `ead serve`, or several tokens come at once. */
static enum status read_story(const json_t *choice, struct chunk *out, struct err *err)
{
    const json_t *story = json_object_get(choice, "ead");
    const char *model = json_string_value(json_object_get(story, "model"));
    if (!json_is_object(story)) return ST_OK;
    if (!model || (strcmp(model, "small") && strcmp(model, "large")))
        return refuse("choices[0].ead.model", "\"small\" or \"large\"", err);
    const json_t *entropy = json_object_get(story, "entropy");
    out->told = true;
    out->writer = strcmp(model, "large") ? EAD_SMALL : EAD_LARGE;
    out->entropy = json_is_number(entropy) ? json_number_value(entropy) : NAN;
    return read_lost(story, out, err);
}

static enum status read_choice(const json_t *choice, struct chunk *out, struct err *err)
{
    TRY(read_text(choice, out, err));
    TRY(read_finish(choice, out, err));
    return read_story(choice, out, err);
}

enum status chunk_read(const char *data, size_t n, struct chunk *out, struct err *err)
{
    json_error_t fault;
    *out = (struct chunk){.text = "", .entropy = NAN};
    out->json = json_loadb(data, n, JSON_ALLOW_NUL, &fault);
    if (!out->json)
        return err_set(err, ST_FORMAT, "an event of the stream is no JSON: %s", fault.text);
    TRY(read_error(out->json, err));
    const json_t *choices = json_object_get(out->json, "choices");
    if (!json_is_array(choices)) return refuse("choices", "an array", err);
    out->usage = json_object_get(out->json, "usage");
    if (!json_is_object(out->usage)) out->usage = NULL;
    return json_array_size(choices) ? read_choice(json_array_get(choices, 0), out, err) : ST_OK;
}

void chunk_deinit(struct chunk *c)
{
    json_decref(c->json);
    *c = (struct chunk){0};
}
