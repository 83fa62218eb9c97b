/*
 * A request that takes work: it goes from the HTTP thread to a worker, which reads it, and where it
 * asks for text on to the scheduler. The HTTP thread holds it as well, until the connection is
 * done with it; the last holder frees it.
 */
#ifndef EAD_SERVER_JOB_H
#define EAD_SERVER_JOB_H

#include "server/ask.h"
#include "server/choice.h"
#include "server/metrics.h"
#include "server/reply.h"

#include <stdatomic.h>

enum job_kind { JOB_CHAT, JOB_COMPLETION, JOB_TOKENIZE, JOB_DETOKENIZE, JOB_TOKENIZER_INFO };

struct job {
    struct reply reply;
    atomic_int holders;
    struct job *next; /* in the queue that it is in */
    enum job_kind kind;
    struct buf body;
    double arrived; /* by clock_seconds */
    /* Of a request for text, once a worker has read it. */
    struct ask ask;
    bool asked; /* ask is there */
    char id[48];
    int64_t created;        /* by the calendar, in seconds */
    struct choice *choices; /* [n_choices] owned */
    int n_choices, n_begun, n_ended;
    bool begun; /* the first choice has begun; the time of that: */
    double began;
    bool answered; /* the first token of any has come */
};

/* With one holder; NULL without memory. */
struct job *job_open(struct MHD_Connection *connection, enum job_kind kind, size_t max_body);
void job_hold(struct job *j);
void job_drop(struct job *j);

/* A line of jobs, first come first. */
struct job_queue {
    struct job *first, **end;
    int n;
};
void job_queue_init(struct job_queue *q);
void job_queue_push(struct job_queue *q, struct job *j);
struct job *job_queue_pop(struct job_queue *q);

#endif
