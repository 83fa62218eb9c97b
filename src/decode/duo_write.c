/* A duo and a distribution: drafts are judged, a token is written, the policy decides. */
#include "base/check.h"
#include "decode/duo_inside.h"

#include <math.h>

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

static float log_prob_of(const struct distribution *dist, const struct result *r, int32_t id)
{
    const float known = distribution_log_prob(dist, id);
    return isnan(known) && id == r->drawn ? r->log_prob : known;
}

/* ---- judging ----------------------------------------------------------------------------- */

static struct jury jury_of(struct duo *d)
{
    return (struct jury){.policy = &d->policy,
                         .sampler = &d->sampler,
                         .text = &d->text,
                         .proposals = &d->proposals,
                         .p = d->scratch.p,
                         .q = d->scratch.q};
}

/* What the large model thinks of the drafts, what comes of it, and of a refused one the token that
 * stands in its place. */
struct verdict {
    ead_judgement judgement;
    int32_t instead; /* below 0 where none is to be had */
    ead_opinion opinions[EAD_DRAFT_MAX];
};

/* Judge the drafts; the text stays as it is. */
static void judge(struct duo *d, struct verdict *v)
{
    const struct jury jury = jury_of(d);
    const int n = d->judging.n, from = d->text.n - n;
    for (int i = 0; i < n; i++) v->opinions[i] = jury_opinion(&jury, from + i, &d->judging.seen[i]);
    const int kept = policy_judge(&d->policy, &d->text, v->opinions, n);
    v->judgement = (ead_judgement){.n = n, .kept = kept};
    if (kept == n) return;
    v->judgement.q = expf(d->text.marks[from + kept].log_prob);
    v->instead = jury_instead(&jury, from + kept, &v->opinions[kept], &d->judging.seen[kept]);
}

/* What falls, falls; what does not is judged from the token on that follows, or from here on where
 * none does. */
static void execute(struct duo *d, const struct verdict *v)
{
    const int n = v->judgement.n, kept = v->judgement.kept, from = d->text.n - n;
    account_judgement(&d->account, n, kept);
    for (int i = 0; i < n; i++) {
        struct mark *mark = &d->text.marks[from + i];
        mark->opinion = v->opinions[i];
        mark->heard = true;
    }
    if (kept < n) {
        duo_lose(d, from + kept);
        d->account.taken_back += n - kept;
        duo_cut(d, from + kept);
    }
    text_keep(&d->text, kept, d->judging.final && kept == n ? d->text.n : d->text.n + 1);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Does a policy draw drafts by what it keeps of the small model's distribution? */
static bool proposes(const struct duo *d, ead_writer w)
{
    return w == EAD_SMALL && d->engines[EAD_LARGE] && policy_asks(&d->policy) & POLICY_BOTH;
}

static int32_t choose(struct duo *d, const struct result *result)
{
    const size_t n = (size_t)d->text.n, n_written = (size_t)text_written(&d->text);
    const bool proposing = proposes(d, d->next);
    const bool proposed = proposing && duo_propose(d, d->text.n, &result->dist);
    if (proposed && d->policy.drawn && policy_rule(d->policy.options.kind)->apart)
        return proposals_draw(&d->proposals, d->text.n, jury_draft_chance(&d->text, &d->sampler));
    if (result->drawn >= 0 && result->drawn < d->n_vocab && !proposing) return result->drawn;
    return sampler_choose(&d->sampler, &result->dist, d->text.ids, n, n_written);
}

enum { TOP_SMALL = 20 };

/* Bits: of the most probable tokens, renormalised. */
static float top_entropy(const struct distribution *dist)
{
    struct candidate best[TOP_SMALL];
    const int n = distribution_best(dist, TOP_SMALL, best);
    double total = 0, h = 0;
    for (int i = 0; i < n; i++) total += exp((double)best[i].logit);
    for (int i = 0; i < n; i++) {
        const double p = exp((double)best[i].logit) / total;
        if (p > 0) h -= p * log2(p);
    }
    return (float)h;
}

/* Which of the ends that a policy may ask for are this token's. */
static void mark_ends(const struct duo *d, int32_t id, struct mark *mark)
{
    const struct engine *any = d->engines[d->engines[EAD_SMALL] ? EAD_SMALL : EAD_LARGE];
    const struct mark *last = &d->text.marks[d->text.n - 1];
    size_t n = 0;
    const char *piece = vocab_piece(any->info.vocab, id, &n);
    mark->end = (!d->ignore_end && duo_is_end(d, id)) || d->text.n == d->n_ctx;
    mark->line = n && piece[n - 1] == '\n';
    mark->blank = mark->line && (n > 1 ? piece[n - 2] == '\n' : last->line);
}

static void write_token(struct duo *d, int32_t id, const struct distribution *dist,
                        const struct result *result, const ead_judgement *judgement)
{
    const ead_writer w = d->next;
    struct mark mark = {.author = (int8_t)w,
                        .replaces = d->replacing,
                        .alone = d->lost,
                        .kind = (int8_t)d->policy.options.kind,
                        .judgement = *judgement,
                        .log_prob = log_prob_of(dist, result, id),
                        .seconds = (float)d->seconds,
                        .stats = dist->stats,
                        .top_entropy = NAN};
    mark_ends(d, id, &mark);
    if (policy_asks(&d->policy) & POLICY_TOP) mark.top_entropy = top_entropy(dist);
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
    alternatives_keep(&d->alternatives, at, &d->drawn);
}

/* The text has ended and stands as it is. */
static void stand(struct duo *d, const struct verdict *v)
{
    execute(d, v);
    struct mark *last = &d->text.marks[d->text.n - 1];
    last->judgement = v->judgement;
    last->seconds += (float)d->seconds; /* nothing follows that the pass could be booked on */
    d->seconds = 0;
    duo_decide(d);
}

void duo_write(struct duo *d, const struct result *result, double seconds)
{
    const bool judging = d->judging.n > 0;
    struct verdict v = {.judgement = {0}};
    CHECK(!d->astray && d->text.n && (d->text.n <= d->n_ctx || judging));
    if (judging) judge(d, &v);
    const bool refused = v.judgement.kept < v.judgement.n;
    d->seconds += seconds;
    if (judging && d->judging.final && !refused) {
        stand(d, &v);
        return;
    }
    const struct distribution *dist = refused ? &d->judging.seen[v.judgement.kept] : &result->dist;
    const int32_t id = refused ? v.instead : choose(d, result);
    if (id < 0) { /* it may be another time */
        nothing_follows(d, id, dist);
        return;
    }
    if (judging) execute(d, &v);
    d->replacing |= refused;
    write_token(d, id, dist, result, &v.judgement);
    duo_decide(d);
}
