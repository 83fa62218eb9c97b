/* What the commands add to jansson: text that may not be UTF-8, numbers that may not be finite, and
 * one way to write a file. */
#ifndef EAD_CLI_JSON_H
#define EAD_CLI_JSON_H

#include "ead.h"

#include <jansson.h>
#include <stddef.h>

/* A JSON string in which every byte that is not part of valid UTF-8, and NUL, is replaced by
 * U+FFFD; NULL without memory. */
json_t *json_text(const char *text, size_t n);

/* null when x is not finite, which JSON cannot say. */
json_t *json_number(double x);

/* A policy's value of an option. JSON has no infinity; what is beyond any entropy means the same.
 */
json_t *json_option(const ead_policy_options *policy, const ead_policy_option *option);

/* x rounded to the fewest digits (9 to 17) that read back as x, as text for printf("%s"). */
const char *json_digits(double x, char out[32]);

/* Write `value` and a newline to `path` ("-" is standard output). EXIT_FAIL after saying why. */
int json_write(const char *path, const json_t *value);

#endif
