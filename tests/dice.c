#include "dice.h"

#include "base/check.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* ---- models -------------------------------------------------------------------------------- */

static void normalise(float *p)
{
    double sum = 0;
    for (int i = 0; i < DICE_VOCAB; i++) sum += (double)p[i];
    for (int i = 0; i < DICE_VOCAB; i++) p[i] = (float)((double)p[i] / sum);
}

static int best_of(const float *p)
{
    int best = 0;
    for (int i = 1; i < DICE_VOCAB; i++)
        if (p[i] > p[best]) best = i;
    return best;
}

static int rank_of(const float *p, int id)
{
    int rank = 0;
    for (int i = 0; i < DICE_VOCAB; i++) rank += p[i] > p[id];
    return rank;
}

/* Of the `top` most probable, in nats; not renormalised. */
static double entropy_of(const float *p, int top)
{
    double sum = 0;
    for (int i = 0; i < DICE_VOCAB; i++)
        if (p[i] > 0 && rank_of(p, i) < top) sum -= (double)p[i] * log((double)p[i]);
    return sum;
}

/* The fewest most probable tokens that have top_p together, at a temperature; at 0 as they are. */
static void shape(const float *in, double temperature, double top_p, float *out)
{
    float whole[DICE_VOCAB];
    memcpy(out, in, sizeof whole);
    if (temperature <= 0) return;
    for (int i = 0; i < DICE_VOCAB; i++) out[i] = (float)pow((double)in[i], 1 / temperature);
    normalise(out);
    memcpy(whole, out, sizeof whole);
    for (int i = 0; i < DICE_VOCAB; i++) {
        double above = 0;
        for (int k = 0; k < DICE_VOCAB; k++) above += whole[k] > whole[i] ? (double)whole[k] : 0;
        if (above >= top_p) out[i] = 0;
    }
    normalise(out);
}

static void finish_side(struct dice_side *side, double temperature, double top_p)
{
    for (int c = 0; c < DICE_CONTEXTS; c++) {
        const float *p = side->plain[c];
        const int best = best_of(p);
        shape(p, temperature, top_p, side->shaped[c]);
        side->stats[c] = (ead_stats){.entropy = (float)(entropy_of(p, DICE_VOCAB) / M_LN2),
                                     .exact = true,
                                     .max_prob = p[best],
                                     .argmax = best};
    }
}

void dice_open(struct dice *d, uint64_t world, double apart, double temperature, double top_p)
{
    uint64_t rng = world;
    memset(d, 0, sizeof *d);
    d->temperature = temperature;
    for (int c = 0; c < DICE_CONTEXTS; c++) {
        float *p = d->sides[EAD_LARGE].plain[c], *q = d->sides[EAD_SMALL].plain[c];
        const double sharp = 1 + 3 * rng_unit(&rng); /* some places are certain, some are not */
        for (int i = 0; i < DICE_VOCAB; i++) {
            const double one = rng_unit(&rng), other = rng_unit(&rng);
            p[i] = (float)pow(one + 0.02, sharp);
            q[i] = (float)pow((1 - apart) * one + apart * other + 0.02, sharp);
        }
        normalise(p);
        normalise(q);
    }
    for (int w = 0; w < EAD_WRITERS; w++) finish_side(&d->sides[w], temperature, top_p);
}

void dice_set(struct dice *d, const ead_policy_options *o)
{
    struct err err = {0};
    CHECK(policy_check(o, &err) == ST_OK);
    d->policy = (struct policy){
        .draft_max = EAD_DRAFT_MAX, .n_vocab = DICE_VOCAB, .drawn = d->temperature > 0};
    policy_init(&d->policy, o);
}

/* ---- draws --------------------------------------------------------------------------------- */

int dice_context(const struct text *t, int at)
{
    return t->ids[at - 2] * DICE_VOCAB + t->ids[at - 1];
}

static double coin(const struct dice *d, uint64_t stream, int at)
{
    return rng_at(d->seed, stream, (uint64_t)at);
}

static int pick(const double weights[DICE_VOCAB], double u)
{
    double sum = 0;
    int last = -1;
    for (int i = 0; i < DICE_VOCAB; i++) sum += weights[i];
    u *= sum;
    for (int i = 0; i < DICE_VOCAB; i++) {
        if (!(weights[i] > 0)) continue;
        last = i;
        u -= weights[i];
        if (u < 0) break;
    }
    CHECK(last >= 0);
    return last;
}

static int draw(const struct dice *d, ead_writer w, int at, uint64_t stream)
{
    const int c = dice_context(&d->text, at);
    const float *p = d->sides[w].shaped[c];
    double weights[DICE_VOCAB];
    if (d->temperature <= 0) return best_of(p);
    for (int i = 0; i < DICE_VOCAB; i++) weights[i] = (double)p[i];
    return pick(weights, coin(d, stream, at));
}

/* ---- the machine --------------------------------------------------------------------------- */

static const struct policy_rule *rule_of(const struct dice *d)
{
    return policy_rule(d->policy.options.kind);
}

static void put(struct dice *d, ead_writer w, int id, ead_judgement judgement, int end)
{
    const int c = dice_context(&d->text, d->text.n);
    const float *p = d->sides[w].plain[c];
    text_write(&d->text, id,
               &(struct mark){.author = (int8_t)w,
                              .kind = (int8_t)d->policy.options.kind,
                              .end = d->text.n + 1 == end,
                              .line = id < 2,
                              .blank = id < 1,
                              .top_entropy = d->sides[w].stats[c].entropy,
                              .log_prob = logf(p[id]),
                              .judgement = judgement,
                              .stats = d->sides[w].stats[c]});
}

static ead_opinion opinion(const struct dice *d, int at)
{
    const int c = dice_context(&d->text, at), id = d->text.ids[at];
    const float *p = d->sides[EAD_LARGE].shaped[c], *q = d->sides[EAD_SMALL].shaped[c];
    const struct policy_rule *rule = rule_of(d);
    const bool drawn = d->temperature > 0;
    ead_opinion o = {.p = p[id],
                     .max_p = p[best_of(p)],
                     .entropy_p = (float)(entropy_of(p, DICE_VOCAB) / M_LN2),
                     .q = q[id],
                     .max_q = q[best_of(q)],
                     .id = id,
                     .argmax = best_of(p),
                     .own = draw(d, EAD_LARGE, at, STREAM_TOKEN),
                     .rank = rank_of(p, id),
                     .top_entropy = (float)entropy_of(p, 3),
                     .measure = NAN,
                     .chance = (float)coin(d, STREAM_COIN, at)};
    o.native = drawn ? o.p > 0 && o.chance * o.q <= o.p : o.id == o.argmax;
    if (rule->measure && policy_asks(&d->policy) & POLICY_BOTH)
        o.measure = (float)rule->measure(&d->policy, p, q, DICE_VOCAB, 0);
    return o;
}

/* What stands instead of a refused draft. */
static int replacement(const struct dice *d, const ead_opinion *refused, int at)
{
    const int c = dice_context(&d->text, at);
    const struct policy_rule *rule = rule_of(d);
    double weights[DICE_VOCAB];
    if (d->temperature <= 0 || !rule->weigh) return draw(d, EAD_LARGE, at, STREAM_TOKEN);
    for (int i = 0; i < DICE_VOCAB; i++)
        weights[i] = rule->weigh(&d->policy, refused, (double)d->sides[EAD_LARGE].shaped[c][i],
                                 (double)d->sides[EAD_SMALL].shaped[c][i]);
    return pick(weights, coin(d, STREAM_REST, at));
}

/* Returns whether the text has ended. */
static bool judge(struct dice *d, int n, int end)
{
    struct text *t = &d->text;
    ead_opinion opinions[EAD_DRAFT_MAX];
    const int first = t->n - n;
    CHECK(n <= text_drafts(t) && n <= EAD_DRAFT_MAX);
    for (int i = 0; i < n; i++) opinions[i] = opinion(d, first + i);
    const int kept = policy_judge(&d->policy, t, opinions, n);
    const ead_judgement judgement = {.n = n, .kept = kept, .q = kept < n ? opinions[kept].q : 0};
    CHECK(kept >= 0 && kept <= n);
    d->judgements++;
    d->refused += kept < n;
    const bool ended = kept == n && t->marks[t->n - 1].end;
    if (ended) return true;
    const int id = kept < n ? replacement(d, &opinions[kept], first + kept)
                            : draw(d, EAD_LARGE, t->n, STREAM_TOKEN);
    text_cut(t, first + kept);
    text_keep(t, kept, t->n + 1);
    put(d, EAD_LARGE, id, judgement, end);
    return false;
}

void dice_write(struct dice *d, int context, int n)
{
    struct text *t = &d->text;
    const int32_t given[] = {context / DICE_VOCAB, context % DICE_VOCAB};
    const int end = 2 + n;
    CHECK(end <= DICE_ROOM);
    *t = (struct text){.room = DICE_ROOM, .ids = d->ids, .marks = d->marks};
    text_give(t, given, 2);
    for (;;) {
        const ead_decision decision = policy_decide(&d->policy, t);
        const bool over = t->n == end && !decision.take_back && !decision.judge;
        CHECK(decision.open >= decision.take_back + decision.judge);
        if (text_written(t))
            memcpy(t->marks[t->n - 1].memory, decision.memory, sizeof decision.memory);
        if (over) return;
        d->dropped += decision.take_back;
        text_cut(t, t->n - decision.take_back);
        if (decision.judge) {
            CHECK(decision.writer == EAD_LARGE);
            if (judge(d, decision.judge, end)) return;
            continue;
        }
        const bool apart = decision.writer == EAD_SMALL && rule_of(d)->apart;
        put(d, decision.writer, draw(d, decision.writer, t->n, apart ? STREAM_DRAFT : STREAM_TOKEN),
            (ead_judgement){0}, end);
    }
}

const int32_t *dice_text(const struct dice *d)
{
    return d->ids + 2;
}
