#include "decode/policy.h"

#include "base/check.h"
#include "base/rng.h"
#include "decode/policy/risk.h"

#include <math.h>
#include <string.h>

static const struct policy_rule *const rules[] = {[EAD_POLICY_EAD] = &policy_ead,
                                                  [EAD_POLICY_LARGE] = &policy_large,
                                                  [EAD_POLICY_SMALL] = &policy_small,
                                                  [EAD_POLICY_RANDOM] = &policy_random,
                                                  [EAD_POLICY_REPLAY] = &policy_replay,
                                                  [EAD_POLICY_CUSTOM] = &policy_custom,
                                                  [EAD_POLICY_SPECULATIVE] = &policy_speculative,
                                                  [EAD_POLICY_JUDGE] = &policy_judge_risk,
                                                  [EAD_POLICY_EAD_PLUS] = &policy_ead_plus,
                                                  [EAD_POLICY_TYPICAL] = &policy_typical,
                                                  [EAD_POLICY_RELAXED] = &policy_relaxed,
                                                  [EAD_POLICY_CASCADE] = &policy_cascade,
                                                  [EAD_POLICY_LENIENT] = &policy_lenient,
                                                  [EAD_POLICY_FLY] = &policy_fly,
                                                  [EAD_POLICY_FSD] = &policy_fsd,
                                                  [EAD_POLICY_BILD] = &policy_bild,
                                                  [EAD_POLICY_RSTITCH] = &policy_rstitch,
                                                  [EAD_POLICY_R2R] = &policy_r2r,
                                                  [EAD_POLICY_STEP] = &policy_step};

enum { N_RULES = sizeof rules / sizeof *rules };

const struct policy_rule *policy_rule(ead_policy_kind kind)
{
    return (unsigned)kind < N_RULES ? rules[kind] : NULL;
}

/* ---- options ----------------------------------------------------------------------------- */

static enum status check_option(const ead_policy_options *o, const ead_policy_option *option,
                                struct err *err)
{
    const double x = policy_option_value(o, option);
    if (x >= option->low && x <= option->high) return ST_OK;
    if (isnan(x)) return err_set(err, ST_ARG, "%s: expected a number, found NaN", option->name);
    if (option->type == EAD_OPTION_WORD)
        return err_set(err, ST_ARG, "%s: expected a word from 0 to %g, found %g", option->name,
                       option->high, x);
    if (option->high >= INT32_MAX)
        return err_set(err, ST_ARG, "%s: expected at least %g, found %g", option->name, option->low,
                       x);
    return err_set(err, ST_ARG, "%s: expected %g to %g, found %g", option->name, option->low,
                   option->high, x);
}

enum status policy_check(const ead_policy_options *o, struct err *err)
{
    const struct policy_rule *rule = policy_rule(o->kind);
    if (!rule)
        return err_set(err, ST_ARG, "policy: expected one of the kinds from 0 to %d, found %d",
                       N_RULES - 1, (int)o->kind);
    for (size_t i = 0; policy_option(i); i++) {
        const ead_policy_option *option = policy_option(i);
        /* Of every token its rolling entropy is told, whatever the policy. */
        const bool counts = option->offset == offsetof(ead_policy_options, window) ||
                            option->policies & 1u << o->kind;
        if (counts) TRY(check_option(o, option, err));
    }
    if (o->table) TRY(risk_check(o->table, err));
    return rule->check ? rule->check(o, err) : ST_OK;
}

void policy_init(struct policy *p, const ead_policy_options *o)
{
    const struct policy_rule *rule = policy_rule(o->kind);
    CHECK(rule);
    p->options = *o;
    p->rate = rule->prepare ? rule->prepare(o) : 0;
}

bool policy_same(const ead_policy_options *a, const ead_policy_options *b)
{
    for (size_t i = 0; policy_option(i); i++)
        if (policy_option_value(a, policy_option(i)) != policy_option_value(b, policy_option(i)))
            return false;
    return a->kind == b->kind && a->table == b->table && a->seed == b->seed &&
           a->replay == b->replay && a->n_replay == b->n_replay && a->decide == b->decide &&
           a->judge == b->judge && a->weigh == b->weigh && a->context == b->context;
}

/* ---- deciding ---------------------------------------------------------------------------- */

int policy_drafts(const struct policy *p, const struct text *t, int most)
{
    const int all = text_drafts(t);
    int n = 0;
    while (n < most && n < all && t->marks[t->n - 1 - n].kind == (int8_t)p->options.kind) n++;
    return n;
}

ead_signals policy_signals(const struct policy *p, const struct text *t)
{
    const ead_policy_options *o = &p->options;
    const int index = text_written(t), last = t->n - 1;
    ead_signals s = {.index = index,
                     .length = t->n,
                     .writer = o->start,
                     .draft_max = p->draft_max,
                     .n_vocab = p->n_vocab};
    s.chance = rng_at(o->seed, STREAM_POLICY, (uint64_t)t->n);
    if (!index) return s;
    const struct mark *mark = &t->marks[last];
    s.writer = (ead_writer)mark->author;
    s.turn = mark->turn;
    s.id = t->ids[last];
    s.log_prob = mark->log_prob;
    s.stats = mark->stats;
    s.rolling = text_rolling(t, last, o->window, o->clear_window);
    s.drafts = policy_drafts(p, t, p->draft_max);
    s.end = mark->end;
    s.line = mark->line;
    s.blank = mark->blank;
    s.top_entropy = mark->top_entropy;
    s.judged = mark->judgement;
    if (index > 1 && mark[-1].kind == (int8_t)o->kind)
        memcpy(s.memory, mark[-1].memory, sizeof s.memory);
    return s;
}

unsigned policy_asks(const struct policy *p)
{
    const struct policy_rule *rule = rules[p->options.kind];
    return rule->asks ? rule->asks(p) : 0;
}

unsigned policy_asks_drawn(const struct policy *p)
{
    return p->drawn ? POLICY_BOTH : 0;
}

double policy_weigh_rest(const struct policy *p, const ead_opinion *refused, double pp, double qq)
{
    (void)p, (void)refused;
    return pp > qq ? pp - qq : 0;
}

int policy_first_refused(const struct policy *p, const ead_opinion *o, int n, policy_keeps keeps)
{
    int kept = 0;
    while (kept < n && (keeps ? keeps(p, &o[kept]) : o[kept].native)) kept++;
    return kept;
}

int policy_judge_by(const struct policy *p, const ead_signals *s, const ead_opinion *opinions,
                    int n)
{
    const struct policy_rule *rule = rules[p->options.kind];
    if (!rule->judge) return policy_first_refused(p, opinions, n, rule->keeps);
    const int kept = rule->judge(p, s, opinions, n);
    return kept < 0 ? 0 : kept < n ? kept : n; /* a program's own may say anything */
}

int policy_judge(const struct policy *p, const struct text *t, const ead_opinion *opinions, int n)
{
    const ead_signals s = policy_signals(p, t);
    return policy_judge_by(p, &s, opinions, n);
}

ead_decision policy_decide(const struct policy *p, const struct text *t)
{
    const ead_signals s = policy_signals(p, t);
    return rules[p->options.kind]->decide(p, &s);
}

static bool decides_alike(const struct policy *p, const ead_signals *a, const ead_signals *b)
{
    const struct policy_rule *rule = rules[p->options.kind];
    const ead_decision x = rule->decide(p, a), y = rule->decide(p, b);
    return x.writer == y.writer && x.take_back == y.take_back && x.judge == y.judge;
}

bool policy_is_open(const struct policy *p, const struct text *t)
{
    const ead_policy_options *o = &p->options;
    if (rules[o->kind]->info.needs_data || !text_written(t)) return false;
    const struct text_bounds b = text_rolling_bounds(t, t->n - 1, o->window, o->clear_window);
    if (b.lo == b.hi) return false;
    ead_signals low = policy_signals(p, t), high = low;
    low.rolling = b.lo;
    low.stats.entropy = low.stats.entropy_lo;
    high.rolling = b.hi;
    high.stats.entropy = high.stats.entropy_hi;
    return !decides_alike(p, &low, &high);
}

int policy_sure(const struct policy *p, const struct text *t, ead_writer next)
{
    const struct policy_rule *rule = rules[p->options.kind];
    if (!rule->sure) return 1;
    const ead_signals s = policy_signals(p, t);
    return rule->sure(p, &s, next);
}

int policy_sure_dwell(const struct policy *p, const ead_signals *s, ead_writer next)
{
    const int turn = s->index && s->writer == next ? s->turn : 0;
    return turn < p->options.dwell ? p->options.dwell - turn : 1;
}

int policy_sure_always(const struct policy *p, const ead_signals *s, ead_writer next)
{
    (void)p, (void)s, (void)next;
    return INT32_MAX;
}
