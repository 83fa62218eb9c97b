#include "decode/policy/draft.h"

#include "decode/policy/fit.h"
#include "decode/policy/risk.h"

#include <math.h>

/* Where transformers starts with its heuristic, and the most it drafts with a confidence. */
enum { ASSISTANT_TOKENS = 20 };
/* Survival remembers the cost of about so many tokens. */
enum { COST_TOKENS = 64 };

/* ---- what a draft knows of its past ------------------------------------------------------- */

/* What was judged before the last token, which is the large model's: `tokens` of them took `time`
 * together, in steps of the large model. */
static double cost_after(const struct policy *p, const ead_signals *s)
{
    const ead_policy_options *o = &p->options;
    const int tokens = s->judged.kept + 1, n = s->judged.n;
    const double before = s->memory[1] > 0 ? s->memory[1] : 1;
    const double time = 1 + n * (o->small_cost + o->row_cost);
    return (before * COST_TOKENS + time) / (COST_TOKENS + tokens);
}

static double risk_or_doubt(const struct policy *p, const ead_signals *s)
{
    return p->options.table ? risk_of(&p->options, s) : 1 - (double)s->stats.max_prob;
}

static void learn_survival(const struct policy *p, const ead_signals *s, double memory[2])
{
    const double before = s->drafts > 1 ? s->memory[0] : 1;
    memory[0] = s->drafts ? before * (1 - risk_or_doubt(p, s)) : 1;
    memory[1] = s->judged.n ? cost_after(p, s) : s->memory[1] > 0 ? s->memory[1] : 1;
}

static void learn_length(const ead_signals *s, double memory[2])
{
    const double n = s->memory[0] > 0 ? s->memory[0] : ASSISTANT_TOKENS;
    const bool all = s->judged.kept == s->judged.n;
    memory[0] = !s->judged.n ? n : all ? fmin(n + 2, EAD_DRAFT_MAX) : fmax(n - 1, 1);
}

/* One more of probability q, unless nobody knows it. */
static double count(double counts, double q)
{
    return isnan(q) ? counts : fit_count(counts, q);
}

/* A draft counts as kept from the start: when it is refused, the text is cut and with it what was
 * noted beside the draft. */
static void learn_confidence(const ead_signals *s, double memory[2])
{
    memory[0] = s->memory[0];
    memory[1] = s->memory[1];
    if (s->drafts) memory[0] = count(memory[0], exp((double)s->log_prob));
    if (s->judged.kept < s->judged.n) memory[1] = count(memory[1], (double)s->judged.q);
}

static void learn(const struct policy *p, const ead_signals *s, double memory[2])
{
    switch (p->options.draft) {
    case EAD_DRAFT_HEURISTIC: learn_length(s, memory); break;
    case EAD_DRAFT_CONFIDENCE: learn_confidence(s, memory); break;
    case EAD_DRAFT_SURVIVAL: learn_survival(p, s, memory); break;
    default: break;
    }
}

/* ---- when it ends ------------------------------------------------------------------------- */

/* With what was learned. */
static int length_of(const struct policy *p, const ead_signals *s, const double memory[2],
                     int usual)
{
    int wanted = p->options.draft;
    if (!wanted) wanted = usual;
    if (wanted == EAD_DRAFT_HEURISTIC) wanted = (int)memory[0];
    if (wanted == EAD_DRAFT_CONFIDENCE) wanted = ASSISTANT_TOKENS;
    if (wanted == EAD_DRAFT_SURVIVAL) wanted = EAD_DRAFT_MAX;
    return wanted < s->draft_max ? wanted : s->draft_max;
}

/* Is nothing to be gained from a further token, whatever the length? */
static bool has_enough(const struct policy *p, const ead_signals *s, const double memory[2])
{
    const ead_policy_options *o = &p->options;
    if (o->draft == EAD_DRAFT_CONFIDENCE)
        /* as it was before this draft, which has no say in what it is measured by */
        return exp((double)s->log_prob) < fit_threshold(s->memory[0], s->memory[1], o->confidence);
    return o->draft == EAD_DRAFT_SURVIVAL && memory[0] * memory[1] < o->small_cost + o->row_cost;
}

ead_decision draft_drop_last(const struct policy *p, const ead_signals *s)
{
    const int least = p->drawn ? 0 : p->options.draft_min;
    const int rest = s->drafts - 1 < least ? 0 : s->drafts - 1;
    return (ead_decision){
        .writer = EAD_LARGE, .take_back = s->drafts - rest, .judge = rest, .open = s->drafts};
}

ead_decision draft_decide(const struct policy *p, const ead_signals *s, int usual)
{
    const int n = s->drafts;
    ead_decision d = {.writer = EAD_SMALL, .open = n};
    learn(p, s, d.memory);
    if (!n) return d;
    if ((double)s->stats.max_prob < p->options.draft_min_p) return draft_drop_last(p, s);
    if (s->end || n >= length_of(p, s, d.memory, usual) || has_enough(p, s, d.memory)) {
        d.writer = EAD_LARGE;
        d.judge = n;
    }
    return d;
}

ead_decision draft_decide_usual(const struct policy *p, const ead_signals *s)
{
    return draft_decide(p, s, DRAFT_USUAL);
}

/* ---- what is certain ---------------------------------------------------------------------- */

int draft_sure_of(const struct policy *p, const ead_signals *s, ead_writer next, int usual)
{
    const int draft = p->options.draft;
    if (next == EAD_LARGE || p->options.draft_min_p > 0 || draft == EAD_DRAFT_CONFIDENCE ||
        draft == EAD_DRAFT_SURVIVAL)
        return 1;
    double memory[2] = {0};
    learn(p, s, memory);
    const int left = length_of(p, s, memory, usual) - s->drafts;
    return left > 1 ? left : 1;
}

int draft_sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    return draft_sure_of(p, s, next, DRAFT_USUAL);
}
