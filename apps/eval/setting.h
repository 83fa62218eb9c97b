/*
 * What a run compares: policies with their options. A person writes a setting as the policy's name
 * and what differs from what holds otherwise ("judge risk=0.5 slack=0.2"), words included
 * ("speculative draft=heuristic"); its own name is written in the same way, says all that differs,
 * and reads back as the same setting. One that goes by a table of risks has a digest of it behind.
 *
 * The order: small, large, the others as given, and last those that follow another, whose results
 * have to be there: "oracle" (oracle.h) the large model, and "random" each setting of ead, from
 * whose results at its threshold it takes share and length.
 */
#ifndef EAD_EVAL_SETTING_H
#define EAD_EVAL_SETTING_H

#include "ead.h"

#include <stdbool.h>
#include <stddef.h>

enum { SETTING_NAME_MAX = 192 };

struct setting {
    char name[SETTING_NAME_MAX];
    ead_policy_options rule; /* of one that follows, the runner fills in share and horizon, or
                              * what decides */
    int of;                  /* the setting that it follows, as an index; -1: none */
};

struct settings {
    struct setting *list; /* [n] */
    size_t n;
    ead_policy_options base; /* what holds where a setting says nothing */
};

struct settings_wish {
    /* Separated by commas: policies with their options, or "oracle", and what tau may be of those
     * of ead that do not say it. Without options "random" follows every setting of ead. NULL: none.
     */
    const char *policies, *taus;
    const char *const *more; /* [n_more] further settings, alike */
    size_t n_more;
    const ead_policy_options *rules; /* [n_rules] and these, as they are */
    size_t n_rules;
    ead_policy_options base; /* its kind and seed do not matter; its table is borrowed by all that
                              * were written */
};

/* Of several alike there is one. Errors begin with "policy: ", "setting: " or "tau: ". */
ead_status settings_open(const struct settings_wish *wish, struct settings **out, ead_error *error);
void settings_close(struct settings *settings);

/* One setting as it is written, but for what a list makes of it; the error names `label` first. */
ead_status setting_read(const char *text, const ead_policy_options *base, const char *label,
                        ead_policy_options *out, ead_error *error);
/* Does it repeat the large model's text by knowing it? */
bool setting_is_oracle(const struct setting *s);

/* False when there is no room. */
bool setting_name(const ead_policy_options *rule, const ead_policy_options *base,
                  char out[SETTING_NAME_MAX]);

#endif
