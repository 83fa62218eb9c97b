/* The public face: policies and their options. Contracts are in ead.h. */
#include "face.h"

#include "decode/policy.h"

#include <string.h>

const ead_policy_info *ead_policy_describe(ead_policy_kind kind)
{
    const struct policy_rule *rule = policy_rule(kind);
    return rule ? &rule->info : NULL;
}

int ead_policy_parse(const char *name)
{
    const ead_policy_info *info;
    for (int kind = 0; (info = ead_policy_describe((ead_policy_kind)kind)); kind++)
        if (!strcmp(info->name, name)) return kind;
    return -1;
}

const ead_policy_option *ead_policy_option_at(size_t i)
{
    return policy_option(i);
}

double ead_policy_value(const ead_policy_options *options, const ead_policy_option *option)
{
    return policy_option_value(options, option);
}
