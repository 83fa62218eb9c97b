#include "cli/source.h"

#include "cli/cli.h"
#include "eval/jsonl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_all(FILE *from, const char *name, char **data, size_t *bytes)
{
    size_t used = 0, room = 1 << 16;
    char *all = malloc(room + 1);
    while (all) {
        used += fread(all + used, 1, room - used, from);
        if (used < room) break;
        if (room >= SOURCE_MAX) {
            free(all);
            return fail("%s: longer than %d MiB", name, SOURCE_MAX >> 20);
        }
        char *more = realloc(all, 2 * room + 1);
        if (!more) free(all);
        all = more;
        room *= 2;
    }
    if (!all) return fail("%s: no memory for it", name);
    if (ferror(from)) {
        free(all);
        return fail("%s: cannot read: %s", name, strerror(errno));
    }
    all[used] = 0;
    *data = all;
    *bytes = used;
    return EXIT_OK;
}

int source_read(const char *path, char **data, size_t *bytes)
{
    if (!strcmp(path, "-")) return read_all(stdin, "standard input", data, bytes);
    FILE *file = fopen(path, "rb");
    if (!file) return fail("%s: cannot open: %s", path, strerror(errno));
    int status = read_all(file, path, data, bytes);
    fclose(file);
    return status;
}

void source_chomp(char *text, size_t *bytes)
{
    if (*bytes && text[*bytes - 1] == '\n') text[--*bytes] = 0;
    if (*bytes && text[*bytes - 1] == '\r') text[--*bytes] = 0;
}

void source_unmark(char *text, size_t *bytes)
{
    const size_t mark = jsonl_mark(text, *bytes);
    *bytes -= mark;
    memmove(text, text + mark, *bytes + 1);
}

int source_ids(const char *what, const char *text, int32_t **ids, size_t *n)
{
    int32_t *all = malloc((strlen(text) / 2 + 1) * sizeof *all);
    size_t count = 0;
    if (!all) return fail("%s: no memory for the numbers", what);
    for (const char *at = text; *(at += strspn(at, ", \t\r\n"));) {
        char *end;
        errno = 0;
        long id = strtol(at, &end, 10);
        if (end == at || errno || id < 0 || id > INT32_MAX || (*end && !strchr(", \t\r\n", *end))) {
            free(all);
            return fail("%s %zu: expected a number from 0 to %d, found \"%.20s\"", what, count,
                        INT32_MAX, at);
        }
        all[count++] = (int32_t)id;
        at = end;
    }
    *ids = all;
    *n = count;
    return EXIT_OK;
}

int source_tokenize(const ead_model *model, const char *text, size_t bytes, unsigned flags,
                    int32_t **ids, size_t *n)
{
    ead_error error;
    if (ead_tokenize(model, text, bytes, flags, ids, n, &error)) return fail_error(&error);
    if (ead_text_brings_bos(model, text, bytes, flags))
        fprintf(stderr, "ead: the text begins with the vocabulary's BOS; no second one is added\n");
    return EXIT_OK;
}
