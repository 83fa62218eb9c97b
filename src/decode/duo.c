#include "decode/duo.h"

#include "base/check.h"
#include "base/clock.h"

#include <math.h>
#include <string.h>

/* ---- setting up -------------------------------------------------------------------------- */

void duo_carve(struct duo *d, struct arena *arena)
{
    text_carve(&d->text, d->n_ctx + 1, arena);
}

enum status duo_init(struct duo *d, const ead_duo_options *options, struct candidate *scratch,
                     struct err *err)
{
    d->ignore_end = options->ignore_end;
    d->eager_prompt = options->eager_prompt;
    d->small_alone = options->small_alone;
    TRY(sampler_check(&options->sampler, err));
    sampler_init(&d->sampler, &options->sampler, scratch, d->n_vocab);
    return duo_set_policy(d, &options->policy, err);
}

enum status duo_set_sampler(struct duo *d, const ead_sampler_options *o, struct err *err)
{
    TRY(sampler_check(o, err));
    sampler_init(&d->sampler, o, d->sampler.candidates, d->n_vocab);
    duo_look_ahead(d);
    return ST_OK;
}

/* ---- deciding ---------------------------------------------------------------------------- */

/* The rows that a late engine was given are over: it has answered, or is not to. */
static void book_late(struct duo *d, ead_writer w)
{
    struct late *l = &d->late[w];
    if (!l->n) return;
    const double seconds = clock_seconds() - l->since;
    account_rows(&d->account, &d->text, w, l->from, l->n, l->goal, seconds);
    d->seconds += seconds;
    l->n = 0;
}

static void cut(struct duo *d, int length)
{
    for (int w = 0; w < EAD_WRITERS; w++) book_late(d, (ead_writer)w);
    account_settle(&d->account);
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!d->engines[w]) continue;
        const bool waits = d->waiting[w] > length; /* what is to come of less still comes */
        const int keep = waits && d->due[w] < length ? d->due[w] : length;
        if (waits) d->waiting[w] = 0;
        engine_truncate(d->engines[w], d->seq, keep);
    }
    text_cut(&d->text, length);
    d->drawn.n = 0;
    if (d->eager_end > length) d->eager_end = length;
    if (d->kept > length) d->kept = length;
    if (d->scoring.next > length) d->scoring.next = length;
}

/* Why a decision cannot be followed, or NULL. Taking back what stands where something was taken
 * back before could go on for ever. */
static const char *objection(const struct duo *d, const ead_decision *decision)
{
    if ((unsigned)decision->writer >= EAD_WRITERS) return "the next writer is no model";
    if (!d->engines[decision->writer]) return "the next writer is not there";
    if (!decision->take_back) return NULL;
    if (decision->take_back < 0 || decision->take_back > text_written(&d->text))
        return "more was taken back than was written";
    const int length = d->text.n - decision->take_back;
    if (d->text.marks[length].author == (int8_t)decision->writer)
        return "who wrote what was taken back cannot write next";
    for (int pos = length; pos < d->text.n; pos++)
        if (d->text.marks[pos].replaces) return "what had been replaced was taken back";
    return NULL;
}

/* Ask the policy about the text as it stands. */
static void decide(struct duo *d)
{
    const ead_decision decision = policy_decide(&d->policy, &d->text);
    const char *why = objection(d, &decision);
    d->fault.code = ST_OK;
    d->replacing = false;
    d->astray = why != NULL;
    if (why) {
        d->fault.code = err_set(&d->fault, ST_ARG, "policy %s: at token %d: %s",
                                policy_rule(d->policy.options.kind)->info.name, d->text.n, why);
        return;
    }
    d->next = decision.writer;
    if (!decision.take_back) return;
    const int length = d->text.n - decision.take_back;
    d->account.taken_back += decision.take_back;
    d->replacing = true;
    cut(d, length);
}

enum status duo_set_policy(struct duo *d, const ead_policy_options *o, struct err *err)
{
    TRY(policy_check(o, err));
    ead_policy_options mine = *o;
    d->wanted = *o;
    if (!d->engines[EAD_LARGE] || d->loss.code != ST_OK) mine.kind = EAD_POLICY_SMALL;
    if (!d->engines[EAD_SMALL]) mine.kind = EAD_POLICY_LARGE;
    policy_init(&d->policy, &mine);
    decide(d);
    return ST_OK;
}

/* ---- the text ---------------------------------------------------------------------------- */

int duo_read(const struct duo *d, ead_writer w)
{
    return engine_length(d->engines[w], d->seq);
}

/* Written tokens that no engine has evaluated, which the next prompt will take in: the last one. */
static int unread(const struct duo *d)
{
    int covered = 0, n = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w] && duo_read(d, (ead_writer)w) > covered)
            covered = duo_read(d, (ead_writer)w);
    for (int pos = covered; pos < d->text.n; pos++) n += d->text.marks[pos].author != TEXT_GIVEN;
    return n;
}

static enum status check_given(const struct duo *d, const int32_t *ids, size_t n, struct err *err)
{
    const int room = d->kept < d->n_ctx ? d->n_ctx - d->kept : 0;
    if (n > (size_t)room)
        return err_set(err, ST_FULL,
                       "the prompt of %zu tokens does not fit: %d of the context's %d are left", n,
                       room, d->n_ctx);
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= d->n_vocab)
            return err_set(err, ST_ARG, "token %zu: expected an id from 0 to %d, found %d", i,
                           d->n_vocab - 1, ids[i]);
    return ST_OK;
}

enum status duo_append(struct duo *d, const int32_t *ids, size_t n, struct err *err)
{
    TRY(check_given(d, ids, n, err));
    if (!n) return ST_OK;
    if (duo_has_news(d)) cut(d, d->kept); /* nobody has heard of it */
    duo_rest(d);
    d->account.to_read += (int64_t)n + unread(d);
    account_settle(&d->account);
    text_give(&d->text, ids, n);
    d->drawn.n = 0;
    d->told = d->kept = d->text.n;
    d->eager_end = d->eager_prompt ? d->text.n - 1 : 0;
    d->seconds = 0;
    decide(d);
    return ST_OK;
}

void duo_truncate(struct duo *d, int length)
{
    if (length < 0) return;
    if (d->told > length) d->told = length;
    if (length >= d->text.n) return;
    cut(d, length);
    d->seconds = 0;
    decide(d);
}

static enum status promise(struct duo *d, int length, struct err *err)
{
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w]) TRY(engine_reserve(d->engines[w], d->seq, length, err));
    d->reserved = length;
    return ST_OK;
}

static void give_back(struct duo *d)
{
    const enum status st = promise(d, 0, NULL);
    CHECK(st == ST_OK); /* takes nothing */
}

enum status duo_reserve(struct duo *d, size_t length, struct err *err)
{
    const size_t most = (size_t)d->n_ctx + 1; /* the last one is never read */
    const int before = d->reserved;
    if (length > most)
        return err_set(err, ST_ARG, "length: expected at most %zu tokens, found %zu", most, length);
    const enum status st = promise(d, length < most ? (int)length : d->n_ctx, err);
    /* One may have promised before the other refused. */
    if (st != ST_OK && promise(d, before, NULL) != ST_OK) give_back(d);
    return st;
}

void duo_reset(struct duo *d)
{
    give_back(d);
    if (d->loss.code != ST_OK) { /* another text tries again */
        d->loss.code = ST_OK;
        policy_init(&d->policy, &d->wanted);
    }
    d->lost = false;
    duo_truncate(d, 0);
    d->account = (struct account){0};
    d->seconds = 0;
}

void duo_copy(struct duo *d, const struct duo *from, int length)
{
    CHECK(d != from && length >= 0 && length <= from->text.n);
    duo_reset(d);
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!d->engines[w]) continue;
        const int read = duo_read(from, (ead_writer)w);
        engine_copy(d->engines[w], from->seq, d->seq, read < length ? read : length);
    }
    text_copy(&d->text, &from->text, length);
    d->told = d->kept = length;
    d->eager_end = from->eager_end < length ? from->eager_end : length;
    decide(d);
}

/* ---- rows out, a token in ---------------------------------------------------------------- */

bool duo_prepare(struct duo *d)
{
    if (d->astray) return false;
    d->fault.code = ST_OK;
    if (!d->text.n)
        d->fault.code =
            err_set(&d->fault, ST_ARG, "the text is empty; a first token has to be appended");
    else if (d->text.n > d->n_ctx)
        d->fault.code = err_set(&d->fault, ST_FULL, "the context of %d tokens is full", d->n_ctx);
    else if (!d->waiting[d->next] && duo_read(d, d->next) >= d->text.n)
        /* A shortened text may leave nothing to evaluate: its last row is evaluated again. */
        engine_truncate(d->engines[d->next], d->seq, d->text.n - 1);
    return d->fault.code == ST_OK;
}

int duo_goal(const struct duo *d, ead_writer w)
{
    return w == d->next ? d->text.n : d->eager_end;
}

/* Is what follows position `pos` a given token that is to be told of? */
static bool is_scored(const struct duo *d, ead_writer w, int pos)
{
    return d->scoring.tell && w == d->next && pos + 1 < d->text.n && pos + 1 >= d->scoring.next &&
           d->text.marks[pos + 1].author == TEXT_GIVEN;
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
        const bool counts = stretch || d->text.marks[pos].author == TEXT_GIVEN;
        const bool wants = (w == d->next && pos == d->text.n - 1) || is_scored(d, w, pos);
        if (n && counts && *budget <= 0) break;
        if (wants && wanted && *scores <= 0) break;
        *scores -= wants && wanted;
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

bool duo_take(struct duo *d, ead_writer w, const struct result *result)
{
    const int pos = result->pos, at = pos + 1;
    /* Nothing comes that was not asked for, and nothing out of order. */
    CHECK(d->seq == result->seq && pos >= d->due[w] && pos < d->waiting[w]);
    d->due[w] = at;
    if (at == d->waiting[w]) {
        d->waiting[w] = 0;
        book_late(d, w);
    }
    if (!is_scored(d, w, pos)) return duo_expects(d, w, result);
    if (result->status == ST_OK) {
        score_tell(&d->scoring, at, d->text.ids[at], &result->dist, d->n_vocab);
        return false;
    }
    d->fault.code = err_set(&d->fault, result->status, "%s", result->message);
    d->waiting[w] = 0;
    engine_truncate(d->engines[w], d->seq, pos);
    return false;
}

bool duo_expects(const struct duo *d, ead_writer w, const struct result *result)
{
    return !d->astray && w == d->next && result->pos == d->text.n - 1;
}

void duo_fail(struct duo *d, ead_writer w, const struct result *result)
{
    if (w != EAD_LARGE || !d->small_alone || !d->engines[EAD_SMALL]) {
        d->fault.code = err_set(&d->fault, result->status, "%s", result->message);
        return;
    }
    ead_policy_options alone = d->wanted;
    alone.kind = EAD_POLICY_SMALL;
    d->loss.code = err_set(&d->loss, result->status, "%s", result->message);
    d->lost = true;
    policy_init(&d->policy, &alone);
    decide(d);
}

static void nothing_follows(struct duo *d, int32_t why, const struct distribution *dist)
{
    const char *name = d->engines[d->next]->info.name;
    if (why == SAMPLER_FORBIDDEN)
        d->fault.code = err_set(&d->fault, ST_ARG,
                                "%s: bias: all %d known tokens that may follow are forbidden", name,
                                dist->logits ? d->n_vocab : dist->n_top);
    else
        d->fault.code =
            err_set(&d->fault, ST_SUPPORT,
                    "%s: none of the %d known tokens that may follow is one of both models", name,
                    dist->n_top);
}

static float log_prob_of(const struct result *r, int32_t id)
{
    const float known = distribution_log_prob(&r->dist, id);
    return isnan(known) && id == r->drawn ? r->log_prob : known;
}

void duo_write(struct duo *d, const struct result *result, double seconds)
{
    const struct distribution *dist = &result->dist;
    const int32_t drawn = result->drawn;
    const ead_writer w = d->next;
    CHECK(!d->astray && d->text.n && d->text.n <= d->n_ctx);
    const bool taken = drawn >= 0 && drawn < d->n_vocab;
    const int32_t id = taken ? drawn
                             : sampler_choose(&d->sampler, dist, d->text.ids, (size_t)d->text.n,
                                              (size_t)text_written(&d->text));
    if (id < 0) {
        nothing_follows(d, id, dist);
        return;
    }
    const struct mark mark = {.author = (int8_t)w,
                              .replaces = d->replacing,
                              .alone = d->lost,
                              .log_prob = log_prob_of(result, id),
                              .seconds = (float)(d->seconds + seconds),
                              .stats = dist->stats};
    text_write(&d->text, id, &mark);
    d->lost = false;
    const int at = d->text.n - 1;
    const bool switched = d->text.marks[at].index > 0 && d->text.marks[at - 1].author != (int8_t)w;
    account_token(&d->account, w, switched);
    d->account.bounded += !dist->stats.exact;
    d->account.open_decisions += policy_is_open(&d->policy, &d->text);
    d->seconds = 0;
    d->drawn = *dist;
    if (d->drawn.n > d->n_vocab) d->drawn.n = d->n_vocab; /* no other can stand in the text */
    decide(d);
}

void duo_rest(struct duo *d)
{
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!d->engines[w]) continue;
        book_late(d, (ead_writer)w);
        if (d->waiting[w]) engine_truncate(d->engines[w], d->seq, d->due[w]);
        d->waiting[w] = 0;
        engine_expect(d->engines[w], d->seq, &(struct outlook){0});
    }
}

void duo_look_ahead(const struct duo *d)
{
    const bool writes = !d->astray && d->text.n && d->text.n <= d->n_ctx;
    for (int w = 0; w < EAD_WRITERS; w++) {
        struct outlook o = {.sampler = sampler_is_plain(&d->sampler) ? &d->sampler.options : NULL};
        if (!d->engines[w] || !d->engines[w]->ops->expect) continue;
        if (writes && w == (int)d->next) o.sure = policy_sure(&d->policy, &d->text, d->next);
        engine_expect(d->engines[w], d->seq, &o);
    }
}

void duo_forget_drawn(struct duo *d, ead_writer w)
{
    if (d->text.n && d->text.marks[d->text.n - 1].author == (int8_t)w) d->drawn.n = 0;
}

/* ---- what the caller is told ------------------------------------------------------------- */

bool duo_has_news(const struct duo *d)
{
    return d->text.n > d->kept;
}

static bool is_end(const struct duo *d, int32_t id)
{
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w] && vocab_is_eog(d->engines[w]->info.vocab, id)) return true;
    return false;
}

bool duo_token(const struct duo *d, int at, ead_token *out)
{
    const struct mark *mark = &d->text.marks[at];
    if (mark->author == TEXT_GIVEN) return false;
    *out = (ead_token){.index = mark->index,
                       .id = d->text.ids[at],
                       .writer = (ead_writer)mark->author,
                       .alone = mark->alone,
                       .log_prob = mark->log_prob,
                       .entropy = mark->stats.entropy,
                       .stats = mark->stats,
                       .seconds = (double)mark->seconds};
    const ead_policy_options *o = &d->policy.options;
    CHECK(mark->index >= 0 && mark->turn > 0);
    out->rolling = text_rolling(&d->text, at, o->window, o->clear_window);
    out->switched = mark->index > 0 && mark[-1].author != mark->author;
    if (!d->ignore_end && is_end(d, out->id))
        out->end = EAD_END_TOKEN;
    else if (at == d->n_ctx)
        out->end = EAD_END_CONTEXT;
    return true;
}

void duo_tell(struct duo *d, ead_token *out)
{
    CHECK(duo_has_news(d) && d->kept <= d->told);
    (void)duo_token(d, d->kept, out);
    out->taken_back = d->told - d->kept;
    d->told = ++d->kept;
}

ead_summary duo_summarise(const struct duo *d)
{
    uint64_t n_active[EAD_WRITERS] = {0};
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w]) n_active[w] = d->engines[w]->info.n_active;
    return account_summarise(&d->account, d->engines[EAD_LARGE] && d->engines[EAD_SMALL], n_active);
}
