/*
 * A conversation with a pair: messages on one side, the duo's text on the other. For every turn the
 * whole conversation is rendered anew and compared with what the duo holds; the common beginning
 * stays in the caches. So a template may do what it likes with earlier turns.
 */
#ifndef EAD_CLI_TALK_H
#define EAD_CLI_TALK_H

#include "cli/pair.h"
#include "cli/screen.h"

struct talk {
    struct pair *pair;
    const struct form *form;
    int max_tokens; /* of one answer; -1: until it ends */
    bool color;
    ead_message *messages; /* owned, contents too */
    size_t n_messages, cap_messages;
    int32_t *ids; /* owned: the text the duo holds */
    size_t n_ids, cap_ids;
};

/* Forget everything; start with a system message unless it is NULL or empty. */
int talk_reset(struct talk *t, const char *system);
void talk_deinit(struct talk *t);

/* Send what the user said and stream the answer to standard output. After a failure that left the
 * conversation usable (context full, interrupted) *usable is true. */
int talk_turn(struct talk *t, const char *user, bool *usable);

#endif
