#include "base/clock.h"
#include "server/answer.h"
#include "server/fault.h"
#include "server/scheduler_inside.h"
#include "server/work.h"

#include <math.h>

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
    ead_duo_want_best(duo, j->ask.logprobs);
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
        scheduler_fail_memory(s, j);
        return BEGIN_BAD;
    }
    scheduler_vacate(s, place); /* what was found for it is kept */
    if (began == BEGIN_FULL && s->live) return BEGIN_FULL;
    refuse_fault(s->server->models.names, error.status, error.message, &why);
    scheduler_fail_job(s, j, &why);
    return BEGIN_BAD;
}

/* Another choice of the same prompt waits until the first one has read it, and copies it. */
static bool waits_for_sibling(const struct job *j, const struct choice *c)
{
    const struct choice *first = &j->choices[c->index / j->ask.n * j->ask.n];
    return c != first && !first->first_token && !first->ended && !is_scored(&j->ask);
}

/* Begin what can begin, in the order in which it came. */
void scheduler_admit(struct scheduler *s)
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
        if (j && j->n_begun == j->n_choices) scheduler_stop_waiting(s, j);
    }
}
