/* Bytes as JSON can carry them. */
#ifndef EAD_JSON_UNICODE_H
#define EAD_JSON_UNICODE_H

#include <jansson.h>
#include <stddef.h>

/* A NUL-terminated copy, to be freed, in which every byte that is not part of valid UTF-8, and NUL,
 * is replaced by U+FFFD. NULL without memory. */
char *unicode_text(const char *text, size_t n);

/* A JSON string of those; NULL without memory. */
json_t *unicode_json(const char *text, size_t n);

#endif
