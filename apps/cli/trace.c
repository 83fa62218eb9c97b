#include "cli/trace.h"

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/source.h"
#include "json/jsonio.h"

#include <errno.h>
#include <math.h>
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

/* A number as JSON has it; null where there is none. */
static const char *digits(double x, char out[32])
{
    return isfinite(x) ? json_digits(x, out) : "null";
}

int trace_write(FILE *to, const char *path, const ead_token *token, const char *text, size_t bytes)
{
    json_t *string = json_text(text, bytes);
    char *quoted = string ? jsonio_text(string, JSON_ENCODE_ANY) : NULL;
    char back[48] = "", bounds[128] = "", log_prob[32], entropy[32], rolling[32];
    const char *alone = token->alone ? "\"alone\": true, " : "";
    int bad = !quoted;
    if (token->taken_back > 0)
        snprintf(back, sizeof back, "\"taken_back\": %d, ", token->taken_back);
    if (!token->stats.exact)
        snprintf(bounds, sizeof bounds,
                 "\"entropy_lo\": %s, \"entropy_hi\": %s, \"exact\": false, ",
                 digits((double)token->stats.entropy_lo, log_prob),
                 digits((double)token->stats.entropy_hi, entropy));
    if (quoted)
        bad =
            fprintf(
                to,
                "{\"i\": %lld, %s%s\"id\": %d, \"text\": %s, \"model\": \"%s\", \"log_prob\": %s, "
                "\"entropy\": %s, %s\"rolling\": %s, \"ms\": %.3f, \"switched\": %s}\n",
                (long long)token->index, back, alone, token->id, quoted,
                token->writer == EAD_LARGE ? "large" : "small",
                digits((double)token->log_prob, log_prob), digits((double)token->entropy, entropy),
                bounds, digits(token->rolling, rolling), 1e3 * token->seconds,
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

struct line {
    int writer;            /* -1: it names none */
    json_int_t taken_back; /* -1: that is no number */
};

static struct line parse_line(const char *text, size_t n)
{
    json_t *object = json_loadb(text, n, 0, NULL);
    const char *model = json_string_value(json_object_get(object, "model"));
    const json_t *back = json_object_get(object, "taken_back");
    const struct line line = {.writer = !model                    ? -1
                                        : !strcmp(model, "large") ? EAD_LARGE
                                        : !strcmp(model, "small") ? EAD_SMALL
                                                                  : -1,
                              .taken_back = !back                   ? 0
                                            : json_is_integer(back) ? json_integer_value(back)
                                                                    : -1};
    json_decref(object);
    return line;
}

static int read_lines(const char *path, const char *text, ead_replay *places, size_t *n)
{
    *n = 0;
    size_t number = 1;
    for (const char *at = text; *at; number++) {
        size_t length = strcspn(at, "\n");
        if (length) {
            const struct line line = parse_line(at, length);
            if (line.writer < 0)
                return fail("%s: line %zu: expected a JSON object with \"model\": \"small\" or "
                            "\"large\"",
                            path, number);
            if (line.taken_back < 0 || (size_t)line.taken_back > *n)
                return fail("%s: line %zu: taken_back: expected a number from 0 to %zu, the tokens "
                            "before it",
                            path, number, *n);
            *n -= (size_t)line.taken_back;
            places[(*n)++] = (ead_replay){.writer = (uint8_t)line.writer};
        }
        at += length + (at[length] == '\n');
    }
    return *n ? EXIT_OK : fail("%s: expected a trace of at least one token, found none", path);
}

int trace_read(const char *path, ead_replay **places, size_t *n)
{
    char *text;
    size_t bytes;
    if (source_read(path, &text, &bytes)) return EXIT_FAIL;
    source_unmark(text, &bytes);
    *places = malloc(bytes + sizeof **places); /* a line is longer than the place it becomes */
    int status = *places ? read_lines(path, text, *places, n) : fail("%s: no memory for it", path);
    free(text);
    if (status) {
        free(*places);
        *places = NULL;
    }
    return status;
}
