#include "decode/policy/risk.h"

/* The class of a token: its place among the frequent ones, or the last. */
static int class_of(const ead_risk *table, int32_t id)
{
    int low = 0, high = table->n_classes - 1;
    while (low < high) {
        const int mid = (low + high) / 2;
        if (table->ids[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < table->n_classes - 1 && table->ids[low] == id ? low : table->n_classes - 1;
}

double risk_look_up(const ead_risk *table, float entropy, int32_t id)
{
    int bin = 0;
    while (bin < EAD_RISK_BINS - 1 && entropy >= table->edges[bin]) bin++;
    return (double)table->risk[bin][class_of(table, id)];
}

double risk_of(const ead_policy_options *o, const ead_signals *s)
{
    return o->table ? risk_look_up(o->table, s->stats.entropy, s->id) : (double)s->stats.entropy;
}

bool slack_keeps(const struct policy *p, double slack, const ead_opinion *o)
{
    if (slack > 0) return (double)o->p >= (1 - slack) * (double)o->max_p;
    return o->id == (p->drawn ? o->own : o->argmax);
}

int slack_judge(const struct policy *p, const ead_opinion *o, int n)
{
    int kept = 0;
    while (kept < n && slack_keeps(p, p->options.slack, &o[kept])) kept++;
    return kept;
}

bool risk_too_many(const ead_policy_options *o, const ead_signals *s, int n)
{
    const int most = o->unjudged < s->draft_max ? o->unjudged : s->draft_max;
    return most > 0 && n >= most;
}

bool risk_left_too_long(const ead_policy_options *o, const ead_signals *s)
{
    return (s->end && o->tail) || risk_too_many(o, s, s->drafts);
}
