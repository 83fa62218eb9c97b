#include "base/clock.h"
#include "server/answer.h"
#include "server/fault.h"
#include "server/scheduler_inside.h"

enum {
    TELL_MOST = 1 << 11
}; /* entries of an answer that are put together between steps: some ms */

void scheduler_vacate(struct scheduler *s, int place)
{
    ead_duo *duo = ead_batch_duo(s->batch, place);
    ead_error error;
    s->places[place] = (struct place){0};
    ead_duo_rest(duo);
    (void)ead_duo_reserve(duo, 0, &error);
    ead_duo_score(duo, 0, NULL, NULL);
    prefix_keep(&s->prefix, place);
}

void scheduler_leave_place(struct scheduler *s, int place)
{
    struct choice *c = s->places[place].choice;
    c->summary = ead_duo_summarise(ead_batch_duo(s->batch, place));
    c->ended = true;
    s->places[place].job->n_ended++;
    s->live--;
    s->blocked = NULL;
    scheduler_vacate(s, place);
    metrics_text(&s->server->metrics, &c->summary, c->index % c->ask->n ? 0 : c->prompt->n,
                 c->index % c->ask->n ? 0 : (uint64_t)c->cached);
    metrics_wire(&s->server->metrics, ead_batch_duo(s->batch, place));
}

void scheduler_stop_waiting(struct scheduler *s, const struct job *j)
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
        if (s->places[i].job == j) scheduler_leave_place(s, i);
    scheduler_stop_waiting(s, j);
    pthread_mutex_lock(&s->lock);
    s->n_jobs--;
    s->job_seconds = s->job_seconds > 0 ? s->job_seconds * 0.9 + seconds * 0.1 : seconds;
    pthread_mutex_unlock(&s->lock);
}

void scheduler_end_job(struct scheduler *s, struct job *j)
{
    let_go(s, j);
    server_done(s->server, j);
}

void scheduler_fail_job(struct scheduler *s, struct job *j, const struct refusal *why)
{
    reply_fail(&j->reply, why);
    scheduler_end_job(s, j);
}

void scheduler_fail_memory(struct scheduler *s, struct job *j)
{
    struct refusal why;
    refuse_memory(&why);
    scheduler_fail_job(s, j, &why);
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

void scheduler_finish_job(struct scheduler *s, struct job *j)
{
    if (j->ask.stream && !finish_stream(j)) {
        scheduler_fail_memory(s, j);
        return;
    }
    if (!j->ask.stream && answer_entries(j) > TELL_MOST) {
        let_go(s, j);
        teller_take(s->teller, j);
        return;
    }
    if (!j->ask.stream) reply_json(&j->reply, 200, answer_whole(j));
    scheduler_end_job(s, j);
}
