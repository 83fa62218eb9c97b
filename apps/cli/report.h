/* The account of a run: printed to stderr and written as JSON, with the same names in both. */
#ifndef EAD_CLI_REPORT_H
#define EAD_CLI_REPORT_H

#include "cli/pair.h"
#include "ead.h"

#include <jansson.h>

/* The summary as a JSON object (NULL without memory); `stop` says why the text ended. */
json_t *report_build(const struct pair *p, const char *stop);

/* The same for people. */
void report_print(const json_t *report);

/* Say on stderr what a user of models behind an API may want to change. */
void report_warn(const struct pair *p);

#endif
