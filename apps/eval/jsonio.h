/*
 * JSON read and written so that no memory means no result. Where jansson finds none for a part of a
 * token it goes on without that part, and writes what lacks it or stops at an assertion. Here it is
 * left at the first refusal, and what it had by then is released.
 */
#ifndef EAD_EVAL_JSONIO_H
#define EAD_EVAL_JSONIO_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* As json_loadb and json_load_callback. NULL with an empty bad->text means that there was no
 * memory. */
json_t *jsonio_read(const char *text, size_t n, size_t flags, json_error_t *bad);
json_t *jsonio_read_by(json_load_callback_t read, void *data, json_error_t *bad);

/* What to say after NULL: no memory, or what is wrong in which line of `path`, the first of the
 * text being `line`. */
ead_status jsonio_fault(const json_error_t *bad, const char *path, size_t line, ead_error *error);

/* As json_dumps: NULL without memory, or when there is no value. */
char *jsonio_text(const json_t *value, size_t flags);
/* As json_dump_callback and json_dumpf: false without memory. That a file takes no more stays with
 * the file, whose owner asks it at the end. */
bool jsonio_write(const json_t *value, json_dump_callback_t write, void *data, size_t flags);
bool jsonio_write_file(const json_t *value, FILE *to, size_t flags);

#endif
