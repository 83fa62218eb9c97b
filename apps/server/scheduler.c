#include "server/scheduler.h"

#include "base/check.h"
#include "base/clock.h"
#include "server/answer.h"
#include "server/fault.h"
#include "server/prefix.h"
#include "server/teller.h"
#include "server/work.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    IDLE_WAIT_MS = 20,   /* where all live texts stand still */
    TELL_MOST = 1 << 11, /* entries of an answer that are put together between steps: some ms */
    RETRY_SECONDS_MAX = 60
};

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

/* ---- ends -------------------------------------------------------------------------------- */

/* What stands in a place stays there, and nobody writes on. */
static void vacate(struct scheduler *s, int place)
{
    ead_duo *duo = ead_batch_duo(s->batch, place);
    ead_error error;
    s->places[place] = (struct place){0};
    ead_duo_rest(duo);
    (void)ead_duo_reserve(duo, 0, &error);
    ead_duo_score(duo, 0, NULL, NULL);
    prefix_keep(&s->prefix, place);
}

/* A choice needs its place no longer. */
static void leave_place(struct scheduler *s, int place)
{
    struct choice *c = s->places[place].choice;
    c->summary = ead_duo_summarise(ead_batch_duo(s->batch, place));
    c->ended = true;
    s->places[place].job->n_ended++;
    s->live--;
    s->blocked = NULL;
    vacate(s, place);
    metrics_text(&s->server->metrics, &c->summary, c->index % c->ask->n ? 0 : c->prompt->n,
                 c->index % c->ask->n ? 0 : (uint64_t)c->cached);
    metrics_wire(&s->server->metrics, ead_batch_duo(s->batch, place));
}

static void stop_waiting(struct scheduler *s, const struct job *j)
{
    struct job **at = &s->waiting;
    while (*at && *at != j) at = &(*at)->next;
    if (*at) *at = j->next;
    if (s->blocked == j) s->blocked = NULL;
}

/* The scheduler has no more to do with it. */
static void let_go(struct scheduler *s, struct job *j)
{
    const double seconds = clock_seconds() - j->arrived;
    for (int i = 0; i < s->prefix.n; i++)
        if (s->places[i].job == j) leave_place(s, i);
    stop_waiting(s, j);
    pthread_mutex_lock(&s->lock);
    s->n_jobs--;
    s->job_seconds = s->job_seconds > 0 ? s->job_seconds * 0.9 + seconds * 0.1 : seconds;
    pthread_mutex_unlock(&s->lock);
}

static void end_job(struct scheduler *s, struct job *j)
{
    let_go(s, j);
    server_done(s->server, j);
}

static void fail_job(struct scheduler *s, struct job *j, const struct refusal *why)
{
    reply_fail(&j->reply, why);
    end_job(s, j);
}

static void fail_memory(struct scheduler *s, struct job *j)
{
    struct refusal why;
    refuse_memory(&why);
    fail_job(s, j, &why);
}

/* False without memory. */
static bool finish_stream(struct job *j)
{
    if (j->ask.include_usage && !reply_event_json(&j->reply, answer_account(j)))
        return reply_gone(&j->reply);
    reply_event(&j->reply, "[DONE]", 6);
    reply_finish(&j->reply);
    return true;
}

static void finish_job(struct scheduler *s, struct job *j)
{
    if (j->ask.stream && !finish_stream(j)) {
        fail_memory(s, j);
        return;
    }
    if (!j->ask.stream && answer_entries(j) > TELL_MOST) {
        let_go(s, j);
        teller_take(s->teller, j);
        return;
    }
    if (!j->ask.stream) reply_json(&j->reply, 200, answer_whole(j));
    end_job(s, j);
}

/* ---- beginnings -------------------------------------------------------------------------- */

/* Is the whole prompt told of? Then nothing of it may have been read before. */
static bool is_echoed(const struct ask *a)
{
    return a->echo && a->logprobs >= 0;
}

static bool is_scored(const struct ask *a)
{
    return is_echoed(a) || a->given;
}

static void take_score(void *context, const ead_scored *token)
{
    struct choice *c = ((struct place *)context)->choice;
    if (c && !c->finish && !c->lost) c->lost = !choice_add_given(c, token);
}

/* Have what the model thinks of the prompt told, or of its last tokens. False without memory. */
static bool ask_scores(struct scheduler *s, const struct job *j, struct choice *c, int place)
{
    ead_duo *duo = ead_batch_duo(s->batch, place);
    const ead_scored first = {.id = c->prompt->ids[0], .log_prob = NAN};
    const size_t given = (size_t)j->ask.given;
    ead_duo_score(duo, j->ask.logprobs, take_score, &s->places[place]);
    ead_duo_score_from(duo, given ? c->prompt->n - given : 0);
    return given || choice_add_given(c, &first);
}

/* Tokens that the text may come to have. */
static size_t length_of(const struct choice *c, int n_ctx)
{
    const size_t most = (size_t)n_ctx, n = c->prompt->n;
    if (c->ask->max_tokens < 0 || (size_t)c->ask->max_tokens > most - n) return most;
    return n + (size_t)(c->ask->max_tokens ? c->ask->max_tokens : 1);
}

/* Tokens of a text beyond what live texts in places [0, below) begin with as well. */
static size_t own_length(const struct scheduler *s, const struct choice *c, const int32_t *ids,
                         size_t n, int below)
{
    const size_t length = length_of(c, s->server->context.n_ctx);
    const size_t shared = prefix_live(&s->prefix, ids, n, below);
    return length > shared ? length - shared : 0;
}

/* Might there be room beside what is live, were all kept texts given up? It is surely too little
 * where all shared what they can, and pages had no rest. */
static bool may_fit(const struct scheduler *s, const struct choice *c)
{
    const int room = s->server->models.duo.cache_tokens, n = s->prefix.n;
    size_t needed = own_length(s, c, c->prompt->ids, c->prompt->n, n);
    for (int i = 0; i < n; i++) {
        const ead_duo *duo = ead_batch_duo(s->batch, i);
        if (s->places[i].job)
            needed += own_length(s, s->places[i].choice, ead_duo_ids(duo), ead_duo_length(duo), i);
    }
    return !room || needed <= (size_t)room;
}

enum beginning { BEGIN_OK, BEGIN_FULL, BEGIN_BAD };

/* Put the prompt behind what the place holds of it, and set what steers it. */
static enum beginning prepare(struct scheduler *s, struct job *j, struct choice *c, int place,
                              ead_error *error)
{
    ead_duo *duo = ead_batch_duo(s->batch, place);
    const size_t have = ead_duo_length(duo);
    ead_sampler_options sampler = j->ask.sampler;
    ead_policy_options policy = j->ask.policy;
    sampler.seed = ask_seed(&j->ask, c->index);
    policy.seed = sampler.seed;
    while (ead_duo_reserve(duo, length_of(c, s->server->context.n_ctx), error))
        if (!prefix_evict(&s->prefix, place)) return BEGIN_FULL;
    if (is_scored(&j->ask) && !ask_scores(s, j, c, place)) {
        error->status = EAD_MEMORY;
        snprintf(error->message, sizeof error->message, "no memory for the prompt");
        return BEGIN_BAD;
    }
    if (ead_duo_set_policy(duo, &policy, error) || ead_duo_set_sampler(duo, &sampler, error) ||
        ead_duo_append(duo, c->prompt->ids + have, c->prompt->n - have, error))
        return BEGIN_BAD;
    return BEGIN_OK;
}

/* False without memory. */
static bool tell_begin(struct scheduler *s, struct job *j, struct choice *c)
{
    c->begun = true;
    j->n_begun++;
    if (!j->begun) {
        j->begun = true;
        j->began = clock_seconds();
        metrics_observe(&s->server->metrics, &s->server->metrics.queued, j->began - j->arrived);
        if (j->ask.stream) reply_begin(&j->reply);
    }
    if (!j->ask.stream || j->ask.kind != ASK_CHAT) return true;
    return reply_event_json(&j->reply, answer_opening(j, c)) || reply_gone(&j->reply);
}

/* Begin a choice. BEGIN_FULL when there is no room for it now; BEGIN_BAD where it cannot be, and
 * its job has been failed. */
static enum beginning begin_choice(struct scheduler *s, struct job *j, struct choice *c)
{
    ead_error error;
    struct refusal why;
    if (s->live && !may_fit(s, c)) return BEGIN_FULL;         /* and no kept text goes in vain */
    const size_t known = c->prompt->n - (size_t)j->ask.given; /* that may have been read before */
    const int place = prefix_place(&s->prefix, c->prompt->ids, known, is_echoed(&j->ask));
    s->places[place] = (struct place){.job = j, .choice = c};
    const enum beginning began = prepare(s, j, c, place, &error);
    if (began == BEGIN_OK) {
        s->live++;
        if (tell_begin(s, j, c)) return BEGIN_OK;
        fail_memory(s, j);
        return BEGIN_BAD;
    }
    vacate(s, place); /* what was found for it is kept */
    if (began == BEGIN_FULL && s->live) return BEGIN_FULL;
    refuse_fault(s->server->models.names, error.status, error.message, &why);
    fail_job(s, j, &why);
    return BEGIN_BAD;
}

/* Another choice of the same prompt waits until the first one has read it, and copies it. */
static bool waits_for_sibling(const struct job *j, const struct choice *c)
{
    const struct choice *first = &j->choices[c->index / j->ask.n * j->ask.n];
    return c != first && !first->first_token && !first->ended && !is_scored(&j->ask);
}

/* Begin what can begin, in the order in which it came. */
static void admit(struct scheduler *s)
{
    for (struct job *j = s->waiting, *next; j && s->live < s->slots; j = next) {
        next = j->next;
        if (j == s->blocked) return;
        while (s->live < s->slots && j->n_begun < j->n_choices) {
            struct choice *c = &j->choices[j->n_begun];
            if (waits_for_sibling(j, c)) break;
            const enum beginning began = begin_choice(s, j, c);
            if (began == BEGIN_OK) continue;
            if (began == BEGIN_FULL) { /* memory is short: none overtakes it */
                s->blocked = j;
                return;
            }
            j = NULL;
            break;
        }
        if (j && j->n_begun == j->n_choices) stop_waiting(s, j);
    }
}

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
    leave_place(s, place);
    if (j->n_ended == j->n_choices) finish_job(s, j);
    return true;
}

static void take_event(struct scheduler *s, const ead_event *e)
{
    struct job *j = s->places[e->text].job;
    if (!j) return; /* its job ended by another choice of it in this step */
    if (e->kind == EAD_EVENT_TOKEN) {
        if (!take_token(s, e->text, &e->token)) fail_memory(s, j);
        return;
    }
    struct refusal why;
    refuse_fault(s->server->models.names, e->status, e->message, &why);
    fail_job(s, j, &why);
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
        end_job(s, j);
    }
    for (struct job *j = s->waiting, *next; j; j = next) {
        next = j->next;
        if (!reply_gone(&j->reply)) continue;
        metrics_count(&s->server->metrics, &s->server->metrics.cancelled, 1);
        end_job(s, j);
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
        if (s->places[i].job) fail_job(s, s->places[i].job, why);
    while (s->waiting) fail_job(s, s->waiting, why);
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
        if (s->places[i].choice && s->places[i].choice->lost) fail_memory(s, s->places[i].job);
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
        admit(s);
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
