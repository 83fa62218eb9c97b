/* What the parts of the server share: its queues, its states, and what each thread may touch. */
#ifndef EAD_SERVER_INSIDE_H
#define EAD_SERVER_INSIDE_H

#include "server/job.h"
#include "server/server.h"
#include "server/watch.h"

enum server_state { SERVER_LOADING, SERVER_READY, SERVER_DRAINING, SERVER_STOPPING };
enum { SERVER_WORKERS = 2 };

struct scheduler;

struct server {
    struct server_options options;
    int port, socket;
    struct MHD_Daemon *daemon;
    struct metrics metrics;
    atomic_int state;
    atomic_size_t bodies; /* bytes of bodies that are being received or read */
    atomic_int arriving;  /* requests whose bodies are to come; */
    atomic_int jobs;      /* that are not answered yet; */
    atomic_int visits;    /* whose answers are not sent */
    double drains_since;  /* by clock_seconds */
    struct watch watch;   /* the connections */

    /* The workers' queue. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job_queue incoming;
    bool stopping; /* workers leave */
    pthread_t workers[SERVER_WORKERS];
    int n_workers;

    /* Set by server_serve, before the state becomes SERVER_READY, and constant from then on. */
    struct server_models models;
    struct ask_context context;
    struct scheduler *scheduler;
    json_t *listing; /* the answer to GET /v1/models */
    int64_t since;   /* when, by the calendar */
};

/* Give a request to the workers. The server holds it from now on. */
void server_take(struct server *s, struct job *j);
/* A job was answered: its holder drops it here. */
void server_done(struct server *s, struct job *j);

#endif
