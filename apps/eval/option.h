/* The library's table of policy options, as the programs read it. */
#ifndef EAD_EVAL_OPTION_H
#define EAD_EVAL_OPTION_H

#include "ead.h"

#include <stdbool.h>

/* The option of that name; NULL when there is none. */
const ead_policy_option *option_find(const char *name);
/* Does the policy of that kind look at it? */
bool option_concerns(const ead_policy_option *option, ead_policy_kind kind);

#endif
