#include "eval/option.h"

#include <math.h>
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

double option_value(const ead_policy_options *o, const ead_policy_option *option)
{
    const void *at = (const char *)o + option->offset;
    switch (option->type) {
    case EAD_OPTION_REAL: return *(const double *)at;
    case EAD_OPTION_INT: return *(const int *)at;
    case EAD_OPTION_FLAG: return *(const bool *)at;
    case EAD_OPTION_WRITER: return (int)*(const ead_writer *)at;
    }
    return NAN;
}
