#include "decode/duo_inside.h"

#include "base/check.h"
#include "base/clock.h"

#include <math.h>
#include <string.h>

/* ---- setting up -------------------------------------------------------------------------- */

void duo_carve(struct duo *d, struct arena *arena)
{
    text_carve(&d->text, d->n_ctx + 1, arena);
    proposals_carve(&d->proposals, arena);
}

enum status duo_init(struct duo *d, const ead_duo_options *options,
                     const struct duo_scratch *scratch, int draft_max, struct err *err)
{
    d->ignore_end = options->ignore_end;
    d->eager_prompt = options->eager_prompt;
    d->small_alone = options->small_alone;
    d->tell_lost = options->tell_lost;
    d->scratch = *scratch;
    d->policy.draft_max = draft_max;
    d->policy.n_vocab = d->n_vocab;
    proposals_reset(&d->proposals);
    alternatives_reset(&d->alternatives);
    TRY(sampler_check(&options->sampler, err));
    sampler_init(&d->sampler, &options->sampler, scratch->candidates, d->n_vocab);
    d->policy.drawn = options->sampler.temperature > 0;
    return duo_set_policy(d, &options->policy, err);
}

/* ---- deciding ---------------------------------------------------------------------------- */

void duo_book_late(struct duo *d, ead_writer w)
{
    struct late *l = &d->late[w];
    if (!l->n) return;
    const double seconds = clock_seconds() - l->since;
    account_rows(&d->account, &d->text, w, l->from, l->n, l->goal, seconds);
    d->seconds += seconds;
    l->n = 0;
}

/* Positions from `from` on that nobody heard of are about to fall. Those of a draft fall before a
 * token behind it that was given up earlier is told, and behind what fell before it. */
void duo_lose(struct duo *d, int from)
{
    struct losses *l = &d->losses;
    if (from < d->kept) from = d->kept;
    const int n = d->text.n - from;
    if (n <= 0 || !d->tell_lost) return;
    l->n -= l->told;
    memmove(l->each, l->each + l->told, (size_t)l->n * sizeof *l->each);
    l->told = 0;
    CHECK(l->n + n <= LOSSES_MAX);
    int at = l->n;
    for (; at && l->each[at - 1].at > from; at--) l->each[at - 1].at = from;
    memmove(l->each + at + n, l->each + at, (size_t)(l->n - at) * sizeof *l->each);
    for (int i = 0; i < n; i++) {
        ead_token *token = &l->each[at + i].token;
        const bool written = duo_token(d, from + i, token);
        CHECK(written);
        token->lost = true;
        token->end = EAD_END_NOT;
        l->each[at + i].at = from;
    }
    l->n += n;
}

void duo_cut(struct duo *d, int length)
{
    for (int w = 0; w < EAD_WRITERS; w++) duo_book_late(d, (ead_writer)w);
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
    d->judging.n = 0;
    if (d->eager_end > length) d->eager_end = length;
    if (d->kept > length) d->kept = length;
    if (d->scoring.next > length) d->scoring.next = length;
}

/* Could there be more that is told as lost than there is room for? */
static bool loses_too_much(const struct duo *d, const ead_decision *decision)
{
    const int untold = d->text.n - d->kept, pending = d->losses.n - d->losses.told;
    const int falls = decision->take_back + decision->judge;
    return d->tell_lost && pending + (falls < untold ? falls : untold) > LOSSES_MAX;
}

/* Why a decision cannot be followed, or NULL. Taking back what stands where something was taken
 * back before could go on for ever. */
static const char *objection(const struct duo *d, const ead_decision *decision)
{
    const int drafts = policy_drafts(&d->policy, &d->text, d->text.n) - decision->take_back;
    if ((unsigned)decision->writer >= EAD_WRITERS) return "the next writer is no model";
    if (!d->engines[decision->writer]) return "the next writer is not there";
    if (decision->judge && decision->writer != EAD_LARGE) return "only the large model judges";
    if (decision->judge < 0 || decision->judge > d->policy.draft_max)
        return "more was to be judged than can be at once";
    if (decision->judge > (drafts > 0 ? drafts : 0)) return "what is no draft was to be judged";
    if (decision->open < 0 || decision->open > EAD_DRAFT_MAX) return "too much was left untold";
    if (decision->take_back < 0 || decision->take_back > text_written(&d->text))
        return "more was taken back than was written";
    if (loses_too_much(d, decision)) return "more fell than can be told";
    if (!decision->take_back) return NULL;
    const int length = d->text.n - decision->take_back;
    if (d->text.marks[length].author == (int8_t)decision->writer)
        return "who wrote what was taken back cannot write next";
    for (int pos = length; pos < d->text.n; pos++)
        if (d->text.marks[pos].replaces) return "what had been replaced was taken back";
    return NULL;
}

static bool has_ended(const struct duo *d)
{
    return d->text.n && d->text.marks[d->text.n - 1].end;
}

static void follow(struct duo *d, const ead_decision *decision)
{
    const int length = d->text.n - decision->take_back;
    const bool ended = has_ended(d) && !decision->take_back;
    d->next = decision->writer;
    struct mark *last = d->text.n ? &d->text.marks[d->text.n - 1] : NULL;
    if (last && last->kind == (int8_t)d->policy.options.kind) /* it was written under this one */
        memcpy(last->memory, decision->memory, sizeof last->memory);
    if (decision->take_back) {
        duo_lose(d, length);
        d->account.taken_back += decision->take_back;
        d->replacing = true;
        duo_cut(d, length);
    }
    d->judging.n = decision->judge;
    d->judging.final = ended;
    d->open = decision->open > decision->judge ? decision->open : decision->judge;
    if (d->open && ended && !decision->judge) d->open = 0;
}

void duo_decide(struct duo *d)
{
    const ead_decision decision = policy_decide(&d->policy, &d->text);
    const char *why = objection(d, &decision);
    d->fault.code = ST_OK;
    d->replacing = false;
    d->judging.n = d->open = 0;
    d->astray = why != NULL;
    if (why) {
        d->fault.code = err_set(&d->fault, ST_ARG, "policy %s: at token %d: %s",
                                policy_rule(d->policy.options.kind)->info.name, d->text.n, why);
        return;
    }
    follow(d, &decision);
}

/* Nobody has heard of it. */
static void forget_untold(struct duo *d)
{
    d->losses.n = d->losses.told = 0;
    if (d->text.n <= d->kept) return;
    d->account.taken_back += d->text.n - d->kept;
    duo_cut(d, d->kept);
}

/* From here on it is written in another way: what was told stands, and drafts that nobody heard of
 * are not of this way. */
static void turn_over(struct duo *d)
{
    forget_untold(d);
    text_settle(&d->text);
    proposals_reset(&d->proposals);
}

static enum status check_judging(const struct duo *d, const ead_policy_options *o, struct err *err)
{
    const ead_policy_info *info = &policy_rule(o->kind)->info;
    const struct engine *large = d->engines[EAD_LARGE];
    if (!info->judges || d->policy.draft_max || !large || !d->engines[EAD_SMALL]) return ST_OK;
    if (large->info.mute)
        return err_set(err, ST_ARG,
                       "policy %s: %s: %s; the large model has to say what it thinks of the small "
                       "one's tokens",
                       info->name, large->info.name, large->info.mute);
    return err_set(err, ST_ARG, "policy %s: expected passes of at least 2 rows, found one of %d",
                   info->name, large->info.max_rows);
}

/* Does an engine tell enough to compare the two distributions token by token? */
static enum status check_whole(const struct duo *d, const struct engine *e, struct err *err)
{
    const char *name = policy_rule(d->policy.options.kind)->info.name;
    const char *when = d->policy.drawn ? " above temperature 0" : "";
    if (!e->info.n_told) return ST_OK;
    return err_set(err, ST_ARG,
                   "policy %s%s compares the probabilities of all tokens, and %s tells the %d most "
                   "probable of %d%s",
                   name, when, e->info.name, e->info.n_told, e->info.n_vocab,
                   *when ? "; judge, bild, relaxed and typical do with those" : "");
}

enum status duo_check_told(const struct duo *d, struct err *err)
{
    const bool pair = d->engines[EAD_LARGE] && d->engines[EAD_SMALL];
    const struct policy_rule *rule = policy_rule(d->policy.options.kind);
    /* Not a custom one: who knows what it reads? */
    if (!pair || !rule->info.judges || !(policy_asks(&d->policy) & POLICY_BOTH)) return ST_OK;
    /* What the small one tells is what it proposes, and of an unknown proposal nothing is kept. */
    return check_whole(d, d->engines[EAD_LARGE], err);
}

enum status duo_set_policy(struct duo *d, const ead_policy_options *o, struct err *err)
{
    TRY(policy_check(o, err));
    TRY(check_judging(d, o, err));
    ead_policy_options mine = *o;
    turn_over(d);
    /* Another rule of one kind reads memory in another way. */
    if (!policy_same(&d->wanted, o)) text_forget(&d->text);
    d->wanted = *o;
    if (!d->engines[EAD_LARGE] || d->loss.code != ST_OK) mine.kind = EAD_POLICY_SMALL;
    if (!d->engines[EAD_SMALL]) mine.kind = EAD_POLICY_LARGE;
    policy_init(&d->policy, &mine);
    duo_decide(d);
    return ST_OK;
}

enum status duo_set_sampler(struct duo *d, const ead_sampler_options *o, struct err *err)
{
    TRY(sampler_check(o, err));
    const bool anew = d->text.n > d->kept || text_drafts(&d->text); /* else the decision holds */
    turn_over(d);
    sampler_init(&d->sampler, o, d->sampler.candidates, d->n_vocab);
    d->policy.drawn = o->temperature > 0;
    if (anew) duo_decide(d);
    duo_look_ahead(d);
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
    forget_untold(d);
    duo_rest(d);
    d->account.to_read += (int64_t)n + unread(d);
    account_settle(&d->account);
    text_give(&d->text, ids, n);
    d->drawn.n = 0;
    alternatives_reset(&d->alternatives);
    d->told = d->kept = d->text.n;
    d->eager_end = d->eager_prompt ? d->text.n - 1 : 0;
    d->seconds = 0;
    duo_decide(d);
    return ST_OK;
}

void duo_truncate(struct duo *d, int length)
{
    if (length < 0) return;
    if (d->told > length) d->told = length;
    if (length >= d->text.n) return;
    d->losses.n = d->losses.told = 0;
    alternatives_reset(&d->alternatives);
    duo_cut(d, length);
    d->seconds = 0;
    duo_decide(d);
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
    proposals_reset(&d->proposals);
    d->account = (struct account){0};
    d->seconds = 0;
}

static bool decides_alike(const struct duo *a, const struct duo *b)
{
    return policy_same(&a->policy.options, &b->policy.options);
}

static bool writes_alike(const struct duo *a, const struct duo *b)
{
    return decides_alike(a, b) && sampler_same(&a->sampler.options, &b->sampler.options);
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
    if (!decides_alike(d, from)) text_forget(&d->text);
    if (writes_alike(d, from))
        proposals_copy(&d->proposals, &from->proposals);
    else
        text_settle(&d->text); /* what was told in another way stands */
    d->told = d->kept = length;
    d->eager_end = from->eager_end < length ? from->eager_end : length;
    duo_decide(d);
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
    duo_decide(d);
}

void duo_rest(struct duo *d)
{
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!d->engines[w]) continue;
        duo_book_late(d, (ead_writer)w);
        if (d->waiting[w]) engine_truncate(d->engines[w], d->seq, d->due[w]);
        d->waiting[w] = 0;
        engine_expect(d->engines[w], d->seq, &(struct outlook){0});
    }
}

void duo_look_ahead(const struct duo *d)
{
    const bool writes = !d->astray && d->text.n && d->text.n <= d->n_ctx;
    const bool tops = policy_asks(&d->policy) & (POLICY_TOP | POLICY_BOTH);
    for (int w = 0; w < EAD_WRITERS; w++) {
        struct outlook o = {.sampler = sampler_is_plain(&d->sampler) ? &d->sampler.options : NULL,
                            .tops = tops && w == EAD_SMALL};
        if (!d->engines[w] || !d->engines[w]->ops->expect) continue;
        if (w == EAD_LARGE && d->judging.n && d->judging.final) o.end = &d->text.ids[d->text.n - 1];
        if (writes && w == (int)d->next) o.sure = policy_sure(&d->policy, &d->text, d->next);
        engine_expect(d->engines[w], d->seq, &o);
    }
}

void duo_forget_drawn(struct duo *d, ead_writer w)
{
    if (d->text.n && d->text.marks[d->text.n - 1].author == (int8_t)w) d->drawn.n = 0;
}

bool duo_is_end(const struct duo *d, int32_t id)
{
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w] && vocab_is_eog(d->engines[w]->info.vocab, id)) return true;
    return false;
}

/* ---- what the caller is told ------------------------------------------------------------- */

/* Is a token that fell the next to be told of? */
static bool has_loss(const struct duo *d)
{
    return d->losses.told < d->losses.n && d->losses.each[d->losses.told].at == d->kept;
}

bool duo_has_news(const struct duo *d)
{
    return has_loss(d) || d->kept < d->text.n - d->open;
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
                       .judgement = mark->judgement,
                       .judged = mark->heard,
                       .opinion = mark->opinion,
                       .top_entropy = mark->top_entropy,
                       .seconds = (double)mark->seconds};
    const ead_policy_options *o = &d->policy.options;
    CHECK(mark->index >= 0 && mark->turn > 0);
    out->rolling = text_rolling(&d->text, at, o->window, o->clear_window);
    out->switched = mark->index > 0 && mark[-1].author != mark->author;
    if (!d->ignore_end && duo_is_end(d, out->id))
        out->end = EAD_END_TOKEN;
    else if (at == d->n_ctx)
        out->end = EAD_END_CONTEXT;
    return true;
}

void duo_tell(struct duo *d, ead_token *out)
{
    CHECK(duo_has_news(d) && d->kept <= d->told);
    if (has_loss(d)) {
        *out = d->losses.each[d->losses.told++].token;
        return;
    }
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
