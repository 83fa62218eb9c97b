#include "cli/trace.h"

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/source.h"
#include "eval/jsonio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

FILE *trace_create(const char *path)
{
    FILE *to = fopen(path, "w");
    if (!to)
        fail("%s: cannot create: %s", path, strerror(errno));
    else
        setvbuf(to, NULL, _IOLBF, 1 << 16);
    return to;
}

int trace_write(FILE *to, const char *path, const ead_token *token, const char *text, size_t bytes)
{
    json_t *string = json_text(text, bytes);
    char *quoted = string ? jsonio_text(string, JSON_ENCODE_ANY) : NULL;
    char entropy[32], rolling[32];
    int bad = !quoted;
    if (quoted)
        bad = fprintf(to,
                      "{\"i\": %lld, \"id\": %d, \"text\": %s, \"model\": \"%s\", \"entropy\": %s, "
                      "\"rolling\": %s, \"ms\": %.3f, \"switched\": %s}\n",
                      (long long)token->index, token->id, quoted,
                      token->writer == EAD_LARGE ? "large" : "small",
                      json_digits((double)token->entropy, entropy),
                      json_digits(token->rolling, rolling), 1e3 * token->seconds,
                      token->switched ? "true" : "false") < 0;
    free(quoted);
    json_decref(string);
    return bad ? fail("%s: cannot write: %s", path, strerror(errno)) : EXIT_OK;
}

int trace_close(FILE *to, const char *path, int status)
{
    int bad = ferror(to);
    bad |= fclose(to);
    if (status) return status;
    return bad ? fail("%s: cannot write: %s", path, strerror(errno)) : EXIT_OK;
}

/* The writer a line names, or -1. */
static int line_writer(const char *line, size_t n)
{
    json_t *object = json_loadb(line, n, 0, NULL);
    const char *model = json_string_value(json_object_get(object, "model"));
    int writer = !model                    ? -1
                 : !strcmp(model, "large") ? EAD_LARGE
                 : !strcmp(model, "small") ? EAD_SMALL
                                           : -1;
    json_decref(object);
    return writer;
}

static int read_lines(const char *path, const char *text, uint8_t *writers, size_t *n)
{
    *n = 0;
    size_t number = 1;
    for (const char *at = text; *at; number++) {
        size_t length = strcspn(at, "\n");
        if (length) {
            int writer = line_writer(at, length);
            if (writer < 0)
                return fail("%s: line %zu: expected a JSON object with \"model\": \"small\" or "
                            "\"large\"",
                            path, number);
            writers[(*n)++] = (uint8_t)writer;
        }
        at += length + (at[length] == '\n');
    }
    return *n ? EXIT_OK : fail("%s: expected a trace of at least one token, found none", path);
}

int trace_read(const char *path, uint8_t **writers, size_t *n)
{
    char *text;
    size_t bytes;
    if (source_read(path, &text, &bytes)) return EXIT_FAIL;
    source_unmark(text, &bytes);
    *writers = malloc(bytes + 1); /* a line is longer than the byte it becomes */
    int status =
        *writers ? read_lines(path, text, *writers, n) : fail("%s: no memory for it", path);
    free(text);
    if (status) {
        free(*writers);
        *writers = NULL;
    }
    return status;
}
