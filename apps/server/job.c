#include "server/job.h"

#include "base/clock.h"

#include <stdlib.h>

struct job *job_open(struct MHD_Connection *connection, enum job_kind kind, size_t max_body)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    j->kind = kind;
    j->body.max = max_body + 1;
    j->arrived = clock_seconds();
    atomic_init(&j->holders, 1);
    reply_init(&j->reply, connection);
    return j;
}

void job_hold(struct job *j)
{
    atomic_fetch_add(&j->holders, 1);
}

void job_drop(struct job *j)
{
    if (!j || atomic_fetch_sub(&j->holders, 1) > 1) return;
    for (int i = 0; i < j->n_choices; i++) choice_deinit(&j->choices[i]);
    free(j->choices);
    if (j->asked) ask_free(&j->ask);
    buf_deinit(&j->body);
    reply_deinit(&j->reply);
    free(j);
}

/* ---- a line ------------------------------------------------------------------------------ */

void job_queue_init(struct job_queue *q)
{
    *q = (struct job_queue){.end = &q->first};
}

void job_queue_push(struct job_queue *q, struct job *j)
{
    j->next = NULL;
    *q->end = j;
    q->end = &j->next;
    q->n++;
}

struct job *job_queue_pop(struct job_queue *q)
{
    struct job *j = q->first;
    if (!j) return NULL;
    q->first = j->next;
    if (!q->first) q->end = &q->first;
    q->n--;
    return j;
}
