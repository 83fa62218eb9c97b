/*
 * Who writes, as a person says it: the names of policies, and rows of an option table for the
 * options they have. All of it comes from the library, so that a policy or an option that is added
 * there can be chosen here.
 */
#ifndef EAD_CLI_STEER_H
#define EAD_CLI_STEER_H

#include "cli/args.h"
#include "ead.h"

enum { STEER_ROWS_MAX = 64, STEER_NAMES_MAX = 32, STEER_HELP_MAX = 256 };

/* The policies that can be chosen by name, ended by NULL; `data`: behind them those as well that
 * need more than numbers. What a program decides itself cannot be chosen. */
void steer_names(bool data, const char *names[STEER_NAMES_MAX]);

/* Options of policies as rows of a table, which fill `to`. */
struct steer {
    struct arg rows[STEER_ROWS_MAX];
    int n;
    bool given[STEER_ROWS_MAX];
    char help[STEER_ROWS_MAX][STEER_HELP_MAX];
};

/* The row of one option, with its default in the help. Rows point into *s. */
void steer_add(struct steer *s, const ead_policy_option *option, ead_policy_options *to);
/* Those of all. */
void steer_add_all(struct steer *s, ead_policy_options *to);
/* Did that option occur? */
bool steer_given(const struct steer *s, const char *name);

/* Set one option of *to; a flag takes "on" or "off". False after saying in `fault` what was
 * expected. */
bool steer_set(const ead_policy_option *option, ead_policy_options *to, const char *text,
               char fault[ARGS_FAULT_MAX]);
#define STEER_FLAG_VALUE "on|off"

/* Who sets an option of the paper's rule where a profile's policy judges, and does not look at it,
 * means that rule. */
void steer_follow(const ead_policy_option *option, ead_policy_options *policy);

/* An option's value among those of a policy, as one would write it. */
void steer_show(const ead_policy_options *policy, const ead_policy_option *option, char out[32]);

#endif
