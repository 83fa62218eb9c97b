#include "base/check.h"
#include "base/clock.h"
#include "server/answer.h"
#include "server/fault.h"
#include "server/scheduler_inside.h"
#include "server/work.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    IDLE_WAIT_MS = 20, /* where all live texts stand still */
    RETRY_SECONDS_MAX = 60
};

/* ---- tokens ------------------------------------------------------------------------------ */

/* Send what may be shown by now: where each token is told of, in chunks of one token. */
static bool send_fresh(struct job *j, struct choice *c)
{
    bool sent = true;
    const int ready = choice_ready(c);
    if (choice_keeps_records(c)) {
        for (; c->n_sent < ready && sent; c->n_sent++) {
            const size_t end = c->records[c->n_sent].end;
            sent = reply_event_json(&j->reply,
                                    answer_chunk(j, c, c->sent, end, c->n_sent, c->n_sent + 1));
            c->sent = end;
        }
        if (!c->finish) return sent;
    }
    if (sent && c->shown > c->sent) {
        sent = reply_event_json(&j->reply, answer_chunk(j, c, c->sent, c->shown, 0, 0));
        c->sent = c->shown;
    }
    return sent;
}

/* The prompt itself, where it is to be seen. */
static bool send_echo(struct job *j, struct choice *c)
{
    if (!choice_echo(c)) return false;
    if (!j->ask.stream) return true;
    const bool sent = reply_event_json(&j->reply, answer_chunk(j, c, 0, c->shown, 0, c->n_records));
    c->sent = c->shown;
    c->n_sent = c->n_records;
    return sent;
}

static void note_time(struct scheduler *s, struct job *j, struct choice *c, int place,
                      const ead_token *token)
{
    struct metrics *m = &s->server->metrics;
    const double now = clock_seconds();
    if (c->first_token == 0) {
        const ead_summary summary = ead_duo_summarise(ead_batch_duo(s->batch, place));
        const int64_t read = work_rows(&summary.work[token->writer]);
        c->cached = (int64_t)c->prompt->n > read ? (int64_t)c->prompt->n - read : 0;
        c->first_token = now;
        if (!j->answered) metrics_observe(m, &m->first_token, now - j->arrived);
        j->answered = true;
    } else {
        metrics_observe(m, &m->between_tokens, now - c->last_token);
    }
    c->last_token = now;
}

/* A token of a choice came; false where its job is to end for lack of memory. */
static bool take_token(struct scheduler *s, int place, const ead_token *token)
{
    struct job *j = s->places[place].job;
    struct choice *c = s->places[place].choice;
    ead_alternative best[ASK_LOGPROBS_MAX];
    int n_best = 0;
    if (token->lost) return choice_lose(c, token);
    if (c->first_token == 0 && j->ask.echo && !send_echo(j, c)) return false;
    note_time(s, j, c, place, token);
    if (j->ask.logprobs > 0)
        n_best = ead_duo_best(ead_batch_duo(s->batch, place), j->ask.logprobs, best);
    if (!choice_add(c, token, best, n_best)) return false;
    if (j->ask.stream && !send_fresh(j, c)) return reply_gone(&j->reply);
    if (!c->finish) return true;
    if (j->ask.stream && !reply_event_json(&j->reply, answer_ending(j, c)))
        return reply_gone(&j->reply);
    scheduler_leave_place(s, place);
    if (j->n_ended == j->n_choices) scheduler_finish_job(s, j);
    return true;
}

static void take_event(struct scheduler *s, const ead_event *e)
{
    struct job *j = s->places[e->text].job;
    if (!j) return; /* its job ended by another choice of it in this step */
    if (e->kind == EAD_EVENT_TOKEN) {
        if (!take_token(s, e->text, &e->token)) scheduler_fail_memory(s, j);
        return;
    }
    struct refusal why;
    refuse_fault(s->server->models.names, e->status, e->message, &why);
    scheduler_fail_job(s, j, &why);
}

/* ---- a step ------------------------------------------------------------------------------ */

/* Those whose clients left, or read nothing for too long, end. */
static void sweep(struct scheduler *s)
{
    size_t n = 0;
    for (int i = 0; i < s->prefix.n; i++)
        if (s->places[i].job && n < s->n_polled) s->polled[n++] = &s->places[i].job->reply;
    for (struct job *j = s->waiting; j && n < s->n_polled; j = j->next) s->polled[n++] = &j->reply;
    reply_poll(s->polled, n);
    for (int i = 0; i < s->prefix.n; i++) {
        struct job *j = s->places[i].job;
        if (!j) continue;
        if (reply_is_stuck(&j->reply)) reply_abandon(&j->reply);
        if (!reply_gone(&j->reply)) continue;
        metrics_count(&s->server->metrics, &s->server->metrics.cancelled, 1);
        scheduler_end_job(s, j);
    }
    for (struct job *j = s->waiting, *next; j; j = next) {
        next = j->next;
        if (!reply_gone(&j->reply)) continue;
        metrics_count(&s->server->metrics, &s->server->metrics.cancelled, 1);
        scheduler_end_job(s, j);
    }
}

/* After a step of so many seconds, or none. */
static void tell_metrics(struct scheduler *s, double seconds)
{
    int waiting = 0;
    for (const struct job *j = s->waiting; j; j = j->next) waiting += j->n_choices - j->n_begun;
    metrics_step(&s->server->metrics, seconds, s->live, waiting, prefix_kept(&s->prefix),
                 ead_duo_memory(ead_batch_duo(s->batch, 0)));
}

static void fail_all(struct scheduler *s, const struct refusal *why)
{
    for (int i = 0; i < s->prefix.n; i++)
        if (s->places[i].job) scheduler_fail_job(s, s->places[i].job, why);
    while (s->waiting) scheduler_fail_job(s, s->waiting, why);
}

/* One pass for all that are not held up by their readers; false when all are. */
static bool step(struct scheduler *s)
{
    int n, active = 0;
    ead_error error;
    for (int i = 0; i < s->prefix.n; i++) {
        struct job *j = s->places[i].job;
        s->active[i] = j && !reply_is_full(&j->reply);
        active += s->active[i];
    }
    if (!active) {
        tell_metrics(s, 0);
        return false;
    }
    const double start = clock_seconds();
    const ead_status st = ead_batch_step(s->batch, s->active, s->events, &n, &error);
    const double seconds = clock_seconds() - start;
    if (st) {
        struct refusal why;
        refuse_fault(s->server->models.names, st, error.message, &why);
        fail_all(s, &why);
        return true;
    }
    for (int i = 0; i < s->prefix.n; i++)
        if (s->places[i].choice && s->places[i].choice->lost)
            scheduler_fail_memory(s, s->places[i].job);
    for (int i = 0; i < n; i++) take_event(s, &s->events[i]);
    tell_metrics(s, seconds);
    return true;
}

/* ---- the thread -------------------------------------------------------------------------- */

static void wait_a_little(struct scheduler *s)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += IDLE_WAIT_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&s->lock);
    if (!s->stop) pthread_cond_timedwait(&s->wake, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
}

/* Wait for something to do, and take what came; false when it is time to stop. */
static bool collect(struct scheduler *s)
{
    struct job **end = &s->waiting, *j;
    while (*end) end = &(*end)->next;
    pthread_mutex_lock(&s->lock);
    while (!s->stop && !s->live && !s->waiting && !s->incoming.n) {
        pthread_mutex_unlock(&s->lock);
        tell_metrics(s, 0);
        pthread_mutex_lock(&s->lock);
        if (!s->stop && !s->incoming.n) pthread_cond_wait(&s->wake, &s->lock);
    }
    while ((j = job_queue_pop(&s->incoming))) {
        j->next = NULL;
        *end = j;
        end = &j->next;
    }
    const bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return !stop;
}

static void *run(void *context)
{
    struct scheduler *s = context;
    while (collect(s)) {
        sweep(s);
        scheduler_admit(s);
        if (!step(s) && (s->live || s->waiting)) wait_a_little(s);
    }
    struct refusal why;
    refuse(&why, 503, "stopping", NULL, "the server has stopped");
    fail_all(s, &why);
    return NULL;
}

/* ---- requests ---------------------------------------------------------------------------- */

static int retry_after(const struct scheduler *s, int jobs)
{
    const double seconds = s->job_seconds * (jobs - s->slots + 1) / s->slots;
    return seconds < 1 ? 1 : seconds > RETRY_SECONDS_MAX ? RETRY_SECONDS_MAX : (int)seconds;
}

bool scheduler_take(struct scheduler *s, struct job *j, struct refusal *r)
{
    bool taken = false;
    pthread_mutex_lock(&s->lock);
    const int jobs = s->n_jobs + teller_jobs(s->teller);
    if (s->stop) {
        refuse(r, 503, "stopping", NULL, "the server is about to stop");
    } else if (jobs >= s->slots + s->server->models.queue) {
        refuse(r, 503, "queue_full", NULL,
               "%d requests are being answered or wait already; --queue sets how many may", jobs);
        j->reply.retry_after = retry_after(s, jobs);
    } else {
        job_hold(j);
        job_queue_push(&s->incoming, j);
        s->n_jobs++;
        taken = true;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (!taken) metrics_count(&s->server->metrics, &s->server->metrics.refused_full, 1);
    return taken;
}

/* ---- opening ----------------------------------------------------------------------------- */

static enum status open_batch(struct scheduler *s, struct err *err)
{
    const struct server_models *m = &s->server->models;
    ead_error error;
    const int n = m->slots + m->kept;
    if (ead_batch_open(m->models[EAD_LARGE], m->models[EAD_SMALL], &m->duo, n, &s->batch, &error))
        return err_set(err, (enum status)error.status, "%s", error.message);
    s->places = calloc((size_t)n, sizeof *s->places);
    s->active = calloc((size_t)n, sizeof *s->active);
    s->events = calloc((size_t)n, sizeof *s->events);
    s->n_polled = (size_t)(n + m->slots + m->queue);
    s->polled = calloc(s->n_polled, sizeof *s->polled);
    struct prefix_place *places = calloc((size_t)n, sizeof *places);
    s->prefix = (struct prefix){.batch = s->batch, .places = places, .n = n};
    if (!s->places || !s->active || !s->events || !s->polled || !places)
        return err_memory(err, "the scheduler");
    return ST_OK;
}

/* By the clock that nobody sets. */
static void init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum status scheduler_open(struct server *server, struct scheduler **out, struct err *err)
{
    CHECK(server->models.slots > 0 && server->models.kept > 0);
    struct scheduler *s = calloc(1, sizeof *s);
    if (!s) return err_memory(err, "the scheduler");
    s->server = server;
    s->slots = server->models.slots;
    job_queue_init(&s->incoming);
    pthread_mutex_init(&s->lock, NULL);
    init_wake(&s->wake);
    enum status st = teller_open(server, &s->teller, err);
    if (st == ST_OK) st = open_batch(s, err);
    if (st == ST_OK && pthread_create(&s->thread, NULL, run, s))
        st = err_memory(err, "the scheduler's thread");
    if (st != ST_OK) {
        scheduler_close(s);
        return st;
    }
    s->running = true;
    *out = s;
    return ST_OK;
}

void scheduler_close(struct scheduler *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->running) pthread_join(s->thread, NULL);
    teller_close(s->teller);
    ead_batch_close(s->batch);
    free(s->places);
    free(s->active);
    free(s->events);
    free(s->polled);
    free(s->prefix.places);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
