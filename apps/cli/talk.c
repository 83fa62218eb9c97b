#include "cli/talk.h"

#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static int add_message(struct talk *t, const char *role, const char *content)
{
    if (t->n_messages == t->cap_messages) {
        size_t cap = t->cap_messages ? 2 * t->cap_messages : 16;
        ead_message *more = realloc(t->messages, cap * sizeof *more);
        if (!more) return fail("no memory for the conversation");
        t->messages = more;
        t->cap_messages = cap;
    }
    char *copy = strdup(content);
    if (!copy) return fail("no memory for the conversation");
    t->messages[t->n_messages++] = (ead_message){role, copy};
    return EXIT_OK;
}

static void drop_message(struct talk *t)
{
    free((char *)t->messages[--t->n_messages].content);
}

int talk_reset(struct talk *t, const char *system)
{
    char *kept = system && *system ? strdup(system) : NULL; /* it may be a message of ours */
    while (t->n_messages) drop_message(t);
    t->voice->forget(t->voice);
    int status = kept ? add_message(t, "system", kept) : EXIT_OK;
    free(kept);
    return status;
}

void talk_deinit(struct talk *t)
{
    while (t->n_messages) drop_message(t);
    free(t->messages);
    *t = (struct talk){0};
}

int talk_turn(struct talk *t, const char *user, bool *usable)
{
    char *text = NULL;
    *usable = false;
    if (add_message(t, "user", user)) return EXIT_FAIL;
    int status = t->voice->answer(t->voice, t->messages, t->n_messages, &text, usable);
    if (status)
        drop_message(t);
    else
        status = add_message(t, "assistant", text);
    free(text);
    return status;
}
