#include "eval/option.h"

#include <string.h>

const ead_policy_option *option_find(const char *name)
{
    const ead_policy_option *option;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++)
        if (!strcmp(option->name, name)) return option;
    return NULL;
}

bool option_concerns(const ead_policy_option *option, ead_policy_kind kind)
{
    return option->policies >> kind & 1;
}
