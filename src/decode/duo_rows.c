/* A duo towards its engines: which rows it needs, and what is heard of them. */
#include "base/check.h"
#include "base/clock.h"
#include "decode/duo_inside.h"

#include <string.h>

/* ---- rows out ---------------------------------------------------------------------------- */

/* The first row that the writer of the next token must evaluate. */
int duo_first_needed(const struct duo *d)
{
    return d->text.n - 1 - d->judging.n;
}

/* The first draft to be judged of whose proposal nothing is known any more: the small model is to
 * read on from there. -1: there is none. */
static int first_unknown(const struct duo *d)
{
    if (!(policy_asks(&d->policy) & POLICY_BOTH)) return -1;
    if (!d->engines[EAD_SMALL] || !d->engines[EAD_SMALL]->info.judges)
        return -1; /* not to be had */
    for (int pos = d->text.n - d->judging.n; pos < d->text.n; pos++)
        if (!proposals_know(&d->proposals, pos)) return pos;
    return -1;
}

static void go_back(struct duo *d, ead_writer w, int length)
{
    if (!d->waiting[w] && duo_read(d, w) > length) engine_truncate(d->engines[w], d->seq, length);
}

bool duo_prepare(struct duo *d)
{
    if (d->astray) return false;
    d->fault.code = ST_OK;
    if (!d->text.n)
        d->fault.code =
            err_set(&d->fault, ST_ARG, "the text is empty; a first token has to be appended");
    else if (d->text.n > d->n_ctx && !d->judging.n)
        d->fault.code = err_set(&d->fault, ST_FULL, "the context of %d tokens is full", d->n_ctx);
    else if ((d->fault.code = duo_check_told(d, &d->fault)) == ST_OK)
        /* A shortened text may leave nothing to evaluate: rows are evaluated again. */
        go_back(d, d->next, duo_first_needed(d));
    const int unknown = first_unknown(d);
    if (unknown >= 0) go_back(d, EAD_SMALL, unknown - 1);
    return d->fault.code == ST_OK;
}

int duo_goal(const struct duo *d, ead_writer w)
{
    const int judged = d->judging.n && d->judging.final ? d->text.n - 1 : d->text.n;
    if (first_unknown(d) >= 0) return w == EAD_SMALL ? d->text.n - 1 : 0; /* first things first */
    return w == d->next ? judged : d->eager_end;
}

int duo_least(const struct duo *d, ead_writer w, int goal)
{
    return w == d->next && d->judging.n && duo_read(d, w) == duo_first_needed(d)
               ? goal - duo_first_needed(d)
               : 1;
}

/* Does the model judge the draft that follows position `pos`? */
static bool is_judged(const struct duo *d, ead_writer w, int pos)
{
    return d->judging.n && w == d->next && pos >= duo_first_needed(d) && pos < d->text.n - 1;
}

/* Is what the small model proposes behind position `pos` to be learned again? */
static bool is_relearned(const struct duo *d, ead_writer w, int pos)
{
    const int unknown = w == EAD_SMALL ? first_unknown(d) : -1;
    return unknown >= 0 && pos >= unknown - 1 && pos < d->text.n - 1 &&
           !proposals_know(&d->proposals, pos + 1);
}

/* Is what follows position `pos` a given token that is to be told of? */
static bool is_scored(const struct duo *d, ead_writer w, int pos)
{
    return d->scoring.tell && w == d->next && pos + 1 < d->text.n && pos + 1 >= d->scoring.next &&
           d->text.marks[pos + 1].author == TEXT_GIVEN;
}

/* Whether the row at `pos` may not join n others of a pass: what is judged stays together. */
static bool must_wait(const struct duo *d, ead_writer w, int pos, int goal, int n, int most)
{
    return n && d->judging.n && w == d->next && pos == duo_first_needed(d) && goal - pos > most - n;
}

/* Does an engine tell what follows the last row of a submit alone? */
static bool tells_last(const struct engine *e)
{
    return e->info.late || e->info.max_logits < e->info.max_rows;
}

int duo_rows(const struct duo *d, ead_writer w, int goal, int most, int *budget, int *scores,
             struct row *rows)
{
    const bool stretch = goal - duo_read(d, w) > *budget; /* as long as a prompt */
    const int from = duo_read(d, w);
    int n = 0;
    bool wanted = false;
    CHECK(from <= d->text.n && goal <= d->text.n); /* what an engine holds is of the text */
    for (; n < most && from + n < goal; n++) {
        const int pos = from + n;
        const bool last = pos == d->text.n - 1;
        const bool judged = is_judged(d, w, pos) || (last && d->judging.n && w == d->next);
        const bool wants =
            (w == d->next && last) || judged || is_scored(d, w, pos) || is_relearned(d, w, pos);
        const bool counts = !judged && (stretch || d->text.marks[pos].author == TEXT_GIVEN);
        const bool scores_one = wants && wanted && !judged && !is_relearned(d, w, pos);
        if (must_wait(d, w, pos, goal, n, most)) break;
        if (n && is_relearned(d, w, pos - 1) && tells_last(d->engines[w])) break;
        if (n && counts && *budget <= 0) break;
        if (scores_one && *scores <= 0) break;
        *scores -= scores_one;
        wanted |= wants;
        *budget -= counts;
        rows[n] = (struct row){
            .seq = d->seq, .pos = pos, .token = d->text.ids[pos], .wants_logits = wants};
    }
    return n;
}

void duo_await(struct duo *d, ead_writer w, const struct row *rows, int n)
{
    CHECK(!d->waiting[w]);
    for (int i = 0; i < n; i++) {
        if (!rows[i].wants_logits) continue;
        if (!d->waiting[w]) d->due[w] = rows[i].pos;
        d->waiting[w] = rows[i].pos + 1;
    }
}

void duo_account(struct duo *d, ead_writer w, int from, int n, int goal, double seconds)
{
    if (d->engines[w]->info.late && d->waiting[w]) {
        d->late[w] = (struct late){from, n, goal, clock_seconds() - seconds};
        return;
    }
    account_rows(&d->account, &d->text, w, from, n, goal, seconds);
    d->seconds += seconds;
}

/* That row is to be evaluated again. */
static void unhear(struct duo *d, ead_writer w, const struct result *result)
{
    d->fault.code = err_set(&d->fault, result->status, "%s", result->message);
    d->waiting[w] = 0;
    engine_truncate(d->engines[w], d->seq, result->pos);
}

static bool hear_score(struct duo *d, ead_writer w, const struct result *result)
{
    const int at = result->pos + 1;
    if (result->status == ST_OK)
        score_tell(&d->scoring, at, d->text.ids[at], &result->dist, d->n_vocab);
    else
        unhear(d, w, result);
    return false;
}

bool duo_propose(struct duo *d, int pos, const struct distribution *small)
{
    const size_t n_written = (size_t)d->text.marks[pos - 1].index + 1;
    const bool any =
        sampler_shape(&d->sampler, small, d->text.ids, (size_t)pos, n_written, d->scratch.q);
    if (!any) memset(d->scratch.q, 0, (size_t)d->n_vocab * sizeof *d->scratch.q);
    proposals_keep(&d->proposals, pos, d->scratch.q, d->n_vocab, d->scratch.candidates);
    return any;
}

static bool hear_proposal(struct duo *d, ead_writer w, const struct result *result)
{
    if (result->status == ST_OK)
        (void)duo_propose(d, result->pos + 1, &result->dist);
    else
        unhear(d, w, result);
    return false;
}

/* Does this result say what follows the text, by the model that is to write? */
static bool expects(const struct duo *d, ead_writer w, const struct result *result)
{
    return !d->astray && w == d->next && result->pos == d->text.n - 1;
}

static bool hear_judged(struct duo *d, ead_writer w, const struct result *result)
{
    if (result->status != ST_OK) {
        unhear(d, w, result);
        return true;
    }
    d->judging.seen[result->pos - duo_first_needed(d)] = result->dist;
    return d->judging.final && result->pos == d->text.n - 2;
}

bool duo_take(struct duo *d, ead_writer w, const struct result *result)
{
    const int pos = result->pos, at = pos + 1;
    /* Nothing comes that was not asked for, and nothing out of order. */
    CHECK(d->seq == result->seq && pos >= d->due[w] && pos < d->waiting[w]);
    d->due[w] = at;
    if (at == d->waiting[w]) {
        d->waiting[w] = 0;
        duo_book_late(d, w);
    }
    if (is_scored(d, w, pos)) return hear_score(d, w, result);
    if (is_relearned(d, w, pos)) return hear_proposal(d, w, result);
    if (is_judged(d, w, pos)) return hear_judged(d, w, result);
    return expects(d, w, result);
}
