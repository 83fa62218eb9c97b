/* Reading files of one JSON object a line, and fields of objects; every complaint names file, line
 * and field. */
#ifndef EAD_EVAL_JSONL_H
#define EAD_EVAL_JSONL_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct jsonl {
    const char *path; /* borrowed */
    FILE *from;
    char *line;
    size_t capacity, number; /* number: of the line last read, from 1 */
};

/* Open a file that may be absent: then EAD_OK, and jsonl_next finds nothing. */
ead_status jsonl_open(struct jsonl *j, const char *path, ead_error *error);
void jsonl_close(struct jsonl *j);
/* The next object, to be released; NULL behind the last one. A last line without its newline was
 * cut off in mid-writing and counts as absent. */
ead_status jsonl_next(struct jsonl *j, json_t **out, ead_error *error);

/* Bytes of the byte order mark that some editors put before a text; 0 where there is none. */
size_t jsonl_mark(const char *text, size_t n);
/* json_loadf, but for a byte order mark. */
json_t *jsonl_load(FILE *from, json_error_t *bad);

/* Fields of `object`, which stands at PLACE ("FILE, line 3"). */
struct jsonl_field {
    const char *path;
    size_t line; /* 0: the file is one object */
    const json_t *object;
};
ead_status jsonl_text(const struct jsonl_field *at, const char *name, const char **out,
                      ead_error *error);
ead_status jsonl_whole(const struct jsonl_field *at, const char *name, json_int_t low,
                       json_int_t high, json_int_t *out, ead_error *error);
ead_status jsonl_real(const struct jsonl_field *at, const char *name, double *out,
                      ead_error *error);
ead_status jsonl_flag(const struct jsonl_field *at, const char *name, bool *out, ead_error *error);
/* An array of two numbers that are not negative: of the small and of the large model. */
ead_status jsonl_both(const struct jsonl_field *at, const char *name, double out[2],
                      ead_error *error);
/* Say what was expected of a field, and what was found. */
ead_status jsonl_unfit(const struct jsonl_field *at, const char *name, const char *expected,
                       ead_error *error);

#endif
