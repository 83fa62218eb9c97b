#include "base/clock.h"
#include "server/http.h"
#include "server/listing.h"
#include "server/scheduler.h"
#include "server/vocabulary.h"
#include "json/jsonio.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* ---- workers ----------------------------------------------------------------------------- */

static void refuse_stopped(struct job *j)
{
    struct refusal why;
    refuse(&why, 503, "stopping", NULL, "the server has stopped");
    reply_refuse(&j->reply, &why);
}

void server_take(struct server *s, struct job *j)
{
    pthread_mutex_lock(&s->lock);
    const bool stopping = s->stopping;
    if (!stopping) {
        atomic_fetch_add(&s->jobs, 1);
        job_hold(j);
        job_queue_push(&s->incoming, j);
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (stopping) refuse_stopped(j);
}

/* One holder less; the job is answered. */
void server_done(struct server *s, struct job *j)
{
    job_drop(j);
    atomic_fetch_sub(&s->jobs, 1);
}

/* A name that no other answer has. */
static void name_job(struct job *j)
{
    unsigned long long bits[2] = {0};
    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits) bits[0] = (uintptr_t)j;
    snprintf(j->id, sizeof j->id, "%s-%016llx%08llx", j->kind == JOB_CHAT ? "chatcmpl" : "cmpl",
             bits[0], bits[1] & 0xffffffff);
    j->created = (int64_t)time(NULL);
}

static bool open_choices(const struct server *s, struct job *j)
{
    const ead_model *const *models = s->models.models;
    const ead_model *model = models[models[EAD_LARGE] ? EAD_LARGE : EAD_SMALL];
    const int n = j->ask.n_prompts * j->ask.n;
    j->choices = calloc((size_t)n, sizeof *j->choices);
    if (!j->choices) return false;
    for (; j->n_choices < n; j->n_choices++)
        if (!choice_init(&j->choices[j->n_choices], &j->ask, model, j->n_choices)) return false;
    return true;
}

/* Read a request for text and hand it on; false after saying why not. */
static bool ask_for_text(struct server *s, struct job *j, struct refusal *why)
{
    const enum ask_kind kind = j->kind == JOB_CHAT ? ASK_CHAT : ASK_COMPLETION;
    if (!ask_parse(&s->context, kind, j->body.data ? j->body.data : "", j->body.len, &j->ask, why))
        return false;
    j->asked = true;
    name_job(j);
    if (!open_choices(s, j)) return refuse_memory(why);
    return scheduler_take(s->scheduler, j, why);
}

static void forget_body(struct server *s, struct job *j)
{
    atomic_fetch_sub(&s->bodies, j->body.len);
    buf_deinit(&j->body);
}

/* Work on a request. The scheduler has its own hold on what it takes. */
static void work(struct server *s, struct job *j)
{
    struct refusal why;
    json_t *answer = NULL;
    bool taken = false;
    const char *body = j->body.data ? j->body.data : "";
    const bool stopping = atomic_load(&s->state) == SERVER_STOPPING;
    if (stopping || reply_gone(&j->reply)) {
        forget_body(s, j);
        if (stopping) refuse_stopped(j);
        server_done(s, j);
        return;
    }
    switch (j->kind) {
    case JOB_CHAT:
    case JOB_COMPLETION: taken = ask_for_text(s, j, &why); break;
    case JOB_TOKENIZE: answer = vocabulary_tokenize(&s->context, body, j->body.len, &why); break;
    case JOB_DETOKENIZE:
        answer = vocabulary_detokenize(&s->context, body, j->body.len, &why);
        break;
    case JOB_TOKENIZER_INFO: answer = vocabulary_info(&s->context, &why); break;
    }
    forget_body(s, j);
    if (answer)
        reply_json(&j->reply, 200, answer);
    else if (!taken)
        reply_refuse(&j->reply, &why);
    if (taken)
        job_drop(j); /* it is the scheduler's to answer */
    else
        server_done(s, j);
}

static void *run_worker(void *context)
{
    struct server *s = context;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct job *j = job_queue_pop(&s->incoming);
        if (!j && s->stopping) break;
        if (!j) {
            pthread_cond_wait(&s->wake, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        work(s, j);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static enum status open_workers(struct server *s, struct err *err)
{
    for (; s->n_workers < SERVER_WORKERS; s->n_workers++)
        if (pthread_create(&s->workers[s->n_workers], NULL, run_worker, s))
            return err_memory(err, "the server's threads");
    return ST_OK;
}

static void close_workers(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->n_workers; i++) pthread_join(s->workers[i], NULL);
}

/* ---- the server -------------------------------------------------------------------------- */

enum status server_open(const struct server_options *options, struct server **out, struct err *err)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s) return err_memory(err, "a server");
    jsonio_begin(); /* jansson gets its memory before there are threads */
    s->options = *options;
    s->since = (int64_t)time(NULL);
    atomic_init(&s->state, SERVER_LOADING);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    job_queue_init(&s->incoming);
    metrics_init(&s->metrics);
    enum status st = watch_open(&s->watch, s->options.idle_seconds, s->options.move_seconds, err);
    if (st == ST_OK) st = open_workers(s, err);
    if (st == ST_OK) st = http_open(s, err);
    if (st != ST_OK) {
        server_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

int server_port(const struct server *s)
{
    return s->port;
}

static void fill_context(struct server *s)
{
    const struct server_models *m = &s->models;
    s->context = (struct ask_context){.models = {m->models[0], m->models[1]},
                                      .chat = m->chat,
                                      .variables = m->variables,
                                      .now = m->now,
                                      .policy = m->duo.policy,
                                      .sampler = m->duo.sampler,
                                      .n_ctx = m->duo.n_ctx,
                                      .max_choices = SERVER_CHOICES_MAX,
                                      .unscored = m->duo.max_scores == 0};
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!m->models[w]) continue;
        const int n = ead_model_describe(m->models[w]).n_vocab;
        if (!s->context.n_vocab || n < s->context.n_vocab) s->context.n_vocab = n;
    }
}

enum status server_serve(struct server *s, const struct server_models *models, struct err *err)
{
    s->models = *models;
    metrics_slots(&s->metrics, models->slots);
    fill_context(s);
    s->listing = listing_build(models, s->context.n_ctx, s->since);
    if (!s->listing) return err_memory(err, "the list of models");
    TRY(scheduler_open(s, &s->scheduler, err));
    atomic_store(&s->state, SERVER_READY);
    return ST_OK;
}

void server_drain(struct server *s)
{
    s->drains_since = clock_seconds();
    atomic_store(&s->state, SERVER_DRAINING);
}

bool server_is_idle(struct server *s)
{
    const bool waits = clock_seconds() - s->drains_since < SERVER_ARRIVE_SECONDS;
    if (waits && atomic_load(&s->arriving)) return false;
    return !atomic_load(&s->visits) && !atomic_load(&s->jobs);
}

/* What was just refused is on its way out: libmicrohttpd stops in the middle of that. */
static void let_go(struct server *s)
{
    enum { NAP_MS = 10 };
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000000};
    for (int i = 0; i < SERVER_SEND_MS / NAP_MS && atomic_load(&s->visits); i++)
        nanosleep(&nap, NULL);
}

void server_close(struct server *s)
{
    if (!s) return;
    atomic_store(&s->state, SERVER_STOPPING);
    close_workers(s);
    scheduler_close(s->scheduler);
    let_go(s);
    http_close(s);
    watch_close(&s->watch);
    json_decref(s->listing);
    metrics_deinit(&s->metrics);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
