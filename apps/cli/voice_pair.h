/*
 * A pair of models of this machine as the voice of a conversation. For every turn the whole
 * conversation is rendered anew and compared with what the duo holds; the common beginning stays in
 * the caches. So a template may do what it likes with earlier turns.
 */
#ifndef EAD_CLI_VOICE_PAIR_H
#define EAD_CLI_VOICE_PAIR_H

#include "cli/pair.h"
#include "cli/talk.h"

struct voice_pair {
    struct voice voice;
    struct pair pair;
    struct form form;
    bool color;
    int32_t *ids; /* owned: the text the duo holds */
    size_t n_ids, cap_ids;
};

/* Open models and template as pair_options say. EXIT_FAIL after saying why; to be closed in any
 * case. */
int voice_pair_open(struct voice_pair *v, bool color);
void voice_pair_close(struct voice_pair *v);

#endif
