/*
 * A server as the voice of a conversation: `ead serve`, or any of OpenAI's kind, which tells
 * neither who wrote nor how sure. It gets the whole conversation with every turn, and keeps what it
 * likes of it.
 */
#ifndef EAD_CLI_VOICE_URL_H
#define EAD_CLI_VOICE_URL_H

#include "cli/remote.h"
#include "cli/steer.h"
#include "cli/talk.h"
#include "cli/tally.h"

struct voice_url_options {
    struct remote_options remote;
    const char *model;
    /* Was that option of pair_options given? Of the others the server's own hold. */
    bool (*given)(const char *name);
    bool color;
    bool patient; /* somebody is there who can try again: after a failure the talk goes on */
};

struct voice_url {
    struct voice voice;
    struct voice_url_options options;
    struct remote *remote;
    json_t *variables; /* of the chat template; owned */
    bool is_ead;
    bool sent_policy, sent[STEER_ROWS_MAX]; /* by option: it is not the server's own */
    bool both;                              /* the server has two models */
    json_int_t context, used;               /* tokens; 0: not known */
    struct tally total;                     /* of this conversation */
};

/* Ask the server what it is, and whether it takes us and the model. EXIT_FAIL after saying why; to
 * be closed in any case. */
int voice_url_open(struct voice_url *v, const struct voice_url_options *options);
void voice_url_close(struct voice_url *v);

#endif
