/*
 * JSON read and written so that no memory means no result. Where jansson finds none for a part of a
 * token it goes on without that part, and writes what lacks it or stops at an assertion. Here it is
 * left at the first refusal, and what it had by then is released.
 *
 * From the first call on jansson's memory comes through here, in all threads.
 */
#ifndef EAD_JSON_JSONIO_H
#define EAD_JSON_JSONIO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* As json_loadb and json_load_callback. NULL with an empty bad->text means that there was no
 * memory. */
json_t *jsonio_read(const char *text, size_t n, size_t flags, json_error_t *bad);
json_t *jsonio_read_by(json_load_callback_t read, void *data, json_error_t *bad);

/* As json_dumps: NULL without memory, or when there is no value. */
char *jsonio_text(const json_t *value, size_t flags);
/* As json_dump_callback and json_dumpf: false without memory. That a file takes no more stays with
 * the file, whose owner asks it at the end. */
bool jsonio_write(const json_t *value, json_dump_callback_t write, void *data, size_t flags);
bool jsonio_write_file(const json_t *value, FILE *to, size_t flags);

/* Building. Where jansson finds no memory for a part, it makes the whole without it, and says so to
 * nobody who does not ask after every part. Ask here once: since jsonio_begin, has this thread
 * found no memory for anything of jansson's, or what jsonio_lacks told of? */
void jsonio_begin(void);
void jsonio_lacks(void);
bool jsonio_lacked(void);
/* What was built since jsonio_begin; or NULL, when it was lacking, after releasing it. */
json_t *jsonio_whole(json_t *value);

#endif
