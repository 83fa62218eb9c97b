/*
 * What a run compares: one model alone, or a policy at a threshold. Settings have a name that says
 * all of it ("small", "large", "ead tau=0.1", "random tau=0.1") and a fixed order: small, large,
 * ead by tau as listed, random by tau as listed. A random setting takes its share from the results
 * of the ead setting of its tau, so those run first.
 */
#ifndef EAD_EVAL_SETTING_H
#define EAD_EVAL_SETTING_H

#include "ead.h"

#include <stddef.h>

enum { SETTING_NAME_MAX = 48 };

struct setting {
    char name[SETTING_NAME_MAX];
    ead_policy_kind kind;
    double tau;   /* ead and random */
    int of;       /* random: index of the ead setting whose share it takes; else -1 */
    double share; /* random: the wanted share, filled in by the runner */
    int horizon;  /* random: tokens of a text, likewise */
};

struct settings {
    struct setting *list; /* [n], at least one */
    size_t n;
    int window, dwell;
};

/* Lists separated by commas. Errors begin with "policy: " or "tau: ". */
ead_status settings_open(const char *policies, const char *taus, int window, int dwell,
                         struct settings **out, ead_error *error);
void settings_close(struct settings *settings);

/* Where settings of that policy stand among the others, from 0; -1: runs do not compare it. */
int setting_rank(ead_policy_kind kind);
/* The policies that runs compare, by rank: "small, large, ead or random", each within `quote`. */
enum { SETTING_POLICIES_MAX = 128 };
void setting_policies(const char *quote, char out[SETTING_POLICIES_MAX]);

/* The rule of setting i; a random one must have its share and horizon. */
ead_policy_options setting_rule(const struct settings *settings, size_t i);

#endif
