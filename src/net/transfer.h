/*
 * One request in the hands of libcurl, and what it knows of the transport that it belongs to: for
 * transport.c alone.
 */
#ifndef EAD_NET_TRANSFER_H
#define EAD_NET_TRANSFER_H

#include "net/transport.h"

#include <curl/curl.h>

enum { SHOWN_MAX = 400 };

struct transport {
    CURLM *multi;
    struct curl_slist *headers; /* owned; the key stands in one */
    char *key, *ca_file;        /* owned */
    int connect_ms, connections;
    struct transfer *first, *last; /* under way, owned */
    int n, n_running;
    bool turning;   /* a turn is under way */
    bool inside;    /* and libcurl at work in it: nothing may be taken from it */
    bool cancelled; /* something was meanwhile */
    bool handed;    /* something was handed to a receiver in this turn */
    struct transport_account account;
    struct buf body; /* of the answer that was waited for */
    struct err err;
};

/* Why we ended what libcurl would have gone on with. */
enum cause { CAUSE_NONE, CAUSE_ENOUGH, CAUSE_MEMORY, CAUSE_HEAD };

struct transfer {
    struct transport *transport;
    struct transfer *before, *after; /* in the transport's list, in the order of starting */
    CURL *easy;
    struct receiver receiver;
    bool streams, ranged; /* as asked for */
    bool running;         /* libcurl has it; otherwise it waits for a place, or is over */
    bool over;            /* its receiver is being told */
    bool cancelled;       /* while libcurl was at work: to be released as soon as it is not */
    bool begun;           /* its body is */
    bool taken;           /* the body goes to the receiver */
    enum cause cause;
    size_t head, body_max; /* bytes */
    struct buf body;
    struct answer answer;
    struct err err;
    char shown[SHOWN_MAX]; /* the address, as messages have it */
    char reason[CURL_ERROR_SIZE];
};

/* Not yet in the list of its transport. ST_ARG for a request that cannot be. */
MUST_USE enum status transfer_open(struct transport *t, const struct request *q,
                                   const struct receiver *r, struct transfer **out,
                                   struct err *err);
/* What came of it, by what libcurl says of its end: x->answer is whole. */
void transfer_judge(struct transfer *x, CURLcode code);
/* Out of every list already. */
void transfer_release(struct transfer *x);

#endif
