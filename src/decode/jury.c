#include "decode/jury.h"

#include "base/rng.h"

#include <math.h>

enum { TOP_LARGE = 3 };

/* ---- numbers ----------------------------------------------------------------------------- */

/* Where the draft began that a position belongs to. */
static int begin_of(const struct text *t, int pos)
{
    return pos - (t->marks[pos].draft - 1);
}

static double chance_at(const struct sampler *s, int stream, int begin, int pos)
{
    return rng_at(s->options.seed, (uint64_t)stream, (uint64_t)begin << 32 | (uint64_t)pos);
}

double jury_draft_chance(const struct text *t, const struct sampler *s)
{
    return chance_at(s, STREAM_DRAFT, t->n - text_drafts(t), t->n);
}

/* ---- distributions ----------------------------------------------------------------------- */

static size_t written_at(const struct text *t, int pos)
{
    return (size_t)t->marks[pos].index;
}

static bool shape(const struct jury *j, int pos, const struct distribution *large)
{
    return sampler_shape(j->sampler, large, j->text->ids, (size_t)pos, written_at(j->text, pos),
                         j->p);
}

/* The largest of a distribution, and its entropy. */
static void look_at(const float *p, int n, ead_opinion *o)
{
    double h = 0;
    o->argmax = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] > 0) h -= (double)p[i] * log2((double)p[i]);
        if (p[i] > p[o->argmax]) o->argmax = i;
    }
    o->max_p = p[o->argmax];
    o->entropy_p = (float)h;
}

/* - sum p ln p of the largest three, as they are. */
static float top_entropy(const struct distribution *d)
{
    struct candidate best[TOP_LARGE];
    const int n = distribution_best(d, TOP_LARGE, best);
    double h = 0;
    for (int i = 0; i < n; i++) h -= exp((double)best[i].logit) * (double)best[i].logit;
    return (float)h;
}

/* ---- opinions ---------------------------------------------------------------------------- */

/* What the large model itself writes there. */
static int32_t choose(const struct jury *j, int pos, const struct distribution *large)
{
    return sampler_choose(j->sampler, large, j->text->ids, (size_t)pos, written_at(j->text, pos));
}

/* Greedy, what the large model would choose here need not be the best of p: a bias may say
 * otherwise. */
static void think_greedy(const struct jury *j, int pos, const struct distribution *large,
                         ead_opinion *o)
{
    const struct mark *mark = &j->text->marks[pos];
    const float log_p = distribution_log_prob(large, o->id);
    o->p = isnan(log_p) ? 0 : expf(log_p);
    o->max_p = large->stats.max_prob;
    o->entropy_p = large->stats.entropy;
    o->argmax = o->own = choose(j, pos, large);
    o->q = expf(mark->log_prob);
    o->max_q = mark->stats.max_prob;
    o->native = o->id == o->argmax;
}

static void think_drawn(const struct jury *j, int pos, const struct distribution *large,
                        ead_opinion *o)
{
    o->own = choose(j, pos, large);
    if (!shape(j, pos, large)) return; /* nothing may follow: nothing is kept */
    look_at(j->p, j->sampler->n_vocab, o);
    o->p = j->p[o->id];
}

static void compare(const struct jury *j, int pos, const struct distribution *large, ead_opinion *o)
{
    const struct policy_rule *rule = policy_rule(j->policy->options.kind);
    const int n = j->sampler->n_vocab;
    if (!proposals_know(j->proposals, pos)) return; /* of a custom policy over a server */
    if (!j->policy->drawn && !shape(j, pos, large)) return;
    proposals_spread(j->proposals, pos, j->q, n);
    o->q = j->q[o->id];
    o->max_q = 0;
    for (int i = 0; i < n; i++) o->max_q = j->q[i] > o->max_q ? j->q[i] : o->max_q;
    if (j->policy->drawn) o->native = o->q > 0 && o->p > 0 && o->chance * o->q <= o->p;
    if (rule->measure)
        o->measure =
            (float)rule->measure(j->policy, j->p, j->q, n, proposals_cut(j->proposals, pos));
}

ead_opinion jury_opinion(const struct jury *j, int pos, const struct distribution *large)
{
    const unsigned asks = policy_asks(j->policy);
    ead_opinion o = {.id = j->text->ids[pos],
                     .argmax = -1,
                     .q = NAN,
                     .max_q = NAN,
                     .measure = NAN,
                     .top_entropy = NAN,
                     .rank = -1};
    o.chance = (float)chance_at(j->sampler, STREAM_COIN, begin_of(j->text, pos), pos);
    if (j->policy->drawn)
        think_drawn(j, pos, large, &o);
    else
        think_greedy(j, pos, large, &o);
    if (asks & POLICY_BOTH) compare(j, pos, large, &o);
    if (asks & POLICY_RANK) o.rank = distribution_rank(large, j->sampler->n_vocab, o.id);
    if (asks & POLICY_TOP_LARGE) o.top_entropy = top_entropy(large);
    return o;
}

/* ---- in place of a refused one ----------------------------------------------------------- */

/* A draw by the policy's weights; -1 where all of them are 0, as rounding may have it. */
static int32_t draw_weighed(const struct jury *j, int pos, const ead_opinion *refused,
                            const struct distribution *large, double chance)
{
    const struct policy_rule *rule = policy_rule(j->policy->options.kind);
    const int n = j->sampler->n_vocab;
    double total = 0, sum = 0;
    if (!proposals_know(j->proposals, pos) || !shape(j, pos, large)) return -1;
    proposals_spread(j->proposals, pos, j->q, n);
    for (int i = 0; i < n; i++)
        total += rule->weigh(j->policy, refused, (double)j->p[i], (double)j->q[i]);
    for (int i = 0; i < n && total > 0; i++) {
        sum += rule->weigh(j->policy, refused, (double)j->p[i], (double)j->q[i]);
        if (sum > chance * total) return i;
    }
    return -1;
}

int32_t jury_instead(const struct jury *j, int pos, const ead_opinion *refused,
                     const struct distribution *large)
{
    const struct policy_rule *rule = policy_rule(j->policy->options.kind);
    if (!j->policy->drawn || !rule->weigh || !(policy_asks(j->policy) & POLICY_BOTH))
        return refused->own;
    const double chance = chance_at(j->sampler, STREAM_REST, begin_of(j->text, pos), pos);
    const int32_t id = draw_weighed(j, pos, refused, large, chance);
    return id >= 0 ? id : refused->own;
}
