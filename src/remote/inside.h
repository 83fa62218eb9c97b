/* What is known of a model behind an API; for the files of this room. */
#ifndef EAD_REMOTE_INSIDE_H
#define EAD_REMOTE_INSIDE_H

#include "remote/remote.h"

#include <stdatomic.h>

enum { REMOTE_NOTES_MAX = 4, REMOTE_NOTE_MAX = 320 };

struct remote {
    struct address address;
    struct remote_options options;              /* filled in; key and ca_file are not kept here */
    struct transport_options transport_options; /* key and ca_file owned */
    struct server server;                       /* its model is `model` */
    char model[ADDRESS_MODEL_MAX];
    const struct vocab *vocab;
    struct pieces *pieces; /* NULL where answers carry ids */
    int n_vocab;
    int limit;        /* tokens of a prefix and what follows it; 0: the server does not say */
    bool judges;      /* it tells what it thinks of given tokens */
    bool raw;         /* its log-probabilities are those before temperature */
    int32_t harmless; /* a token that stands alone in any text */
    int32_t end;      /* what ends a text; -1: the vocabulary has no such token */
    /* With the connection that it was probed over; the first engine takes it. */
    _Atomic(struct transport *) probed;
    int n_notes;
    char notes[REMOTE_NOTES_MAX][REMOTE_NOTE_MAX];
};

#endif
