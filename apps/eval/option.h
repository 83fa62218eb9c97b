/* The library's table of policy options, as the programs read it. */
#ifndef EAD_EVAL_OPTION_H
#define EAD_EVAL_OPTION_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>

enum { OPTION_TEXT_MAX = 32, OPTION_RANGE_MAX = 192 };

/* The option of that name; NULL when there is none. */
const ead_policy_option *option_find(const char *name);
/* Does the policy of that kind look at it? */
bool option_concerns(const ead_policy_option *option, ead_policy_kind kind);
/* Do these options make their policy go by a table of risks? */
bool option_wants_table(const ead_policy_options *rule);
/* Can a policy be told by its options alone? Not where it repeats a recording or is a function. */
bool option_tells_all(ead_policy_kind kind);

/* Give it a value, which must be in its range; of a whole number or a word it is rounded. */
void option_put(const ead_policy_option *option, ead_policy_options *to, double value);
/* The value that a text means: a number, a word, "on" or "off". False when it is none of the
 * option's. */
bool option_read(const ead_policy_option *option, const char *text, double *value);
/* What a text should have been: "a number from 0 to 1". */
void option_range(const ead_policy_option *option, char out[OPTION_RANGE_MAX]);
/* A value as a text that reads back the same, with as few digits as that takes. */
void option_show(const ead_policy_option *option, double value, char out[OPTION_TEXT_MAX]);
/* As JSON: a number, true or false, or a word, as an infinite number is one too. */
json_t *option_json(const ead_policy_option *option, double value);

#endif
