/*
 * A conversation: the messages so far, and the voice that answers them.
 */
#ifndef EAD_CLI_TALK_H
#define EAD_CLI_TALK_H

#include "ead.h"

#include <stdbool.h>
#include <stddef.h>

/* Who answers; its owner holds the struct as the first member of its own. Steering is by
 * pair_options.policy. All say themselves what went wrong. */
struct voice {
    /* Write the answer to standard output; *text is to be freed. After a failure that left the
     * conversation usable (context full, interrupted) *usable is true. */
    int (*answer)(struct voice *v, const ead_message *messages, size_t n, char **text,
                  bool *usable);
    /* An option of the policy, or (NULL) the policy itself, was set: go on by it, or refuse it. */
    int (*steer)(struct voice *v, const ead_policy_option *option);
    bool (*has_both)(const struct voice *v);     /* two models, between which a policy chooses */
    void (*show_context)(const struct voice *v); /* to standard error, as the end of a line */
    void (*show_account)(const struct voice *v);
    void (*forget)(struct voice *v); /* a new conversation begins */
};

struct talk {
    struct voice *voice;
    ead_message *messages; /* owned, contents too */
    size_t n_messages, cap_messages;
};

/* Forget everything; start with a system message unless it is NULL or empty. */
int talk_reset(struct talk *t, const char *system);
void talk_deinit(struct talk *t);

/* Send what the user said and stream the answer to standard output; *usable as above. */
int talk_turn(struct talk *t, const char *user, bool *usable);

#endif
