#include "server/teller.h"

#include "server/answer.h"

#include <stdlib.h>

struct teller {
    struct server *server;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct job_queue incoming;
    int n_jobs;
    bool stop;
};

static void tell(struct teller *t, struct job *j)
{
    if (!reply_gone(&j->reply)) reply_json(&j->reply, 200, answer_whole(j));
    server_done(t->server, j);
}

static void *run(void *context)
{
    struct teller *t = context;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        struct job *j = job_queue_pop(&t->incoming);
        if (!j && t->stop) break;
        if (!j) {
            pthread_cond_wait(&t->wake, &t->lock);
            continue;
        }
        pthread_mutex_unlock(&t->lock);
        tell(t, j);
        pthread_mutex_lock(&t->lock);
        t->n_jobs--;
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

void teller_take(struct teller *t, struct job *j)
{
    pthread_mutex_lock(&t->lock);
    job_queue_push(&t->incoming, j);
    t->n_jobs++;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
}

int teller_jobs(struct teller *t)
{
    pthread_mutex_lock(&t->lock);
    const int n = t->n_jobs;
    pthread_mutex_unlock(&t->lock);
    return n;
}

enum status teller_open(struct server *server, struct teller **out, struct err *err)
{
    struct teller *t = calloc(1, sizeof *t);
    if (!t) return err_memory(err, "the thread of long answers");
    t->server = server;
    job_queue_init(&t->incoming);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    t->running = !pthread_create(&t->thread, NULL, run, t);
    if (!t->running) {
        teller_close(t);
        return err_memory(err, "the thread of long answers");
    }
    *out = t;
    return ST_OK;
}

void teller_close(struct teller *t)
{
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    if (t->running) pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
