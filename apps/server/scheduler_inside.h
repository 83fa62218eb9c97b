/* What the files of the scheduler share: scheduler.c (steps, the thread, requests),
 * scheduler_begin.c (a choice gets its place) and scheduler_end.c (and leaves it). */
#ifndef EAD_SERVER_SCHEDULER_INSIDE_H
#define EAD_SERVER_SCHEDULER_INSIDE_H

#include "server/prefix.h"
#include "server/scheduler.h"
#include "server/teller.h"

/* A place of the batch. */
struct place {
    struct job *job; /* NULL: none writes there */
    struct choice *choice;
};

struct scheduler {
    struct server *server;
    ead_batch *batch;
    struct teller *teller;
    struct prefix prefix;
    struct place *places;  /* [prefix.n] */
    bool *active;          /* [prefix.n] of a step; */
    ead_event *events;     /* [prefix.n] what came of it */
    struct reply **polled; /* [n_polled] scratch */
    size_t n_polled;
    int slots, live;
    struct job *waiting; /* jobs of which some choice has not begun, in their order */
    struct job *blocked; /* one of them, for which there is no memory until a live text ends */
    double job_seconds;  /* what a job takes, lately */

    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct job_queue incoming;
    int n_jobs; /* taken and not ended */
    bool stop;
};

/* Begin choices, as far as there are places and memory. */
void scheduler_admit(struct scheduler *s);

/* What stands in a place stays there, and nobody writes on. */
void scheduler_vacate(struct scheduler *s, int place);
/* A choice needs its place no longer. */
void scheduler_leave_place(struct scheduler *s, int place);
void scheduler_stop_waiting(struct scheduler *s, const struct job *j);
/* It is answered, or nobody waits for its answer. */
void scheduler_end_job(struct scheduler *s, struct job *j);
void scheduler_fail_job(struct scheduler *s, struct job *j, const struct refusal *why);
void scheduler_fail_memory(struct scheduler *s, struct job *j);
/* All its choices have ended: tell what is left to tell. */
void scheduler_finish_job(struct scheduler *s, struct job *j);

#endif
