#include "cli/steer.h"

#include "eval/option.h"

#include <stdio.h>
#include <string.h>

void steer_names(bool data, const char *names[STEER_NAMES_MAX])
{
    const ead_policy_info *info;
    int n = 0;
    for (int needs = 0; needs <= data; needs++)
        for (int kind = 0; (info = ead_policy_describe((ead_policy_kind)kind)); kind++)
            if (kind != EAD_POLICY_CUSTOM && info->needs_data == needs && n < STEER_NAMES_MAX - 1)
                names[n++] = info->name;
    names[n] = NULL;
}

/* ---- rows -------------------------------------------------------------------------------- */

static const char *const states[] = {"off", "on", NULL};

static enum arg_kind kind_of(const ead_policy_option *option)
{
    static const enum arg_kind kinds[] = {[EAD_OPTION_REAL] = ARG_REAL,
                                          [EAD_OPTION_INT] = ARG_INT,
                                          [EAD_OPTION_FLAG] = ARG_FLAG,
                                          [EAD_OPTION_WORD] = ARG_CHOICE};
    return kinds[option->type];
}

static struct arg row_of(const ead_policy_option *option, ead_policy_options *to)
{
    struct arg row = {.kind = kind_of(option),
                      .name = option->name,
                      .letter = option->letter,
                      .value = option->value,
                      .out = (char *)to + option->offset,
                      .choices = option->words,
                      .low = option->low,
                      .high = option->high};
    if (row.kind != ARG_INT) return row;
    row.min = (int)option->low;
    row.max = (int)option->high;
    return row;
}

void steer_add(struct steer *s, const ead_policy_option *option, ead_policy_options *to)
{
    if (s->n == STEER_ROWS_MAX) return;
    const ead_policy_options defaults = ead_duo_defaults().policy;
    char *help = s->help[s->n], standard[32];
    steer_show(&defaults, option, standard);
    if (option->type == EAD_OPTION_FLAG) /* its help says what holds without it */
        snprintf(help, STEER_HELP_MAX, "%s", option->help);
    else
        snprintf(help, STEER_HELP_MAX, "%s (default: %s)", option->help, standard);
    struct arg *row = &s->rows[s->n];
    *row = row_of(option, to);
    row->help = help;
    row->given = &s->given[s->n++];
}

void steer_add_all(struct steer *s, ead_policy_options *to)
{
    for (size_t i = 0; ead_policy_option_at(i); i++) steer_add(s, ead_policy_option_at(i), to);
}

bool steer_given(const struct steer *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->rows[i].name, name)) return s->given[i];
    return false;
}

/* ---- values ------------------------------------------------------------------------------ */

bool steer_set(const ead_policy_option *option, ead_policy_options *to, const char *text,
               char fault[ARGS_FAULT_MAX])
{
    struct arg row = row_of(option, to);
    if (row.kind != ARG_FLAG) return args_value(&row, text, fault);
    int on;
    const struct arg state = {.kind = ARG_CHOICE, .choices = states, .out = &on};
    if (!args_value(&state, text, fault)) return false;
    *(bool *)row.out = on;
    return true;
}

void steer_follow(const ead_policy_option *option, ead_policy_options *policy)
{
    const bool judges = ead_policy_describe(policy->kind)->judges;
    if (judges && !option_concerns(option, policy->kind) && option_concerns(option, EAD_POLICY_EAD))
        policy->kind = EAD_POLICY_EAD;
}

void steer_show(const ead_policy_options *policy, const ead_policy_option *option, char out[32])
{
    option_show(option, ead_policy_value(policy, option), out);
}
