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

int slack_judge(double slack, const ead_opinion *o, int n)
{
    for (int i = 0; i < n; i++)
        if (slack > 0 ? (double)o[i].p < (1 - slack) * (double)o[i].max_p : o[i].id != o[i].argmax)
            return i;
    return n;
}
